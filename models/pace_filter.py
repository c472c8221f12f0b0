"""A filter that tells the driver from the car.

State: one number per driver and one per constructor, both in % of a lap against the average entry (smaller is
faster). A race weekend shows their sum twice: precisely, through the gap in qualifying, and roughly, through
the finishing position. A Kalman filter divides the surprise between driver and car: team-mates share a car,
so their difference is the driver's; what they share is mostly the car's, because cars are less certain, the
more so after a winter. A driver who changes teams carries his part with him.

The same filter with other settings rates race pace: it also sees what the laps of the race say. Where a race
has no laps it goes on with what it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.matrix import field_starts
from models.rating_timeline import entity_codes, in_order, timeline_frame

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PaceSettings:
    """What the filter assumes; standard deviations and means in % of a lap. Defaults were chosen on 2010-2021.

    Attributes:
        driver_prior: Uncertainty of a driver never seen before.
        car_prior: Uncertainty of a constructor never seen before.
        rookie_mean: Where a new driver is expected, against the average entry.
        new_car_mean: Where a new constructor is expected.
        driver_drift: Change of a driver from one event to the next.
        car_drift: Change of a car from one event to the next.
        driver_winter: Change of a driver over a winter.
        car_winter: Change of a car over a winter.
        driver_carry: Share of a driver's value kept over a winter.
        car_carry: Share of a car's value kept over a winter.
        qualifying_noise: Noise of one qualifying gap.
        race_noise: Noise of one race pace from laps, beside its own standard error.
        result_noise: Noise of one finishing position, after translation to %.
        result_scale: What one standard deviation of finishing order is worth.
        field_noise: Uncertainty of the session's best lap itself, common to all gaps of an event.
        usual_spread: Spread of gaps in a usual session; sessions with a wider one (rain) count for less.
        clip_spreads: Gaps farther than this many spreads from the median are moved to that distance.
    """

    driver_prior: float = 0.45
    car_prior: float = 0.55
    rookie_mean: float = 0.25
    new_car_mean: float = 0.3
    driver_drift: float = 0.03
    car_drift: float = 0.04
    driver_winter: float = 0.12
    car_winter: float = 0.36
    driver_carry: float = 1.0
    car_carry: float = 0.8
    qualifying_noise: float = 0.64
    race_noise: float = 0.3
    result_noise: float = 1.10
    result_scale: float = 0.9
    field_noise: float = 5.0
    usual_spread: float = 0.9
    clip_spreads: float = 2.0


RACE_PACE_SETTINGS = PaceSettings(
    driver_prior=0.3,
    car_prior=0.4,
    rookie_mean=0.4,
    new_car_mean=0.6,
    driver_winter=0.2,
    car_winter=0.25,
    driver_carry=0.9,
    car_carry=0.9,
    race_noise=0.3,
    result_noise=1.6,
    result_scale=1.1,
    clip_spreads=3.0,
)
"""Chosen on the race pace of the seasons 2018-2021: the error of the rating before each race against the race's laps."""
SETTINGS = {"pace": PaceSettings(), "race_pace": RACE_PACE_SETTINGS}


class PaceFilter:
    """The filter's state: entities seen in the present or the previous season, with their joint uncertainty.

    Entities are numbered by the caller. Whoever misses a whole season leaves the joint state; if he returns,
    he starts from his last value with the uncertainty of a newcomer.
    """

    def __init__(self, is_car: NDArray[np.bool_], settings: PaceSettings) -> None:
        self._is_car = is_car
        self._settings = settings
        self._slot = np.full(len(is_car), -1, dtype=np.int64)
        self._members = np.empty(0, dtype=np.int64)
        self._last_season = np.zeros(len(is_car), dtype=np.int64)
        self._mean = np.empty(0)
        self._covariance = np.empty((0, 0))
        self._remembered = np.where(is_car, settings.new_car_mean, settings.rookie_mean)
        self._season: int | None = None

    def step(
        self,
        season: int,
        drivers: Ints,
        cars: Ints,
        gaps: Floats,
        positions: Floats,
        race_paces: tuple[Floats, Floats] | None = None,
    ) -> None:
        """Move to the next event and learn from it.

        Args:
            season: Of the event.
            drivers: Code of each starter.
            cars: Code of each starter's constructor.
            gaps: Gap to the best lap of qualifying in %; NaN where unknown.
            positions: Finishing position of each starter.
            race_paces: Race pace from laps in % and its standard error; NaN where unknown.
        """
        self._advance(season)
        self._admit(np.concatenate([drivers, np.unique(cars)]), season)
        s = self._settings
        known = np.isfinite(gaps)
        pace, spread = _without_outliers(gaps[known], s.clip_spreads)
        widening = max(1.0, spread / s.usual_spread)
        self._observe(drivers[known], cars[known], pace, s.qualifying_noise * widening)
        self._observe(drivers, cars, s.result_scale * _normal_scores(positions), s.result_noise)
        if race_paces is not None:
            known = np.isfinite(race_paces[0])
            pace, _ = _without_outliers(race_paces[0][known], s.clip_spreads)
            noise = np.hypot(s.race_noise, race_paces[1][known])
            self._observe(drivers[known], cars[known], pace, noise)

    def estimates(self, codes: Ints) -> tuple[Floats, Floats]:
        """Mean and variance of entities of the last event."""
        slots = self._slot[codes]
        return self._mean[slots], self._covariance[slots, slots]

    def _advance(self, season: int) -> None:
        s = self._settings
        car = self._is_car[self._members]
        winters = 0 if self._season is None else season - self._season
        self._season = season
        if winters:
            stays = self._last_season[self._members] >= season - 1
            self._remembered[self._members] = self._mean
            self._slot[self._members] = -1
            self._members = self._members[stays]
            self._slot[self._members] = np.arange(len(self._members))
            car = car[stays]
            carry = np.where(car, s.car_carry, s.driver_carry) ** winters
            self._mean = self._mean[stays] * carry
            self._covariance = self._covariance[np.ix_(stays, stays)] * np.outer(carry, carry)
            jump = winters * np.where(car, s.car_winter, s.driver_winter) ** 2
        else:
            jump = np.where(car, s.car_drift, s.driver_drift) ** 2
        self._covariance[np.diag_indices(len(self._members))] += jump

    def _admit(self, codes: Ints, season: int) -> None:
        self._last_season[codes] = season
        new = codes[self._slot[codes] < 0]
        if not len(new):
            return
        s = self._settings
        before = len(self._members)
        self._slot[new] = before + np.arange(len(new))
        self._members = np.concatenate([self._members, new])
        self._mean = np.concatenate([self._mean, self._remembered[new]])
        covariance = np.zeros((len(self._members), len(self._members)))
        covariance[:before, :before] = self._covariance
        own = np.arange(before, len(self._members))
        covariance[own, own] = np.where(self._is_car[new], s.car_prior, s.driver_prior) ** 2
        self._covariance = covariance

    def _observe(self, drivers: Ints, cars: Ints, seen: Floats, noise: float | Floats) -> None:
        """Condition the state on driver + car + a common offset + noise = seen."""
        n = len(seen)
        if n < 2:
            return  # with an unknown offset one car alone says nothing
        d, c = self._slot[drivers], self._slot[cars]
        # the observation matrix only picks and adds two columns, so its products are sums of slices
        cross = self._covariance[:, d] + self._covariance[:, c]
        innovation = cross[d, :] + cross[c, :] + self._settings.field_noise**2
        innovation[np.diag_indices(n)] += noise**2
        surprise = seen - (self._mean[d] + self._mean[c])
        gain = np.linalg.solve(innovation, cross.T).T
        self._mean = self._mean + gain @ surprise
        covariance = self._covariance - gain @ cross.T
        self._covariance = (covariance + covariance.T) / 2


