"""Car telemetry of each driver's best laps, cut from a FastF1 session: the ``telemetry`` part of a bundle.

A full session's channels are 70 MB in FastF1's parsed form, and an ordinary ``session.load()`` holds them twice. Only some
sixty laps of them are wanted. So the session is loaded with ``telemetry=False``; car channels are read first, cut to the
chosen laps and dropped, then positions. (A session whose telemetry is loaded already is cut as it is.)

What counts as measured, for a car on a timed lap:

* A sample with neither speed nor engine speed is a gap: FastF1 fills gaps with zeros, and no car stands with its engine off
  in the middle of a timed lap. So is one that repeats speed *and* engine speed for more than :data:`FROZEN_S`: the feed
  froze.
* Throttle outside 0–100 (the feed sends 104 for "unknown") and gears outside 1–8 are missing.
* A channel that never changes during a lap is a stuck sensor: missing for that lap, with a remark. A DRS flag that is zero
  on all laps of all cars is missing too: feeds since 2026 have none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from f1core.sources.bundle import PARTS

Floats = NDArray[np.float64]

FROZEN_S = 2.0
"""Real laps of 2023 repeat speed and engine speed for 1.5 s at most (436 laps), a frozen feed for 2.7 s."""
HOLE_S = 2.0
"""Positions and distance are not carried over longer holes; the longest in the same laps is 1.4 s."""
DEAD = "all channels stay at zero or stand still"
_FEW = 20
"""With fewer samples nothing is said about stuck sensors."""
_MARGIN_MS = 10_000
_CAR = ("Speed", "RPM", "nGear", "Throttle", "Brake", "DRS")
_PLACE = ("X", "Y", "Z")
_MAY_STICK = {
    "speed_kph": "speed",
    "rpm": "engine speed",
    "gear": "gear",
    "throttle_pct": "throttle",
    "is_braking": "brake",
}


@dataclass(frozen=True, order=True)
class ChosenLap:
    """A lap to cut; times in seconds of the session."""

    car: int
    lap_number: int
    car_number: str
    driver_code: str
    start_s: float
    end_s: float

    @property
    def name(self) -> str:
        """For remarks, e.g. ``Car 21 (DEV), lap 12``."""
        return f"Car {self.car_number} ({self.driver_code}), lap {self.lap_number}"


def best_laps(session: Any) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Car samples of each driver's best lap of the session and, in qualifying, of Q1, Q2 and Q3.

    Args:
        session: A FastF1 session with laps loaded. Load it with ``telemetry=False``: the channels are read here, one stream
            after the other, and never held whole beside each other.

    Returns:
        Rows in the schema ``PARTS["telemetry"]``, one per car sample at the sample's own instant, by car and lap; and
        what is missing or odd, in words (for ``BundleMeta.problems``). No rows, and a remark, without telemetry.

        ``session_s`` counts from the feed's start, ``lap_s`` from the lap's (its end less its lap time). ``distance_m`` is
        the speed integrated by trapezoid from the line on, the first sample's speed holding before it; it is missing from
        the first hole over 2 s on. ``x_m``, ``y_m`` are interpolated between the two positions around the sample, or
        missing where these are more than 2 s apart.
    """
    chosen, remarks = chosen_laps(session)
    cars, car_t0 = _read(session, "car", chosen)
    places, place_t0 = _read(session, "position", chosen) if cars else ({}, None)
    if not cars or car_t0 is None:
        return _empty(), (*remarks, *([] if not chosen else ["No car telemetry."]))
    # FastF1's rule: the latest offset is the one with the least delay, over both streams.
    t0 = max(car_t0, place_t0) if place_t0 is not None else car_t0
    if not places:
        remarks.append("No positions: x and y are missing.")
    frames = []
    for lap in chosen:
        rows, said = _measured(lap, cars.get(lap), places.get(lap), t0)
        remarks += said
        if rows is not None:
            frames.append(rows)
    if not frames:
        return _empty(), tuple(remarks)
    whole = pl.concat(frames)
    if whole["drs"].max() == 0:
        whole = whole.with_columns(drs=pl.lit(None, PARTS["telemetry"]["drs"]))
        remarks.append("DRS is not in the feed.")
    return whole, tuple(remarks)


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=PARTS["telemetry"])


# --- which laps ------------------------------------------------------------------------------------------------------


def chosen_laps(session: Any) -> tuple[list[ChosenLap], list[str]]:
    """The laps to cut, by car and number: each driver's best of the session and of every part of qualifying.

    The best is the fastest timed lap that was not deleted and that the feed calls a personal best: a lap that was deleted
    without a message loses that flag, and what is left may be a slow lap to the garage. A car without such a lap in a part
    has no lap of it here. Where the feed calls no lap of the session a personal best, time alone decides.
    """
    laps = session.laps
    remarks: list[str] = []
    parts = [laps]
    has_flags = any(lap[-1] for lap in _timed(laps))
    if session.name in session._QUALI_LIKE_SESSIONS:
        parts += _qualifying_parts(laps, remarks)
    best: set[ChosenLap] = set()
    for part in parts:
        by_car = defaultdict(list)
        for lap in _timed(part):
            if lap[-1] or not has_flags:
                by_car[lap[0]].append(lap)
        for rows in by_car.values():
            number, code, lap_number, took, end, _ = min(rows, key=lambda row: (row[3], row[2]))
            car = int(number) if number.isdigit() else 1_000
            best.add(ChosenLap(car, lap_number, number, code, end - took, end))
    if not best:
        remarks.append("No timed laps: no telemetry.")
    return sorted(best), remarks


