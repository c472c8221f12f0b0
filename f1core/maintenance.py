"""Tidies an installation: small files of the tables are joined, old versions and what dead jobs left are deleted."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

from f1core.backtest import Backtest
from f1core.published import publish_documents
from f1core.sources.bundle import SESSIONS
from f1core.workspace import Workspace
from warehouse.errors import NotReady

DRAFT_AGE = dt.timedelta(days=1)
"""A draft older than this was left by a process that died."""


@dataclass(frozen=True)
class MaintenanceReport:
    """What was tidied.

    Attributes:
        compacted: Tables whose files were joined.
        vacuumed: Files of old versions that were deleted.
        drafts: Folders that dead processes left.
        caches: Folders of backtests that no model or fact asks for any more.
    """

    compacted: list[str]
    vacuumed: int
    drafts: int
    caches: int

    @property
    def words(self) -> str:
        """The report in a sentence."""
        return (
            f"{len(self.compacted)} tables compacted, {self.vacuumed} old files deleted, {self.drafts} drafts and "
            f"{self.caches} unused caches removed."
        )


def maintain(workspace: Workspace) -> MaintenanceReport:
    """Tidies the warehouse, the fetched sessions and the caches; what is published stays readable throughout.

    Raises:
        LockHeld: Another process is writing.
        WarehouseError: The disk refused; what was published before stays.
    """
    now = workspace.clock.now()
    with workspace.writing("maintenance") as store:
        compacted = store.compact()
        if compacted:
            store.publish(now=now)
            publish_documents(workspace.settings, workspace.reader)
        vacuumed = store.vacuum()
    drafts = [
        *workspace.settings.fetched_root.glob(f"{SESSIONS}/*/.*"),
        *(workspace.settings.cache_root / "timing").glob("*"),
    ]
    removed = sum(_removed_if_old(folder, now) for folder in drafts)
    try:
        caches = Backtest(workspace.again()).sweep()
    except NotReady:
        caches = 0  # no race was held: there is nothing to keep a backtest of
    return MaintenanceReport(compacted, vacuumed, removed, caches)


def _removed_if_old(folder: Path, now: dt.datetime) -> bool:
    try:
        touched = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    except OSError:
        return False
    if not folder.is_dir() or now - touched < DRAFT_AGE:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
