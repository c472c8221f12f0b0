"""What a pit stop under green cost, and what a cold set costs on its first lap, by race."""

from __future__ import annotations

import polars as pl

from models.strategy.parameters import DRY, SLOW_STOP_S
from models.strategy.rows import MAD_TO_SD, robust_sd, said

NEIGHBOURS = 3
"""Laps before the in-lap, and after the out-lap, with which these are compared."""
BELIEVABLE_S = (8.0, 100.0)
"""A tyre change loses at least, and at most, this; beyond it a car was repaired or the lap was no stop."""
MOST_EXTRA_S = 30.0
"""A slow stop counts as at most this much slower than the race's median: repairs are no tyre changes."""
MIN_STOPS = 5
MIN_WARM_UPS = 3
"""The feed has sectors of one out-lap in five only."""
WARM_UP_PCT = (-2.0, 6.0)
"""Warm-up laps outside of this were spoilt by something else [% of the lap]."""
MEDIAN_ERROR = 1.2533
"""Standard error of a median against that of a mean, for a normal distribution."""


def green_stops(laps: pl.DataFrame) -> pl.DataFrame:
    """Tyre changes from slicks to slicks on a clear track.

    Args:
        laps: Rows of the ``laps`` table of one session per event, ordered by event, car and lap; compounds by rank.

    Returns:
        ``event_id, driver_id, lap_number`` (the in-lap), ``compound`` (the new one), ``loss_s`` (in-lap and out-lap
        against the car's own racing laps before and after), ``warm_up_pct`` (sectors 2 and 3 of the out-lap against those
        of the laps after [% of the lap]; null where a sector is missing).
    """
    car = ["event_id", "car_number"]
    neutral = pl.any_horizontal("is_safety_car", "is_virtual_safety_car", "is_red_flag", "is_generated")
    slick = pl.col("compound").is_in(DRY)
    rest = pl.col("sector_2_s") + pl.col("sector_3_s")
    usual = (
        pl.col("is_green")
        & ~pl.any_horizontal("is_in_lap", "is_out_lap", "is_generated", "is_after_result")
        & (pl.col("lap_number") > 1)
    )
    rows = laps.with_columns(
        clean_s=pl.when(usual).then("lap_time_s"),
        rest_s=pl.when(usual).then(rest),
    ).with_columns(
        before_s=pl.concat_list(
            pl.col("clean_s").shift(k).over(car) for k in range(1, NEIGHBOURS + 1)
        ).list.median(),
        after_s=pl.concat_list(
            pl.col("clean_s").shift(-1 - k).over(car) for k in range(1, NEIGHBOURS + 1)
        ).list.median(),
        rest_after_s=pl.concat_list(
            pl.col("rest_s").shift(-1 - k).over(car) for k in range(1, NEIGHBOURS + 1)
        ).list.median(),
        out_s=pl.col("lap_time_s").shift(-1).over(car),
        out_rest_s=rest.shift(-1).over(car),
        fitted=pl.col("compound").shift(-1).over(car),
        is_followed=(
            pl.col("is_out_lap")
            & ~neutral
            & ~pl.col("is_in_lap")
            & ~pl.col("is_after_result")
            & slick
            & (pl.col("lap_number") > 2)
        )
        .shift(-1)
        .over(car)
        & (pl.col("lap_number").shift(-1).over(car) == pl.col("lap_number") + 1)
        & (pl.col("stint").shift(-1).over(car) != pl.col("stint")),
    )
    return (
        rows.filter(pl.col("is_in_lap") & ~neutral & slick & pl.col("is_followed"))
        .select(
            *car,
            "driver_id",
            "lap_number",
            compound="fitted",
            loss_s=pl.col("lap_time_s") + pl.col("out_s") - pl.col("before_s") - pl.col("after_s"),
            warm_up_pct=100.0 * (pl.col("out_rest_s") - pl.col("rest_after_s")) / pl.col("after_s"),
        )
        .filter(pl.col("loss_s").is_between(*BELIEVABLE_S))
    )


def pit_loss(laps: pl.DataFrame) -> pl.DataFrame:
    """Pit loss and warm-up, in the form of :data:`models.strategy.rows.ROW_SCHEMA`."""
    stops = green_stops(laps)
    stops = stops.filter(pl.len().over("event_id") >= MIN_STOPS).with_columns(
        beyond_s=pl.col("loss_s") - pl.col("loss_s").median().over("event_id") - SLOW_STOP_S
    )
    by_event = stops.group_by("event_id", maintain_order=True)
    usual = pl.col("beyond_s") < 0
    losses = by_event.agg(
        value=pl.col("loss_s").median(),
        spread=MAD_TO_SD * (pl.col("beyond_s") + SLOW_STOP_S).filter(usual).abs().median(),
        count_samples=pl.len(),
    ).with_columns(standard_error=MEDIAN_ERROR * pl.col("spread").clip(0.3) / pl.col("count_samples").sqrt())
    sd = losses.with_columns(
        value="spread",
        spread=None,
        standard_error=pl.col("spread").clip(0.3) / (2 * pl.col("count_samples")).sqrt(),
    )
    slow = by_event.agg(value=(pl.col("beyond_s") >= 0).mean(), count_samples=pl.len())
    extra = by_event.agg(
        value=pl.col("beyond_s").filter(~usual).clip(0, MOST_EXTRA_S - SLOW_STOP_S).mean(),
        count_samples=(~usual).sum(),
    )
    cold = (
        stops.filter(pl.col("warm_up_pct").is_between(*WARM_UP_PCT))
        .group_by("event_id", part="compound", maintain_order=True)
        .agg(value=pl.col("warm_up_pct").median(), spread=robust_sd("warm_up_pct"), count_samples=pl.len())
        .filter(pl.col("count_samples") >= MIN_WARM_UPS)
        .with_columns(
            standard_error=MEDIAN_ERROR * pl.col("spread").clip(0.1) / pl.col("count_samples").sqrt()
        )
    )
    return pl.concat(
        [
            said(losses, "pit_loss", "s"),
            said(sd, "pit_sd", "s"),
            said(slow, "pit_slow_share", "share"),
            said(extra.filter(pl.col("count_samples") > 0), "pit_slow_extra", "s"),
            said(cold, "warm_up", "% of the lap"),
        ]
    )
