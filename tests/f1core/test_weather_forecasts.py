"""Weather forecasts: read as documented, refused when changed, every issue kept with its time and never a later one."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from f1core.clock import Clock
from f1core.rehearsal.marker import mark
from f1core.settings import load_settings
from f1core.sources import open_meteo
from f1core.sources.limits import Quota
from f1core.sources.open_meteo import COLUMNS, SessionTime, Subject
from f1core.weather import ATTRIBUTION, refresh_weather
from f1core.workspace import Workspace
from tests.conftest import ingest_into
from tests.local_server import LocalServer, Reply, Request
from tests.made_up_archive import Championship
from tests.made_up_weather import answer, serve, value
from warehouse.errors import NotPublished, NotReady, SourceError, SourceSchemaError, SourceUnavailable
from warehouse.queries.weather import forecast_issues, latest_forecast

HOUR = dt.timedelta(hours=1)
NEXT, AFTER = "2026-highmoor", "2026-isle"
PATH = "/v1/forecast"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


FRIDAY = utc("2026-06-05T09:10:20.5")
"""The day between the first practice and the race of the next event; the one after it is 15 days off."""
ISSUED = utc("2026-06-05T09:10:21")


@dataclass(frozen=True)
class RealAt(Clock):
    """The machine's clock, as if the machine stood at another time."""

    at_: dt.datetime = FRIDAY

    def now(self) -> dt.datetime:
        return self.at_


