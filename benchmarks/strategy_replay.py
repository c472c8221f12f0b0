"""Runs real races in the strategy simulator and scores the finishing order: the protocol of ``docs/strategy.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from f1core.simulator.engine import simulate
from f1core.simulator.parameters import Scenario, TrackStatus
from f1core.simulator.result import Outcome
from f1core.strategy.basis import Basis
from f1core.strategy.setup import RaceSetup, StrategyUnavailable, race_setup
from warehouse.queries.strategy_setup import playable, starters
from warehouse.reader import Reader

RUNS, SEED = 500, 1
RETIREMENT_RATE = 0.12
"""Of every car in the form in which retirements are not known (reference protocol)."""
METRICS = ("spearman", "mae", "within_2", "winner", "gap_mae", "gap_median", "covered")


@dataclass(frozen=True)
class Variant:
    """One way to run a race.

    Attributes:
        name: Words for the table.
        basis: Where the pace comes from; None is the grid order, without a simulation.
        knows_neutralisations: Whether the real safety cars are given, else they are drawn.
        knows_retirements: Whether the laps of retirement are given, else every car may retire.
    """

    name: str
    basis: Basis | None
    knows_neutralisations: bool = True
    knows_retirements: bool = True


GRID = Variant("grid order", None)
VARIANTS = (
    GRID,
    Variant("pre-race pace, safety cars drawn", Basis.PRE_RACE, knows_neutralisations=False),
    Variant("pre-race pace, real safety cars", Basis.PRE_RACE),
    Variant("hindsight pace, real safety cars", Basis.HINDSIGHT),
    Variant("hindsight pace, safety cars drawn", Basis.HINDSIGHT, knows_neutralisations=False),
)
GRID_ALL = Variant("grid order", None, knows_retirements=False)
HARDER = (
    GRID_ALL,
    Variant("pre-race pace, real safety cars", Basis.PRE_RACE, knows_retirements=False),
    Variant("hindsight pace, real safety cars", Basis.HINDSIGHT, knows_retirements=False),
)


@dataclass(frozen=True)
class Played:
    """A race that can be scored.

    Attributes:
        setups: The race by basis.
        truth: One row per starter: ``driver_id, grid, actual_position, is_scored`` (classified, saw the flag), ``gap_s,
            qualifying_gap_pct``.
    """

    setups: Mapping[Basis, RaceSetup]
    truth: pl.DataFrame

    @property
    def any(self) -> RaceSetup:
        return next(iter(self.setups.values()))


def play(reader: Reader, event_id: str) -> Played | None:
    """A race with both paces; None where one cannot be had."""
    try:
        setups = {basis: race_setup(reader, event_id, basis) for basis in Basis}
    except StrategyUnavailable:
        return None
    if setups[Basis.HINDSIGHT].basis is not Basis.HINDSIGHT:
        setups[Basis.HINDSIGHT] = setups[Basis.PRE_RACE]
    truth = starters(reader, event_id).select(
        "driver_id",
        "grid",
        "actual_position",
        "gap_s",
        "qualifying_gap_pct",
        is_scored=pl.col("is_classified") & ~pl.col("is_out"),
    )
    return Played(setups, truth)


def events(reader: Reader, first: int, last: int, *, is_wet: bool) -> list[str]:
    """Races with laps of some seasons, oldest first."""
    found = playable(reader).filter(
        pl.col("season").is_between(first, last) & (pl.col("is_wet").fill_null(False) == is_wet)
    )
    return found["event_id"].reverse().to_list()


def run(setup: RaceSetup, variant: Variant, runs: int = RUNS, seed: int = SEED) -> Outcome:
    """Runs a race in a variant."""
    scenario, race = setup.scenario, setup.race
    if not variant.knows_neutralisations:
        scenario = Scenario(phases=None, wetness=scenario.wetness, reacts=False)
    if not variant.knows_retirements:
        cars = tuple(
            replace(car, retires_on_lap=None, retirement_probability=RETIREMENT_RATE) for car in race.cars
        )
        race = replace(race, cars=cars)
    return simulate(race, setup.plans, scenario, runs=runs, seed=seed)


def score(played: Played, variant: Variant, runs: int = RUNS, seed: int = SEED) -> dict[str, float]:
    """One race in one variant.

    Returns:
        ``spearman``, ``mae`` [places], ``within_2`` and ``winner`` [share], ``gap_mae`` and ``gap_median`` [s] of the gap to
        the winner (lead-lap finishers; NaN for races with a red flag), ``covered`` (share of cars inside the 80 % interval
        of the position).
    """
    if variant.basis is None:
        return _score_grid(played, variant)
    setup = played.setups[variant.basis]
    outcome = run(setup, variant, runs, seed)
    order = {name: k for k, name in enumerate(outcome.cars)}
    truth = played.truth.with_columns(column=pl.col("driver_id").replace_strict(order, return_dtype=pl.Int64))
    rows = truth.filter(pl.col("is_scored")) if variant.knows_retirements else truth
    rows = rows.sort("actual_position")
    columns = rows["column"].to_numpy()
    places = outcome.position[:, columns].astype(float)
    # Positions among those who are scored, in every simulation.
    among = places.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    actual = np.arange(1, rows.height + 1)
    predicted = ranks(places.mean(axis=0))
    low, high = np.quantile(among, [0.1, 0.9], axis=0, method="inverted_cdf")
    found = _orders(predicted, actual)
    found["covered"] = float(((actual >= low) & (actual <= high)).mean())
    found["winner"] = float(np.argmax((places == places.min(axis=1, keepdims=True)).mean(axis=0)) == 0)
    found |= _gaps(outcome, rows, setup) if variant.knows_retirements else {}
    return found


def _score_grid(played: Played, variant: Variant) -> dict[str, float]:
    rows = played.truth.filter(pl.col("is_scored")) if variant.knows_retirements else played.truth
    rows = rows.sort("actual_position")
    found = _orders(ranks(rows["grid"].to_numpy().astype(float)), np.arange(1, rows.height + 1))
    if variant.knows_retirements and not _is_stopped(played.any):
        gaps = rows["gap_s"].drop_nulls().to_numpy()[1:]
        if len(gaps):
            found["gap_mae"] = float(np.abs(gaps - np.median(gaps)).mean())
            found["gap_median"] = float(np.median(np.abs(gaps - np.median(gaps))))
    return found


def _orders(predicted: NDArray[np.float64], actual: NDArray[np.int64]) -> dict[str, float]:
    away = np.abs(predicted - actual)
    return {
        "spearman": float(np.corrcoef(predicted, actual)[0, 1]),
        "mae": float(away.mean()),
        "within_2": float((away <= 2).mean()),
        "winner": float(predicted[0] == 1),
    }


def _gaps(outcome: Outcome, rows: pl.DataFrame, setup: RaceSetup) -> dict[str, float]:
    if _is_stopped(setup):
        return {}
    lead = rows.filter(pl.col("gap_s").is_not_null())
    if lead.height < 2:
        return {}
    # From mean race times: the mean of a simulated gap also has what luck made of the winner in each simulation.
    times = np.nanmean(outcome.time_s[:, rows["column"].to_numpy()], axis=0)
    mine = np.nanmean(outcome.time_s[:, lead["column"].to_numpy()], axis=0) - times.min()
    away = np.abs(mine - lead["gap_s"].to_numpy())[1:]
    return {"gap_mae": float(np.nanmean(away)), "gap_median": float(np.nanmedian(away))}


def _is_stopped(setup: RaceSetup) -> bool:
    return any(phase.status == TrackStatus.RED_FLAG for phase in setup.scenario.phases or ())


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.argsort(kind="stable").argsort(kind="stable") + 1.0)
