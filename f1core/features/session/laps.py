"""Kinds of laps in practice and qualifying, and the long runs among them.

A lap counts if the feed times it, its plausibility checks pass, it neither began nor ended in the pits and race control left
it standing: the best of these is the official best lap. A *push lap* is one within 4 % of the driver's best and 7 % of the
session's best; a yellow flag somewhere on the lap does not make a fast lap slow. A *clean lap* had a clear track all the
way. A *long run* is at least five clean laps in a row on one set of tyres, without outliers.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
import polars as pl
from numpy.typing import NDArray

PUSH_OWN = 1.04
PUSH_FIELD = 1.07
LONG_RUN_LAPS = 5
OUTLIER_SCALES = 3.0
LEAST_SCATTER = 0.0015
"""Scatter of a run is taken to be at least this share of the lap, or a very even run would lose good laps."""
MOST_SCATTER = 0.015
"""A run that scatters more than this share of the lap is a mixture of fast and slow laps, not a long run."""
FUEL_AND_EVOLUTION_S = 3.27
AT_LAP_S = 90.0
"""Time gained over a race by burning fuel (and by the track's evolution, which laps alone cannot tell apart): 3.27 s at a
lap of 90 s (middle half of races 2.9 to 3.55), measured on the green laps of the archive's races 2018–2026."""
TRAFFIC_S = 2.0
"""A car within two seconds costs time: +0.44 s a lap below one second, +0.18 s from one to two, by the same laps."""
LINES = ("lap_start_session_s", "sector_1_session_s", "sector_2_session_s")


@dataclass(frozen=True)
class LongRun:
    """One long run.

    Attributes:
        driver_id: The driver.
        compound: Compound of the set.
        stint: Stint number in the session; 0 where the feed has none.
        first_lap: First lap of the run.
        count_laps: Laps that count, outliers left out.
        pace_s: Median of the fuel-corrected lap times: as if all laps had the fuel of the run's first one [s].
        slope_s_per_lap: Rise of the fuel-corrected lap time with the age of the tyres [s/lap]; the median of the slopes
            between all pairs of laps (Theil–Sen).
        scatter_s: Robust standard deviation about that line (1.4826 × median absolute deviation) [s].
        count_traffic: Laps with a car close ahead.
    """

    driver_id: str
    compound: str
    stint: int
    first_lap: int
    count_laps: int
    pace_s: float
    slope_s_per_lap: float
    scatter_s: float
    count_traffic: int


def with_lap_kinds(laps: pl.DataFrame) -> pl.DataFrame:
    """Marks laps: ``is_counted``, ``is_clean`` (counted, on a clear track), ``is_push``, ``is_in_traffic``.

    In traffic is a lap with another car less than 2 s ahead at the line, or at the end of sector 1 or 2.

    Args:
        laps: Rows of ``session_laps`` of one session.
    """
    laps = laps.with_columns(
        is_counted=pl.col("lap_time_s").is_not_null()
        & pl.col("is_accurate")
        & ~pl.col("is_in_lap")
        & ~pl.col("is_out_lap")
        & ~pl.col("is_deleted").fill_null(False)
        & ~pl.col("is_generated")
    )
    time = pl.when("is_counted").then("lap_time_s")
    return laps.with_columns(
        is_clean=pl.col("is_counted") & pl.col("is_green"),
        is_push=(
            pl.col("is_counted")
            & (pl.col("lap_time_s") <= PUSH_OWN * time.min().over("driver_id"))
            & (pl.col("lap_time_s") <= PUSH_FIELD * time.min())
        ).fill_null(False),
        is_in_traffic=pl.Series(_in_traffic(laps), dtype=pl.Boolean),
    )


def _in_traffic(laps: pl.DataFrame) -> list[bool]:
    """Whether another car crossed the line, the end of sector 1 or of sector 2 less than two seconds before."""
    close = np.zeros(laps.height, dtype=bool)
    for line in LINES:
        # A car that leaves the pits has no crossing of the line; its lap starts at the pit exit's clock.
        counts = pl.col(line).is_not_null()
        if line == LINES[0]:
            counts &= ~pl.col("is_out_lap")
        rows = (
            laps.with_row_index("row")
            .filter(counts)
            .sort(line)
            .select("row", "driver_id", pl.col(line).alias("at"))
        )
        at, drivers, index = rows["at"].to_numpy(), rows["driver_id"].to_list(), rows["row"].to_numpy()
        for here in range(1, len(at)):
            before = here - 1
            while before >= 0 and drivers[before] == drivers[here]:
                before -= 1
            if before >= 0 and at[here] - at[before] < TRAFFIC_S:
                close[index[here]] = True
    return [bool(one) for one in close]


def fuel_effect_s_per_lap(lap_time_s: float, race_laps: float) -> float:
    """What a lap's fuel is worth on the next lap [s]: the measured gain of a race, spread over its laps."""
    return FUEL_AND_EVOLUTION_S * (lap_time_s / AT_LAP_S) / race_laps


def find_long_runs(laps: pl.DataFrame, race_laps: float) -> tuple[LongRun, ...]:
    """The long runs of a session.

    Args:
        laps: Laps with :func:`with_lap_kinds`.
        race_laps: Laps of the race, for the fuel correction.
    """
    found = []
    for _, of_driver in laps.sort("driver_id", "lap_number").group_by("driver_id", maintain_order=True):
        for run in _unbroken(of_driver):
            one = _long_run(run, race_laps)
            if one is not None:
                found.append(one)
    return tuple(found)


def _unbroken(laps: pl.DataFrame) -> list[pl.DataFrame]:
    """Stretches of clean laps without a gap, on one set of tyres."""
    rows = laps.with_columns(
        is_new=(
            (pl.col("is_clean") != pl.col("is_clean").shift(1))
            | (pl.col("lap_number") != pl.col("lap_number").shift(1) + 1)
            | (pl.col("stint").fill_null(0) != pl.col("stint").fill_null(0).shift(1))
            | (pl.col("compound") != pl.col("compound").shift(1))
        ).fill_null(True)
    ).with_columns(stretch=pl.col("is_new").cum_sum())
    return [
        stretch
        for _, stretch in rows.filter("is_clean").group_by("stretch", maintain_order=True)
        if stretch.height >= LONG_RUN_LAPS
    ]


def _long_run(laps: pl.DataFrame, race_laps: float) -> LongRun | None:
    number = laps["lap_number"].to_numpy().astype(np.float64)
    raw = laps["lap_time_s"].to_numpy()
    effect = fuel_effect_s_per_lap(float(np.median(raw)), race_laps)
    times = raw + effect * (number - number[0])
    _, scatter, residuals = _line(number, times)
    typical = float(np.median(times))
    if scatter > MOST_SCATTER * typical:
        return None
    kept = np.abs(residuals) <= OUTLIER_SCALES * max(scatter, LEAST_SCATTER * typical)
    if int(kept.sum()) < LONG_RUN_LAPS:
        return None
    slope, scatter, _ = _line(number[kept], times[kept])
    first = laps.row(0, named=True)
    return LongRun(
        str(first["driver_id"]),
        str(first["compound"]),
        int(first["stint"] or 0),
        int(first["lap_number"]),
        int(kept.sum()),
        float(np.median(times[kept])),
        slope,
        scatter,
        int((laps["is_in_traffic"].to_numpy() & kept).sum()),
    )


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, NDArray[np.float64]]:
    """Theil–Sen line: slope, robust scatter about it, residuals."""
    first, second = np.triu_indices(x.size, k=1)
    slope = float(np.median((y[second] - y[first]) / (x[second] - x[first])))
    residuals = y - slope * x
    residuals = residuals - np.median(residuals)
    return slope, 1.4826 * median(np.abs(residuals).tolist()), residuals
