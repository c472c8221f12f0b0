"""What real stops say of an undercut, beside what the simulator says: a model learned from undercuts that were tried."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from f1core.simulator.parameters import Race, TrackStatus
from f1core.simulator.result import Outcome
from f1core.simulator.rules import COMPOUNDS
from models.strategy.race_clock import RaceClock
from models.strategy.undercut import MOST_GAP_S, UndercutModel, undercut_features
from warehouse.queries.strategy import undercuts
from warehouse.reader import Reader

MIN_PAIRS = 100
"""With fewer undercuts nothing is learned."""


def undercut_model(reader: Reader, as_of: dt.datetime | None = None) -> UndercutModel | None:
    """The model of the undercuts known before an instant; None while there are too few."""
    pairs = undercuts(reader, as_of)
    return UndercutModel.fit(pairs) if pairs.height >= MIN_PAIRS else None


def learned_odds(
    model: UndercutModel, race: Race, outcome: Outcome, driver: str, rival: str, compound: str, run: int = 0
) -> pl.DataFrame:
    """Odds of passing a rival by stopping before him, by lap of one simulated race.

    Every lap is asked on which the rival is within reach and neither has stopped yet.

    Args:
        model: Learned from real undercuts.
        race: The race.
        outcome: A run with history in which both stop late enough.
        driver: Who tries it.
        rival: The car ahead.
        compound: Compound that the driver would fit, in the simulator's words.
        run: Number of the simulation.

    Returns:
        By lap: lap (the in-lap), gap_s (at the line before), learned (probability of being ahead after both stops when the
        rival answers one to four laps later).

    Raises:
        ValueError: The run kept no history.
    """
    clock = simulated_clock(race, outcome, run)
    car, other = clock.drivers.index(driver), clock.drivers.index(rival)
    rows = []
    for lap in range(4, race.laps):
        before = clock.end_s[lap - 1]
        gap = float(before[car] - before[other])
        if clock.is_in[:lap, [car, other]].any():
            break
        if not 0 < gap <= MOST_GAP_S or not clock.is_green[lap - 1]:
            continue
        features = undercut_features(clock, car, other, lap, compound.lower())
        if features is not None:
            rows.append({"lap": lap, "gap_s": gap, **features})
    if not rows:
        return pl.DataFrame(schema={"lap": pl.Int64, "gap_s": pl.Float64, "learned": pl.Float64})
    frame = pl.DataFrame(rows)
    return frame.select("lap", "gap_s", pl.Series("learned", model.probability(frame)))


def simulated_clock(race: Race, outcome: Outcome, run: int = 0) -> RaceClock:
    """One simulated race in the form of a real one.

    Raises:
        ValueError: The run kept no history.
    """
    told = outcome.history
    if told is None:
        raise ValueError("a clock needs a run with history")

    def rows(values: np.ndarray, fill: object) -> np.ndarray:
        padded = np.full((race.laps + 2, len(outcome.cars)), fill, dtype=values.dtype)
        padded[1 : race.laps + 1] = values
        return padded

    end, lap_s = rows(told.time_s[run], np.nan), rows(told.lap_time_s[run], np.nan)
    is_green = np.zeros(race.laps + 2, bool)
    is_green[1 : race.laps + 1] = told.status[run] == TrackStatus.GREEN
    is_in = rows(told.stops[run], False)
    is_out = np.roll(is_in, 1, axis=0) & ~np.isnan(end)
    names = np.array([compound.lower() for compound in COMPOUNDS])[told.compound[run]]
    return RaceClock(
        event_id="",
        season=0,
        circuit_id="",
        drivers=outcome.cars,
        laps=race.laps,
        end_s=end,
        lap_s=lap_s,
        clean_s=np.where(is_green[:, None] & ~is_in & ~is_out, lap_s, np.nan),
        age=rows(told.tyre_age[run].astype(float), np.nan),
        compound=rows(names, ""),
        is_in=is_in,
        is_out=is_out,
        is_green=is_green,
    )
