"""In what situation a car began a lap: who was ahead, whether it was being lapped, for how long the race had been free."""

from __future__ import annotations

import polars as pl

from models.lap_pace import LAP_COLUMNS, green_laps
from models.strategy.measure import by_rank

SITUATION_COLUMNS = (*LAP_COLUMNS, "constructor_id", "stint", "is_fresh_tyre")
"""What is read of the ``laps`` table."""
LAPPED_S = 2.5
"""A car that has done more laps and crosses the line this close behind is about to lap [s]."""


def lap_situations(laps: pl.DataFrame) -> pl.DataFrame:
    """Racing laps on slicks with their situation.

    Args:
        laps: Rows of the ``laps`` table (columns :data:`SITUATION_COLUMNS`) of one session per event, any order.

    Returns:
        The rows of :func:`models.lap_pace.green_laps` (compounds by rank) with ``constructor_id, stint, is_fresh_tyre``,
        ``ahead_id`` (who crossed the line before; null for nobody), ``is_blue`` (a car a lap ahead follows closely),
        ``laps_free`` (laps since the start or the last neutralised lap) and ``laps_in_race``.
    """
    rows = by_rank(laps).sort("event_id", "car_number", "lap_number")
    car = ["event_id", "car_number"]
    slow = pl.any_horizontal("is_safety_car", "is_virtual_safety_car", "is_red_flag")
    rows = rows.with_columns(
        laps_free=pl.col("lap_number")
        - pl.when(slow).then("lap_number").forward_fill().over(car).fill_null(0),
        laps_in_race=pl.col("lap_number").max().over("event_id"),
    )
    crossings = (
        rows.filter(~pl.col("is_in_lap") & ~pl.col("is_generated"))
        .sort("event_id", "lap_end_session_s", "car_number")
        .with_columns(
            ahead_id=pl.col("driver_id").shift(1).over("event_id"),
            behind_s=-pl.col("lap_end_session_s").diff(-1).over("event_id"),
            behind_laps=pl.col("lap_number").shift(-1).over("event_id") - pl.col("lap_number"),
        )
        .select(
            "event_id",
            "driver_id",
            "ahead_id",
            lap_number=pl.col("lap_number") + 1,
            is_blue=((pl.col("behind_laps") > 0) & (pl.col("behind_s") < LAPPED_S)).fill_null(value=False),
        )
        .unique(["event_id", "driver_id", "lap_number"], keep="first", maintain_order=True)
    )
    key = ["event_id", "driver_id", "lap_number"]
    more = rows.select(*key, "constructor_id", "stint", "is_fresh_tyre", "laps_free", "laps_in_race")
    return (
        green_laps(rows)
        .join(more.unique(key, keep="first", maintain_order=True), on=key, how="left", maintain_order="left")
        .join(crossings, on=key, how="left", maintain_order="left")
        .with_columns(pl.col("is_blue").fill_null(value=False), pl.col("stint").fill_null(0))
    )
