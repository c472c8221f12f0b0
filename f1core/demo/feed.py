"""The lap feed of a race: one row per car and lap, with the columns of the lap archive."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from f1core.demo.calendar import Weekend
from f1core.demo.names import DRIVERS, TEAMS
from f1core.demo.race import Run
from f1core.demo.tyres import COMPOUNDS
from f1core.demo.weekend import Raced, WeekendStory
from f1core.demo.world import stream
from f1core.sources.laps import SCHEMA

Ints = NDArray[np.int64]

LIGHTS_OUT_MS = 3_600_000
"""Session time of the start: the feed begins about an hour before."""
PIT_ENTRY_MS = 4_000
"""A car enters the pit lane this long before it crosses the line there."""
SECTORS = (0.31, 0.40)
YELLOW_MS = (15_000, 60_000)
"""After an accident yellow flags are shown from then on, until then."""
NOMINATIONS = (("C1", "C2", "C3"), ("C2", "C3", "C4"), ("C3", "C4", "C5"))
SPEEDS = {"SpeedI1": 272.0, "SpeedI2": 285.0, "SpeedFL": 279.0, "SpeedST": 304.0}


def nomination(weekend: Weekend) -> tuple[str, str, str]:
    """Hard, medium and soft of the weekend; softer ones on streets."""
    return NOMINATIONS[2 if weekend.circuit.kind == "STREET" else weekend.round % 2]


def lap_rows(story: WeekendStory, session: str) -> pl.DataFrame:
    """All laps of a race (``R``) or sprint (``S``), sorted by driver's code and lap."""
    raced: Raced = story.race if session == "R" else story.sprint
    run, weekend = raced.run, story.weekend
    drivers = [DRIVERS[driver] for driver in story.season.drivers]
    # every car has the laps of its result: cells of the (lap, car) grid, car by car
    car, lap = _cells(run, [driver.code for driver in drivers])
    at, end, begin = (lap - 1, car), run.line_ms[lap, car], run.line_ms[lap - 1, car].copy()
    begin[lap == 1] = 0
    taken = end - begin
    entered = _at_stops(run, car, lap, 0)
    left = _at_stops(run, car, lap, 1)
    codes = _status_codes(raced, begin, end)
    best = _is_best(taken, lap)
    slick = dict(zip(("HARD", "MEDIUM", "SOFT"), nomination(weekend), strict=True))
    compound = np.array(COMPOUNDS)[run.compound[at]]
    first, second = _sectors(story, session, taken)
    is_green = codes == "1"
    columns = {
        "Season": np.full(len(car), weekend.season),
        "RoundNumber": np.full(len(car), weekend.round),
        "EventName": np.full(len(car), weekend.circuit.full_name),
        "Session": np.full(len(car), session),
        "Driver": np.array([driver.code for driver in drivers])[car],
        "DriverNumber": np.array([str(driver.number) for driver in drivers])[car],
        "Team": np.array([TEAMS[team].name for team in story.season.teams])[car],
        "Time": _s(end + LIGHTS_OUT_MS),
        "LapTime": _s(taken),
        "LapNumber": lap,
        "Stint": run.stint[at],
        "PitInTime": np.where(entered >= 0, _s(end - PIT_ENTRY_MS + LIGHTS_OUT_MS), np.nan),
        "PitOutTime": np.where(left >= 0, _s(begin - PIT_ENTRY_MS + left + LIGHTS_OUT_MS), np.nan),
        "Sector1Time": _s(first),
        "Sector2Time": _s(second),
        "Sector3Time": _s(taken - first - second),
        "Sector1SessionTime": _s(begin + first + LIGHTS_OUT_MS),
        "Sector2SessionTime": _s(begin + first + second + LIGHTS_OUT_MS),
        "Sector3SessionTime": _s(end + LIGHTS_OUT_MS),
        **_speeds(story, session, len(car)),
        "TyreLife": run.tyre_life[at],
        "LapStartTime": _s(begin + LIGHTS_OUT_MS),
        "Position": _positions(run)[lap, car],
        "Compound": compound,
        "CompoundName": np.array([slick.get(name, name) for name in compound.tolist()]),
        "TrackStatus": codes,
        "DeletedReason": np.full(len(car), ""),
        "IsPersonalBest": best,
        "FreshTyre": run.is_new_set[at],
        "Deleted": np.zeros(len(car), dtype=bool),
        "FastF1Generated": np.zeros(len(car), dtype=bool),
        "IsAccurate": is_green & (lap > 1) & (entered < 0) & (left < 0),
    }
    schema = pl.DataFrame(SCHEMA.empty_table()).schema
    return (
        pl.DataFrame(columns).fill_nan(None).select(pl.col(name).cast(kind) for name, kind in schema.items())
    )


