"""Reads one session through FastF1, in a process of its own: ``python -m f1core.sources.timing_process < request.json``.

A process of its own, because FastF1 is set up once per process, needs pandas and a lot of memory, may be killed, and reads
files that are not ours. It does ordinary FastF1 calls and hands over a bundle, or says why there is none; the parent
(:mod:`f1core.sources.timing`) does the rest.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from f1core.sources.bundle import BundleMeta, write_bundle
from f1core.sources.recorded import FEED_SESSIONS, SessionRef, check_recorded, use_recorded
from f1core.sources.timing_request import (
    INCOMPLETE,
    NO_LAPS,
    NO_TELEMETRY,
    OLD_SCHEDULE,
    SETTLED_AFTER,
    UNOFFICIAL,
    TimingRequest,
)
from warehouse.errors import NotPublished, ParcFermeError, SourceError, WarehouseError
from warehouse.vocab import PRACTICES, SessionKind

PART_NAMES = {
    "results": "results",
    "laps": "laps",
    "weather": "weather",
    "race_control": "race control messages",
    "track_status": "track status",
    "session_status": "session status",
}
OVER = {"Finalised", "Ends"}
REMARKS = 12
# What FastF1 says of missing parts; the bundle says it in its own words.
_KNOWN = re.compile(
    r"Offline mode|Failed to load|Failed to add first lap time|No result data|is not supported by Ergast"
    r"|Could not load any valid|Failed to calculate practice|Failed to authenticate"
)
_ABSENT = ("SessionNotAvailableError", "NoLapDataError", "ErgastInvalidRequestError", "DataNotLoadedError")
# Steps that fail because another part is missing, and say so themselves.
_CONSEQUENCES = re.compile(r"first lap time|practice results|quali results|race results")
_VARIES = re.compile(r"\d+")


class Remarks(logging.Handler):
    """Collects what FastF1 logs: its warnings, and the errors that it swallowed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: dict[str, list[str]] = {}
        self.disk_error: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a warning, or an error that FastF1 only logs."""
        text = " ".join(record.getMessage().split())
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError) and type(error).__module__ == OSError.__module__:
            self.disk_error = self.disk_error or error
        if error is not None:
            if type(error).__name__ not in _ABSENT and not _CONSEQUENCES.search(text):
                self._keep(f"{text}: {type(error).__name__}: {error}")
        elif record.levelno >= logging.WARNING and not _KNOWN.search(text):
            self._keep(text)

    def _keep(self, text: str) -> None:
        self.said.setdefault(_VARIES.sub("#", text), []).append(text)

    def check(self) -> None:
        """Does nothing unless the disk refused something; FastF1 would leave the part out.

        Raises:
            WarehouseError: It did.
        """
        if self.disk_error is not None:
            raise _disk_refusal(self.disk_error)

    def words(self) -> list[str]:
        """What was collected: each kind of remark once, and not too many."""
        found = [
            f"FastF1: {one[0]}" + (f" (and {len(one) - 1} more like it)" if len(one) > 1 else "")
            for one in self.said.values()
        ]
        return found[:REMARKS] + (
            [f"FastF1: {len(found) - REMARKS} more remarks."] if len(found) > REMARKS else []
        )


class Reading:
    """One session being read.

    Args:
        request: What is asked for.
    """

    def __init__(self, request: TimingRequest) -> None:
        self.request = request
        self.ref = SessionRef(request.event_id, SessionKind(request.session))
        self.remarks = Remarks()
        self.problems: list[str] = []
        self.check: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Reads the session and writes its bundle into ``request.out``.

        Raises:
            NotPublished: It is still to come, or the source has nothing of it yet.
            SourceUnavailable: The network does not answer, or the limits are used up.
            UnsafeCache: A cache file is hostile or damaged.
            SourceError: The source has no such session.
        """
        import fastf1

        logging.getLogger("fastf1").addHandler(self.remarks)
        fastf1.set_log_level(logging.CRITICAL)
        fastf1.logger.LoggingManager.debug = False
        self._open()
        session = self._find()
        starts_at = _utc(session.date)
        # What is to come is not asked for; whether a recorded session is there needs no clock.
        if not self.request.archive and starts_at is not None and starts_at > self.request.now:
            raise NotPublished(
                f"{self.ref} starts at {starts_at:%Y-%m-%d %H:%M} UTC.", hint="It is read when it is over."
            )
        if not self.request.archive and self.request.refresh:
            self._forget(session)
        self._load(session)
        parts = self._parts(session, starts_at)
        meta = BundleMeta(
            event_id=self.ref.event_id,
            session=self.ref.session,
            event_name=str(session.event["EventName"]),
            source="fastf1",
            source_version=fastf1.__version__,
            origin="recorded" if self.request.archive else "network",
            loaded_at=dt.datetime.now(dt.UTC),
            starts_at=starts_at,
            problems=(*self.problems, *self.remarks.words()),
        )
        write_bundle(Path(self.request.out), meta, parts)
        if not self.request.archive:
            from f1core.sources.timing_network import BULKY

            self._forget(session, only=BULKY)  # some 100 MB, of which the bundle has what is needed

    def _open(self) -> None:
        request = self.request
        if request.archive:
            files, damaged = use_recorded(Path(request.archive), self.ref.season, Path(request.work))

            def check_archive() -> None:
                self.remarks.check()
                check_recorded(files, damaged)

            self.check = check_archive
            return
        from f1core.sources.limits import Quota
        from f1core.sources.timing_network import use_network

        quota = Quota(Path(request.quota), offline=request.offline)
        files, requests = use_network(Path(request.cache), quota, request.hosts, retries=request.retries)
        self.requests = requests

        def check_network() -> None:
            self.remarks.check()
            files.check()
            requests.check()

        self.check = check_network
        self.files = files

    def _find(self) -> Any:
        """The session among the season's events: by its event's whole name, never by likeness or round."""
        import fastf1

        season = self.ref.season
        try:
            schedule = fastf1.get_event_schedule(season, include_testing=False, backend="fastf1")
        except Exception as error:
            self.check()
            raise NotPublished(
                f"There is no schedule of {season} at the timing feed.", hint="It is asked for again later."
            ) from error
        if not self.request.archive and self.requests.error is not None:
            # The schedule that was there already is used until its source answers again.
            self.problems.append(f"{OLD_SCHEDULE} ({self.requests.error.message})")
            self.requests.error = None
        names = [name.lower() for name in schedule["EventName"]]
        matching = schedule[[name in self.request.event_names for name in names]]
        if len(matching) != 1:
            raise SourceError(
                f"The timing feed's schedule of {season} lists {len(matching)} events that are {self.ref.event_id}.",
                hint=f"It lists: {', '.join(schedule['EventName'])}.",
            )
        event = matching.iloc[0]
        sessions = [event[f"Session{number}"] for number in range(1, 6)]
        found = [name for name in sessions if FEED_SESSIONS.get(name) == self.ref.session]
        if len(found) != 1:
            raise SourceError(
                f"{self.ref.event_id} has no {self.ref.session.label.lower()} at the timing feed.",
                hint=f"It has: {', '.join(name for name in sessions if name and name != 'None')}.",
            )
        return event.get_session(found[0])

    def _load(self, session: Any) -> None:
        try:
            # Telemetry is cut to the best laps as it is read; FastF1 would hold all of it, twice.
            session.load(laps=True, weather=True, messages=True, telemetry=False)
        except (Exception, SystemExit) as error:  # FastF1 ends the process where it cannot renew a file
            self.check()
            if getattr(session, "_results", None) is not None:
                raise SourceError(
                    f"FastF1 could not read {self.ref}: {type(error).__name__}: {error}.",
                    hint="Try again; if it lasts, the feed of this session is damaged.",
                ) from error
        self.check()
        if not self.request.archive:
            self.problems += [
                f"{refusal.path.name} in the cache could not be used and was read again: {refusal.reason}."
                for refusal in self.files.refused
            ]

    def _parts(self, session: Any, starts_at: dt.datetime | None) -> dict[str, pl.DataFrame]:
        from f1core.sources.timing_parts import session_parts

        parts = session_parts(session)
        recent = not self.request.archive and (
            starts_at is None or self.request.now - starts_at < SETTLED_AFTER
        )
        if recent:
            self._refuse_unfinished(session, parts)
        if "results" not in parts and "laps" not in parts:
            raise SourceError(
                f"The timing feed has neither laps nor results of {self.ref}.",
                hint="; ".join(self.remarks.words()[:3]),
            )
        if not self._is_official(parts.get("results")):
            self.problems.append(UNOFFICIAL)
        for name, words in PART_NAMES.items():
            if name not in parts:
                self.problems.append(NO_LAPS if name == "laps" else f"No {words}.")
        if self.request.telemetry:
            parts |= self._telemetry(session) if "laps" in parts else {}
            if "telemetry" not in parts and NO_TELEMETRY not in self.problems:
                self.problems.append(NO_TELEMETRY)
        expected = {*PART_NAMES, *(("telemetry",) if self.request.telemetry else ())}
        if recent and (UNOFFICIAL in self.problems or expected - parts.keys()):
            self.problems.append(INCOMPLETE)
        return parts

    def _refuse_unfinished(self, session: Any, parts: dict[str, pl.DataFrame]) -> None:
        """A session that is running, or of which the laps are still to come, is not published yet."""
        statuses = set(parts["session_status"]["status"]) if "session_status" in parts else set()
        if "laps" in parts and statuses & OVER:
            return
        self._forget(session)
        raise NotPublished(
            f"{self.ref} is not over at the timing feed yet."
            if "laps" in parts
            else f"The timing feed has no laps of {self.ref} yet.",
            hint="The feed is complete an hour or two after the session; it is asked again later.",
        )

    def _is_official(self, results: pl.DataFrame | None) -> bool:
        """Whether the result comes from the results interface, as far as that has results of such sessions."""
        if self.ref.session in (*PRACTICES, SessionKind.SPRINT_QUALIFYING):
            return True
        return results is not None and bool(results["source_driver_id"].is_not_null().any())

    def _telemetry(self, session: Any) -> dict[str, pl.DataFrame]:
        """The car channels of the best laps, read one stream after the other."""
        from f1core.sources.telemetry_laps import best_laps

        rows = pl.DataFrame()
        try:
            rows, remarks = best_laps(session)
            self.problems += remarks
        except (Exception, SystemExit) as error:
            self.check()
            self.problems.append(f"Telemetry could not be read: {type(error).__name__}: {error}.")
        self.check()
        return {} if rows.is_empty() else {"telemetry": rows}

    def _forget(self, session: Any, only: tuple[str, ...] = ()) -> None:
        from f1core.sources.timing_network import forget_session

        forget_session(Path(self.request.cache), session.api_path, only=only)