def _timed(laps: Any) -> Iterable[tuple[str, str, int, float, float, bool]]:
    columns = [
        laps["DriverNumber"].tolist(),
        laps["Driver"].tolist(),
        laps["LapNumber"].tolist(),
        laps["LapTime"].dt.total_seconds().tolist(),
        laps["Time"].dt.total_seconds().tolist(),
        (laps["Deleted"] == True).tolist(),  # noqa: E712  (None where nobody knows)
        (laps["IsPersonalBest"] == True).tolist(),  # noqa: E712
    ]
    for number, code, lap_number, took, end, deleted, official in zip(*columns, strict=True):
        if took > 0 and end > 0 and not deleted:  # a missing time is NaN, and no comparison holds
            yield str(number), str(code), int(lap_number), took, end, official


def _qualifying_parts(laps: Any, remarks: list[str]) -> list[Any]:
    from fastf1.exceptions import DataNotLoadedError

    try:
        return [part for part in laps.split_qualifying_sessions() if part is not None]
    except (DataNotLoadedError, ValueError, IndexError, KeyError) as error:
        remarks.append(f"Q1, Q2 and Q3 cannot be told apart ({error}): telemetry of the best lap only.")
        return []


# --- the streams -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """Samples around a lap: instants [ms since 1970] and channels, in the order of the stream's columns."""

    at_ms: NDArray[np.int64]
    values: tuple[Floats, ...]


def _read(session: Any, kind: str, chosen: list[ChosenLap]) -> tuple[dict[ChosenLap, Cut], int | None]:
    """Reads one stream, cuts it to the chosen laps and lets go of it.

    Returns:
        Samples by lap, ten seconds more on either side; and the date at which the session's clock was zero [ms].
    """
    if not chosen:
        return {}, None
    loaded = getattr(session, "_car_data" if kind == "car" else "_pos_data", None)
    if loaded is None:
        frames = _stream(session, kind)
        t0 = _zero_date(frames)
    else:
        frames = loaded
        known = getattr(session, "_t0_date", None)
        t0 = None if known is None else int(np.datetime64(known, "ms").astype(np.int64))
    if t0 is None:
        return {}, None
    channels = _CAR if kind == "car" else _PLACE
    by_car = defaultdict(list)
    for lap in chosen:
        by_car[lap.car_number].append(lap)
    cuts: dict[ChosenLap, Cut] = {}
    for number, laps in by_car.items():
        if number in frames:
            cuts |= _cut(frames[number], channels, laps, t0)
    return cuts, t0


def _stream(session: Any, kind: str) -> Mapping[str, Any]:
    from fastf1 import _api as api

    try:
        read = api.car_data if kind == "car" else api.position_data
        return read(session.api_path) or {}
    except api.SessionNotAvailableError:
        return {}


def _zero_date(frames: Mapping[str, Any]) -> int | None:
    latest = [(frame["Date"] - frame["Time"]).max() for frame in frames.values()]
    dates = [np.datetime64(one, "ns") for one in latest if one == one]  # NaT is not itself
    return int(_whole_ms(np.array([max(dates)]))[0]) if dates else None