def _cells(run: Run, codes: list[str]) -> tuple[Ints, Ints]:
    cars = sorted(range(len(codes)), key=codes.__getitem__)
    return (
        np.repeat(cars, run.laps_done[cars]),
        np.concatenate([np.arange(1, run.laps_done[car] + 1) for car in cars]),
    )


def _at_stops(run: Run, car: Ints, lap: Ints, laps_later: int) -> Ints:
    """Time in the pit lane [ms] of the stop in (or in the lap before) each lap; -1 where there is none."""
    lanes = np.full(run.line_ms.shape + np.array([2, 0]), -1, dtype=np.int64)
    for stop in run.stops:
        lanes[stop.lap + laps_later, stop.car] = stop.lane_ms
    return np.asarray(lanes[lap, car])


def _positions(run: Run) -> Ints:
    """Place of each car at the end of each lap, among those that completed it."""
    places = np.zeros_like(run.line_ms)
    for lap in range(1, len(places)):
        cars = np.flatnonzero(run.laps_done >= lap)
        order = cars[np.lexsort((cars, run.line_ms[lap, cars]))]
        places[lap, order] = np.arange(1, len(order) + 1)
    return places


def _status_codes(raced: Raced, begin: Ints, end: Ints) -> NDArray[np.str_]:
    """Every code shown in a lap: 1 clear, 2 yellow, 4 safety car, 6 virtual safety car, 7 that one ending."""
    run, plan = raced.run, raced.plan
    parts = {code: np.zeros(len(end), dtype=bool) for code in "12467"}
    covered = np.zeros(len(end), dtype=bool)
    finishers = plan.retire_after == 0
    leader = np.where(finishers, run.line_ms, np.iinfo(np.int64).max).min(axis=1)
    for one in plan.neutralisations:
        out = leader[one.first - 1] + (leader[one.first] - leader[one.first - 1]) // 4
        home = leader[one.last] - 2_000
        code = "4" if one.status == "safety_car" else "6"
        parts[code] |= (begin < home) & (end > out)
        covered |= (begin >= out) & (end <= home)
        if code == "6":
            parts["7"] |= (begin < home) & (end >= home)
    for car in raced.accidents:
        crash = run.line_ms[plan.retire_after[car], car]
        parts["2"] |= (begin < crash + YELLOW_MS[1]) & (end > crash + YELLOW_MS[0])
    parts["1"] = ~covered
    shown = np.full(len(end), "", dtype="<U5")
    for code, is_shown in parts.items():
        shown = np.char.add(shown, np.where(is_shown, code, ""))
    return shown


def _is_best(taken: Ints, lap: Ints) -> NDArray[np.bool_]:
    """Whether a lap was the car's fastest so far; rows are car by car, lap by lap."""
    best = np.zeros(len(taken), dtype=bool)
    starts = np.append(np.flatnonzero(lap == 1), len(lap))
    for begin, end in pairwise(starts.tolist()):
        so_far = np.minimum.accumulate(taken[begin:end])
        best[begin] = True
        best[begin + 1 : end] = so_far[1:] < so_far[:-1]
    return best


def _sectors(story: WeekendStory, session: str, taken: Ints) -> tuple[Ints, Ints]:
    rng = stream(story.world.seed, 4, story.weekend.index, story.weekend.round, int(session == "S"))
    shares = [share + rng.normal(0.0, 0.0008, len(taken)) for share in SECTORS]
    first, second = (np.round(taken * share).astype(np.int64) for share in shares)
    return first, second


def _speeds(story: WeekendStory, session: str, count: int) -> dict[str, NDArray[np.float64]]:
    rng = stream(story.world.seed, 5, story.weekend.index, story.weekend.round, int(session == "S"))
    return {name: np.round(rng.normal(mean, 4.0, count)) for name, mean in SPEEDS.items()}


def _s(milliseconds: Ints) -> NDArray[np.float64]:
    return np.asarray(milliseconds / 1000.0)
