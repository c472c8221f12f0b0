"""The laps of one race as arrays: who crossed the line when, on what tyres, and where he stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.vocab import WET_COMPOUNDS, WET_LAP_SHARE

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS = (
    "event_id",
    "season",
    "circuit_id",
    "driver_id",
    "car_number",
    "lap_number",
    "lap_time_s",
    "lap_end_session_s",
    "compound",
    "tyre_life_laps",
    "is_in_lap",
    "is_out_lap",
    "is_green",
    "known_at",
)
"""What is read of the ``laps`` table, the circuit joined to it."""

RECENT_LAPS = 5
"""Laps from which a car's present pace is taken."""


@dataclass(frozen=True)
class RaceClock:
    """One race; the arrays are (laps + 2, cars), row l is lap l, and NaN or False stand where a car did not run.

    Attributes:
        event_id: The event.
        season: Its year.
        circuit_id: Its circuit.
        drivers: Driver of each car.
        laps: Laps of the race.
        end_s: Session time at the line [s].
        lap_s: Lap time [s].
        clean_s: The same for green laps that were neither in-laps nor out-laps, NaN elsewhere [s].
        age: Laps on the set.
        compound: Compound ("" where a car did not run).
        is_in: Laps that ended in the pits.
        is_out: Laps that began there.
        is_green: Whether most of the field had a clear track for the whole lap, (laps + 2,).
    """

    event_id: str
    season: int
    circuit_id: str
    drivers: tuple[str, ...]
    laps: int
    end_s: Floats
    lap_s: Floats
    clean_s: Floats
    age: Floats
    compound: NDArray[np.str_]
    is_in: Flags
    is_out: Flags
    is_green: Flags

    def pace_s(self, lap: int) -> Floats:
        """Present pace of every car at the end of a lap: median of its last clean laps on this set, (cars,) [s]; or NaN.

        The first clean laps after a stop count only with what was driven since: an old set says nothing of a new one.
        """
        first = max(lap - RECENT_LAPS + 1, 2)
        pace = np.full(len(self.drivers), np.nan)
        for car in range(len(self.drivers)):
            outs = np.flatnonzero(self.is_out[: lap + 1, car])
            since = max(first, int(outs[-1]) + 1 if len(outs) else first)
            recent = self.clean_s[since : lap + 1, car]
            recent = recent[~np.isnan(recent)]
            if len(recent):
                pace[car] = np.median(recent)
        return pace


def dry_laps(laps: pl.DataFrame) -> pl.DataFrame:
    """Laps of the dry races among them."""
    is_wet = pl.col("compound").is_in([compound.value for compound in WET_COMPOUNDS])
    return laps.filter(is_wet.mean().over("event_id") <= WET_LAP_SHARE)


def race_clocks(laps: pl.DataFrame) -> Iterator[RaceClock]:
    """Every race of a frame, by event.

    Args:
        laps: Rows of the ``laps`` table of races, with :data:`COLUMNS`, in any order.
    """
    ordered = laps.sort("event_id", "car_number", "lap_number")
    for _, race in ordered.group_by("event_id", maintain_order=True):
        yield _clock(race)


def _clock(race: pl.DataFrame) -> RaceClock:
    entries = race.unique("car_number", keep="first", maintain_order=True)
    rows = {number: row for row, number in enumerate(entries["car_number"])}
    laps = int(race["lap_number"].cast(pl.Int64).to_numpy().max())
    car = race["car_number"].replace_strict(rows, return_dtype=pl.Int64).to_numpy()
    lap = race["lap_number"].cast(pl.Int64).to_numpy()
    shape = (laps + 2, len(rows))

    def spread(name: str) -> Floats:
        held = np.full(shape, np.nan)
        held[lap, car] = race[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return held

    def flags(name: str) -> Flags:
        held = np.zeros(shape, bool)
        held[lap, car] = race[name].fill_null(False).to_numpy()
        return held

    compound = np.full(shape, "", "<U12")
    compound[lap, car] = race["compound"].to_numpy().astype("<U12")
    lap_s, end_s, green = spread("lap_time_s"), spread("lap_end_session_s"), flags("is_green")
    is_in, is_out = flags("is_in_lap"), flags("is_out_lap")
    running = ~np.isnan(end_s)
    return RaceClock(
        event_id=str(race["event_id"][0]),
        season=int(race["season"][0]),
        circuit_id=str(race["circuit_id"][0]),
        drivers=tuple(entries["driver_id"]),
        laps=laps,
        end_s=end_s,
        lap_s=lap_s,
        clean_s=np.where(green & ~is_in & ~is_out, lap_s, np.nan),
        age=spread("tyre_life_laps"),
        compound=compound,
        is_in=is_in,
        is_out=is_out,
        is_green=2 * (green & running).sum(axis=1) > running.sum(axis=1),
    )
