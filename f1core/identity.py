"""Who drove which car in a session: from the timing feed's names to the warehouse's drivers and constructors."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

import polars as pl
import pyarrow as pa

from warehouse.queries.people import season_cars, season_people
from warehouse.reader import Reader

IDENTITY_SCHEMA = {
    "car_number": pl.String(),
    "driver_id": pl.String(),
    "constructor_id": pl.String(),
    "problem": pl.String(),
}


def identify_cars(reader: Reader, event_id: str, results: pl.DataFrame) -> pl.DataFrame:
    """Finds the driver and constructor of each car of a session.

    A car number alone is not believed: it may have passed to another driver in mid-season, or be a practice driver's own.
    The name must agree; the number only decides between people of the same name.

    Args:
        reader: The warehouse.
        event_id: The event.
        results: The ``results`` part of a session's bundle: ``car_number, driver_code, first_name, last_name, full_name,
            team_name``.

    Returns:
        One row per car in the order of ``results``: ``car_number, driver_id, constructor_id`` (missing where nobody answers
        to the name) and ``problem``, in words, missing where there is none.
    """
    season = int(event_id[:4])
    return _match(event_id, results, season_people(reader, season), season_cars(reader, season))


def match_cars(facts: Mapping[str, pa.Table], event_id: str, results: pl.DataFrame) -> pl.DataFrame:
    """As :func:`identify_cars`, from fact tables that are not published yet."""
    season = pl.col("season") == int(event_id[:4])
    frames = {
        name: pl.DataFrame(pl.from_arrow(facts[name]))
        for name in ("entries", "practice_results", "qualifying_results", "race_results", "drivers")
    }
    seats = ("driver_id", "constructor_id")
    seen = pl.concat(
        frames[name].filter(season).select(seats) for name in ("entries", "practice_results", "race_results")
    ).unique()
    people = frames["drivers"].join(seen, on="driver_id", how="inner").sort(seats)
    cars = (
        pl.concat(
            frames[name].filter(season).select("event_id", "car_number", *seats, "known_at")
            for name in ("practice_results", "qualifying_results", "race_results")
        )
        .sort("known_at", "event_id", "car_number", "driver_id")
        .unique(["event_id", "car_number", *seats], keep="first", maintain_order=True)
    )
    return _match(event_id, results, people, cars)


def _match(event_id: str, results: pl.DataFrame, known: pl.DataFrame, driven: pl.DataFrame) -> pl.DataFrame:
    season = event_id[:4]
    people = known.to_dicts()
    cars = {
        (row["event_id"] == event_id, row["car_number"], row["driver_id"]): row["constructor_id"]
        for row in driven.iter_rows(named=True)
    }
    here = {(number, driver): team for (is_here, number, driver), team in cars.items() if is_here}
    lately = {driver: team for (_, _, driver), team in cars.items()}
    found = [_driver(row, people, here) for row in results.iter_rows(named=True)]
    teams = _teams(results, found, here, lately)
    rows = []
    for row, driver in zip(results.iter_rows(named=True), found, strict=True):
        team = None
        if driver is not None:
            team = (
                here.get((row["car_number"], driver))
                or teams.get(str(row["team_name"]))
                or lately.get(driver)
            )
            team = team or next((p["constructor_id"] for p in people if p["driver_id"] == driver), None)
        problem = None
        if driver is None:
            problem = f"car {row['car_number']}: nobody of {season} is called {_called(row)}"
        elif team is None:
            problem = f"car {row['car_number']}: the team {row['team_name']} of {_called(row)} is not known"
        rows.append((row["car_number"], driver, team if driver else None, problem))
    return pl.DataFrame(rows, schema=IDENTITY_SCHEMA, orient="row")


def _driver(
    row: dict[str, object], people: list[dict[str, str]], here: dict[tuple[str, str], str]
) -> str | None:
    words = _words(f"{row['full_name'] or ''} {row['first_name'] or ''} {row['last_name'] or ''}")
    code, number = str(row["driver_code"] or "").upper(), str(row["car_number"])
    if words:
        # The feed writes some names another way round (Zhou Guanyu), longer (Andrea Kimi) or without Jr.
        called = [p for p in people if _words(p["last_name"]) <= words and _words(p["first_name"]) & words]
    else:
        # Some recorded feeds give a number and a code only; both must agree with who was there.
        called = [
            p for p in people if (p["driver_code"] or "").upper() == code and (number, p["driver_id"]) in here
        ]
    ids = list(dict.fromkeys(p["driver_id"] for p in called))
    if len(ids) > 1:
        ids = [driver for driver in ids if (number, driver) in here]
    return ids[0] if len(ids) == 1 else None


def _teams(
    results: pl.DataFrame, found: list[str | None], here: dict[tuple[str, str], str], lately: dict[str, str]
) -> dict[str, str]:
    """Constructor of each team name of the feed: what most of its identified drivers drove, here or else lately."""
    votes: dict[str, Counter[str]] = {}
    for number, name, driver in zip(
        results["car_number"].to_list(), results["team_name"].to_list(), found, strict=True
    ):
        team = here.get((number, driver)) or lately.get(driver) if driver else None
        if name and team:
            votes.setdefault(name, Counter())[team] += 1
    return {name: _most_common(counted) for name, counted in votes.items()}


def _most_common(counted: Counter[str]) -> str:
    return min(counted, key=lambda team: (-counted[team], team))


def _words(text: object) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", str(text or "")).encode("ascii", "ignore").decode().lower()
    return frozenset("".join(c if c.isalnum() else " " for c in plain).split()) - {"jr"}


def _called(row: dict[str, object]) -> str:
    parts: Iterable[object] = (row["full_name"], row["driver_code"])
    return " / ".join(str(part) for part in parts if part) or "(no name)"