def pace_timeline(
    results: pl.DataFrame, settings: PaceSettings | None = None, *, rating_kind: str = "pace"
) -> pl.DataFrame:
    """Pace ratings of drivers and constructors after each event.

    Args:
        results: One row per starter: ``event_id``, ``season``, ``known_at``, ``driver_id``,
            ``constructor_id``, ``position`` (official order), ``qualifying_gap_pct`` (gap to the best lap of
            qualifying in %, nullable). For race pace also ``race_pace_pct`` and ``standard_error_pct`` of
            :func:`models.lap_pace.race_paces`, nullable.
        settings: What the filter assumes; those chosen for the kind if not given.
        rating_kind: ``pace``, or ``race_pace``, which also learns from laps.

    Returns:
        A frame of ``rating_timeline.RATING_SCHEMA``. The sum of a driver's and his
        constructor's value is the expected gap to the average entry in %. A row depends on nothing that
        happened after its event.
    """
    rows = in_order(results)
    starts = field_starts(rows["event_id"])
    driver_codes, drivers = entity_codes(rows["driver_id"])
    car_codes, cars = entity_codes(rows["constructor_id"])
    seasons = rows["season"].to_numpy()
    gaps, positions = _floats(rows["qualifying_gap_pct"]), _floats(rows["position"])
    paces = None
    if rating_kind == "race_pace":
        paces = _floats(rows["race_pace_pct"]), _floats(rows["standard_error_pct"])
    offset = len(drivers)
    is_car = np.arange(offset + len(cars)) >= offset
    state = PaceFilter(is_car, settings or SETTINGS[rating_kind])
    kept: dict[str, tuple[list[Ints], list[Floats], list[Floats]]] = {
        "driver": ([], [], []),
        "constructor": ([], [], []),
    }
    for begin, end in pairwise(starts):
        d, c = driver_codes[begin:end], car_codes[begin:end]
        seen = paces and (paces[0][begin:end], paces[1][begin:end])
        state.step(int(seasons[begin]), d, c + offset, gaps[begin:end], positions[begin:end], seen)
        for kind, present, base in (("driver", d, 0), ("constructor", np.unique(c), offset)):
            mean, variance = state.estimates(present + base)
            entities, means, variances = kept[kind]
            entities.append(present)
            means.append(mean)
            variances.append(variance)
    return pl.concat(
        timeline_frame(rows, starts, kind, rating_kind, names, *kept[kind])
        for kind, names in (("driver", drivers), ("constructor", cars))
    )


def _floats(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _without_outliers(gaps: Floats, clip_spreads: float) -> tuple[Floats, float]:
    """Gaps with the far ones pulled in, and their spread (scaled median absolute deviation)."""
    if not len(gaps):
        return gaps, 0.0
    middle = np.median(gaps)
    spread = 1.4826 * float(np.median(np.abs(gaps - middle)))
    reach = clip_spreads * max(spread, 0.1)  # all gaps equal: no reason to clip to a point
    return np.clip(gaps, middle - reach, middle + reach), spread


def _normal_scores(positions: Floats) -> Floats:
    """Finishing order as normal scores: about standard normal, the winner lowest (Tukey's approximation)."""
    n = len(positions)
    rank = np.empty(n)
    rank[np.argsort(positions, kind="stable")] = np.arange(1, n + 1)
    share = (rank - 1.0 / 3.0) / (n + 1.0 / 3.0)
    # 4.91 (p^0.14 - (1-p)^0.14) is within 0.01 of the normal quantile here, and needs no scipy
    return np.asarray(4.91 * (share**0.14 - (1.0 - share) ** 0.14))
