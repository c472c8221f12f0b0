"""Which facts this installation stands on: an archive, the network, or, without either, the product's own demo season.

Everything of a demo lies under ``data/demo``, its ledger too: a made-up season never touches the real chain.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from f1core.settings import Settings
from warehouse.errors import NotPublished, SourceError, SourceUnavailable
from warehouse.snapshot import SNAPSHOT_FILE, read_snapshot

if TYPE_CHECKING:
    from f1core.sources.archive import ArchivePlace

DEMO = "demo"
DEMO_NOTE = "is_demo"


def demo_settings(settings: Settings) -> Settings:
    """The same settings with every folder under ``data/demo``."""
    return settings.model_copy(update={"data": settings.data / DEMO})


def active_settings(settings: Settings) -> Settings:
    """Settings of the warehouse that is there: the real one, else the demo's, else the real one to be."""
    if _is_built(settings):
        return settings
    demo = demo_settings(settings)
    return demo if _is_built(demo) else settings


def _is_built(settings: Settings) -> bool:
    return (settings.warehouse_root / SNAPSHOT_FILE).exists()


def choose_facts(
    settings: Settings, *, beside: Path, now: dt.datetime
) -> tuple[Settings, ArchivePlace | None]:
    """Finds facts in the agreed order and says where what is made of them belongs.

    Args:
        settings: The product's settings.
        beside: Folder of the checkout.
        now: The real clock; the demo's calendar is laid around it.

    Returns:
        The settings to build under, and the archive: the one that is set or lies beside the checkout, else what jobs fetched
        or can fetch now from the network, else the demo's; None where a real warehouse is there and none of them is to be
        had: it is kept as it is.

    Raises:
        SourceError: PARCFERME_ARCHIVE names something that is no archive, or the fetched release is damaged.
    """
    # Reading archives needs libraries that looking up settings does not.
    from f1core.sources.archive import ArchivePlace, fetched_archive, find_archive

    try:
        return settings, find_archive(settings, beside=beside)
    except SourceError:
        # What was asked for by name is never replaced by something else.
        if settings.archive:
            raise
    try:
        return settings, fetched_archive(settings, now=now)
    except (SourceUnavailable, NotPublished) as error:
        why = error.message.rstrip(".")
    if _is_built(settings):
        return settings, None
    from f1core.demo.archive import ensure_demo

    demo = demo_settings(settings)
    folder = demo.data / "archive"
    ensure_demo(folder, now)
    return demo, ArchivePlace(folder, f"no archive, and {why}: the product's own demo season", is_demo=True)


def is_demo(settings: Settings) -> bool:
    """Whether the warehouse of these settings holds the demo season."""
    snapshot = read_snapshot(settings.warehouse_root)
    return bool(snapshot and snapshot.notes.get(DEMO_NOTE))
