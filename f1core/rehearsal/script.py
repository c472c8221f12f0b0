"""What is rehearsed: which weekend, from when to when, and what goes wrong.

It is kept in the folder's mark, so that a rehearsal that was killed goes on as it began.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from f1core.freeze_policy import FreezePolicy
from f1core.rehearsal.corrections import (
    PROVISIONAL_RESULTS,
    Correction,
    disqualified_later,
    inserted,
    rescheduled,
)
from f1core.rehearsal.marker import read_mark
from f1core.rehearsal.source import FaultKind, SourceFault
from f1core.settings import Settings
from warehouse.errors import NotReady, WarehouseError
from warehouse.queries.events import event_head, session_starts, sessions
from warehouse.reader import Reader
from warehouse.vocab import SessionKind

LEAD = dt.timedelta(hours=6)
"""A rehearsal begins on the hour, at least this long before the first session."""
AFTER = dt.timedelta(days=1)
END = dt.time(7, tzinfo=dt.UTC)
"""It ends at this time on the day after the result, or after its last correction: that morning's runs are over by then."""


@dataclass(frozen=True)
class Script:
    """What is rehearsed.

    Attributes:
        event_id: The event.
        since: First instant.
        until: Last instant.
        policy: Which stage is sealed as the official one; None: as in the installation's settings.
        retrain: Whether the result leads to a challenger; None: as in the installation's settings.
        is_provisional: Whether a result that is known to have been corrected is first shown as it stood.
        inserted: Events that were put into the calendar at an instant of the rehearsal.
        rescheduled: Earlier starts of sessions, by event and session, which stood until an instant.
        faults: When sources do not answer as they should.
    """

    event_id: str
    since: dt.datetime
    until: dt.datetime
    policy: FreezePolicy | None = None
    retrain: bool | None = None
    is_provisional: bool = True
    inserted: Mapping[str, dt.datetime] = field(default_factory=dict)
    rescheduled: Mapping[str, tuple[dt.datetime, Mapping[str, dt.datetime]]] = field(default_factory=dict)
    faults: tuple[SourceFault, ...] = ()

    @property
    def season(self) -> int:
        """Season of the event."""
        return int(self.event_id[:4])

    def corrections(self, tables: Mapping[str, pl.DataFrame]) -> list[Correction]:
        """What was first known otherwise, from the season's final tables."""
        found = [inserted(event, at, tables) for event, at in self.inserted.items()]
        found += [rescheduled(event, at, starts, tables) for event, (at, starts) in self.rescheduled.items()]
        if self.is_provisional and self.event_id in PROVISIONAL_RESULTS:
            found.append(disqualified_later(PROVISIONAL_RESULTS[self.event_id], tables))
        return found

    def apply(self, settings: Settings) -> Settings:
        """Settings with the script's own choices."""
        chosen: dict[str, Any] = {}
        if self.policy is not None:
            chosen["prediction_freeze_policy"] = self.policy
        if self.retrain is not None:
            chosen["auto_retrain_enabled"] = self.retrain
        return settings.model_copy(update=chosen)

    def to_json(self) -> dict[str, Any]:
        """Plain data; times in ISO 8601."""
        return {
            "event_id": self.event_id,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "policy": self.policy.value if self.policy else None,
            "retrain": self.retrain,
            "is_provisional": self.is_provisional,
            "inserted": {event: at.isoformat() for event, at in self.inserted.items()},
            "rescheduled": {
                event: [at.isoformat(), {session: start.isoformat() for session, start in starts.items()}]
                for event, (at, starts) in self.rescheduled.items()
            },
            "faults": [
                [fault.kind.value, fault.since.isoformat(), fault.until.isoformat()] for fault in self.faults
            ],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Script:
        """The inverse of :meth:`to_json`."""
        return cls(
            event_id=content["event_id"],
            since=_instant(content["since"]),
            until=_instant(content["until"]),
            policy=FreezePolicy(content["policy"]) if content["policy"] else None,
            retrain=content["retrain"],
            is_provisional=content["is_provisional"],
            inserted={event: _instant(at) for event, at in content["inserted"].items()},
            rescheduled={
                event: (_instant(at), {session: _instant(start) for session, start in starts.items()})
                for event, (at, starts) in content["rescheduled"].items()
            },
            faults=tuple(
                SourceFault(FaultKind(kind), _instant(since), _instant(until))
                for kind, since, until in content["faults"]
            ),
        )


def read_script(data: Path) -> Script:
    """The script of a rehearsal's data folder.

    Raises:
        WarehouseError: The folder belongs to no rehearsal, or its mark is damaged.
    """
    found = read_mark(data)
    try:
        return Script.from_json(found["script"])
    except (KeyError, TypeError, ValueError) as error:
        raise WarehouseError(
            f"The mark of {data} is damaged: {error!r}", hint="Delete the folder."
        ) from error


def script_of(origin: Reader, event_id: str, **chosen: Any) -> Script:
    """The script of a weekend: from some hours before its first session to the morning after its result.

    Args:
        origin: The installation whose facts are rehearsed.
        event_id: The event.
        **chosen: Members of :class:`Script` that are not as usual.

    Raises:
        NotReady: The event has no result yet: there is nothing to rehearse.
    """
    event = event_head(origin, event_id)
    if event["status"] != "held":
        raise NotReady(
            f"{event_id} has no result in the data: only a weekend that is over can be rehearsed.",
            hint="Name a past race, e.g. --race last.",
        )
    rows = sessions(origin, event_id)
    known = rows.filter(pl.col("session") == SessionKind.RACE.value)["known_at"][0]
    if event_id in PROVISIONAL_RESULTS and chosen.get("is_provisional", True):
        known += PROVISIONAL_RESULTS[event_id].corrected_after
    first = min(session_starts(origin, event_id).values()).astimezone(dt.UTC)
    since = (first - LEAD).replace(minute=0, second=0, microsecond=0)
    until = dt.datetime.combine((known + AFTER).date(), END)
    return Script(**{"event_id": event_id, "since": since, "until": until, **chosen})


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
