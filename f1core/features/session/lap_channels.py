"""The channels of one lap, and the circuit as the field drives it: what values of car telemetry are made from.

The feed gives about four samples a second, at irregular instants (0.16 to 1.4 s apart in 2023). Two rules make that a lap:

* **States hold.** Throttle position, brake, gear and DRS are taken to stay as sampled until the next sample, as the feed
  means them; the first sample also covers the time since the line. A share is then the time (or the way) for which a
  condition held. Splitting a sample into two equal ones changes nothing, and no value depends on how dense the samples are.
* **Speed is a line between samples.** Distance is its trapezoid sum; the error is of second order, while holding the speed
  would be wrong by its change, one way under braking and the other way out of every corner.

A channel with no measurement for more than :data:`HOLE_S` gives no value at all. Corners and straights belong to the
circuit, not to the lap: they are found on the field's median speed profile, so that every driver's corner speed is about the
same corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOLE_S = 2.0
"""The longest time a sample may stand for; real laps of 2023 (436 of them) have 1.4 s at most."""
CORNER_DEPTH_KPH = 10.0
"""A speed minimum counts as a corner when the speed falls and rises again by this much; sensor noise is 1 to 2 km/h."""
STRAIGHT_SHARE_OF_TOP = 0.85
"""A straight is where the field comes up to this share of its top speed."""
_PROFILE_POINTS = 1001


def largest_hole_s(at_s: Floats, start_s: float, end_s: float) -> float:
    """The longest time within a lap without a sample."""
    return float(np.diff(np.concatenate([[start_s], at_s, [end_s]])).max())


def measured_in(*channels: Floats) -> Flags:
    """Which samples have a measurement in all of some channels."""
    return np.logical_and.reduce([~np.isnan(channel) for channel in channels])


@dataclass(frozen=True)
class LapChannels:
    """One lap of one car. All arrays have one value per sample, in order of time; NaN is "not measured".

    Attributes:
        start_s: When the lap began [s, any clock].
        end_s: When it ended, on the same clock.
        at_s: Instants of the samples, on the same clock.
        speed_kph: Speed [km/h].
        rpm: Engine speed [1/min].
        gear: 1 to 8.
        throttle_pct: Throttle, 0 to 100.
        is_braking: 1 on the brakes, else 0.
        drs: The feed's DRS flag.
    """

    start_s: float
    end_s: float
    at_s: Floats
    speed_kph: Floats
    rpm: Floats
    gear: Floats
    throttle_pct: Floats
    is_braking: Floats
    drs: Floats

    @property
    def duration_s(self) -> float:
        """The lap time."""
        return self.end_s - self.start_s

    def held_s(self, measured: Flags) -> Floats | None:
        """How long each measured sample holds: until the next one; the first also from the line, the last to the line.

        None where nothing was measured, or not for more than :data:`HOLE_S`.
        """
        at = self.at_s[measured]
        if not len(at) or largest_hole_s(at, self.start_s, self.end_s) > HOLE_S:
            return None
        return np.diff(np.concatenate([[self.start_s], at[1:], [self.end_s]]))

    def way_m(self, measured: Flags) -> Floats | None:
        """The way driven while each of some samples holds, all with a speed. None as in :meth:`held_s`."""
        if self.held_s(measured) is None:
            return None
        at, speed = self.at_s[measured], self.speed_kph[measured] / 3.6
        way = np.concatenate(
            [(speed[:-1] + speed[1:]) / 2 * np.diff(at), [speed[-1] * (self.end_s - at[-1])]]
        )
        way[0] += speed[0] * (at[0] - self.start_s)
        return np.asarray(way, dtype=np.float64)


@dataclass(frozen=True)
class Corner:
    """A corner of the circuit: from the fastest point before it to the fastest after, as shares of the lap's way."""

    begins: float
    ends: float
    apex_kph: float


@dataclass(frozen=True)
class Straight:
    """A straight: from the corner before it to the corner after; with the field's median of the highest speed there."""

    begins: float
    ends: float
    top_kph: float


@dataclass(frozen=True)
class Circuit:
    """Where the field as a whole is slow and fast.

    Attributes:
        corners: Minima of the median speed profile, in order.
        straights: The fastest stretches between them.
        count_laps: How many laps it was found from.
        lap_m: The median way of these laps.
    """

    corners: tuple[Corner, ...]
    straights: tuple[Straight, ...]
    count_laps: int
    lap_m: float


NO_CIRCUIT = Circuit((), (), 0, float("nan"))


def speed_along(lap: LapChannels) -> tuple[Floats, Floats] | None:
    """Share of the lap's way driven at each measured speed, and the speeds."""
    measured = measured_in(lap.speed_kph)
    way = lap.way_m(measured)
    if way is None or way.sum() <= 0:
        return None
    at, speed = lap.at_s[measured], lap.speed_kph[measured]
    before = speed[0] / 3.6 * (at[0] - lap.start_s)
    reached = np.concatenate([[before], np.cumsum(way)[:-1]])
    return reached / way.sum(), speed


def top_speed(along: tuple[Floats, Floats], begins: float, ends: float) -> float | None:
    """Highest of the speeds of :func:`speed_along` within a stretch; None without a sample there."""
    share, speed = along
    part = speed[(share >= begins) & (share <= ends)]
    return float(part.max()) if len(part) else None


def speed_minima(speed: Floats, depth: float = CORNER_DEPTH_KPH) -> list[int]:
    """Rows of the minima that the speed falls to, and rises from, by ``depth`` or more; the first row of equal ones."""
    found: list[int] = []
    high = low = 0
    falling = False
    for row, value in enumerate(speed):
        if not falling:
            high = row if value >= speed[high] else high
            if value <= speed[high] - depth:
                falling, low = True, row
        elif value < speed[low]:
            low = row
        elif value >= speed[low] + depth:
            found.append(low)
            falling, high = False, row
    return found


def find_circuit(laps: Sequence[LapChannels]) -> Circuit:
    """Corners and straights of the circuit, from the median speed of several cars' laps along the way.

    A way is a share of the lap: the cars' own distances differ by 0.2 % from sensor to sensor.
    """
    along = [one for lap in laps if (one := speed_along(lap)) is not None]
    ways = [way.sum() for lap in laps if (way := lap.way_m(measured_in(lap.speed_kph))) is not None]
    if not along:
        return NO_CIRCUIT
    places = np.linspace(0, 1, _PROFILE_POINTS)
    profile = np.median([np.interp(places, share, speed) for share, speed in along], axis=0)
    minima = speed_minima(profile)
    bounds = [0, *minima, _PROFILE_POINTS - 1]
    peaks = [low + int(profile[low : high + 1].argmax()) for low, high in pairwise(bounds)]
    corners = tuple(
        Corner(float(places[before]), float(places[after]), float(profile[apex]))
        for apex, (before, after) in zip(minima, pairwise(peaks), strict=True)
    )
    straights = []
    for (begin, end), peak in zip(pairwise(bounds), peaks, strict=True):
        if profile[peak] >= STRAIGHT_SHARE_OF_TOP * profile.max():
            begins, ends = float(places[begin]), float(places[end])
            tops = [top for one in along if (top := top_speed(one, begins, ends)) is not None]
            straights.append(Straight(begins, ends, float(np.median(tops))))
    return Circuit(corners, tuple(straights), len(along), float(np.median(ways)))
