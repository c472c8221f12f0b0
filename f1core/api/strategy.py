"""Routes of the strategy simulator. They change nothing; engines load when they are first asked.

One question is answered at a time in a process, a few may wait, and whoever comes after them is asked to come back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from f1core.api.library import Library
from f1core.api.predictions import Documents, Now, problems
from f1core.api.problems import Problem
from f1core.api.scenario import (
    CarChange,
    OptimiseAnswer,
    OptimiseRequest,
    PitStop,
    Question,
    SimulateAnswer,
    SimulateRequest,
    Tyre,
    unknown_members,
)
from f1core.api.serving import json_answer
from f1core.api.strategy_examples import OPTIMISE_EXAMPLE, SIMULATE_EXAMPLE
from f1core.clock import Clock
from f1core.settings import Settings
from warehouse.snapshot import read_snapshot

if TYPE_CHECKING:
    from f1core.strategy.basis import Basis
    from f1core.strategy.edits import Edit, WhatIf
    from f1core.strategy.setup import RaceSetup
    from warehouse.reader import Reader

MAX_WAITING = 4
"""Questions that may wait for the one that is being answered."""
MAX_WAIT_S = 20.0
RETRY_AFTER_S = 5
MAX_SETUPS = 8
"""Races that are kept ready."""

router = APIRouter()


class Turnstile:
    """Lets one in, a few wait, and the others go."""

    def __init__(self) -> None:
        self._count = 0
        self._counting = threading.Lock()
        self._inside = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn of one question.

        Raises:
            Problem: Too many are waiting, or the turn did not come in time.
        """
        with self._counting:
            if self._count > MAX_WAITING:
                raise _busy()
            self._count += 1
        try:
            if not self._inside.acquire(timeout=MAX_WAIT_S):
                raise _busy()
            try:
                yield
            finally:
                self._inside.release()
        finally:
            with self._counting:
                self._count -= 1


