"""Whether models in production are still right: challenges and drift."""

from __future__ import annotations

from warehouse.tables.contract import Table

MONITORING_TABLES: tuple[Table, ...] = ()
