"""Requests nobody should make, and files nobody should have touched: always the one shape of errors, never a half answer."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from f1core.api import create_application
from f1core.api.library import Library
from f1core.document_files import Kind
from tests.api.installation import Installation, TestClient, raw_get
from warehouse.vocab import Stage


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("no-such-race/2026", "unknown_event", "Races of 2026"),
        ("las-vegus/2026", "unknown_event", "Did you mean Las Vegas"),
        ("las-vegas/1949", "unknown_event", "2025 to 2026"),
        ("las-vegas/2025", "unknown_event", "the year 2026"),
        ("99/2026", "unknown_event", "rounds 1 to 24"),
        ("silverstone/2026", "ambiguous_event", "Name the grand prix"),
        ("%20/2026", "unknown_event", "name or a round"),
        ("日本/2026", "unknown_event", "Races of 2026"),
        ("%00/2026", "unknown_event", "Races of 2026"),
        ("%ff%fe/2026", "unknown_event", "Races of 2026"),
        ("..%5c..%5cetc%5cpasswd/2026", "unknown_event", "Races of 2026"),
    ],
)
def test_an_unknown_race_or_year(
    client: TestClient, problem: Any, address: str, code: str, words: str
) -> None:
    found = problem(client.get(f"/api/predict/{address}"), 404, code)
    assert words in found["hint"]
    assert "--year" not in found["hint"], "nobody has a command line here"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("las-vegas/abcd", "year"),
        ("las-vegas/0", "year"),
        ("las-vegas/-1", "year"),
        ("las-vegas/2026.5", "year"),
        ("las-vegas/99999", "year"),
        (f"las-vegas/{'9' * 400}", "year"),
        ("las-vegas/2026?stage=pre_lunch", "stage"),
        ("las-vegas/2026?stage=", "stage"),
        ("las-vegas/2026?target=podium", "target"),
        ("las-vegas/2026?kind=frozen", "kind"),
        ("las-vegas/2026?kind=SEALED", "kind"),
        (f"{'x' * 101}/2026", "race"),
        ("next?stage=pre_lunch", "stage"),
    ],
)
def test_what_cannot_be_understood_is_named_by_field(
    client: TestClient, problem: Any, query: str, field: str
) -> None:
    found = problem(client.get(f"/api/predict/{query}"), 422, "invalid_request")
    assert [error["field"] for error in found["errors"]] == [field]
    assert found["errors"][0]["message"]
    assert field in found["detail"]


def test_every_wrong_field_is_named(client: TestClient, problem: Any) -> None:
    answer = client.get("/api/predict/las-vegas/abcd?stage=x&kind=y&target=z")
    found = problem(answer, 422, "invalid_request")
    assert {error["field"] for error in found["errors"]} == {"year", "stage", "kind", "target"}
    season = problem(client.get("/api/v1/accuracy?season=long-ago"), 422, "invalid_request")
    assert season["errors"][0]["field"] == "season"


@pytest.mark.parametrize(
    "address",
    [
        "/api/predict/../../etc/passwd",
        "/api/predict/../../etc/passwd/2026",
        "/api/predict/%2e%2e%2f%2e%2e%2fetc%2fpasswd/2026",
        "/api/predict/..%2f..%2fetc%2fpasswd/2026",
        "/api/predict/%252e%252e%252fetc/2026",
        "/api/../../../../etc/passwd",
        "/api//etc/passwd",
        "/etc/passwd",
        "/api",
        "/api/",
        "/api/predict",
        "/api/predict/las-vegas",
        "/api/predict/las-vegas/2026/",
        "/api/predict/las-vegas/2026/race",
        "/api/v2/health",
        "/",
    ],
)
def test_there_is_nothing_elsewhere(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail", "status", "code", "hint", "errors", "known"}
    assert "root:" not in answer.text


@pytest.mark.parametrize("event_id", ["../../etc/passwd", "..", "2026-../x", "a/b", "\x00", "x" * 300])
def test_a_name_never_becomes_a_path_out_of_the_folder(installation: Installation, event_id: str) -> None:
    library = Library(installation.settings())
    from warehouse.vocab import Target

    for kind in Kind:
        assert library.stages(kind, event_id, Target.RACE) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("address", ["/api/predict/las-vegas/2026", "/api/v1/health", "/api/docs"])
def test_nothing_can_be_written(client: TestClient, problem: Any, method: str, address: str) -> None:
    answer = client.request(method, address)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("query", [b"q=" + b"x" * 10_000_000, b"&".join([b"stage=pre_race"] * 700_000)])
def test_a_query_of_ten_megabytes_is_refused_unread(
    installation: Installation, problem: Any, query: bytes
) -> None:
    app = create_application(installation.settings())
    problem(raw_get(app, "/api/predict/las-vegas/2026", query), 414, "too_long")


def test_a_path_of_a_megabyte_is_refused_unread(installation: Installation, problem: Any) -> None:
    app = create_application(installation.settings())
    problem(raw_get(app, f"/api/predict/{'x' * 1_000_000}/2026"), 414, "too_long")


def test_headers_that_make_no_sense_are_harmless(client: TestClient) -> None:
    for headers in (
        {"if-none-match": '"' * 2000},
        {"if-none-match": "W/" * 2000},
        {"accept-encoding": "gzip;q=" + "9" * 1000 + ", " * 2000},
        {"accept": "text/plain"},
        {"range": "bytes=0-10"},
        {"origin": "null"},
    ):
        answer = client.get("/api/predict/las-vegas/2026", headers=headers)
        assert answer.status_code == 200
        assert answer.json()["kind"] == "sealed"


# --- damage -----------------------------------------------------------------------------------------------------------


def flipped(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


@pytest.mark.parametrize(
    "how", ["one bit", "cut in half", "empty", "not JSON", "other record", "pretty", "a list"]
)
def test_a_sealed_record_that_was_damaged_is_not_served(
    client: TestClient, installation: Installation, problem: Any, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = "/api/predict/las-vegas/2026?stage=pre_weekend"
    good = client.get(address).content
    path = installation.record_path("2026-las-vegas", Stage.PRE_WEEKEND)
    other = installation.record_path("2026-las-vegas", Stage.PRE_QUALIFYING)
    path.write_bytes(
        {
            "one bit": flipped(good, len(good) // 2),
            "cut in half": good[: len(good) // 2],
            "empty": b"",
            "not JSON": b"\xff\xfe\x00",
            "other record": other.read_bytes(),
            "pretty": json.dumps(json.loads(good), indent=1).encode(),
            "a list": b"[]\n",
        }[how]
    )
    for _ in range(2):
        found = problem(client.get(address), 500, "damaged_record")
        assert "damaged and is not served" in found["detail"]
        assert "jobs verify" in found["hint"]
    assert client.get("/api/predict/las-vegas/2026").status_code == 200, "the further stage is whole"
    assert client.get("/api/predict/sao-paulo/2026").json()["kind"] == "backtest", "others are not affected"
    assert client.get("/api/v1/health").json()["ledger"]["state"] == "damaged"
    path.write_bytes(good)
    assert client.get(address).content == good, "restored from a copy"
    assert "Traceback" not in caplog.text


def test_damage_that_hides_its_time_is_seen(
    client: TestClient, installation: Installation, problem: Any
) -> None:
    address = "/api/predict/las-vegas/2026?stage=pre_weekend"
    good = client.get(address).content
    path = installation.record_path("2026-las-vegas", Stage.PRE_WEEKEND)
    before = path.stat()
    path.write_bytes(flipped(good, 100))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    problem(client.get(address), 500, "damaged_record")


def test_a_damaged_record_is_never_replaced_by_another_kind(
    client: TestClient, installation: Installation, problem: Any
) -> None:
    installation.record_path("2025-abu-dhabi", Stage.PRE_WEEKEND).write_bytes(b"{}")
    problem(client.get("/api/predict/abu-dhabi/2025"), 500, "damaged_record")
    assert client.get("/api/predict/abu-dhabi/2025?kind=backtest").status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"kind":"backtest"}', b"\xff"])
def test_a_stored_document_that_is_not_whole_is_not_served(
    client: TestClient, installation: Installation, problem: Any, body: bytes
) -> None:
    (installation.documents / "backtest" / "2026-sao-paulo.race.pre_race.json").write_bytes(body)
    found = problem(client.get("/api/predict/sao-paulo/2026"), 500, "damaged_document")
    assert "backtest/2026-sao-paulo.race.pre_race.json" in found["detail"]
    assert "jobs build" in found["hint"]


def test_a_document_under_a_foreign_name_is_not_served(
    client: TestClient, installation: Installation, problem: Any
) -> None:
    folder = installation.documents / "backtest"
    shutil.copy(folder / "2026-sao-paulo.race.pre_race.json", folder / "2026-qatar.race.pre_race.json")
    problem(client.get("/api/predict/qatar/2026"), 500, "damaged_document")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"format":"parcferme/events/99","events":[]}', b'{"format":1}']
)
def test_a_damaged_calendar_says_so(installation: Installation, problem: Any, body: bytes) -> None:
    (installation.documents / "events.json").write_bytes(body)
    client = installation.client()
    found = problem(client.get("/api/predict/las-vegas/2026"), 500, "damaged_document")
    assert "jobs build" in found["hint"]
    assert client.get("/api/v1/health").status_code == 200


def test_a_fault_of_ours_is_answered_in_the_same_shape_and_logged(
    client: TestClient, problem: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret-token-in-a-message")

    monkeypatch.setattr(Library, "stages", fail)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/predict/las-vegas/2026", headers={"origin": "https://a.example"})
    problem(answer, 500, "failed")
    assert "secret" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "secret-token-in-a-message" in caplog.text, "the operator must be able to find it"


def test_a_folder_that_may_not_be_read_is_answered_in_words(tmp_path: Path, problem: Any) -> None:
    file = tmp_path / "data"
    file.write_text("a file where a folder belongs")
    client = Installation(file).client()
    problem(client.get("/api/predict/las-vegas/2026"), 404, "not_ready")
    assert client.get("/api/v1/health").json()["status"] == "degraded"
