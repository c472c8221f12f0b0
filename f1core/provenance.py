"""Where the facts of each session came from: source, version of it, and when these very rows were first loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from f1core.sources.bundle import Bundle
from f1core.timing_results import table_of
from warehouse.frames import frame_schema
from warehouse.store import session_digests
from warehouse.tables import TABLES

TABLE_NAMES = (
    "practice_results",
    "qualifying_results",
    "starting_grids",
    "race_results",
    "pit_stops",
    "fastest_laps",
    "laps",
    "driver_standings",
    "constructor_standings",
)
FILLED_WITH_RACE = ("starting_grids", "driver_standings", "constructor_standings")
"""Tables that a race of the timing feed fills too."""
VERSION_LENGTH = 12


def fact_sources(
    facts: Mapping[str, pa.Table],
    *,
    before: pa.Table,
    results_version: str,
    lap_versions: Mapping[str, str],
    filled: Sequence[Bundle],
    lapwise: Sequence[Bundle],
    now: dt.datetime,
) -> pa.Table:
    """Says of every table, event and session where its rows came from.

    Args:
        facts: The facts about to be published.
        before: ``fact_sources`` as published: rows that have not changed keep what it says.
        results_version: Content hash of the results source's file.
        lap_versions: Content hash of each season's lap file, by season.
        filled: Timing sessions whose lines stand in for results that are not published yet.
        lapwise: Timing sessions whose laps were added.
        now: The instant of the ingest (real clock).

    Returns:
        Rows of the table ``fact_sources``.
    """
    lines: dict[tuple[str, str, str], str] = {}
    for bundle in filled:
        where = (bundle.meta.event_id, bundle.meta.session.value)
        for name in (table_of(bundle.meta.session), *FILLED_WITH_RACE):
            lines[name, *where] = bundle.version
    timed = {(bundle.meta.event_id, bundle.meta.session.value): bundle.version for bundle in lapwise}
    known = {
        (row["table_name"], row["event_id"], row["session"], row["content_hash"]): row
        for row in before.to_pylist()
    }
    rows = []
    for name in TABLE_NAMES:
        for (event, session), (count, content) in session_digests(facts[name]).items():
            kept = known.get((name, event, session, content))
            source, version = "f1db", results_version
            if name == "laps":
                source, version = "lap_archive", lap_versions.get(event[:4], "")
                if (event, session) in timed:
                    source, version = "fastf1", timed[event, session]
            elif (name, event, session) in lines:
                source, version = "fastf1", lines[name, event, session]
            if kept is not None and kept["source"] == source:
                rows.append(kept)
                continue
            rows.append(
                {
                    "table_name": name,
                    "event_id": event,
                    "season": int(event[:4]),
                    "session": session,
                    "source": source,
                    "source_version": version[:VERSION_LENGTH],
                    "loaded_at": now.astimezone(dt.UTC),
                    "count_rows": count,
                    "content_hash": content,
                }
            )
    table = TABLES["fact_sources"]
    return pl.DataFrame(rows, schema=frame_schema(table), orient="row").to_arrow().cast(table.schema)
