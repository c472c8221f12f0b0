"""From facts to the tables of analysts: runs the SQL of ``sql/analytics`` in an in-memory DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from warehouse.queries.samples import wilson
from warehouse.scratch import scratch
from warehouse.tables import TABLES
from warehouse.tables.analytics import ANALYTICS_TABLES

SQL = Path(__file__).parent / "sql" / "analytics"
FACTS_READ = (
    "events",
    "laps",
    "pit_stops",
    "qualifying_results",
    "race_results",
    "session_summaries",
    "sessions",
    "stints",
)
ORDER = (
    "ordered_laps",
    "pair_changes",
    "racing_laps",
    "start_gains",
    "green_stops",
    "driver_race_metrics",
    "team_race_metrics",
    "circuit_profiles",
    "circuit_grid_wins",
)
"""Steps in the order of their dependence; the first five are on the way only."""


def build_analytics(
    facts: Mapping[str, pa.Table], *, lap_craft: pa.Table, lap_wear: pa.Table, elo_rankings: pa.Table
) -> dict[str, pa.Table]:
    """Makes the analytics tables (not yet validated).

    Args:
        facts: Fact tables by name, at least :data:`FACTS_READ`.
        lap_craft: Race pace, consistency and wear by event and driver: :attr:`models.lap_craft.LapCraft.drivers`.
        lap_wear: Tyre wear by event: :attr:`models.lap_craft.LapCraft.wear`.
        elo_rankings: Rows of ``elo_rankings``.

    Returns:
        Rows of every table of :data:`warehouse.tables.analytics.ANALYTICS_TABLES`, columns in the contract's order.
    """
    con = scratch()
    try:
        con.execute("set TimeZone='UTC'")
        low, high = wilson("successes", "cases")
        con.execute(f"create or replace temp macro wilson_low(successes, cases) as {low}")
        con.execute(f"create or replace temp macro wilson_high(successes, cases) as {high}")
        for name in FACTS_READ:
            con.register(name, facts[name])
        for name, rows in (("lap_craft", lap_craft), ("lap_wear", lap_wear), ("elo_rankings", elo_rankings)):
            con.register(name, rows)
        for name in ORDER:
            con.execute(f'create or replace temp table "{name}" as {(SQL / f"{name}.sql").read_text()}')
        made = {}
        for table in ANALYTICS_TABLES:
            columns = ", ".join(f'"{column}"' for column in table.column_names)
            rows = con.sql(f'select {columns} from "{table.name}"')  # noqa: S608
            made[table.name] = rows.to_arrow_table().cast(table.schema)
        return made
    finally:
        con.close()


assert set(ORDER) | {"elo_rankings"} >= {table.name for table in ANALYTICS_TABLES}
assert set(FACTS_READ) <= set(TABLES)
