"""The rest of a season, raced many times over: title odds and final positions of drivers and constructors.

Each simulated season draws once how strong every driver and car really is (their ratings are uncertain), lets both drift
from event to event, and races every round that is left: an order by strength plus noise, retirements, points by the rules.
Drivers and constructors are counted in the same simulated seasons, so their odds fit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.points_rules import FASTEST_LAP_PLACES, PointsRules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Single = NDArray[np.float32]

SEASONS = 10_000
"""Simulated seasons: the standard error of a probability is at most 0.005."""
INTERVAL = 0.8
PLACES = 20
"""Finishing places that decide a tie on points."""
_BITS = 6
_PACKED = 10  # ten counts of six bits fit a 64-bit integer; nobody finishes 64 times in one place
_WEIGHTS = np.array([1 << (_BITS * (_PACKED - 1 - place)) for place in range(_PACKED)], dtype=np.int64)
_OUT = 1e3  # % of a lap: farther back than anybody who finishes


@dataclass(frozen=True)
class ChampionshipSettings:
    """What the simulation assumes; strengths and standard deviations in % of a lap. Chosen on 2010-2021.

    Attributes:
        driver_uncertainty: Error of a driver's rating, as a multiple of what the filter says.
        car_uncertainty: Error of a car's rating, as a multiple of what the filter says.
        driver_drift: Change of a driver's form from one event to the next.
        car_drift: Change of a car (development) from one event to the next.
        weekend_noise: How a car suits a weekend, common to its two drivers.
        race_noise: Luck of one driver in one race.
        sprint_hazard: Risk of retiring in a sprint, as a share of that in a race.
    """

    driver_uncertainty: float = 0.5
    car_uncertainty: float = 0.5
    driver_drift: float = 0.03
    car_drift: float = 0.05
    weekend_noise: float = 0.2
    race_noise: float = 0.35
    sprint_hazard: float = 0.35


@dataclass(frozen=True)
class Round:
    """An event to come.

    Attributes:
        is_sprint: Whether it has a sprint, too.
        factor: By how much the race's points are multiplied.
    """

    is_sprint: bool = False
    factor: int = 1


@dataclass
class SeasonTable:
    """Points, and places as packed counts (:func:`_pack`), of every simulated season: shape (samples, entrants)."""

    points: Single
    first: Ints
    second: Ints


@dataclass(frozen=True)
class Title:
    """What became of one championship in all simulated seasons.

    Attributes:
        entities: One row per driver or constructor, in the championship's present order: ``entity_id, title_probability,
            expected_points, points_low, points_high, expected_position`` (points at the end, 80 % interval).
        positions: ``entity_id, position, probability`` for every final position that occurred.
        table: The final table of every simulated season, entrants as in ``entities``.
    """

    entities: pl.DataFrame
    positions: pl.DataFrame
    table: SeasonTable


@dataclass(frozen=True)
class SeasonOutcome:
    """Both championships of the same simulated seasons."""

    drivers: Title
    constructors: Title


def simulate_season(
    drivers: pl.DataFrame,
    constructors: pl.DataFrame,
    rounds: Sequence[Round],
    rules: PointsRules,
    *,
    fastest_lap: Sequence[float] = (),
    settings: ChampionshipSettings | None = None,
    samples: int = SEASONS,
    seed: int = 0,
) -> SeasonOutcome:
    """Races the rest of a season.

    Args:
        drivers: Everybody in the championship or in a car, one row each: ``driver_id``, ``points`` now, ``places`` (how
            often he finished a race first, second, ...), ``constructor_id`` (null: has no car for the rest of it),
            ``pace`` and ``variance`` (rating in % of a lap, smaller is faster), ``hazard`` (risk of retiring from a race).
        constructors: ``constructor_id``, ``points``, ``places``, ``pace``, ``variance``.
        rounds: Events to come, in order; without any the final table is certain.
        rules: Points of the season.
        fastest_lap: Probability that the first, second, ... tenth of a race sets its fastest lap; what is missing to one is
            the share of fastest laps that do not count.
        settings: What is assumed; the chosen settings if not given.
        samples: Simulated seasons.
        seed: Where chance comes from. Equal input gives equal output, whatever the order of rows or the names: chance is
            handed out in the order of points, countback and ratings.

    Returns:
        Both championships.
    """
    people, teams = _canonical(drivers, "driver_id"), _canonical(constructors, "constructor_id")
    table, cars = _start(people, samples), _start(teams, samples)
    seated = [place for place, car in enumerate(people["constructor_id"]) if car is not None]
    if seated and rounds:
        place_of = {name: place for place, name in enumerate(teams["constructor_id"])}
        seats = people[seated]
        car_of = np.array([place_of[name] for name in seats["constructor_id"]], dtype=np.int64)
        gains = _race_on(
            seats,
            teams,
            car_of,
            rounds,
            rules,
            np.asarray(fastest_lap, dtype=np.float64),
            settings or ChampionshipSettings(),
            samples,
            np.random.default_rng(seed),
        )
        for seat, (place, car) in enumerate(zip(seated, car_of, strict=True)):
            for total, at in ((table, place), (cars, int(car))):
                total.points[:, at] += gains.points[:, seat]
                total.first[:, at] += gains.first[:, seat]
                total.second[:, at] += gains.second[:, seat]
    return SeasonOutcome(
        _title(table, people["driver_id"].to_list()), _title(cars, teams["constructor_id"].to_list())
    )


def _race_on(
    seats: pl.DataFrame,
    teams: pl.DataFrame,
    car_of: Ints,
    rounds: Sequence[Round],
    rules: PointsRules,
    fastest_lap: Floats,
    s: ChampionshipSettings,
    samples: int,
    rng: np.random.Generator,
) -> SeasonTable:
    shape, cars = (samples, len(car_of)), (samples, teams.height)

    def chance(size: tuple[int, int], scale: float | Floats) -> Single:
        return rng.standard_normal(size, dtype=np.float32) * np.asarray(scale, dtype=np.float32)

    driver = _column(seats, "pace") + chance(
        shape, s.driver_uncertainty * np.sqrt(_column(seats, "variance"))
    )
    car = _column(teams, "pace") + chance(cars, s.car_uncertainty * np.sqrt(_column(teams, "variance")))
    hazard = _column(seats, "hazard")
    gains = SeasonTable(np.zeros(shape, np.float32), np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    for one in rounds:
        driver += chance(shape, s.driver_drift)
        car += chance(cars, s.car_drift)
        pace = driver + (car + chance(cars, s.weekend_noise))[:, car_of]
        if one.is_sprint and rules.sprint:
            flat, finished = _finish(
                pace + chance(shape, s.race_noise), np.float32(s.sprint_hazard) * hazard, rng
            )
            _score(gains.points, flat, finished, rules.sprint, 1)
        flat, finished = _finish(pace + chance(shape, s.race_noise), hazard, rng)
        _score(gains.points, flat, finished, rules.race, one.factor)
        if rules.fastest_lap and len(fastest_lap):
            _score_fastest_lap(gains.points, flat, finished, rules.fastest_lap, fastest_lap, rng)
        _count(gains, flat, finished)
    return gains


def _finish(pace: Single, hazard: Single, rng: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
    """Who finished where: flat indices into (samples, seats) by place, and whether he saw the flag."""
    samples, count = pace.shape
    stopped = rng.random(pace.shape, dtype=np.float32) < hazard
    pace[stopped] += _OUT
    order = np.argsort(pace, axis=1)
    flat = order + (np.arange(samples) * count)[:, None]
    return flat, pace.ravel()[flat] < _OUT / 2


def _score(
    points: Single, flat: Ints, finished: NDArray[np.bool_], scale: Sequence[int], factor: int
) -> None:
    paid = min(len(scale), flat.shape[1])
    given = finished[:, :paid] * np.asarray(scale[:paid], dtype=np.float32) * np.float32(factor)
    points.ravel()[flat[:, :paid]] += given  # a driver has one place, so no index comes twice


def _score_fastest_lap(
    points: Single,
    flat: Ints,
    finished: NDArray[np.bool_],
    worth: int,
    fastest_lap: Floats,
    rng: np.random.Generator,
) -> None:
    places = min(len(fastest_lap), FASTEST_LAP_PLACES, flat.shape[1])
    place = np.searchsorted(np.cumsum(fastest_lap[:places]), rng.random(len(flat)), side="right")
    rows = np.flatnonzero(place < places)
    cells = flat[rows, place[rows]]
    points.ravel()[cells] += worth * finished[rows, place[rows]].astype(np.float32)


def _count(gains: SeasonTable, flat: Ints, finished: NDArray[np.bool_]) -> None:
    for counts, begin in ((gains.first, 0), (gains.second, _PACKED)):
        weights = _WEIGHTS[: max(0, min(_PACKED, flat.shape[1] - begin))]
        part = slice(begin, begin + len(weights))
        counts.ravel()[flat[:, part]] += finished[:, part] * weights


def _start(rows: pl.DataFrame, samples: int) -> SeasonTable:
    packed = np.array([_pack(places) for places in rows["places"]], dtype=np.int64).reshape(-1, 2)
    points = rows["points"].to_numpy().astype(np.float32)
    return SeasonTable(
        np.tile(points, (samples, 1)),
        np.tile(packed[:, 0], (samples, 1)),
        np.tile(packed[:, 1], (samples, 1)),
    )


def _pack(places: Sequence[int]) -> tuple[int, int]:
    """Counts of places as two integers that compare as the countback does."""
    full = [*places[:PLACES], *[0] * (PLACES - len(places))]
    first, second = (
        sum(int(count) * int(weight) for count, weight in zip(part, _WEIGHTS, strict=True))
        for part in (full[:_PACKED], full[_PACKED:])
    )
    return first, second


def _title(table: SeasonTable, names: list[str]) -> Title:
    samples, count = table.points.shape
    order = np.lexsort((-table.second, -table.first, -table.points), axis=1)
    positions = np.empty_like(order)
    np.put_along_axis(positions, order, np.arange(count)[None, :], axis=1)
    cells = np.bincount((positions + count * np.arange(count)).ravel(), minlength=count * count)
    shares = cells.reshape(count, count) / samples
    tail = (1.0 - INTERVAL) / 2.0
    low, high = np.quantile(table.points, [tail, 1.0 - tail], axis=0, method="inverted_cdf")
    entities = pl.DataFrame(
        {
            "entity_id": names,
            "title_probability": shares[:, 0],
            "expected_points": table.points.mean(axis=0, dtype=np.float64),
            "points_low": low.astype(np.float64),
            "points_high": high.astype(np.float64),
            "expected_position": shares @ np.arange(1.0, count + 1.0),
        }
    )
    who, where = np.nonzero(shares)
    found = pl.DataFrame(
        {
            "entity_id": [names[k] for k in who],
            "position": where + 1,
            "probability": shares[who, where],
        },
        schema={"entity_id": pl.String, "position": pl.Int32, "probability": pl.Float64},
    )
    return Title(entities, found, table)


def _canonical(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows in the championship's order; equal ones by their ratings, so that names decide nothing."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        ratings = [row.get(column) for column in ("pace", "variance", "hazard")]
        known = [np.inf if value is None else value for value in ratings]
        return (-row["points"], [-count for count in row["places"]], known, row[name])

    ordered = sorted(enumerate(rows.iter_rows(named=True)), key=lambda item: key(item[1]))
    return rows[[place for place, _ in ordered]]


def _column(rows: pl.DataFrame, name: str) -> Single:
    return rows[name].cast(pl.Float32).to_numpy()
