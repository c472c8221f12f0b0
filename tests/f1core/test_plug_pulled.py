"""A sample of ``benchmarks/chaos.py``: killed refreshes lose nothing. The full counts run there."""

from __future__ import annotations

import datetime as dt
import random
import shutil

import pytest

from benchmarks.chaos import refreshes
from f1core.demo.archive import ensure_demo, generate


@pytest.mark.slow
def test_killed_refreshes_lose_nothing(tmp_path):
    now = dt.datetime.now(dt.UTC)
    generate(tmp_path / "before", now=now)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    ensure_demo(tmp_path / "after", now + dt.timedelta(days=12))
    words = refreshes(tmp_path, tmp_path / "before", tmp_path / "after", 2, random.Random())
    assert words.endswith(
        "unreadable afterwards 0, next run failed 0, tables different from a clean build 0, sealed records lost 0"
    )
