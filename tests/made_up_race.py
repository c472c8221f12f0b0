"""Races made up lap by lap, as the facts that metrics are made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from f1core.analytics import analyse
from models.lap_craft import SCHEMA, WEAR_SCHEMA, LapCraft
from warehouse.analytics import FACTS_READ
from warehouse.tables import ANALYTICS_TABLES, TABLES
from warehouse.validate import validate

START = dt.datetime(2024, 5, 5, 13, tzinfo=dt.UTC)
KNOWN = START + dt.timedelta(hours=3)
EVENT = "2024-vale"
Row = dict[str, Any]
Lines = Iterable[Row]


def arrow(name: str, rows: Lines) -> pa.Table:
    """Rows of a table; columns not given are missing."""
    schema = TABLES[name].schema
    return pa.Table.from_pylist(
        [{column: row.get(column) for column in schema.names} for row in rows], schema
    )


def lap(driver: str, number: int, ends: float, seconds: float | None = None, **more: Any) -> Row:
    """One green lap of one car; its number is its driver's name."""
    return {
        "event_id": EVENT,
        "season": 2024,
        "session": "race",
        "driver_id": driver,
        "constructor_id": f"team-{driver[0]}",
        "car_number": driver,
        "lap_number": number,
        "lap_number_note": "exact",
        "lap_time_s": seconds,
        "lap_end_session_s": ends,
        "stint": 1,
        "is_in_lap": False,
        "is_out_lap": False,
        "is_green": True,
        "is_generated": False,
        "is_after_result": False,
        "known_at": KNOWN,
        **more,
    }


def result(driver: str, order: int, grid: int | None, status: str = "classified", **more: Any) -> Row:
    return {
        "event_id": EVENT,
        "season": 2024,
        "session": "race",
        "display_order": order,
        "position": order if status == "classified" else None,
        "position_text": str(order),
        "status": status,
        "is_starter": status != "did_not_start",
        "driver_id": driver,
        "constructor_id": f"team-{driver[0]}",
        "car_number": driver,
        "points": 0.0,
        "grid_position": grid,
        "is_pit_lane_start": grid is None,
        "known_at": KNOWN,
        **more,
    }


def facts(results: Lines, laps: Lines = (), **others: Lines) -> dict[str, pa.Table]:
    """Facts of the events that have results."""
    found = list(results)
    names = sorted({row["event_id"] for row in found})
    event = {
        "season": 2024,
        "circuit_id": "vale",
        "race_date": START.date(),
        "status": "held",
    }
    session = {"season": 2024, "session": "race", "starts_at": START, "known_at": KNOWN}
    summary = {
        "season": 2024,
        "session": "race",
        "winner_driver_id": found[0]["driver_id"],
        "has_laps": True,
        "is_wet": False,
        "count_safety_cars": 1,
        "count_virtual_safety_cars": 0,
        "count_red_flags": 0,
        "known_at": KNOWN,
    }
    rows: dict[str, Lines] = {
        "events": [event | {"event_id": name} for name in names],
        "sessions": [session | {"event_id": name} for name in names],
        "session_summaries": [summary | {"event_id": name} for name in names],
        "race_results": found,
        "laps": laps,
        **others,
    }
    return {name: arrow(name, rows.get(name, ())) for name in FACTS_READ}


def nothing_said() -> LapCraft:
    return LapCraft(pl.DataFrame(schema=SCHEMA), pl.DataFrame(schema=WEAR_SCHEMA))


def made(
    known: Mapping[str, pa.Table], craft: LapCraft | None = None, ratings: Lines = ()
) -> dict[str, pl.DataFrame]:
    tables = analyse(known, arrow("ratings", ratings), craft or nothing_said())
    assert set(tables) == {table.name for table in ANALYTICS_TABLES}
    for name, rows in tables.items():
        validate(TABLES[name], rows)
    return {name: pl.DataFrame(pl.from_arrow(rows)) for name, rows in tables.items()}


def by_driver(tables: Mapping[str, pl.DataFrame], column: str) -> dict[str, Any]:
    return dict(tables["driver_race_metrics"].select("driver_id", column).iter_rows())


def quali(driver: str, place: int, *times: float | None) -> Row:
    q1, q2, q3 = (*times, None, None, None)[:3]
    return {
        "event_id": EVENT,
        "season": 2024,
        "session": "qualifying",
        "display_order": place,
        "position": place,
        "position_text": str(place),
        "driver_id": driver,
        "constructor_id": f"team-{driver[0]}",
        "car_number": driver,
        "q1_s": q1,
        "q2_s": q2,
        "q3_s": q3,
        "best_time_s": min(time for time in times if time is not None),
        "known_at": START,
    }
