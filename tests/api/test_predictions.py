"""Which document is answered to whom, and what is said when there is none."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

import pytest

from f1core.ledger import content_hash
from f1core.settings import load_settings
from tests.api.installation import Installation, TestClient
from warehouse.vocab import Stage, Target


def test_a_sealed_record_is_answered_byte_for_byte(client: TestClient, installation: Installation) -> None:
    for stage in (Stage.PRE_WEEKEND, Stage.PRE_QUALIFYING):
        answer = client.get(f"/api/predict/las-vegas/2026?stage={stage}")
        assert answer.status_code == 200
        assert answer.content == installation.record_path("2026-las-vegas", stage).read_bytes()
        assert content_hash(answer.json()) == answer.json()["hash"]


@pytest.mark.parametrize(
    "race", ["las-vegas", "Las Vegas", "Las%20Vegas", "vegas", "22", "next", "2026-las-vegas", "LAS-VEGAS"]
)
def test_a_race_answers_to_its_slug_name_round_and_next(client: TestClient, race: str) -> None:
    answer = client.get(f"/api/predict/{race}/2026")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["event_id"], found["kind"], found["stage"]) == (
        "2026-las-vegas",
        "sealed",
        "pre_qualifying",
    )


@pytest.mark.parametrize(
    ("query", "kind", "stage"),
    [
        ("las-vegas/2026", "sealed", "pre_qualifying"),
        ("las-vegas/2026?stage=pre_weekend", "sealed", "pre_weekend"),
        ("las-vegas/2026?kind=provisional", "provisional", "pre_weekend"),
        ("abu-dhabi/2025", "sealed", "pre_weekend"),
        ("abu-dhabi/2025?kind=backtest", "backtest", "pre_race"),
        ("sao-paulo/2026", "backtest", "pre_race"),
        ("São%20Paulo/2026?stage=pre_qualifying", "backtest", "pre_qualifying"),
        ("interlagos/2026?kind=backtest", "backtest", "pre_race"),
        ("qatar/2026?kind=provisional&stage=pre_weekend", "provisional", "pre_weekend"),
    ],
)
def test_the_kind_and_stage_that_are_answered(client: TestClient, query: str, kind: str, stage: str) -> None:
    answer = client.get(f"/api/predict/{query}")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["kind"], answer.json()["stage"]) == (kind, stage)
    # The permanent address leads to the same bytes.
    again = client.get(answer.headers["content-location"])
    assert again.content == answer.content


@pytest.mark.parametrize(
    ("query", "state", "available"),
    [
        ("qatar/2026", "due", {"provisional": ["pre_weekend"]}),
        ("las-vegas/2026?stage=pre_race", "due", {"sealed": ["pre_weekend", "pre_qualifying"], "provisional": ["pre_weekend"]}),
        ("las-vegas/2026?kind=backtest", "due", {"sealed": ["pre_weekend", "pre_qualifying"], "provisional": ["pre_weekend"]}),
        ("las-vegas/2026?target=qualifying", "due", {}),
        ("las-vegas/2026?target=sprint", "unscheduled", {}),
        ("sao-paulo/2026?kind=sealed", "missed", {"backtest": ["pre_qualifying", "pre_race"]}),
        ("abu-dhabi/2025?stage=pre_race", "missed", {"sealed": ["pre_weekend"], "backtest": ["pre_race"]}),
        ("nowhere/2026", "cancelled", {}),
    ],
)  # fmt: skip
def test_what_is_not_there_says_what_is_known_and_when_it_is_due(
    client: TestClient, problem: Any, query: str, state: str, available: dict[str, list[str]]
) -> None:
    found = problem(client.get(f"/api/predict/{query}"), 404, "not_ready")
    assert found["detail"] == "Predictions not ready"
    assert found["hint"]
    assert found["known"]["available"] == available
    official = found["known"]["official"]
    assert official["state"] == state
    if "las-vegas/2026?stage" in query:
        assert official["due_at"] == "2026-11-21T05:01:00+00:00", "a minute after an hour of qualifying"
        assert official["session_starts_at"] == "2026-11-22T04:00:00+00:00"


def test_the_policy_and_its_minutes_set_when_it_is_due(installation: Installation, problem: Any) -> None:
    settings = {"prediction_freeze_policy": "t-minus", "prediction_freeze_tminutes": 45}
    found = problem(installation.client(**settings).get("/api/predict/qatar/2026"), 404, "not_ready")
    assert found["known"]["official"] == {
        "policy": "t-minus",
        "state": "due",
        "due_at": "2026-11-29T15:15:00+00:00",
        "session_starts_at": "2026-11-29T16:00:00+00:00",
    }


def test_next_is_sealed_else_provisional_and_says_so(installation: Installation, problem: Any) -> None:
    def asked(now: str, query: str = "") -> Any:
        return installation.client(clock=now).get(f"/api/predict/next{query}")

    assert [asked("2026-11-20T12:00Z").json()[key] for key in ("event_id", "kind")] == [
        "2026-las-vegas",
        "sealed",
    ]
    assert asked("2026-11-20T12:00Z", "?kind=provisional").json()["kind"] == "provisional"
    late = asked("2026-11-22T07:00Z").json()
    assert (late["event_id"], late["kind"]) == ("2026-qatar", "provisional")
    assert (
        problem(asked("2026-11-22T07:00Z", "?kind=sealed"), 404, "not_ready")["known"]["event_id"]
        == "2026-qatar"
    )
    assert "season is over" in problem(asked("2026-12-31"), 404, "not_ready")["hint"]


def test_a_record_sealed_while_the_server_runs_is_answered(
    client: TestClient, installation: Installation
) -> None:
    assert client.get("/api/predict/qatar/2026").status_code == 404
    record = installation.seal("2026-qatar", Stage.PRE_WEEKEND)
    assert client.get("/api/predict/qatar/2026").content == record.body
    further = installation.seal("2026-qatar", Stage.PRE_QUALIFYING)
    assert client.get("/api/predict/qatar/2026").content == further.body


def test_a_record_whose_writer_died_before_naming_it_is_answered(
    client: TestClient, installation: Installation
) -> None:
    record = installation.seal("2026-qatar", Stage.PRE_WEEKEND)
    installation.record_path("2026-qatar", Stage.PRE_WEEKEND).unlink()
    assert client.get("/api/predict/qatar/2026").content == record.body


def test_a_replaced_provisional_document_is_answered_anew(
    client: TestClient, installation: Installation
) -> None:
    before = client.get("/api/predict/qatar/2026?kind=provisional")
    path = installation.documents / "provisional" / "2026-qatar.race.pre_weekend.json"
    body = before.content.replace(b'"v"', b'"w"')
    temporary = path.with_suffix(".new")
    temporary.write_bytes(body)
    os.replace(temporary, path)
    after = client.get("/api/predict/qatar/2026?kind=provisional")
    assert after.content == body
    assert after.headers["etag"] != before.headers["etag"]
    path.unlink()
    assert client.get("/api/predict/qatar/2026?kind=provisional").status_code == 404


def test_without_documents_sealed_records_still_answer(installation: Installation, problem: Any) -> None:
    (installation.documents / "events.json").unlink()
    client = installation.client()
    assert client.get("/api/predict/las-vegas/2026").json()["kind"] == "sealed"
    assert "run.py build" in problem(client.get("/api/predict/qatar/2026"), 404, "not_ready")["hint"]
    assert client.get("/api/v1/predictions/upcoming").json()["events"] == []


def test_an_empty_folder_is_answered_in_words(tmp_path: Any, problem: Any) -> None:
    empty = Installation(tmp_path / "nothing")
    problem(empty.client().get("/api/predict/las-vegas/2026"), 404, "not_ready")
    problem(empty.client().get("/api/predict/next"), 404, "not_ready")
    assert not empty.root.exists(), "reading makes nothing"


def test_upcoming_are_the_next_three_that_are_not_cancelled(client: TestClient) -> None:
    found = client.get("/api/v1/predictions/upcoming").json()
    assert [event["event_id"] for event in found["events"]] == [
        "2026-las-vegas",
        "2026-qatar",
        "2026-abu-dhabi",
    ]
    assert found["is_clock_simulated"] is True
    assert found["is_season_over"] is False
    first, second, third = (event["predictions"][0] for event in found["events"])
    assert first["prediction"]["kind"] == "sealed"
    assert first["sealed_stages"] == ["pre_weekend", "pre_qualifying"]
    assert first["official"]["state"] == "due"
    assert "entries" not in first["prediction"]
    assert [line["predicted_position"] for line in first["prediction"]["first_three"]] == [1, 2, 3]
    assert client.get(first["url"]).json()["stage"] == "pre_qualifying"
    assert (second["prediction"]["kind"], second["sealed_stages"]) == ("provisional", [])
    assert (third["prediction"], third["url"]) == (None, None)


def test_upcoming_names_a_damaged_record_and_shows_nothing_in_its_place(installation: Installation) -> None:
    path = installation.record_path("2026-las-vegas", Stage.PRE_QUALIFYING)
    path.write_bytes(path.read_bytes().replace(b"0.4", b"0.5", 1))
    first = installation.client().get("/api/v1/predictions/upcoming").json()["events"][0]["predictions"][0]
    assert first["prediction"] is None
    assert "damaged" in first["problem"]


def test_other_targets_are_listed_where_there_is_something(installation: Installation) -> None:
    installation.seal("2026-las-vegas", Stage.PRE_WEEKEND, Target.QUALIFYING)
    events = installation.client().get("/api/v1/predictions/upcoming").json()["events"]
    assert [one["target"] for one in events[0]["predictions"]] == ["race", "qualifying"]
    answer = installation.client().get("/api/predict/las-vegas/2026?target=qualifying")
    assert answer.json()["target"] == "qualifying"


def test_the_default_clock_is_the_machines(installation: Installation) -> None:
    settings = load_settings(data=installation.root, clock=None)
    assert settings.clock is None
    found = installation.client(clock=None).get("/api/v1/predictions/upcoming").json()
    assert found["is_clock_simulated"] is False
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(found["now"])
    assert dt.timedelta(0) <= age < dt.timedelta(minutes=2)
