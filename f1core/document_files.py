"""Where the documents lie that are served as they are, beside the ledger: names only, no engine.

Under the documents' folder::

    events.json                                      every event, its names and its session times
    backtest/<event>.<target>.<stage>.json           what a walk-forward backtest says of a race that is over
    provisional/<event>.<target>.<stage>.json        the present forecast of a race to come; replaced by the next one

They are made from the warehouse by :mod:`f1core.published` and can be made again at any time.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from warehouse.vocab import Stage, Target

EVENTS_FORMAT = "parcferme/events/1"
EVENTS_FILE = "events.json"


class Kind(StrEnum):
    """What stands behind a prediction's document; kinds are never mixed."""

    SEALED = "sealed"
    """A record of the ledger, made before the session by the real clock."""
    BACKTEST = "backtest"
    """Computed afterwards, from what was known before."""
    PROVISIONAL = "provisional"
    """Of a session to come; will be replaced."""


STORED_KINDS = (Kind.BACKTEST, Kind.PROVISIONAL)
"""Kinds that lie in the documents' folder; sealed ones lie in the ledger."""


def events_file(root: Path) -> Path:
    """The file of all events."""
    return root / EVENTS_FILE


def document_name(event_id: str, target: Target, stage: Stage) -> str:
    """File name of a stored document within its kind's folder."""
    return f"{event_id}.{target.value}.{stage.value}.json"


def document_file(root: Path, kind: Kind, event_id: str, target: Target, stage: Stage) -> Path:
    """The file of a stored document."""
    return root / kind.value / document_name(event_id, target, stage)
