"""Where facts came from, and where two sources differ."""

from __future__ import annotations

from warehouse.tables.contract import Table

PROVENANCE_TABLES: tuple[Table, ...] = ()
