"""The route of the championship: what it answers, what it does not find, what it costs others."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1core.api import create_application
from f1core.api.championship import ChampionshipAnswer
from f1core.settings import load_settings
from tests.api.installation import Installation, TestClient
from tests.championship_data import championship_folder
from warehouse.queries.championship import title_odds
from warehouse.reader import Reader

ADDRESS = "/api/v1/championship"


@pytest.fixture(scope="session")
def data(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return championship_folder(ingested, tmp_path_factory)


@pytest.fixture
def served(data: Path) -> TestClient:
    return TestClient(create_application(load_settings(data=data)))


@pytest.mark.parametrize("championship", ["drivers", "constructors"])
def test_the_newest_round_is_answered(championship: str, served: TestClient, data: Path) -> None:
    answer = served.get(ADDRESS, params={"championship": championship})
    assert answer.status_code == 200 and answer.headers["etag"]
    found = ChampionshipAnswer.model_validate(answer.json())
    assert (found.season, found.event_id, found.is_backtest) == (2026, "2026-austria", False)
    assert sum(entry.title_probability for entry in found.entries) == pytest.approx(1.0)
    for entry in found.entries:
        assert len(entry.position_probabilities) == len(found.entries)
        assert sum(entry.position_probabilities) == pytest.approx(1.0)
        assert entry.position_probabilities[0] == entry.title_probability
    stored = title_odds(Reader(data / "warehouse"), 2026, championship)
    assert len(found.rounds) == stored["event_id"].n_unique()
    last = stored.filter(stored["event_id"] == "2026-austria")
    assert found.rounds[-1].title_probability == dict(
        last.select("entity_id", "title_probability").iter_rows()
    )


def test_a_past_round_with_what_must_happen(served: TestClient) -> None:
    answer = served.get(ADDRESS, params={"season": 2021, "after": "2021-saudi-arabia"})
    found = ChampionshipAnswer.model_validate(answer.json())
    assert found.is_backtest and len(found.rounds) == 21
    must = found.what_must_happen
    assert must.next_event_id == "2021-abu-dhabi" and must.champion_id is None
    assert must.can_be_champion == ["max-verstappen", "lewis-hamilton"]
    assert [(one.entity_id, one.margins[0].points) for one in must.decided_at_event_if] == [
        ("max-verstappen", 0),
        ("lewis-hamilton", 1),
    ]


def test_what_is_not_there(served: TestClient, tmp_path: Path) -> None:
    for parameters, hint in (
        ({"season": 1999}, "python -m jobs championship --season 1999"),
        ({"season": 2021, "after": "2021-atlantis"}, "2021-bahrain"),
    ):
        answer = served.get(ADDRESS, params=parameters)
        assert answer.status_code == 404 and answer.json()["code"] == "not_ready"
        assert hint in answer.json()["hint"]
    assert served.get(ADDRESS, params={"championship": "mechanics"}).status_code == 422
    nothing = Installation(tmp_path / "nothing").client().get(ADDRESS)
    assert nothing.status_code == 404 and "run.py build" in nothing.json()["hint"]


def test_a_told_time_hides_later_rounds(data: Path) -> None:
    client = TestClient(create_application(load_settings(data=data, clock="2026-03-20T00:00Z")))
    assert client.get(ADDRESS).json()["event_id"] == "2026-china"
    assert client.get(ADDRESS, params={"after": "2026-austria"}).status_code == 404
