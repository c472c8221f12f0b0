"""Small installations for the API's tests: a ledger sealed by the ledger itself, events and stored documents by hand."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from f1core.api import create_application
from f1core.document_files import EVENTS_FORMAT, Kind, document_file, events_file
from f1core.ledger import Ledger, Record, canonical, prediction_name
from f1core.settings import REPOSITORY, Settings, load_settings
from tests.conftest import jobs_environment
from warehouse.vocab import Stage, Target

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the framework announces another client library
    from fastapi.testclient import TestClient

NOW = "2026-11-20T12:00Z"
"""Between the race of Brazil (raced, nothing sealed) and Las Vegas (next)."""
DRIVERS = ("ada-lovelace", "emmy-noether", "sofja-kowalewskaja", "grace-hopper")

# slug, name, circuit, country, season, round, race start, qualifying start, status
CALENDAR = (
    ("abu-dhabi", "Abu Dhabi", "Yas Marina", "United Arab Emirates", 2025, 24, "2025-12-07T13:00", "2025-12-06T14:00", "held"),
    ("silverstone-a", "First Silverstone", "Silverstone", "United Kingdom", 2026, 18, "2026-10-04T14:00", "2026-10-03T14:00", "held"),
    ("silverstone-b", "Second Silverstone", "Silverstone", "United Kingdom", 2026, 19, "2026-10-18T14:00", "2026-10-17T14:00", "held"),
    ("sao-paulo", "São Paulo", "Interlagos", "Brazil", 2026, 20, "2026-11-08T17:00", "2026-11-07T18:00", "scheduled"),
    ("nowhere", "Nowhere", "Flooded", "Atlantis", 2026, 21, "2026-11-21T12:00", "2026-11-20T14:00", "cancelled"),
    ("las-vegas", "Las Vegas", "Las Vegas", "United States of America", 2026, 22, "2026-11-22T04:00", "2026-11-21T04:00", "scheduled"),
    ("qatar", "Qatar", "Lusail", "Qatar", 2026, 23, "2026-11-29T16:00", "2026-11-28T18:00", "scheduled"),
    ("abu-dhabi", "Abu Dhabi", "Yas Marina", "United Arab Emirates", 2026, 24, "2026-12-06T13:00", "2026-12-05T14:00", "scheduled"),
)  # fmt: skip


def event_rows() -> list[dict[str, Any]]:
    rows = []
    for slug, name, circuit, country, season, round_, race, qualifying, status in CALENDAR:
        rows.append(
            {
                "event_id": f"{season}-{slug}",
                "season": season,
                "round": round_,
                "grand_prix_id": slug,
                "grand_prix_name": name,
                "full_name": f"{name} Grand Prix",
                "short_name": f"{name} GP",
                "circuit_id": circuit.lower().replace(" ", "-"),
                "circuit_name": circuit,
                "circuit_full_name": f"{circuit} Circuit",
                "previous_names": None,
                "place_name": circuit,
                "grand_prix_country": country,
                "country_name": country,
                "race_starts_at": f"{race}:00Z",
                "result_known_at": f"{race[:11]}{int(race[11:13]) + 3:02d}{race[13:]}:00Z",
                "status": status,
                "sessions": {"qualifying": f"{qualifying}:00Z", "race": f"{race}:00Z"},
            }
        )
    return rows


def prediction(event_id: str, stage: Stage, kind: Kind, *, target: Target = Target.RACE) -> dict[str, Any]:
    """A whole document of a small invented field."""
    shares = (0.4, 0.3, 0.2, 0.1)
    entries = [
        {
            "predicted_position": place,
            "driver_id": driver,
            "driver_name": driver.replace("-", " ").title(),
            "driver_code": driver[:3].upper(),
            "constructor_id": "analytical-engine",
            "constructor_name": "Analytical Engine",
            "expected_position": place + 0.25,
            "median_position": float(place),
            "position_low": 1,
            "position_high": 4,
            "win_probability": share,
            "podium_probability": min(1.0, share * 3),
            "points_probability": 1.0,
            "grid_position": None,
            "gap_s": 1.5 * (place - 1),
            "race_time_s": 5400.0 + place,
            "data_quality_flag": "ok",
            "feature_coverage": 1.0,
        }
        for place, (driver, share) in enumerate(zip(DRIVERS, shares, strict=True), start=1)
    ]
    row = next((row for row in event_rows() if row["event_id"] == event_id), event_rows()[0])
    own = {
        "sealed_at": "2026-11-19T10:00:00Z",
        "session": {"kind": target.value, "starts_at": row["sessions"]["race"]},
    }
    return {
        "format": "parcferme/prediction/1",
        "kind": kind.value,
        "event_id": event_id,
        "target": target.value,
        "stage": stage.value,
        "event": {
            "season": int(event_id[:4]),
            "round": row["round"],
            "grand_prix": row["grand_prix_name"],
            "official_name": f"The Grand Prix of {row['grand_prix_name']}",
            "circuit_id": row["circuit_id"],
            "circuit": row["circuit_name"],
            "sessions": row["sessions"],
        },
        "as_of": "2026-11-19T09:00:00Z",
        "computed_at": "2026-11-19T09:30:00Z",
        "model": {"name": "rf_xgb", "version": f"race-{stage.value}-rf_xgb-test"},
        "data": {"version": "v", "through": "2026-11-08T20:00:00Z", "last_event_id": "2026-sao-paulo"},
        "features": {"count": 2, "coverage": 1.0, "count_imputed_drivers": 0},
        "software": {"fastf1": "3.9.0"},
        "confidence": {"driver_id": DRIVERS[0], "score": 0.4, "level": "medium"},
        "warnings": ["It may rain in São Paulo"],
        "entries": entries,
        "baselines": {"elo": entries[:1]},
        **(own if kind is Kind.SEALED else {}),
    }


class Installation:
    """A data folder that the API answers from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = Ledger(root / "ledger")
        self.documents = root / "documents"

    def write_events(self, rows: list[dict[str, Any]] | None = None) -> None:
        path = events_file(self.documents)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            canonical({"format": EVENTS_FORMAT, "events": event_rows() if rows is None else rows})
        )

    def seal(self, event_id: str, stage: Stage, target: Target = Target.RACE) -> Record:
        name = prediction_name(event_id, target.value, stage.value)
        record, is_new = self.ledger.seal(name, prediction(event_id, stage, Kind.SEALED, target=target))
        assert is_new
        return record

    def store(self, kind: Kind, event_id: str, stage: Stage) -> bytes:
        path = document_file(self.documents, kind, event_id, Target.RACE, stage)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(canonical(prediction(event_id, stage, kind)))
        return path.read_bytes()

    def record_path(self, event_id: str, stage: Stage) -> Path:
        return self.ledger.records / f"{prediction_name(event_id, 'race', stage.value)}.json"

    def settings(self, **given: Any) -> Settings:
        return load_settings(**{"data": self.root, "clock": NOW, "archive": None} | given)

    def client(self, **given: Any) -> TestClient:
        return TestClient(create_application(self.settings(**given)), raise_server_exceptions=False)


def raw_get(app: ASGIApp, path: str, query: bytes = b"") -> httpx.Response:
    """Asks an application for an address that no client library would send."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"test")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    asyncio.run(app(scope, receive, send))
    start, *parts = sent
    return httpx.Response(
        start["status"], headers=start["headers"], content=b"".join(p["body"] for p in parts)
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], data: Path, port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A server as a process of its own, from when it listens until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=REPOSITORY,
        env=jobs_environment(data, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)
