"""Where a car comes out of the pits: forecast at the last line before its in-lap, from gaps, present pace and pit loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.strategy.race_clock import Floats, RaceClock

FIRST_LAP = 5
"""Stops before this lap are for damage or for the rule, and no car has a pace yet."""
LAPS = 2
"""From the line before the in-lap to the line after the out-lap."""
OWN_SHARE = 0.7
"""Share of a car's difference in present pace to the field that lasts; the best of 0, 0.5, 0.7 and 1 on 2019–2023."""
MOST_S = 3.0
"""A present pace is at most this far from the field's [s]."""
SEASONS = 5
"""Seasons before a race that count for its circuit; better than 3 on 2019–2023."""
POOL_RACES = 0.3
"""Weight of the median of all circuits, in races of the circuit."""
SCALE_S = 0.7
"""Scale of the logistic that turns a margin into the probability that a rival is ahead [s]."""
DEFAULT_LOSS_S = 22.5
"""Loss before anything was measured [s]."""


@dataclass(frozen=True)
class Rejoin:
    """Forecast of one stop.

    Attributes:
        position: The likeliest position among the rivals.
        shares: Probability of coming out first, second, ... among them.
        time_s: Session time at the line after the out-lap [s].
    """

    position: int
    shares: Floats
    time_s: float


@dataclass
class RejoinModel:
    """Pit loss by circuit from earlier seasons, and the forecast made with it.

    Attributes:
        losses: Median loss of a race's green stops, by circuit and season [s].
    """

    losses: dict[str, dict[int, float]] = field(default_factory=dict)

    def fit(self, clocks: Iterable[RaceClock]) -> RejoinModel:
        """Take the pit loss from races; the caller gives only those that were known."""
        measured: dict[tuple[str, int], list[float]] = {}
        for clock in clocks:
            for car, lap in green_stops(clock):
                pace = lasting_pace(clock, lap - 1)
                if pace is not None:
                    took = clock.end_s[lap + 1, car] - clock.end_s[lap - 1, car]
                    place = measured.setdefault((clock.circuit_id, clock.season), [])
                    place.append(float(took - LAPS * pace[car]))
        for (circuit, season), values in measured.items():
            self.losses.setdefault(circuit, {})[season] = float(np.median(values))
        return self

    def loss_s(self, circuit_id: str, season: int) -> float:
        """Loss of a stop on a circuit, from earlier seasons only [s]."""
        earlier = [
            loss for held in self.losses.values() for year, loss in sorted(held.items()) if year < season
        ]
        pool = float(np.median(earlier)) if earlier else DEFAULT_LOSS_S
        held = self.losses.get(circuit_id, {})
        own = [loss for year, loss in held.items() if season - SEASONS <= year < season]
        return (sum(own) + POOL_RACES * pool) / (len(own) + POOL_RACES)

    def predict(self, clock: RaceClock, car: int, lap: int, rivals: NDArray[np.bool_]) -> Rejoin | None:
        """Position after a stop, known when the in-lap begins.

        Args:
            clock: The race; only what had happened by the end of the lap before is used.
            car: Index of the car.
            lap: The in-lap.
            rivals: Cars that are counted, (cars,).

        Returns:
            The forecast; None while nobody has a pace.
        """
        pace = lasting_pace(clock, lap - 1)
        if pace is None:
            return None
        there = clock.end_s[lap - 1] + LAPS * pace
        time = float(there[car] + self.loss_s(clock.circuit_id, clock.season))
        shares = position_shares(time - there[rivals & ~np.isnan(there)])
        return Rejoin(int(shares.argmax()) + 1, shares, time)


def position_shares(margins: Floats, scale_s: float = SCALE_S) -> Floats:
    """Probability of every position from the margins to the rivals.

    Args:
        margins: Own time less each rival's [s]; positive: the rival is ahead.
        scale_s: Scale of the logistic [s].

    Returns:
        Of being first, second, ...; one more than there are rivals, sums to 1.
    """
    shares = np.ones(1)
    for ahead in 1 / (1 + np.exp(-np.clip(margins / scale_s, -50, 50))):
        shares = np.convolve(shares, [1 - ahead, ahead])
    return shares


def lasting_pace(clock: RaceClock, lap: int) -> Floats | None:
    """Lap times to expect from every car on the next laps, (cars,) [s]; None while nobody has a pace."""
    pace = clock.pace_s(lap)
    if np.isnan(pace).all():
        return None
    usual = float(np.nanmedian(pace))
    return usual + OWN_SHARE * np.clip(np.nan_to_num(pace - usual), -MOST_S, MOST_S)


def green_stops(clock: RaceClock) -> Iterator[tuple[int, int]]:
    """Stops of a race under green, (car, in-lap): the laps before, in and out were clear."""
    for car in range(len(clock.drivers)):
        for lap in np.flatnonzero(clock.is_in[:, car]):
            if lap < FIRST_LAP or lap + 2 > clock.laps or not clock.is_out[lap + 1, car]:
                continue
            if (
                clock.is_green[lap - 1 : lap + 2].all()
                and not np.isnan(clock.end_s[lap - 1 : lap + 2, car]).any()
            ):
                yield car, int(lap)


def rivals_on_track(clock: RaceClock, car: int, lap: int) -> NDArray[np.bool_]:
    """Cars that a stop can be scored against: they run through, and do not stop within a lap of it, (cars,)."""
    runs = ~np.isnan(clock.end_s[lap - 1]) & ~np.isnan(clock.end_s[lap + 1])
    runs &= ~clock.is_in[lap - 1 : lap + 2].any(axis=0)
    runs[car] = False
    return runs
