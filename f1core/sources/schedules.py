"""The recorded season schedules of FastF1: session times of 2018 on, newer calendars than the results source's.

FastF1 keeps its answers from the network in a cache of JSON files, one an address. The schedules among them are read
here as they were recorded; no network is used and FastF1 itself is not loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import polars as pl

from f1core.sources.contract import RawFacts
from warehouse.errors import SourceSchemaError

_ADDRESS = re.compile(r"/schedule_(\d{4})\.json$")
COLUMNS = {
    "year": pl.Int32,
    "round_number": pl.Int32,
    "event_name": pl.String,
    "official_event_name": pl.String,
    "country": pl.String,
    "location": pl.String,
    "event_format": pl.String,
    "gmt_offset": pl.String,
    "recorded_at": pl.String,
    **{f"session{n}": pl.String for n in range(1, 6)},
    **{f"session{n}_date": pl.String for n in range(1, 6)},
}


def files(folder: Path) -> list[Path]:
    """Files of a folder that hold the answer to a question for a season's schedule."""
    return [path for path in sorted(folder.glob("*.json")) if "/schedule_" in _text(path)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def read(*folders: Path) -> RawFacts:
    """Reads every recorded schedule into ``fastf1__schedules``: one row per season and event, tests left out.

    Of a season that several answers hold, the one that was recorded last counts.

    Args:
        folders: ``requests-cache`` folders of JSON answers (``fastf1-cache/http_cache``).

    Raises:
        SourceSchemaError: A schedule has lost a column.
    """
    rows: list[dict[str, Any]] = []
    seen: dict[int, str] = {}
    prints = hashlib.sha256()
    damaged = []
    for path in [path for folder in folders for path in files(folder)]:
        text = _text(path)
        try:
            answer = json.loads(text)
            found = _ADDRESS.search(answer["url"])
            schedule = json.loads(answer["_decoded_content"]) if found else None
        except (ValueError, KeyError):
            damaged.append(path)
            continue
        if found is None or schedule is None:
            continue
        year, recorded_at = int(found.group(1)), str(answer["created_at"])
        if seen.get(year, "") > recorded_at:
            continue
        rows = [row for row in rows if row["year"] != year] + _rows(path.name, year, recorded_at, schedule)
        seen[year] = recorded_at
        prints.update(text.encode())
    remarks = [f"{path.name} in {path.parent} is damaged and was passed over." for path in damaged]
    if not seen:
        remarks.append(f"No recorded schedules in {folders[0]}: session times of 2018-2023 are estimated.")
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return RawFacts(
        {"fastf1__schedules": frame.to_arrow()}, {"schedules": prints.hexdigest()}, tuple(remarks)
    )


def _rows(
    file: str, year: int, recorded_at: str, schedule: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    wanted = [name for name in COLUMNS if name not in ("year", "recorded_at")]
    missing = [name for name in wanted if name not in schedule]
    if missing:
        raise SourceSchemaError(
            f"{file} (schedule of {year}): {', '.join(missing)} missing.",
            hint="The recorded schedule has another format.",
        )
    rows = []
    for index in schedule["round_number"]:
        row = {name: schedule[name].get(index) for name in wanted}
        if row["event_format"] == "testing" or not row["round_number"]:
            continue
        rows.append({"year": year, "recorded_at": recorded_at, **row})
    return rows
