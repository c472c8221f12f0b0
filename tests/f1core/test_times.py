"""When the world could know what: session times, known_at and the ends of stages."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from warehouse.errors import NotReady
from warehouse.queries.events import session_starts, sessions
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.vocab import Stage


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type]


def test_sources_of_session_times_by_era(reader: Reader) -> None:
    """The results source from 2024 on, the recorded schedules for 2018-2023, before that only the date."""
    sources = reader.query(
        "select season, list(distinct time_source) as sources from sessions where season < 2026 group by 1 order by 1"
    )
    for season, found in sources.iter_rows():
        expected = "estimated" if season < 2018 else "schedule" if season < 2024 else "f1db"
        assert found == [expected], season
    flags = reader.query(
        "select distinct time_source = 'estimated' as estimated, is_time_estimated from sessions"
    )
    assert set(flags.rows()) == {(True, True), (False, False)}


@pytest.mark.parametrize(
    ("event", "session", "start"),
    [
        ("2018-australia", "race", utc(2018, 3, 25, 5, 10)),  # 16:10 in Melbourne
        ("2020-tuscany", "qualifying", utc(2020, 9, 12, 13)),
        ("2023-las-vegas", "race", utc(2023, 11, 19, 6)),  # Saturday, 22:00 in Nevada
        ("2023-azerbaijan", "sprint_qualifying", utc(2023, 4, 29, 8, 30)),
        ("2024-bahrain", "race", utc(2024, 3, 2, 15)),
        ("2025-mexico", "race", utc(2025, 10, 26, 20)),
    ],
)
def test_starts_are_in_utc(reader: Reader, event: str, session: str, start: dt.datetime) -> None:
    assert session_starts(reader, event)[session] == start


def test_qualifying_of_japan_2019_was_on_the_race_day(reader: Reader) -> None:
    """A typhoon closed the track on Saturday."""
    starts = session_starts(reader, "2019-japan")
    assert starts["qualifying"] == utc(2019, 10, 13, 1)
    assert starts["race"] == utc(2019, 10, 13, 5, 10)
    ends = [cutoff("2019-japan", starts, stage) for stage in Stage]
    assert ends == sorted(ends)
    grid = reader.query("select distinct known_at from starting_grids where event_id = '2019-japan'").item()
    assert grid == utc(2019, 10, 13, 4, 10)
    assert ends[2] < grid < ends[3], "the grid belongs to the last stage alone"


def test_a_result_is_known_when_its_session_has_usually_ended(reader: Reader) -> None:
    minutes = reader.query(
        """
        select session, season < 2021 as early, is_time_estimated,
            list(distinct date_diff('minute', starts_at, known_at)) as minutes
        from sessions where not is_time_estimated group by all
        """
    )
    found = {(session, early): values for session, early, _, values in minutes.iter_rows()}
    assert found[("race", True)] == [240]
    assert found[("race", False)] == [180]
    assert found[("qualifying", True)] == found[("qualifying", False)] == [60]
    assert found[("practice_1", True)] == [90]
    assert found[("practice_1", False)] == found[("practice_3", True)] == [60]


def test_a_race_of_which_only_the_day_is_known_is_known_when_the_day_is_over(reader: Reader) -> None:
    odd = reader.query(
        """
        select event_id from sessions inner join events using (event_id)
        where session = 'race' and sessions.is_time_estimated
            and sessions.known_at <> (race_date + 1)::timestamp at time zone 'UTC'
        """
    )
    assert odd.is_empty()


def test_facts_carry_the_time_of_their_session(reader: Reader) -> None:
    for table, minutes in (
        ("race_results", 0),
        ("qualifying_results", 0),
        ("practice_results", 0),
        ("laps", 0),
    ):
        odd = reader.query(
            f'select count(*) from "{table}" as facts inner join sessions using (event_id, session) '
            f"where facts.known_at <> sessions.known_at + to_minutes({minutes})"
        )
        assert odd.item() == 0, table
    for table in ("driver_standings", "constructor_standings"):
        odd = reader.query(
            f'select count(*) from "{table}" as facts inner join sessions on sessions.event_id = facts.event_id '
            "and sessions.session = 'race' where facts.known_at <> sessions.known_at"
        )
        assert odd.item() == 0, table
    odd = reader.query(
        "select count(*) from starting_grids as facts inner join sessions using (event_id, session) "
        "where facts.known_at <> sessions.starts_at - interval 60 minutes"
    )
    assert odd.item() == 0
    odd = reader.query(
        "select count(*) from ratings inner join sessions on sessions.event_id = ratings.event_id "
        "and sessions.session = 'race' where ratings.known_at <> sessions.known_at"
    )
    assert odd.item() == 0, "a rating is known with the result it was made of"


def test_stages_end_in_order_in_every_weekend(reader: Reader) -> None:
    starts: dict[str, dict[str, dt.datetime]] = {}
    for event, session, at in reader.query("select event_id, session, starts_at from sessions").iter_rows():
        starts.setdefault(event, {})[session] = at
    assert len(starts) == 1172
    for event, times in starts.items():
        ends = [cutoff(event, times, stage) for stage in Stage]
        assert ends == sorted(ends), event
        assert ends[-1] < times["race"]


def test_each_stage_knows_what_its_name_says(reader: Reader) -> None:
    """For every weekend since 2018: qualifying is known after pre_qualifying and before post_qualifying ends, and so on."""
    known = reader.query(
        """
        select events.event_id, qualifying.known_at as qualifying, grid.known_at as grid, result.known_at as result
        from events
        inner join (select distinct event_id, known_at from qualifying_results where session = 'qualifying') as qualifying
            using (event_id)
        inner join (select distinct event_id, known_at from starting_grids where session = 'race') as grid using (event_id)
        inner join (select distinct event_id, known_at from race_results where session = 'race') as result using (event_id)
        where events.season >= 2018
        """
    )
    assert known.height > 180
    for event, qualifying, grid, result in known.iter_rows():
        pre_weekend, pre_qualifying, post_qualifying, pre_race = (
            cutoff(event, session_starts_of(reader)[event], stage) for stage in Stage
        )
        assert pre_weekend <= pre_qualifying <= qualifying < post_qualifying <= grid < pre_race < result, (
            event
        )


_STARTS: dict[int, dict[str, dict[str, dt.datetime]]] = {}


def session_starts_of(reader: Reader) -> dict[str, dict[str, dt.datetime]]:
    if id(reader) not in _STARTS:
        found: dict[str, dict[str, dt.datetime]] = {}
        for event, session, at in reader.query(
            "select event_id, session, starts_at from sessions"
        ).iter_rows():
            found.setdefault(event, {})[session] = at
        _STARTS[id(reader)] = found
    return _STARTS[id(reader)]


def test_practice_belongs_to_pre_qualifying(reader: Reader) -> None:
    """Save the second practice of the old sprint weekends, which was driven after qualifying."""
    late = reader.query(
        """
        select practice.event_id, practice.session from sessions as practice
        inner join sessions as qualifying on qualifying.event_id = practice.event_id and qualifying.session = 'qualifying'
        where practice.session like 'practice%' and practice.known_at > qualifying.starts_at and practice.season >= 2018
        """
    )
    assert set(late["session"]) <= {"practice_2"}
    assert all(event.startswith(("2021", "2022")) for event in late["event_id"])


def test_no_stage_without_session_times() -> None:
    with pytest.raises(NotReady, match="2030-nowhere"):
        cutoff("2030-nowhere", {"race": utc(2030, 1, 1)}, Stage.PRE_RACE)


def test_sessions_of_an_event_are_in_order(reader: Reader) -> None:
    found = sessions(reader, "2025-china")
    assert found["session"].to_list() == ["practice_1", "sprint_qualifying", "sprint", "qualifying", "race"]
    assert found["starts_at"].is_sorted()
    assert found["known_at"].dtype == pl.Datetime("us", "UTC")


def test_all_lines_of_a_session_are_known_together(reader: Reader) -> None:
    """Gaps and ranks are made of a session's lines before the gate: that is right only while they share one instant."""
    for table in ("race_results", "qualifying_results", "practice_results", "starting_grids"):
        mixed = reader.query(
            f"select event_id, session from {table} group by all having count(distinct known_at) > 1"
        )
        assert mixed.is_empty(), table
