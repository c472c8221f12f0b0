"""From raw tables to facts: runs the SQL of staging and marts in an in-memory DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.errors import SourceError
from warehouse.tables import FACT_TABLES, TABLES
from warehouse.vocab import CIRCUIT_LOCATION_ALIASES, RACE_DATE_CORRECTIONS, feed_event_names

SQL = Path(__file__).parent / "sql"
INTERMEDIATE = ("int_events",)
TIMING_RESULTS = "timing__results"
"""Lines of sessions that only the timing feed has so far; the one raw table that may be left out."""
TIMING_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("event_id", "session", "position_text", "status", "car_number")]
    + [(name, pa.string()) for name in ("driver_id", "constructor_id")]
    + [(name, pa.int32()) for name in ("display_order", "position", "laps", "grid_position")]
    + [(name, pa.float64()) for name in ("time_s", "gap_s", "points", "q1_s", "q2_s", "q3_s")]
    + [("is_pit_lane_start", pa.bool_())]
)
ORDER = (
    "int_events",
    "sessions",
    "events",
    "circuits",
    "circuit_layouts",
    "grands_prix",
    "drivers",
    "constructors",
    "constructor_lineage",
    "entries",
    "race_results",
    "qualifying_results",
    "practice_results",
    "starting_grids",
    "pit_stops",
    "fastest_laps",
    "driver_standings",
    "constructor_standings",
    "laps",
    "stints",
    "track_status_periods",
    "session_summaries",
    "compound_nominations",
)
"""Marts in the order of their dependence."""


def build_facts(
    raw: Mapping[str, pa.Table], progress: Callable[[str], None] = lambda _: None
) -> dict[str, pa.Table]:
    """Turns raw tables into the warehouse's fact tables (not yet validated).

    Args:
        raw: Raw tables by name (``f1db__races``, ``laps__laps``, ``fastf1__schedules`` …).
        progress: Told the name of each mart.

    Returns:
        Rows of every table of :data:`warehouse.tables.FACT_TABLES`, columns in the contract's order.

    Raises:
        SourceError: A name in a source belongs to no event or driver.
    """
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": "1GB",
        }
    )
    try:
        con.execute("set TimeZone='UTC'")
        con.execute("set threads=2")
        for name, rows in {TIMING_RESULTS: TIMING_SCHEMA.empty_table(), **raw, **_vocabulary(raw)}.items():
            con.register(name, rows)
        for path in sorted((SQL / "staging").glob("*.sql")):
            con.execute(f'create view "{path.stem}" as {path.read_text()}')
        _refuse_unknown_names(con)
        for name in ORDER:
            progress(name)
            con.execute(f'create table "{name}" as {(SQL / "marts" / f"{name}.sql").read_text()}')
        _refuse_lost_laps(con)
        facts = {}
        for table in FACT_TABLES:
            columns = ", ".join(f'"{column}"' for column in table.column_names)
            facts[table.name] = (
                con.sql(f'select {columns} from "{table.name}"').to_arrow_table().cast(table.schema)
            )
        return facts
    finally:
        con.close()


def _vocabulary(raw: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Seeds that staging joins: names of events, places, corrected dates."""
    grands_prix = raw["f1db__grands_prix"].to_pylist()
    names = feed_event_names({row["id"]: row["fullName"] for row in grands_prix})
    return {
        "event_names": pa.table({"name": list(names), "grand_prix_id": list(names.values())}),
        "place_aliases": pa.table(
            {"place": list(CIRCUIT_LOCATION_ALIASES), "circuit_id": list(CIRCUIT_LOCATION_ALIASES.values())}
        ),
        "corrections": pa.table(
            {
                "event_id": pa.array(RACE_DATE_CORRECTIONS, pa.string()),
                "race_date": pa.array(RACE_DATE_CORRECTIONS.values(), pa.date32()),
            }
        ),
    }


def _refuse_unknown_names(con: duckdb.DuckDBPyConnection) -> None:
    unknown = con.execute(
        "select distinct season, event_name from stg_laps__laps "
        "where lower(event_name) not in (select name from event_names) "
        "union select distinct season, event_name from stg_fastf1__schedules "
        "where lower(event_name) not in (select name from event_names) order by 1, 2"
    ).fetchall()
    if unknown:
        names = ", ".join(f"{name} ({season})" for season, name in unknown)
        raise SourceError(
            f"No grand prix answers to the event name(s) {names} in the laps or schedules.",
            hint="Add the name to EVENT_NAME_ALIASES in warehouse/vocab.py. Nothing was written.",
        )


def _refuse_lost_laps(con: duckdb.DuckDBPyConnection) -> None:
    """No lap may be lost by the joins to events and drivers; a doubled one breaks the key of its table."""
    before, after = con.execute(
        "select (select count(*) from stg_laps__laps), (select count(*) from laps)"
    ).fetchall()[0]
    if after < before:
        lost = con.execute(
            "select distinct season, event_name, session, car_number from stg_laps__laps as s where not exists ("
            "select 1 from laps as l where l.season = s.season and l.session = s.session and l.car_number = s.car_number "
            "and l.lap_end_session_s = s.lap_end_session_s) limit 3"
        ).fetchall()
        raise SourceError(
            f"{before} laps in the source became {after}: cars without a result ({lost}).",
            hint="The laps and the results of these events do not fit together. Nothing was written.",
        )


assert set(ORDER) - set(INTERMEDIATE) == {table.name for table in FACT_TABLES}, (
    "every fact table has its mart"
)
assert set(TABLES) >= set(ORDER) - set(INTERMEDIATE)
