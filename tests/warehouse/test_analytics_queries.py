"""Questions of analysts to an invented championship, and to a warehouse that knows nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from warehouse.queries import circuits, drivers, rankings, teams
from warehouse.queries.samples import SMALL_SAMPLE_RACES
from warehouse.reader import Reader
from warehouse.store import Store

QUESTIONS: dict[str, Callable[[Reader], pl.DataFrame]] = {
    "season_drivers": lambda reader: drivers.season_drivers(reader, 2023),
    "driver_season_metrics": lambda reader: drivers.driver_season_metrics(reader, 2023),
    "driver_career": lambda reader: drivers.driver_career(reader, "nobody"),
    "compare_drivers": lambda reader: drivers.compare_drivers(reader, ["nobody", "somebody"]),
    "driver_races": lambda reader: drivers.driver_races(reader, "nobody", last=5),
    "driver_circuits": lambda reader: drivers.driver_circuits(reader, "nobody"),
    "season_teams": lambda reader: teams.season_teams(reader, 2023),
    "team_season_metrics": lambda reader: teams.team_season_metrics(reader, 2023),
    "team_history": lambda reader: teams.team_history(reader, "nobody"),
    "compare_teams": lambda reader: teams.compare_teams(reader, ["nobody"]),
    "season_team_races": lambda reader: teams.season_team_races(reader, 2023),
    "team_drivers": lambda reader: teams.team_drivers(reader, "nobody"),
    "team_lineage": lambda reader: teams.team_lineage(reader, "nobody"),
    "circuit_list": circuits.circuit_list,
    "circuit_profile": lambda reader: circuits.circuit_profile(reader, "nowhere"),
    "circuit_profiles": circuits.circuit_profiles,
    "grid_wins": lambda reader: circuits.grid_wins(reader, "nowhere"),
    "grid_wins_lately": lambda reader: circuits.grid_wins(reader, "nowhere", 2010),
    "previous_winners": lambda reader: circuits.previous_winners(reader, "nowhere", 3),
    "most_wins": lambda reader: circuits.most_wins(reader, "nowhere", "constructor"),
    "circuit_layouts": lambda reader: circuits.circuit_layouts(reader, "nowhere"),
    "rankings": lambda reader: rankings.rankings(reader, "driver"),
    "elo_lines": lambda reader: rankings.elo_lines(reader, "constructor", ["nobody"]),
    "highest_elo": lambda reader: rankings.highest_elo(reader, "driver"),
}


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    root = tmp_path_factory.mktemp("nothing")
    Store(root).publish(now=dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    reader = Reader(root)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def invented(tiny_data: Path) -> Iterator[Reader]:
    reader = Reader(tiny_data / "warehouse")
    yield reader
    reader.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_known_is_an_empty_answer(nothing: Reader, question: str) -> None:
    found = QUESTIONS[question](nothing)
    assert found.is_empty()
    assert found.columns


def test_duels_of_strangers_count_nothing(nothing: Reader) -> None:
    found = drivers.driver_duels(nothing, "nobody", "somebody").row(0, named=True)
    assert (found["count_events"], found["points_one"], found["is_small_sample"]) == (0, 0.0, True)
    assert drivers.raced_seasons(nothing) == []


def test_an_invented_championship_has_all_of_it(invented: Reader) -> None:
    assert drivers.raced_seasons(invented) == [2024, 2023]
    races = invented.query("select count(*) as n from events where season = 2023 and status = 'held'")[
        "n"
    ].item()
    metrics = drivers.driver_season_metrics(invented, 2023)
    assert metrics["count_races"].max() == races < SMALL_SAMPLE_RACES
    assert metrics["is_small_sample"].all()
    assert metrics["count_wins"].sum() == races
    listed = drivers.season_drivers(invented, 2023)
    assert sorted(listed["driver_id"]) == metrics["driver_id"].to_list()
    assert listed["points"].sort().to_list() == pytest.approx(metrics["points"].sort().to_list())
    assert teams.team_season_metrics(invented, 2023)["count_wins"].sum() == races
    assert sorted(teams.season_teams(invented, 2023)["constructor_id"]) == sorted(
        teams.team_season_metrics(invented, 2023)["constructor_id"]
    )
    for (circuit,) in (
        circuits.circuit_list(invented).filter(pl.col("count_races") > 0).select("circuit_id").iter_rows()
    ):
        wins = circuits.grid_wins(invented, circuit)
        winners = circuits.previous_winners(invented, circuit)
        assert wins["count_wins"].sum() == winners["grid_position"].count()
        assert circuits.most_wins(invented, circuit)["count_wins"].sum() == winners.height
        assert circuits.circuit_profile(invented, circuit)["count_races"].item() == winners.height


@pytest.mark.parametrize("kind", ["driver", "constructor"])
def test_rankings_of_an_event_and_lines_agree(invented: Reader, kind: rankings.EntityKind) -> None:
    newest = rankings.rankings(invented, kind)
    assert newest["rank"].to_list() == sorted(newest["rank"].to_list())
    event = newest["event_id"][0]
    assert rankings.rankings(invented, kind, event).equals(newest, null_equal=True)
    lines = rankings.elo_lines(invented, kind)
    last = lines.group_by("entity_id").agg(pl.col("elo").last())
    both = newest.join(last, on="entity_id", suffix="_of_line")
    assert both.height == newest.height
    assert (both["elo"] == both["elo_of_line"]).all()
    assert rankings.rankings(invented, kind, "1999-nowhere").is_empty()
    top = rankings.highest_elo(invented, kind, 1)
    assert top["elo"].item() == lines["elo"].max()
