"""The sources of a rehearsal as one: asked like a network source, answering with the facts that were known by then."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl

from f1core.ingest import IngestReport
from f1core.job_sources import News
from f1core.published import publish_documents
from f1core.rehearsal.arrival import Arrivals
from f1core.rehearsal.installation import STATE_NOTE, put_facts
from f1core.rehearsal.session_bundles import facts_bundle
from f1core.session_rows import session_known_at
from f1core.sources.archive import ArchivePlace
from f1core.sources.bundle import META, Bundle, bundle_folder, read_bundle, write_bundle
from f1core.sources.timing import SessionRef, recorded_sessions, stored_session
from f1core.sources.timing import fetch_session as fetch_timing
from f1core.workspace import Workspace
from warehouse.errors import NotPublished, SourceUnavailable
from warehouse.files import write_atomically
from warehouse.reader import Reader
from warehouse.snapshot import read_snapshot
from warehouse.vocab import PRACTICES, SessionKind

DIGEST_BYTES = 32
LENGTH_BYTES = 8
CUT_TO = 0.6
"""Share of an answer that arrives before a connection breaks off."""


class FaultKind(StrEnum):
    """What goes wrong at a source."""

    DOWN = "down"
    """It cannot be reached."""
    TIME_OUT = "time_out"
    """It does not answer in time."""
    TRUNCATED = "truncated"
    """Its answer ends in the middle."""


@dataclass(frozen=True)
class SourceFault:
    """A time in which a source does not answer as it should.

    Attributes:
        kind: What goes wrong.
        since: From this instant on.
        until: Before this instant.
    """

    kind: FaultKind
    since: dt.datetime
    until: dt.datetime

    def is_on(self, now: dt.datetime) -> bool:
        """Whether it is wrong at an instant."""
        return self.since <= now < self.until


class RehearsalSource:
    """Answers with everything that was known by an instant, as bytes, so that an answer can be cut on its way.

    Args:
        arrivals: The season as it arrived.
        faults: When it does not answer as it should.
    """

    name = "rehearsal source"

    def __init__(self, arrivals: Arrivals, faults: Sequence[SourceFault] = ()) -> None:
        self.arrivals = arrivals
        self.faults = tuple(faults)

    def answer(self, now: dt.datetime, state: str | None = None) -> tuple[bytes | None, str]:
        """The facts known by an instant.

        Args:
            now: The instant.
            state: The state that is there already.

        Returns:
            The answer's bytes, or None when nothing has changed since that state; and the name of the present state.

        Raises:
            SourceUnavailable: It cannot be reached, or does not answer in time.
        """
        fault = next((fault for fault in self.faults if fault.is_on(now)), None)
        if fault is not None and fault.kind is FaultKind.DOWN:
            raise SourceUnavailable(f"The {self.name} cannot be reached.", hint=LATER)
        if fault is not None and fault.kind is FaultKind.TIME_OUT:
            raise SourceUnavailable(f"The {self.name} did not answer in time.", hint=LATER)
        present = self.arrivals.state(now)
        if fault is None and present == state:
            return None, present
        body = pack(self.arrivals.at(now), present)
        if fault is not None:
            body = body[: int(len(body) * CUT_TO)]
        return body, present


LATER = "It is asked again by itself; what is stored stays in use."


READ = (*PRACTICES, SessionKind.QUALIFYING, SessionKind.SPRINT_QUALIFYING)
"""Sessions whose recordings are read."""
FETCHED = "facts.bin"
"""The newest answer, as it came, in the folder of what was fetched."""


class RehearsalSources:
    """The outside world of a rehearsal, in the form in which jobs ask for it (:class:`f1core.job_sources.Sources`).

    As in a real installation an answer is fetched and kept first and brought into the warehouse afterwards, by another
    step that can fail by itself.

    Args:
        source: What was known when.
        origin: Warehouse of the installation that is rehearsed.
        fetched: Sessions that the installation has fetched.
        archive: The archive it stands on, whose recordings are read; None without one.
    """

    def __init__(
        self, source: RehearsalSource, origin: Reader, fetched: Path, archive: Path | None = None
    ) -> None:
        self.source = source
        self.origin = origin
        self.fetched = fetched
        self.archive = archive

    def check_release(self, workspace: Workspace, *, force: bool = False) -> News:
        """Fetches what is known by now, when it is more than what was fetched before."""
        path = workspace.settings.fetched_root / FETCHED
        kept = _state(path)
        body, state = self.source.answer(workspace.clock.now(), None if force else kept)
        if body is None or (state == kept and not force):
            return News(0, "Nothing new is published.")
        unpack(self.source.name, body)
        write_atomically(path, body)
        return News(1, f"State {state} was fetched.")

    def fetch_schedule(self, workspace: Workspace, season: int) -> News:
        """As :meth:`check_release`: the calendar comes with the facts."""
        return self.check_release(workspace)

    def fetch_session(self, workspace: Workspace, event_id: str, session: SessionKind) -> Bundle:
        """A session when it is over, and with it what else is known by then."""
        now = workspace.clock.now()
        self.check_release(workspace)
        known = session_known_at(self.origin, event_id).get(session)
        if known is None or known > now:
            raise NotPublished(f"The {session.label.lower()} of {event_id} is not published yet.")
        ref = SessionRef(event_id, session)
        return (
            stored_session(workspace.settings, ref, archive=None)
            or self._recorded(workspace, ref)
            or facts_bundle(self.origin, workspace.settings.fetched_root, event_id, session, now)
        )

    def _recorded(self, workspace: Workspace, ref: SessionRef) -> Bundle | None:
        """A session as it was recorded; None where nobody did."""
        for folder in (self.fetched, self.archive):
            if folder is None:
                continue
            found = bundle_folder(folder, ref.event_id, ref.session)
            if (found / META).exists():
                bundle = read_bundle(found)
                parts = {name: bundle.part(name) for name in bundle.meta.counts}
                return write_bundle(workspace.settings.fetched_root, bundle.meta, parts)
        # The laps of races are among the facts: reading their recordings would cost seconds and add nothing.
        if self.archive is None or ref.session not in READ or ref not in recorded_sessions(self.archive):
            return None
        return fetch_timing(
            workspace.settings, ref, archive=self.archive, network=False, now=workspace.clock.now()
        )

    def bring_facts(self, workspace: Workspace) -> IngestReport | None:
        """Brings what was fetched into the warehouse.

        Raises:
            LockHeld: Another process is writing.
            WarehouseError: The disk refused; what was published before stays.
        """
        path = workspace.settings.fetched_root / FETCHED
        place = ArchivePlace(workspace.settings.fetched_root, "rehearsal")
        snapshot = read_snapshot(workspace.settings.warehouse_root)
        state = _state(path)
        if state is None or (snapshot and snapshot.notes.get(STATE_NOTE) == state):
            return IngestReport(place, True, {}, {}, ())
        facts = unpack(self.source.name, path.read_bytes())
        with workspace.writing("ingest") as store:
            rows = put_facts(
                store, self.source.arrivals.season, facts, now=workspace.clock.now(), state=state
            )
            changed = {name: list(seasons or []) for name, seasons in store.changed.items()}
            publish_documents(workspace.settings, workspace.reader)
        return IngestReport(place, False, rows, changed, ())

    def refresh_weather(self, workspace: Workspace) -> News:
        """Weather forecasts of the past are in no source."""
        return News(0, "No weather forecast of that time is in the facts.")


def pack(facts: Mapping[str, pl.DataFrame], state: str) -> bytes:
    """Facts as bytes that carry their state's name and their own digest."""
    parts = {}
    for name, rows in facts.items():
        buffer = io.BytesIO()
        rows.write_ipc(buffer)
        parts[name] = buffer.getvalue()
    sizes = {name: len(part) for name, part in parts.items()}
    index = json.dumps({"state": state, "tables": sizes}).encode()
    content = len(index).to_bytes(LENGTH_BYTES, "big") + index + b"".join(parts.values())
    return hashlib.sha256(content).digest() + content


def unpack(name: str, body: bytes) -> dict[str, pl.DataFrame]:
    """The inverse of :func:`pack`.

    Raises:
        SourceUnavailable: The bytes are not what was sent.
    """
    digest, content = body[:DIGEST_BYTES], body[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise SourceUnavailable(
            f"The answer of the {name} was cut short ({len(body)} bytes came); nothing of it is used.",
            hint=LATER,
        )
    at = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "big")
    facts = {}
    for table, length in json.loads(content[LENGTH_BYTES:at])["tables"].items():
        facts[table] = pl.read_ipc(io.BytesIO(content[at : at + length]))
        at += length
    return facts


def _state(path: Path) -> str | None:
    """The state of an answer that was kept; None when there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(DIGEST_BYTES + LENGTH_BYTES)
            index = file.read(int.from_bytes(head[DIGEST_BYTES:], "big"))
        return str(json.loads(index)["state"])
    except (OSError, ValueError, KeyError):
        return None
