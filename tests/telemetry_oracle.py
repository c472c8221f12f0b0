"""Values of car telemetry by their definitions, sample by sample in plain Python: what the real ones are checked against."""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True)
class Sample:
    at: float
    speed: float
    rpm: float
    gear: float
    throttle: float
    brake: float
    drs: float


def holds(lap: Sequence[Sample], start: float, end: float) -> list[tuple[Sample, float, float]]:
    """Every sample with the time from which and until which it stands."""
    begins = [start, *[one.at for one in lap[1:]]]
    return [(one, low, high) for one, low, high in zip(lap, begins, [*begins[1:], end], strict=True)]


def metres(lap: Sequence[Sample], low: float, high: float) -> float:
    """Way between two instants: speed is a line between samples, and level before the first and after the last."""
    marks = sorted({low, high, *[one.at for one in lap if low < one.at < high]})
    return sum((speed_at(lap, a) + speed_at(lap, b)) / 2 / 3.6 * (b - a) for a, b in pairwise(marks))


def speed_at(lap: Sequence[Sample], at: float) -> float:
    if at <= lap[0].at or at >= lap[-1].at:
        return lap[0].speed if at <= lap[0].at else lap[-1].speed
    after = next(n for n, one in enumerate(lap) if one.at >= at)
    a, b = lap[after - 1], lap[after]
    return a.speed + (b.speed - a.speed) * (at - a.at) / (b.at - a.at)


def by_oracle(lap: Sequence[Sample], start: float, end: float) -> dict[str, float | None]:
    """Everything that needs one lap only."""
    total = end - start
    held = holds(lap, start, end)
    way = metres(lap, start, end)

    def share(condition: Callable[[Sample], bool]) -> float:
        return sum(high - low for one, low, high in held if condition(one)) / total

    zones = sum(b.brake == 1 and a.brake == 0 for a, b in pairwise([replace(lap[0], brake=0.0), *lap]))
    steps = [(a, b) for a, b in pairwise(lap) if a.brake == 1]
    peaks = []
    for first, one in enumerate(lap):
        later = [n for n in range(first, len(lap)) if lap[n].at - one.at >= 0.5 - 1e-5]
        if later and all(s.brake == 1 for s in lap[first : later[0]]):
            last = lap[later[0]]
            peaks.append((one.speed - last.speed) / 3.6 / (last.at - one.at))
    shifts = [a.rpm for a, b in pairwise(lap) if b.gear > a.gear]
    return {
        "full_throttle_share": share(lambda one: one.throttle >= 98),
        "full_throttle_distance_share": sum(
            metres(lap, low, high) for one, low, high in held if one.throttle >= 98
        )
        / way,
        "partial_throttle_share": share(lambda one: 5 <= one.throttle < 98),
        "coasting_share": share(lambda one: one.throttle < 5 and one.brake == 0),
        "throttle_movement_pct_per_s": sum(abs(b.throttle - a.throttle) for a, b in pairwise(lap)) / total,
        "braking_share": share(lambda one: one.brake == 1),
        "braking_zones": zones,
        "braking_deceleration_mps2": sum(a.speed - b.speed for a, b in steps)
        / 3.6
        / sum(b.at - a.at for a, b in steps)
        if steps
        else None,
        "braking_peak_mps2": max(peaks) if peaks else None,
        "lap_top_speed_kph": max(one.speed for one in lap),
        "lap_mean_speed_kph": way / total * 3.6,
        "gear_changes": sum(abs(b.gear - a.gear) for a, b in pairwise(lap)),
        "gear_mean": sum(one.gear * (high - low) for one, low, high in held) / total,
        "top_gear_share": share(lambda one: one.gear == 8),
        "upshift_rpm": sum(shifts) / len(shifts) if shifts else None,
        "drs_open_share": share(lambda one: one.drs >= 10),
    }


def minima_by_oracle(speed: Sequence[float]) -> list[int]:
    """Minima by their definition: on either side the speed gets 10 higher before it gets lower (or, on the left, as low)."""

    def rises(values: Sequence[float], low: float, *, ties_end: bool) -> bool:
        for value in values:
            if value < low or (ties_end and value == low):
                return False
            if value >= low + 10:
                return True
        return False

    return [
        row
        for row, low in enumerate(speed)
        if rises(speed[row + 1 :], low, ties_end=False)
        and rises(list(reversed(speed[:row])), low, ties_end=True)
    ]


def circuit_by_oracle(laps: Sequence[tuple[Sequence[Sample], float]]) -> dict[str, list[float | None]]:
    """Corner speeds by class and the straight-line difference, one value per lap; each lap starts at 0."""
    along = []
    for lap, end in laps:
        way = metres(lap, 0.0, end)
        reached, at = [], 0.0
        for before, one in pairwise([replace(lap[0], at=0.0), *lap]):
            at += (before.speed + one.speed) / 2 / 3.6 * (one.at - before.at)
            reached.append(at / way)
        along.append((reached, [one.speed for one in lap]))

    def interpolated(reached: list[float], speed: list[float], place: float) -> float:
        after = bisect.bisect_left(reached, place)
        if after == 0 or after == len(reached):
            return speed[0] if after == 0 else speed[-1]
        a, b = reached[after - 1], reached[after]
        return speed[after - 1] + (speed[after] - speed[after - 1]) * (place - a) / (b - a)

    profile = [
        statistics.median(interpolated(reached, speed, n / 1000) for reached, speed in along)
        for n in range(1001)
    ]
    minima = minima_by_oracle(profile)
    edges = [0, *minima, 1000]
    stretches = list(pairwise(edges))
    peaks = [max(range(low, high + 1), key=lambda n: profile[n]) for low, high in stretches]
    straights = [
        stretch
        for stretch, peak in zip(stretches, peaks, strict=True)
        if profile[peak] >= 0.85 * max(profile)
    ]

    def within(one: tuple[list[float], list[float]], low: int, high: int) -> list[float]:
        return [v for place, v in zip(*one, strict=True) if low / 1000 <= place <= high / 1000]

    found: dict[str, list[float | None]] = {}
    for name, low, high in (("slow", 0, 125), ("medium", 125, 200), ("fast", 200, math.inf)):
        wanted = [n for n, row in enumerate(minima) if low <= profile[row] < high]
        found[f"{name}_corner_speed_kph"] = [
            statistics.mean(min(within(one, peaks[n], peaks[n + 1])) for n in wanted) if wanted else None
            for one in along
        ]
    tops = [[max(within(one, *stretch)) for one in along] for stretch in straights]
    found["straight_speed_delta_kph"] = [
        statistics.mean(top[n] - statistics.median(top) for top in tops) for n in range(len(along))
    ]
    return found