def _disk_refusal(error: OSError) -> WarehouseError:
    return WarehouseError(
        f"{error.filename or 'The data folder'} cannot be used: {error.strerror or error}.",
        hint="Free some space or mend the permissions; what was there stays.",
    )


def _utc(moment: Any) -> dt.datetime | None:
    """FastF1's UTC times carry no zone."""
    return None if moment != moment or moment is None else moment.to_pydatetime().replace(tzinfo=dt.UTC)


def main() -> None:
    """Reads the request from standard input; leaves its answer in the file that the request names."""
    request = TimingRequest.read(sys.stdin.read())
    _die_with(request.parent)
    answer: dict[str, Any] = {"ok": True}
    try:
        Reading(request).run()
    except ParcFermeError as error:
        answer = _told(error)
    except OSError as error:
        answer = _told(_disk_refusal(error))
    except (Exception, SystemExit) as error:
        logging.getLogger(__name__).exception("reading failed")
        what = f"{request.event_id} {request.session}: {type(error).__name__}: {error}"
        answer = _told(
            SourceError(
                f"FastF1 could not read {what}.", hint="Try again; if it lasts, report it with this message."
            )
        )
    draft = Path(request.answer + ".draft")
    draft.write_text(json.dumps(answer))
    draft.rename(request.answer)


def _told(error: ParcFermeError) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "retry_after_s": getattr(error, "retry_after_s", None),
    }


def _die_with(parent: int) -> None:
    """Ends this process when its parent is killed: nobody would read its answer."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has gone")


if __name__ == "__main__":
    main()
