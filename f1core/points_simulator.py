"""The points simulator: what the championship looks like after a result somebody makes up."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from models.points_rules import PointsRules, points_rules
from warehouse.errors import ParcFermeError

SEPARATOR, PAIR = ",", ":"
MAX_TEXT = 1000


class BadResult(ParcFermeError):
    """A made-up result that cannot be."""

    exit_code = 2


def parse(text: str, known: Mapping[str, str], count: int) -> dict[str, int]:
    """Reads a made-up result, e.g. ``lando-norris:1,max-verstappen:3``.

    Args:
        text: As it stands in the URL.
        known: Names by driver id; others are not in the championship.
        count: Cars in the race.

    Returns:
        Place by driver id; drivers who are not named score nothing.

    Raises:
        BadResult: Not of that form, an unknown driver, a place twice or beyond the field.
    """
    places: dict[str, int] = {}
    for part in filter(None, text[:MAX_TEXT].split(SEPARATOR)):
        driver, _, place = part.partition(PAIR)
        if driver not in known:
            raise BadResult(f"Nobody called {driver[:40]!r} is in this championship.")
        if not place.isdigit() or not 1 <= int(place) <= count:
            raise BadResult(
                f"{known[driver]} cannot finish {place[:10]!r}.", hint=f"Places go from 1 to {count}."
            )
        if int(place) in places.values():
            raise BadResult(f"Two drivers cannot both finish in place {place}.")
        places[driver] = int(place)
    return places


def as_text(places: Mapping[str, int]) -> str:
    """A made-up result as it stands in the URL, by place."""
    ordered = sorted(places.items(), key=lambda one: one[1])
    return SEPARATOR.join(f"{driver}{PAIR}{place}" for driver, place in ordered)


def race_rules(season: int, count_remaining: int) -> tuple[PointsRules, int]:
    """Points of a season, and by how much those of the next race are multiplied.

    Args:
        season: The season.
        count_remaining: Races left, the next one with them.

    Raises:
        NotReady: The season is before the first one whose points are known.
    """
    rules = points_rules(season)
    return rules, rules.last_race_factor if count_remaining == 1 else 1


def after_result(
    standings: pl.DataFrame, places: Mapping[str, int], rules: PointsRules, *, factor: int = 1
) -> pl.DataFrame:
    """The championship after one more race; the point of a fastest lap is nobody's.

    Args:
        standings: One row per driver: ``entity_id, points, position`` and more, in their order now.
        places: Place of the race by driver id; who is not named scores nothing.
        rules: Points of the season.
        factor: By how much the points of this race are multiplied.

    Returns:
        The rows in their new order (level on points: the order of before), with ``place``, ``scored``, ``new_points``,
        ``new_position`` and ``moved`` (places won).
    """
    points = {
        driver: rules.race[place - 1] * factor if place <= len(rules.race) else 0
        for driver, place in places.items()
    }
    ids = standings["entity_id"].to_list()
    return (
        standings.with_columns(
            place=pl.Series([places.get(one) for one in ids], dtype=pl.Int64),
            scored=pl.Series([float(points.get(one, 0)) for one in ids], dtype=pl.Float64),
        )
        .with_columns(new_points=pl.col("points") + pl.col("scored"))
        .sort("new_points", "position", descending=[True, False], maintain_order=True)
        .with_columns(new_position=pl.int_range(1, pl.len() + 1))
        .with_columns(moved=pl.col("position") - pl.col("new_position"))
    )
