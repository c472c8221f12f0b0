"""Brings facts from an archive into the warehouse: read, transform, validate, write what changed, publish."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from f1core.analytics import analyse, race_craft
from f1core.provenance import fact_sources
from f1core.published import publish_documents
from f1core.ratings import rate_events
from f1core.settings import REPOSITORY, Settings
from f1core.sources import archive
from f1core.sources.archive import ArchivePlace
from f1core.supplement import complete_facts, usable_bundles
from warehouse.lock import writer_lock
from warehouse.reader import Reader
from warehouse.snapshot import read_snapshot
from warehouse.store import Store, season_digests
from warehouse.tables import FACT_TABLES, SCHEMA_VERSION

Progress = Callable[[str], None]
FACT_CODE = (
    "warehouse/sql/*/*.sql",
    "warehouse/tables/*.py",
    "warehouse/analytics.py",
    "warehouse/queries/samples.py",
    "warehouse/transform.py",
    "warehouse/vocab.py",
    "f1core/analytics.py",
    "f1core/sources/archive.py",
    "f1core/sources/bundle.py",
    "f1core/sources/contract.py",
    "f1core/sources/f1db.py",
    "f1core/sources/laps.py",
    "f1core/sources/schedules.py",
    "f1core/differences.py",
    "f1core/fetched_laps.py",
    "f1core/identity.py",
    "f1core/labels.py",
    "f1core/provenance.py",
    "f1core/ratings.py",
    "f1core/supplement.py",
    "f1core/timing_results.py",
    "models/elo_rankings.py",
    "models/lap_craft.py",
    "models/lap_pace.py",
    "models/pace_filter.py",
    "models/rating*.py",
)


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        place: Where the facts came from.
        unchanged: Whether sources and code were the same as last time, so that nothing was read.
        rows: Rows per table.
        rewritten: Seasons rewritten per table; ``[0]`` for a table that is not kept by season.
        remarks: What the reader should know about the sources.
    """

    place: ArchivePlace
    unchanged: bool
    rows: dict[str, int]
    rewritten: dict[str, list[int]]
    remarks: tuple[str, ...]


def ingest(
    settings: Settings, place: ArchivePlace, *, now: dt.datetime, progress: Progress = lambda _: None
) -> IngestReport:
    """Makes the warehouse hold what the archive holds; repeating it changes nothing.

    Args:
        settings: Where the data lives.
        place: The archive.
        now: The time to publish under (the real clock).
        progress: Told what is being done.

    Returns:
        What was read and what was rewritten.

    Raises:
        SourceError: A source is missing or damaged; nothing was written.
        ContractViolation: Rows break a table's contract; nothing was published.
        WarehouseError: The disk refused; what was published before stays.
    """
    with writer_lock(settings.locks_root, holder="ingest"):
        progress("checking the sources")
        fetched = None if place.is_demo else settings.fetched_root
        prints = {**archive.fingerprints(place, fetched), "code": code_version()}
        snapshot = read_snapshot(settings.warehouse_root)
        if snapshot and snapshot.schema_version == SCHEMA_VERSION and snapshot.notes.get("sources") == prints:
            publish_documents(settings, Reader(settings.warehouse_root))
            return IngestReport(
                place, True, snapshot.notes.get("rows", {}), {}, tuple(snapshot.notes.get("remarks", ()))
            )
        raw = archive.read(place, progress, fetched=fetched)
        bundles, damaged = usable_bundles(archive.bundles(place, fetched))
        completed = complete_facts(raw.tables, bundles, lambda name: progress(f"table {name}"))
        remarks = (*raw.remarks, *damaged, *completed.remarks)
        facts = completed.facts
        del raw
        store = Store(settings.warehouse_root)
        digests: dict[str, Any] = {}
        rows: dict[str, int] = {}
        rewritten: dict[str, list[int]] = {}
        for table in FACT_TABLES:
            progress(f"writing {table.name}")
            rewritten[table.name] = store.replace(table.name, facts[table.name], parents=facts) or []
            rows[table.name] = facts[table.name].num_rows
            if "season" in table.column_names:
                digests[table.name] = {
                    str(season): value for season, value in season_digests(facts[table.name]).items()
                }
        progress("noting where everything came from")
        lap_files = {path[-12:-8]: print for path, print in prints.items() if path.startswith("laps/laps_")}
        for name, told in {
            "fact_sources": fact_sources(
                facts,
                before=store.read("fact_sources"),
                results_version=prints[archive.F1DB_ZIP.as_posix()],
                lap_versions=lap_files,
                filled=completed.filled,
                lapwise=completed.lapwise,
                now=now,
            ),
            "source_differences": completed.differences,
        }.items():
            rewritten[name] = store.replace(name, told, parents=facts) or []
            rows[name] = told.num_rows
        progress("rating drivers and constructors")
        craft = race_craft(facts["laps"])
        ratings = rate_events(
            facts["race_results"], facts["qualifying_results"], facts["laps"], craft.drivers
        )
        rewritten["ratings"] = store.replace("ratings", ratings) or []
        rows["ratings"] = ratings.num_rows
        digests["ratings"] = {str(season): value for season, value in season_digests(ratings).items()}
        progress("metrics of drivers, teams and circuits")
        for name, made in analyse(facts, ratings, craft).items():
            rewritten[name] = store.replace(name, made, parents=facts) or []
            rows[name] = made.num_rows
        store.publish(
            now=now,
            notes={
                "is_demo": place.is_demo,
                "sources": prints,
                "source_name": f"{place.path.name} ({place.reason})",
                "rows": rows,
                "digests": digests,
                "remarks": list(remarks),
                "ingested_at": now.astimezone(dt.UTC).isoformat(),
            },
        )
        progress("writing the documents")
        publish_documents(settings, Reader(settings.warehouse_root))
    return IngestReport(
        place, False, rows, {name: seasons for name, seasons in rewritten.items() if seasons}, remarks
    )


def code_version() -> str:
    """Fingerprint of the code that makes facts of sources: a corrected mart or rating is a reason to ingest again."""
    digest = hashlib.sha256()
    for pattern in FACT_CODE:
        for path in sorted(REPOSITORY.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
