"""FastF1 sessions of an archive: which ones are there, and how FastF1 is made to read them with no network.

``fastf1-cache/http_cache`` holds frozen answers (JSON), ``fastf1-cache/parsed`` what FastF1 made of others (pickles). FastF1
writes where it reads, so it gets a work folder: links to the answers, copies of the parsed files.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from f1core.sources import f1db, schedules
from f1core.sources.safe_pickle import DELETE_IT, CacheFiles
from warehouse.errors import SourceError, UnsafeCache
from warehouse.vocab import SessionKind, feed_event_names, make_event_id

F1DB_ZIP = Path("f1db") / "f1db-csv.zip"
CACHE = Path("fastf1-cache")
ANSWERS = CACHE / "http_cache"
PARSED = CACHE / "parsed"

FEED_SESSIONS = {
    "Practice 1": SessionKind.PRACTICE_1,
    "Practice 2": SessionKind.PRACTICE_2,
    "Practice 3": SessionKind.PRACTICE_3,
    "Qualifying": SessionKind.QUALIFYING,
    "Sprint Qualifying": SessionKind.SPRINT_QUALIFYING,
    "Sprint Shootout": SessionKind.SPRINT_QUALIFYING,
    "Sprint": SessionKind.SPRINT,
    "Race": SessionKind.RACE,
}
"""The timing feed's names of sessions, as staging translates them."""

# .../static/2023/2023-03-05_Bahrain_Grand_Prix/2023-03-04_Qualifying/TimingData.jsonStream
_ADDRESS = re.compile(r"/static/(\d{4})/([^/\s\"]+)/([^/\s\"]+)/\w+(?:\.z)?\.jsonStream")
_DATE = len("2023-03-05_")


@dataclass(frozen=True, order=True)
class SessionRef:
    """A session by name.

    Attributes:
        event_id: Its event, e.g. ``2023-bahrain``.
        session: Which of the event's sessions.
    """

    event_id: str
    session: SessionKind

    @property
    def season(self) -> int:
        """The season of its event."""
        return int(self.event_id[:4])

    def __str__(self) -> str:
        return f"{self.event_id} {self.session.value}"


def recorded_sessions(archive: Path, event_names: Mapping[str, str] | None = None) -> list[SessionRef]:
    """The sessions that an archive's FastF1 cache can give, in the order they were held.

    A session is there when the cache holds anything of its timing feed and a schedule that lists it. How much of it is
    there (laps, weather, messages, telemetry) differs.

    Args:
        archive: The archive folder.
        event_names: Grand prix by the feed's event name, in lower case; the archive's own F1DB release when None.

    Raises:
        SourceError: The archive's release cannot be read, or an event has a name that no grand prix answers to.
    """
    stamp = tuple(_changed(archive / part) for part in (ANSWERS, PARSED))
    found = _feed_sessions(archive, stamp)
    if not found:
        return []
    names = archive_event_names(archive) if event_names is None else event_names
    return [SessionRef(event_id_of(season, event, names), session) for season, event, session in found]


def archive_event_names(archive: Path) -> dict[str, str]:
    """Grand prix by the feed's event name, in lower case, from the archive's F1DB release.

    Raises:
        SourceError: The release is missing or damaged.
    """
    return feed_event_names(f1db.grand_prix_names(archive / F1DB_ZIP))


def event_id_of(season: int, event_name: str, event_names: Mapping[str, str]) -> str:
    """Identity of an event of the feed.

    Raises:
        SourceError: No grand prix has this name.
    """
    grand_prix = event_names.get(event_name.lower())
    if grand_prix is None:
        raise SourceError(
            f"No grand prix answers to the event name {event_name} ({season}) of the timing feed.",
            hint="Add the name to EVENT_NAME_ALIASES in warehouse/vocab.py.",
        )
    return make_event_id(season, grand_prix)


def _changed(folder: Path) -> int:
    return folder.stat().st_mtime_ns if folder.is_dir() else 0


