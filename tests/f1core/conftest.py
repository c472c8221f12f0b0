"""What tests of the network sources share: a server on this machine, and a record of requests on a time that is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from f1core.sources.limits import Quota
from tests.local_server import FakeTime, LocalServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """A web server on this machine, asked without any proxy."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with LocalServer().running() as running:
        yield running


@pytest.fixture
def clock() -> FakeTime:
    """A time that passes only when somebody waits."""
    return FakeTime()


@pytest.fixture
def quota(tmp_path: Path, clock: FakeTime) -> Quota:
    """A record of requests that waits on the told time."""
    return Quota(tmp_path / "jobs" / "quota.sqlite", now=clock.now, sleep=clock.sleep)
