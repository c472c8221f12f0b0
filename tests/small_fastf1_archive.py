"""An archive that is the real one but for one session's parsed files, which a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

from f1core.sources.recorded import SessionRef
from warehouse.vocab import SessionKind

BAHRAIN = SessionRef("2023-bahrain", SessionKind.QUALIFYING)
BAHRAIN_FOLDER = Path("2023") / "2023-03-05_Bahrain_Grand_Prix" / "2023-03-04_Qualifying"


def small_archive(archive: Path, tmp_path: Path) -> Path:
    """Links to the archive's answers, and copies of the parsed files of :data:`BAHRAIN`."""
    small = tmp_path / "archive"
    answers = small / "fastf1-cache" / "http_cache"
    answers.mkdir(parents=True)
    (small / "f1db").symlink_to(archive / "f1db")
    for path in (archive / "fastf1-cache" / "http_cache").glob("*.json"):
        (answers / path.name).symlink_to(path)
    session = small / "fastf1-cache" / "parsed" / BAHRAIN_FOLDER
    session.mkdir(parents=True)
    for path in (archive / "fastf1-cache" / "parsed" / BAHRAIN_FOLDER).glob("*.ff1pkl"):
        shutil.copyfile(path, session / path.name)
    return small
