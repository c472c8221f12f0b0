"""What the whole field met in a race: neutralisations and wetness, lap by lap of the leader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from f1core.simulator.parameters import Phase, TrackStatus
from warehouse.vocab import WET_COMPOUNDS, Compound
from warehouse.vocab import TrackStatus as Shown

_STRENGTH = {
    Shown.VIRTUAL_SAFETY_CAR.value: TrackStatus.VIRTUAL_SAFETY_CAR,
    Shown.SAFETY_CAR.value: TrackStatus.SAFETY_CAR,
}
CROSSOVER, FULL_INTERMEDIATE, FULL_WET = 1.0, 1.6, 2.4
"""Wetness at which slicks and intermediates are equal, when everybody is on intermediates, and when on full wets."""


@dataclass(frozen=True)
class RedFlag:
    """A stop of the race.

    Attributes:
        lap: Lap at whose end the simulator stops the race.
        first_lap: First lap whose tyre changes belong to it.
        last_lap: Last one.
    """

    lap: int
    first_lap: int
    last_lap: int


def red_flags(periods: pl.DataFrame, laps: pl.DataFrame, race_laps: int, shift: int) -> tuple[RedFlag, ...]:
    """Stops of a race that went on after them.

    Args:
        periods: ``status, first_lap, last_lap`` of the race.
        laps: Race laps.
        race_laps: Laps of the winner.
        shift: Laps by which the feed's count lags behind.
    """
    found: list[RedFlag] = []
    rows = periods.filter(pl.col("status") == Shown.RED_FLAG.value).sort("first_lap")
    for first, last in rows.select("first_lap", "last_lap").iter_rows():
        coming_in = laps.filter(pl.col("is_in_lap") & pl.col("lap_number").is_between(first, last))
        counted = coming_in.group_by("lap_number").len().sort("len", "lap_number", descending=[True, False])
        at = (int(counted["lap_number"][0]) if counted.height else int(last)) + shift
        if at < race_laps and all(at > one.lap for one in found):
            found.append(RedFlag(at, int(first) + shift - 1, max(int(last) + shift, at) + 1))
    return tuple(found)


def real_phases(
    periods: pl.DataFrame, stopped: Sequence[RedFlag], race_laps: int, shift: int
) -> tuple[Phase, ...]:
    """Neutralisations as the simulator takes them: none overlaps another, red flags last one lap.

    Args:
        periods: ``status, first_lap, last_lap`` of the race.
        stopped: From :func:`red_flags`.
        race_laps: Laps of the winner.
        shift: Laps by which the feed's count lags behind.
    """
    status = lap_statuses(periods, stopped, race_laps, shift)
    phases: list[Phase] = []
    begin = 0
    for lap in range(1, race_laps + 1):
        if lap == race_laps or status[lap] != status[begin] or status[begin] == TrackStatus.RED_FLAG:
            if status[begin]:
                phases.append(Phase(TrackStatus(status[begin]), begin + 1, lap))
            begin = lap
    return tuple(phases)


def lap_statuses(
    periods: pl.DataFrame, stopped: Sequence[RedFlag], race_laps: int, shift: int
) -> tuple[int, ...]:
    """``TrackStatus`` of each lap; of neutralisations on the same lap the stronger one counts."""
    status = np.zeros(race_laps, np.int8)
    for name, first, last in periods.select("status", "first_lap", "last_lap").iter_rows():
        if name in _STRENGTH:
            span = status[max(first + shift - 1, 0) : max(last + shift, 0)]
            np.maximum(span, np.int8(_STRENGTH[name]), out=span)
    for one in stopped:
        status[one.lap - 1] = TrackStatus.RED_FLAG
    return tuple(int(one) for one in status)


def real_wetness(laps: pl.DataFrame, race_laps: int, shift: int) -> tuple[float, ...] | None:
    """Wetness of every lap, from the tyres that were on the cars; None for a race without wet tyres.

    Half of the field on wet tyres is the crossover: teams change when both are equally fast.
    """
    if not laps["compound"].is_in([one.value for one in WET_COMPOUNDS]).any():
        return None
    shares = (
        laps.filter(~pl.col("is_after_result"))
        .group_by("lap_number")
        .agg(
            rain=pl.col("compound").is_in([one.value for one in WET_COMPOUNDS]).mean(),
            full=(pl.col("compound") == Compound.WET.value).mean(),
        )
        .sort("lap_number")
    )
    own = np.interp(shares["rain"].to_numpy(), [0.0, 0.5, 1.0], [0.0, CROSSOVER, FULL_INTERMEDIATE])
    full = np.interp(shares["full"].to_numpy(), [0.0, 0.1, 1.0], [0.0, FULL_INTERMEDIATE, FULL_WET])
    wetness = np.maximum(own, full)
    every = np.interp(np.arange(1, race_laps + 1), shares["lap_number"].to_numpy() + shift, wetness)
    return tuple(float(one) for one in every)
