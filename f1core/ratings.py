"""Rates drivers and constructors after every race, from the facts."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from f1core.labels import race_labels
from models.lap_pace import LAP_COLUMNS, race_paces
from models.ratings import all_ratings
from warehouse.tables import TABLES

GAP_LIMIT_PCT = 7.0
"""Slower than 107 % of the best says nothing about pace: a spin, a puncture, a lap never finished."""


def qualifying_gaps(qualifying_results: pl.DataFrame) -> pl.DataFrame:
    """Gap of each driver's best qualifying time to the session's best.

    Returns:
        ``event_id, driver_id, qualifying_gap_pct`` [% of the best time]; null beyond :data:`GAP_LIMIT_PCT`.
    """
    times = qualifying_results.filter((pl.col("session") == "qualifying") & (pl.col("best_time_s") > 0))
    gap = 100.0 * (pl.col("best_time_s") / pl.col("best_time_s").min().over("event_id") - 1.0)
    return (
        times.with_columns(qualifying_gap_pct=pl.when(gap <= GAP_LIMIT_PCT).then(gap))
        .group_by("event_id", "driver_id")
        .agg(pl.col("qualifying_gap_pct").min())
    )


def lap_paces(laps: pl.DataFrame) -> pl.DataFrame:
    """Race pace of every driver in every race that has laps: see :func:`models.lap_pace.race_paces`."""
    return race_paces(laps.filter(pl.col("session") == "race"))


def rate_frames(
    race_results: pl.DataFrame, qualifying_results: pl.DataFrame, paces: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Ratings after every race; a row depends on no later event.

    Args:
        race_results: Rows of the ``race_results`` table.
        qualifying_results: Rows of the ``qualifying_results`` table.
        paces: What the laps of races say, from :func:`lap_paces`; races without go by qualifying and result alone.

    Returns:
        Rows of the ``ratings`` table.
    """
    labels = race_labels(race_results)
    rows = labels.select("event_id", "season", "known_at", "driver_id", "constructor_id", "position").join(
        qualifying_gaps(qualifying_results), on=["event_id", "driver_id"], how="left"
    )
    told = race_paces(pl.DataFrame()) if paces is None else paces
    rows = rows.join(
        told.select("event_id", "driver_id", "race_pace_pct", "standard_error_pct"),
        on=["event_id", "driver_id"],
        how="left",
    )
    return all_ratings(rows).select(TABLES["ratings"].column_names)


def rate_events(
    race_results: pa.Table, qualifying_results: pa.Table, laps: pa.Table, paces: pl.DataFrame | None = None
) -> pa.Table:
    """As :func:`rate_frames`, for Arrow tables; race pace is taken from the laps where ``paces`` does not bring it."""
    results, qualifying = (pl.DataFrame(pl.from_arrow(table)) for table in (race_results, qualifying_results))
    if paces is None:
        paces = lap_paces(pl.DataFrame(pl.from_arrow(laps.select(["session", *LAP_COLUMNS]))))
    return rate_frames(results, qualifying, paces).to_arrow().cast(TABLES["ratings"].schema)
