"""Lap times on intermediates and full wets, and where slicks become faster, by race."""

from __future__ import annotations

import polars as pl

from models.strategy.parameters import DRY
from models.strategy.rows import said
from warehouse.vocab import WET_COMPOUNDS

MIN_LAPS = 20
MIN_CARS = 2
"""Cars on slicks, and on intermediates, for a lap on which the two are compared."""
PARITY = 0.03
"""Slicks and intermediates are as fast when they differ by less than this share of the lap."""


def wet_pace(laps: pl.DataFrame) -> pl.DataFrame:
    """Median laps on intermediates and wets [s], and the intermediates' lap while slicks were as fast [s].

    Args:
        laps: Rows of the ``laps`` table of one session per event; compounds by rank.
    """
    clear = laps.filter(
        pl.col("is_green")
        & ~pl.any_horizontal("is_in_lap", "is_out_lap", "is_generated", "is_after_result")
        & (pl.col("lap_number") > 1)
        & (pl.col("lap_time_s") > 0)
    )
    lap = pl.col("lap_time_s")
    parts = []
    for name in WET_COMPOUNDS:
        found = (
            clear.filter(pl.col("compound") == name.value)
            .group_by("event_id")
            .agg(value=lap.median(), spread=lap.std(), count_samples=pl.len())
            .filter(pl.col("count_samples") >= MIN_LAPS)
            .sort("event_id")
        )
        parts.append(said(found, f"{name.value}_lap", "s"))
    slick, inter = pl.col("compound").is_in(DRY), pl.col("compound") == WET_COMPOUNDS[0].value
    mixed = (
        clear.group_by("event_id", "lap_number")
        .agg(
            slick_s=lap.filter(slick).median(),
            inter_s=lap.filter(inter).median(),
            cars=pl.min_horizontal(slick.sum(), inter.sum()),
        )
        .filter(pl.col("cars") >= MIN_CARS, (pl.col("slick_s") / pl.col("inter_s") - 1.0).abs() <= PARITY)
        .group_by("event_id")
        .agg(value=pl.col("inter_s").median(), count_samples=pl.len())
        .sort("event_id")
    )
    return pl.concat([*parts, said(mixed, "crossover_lap", "s")])
