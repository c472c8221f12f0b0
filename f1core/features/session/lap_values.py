"""Values of one lap's channels, each a pure function with a name, a unit and a doc; None is "not known".

How samples become time and way is said in :mod:`f1core.features.session.lap_channels`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from f1core.features.session.lap_channels import (
    Circuit,
    Flags,
    LapChannels,
    measured_in,
    speed_along,
    top_speed,
)

FULL_THROTTLE_PCT = 98.0
"""Some cars never send 100: 99 is one car's usual full throttle."""
CLOSED_THROTTLE_PCT = 5.0
"""Some cars send 1 to 4 with the pedal released."""
SLOW_BELOW_KPH, FAST_ABOVE_KPH = 125.0, 200.0
"""Classes of corners, by the field's median speed at the apex. Downforce grows with the square of the speed: at 200 km/h it
is two and a half times that of 125. So slow corners show mechanical grip and traction, fast ones aerodynamics. In the 22
qualifying sessions of 2023 the classes hold 55, 32 and 13 % of the speed minima; some circuits have no fast corner."""
PEAK_WINDOW_S = 0.5
"""Peak braking is the mean over at least this time: over one sample it would be that sample's timing error."""
DRS_OPEN = 10
"""The feed's DRS flag: 10, 12 and 14 are open; 0, 1 and 8 are closed."""
TOP_GEAR = 8
MIN_FIELD = 3
"""A difference to the field's median needs at least this many cars."""

ValueFunction = Callable[[LapChannels, Circuit], float | None]


@dataclass(frozen=True)
class TelemetryValue:
    """A value of a lap: its name, unit and doc, the channels it needs, and the function that computes it."""

    name: str
    unit: str
    doc: str
    channels: tuple[str, ...]
    function: ValueFunction


TELEMETRY_VALUES: dict[str, TelemetryValue] = {}
"""All values by name, in order of definition."""


def _value(unit: str, *channels: str) -> Callable[[ValueFunction], ValueFunction]:
    def add(function: ValueFunction) -> ValueFunction:
        doc = " ".join((function.__doc__ or "").split())
        TELEMETRY_VALUES[function.__name__] = TelemetryValue(function.__name__, unit, doc, channels, function)
        return function

    return add


# --- time and way ----------------------------------------------------------------------------------------------------


def _time_share(lap: LapChannels, condition: Flags, measured: Flags) -> float | None:
    held = lap.held_s(measured)
    return None if held is None else float(held[condition[measured]].sum() / held.sum())


@_value("share", "throttle_pct")
def full_throttle_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap time at full throttle (98 % or more)."""
    return _time_share(lap, lap.throttle_pct >= FULL_THROTTLE_PCT, measured_in(lap.throttle_pct))


@_value("share", "throttle_pct", "speed_kph")
def full_throttle_distance_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap's way driven at full throttle (98 % or more)."""
    measured = measured_in(lap.throttle_pct, lap.speed_kph)
    way = lap.way_m(measured)
    if way is None:
        return None
    return float(way[lap.throttle_pct[measured] >= FULL_THROTTLE_PCT].sum() / way.sum())


@_value("share", "throttle_pct")
def partial_throttle_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap time with the throttle neither closed (under 5 %) nor full (98 % or more)."""
    partial = (lap.throttle_pct >= CLOSED_THROTTLE_PCT) & (lap.throttle_pct < FULL_THROTTLE_PCT)
    return _time_share(lap, partial, measured_in(lap.throttle_pct))


@_value("share", "throttle_pct", "is_braking")
def coasting_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap time with neither brake nor throttle (under 5 %)."""
    coasting = (lap.throttle_pct < CLOSED_THROTTLE_PCT) & (lap.is_braking == 0)
    return _time_share(lap, coasting, measured_in(lap.throttle_pct, lap.is_braking))


@_value("%/s", "throttle_pct")
def throttle_movement_pct_per_s(lap: LapChannels, circuit: Circuit) -> float | None:
    """How much the throttle moves: mean of |change of throttle| per second of the lap; small is smooth."""
    measured = measured_in(lap.throttle_pct)
    if lap.held_s(measured) is None:
        return None
    return float(np.abs(np.diff(lap.throttle_pct[measured])).sum() / lap.duration_s)


# --- braking ---------------------------------------------------------------------------------------------------------


