"""What jobs ask the outside world for, as one small interface: the installed sources, or a rehearsal's.

A rehearsal puts in its own sources, which hand out what was known at its simulated instant; everything above is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from f1core.ingest import IngestReport
from f1core.sources.bundle import Bundle
from f1core.workspace import Workspace
from warehouse.vocab import SessionKind


@dataclass(frozen=True)
class News:
    """What a source had.

    Attributes:
        rows: Rows or files that are new; 0 when nothing is.
        note: What there is to say about it.
    """

    rows: int
    note: str = ""


class Sources(Protocol):
    """The outside world. Every method may raise ``SourceUnavailable``, ``NotPublished`` or ``SourceError``."""

    def check_release(self, workspace: Workspace, *, force: bool = False) -> News:
        """Fetches the newest F1DB release when it is newer than the one that is there.

        Args:
            workspace: The installation.
            force: Read it again even where the server says that nothing changed.
        """
        ...

    def fetch_schedule(self, workspace: Workspace, season: int) -> News:
        """Fetches the calendar of a season with the times of its sessions."""
        ...

    def fetch_session(self, workspace: Workspace, event_id: str, session: SessionKind) -> Bundle:
        """The recorded data of a session; ``NotPublished`` until they are there."""
        ...

    def bring_facts(self, workspace: Workspace) -> IngestReport | None:
        """Brings what was fetched, and the archive's facts, into the warehouse; None when there is no source of facts."""
        ...

    def refresh_weather(self, workspace: Workspace) -> News:
        """Stores the weather forecast of the coming sessions with its issue time."""
        ...
