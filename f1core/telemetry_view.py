"""Car telemetry of chosen laps laid over each other: by place on the track, with the time lost and the slowest points.

Two laps of a circuit never measure the same length: speed is integrated from a few samples a second, and drivers take
different lines. Where positions were recorded, a sample's place is the nearest point of the reference's line; by distance
alone a lap can be 20 m off in a slow corner, which is a second there. Without positions each lap's distance is stretched so
that its line is at the reference's line. Time is interpolated between samples, with the line's own times (zero, and the
official lap time) at both ends, so that the time lost at the end is the difference of the lap times to the millisecond.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.queries.laps import outline_laps
from warehouse.queries.sessions import lap_telemetry
from warehouse.reader import Reader

Floats = NDArray[np.float64]

STEP_M = 8.0
"""Between points of the common grid; cars send a sample every 5 to 20 m."""
HOLE_S = 2.0
"""A lap whose samples end longer than this before its line, or leave such a hole, cannot be laid over another."""
DIP_KPH = 12.0
"""A corner is marked where the speed falls so much below what it was before and gets back after."""
AROUND_M = 60.0
SEARCH_M, OFF_LINE_M = 90.0, 30.0
"""How far from where distance puts a sample its place is looked for, and how far off the reference's line it may be [m]."""
FINE_M = 2.0
SLOW_MPS = 20.0
SMOOTH = 21
"""Samples, about five seconds, over which the correction of a place is smoothed: positions swing by some metres from one
to the next. Held against sector times, wider windows gain nothing more."""
FEW = 20
CHANNELS = ("speed_kph", "throttle_pct", "brake_pct", "gear")


@dataclass(frozen=True)
class ChosenLap:
    """A lap to look at.

    Attributes:
        car_number: Of the car.
        lap_number: Of the session.
        label: What charts call it; unique among the laps compared.
        lap_time_s: Its official time [s].
    """

    car_number: str
    lap_number: int
    label: str
    lap_time_s: float


@dataclass(frozen=True)
class Comparison:
    """Laps laid over each other.

    Attributes:
        rows: A row per lap and point, in the order of the laps and of distance: ``label, distance_m`` (of the reference),
            ``lap_s, speed_kph, throttle_pct, brake_pct`` (0 or 100), ``gear, delta_s`` (behind the reference; null for the
            reference itself where it is alone), ``x_m, y_m`` (null where positions were not recorded).
        corners: Slowest points of the reference in the order driven: ``corner`` (from 1; not the official number),
            ``distance_m, speed_kph, x_m, y_m``.
        notes: Laps that could not be used, and why.
        is_by_place: Whether all laps were laid over each other by position; else by stretched distance.
    """

    rows: pl.DataFrame
    corners: pl.DataFrame
    notes: tuple[str, ...]
    is_by_place: bool = True

    def corner_speeds(self, around_m: float = AROUND_M) -> pl.DataFrame:
        """The lowest speed of every lap near each slow point of the reference.

        Args:
            around_m: How near [m]; drivers brake at different places.

        Returns:
            ``corner, distance_m`` and a column per lap, named by its label [km/h].
        """
        near = self.corners.select("corner", pl.col("distance_m").alias("at_m")).join(
            self.rows.select("label", "distance_m", "speed_kph"), how="cross"
        )
        lowest = near.filter((pl.col("distance_m") - pl.col("at_m")).abs() <= around_m)
        lowest = lowest.group_by("corner", "at_m", "label").agg(pl.col("speed_kph").min())
        labels = self.rows["label"].unique(maintain_order=True).to_list()
        table = lowest.pivot("label", index=["corner", "at_m"], values="speed_kph", sort_columns=True)
        return table.sort("corner").select("corner", pl.col("at_m").alias("distance_m"), *labels)


ROW_SCHEMA = pl.Schema(
    {
        "label": pl.String(),
        "distance_m": pl.Float64(),
        "lap_s": pl.Float64(),
        "speed_kph": pl.Float64(),
        "throttle_pct": pl.Float64(),
        "brake_pct": pl.Float64(),
        "gear": pl.Float64(),
        "delta_s": pl.Float64(),
        "x_m": pl.Float64(),
        "y_m": pl.Float64(),
    }
)
CORNER_SCHEMA = pl.Schema(
    {
        "corner": pl.Int64(),
        "distance_m": pl.Float64(),
        "speed_kph": pl.Float64(),
        "x_m": pl.Float64(),
        "y_m": pl.Float64(),
    }
)


def compare_laps(
    reader: Reader, event_id: str, session: str, laps: Sequence[ChosenLap], step_m: float = STEP_M
) -> Comparison:
    """Reads laps and lays them over the first one; see :func:`align`."""
    samples = [
        (lap, lap_telemetry(reader, event_id, session, lap.car_number, lap.lap_number)) for lap in laps
    ]
    return align(samples, step_m)