@lru_cache(maxsize=4)
def _feed_sessions(archive: Path, stamp: tuple[int, ...]) -> tuple[tuple[int, str, SessionKind], ...]:
    """Season, event name and session of everything in the cache that its schedules list, by date."""
    folders = set()
    for path in (archive / ANSWERS).glob("*.json"):
        if found := _ADDRESS.search(path.read_text(encoding="utf-8", errors="replace")):
            folders.add((found[1], unquote(found[2]), unquote(found[3])))
    for path in (archive / PARSED).glob("*/*/*/*.ff1pkl"):
        folders.add((path.parts[-4], path.parts[-3], path.parts[-2]))
    if not folders:
        return ()
    recorded, listed = schedules.read(archive / ANSWERS), {}
    for row in recorded.tables["fastf1__schedules"].to_pylist():
        for number in range(1, 6):
            name = row[f"session{number}"]
            if name in FEED_SESSIONS:
                key = (str(row["year"]), row["event_name"].replace(" ", "_"), name.replace(" ", "_"))
                listed[key] = (int(row["year"]), str(row["event_name"]), FEED_SESSIONS[name])
    lost = {season for season, _, _ in folders} - {season for season, _, _ in listed}
    damaged = [remark for remark in recorded.remarks if "damaged" in remark]
    if lost and damaged:
        raise UnsafeCache(
            f"The sessions of {', '.join(sorted(lost))} cannot be found: {damaged[0]}", hint=DELETE_IT
        )
    held = {
        listed[key]: session[:_DATE]
        for season, event, session in folders
        if (key := (season, event[_DATE:], session[_DATE:])) in listed
    }
    order = list(SessionKind)
    return tuple(sorted(held, key=lambda one: (held[one], order.index(one[2]))))


def use_recorded(archive: Path, season: int, work: Path) -> tuple[CacheFiles, list[Path]]:
    """Makes FastF1 read an archive's cache and nothing else. Once per process, before any other call of FastF1.

    Args:
        archive: The archive folder.
        season: The season whose parsed files are needed.
        work: An empty folder for FastF1 to work in; whoever made it deletes it.

    Returns:
        The record of refused files, and the frozen answers that turned out to be damaged; both fill while FastF1 reads.
    """
    import fastf1
    import fastf1.req
    from requests_cache import NEVER_EXPIRE
    from requests_cache.backends.filesystem import FileCache

    damaged: list[Path] = []

    class FrozenAnswers(FileCache):
        """A damaged answer counts as missing there; here it is noticed."""

        def get_response(self, key: str, default: Any = None) -> Any:
            response = super().get_response(key, default)
            path = archive / ANSWERS / f"{key}{self.responses.extension}"
            if response is None and path.exists() and path not in damaged:
                damaged.append(path)
            return response

    answers, parsed = work / "http", work / "parsed"
    answers.mkdir(parents=True)
    for path in (archive / ANSWERS).glob("*.json"):
        (answers / path.name).symlink_to(path.resolve())
    parsed.mkdir()
    for path in (archive / PARSED / str(season)).glob("*/*/*.ff1pkl"):
        copy = parsed / path.relative_to(archive / PARSED)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)  # without its mode: an archive is often read-only
    fastf1.Cache.configure(cache_dir=str(parsed), _backend=FrozenAnswers(answers))
    session = fastf1.Cache._requests_session_cached
    session.headers["Accept-Encoding"] = "gzip, deflate"  # the keys of the frozen answers include this header
    session.settings.expire_after = NEVER_EXPIRE
    session.settings.cache_control, session.settings.allowable_codes = False, ()
    fastf1.Cache.offline_mode(True)
    files = CacheFiles(
        version=fastf1.Cache._API_CORE_VERSION,
        named=lambda path: (
            archive / PARSED / path.relative_to(parsed) if path.is_relative_to(parsed) else path
        ),
    )
    fastf1.req.pickle = files
    return files, damaged


def check_recorded(files: CacheFiles, damaged: list[Path]) -> None:
    """Does nothing as long as everything that FastF1 opened was sound.

    Raises:
        UnsafeCache: A file was hostile, cut short or of another version: what was read without it is not believed.
    """
    files.check()
    if damaged:
        raise UnsafeCache(f"{damaged[0]} was not opened: it is cut short or damaged.", hint=DELETE_IT)
