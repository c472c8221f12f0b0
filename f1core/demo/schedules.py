"""The season schedules of the demo, in the dialect of the recorded ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from f1core.demo.calendar import Calendar, Weekend
from f1core.demo.names import COUNTRIES

_OFFSET = "+00:00"


def write_schedules(folder: Path, calendar: Calendar) -> None:
    """Writes one recorded answer a season, dated to the day the calendar is laid around."""
    folder.mkdir(parents=True)
    for season in calendar.seasons:
        weekends = [weekend for weekend in calendar.weekends() if weekend.season == season]
        rows = [_row(weekend) for weekend in weekends]
        columns = {name: {str(at): row[name] for at, row in enumerate(rows)} for name in rows[0]}
        answer = {
            "url": f"https://demo.invalid/schedule_{season}.json",
            "created_at": f"{calendar.anchor.isoformat()}T00:00:00{_OFFSET}",
            "_decoded_content": json.dumps(columns),
        }
        (folder / f"schedule-{season}.json").write_text(json.dumps(answer), encoding="utf-8")


def _row(weekend: Weekend) -> dict[str, Any]:
    circuit = weekend.circuit
    row = {
        "round_number": weekend.round,
        "country": COUNTRIES[circuit.country][1],
        "location": circuit.place,
        "official_event_name": f"Demo {circuit.full_name} {weekend.season}",
        "event_name": circuit.full_name,
        "gmt_offset": _OFFSET,
        "event_format": "sprint_qualifying" if weekend.is_sprint else "conventional",
    }
    for number, (session, start) in enumerate(
        sorted(weekend.starts().items(), key=lambda one: one[1]), start=1
    ):
        row[f"session{number}"] = session.value.replace("_", " ").title()
        row[f"session{number}_date"] = start.replace(tzinfo=None).isoformat()
    return row
