"""Facts that the results source has not published yet, taken from fetched timing sessions; and where the two differ.

The results source always goes first. A session it lacks is filled in from the timing feed's session, marked so in
``fact_sources``; as soon as it publishes the session its own lines stand, and what differed is listed in
``source_differences``, never silently overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from f1core.differences import differences
from f1core.fetched_laps import added_laps
from f1core.sources.bundle import Bundle
from f1core.timing_results import TABLE, table_of, timing_lines
from warehouse.errors import SourceError
from warehouse.tables import TABLES
from warehouse.transform import TIMING_RESULTS, TIMING_SCHEMA, build_facts
from warehouse.vocab import SessionKind


@dataclass(frozen=True)
class CompletedFacts:
    """Fact tables with what fetched sessions add to them.

    Attributes:
        facts: Rows of every fact table.
        filled: Sessions whose lines stand in for results that are not published yet.
        lapwise: Sessions whose laps the lap archive does not have.
        differences: Rows of ``source_differences``.
        remarks: What was left out and why.
    """

    facts: dict[str, pa.Table]
    filled: tuple[Bundle, ...]
    lapwise: tuple[Bundle, ...]
    differences: pa.Table
    remarks: tuple[str, ...]


def usable_bundles(bundles: Sequence[Bundle]) -> tuple[list[Bundle], list[str]]:
    """Sessions whose results and laps can be read, and a remark on each that is damaged."""
    usable, remarks = [], []
    for bundle in bundles:
        try:
            for part in ("results", "laps"):
                bundle.part(part)
        except SourceError as error:
            remarks.append(f"{error.message} The session was left out.")
        else:
            usable.append(bundle)
    return usable, remarks


def complete_facts(
    raw: Mapping[str, pa.Table], bundles: Sequence[Bundle], progress: Callable[[str], None] = lambda _: None
) -> CompletedFacts:
    """Builds the fact tables, the results source first, fetched sessions where it has nothing.

    Args:
        raw: Raw tables of the archive.
        bundles: Fetched sessions.
        progress: Told the name of each table.

    Raises:
        SourceError: As :func:`warehouse.transform.build_facts`.
    """
    facts = build_facts(raw, progress)
    missing = missing_sessions(facts, bundles)
    lines, remarks = timing_lines(facts, missing)
    cars = set(lines.select("event_id", "session", "car_number").iter_rows())
    fetched = {bundle.meta.event_id for bundle in bundles}
    results = pl.DataFrame(pl.from_arrow(facts["race_results"].select(["event_id", "session", "car_number"])))
    cars |= set(results.filter(pl.col("event_id").is_in(sorted(fetched))).iter_rows())
    rounds = dict(
        zip(facts["events"]["event_id"].to_pylist(), facts["events"]["round"].to_pylist(), strict=True)
    )
    laps, more = added_laps(raw["laps__laps"], bundles, rounds, cars)
    contradicting = differences(facts, [bundle for bundle in bundles if bundle not in missing])
    if lines.height or laps.num_rows:
        timing = lines.select(TIMING_SCHEMA.names).to_arrow().cast(TIMING_SCHEMA)
        together = pa.concat_tables([raw["laps__laps"], laps])
        facts = build_facts({**raw, TIMING_RESULTS: timing, "laps__laps": together}, progress)
    there = set(lines.select("event_id", "session").iter_rows())
    seasons = set(
        pl.DataFrame(pl.from_arrow(laps.select(["EventName", "Season", "Session"]))).unique().iter_rows()
    )
    marks = {"R": SessionKind.RACE, "S": SessionKind.SPRINT}
    timed = {(name, season, marks[mark]) for name, season, mark in seasons}
    table = TABLES["source_differences"]
    return CompletedFacts(
        facts,
        tuple(b for b in missing if (b.meta.event_id, b.meta.session.value) in there),
        tuple(b for b in bundles if (b.meta.event_name, int(b.meta.event_id[:4]), b.meta.session) in timed),
        contradicting.select(table.column_names).to_arrow().cast(table.schema),
        (*remarks, *more),
    )


def missing_sessions(facts: Mapping[str, pa.Table], bundles: Sequence[Bundle]) -> list[Bundle]:
    """Fetched sessions of known events for which the results source has no line."""
    events = set(facts["events"]["event_id"].to_pylist())
    there = {name: _sessions(facts[name]) for name in set(TABLE.values())}
    return [
        bundle
        for bundle in bundles
        if bundle.meta.event_id in events
        and (bundle.meta.event_id, bundle.meta.session.value) not in there[table_of(bundle.meta.session)]
    ]


def _sessions(rows: pa.Table) -> set[tuple[str, str]]:
    return set(pl.DataFrame(pl.from_arrow(rows.select(["event_id", "session"]))).unique().iter_rows())
