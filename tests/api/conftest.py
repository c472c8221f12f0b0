"""What the API's tests share: a small installation, its client, and the one shape of errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from f1core.document_files import Kind
from f1core.settings import REPOSITORY
from tests.api.installation import Installation, TestClient
from warehouse.vocab import Stage

PROBLEM_KEYS = {"detail", "status", "code", "hint", "errors", "known"}


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Las Vegas is sealed twice, São Paulo backtested, Qatar provisional, Abu Dhabi 2025 sealed and backtested."""
    made = Installation(tmp_path / "data")
    made.write_events()
    made.seal("2026-las-vegas", Stage.PRE_WEEKEND)
    made.seal("2026-las-vegas", Stage.PRE_QUALIFYING)
    made.seal("2025-abu-dhabi", Stage.PRE_WEEKEND)
    made.store(Kind.BACKTEST, "2025-abu-dhabi", Stage.PRE_RACE)
    made.store(Kind.BACKTEST, "2026-sao-paulo", Stage.PRE_QUALIFYING)
    made.store(Kind.BACKTEST, "2026-sao-paulo", Stage.PRE_RACE)
    made.store(Kind.PROVISIONAL, "2026-las-vegas", Stage.PRE_WEEKEND)
    made.store(Kind.PROVISIONAL, "2026-qatar", Stage.PRE_WEEKEND)
    return made


@pytest.fixture
def client(installation: Installation) -> TestClient:
    return installation.client()


@pytest.fixture
def problem() -> Callable[[Any, int, str], dict[str, Any]]:
    """Checks that an answer is an error in the one shape, and hands it out."""

    def check(answer: Any, status: int, code: str) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        found: dict[str, Any] = answer.json()
        assert set(found) == PROBLEM_KEYS
        assert (found["status"], found["code"]) == (status, code)
        assert found["detail"]
        assert "Traceback" not in answer.text
        assert str(REPOSITORY.parent / "shared") not in answer.text
        assert str(REPOSITORY) not in answer.text
        return found

    return check
