"""Each oddity that the archive's README lists is handled on purpose."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from warehouse.reader import Reader


def rows(reader: Reader, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    return reader.query(sql, params).rows()


def one(reader: Reader, sql: str, **params: Any) -> tuple[Any, ...]:
    found = rows(reader, sql, **params)
    assert len(found) == 1
    return found[0]


# --- the calendar -----------------------------------------------------------------------------------------------------


def test_turkey_2021_was_a_week_later_than_the_source_says(reader: Reader) -> None:
    date, round_ = one(reader, "select race_date, round from events where event_id = '2021-turkey'")
    assert (date, round_) == (dt.date(2021, 10, 10), 16)
    assert one(
        reader, "select starts_at from sessions where event_id = '2021-turkey' and session = 'race'"
    ) == (dt.datetime(2021, 10, 10, 12, tzinfo=dt.UTC),)
    # It is known after Russia (26 September) and before the United States (24 October).
    order = rows(
        reader,
        "select distinct event_id, known_at from race_results where session = 'race' and season = 2021 "
        "and event_id in ('2021-russia', '2021-turkey', '2021-united-states') order by known_at",
    )
    assert [event for event, _ in order] == ["2021-russia", "2021-turkey", "2021-united-states"]


def test_bahrain_2026_is_back_as_round_16_in_malaysia(reader: Reader) -> None:
    """Only the recorded schedule of August 2026 lists it; from there on the sources' rounds differ by one."""
    event = reader.query("select * from events where event_id = '2026-bahrain'").row(0, named=True)
    assert event["round"] == 16
    assert event["circuit_id"] == "sepang"
    assert event["source"] == "schedule"
    assert event["source_race_id"] is None
    assert event["status"] == "scheduled"
    assert event["race_date"] == dt.date(2026, 10, 4)
    later = rows(
        reader,
        "select event_id, round, source_round from events where season = 2026 and round > 16 order by round",
    )
    assert [(round_, source) for _, round_, source in later] == [(n, n - 1) for n in range(17, 24)]
    assert later[0][0] == "2026-singapore"
    assert later[-1][0] == "2026-abu-dhabi"
    before = rows(
        reader, "select round, source_round from events where season = 2026 and round < 16 order by round"
    )
    assert before == [(n, n) for n in range(1, 16)]


def test_sessions_of_2026_belong_to_their_event_not_to_their_round(reader: Reader) -> None:
    singapore = one(
        reader, "select starts_at from sessions where event_id = '2026-singapore' and session = 'race'"
    )
    assert singapore == (dt.datetime(2026, 10, 11, 12, tzinfo=dt.UTC),)
    assert rows(reader, "select circuit_id from events where event_id = '2026-spain'") == [("madring",)]
    assert rows(reader, "select circuit_id from events where event_id = '2026-barcelona-catalunya'") == [
        ("catalunya",)
    ]


def test_what_is_to_come_has_no_results(reader: Reader) -> None:
    held = dict(rows(reader, "select status, count(*) from events where season = 2026 group by status"))
    assert held == {"held": 8, "scheduled": 15}
    assert one(reader, "select count(*) from events where status = 'held'") == (1157,)
    assert one(
        reader,
        "select count(*) from race_results inner join events using (event_id) where events.status <> 'held'",
    ) == (0,)


def test_las_vegas_is_dated_by_utc(reader: Reader) -> None:
    assert one(reader, "select race_date from events where event_id = '2024-las-vegas'") == (
        dt.date(2024, 11, 24),
    )


# --- laps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "last", "driven", "count"),
    [("2018-canada", 68, 70, 21), ("2019-japan", 52, 53, 5), ("2021-belgium", 1, 3, 40)],
)
def test_laps_after_the_result_stay_but_are_marked(
    reader: Reader, event: str, last: int, driven: int, count: int
) -> None:
    laps = reader.query(
        "select lap_number, is_after_result from laps where event_id = $event and session = 'race'",
        {"event": event},
    )
    late = laps.filter(pl.col("is_after_result"))
    assert late.height == count
    assert late["lap_number"].min() == last + 1
    assert laps["lap_number"].max() == driven
    assert laps.filter(~pl.col("is_after_result"))["lap_number"].max() == last
    stints = reader.query("select max(last_lap) from stints where event_id = $event", {"event": event})
    assert (stints.item() or 0) <= last, "nothing is computed from them"
    others = one(
        reader,
        "select count(*) from laps where is_after_result and event_id not in ('2018-canada', '2019-japan', '2021-belgium') "
        "and not is_generated",
    )
    assert others == (0,)


