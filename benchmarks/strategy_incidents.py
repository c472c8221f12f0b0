"""What the simulator takes as measured of blue flags and of retirements: ``python benchmarks/strategy_incidents.py [DATA_FOLDER]``.

Seasons 2018 to 2023. Blue flags: clean laps of dry races against the mean of the car's two laps before and after (which have no blue
flag), scaled to a lap of 90 s, by the number of cars that were lapped, or that lapped the car. Retirements: share of those after lap
1 on a green track at which a safety car came out on that lap or the next, less what chance gives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.strategy_stops import dry_clocks
from benchmarks.strategy_tables import mean_error, table
from f1core.settings import load_settings
from models.strategy.race_clock import RaceClock
from warehouse.reader import Reader
from warehouse.vocab import ResultStatus, TrackStatus

LAST = 2023
USUAL_LAP_S = 90.0
MISTAKE_S = 5.0
MOST_CARS = 3
"""Laps on which a car meets more are too few to tell."""


def meetings(clock: RaceClock) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cars lapped, and cars that lapped one, by lap and car."""
    laps, lapped = np.zeros(clock.end_s.shape, int), np.zeros(clock.end_s.shape, int)
    pits, cars = clock.is_in | clock.is_out, range(len(clock.drivers))
    for slow in cars:
        line = clock.end_s[~np.isnan(clock.end_s[:, slow]), slow]
        for quick in cars:
            own = np.flatnonzero(~np.isnan(clock.end_s[:, quick]))
            done = np.searchsorted(line, clock.end_s[own, quick], side="right")
            apart = own - done
            for at in np.flatnonzero((np.diff(apart) == 1) & (apart[:-1] >= 1)) + 1:
                here, there = own[at], done[at] + 1
                if slow == quick or done[at] >= len(line) or pits[there, slow] or pits[here, quick]:
                    continue
                laps[here, quick] += 1
                lapped[there, slow] += 1
    return laps, lapped


def blue_flags(clocks: list[RaceClock]) -> pl.DataFrame:
    """Clean laps: ``laps, lapped`` (cars met) and ``lost_s``."""
    found = []
    for clock in clocks:
        laps, lapped = meetings(clock)
        alone = np.where(laps + lapped == 0, clock.clean_s, np.nan)
        scale = USUAL_LAP_S / float(np.nanmedian(clock.clean_s))
        for car in range(len(clock.drivers)):
            for lap in range(4, clock.laps - 2):
                around = alone[[lap - 2, lap - 1, lap + 1, lap + 2], car]
                lost = (
                    clock.clean_s[lap, car] - np.mean(around[~np.isnan(around)])
                    if (~np.isnan(around)).sum() > 1
                    else np.nan
                )
                if abs(lost) < MISTAKE_S:
                    found.append((int(laps[lap, car]), int(lapped[lap, car]), lost * scale))
    return pl.DataFrame(found, schema=["laps", "lapped", "lost_s"], orient="row")


def safety_cars(reader: Reader) -> tuple[int, float, float]:
    """Retirements after lap 1, share with a safety car, share that chance gives."""
    lengths = dict(
        reader.query(
            "select event_id, max(lap_number) from laps where session = 'race' group by 1"
        ).iter_rows()
    )
    periods = reader.query(
        "select event_id, first_lap, last_lap from track_status_periods where session = 'race' and status = $status",
        {"status": TrackStatus.SAFETY_CAR.value},
    )
    out = reader.query(
        """
        select event_id, laps + 1 as lap from race_results
        where session = 'race' and season between 2018 and $last and is_starter and laps is not null
            and status in ($retired, $stopped)
        """,
        {"last": LAST, "retired": ResultStatus.RETIRED.value, "stopped": ResultStatus.NOT_CLASSIFIED.value},
    )
    shown: dict[str, list[tuple[int, int]]] = {}
    for event, first, last in periods.iter_rows():
        shown.setdefault(event, []).append((first, last))
    count, hits, chance = 0, 0, 0.0
    for event, lap in out.iter_rows():
        here = shown.get(event, [])
        if event not in lengths or not 2 <= lap < lengths[event] - 1 or any(f < lap <= to for f, to in here):
            continue
        count += 1
        hits += any(first in (lap, lap + 1) for first, _ in here)
        chance += 2 * sum(first > 1 for first, _ in here) / lengths[event]
    return count, hits / count, chance / count


def report(reader: Reader) -> Iterator[str]:
    """Lines of the part of the page about incidents."""
    laps = blue_flags([clock for clock in dry_clocks(reader) if clock.season <= LAST])
    yield f"### Blue flags, dry races 2018–{LAST}"
    yield ""
    rows = []
    for words, met, other in (("lapped", "laps", "lapped"), ("was lapped by", "lapped", "laps")):
        own = laps.filter(pl.col(other) == 0)
        for cars in range(MOST_CARS + 1):
            group = own.filter(pl.col(met) == cars)
            lost, error = mean_error(group["lost_s"])
            many = f"{cars} car" if cars == 1 else f"{cars} cars"
            rows.append([f"{words} {many}", f"{group.height:,}", f"{lost:.3f} ± {error:.3f}"])
    yield from table(["a car that on this lap", "clean laps", "lost, of a lap of 90 s [s]"], rows)
    yield ""
    yield f"### Safety cars after retirements, 2018–{LAST}"
    yield ""
    count, share, chance = safety_cars(reader)
    error = float(np.sqrt(share * (1 - share) / count))
    yield from table(
        ["retirements after lap 1, track green", "safety car on that lap or the next", "by chance"],
        [[str(count), f"{100 * share:.1f} ± {100 * error:.1f} %", f"{100 * chance:.1f} %"]],
    )
    yield ""


def main(arguments: list[str]) -> None:
    """Prints the tables."""
    reader = Reader((Path(arguments[0]) if arguments else load_settings().data) / "warehouse")
    print("\n".join(report(reader)))


if __name__ == "__main__":
    main(sys.argv[1:])
