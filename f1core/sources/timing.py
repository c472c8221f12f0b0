"""The timing feed: one session at a time, read by FastF1 in a process of its own and kept as a bundle.

A session comes from the archive's recorded sessions where it is there, else from the network. Events are found by the names
of the feed's own schedule, as staging finds them; nothing is joined by round number or by likeness.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from f1core.settings import REPOSITORY, Settings
from f1core.sources.bundle import PARTS, SESSIONS, Bundle, bundle_folder, read_bundle, write_bundle
from f1core.sources.limits import Quota
from f1core.sources.recorded import SessionRef, archive_event_names, recorded_sessions
from f1core.sources.season_schedule import fetch_schedule
from f1core.sources.timing_request import INCOMPLETE, NO_TELEMETRY, Hosts, TimingRequest
from warehouse.errors import (
    LockHeld,
    NotPublished,
    ParcFermeError,
    SourceError,
    SourceSchemaError,
    SourceUnavailable,
    UnsafeCache,
    WarehouseError,
)
from warehouse.lock import writer_lock
from warehouse.queries.events import grand_prix_names
from warehouse.reader import Reader
from warehouse.vocab import SessionKind, feed_event_names

__all__ = [
    "Hosts",
    "SessionRef",
    "event_names",
    "fetch_schedule",
    "fetch_session",
    "recorded_sessions",
    "stored_session",
]

FIRST_SEASON = 2018
TELEMETRY_SESSIONS = (SessionKind.QUALIFYING, SessionKind.SPRINT_QUALIFYING)
"""Sessions of which the car channels of the best laps are kept."""
TIMEOUT_S = 900.0
INCOMPLETE_AGE = dt.timedelta(minutes=15)
"""How long a bundle of which more may be published is used before the source is asked again."""
_LAST_WORDS = 400
_ERRORS: dict[str, type[ParcFermeError]] = {
    kind.__name__: kind
    for kind in (
        NotPublished,
        ParcFermeError,
        SourceError,
        SourceSchemaError,
        SourceUnavailable,
        UnsafeCache,
        WarehouseError,
    )
}


def event_names(settings: Settings, archive: Path | None = None) -> dict[str, str]:
    """Grand prix by the name under which the timing feed lists it, in lower case: the warehouse's names.

    Args:
        settings: Where the warehouse lies.
        archive: Folder whose F1DB release is read while there is no warehouse yet.

    Raises:
        WarehouseError: There is no warehouse, and no archive was given.
        SourceError: The archive's release is damaged.
    """
    try:
        reader = Reader(settings.warehouse_root)
        try:
            return feed_event_names(grand_prix_names(reader))
        finally:
            reader.close()
    except WarehouseError:
        if archive is None:
            raise
        return archive_event_names(archive)


def stored_session(settings: Settings, ref: SessionRef, *, archive: Path | None) -> Bundle | None:
    """The bundle of a session that is here already: fetched, else one that came with the archive; None without one.

    A damaged bundle counts as none: it is fetched again.
    """
    for root in (settings.fetched_root, archive):
        if root is None:
            continue
        with contextlib.suppress(SourceError):
            bundle = read_bundle(bundle_folder(root, ref.event_id, ref.session))
            for name in bundle.meta.counts:
                bundle.part(name)
            return bundle
    return None


def fetch_session(
    settings: Settings,
    ref: SessionRef,
    *,
    archive: Path | None,
    network: bool,
    refresh: bool = False,
    telemetry: bool = True,
    names: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    now: dt.datetime | None = None,
    hosts: Hosts | None = None,
    retries: int = 3,
) -> Bundle:
    """Reads a session and keeps its bundle under ``settings.fetched_root``; answers the one that is there if it is current.

    A bundle is current when it is whole, has telemetry (or says that there is none) where it is asked for, and lacks nothing
    that may still be published; one that does is read again after :data:`INCOMPLETE_AGE`.

    Args:
        settings: Where bundles, cache, locks and the record of requests lie.
        ref: The session.
        archive: Archive folder whose recorded sessions (and bundles) go before the network.
        network: Whether the network may be asked; ``settings.offline`` forbids it too.
        refresh: Read again, whatever is there.
        telemetry: Whether car channels are wanted; they are kept for :data:`TELEMETRY_SESSIONS` only.
        names: Grand prix by the feed's event name, in lower case (:func:`event_names` when None).
        timeout_s: Longest time the reading may take [s], waiting for another process that reads the event included.
        now: The present instant; the machine's clock when None.
        hosts: Other addresses of the sources.
        retries: How often a passing fault of the network is tried again.

    Raises:
        NotPublished: It is still to come, or the source has nothing of it yet.
        SourceUnavailable: The network does not answer or may not be asked, limits are used up, or time ran out.
        UnsafeCache: A cache file is hostile, or an archive's is damaged.
        SourceError: The source has no such event or session, or the child process failed.
        WarehouseError: The data folder cannot be written.
    """
    moment = now or dt.datetime.now(dt.UTC)
    wanted = telemetry and ref.session in TELEMETRY_SESSIONS
    network = network and not settings.offline
    began = time.monotonic()
    try:
        with writer_lock(
            settings.locks_root, holder=f"reading {ref}", wait_s=timeout_s, name=f"timing-{ref.event_id}"
        ):
            stored = stored_session(settings, ref, archive=archive)
            if stored and not refresh and _is_current(stored, wanted, moment):
                return stored
            source = archive if archive is not None and ref in recorded_sessions(archive, names) else None
            if source is None and not network:
                if stored and not refresh:
                    return stored
                raise SourceUnavailable(
                    f"{ref} is not recorded in the archive, and no network source may be asked.",
                    hint="Unset PARCFERME_OFFLINE, or use an archive that has it.",
                )
            if source is None and ref.season < FIRST_SEASON:
                raise SourceError(
                    f"The timing feed has no session before {FIRST_SEASON}, so not {ref}.",
                    hint="Results of earlier seasons come from F1DB.",
                )
            left = max(timeout_s - (time.monotonic() - began), 1.0)
            try:
                return _read(
                    settings,
                    ref,
                    source,
                    telemetry=wanted,
                    refresh=refresh,
                    names=names if names is not None else event_names(settings, archive),
                    timeout_s=left,
                    now=moment,
                    hosts=hosts or Hosts(),
                    retries=retries,
                )
            except (SourceUnavailable, NotPublished):
                if stored and not refresh:
                    return stored
                raise
    except LockHeld as error:
        raise SourceUnavailable(
            f"{ref} was not read: another process has been reading {ref.event_id} for {timeout_s:.0f} s.",
            hint="Try again when it is done.",
            retry_after_s=60.0,
        ) from error


def _is_current(bundle: Bundle, telemetry: bool, now: dt.datetime) -> bool:
    problems = bundle.meta.problems
    if telemetry and not bundle.has("telemetry") and NO_TELEMETRY not in problems:
        return False
    return INCOMPLETE not in problems or now - bundle.meta.loaded_at < INCOMPLETE_AGE


def _read(
    settings: Settings,
    ref: SessionRef,
    source: Path | None,
    *,
    telemetry: bool,
    refresh: bool,
    names: Mapping[str, str],
    timeout_s: float,
    now: dt.datetime,
    hosts: Hosts,
    retries: int,
) -> Bundle:
    """Lets a child read the session, then puts its bundle into its place. The event's lock is held."""
    grand_prix = ref.event_id[5:]
    own_names = tuple(sorted(name for name, known in names.items() if known == grand_prix))
    if not own_names:
        raise SourceError(
            f"No name of {ref.event_id} is known at the timing feed.",
            hint="Is it an event of the calendar? `python -m jobs status` lists them.",
        )
    work = settings.cache_root / "timing" / f"{ref.event_id}-{ref.session.value}"
    target = settings.fetched_root / SESSIONS / ref.event_id
    _sweep(work, *target.glob(f".{ref.session.value}-*"))  # left by a process that was killed
    try:
        (work / "fastf1").mkdir(parents=True)
        request = TimingRequest(
            event_id=ref.event_id,
            session=ref.session.value,
            event_names=own_names,
            telemetry=telemetry,
            refresh=refresh,
            archive=str(source.resolve()) if source else "",
            cache=str(settings.fastf1_root),
            quota=str(Quota.of(settings).path),
            offline=settings.offline,
            hosts=hosts,
            retries=retries,
            now=now,
            work=str(work / "fastf1"),
            out=str(work / "out"),
            answer=str(work / "answer.json"),
            parent=os.getpid(),
        )
        _run(request, ref, work, timeout_s)
        made = read_bundle(bundle_folder(work / "out", ref.event_id, ref.session))
        parts = {name: made.part(name) for name in PARTS if name in made.meta.counts}
        return write_bundle(settings.fetched_root, made.meta, parts)
    except OSError as error:
        raise WarehouseError(
            f"{ref} could not be kept: {error.strerror or error}.",
            hint=f"Free some space or mend the permissions of {settings.data}; what was there stays.",
        ) from error
    finally:
        _sweep(work)


def _run(request: TimingRequest, ref: SessionRef, work: Path, timeout_s: float) -> None:
    """Runs the child to its end; its errors are raised here as what they are."""
    log = work / "child.log"
    with log.open("wb") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "f1core.sources.timing_process"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
        )
        try:
            child.communicate(request.write().encode(), timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise SourceUnavailable(
                f"Reading {ref} was ended after {timeout_s:.0f} s.",
                hint="The source is slow, or the machine busy; what was fetched so far is kept in FastF1's cache.",
                retry_after_s=600.0,
            ) from None
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
    try:
        answer = json.loads(Path(request.answer).read_text())
    except (OSError, ValueError):
        words = log.read_text(errors="replace").strip()[-_LAST_WORDS:]
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
        raise SourceUnavailable(
            f"The process that was reading {ref} ended with {how} before it was done.",
            hint=f"Try again. {words}".strip(),
            retry_after_s=60.0,
        ) from None
    if answer.get("ok"):
        return
    kind = _ERRORS.get(answer["error"], SourceError)
    if issubclass(kind, SourceUnavailable):
        raise kind(answer["message"], hint=answer["hint"], retry_after_s=answer.get("retry_after_s"))
    raise kind(answer["message"], hint=answer["hint"])


def _sweep(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
