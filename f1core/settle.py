"""Scores sealed predictions against official results; a corrected result adds a score and hides none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from f1core.documents import DIGITS, iso
from f1core.labels import labels_of
from f1core.ledger import Ledger, Record, prediction_name, settlement_name
from f1core.targets import rules_of
from f1core.workspace import Workspace
from models.metrics import OUTCOMES, reliability, score_event
from warehouse.errors import NotReady
from warehouse.lock import writer_lock
from warehouse.queries.results import event_qualifying, event_result
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

FORMAT = "parcferme/settlement/1"
LOCK_WAIT_S = 60.0


def settle(workspace: Workspace, event_id: str, *, target: Target = Target.RACE) -> list[tuple[Record, bool]]:
    """Settles every sealed prediction of an event.

    Args:
        workspace: With the system's clock, or a rehearsal's.
        event_id: The event.
        target: What was forecast.

    Returns:
        For each sealed stage the settlement that counts, and whether it was made now; results that have not changed since
        the last settlement make no new one.

    Raises:
        NotReady: The clock is simulated, nothing was sealed, or the result is not in the warehouse yet.
    """
    if not workspace.is_live:
        raise NotReady("Only the machine's real clock can settle.", hint="Leave --as-of out.")
    ledger = Ledger(workspace.settings.ledger_root)
    sealed = {
        stage: record
        for stage in Stage
        if (record := ledger.get(prediction_name(event_id, target.value, stage.value))) is not None
    }
    if not sealed:
        raise NotReady(
            f"No {target.value} prediction of {event_id} was sealed.",
            hint="Backtests are scored by `python -m jobs backtest`.",
        )
    lines = official_result(workspace.reader, event_id, target)
    if lines.is_empty() or lines["known_at"][0] > workspace.clock.now():
        raise NotReady(
            f"The {target.value} result of {event_id} is not in the data yet.",
            hint="Run `python -m jobs ingest` with newer facts.",
        )
    labels = labels_of(lines, target)
    results = _results(lines, labels)
    with writer_lock(workspace.settings.locks_root, holder="settle", wait_s=LOCK_WAIT_S):
        return [_settle_one(workspace, ledger, record, labels, results) for record in sealed.values()]


def official_result(reader: Reader, event_id: str, target: Target) -> pl.DataFrame:
    """Official lines of a target's session with their ``status``, in order; empty when there are none (yet)."""
    if target is Target.QUALIFYING:
        return event_qualifying(reader, event_id)
    return event_result(reader, event_id, rules_of(target).session.value)


def _settle_one(
    workspace: Workspace, ledger: Ledger, sealed: Record, labels: pl.DataFrame, results: list[dict[str, Any]]
) -> tuple[Record, bool]:
    document = sealed.content
    event_id, target, stage = (str(document[key]) for key in ("event_id", "target", "stage"))
    digest = hashlib.sha256(json.dumps(results, sort_keys=True).encode()).hexdigest()
    earlier = ledger.settlements(event_id, target, stage)
    if earlier and earlier[-1].content["results_sha256"] == digest:
        return earlier[-1], False
    forecasts = {str(document["model"]["name"]): document["entries"], **document["baselines"]}
    scores, calibration = {}, {}
    for name, entries in forecasts.items():
        frame = _frame(event_id, name, entries)
        scores[name] = _rounded(score_event(frame, labels))
        calibration[name] = {outcome: _bins(reliability(frame, labels, outcome)) for outcome in OUTCOMES}
    content = {
        "format": FORMAT,
        "kind": ledger.settlement_kind,
        "event_id": event_id,
        "target": target,
        "stage": stage,
        "revision": len(earlier) + 1,
        "settled_at": iso(workspace.clock.now()),
        "prediction": {"name": sealed.name, "hash": sealed.hash},
        "supersedes": earlier[-1].hash if earlier else None,
        "results": results,
        "results_sha256": digest,
        "confidence": document["confidence"],
        "scores": scores,
        "calibration": calibration,
    }
    return ledger.seal(settlement_name(event_id, target, stage, len(earlier) + 1), content)


def _results(lines: pl.DataFrame, labels: pl.DataFrame) -> list[dict[str, Any]]:
    """The official result as the settlement keeps it: the starters in order."""
    status = dict(lines.select("driver_id", "status").iter_rows())
    return [
        {
            "position": row["position"],
            "driver_id": row["driver_id"],
            "constructor_id": row["constructor_id"],
            "status": status[row["driver_id"]],
            "gap_s": row["gap_s"],
            "race_time_s": row["race_time_s"],
        }
        for row in labels.sort("position").iter_rows(named=True)
    ]


def _frame(event_id: str, model: str, entries: list[Mapping[str, Any]]) -> pl.DataFrame:
    """A document's entries as a forecast frame; baselines carry no times."""
    frame = pl.DataFrame([dict(entry) for entry in entries])
    missing = [name for name in ("gap_s", "race_time_s") if name not in frame.columns]
    return frame.with_columns(
        pl.lit(event_id).alias("event_id"),
        pl.lit(model).alias("model"),
        *(pl.lit(None, pl.Float64).alias(name) for name in missing),
    )


def _bins(curve: pl.DataFrame) -> list[dict[str, Any]]:
    return [_rounded(row) for row in curve.to_dicts()]


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, DIGITS) if isinstance(value, float) else value for key, value in values.items()}
