"""Made-up laps for the charts of the laps page: a field's pace, and two laps of a round track laid over each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import polars as pl

from f1core.charts.pace_intervals import pace_intervals
from f1core.charts.telemetry_channel import telemetry_channel
from f1core.charts.track_map import track_map
from f1core.telemetry_view import CORNER_SCHEMA

PACE = pl.DataFrame(
    {
        "driver_id": ["dee", "eff", "gee"],
        "label": ["Dee", "Eff", "Gee"],
        "driver_name": ["Dee Driver", "Eff Driver", "Gee Driver"],
        "constructor_name": ["Aurora", "Borealis", "Aurora"],
        "pace_s": [-0.4, 0.0, 0.5],
        "low_s": [-0.5, -0.1, 0.3],
        "high_s": [-0.3, 0.1, 0.7],
        "count_laps": [40, 41, 12],
    }
)


def round_lap(label: str, behind_s: float = 0.0, points: int = 120) -> pl.DataFrame:
    """A lap of an oval of 3 km that slows down at both ends."""
    turns = [2 * math.pi * point / (points - 1) for point in range(points)]
    return pl.DataFrame(
        {
            "label": [label] * points,
            "distance_m": [3000.0 * point / (points - 1) for point in range(points)],
            "lap_s": [80.0 * point / (points - 1) for point in range(points)],
            "speed_kph": [200.0 + 80.0 * math.cos(2 * turn) for turn in turns],
            "throttle_pct": [50.0 + 50.0 * math.cos(2 * turn) for turn in turns],
            "brake_pct": [100.0 * (math.cos(2 * turn) < -0.5) for turn in turns],
            "gear": [float(round(5 + 3 * math.cos(2 * turn))) for turn in turns],
            "delta_s": [behind_s * point / (points - 1) for point in range(points)],
            "x_m": [600.0 * math.sin(turn) for turn in turns],
            "y_m": [300.0 * math.cos(turn) for turn in turns],
        }
    )


LAPS = pl.concat([round_lap("Dee, lap 12"), round_lap("Eff, lap 9", 0.25)])
CORNERS = pl.DataFrame(
    {
        "corner": [1, 2],
        "distance_m": [750.0, 2250.0],
        "speed_kph": [120.0, 121.0],
        "x_m": [600.0, -600.0],
        "y_m": [0.0, 0.0],
    },
    schema=CORNER_SCHEMA,
)
LAP_CHARTS: dict[str, Callable[[], Any]] = {
    "pace_intervals": lambda: pace_intervals(PACE),
    "telemetry_channel": lambda: telemetry_channel(LAPS, CORNERS, "speed_kph"),
    "track_map": lambda: track_map(LAPS.head(120), CORNERS),
}
LAP_EMPTY: dict[str, Callable[[], Any]] = {
    "pace_intervals": lambda: pace_intervals(PACE.clear()),
    "telemetry_channel": lambda: telemetry_channel(LAPS.clear(), CORNERS.clear(), "gear"),
    "track_map": lambda: track_map(LAPS.clear()),
}
