"""Sessions of past weekends, read one after another, the newest first; goes on where it was stopped.

What is there is known from the warehouse (``session_loads``), so that a run can be ended at any line. Sessions that the
source could not give are written down and asked for again after some days, or the newest of them would use up the limits.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from f1core.job_sources import Sources
from f1core.session_tables import publish_sessions
from f1core.workspace import Workspace
from warehouse.errors import NotReady, SourceError, SourceUnavailable
from warehouse.files import write_atomically
from warehouse.queries.events import session_calendar
from warehouse.queries.sessions import session_loads
from warehouse.vocab import SessionKind

FIRST_SEASON = 2018
"""The timing feed has nothing before."""
SETTLED = dt.timedelta(days=2)
"""A weekend that ended less than this ago is the agenda's."""
ASK_AGAIN = dt.timedelta(days=7)
"""A session that could not be had is asked for again after this long, and after twice as long each time after that."""
FILE = "backfill.json"


@dataclass(frozen=True)
class BackfillReport:
    """What a backfill did.

    Attributes:
        read: Sessions that were read now.
        failed: Sessions that could not be had, with the reason.
        left: How many sessions are still to be read.
        rows: Rows written.
        stopped_by: Why it stopped before everything was read; empty when nothing is left or the count was reached.
    """

    read: list[tuple[str, SessionKind]]
    failed: dict[str, str]
    left: int
    rows: int
    stopped_by: str


def wanted_sessions(workspace: Workspace, now: dt.datetime) -> list[tuple[str, SessionKind]]:
    """Sessions that are over and not in the warehouse, newest first."""
    reader = workspace.reader
    there = set(session_loads(reader).select("event_id", "session").iter_rows())
    rows = session_calendar(reader).sort("known_at", "event_id", "session", descending=True)
    return [
        (event_id, SessionKind(session))
        for event_id, session, known in rows.select("event_id", "session", "known_at").iter_rows()
        if int(event_id[:4]) >= FIRST_SEASON and known + SETTLED <= now and (event_id, session) not in there
    ]


def backfill(
    workspace: Workspace,
    sources: Sources,
    *,
    count: int,
    until: dt.datetime,
    progress: Callable[[str], None] = lambda _words: None,
) -> BackfillReport:
    """Reads sessions until so many were read, time is up, or the source does not answer any more.

    Args:
        workspace: The installation.
        sources: The outside world.
        count: Sessions to read at most.
        until: No session is begun after this instant.
        progress: Told which session is read and how many are left.

    Raises:
        SourceUnavailable: The source did not answer at all.
        LockHeld: Another process is writing.
    """
    path = workspace.settings.jobs_root / FILE
    failures = _failures(path)
    now = workspace.clock.now()
    wanted = wanted_sessions(workspace, now)
    todo = [one for one in wanted if _may_ask(failures.get(_name(*one)), now)]
    read: list[tuple[str, SessionKind]] = []
    failed: dict[str, str] = {}
    rows, stopped_by = 0, ""
    for event_id, session in todo:
        if len(read) >= count or workspace.clock.now() >= until:
            break
        name = _name(event_id, session)
        progress(f"{name}, {len(wanted) - len(read)} sessions to read")
        try:
            bundle = sources.fetch_session(workspace, event_id, session)
            rows += sum(publish_sessions(workspace, [bundle]).values())
        except SourceUnavailable as error:
            if not read and not failed:
                raise
            stopped_by = str(error)
            break
        except (NotReady, SourceError) as error:
            failed[name] = str(error)
            attempts = failures.get(name, {}).get("attempts", 0) + 1
            failures[name] = {"at": now.isoformat(), "attempts": attempts, "error": str(error)}
            _keep(path, failures)
            continue
        read.append((event_id, session))
        if failures.pop(name, None):
            _keep(path, failures)
    return BackfillReport(read, failed, len(wanted) - len(read), rows, stopped_by)


def _name(event_id: str, session: SessionKind) -> str:
    return f"{event_id} {session.value}"


def _may_ask(failure: dict[str, Any] | None, now: dt.datetime) -> bool:
    if failure is None:
        return True
    wait = ASK_AGAIN * 2 ** min(int(failure["attempts"]) - 1, 5)
    return now >= dt.datetime.fromisoformat(failure["at"]) + wait


def _failures(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}  # it only saves requests
    return found if isinstance(found, dict) else {}


def _keep(path: Path, failures: dict[str, dict[str, Any]]) -> None:
    write_atomically(path, json.dumps(failures, indent=1, sort_keys=True).encode(), durable=False)