def _whole_ms(dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    nanoseconds = dates.astype("datetime64[ns]").astype(np.int64)
    return np.asarray((nanoseconds + 500_000) // 1_000_000, dtype=np.int64)


def _cut(frame: Any, channels: tuple[str, ...], laps: list[ChosenLap], t0: int) -> dict[ChosenLap, Cut]:
    at = _whole_ms(frame["Date"].to_numpy())
    order = np.argsort(at, kind="stable")
    at, first = np.unique(at[order], return_index=True)
    order = order[first]
    cuts = {}
    for lap in laps:
        low = np.searchsorted(at, t0 + round(lap.start_s * 1000) - _MARGIN_MS)
        high = np.searchsorted(at, t0 + round(lap.end_s * 1000) + _MARGIN_MS, side="right")
        rows = order[low:high]
        values = tuple(
            frame[name].to_numpy()[rows].astype(np.float64) if name in frame else np.full(len(rows), np.nan)
            for name in channels
        )
        cuts[lap] = Cut(at[low:high], values)
    return cuts


# --- what was measured -----------------------------------------------------------------------------------------------


def _measured(
    lap: ChosenLap, car: Cut | None, places: Cut | None, t0: int
) -> tuple[pl.DataFrame | None, list[str]]:
    """One lap's rows, with None for what was not measured; None and a remark where nothing was."""
    if car is None:
        return None, [f"{lap.name}: no telemetry."]
    at_s = (car.at_ms - t0) / 1000
    inside = (at_s >= lap.start_s) & (at_s <= lap.end_s)
    at_s = at_s[inside]
    speed, rpm, gear, throttle, brake, drs = (values[inside] for values in car.values)
    alive = (speed > 0) | (rpm > 0)
    frozen = frozen_samples(at_s, speed, rpm) & alive
    known = alive & ~frozen
    if not known.any():
        return None, [f"{lap.name}: {DEAD if len(at_s) else 'no telemetry'}."]
    at_s = at_s[known]
    channels = {
        "speed_kph": _within(speed[known], 1, 500),
        "rpm": _within(rpm[known], 1, 30_000),
        "gear": _within(gear[known], 1, 8),
        "throttle_pct": _within(throttle[known], 0, 100),
        "is_braking": brake[known],
        "drs": drs[known],
    }
    stuck = [name for name in _MAY_STICK if len(at_s) >= _FEW and is_stuck(channels[name])]
    if len(stuck) == len(_MAY_STICK):
        return None, [f"{lap.name}: {DEAD}."]
    remarks = [f"{lap.name}: the {_MAY_STICK[name]} sensor is stuck." for name in stuck]
    if frozen.any():
        remarks.append(f"{lap.name}: the feed stood still; its repeated samples are left out.")
    channels |= {name: np.full(len(at_s), np.nan) for name in stuck}
    x_m, y_m = _places(at_s, places, t0)
    columns = {
        "session_s": at_s,
        "lap_s": np.round(at_s - lap.start_s, 6),
        "distance_m": distance_m(at_s - lap.start_s, channels["speed_kph"]),
        **channels,
        "x_m": x_m,
        "y_m": y_m,
    }
    rows = pl.DataFrame(columns).with_columns(pl.all().fill_nan(None))
    names = {"car_number": lap.car_number, "driver_code": lap.driver_code, "lap_number": lap.lap_number}
    rows = rows.with_columns(pl.lit(value).alias(name) for name, value in names.items())
    rows = rows.with_columns(is_braking=pl.col("is_braking") > 0)
    return rows.select(pl.col(name).cast(kind) for name, kind in PARTS["telemetry"].items()), remarks


def _within(values: Floats, low: float, high: float) -> Floats:
    return np.where((values >= low) & (values <= high), values, np.nan)


def is_stuck(values: Floats) -> bool:
    """Whether a channel has no measurement or never changes."""
    return bool(np.isnan(values).all() or np.nanmin(values) == np.nanmax(values))


def frozen_samples(at_s: Floats, speed: Floats, rpm: Floats) -> NDArray[np.bool_]:
    """Samples that only repeat the one before while speed and engine speed stand still for more than :data:`FROZEN_S`.

    None where one of the two sensors is stuck: the other alone may well stand still on a straight.
    """
    frozen = np.zeros(len(at_s), dtype=np.bool_)
    if not len(at_s) or is_stuck(speed) or is_stuck(rpm):
        return frozen
    first = 0
    for row in range(1, len(at_s) + 1):
        if row == len(at_s) or speed[row] != speed[first] or rpm[row] != rpm[first]:
            if at_s[row - 1] - at_s[first] > FROZEN_S:
                frozen[first + 1 : row] = True
            first = row
    return frozen


def distance_m(lap_s: Floats, speed_kph: Floats) -> Floats:
    """Distance from the line at each sample: the speed integrated by trapezoid, missing from the first hole over 2 s on."""
    found = np.full(len(lap_s), np.nan)
    rows = np.flatnonzero(~np.isnan(speed_kph))
    if not len(rows):
        return found
    at, speed = lap_s[rows], speed_kph[rows] / 3.6
    steps = np.diff(at, prepend=0.0)
    before = np.concatenate([speed[:1], speed[:-1]])
    travelled = np.cumsum((before + speed) / 2 * steps)
    holes = np.flatnonzero(steps > HOLE_S)
    found[rows] = travelled
    if len(holes):
        found[rows[holes[0]] :] = np.nan
    return found


def _places(at_s: Floats, places: Cut | None, t0: int) -> tuple[Floats, Floats]:
    nowhere = np.full(len(at_s), np.nan)
    if places is None:
        return nowhere, nowhere
    x, y, z = places.values
    # FastF1 fills gaps with zeros; no circuit has its timing line's height and place at the origin.
    seen = ~(np.isnan(x) | np.isnan(y)) & ~((x == 0) & (y == 0) & ((z == 0) | np.isnan(z)))
    if seen.sum() < 2:
        return nowhere, nowhere
    known_s = (places.at_ms[seen] - t0) / 1000
    after = np.clip(np.searchsorted(known_s, at_s), 1, len(known_s) - 1)
    near = (known_s[after] - known_s[after - 1] <= HOLE_S) & (at_s >= known_s[0]) & (at_s <= known_s[-1])
    # The feed's unit is a tenth of a metre.
    return tuple(np.where(near, np.interp(at_s, known_s, one[seen]) / 10, np.nan) for one in (x, y))  # type: ignore[return-value]
