"""Rows of one weekend in the dialect of the results source: practice, qualifying, grids, results, stops, fastest laps."""

from __future__ import annotations

from typing import Any

from f1core.demo.names import DRIVERS, TEAMS
from f1core.demo.race import Run
from f1core.demo.weekend import Grid, Qualifying, Raced, WeekendStory

Row = dict[str, Any]

POINTS = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
SPRINT_POINTS = (8, 7, 6, 5, 4, 3, 2, 1)
FAILURES = ("Gearbox", "Hydraulics", "Engine", "Brakes", "Electrical", "Overheating")


def clock_text(milliseconds: int) -> str:
    """A time as results write it: ``1:30:17.345``, ``1:15.096``, ``22.992``."""
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000:02d}.{rest % 1000:03d}"
    if hours:
        return f"{hours}:{minutes:02d}:{seconds}"
    return f"{minutes}:{seconds}" if minutes else f"{rest / 1000:.3f}"


def timed(milliseconds: int, name: str = "time", sign: str = "") -> Row:
    """A time as text and in milliseconds."""
    return {name: sign + clock_text(milliseconds), f"{name}Millis": milliseconds}


def _line(story: WeekendStory, race_id: int, order: int, entry: int, text: str | None = None) -> Row:
    driver, team = DRIVERS[story.season.drivers[entry]], TEAMS[story.season.teams[entry]]
    return {
        "raceId": race_id,
        "positionDisplayOrder": order,
        "positionNumber": order if text is None else None,
        "positionText": str(order) if text is None else text,
        "driverNumber": str(driver.number),
        "driverId": driver.driver_id,
        "constructorId": team.constructor_id,
        "engineManufacturerId": team.engine,
    }


def practice_lines(story: WeekendStory, race_id: int, number: int) -> list[Row]:
    """The classification of a practice session."""
    session = story.practice(number)
    order = session.best_ms.argsort(kind="stable").tolist()
    best = int(session.best_ms[order[0]])
    found = []
    for place, entry in enumerate(order, start=1):
        row = _line(story, race_id, place, entry) | timed(int(session.best_ms[entry]))
        row["gapMillis"] = int(session.best_ms[entry]) - best or None
        found.append({**row, "laps": int(session.laps[entry])})
    return found


def qualifying_lines(story: WeekendStory, race_id: int, session: Qualifying) -> list[Row]:
    """The classification of a knock-out qualifying."""
    found = []
    for place, entry in enumerate(session.order, start=1):
        row = _line(story, race_id, place, entry)
        segments = [int(best) for best in session.best_ms[:, entry] if best >= 0]
        for number, best in enumerate(segments, start=1):
            row |= timed(best, f"q{number}")
        found.append({**row, "laps": 3 + 5 * len(segments)})
    return found


def grid_lines(story: WeekendStory, race_id: int, grid: Grid, session: Qualifying) -> list[Row]:
    """The starting grid."""
    found = []
    for place, entry in enumerate(grid.order, start=1):
        row = _line(story, race_id, place, entry, "PL" if entry in grid.pit_lane else None)
        row["qualificationPositionNumber"] = session.order.index(entry) + 1
        if entry in grid.penalties:
            row |= {"gridPenalty": str(grid.penalties[entry]), "gridPenaltyPositions": grid.penalties[entry]}
        found.append(row | timed(int(session.best_ms[:, entry].max())))
    return found


def result_lines(
    story: WeekendStory, race_id: int, raced: Raced, grid: Grid, session: Qualifying, *, is_sprint: bool
) -> list[Row]:
    """The result of a race or sprint: classified cars, then the retired ones."""
    run, points = raced.run, SPRINT_POINTS if is_sprint else POINTS
    winner = run.order[0]
    winner_ms = int(run.line_ms[run.laps_done[winner], winner])
    fastest = min(_best_laps(run), default=(0, 0, -1))[2]
    stops = [0] * len(run.order)
    for stop in run.stops:
        stops[stop.car] += 1
    found = []
    for place, entry in enumerate(run.order, start=1):
        is_out = raced.plan.retire_after[entry] > 0
        row = _line(story, race_id, place, entry, "DNF" if is_out else None)
        slot = grid.order.index(entry) + 1
        in_pit_lane = entry in grid.pit_lane
        behind = int(run.laps_done[winner] - run.laps_done[entry])
        row |= {
            "sharedCar": False,
            "laps": int(run.laps_done[entry]),
            "qualificationPositionNumber": session.order.index(entry) + 1,
            "gridPositionNumber": None if in_pit_lane else slot,
            "gridPositionText": "PL" if in_pit_lane else str(slot),
            "pitStops": None if is_sprint else stops[entry],
            "fastestLap": entry == fastest,
        }
        if is_out:
            failure = FAILURES[(race_id + entry) % len(FAILURES)]
            row["reasonRetired"] = "Accident" if entry in raced.accidents else failure
        elif behind:
            row |= {"gap": f"+{behind} lap" + "s" * (behind > 1), "gapLaps": behind}
        else:
            total = int(run.line_ms[run.laps_done[entry], entry])
            row |= timed(total)
            if place > 1:
                row |= timed(total - winner_ms, "gap", "+")
        if not is_out and place <= len(points):
            row["points"] = float(points[place - 1])
        found.append(row)
    return found


def stop_lines(story: WeekendStory, race_id: int, run: Run) -> list[Row]:
    """Pit stops in the order of time."""
    count: dict[int, int] = {}
    found = []
    for place, stop in enumerate(run.stops, start=1):
        count[stop.car] = count.get(stop.car, 0) + 1
        row = _line(story, race_id, place, stop.car) | {"stop": count[stop.car], "lap": stop.lap}
        found.append(row | timed(stop.lane_ms))
    return found


def fastest_lap_lines(story: WeekendStory, race_id: int, run: Run) -> list[Row]:
    """Every car's fastest lap."""
    ranked = sorted(_best_laps(run))
    found = []
    for place, (best, lap, entry) in enumerate(ranked, start=1):
        row = _line(story, race_id, place, entry) | {"lap": lap} | timed(best)
        found.append({**row, "gapMillis": best - ranked[0][0] or None})
    return found


def _best_laps(run: Run) -> list[tuple[int, int, int]]:
    """Time [ms], number and car of every car's fastest lap; the first lap counts from the start."""
    found = []
    for car, done in enumerate(run.laps_done.tolist()):
        ends = run.line_ms[: done + 1, car].tolist()
        ends[0] = 0
        best, lap = min((ends[lap] - ends[lap - 1], lap) for lap in range(1, done + 1))
        found.append((best, lap, car))
    return found
