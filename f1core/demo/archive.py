"""Writes the demo as a facts archive, and keeps it up with the clock."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import shutil
import uuid
import zipfile
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from f1core.clock import Clock
from f1core.demo.calendar import Calendar
from f1core.demo.feed import lap_rows, nomination
from f1core.demo.schedules import write_schedules
from f1core.demo.tables import csv_files
from f1core.demo.truth import Truth
from f1core.demo.weekend import WeekendStory
from f1core.demo.world import World
from f1core.sources.archive import F1DB_ZIP, LAPS, SCHEDULES
from f1core.sources.laps import SCHEMA
from warehouse.errors import WarehouseError
from warehouse.lock import writer_lock

SEED = 42
SEASONS = 5
TRUTH = "truth.json"
WAIT_S = 60.0
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""Time of every member of the zip: the same content gives the same bytes."""


def generate(folder: Path, *, now: dt.datetime, seed: int = SEED, seasons: int = SEASONS) -> Truth:
    """Makes a demo archive whose calendar is laid around ``now``; one that is there is replaced.

    Six races of the last season are over, the seventh comes within ten days. The same seed, number of seasons and day
    (UTC) give the same bytes.

    Args:
        folder: The archive folder; its parents are made.
        now: The present (aware).
        seed: What everything is drawn from.
        seasons: Seasons, the running one included.

    Returns:
        What was planted; it also lies in the folder's ``truth.json``.

    Raises:
        ValueError: ``seasons`` is below 1.
        WarehouseError: The folder cannot be written.
        LockHeld: Another process has been writing the demo for a minute.
    """
    if seasons < 1:
        raise ValueError("A demo has at least one season.")
    instant = Clock.at(now).now()
    with _writing(folder):
        return _write(folder, Calendar(instant.date(), seasons - 1), instant, seed)


def ensure_demo(folder: Path, now: dt.datetime) -> Truth:
    """The demo archive, as far as its sessions have been held by ``now``.

    It is made when it is missing, damaged, or made by other code, and written again when a session has ended since. Its
    calendar stands still meanwhile: what was a coming race is raced, with the line-up that was forecast; a season is
    added when fewer than three races are left.

    Args:
        folder: The archive folder.
        now: The present (aware).

    Raises:
        WarehouseError: The folder cannot be written.
        LockHeld: Another process has been writing the demo for a minute.
    """
    instant = Clock.at(now).now()
    found = _current(folder, instant)
    if found:
        return found
    with _writing(folder):
        # Whoever held the lock before may have done it.
        found = _current(folder, instant)
        if found:
            return found
        old = Truth.read(folder / TRUTH)
        if old and dt.date.fromisoformat(old.anchor) <= instant.date():
            calendar = Calendar(dt.date.fromisoformat(old.anchor), old.seasons_before).reaching(instant)
            return _write(folder, calendar, instant, old.seed)
        # The clock went back behind the day it was made: a calendar around that day would show the future.
        return _write(folder, Calendar(instant.date(), SEASONS - 1), instant, SEED)


def _current(folder: Path, now: dt.datetime) -> Truth | None:
    """The truth of the archive in the folder if the archive is whole and as new as it can be."""
    found = Truth.read(folder / TRUTH)
    if found is None or found.generator != generator_version() or not (folder / F1DB_ZIP).is_file():
        return None
    anchor = dt.date.fromisoformat(found.anchor)
    if anchor > now.date():
        return None
    calendar = Calendar(anchor, found.seasons_before).reaching(now)
    is_new = list(calendar.seasons) == found.seasons and calendar.sessions_known(now) == found.sessions_known
    return found if is_new else None


def _write(folder: Path, calendar: Calendar, now: dt.datetime, seed: int) -> Truth:
    world = World.drawn(seed, len(calendar.seasons))
    stories = [
        (number, WeekendStory(world, weekend))
        for number, weekend in enumerate(calendar.weekends(), start=1)
        if weekend.known(now)
    ]
    truth = Truth.of(
        world, calendar, sessions_known=calendar.sessions_known(now), generator=generator_version()
    )
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    try:
        (fresh / LAPS).mkdir(parents=True)
        _write_zip(fresh / F1DB_ZIP, csv_files(world, calendar, stories, now))
        _write_laps(fresh / LAPS, [story for _, story in stories], now)
        _write_nominations(fresh / LAPS / "compound_nominations.csv", calendar)
        write_schedules(fresh / SCHEDULES, calendar)
        (fresh / TRUTH).write_text(truth.to_json(), encoding="utf-8")
        _put_in_place(fresh, folder)
    except OSError as error:
        raise WarehouseError(
            f"The demo archive {folder} cannot be written: {error.strerror or error}.",
            hint="Make room or make the folder writable; the demo is made again at the next start.",
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return truth


def _writing(folder: Path) -> AbstractContextManager[None]:
    return writer_lock(folder.parent / "locks", holder="demo season", wait_s=WAIT_S, name="demo")


def _put_in_place(fresh: Path, folder: Path) -> None:
    """Renames the new folder to its place; a folder that is in the way goes aside first and is deleted then."""
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
    for leftover in folder.parent.glob(f".{folder.name}.*.old"):
        shutil.rmtree(leftover, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    os.rename(fresh, folder)
    shutil.rmtree(aside, ignore_errors=True)


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"f1db-{name}.csv", _ZIP_TIME), body, zipfile.ZIP_DEFLATED)


def _write_laps(folder: Path, stories: list[WeekendStory], now: dt.datetime) -> None:
    seasons: dict[int, list[pl.DataFrame]] = {}
    for story in stories:
        known = story.weekend.known(now)
        rows = seasons.setdefault(story.weekend.season, [])
        rows += [lap_rows(story, code) for code, name in (("R", "race"), ("S", "sprint")) if name in known]
    for season, frames in seasons.items():
        if frames:
            pq.write_table(
                pl.concat(frames).to_arrow().cast(SCHEMA),
                folder / f"laps_{season}.parquet",
                compression="zstd",
            )


def _write_nominations(path: Path, calendar: Calendar) -> None:
    rows = [(weekend.season, weekend.round, *nomination(weekend)) for weekend in calendar.weekends()]
    buffer = io.BytesIO()
    columns = ["Season", "RoundNumber", "Hard", "Medium", "Soft"]
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(buffer)
    path.write_bytes(buffer.getvalue())


@lru_cache(maxsize=1)
def generator_version() -> str:
    """Fingerprint of the generator's code: other code, another demo."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
