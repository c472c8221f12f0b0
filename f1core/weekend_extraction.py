"""Extracts a weekend: reads the sessions that exist, publishes their tables and writes the weekend's features."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from f1core.features.registry import REGISTRY
from f1core.features.session.registry import SESSION_REGISTRY
from f1core.installation import is_demo
from f1core.session_tables import publish_sessions
from f1core.settings import REPOSITORY, Settings
from f1core.sources.archive import find_archive
from f1core.sources.bundle import Bundle
from f1core.sources.timing import FIRST_SEASON, SessionRef, event_names, fetch_session, stored_session
from f1core.weekend_features import (
    WeekendFeatures,
    sessions_before,
    weekend_cutoff,
    weekend_features,
    write_weekend,
)
from f1core.workspace import Workspace
from warehouse.errors import NotReady, SourceError, SourceUnavailable
from warehouse.queries.sessions import sessions_with_results
from warehouse.reader import Reader
from warehouse.vocab import SessionKind, Stage

KNOWN_FOR = 18
"""A column counts as known when it is there for so many drivers, or for all of a smaller field."""


@dataclass(frozen=True)
class WeekendExtract:
    """What an extraction did.

    Attributes:
        found: The features.
        path: Their file; None when nothing was stored (a simulated clock).
        rows: Rows published in each session table; empty when nothing was stored.
    """

    found: WeekendFeatures
    path: Path | None
    rows: Mapping[str, int]

    @property
    def feature_columns(self) -> list[str]:
        """Session features and features of the history."""
        return [*SESSION_REGISTRY, *REGISTRY]

    def columns_known(self, *, imputed: bool) -> int:
        """Feature columns with a value for at least :data:`KNOWN_FOR` drivers, stand-ins counted or not."""
        frame = self.found.frame
        needed = min(KNOWN_FOR, frame.height)
        stand_ins = [set(names.split(";")) for names in frame["imputed_columns"].to_list()]
        known = 0
        for name in self.feature_columns:
            values = zip(frame[name].to_list(), stand_ins, strict=True)
            known += sum(v is not None and (imputed or name not in of) for v, of in values) >= needed
        return known


@dataclass(frozen=True)
class SessionsRead:
    """The sessions of an event that could be had.

    Attributes:
        bundles: The sessions.
        reasons: Why others could not be had.
    """

    bundles: tuple[Bundle, ...] = ()
    reasons: Mapping[SessionKind, str] = field(default_factory=dict)

    def lack_facts(self, reader: Reader) -> bool:
        """Whether a session was read that the results source has nothing of: the facts can be supplemented from it."""
        return any(
            bundle.meta.session.value not in sessions_with_results(reader, bundle.meta.event_id)
            for bundle in self.bundles
        )


def read_sessions(
    workspace: Workspace,
    event_id: str,
    *,
    stage: Stage | None = None,
    as_of: dt.datetime | None = None,
    room: Path | None = None,
) -> SessionsRead:
    """Reads the sessions of an event that exist, each in a process of its own.

    A session comes from what was fetched before, from the archive's recorded sessions or over the network. One that cannot
    be had is named with its reason and the others go on. With a simulated clock the network is not asked.

    Args:
        workspace: The installation.
        event_id: The event.
        stage: Only sessions this stage may know; all that are over when None.
        as_of: Only sessions known before this instant.
        room: Folder for what is read anew; the installation's own when None.
    """
    now = workspace.clock.now()
    cut = now if as_of is None else min(now, as_of)
    if stage is not None:
        _, cut, _ = weekend_cutoff(workspace, event_id, stage=stage, as_of=as_of)
    sessions = sessions_before(workspace, event_id, cut)
    settings = workspace.settings
    if not sessions:
        return SessionsRead()
    if int(event_id[:4]) < FIRST_SEASON:
        return SessionsRead((), dict.fromkeys(sessions, f"the timing feed begins in {FIRST_SEASON}"))
    if is_demo(settings):
        return SessionsRead((), dict.fromkeys(sessions, "a made-up season has no timing feed"))
    archive = _archive(settings)
    names = event_names(settings, archive)
    network = not workspace.clock.is_simulated and not settings.offline
    found: list[Bundle] = []
    reasons: dict[SessionKind, str] = {}
    for session in sessions:
        ref = SessionRef(event_id, session)
        try:
            stored = stored_session(settings, ref, archive=archive) if room else None
            found.append(
                stored
                or fetch_session(
                    settings.model_copy(update={"data": room}) if room else settings,
                    ref,
                    archive=archive,
                    network=network,
                    names=names,
                    now=now,
                    retries=0,
                )
            )
        except SourceUnavailable as error:
            # A network that is down is not asked for every session again.
            network = False
            reasons[session] = error.message
        except (NotReady, SourceError) as error:
            reasons[session] = error.message
    return SessionsRead(tuple(found), reasons)


def extract_weekend(
    workspace: Workspace,
    event_id: str,
    *,
    stage: Stage | None = None,
    as_of: dt.datetime | None = None,
    read: SessionsRead | None = None,
) -> WeekendExtract:
    """Makes the weekend's features from its sessions, writes them and publishes the sessions' tables.

    With a simulated clock nothing is stored.

    Args:
        workspace: The installation.
        event_id: The event.
        stage: What the features may know; the furthest one whose facts are there when None.
        as_of: An earlier cut-off.
        read: The sessions; :func:`read_sessions` when None.

    Raises:
        NotReady: No field is known for the event at that time.
        LockHeld: Another process is writing; the features were written, the tables were not.
    """
    stage, _, _ = weekend_cutoff(workspace, event_id, stage=stage, as_of=as_of)
    with tempfile.TemporaryDirectory(prefix="parcferme-extract-") as scratch:
        # With a simulated clock what is read is read for this once.
        room = None if workspace.is_live else Path(scratch)
        read = read or read_sessions(workspace, event_id, stage=stage, as_of=as_of, room=room)
        found = weekend_features(
            workspace, event_id, read.bundles, stage=stage, as_of=as_of, reasons=read.reasons
        )
    if not workspace.is_live:
        return WeekendExtract(found, None, {})
    path = write_weekend(workspace, found)
    used = [bundle for bundle in read.bundles if bundle.meta.session in found.sessions]
    return WeekendExtract(found, path, publish_sessions(workspace, used))


def _archive(settings: Settings) -> Path | None:
    try:
        return find_archive(settings, beside=REPOSITORY).path
    except SourceError:
        return None
