"""The words in which a table is described: columns, keys and checks, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "int": pa.int32(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
DUCKDB_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "int": "INTEGER",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Column name; its suffix names the unit (``_s``, ``_kph``, ``_m``, ``_pct``, ``_at``, ``_id``).
        type: One of text, int, float, bool, date, timestamp (UTC).
        doc: What the value is, and what a missing value means.
        unit: Unit of measure, empty for none.
        source: Where the value comes from, when it differs from the table's source.
        required: Whether a missing value breaks the contract.
        minimum: Smallest allowed value.
        maximum: Largest allowed value.
        allowed: The closed set of allowed words.
    """

    name: str
    type: str
    doc: str
    unit: str = ""
    source: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of the warehouse.

    Attributes:
        name: Table name, a plural noun.
        grain: What one row is.
        key: Columns that identify a row.
        columns: All columns, in order.
        source: Where rows come from.
        group: Heading under which the schema page lists the table.
        partitioned: Whether the table is partitioned by season (and replaced season by season).
        checks: Further promises, as SQL conditions that hold for every row, with the words that explain them.
        parents: Foreign keys: column of this table -> ``table.column``.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    source: str
    group: str
    partitioned: bool = False
    checks: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(c.name for c in self.columns)

    @property
    def schema(self) -> pa.Schema:
        """The table as an Arrow schema; required columns are not nullable in the contract, not in the file."""
        return pa.schema([pa.field(c.name, ARROW_TYPES[c.type]) for c in self.columns])


def required(name: str, type_: str, doc: str, **options: object) -> Column:
    """A column that always has a value."""
    return Column(name, type_, doc, required=True, **options)  # type: ignore[arg-type]


EVENT_ID = required("event_id", "text", "The event: season and grand prix, e.g. `2026-great-britain`.")
SEASON = required("season", "int", "Championship season.", minimum=1950, maximum=2100)
KNOWN_AT = required(
    "known_at", "timestamp", "When the world could know the row (rule in `docs/time.md`).", unit="UTC"
)
DRIVER_ID = required("driver_id", "text", "The driver, e.g. `max-verstappen`.")
CONSTRUCTOR_ID = required("constructor_id", "text", "The constructor, e.g. `red-bull`.")
