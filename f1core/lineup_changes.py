"""Who drives what now that did not when the stored forecast was made."""

from __future__ import annotations

from f1core.features.lineup import expected_lineup
from f1core.predict import best_stage
from f1core.targets import PRODUCTION_MODEL
from f1core.workspace import Workspace
from warehouse.queries.forecasts import prediction_entries, prediction_heads


def lineup_changes(workspace: Workspace, event_id: str) -> list[str]:
    """Differences between the field as it is expected now and that of the newest stored forecast, in words.

    Args:
        workspace: The installation.
        event_id: An event to come.

    Returns:
        One text for each driver; empty when nothing differs or nothing was forecast yet.

    Raises:
        NotReady: No field is known.
    """
    reader = workspace.reader
    heads = prediction_heads(reader, "provisional", event_id)
    if heads.is_empty():
        return []
    stage = heads.sort("computed_at")["stage"][-1]
    entries = prediction_entries(reader, "provisional", event_id, stage, PRODUCTION_MODEL)
    before = dict(entries.select("driver_id", "constructor_id").iter_rows())
    now = workspace.clock.now()
    field = expected_lineup(workspace.features.facts, event_id, best_stage(reader, event_id, now), now)
    after = {entry.driver_id: entry.constructor_id for entry in field.entries}
    told = [f"{driver} ({before[driver]}) is out" for driver in sorted(before.keys() - after.keys())]
    told += [f"{driver} ({after[driver]}) is in" for driver in sorted(after.keys() - before.keys())]
    told += [
        f"{driver} moves from {before[driver]} to {after[driver]}"
        for driver in sorted(before.keys() & after.keys())
        if before[driver] != after[driver]
    ]
    return told
