"""The calendar against the data: next, missing, over; and how long until."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from f1core.circuit_time import CIRCUIT_ZONES, circuit_zone
from f1core.outlook import neighbours, outlook, time_between
from warehouse.reader import Reader

START = dt.datetime(2026, 3, 1, 14, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)


def season(*statuses: str) -> pl.DataFrame:
    """A season of a race a week; a result is known two hours after the start."""
    return pl.DataFrame(
        {
            "event_id": [f"2026-race-{number}" for number in range(len(statuses))],
            "season": [2026] * len(statuses),
            "round": list(range(1, len(statuses) + 1)),
            "race_starts_at": [START + number * WEEK for number in range(len(statuses))],
            "result_known_at": [
                START + number * WEEK + dt.timedelta(hours=2) for number in range(len(statuses))
            ],
            "status": list(statuses),
        }
    )


def ids(events: list[dict[str, object]]) -> list[str]:
    return [str(event["event_id"])[-1] for event in events]


def test_data_that_are_up_to_date() -> None:
    state = outlook(season("held", "held", "scheduled", "scheduled"), START + 1.5 * WEEK)
    assert ids(state.coming) == ["2", "3"]
    assert state.missing == []
    assert state.last_known is not None and state.last_known["event_id"] == "2026-race-1"
    assert (state.count_rounds, state.is_season_over) == (4, False)


def test_a_race_under_way_is_still_the_next_one() -> None:
    state = outlook(season("held", "scheduled"), START + WEEK + dt.timedelta(hours=1))
    assert state.next is not None and state.next["event_id"] == "2026-race-1"


def test_data_behind_the_calendar() -> None:
    state = outlook(season("held", "scheduled", "scheduled", "scheduled"), START + 2.5 * WEEK)
    assert ids(state.missing) == ["1", "2"]
    assert ids(state.coming) == ["3"]


def test_a_cancelled_race_is_neither_missing_nor_next() -> None:
    events = season("held", "cancelled", "cancelled", "scheduled")
    state = outlook(events, START + 1.5 * WEEK)
    assert state.missing == []
    assert ids(state.coming) == ["3"]


def test_after_the_last_race_the_season_is_over() -> None:
    state = outlook(season("held", "held"), START + 5 * WEEK)
    assert state.is_season_over
    assert state.next is None
    assert state.last_known is not None and state.last_known["event_id"] == "2026-race-1"
    assert state.count_rounds == 2


def test_a_clock_in_the_past_does_not_know_later_results() -> None:
    state = outlook(season("held", "held", "held"), START + 0.5 * WEEK)
    assert state.last_known is not None and state.last_known["event_id"] == "2026-race-0"
    assert ids(state.coming) == ["1", "2"]


def test_an_empty_calendar_is_over_and_knows_nothing() -> None:
    state = outlook(season(), START)
    assert (state.next, state.last_known, state.missing, state.count_rounds) == (None, None, [], 0)


def test_neighbours_are_cut_at_the_ends() -> None:
    events = season(*["held"] * 6)
    before, after = neighbours(events, "2026-race-1")
    assert (ids(before), ids(after)) == (["0"], ["2", "3", "4"])
    assert neighbours(events, "2026-race-5")[1] == []
    assert neighbours(events, "1066-hastings") == ([], [])


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (dt.timedelta(minutes=35), "35 min"),
        (dt.timedelta(hours=4, minutes=5, seconds=59), "4 h 5 min"),
        (dt.timedelta(days=1, hours=3, minutes=59), "1 day 3 h"),
        (dt.timedelta(days=2), "2 days 0 h"),
        (dt.timedelta(days=145, hours=7), "145 days"),
        (dt.timedelta(seconds=-5), "0 min"),
    ],
)
def test_spans_in_words(span: dt.timedelta, words: str) -> None:
    assert time_between(START, START + span) == words


def test_every_zone_exists_and_summer_time_is_kept() -> None:
    for circuit in CIRCUIT_ZONES:
        assert circuit_zone(circuit) is not None
    assert circuit_zone("reims") is None
    vegas = circuit_zone("las-vegas")
    assert dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC).astimezone(vegas).hour == 20
    assert dt.datetime(2026, 7, 1, 4, tzinfo=dt.UTC).astimezone(vegas).hour == 21


def test_every_circuit_raced_on_since_2010_has_a_zone(reader: Reader) -> None:
    raced = reader.query("select distinct circuit_id from events where season >= 2010")["circuit_id"]
    assert set(raced) - set(CIRCUIT_ZONES) == set()


def test_race_hours_are_daytime_or_evening_at_the_circuit(reader: Reader) -> None:
    # A wrong zone would put a start into the night: grands prix start between 11:00 and 23:00 local time.
    starts = reader.query(
        "select events.event_id, circuit_id, starts_at from events join sessions using (event_id) "
        "where session = 'race' and not is_time_estimated and events.season >= 2018"
    )
    wrong = [
        (row["event_id"], local)
        for row in starts.iter_rows(named=True)
        if not 11 <= (local := row["starts_at"].astimezone(circuit_zone(row["circuit_id"]))).hour <= 22
    ]
    assert starts.height > 150
    assert wrong == []
