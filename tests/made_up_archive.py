"""An invented championship, written in the shape of a facts archive: small, quick, and with every oddity on order.

Tests that need a broken, corrected or newer archive describe the championship, change it and write it again. Race numbers
and rounds are counted when it is written, in order of date, as the real source does: a race put into mid-season moves them.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from f1core.sources.f1db import FILES
from f1core.sources.laps import NOMINATIONS, SCHEMA
from tests.made_up_rows import lap_rows, people_and_places, race_row, standing_rows, weekend_rows
from tests.made_up_weekend import DRIVERS, GRANDS_PRIX, LAPS, RESERVE, TEAMS, Race, Row

__all__ = ["DRIVERS", "GRANDS_PRIX", "LAPS", "RESERVE", "TEAMS", "Championship", "Race"]


@dataclass
class Championship:
    """All races of the invented championship."""

    races: list[Race]

    @classmethod
    def of(
        cls, seasons: dict[int, int], *, held: int | None = None, last_race: dt.date | None = None
    ) -> Championship:
        """Races every fortnight from April on.

        Args:
            seasons: Races of each season.
            held: How many races of the last season have results; None for all.
            last_race: Day of the last race of the last season; the others go before it.
        """
        races = []
        for season, count in seasons.items():
            for number, name in enumerate(list(GRANDS_PRIX)[:count]):
                day = dt.date(season, 4, 7) + dt.timedelta(days=14 * number)
                if last_race and season == max(seasons):
                    day = last_race - dt.timedelta(days=14 * (count - 1 - number))
                races.append(Race(season, name, day, is_sprint=number == 1))
        if held is not None:
            for race in [race for race in races if race.season == max(seasons)][held:]:
                race.is_held = False
        return cls(races)

    def __getitem__(self, event_id: str) -> Race:
        return next(race for race in self.races if race.event_id == event_id)

    def numbered(self) -> list[tuple[int, int, Race]]:
        """Races by date, with the source's number and the round."""
        rounds: dict[int, int] = {}
        found = []
        for number, race in enumerate(sorted(self.races, key=lambda race: race.date), start=1):
            rounds[race.season] = rounds.get(race.season, 0) + 1
            found.append((number, rounds[race.season], race))
        return found

    def tables(self) -> dict[str, list[Row]]:
        """Rows of every CSV file, as the real source would list them."""
        rows: dict[str, list[Row]] = {name: [] for name in FILES}
        rows.update(people_and_places())
        rows["seasons-entrants-drivers"] = self._entrants()
        totals: dict[int, tuple[dict[str, float], dict[str, float]]] = {}
        for number, round_, race in self.numbered():
            rows["races"].append(race_row(number, round_, race))
            weekend_rows(rows, number, race)
            if race.is_held:
                drivers, teams = totals.setdefault(race.season, ({}, {}))
                for line in [
                    line
                    for name in ("races-race-results", "races-sprint-race-results")
                    for line in rows[name]
                    if line["raceId"] == number
                ]:
                    points = line.get("points") or 0
                    drivers[line["driverId"]] = drivers.get(line["driverId"], 0) + points
                    teams[line["constructorId"]] = teams.get(line["constructorId"], 0) + points
                standing_rows(rows, number, drivers, teams)
        return rows

    def _entrants(self) -> list[Row]:
        found = {}
        for _, round_, race in self.numbered():
            for driver, team in race.entered.items():
                key = (race.season, team, driver)
                found.setdefault(key, []).append(str(round_))
        return [
            {
                "year": season,
                "entrantId": f"{team}-racing",
                "constructorId": team,
                "engineManufacturerId": f"{team}-power",
                "driverId": driver,
                "rounds": ";".join(rounds),
                "testDriver": False,
            }
            for (season, team, driver), rounds in found.items()
        ]

    def laps(self, season: int) -> list[Row]:
        """Rows of a season's lap file."""
        return [
            lap
            for _, round_, race in self.numbered()
            if race.season == season and race.is_held
            for session in ("R", "S")
            if session == "R" or race.is_sprint
            for lap in lap_rows(race, round_, session)
        ]

    def write(self, folder: Path, *, schedules: bool = True) -> Path:
        """Writes the archive; an older one in the folder is replaced."""
        write_zip(folder, self.tables())
        (folder / "laps").mkdir(exist_ok=True)
        for season in sorted({race.season for race in self.races if race.is_held and race.season >= 2018}):
            write_laps(folder, season, self.laps(season))
        body = _csv(
            [{"Season": 2023, "RoundNumber": 1, "Hard": "C1", "Medium": "C2", "Soft": "C3"}], [*NOMINATIONS]
        )
        (folder / "laps" / "compound_nominations.csv").write_text(body)
        if schedules:
            for season in sorted({race.season for race in self.races}):
                self.write_schedule(folder, season)
        return folder

    def write_schedule(
        self, folder: Path, season: int, *, recorded: str = "2026-08-20T00:00:00+00:00"
    ) -> Path:
        """Writes a season's recorded schedule, in local time two hours ahead of UTC."""
        columns: dict[str, dict[str, Any]] = {}
        for index, (_, round_, race) in enumerate(
            [(number, round_, race) for number, round_, race in self.numbered() if race.season == season]
        ):
            name, full_name, _, town, country = GRANDS_PRIX[race.grand_prix]
            row = {
                "round_number": round_,
                "country": country,
                "location": town,
                "official_event_name": f"The {name} race of {season}",
                "event_name": full_name,
                "gmt_offset": "+02:00",
                "event_format": "sprint_qualifying" if race.is_sprint else "conventional",
            }
            for number, session in enumerate(race.sessions, start=1):
                day, clock = race.clock(session)
                local = dt.datetime.combine(day, dt.time.fromisoformat(clock)) + dt.timedelta(hours=2)
                row[f"session{number}"] = session.replace("_", " ").title()
                row[f"session{number}_date"] = local.isoformat()
            for column, value in row.items():
                columns.setdefault(column, {})[str(index)] = value
        answer = {
            "url": f"https://example.org/schedule_{season}.json",
            "created_at": recorded,
            "_decoded_content": json.dumps(columns),
        }
        path = folder / "fastf1-cache" / "http_cache" / f"schedule-{season}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer))
        return path


# --- changing what is on disk -----------------------------------------------------------------------------------------


def zip_path(folder: Path) -> Path:
    return folder / "f1db" / "f1db-csv.zip"


def write_zip(folder: Path, tables: dict[str, list[Row]]) -> None:
    path = zip_path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            archive.writestr(f"f1db-{name}.csv", _csv(rows, [*FILES[name], "aColumnNobodyReads"]))


def edit_csv(folder: Path, name: str, change: Callable[[str], str | None]) -> None:
    """Rewrites one CSV of an archive by a function of its text; None leaves the file out."""
    path = zip_path(folder)
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member).decode() for member in archive.namelist()}
    member = f"f1db-{name}.csv"
    changed = change(members.pop(member))
    if changed is not None:
        members[member] = changed
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text)


def write_laps(folder: Path, season: int, rows: list[Row], schema: pa.Schema = SCHEMA) -> Path:
    path = folder / "laps" / f"laps_{season}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def _csv(rows: list[Row], columns: list[str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {key: str(value).lower() if isinstance(value, bool) else value for key, value in row.items()}
        )
    return out.getvalue()
