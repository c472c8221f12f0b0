"""The F1DB release: a zip of CSV files with every championship season since 1950 (CC BY 4.0)."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from f1core.sources.contract import RawFacts, fingerprint, parse_columns, typed
from warehouse.errors import SourceError

_RESULT = (
    "raceId:int positionDisplayOrder:int positionNumber:int positionText driverNumber driverId constructorId "
)
_PRACTICE = parse_columns(_RESULT + "time:laptime timeMillis:int gapMillis:int laps:int")
_QUALIFYING = parse_columns(
    _RESULT
    + "time:laptime timeMillis:int q1:laptime q1Millis:int q2:laptime q2Millis:int q3:laptime q3Millis:int laps:int"
)
_RACE = parse_columns(
    _RESULT
    + "engineManufacturerId sharedCar:bool laps:int time:laptime timeMillis:int timePenaltyMillis:int "
    "gap:laptime gapMillis:int gapLaps:int reasonRetired points:float qualificationPositionNumber:int "
    "gridPositionNumber:int gridPositionText pitStops:int fastestLap:bool"
)
_GRID = parse_columns(
    _RESULT
    + "qualificationPositionNumber:int gridPenalty gridPenaltyPositions:int time:laptime timeMillis:int"
)
_STANDING = (
    "raceId:int positionDisplayOrder:int positionNumber:int positionText points:float championshipWon:bool "
)

FILES: dict[str, dict[str, str]] = {
    "races": parse_columns(
        "id:int year:int round:int date:date time:clock grandPrixId officialName qualifyingFormat sprintQualifyingFormat "
        "circuitId circuitLayoutId courseLength:float turns:int laps:int distance:float scheduledLaps:int "
        "freePractice1Date:date freePractice1Time:clock freePractice2Date:date freePractice2Time:clock "
        "freePractice3Date:date freePractice3Time:clock freePractice4Date:date freePractice4Time:clock "
        "qualifyingDate:date qualifyingTime:clock sprintQualifyingDate:date sprintQualifyingTime:clock "
        "sprintRaceDate:date sprintRaceTime:clock sprintRaceLaps:int sprintRaceDistance:float sprintRaceScheduledLaps:int"
    ),
    "circuits": parse_columns(
        "id name fullName previousNames type direction placeName countryId latitude:float longitude:float "
        "length:float turns:int"
    ),
    "circuits-layouts": parse_columns("id circuitId effective:bool length:float turns:int"),
    "grands-prix": parse_columns("id name fullName shortName countryId"),
    "countries": parse_columns("id alpha3Code name"),
    "drivers": parse_columns(
        "id name firstName lastName abbreviation permanentNumber:int dateOfBirth:date nationalityCountryId"
    ),
    "constructors": parse_columns("id name fullName countryId"),
    "constructors-chronology": parse_columns(
        "parentConstructorId positionDisplayOrder:int constructorId yearFrom:int yearTo:int"
    ),
    "seasons-entrants-drivers": parse_columns(
        "year:int entrantId constructorId engineManufacturerId driverId rounds testDriver:bool"
    ),
    "races-race-results": _RACE,
    "races-sprint-race-results": _RACE,
    "races-qualifying-results": _QUALIFYING,
    "races-sprint-qualifying-results": _QUALIFYING,
    "races-free-practice-1-results": _PRACTICE,
    "races-free-practice-2-results": _PRACTICE,
    "races-free-practice-3-results": _PRACTICE,
    "races-free-practice-4-results": _PRACTICE,
    "races-starting-grid-positions": _GRID,
    "races-sprint-starting-grid-positions": _GRID,
    "races-pit-stops": parse_columns(_RESULT + "stop:int lap:int time:laptime timeMillis:int"),
    "races-fastest-laps": parse_columns(_RESULT + "lap:int time:laptime timeMillis:int gapMillis:int"),
    "races-driver-standings": parse_columns(_STANDING + "driverId"),
    "races-constructor-standings": parse_columns(_STANDING + "constructorId engineManufacturerId"),
}
"""The files that are read, with the columns that must be there and their kinds."""

GET_AGAIN = "Get the F1DB archive again; the previous warehouse stays in use."


def read(path: Path) -> RawFacts:
    """Reads the release's zip into typed raw tables named ``f1db__<file>``.

    Args:
        path: The zip, or a folder with the CSV files.

    Raises:
        SourceError: No such file, not a zip, truncated, or a CSV is missing.
        SourceSchemaError: A column is missing or a value is not of its kind.
    """
    return RawFacts(_tables(path, FILES), {"f1db": fingerprint(path)})


def grand_prix_names(path: Path) -> dict[str, str]:
    """Full name of each grand prix by its id, read from the release alone.

    Raises:
        SourceError: No such file, not a zip, truncated, or a CSV is missing.
    """
    rows = _tables(path, {"grands-prix": FILES["grands-prix"]})["f1db__grands_prix"].to_pylist()
    return {row["id"]: row["fullName"] for row in rows}


def _tables(path: Path, files: Mapping[str, dict[str, str]]) -> dict[str, pa.Table]:
    if not path.exists():
        raise SourceError(f"{path} does not exist.", hint=GET_AGAIN)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(name).name: name for name in archive.namelist()}
            tables = {}
            for file, kinds in files.items():
                name = f"f1db-{file}.csv"
                if name not in members:
                    raise SourceError(f"{path}: {name} is missing.", hint=GET_AGAIN)
                tables[f"f1db__{file.replace('-', '_')}"] = _table(
                    name, archive.read(members[name]), kinds
                ).to_arrow()
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{path} is damaged or truncated ({error}).", hint=GET_AGAIN) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}.", hint=GET_AGAIN) from error
    return tables


def _table(name: str, body: bytes, kinds: dict[str, str]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(io.BytesIO(body), infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{name} cannot be read as CSV: {str(error).splitlines()[0]}", hint=GET_AGAIN
        ) from error
    return typed(name, frame, kinds)
