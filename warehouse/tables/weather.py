"""Weather forecasts, each kept with the instant it was issued."""

from __future__ import annotations

from warehouse.tables.contract import Table

WEATHER_TABLES: tuple[Table, ...] = ()
