"""Recorded FastF1 sessions: all are found, and what they hold is as the archive says."""

from __future__ import annotations

import datetime as dt
import errno
import logging
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import requests

from f1core.settings import Settings, load_settings
from f1core.sources.bundle import PARTS, Bundle, bundle_folder, list_bundles, read_bundle
from f1core.sources.recorded import SessionRef, archive_event_names, recorded_sessions
from f1core.sources.timing import event_names, fetch_session, stored_session
from f1core.sources.timing_process import Reading, Remarks
from f1core.sources.timing_request import INCOMPLETE, NO_LAPS, UNOFFICIAL, TimingRequest
from tests.archive_readme import bundle_counts, readme_counts
from tests.small_fastf1_archive import BAHRAIN, small_archive
from warehouse.errors import NotPublished, SourceError, SourceUnavailable, UnsafeCache, WarehouseError
from warehouse.vocab import SessionKind

SPRINT = SessionRef("2023-azerbaijan", SessionKind.SPRINT)
WITHOUT_LAPS = SessionRef("2021-bahrain", SessionKind.RACE)


@pytest.fixture(scope="module")
def data(recorded_data: Path) -> Settings:
    """Some recorded sessions, fetched."""
    return load_settings(data=recorded_data)


@pytest.fixture(scope="module")
def bahrain(data: Settings) -> Bundle:
    return read_bundle(bundle_folder(data.fetched_root, BAHRAIN.event_id, BAHRAIN.session))


@pytest.fixture(scope="module")
def sprint(data: Settings) -> Bundle:
    return read_bundle(bundle_folder(data.fetched_root, SPRINT.event_id, SPRINT.session))


# --- what is there ------------------------------------------------------------------------------------------------------


def test_the_recorded_sessions_are_those_of_the_readme(archive: Path) -> None:
    listed = readme_counts(archive, archive_event_names(archive))
    found = recorded_sessions(archive)
    assert len(found) == len(set(found)) == 35
    assert set(found) == set(listed)
    # Two seasons apart from each other, by date and not by name or round.
    assert found.index(SessionRef("2021-italy", SessionKind.PRACTICE_2)) < found.index(SPRINT)


def test_an_archive_without_a_fastf1_cache_has_no_recorded_sessions(tmp_path: Path) -> None:
    assert recorded_sessions(tmp_path) == []


