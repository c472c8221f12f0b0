"""The championship as it stands before the event, and last season's before the first."""

from __future__ import annotations

import numpy as np

from f1core.features.arrays import Rows, Seen
from f1core.features.registry import Values, feature
from f1core.features.view import EventView, number

GROUP = "standings"


def _latest(seen: Seen) -> Rows:
    """Rows of the newest known standings; after the winter, those of the last season's end."""
    if seen.end == 0:
        return np.empty(0, dtype=np.int64)
    newest = seen.column("event_id", np.array([seen.end - 1]))[0]
    return seen.rows(event_id=newest)


def _by(seen: Seen, rows: Rows, key: str, column: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in zip(seen.column(key, rows), seen.floats(column, rows), strict=True):
        # A constructor may stand twice (two engines): its better line counts.
        found.setdefault(str(name), float(value))
    return found


@feature(unit="place", group=GROUP)
def championship_position(view: EventView) -> Values:
    """Place in the drivers' championship before the event (last season's before the first race)."""
    seen = view.seen("driver_standings")
    places = _by(seen, _latest(seen), "driver_id", "display_order")
    return {driver: places.get(driver) for driver in view.drivers}


@feature(unit="share", group=GROUP)
def championship_points_share(view: EventView) -> Values:
    """The driver's championship points as a share of the leader's."""
    seen = view.seen("driver_standings")
    points = _by(seen, _latest(seen), "driver_id", "points")
    leader = max(points.values(), default=0.0)
    return {d: (points[d] / leader if d in points and leader > 0 else None) for d in view.drivers}


@feature(unit="points", group=GROUP)
def points_behind_leader(view: EventView) -> Values:
    """Points behind the championship leader."""
    seen = view.seen("driver_standings")
    points = _by(seen, _latest(seen), "driver_id", "points")
    leader = max(points.values(), default=0.0)
    return {d: (leader - points[d] if d in points else None) for d in view.drivers}


@feature(unit="place", group=GROUP)
def constructor_championship_position(view: EventView) -> Values:
    """The constructor's place in its championship before the event."""
    seen = view.seen("constructor_standings")
    places = _by(seen, _latest(seen), "constructor_id", "display_order")
    return {d: places.get(team) for d, team in view.constructors.items()}


@feature(unit="share", group=GROUP)
def constructor_points_share(view: EventView) -> Values:
    """The constructor's points as a share of the leading constructor's."""
    seen = view.seen("constructor_standings")
    points = _by(seen, _latest(seen), "constructor_id", "points")
    leader = max(points.values(), default=0.0)
    return {
        d: (number(points[t] / leader) if t in points and leader > 0 else None)
        for d, t in view.constructors.items()
    }
