"""Rows of the invented championship, as the real sources would write them."""

from __future__ import annotations

import random
from typing import Any

from tests.made_up_weekend import (
    COUNTRIES,
    DRIVERS,
    GRANDS_PRIX,
    LAPS,
    LENGTH_KM,
    POINTS,
    SPRINT_LAPS,
    SPRINT_POINTS,
    TEAMS,
    Race,
    Row,
)


def people_and_places() -> dict[str, list[Row]]:
    return {
        "countries": [
            {"id": c, "alpha3Code": c[:3].upper(), "name": c.replace("-", " ").title()} for c in COUNTRIES
        ],
        "circuits": [
            {
                "id": circuit,
                "name": circuit.replace("-", " ").title(),
                "fullName": f"{circuit.replace('-', ' ').title()} Circuit",
                "previousNames": "Old Lake Track;Lake Field" if circuit == "lake-ring" else None,
                "type": "STREET" if "street" in circuit else "RACE",
                "direction": "CLOCKWISE",
                "placeName": town,
                "countryId": country,
                "latitude": 50.0,
                "longitude": 5.0,
                "length": LENGTH_KM,
                "turns": 15,
            }
            for _, _, circuit, town, country in GRANDS_PRIX.values()
        ],
        "circuits-layouts": [
            {"id": f"{circuit}-1", "circuitId": circuit, "effective": True, "length": LENGTH_KM, "turns": 15}
            for _, _, circuit, _, _ in GRANDS_PRIX.values()
        ],
        "grands-prix": [
            {"id": key, "name": name, "fullName": full, "shortName": f"{name} GP", "countryId": country}
            for key, (name, full, _, _, country) in GRANDS_PRIX.items()
        ],
        "drivers": [
            {
                "id": driver,
                "name": driver.replace("-", " ").title(),
                "firstName": driver.split("-")[0].title(),
                "lastName": driver.split("-")[1].title(),
                "abbreviation": driver.split("-")[1][:3].upper(),
                "permanentNumber": number,
                "dateOfBirth": "1995-05-05",
                "nationalityCountryId": "norland",
            }
            for number, driver in enumerate(DRIVERS, start=1)
        ],
        "constructors": [
            {"id": team, "name": team.title(), "fullName": f"{team.title()} Racing", "countryId": "norland"}
            for team in TEAMS
        ],
        "constructors-chronology": [
            {
                "parentConstructorId": "ember",
                "positionDisplayOrder": 1,
                "constructorId": "dynamo",
                "yearFrom": 2001,
            }
        ],
    }


def race_row(number: int, round_: int, race: Race) -> Row:
    name, _, _, _, _ = GRANDS_PRIX[race.grand_prix]
    row: Row = {
        "id": number,
        "year": race.season,
        "round": round_,
        "date": race.date.isoformat(),
        "grandPrixId": race.grand_prix,
        "officialName": f"The {name} race of {race.season}",
        "qualifyingFormat": "KNOCKOUT",
        "sprintQualifyingFormat": "SPRINT_QUALIFYING" if race.is_sprint else None,
        "circuitId": race.circuit_id,
        "circuitLayoutId": f"{race.circuit_id}-1",
        "courseLength": LENGTH_KM,
        "turns": 15,
        "laps": LAPS if race.is_held else None,
        "distance": LAPS * LENGTH_KM if race.is_held else None,
        "scheduledLaps": LAPS,
        "sprintRaceLaps": SPRINT_LAPS if race.is_sprint and race.is_held else None,
        "sprintRaceDistance": SPRINT_LAPS * LENGTH_KM if race.is_sprint and race.is_held else None,
        "sprintRaceScheduledLaps": SPRINT_LAPS if race.is_sprint else None,
    }
    names = {
        "qualifying": "qualifying",
        "sprint_qualifying": "sprintQualifying",
        "sprint": "sprintRace",
        "practice_1": "freePractice1",
        "practice_2": "freePractice2",
        "practice_3": "freePractice3",
    }
    if race.season >= 2024:  # as the real source: start times from 2024 on
        row["time"] = race.clock("race")[1]
        for session in race.sessions[:-1]:
            day, clock = race.clock(session)
            row[f"{names[session]}Date"], row[f"{names[session]}Time"] = day.isoformat(), clock
    return row


