"""The ledger as tables: sealed predictions, their entries and their accuracy, made from the records alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from f1core.distributions import rows_of_document
from f1core.ledger import Ledger, Record
from f1core.workspace import Workspace
from warehouse.queries.distributions import DISTRIBUTION_TABLES
from warehouse.store import Store
from warehouse.tables import TABLES

NOTE = "ledger"


def ledger_frames(ledger: Ledger) -> dict[str, pl.DataFrame]:
    """Rows of ``predictions``, ``prediction_entries`` and what stands beside these, and ``accuracy``.

    Args:
        ledger: Whose records, in the order of the chain; those of the other kind, real or rehearsed, are left out.
    """
    heads: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    beside: dict[str, list[dict[str, Any]]] = {part: [] for part in DISTRIBUTION_TABLES["sealed"]}
    for record in ledger.walk():
        document = record.content
        if document["kind"] == ledger.prediction_kind:
            heads += _heads(record)
            entries += _entries(document)
            for part, rows in rows_of_document(document).items():
                beside[part] += rows
        elif document["kind"] == ledger.settlement_kind:
            scores += _scores(record)
    newest = {(row["event_id"], row["target"], row["stage"]): row["revision"] for row in scores}
    for row in scores:
        row["is_current"] = newest[row["event_id"], row["target"], row["stage"]] == row["revision"]
    return {
        "predictions": _frame("predictions", heads),
        "prediction_entries": _frame("prediction_entries", entries),
        **{table: _frame(table, beside[part]) for part, table in DISTRIBUTION_TABLES["sealed"].items()},
        "accuracy": _frame("accuracy", scores),
    }


def publish_ledger(workspace: Workspace) -> dict[str, int]:
    """Rebuilds the ledger's tables in the warehouse and notes count and head hash with them.

    Returns:
        Rows per table.

    Raises:
        LedgerDamaged: A record is not what was sealed; the tables stay as they were.
    """
    ledger = Ledger(workspace.settings.ledger_root)
    with workspace.writing("rebuild") as store:
        rows = write_tables(store, ledger)
        count, head = ledger.head()
        if store.changed or store.notes.get(NOTE) != {"count": count, "head": head}:
            store.publish(now=workspace.clock.now(), notes={NOTE: {"count": count, "head": head}})
    return rows


def write_tables(store: Store, ledger: Ledger) -> dict[str, int]:
    """Puts the ledger's tables into a store; the caller publishes."""
    frames = ledger_frames(ledger)
    for name, frame in frames.items():
        store.replace(name, frame.to_arrow().cast(TABLES[name].schema))
    return {name: frame.height for name, frame in frames.items()}


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    empty = pl.DataFrame(pl.from_arrow(TABLES[name].schema.empty_table()))
    return pl.DataFrame(rows, schema=empty.schema, orient="row") if rows else empty


def _heads(record: Record) -> list[dict[str, Any]]:
    document = record.content
    data, model = document["data"], document["model"]
    common = {
        "event_id": document["event_id"],
        "season": document["event"]["season"],
        "target": document["target"],
        "stage": document["stage"],
        "as_of": _instant(document["as_of"]),
        "computed_at": _instant(document["computed_at"]),
        "data_through": _instant(data["through"]),
        "data_version": data["version"],
        "last_event_id": data["last_event_id"],
        "count_missing_events": data["count_missing_events"],
        "count_drivers": len(document["entries"]),
        "lineup_source": data["lineup_source"],
        "feature_coverage": document["features"]["coverage"],
        "warnings": " | ".join(document["warnings"]),
        "record_name": record.name,
        "record_hash": record.hash,
        "sequence": document["sequence"],
        "sealed_at": _instant(document["sealed_at"]),
        "session_starts_at": _instant(document["session"]["starts_at"]),
        "confidence_score": document["confidence"]["score"],
        "confidence_level": document["confidence"]["level"],
    }
    versions = {model["name"]: model["version"], **dict.fromkeys(document["baselines"], "baseline")}
    return [{**common, "model": name, "model_version": version} for name, version in versions.items()]


def _entries(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    own = {entry["driver_id"]: entry for entry in document["entries"]}
    rows = []
    for name, entries in ((document["model"]["name"], document["entries"]), *document["baselines"].items()):
        for entry in entries:
            known = own[entry["driver_id"]]
            row = {column: entry.get(column) for column in TABLES["prediction_entries"].column_names}
            rows.append(
                row
                | {
                    "event_id": document["event_id"],
                    "season": document["event"]["season"],
                    "target": document["target"],
                    "stage": document["stage"],
                    "model": name,
                    "constructor_id": known["constructor_id"],
                    "grid_position": known["grid_position"],
                    "data_quality_flag": known["data_quality_flag"],
                    "feature_coverage": known["feature_coverage"],
                }
            )
    return rows


def _scores(record: Record) -> list[dict[str, Any]]:
    document = record.content
    common = {
        "event_id": document["event_id"],
        "season": int(str(document["event_id"])[:4]),
        "target": document["target"],
        "stage": document["stage"],
        "revision": document["revision"],
        "settled_at": _instant(document["settled_at"]),
        "prediction_hash": document["prediction"]["hash"],
        "record_name": record.name,
        "record_hash": record.hash,
        "sequence": document["sequence"],
        "confidence_score": document["confidence"]["score"],
    }
    return [
        {
            **{column: scores.get(column) for column in TABLES["accuracy"].column_names if column in scores},
            **common,
            "model": name,
        }
        for name, scores in document["scores"].items()
    ]


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
