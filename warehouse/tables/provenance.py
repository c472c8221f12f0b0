"""Where facts came from, and where two sources differ."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, SEASON, Column, Table, required

FACT_SOURCES = Table(
    "fact_sources",
    "one row per fact table, event and session whose rows came from one source",
    ("table_name", "event_id", "session"),
    (
        required("table_name", "text", "Table the facts are in."),
        EVENT_ID,
        SEASON,
        required("session", "text", "Session; race for standings."),
        required(
            "source",
            "text",
            "f1db: the results source; fastf1: a fetched timing session; lap_archive: the lap files of the archive.",
            allowed=("f1db", "fastf1", "lap_archive"),
        ),
        required(
            "source_version", "text", "Start of the content hash of the file or session they were read from."
        ),
        required(
            "loaded_at",
            "timestamp",
            "When these very rows were first loaded here; newer files with the same rows leave it.",
            unit="UTC",
        ),
        required("count_rows", "int", "Rows.", minimum=1),
        required("content_hash", "text", "Fingerprint of the rows, whatever their order."),
    ),
    source="made by every ingest",
    group="Provenance",
    parents={"event_id": "events.event_id"},
)

SOURCE_DIFFERENCES = Table(
    "source_differences",
    "one row per value on which the results source and a fetched timing session do not agree",
    ("event_id", "session", "driver_id", "field"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "Session."),
        required("driver_id", "text", "The driver."),
        required(
            "field", "text", "The value: position, status, q1_s …; listed: only one of them has the driver."
        ),
        Column("results_value", "text", "What the results source says; it is the one that counts."),
        Column("timing_value", "text", "What the timing session says."),
    ),
    source="F1DB against fetched timing sessions, compared at every ingest",
    group="Provenance",
    parents={"event_id": "events.event_id", "driver_id": "drivers.driver_id"},
)

PROVENANCE_TABLES: tuple[Table, ...] = (FACT_SOURCES, SOURCE_DIFFERENCES)
