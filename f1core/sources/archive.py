"""Finds the facts (DESIGN §6) and reads an archive folder into raw tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from f1core.settings import Settings
from f1core.sources import f1db, laps, schedules
from f1core.sources.bundle import SESSIONS, Bundle, list_bundles
from f1core.sources.contract import RawFacts, fingerprint
from warehouse.errors import SourceError

F1DB_ZIP = Path("f1db") / "f1db-csv.zip"
LAPS = Path("laps")
NOMINATIONS = "compound_nominations.csv"
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


def base_archive(settings: Settings, *, beside: Path) -> ArchivePlace:
    """The archive of :func:`find_archive`, else what jobs fetched before; nothing is asked of the network.

    Raises:
        SourceError: There is neither.
    """
    try:
        return find_archive(settings, beside=beside)
    except SourceError:
        if settings.archive or not (settings.fetched_root / F1DB_ZIP).is_file():
            raise
    return ArchivePlace(settings.fetched_root, "fetched from the network")


def fetched_archive(settings: Settings, *, now: dt.datetime) -> ArchivePlace:
    """What jobs fetched, as an archive; where nothing was fetched yet, the newest F1DB release is fetched now.

    F1DB alone is enough for a first forecast; laps and sessions are added by a job, newest first.

    Args:
        settings: The product's settings.
        now: The real clock.

    Raises:
        SourceUnavailable: Nothing was fetched, and the network cannot be asked (or may not be: PARCFERME_OFFLINE).
        SourceError: What was fetched is damaged.
    """
    root = settings.fetched_root
    if not (root / F1DB_ZIP).is_file():
        from f1core.sources.f1db_release import fetch_release
        from f1core.sources.limits import Quota

        fetch_release(settings, quota=Quota.of(settings), now=now)
    return ArchivePlace(root, "fetched from the network")


def f1db_zip(place: ArchivePlace, fetched: Path | None) -> Path:
    """The F1DB release that holds the newer facts: the archive's, or the one that jobs fetched."""
    return _choose_f1db(place, fetched)[0]


def _choose_f1db(place: ArchivePlace, fetched: Path | None) -> tuple[Path, tuple[str, ...]]:
    base = place.path / F1DB_ZIP
    newer = fetched / F1DB_ZIP if fetched else None
    if newer is None or newer == base or not newer.is_file():
        return base, ()
    from f1core.sources.f1db_release import choose_f1db

    choice = choose_f1db(base, newer)
    return choice.path, tuple(words for words in (choice.reason, choice.problem) if words)


def schedule_files(place: ArchivePlace, fetched: Path | None) -> list[Path]:
    """Recorded answers that hold a season's schedule, the archive's and those that jobs fetched."""
    return [path for folder in _schedule_folders(place, fetched) for path in schedules.files(folder)]


def bundles(place: ArchivePlace, fetched: Path | None) -> list[Bundle]:
    """Timing sessions of the archive and those that jobs fetched, which go first, by event and session."""
    found = {_key(bundle): bundle for bundle in list_bundles(place.path)}
    found |= {_key(bundle): bundle for bundle in list_bundles(fetched)} if fetched else {}
    return [found[key] for key in sorted(found)]


def fingerprints(place: ArchivePlace, fetched: Path | None = None) -> dict[str, str]:
    """Content hashes of all an ingest would read: equal hashes mean nothing to do.

    Args:
        place: The archive.
        fetched: What jobs fetched (``data/fetched``), in the archive's layout.
    """
    release = f1db_zip(place, fetched)
    found = {F1DB_ZIP.as_posix(): fingerprint(release)} if release.is_file() else {}
    for path in sorted((place.path / LAPS).glob("*.*")):
        if path.is_file():
            found[path.relative_to(place.path).as_posix()] = fingerprint(path)
    for path in schedule_files(place, fetched):
        root = place.path if path.is_relative_to(place.path) else fetched
        kind = "" if root == place.path else "fetched/"
        found[kind + path.relative_to(str(root)).as_posix()] = fingerprint(path)
    for bundle in bundles(place, fetched):
        found["/".join((SESSIONS, *_key(bundle)))] = bundle.version
    return found


def read(
    place: ArchivePlace, progress: Callable[[str], None] = lambda _: None, *, fetched: Path | None = None
) -> RawFacts:
    """Reads the whole archive, and the newer facts that jobs fetched, into raw tables.

    Args:
        place: The archive: the base.
        progress: Told what is being read.
        fetched: What jobs fetched (``data/fetched``), in the archive's layout.

    Raises:
        SourceError: A file is missing, damaged or truncated.
        SourceSchemaError: A file has another format.
    """
    progress("F1DB results")
    release, chosen = _choose_f1db(place, fetched)
    results = f1db.read(release)
    progress("race laps")
    lapwise = laps.read(place.path / LAPS)
    progress("season schedules")
    calendars = schedules.read(*_schedule_folders(place, fetched))
    return RawFacts(
        {**results.tables, **lapwise.tables, **calendars.tables},
        {},
        (*chosen, *results.remarks, *lapwise.remarks, *calendars.remarks),
    )


def _schedule_folders(place: ArchivePlace, fetched: Path | None) -> list[Path]:
    return [root / SCHEDULES for root in (place.path, fetched) if root is not None]


def _key(bundle: Bundle) -> tuple[str, str]:
    return bundle.meta.event_id, bundle.meta.session.value