def _line(number: int, order: int, driver: str, team: str, text: str | None = None) -> Row:
    return {
        "raceId": number,
        "positionDisplayOrder": order,
        "positionNumber": order if text is None else None,
        "positionText": str(order) if text is None else text,
        "driverNumber": str(DRIVERS.index(driver) + 1),
        "driverId": driver,
        "constructorId": team,
        "engineManufacturerId": f"{team}-power",
    }


def clock_text(seconds: float) -> str:
    """A time as results write it: ``1:30:17.345``, ``1:15.096``."""
    millis = round(seconds * 1000)
    hours, rest = divmod(millis, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return (f"{hours}:{minutes:02d}" if hours else f"{minutes}") + f":{rest / 1000:06.3f}"


def _timed(seconds: float, prefix: str = "time") -> Row:
    return {prefix: clock_text(seconds), f"{prefix}Millis": round(seconds * 1000)}


def weekend_rows(rows: dict[str, list[Row]], number: int, race: Race) -> None:
    known = ["", "practice", "qualifying", "grid"].index("grid" if race.is_held else race.through)
    rng = random.Random(f"{race.event_id}:times")
    if known >= 1:
        for session in race.sessions:
            if session.startswith("practice"):
                rows[f"races-free-practice-{session[-1]}-results"] += _practice_rows(number, race, session)
    if known >= 2:
        if race.is_sprint:
            rows["races-sprint-qualifying-results"] += _qualifying_rows(number, race, "sprint-qualifying")
            rows["races-sprint-race-results"] += _result_rows(number, race, sprint=True)
            for place, driver in enumerate(race.order("sprint-qualifying", 0.5), start=1):
                line = _line(number, place, driver, race.entered[driver])
                rows["races-sprint-starting-grid-positions"].append(
                    {**line, "qualificationPositionNumber": place}
                )
        rows["races-qualifying-results"] += _qualifying_rows(number, race, "qualifying")
    if known >= 3:
        for place, driver in enumerate(race.grid, start=1):
            line = _line(
                number, place, driver, race.entered[driver], "PL" if driver in race.pit_lane else None
            )
            rows["races-starting-grid-positions"].append(
                {
                    **line,
                    "qualificationPositionNumber": race.qualifying.index(driver) + 1,
                    "gridPenalty": str(race.penalties[driver]) if driver in race.penalties else None,
                    "gridPenaltyPositions": race.penalties.get(driver),
                }
            )
    if race.is_held:
        rows["races-race-results"] += _result_rows(number, race, sprint=False)
        for place, driver in enumerate(race.finish, start=1):
            line = _line(number, place, driver, race.entered[driver])
            rows["races-fastest-laps"].append(
                {
                    **line,
                    "lap": LAPS - 2,
                    **_timed(90.0 + 0.1 * place),
                    "gapMillis": 100 * (place - 1) or None,
                }
            )
            stop = {**line, "positionNumber": place, "stop": 1, "lap": LAPS // 2}
            rows["races-pit-stops"].append({**stop, **_timed(20 + rng.random() * 5)})


def _practice_rows(number: int, race: Race, session: str) -> list[Row]:
    cars = dict(race.entered)
    if session == "practice_1":
        for stand_in, regular in race.stand_ins.items():
            cars[stand_in] = cars.pop(regular)
    rng = random.Random(f"{race.event_id}:{session}")
    pace = {driver: 91.0 + 0.25 * DRIVERS.index(driver) + rng.gauss(0, 0.5) for driver in cars}
    best = min(pace.values())
    return [
        {
            **_line(number, place, driver, cars[driver]),
            **_timed(pace[driver]),
            "gapMillis": round((pace[driver] - best) * 1000) or None,
            "laps": 20,
        }
        for place, driver in enumerate(sorted(pace, key=lambda d: pace[d]), start=1)
    ]


def _qualifying_rows(number: int, race: Race, what: str) -> list[Row]:
    order = race.order(what, 0.5)
    found = []
    for place, driver in enumerate(order, start=1):
        row = _line(number, place, driver, race.entered[driver])
        row |= _timed(90.5 + 0.15 * place, "q1")
        if place <= 7:
            row |= _timed(90.2 + 0.15 * place, "q2")
        if place <= 5:
            row |= _timed(90.0 + 0.15 * place, "q3")
        found.append({**row, "laps": 15})
    return found


def _result_rows(number: int, race: Race, *, sprint: bool) -> list[Row]:
    laps, points = (SPRINT_LAPS, SPRINT_POINTS) if sprint else (LAPS, POINTS)
    order = race.order("sprint", 0.8) if sprint else race.finish
    out = set() if sprint else race.disqualified
    grid = race.order("sprint-qualifying", 0.5) if sprint else race.grid
    winner_s = laps * 92.0
    found: list[Row] = []

    def add(driver: str, text: str | None, **more: Any) -> None:
        line = _line(number, len(found) + 1, driver, race.entered[driver], text)
        pit = not sprint and driver in race.pit_lane
        slot = grid.index(driver) + 1
        line |= {
            "sharedCar": False,
            "gridPositionNumber": None if pit or text == "DNS" else slot,
            "gridPositionText": "PL" if pit else str(slot),
            "qualificationPositionNumber": (grid if sprint else race.qualifying).index(driver) + 1,
            "pitStops": 1,
            "fastestLap": not found and not sprint,
        }
        found.append({**line, **more})

    classified = [driver for driver in order if driver not in out]
    for place, driver in enumerate(classified):
        gap = 2.5 * place
        timed: Row = {"laps": laps - 1, "gap": "+1 lap", "gapLaps": 1}
        if place < 7:
            timed = {"laps": laps, **_timed(winner_s + gap)}
            if place:
                timed |= {"gap": f"+{gap:.3f}", "gapMillis": round(gap * 1000)}
        add(driver, None, points=points[place] if place < len(points) else None, **timed)
    if not sprint:
        for driver in sorted(race.retired - race.absent):
            add(driver, "DNF", laps=5, reasonRetired="Gearbox")
        for driver in sorted(out):
            add(driver, "DSQ", laps=laps, reasonRetired="Plank wear")
        for driver in sorted(race.absent):
            add(driver, "DNS", laps=0, reasonRetired="Illness")
    return found


def standing_rows(
    rows: dict[str, list[Row]], number: int, drivers: dict[str, float], teams: dict[str, float]
) -> None:
    for name, key, totals in (
        ("races-driver-standings", "driverId", drivers),
        ("races-constructor-standings", "constructorId", teams),
    ):
        for place, entity in enumerate(sorted(totals, key=lambda e: (-totals[e], e)), start=1):
            row: Row = {
                "raceId": number,
                "positionDisplayOrder": place,
                "positionNumber": place,
                "positionText": str(place),
                "points": totals[entity] or None,
                "championshipWon": False,
                key: entity,
            }
            if key == "constructorId":
                row["engineManufacturerId"] = f"{entity}-power"
            rows[name].append(row)


def lap_rows(race: Race, round_: int, session: str) -> list[Row]:
    order = race.order("sprint", 0.8) if session == "S" else race.finish + sorted(race.retired - race.absent)
    total = SPRINT_LAPS if session == "S" else LAPS
    found = []
    for place, driver in enumerate(order):
        out = session == "R" and driver in race.retired
        laps = 5 if out else total if place < 7 else total - 1
        session_time = 3600.0 + place
        for lap in range(1, laps + 1 + out):
            generated = out and lap == laps + 1
            seconds = 92.0 + 0.1 * place
            session_time += seconds
            stop = lap == total // 2 and session == "R"
            found.append(
                {
                    "Season": race.season,
                    "RoundNumber": round_,
                    "EventName": GRANDS_PRIX[race.grand_prix][1],
                    "Session": session,
                    "Time": session_time,
                    "Driver": driver.split("-")[1][:3].upper(),
                    "DriverNumber": str(DRIVERS.index(driver) + 1),
                    "Team": race.entered[driver].title(),
                    "LapTime": None if generated or lap == 1 else seconds,
                    "LapNumber": float(lap),
                    "Stint": 1.0 if lap <= total // 2 or session == "S" else 2.0,
                    "PitInTime": session_time - 2 if stop else None,
                    "PitOutTime": session_time - seconds + 20
                    if session == "R" and lap == total // 2 + 1
                    else None,
                    "Compound": "MEDIUM" if lap <= total // 2 else "HARD",
                    "CompoundName": "C2" if lap <= total // 2 else "C1",
                    "TyreLife": float(lap if lap <= total // 2 else lap - total // 2),
                    "FreshTyre": True,
                    "TrackStatus": "24" if lap in (3, 4) else "1",
                    "Position": None if generated else float(place + 1),
                    "IsPersonalBest": not generated,
                    "Deleted": False,
                    "FastF1Generated": generated,
                    "IsAccurate": not generated,
                }
            )
    return found