class Strategists:
    """What the routes remember between requests.

    Args:
        settings: Where the data lies.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.turnstile = Turnstile()
        self._reader: Reader | None = None
        self._setups: dict[tuple[Any, ...], RaceSetup] = {}

    def reader(self) -> Reader:
        """The warehouse.

        Raises:
            Problem: Nothing was built yet.
        """
        from warehouse.reader import Reader

        if read_snapshot(self.settings.warehouse_root) is None:
            raise Problem(
                404, "not_ready", "Strategy not ready", hint="`python3 run.py build` makes the warehouse."
            )
        if self._reader is None:
            self._reader = Reader(self.settings.warehouse_root)
        return self._reader

    def setup(self, event_id: str, basis: Basis, clock: Clock) -> RaceSetup:
        """A race set up; the latest ones are kept until new data are published."""
        from f1core.strategy.setup import race_setup

        reader = self.reader()
        key = (reader.snapshot.id, event_id, basis, clock.instant)
        if key not in self._setups:
            kept = [(old, made) for old, made in self._setups.items() if old[0] == key[0]]
            self._setups = dict(kept[-(MAX_SETUPS - 1) :])
            self._setups[key] = race_setup(reader, event_id, basis, clock.instant)
        return self._setups[key]


def strategists_of(request: Request, documents: Library) -> Strategists:
    """What is remembered of the installation that answers now."""
    kept: dict[Path, Strategists] = request.app.state.strategists
    return kept.setdefault(documents.settings.data, Strategists(documents.settings))


def _answers(model: type[Any], example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    shown = {"model": model, "content": {"application/json": {"example": example}}}
    return {200: shown, **problems(404, 405, 408, 413, 414, 422, 503)}


@router.post(
    "/v1/strategy/simulate",
    tags=["strategy"],
    responses=_answers(SimulateAnswer, SIMULATE_EXAMPLE),
    summary="What if they had stopped on another lap?",
)
def simulate(request: Request, documents: Documents, clock: Now, asked: SimulateRequest) -> Response:
    """A race simulated with changed stops, tyres, pace, grid, safety cars or weather, against the race without."""
    from f1core.strategy.views import answer_data
    from f1core.strategy.whatif import run

    _refuse_unknown(asked)
    strategists = strategists_of(request, documents)
    with strategists.turnstile.turn():
        setup = _setup(strategists, asked, clock)
        driver = _driver(setup, asked.driver, "driver")
        what_if = _what_if(setup, asked, driver)
        with _explained(driver, asked, setup):
            found = answer_data(setup, run(setup, what_if, driver))
    return json_answer(request, _headed(request, strategists, found), cache="no-store")


@router.post(
    "/v1/strategy/optimise",
    tags=["strategy"],
    responses=_answers(OptimiseAnswer, OPTIMISE_EXAMPLE),
    summary="The five best different strategies",
)
def optimise(request: Request, documents: Documents, clock: Now, asked: OptimiseRequest) -> Response:
    """The best different strategies of a driver, ranked by the expected result in the full field."""
    from f1core.strategy.expectations import odds_against, team_view
    from f1core.strategy.optimiser import optimise as search
    from f1core.strategy.ranking_views import odds_data, ranking_data

    _refuse_unknown(asked)
    strategists = strategists_of(request, documents)
    with strategists.turnstile.turn():
        setup = _setup(strategists, asked, clock)
        driver = _driver(setup, asked.driver, "driver")
        rival = None if asked.rival is None else _driver(setup, asked.rival, "rival")
        reader, odds = strategists.reader(), None
        with _explained(driver, asked, setup):
            what_if = _what_if(setup, asked, driver)
            found = ranking_data(search(setup, driver, what_if, runs=asked.runs, seed=asked.seed))
            if rival is not None:
                told = odds_against(
                    reader, setup, driver, rival, what_if, as_of=clock.instant, seed=asked.seed
                )
                odds = odds_data(told)
        found |= {"team_call": team_view(reader, setup, what_if), "odds": odds}
    return json_answer(request, _headed(request, strategists, found), cache="no-store")


def _headed(request: Request, strategists: Strategists, found: dict[str, Any]) -> dict[str, Any]:
    head = {
        "is_demo": request.app.state.holdings.is_demo(),
        "snapshot": strategists.reader().snapshot.id,
    }
    return {**head, **found}


# What is asked, as the simulator takes it ---------------------------------------------------------------------------------


def _setup(strategists: Strategists, asked: Question, clock: Clock) -> RaceSetup:
    from f1core.resolver import resolve
    from f1core.strategy.basis import Basis
    from f1core.strategy.setup import StrategyUnavailable

    event_id = resolve(strategists.reader(), asked.race, year=asked.year, clock=clock)
    try:
        return strategists.setup(event_id, Basis(asked.basis.value), clock)
    except StrategyUnavailable as error:
        raise Problem(404, "not_ready", error.message, hint=error.hint) from None


def _driver(setup: RaceSetup, name: str, field: str) -> str:
    from f1core.strategy.people import UnknownDriver, find_driver

    try:
        return find_driver(setup.drivers, name)
    except UnknownDriver as error:
        raise _wrong([(field, f"{error.message} {error.hint}")]) from None


def _what_if(setup: RaceSetup, asked: Question, driver: str) -> WhatIf:
    from f1core.strategy.edits import SafetyCars, WeatherScenario, WhatIf

    weather = asked.weather_scenario
    edits: list[Edit] = []
    runs = 300
    if isinstance(asked, SimulateRequest):
        runs = asked.runs
        edits.append(_edit(driver, asked, ""))
        for index, other in enumerate(asked.others):
            rival = _driver(setup, other.driver, f"others.{index}.driver")
            if rival in {edit.driver_id for edit in edits}:
                raise _wrong([(f"others.{index}.driver", "This car is changed twice.")])
            edits.append(_edit(rival, other, f"others.{index}."))
    return WhatIf(
        edits=tuple(edits),
        safety_cars=SafetyCars(asked.neutralisations.value),
        weather=WeatherScenario.REAL if weather is None else WeatherScenario(weather.value),
        seed=asked.seed,
        runs=runs,
        basis=setup.basis,
    )


def _edit(driver: str, asked: SimulateRequest | CarChange, at: str) -> Edit:
    from f1core.strategy.edits import BadEdit, Edit

    try:
        return Edit(
            driver_id=driver,
            start=None if asked.start_tire is None else asked.start_tire.value,
            stops=None if asked.pit_stops is None else _stops(asked.pit_stops),
            pace_change_s=asked.pace_change_s,
            grid=asked.grid,
            finishes=asked.finishes,
        )
    except BadEdit as error:
        raise _wrong([(f"{at}{error.field.rsplit('.', 1)[-1]}", str(error))]) from None


def _stops(asked: list[PitStop]) -> tuple[Any, ...]:
    from f1core.simulator.plan import Stop

    return tuple(Stop(stop.lap, Tyre(stop.tire).value) for stop in asked)


# What is wrong with it ----------------------------------------------------------------------------------------------------


@contextmanager
def _explained(driver: str, asked: Question, setup: RaceSetup) -> Iterator[None]:
    """Turns what the simulator refuses into fields with what is wrong with them."""
    from f1core.simulator.parameters import BadRace
    from f1core.simulator.plan import IllegalPlan
    from f1core.strategy.edits import BadEdit

    try:
        yield
    except IllegalPlan as error:
        field = f"{_place(error.car, driver, asked, setup)}pit_stops"
        told = [(field, f"{one.message} (rule: {one.rule})") for one in error.violations]
        raise _wrong(told, "The plan is not allowed.") from None
    except BadEdit as error:
        name = {
            "weather": "weather_scenario",
            "sc": "neutralisations",
            "rivals": "rival",
            "stop": "rival",
        }.get(error.field)
        field = name or error.field
        if field.startswith("cars."):
            _, car, member = field.split(".", 2)
            field = f"{_place(car, driver, asked, setup)}{member}"
        raise _wrong([(field, str(error))]) from None
    except BadRace as error:
        raise _wrong([("request", str(error))]) from None


def _place(car: str, driver: str, asked: Question, setup: RaceSetup) -> str:
    """Where a car stands in the request: nothing for the driver, ``others.0.`` for the first of the others."""
    from f1core.strategy.people import find_driver

    others = asked.others if isinstance(asked, SimulateRequest) and car != driver else ()
    found = (index for index, one in enumerate(others) if find_driver(setup.drivers, one.driver) == car)
    index = next(found, None)
    return "" if index is None else f"others.{index}."


def _refuse_unknown(asked: Question) -> None:
    if found := unknown_members(asked):
        raise _wrong([(one["field"], one["message"]) for one in found])


def _wrong(told: list[tuple[str, str]], detail: str | None = None) -> Problem:
    fields = ", ".join(dict.fromkeys(field for field, _ in told))
    return Problem(
        422,
        "invalid_request",
        detail or f"The request cannot be understood: {fields}.",
        errors=[{"field": field, "message": message} for field, message in told],
    )


def _busy() -> Problem:
    return Problem(
        503,
        "busy",
        "Other questions are being answered.",
        hint=f"Ask again in {RETRY_AFTER_S} seconds.",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