def test_belgium_2021_counts_as_the_one_lap_of_its_result(reader: Reader) -> None:
    summary = reader.query(
        "select * from session_summaries where event_id = '2021-belgium' and session = 'race'"
    ).row(0, named=True)
    assert summary["laps_completed"] == 1
    assert summary["is_shortened"] is True
    assert (summary["count_laps_timed"], summary["count_laps_expected"]) == (20, 20)
    assert summary["is_wet"] is True


def test_generated_laps_are_marked_in_every_season(reader: Reader) -> None:
    """Also where the feed's own flag is missing: no time and no position means FastF1 added the lap."""
    by_season = dict(
        rows(reader, "select season, count(*) from laps where is_generated group by season order by season")
    )
    assert set(by_season) == set(range(2018, 2027))
    assert one(
        reader,
        "select count(*) from laps where not is_generated and lap_time_s is null and position is null "
        "and season in (2018, 2019, 2020, 2021, 2022)",
    ) == (0,)
    # The feed knows the place of a car that crashed in lap 1 and yet not its lap.
    assert one(
        reader, "select count(*) from laps where is_generated and position is not null and lap_number > 1"
    ) == (0,)
    # 2023 Italy: a generated lap after the flag, not a 52nd lap of 51.
    assert one(
        reader,
        "select count(*) from laps where event_id = '2023-italy' and lap_number = 52 and not is_generated",
    ) == (0,)


def test_austria_2020_lost_laps_after_the_eighth(reader: Reader) -> None:
    notes = rows(
        reader,
        "select lap_number_note, min(lap_number), max(lap_number) from laps "
        "where event_id = '2020-austria' group by 1 order by 1",
    )
    assert notes == [("exact", 1, 8), ("too_low", 9, 68)]
    assert one(
        reader, "select laps from race_results where event_id = '2020-austria' and display_order = 1"
    ) == (71,), "the official count stays"


def test_bahrain_2018_one_cars_numbers_are_mended(reader: Reader) -> None:
    """The feed lost Stroll's lap 11 (222 s between two laps of 97 s); from there on his numbers were one too low."""
    stroll = reader.query(
        "select lap_number, lap_number_note, lap_time_s, lap_end_session_s from laps "
        "where event_id = '2018-bahrain' and driver_code = 'STR' order by lap_number"
    )
    assert stroll["lap_number"].to_list() == [*range(1, 11), *range(12, 57)]
    assert stroll.filter(pl.col("lap_number_note") == "corrected")["lap_number"].to_list() == [*range(12, 57)]
    assert one(
        reader,
        "select laps from race_results where event_id = '2018-bahrain' and car_number = '18' and session = 'race'",
    ) == (56,)
    steps = stroll.with_columns(
        laps=pl.col("lap_number").diff(), seconds=pl.col("lap_end_session_s").diff()
    ).drop_nulls()
    pace = steps["seconds"] / steps["laps"]
    assert pace.filter(steps["lap_number"] == 12).item() == pytest.approx(111.2, abs=0.1), (
        "a pit stop is in it"
    )
    assert (pace < 130).all(), "each number is a lap of about the same time"


def test_monaco_2024_counts_one_lap_less_and_says_so(reader: Reader) -> None:
    notes, last, first_s = one(
        reader,
        "select list(distinct lap_number_note), max(lap_number), max(lap_time_s) filter (where lap_number = 1) "
        "from laps where event_id = '2024-monaco'",
    )
    assert notes == ["offset_after_restart"]
    assert last == 77
    assert 2500 < first_s < 2530
    assert one(
        reader, "select laps from race_results where event_id = '2024-monaco' and display_order = 1"
    ) == (78,)


def test_the_lap_that_stood_twice_is_two_laps(reader: Reader) -> None:
    laps = rows(
        reader,
        "select lap_number, lap_number_note from laps where event_id = '2025-miami' and session = 'sprint' "
        "and driver_code = 'TSU' order by lap_end_session_s",
    )
    assert [number for number, _ in laps] == list(range(1, len(laps) + 1))
    assert laps[1] == (2, "corrected")
    assert [note for _, note in laps].count("corrected") == 1


def test_unknown_compounds_stay_unknown(reader: Reader) -> None:
    found = rows(
        reader,
        "select season, session, count(*) from laps where compound = 'unknown' group by all order by season",
    )
    assert found == [(2018, "race", 344), (2021, "race", 39), (2024, "sprint", 12)]
    # Unknown is neither wet nor dry: Belgium 2021 is wet by its 21 known laps.
    assert one(reader, "select wet_lap_share from session_summaries where event_id = '2021-belgium'") == (
        1.0,
    )
    assert one(
        reader, "select count(*) from laps where compound = 'unknown' and compound_name <> 'unknown'"
    ) == (0,)


