"""The data folder of a rehearsal: a real installation as it would have stood at an instant of the past."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from f1core.published import publish_documents
from f1core.rehearsal.arrival import Arrivals
from f1core.rehearsal.marker import mark
from f1core.settings import Settings
from warehouse.reader import Reader
from warehouse.store import Store, season_digests
from warehouse.tables import FACT_TABLES, TABLES
from warehouse.tables.sessions import SESSION_TABLES

COPIED_NOTES = ("is_demo", "source_name")
"""What the real installation noted that is true of the rehearsal's too. Its sources are not: whatever looks at an archive
must not find it read already."""

STATE_NOTE = "arrived"
"""Which state of the source's facts a rehearsal's warehouse holds."""


def settings_of(settings: Settings, data: Path) -> Settings:
    """The installation's settings for a rehearsal in a folder; nothing of it ever asks the network."""
    return settings.model_copy(update={"data": data, "offline": True})


def lay_out(
    origin: Settings, data: Path, arrivals: Arrivals, at: dt.datetime, *, about: Mapping[str, Any]
) -> Settings:
    """Makes a data folder that knows what the world knew at an instant; without models and without a ledger.

    Args:
        origin: The installation whose facts are rehearsed; it is only read.
        data: The rehearsal's folder: new or empty.
        arrivals: The season as it arrives.
        at: The first instant of the rehearsal.
        about: What is rehearsed, kept in the folder's mark.

    Returns:
        Settings of the rehearsal.

    Raises:
        WarehouseError: Something lies in the folder, the installation has no warehouse, or the disk refused.
    """
    mark(data, about)
    settings = settings_of(origin, data)
    reader = Reader(origin.warehouse_root)
    noted = reader.snapshot.notes
    store = Store(settings.warehouse_root)
    season = arrivals.season
    known = arrivals.at(at)
    digests: dict[str, dict[str, str]] = {}
    for table in FACT_TABLES:
        if table.name not in known:
            store.replace(table.name, reader.table(table.name).to_arrow())
    for name, rows in known.items():
        earlier = reader.query(
            f'select * from "{TABLES[name].name}" where season < $season and known_at <= $at',  # noqa: S608
            {"season": season, "at": at},
        )
        own = rows.to_arrow().cast(TABLES[name].schema)
        store.replace(name, pa.concat_tables([earlier.to_arrow().cast(own.schema), own]))
        kept = noted.get("digests", {}).get(name, {})
        digests[name] = {year: value for year, value in kept.items() if int(year) < season}
        _note_digest(digests, name, season, own)
    for table in SESSION_TABLES:
        # What was recorded of sessions before; those of the weekend come as its jobs read them.
        before = reader.query(
            f'select * from "{table.name}" where known_at <= $at',  # noqa: S608
            {"at": at},
        )
        store.replace(table.name, before.to_arrow().cast(table.schema))
    reader.close()
    notes = {key: value for key, value in noted.items() if key in COPIED_NOTES}
    store.publish(
        now=at,
        notes={
            **notes,
            "sources": {},
            "rows": {},
            "remarks": [],
            "digests": digests,
            STATE_NOTE: arrivals.state(at),
        },
    )
    publish_documents(settings, Reader(settings.warehouse_root))
    _link_features(origin.features_root, settings.features_root, before=season)
    return settings


def put_facts(
    store: Store, season: int, facts: Mapping[str, pl.DataFrame], *, now: dt.datetime, state: str
) -> dict[str, int]:
    """Makes the warehouse hold exactly these facts of a season, and publishes them; repeating it changes nothing.

    Args:
        store: The rehearsal's warehouse; hold the writer lock.
        season: The season.
        facts: All rows of the season that are known, by table.
        now: The instant to publish under.
        state: What the source calls this state of its facts, noted with them.

    Returns:
        How many rows of each table are new or differ from what was there; tables that are as they were are left out.

    Raises:
        ContractViolation: Rows break a table's contract; nothing was published.
        WarehouseError: The disk refused; what was published before stays.
    """
    digests: dict[str, dict[str, str]] = {
        name: dict(years) for name, years in store.notes.get("digests", {}).items()
    }
    differing: dict[str, int] = {}
    for name, frame in facts.items():
        table = TABLES[name]
        new = frame.to_arrow().cast(table.schema)
        before = digests.get(name, {}).get(str(season))
        _note_digest(digests, name, season, new)
        if digests[name].get(str(season)) == before and name in store.versions:
            continue
        old = pl.DataFrame(pl.from_arrow(store.read(name)))
        known = old.filter(pl.col("season") == season)
        differing[name] = frame.join(known, on=frame.columns, how="anti", nulls_equal=True).height
        if table.partitioned:
            store.replace(name, new, seasons=[season])
        else:
            others = old.filter(pl.col("season") != season).to_arrow().cast(table.schema)
            store.replace(name, pa.concat_tables([others, new]))
    store.publish(now=now, notes={"digests": digests, STATE_NOTE: state, "ingested_at": now.isoformat()})
    return differing


def _note_digest(digests: dict[str, dict[str, str]], name: str, season: int, rows: pa.Table) -> None:
    """Writes down the fingerprint of a season's rows, as an ingest does: features are stale when it changes."""
    years = digests.setdefault(name, {})
    years.pop(str(season), None)
    found = season_digests(rows).get(season)
    if found is not None:
        years[str(season)] = found


def _link_features(source: Path, target: Path, *, before: int) -> None:
    """Takes over the features of earlier seasons: the stamp in each file says whether it is current, as always.

    Files are linked where the file system can; nothing ever writes into one, they are only replaced.
    """
    for folder in sorted(source.iterdir()) if source.is_dir() else ():
        if not folder.is_dir() or not folder.name.isdigit() or int(folder.name) >= before:
            continue
        (target / folder.name).mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.parquet"):
            link_or_copy(path, target / folder.name / path.name)


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link, or a copy where the two lie on different file systems."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        shutil.copyfile(source, target)


def copy_installation(source: Path, target: Path) -> None:
    """A second data folder of a rehearsal that goes its own way from here on.

    Warehouse, features, models and documents are only ever replaced file by file and can be linked; the job log and the
    locks are written in place and are copied, or left behind.
    """
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_dir() or inside.parts[0] in ("locks", "cache"):
            continue
        (target / inside.parent).mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if inside.parts[0] == "jobs":
                shutil.copyfile(path, target / inside)
            else:
                link_or_copy(path, target / inside)
