"""Frames of a made-up race for the charts of the strategy simulator, as f1core.strategy makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from f1core.charts.finish_histogram import finish_histogram
from f1core.charts.pit_windows import pit_windows
from f1core.charts.position_chart import position_chart
from f1core.charts.race_trace import race_trace
from f1core.charts.rejoin_positions import rejoin_positions
from f1core.charts.stint_laps import stint_laps
from f1core.charts.tyre_bars import tyre_bars
from f1core.charts.wear_curves import wear_curves

LAPS, CARS, STOP = 12, 4, 6


def race_laps() -> pl.DataFrame:
    """Four cars over twelve laps; the second one also as it was before its stop was moved; the last retires on lap 9."""
    rows = []
    for car in range(1, CARS + 1):
        for is_baseline in (False, True) if car == 2 else (False,):
            stop = STOP + 2 * is_baseline
            for lap in range(1, (9 if car == CARS else LAPS) + 1):
                rows.append(
                    {
                        "driver_id": f"driver-{car}",
                        "label": f"Driver {car}",
                        "lap": lap,
                        "gap_s": 2.5 * (car - 1) + 0.1 * lap * (car - 1) + 0.5 * is_baseline,
                        "position": car,
                        "lap_time_s": 90.0 + 0.05 * lap + 20.0 * (lap == stop),
                        "compound": "MEDIUM" if lap <= stop else "HARD",
                        "stint": 1 if lap <= stop else 2,
                        "tyre_age_laps": lap - 1 if lap <= stop else lap - stop - 1,
                        "is_baseline": is_baseline,
                    }
                )
    return pl.DataFrame(rows)


def race_stints() -> pl.DataFrame:
    """The stints of that race; the second set of the second car was used before."""
    return (
        race_laps()
        .group_by("driver_id", "label", "is_baseline", "stint", "compound", maintain_order=True)
        .agg(first_lap=pl.col("lap").min(), last_lap=pl.col("lap").max())
        .with_columns(used_laps=pl.when(pl.col("driver_id") == "driver-2").then(3).otherwise(0))
    )


FINISHES = pl.DataFrame(
    {
        "label": ["Driver 2"] * 4,
        "position": [1, 2, 2, 3],
        "probability": [0.25, 0.75, 0.6, 0.4],
        "is_baseline": [False, False, True, True],
    }
)
WEAR = pl.DataFrame(
    [
        {
            "compound": compound,
            "tyre_age_laps": age,
            "loss_s": offset + rate * age,
            "low_s": offset + 0.5 * rate * age,
            "high_s": offset + 1.5 * rate * age,
        }
        for compound, offset, rate in (("SOFT", -0.3, 0.08), ("MEDIUM", 0.0, 0.05), ("HARD", 0.2, 0.03))
        for age in (0, 10, 20)
    ]
)
WINDOWS = pl.DataFrame(
    {
        "stop": [1, 1, 1, 2, 2],
        "lap": [4, 5, 6, 8, 9],
        "loss_s": [1.2, 0.0, 0.3, 0.0, 2.0],
        "error_s": [0.2, 0.0, 0.2, 0.0, 0.3],
        "is_window": [False, True, True, True, False],
    }
)
REJOINS = pl.DataFrame(
    {
        "lap": [6, 6, 7, 9, 9],
        "position": [4, 5, 4, 2, 3],
        "probability": [0.7, 0.3, 1.0, 0.45, 0.55],
        "is_predicted": [True, False, True, False, True],
        "low_position": [4, 4, 4, 2, 2],
        "high_position": [5, 5, 4, 3, 3],
        "count_cars": [6, 6, 6, 5, 5],
        "is_stop": [False, False, False, True, True],
        "real_position": [None, None, None, 2, 2],
    },
    schema_overrides={"real_position": pl.Int64},
)

STRATEGY_CHARTS: dict[str, Callable[[], Any]] = {
    "race_trace": lambda: race_trace(race_laps(), ["driver-2"]),
    "position_chart": lambda: position_chart(race_laps(), ["driver-2", "driver-3"]),
    "stint_laps": lambda: stint_laps(race_laps().filter(pl.col("driver_id") == "driver-2")),
    "tyre_bars": lambda: tyre_bars(race_stints()),
    "finish_histogram": lambda: finish_histogram(FINISHES),
    "wear_curves": lambda: wear_curves(WEAR),
    "pit_windows": lambda: pit_windows(WINDOWS),
    "rejoin_positions": lambda: rejoin_positions(REJOINS),
}
STRATEGY_EMPTY: dict[str, Callable[[], Any]] = {
    "race_trace": lambda: race_trace(race_laps().clear()),
    "position_chart": lambda: position_chart(race_laps().clear()),
    "stint_laps": lambda: stint_laps(race_laps().clear()),
    "tyre_bars": lambda: tyre_bars(race_stints().clear()),
    "finish_histogram": lambda: finish_histogram(FINISHES.clear()),
    "wear_curves": lambda: wear_curves(WEAR.clear()),
    "pit_windows": lambda: pit_windows(WINDOWS.clear()),
    "rejoin_positions": lambda: rejoin_positions(REJOINS.clear()),
}