@_value("share", "is_braking")
def braking_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap time on the brakes."""
    return _time_share(lap, lap.is_braking == 1, measured_in(lap.is_braking))


@_value("", "is_braking")
def braking_zones(lap: LapChannels, circuit: Circuit) -> float | None:
    """How often the brakes were applied: runs of braking samples."""
    measured = measured_in(lap.is_braking)
    if lap.held_s(measured) is None:
        return None
    return float((np.diff(lap.is_braking[measured], prepend=0) == 1).sum())


@_value("m/s²", "is_braking", "speed_kph")
def braking_deceleration_mps2(lap: LapChannels, circuit: Circuit) -> float | None:
    """Mean deceleration on the brakes: speed lost from braking samples to the next ones, per second; None without any."""
    measured = measured_in(lap.is_braking, lap.speed_kph)
    if lap.held_s(measured) is None:
        return None
    at, speed = lap.at_s[measured], lap.speed_kph[measured] / 3.6
    on = lap.is_braking[measured][:-1] == 1
    return float(-np.diff(speed)[on].sum() / np.diff(at)[on].sum()) if on.any() else None


@_value("m/s²", "is_braking", "speed_kph")
def braking_peak_mps2(lap: LapChannels, circuit: Circuit) -> float | None:
    """Strongest braking: the largest mean deceleration over half a second or just more on the brakes; None without."""
    measured = measured_in(lap.is_braking, lap.speed_kph)
    if lap.held_s(measured) is None:
        return None
    at, speed, on = lap.at_s[measured], lap.speed_kph[measured] / 3.6, lap.is_braking[measured] == 1
    # Until when the brakes stay on, seen from each sample: the first sample after it that is off them.
    off = np.flatnonzero(~on)
    until = np.concatenate([off, [len(on) - 1]])[np.searchsorted(off, np.arange(len(on)))]
    # A hundredth of a millisecond keeps half a second half a second, on whatever clock.
    after = np.searchsorted(at, at + PEAK_WINDOW_S - 1e-5)
    rows = np.flatnonzero(on & (after <= until))
    if not len(rows):
        return None
    return float(((speed[rows] - speed[after[rows]]) / (at[after[rows]] - at[rows])).max())


# --- speed -----------------------------------------------------------------------------------------------------------


@_value("km/h", "speed_kph")
def lap_top_speed_kph(lap: LapChannels, circuit: Circuit) -> float | None:
    """Highest speed of the lap."""
    measured = measured_in(lap.speed_kph)
    return None if lap.held_s(measured) is None else float(lap.speed_kph[measured].max())


@_value("km/h", "speed_kph")
def lap_mean_speed_kph(lap: LapChannels, circuit: Circuit) -> float | None:
    """Mean speed of the lap by the car's own sensor: its way over the lap time."""
    way = lap.way_m(measured_in(lap.speed_kph))
    return None if way is None else float(way.sum() / lap.duration_s * 3.6)


def _corner_speed(lap: LapChannels, circuit: Circuit, low: float, high: float) -> float | None:
    along = speed_along(lap)
    wanted = [corner for corner in circuit.corners if low <= corner.apex_kph < high]
    if along is None or not wanted:
        return None
    share, speed = along
    inside = [speed[(share >= corner.begins) & (share <= corner.ends)] for corner in wanted]
    return float(np.mean([part.min() for part in inside])) if all(len(part) for part in inside) else None


@_value("km/h", "speed_kph")
def slow_corner_speed_kph(lap: LapChannels, circuit: Circuit) -> float | None:
    """Mean of the lowest speeds in the circuit's slow corners (apex of the field under 125 km/h); None if it has none."""
    return _corner_speed(lap, circuit, 0.0, SLOW_BELOW_KPH)


@_value("km/h", "speed_kph")
def medium_corner_speed_kph(lap: LapChannels, circuit: Circuit) -> float | None:
    """Mean of the lowest speeds in the circuit's medium corners (apex of the field 125 to 200 km/h); None if it has none."""
    return _corner_speed(lap, circuit, SLOW_BELOW_KPH, FAST_ABOVE_KPH)


@_value("km/h", "speed_kph")
def fast_corner_speed_kph(lap: LapChannels, circuit: Circuit) -> float | None:
    """Mean of the lowest speeds in the circuit's fast corners (apex of the field 200 km/h or more); None if it has none."""
    return _corner_speed(lap, circuit, FAST_ABOVE_KPH, np.inf)


@_value("km/h", "speed_kph")
def straight_speed_delta_kph(lap: LapChannels, circuit: Circuit) -> float | None:
    """Highest speed less the field's median of it, mean over the circuit's straights; None with fewer than three cars."""
    along = speed_along(lap)
    if along is None or not circuit.straights or circuit.count_laps < MIN_FIELD:
        return None
    tops = [top_speed(along, straight.begins, straight.ends) for straight in circuit.straights]
    deltas = [
        top - straight.top_kph
        for top, straight in zip(tops, circuit.straights, strict=True)
        if top is not None
    ]
    return float(np.mean(deltas)) if len(deltas) == len(circuit.straights) else None


# --- gears, engine, DRS ----------------------------------------------------------------------------------------------


@_value("", "gear")
def gear_changes(lap: LapChannels, circuit: Circuit) -> float | None:
    """Gears shifted, up and down: from 8 to 5 between two samples is three."""
    measured = measured_in(lap.gear)
    return None if lap.held_s(measured) is None else float(np.abs(np.diff(lap.gear[measured])).sum())


@_value("", "gear")
def gear_mean(lap: LapChannels, circuit: Circuit) -> float | None:
    """Mean gear over the lap time."""
    measured = measured_in(lap.gear)
    held = lap.held_s(measured)
    return None if held is None else float((held * lap.gear[measured]).sum() / held.sum())


@_value("share", "gear")
def top_gear_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap time in eighth gear."""
    return _time_share(lap, lap.gear == TOP_GEAR, measured_in(lap.gear))


@_value("1/min", "gear", "rpm")
def upshift_rpm(lap: LapChannels, circuit: Circuit) -> float | None:
    """Engine speed at the last sample before each upshift, mean over the lap; None without one."""
    measured = measured_in(lap.gear, lap.rpm)
    if lap.held_s(measured) is None:
        return None
    up = np.diff(lap.gear[measured]) > 0
    return float(lap.rpm[measured][:-1][up].mean()) if up.any() else None


@_value("share", "drs")
def drs_open_share(lap: LapChannels, circuit: Circuit) -> float | None:
    """Share of the lap time with DRS open; None where the feed has none (2026 on)."""
    return _time_share(lap, lap.drs >= DRS_OPEN, measured_in(lap.drs))
