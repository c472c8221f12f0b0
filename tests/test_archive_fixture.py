"""Where the facts archive is missing: tests are skipped on a developer's machine and fail in continuous integration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import archive_at


def test_without_an_archive_tests_are_skipped_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no facts archive"):
        archive_at(str(tmp_path))


def test_without_an_archive_tests_fail_in_continuous_integration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no facts archive"):
        archive_at(str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="no facts archive"):
        archive_at("https://archive.example/facts")
