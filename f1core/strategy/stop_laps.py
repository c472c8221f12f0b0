"""When to stop: what a stop on each lap is worth, and the odds against a rival who stops sooner or later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from f1core.simulator.plan import Plan, Stop, violations
from f1core.simulator.variants import simulate_variants, times_after
from f1core.strategy.edits import BadEdit, WhatIf
from f1core.strategy.free_air import plan_time
from f1core.strategy.habits import HABITS, Habits
from f1core.strategy.optimiser import prepare

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup

AROUND_LAPS = 12
"""Laps before and after a stop that are tried."""
WINDOW_RUNS = 100
ODDS_RUNS = 200
ODDS_LAPS = 6
"""Laps before and after the rival's stop that are tried."""
LAPS_AFTER = 1
"""Laps after the later stop at whose end the order is read: the new sets are warm then."""


def pit_windows(
    setup: RaceSetup,
    driver: str,
    plan: Plan | None = None,
    what_if: WhatIf | None = None,
    *,
    runs: int = WINDOW_RUNS,
    seed: int = 1,
    habits: Habits = HABITS,
) -> pl.DataFrame:
    """What each lap of each stop is worth in the full field, the other stops where they are; a row is a stop and a lap.

    Args:
        setup: The race.
        driver: The driver.
        plan: The plan whose stops are moved; the driver's own when None.
        what_if: Scenario; the race as it was when None.
        runs: Simulations of each lap, N.
        seed: Seed of the common random numbers.
        habits: What is modelled of the gap between free air and what teams do.

    Returns:
        By stop and lap: stop (from 1), lap, time_s (mean race time), loss_s against the best lap of this stop, error_s
        (standard error of that difference, same draws) [s], mean_position, places_lost against the best lap with
        places_error, free_air_loss_s (the same in free air; null on wet tyres), is_window (the loss is within two standard
        errors of the best lap), is_planned.

    Raises:
        BadEdit: The driver does not race here, or the scenario cannot run.
        IllegalPlan: A changed plan of the scenario breaks a rule.
    """
    field, _ = prepare(setup, what_if or WhatIf(), driver, habits)
    plan = plan or field.plans[driver]
    tried = [
        (k, lap, moved)
        for k, stop in enumerate(plan.stops)
        for lap in range(stop.lap - AROUND_LAPS, stop.lap + AROUND_LAPS + 1)
        if (moved := _moved(plan, k, lap, field.race.laps)) is not None
        and not violations(moved, field.race.laps, field.rules)
    ]
    told = simulate_variants(
        field.race,
        field.plans,
        [{driver: moved} for _, _, moved in tried],
        field.scenario,
        runs=runs,
        seed=seed,
    )
    c = next(i for i, car in enumerate(field.race.cars) if car.name == driver)
    is_dry = set(plan.compounds) <= set(field.compounds)
    rows: list[dict[str, object]] = []
    for k in range(len(plan.stops)):
        mine = [(lap, moved, o) for (j, lap, moved), o in zip(tried, told, strict=True) if j == k]
        if not mine:
            continue
        times = np.array([outcome.time_s[:, c] for _, _, outcome in mine])
        places = np.array([outcome.position[:, c] for _, _, outcome in mine], float)
        seen = ~np.isnan(times).any(axis=0)
        free = [plan_time(field.costs, moved) if is_dry else np.nan for _, moved, _ in mine]
        times = times[:, seen]
        mean = times.mean(axis=1) if seen.any() else np.full(len(mine), np.nan)
        best = int(np.argmin(mean)) if seen.any() else int(np.argmin(places.mean(axis=1)))
        for i, (lap, _, _) in enumerate(mine):
            loss, error = _difference(times[i] - times[best])
            lost, lost_error = _difference(places[i] - places[best])
            rows.append(
                {
                    "stop": k + 1,
                    "lap": lap,
                    "time_s": float(mean[i]),
                    "loss_s": loss,
                    "error_s": error,
                    "mean_position": float(places[i].mean()),
                    "places_lost": lost,
                    "places_error": lost_error,
                    "free_air_loss_s": float(free[i] - min(free)) if is_dry else None,
                    "is_window": bool(loss <= 2 * error),
                    "is_planned": lap == plan.stops[k].lap,
                }
            )
    return pl.DataFrame(rows, schema=WINDOW_SCHEMA)


