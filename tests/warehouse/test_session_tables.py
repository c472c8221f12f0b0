"""The session tables: what a bundle becomes, replaced session by session, and what a bad one leaves untouched."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from f1core.session_tables import publish_sessions
from f1core.sources.bundle import Bundle, read_bundle
from f1core.workspace import Workspace
from tests.conftest import equal_frames, workspace_of
from tests.made_up_sessions import LOADED_AT, MadeUpSession, lap_samples
from tests.made_up_weekend import DRIVERS
from warehouse.errors import LockHeld, NotReady, SourceError
from warehouse.lock import writer_lock
from warehouse.queries.sessions import (
    lap_telemetry,
    race_control,
    session_laps,
    session_loads,
    session_weather,
    telemetry_laps,
)
from warehouse.tables import TABLES
from warehouse.tables.sessions import SESSION_TABLES
from warehouse.validate import validate
from warehouse.vocab import SessionKind

EVENT, OTHER = "2024-lakeland", "2024-harbour"
P1, Q = SessionKind.PRACTICE_1, SessionKind.QUALIFYING
ADA, BO, CY = DRIVERS[:3]


@pytest.fixture
def work(tiny_data: Path, tmp_path: Path) -> Iterator[Workspace]:
    found = workspace_of(Path(shutil.copytree(tiny_data, tmp_path / "data")))
    yield found
    found.reader.close()


def practice(event: str = EVENT) -> MadeUpSession:
    made = MadeUpSession(event, P1).run(ADA, [90.0, 90.5]).run(BO, [91.0], compound="INTERMEDIATE")
    made.weather = [
        {"session_s": 30.0, "air_temperature_celsius": 21.5, "humidity_pct": 40.0, "is_raining": False}
    ]
    return made


def qualifying() -> MadeUpSession:
    made = MadeUpSession(EVENT, Q).run(ADA, [88.0]).run(BO, [88.5])
    made.telemetry = [*lap_samples(ADA, 2, 1000.0, 88.0), *lap_samples(BO, 2, 1100.0, 88.5)]
    made.race_control = [
        {
            "sent_at": dt.datetime(2024, 4, 6, 14, 5, tzinfo=dt.UTC),
            "category": "Flag",
            "flag": "RED",
            "message": "RED FLAG",
        },
        {"category": "Other", "car_number": "2", "message": "CAR 2 (BER) TIME 1:28.500 DELETED"},
    ]
    return made


def everything(work: Workspace) -> dict[str, pl.DataFrame]:
    return {table.name: work.reader.table(table.name).sort(table.key) for table in SESSION_TABLES}


def test_a_bundle_in_the_words_of_the_warehouse(work: Workspace, tmp_path: Path) -> None:
    rows = publish_sessions(work, [practice().write(tmp_path), qualifying().write(tmp_path)])
    assert rows["session_laps"] == 4 + 3 + 3 + 3
    tables = everything(work)
    laps = tables["session_laps"].filter(pl.col("session") == "practice_1")
    ada = laps.filter(pl.col("driver_id") == ADA).sort("lap_number")
    assert ada["constructor_id"].unique().to_list() == ["aurora"]
    assert ada["compound"].unique().to_list() == ["soft"]
    assert ada["is_out_lap"].to_list() == [True, False, False, False]
    assert ada["is_in_lap"].to_list() == [False, False, False, True]
    assert ada["lap_time_s"].to_list() == [None, 90.0, 90.5, None]
    assert laps["known_at"].unique().to_list() == [dt.datetime(2024, 4, 5, 12, 30, tzinfo=dt.UTC)], (
        "the session's own"
    )
    assert laps["season"].unique().to_list() == [2024]
    control = tables["race_control"].filter(pl.col("session") == "qualifying").sort("message_number")
    assert control["driver_id"].to_list() == [None, BO]
    assert control["sent_at"][0] == dt.datetime(2024, 4, 6, 14, 5, tzinfo=dt.UTC)
    load = tables["session_loads"].filter(pl.col("session") == "qualifying").row(0, named=True)
    assert (load["source"], load["origin"], load["loaded_at"]) == ("fastf1", "recorded", LOADED_AT)
    assert (load["count_laps"], load["count_timed_laps"], load["count_cars"]) == (6, 2, 2)
    assert (load["count_telemetry_laps"], load["count_telemetry_samples"]) == (2, 352 + 354)
    assert load["problems"] is None
    for table in SESSION_TABLES:
        parents = {name: work.reader.table(name).to_arrow() for name in ("events", "drivers", "constructors")}
        validate(table, work.reader.table(table.name).to_arrow(), parents)


def test_publishing_again_changes_nothing_and_a_newer_version_only_itself(
    work: Workspace, tmp_path: Path
) -> None:
    bundles = [practice().write(tmp_path), qualifying().write(tmp_path), practice(OTHER).write(tmp_path)]
    publish_sessions(work, bundles)
    before, snapshot = everything(work), work.reader.snapshot
    assert publish_sessions(work, bundles)["session_laps"] == 20
    assert work.reader.snapshot == snapshot, "nothing was written"
    shorter = (
        MadeUpSession(EVENT, P1)
        .run(ADA, [89.0])
        .write(tmp_path / "new", loaded_at=LOADED_AT + dt.timedelta(hours=1))
    )
    publish_sessions(work, [shorter])
    after = everything(work)
    for name, rows in after.items():
        own = (pl.col("event_id") == EVENT) & (pl.col("session") == "practice_1")
        assert equal_frames(rows.filter(~own), before[name].filter(~own)), f"other sessions of {name} stay"
    laps = session_laps(work.reader, EVENT, "practice_1")
    assert laps["lap_time_s"].drop_nulls().to_list() == [89.0]
    assert session_weather(work.reader, EVENT, "practice_1").is_empty(), (
        "what the newer version lacks is gone"
    )
    assert work.reader.snapshot.versions["telemetry"] == snapshot.versions["telemetry"], (
        "a table without change is left"
    )
    assert publish_sessions(work, []) == {table.name: 0 for table in SESSION_TABLES}


def test_facts_are_left_alone(work: Workspace, tmp_path: Path) -> None:
    before = work.reader.snapshot
    publish_sessions(work, [practice().write(tmp_path)])
    after = work.reader.snapshot
    names = {table.name for table in SESSION_TABLES}
    assert {k: v for k, v in after.versions.items() if k not in names} == dict(before.versions)
    assert after.notes == before.notes, "features of the history stay valid"


def damaged(bundle: Bundle) -> Bundle:
    path = bundle.folder / "laps.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return read_bundle(bundle.folder)


def test_a_damaged_session_publishes_nothing(work: Workspace, tmp_path: Path) -> None:
    publish_sessions(work, [practice(OTHER).write(tmp_path)])
    before, snapshot = everything(work), work.reader.snapshot
    with pytest.raises(SourceError, match="is damaged"):
        publish_sessions(work, [practice().write(tmp_path), damaged(qualifying().write(tmp_path))])
    assert work.reader.snapshot == snapshot
    assert all(equal_frames(rows, before[name]) for name, rows in everything(work).items())
    publish_sessions(work, [practice().write(tmp_path)])
    assert session_laps(work.reader, EVENT).height == 7, "and the next one is whole"
    assert session_laps(work.reader, OTHER).height == 7


def test_a_session_the_calendar_does_not_know_is_refused(work: Workspace, tmp_path: Path) -> None:
    sprint = MadeUpSession(EVENT, SessionKind.SPRINT).run(ADA, [90.0]).write(tmp_path)
    with pytest.raises(NotReady, match="has no sprint for 2024-lakeland"):
        publish_sessions(work, [sprint])
    assert session_loads(work.reader).is_empty()


def test_one_writer_at_a_time(work: Workspace, tmp_path: Path) -> None:
    with (
        writer_lock(work.settings.locks_root, holder="a long job"),
        pytest.raises(LockHeld, match="a long job"),
    ):
        publish_sessions(work, [practice().write(tmp_path)])
    assert session_loads(work.reader).is_empty()


def test_what_the_feed_gets_wrong_is_told_and_not_carried_on(work: Workspace, tmp_path: Path) -> None:
    made = practice()
    made.laps[1]["speed_trap_kph"] = 900.0
    made.laps[2]["speed_trap_kph"] = 310.0
    made.laps[1]["compound"], made.laps[2]["compound"] = "TEST_UNKNOWN", None
    made.laps[2]["lap_number"] = 2  # counted twice: the feed then goes on with 4
    made.laps.append({**made.laps[-1], "car_number": "99", "driver_code": "XXX", "team_name": "Nobody"})
    made.laps.append({**made.laps[-1], "car_number": None})
    for driver in (ADA, BO):
        made.result(driver)
    made.problems = ("The feed froze.",)
    publish_sessions(work, [made.write(tmp_path)])
    laps = session_laps(work.reader, EVENT)
    ada = laps.filter(pl.col("driver_id") == ADA)
    assert ada["lap_number"].to_list() == [1, 2, 3, 4], "the second lap 2 moved on"
    assert ada["lap_time_s"].to_list() == [None, 90.0, 90.5, None]
    assert ada["speed_trap_kph"].to_list() == [None, None, 310.0, None]
    assert ada["compound"].to_list() == ["soft", "unknown", "unknown", "soft"]
    stranger = laps.filter(pl.col("car_number") == "99")
    assert (
        stranger.height == 1
        and stranger["driver_id"].to_list() == [None] == stranger["driver_name"].to_list()
    )
    load = session_loads(work.reader, EVENT).row(0, named=True)
    assert load["count_unknown_cars"] == 1
    for words in (
        "The feed froze",
        "1 laps renumbered",
        "1 laps without a car left out",
        "session_laps: 1 readings of speed_trap_kph out of range",
        "car 99",
    ):
        assert words in load["problems"]


def test_deletions_are_unknown_without_race_control(work: Workspace, tmp_path: Path) -> None:
    made = practice()
    made.knows_deletions = False
    publish_sessions(work, [made.write(tmp_path)])
    assert session_laps(work.reader, EVENT)["is_deleted"].null_count() == 7
    assert "deleted laps are not marked" in session_loads(work.reader)["problems"][0]


def test_a_session_without_laps_is_loaded_and_says_so(work: Workspace, tmp_path: Path) -> None:
    hollow = MadeUpSession(EVENT, P1, problems=("No laps.",)).result(ADA).write(tmp_path)
    rows = publish_sessions(work, [hollow])
    assert rows["session_laps"] == 0 and rows["session_loads"] == 1
    assert session_loads(work.reader)["problems"].to_list() == ["No laps"]


def test_what_pages_ask(work: Workspace, tmp_path: Path) -> None:
    publish_sessions(work, [practice().write(tmp_path), qualifying().write(tmp_path)])
    laps = session_laps(work.reader, EVENT)
    assert laps["session"].unique(maintain_order=True).to_list() == ["practice_1", "qualifying"], (
        "in order of time"
    )
    assert laps.filter(pl.col("driver_id") == ADA)["driver_name"].unique().to_list() == ["Ada Alm"]
    lines = telemetry_laps(work.reader, EVENT)
    assert lines.select("driver_id", "lap_number", "lap_time_s", "count_samples").rows() == [
        (ADA, 2, 88.0, 352),
        (BO, 2, 88.5, 354),
    ]
    samples = lap_telemetry(work.reader, EVENT, "qualifying", "1", 2)
    assert samples["sample"].to_list() == list(range(1, 353))
    assert samples["session_s"].is_sorted()
    assert lap_telemetry(work.reader, EVENT, "qualifying", "1", 9).is_empty()
    assert race_control(work.reader, EVENT, "qualifying")["message"][0] == "RED FLAG"
    assert session_weather(work.reader, EVENT)["air_temperature_celsius"].to_list() == [21.5]
    assert session_loads(work.reader)["session"].to_list() == ["qualifying", "practice_1"], "newest first"
    assert session_laps(work.reader, "2023-lakeland").is_empty()


def test_rows_are_replaced_by_key_and_other_keys_are_not_even_read(work: Workspace, tmp_path: Path) -> None:
    """The store's own part: an event's rows are replaced in a season that holds others."""
    publish_sessions(work, [practice().write(tmp_path), practice(OTHER).write(tmp_path)])
    table = TABLES["weather"]
    with work.writing("test") as store:
        nothing = table.schema.empty_table()
        keys = [{"event_id": EVENT, "session": "practice_1"}]
        assert store.replace_rows("weather", nothing, season=2024, keys=keys)
        assert not store.replace_rows("weather", nothing, season=2024, keys=keys), "already so"
        assert not store.replace_rows("weather", nothing, season=2023, keys=keys)
        store.publish(now=dt.datetime.now(dt.UTC))
    assert work.reader.table("weather")["event_id"].to_list() == [OTHER]
