"""Puts recorded sessions into the warehouse's session tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import polars as pl

from f1core.session_rows import load_row, read_session
from f1core.sources.bundle import Bundle
from f1core.workspace import Workspace
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.tables.sessions import SESSION_TABLES


def publish_sessions(workspace: Workspace, bundles: Sequence[Bundle]) -> dict[str, int]:
    """Publishes sessions in ``session_laps``, ``telemetry``, ``weather``, ``race_control`` and ``session_loads``.

    A session takes the place of an older version of itself; repeating it changes nothing. Holds the writer lock.

    Args:
        workspace: The installation.
        bundles: The sessions; of two of the same session the newer counts.

    Returns:
        Rows of these sessions in each table.

    Raises:
        SourceError: A bundle is damaged; nothing is published.
        NotReady: The calendar does not know a session; nothing is published.
        LockHeld: Another process is writing.
    """
    if not bundles:
        return {table.name: 0 for table in SESSION_TABLES}
    with workspace.writing("extract") as store:
        rows = write_sessions(store, workspace.reader, bundles)
        if store.changed:
            store.publish(now=workspace.clock.now())
    return rows


def write_sessions(store: Store, reader: Reader, bundles: Sequence[Bundle]) -> dict[str, int]:
    """Writes sessions to the tables; the caller holds the lock and publishes. See :func:`publish_sessions`."""
    counts = {table.name: 0 for table in SESSION_TABLES}
    parents = {name: reader.table(name).to_arrow() for name in ("events", "drivers", "constructors")}
    for event_id, of_event in _by_event(bundles):
        # An event at a time: the telemetry of a season need not fit beside everything else.
        sessions = [_tables(reader, bundle) for bundle in of_event]
        keys = [{"event_id": event_id, "session": name} for name, _ in sessions]
        for table in SESSION_TABLES:
            frame = pl.concat([tables[table.name] for _, tables in sessions])
            store.replace_rows(
                table.name,
                frame.to_arrow().cast(TABLES[table.name].schema),
                season=int(event_id[:4]),
                keys=keys,
                parents=parents,
            )
            counts[table.name] += frame.height
    return counts


def _by_event(bundles: Sequence[Bundle]) -> list[tuple[str, list[Bundle]]]:
    newest: dict[tuple[str, str], Bundle] = {}
    for bundle in sorted(bundles, key=lambda one: one.meta.loaded_at):
        newest[bundle.meta.event_id, bundle.meta.session.value] = bundle
    ordered = [newest[key] for key in sorted(newest)]
    return [
        (event_id, list(found)) for event_id, found in groupby(ordered, key=lambda one: one.meta.event_id)
    ]


def _tables(reader: Reader, bundle: Bundle) -> tuple[str, dict[str, pl.DataFrame]]:
    rows = read_session(reader, bundle)
    telemetry, odd = rows.telemetry()
    return rows.session.value, {
        "session_laps": rows.laps,
        "telemetry": telemetry,
        "weather": rows.weather,
        "race_control": rows.race_control,
        "session_loads": load_row(rows, telemetry, odd),
    }
