"""What a feature may look at: one event, its field, and the facts known before the cut-off."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from f1core.features.arrays import Rows, Seen
from f1core.features.facts import FeatureFacts
from warehouse.stages import TARGET_SESSION, qualifying_session
from warehouse.vocab import SessionKind, Stage, Target


@dataclass(frozen=True)
class Entry:
    """A driver expected to start, in his car."""

    driver_id: str
    constructor_id: str


@dataclass(frozen=True)
class EventView:
    """One event as a forecast of some stage may see it.

    Attributes:
        facts: All facts; read only through :meth:`seen`.
        event_id: The event.
        stage: Stage of the forecast.
        as_of: Cut-off: facts with ``known_at >= as_of`` do not exist here.
        entries: The field.
        target: What is forecast. Features of the weekend ask the view which sessions they read: a sprint has a grid and a
            qualifying of its own.
    """

    facts: FeatureFacts
    event_id: str
    stage: Stage
    as_of: dt.datetime
    entries: tuple[Entry, ...]
    target: Target = Target.RACE
    _seen: dict[str, Seen] = field(default_factory=dict)

    def seen(self, name: str) -> Seen:
        """A table as far as it was known before the cut-off."""
        if name not in self._seen:
            self._seen[name] = self.facts.seen(name, self.as_of)
        return self._seen[name]

    @property
    def event(self) -> dict[str, object]:
        """What the calendar says of the event."""
        return self.facts.events[self.event_id]

    @property
    def season(self) -> int:
        """Season of the event."""
        return int(str(self.event["season"]))

    @property
    def session(self) -> SessionKind:
        """The session that is forecast, whose grid is read; for qualifying it is the race's."""
        return TARGET_SESSION[Target.SPRINT if self.target is Target.SPRINT else Target.RACE]

    @property
    def qualifying(self) -> SessionKind:
        """The session that sets that grid."""
        return qualifying_session(self.facts.starts_at[self.event_id], self.target)

    @cached_property
    def drivers(self) -> tuple[str, ...]:
        """The field's drivers."""
        return tuple(entry.driver_id for entry in self.entries)

    @cached_property
    def constructors(self) -> dict[str, str]:
        """Constructor of each driver."""
        return {entry.driver_id: entry.constructor_id for entry in self.entries}

    @cached_property
    def team_mates(self) -> dict[str, tuple[str, ...]]:
        """The other drivers of each driver's constructor."""
        return {
            entry.driver_id: tuple(
                other.driver_id
                for other in self.entries
                if other.constructor_id == entry.constructor_id and other.driver_id != entry.driver_id
            )
            for entry in self.entries
        }

    @cached_property
    def driver_starts(self) -> dict[str, Rows]:
        """Rows of each driver's race starts, oldest first."""
        return {driver: self.seen("starts").rows(driver_id=driver) for driver in self.drivers}

    @cached_property
    def constructor_starts(self) -> dict[str, Rows]:
        """Rows of each driver's constructor's starts, oldest first."""
        starts = self.seen("starts")
        return {driver: starts.rows(constructor_id=team) for driver, team in self.constructors.items()}

    def session_rows(self, table: str, session: str) -> dict[str, int]:
        """Row of each driver in a session of this event, as far as it is known."""
        seen = self.seen(table)
        rows = seen.rows(event_id=self.event_id, session=session)
        return {
            str(driver): int(row) for driver, row in zip(seen.column("driver_id", rows), rows, strict=True)
        }


def mean(values: NDArray[np.float64]) -> float | None:
    """Mean of what is not missing; None of nothing."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else None


def number(value: float) -> float | None:
    """A number, or None for NaN."""
    return None if np.isnan(value) else float(value)


def latest_races(starts: Seen, rows: Rows, count: int) -> slice:
    """The part of some starts (oldest first) that belongs to their last races.

    Args:
        starts: The table of starts.
        rows: Rows of it, oldest first.
        count: How many races.
    """
    races = starts.floats("race_number", rows)
    if not races.size:
        return slice(0, 0)
    begins = np.concatenate([[0], np.flatnonzero(np.diff(races)) + 1])
    return slice(int(begins[-min(count, begins.size)]), None)
