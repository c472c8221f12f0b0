"""What timing recorded of practice, qualifying and races: laps, car telemetry, weather, race control."""

from __future__ import annotations

from warehouse.tables.contract import Table

SESSION_TABLES: tuple[Table, ...] = ()
