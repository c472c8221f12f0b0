"""Ratings: Elo, and the filter that separates driver and car."""

from __future__ import annotations

from f1core.features.registry import Values, feature
from f1core.features.view import EventView
from models.pace_filter import SETTINGS
from models.ratings import BASE_RATING, carried

GROUP = "ratings"
_CARRY = {
    kind: {"driver": settings.driver_carry, "constructor": settings.car_carry}
    for kind, settings in SETTINGS.items()
}


def latest_ratings(view: EventView, rating_kind: str, entity_kind: str) -> dict[str, float | None]:
    """Newest known rating of each driver, or of each driver's constructor; None before his first race.

    Ratings are kept as they were after a race; the winters since then move them back as the rating itself would.
    """
    seen = view.seen("ratings")
    found: dict[str, float | None] = {}
    for driver in view.drivers:
        entity = driver if entity_kind == "driver" else view.constructors[driver]
        rows = seen.rows(entity_id=entity, rating_kind=rating_kind, entity_kind=entity_kind)
        if not rows.size:
            found[driver] = None
            continue
        value, season = seen.floats("value", rows[-1:]), seen.floats("season", rows[-1:])[0]
        winters = view.season - int(season)
        if rating_kind == "elo":
            found[driver] = float(carried(value, entity_kind, winters)[0])
        else:
            found[driver] = float(value[0] * _CARRY[rating_kind][entity_kind] ** winters)
    return found


def _ranks(values: dict[str, float], *, ascending: bool) -> dict[str, float | None]:
    ordered = sorted(values, key=lambda d: (values[d] if ascending else -values[d], d))
    return {driver: float(place) for place, driver in enumerate(ordered, start=1)}


def _or(values: dict[str, float | None], newcomer: float) -> dict[str, float]:
    return {name: newcomer if value is None else value for name, value in values.items()}


def elo_by_driver(view: EventView) -> dict[str, float]:
    """Mean of the driver's and the constructor's Elo; a newcomer counts as the base."""
    driver = _or(latest_ratings(view, "elo", "driver"), BASE_RATING)
    team = _or(latest_ratings(view, "elo", "constructor"), BASE_RATING)
    return {d: 0.5 * (driver[d] + team[d]) for d in driver}


def pace_by_driver(view: EventView, rating_kind: str = "pace") -> dict[str, float]:
    """Sum of the driver's and the car's pace [% of a lap]; newcomers count as the filter's prior."""
    driver = _or(latest_ratings(view, rating_kind, "driver"), SETTINGS[rating_kind].rookie_mean)
    car = _or(latest_ratings(view, rating_kind, "constructor"), SETTINGS[rating_kind].new_car_mean)
    return {d: driver[d] + car[d] for d in driver}


@feature(unit="Elo", group=GROUP)
def elo_driver(view: EventView) -> Values:
    """Elo of the driver (K = 32, base 1500, all pairs of a race)."""
    return latest_ratings(view, "elo", "driver")


@feature(unit="Elo", group=GROUP)
def elo_constructor(view: EventView) -> Values:
    """Elo of the constructor."""
    return latest_ratings(view, "elo", "constructor")


@feature(unit="Elo", group=GROUP)
def elo_combined(view: EventView) -> Values:
    """Mean of the driver's and the constructor's Elo; a newcomer counts as 1500."""
    return elo_by_driver(view)


@feature(unit="place", group=GROUP)
def elo_rank(view: EventView) -> Values:
    """Rank of the combined Elo in the field, 1 is strongest."""
    return _ranks(elo_by_driver(view), ascending=False)


@feature(unit="% of a lap", group=GROUP)
def pace_driver(view: EventView) -> Values:
    """The driver's own part of his pace by the filter; below zero is faster than the average entry."""
    return latest_ratings(view, "pace", "driver")


@feature(unit="% of a lap", group=GROUP)
def pace_constructor(view: EventView) -> Values:
    """The car's part of the pace by the filter."""
    return latest_ratings(view, "pace", "constructor")


@feature(unit="% of a lap", group=GROUP)
def pace_gap(view: EventView) -> Values:
    """Driver and car together, behind the fastest pair of the field."""
    pace = pace_by_driver(view)
    best = min(pace.values(), default=0.0)
    return {driver: value - best for driver, value in pace.items()}


@feature(unit="place", group=GROUP)
def pace_rank(view: EventView) -> Values:
    """Rank of driver and car together in the field, 1 is fastest."""
    return _ranks(pace_by_driver(view), ascending=True)


@feature(unit="% of a lap", group=GROUP)
def race_pace_gap(view: EventView) -> Values:
    """Race pace of driver and car together, from the laps of past races, behind the fastest pair of the field."""
    pace = pace_by_driver(view, "race_pace")
    best = min(pace.values(), default=0.0)
    return {driver: value - best for driver, value in pace.items()}
