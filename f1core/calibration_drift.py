"""Drift of calibration: whether the forecasts of the last races were worse than races before them would let expect.

Two measures over a rolling window of races: the mean log loss of the winner, and the calibration error of the top-ten
probabilities. A handful of races scatters widely, so each window is held against windows of as many races drawn at random
from those before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.metrics import CALIBRATION_BINS, OUTCOMES, align, clipped_win
from models.sampling import SAMPLES

Floats = NDArray[np.float64]

WINDOW = 5
MIN_HISTORY = 15
"""Races before a window that say what is ordinary."""
TAIL = 0.01
"""Share of ordinary windows above the upper bound, and below the lower."""
SEED = 1950
DRAWS = SAMPLES
MEASURES = ("win_log_loss", "top_ten_error")


@dataclass(frozen=True)
class RaceCalibration:
    """What one race says.

    Attributes:
        event_id: The race.
        kind: ``sealed`` or ``backtest``.
        win_log_loss: Minus log of the winner's probability.
        bins: Starters, summed top-ten probability and top tens per tenth of probability: shape (3, 10).
    """

    event_id: str
    kind: str
    win_log_loss: float
    bins: Floats


def race_calibration(forecast: pl.DataFrame, labels: pl.DataFrame, kind: str) -> RaceCalibration:
    """What one race's forecast turned out to be.

    Args:
        forecast: One model's entries of one event.
        labels: The event's starters.
        kind: Of the forecast.
    """
    field = align(forecast, labels)
    win = clipped_win(field["win_probability"].to_numpy())
    known = field.filter(~pl.col("is_missing"))
    column, places = OUTCOMES["top_ten"]
    said = known[column].to_numpy()
    happened = (known["position"] <= places).to_numpy().astype(np.float64)
    place = np.minimum((said * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    bins = [
        np.bincount(place, weights=weights, minlength=CALIBRATION_BINS) for weights in (None, said, happened)
    ]
    return RaceCalibration(
        str(labels["event_id"][0]),
        kind,
        float(-np.log(win[(field["position"] == 1).to_numpy()].sum())),
        np.array(bins, dtype=np.float64),
    )


def calibration_drift(races: list[RaceCalibration]) -> pl.DataFrame:
    """Measures every window of races that has enough history.

    Args:
        races: In order of time.

    Returns:
        One row per measure and window: ``measure, event_id`` (the window's last race), ``window, count_sealed,
        count_history, value, expected, low, high, is_drifting``; empty with too few races.
    """
    losses = np.array([race.win_log_loss for race in races])
    bins = np.array([race.bins for race in races])
    rows = []
    for end in range(MIN_HISTORY + WINDOW, len(races) + 1):
        start = end - WINDOW
        drawn = np.random.default_rng([SEED, start]).integers(0, start, (DRAWS, WINDOW))
        measured = {
            "win_log_loss": (float(losses[start:end].mean()), losses[drawn].mean(axis=1)),
            "top_ten_error": (float(_error(bins[start:end])), _error(bins[drawn])),
        }
        for measure, (value, ordinary) in measured.items():
            low, high = np.quantile(ordinary, (TAIL, 1 - TAIL))
            rows.append(
                {
                    "measure": measure,
                    "event_id": races[end - 1].event_id,
                    "window": WINDOW,
                    "count_sealed": sum(race.kind == "sealed" for race in races[start:end]),
                    "count_history": start,
                    "value": value,
                    "expected": float(ordinary.mean()),
                    "low": float(low),
                    "high": float(high),
                    "is_drifting": bool(value > high),
                }
            )
    return pl.DataFrame(rows)


def _error(bins: Floats) -> Floats:
    """Expected calibration error of races pooled over the third axis from the end."""
    count, said, happened = np.moveaxis(bins.sum(axis=-3), -2, 0)
    return np.asarray(np.abs(said - happened).sum(axis=-1) / count.sum(axis=-1))
