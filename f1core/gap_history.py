"""What the model of gaps learns from: past fields as they stood before the start, and how far behind each car finished."""

from __future__ import annotations

import datetime as dt
from weakref import WeakKeyDictionary

import polars as pl

from f1core.labels import FIRST_SEASON, race_labels
from f1core.ratings import qualifying_gaps
from models.gap_model import HISTORY_COLUMNS
from models.pace_filter import SETTINGS
from warehouse.queries.results import gap_circumstances, race_result_lines
from warehouse.reader import Reader

PACE = "race_pace"


def gap_history(reader: Reader, as_of: dt.datetime) -> pl.DataFrame:
    """Starters of every race known before an instant, oldest first: columns of ``models.gap_model.HISTORY_COLUMNS``."""
    snapshot = reader.snapshot.id
    kept = _kept.get(reader)
    if kept is None or kept[0] != snapshot:
        kept = _kept[reader] = (snapshot, _load(reader))
    return kept[1].filter(pl.col("known_at") < as_of).select(HISTORY_COLUMNS)


_kept: WeakKeyDictionary[Reader, tuple[str, pl.DataFrame]] = WeakKeyDictionary()


def _load(reader: Reader) -> pl.DataFrame:
    lines = race_result_lines(reader, FIRST_SEASON)
    slots = (
        lines.filter(pl.col("is_starter"))
        .sort("known_at", "event_id", "display_order")
        .unique(["event_id", "driver_id"], keep="first", maintain_order=True)
        .select("event_id", "driver_id", "grid_position")
    )
    rows = (
        race_labels(lines)
        .join(slots, on=["event_id", "driver_id"], how="left")
        .join(qualifying_gaps(reader.table("qualifying_results")), on=["event_id", "driver_id"], how="left")
        .join(gap_circumstances(reader), on="event_id", how="left")
    )
    rows = rows.with_columns(
        race_pace_gap=rated_before(rows, reader, PACE, "driver")
        + rated_before(rows, reader, PACE, "constructor")
    )
    return rows.sort("known_at", "event_id", "position")


def rated_before(rows: pl.DataFrame, reader: Reader, rating_kind: str, entity_kind: str) -> pl.Series:
    """Pace of a driver or constructor after his last race before each row's, brought over the winters between.

    Args:
        rows: ``season, known_at, driver_id, constructor_id``, one row per starter.
        reader: The warehouse.
        rating_kind: ``pace`` or ``race_pace``.
        entity_kind: ``driver`` or ``constructor``.

    Returns:
        The rating [% of a lap] in the order of the rows; newcomers get what the filter expects of them.
    """
    settings = SETTINGS[rating_kind]
    is_driver = entity_kind == "driver"
    column = f"{entity_kind}_id"
    carry = settings.driver_carry if is_driver else settings.car_carry
    ratings = (
        reader.table("ratings")
        .filter((pl.col("rating_kind") == rating_kind) & (pl.col("entity_kind") == entity_kind))
        .select(
            pl.col("entity_id").alias(column),
            "known_at",
            pl.col("season").alias("rated_season"),
            "value",
        )
        .sort("known_at")
    )
    found = (
        rows.with_row_index("row")
        .sort("known_at")
        .join_asof(
            ratings,
            on="known_at",
            by=column,
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("row")
    )
    newcomer = settings.rookie_mean if is_driver else settings.new_car_mean
    value = pl.col("value") * carry ** (pl.col("season") - pl.col("rated_season"))
    return found.select(value.fill_null(newcomer).alias("value"))["value"]
