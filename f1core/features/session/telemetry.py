"""Car telemetry of a session as one row of values per car: over its best lap, or missing and flagged.

Nothing here guesses: a lap with a hole, a stuck sensor, a way that is not the circuit's or a time that is no attempt gives
no value of what it spoils, and ``telemetry_problem`` says why. What is measured at all is decided where the feed is read
(:mod:`f1core.sources.telemetry_laps`), what the values mean in :mod:`f1core.features.session.lap_values`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from f1core.features.session.lap_channels import (
    HOLE_S,
    NO_CIRCUIT,
    Circuit,
    Floats,
    LapChannels,
    find_circuit,
    largest_hole_s,
    measured_in,
)
from f1core.features.session.lap_values import MIN_FIELD, TELEMETRY_VALUES, TelemetryValue

__all__ = [
    "SCHEMA",
    "TELEMETRY_VALUES",
    "LapChannels",
    "TelemetryValue",
    "find_circuit",
    "lap_channels",
    "telemetry_values",
]

MIN_HERTZ = 2.0
"""Half of the feed's nominal rate; the thinnest lap of 2023 has 3.4 samples a second."""
WAY_TOLERANCE = 0.02
"""How far a lap's way may be from the field's median: of 435 laps of 2023 all are within 0.8 % but one, whose feed had
frozen for 2.7 s: 5.6 %."""
SLOWEST = 1.07
"""A lap over 107 % of the fastest is no attempt, or was driven in other weather: it compares with nobody's."""
CHANNELS = {
    "speed_kph": "speed",
    "rpm": "engine speed",
    "gear": "gear",
    "throttle_pct": "throttle",
    "is_braking": "brake",
}
"""Channels that every car has and that change during a lap, with their words. DRS may be shut, forbidden or absent."""

SCHEMA: dict[str, pl.DataType] = {
    "car_number": pl.String(),
    "telemetry_lap_number": pl.Int32(),
    "telemetry_samples": pl.Int32(),
    "telemetry_hole_s": pl.Float64(),
    **dict.fromkeys(TELEMETRY_VALUES, pl.Float64()),
    "telemetry_problem": pl.String(),
}
"""Columns of :func:`telemetry_values`: the car; which lap was used, its samples and its longest time without one; the values
of :data:`TELEMETRY_VALUES`; and what is wrong, in words, or null."""


def telemetry_values(telemetry: pl.DataFrame, laps: pl.DataFrame) -> pl.DataFrame:
    """One row per car with the values of its best lap.

    Args:
        telemetry: Rows as in ``PARTS["telemetry"]``.
        laps: The same session's laps: at least ``car_number``, ``lap_number``, ``lap_time_s``, ``is_deleted`` and
            ``is_personal_best``. They say which lap is the best and how long it took, to the millisecond; the
            samples alone do not (a lap may end up to half a second after its last sample, or its end may be missing).

    Returns:
        Columns :data:`SCHEMA`, one row for every car that has laps or telemetry, by car number. A value is null where
        the channels it needs are missing, stuck or have a hole over 2 s; all are null where the whole lap is not to be
        trusted. ``telemetry_problem`` names every such case. Where the best lap has no telemetry, the fastest lap that
        has is used, and that is a problem too.
    """
    picked = [_pick(car, telemetry, laps) for car in _cars(telemetry, laps)]
    _drop_slow(picked)
    _compare_ways(picked)
    good = [one.channels for one in picked if one.channels is not None]
    circuit = find_circuit(good) if good else NO_CIRCUIT
    return pl.DataFrame([_row(one, circuit) for one in picked], schema=SCHEMA)


@dataclass
class _Picked:
    """A car's lap, or why there is none."""

    car_number: str
    lap_number: int | None
    samples: int | None
    hole_s: float | None
    channels: LapChannels | None
    problems: list[str]


def _cars(telemetry: pl.DataFrame, laps: pl.DataFrame) -> list[str]:
    found = pl.concat([laps["car_number"], telemetry["car_number"]]).drop_nulls().unique().to_list()
    return sorted(found, key=lambda number: (len(number), number))