def align(laps: Sequence[tuple[ChosenLap, pl.DataFrame]], step_m: float = STEP_M) -> Comparison:
    """Lays laps over the first usable one.

    Args:
        laps: Each with its samples, rows of the ``telemetry`` table in order.
        step_m: Between points [m].
    """
    notes: list[str] = []
    measured: list[tuple[ChosenLap, Floats, Floats, pl.DataFrame]] = []
    for lap, samples in laps:
        known = samples.drop_nulls(["lap_s", "distance_m"])
        reason = _unusable(lap, known)
        if reason:
            notes.append(f"{lap.label}: {reason}")
        else:
            measured.append((lap, *_line_to_line(lap, known), known))
    if not measured:
        return Comparison(pl.DataFrame(schema=ROW_SCHEMA), pl.DataFrame(schema=CORNER_SCHEMA), tuple(notes))
    length = float(measured[0][1][-1])
    grid = np.linspace(0.0, length, max(round(length / step_m) + 1, 2))
    lap, distance, lap_s, known = measured[0]
    reference_s = np.interp(grid, distance, lap_s)
    frames = [_row_frame(lap, grid, reference_s, np.zeros(len(grid)), known)]
    line = _Line.of(distance, lap_s, known)
    by_place = []
    for lap, distance, lap_s, known in measured[1:]:
        places = distance * (length / distance[-1])
        moved = None if line is None else line.places(places, lap_s, known)
        by_place.append(moved is not None)
        at_s = np.interp(grid, places if moved is None else moved, lap_s)
        frames.append(_row_frame(lap, grid, at_s, at_s - reference_s, known))
    return Comparison(pl.concat(frames), corner_marks(frames[0]), tuple(notes), all(by_place))


