"""Accuracy and health: on nothing, on a small installation, and on a built one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from f1core.api.reports import Reports
from f1core.api.shapes import Accuracy, Health
from f1core.settings import load_settings
from tests.api.installation import Installation, TestClient
from tests.conftest import workspace_of
from warehouse.queries.accuracy import backtest_scores
from warehouse.vocab import Stage


def test_a_demo_is_answered_where_nothing_else_is_and_marked_everywhere(installation: Installation) -> None:
    """A real warehouse takes its place as soon as it is there, without a restart."""
    made = Installation(installation.root / "demo")
    installation.ledger.root.rename(installation.root / "kept")
    shutil.move(installation.documents, made.documents)
    shutil.move(installation.root / "kept", made.ledger.root)
    client = installation.client()
    addresses = ["/api/predict/next", "/api/v1/predictions/upcoming", "/api/v1/health", "/api/predict/x/2026"]
    addresses += ["/api/predict/x/y", "/api/docs", "/api/nothing", "/api/v1/accuracy"]
    assert client.get("/api/predict/next").status_code == 404, "a demo that was not built is none"
    snapshot = (
        '{"schema_version": 1, "published_at": "2026-11-20T00:00:00+00:00", "versions": {}, "notes": {}}'
    )
    (made.root / "warehouse").mkdir()
    (made.root / "warehouse" / "snapshot.json").write_text(snapshot)
    assert client.get("/api/predict/next").json()["kind"] == "sealed"
    for address in addresses:
        answer = client.get(address)
        assert answer.headers["x-demo-season"] == "true", address
        assert "X-Demo-Season" in answer.headers["access-control-expose-headers"]
    for address in addresses[1:3]:
        assert client.get(address).json()["is_demo"] is True
    (installation.root / "warehouse").mkdir()
    (installation.root / "warehouse" / "snapshot.json").write_text(snapshot)
    for address in addresses:
        assert "x-demo-season" not in client.get(address).headers
    assert client.get("/api/v1/health").json()["is_demo"] is False
    assert client.get("/api/predict/next").status_code == 404


def test_health_of_nothing_says_what_is_missing(tmp_path: Path) -> None:
    answer = Installation(tmp_path / "nothing").client().get("/api/v1/health")
    assert answer.status_code == 200
    found = Health.model_validate(answer.json())
    assert found.status == "degraded"
    assert (found.ledger.state, found.ledger.count, found.ledger.head) == ("empty", 0, None)
    assert found.warehouse.state == found.models.state == "missing"
    assert [problem.split(":")[0] for problem in found.problems] == ["warehouse", "models", "documents"]
    assert str(tmp_path) not in answer.text


def test_health_knows_the_chain(client: TestClient, installation: Installation) -> None:
    ledger = client.get("/api/v1/health").json()["ledger"]
    count, head = installation.ledger.head()
    assert (ledger["state"], ledger["count"], ledger["head"], ledger["problems"]) == (
        "intact",
        count,
        head,
        [],
    )
    assert count == 3
    assert client.get("/api/v1/health").json()["documents"] == {
        "sealed": 3,
        "backtest": 3,
        "provisional": 2,
        "events": 8,
    }


def test_the_chain_is_not_walked_at_every_request(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = installation.client()
    client.get("/api/v1/health")
    installation.seal("2026-qatar", Stage.PRE_WEEKEND)
    assert client.get("/api/v1/health").json()["ledger"]["count"] == 3
    monkeypatch.setattr("f1core.api.reports.VERIFIED_FOR_S", 0.0)
    assert client.get("/api/v1/health").json()["ledger"]["count"] == 4


def test_accuracy_of_nothing_is_not_ready(client: TestClient, problem: Any) -> None:
    assert "run.py build" in problem(client.get("/api/v1/accuracy"), 404, "not_ready")["hint"]


@pytest.mark.parametrize(
    "text", ["", "{", '{"schema_version": 999, "published_at": "", "versions": {}, "notes": {}}']
)
def test_a_warehouse_that_cannot_be_read(
    client: TestClient, installation: Installation, problem: Any, text: str
) -> None:
    (installation.root / "warehouse").mkdir()
    (installation.root / "warehouse" / "snapshot.json").write_text(text)
    found = problem(client.get("/api/v1/accuracy"), 503, "unavailable")
    assert str(installation.root) not in str(found)
    health = client.get("/api/v1/health")
    assert (health.status_code, health.json()["warehouse"]["state"]) == (200, "unreadable")


@pytest.mark.slow
def test_accuracy_puts_sealed_and_backtest_side_by_side(small_copy: Path) -> None:
    made = Installation(small_copy)
    found = Accuracy.model_validate(made.client(clock=None).get("/api/v1/accuracy").json())
    work = workspace_of(small_copy)
    scores = backtest_scores(work.reader, target=None)
    assert (found.sealed.kind, found.sealed.count_events, found.sealed.rows) == ("sealed", 0, [])
    assert found.backtest.count_events == scores["event_id"].n_unique() > 0
    assert found.snapshot == work.reader.snapshot.id
    for row in found.backtest.rows:
        own = scores.filter(target=row.target, stage=row.stage, model=row.model)
        assert row.count_events == own.height
        assert row.scores["mae_ranked"] == pytest.approx(own["mae_ranked"].mean(), abs=1e-6)
    season = max(scores["season"])
    part = made.client(clock=None).get(f"/api/v1/accuracy?season={season}").json()
    assert (
        part["backtest"]["count_events"] == scores.filter(scores["season"] == season)["event_id"].n_unique()
    )
    assert part["season"] == season
    nothing = made.client(clock=None).get("/api/v1/accuracy?season=1950").json()
    assert (nothing["backtest"]["count_events"], nothing["backtest"]["rows"]) == (0, [])


@pytest.mark.slow
def test_health_of_a_built_installation(small_copy: Path) -> None:
    found = Health.model_validate(Installation(small_copy).client(clock=None).get("/api/v1/health").json())
    assert (found.status, found.problems) == ("ok", [])
    assert found.warehouse.state == "ready"
    assert found.warehouse.age_s is not None and found.warehouse.age_s > 0
    assert found.models.production
    assert found.documents["events"] > 0 and found.documents["backtest"] > 0


@pytest.mark.slow
def test_health_notices_a_chain_that_was_shortened(small_copy: Path) -> None:
    import json

    snapshot = small_copy / "warehouse" / "snapshot.json"
    content = json.loads(snapshot.read_text())
    content["notes"]["ledger"] = {"count": 7, "head": "x"}
    snapshot.write_text(json.dumps(content))
    found = Installation(small_copy).client(clock=None).get("/api/v1/health").json()
    assert any("knew 7 records, the chain has 0" in problem for problem in found["problems"])


@pytest.mark.slow
def test_accuracy_follows_a_new_snapshot_and_a_lost_warehouse(small_copy: Path) -> None:
    reports = Reports(load_settings(data=small_copy))
    first = reports.accuracy(None)
    assert reports.accuracy(None) is first, "kept as long as nothing is published"
    shutil.rmtree(small_copy / "warehouse")
    client = Installation(small_copy).client(clock=None)
    assert client.get("/api/v1/accuracy").status_code == 404
