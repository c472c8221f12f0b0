"""Who passes whom: cars that cross the line close behind another, and whether they are ahead a lap later."""

from __future__ import annotations

import polars as pl

from models.strategy.rows import said

CLOSE_S = 1.0
"""A car this close behind at the line is attacking [s]."""
STEP_S = 0.5
LOWEST_S, HIGHEST_S = -0.75, 2.75
"""Outer classes of the advantage hold everything beyond [s]."""
CLASSES = tuple(LOWEST_S + STEP_S * (k + 0.5) for k in range(round((HIGHEST_S - LOWEST_S) / STEP_S)))
"""Middles of the classes of the advantage in lap time [s]."""


def part_of(middle: float) -> str:
    """Name of a class."""
    return f"{middle:+.1f}"


def attempts(laps: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """Cars close behind another of the same lap at the line, with both racing through the next lap.

    Args:
        laps: Ordered rows of the ``laps`` table of one session per event.
        expected: ``event_id, driver_id, lap_number, free_s``: what a lap should take with nobody ahead [s]. The driver's
            pace in it comes from the race as a whole.

    Returns:
        ``event_id, advantage_s`` (lap of the car ahead less that of the car behind), ``is_pass``.
    """
    clear = pl.col("is_green") & ~pl.any_horizontal(
        "is_in_lap", "is_out_lap", "is_generated", "is_after_result"
    )
    racing = (
        laps.filter(clear & (pl.col("lap_number") > 2))
        .select("event_id", "driver_id", "lap_number", after_s="lap_end_session_s")
        .join(expected, on=["event_id", "driver_id", "lap_number"])
    )
    line = (
        laps.filter(~pl.col("is_in_lap") & ~pl.col("is_generated"))
        .select("event_id", "driver_id", "lap_number", "lap_end_session_s")
        .sort("event_id", "lap_number", "lap_end_session_s", "driver_id")
        .with_columns(
            ahead_id=pl.col("driver_id").shift(1).over("event_id", "lap_number"),
            gap_s=pl.col("lap_end_session_s").diff().over("event_id", "lap_number"),
            lap_number=pl.col("lap_number") + 1,
        )
        .filter(pl.col("gap_s") < CLOSE_S)
    )
    ahead = racing.rename({"driver_id": "ahead_id", "after_s": "ahead_after_s", "free_s": "ahead_free_s"})
    return (
        line.join(racing, on=["event_id", "driver_id", "lap_number"])
        .join(ahead, on=["event_id", "ahead_id", "lap_number"])
        .select(
            "event_id",
            advantage_s=pl.col("ahead_free_s") - pl.col("free_s"),
            is_pass=pl.col("after_s") < pl.col("ahead_after_s"),
        )
    )


def passing(laps: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """Share of attempts that succeed by class of the advantage, by race; see :func:`attempts`."""
    rows = attempts(laps, expected)
    index = ((pl.col("advantage_s") - LOWEST_S) / STEP_S).floor().clip(0, len(CLASSES) - 1).cast(pl.Int64)
    names = dict(enumerate(map(part_of, CLASSES)))
    found = (
        rows.group_by("event_id", index=index)
        .agg(value=pl.col("is_pass").mean(), count_samples=pl.len())
        .sort("event_id", "index")
        .with_columns(part=pl.col("index").replace_strict(names, return_dtype=pl.String))
    )
    return said(found, "passing_share", "share")
