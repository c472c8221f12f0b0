"""The season of a rehearsal: at every instant what the world knew, and not a row more."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from f1core.rehearsal.arrival import Arrivals, arriving_tables
from f1core.rehearsal.corrections import (
    PROVISIONAL_RESULTS,
    Placing,
    ProvisionalResult,
    disqualified_later,
    inserted,
    rescheduled,
)
from f1core.rehearsal.source import FaultKind, RehearsalSource, SourceFault, pack, unpack
from warehouse.errors import NotReady, SourceUnavailable, UnknownEvent

pytestmark = pytest.mark.archive

EVENT = "2025-las-vegas"
HOUR = dt.timedelta(hours=1)
RACE_KNOWN = dt.datetime(2025, 11, 23, 7, 0, tzinfo=dt.UTC)
BETWEEN = dt.datetime(2025, 11, 22, 12, 0, tzinfo=dt.UTC)
"""After qualifying, before the grid."""
CALENDAR = ("events", "sessions", "entries")


@pytest.fixture(scope="module")
def season(reader):
    return Arrivals.of(reader, 2025)


def _of(frame, event=EVENT):
    return frame.filter(pl.col("event_id") == event)


def test_nothing_is_there_before_it_is_known(season):
    for now in (BETWEEN, RACE_KNOWN - dt.timedelta(microseconds=1), RACE_KNOWN):
        known = season.at(now)
        for table in arriving_tables():
            rows, final = known[table.name], season.tables[table.name]
            assert rows.filter(pl.col("known_at") > now).is_empty() or table.name in CALENDAR
            if table.name not in CALENDAR:
                wanted = final.filter(pl.col("known_at") <= now).select(table.column_names)
                assert rows.sort(table.key).equals(wanted.sort(table.key)), table.name


def test_the_calendar_tells_nothing_of_results(season):
    known = season.at(BETWEEN)
    events = known["events"]
    assert events.height == 24, "the whole calendar is public from the first day"
    later = events.join(
        season.tables["race_results"].filter(pl.col("known_at") > BETWEEN), on="event_id", how="semi"
    )
    assert set(later["event_id"]) == {EVENT, "2025-qatar", "2025-abu-dhabi"}
    assert set(later["status"]) == {"scheduled"}
    assert set(events.filter(~pl.col("event_id").is_in(later["event_id"].to_list()))["status"]) == {"held"}
    assert _of(season.at(RACE_KNOWN)["events"])["status"].to_list() == ["held"]


def test_entries_name_only_rounds_that_were_raced(season):
    entries = season.at(BETWEEN)["entries"]
    named = {int(number) for rounds in entries["rounds"].drop_nulls() for number in rounds.split(";")}
    assert max(named) == 21
    assert season.at(RACE_KNOWN)["entries"].filter(pl.col("rounds").str.ends_with(";22")).height == 20


def test_in_the_end_everything_is_as_the_facts_have_it(season, reader):
    end = season.at(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    for table in arriving_tables():
        if table.name == "entries":
            continue
        wanted = reader.query(f'select * from "{table.name}" where season = 2025')
        got = end[table.name]
        if table.name == "events":
            assert (
                got["round"].to_list()
                == got.join(wanted, on="event_id", maintain_order="left")["round_right"].to_list()
            )
        assert got.sort(table.key).equals(wanted.select(got.columns).sort(table.key)), table.name


def test_a_disqualification_is_first_shown_as_it_stood(season, reader):
    correction = disqualified_later(PROVISIONAL_RESULTS[EVENT], season.tables)
    arrivals = Arrivals.of(reader, 2025, [correction])
    assert correction.until == RACE_KNOWN + dt.timedelta(days=2)
    before, after = arrivals.at(RACE_KNOWN + HOUR), arrivals.at(correction.until)
    race = _of(before["race_results"]).sort("display_order")
    assert race["driver_id"].to_list()[:5] == [
        "max-verstappen",
        "lando-norris",
        "george-russell",
        "oscar-piastri",
        "kimi-antonelli",
    ]
    assert race["position"].to_list() == [*range(1, 18), None, None, None]
    assert race["points"].to_list()[:10] == [25, 18, 15, 12, 10, 8, 6, 4, 2, 1]
    assert race["points"].sum() == 101
    assert race.filter(pl.col("status") == "disqualified").is_empty()
    assert race.filter(pl.col("driver_id").is_in(["lando-norris", "oscar-piastri"]))["gap_s"].to_list() == [
        None,
        None,
    ]
    assert _of(before["session_summaries"])["count_classified"].to_list() == [17]
    # An independent sum: the standings before the race plus the points of the provisional order.
    previous = arrivals.at(RACE_KNOWN - HOUR)["driver_standings"]
    previous = dict(_of(previous, "2025-sao-paulo").select("driver_id", "points").iter_rows())
    scored = dict(race.select("driver_id", "points").iter_rows())
    for driver, points in _of(before["driver_standings"]).select("driver_id", "points").iter_rows():
        assert points == previous[driver] + scored.get(driver, 0), driver
    ordered = _of(before["driver_standings"]).sort("display_order")
    assert ordered["driver_id"].to_list()[:3] == ["lando-norris", "oscar-piastri", "max-verstappen"]
    assert ordered["points"].to_list()[:3] == [408, 378, 366]
    teams = dict(_of(before["constructor_standings"]).select("constructor_id", "points").iter_rows())
    assert teams["mclaren"] == 756 + 30
    elo = {
        name: _of(frames["ratings"]).filter(
            (pl.col("entity_id") == "lando-norris") & (pl.col("rating_kind") == "elo")
        )
        for name, frames in (("before", before), ("after", after))
    }
    assert elo["before"]["value"][0] > elo["after"]["value"][0], "second is better than last"
    for name in ("race_results", "driver_standings", "constructor_standings", "session_summaries", "ratings"):
        wanted = season.at(correction.until)[name]
        assert after[name].sort(wanted.columns).equals(wanted.sort(wanted.columns)), name


def test_a_provisional_result_needs_its_race_and_its_drivers(season):
    for provisional in (
        ProvisionalResult("2025-nowhere", (Placing("lando-norris", 2),)),
        ProvisionalResult(EVENT, (Placing("nobody", 2),)),
    ):
        with pytest.raises(UnknownEvent, match="no result"):
            disqualified_later(provisional, season.tables)


def test_an_inserted_race_moves_the_rounds_after_it(season, reader):
    at = BETWEEN - dt.timedelta(days=3)
    arrivals = Arrivals.of(reader, 2025, [inserted(EVENT, at, season.tables)])
    before, after = arrivals.at(at - HOUR), arrivals.at(at)
    assert _of(before["events"]).is_empty() and _of(before["sessions"]).is_empty()
    assert _of(before["events"], "2025-qatar")["round"].to_list() == [22]
    assert _of(after["events"])["round"].to_list() == [22]
    assert _of(after["events"], "2025-qatar")["round"].to_list() == [23]
    assert arrivals.state(at - HOUR) != arrivals.state(at)


def test_a_moved_session_is_known_later(season, reader):
    start = dt.datetime(2025, 11, 22, 5, 0, tzinfo=dt.UTC)
    at = start - 12 * HOUR
    arrivals = Arrivals.of(reader, 2025, [rescheduled(EVENT, at, {"qualifying": start}, season.tables)])
    before = (
        _of(arrivals.at(at - HOUR)["sessions"]).filter(pl.col("session") == "qualifying").row(0, named=True)
    )
    after = _of(arrivals.at(at)["sessions"]).filter(pl.col("session") == "qualifying").row(0, named=True)
    assert (before["starts_at"], before["known_at"]) == (start, start + HOUR)
    assert (after["starts_at"], after["known_at"]) == (start - HOUR, start)


def test_the_state_changes_exactly_when_something_arrives(season):
    instants = [at for at in season.instants if dt.datetime(2025, 11, 20, tzinfo=dt.UTC) < at <= RACE_KNOWN]
    assert RACE_KNOWN in instants and RACE_KNOWN - 4 * HOUR in instants, "the result and the grid"
    for at in instants:
        assert season.state(at) != season.state(at - dt.timedelta(microseconds=1))
        assert season.state(at) == season.state(at + dt.timedelta(microseconds=1))


def test_an_answer_that_is_cut_or_altered_is_never_used(season):
    facts = season.at(BETWEEN)
    body = pack(facts, "2025-1")
    back = unpack("source", body)
    assert all(back[name].equals(rows) and back[name].schema == rows.schema for name, rows in facts.items())
    for damaged in (body[:-1], body[: len(body) // 2], body[:20], b"", body[:-1] + bytes([body[-1] ^ 1])):
        with pytest.raises(SourceUnavailable, match="cut short"):
            unpack("source", damaged)


def test_a_source_answers_only_what_is_new_and_not_while_it_is_down(season):
    down = SourceFault(FaultKind.DOWN, BETWEEN, BETWEEN + HOUR)
    late = SourceFault(FaultKind.TIME_OUT, BETWEEN + HOUR, BETWEEN + 2 * HOUR)
    source = RehearsalSource(season, (down, late))
    body, state = source.answer(BETWEEN - HOUR)
    assert body is not None
    assert source.answer(BETWEEN - HOUR, state) == (None, state)
    for at, words in ((BETWEEN, "cannot be reached"), (BETWEEN + HOUR, "in time")):
        with pytest.raises(SourceUnavailable, match=words):
            source.answer(at, state)
    assert source.answer(BETWEEN + 2 * HOUR, state) == (None, state)


def test_only_a_weekend_that_is_over_can_be_rehearsed(reader):
    from f1core.rehearsal.script import Script, script_of

    with pytest.raises(NotReady, match="only a weekend that is over"):
        script_of(reader, "2026-abu-dhabi")
    script = script_of(reader, EVENT, faults=(SourceFault(FaultKind.DOWN, BETWEEN, BETWEEN + HOUR),))
    assert (script.since, script.until) == (
        dt.datetime(2025, 11, 20, 18, tzinfo=dt.UTC),
        dt.datetime(2025, 11, 26, 7, tzinfo=dt.UTC),
    )
    assert Script.from_json(script.to_json()) == script