@pytest.fixture(scope="module")
def ingested_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of a short season that stands between its second and third race. Read only."""
    folder = tmp_path_factory.mktemp("weather")
    made = Championship.of({2026: 4}, held=2, last_race=dt.date(2026, 6, 20))
    ingest_into(folder / "data", made.write(folder / "archive", schedules=False))
    return folder / "data"


@pytest.fixture
def data(ingested_here: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ingested_here, tmp_path / "data"))


def workspace(data: Path, now: dt.datetime = FRIDAY) -> Workspace:
    return Workspace(load_settings(data=data), RealAt(at_=now))


@pytest.fixture
def url(server: LocalServer) -> str:
    server.routes[PATH] = serve
    return server.url(PATH)


def subject(*times: tuple[str, str, str]) -> Subject:
    sessions = tuple(SessionTime(name, utc(start), utc(end)) for name, start, end in times)
    return Subject(NEXT, 2026, "moor-park", 50.0, 5.0, sessions)


RACE = ("race", "2026-06-06T13:00", "2026-06-06T16:00")
QUALIFYING = ("qualifying", "2026-06-05T14:30", "2026-06-05T15:30")


# --- the answer -------------------------------------------------------------------------------------------------------


def test_one_request_asks_for_the_documented_things(url: str, server: LocalServer, quota: Quota) -> None:
    issue = open_meteo.fetch_issue(subject(QUALIFYING, RACE), quota=quota, now=lambda: FRIDAY, url=url)
    assert [request.query for request in server.requests] == [
        {
            "latitude": "50.0000",
            "longitude": "5.0000",
            "hourly": "temperature_2m,precipitation,precipitation_probability,wind_speed_10m,relative_humidity_2m,cloud_cover",
            "timezone": "UTC",
            "wind_speed_unit": "ms",
            "start_hour": "2026-06-05T14:00",
            "end_hour": "2026-06-06T16:00",
        }
    ]
    rows = open_meteo.rows_of(issue)
    assert rows.select("session", "valid_at").rows() == [
        *(("qualifying", utc(f"2026-06-05T{hour}:00")) for hour in (14, 15, 16)),
        *(("race", utc(f"2026-06-06T{hour}:00")) for hour in (13, 14, 15, 16)),
    ]
    start = rows.row(3, named=True)
    assert start["issued_at"] == start["known_at"] == ISSUED
    assert start["lead_time_h"] == pytest.approx(28 - (10 * 60 + 21) / 3600)
    assert {name: start[name] for name in COLUMNS} == {
        "air_temperature_celsius": 21.5,
        "precipitation_mm": 0.0,
        "precipitation_probability_pct": 65.0,
        "wind_speed_mps": 3.1,
        "humidity_pct": 67.0,
        "cloud_cover_pct": 52.0,
    }


def test_only_hours_to_come_and_within_the_horizon_are_asked_for(
    url: str, server: LocalServer, quota: Quota
) -> None:
    assert open_meteo.horizon(FRIDAY) == utc("2026-06-20T23:00")
    edge = ("race", "2026-06-20T22:30", "2026-06-21T01:30")
    begun = ("practice_1", "2026-06-05T08:30", "2026-06-05T09:30")
    rows = open_meteo.rows_of(
        open_meteo.fetch_issue(subject(begun, edge), quota=quota, now=lambda: FRIDAY, url=url)
    )
    assert rows["valid_at"].to_list() == [
        utc("2026-06-05T10:00"),
        utc("2026-06-20T22:00"),
        utc("2026-06-20T23:00"),
    ]
    with pytest.raises(NotPublished, match="within the next 16 days"):
        open_meteo.fetch_issue(
            subject(("race", "2026-06-21T13:00", "2026-06-21T16:00")),
            quota=quota,
            now=lambda: FRIDAY,
            url=url,
        )
    assert len(server.requests) == 1


def example() -> dict[str, Any]:
    return answer(
        {
            "latitude": "50.0",
            "longitude": "5.0",
            "hourly": ",".join(open_meteo.VARIABLES),
            "timezone": "UTC",
            "wind_speed_unit": "ms",
            "start_hour": "2026-06-06T13:00",
            "end_hour": "2026-06-06T16:00",
        }
    )


def renamed(found: dict[str, Any]) -> None:
    found["hourly"]["wind_speed"] = found["hourly"].pop("wind_speed_10m")


def other_unit(found: dict[str, Any]) -> None:
    found["hourly_units"]["wind_speed_10m"] = "km/h"


def local_time(found: dict[str, Any]) -> None:
    found["utc_offset_seconds"] = 7200


def one_short(found: dict[str, Any]) -> None:
    found["hourly"]["precipitation"].pop()


def words(found: dict[str, Any]) -> None:
    found["hourly"]["precipitation"][1] = "rain"


def impossible(found: dict[str, Any]) -> None:
    found["hourly"]["precipitation_probability"][1] = 140


def half_hours(found: dict[str, Any]) -> None:
    found["hourly"]["time"][1] = "2026-06-06T14:30"


def twice(found: dict[str, Any]) -> None:
    found["hourly"]["time"][1] = found["hourly"]["time"][0]


def seconds(found: dict[str, Any]) -> None:
    found["hourly"]["time"] = [1780750800 + 3600 * n for n in range(4)]


def no_hours(found: dict[str, Any]) -> None:
    del found["hourly"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (renamed, r"'wind_speed_10m' \(is it 'wind_speed' now\?\) is missing"),
        (other_unit, r"'wind_speed_10m' is in 'km/h', 'm/s' was asked for"),
        (local_time, r"7200 s away from UTC"),
        (one_short, r"'precipitation' has not one value for each of 4 hours"),
        (words, r"'precipitation' holds 'rain'"),
        (impossible, r"'precipitation_probability' holds 140 %"),
        (half_hours, r"not one full hour after the other"),
        (twice, r"not one full hour after the other"),
        (seconds, r"something else than hours"),
        (no_hours, r"no hourly forecast"),
    ],
)
def test_a_changed_answer_is_refused(change: Callable[[dict[str, Any]], None], words: str) -> None:
    found = example()
    assert open_meteo.parse(found).height == 4
    change(found)
    with pytest.raises(SourceSchemaError, match=words):
        open_meteo.parse(found)


def test_nothing_of_a_changed_answer_is_stored(data: Path, server: LocalServer, quota: Quota) -> None:
    found = example()
    renamed(found)
    before = workspace(data).reader.snapshot.id
    with pytest.raises(SourceSchemaError, match=r"127\.0\.0\.1 hourly: column 'wind_speed_10m'"):
        refresh_weather(
            workspace(data), quota=quota, url=server.give(PATH, Reply(json.dumps(found).encode()))
        )
    assert workspace(data).reader.snapshot.id == before
    assert not list(data.glob("fetched/**/*.json"))


def test_missing_values_stay_missing(quota: Quota, server: LocalServer) -> None:
    found = example()
    found["hourly"]["precipitation_probability"] = [None, 20, None, None]
    for name in open_meteo.VARIABLES:
        found["hourly"][name][3] = None
    url = server.give(PATH, Reply(json.dumps(found).encode()))
    rows = open_meteo.rows_of(open_meteo.fetch_issue(subject(RACE), quota=quota, now=lambda: FRIDAY, url=url))
    assert rows["precipitation_probability_pct"].to_list() == [
        None,
        20.0,
        None,
    ]  # nothing is known of the last hour
    for name in open_meteo.VARIABLES:
        found["hourly"][name] = [None] * 4
    url = server.give(PATH, Reply(json.dumps(found).encode()))
    with pytest.raises(NotPublished, match="no forecast for the sessions"):
        open_meteo.fetch_issue(subject(RACE), quota=quota, now=lambda: FRIDAY, url=url)


def test_an_hour_that_was_over_when_the_forecast_was_issued_is_no_forecast() -> None:
    issue = open_meteo.Issue(subject(RACE), utc("2026-06-06T14:00:01"), example())
    assert open_meteo.rows_of(issue)["valid_at"].to_list() == [
        utc("2026-06-06T15:00"),
        utc("2026-06-06T16:00"),
    ]


def test_a_refusal_says_what_the_service_says(quota: Quota, server: LocalServer) -> None:
    reason = "Cannot initialize WeatherVariable from invalid String value tempeture_2m for key hourly"
    body = json.dumps({"error": True, "reason": reason}).encode()
    with pytest.raises(SourceError, match=reason):
        open_meteo.fetch_issue(
            subject(RACE), quota=quota, now=lambda: FRIDAY, url=server.give(PATH, Reply(body, status=400))
        )
    assert len(server.requests) == 1


# --- the warehouse ----------------------------------------------------------------------------------------------------


def test_every_issue_is_kept_and_none_is_seen_before_it_was_issued(
    data: Path, url: str, server: LocalServer, quota: Quota
) -> None:
    first = refresh_weather(workspace(data), quota=quota, url=url)
    assert first.fetched == (NEXT, AFTER) and first.problems == ()
    assert first.rows > 0 and len(server.requests) == 2
    again = refresh_weather(workspace(data, FRIDAY + dt.timedelta(minutes=30)), quota=quota, url=url)
    assert (again.rows, again.fetched, len(server.requests)) == (0, (), 2)

    second_at = utc("2026-06-05T15:00:00")
    refresh_weather(workspace(data, second_at), quota=quota, url=url)
    assert len(server.requests) == 4
    reader = workspace(data).reader
    assert forecast_issues(reader, NEXT, FRIDAY).is_empty()
    issues = forecast_issues(reader, NEXT, second_at + HOUR)
    assert issues["issued_at"].unique().sort().to_list() == [ISSUED, second_at]
    assert forecast_issues(reader, NEXT, second_at)["issued_at"].n_unique() == 1

    latest = latest_forecast(reader, NEXT, second_at + HOUR)
    assert latest.select("session", "valid_at").is_unique().all()
    issued = dict(latest.select("valid_at", "issued_at").iter_rows())
    # The third practice was over by the second issue: its hours keep the first.
    assert issued[utc("2026-06-05T11:00")] == ISSUED
    assert issued[utc("2026-06-06T13:00")] == second_at
    race = latest.filter((pl.col("session") == "race") & (pl.col("valid_at") == utc("2026-06-06T14:00")))
    assert race["precipitation_mm"].item() == value("precipitation", utc("2026-06-06T14:00")) == 0.4
    assert "CC BY 4.0" in ATTRIBUTION and "Open-Meteo" in ATTRIBUTION


def test_an_event_beyond_the_horizon_is_not_asked_for(data: Path, url: str, quota: Quota) -> None:
    report = refresh_weather(workspace(data, utc("2026-05-28T12:00")), quota=quota, url=url)
    assert report.fetched == (NEXT,)
    report = refresh_weather(workspace(data, utc("2026-06-03T12:00")), quota=quota, url=url)
    assert report.fetched == (NEXT, AFTER)
    rows = latest_forecast(workspace(data).reader, AFTER, utc("2026-06-03T13:00"))
    assert set(rows["session"]) == {"practice_1", "practice_2"}
    assert refresh_weather(workspace(data, utc("2026-07-01T12:00")), quota=quota, url=url).fetched == ()


def test_a_lost_warehouse_is_filled_from_the_kept_answers(
    data: Path, ingested_here: Path, url: str, server: LocalServer, quota: Quota, tmp_path: Path
) -> None:
    for now in (FRIDAY, FRIDAY + 2 * HOUR):
        refresh_weather(workspace(data, now), quota=quota, url=url)
    later = FRIDAY + 3 * HOUR
    before = forecast_issues(workspace(data).reader, NEXT, later)
    shutil.rmtree(data / "warehouse")
    shutil.copytree(ingested_here / "warehouse", data / "warehouse")
    asked = len(server.requests)
    server.give(PATH, Reply(status=500))
    with pytest.raises(SourceUnavailable):
        refresh_weather(workspace(data, later), quota=quota, url=url)
    assert forecast_issues(workspace(data).reader, NEXT, later).equals(before)
    assert len(server.requests) == asked + 4

    # The same from an archive that another machine wrote, with one file damaged on the way.
    archive = Path(shutil.copytree(data / "fetched", tmp_path / "shared"))
    damaged = sorted((archive / "weather" / NEXT).glob("*.json"))[1]
    damaged.write_bytes(damaged.read_bytes()[:200])
    other = Path(shutil.copytree(ingested_here, tmp_path / "other"))
    server.routes[PATH] = serve
    report = refresh_weather(workspace(other, later), quota=quota, archive=archive, url=url)
    assert len(report.problems) == 1 and damaged.name in report.problems[0]
    kept = forecast_issues(workspace(other).reader, NEXT, later)  # not what the other machine fetched itself
    assert kept.equals(before.filter(pl.col("issued_at") == ISSUED))


def test_what_was_fetched_before_a_fault_is_stored_and_the_rest_comes_with_the_next_run(
    data: Path, server: LocalServer, quota: Quota
) -> None:
    def fails_for_the_second(request: Request) -> Reply:
        return serve(request) if len(server.requests) == 1 else Reply(status=503)

    server.routes[PATH] = fails_for_the_second
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1"):
        refresh_weather(workspace(data), quota=quota, url=server.url(PATH))
    reader = workspace(data).reader
    stored = forecast_issues(reader, NEXT, FRIDAY + HOUR)
    assert stored.height > 0 and forecast_issues(reader, AFTER, FRIDAY + HOUR).is_empty()
    server.routes[PATH] = serve
    soon = workspace(data, FRIDAY + dt.timedelta(minutes=5))
    report = refresh_weather(soon, quota=quota, url=server.url(PATH))
    assert report.fetched == (AFTER,)
    reader = workspace(data).reader
    assert forecast_issues(reader, NEXT, FRIDAY + HOUR).equals(stored)
    assert forecast_issues(reader, AFTER, FRIDAY + HOUR).height == report.rows


def test_offline_nothing_is_asked_and_what_is_stored_stays(
    data: Path, url: str, server: LocalServer, quota: Quota
) -> None:
    refresh_weather(workspace(data), quota=quota, url=url)
    stored = workspace(data).reader.table("weather_forecasts")
    offline = Quota(quota.path, offline=True)
    with pytest.raises(SourceUnavailable, match="PARCFERME_OFFLINE"):
        refresh_weather(workspace(data, FRIDAY + HOUR), quota=offline, url=url)
    assert len(server.requests) == 2
    assert workspace(data).reader.table("weather_forecasts").equals(stored)


def test_a_simulated_clock_fetches_nothing_and_sees_only_what_was_issued(
    data: Path, ingested_here: Path, url: str, server: LocalServer, quota: Quota, tmp_path: Path
) -> None:
    second_at = FRIDAY + 6 * HOUR
    for now in (FRIDAY, second_at):
        refresh_weather(workspace(data, now), quota=quota, url=url)
    asked = len(server.requests)
    with pytest.raises(NotReady):
        refresh_weather(Workspace(load_settings(data=data), Clock.at(FRIDAY)), quota=quota, url=url)

    folder = tmp_path / "rehearsal"
    mark(folder, {"event_id": NEXT})
    shutil.copytree(ingested_here / "warehouse", folder / "warehouse")
    settings = load_settings(data=folder)

    def rehearse(now: dt.datetime) -> int:
        work = Workspace(settings, Clock.at(now), rehearsal=True)
        return refresh_weather(work, quota=quota, archive=data / "fetched", url=url).rows

    assert rehearse(FRIDAY - HOUR) == 0
    assert rehearse(FRIDAY + HOUR) > 0
    reader = Workspace(settings, Clock.at(FRIDAY), rehearsal=True).reader
    assert set(reader.table("weather_forecasts")["issued_at"]) == {ISSUED}
    assert rehearse(second_at + HOUR) > 0
    assert len(server.requests) == asked
