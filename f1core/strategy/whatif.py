"""What-if: the race with the changes against the race without, under the same luck."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import Race
from f1core.simulator.result import Change, Outcome, change
from f1core.strategy.edits import BadEdit, WhatIf, to_query
from f1core.strategy.frames import finish_frame, lap_frame, position_frame, rejoin_frame
from f1core.strategy.scenario import REACTING, apply, condition_notes

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup

AS_IT_WAS = "the race as it was"
SAME_CONDITIONS = "the same safety cars and weather, every car as it was"

_KEPT = 6


@dataclass(frozen=True)
class Run:
    """One race, simulated.

    Attributes:
        race: The race.
        once: The deterministic race with its history: what the charts of single laps show.
        many: N simulations with common random numbers.
        laps: Every lap of the deterministic race, :func:`f1core.strategy.frames.lap_frame`.
        finishes: Where the cars finish in the N simulations, :func:`f1core.strategy.frames.finish_frame`.
        positions: The distribution of that, :func:`f1core.strategy.frames.position_frame`.
    """

    race: Race
    once: Outcome
    many: Outcome
    laps: pl.DataFrame
    finishes: pl.DataFrame
    positions: pl.DataFrame


@dataclass(frozen=True)
class Expected:
    """Where a car is expected to finish.

    Attributes:
        position: Median position.
        mean_position: Mean position.
        position_error: Standard error of the mean (Monte Carlo).
        low_position: Lower end of the 80 % interval.
        high_position: Upper end of it.
        finishes: Share of the simulations in which it sees the flag.
        time_s: Mean race time of these [s]; None when there are none.
    """

    position: int
    mean_position: float
    position_error: float
    low_position: int
    high_position: int
    finishes: float
    time_s: float | None


@dataclass(frozen=True)
class WhatIfAnswer:
    """What a scenario does to a driver and to the field.

    Attributes:
        event_id: The race.
        driver_id: The driver asked for.
        what_if: The scenario.
        compared_with: What "original" means: the race as it was when only the conditions are changed, else the same
            conditions without the changed cars.
        actual_position: Where the driver really finished; None for a race to come, or when not classified.
        original: Where the driver is expected in the baseline.
        simulated: Where the driver is expected in the scenario.
        change: What the driver gains, with Monte Carlo error; ties are called ties.
        baseline: The baseline's simulations.
        edited: The scenario's simulations.
        lap_by_lap: Every lap of every car in the deterministic races, see :func:`lap_by_lap`.
        finishes: Where everybody finishes, baseline and scenario, see :func:`finishes`.
        positions: driver_id, position, baseline_share, share: the distribution of the finish; every share of a simulation.
        rejoins: The stops of the scenario and where the cars came out, as :func:`f1core.strategy.frames.rejoin_frame`, with
            traffic (whether a car is within 2 s ahead).
        notes: What is assumed or missing, plain words.
    """

    event_id: str
    driver_id: str
    what_if: WhatIf
    compared_with: str
    actual_position: int | None
    original: Expected
    simulated: Expected
    change: Change
    baseline: Run
    edited: Run
    lap_by_lap: pl.DataFrame
    finishes: pl.DataFrame
    positions: pl.DataFrame
    rejoins: pl.DataFrame
    notes: tuple[str, ...]


TRAFFIC_S = 2.0
"""A car this close ahead after a stop is traffic [s]."""

_runs: OrderedDict[tuple[int, str], tuple[RaceSetup, Run]] = OrderedDict()
_lock = Lock()


def run(setup: RaceSetup, what_if: WhatIf, driver: str) -> WhatIfAnswer:
    """Simulate a scenario and compare it with its baseline.

    Args:
        setup: The race; the baseline of the same setup, seed and number of simulations is kept for the next call.
        what_if: The scenario.
        driver: Driver the answer is about.

    Raises:
        BadEdit: The driver or a changed car does not race here, or a change is impossible.
        IllegalPlan: A changed plan breaks a rule.
    """
    if driver not in {car.name for car in setup.race.cars}:
        raise BadEdit("driver", f"{driver} does not race here.")
    edited = simulated(setup, what_if)
    before = what_if.without_edits()
    if not what_if.edits:
        before = WhatIf(seed=what_if.seed, runs=what_if.runs, basis=what_if.basis)
    baseline = simulated(setup, before)
    row = setup.drivers.filter(pl.col("driver_id") == driver)
    actual = row["actual_position"].to_list() if "actual_position" in row.columns else []
    return WhatIfAnswer(
        event_id=setup.event_id,
        driver_id=driver,
        what_if=what_if,
        compared_with=AS_IT_WAS if not before.changes_conditions else SAME_CONDITIONS,
        actual_position=actual[0] if actual else None,
        original=expected(baseline.many, driver),
        simulated=expected(edited.many, driver),
        change=change(baseline.many, edited.many, driver),
        baseline=baseline,
        edited=edited,
        lap_by_lap=lap_by_lap(baseline, edited),
        finishes=finishes(baseline, edited),
        positions=_positions(baseline, edited),
        rejoins=rejoin_frame(edited.once).with_columns(traffic=pl.col("gap_ahead_s") < TRAFFIC_S),
        notes=(*setup.notes, *_notes(setup, what_if, driver)),
    )


def simulated(setup: RaceSetup, what_if: WhatIf) -> Run:
    """The simulations of a scenario; the latest ones are kept.

    Raises:
        BadEdit: A change is impossible.
        IllegalPlan: A changed plan breaks a rule.
    """
    key = (id(setup), to_query(what_if))
    with _lock:
        if key in _runs:
            _runs.move_to_end(key)
            return _runs[key][1]
    race, plans, scenario = apply(setup, what_if)
    once = simulate_once(race, plans, scenario)
    many = simulate(race, plans, scenario, runs=what_if.runs, seed=what_if.seed)
    done = Run(race, once, many, lap_frame(race, once), finish_frame(many), position_frame(many))
    with _lock:
        # The setup is kept with its runs, so that its id cannot be given to another one meanwhile.
        _runs[key] = (setup, done)
        while len(_runs) > _KEPT:
            _runs.popitem(last=False)
    return done


def expected(outcome: Outcome, driver: str) -> Expected:
    """Where a driver is expected to finish."""
    position = outcome.position[:, outcome.cars.index(driver)]
    times = outcome.time_s[:, outcome.cars.index(driver)]
    low, median, high = np.quantile(position, (0.1, 0.5, 0.9), method="inverted_cdf")
    error = float(position.std(ddof=1) / np.sqrt(len(position))) if len(position) > 1 else 0.0
    seen = times[~np.isnan(times)]
    return Expected(
        position=int(median),
        mean_position=float(position.mean()),
        position_error=error,
        low_position=int(low),
        high_position=int(high),
        finishes=len(seen) / len(times),
        time_s=float(seen.mean()) if len(seen) else None,
    )


def lap_by_lap(baseline: Run, edited: Run) -> pl.DataFrame:
    """Every lap of both deterministic races side by side; a row is a car and a lap.

    Returns:
        By driver_id and lap: driver_id, lap, then lap_time_s, gap_s (to the leader), position, compound, tyre_age_laps and
        is_stop of the scenario, status of its track, and the same of the baseline with ``baseline_`` before; null where the
        car does not complete the lap.
    """
    keep = ["lap_time_s", "gap_s", "position", "compound", "tyre_age_laps", "is_stop", "status"]
    sides = [
        one.laps.select("driver_id", "lap", *(pl.col(name).alias(f"{prefix}{name}") for name in keep))
        for one, prefix in ((edited, ""), (baseline, "baseline_"))
    ]
    return (
        sides[0].join(sides[1], on=["driver_id", "lap"], how="full", coalesce=True).sort("driver_id", "lap")
    )


def finishes(baseline: Run, edited: Run) -> pl.DataFrame:
    """Where everybody finishes; a row is a car.

    Returns:
        By mean position in the scenario: the columns of :func:`f1core.strategy.frames.finish_frame`, the baseline's mean and
        median as baseline_mean_position and baseline_position, places_gained with places_error, and is_tie.
    """
    before = baseline.finishes.select(
        "driver_id",
        pl.col("mean_position").alias("baseline_mean_position"),
        pl.col("median_position").alias("baseline_position"),
    )
    cars = edited.many.cars
    told = [change(baseline.many, edited.many, car) for car in cars]
    gains = pl.DataFrame(
        {
            "driver_id": list(cars),
            "places_gained": [one.places_gained for one in told],
            "places_error": [one.places_error for one in told],
            "is_tie": [one.is_tie for one in told],
        }
    )
    after = edited.finishes
    return after.join(before, on="driver_id").join(gains, on="driver_id").sort("mean_position", "driver_id")


def _positions(baseline: Run, edited: Run) -> pl.DataFrame:
    before = baseline.positions.rename({"share": "baseline_share"})
    return (
        before.join(edited.positions, on=["driver_id", "position"], how="full", coalesce=True)
        .with_columns(pl.col("baseline_share", "share").fill_null(0.0))
        .sort("driver_id", "position")
    )


def _notes(setup: RaceSetup, what_if: WhatIf, driver: str) -> list[str]:
    notes = []
    cars = {car.name: car for car in setup.race.cars}
    lap = cars[driver].retires_on_lap
    edit = next((edit for edit in what_if.edits if edit.driver_id == driver), None)
    if lap is not None and lap <= setup.race.laps and not (edit and edit.finishes):
        notes.append(f"The driver really retired on lap {lap}, and does so in the simulation.")
    notes += condition_notes(setup, what_if)
    if what_if.weather in REACTING:
        notes.append("Cars change to other tyres when the weather asks for them.")
    if what_if.changes_conditions and setup.is_past:
        notes.append(
            "Otherwise everybody keeps the plan of the real race, or the quickest one where that is for other weather."
        )
    if what_if.edits:
        notes.append("Nobody answers the changed stops.")
    return notes
