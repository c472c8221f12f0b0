"""Commands of the ledger: ``freeze``, ``settle``, ``verify`` and ``rebuild``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from f1core.ledger import Ledger, LedgerDamaged, Record
from jobs.options import AsJson, AsOf, Race, StageOption, TargetOption, Year, answer, workspace
from warehouse.vocab import Target


def freeze(
    race: Race = "next",
    year: Year = None,
    stage: StageOption = None,
    target: TargetOption = Target.RACE,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Seal the forecast of an event, once and for ever, before its session begins; a repeated call returns the record.

    Examples: python -m jobs freeze --race next ; python -m jobs freeze --race next --target qualifying
    """
    from f1core.freeze import freeze as run
    from f1core.ledger_tables import publish_ledger
    from f1core.resolver import resolve

    work = workspace(as_of)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    record, is_new = run(work, event, stage=stage, target=target)
    if is_new:
        publish_ledger(work)
    document = record.content
    words = "Sealed" if is_new else f"Sealed before, at {document['sealed_at']},"
    lines = [
        f"{words} {record.name} as record {document['sequence']}, {document['model']['version']}.",
        f"Hash {record.hash}",
        f"Facts up to {document['data']['through']}, last result {document['data']['last_event_id']}.",
        *(f"Warning: {warning}" for warning in document["warnings"]),
    ]
    answer({"is_new": is_new, **_short(record)}, as_json, "\n".join(lines))


def settle(
    race: Race = "last", year: Year = None, target: TargetOption = Target.RACE, as_json: AsJson = False
) -> None:
    """Score the sealed predictions of an event against the official result; a corrected result adds a new score.

    Example: python -m jobs settle --race "Las Vegas" --year 2026
    """
    from f1core.drift import remeasure_drift
    from f1core.ledger_tables import publish_ledger
    from f1core.resolver import resolve
    from f1core.settle import settle as run

    work = workspace(None)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    done = run(work, event, target=target)
    if any(is_new for _, is_new in done):
        publish_ledger(work)
        remeasure_drift(work)
    lines = []
    for record, is_new in done:
        scores = record.content["scores"]
        best = next(iter(scores))
        lines.append(
            f"{record.name}: {'settled' if is_new else 'settled before'}, revision {record.content['revision']}; "
            f"{best} win log loss {scores[best]['win_log_loss']:.3f}, MAE {scores[best]['mae_ranked']:.2f} places."
        )
    answer([{"is_new": is_new, **_short(record)} for record, is_new in done], as_json, "\n".join(lines))


def verify(
    head: Annotated[
        str | None, typer.Option("--head", help="A hash noted earlier that must still be in the chain.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the chain and name every record that is altered, missing or foreign; exit code 10 when there is one.

    Example: python -m jobs verify --head 3f2a…
    """
    from f1core.ledger_tables import NOTE
    from warehouse.snapshot import read_snapshot

    work = workspace(None)
    found = Ledger(work.settings.ledger_root).verify(head)
    problems = list(found.problems)
    snapshot = read_snapshot(work.settings.warehouse_root)
    noted = snapshot.notes.get(NOTE, {}) if snapshot else {}
    if noted.get("count", 0) > found.count:
        problems.append(
            f"the warehouse knew {noted['count']} records, the chain has {found.count}: it was shortened"
        )
    data = {"count": found.count, "head": found.head, "is_intact": not problems, "problems": problems}
    if problems:
        answer(data, as_json, "\n".join(problems))
        raise LedgerDamaged(
            f"The ledger is damaged: {len(problems)} problem(s).",
            hint="Restore data/ledger from a copy; records are never made anew.",
        )
    answer(data, as_json, f"{found.count} records, all as sealed.\nHead {found.head}")


def rebuild(as_json: AsJson = False) -> None:
    """Make the tables of sealed predictions and their accuracy anew, from the ledger alone.

    Example: python -m jobs rebuild
    """
    from f1core.ledger_tables import publish_ledger

    rows = publish_ledger(workspace(None))
    answer(rows, as_json, ", ".join(f"{name}: {count} rows" for name, count in rows.items()))


def _short(record: Record) -> dict[str, Any]:
    keys = ("name", "sequence", "hash", "previous", "event_id", "target", "stage", "kind")
    return {key: record.content[key] for key in keys}


COMMANDS = (freeze, settle, verify, rebuild)
