"""Form: recent race results of the driver and of his constructor."""

from __future__ import annotations

import numpy as np

from f1core.features.registry import FeatureFunction, Values, add, feature
from f1core.features.view import EventView, latest_races, mean
from warehouse.vocab import Stage

GROUP = "form"
TEAM_GROUP = "constructor form"
ALWAYS = Stage.PRE_WEEKEND


def _recent(column: str, count: int) -> FeatureFunction:
    def compute(view: EventView) -> Values:
        starts = view.seen("starts")
        return {
            driver: mean(starts.floats(column, rows[-count:])) for driver, rows in view.driver_starts.items()
        }

    return compute


def _team_recent(column: str, events: int) -> FeatureFunction:
    def compute(view: EventView) -> Values:
        starts = view.seen("starts")
        return {
            driver: mean(starts.floats(column, rows[latest_races(starts, rows, events)]))
            for driver, rows in view.constructor_starts.items()
        }

    return compute


for _count in (3, 5, 10):
    add(
        f"avg_finish_{_count}",
        "place",
        GROUP,
        ALWAYS,
        f"Mean finishing position (retirements last) of the driver's last {_count} races.",
        _recent("position", _count),
    )
add("points_rate_5", "points/race", GROUP, ALWAYS, "Mean points of the last 5 races.", _recent("points", 5))
add("win_rate_10", "share", GROUP, ALWAYS, "Share of wins in the last 10 races.", _recent("is_winner", 10))
add(
    "podium_rate_10",
    "share",
    GROUP,
    ALWAYS,
    "Share of podiums in the last 10 races.",
    _recent("is_podium", 10),
)
add(
    "top_ten_rate_10",
    "share",
    GROUP,
    ALWAYS,
    "Share of top tens in the last 10 races.",
    _recent("is_top_ten", 10),
)
add(
    "dnf_rate_10", "share", GROUP, ALWAYS, "Share of retirements in the last 10 races.", _recent("is_dnf", 10)
)
add(
    "dnf_rate_30", "share", GROUP, ALWAYS, "Share of retirements in the last 30 races.", _recent("is_dnf", 30)
)
add(
    "places_gained_5",
    "place",
    GROUP,
    ALWAYS,
    "Mean places gained from the grid in the last 5 races (retirements lose places).",
    _recent("places_gained", 5),
)
add(
    "constructor_avg_finish_5",
    "place",
    TEAM_GROUP,
    ALWAYS,
    "Mean finishing position of the constructor's cars in its last 5 races.",
    _team_recent("position", 5),
)
add(
    "constructor_points_rate_5",
    "points/car",
    TEAM_GROUP,
    ALWAYS,
    "Mean points per car of the constructor in its last 5 races.",
    _team_recent("points", 5),
)
add(
    "constructor_dnf_rate_10",
    "share",
    TEAM_GROUP,
    ALWAYS,
    "Share of the constructor's cars that retired in its last 10 races.",
    _team_recent("is_dnf", 10),
)
add(
    "constructor_podium_rate_10",
    "share",
    TEAM_GROUP,
    ALWAYS,
    "Share of the constructor's cars on the podium in its last 10 races.",
    _team_recent("is_podium", 10),
)


@feature(unit="place", group=GROUP)
def best_finish_5(view: EventView) -> Values:
    """Best finishing position of the last 5 races."""
    starts = view.seen("starts")
    return {
        d: (float(starts.floats("position", r[-5:]).min()) if r.size else None)
        for d, r in view.driver_starts.items()
    }


@feature(unit="place", group=GROUP)
def finish_trend(view: EventView) -> Values:
    """Mean finish of the last 3 races minus that of the last 10: below zero is improving."""
    starts = view.seen("starts")
    found: dict[str, float | None] = {}
    for driver, rows in view.driver_starts.items():
        short, long = mean(starts.floats("position", rows[-3:])), mean(starts.floats("position", rows[-10:]))
        found[driver] = None if short is None or long is None else short - long
    return found


@feature(unit="races", group=GROUP)
def career_starts(view: EventView) -> Values:
    """Race starts of the driver so far."""
    return {driver: float(rows.size) for driver, rows in view.driver_starts.items()}


@feature(unit="races", group=GROUP)
def season_starts(view: EventView) -> Values:
    """Race starts of the driver in this season so far."""
    starts = view.seen("starts")
    return {
        d: float((starts.floats("season", r) == view.season).sum()) for d, r in view.driver_starts.items()
    }


@feature(unit="share", group=GROUP)
def team_mate_beaten_rate_10(view: EventView) -> Values:
    """Share of the driver's last 10 races with a team mate in which he finished ahead of the best of them."""
    starts = view.seen("starts")
    found: dict[str, float | None] = {}
    for driver, rows in view.driver_starts.items():
        wins = []
        for row in rows[::-1]:
            event, team = starts.arrays.column("event_id")[row], starts.arrays.column("constructor_id")[row]
            others = starts.rows(event_id=event, constructor_id=team)
            others = others[others != row]
            if others.size:
                places = starts.arrays.column("position")
                wins.append(float(places[row] < places[others].min()))
            if len(wins) == 10:
                break
        found[driver] = float(np.mean(wins)) if wins else None
    return found
