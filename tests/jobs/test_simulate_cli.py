"""``simulate`` and ``optimise``: what they answer as text and as JSON, what they refuse and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Answer
from tests.strategy_data import strategy_folder

RACE = ("--race", "Austria", "--year", "2026", "--driver", "norris")
OUT = ("--race", "monaco", "--year", "2026", "--driver", "VER")
"""Out on lap 1."""
Jobs = Callable[..., Answer]


@pytest.fixture(scope="session")
def data(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strategy_folder(ingested, tmp_path_factory)


def test_a_simulation_is_told_and_is_the_same_as_data(jobs: Jobs, data: Path) -> None:
    asked = (*RACE, "--stop", "15:HARD", "--stop", "45h", "--runs", "60", "--seed", "3")
    told = jobs("simulate", *asked, data=data)
    assert told.code == 0, told.err
    assert "Lando Norris: Medium, hard after lap 15, hard after lap 45" in told.out
    assert "60 simulations, seed 3, pace: pre_race." in told.out
    found = json.loads(jobs("simulate", *asked, "--json", data=data).out)
    assert f"Simulated P{found['simulated_position']} " in told.out
    assert [stop["lap"] for stop in found["rejoins"]] == [15, 45]
    scenario = "cars=lando-norris:-15H-45H&runs=60&seed=3"
    pasted = json.loads(jobs("simulate", *RACE, "--scenario", scenario, "--json", data=data).out)
    assert pasted == found, "a scenario from the page's address is the same"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--driver", "norriss"), "Did you mean lando-norris?"),
        (("--stop", "20"), "Write lap and tyre, e.g. 20:HARD."),
        (("--stop", "20:PURPLE"), "Known: SOFT, MEDIUM, HARD"),
        (("--stop", "20:MEDIUM", "--start", "M"), "rule: two dry compounds"),
        (("--stop", "20:HARD", "--no-stop"), "together with --no-stop"),
        (("--weather", "snow"), "Known: real, DRY, WET, MIXED"),
        (("--scenario", "seed=x"), "seed: 'x' is not a whole number"),
        (("--seed", "-3"), "--seed: '-3' is not a whole number"),
        (("--safety-cars", "some"), "--safety-cars: 'some' is not known"),
        (("--race", "Atlantis"), "Atlantis"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(
    asked: tuple[str, ...], words: str, jobs: Jobs, data: Path
) -> None:
    told = jobs("simulate", *RACE, *asked, data=data)
    assert told.code == 2 and words in told.err
    assert "Traceback" not in told.err and not told.out


def test_a_car_that_is_out_on_the_first_lap_is_told(jobs: Jobs, data: Path) -> None:
    told = jobs("simulate", *OUT, "--runs", "20", data=data)
    assert told.code == 0, told.err
    assert "really retired on lap 1" in told.out
    on = jobs("simulate", *OUT, "--finishes", "--runs", "20", data=data)
    assert on.code == 0 and "Max Verstappen:" in on.out


def test_before_the_race_its_result_is_not_told(jobs: Jobs, data: Path) -> None:
    told = jobs("simulate", *RACE, "--as-of", "2026-06-20", "--runs", "20", data=data)
    assert told.code == 0, told.err
    assert "officially" not in told.out and "No result of this race is known" in told.out


def test_a_race_without_laps_ends_with_its_own_code(jobs: Jobs, data: Path) -> None:
    told = jobs("simulate", "--race", "monza", "--year", "2010", "--driver", "alonso", data=data)
    assert told.code == 3 and "2018" in told.err


@pytest.mark.slow
def test_the_best_strategies_are_ranked(jobs: Jobs, data: Path) -> None:
    told = jobs("optimise", *RACE, "--runs", "50", data=data)
    assert told.code == 0, told.err
    assert "the best strategies" in told.out and "best" in told.out and "own" in told.out
    found = json.loads(jobs("optimise", *RACE, "--runs", "50", "--json", data=data).out)
    assert [one["rank"] for one in found["strategies"]] == [1, 2, 3, 4, 5]
