"""How often the expected call is what teams did: ``python benchmarks/strategy_calls.py [DATA_FOLDER] [--tune]``.

Dry races without a red flag. Parameters and habits of each race come from races that were over before its day. Held out: 2024 on.
``--tune`` shows what the constants in ``f1core/strategy/habits.py`` were chosen from: the dry races of 2019–2023, nothing later.

A race's real call is the most frequent number of stops of its classified cars, and the median of their first stops.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from benchmarks.strategy_tables import Wanted, mean_error, table, verdicts
from f1core.settings import load_settings
from f1core.simulator.rules import RaceRules, race_rules
from f1core.strategy import race_parts
from f1core.strategy.fit import measured_rows
from f1core.strategy.free_air import Cliff, mean_stop_s, search, stint_costs
from f1core.strategy.habits import HABITS, Habits
from f1core.strategy.team_call import MOST_COUNTED, TeamCall, different, expected_first_lap, team_call, usual
from models.strategy.measure import MEASURED_COLUMNS
from models.strategy.parameters import StrategyParameters
from models.strategy.pool import pool, usual_lap_s
from warehouse.queries.strategy import circuits_of_events, race_facts
from warehouse.queries.strategy_calls import past_calls
from warehouse.reader import Reader

FIRST_TUNED, LAST_TUNED = 2019, 2023
USUAL_LAP_S = 90.0
"""Lap of a circuit without a race before."""


@dataclass(frozen=True)
class Case:
    """One race and what was known before it."""

    event_id: str
    season: int
    circuit_id: str
    laps: int
    stops: int
    first_lap: float
    parameters: StrategyParameters
    rules: RaceRules
    past: pl.DataFrame


def cases(reader: Reader) -> list[Case]:
    """Every dry race without a red flag from 2019 on."""
    facts = race_facts(reader, MEASURED_COLUMNS)
    rows = measured_rows(*facts, events=circuits_of_events(reader))
    calls = past_calls(reader)
    found = []
    for race in calls.filter(pl.col("season") >= FIRST_TUNED).iter_rows(named=True):
        day = dt.datetime.combine(race["race_date"], dt.time(), tzinfo=dt.UTC)
        known = rows.filter(pl.col("known_at") < day)
        lap = usual_lap_s(known, race["circuit_id"]) or USUAL_LAP_S
        found.append(
            Case(
                event_id=race["event_id"],
                season=race["season"],
                circuit_id=race["circuit_id"],
                laps=race["scheduled_laps"] or race["laps"],
                stops=race["stops"],
                first_lap=race["first_lap"],
                parameters=pool(known, race["circuit_id"], lap),
                rules=race_rules(race["season"], race["circuit_id"]),
                past=calls.filter(pl.col("known_at") < day),
            )
        )
    return found


def called(case: Case, habits: Habits) -> TeamCall:
    """The expected call before a race."""
    stop_s = mean_stop_s(race_parts.pit_lane(case.parameters))
    tyres = {name: tyre for name, tyre in race_parts.tyres(case.parameters).items() if name[0] in "SMH"}
    costs = stint_costs(tyres, case.laps, stop_s, wear_factor=habits.wear_factor, cliff=habits.cliff)
    return team_call(costs, case.rules, case.past, case.circuit_id, habits)


def report(held: Sequence[Case]) -> Iterator[str]:
    """Lines of the part of the page about calls: some races against the baselines."""
    told = [called(case, HABITS) for case in held]
    plain = [called(case, replace(HABITS, history_s=0.0)) for case in held]
    fitted = [called(case, replace(HABITS, history_s=0.0, wear_factor=1.0, cliff=None)) for case in held]
    last = [_last(case) for case in held]
    rows: list[tuple[str, list[int | None], list[float | None], list[float]]] = [
        ("always one stop", [max(1, case.rules.min_stops) for case in held], [None] * len(held), []),
        ("same as the last race here", [n for n, _ in last], [first for _, first in last], []),
        ("equal stints, stops as called", [None] * len(held), _equal(held, told), []),
        ("free air, wear as fitted", *_answers(held, fitted, is_blended=False)),
        ("free air, wear inflated, cliff", *_answers(held, plain, is_blended=False)),
        ("with habits (the setting)", *_answers(held, told, is_blended=True)),
    ]
    seasons = f"{held[0].season}–{held[-1].season}"
    lines, scored = [], []
    for name, stops, firsts, among in rows:
        right = [float(n == case.stops) for n, case in zip(stops, held, strict=True) if n is not None]
        missed = [abs(f - case.first_lap) for f, case in zip(firsts, held, strict=True) if f is not None]
        within = f"{np.mean(np.array(missed) <= 5):.2f}" if missed else "–"
        lines.append([name, str(max(len(right), len(missed))), *map(_shown, (right, among, missed)), within])
        scored = [right, among, missed]
    yield from verdicts(list(_wanted(scored, f"{len(held)} races {seasons}")))
    yield f"### Expected calls, dry races without a red flag {seasons}"
    yield ""
    heads = [
        "forecast",
        "races",
        "stop count right",
        "among the five",
        "first stop, error [laps]",
        "within 5",
    ]
    yield from table(heads, lines)
    yield ""
    uncapped = [_among(case, one, most_alike=5) for case, one in zip(held, told, strict=True)]
    early = [one.free_air_first_lap - case.first_lap for case, one in zip(held, told, strict=True)]
    yield (
        f"Without the rule that at most three of the five have one number of stops, the real count is among the five in "
        f"{_shown(uncapped)}. The first stop that is best in free air is later than the real one by {_shown(early)} laps."
    )
    yield ""


def _wanted(scored: Sequence[Sequence[float]], count: str) -> Iterator[Wanted]:
    asked = (
        ("stop count right", 0.62, 0.70, True),
        ("real stop count among the five", 0.88, 0.95, True),
        ("first stop, error [laps]", 5.5, 4.0, False),
    )
    for (title, must, aim, is_higher), values in zip(asked, scored, strict=True):
        value, error = mean_error(values)
        yield Wanted(title, value, error, count, must, aim, is_higher_better=is_higher, digits=2)


def _answers(
    held: Sequence[Case], told: Sequence[TeamCall], is_blended: bool
) -> tuple[list[int | None], list[float | None], list[float]]:
    firsts: list[float | None] = [
        one.first_lap if is_blended else float(one.free_air_first_lap) for one in told
    ]
    return [one.stops for one in told], firsts, [_among(c, one) for c, one in zip(held, told, strict=True)]


def _among(case: Case, one: TeamCall, most_alike: int | None = None) -> float:
    five = one.five
    if most_alike is not None:
        was = usual(case.past, case.circuit_id)
        stop_s = mean_stop_s(race_parts.pit_lane(case.parameters))
        tyres = {n: t for n, t in race_parts.tyres(case.parameters).items() if n[0] in "SMH"}
        costs = stint_costs(tyres, case.laps, stop_s, wear_factor=HABITS.wear_factor, cliff=HABITS.cliff)
        found = search(costs, case.rules, tolerance_s=None)
        ranked = sorted(
            found, key=lambda c: c.time_s + HABITS.history_s * (len(c.plan.stops) - was.stops) ** 2
        )
        five = tuple(different(ranked, most_alike=most_alike))
    return float(min(case.stops, MOST_COUNTED) in {len(plan.plan.stops) for plan in five})


def _last(case: Case) -> tuple[int | None, float | None]:
    here = case.past.filter(pl.col("circuit_id") == case.circuit_id)
    if here.is_empty():
        return None, None
    row = here.row(-1, named=True)
    return max(row["stops"], case.rules.min_stops), row["first_lap"] / row["laps"] * case.laps


def _equal(held: Sequence[Case], told: Sequence[TeamCall]) -> list[float | None]:
    return [case.laps / (one.stops + 1) for case, one in zip(held, told, strict=True)]


def _shown(values: Sequence[float]) -> str:
    if not values:
        return "–"
    value, error = mean_error(values)
    return f"{value:.2f} ± {error:.2f}"


def tune(held: Sequence[Case]) -> None:
    """Prints what the settings give on the tuning seasons: stop count right first, then the first stop."""
    print(f"{len(held)} races {held[0].season}–{held[-1].season}")
    print("wear  cliff  loss of a stop away from the usual [s]: stop count right / log loss")
    away = [usual(case.past, case.circuit_id).stops for case in held]
    for wear, cliff_s in product((1.0, 1.25, 1.5, 1.75, 2.0), (0.0, 0.06, 0.10)):
        cliff = Cliff(HABITS.cliff.share, cliff_s) if HABITS.cliff and cliff_s else None
        habits = replace(HABITS, wear_factor=wear, cliff=cliff, history_s=0.0)
        free_air = [called(case, habits).loss_s for case in held]
        told = []
        for history_s in (0.0, 5.0, 8.0, 10.0, 12.0, 15.0):
            scores = [
                {n: loss + history_s * (n - was) ** 2 for n, loss in losses.items()}
                for losses, was in zip(free_air, away, strict=True)
            ]
            right = np.mean(
                [min(s, key=lambda n: s[n]) == c.stops for s, c in zip(scores, held, strict=True)]
            )
            told.append(f"{history_s:g}: {right:.2f} / {_log_loss(scores, held):.3f}")
        print(f"{wear:4.2f} {cliff_s:6.2f}  {'  '.join(told)}")
    print(
        "latest races, share of the model, of the circuit: first-stop error [laps] at the best shift [laps]"
    )
    real = np.array([case.first_lap for case in held])
    told_once = [(case, called(case, HABITS), case.laps) for case in held]
    for races, model, circuit in product((5, 10, 20, 40), (0.0, 0.1, 0.2, 0.3), (0.0, 0.1, 0.2, 0.3)):
        habits = replace(
            HABITS, first_races=races, model_weight=model, circuit_weight=circuit, shift_laps=0.0
        )
        first = np.array(
            [
                expected_first_lap(
                    one.free_air_first_lap, one.stops, laps, usual(case.past, case.circuit_id, habits), habits
                )
                for case, one, laps in told_once
            ]
        )
        shift = float(np.median(real - first))
        print(
            f"{races:3d} {model:4.1f} {circuit:4.1f}  {np.abs(first + shift - real).mean():.2f} at {shift:+.1f}"
        )


def _log_loss(scores: Sequence[dict[int, float]], held: Sequence[Case]) -> float:
    """Of the real count when a second is worth the same everywhere, at the worth that fits best."""
    found = []
    for worth_s in (3.0, 5.0, 7.0, 10.0, 14.0):
        losses = []
        for score, case in zip(scores, held, strict=True):
            weights = {n: np.exp(-(value - min(score.values())) / worth_s) for n, value in score.items()}
            share = weights.get(min(case.stops, MOST_COUNTED), 0.0) / sum(weights.values())
            losses.append(-np.log(max(share, 1e-3)))
        found.append(float(np.mean(losses)))
    return min(found)


def main() -> None:
    """Prints the table, or what the constants were chosen from."""
    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    settings = load_settings(data=names[0]) if names else load_settings()
    every = cases(Reader(settings.warehouse_root))
    if "--tune" in sys.argv:
        tune([case for case in every if case.season <= LAST_TUNED])
        return
    print("\n".join(report([case for case in every if case.season > LAST_TUNED])))


if __name__ == "__main__":
    main()
