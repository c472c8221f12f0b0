"""Every table of the warehouse as code: what a row is, its key, columns, units, sources and checks.

``docs/schema.md`` is printed from these; writes are validated against them.
"""

from __future__ import annotations

from warehouse.snapshot import SCHEMA_VERSION
from warehouse.tables.analytics import ANALYTICS_TABLES
from warehouse.tables.calendar import CALENDAR_TABLES
from warehouse.tables.championship import CHAMPIONSHIP_TABLES
from warehouse.tables.contract import ARROW_TYPES, Column, Table
from warehouse.tables.forecasts import FORECAST_TABLES, SCORE_COLUMNS
from warehouse.tables.laps import LAP_TABLES
from warehouse.tables.ledger import LEDGER_TABLES
from warehouse.tables.monitoring import MONITORING_TABLES
from warehouse.tables.provenance import PROVENANCE_TABLES
from warehouse.tables.results import RESULT_TABLES
from warehouse.tables.sessions import SESSION_TABLES
from warehouse.tables.strategy import STRATEGY_TABLES
from warehouse.tables.weather import WEATHER_TABLES

FACT_TABLES: tuple[Table, ...] = (*CALENDAR_TABLES, *RESULT_TABLES, *LAP_TABLES)
ALL_TABLES: tuple[Table, ...] = (
    *FACT_TABLES,
    *SESSION_TABLES,
    *WEATHER_TABLES,
    *PROVENANCE_TABLES,
    *FORECAST_TABLES,
    *LEDGER_TABLES,
    *MONITORING_TABLES,
    *CHAMPIONSHIP_TABLES,
    *ANALYTICS_TABLES,
    *STRATEGY_TABLES,
)
TABLES: dict[str, Table] = {table.name: table for table in ALL_TABLES}

__all__ = [
    "ALL_TABLES",
    "ANALYTICS_TABLES",
    "ARROW_TYPES",
    "FACT_TABLES",
    "FORECAST_TABLES",
    "SCHEMA_VERSION",
    "SCORE_COLUMNS",
    "TABLES",
    "Column",
    "Table",
]
