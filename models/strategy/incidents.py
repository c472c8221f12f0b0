"""Neutralisations, starts and retirements, by race."""

from __future__ import annotations

import numpy as np
import polars as pl

from models.strategy.parameters import DRY
from models.strategy.rows import ROW_SCHEMA, said, spread_of

QUEUE_S, ALONE_S = 3.0, 6.0
"""Behind the safety car: this close to the car ahead a car is in the queue, farther away than that it is closing up [s]."""
CLOSE_GAP_S = 5.0
"""Gaps at a restart beyond this are no part of the queue [s]."""
FACTOR = (1.02, 2.5)
"""A neutralised lap takes between these many usual laps."""
FLYING = (3, 8)
"""Laps of the first car with which its first lap is compared."""
MIN_STARTERS = 8
OUTLIER = 3.0
"""Starts beyond this many standard deviations were no clean starts."""


def neutralisations(periods: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """How many and how long.

    Args:
        periods: Rows of ``track_status_periods`` of one session per event.
        events: ``event_id`` of every race whose laps are there: no period means that there was none.
    """
    parts = []
    names = {"safety_car": "safety_car", "virtual_safety_car": "vsc", "red_flag": "red_flag"}
    for status, name in names.items():
        own = periods.filter(pl.col("status") == status)
        by_event = own.group_by("event_id").agg(
            value=pl.len(),
            length=pl.col("count_laps").mean(),
            spread=pl.col("count_laps").std(ddof=0),
            early=(pl.col("first_lap") == 1).sum(),
        )
        counts = events.select("event_id").join(by_event, on="event_id", how="left").sort("event_id")
        parts.append(
            said(counts.select("event_id", pl.col("value").fill_null(0)), f"{name}_count", "periods")
        )
        seen = counts.filter(pl.col("value") > 0)
        if name != "red_flag":
            lengths = seen.select("event_id", "spread", value="length", count_samples="value")
            parts.append(said(lengths, f"{name}_laps", "laps"))
        if name == "safety_car":
            early = seen.select("event_id", value=pl.col("early") / pl.col("value"), count_samples="value")
            parts.append(said(early, "safety_car_first_lap_share", "share"))
    return pl.concat(parts)


def neutralised_laps(laps: pl.DataFrame, usual: pl.DataFrame, ahead: pl.DataFrame) -> pl.DataFrame:
    """Lap times behind the safety car and under a virtual one, and the gaps at the restart.

    Args:
        laps: Ordered rows of the ``laps`` table of one session per event.
        usual: ``event_id, lap_s`` of dry races.
        ahead: Gaps at the start of a lap, as of :func:`models.lap_pace.gaps_ahead`.
    """
    car = ["event_id", "car_number"]
    whole = {
        name: pl.col(flag) & pl.col(flag).shift(1).over(car) & pl.col(flag).shift(-1).over(car)
        for name, flag in (("sc", "is_safety_car"), ("vsc", "is_virtual_safety_car"))
    }
    rows = (
        laps.with_columns(
            **whole,
            is_last=pl.col("is_safety_car").shift(1).over(car) & ~pl.col("is_safety_car"),
        )
        .join(ahead, on=[*car, "lap_number"], how="left")
        .join(usual, on="event_id", how="inner")
        .filter(
            ~pl.any_horizontal("is_in_lap", "is_out_lap", "is_red_flag", "is_generated", "is_after_result")
        )
        .with_columns(factor=pl.col("lap_time_s") / pl.col("lap_s"), is_first=pl.col("position") == 1)
    )
    slow = rows.filter(pl.col("factor").is_between(*FACTOR))
    queue = slow.filter("sc", pl.col("is_first") | (pl.col("ahead_s") <= QUEUE_S))
    closing = slow.filter("sc", ~pl.col("is_first"), pl.col("ahead_s") > ALONE_S)
    virtual = slow.filter(pl.col("vsc") & ~pl.col("is_safety_car"))
    gaps = rows.filter("is_last", ~pl.col("is_first"), pl.col("ahead_s") < CLOSE_GAP_S)

    def medians(of: pl.DataFrame, column: str, least: int) -> pl.DataFrame:
        found = of.group_by("event_id", maintain_order=True).agg(
            value=pl.col(column).median(), spread=pl.col(column).std(), count_samples=pl.len()
        )
        return (
            found.filter(pl.col("count_samples") >= least)
            .with_columns(standard_error=pl.col("spread").clip(0.01) / pl.col("count_samples").sqrt())
            .sort("event_id")
        )

    return pl.concat(
        [
            said(medians(queue, "factor", 10), "safety_car_lap_factor", "factor"),
            said(medians(closing, "factor", 4), "catch_up_factor", "factor"),
            said(medians(virtual, "factor", 4), "vsc_lap_factor", "factor"),
            said(medians(gaps, "ahead_s", 8), "bunch_gap", "s"),
        ]
    )


def starts(laps: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """How the field lies after lap 1: seconds between places on the grid, the spread around it, and what the lap cost.

    Only races without a safety car or red flag on the first lap.

    Args:
        laps: Ordered rows of the ``laps`` table of one session per event; dry starts count only.
        results: Rows of ``race_results``: ``event_id, driver_id, grid_position, is_pit_lane_start``.
    """
    grid = results.select("event_id", "driver_id", "grid_position", "is_pit_lane_start")
    first = (
        laps.filter(pl.col("lap_number") == 1)
        .filter(
            ~pl.any_horizontal("is_safety_car", "is_virtual_safety_car", "is_red_flag").any().over("event_id")
        )
        .filter(~pl.col("is_in_lap") & ~pl.col("is_generated") & pl.col("compound").is_in(DRY))
        .join(grid, on=["event_id", "driver_id"])
        .filter(pl.col("grid_position").is_not_null() & ~pl.col("is_pit_lane_start").fill_null(value=False))
        .sort("event_id", "grid_position")
    )
    slots, gains = [], []
    for (event,), rows in first.group_by(["event_id"], maintain_order=True):
        if rows.height < MIN_STARTERS:
            continue
        at, end = rows["grid_position"].to_numpy().astype(float), rows["lap_end_session_s"].to_numpy()
        kept = np.ones(len(at), dtype=bool)
        for _ in range(4):
            line = np.polyfit(at[kept], end[kept], 1)
            left = end - np.polyval(line, at)
            kept = np.abs(left - np.median(left[kept])) <= OUTLIER * max(spread_of(left[kept]), 0.3)
        sd = float(np.std(left[kept], ddof=2))
        n = int(kept.sum())
        error = sd / (np.std(at[kept]) * np.sqrt(n))
        slots.append({"event_id": event, "value": line[0], "standard_error": error, "count_samples": n})
        gains.append(
            {"event_id": event, "value": sd, "standard_error": sd / np.sqrt(2 * n), "count_samples": n}
        )
    return pl.concat(
        [said(slots, "grid_slot", "s"), said(gains, "start_gain_sd", "s"), _start_loss(laps, first)]
    )


def _start_loss(laps: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """First laps of the leading cars against their next laps."""
    leading = (
        first.filter(pl.col("position") <= FLYING[0])
        .with_columns(
            lap_1_s=pl.coalesce("lap_time_s", pl.col("lap_end_session_s") - pl.col("lap_start_session_s"))
        )
        .select("event_id", "car_number", "position", "lap_1_s")
        .filter(pl.col("position") == 1)
    )
    flying = (
        laps.filter(pl.col("lap_number").is_between(*FLYING) & pl.col("is_green"))
        .filter(~pl.any_horizontal("is_in_lap", "is_out_lap"))
        .group_by("event_id", "car_number")
        .agg(flying_s=pl.col("lap_time_s").median(), count=pl.len())
        .filter(pl.col("count") >= 3)
    )
    found = (
        leading.join(flying, on=["event_id", "car_number"])
        .select("event_id", value=pl.col("lap_1_s") - pl.col("flying_s"))
        .filter(pl.col("value").is_between(0.0, 15.0))
        .sort("event_id")
    )
    return said(found.with_columns(standard_error=pl.lit(0.5)), "start_loss", "s")


def retirements(results: pl.DataFrame) -> pl.DataFrame:
    """Share of starters that did not finish.

    Args:
        results: Rows of ``race_results`` of one session per event: ``event_id, is_starter, position``.
    """
    found = (
        results.filter("is_starter")
        .group_by("event_id")
        .agg(value=pl.col("position").is_null().mean(), count_samples=pl.len())
        .sort("event_id")
    )
    return said(found, "retirement_rate", "share") if found.height else pl.DataFrame(schema=ROW_SCHEMA)
