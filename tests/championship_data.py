"""A data folder with the title odds of some seasons, for tests of the use case, the page and the API."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from f1core.championship import refresh_championship
from tests.conftest import once_per_run, workspace_of

SEASONS = (2021, 2026)


def championship_folder(ingested: Path, factory: pytest.TempPathFactory) -> Path:
    """The real facts with title odds after every round of :data:`SEASONS`. Read only: copy it to change it."""

    def make(folder: Path) -> None:
        shutil.copytree(ingested, folder, dirs_exist_ok=True)
        for season in SEASONS:
            refresh_championship(workspace_of(folder), season)

    return once_per_run(factory, "championship-data", make)
