"""What happened, as labels: kept apart from features, and joined to them only when a model is fitted or scored."""

from __future__ import annotations

import polars as pl

from warehouse.queries.results import qualifying_lines, race_result_lines
from warehouse.reader import Reader
from warehouse.vocab import Target

FIRST_SEASON = 2010
"""Models learn from this season on: earlier points systems, fields and qualifying formats differ too much."""


def race_labels(race_results: pl.DataFrame, session: str = "race") -> pl.DataFrame:
    """One row per starter of every race, or of every sprint.

    A starter is everyone in the result except those who did not start, qualify or practise. ``position`` counts the
    starters 1..n in the official order, retirements and disqualifications last. A driver with several lines (shared or
    second cars) keeps his best. A race that was stopped early or paid half points counts as the official result has it.

    Args:
        race_results: Rows of the ``race_results`` table.
        session: ``race`` or ``sprint``; rows of the other are left out.

    Returns:
        ``event_id, season, known_at, driver_id, constructor_id, position, is_winner, is_podium, is_top_ten,
        is_classified, is_dnf, gap_s, race_time_s``; the last two [s] for cars on the lead lap, else null.
    """
    starters = (
        race_results.filter((pl.col("session") == session) & pl.col("is_starter"))
        .sort("known_at", "event_id", "display_order")
        .unique(["event_id", "driver_id"], keep="first", maintain_order=True)
    )
    return _labels(
        starters.with_columns(
            position=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("event_id"),
            is_classified=pl.col("status") == "classified",
            is_dnf=pl.col("status").is_in(["retired", "not_classified"]),
            gap_s=pl.when(pl.col("status") == "classified").then(pl.col("gap_s")),
            race_time_s=pl.when(pl.col("status") == "classified").then(pl.col("time_s")),
        )
    )


def qualifying_labels(qualifying_results: pl.DataFrame) -> pl.DataFrame:
    """One row per driver in the classification of every qualifying: its order, not the grid made of it.

    ``position`` counts 1..n: the classified in their order, then those without an official place (no time set, outside
    107 %, disqualified) in the order of the list. A driver with several lines keeps his best. An event whose qualifying
    was not held has no rows.

    Args:
        qualifying_results: Rows of the ``qualifying_results`` table; those of sprint qualifying are left out.

    Returns:
        As :func:`race_labels`: ``is_winner`` is pole position (the fastest, whoever starts first), ``is_top_ten`` the last
        part of qualifying. ``is_dnf``, ``gap_s`` and ``race_time_s`` are null: nobody retires from qualifying.
    """
    listed = (
        qualifying_results.filter(pl.col("session") == "qualifying")
        .sort("known_at", "event_id", pl.col("position").is_null(), "display_order")
        .unique(["event_id", "driver_id"], keep="first", maintain_order=True)
    )
    return _labels(
        listed.with_columns(
            is_classified=pl.col("position").is_not_null(),
            position=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("event_id"),
            is_dnf=pl.lit(None, pl.Boolean),
            gap_s=pl.lit(None, pl.Float64),
            race_time_s=pl.lit(None, pl.Float64),
        )
    )


def _labels(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "event_id",
        "season",
        "known_at",
        "driver_id",
        "constructor_id",
        "position",
        is_winner=pl.col("position") == 1,
        is_podium=pl.col("position") <= 3,
        is_top_ten=pl.col("position") <= 10,
        is_classified=pl.col("is_classified"),
        is_dnf=pl.col("is_dnf"),
        gap_s=pl.col("gap_s"),
        race_time_s=pl.col("race_time_s"),
    )


def labels_of(lines: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Labels of official results of a target: of ``race_results``, or of ``qualifying_results`` for qualifying."""
    if target is Target.QUALIFYING:
        return qualifying_labels(lines)
    return race_labels(lines, target.value)


def load_labels(
    reader: Reader, target: Target = Target.RACE, *, from_season: int = FIRST_SEASON
) -> pl.DataFrame:
    """Labels of a target in these seasons; see :func:`race_labels` and :func:`qualifying_labels`."""
    if target is Target.QUALIFYING:
        return qualifying_labels(qualifying_lines(reader, from_season))
    return race_labels(race_result_lines(reader, from_season, target.value), target.value)