def test_sessions_whose_schedule_is_damaged_are_not_passed_over_in_silence(
    archive: Path, tmp_path: Path
) -> None:
    small = small_archive(archive, tmp_path)
    schedule = next(
        p for p in (small / "fastf1-cache/http_cache").iterdir() if "schedule_2023.json" in p.read_text()
    )
    text = schedule.read_text()
    schedule.unlink()
    schedule.write_text(text[: len(text) // 2])
    with pytest.raises(UnsafeCache, match=f"2023 cannot be found: {schedule.name}"):
        recorded_sessions(small)


def test_a_name_that_no_grand_prix_answers_to_is_an_error(archive: Path) -> None:
    names = archive_event_names(archive)
    del names["mexico city grand prix"]
    with pytest.raises(SourceError, match=r"Mexico City Grand Prix \(2021\)"):
        recorded_sessions(archive, names)


def test_names_come_from_the_warehouse_else_from_the_archive(data: Settings, archive: Path) -> None:
    assert event_names(data, archive) == archive_event_names(archive)
    assert event_names(data, archive)["são paulo grand prix"] == "sao-paulo"
    with pytest.raises(WarehouseError, match="no warehouse"):
        event_names(data)


# --- what they hold -----------------------------------------------------------------------------------------------------


def test_counts_are_those_of_the_readme(archive: Path, data: Settings) -> None:
    """Of the sessions that tests share; ``benchmarks/sources.py`` reads all 35."""
    listed = readme_counts(archive, archive_event_names(archive))
    bundles = list_bundles(data.fetched_root)
    assert len(bundles) >= 4
    for bundle in bundles:
        ref = SessionRef(bundle.meta.event_id, bundle.meta.session)
        assert bundle_counts(bundle) == listed[ref], ref


def test_qualifying_is_normalised(bahrain: Bundle) -> None:
    assert bahrain.meta.event_name == "Bahrain Grand Prix"
    assert bahrain.meta.origin == "recorded"
    assert bahrain.meta.starts_at == dt.datetime(2023, 3, 4, 15, tzinfo=dt.UTC)
    assert UNOFFICIAL in bahrain.meta.problems  # the archive lacks jolpica's answer for it
    results = bahrain.part("results")
    pole = results.filter(pl.col("position") == 1).row(0, named=True)
    assert (pole["car_number"], pole["driver_code"], pole["q3_s"]) == ("1", "VER", 89.708)
    assert pole["classified_position"] == "1"
    assert results["q3_s"].null_count() == 11  # Leclerc to Hülkenberg; nine set a time
    assert results.filter(pl.col("q2_s") == 0).is_empty()
    assert results["source_driver_id"].is_null().all()  # missing, not an empty text
    laps = bahrain.part("laps")
    timed = laps.filter(pl.col("lap_time_s").is_not_null())
    assert timed["lap_time_s"].min() == 89.708
    whole = timed.drop_nulls(["sector_1_s", "sector_2_s", "sector_3_s"])
    sums = whole["sector_1_s"] + whole["sector_2_s"] + whole["sector_3_s"]
    assert ((sums - whole["lap_time_s"]).abs() < 0.0015).mean() > 0.97
    assert (laps["speed_trap_kph"].drop_nulls() > 0).all()
    assert set(laps["compound"]) == {"SOFT", "MEDIUM"}
    assert bahrain.part("session_status")["status"].to_list().count("Started") == 4  # one red flag
    assert "5" in bahrain.part("track_status")["status"].to_list()
    weather = bahrain.part("weather")
    assert weather["air_temperature_celsius"].is_between(20, 30).all()
    first = bahrain.part("race_control").row(1, named=True)
    assert first["message"] == "GREEN LIGHT - PIT EXIT OPEN"
    assert first["sent_at"] == dt.datetime(2023, 3, 4, 15, tzinfo=dt.UTC)
    assert first["car_number"] is None


def test_a_sprint_keeps_marks_and_missing_drivers(sprint: Bundle) -> None:
    by_code = {row["driver_code"]: row for row in sprint.part("results").iter_rows(named=True)}
    assert by_code["PER"]["time_s"] == pytest.approx(1997.667)
    assert by_code["PER"]["points"] == 8.0
    assert by_code["TSU"]["classified_position"] == "R"
    assert by_code["SAR"]["position"] is None  # crashed in the shootout and did not start
    assert "No weather." in sprint.meta.problems
    assert "FastF1: No lap data for driver 2" in sprint.meta.problems
    laps = sprint.part("laps")
    assert laps["is_deleted"].is_null().all()  # nobody knows: there are no messages
    assert sprint.part("weather").schema == pl.Schema(PARTS["weather"])
    assert not sprint.has("weather")


@pytest.mark.slow
def test_a_race_without_timing_says_so(archive: Path, tmp_path: Path) -> None:
    bundle = fetch_session(load_settings(data=tmp_path), WITHOUT_LAPS, archive=archive, network=False)
    assert bundle_counts(bundle) == readme_counts(archive, archive_event_names(archive))[WITHOUT_LAPS]
    assert NO_LAPS in bundle.meta.problems
    assert bundle.part("results")["laps"].max() == 56


def test_a_session_that_is_here_is_not_read_again(data: Settings, archive: Path, bahrain: Bundle) -> None:
    again = fetch_session(data, BAHRAIN, archive=archive, network=False, timeout_s=0.2)
    assert again.meta == bahrain.meta
    assert not list((data.cache_root / "timing").iterdir())  # the work folder is gone


def test_a_damaged_bundle_counts_as_none(
    data: Settings, archive: Path, bahrain: Bundle, tmp_path: Path
) -> None:
    other = load_settings(data=tmp_path)
    folder = other.fetched_root / "sessions" / "2023-bahrain" / "qualifying"
    shutil.copytree(bahrain.folder, folder)
    assert stored_session(other, BAHRAIN, archive=None) is not None
    laps = folder / "laps.parquet"
    laps.write_bytes(laps.read_bytes()[:-100])
    assert stored_session(other, BAHRAIN, archive=None) is None
    # What came with an archive is used where nothing was fetched.
    assert stored_session(other, BAHRAIN, archive=data.fetched_root) is not None


def test_a_session_that_is_not_recorded_needs_the_network(data: Settings, archive: Path) -> None:
    with pytest.raises(SourceUnavailable, match="2023-bahrain practice_1 is not recorded"):
        fetch_session(
            data, SessionRef("2023-bahrain", SessionKind.PRACTICE_1), archive=archive, network=False
        )
    with pytest.raises(SourceError, match="no session before 2018"):
        fetch_session(data, SessionRef("1997-europe", SessionKind.QUALIFYING), archive=archive, network=True)


# --- in the child, without one ----------------------------------------------------------------------------------------


def reading(tmp_path: Path, ref: SessionRef, names: tuple[str, ...] = (), **more: Any) -> Reading:
    given: dict[str, Any] = {"archive": "", "cache": str(tmp_path), "telemetry": False, "refresh": False}
    request = TimingRequest(
        event_id=ref.event_id,
        session=ref.session.value,
        event_names=names,
        quota="",
        offline=False,
        retries=0,
        now=dt.datetime(2023, 4, 29, 12, tzinfo=dt.UTC),
        work="",
        out="",
        answer="",
        parent=0,
        **{**given, **more},
    )
    assert TimingRequest.read(request.write()) == request
    made = Reading(request)
    made.requests = SimpleNamespace(error=None)
    return made


def schedule_of(*events: tuple[str, tuple[str, ...]]) -> pd.DataFrame:
    from fastf1.events import EventSchedule

    rows = [
        {"EventName": name, "F1ApiSupport": True, "EventDate": pd.Timestamp(2023, 4, 30)}
        | {f"Session{n}": session for n, session in enumerate(sessions, 1)}
        | {f"Session{n}Date": pd.Timestamp(2023, 4, 29, 10, tz="UTC") for n in range(1, 6)}
        | {f"Session{n}DateUtc": pd.Timestamp(2023, 4, 29, 10) for n in range(1, 6)}
        for name, sessions in events
    ]
    return EventSchedule(pd.DataFrame(rows), year=2023, _force_default_cols=True)


WEEKEND = ("Practice 1", "Qualifying", "Sprint Shootout", "Sprint", "Race")


def test_events_are_found_by_their_whole_name_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fastf1

    schedule = schedule_of(("Azerbaijan Grand Prix", WEEKEND), ("Mexico City Grand Prix", WEEKEND))
    monkeypatch.setattr(fastf1, "get_event_schedule", lambda *_, **__: schedule)
    baku = ("azerbaijan grand prix",)
    found = reading(tmp_path, SessionRef("2023-azerbaijan", SessionKind.SPRINT_QUALIFYING), baku)._find()
    assert (found.event["EventName"], found.name) == ("Azerbaijan Grand Prix", "Sprint Shootout")
    with pytest.raises(SourceError, match="2023-azerbaijan has no practice 3 .* Practice 1, Qualifying"):
        reading(tmp_path, SessionRef("2023-azerbaijan", SessionKind.PRACTICE_3), baku)._find()
    # FastF1's own search would take each of these for Mexico City.
    for near in ("mexico", "mexic city grand prix", "mexican grand prix"):
        with pytest.raises(SourceError, match="lists 0 events that are 2023-mexico"):
            reading(tmp_path, SessionRef("2023-mexico", SessionKind.RACE), (near,))._find()

    def none(*_: Any, **__: Any) -> None:
        raise ValueError("Failed to load any schedule data.")

    monkeypatch.setattr(fastf1, "get_event_schedule", none)
    with pytest.raises(NotPublished, match="no schedule of 2023"):
        reading(tmp_path, SessionRef("2023-mexico", SessionKind.RACE), ("mexico city grand prix",))._find()


def session_with(statuses: tuple[str, ...], laps: int, driver_id: str = "perez") -> SimpleNamespace:
    """What FastF1 leaves in a session after loading."""
    seconds = pd.to_timedelta(range(len(statuses)), unit="s")
    session = SimpleNamespace(
        api_path="/static/2023/2023-04-30_Azerbaijan_Grand_Prix/2023-04-29_Sprint/",
        _results=pd.DataFrame({"DriverNumber": ["11"], "DriverId": [driver_id], "Position": [1.0]}),
        _session_status=pd.DataFrame({"Time": seconds, "Status": list(statuses)}),
    )
    if laps:
        session._laps = pd.DataFrame({"DriverNumber": ["11"] * laps, "LapNumber": np.arange(laps) + 1.0})
    return session


STARTED = dt.datetime(2023, 4, 29, 9, 30, tzinfo=dt.UTC)


def test_a_session_to_come_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = reading(tmp_path, SPRINT)  # at twelve
    monkeypatch.setattr(soon, "_open", lambda: None)
    monkeypatch.setattr(soon, "_find", lambda: SimpleNamespace(date=pd.Timestamp(2023, 4, 29, 12, 1)))
    with pytest.raises(NotPublished, match="2023-azerbaijan sprint starts at 2023-04-29 12:01 UTC"):
        soon.run()  # and no further: there is nothing else to ask


def test_a_session_that_is_not_over_is_not_kept(tmp_path: Path) -> None:
    half = tmp_path / "2023/2023-04-30_Azerbaijan_Grand_Prix/2023-04-29_Sprint/_extended_timing_data.ff1pkl"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half a session")
    with pytest.raises(NotPublished, match="2023-azerbaijan sprint is not over"):
        reading(tmp_path, SPRINT)._parts(session_with(("Inactive", "Started", "Aborted"), laps=8), STARTED)
    assert not half.exists()
    with pytest.raises(NotPublished, match="no laps of 2023-azerbaijan sprint yet"):
        reading(tmp_path, SPRINT)._parts(session_with(("Started", "Finalised"), laps=0), STARTED)


def test_what_may_still_come_is_told_from_what_will_not(tmp_path: Path) -> None:
    over = ("Started", "Finished", "Finalised")
    recent = reading(tmp_path, SPRINT)
    parts = recent._parts(session_with(over, laps=17, driver_id=""), STARTED)
    assert set(parts) == {"results", "laps", "session_status"}
    assert parts["laps"]["lap_number"].to_list() == list(range(1, 18))
    assert recent.problems == [
        UNOFFICIAL,
        "No weather.",
        "No race control messages.",
        "No track status.",
        INCOMPLETE,
    ]
    old = reading(tmp_path, SPRINT)
    old._parts(session_with(("Started",), laps=0), STARTED - dt.timedelta(days=4))
    assert NO_LAPS in old.problems and INCOMPLETE not in old.problems
    with pytest.raises(SourceError, match="neither laps nor results of 2023-azerbaijan sprint"):
        nothing = SimpleNamespace(api_path="")
        reading(tmp_path, SPRINT)._parts(nothing, STARTED - dt.timedelta(days=4))


def test_weather_that_a_message_lacks_is_missing_and_not_zero() -> None:
    from f1core.sources.timing_parts import session_parts

    frame = pd.DataFrame(
        {
            "Time": pd.to_timedelta([60, 120, 180], unit="s"),
            "AirTemp": [24.7, 0.0, 0.0],
            "TrackTemp": [29.8, 0.0, 30.0],
            "Humidity": [17.0, 0.0, 20.0],
            "Pressure": [1017.5, 0.0, 1016.0],
            "WindSpeed": [0.0, 0.0, 1.2],
            "WindDirection": [0, 0, 338],
            "Rainfall": [False, False, True],
        }
    )
    rows = session_parts(SimpleNamespace(_weather_data=frame))["weather"].drop("is_raining").rows()
    assert rows == [
        (60.0, 24.7, 29.8, 17.0, 1017.5, 0.0, 0),
        (120.0, None, None, None, None, None, None),
        (180.0, 0.0, 30.0, 20.0, 1016.0, 1.2, 338),  # frost is a temperature
    ]


def test_remarks_are_told_once_and_their_reasons_kept() -> None:
    remarks = Remarks()
    log = logging.Logger("fastf1.test")
    log.addHandler(remarks)
    for car in (4, 81):
        log.warning("Fixed incorrect tyre stint information for driver '%s'", car)
    log.warning("Failed to load timing data!")
    log.debug("Traceback for failure in lap timing data", exc_info=KeyError("Stint"))
    remarks.check()
    log.warning("Offline mode is enabled but no cached response is available for 'x'")
    assert remarks.words() == [
        "FastF1: Fixed incorrect tyre stint information for driver '4' (and 1 more like it)",
        "FastF1: Traceback for failure in lap timing data: KeyError: 'Stint'",
    ]


def test_a_disk_that_refuses_is_no_missing_part() -> None:
    # FastF1 passes over a file that it cannot write, and over the part with it.
    remarks = Remarks()
    log = logging.Logger("fastf1.test")
    log.addHandler(remarks)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/cache/weather_data.ff1pkl")
    log.debug("Traceback for failure in weather data", exc_info=full)
    with pytest.raises(WarehouseError, match="/cache/weather_data.ff1pkl cannot be used: No space left"):
        remarks.check()
    other = Remarks()
    log.addHandler(other)
    log.debug(
        "Traceback for failure in weather data", exc_info=requests.exceptions.ConnectionError("no route")
    )
    other.check()  # the network has a record of its own
