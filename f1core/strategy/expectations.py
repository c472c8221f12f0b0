"""What past races say beside the simulator: the call that teams are expected to make, and the odds of a real undercut."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from f1core.simulator.engine import simulate_once
from f1core.simulator.plan import Plan, Stop
from f1core.strategy.edits import WeatherScenario, WhatIf
from f1core.strategy.learned_undercut import learned_odds, undercut_model
from f1core.strategy.scenario import apply
from f1core.strategy.stop_laps import ODDS_RUNS, undercut_odds
from f1core.strategy.team_call import TeamCall, expected_call
from models.strategy.undercut import MOST_REPLY_LAPS, UndercutModel
from warehouse.queries.events import session_starts
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.vocab import Stage

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup

WHY_SOONER = "teams cover the undercut, avoid traffic and do what was usual here."
COUNTS = {0: "without a stop", 1: "one stop", 2: "two stops"}


def team_view(reader: Reader, setup: RaceSetup, what_if: WhatIf | None = None) -> dict[str, Any] | None:
    """What teams are expected to do beside what is best alone on the track; None in the rain, where neither is known.

    Args:
        reader: The warehouse; what is used was known 30 minutes before the start.
        setup: The race.
        what_if: Scenario; only its weather matters.

    Returns:
        stops, first_lap, free_air_stops, free_air_first_lap, words.

    Raises:
        NotReady: The calendar has no session times for the event.
    """
    if _rains(setup, what_if):
        return None
    call = expected_call(reader, setup)
    return {
        "stops": call.stops,
        "first_lap": round(call.first_lap),
        "free_air_stops": call.free_air_stops,
        "free_air_first_lap": call.free_air_first_lap,
        "words": call_words(call),
    }


def _rains(setup: RaceSetup, what_if: WhatIf | None) -> bool:
    weather = what_if.weather if what_if else WeatherScenario.REAL
    return setup.is_wet if weather == WeatherScenario.REAL else weather != WeatherScenario.DRY


def call_words(call: TeamCall) -> str:
    """The call, and how far it is from what is best alone on the track."""
    first, alone = round(call.first_lap), call.free_air_first_lap
    words = f"Teams are expected to make {_count(call.stops)}"
    words += f", the first on about lap {first}. " if call.stops else ". "
    if call.free_air_stops != call.stops:
        words += f"Alone on the track {_count(call.free_air_stops)} would be quickest. "
    apart = alone - first
    if call.stops and apart:
        many = f"{abs(apart)} {'lap' if abs(apart) == 1 else 'laps'}"
        words += f"Alone on the track the best first stop of {_count(call.stops)} comes on lap {alone}, "
        words += f"{many} later: {WHY_SOONER}" if apart > 0 else f"{many} earlier."
    return words.strip()


def _count(stops: int) -> str:
    return COUNTS.get(stops, f"{stops} stops")


def odds_against(
    reader: Reader,
    setup: RaceSetup,
    driver: str,
    rival: str,
    what_if: WhatIf | None = None,
    *,
    as_of: dt.datetime | None = None,
    runs: int = ODDS_RUNS,
    seed: int = 1,
) -> pl.DataFrame:
    """The simulated odds against a rival, and beside them what real undercuts say.

    Args:
        reader: The warehouse.
        setup: The race.
        driver: The driver.
        rival: Whom the driver wants to beat.
        what_if: Scenario; the race as it was when None.
        as_of: Real undercuts known at or after it are not used; at the latest 30 minutes before the start.
        runs: Simulations of each lap, N.
        seed: Seed of the common random numbers.

    Returns:
        As :func:`f1core.strategy.stop_laps.undercut_odds`, with learned: probability of being ahead after both stops when
        the rival answers; null where the driver is not within reach behind him, and where the stop is no undercut.

    Raises:
        BadEdit: A driver does not race here or has no such stop.
        IllegalPlan: A changed plan of the scenario breaks a rule.
    """
    odds = undercut_odds(setup, driver, [rival], what_if, runs=runs, seed=seed)
    before = cutoff(setup.event_id, session_starts(reader, setup.event_id), Stage.PRE_RACE)
    model = undercut_model(reader, min(as_of, before) if as_of else before)
    return with_learned(model, odds, setup, driver, rival, what_if)


def with_learned(
    model: UndercutModel | None,
    odds: pl.DataFrame,
    setup: RaceSetup,
    driver: str,
    rival: str,
    what_if: WhatIf | None = None,
) -> pl.DataFrame:
    """Simulated odds with what real undercuts say; arguments and columns as for :func:`odds_against`."""
    if model is None or odds.is_empty() or _rains(setup, what_if):
        return odds.with_columns(learned=pl.lit(None, pl.Float64))
    race, plans, scenario = apply(setup, what_if or WhatIf())
    at, mine = int(odds["rival_lap"][0]), plans[driver].stops[0]
    # Neither has stopped yet when the question is asked; the race is the one without luck that the charts show.
    waiting = {name: _waits(plans[name], at, race.laps) for name in (driver, rival)}
    calm = replace(scenario, reacts=False, safety_car_policy=None)
    outcome = simulate_once(replace(race, rules=None), {**plans, **waiting}, calm)
    told = learned_odds(model, race, outcome, driver, rival, mine.compound)
    near = told.filter(pl.col("lap").is_between(at - MOST_REPLY_LAPS, at - 1)).select("lap", "learned")
    return odds.join(near, on="lap", how="left").sort("lap")


def _waits(plan: Plan, lap: int, laps: int) -> Plan:
    """The plan with its first stop no sooner than a lap; later ones are left out."""
    first = plan.stops[0]
    return replace(plan, stops=(Stop(min(max(first.lap, lap), laps - 1), first.compound, first.used_laps),))
