"""The strategy routes: what they answer, what they refuse and how they say so, and how many they answer at a time."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from f1core.api import create_application
from f1core.api import strategy as routes
from f1core.api.middleware import MAX_BODY
from f1core.api.problems import Problem
from f1core.api.scenario import OptimiseAnswer, OptimiseRequest, SimulateAnswer, SimulateRequest
from f1core.api.strategy_examples import (
    OPTIMISE_EXAMPLE,
    OPTIMISE_QUESTION,
    SIMULATE_EXAMPLE,
    SIMULATE_QUESTION,
)
from f1core.settings import REPOSITORY, load_settings
from f1core.simulator.plan import Stop
from f1core.strategy.edits import Edit, WeatherScenario, WhatIf
from f1core.strategy.setup import race_setup
from f1core.strategy.whatif import run
from tests.api.installation import Installation, TestClient
from tests.strategy_data import EVENT, strategy_folder
from warehouse.reader import Reader

SIMULATE, OPTIMISE = "/api/v1/strategy/simulate", "/api/v1/strategy/optimise"
ASKED: dict[str, Any] = {
    "race": "Austria",
    "year": 2026,
    "driver": "norris",
    "pit_stops": [{"lap": 15, "tire": "HARD"}, {"lap": 45, "tire": "hard"}],
    "seed": 3,
    "runs": 60,
}
JSON = {"content-type": "application/json"}
Check = Callable[[Any, int, str], dict[str, Any]]


@pytest.fixture(scope="session")
def data(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strategy_folder(ingested, tmp_path_factory)


@pytest.fixture(scope="module")
def served(data: Path) -> TestClient:
    return TestClient(create_application(load_settings(data=data)))


def test_a_scenario_is_answered_as_the_simulator_says(served: TestClient, data: Path) -> None:
    answer = served.post(SIMULATE, json={**ASKED, "weather_scenario": "DRY"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found = SimulateAnswer.model_validate(answer.json())
    setup = race_setup(Reader(data / "warehouse"), EVENT)
    edit = Edit(driver_id="lando-norris", stops=(Stop(15, "HARD"), Stop(45, "HARD")))
    what_if = WhatIf(edits=(edit,), weather=WeatherScenario.DRY, seed=3, runs=60)
    own = run(setup, what_if, "lando-norris")
    assert (found.original_position, found.simulated_position) == (
        own.original.position,
        own.simulated.position,
    )
    assert found.places_gained == pytest.approx(own.change.places_gained, abs=1e-6)
    assert found.time_gained == pytest.approx(own.change.time_gained_s, abs=1e-5)
    mine = [lap for lap in found.lap_by_lap if not lap.is_baseline]
    assert [lap.lap for lap in mine] == list(range(1, setup.race.laps + 1))
    assert [lap.lap for lap in mine if lap.is_stop] == [15, 45] == [stop.lap for stop in found.rejoins]
    assert sum(place.probability for place in found.distribution) == pytest.approx(1.0, abs=1e-4)
    assert "event=2026-austria&driver=lando-norris&cars=lando-norris:-15H-45H" in found.link
    again = served.post(SIMULATE, json={**ASKED, "weather_scenario": "DRY"})
    assert again.content == answer.content, "the same question, the same bytes"


def test_without_changes_nothing_is_gained(served: TestClient) -> None:
    asked = {name: ASKED[name] for name in ("race", "year", "driver", "seed", "runs")}
    found = SimulateAnswer.model_validate(served.post(SIMULATE, json=asked).json())
    assert (found.places_gained, found.time_gained, found.is_tie) == (0, 0, True)
    assert all(place.probability == place.original_probability for place in found.distribution)


def test_another_car_can_be_changed_too(served: TestClient) -> None:
    other = {
        "driver": "VER",
        "pit_stops": [{"lap": 30, "tire": "M"}],
        "start_tire": "HARD",
        "pace_change_s": 0.5,
    }
    refused = served.post(SIMULATE, json={**ASKED, "others": [other]})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "others.0.pit_stops.0.tire"
    other["pit_stops"] = [{"lap": 30, "tire": "MEDIUM"}]
    found = served.post(SIMULATE, json={**ASKED, "others": [other]}).json()
    cars = {lap["driver_id"] for lap in found["lap_by_lap"]}
    assert cars == {"lando-norris", "max-verstappen"} and "max-verstappen:H-30M/p0.5" in found["link"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"driver": "norriss"}, "driver", "Did you mean lando-norris?"),
        ({"driver": ""}, "driver", "at least 1"),
        ({"pitstops": []}, "pitstops", "Did you mean pit_stops?"),
        ({"pit_stops": [{"lap": 20, "tire": "PURPLE"}]}, "pit_stops.0.tire", "'SOFT', 'MEDIUM', 'HARD'"),
        ({"pit_stops": [{"lap": 20, "tyre": "HARD"}]}, "pit_stops.0.tire", "required"),
        ({"pit_stops": [{"lap": 0, "tire": "HARD"}]}, "pit_stops.0.lap", "greater than or equal to 1"),
        ({"pit_stops": [{"lap": 20, "tire": "HARD", "x": 1}]}, "pit_stops.0.x", "Known: lap, tire"),
        ({"pit_stops": [{"lap": 150, "tire": "HARD"}]}, "pit_stops", "rule: stop within the race"),
        ({"pit_stops": [], "start_tire": "HARD"}, "pit_stops", "rule: two dry compounds"),
        ({"pit_stops": [{"lap": n, "tire": "HARD"} for n in range(1, 40)]}, "pit_stops", "at most 8"),
        ({"runs": 2001}, "runs", "less than or equal to 2000"),
        ({"runs": "many"}, "runs", "valid integer"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"pace_change_s": 60}, "pace_change_s", "less than or equal to 5"),
        ({"grid": 30}, "grid", "22 cars start"),
        ({"weather_scenario": "SNOW"}, "weather_scenario", "'DRY', 'WET' or 'MIXED'"),
        ({"others": [{"driver": "norris", "grid": 1}]}, "others.0.driver", "changed twice"),
        ({"others": [{"driver": "senna"}]}, "others.0.driver", "Nobody in this race"),
        ({"others": [{"driver": "VER", "grid": 29}]}, "others.0.grid", "22 cars start"),
        (
            {"others": [{"driver": "PER", "grid": 3}, {"driver": "VER", "pit_stops": []}]},
            "others.1.pit_stops",
            "rule: two dry compounds",
        ),
        ({"runs": True}, "runs", "valid integer"),
        ({"runs": "20"}, "runs", "valid integer"),
        ({"seed": 1.0}, "seed", "valid integer"),
        ({"pit_stops": [{"lap": "20", "tire": "HARD"}]}, "pit_stops.0.lap", "valid integer"),
        ({"finishes": 1}, "finishes", "valid boolean"),
    ],
)
def test_every_bad_field_is_explained(
    change: dict[str, Any], field: str, words: str, served: TestClient, problem: Check
) -> None:
    found = problem(served.post(SIMULATE, json={**ASKED, **change}), 422, "invalid_request")
    told = {error["field"]: error["message"] for error in found["errors"]}
    assert field in told, told
    assert words in told[field]


def test_a_car_that_retired_can_be_asked_to_finish(served: TestClient) -> None:
    asked = {"race": "Austria", "year": 2026, "driver": "perez", "runs": 20}
    out, on = (
        SimulateAnswer.model_validate(served.post(SIMULATE, json={**asked, **more}).json())
        for more in ({}, {"finishes": True})
    )
    assert max(lap.lap for lap in out.lap_by_lap) < max(
        lap.lap for lap in on.lap_by_lap if not lap.is_baseline
    )
    assert "sergio-perez:f" in on.link


def test_several_bad_fields_are_told_together(served: TestClient, problem: Check) -> None:
    asked = {"race": "Austria", "driver": "norris", "runs": 0, "seed": "x", "pit_stops": "none"}
    found = problem(served.post(SIMULATE, json=asked), 422, "invalid_request")
    assert {error["field"] for error in found["errors"]} == {"runs", "seed", "pit_stops"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"\x10\xff", b"[" * 9_000, b'{"race": NaN}']
)
def test_a_body_that_is_no_question(body: bytes, served: TestClient, problem: Check) -> None:
    answer = served.post(SIMULATE, content=body, headers=JSON)
    assert problem(answer, 422, "invalid_request")["errors"]


def test_a_body_that_does_not_say_that_it_is_json(served: TestClient, problem: Check) -> None:
    found = problem(served.post(SIMULATE, content=json.dumps(ASKED)), 422, "invalid_request")
    assert "Content-Type: application/json" in found["hint"]


def test_a_body_that_is_too_long_is_refused_unread(served: TestClient, problem: Check) -> None:
    problem(served.post(SIMULATE, content=b"x" * (MAX_BODY + 1)), 413, "too_long")

    def pieces() -> Any:
        for _ in range(MAX_BODY):
            yield b"xx"

    problem(served.post(SIMULATE, content=pieces()), 413, "too_long")


def test_races_that_are_not_there(served: TestClient, problem: Check, tmp_path: Path) -> None:
    assert (
        "Did you mean"
        in problem(served.post(SIMULATE, json={**ASKED, "race": "Austriaa"}), 404, "unknown_event")["hint"]
    )
    gone = problem(served.post(SIMULATE, json={**ASKED, "race": "monza", "year": 1999}), 404, "not_ready")
    assert "2018" in gone["hint"]
    nothing = Installation(tmp_path / "nothing").client().post(SIMULATE, json=ASKED)
    assert "run.py build" in problem(nothing, 404, "not_ready")["hint"]


def test_a_question_is_asked_by_post(served: TestClient, problem: Check) -> None:
    answer = served.get(SIMULATE)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"
    asked = {"origin": "https://a.example", "access-control-request-method": "POST"}
    allowed = served.options(SIMULATE, headers=asked)
    assert allowed.status_code == 204 and "POST" in allowed.headers["access-control-allow-methods"]


@pytest.mark.slow
def test_the_best_strategies_are_answered(served: TestClient) -> None:
    asked = {"race": "Austria", "year": 2026, "driver": "norris", "runs": 50}
    found = OptimiseAnswer.model_validate(served.post(OPTIMISE, json=asked).json())
    assert [one.rank for one in found.strategies] == [1, 2, 3, 4, 5]
    positions = [one.expected_position for one in found.strategies]
    assert positions == sorted(positions) and found.own is not None and found.own.rank == 0
    plans = {(one.start_tire, tuple(stop.tire for stop in one.pit_stops)) for one in found.strategies}
    assert len(plans) == 5, "five different ones"


def test_the_documented_question_is_answered(served: TestClient) -> None:
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"strategy/simulate .*? -d '(.*?)'", page, re.DOTALL)
    found = SimulateAnswer.model_validate(served.post(SIMULATE, content=body, headers=JSON).json())
    assert found.event_id == EVENT and found.runs == 300
    members = set(re.findall(r"`([a-z_]+)`", page.split("## What if")[1].split("## When")[0]))
    assert set(SimulateRequest.model_fields) - {"race", "year", "driver"} <= members


def test_examples_fit_the_shapes() -> None:
    SimulateRequest.model_validate(SIMULATE_QUESTION)
    OptimiseRequest.model_validate(OPTIMISE_QUESTION)
    SimulateAnswer.model_validate(SIMULATE_EXAMPLE)
    OptimiseAnswer.model_validate(OPTIMISE_EXAMPLE)


def test_one_at_a_time_a_few_wait_and_the_others_are_asked_to_come_back() -> None:
    gate, open_, let_in, refused, order = routes.Turnstile(), threading.Event(), threading.Event(), [], []

    def first() -> None:
        with gate.turn():
            let_in.set()
            open_.wait(10)
            order.append("first")

    def later() -> None:
        with gate.turn():
            order.append("later")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert let_in.wait(10)
    threads += [threading.Thread(target=later) for _ in range(routes.MAX_WAITING)]
    for thread in threads[1:]:
        thread.start()
    while gate._count < routes.MAX_WAITING + 1:
        time.sleep(0.01)
    try:
        with gate.turn():
            order.append("never")
    except Problem as error:
        refused.append(error)
    open_.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", *["later"] * routes.MAX_WAITING]
    assert refused[0].status == 503 and refused[0].headers["Retry-After"] == str(routes.RETRY_AFTER_S)
    with gate.turn():
        assert gate._count == 1