WINDOW_SCHEMA = {
    "stop": pl.Int64,
    "lap": pl.Int64,
    "time_s": pl.Float64,
    "loss_s": pl.Float64,
    "error_s": pl.Float64,
    "mean_position": pl.Float64,
    "places_lost": pl.Float64,
    "places_error": pl.Float64,
    "free_air_loss_s": pl.Float64,
    "is_window": pl.Boolean,
    "is_planned": pl.Boolean,
}
ODDS_SCHEMA = {
    "rival_id": pl.String,
    "rival_lap": pl.Int64,
    "lap": pl.Int64,
    "kind": pl.String,
    "gap_before_s": pl.Float64,
    "ahead_before": pl.Float64,
    "ahead": pl.Float64,
    "error": pl.Float64,
    "gap_after_s": pl.Float64,
    "runs": pl.Int64,
}


def undercut_odds(
    setup: RaceSetup,
    driver: str,
    rivals: Sequence[str],
    what_if: WhatIf | None = None,
    *,
    stop: int = 1,
    runs: int = ODDS_RUNS,
    seed: int = 1,
    habits: Habits = HABITS,
) -> pl.DataFrame:
    """Odds of being ahead of a rival once both have stopped, by the lap of the driver's stop; a row is a rival and a lap.

    The rival stops on his planned lap, the driver up to six laps before (undercut) or after (overcut). The whole field
    runs, so traffic after the stop counts. It says nothing of what happens later.

    Args:
        setup: The race.
        driver: The driver.
        rivals: Whom the driver wants to beat.
        what_if: Scenario; the race as it was when None.
        stop: Which stop of both, from 1.
        runs: Simulations of each lap, N.
        seed: Seed of the common random numbers.
        habits: What is modelled of the gap between free air and what teams do.

    Returns:
        By rival and lap: rival_id, rival_lap, lap, kind (undercut, same lap, overcut), gap_before_s (to the rival before
        either stops, median; positive when behind) and ahead_before (share of the simulations), ahead (share, after both
        stops), its Monte Carlo error, gap_after_s (median), runs in which both still race.

    Raises:
        BadEdit: A driver does not race here or has no such stop.
        IllegalPlan: A changed plan of the scenario breaks a rule.
    """
    field, _ = prepare(setup, what_if or WhatIf(), driver, habits)
    cars = [car.name for car in field.race.cars]
    own, rows = field.plans[driver], []
    for rival in rivals:
        if rival not in cars or rival == driver:
            raise BadEdit("rivals", f"{rival} is not a rival in this race.")
        theirs = field.plans[rival]
        if len(theirs.stops) < stop or len(own.stops) < stop:
            who = rival if len(theirs.stops) < stop else driver
            raise BadEdit("stop", f"{who} makes no stop number {stop}.")
        at = theirs.stops[stop - 1].lap
        tried = [
            (lap, moved)
            for lap in range(at - ODDS_LAPS, at + ODDS_LAPS + 1)
            if (moved := _moved(own, stop - 1, lap, field.race.laps)) is not None
        ]
        if not tried:
            continue
        # The last variant is never read after a stop: it shows the gap before either comes in.
        variants = [{driver: moved} for _, moved in tried] + [{driver: tried[-1][1]}]
        laps = [min(max(lap, at) + LAPS_AFTER, field.race.laps) for lap, _ in tried]
        laps.append(max(min(tried[0][0], at) - 1, 1))
        told = times_after(field.race, field.plans, variants, laps, field.scenario, runs=runs, seed=seed)
        d, r = cars.index(driver), cars.index(rival)
        before = told[-1][:, d] - told[-1][:, r]
        before = before[~np.isnan(before)]
        for (lap, _), times in zip(tried, told[:-1], strict=True):
            gap = times[:, d] - times[:, r]
            gap = gap[~np.isnan(gap)]
            if not len(gap) or not len(before):
                continue
            ahead = float((gap < 0).mean())
            rows.append(
                {
                    "rival_id": rival,
                    "rival_lap": at,
                    "lap": lap,
                    "kind": "undercut" if lap < at else "overcut" if lap > at else "same lap",
                    "gap_before_s": float(np.median(before)),
                    "ahead_before": float((before < 0).mean()),
                    "ahead": ahead,
                    "error": float(np.sqrt(ahead * (1 - ahead) / len(gap))),
                    "gap_after_s": float(np.median(gap)),
                    "runs": len(gap),
                }
            )
    return pl.DataFrame(rows, schema=ODDS_SCHEMA)


def _moved(plan: Plan, k: int, lap: int, laps: int) -> Plan | None:
    """The plan with one stop on another lap; None where it would pass another stop or leave the race."""
    least = plan.stops[k - 1].lap + 1 if k else 1
    most = plan.stops[k + 1].lap - 1 if k + 1 < len(plan.stops) else laps - 1
    if not least <= lap <= most:
        return None
    stops = (
        *plan.stops[:k],
        Stop(lap, plan.stops[k].compound, plan.stops[k].used_laps),
        *plan.stops[k + 1 :],
    )
    return replace(plan, stops=stops)


def _difference(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()), float(error)