def test_missing_tyre_ages_stay_missing(reader: Reader) -> None:
    found = rows(
        reader,
        "select event_id, session, count(*), count(distinct car_number) from laps "
        "where tyre_life_laps is null and season >= 2025 group by all order by event_id",
    )
    assert found == [
        ("2025-belgium", "race", 75, 5),
        ("2025-miami", "race", 71, 3),
        ("2026-barcelona-catalunya", "race", 21, 1),
    ]


def test_compounds_of_2018_keep_the_names_of_that_year(reader: Reader) -> None:
    names = {
        season: set(found)
        for season, found in rows(
            reader, "select season, list(distinct compound_name) from laps group by season"
        )
    }
    assert {"hypersoft", "ultrasoft", "supersoft", "soft", "medium"} <= names[2018]
    assert all({"C3", "intermediate"} <= names[season] for season in range(2019, 2026))
    assert not any(name.startswith("C") for name in names[2018])
    assert rows(
        reader,
        "select compound, compound_name from compound_nominations where event_id = '2018-australia' order by 1",
    ) == [("hard", "soft"), ("medium", "supersoft"), ("soft", "ultrasoft")]


def test_event_names_changed_over_the_years(reader: Reader) -> None:
    """Brazilian and São Paulo, Mexican and Mexico City, Spanish and Barcelona: each lap is with its event."""
    found = {event for (event,) in rows(reader, "select distinct event_id from laps where session = 'race'")}
    assert {"2019-brazil", "2021-sao-paulo", "2019-mexico", "2021-mexico", "2025-spain"} <= found
    assert {"2026-barcelona-catalunya", "2020-70th-anniversary", "2020-sakhir"} <= found
    assert not {"2020-brazil", "2021-brazil", "2019-sao-paulo", "2026-spain"} & found


def test_the_gaps_of_the_lap_files(reader: Reader) -> None:
    missing = rows(
        reader,
        "select event_id from session_summaries where season >= 2018 and not has_laps order by event_id",
    )
    assert [event for (event,) in missing] == [
        "2024-abu-dhabi",
        "2024-las-vegas",
        "2024-mexico",
        "2024-qatar",
        "2024-sao-paulo",
        "2024-united-states",
        "2025-abu-dhabi",
        "2025-las-vegas",
        "2025-qatar",
    ]
    unknown = reader.query(
        "select wet_lap_share, is_wet, count_safety_cars, count_red_flags, count_laps_timed "
        "from session_summaries where not has_laps"
    )
    assert unknown.null_count().row(0) == (unknown.height,) * 5, "not known is not zero"
    counts = rows(reader, "select session, count(*) from laps group by session order by session")
    assert counts == [("race", 189238), ("sprint", 10483)]
    sprints = rows(
        reader,
        "select season, count(distinct event_id) from laps where session = 'sprint' group by 1 order by 1",
    )
    assert sprints == [(2021, 3), (2022, 3), (2023, 6), (2024, 6), (2025, 6), (2026, 3)]


def test_full_columns_only_where_the_archive_has_them(reader: Reader) -> None:
    """Sector times: all of a season's first races from 2023 on, none in 2018-2022 races."""
    full = rows(
        reader,
        "select season, count(distinct event_id) from laps where session = 'race' and sector_1_s is not null "
        "group by season order by season",
    )
    assert full == [(2023, 10), (2024, 11), (2025, 11), (2026, 8)]
    assert one(
        reader, "select count(*) from laps where is_deleted and season <= 2022 and session = 'race'"
    ) == (0,)


def test_wet_races_and_neutralisations_are_those_people_remember(reader: Reader) -> None:
    wet = {
        event
        for (event,) in rows(
            reader, "select event_id from session_summaries where is_wet and session = 'race'"
        )
    }
    assert {
        "2018-germany",
        "2019-germany",
        "2020-turkey",
        "2021-belgium",
        "2022-japan",
        "2023-netherlands",
    } <= wet
    assert not {"2018-abu-dhabi", "2019-bahrain", "2023-bahrain", "2025-bahrain"} & wet
    stopped = {
        event
        for (event,) in rows(
            reader, "select event_id from session_summaries where count_red_flags > 0 and session = 'race'"
        )
    }
    assert {"2020-bahrain", "2020-italy", "2020-tuscany", "2021-saudi-arabia", "2023-australia"} <= stopped
    assert one(
        reader,
        "select count_safety_cars > 0 from session_summaries where event_id = '2021-abu-dhabi' and session = 'race'",
    ) == (True,)
