"""All CSV tables of the demo, in the dialect of the results source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

from f1core.demo.calendar import RACES, SPRINT_ROUNDS, Calendar, Weekend
from f1core.demo.lines import (
    POINTS,
    SPRINT_POINTS,
    fastest_lap_lines,
    grid_lines,
    practice_lines,
    qualifying_lines,
    result_lines,
    stop_lines,
)
from f1core.demo.names import CIRCUITS, COUNTRIES, DRIVERS, FORMER_TEAM, TEAMS
from f1core.demo.weekend import SPRINT_LAPS, WeekendStory
from f1core.demo.world import World
from f1core.sources.f1db import FILES
from warehouse.vocab import PRACTICES, SessionKind

Row = dict[str, Any]

_TYPES: dict[str, pl.DataType] = {"int": pl.Int64(), "float": pl.Float64(), "bool": pl.Boolean()}
_COLUMNS = {
    SessionKind.PRACTICE_1: "freePractice1",
    SessionKind.PRACTICE_2: "freePractice2",
    SessionKind.PRACTICE_3: "freePractice3",
    SessionKind.QUALIFYING: "qualifying",
    SessionKind.SPRINT_QUALIFYING: "sprintQualifying",
    SessionKind.SPRINT: "sprintRace",
}


def csv_files(
    world: World, calendar: Calendar, stories: Sequence[tuple[int, WeekendStory]], now: dt.datetime
) -> dict[str, bytes]:
    """Every CSV file of the release by its name in :data:`f1core.sources.f1db.FILES`.

    Args:
        world: The truth.
        calendar: All weekends.
        stories: Race number and story of every weekend of which something is known.
        now: Sessions known by then have results.
    """
    rows: dict[str, list[Row]] = {name: [] for name in FILES}
    rows |= _people_and_places(world, calendar)
    known = {weekend.event_id: weekend.known(now) for weekend in calendar.weekends()}
    rows["races"] = [
        _race_row(number, weekend, "race" in known[weekend.event_id])
        for number, weekend in enumerate(calendar.weekends(), start=1)
    ]
    table = _Standings()
    for number, story in stories:
        _weekend(rows, number, story, known[story.weekend.event_id])
        if "race" in known[story.weekend.event_id]:
            table.add(rows, number, story.weekend)
    rows["seasons-entrants-drivers"] = _entrants(world, calendar, known)
    return {name: _csv(name, listed) for name, listed in rows.items()}


def _csv(name: str, rows: list[Row]) -> bytes:
    kinds = FILES[name]
    columns = {column: [row.get(column) for row in rows] for column in kinds}
    schema = {column: _TYPES.get(kind, pl.String()) for column, kind in kinds.items()}
    return pl.DataFrame(columns, schema=schema).write_csv().encode()


def _people_and_places(world: World, calendar: Calendar) -> dict[str, list[Row]]:
    first = calendar.seasons[0]
    former, former_name, successor = FORMER_TEAM
    teams = [(team.constructor_id, team.name, COUNTRIES[team.country][0]) for team in TEAMS]
    teams.append((former, former_name, next(c for t, _, c in teams if t == successor)))
    line = {"parentConstructorId": successor}
    return {
        "countries": [{"id": key, "name": name, "alpha3Code": code} for key, name, code in COUNTRIES],
        "circuits": [
            {
                "id": circuit.circuit_id,
                "name": circuit.circuit_name,
                "fullName": f"{circuit.circuit_name} Circuit",
                "type": circuit.kind,
                "direction": "CLOCKWISE" if circuit.is_clockwise else "ANTI_CLOCKWISE",
                "placeName": circuit.place,
                "countryId": COUNTRIES[circuit.country][0],
                "length": circuit.length_km,
                "turns": circuit.turns,
            }
            for circuit in CIRCUITS
        ],
        "circuits-layouts": [
            {
                "id": f"{circuit.circuit_id}-1",
                "circuitId": circuit.circuit_id,
                "effective": True,
                "length": circuit.length_km,
                "turns": circuit.turns,
            }
            for circuit in CIRCUITS
        ],
        "grands-prix": [
            {
                "id": circuit.grand_prix_id,
                "name": circuit.name,
                "fullName": circuit.full_name,
                "shortName": f"{circuit.name} GP",
                "countryId": COUNTRIES[circuit.country][0],
            }
            for circuit in CIRCUITS
        ],
        "drivers": [
            {
                "id": driver.driver_id,
                "name": f"{driver.first} {driver.last}",
                "firstName": driver.first,
                "lastName": driver.last,
                "abbreviation": driver.code,
                "permanentNumber": driver.number,
                "dateOfBirth": f"{first - driver.age}-{1 + driver.number % 12:02d}-{1 + driver.number % 28:02d}",
                "nationalityCountryId": COUNTRIES[driver.country][0],
            }
            for at, driver in enumerate(DRIVERS)
            if any(at in season.drivers for season in world.seasons)
        ],
        "constructors": [
            {"id": key, "name": name, "fullName": f"{name} Racing (demo)", "countryId": country}
            for key, name, country in teams
        ],
        "constructors-chronology": [
            {
                **line,
                "positionDisplayOrder": 1,
                "constructorId": former,
                "yearFrom": first - 6,
                "yearTo": first - 1,
            },
            {**line, "positionDisplayOrder": 2, "constructorId": successor, "yearFrom": first},
        ],
    }


def _race_row(number: int, weekend: Weekend, is_held: bool) -> Row:
    circuit = weekend.circuit
    row: Row = {
        "id": number,
        "year": weekend.season,
        "round": weekend.round,
        "date": weekend.race_date.isoformat(),
        "time": circuit.start,
        "grandPrixId": circuit.grand_prix_id,
        "officialName": f"Demo {circuit.full_name} {weekend.season}",
        "qualifyingFormat": "KNOCKOUT",
        "sprintQualifyingFormat": "SPRINT_SHOOTOUT" if weekend.is_sprint else None,
        "circuitId": circuit.circuit_id,
        "circuitLayoutId": f"{circuit.circuit_id}-1",
        "courseLength": circuit.length_km,
        "turns": circuit.turns,
        "scheduledLaps": circuit.laps,
    }
    if is_held:
        row |= {"laps": circuit.laps, "distance": round(circuit.laps * circuit.length_km, 3)}
    if weekend.is_sprint:
        row["sprintRaceScheduledLaps"] = SPRINT_LAPS
        if is_held:
            distance = round(SPRINT_LAPS * circuit.length_km, 3)
            row |= {"sprintRaceLaps": SPRINT_LAPS, "sprintRaceDistance": distance}
    for session, start in weekend.starts().items():
        if session in _COLUMNS:
            row |= {
                f"{_COLUMNS[session]}Date": start.date().isoformat(),
                f"{_COLUMNS[session]}Time": start.strftime("%H:%M"),
            }
    return row


def _weekend(rows: dict[str, list[Row]], number: int, story: WeekendStory, known: frozenset[str]) -> None:
    for at, session in enumerate(PRACTICES, start=1):
        if session in known:
            rows[f"races-free-practice-{at}-results"] += practice_lines(story, number, at)
    if SessionKind.SPRINT_QUALIFYING in known:
        rows["races-sprint-qualifying-results"] += qualifying_lines(story, number, story.sprint_qualifying)
    if "sprint grid" in known:
        rows["races-sprint-starting-grid-positions"] += grid_lines(
            story, number, story.sprint_grid, story.sprint_qualifying
        )
    if SessionKind.SPRINT in known:
        rows["races-sprint-race-results"] += result_lines(
            story, number, story.sprint, story.sprint_grid, story.sprint_qualifying, is_sprint=True
        )
    if SessionKind.QUALIFYING in known:
        rows["races-qualifying-results"] += qualifying_lines(story, number, story.qualifying)
    if "race grid" in known:
        rows["races-starting-grid-positions"] += grid_lines(story, number, story.grid, story.qualifying)
    if SessionKind.RACE in known:
        rows["races-race-results"] += result_lines(
            story, number, story.race, story.grid, story.qualifying, is_sprint=False
        )
        rows["races-pit-stops"] += stop_lines(story, number, story.race.run)
        rows["races-fastest-laps"] += fastest_lap_lines(story, number, story.race.run)


class _Standings:
    """The championships as they go: points, then the better results."""

    def __init__(self) -> None:
        self.season = 0
        self.points: dict[str, dict[str, float]] = {}
        self.places: dict[str, dict[str, list[int]]] = {}

    def add(self, rows: dict[str, list[Row]], number: int, weekend: Weekend) -> None:
        """Counts a weekend's points and lists the standings after it."""
        if weekend.season != self.season:
            self.season = weekend.season
            self.points = {"driverId": {}, "constructorId": {}}
            self.places = {"driverId": {}, "constructorId": {}}
        for file in ("races-race-results", "races-sprint-race-results"):
            for line in reversed(rows[file]):
                if line["raceId"] != number:
                    break
                self._count(line, counts_places=file == "races-race-results")
        left = RACES - weekend.round
        sprints = sum(one > weekend.round for one in SPRINT_ROUNDS)
        cars = {"driverId": 1, "constructorId": 2}
        for key, file in (("driverId", "driver"), ("constructorId", "constructor")):
            most = left * sum(POINTS[: cars[key]]) + sprints * sum(SPRINT_POINTS[: cars[key]])
            rows[f"races-{file}-standings"] += self._lines(number, key, most, is_last=not left)

    def _count(self, line: Row, *, counts_places: bool) -> None:
        for key, points in self.points.items():
            points[line[key]] = points.get(line[key], 0.0) + (line.get("points") or 0.0)
            places = self.places[key].setdefault(line[key], [0] * 40)
            if counts_places and line["positionNumber"] is not None:
                places[line["positionNumber"] - 1] += 1

    def _lines(self, number: int, key: str, most_to_come: float, *, is_last: bool) -> list[Row]:
        points, places = self.points[key], self.places[key]
        order = sorted(points, key=lambda who: (-points[who], [-count for count in places[who]], who))
        is_decided = is_last or points[order[0]] - points[order[1]] > most_to_come
        engines = {team.constructor_id: team.engine for team in TEAMS}
        return [
            {
                "raceId": number,
                "positionDisplayOrder": place,
                "positionNumber": place,
                "positionText": str(place),
                "points": points[who],
                "championshipWon": place == 1 and is_decided,
                key: who,
                "engineManufacturerId": engines.get(who),
            }
            for place, who in enumerate(order, start=1)
        ]


def _entrants(world: World, calendar: Calendar, known: dict[str, frozenset[str]]) -> list[Row]:
    found = []
    weekends = calendar.weekends()
    for index, season in enumerate(calendar.seasons):
        held = [w.round for w in weekends if w.index == index and "race" in known[w.event_id]]
        line_up = world.seasons[index]
        for driver, team in zip(line_up.drivers, line_up.teams, strict=True):
            entrant = TEAMS[team]
            found.append(
                {
                    "year": season,
                    "entrantId": f"{entrant.constructor_id}-demo",
                    "constructorId": entrant.constructor_id,
                    "engineManufacturerId": entrant.engine,
                    "driverId": DRIVERS[driver].driver_id,
                    "rounds": ";".join(map(str, held)) or None,
                    "testDriver": False,
                }
            )
    return found