def _pick(car: str, telemetry: pl.DataFrame, laps: pl.DataFrame) -> _Picked:
    """The best lap of a car that has telemetry, with its channels cleaned of stuck sensors."""
    picked = _Picked(car, None, None, None, None, [])
    timed = laps.filter(
        pl.col("car_number") == car, pl.col("lap_time_s") > 0, ~pl.col("is_deleted").fill_null(value=False)
    )
    if laps["is_personal_best"].any():
        # A lap deleted without a message loses this flag; what is left may be slow laps only.
        timed = timed.filter(pl.col("is_personal_best").fill_null(value=False))
    timed = timed.sort("lap_time_s", "lap_number")
    samples = telemetry.filter(pl.col("car_number") == car)
    covered = timed.filter(pl.col("lap_number").is_in(samples["lap_number"].unique().to_list()))
    if timed.is_empty():
        picked.problems.append("no timed lap")
    elif covered.is_empty():
        picked.problems.append("no telemetry")
    if covered.is_empty():
        return picked
    lap = covered.row(0, named=True)
    if lap["lap_number"] != timed["lap_number"][0]:
        picked.problems.append(f"no telemetry of the best lap, {timed['lap_number'][0]}")
    picked.lap_number = lap["lap_number"]
    _read(picked, samples.filter(pl.col("lap_number") == lap["lap_number"]), lap["lap_time_s"])
    return picked


def _read(picked: _Picked, samples: pl.DataFrame, lap_time_s: float) -> None:
    lap = lap_channels(samples, lap_time_s)
    picked.samples = len(lap.at_s)
    picked.hole_s = largest_hole_s(lap.at_s, lap.start_s, lap.end_s)
    if picked.samples < MIN_HERTZ * lap_time_s:
        picked.problems.append(f"only {picked.samples} samples in {lap_time_s:.1f} s")
        return
    if picked.hole_s > HOLE_S:
        picked.problems.append(f"a hole of {picked.hole_s:.1f} s")
        return
    clean: dict[str, Any] = {}
    for name, word in CHANNELS.items():
        values: Floats = getattr(lap, name)
        measured = measured_in(values)
        if not measured.any():
            picked.problems.append(f"no {word}")
        elif values[measured].min() == values[measured].max():
            picked.problems.append(f"{word} stuck at {values[measured][0]:g}")
            clean[name] = np.full(len(values), np.nan)
        elif (hole := largest_hole_s(lap.at_s[measured], lap.start_s, lap.end_s)) > HOLE_S:
            picked.problems.append(f"no {word} for {hole:.1f} s")
    cleaned = replace(lap, **clean)
    if measured_in(cleaned.speed_kph).any() or measured_in(cleaned.rpm).any():
        picked.channels = cleaned


def lap_channels(samples: pl.DataFrame, lap_time_s: float) -> LapChannels:
    """A lap's rows of the ``telemetry`` part as arrays, on the lap's clock; samples outside the lap are left out.

    Of samples at the same instant the first is used.
    """
    rows = samples.filter(pl.col("lap_s").is_between(0, lap_time_s)).sort("lap_s", maintain_order=True)
    rows = rows.unique("lap_s", keep="first", maintain_order=True)
    names = (*CHANNELS, "drs")
    columns = {name: rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in names}
    return LapChannels(0.0, lap_time_s, rows["lap_s"].to_numpy(), **columns)


def _drop_slow(picked: list[_Picked]) -> None:
    """Drops laps that are no attempt, measured by the fastest of all laps with telemetry."""
    fastest = min((one.channels.duration_s for one in picked if one.channels is not None), default=0.0)
    for one in picked:
        if one.channels is not None and one.channels.duration_s > SLOWEST * fastest:
            slower = 100 * (one.channels.duration_s / fastest - 1)
            one.problems.append(f"a lap {slower:.0f} % slower than the fastest")
            one.channels = None


def _compare_ways(picked: list[_Picked]) -> None:
    """Drops laps whose way is not the circuit's: a sensor that is off, or samples of another stretch of time."""
    ways = {}
    for one in picked:
        if one.channels is not None:
            way = one.channels.way_m(measured_in(one.channels.speed_kph))
            if way is not None:
                ways[one.car_number] = float(way.sum())
    if len(ways) < MIN_FIELD:
        return
    usual = float(np.median(list(ways.values())))
    for one in picked:
        way_m = ways.get(one.car_number, usual)
        if abs(way_m / usual - 1) > WAY_TOLERANCE:
            one.problems.append(f"a way of {way_m:.0f} m where the field's is {usual:.0f} m")
            one.channels = None


def _row(one: _Picked, circuit: Circuit) -> dict[str, Any]:
    lap = one.channels
    values = {
        name: None if lap is None else value.function(lap, circuit)
        for name, value in TELEMETRY_VALUES.items()
    }
    return {
        "car_number": one.car_number,
        "telemetry_lap_number": one.lap_number,
        "telemetry_samples": one.samples,
        "telemetry_hole_s": one.hole_s,
        **values,
        "telemetry_problem": "; ".join(one.problems) or None,
    }