def corner_marks(lap: pl.DataFrame) -> pl.DataFrame:
    """The slowest point of every place where one lap slows down for; see :attr:`Comparison.corners`.

    Args:
        lap: One lap's rows of :attr:`Comparison.rows`.
    """
    known = lap.drop_nulls("speed_kph")
    speed = known["speed_kph"].to_numpy()
    found = _dips(speed, DIP_KPH)
    return (
        known[found]
        .select("distance_m", "speed_kph", "x_m", "y_m")
        .with_columns(corner=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        .select(list(CORNER_SCHEMA))
    )


def circuit_outline(reader: Reader, circuit_id: str, until: dt.datetime | None = None) -> Comparison | None:
    """The way round a circuit, from the fastest recorded lap of its newest session with positions; None without any.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        until: Leave out sessions known after this instant.

    Returns:
        One lap; its ``label`` says whose and of which season.
    """
    for row in outline_laps(reader, circuit_id, until).head(5).iter_rows(named=True):
        name = row["driver_name"] or f"car {row['car_number']}"
        lap = ChosenLap(row["car_number"], row["lap_number"], f"{name} {row['season']}", row["lap_time_s"])
        found = compare_laps(reader, row["event_id"], row["session"], [lap])
        if found.rows["x_m"].drop_nulls().len() > FEW:
            return found
    return None


def _unusable(lap: ChosenLap, known: pl.DataFrame) -> str:
    if known.height < FEW:
        return "no telemetry of this lap"
    at = known["lap_s"].to_numpy()
    holes = float(np.max(np.diff(at, prepend=0.0, append=lap.lap_time_s)))
    return f"its telemetry has a hole of {holes:.1f} s" if holes > HOLE_S else ""


def _line_to_line(lap: ChosenLap, known: pl.DataFrame) -> tuple[Floats, Floats]:
    """Distance [m] and time [s] of a lap's samples, with the line at both ends; both rise."""
    at, distance = known["lap_s"].to_numpy(), known["distance_m"].to_numpy()
    speed = known["speed_kph"].drop_nulls()
    last = float(speed[-1]) / 3.6 if speed.len() else 0.0
    inside = (at > 0) & (at < lap.lap_time_s)
    end = float(distance[inside][-1] + last * (lap.lap_time_s - at[inside][-1]))
    distance = np.concatenate([[0.0], distance[inside], [end]])
    # A sample can be a hair behind the one before where the first speed is carried back to the line.
    return np.maximum.accumulate(distance), np.concatenate([[0.0], at[inside], [lap.lap_time_s]])


@dataclass(frozen=True)
class _Line:
    """The reference's way round: a point every two metres, and the direction there.

    Attributes:
        at_m: Distance of each point, from zero to the length of the lap.
        points: ``x, y`` of each [m].
        along: Direction of travel at each, of length one.
    """

    at_m: Floats
    points: Floats
    along: Floats

    @classmethod
    def of(cls, distance: Floats, lap_s: Floats, known: pl.DataFrame) -> _Line | None:
        """The line of a lap; None where too few positions were recorded."""
        placed = known.drop_nulls(["x_m", "y_m"])
        if placed.height < FEW or placed.height < 0.9 * known.height:
            return None
        at_m = np.arange(0.0, distance[-1], FINE_M)
        when = np.interp(at_m, distance, lap_s)
        at, own = placed["lap_s"].to_numpy(), placed.select("x_m", "y_m").to_numpy()
        # To the line at both ends as the first and the last two positions go.
        ends = [
            own[a] + (own[a] - own[b]) * (t - at[a]) / (at[a] - at[b])
            for a, b, t in ((0, 1, 0.0), (-1, -2, lap_s[-1]))
        ]
        inside = (at > 0) & (at < lap_s[-1])
        at = np.concatenate([[0.0], at[inside], lap_s[-1:]])
        own = np.vstack([ends[0], own[inside], ends[1]])
        points = np.column_stack([np.interp(when, at, own[:, axis]) for axis in (0, 1)])
        along = np.gradient(points, axis=0)
        size = np.linalg.norm(along, axis=1, keepdims=True)
        return cls(at_m, points, along / np.where(size > 0, size, 1.0))

    def places(self, guess: Floats, lap_s: Floats, known: pl.DataFrame) -> Floats | None:
        """Where on this line another lap was at its instants; None where too few of its positions are near the line.

        Args:
            guess: Where stretched distance puts it [m], the line at both ends.
            lap_s: When [s].
            known: Its samples.
        """
        placed = known.drop_nulls(["x_m", "y_m"])
        when = placed["lap_s"].to_numpy()
        near = (when > 0) & (when < lap_s[-1])
        if near.sum() < FEW or placed.height < 0.9 * known.height:
            return None
        own = placed.select("x_m", "y_m").to_numpy()[near]
        about = np.interp(when[near], lap_s, guess)
        reach = int(SEARCH_M / FINE_M)
        middle = np.clip(np.round(about / FINE_M).astype(int), 0, len(self.at_m) - 1)
        rows = np.clip(middle[:, None] + np.arange(-reach, reach + 1)[None, :], 0, len(self.at_m) - 1)
        apart = np.linalg.norm(self.points[rows] - own[:, None, :], axis=2)
        best = np.argmin(apart, axis=1)
        row = rows[np.arange(len(own)), best]
        rest = np.einsum("ij,ij->i", own - self.points[row], self.along[row])
        fine = apart[np.arange(len(own)), best] <= OFF_LINE_M
        if fine.mean() < 0.9:
            return None
        shift = (self.at_m[row] + np.clip(rest, -FINE_M, FINE_M) - about)[fine]
        smooth, at = _smoothed(shift), when[near][fine]
        # At the line timing says where the car was. What positions say otherwise there is the delay of their feed, which
        # is the same time all the way, and so the fewer metres the slower the car is.
        speed = np.interp(at, lap_s, np.gradient(guess, lap_s))
        ends = [smooth[end] / max(speed[end], SLOW_MPS) for end in (0, -1)]
        smooth = smooth - speed * np.interp(at, [0.0, lap_s[-1]], ends)
        offset = np.interp(lap_s, at, smooth, left=0.0, right=0.0)
        return np.maximum.accumulate(np.clip(guess + offset, 0.0, guess[-1]))


def _smoothed(values: Floats) -> Floats:
    """Running median, then running mean."""
    half = SMOOTH // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="edge"), SMOOTH)
    middle = np.median(windows, axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(middle, half, mode="edge"), SMOOTH)
    return np.asarray(windows.mean(axis=1), dtype=np.float64)


def _row_frame(
    lap: ChosenLap, grid: Floats, at_s: Floats, delta_s: Floats, known: pl.DataFrame
) -> pl.DataFrame:
    when = known["lap_s"].to_numpy()

    def line(name: str) -> Floats:
        part = known.drop_nulls(name)
        if part.height < FEW:
            return np.full(len(grid), np.nan)
        values: Floats = np.interp(at_s, part["lap_s"].to_numpy(), part[name].cast(pl.Float64).to_numpy())
        return values

    def step(name: str) -> Floats:
        # What switches is not in between: the last sample holds.
        held = (
            known[name]
            .cast(pl.Float64)
            .to_numpy()[np.clip(np.searchsorted(when, at_s, "right") - 1, 0, None)]
        )
        return np.asarray(held, dtype=np.float64)

    columns = {
        "distance_m": grid,
        "lap_s": at_s,
        "speed_kph": line("speed_kph"),
        "throttle_pct": line("throttle_pct"),
        "brake_pct": step("is_braking") * 100.0,
        "gear": step("gear"),
        "delta_s": delta_s,
        "x_m": line("x_m"),
        "y_m": line("y_m"),
    }
    rows = pl.DataFrame(columns).with_columns(pl.all().fill_nan(None), label=pl.lit(lap.label))
    return rows.select(pl.col(name).cast(kind) for name, kind in ROW_SCHEMA.items())


def _dips(values: Floats, depth: float) -> list[int]:
    """Places of the lows that lie at least ``depth`` below the highs on both sides, in order (a zigzag)."""
    lows: list[int] = []
    low, high = 0, 0
    seeks_low = False
    for at in range(1, len(values)):
        if seeks_low:
            if values[at] < values[low]:
                low = at
            elif values[at] >= values[low] + depth:
                lows.append(low)
                high, seeks_low = at, False
        elif values[at] > values[high]:
            high = at
        elif values[at] <= values[high] - depth:
            low, seeks_low = at, True
    return lows
