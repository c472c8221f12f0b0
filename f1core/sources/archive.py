"""Finds the facts (DESIGN §6) and reads an archive folder into raw tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from f1core.settings import Settings
from f1core.sources import f1db, laps, schedules
from f1core.sources.contract import RawFacts, fingerprint
from warehouse.errors import SourceError

F1DB_ZIP = Path("f1db") / "f1db-csv.zip"
LAPS = Path("laps")
SCHEDULES = Path("fastf1-cache") / "http_cache"
NEEDED = "An archive folder holds f1db/f1db-csv.zip, laps/laps_YYYY.parquet and fastf1-cache/http_cache."


@dataclass(frozen=True)
class ArchivePlace:
    """Where the facts are taken from.

    Attributes:
        path: The archive folder.
        reason: Why this one, in words for the reader.
        is_demo: Whether it is the product's own made-up season.
    """

    path: Path
    reason: str
    is_demo: bool = False


def find_archive(settings: Settings, *, beside: Path) -> ArchivePlace:
    """Looks for facts in the agreed order: the setting, then an archive folder beside the checkout.

    Args:
        settings: The product's settings.
        beside: Folder of the checkout.

    Raises:
        SourceError: There is none; the message says what is needed.
    """
    if settings.archive:
        if "://" in settings.archive:
            raise SourceError(
                f"PARCFERME_ARCHIVE is an address ({settings.archive}); this version reads folders only.",
                hint=f"Download the archive and set PARCFERME_ARCHIVE to its folder. {NEEDED}",
            )
        path = Path(settings.archive).expanduser()
        if not (path / F1DB_ZIP).is_file():
            raise SourceError(
                f"PARCFERME_ARCHIVE is {path}, but {path / F1DB_ZIP} does not exist.", hint=NEEDED
            )
        return ArchivePlace(path, "PARCFERME_ARCHIVE")
    path = beside.parent / "shared" / "f1-archive"
    if (path / F1DB_ZIP).is_file():
        return ArchivePlace(path, "the archive folder beside the checkout")
    raise SourceError(
        f"No facts found: PARCFERME_ARCHIVE is not set and {path} holds no archive.",
        hint=f"Set PARCFERME_ARCHIVE to an archive folder. {NEEDED}",
    )


def fingerprints(place: ArchivePlace) -> dict[str, str]:
    """Content hashes of all files an ingest would read: equal hashes mean nothing to do."""
    found = {}
    paths = [
        place.path / F1DB_ZIP,
        *sorted((place.path / LAPS).glob("*.*")),
        *sorted((place.path / SCHEDULES).glob("*.json")),
    ]
    for path in paths:
        if path.is_file():
            found[path.relative_to(place.path).as_posix()] = fingerprint(path)
    return found


def read(place: ArchivePlace, progress: Callable[[str], None] = lambda _: None) -> RawFacts:
    """Reads the whole archive into raw tables.

    Args:
        place: The archive.
        progress: Told what is being read.

    Raises:
        SourceError: A file is missing, damaged or truncated.
        SourceSchemaError: A file has another format.
    """
    progress("F1DB results")
    results = f1db.read(place.path / F1DB_ZIP)
    progress("race laps")
    lapwise = laps.read(place.path / LAPS)
    progress("season schedules")
    calendars = schedules.read(place.path / SCHEDULES)
    return RawFacts(
        {**results.tables, **lapwise.tables, **calendars.tables},
        {},
        (*results.remarks, *lapwise.remarks, *calendars.remarks),
    )
