"""Seals a forecast: once, before the session it forecasts, by the machine's real clock."""

from __future__ import annotations

import datetime as dt

import polars as pl

from f1core.documents import iso, prediction_document
from f1core.ledger import Ledger, Record, prediction_name
from f1core.predict import Predictor, best_stage, require_stage
from f1core.targets import require_target, rules_of
from f1core.validation import check_distributions, check_entries
from f1core.workspace import Workspace
from warehouse.errors import NotReady
from warehouse.lock import writer_lock
from warehouse.queries.events import event_head
from warehouse.vocab import Stage, Target


def freeze(
    workspace: Workspace, event_id: str, *, stage: Stage | None = None, target: Target = Target.RACE
) -> tuple[Record, bool]:
    """Seals the forecast of an event, target and stage, or returns the one that was sealed before.

    Args:
        workspace: With the system's clock, or a rehearsal's.
        event_id: The event.
        stage: Stage to seal; None takes the furthest one whose facts are known.
        target: What is forecast.

    Returns:
        The sealed record, and whether it was sealed now.

    Raises:
        NotReady: The clock is simulated, the target's session has begun, its start is not known, the event has none, or the
            stage cannot be had.
        ContractViolation: The forecast contradicts itself.
        NotTrained: No model is in production.
        LockHeld: Another process is writing.
    """
    ledger = Ledger(workspace.settings.ledger_root)
    now = workspace.clock.now()
    chosen = stage or best_stage(workspace.reader, event_id, now, target)
    name = prediction_name(event_id, target.value, chosen.value)
    kept = ledger.get(name)
    if kept is not None:
        return kept, False
    starts = refuse_unless_open(workspace, event_id, target)
    require_stage(workspace.reader, event_id, chosen, now, target)
    made = Predictor(workspace).forecast(event_id, chosen, target)
    for (model,), rows in made.entries.group_by(["model"], maintain_order=True):
        check_entries(rows.to_dicts(), model=str(model))
        check_distributions(rows, made.distributions.where(model=str(model)), model=str(model))
    head = made.heads.filter(pl.col("model") == rules_of(target).model).row(0, named=True)
    manifest = workspace.registry.manifest(head["model_version"])
    with writer_lock(workspace.settings.locks_root, holder="freeze", wait_s=LOCK_WAIT_S):
        # Clock and calendar are read again under the lock: whoever waited past the start may no longer seal, and the start
        # may have been brought forward meanwhile.
        starts = refuse_unless_open(workspace, event_id, target)
        sealed_at = _now_before(workspace, event_id, target, starts)
        content = prediction_document(
            workspace.reader,
            made.heads,
            made.entries,
            kind=ledger.prediction_kind,
            distributions=made.distributions,
            extra={
                "sealed_at": iso(sealed_at),
                "session": {"kind": rules_of(target).session.value, "starts_at": iso(starts)},
                "model": {
                    "name": manifest.model,
                    "version": manifest.version,
                    "cutoff": iso(manifest.cutoff),
                    "git_revision": manifest.git_revision,
                    "files": dict(manifest.files),
                },
            },
        )
        return ledger.seal(name, content)


LOCK_WAIT_S = 60.0
"""How long a seal waits for another writer."""


def refuse_unless_open(workspace: Workspace, event_id: str, target: Target) -> dt.datetime:
    """Start of the target's session, when it may still be forecast under seal.

    Raises:
        NotReady: The clock is simulated, the event has no such session, its start is an estimate, or it has begun.
    """
    if not workspace.is_live:
        raise NotReady(
            "Only the machine's real clock can seal.",
            hint="Leave --as-of (or PARCFERME_CLOCK) out; use `predict` to look back.",
        )
    session = require_target(workspace.reader, event_id, target)
    starts: dt.datetime = session["starts_at"]
    if session["is_time_estimated"]:
        # An estimate may lie hours behind the real start: what is sealed by it could have been made after the flag.
        raise NotReady(
            f"The calendar does not say when the {target.value} of {event_id} begins, only its day: nothing can be sealed "
            "before an estimate.",
            hint="Try again when the calendar has its start; `python -m jobs ingest` brings the newest calendar.",
        )
    _now_before(workspace, event_id, target, starts)
    return starts


def _now_before(workspace: Workspace, event_id: str, target: Target, starts: dt.datetime) -> dt.datetime:
    now = workspace.clock.now()
    event = event_head(workspace.reader, event_id)
    if event["status"] == "cancelled":
        raise NotReady(f"{event_id} is cancelled.")
    if now >= starts:
        raise NotReady(
            f"The {target.value} of {event_id} began at {starts:%Y-%m-%d %H:%M} UTC: nothing can be sealed any more.",
            hint="A seal that was missed is never made late. `--race next` names the event to come.",
        )
    return now
