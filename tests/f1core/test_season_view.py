"""The season as the calendar page has it: states at an instant, sessions to take away, and the calendar file."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from f1core.season_view import EventState, season_events, season_file, session_rows

DAY = dt.datetime(2026, 3, 8, 12, tzinfo=dt.UTC)
NAMES = ("vale", "dale", "lakeland", "harbour", "moor")
STATUS = ("held", "scheduled", "cancelled", "scheduled", "scheduled")


def when(week: int, days: float = 0.0) -> dt.datetime:
    return DAY + dt.timedelta(weeks=week, days=days)


CALENDAR = pl.DataFrame(
    [
        {
            "event_id": f"2026-{name}",
            "season": 2026,
            "round": week + 1,
            "status": STATUS[week],
            "circuit_id": "silverstone" if name == "vale" else f"{name}-ring",
            "full_name": f"{name.title()} Grand Prix",
            "circuit_name": f"{name.title()} Ring",
            "place_name": name.title(),
            "country_name": "Norland",
            "race_starts_at": when(week),
            "result_known_at": when(week, 0.125),
        }
        for week, name in enumerate(NAMES)
    ]
)
SESSIONS = pl.DataFrame(
    [
        {
            "event_id": f"2026-{name}",
            "session": session,
            "starts_at": when(week, days),
            "known_at": when(week, days + 0.125),
            "is_time_estimated": name == "moor",
        }
        for week, name in enumerate(NAMES)
        for session, days in (("practice_1", -2.0), ("qualifying", -1.0), ("race", 0.0))
    ]
)


def states(now: dt.datetime) -> list[str]:
    return season_events(CALENDAR, SESSIONS, now)["state"].to_list()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (when(-1), ["next", "coming", "cancelled", "coming", "coming"]),
        (when(0, -1.5), ["running", "coming", "cancelled", "coming", "coming"]),
        (when(0, 1.0), ["raced", "next", "cancelled", "coming", "coming"]),
        (when(1, 1.0), ["raced", "missing", "cancelled", "next", "coming"]),
        (when(5), ["raced", "missing", "cancelled", "missing", "missing"]),
    ],
)
def test_every_event_has_the_state_of_the_instant(now: dt.datetime, expected: list[str]) -> None:
    assert states(now) == expected


def test_a_result_that_is_not_known_yet_is_not_shown() -> None:
    assert states(when(0, 0.05))[0] == "running", "held in the data, but under way by the clock"


def test_sessions_carry_utc_and_the_circuits_zone() -> None:
    rows = session_rows(season_events(CALENDAR, SESSIONS, when(0, 1)), SESSIONS)
    assert rows.height == SESSIONS.height
    first = rows.row(0, named=True)
    assert first["circuit_time_zone"] == "Europe/London" and first["starts_at"] == when(0, -2)
    assert rows.filter(pl.col("event_id") == "2026-dale")["circuit_time_zone"].is_null().all()


def test_the_file_has_a_lasting_entry_for_every_session_shown() -> None:
    rows = session_rows(season_events(CALENDAR, SESSIONS, when(0, 1)), SESSIONS)
    body = season_file(2026, rows, DAY).decode().replace("\r\n ", "")
    assert body.count("BEGIN:VEVENT") == SESSIONS.height
    assert body.count("STATUS:CANCELLED") == 3 and "UID:2026-lakeland.race@" in body
    assert body.count("DTSTART;VALUE=DATE:") == 3, "of one event only the day is known"
    assert "SUMMARY:Vale Grand Prix: Practice 1" in body and "LOCATION:Vale Ring\\, Vale\\, Norland" in body
    moved = SESSIONS.with_columns(pl.col("starts_at", "known_at") + pl.duration(hours=2))
    later = season_file(2026, session_rows(season_events(CALENDAR, moved, DAY), moved), DAY).decode()
    uids = [line for line in body.split("\r\n") if line.startswith("UID:")]
    assert sorted(uids) == sorted(
        line for line in later.replace("\r\n ", "").split("\r\n") if line.startswith("UID:")
    )
    coming = season_file(2026, rows, DAY, only_coming=True).decode()
    assert coming.count("BEGIN:VEVENT") == SESSIONS.height - 3


def test_every_state_has_words() -> None:
    assert len({state.words for state in EventState}) == len(EventState)
