"""FastF1 over a network that is this machine: true answers from the archive, and all that can go wrong on the way."""

from __future__ import annotations

import datetime as dt
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from f1core.settings import Settings, load_settings
from f1core.sources import schedules, timing
from f1core.sources.bundle import Bundle, bundle_folder, read_bundle
from f1core.sources.limits import Quota
from f1core.sources.timing import Hosts, SessionRef, fetch_schedule, fetch_session
from f1core.sources.timing_request import INCOMPLETE, NO_TELEMETRY, OLD_SCHEDULE, UNOFFICIAL
from tests.recorded_feed import RecordedFeed
from warehouse.errors import NotPublished, SourceSchemaError, SourceUnavailable, UnsafeCache
from warehouse.lock import writer_lock
from warehouse.vocab import SessionKind

MEXICO = SessionRef("2021-mexico", SessionKind.QUALIFYING)
NAMES = {"mexico city grand prix": "mexico", "mexican grand prix": "mexico"}
FOLDER = Path("2021/2021-11-07_Mexico_City_Grand_Prix/2021-11-06_Qualifying")
RESULTS = "/results/2021/18/qualifying.json"
SCHEDULE = "/schedule/schedule_2021.json"
STARTS_AT = dt.datetime(2021, 11, 6, 20, tzinfo=dt.UTC)
SOON = STARTS_AT + dt.timedelta(hours=2)
NO_RESULT = {
    "MRData": {
        "limit": "30",
        "offset": "0",
        "total": "0",
        "RaceTable": {"season": "2021", "round": "18", "Races": []},
    }
}


@pytest.fixture(scope="module")
def server(archive: Path) -> Iterator[RecordedFeed]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        with RecordedFeed(archive, lambda url: "2021" in url).running() as running:
            yield running  # type: ignore[misc]


@pytest.fixture
def feed(server: RecordedFeed) -> RecordedFeed:
    server.reset()
    return server


@pytest.fixture
def data(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path / "data")


@pytest.fixture(scope="module")
def fetched_once(server: RecordedFeed, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Bundle]]:
    """A data folder in which two threads asked for the same session at once, and what they got."""
    server.reset()
    settings = load_settings(data=tmp_path_factory.mktemp("fetched") / "data")
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: fetch(settings, server, telemetry=True), range(2)))
    assert set(server.counts.values()) == {1}
    quota = Quota.of(settings)
    asked = quota.left("127.0.0.1").used + quota.left("localhost").used
    assert asked == len(server.requests) == 12
    return settings.data, found


@pytest.fixture
def fetched(fetched_once: tuple[Path, list[Bundle]], tmp_path: Path) -> Settings:
    """A copy of it: the bundle, and FastF1's own cache."""
    return load_settings(data=shutil.copytree(fetched_once[0], tmp_path / "data"))


def fetch(settings: Settings, feed: RecordedFeed, **more: Any) -> Bundle:
    given = {"hosts": feed.hosts, "retries": 0, "names": NAMES, "telemetry": False, "timeout_s": 60.0}
    return fetch_session(settings, MEXICO, archive=None, network=True, **{**given, **more})


def kept(settings: Settings) -> Bundle:
    return read_bundle(bundle_folder(settings.fetched_root, MEXICO.event_id, MEXICO.session))


def without_bundle(settings: Settings) -> Settings:
    shutil.rmtree(settings.fetched_root)
    return settings


def nothing_is_left(settings: Settings) -> bool:
    files = (
        [p for p in settings.fetched_root.rglob("*") if p.is_file()] if settings.fetched_root.exists() else []
    )
    return not files and not list((settings.cache_root / "timing").iterdir())


# --- all goes well ----------------------------------------------------------------------------------------------------


def test_the_network_gives_what_was_recorded(
    archive: Path, fetched_once: tuple[Path, list[Bundle]], data: Settings
) -> None:
    first, second = fetched_once[1]
    assert first.meta == second.meta  # two fetches at once are one
    recorded = fetch_session(data, MEXICO, archive=archive, network=False)
    assert first.meta.counts == recorded.meta.counts
    assert first.version == recorded.version  # to the byte
    assert (first.meta.origin, recorded.meta.origin) == ("network", "recorded")
    assert first.meta.problems == recorded.meta.problems == (NO_TELEMETRY,)


def test_what_is_here_is_not_asked_for_again(feed: RecordedFeed, fetched: Settings) -> None:
    before = kept(fetched).meta
    assert fetch(fetched, feed, telemetry=True).meta == before
    assert not feed.requests


# --- not yet ------------------------------------------------------------------------------------------------------------


def test_a_session_without_laps_yet_is_not_yet(feed: RecordedFeed, data: Settings) -> None:
    feed.spoil("TimingData", status=404)
    with pytest.raises(NotPublished, match="no laps of 2021-mexico qualifying yet"):
        fetch(data, feed, now=SOON)
    assert nothing_is_left(data)
    assert not list(data.fastf1_root.rglob("*.ff1pkl"))  # half a session is not kept for the next time


def test_a_result_that_comes_later_is_added(feed: RecordedFeed, fetched: Settings) -> None:
    feed.spoil("qualifying.json", body=json.dumps(NO_RESULT).encode())
    first = fetch(without_bundle(fetched), feed, now=SOON)
    assert {UNOFFICIAL, INCOMPLETE} <= set(first.meta.problems)
    assert first.part("results")["position"].null_count() == 0  # from the lap times
    assert first.part("results")["source_driver_id"].null_count() == 20
    assert fetch(fetched, feed, now=first.meta.loaded_at + dt.timedelta(minutes=5)).meta == first.meta
    feed.reset()
    later = fetch(fetched, feed, now=first.meta.loaded_at + dt.timedelta(minutes=20))
    assert later.meta.problems == ()
    assert later.part("results")["source_driver_id"].null_count() == 0
    assert list(feed.counts) == [RESULTS]  # the rest lies in FastF1's cache


# --- the network fails --------------------------------------------------------------------------------------------------


def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_no_connection_is_no_empty_session(feed: RecordedFeed, data: Settings) -> None:
    # What a process that was killed left behind is swept, too.
    work = data.cache_root / "timing" / "2021-mexico-qualifying" / "fastf1"
    draft = data.fetched_root / "sessions" / "2021-mexico" / ".qualifying-draft"
    for folder in (work, draft):
        folder.mkdir(parents=True)
        (folder / "half").write_text("half a file")
    closed = nowhere()
    with pytest.raises(SourceUnavailable, match="no connection"):
        fetch(data, feed, hosts=Hosts(f"{closed}/", closed, closed, closed))
    assert nothing_is_left(data)


@pytest.mark.slow
def test_the_mirror_is_asked_when_the_feed_is_down_but_what_it_lacks_is_not_known(
    feed: RecordedFeed, data: Settings
) -> None:
    hosts = Hosts(feed.hosts.schedule, nowhere(), feed.url("/timing", host="localhost"), feed.hosts.results)
    feed.spoil("WeatherData", status=404)
    with pytest.raises(SourceUnavailable, match="no connection"):
        fetch(data, feed, hosts=hosts)
    assert feed.counts[f"/timing/static/{FOLDER}/TimingData.jsonStream"] == 1
    assert nothing_is_left(data)


def test_a_failing_part_fails_the_whole_and_keeps_what_was_there(
    feed: RecordedFeed, fetched: Settings
) -> None:
    before = kept(fetched).meta
    body = feed.answers[RESULTS].body
    feed.spoil("qualifying.json", times=1, cut=len(body) // 2)  # comes whole the second time
    feed.spoil("WeatherData", status=503)
    with pytest.raises(SourceUnavailable, match="status 503"):
        fetch(
            fetched,
            feed,
            refresh=True,
            retries=1,
            hosts=Hosts(*(feed.hosts.schedule, feed.url("/timing"), feed.url("/timing"), feed.hosts.results)),
        )
    assert feed.counts[RESULTS] == 2
    assert feed.counts[f"/timing/static/{FOLDER}/WeatherData.jsonStream"] == 2
    assert kept(fetched).meta == before
    assert not list(fetched.fetched_root.rglob(".*"))


def test_a_server_that_asks_for_a_pause_gets_it(feed: RecordedFeed, fetched: Settings) -> None:
    feed.spoil("qualifying.json", status=429, headers={"Retry-After": "900"})
    with pytest.raises(SourceUnavailable) as caught:
        fetch(without_bundle(fetched), feed, retries=3)
    assert caught.value.retry_after_s == 900
    assert feed.counts[RESULTS] == 1
    state = Quota.of(fetched).left("127.0.0.1")
    assert state.left == 0 and "left alone" in state.note  # by all processes


@pytest.mark.slow
def test_an_older_schedule_is_used_while_its_source_is_down(feed: RecordedFeed, fetched: Settings) -> None:
    cached = next((fetched.fastf1_root / "http_cache").glob("*.json"))
    answer = json.loads(cached.read_text())
    cached.write_text(json.dumps({**answer, "expires": "2021-01-01T00:00:00+00:00"}))
    feed.spoil("schedule_2021", status=500)
    bundle = fetch(without_bundle(fetched), feed)
    assert bundle.meta.problems[0].startswith(OLD_SCHEDULE)
    assert "status 500" in bundle.meta.problems[0]
    assert bundle.meta.counts["laps"] == 311


def test_a_child_that_takes_too_long_is_ended(
    feed: RecordedFeed, data: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = record_children(monkeypatch)
    feed.spoil("schedule_2021", before=lambda: time.sleep(8))
    with pytest.raises(SourceUnavailable, match="was ended after 5 s") as caught:
        fetch(data, feed, timeout_s=5)
    assert caught.value.retry_after_s
    assert children[0].returncode == -signal.SIGKILL
    assert nothing_is_left(data)


def test_a_killed_child_leaves_nothing(
    feed: RecordedFeed, fetched: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = record_children(monkeypatch)
    feed.spoil("qualifying.json", before=lambda: os.kill(children[0].pid, signal.SIGKILL))
    with pytest.raises(SourceUnavailable, match="ended with signal 9 before it was done"):
        fetch(without_bundle(fetched), feed)
    assert nothing_is_left(fetched)


def record_children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    children: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*arguments: Any, **more: Any) -> subprocess.Popen[bytes]:
        children.append(popen(*arguments, **more))
        return children[-1]

    monkeypatch.setattr(timing.subprocess, "Popen", start)
    return children


def test_whoever_waits_too_long_is_told(feed: RecordedFeed, data: Settings) -> None:
    release = threading.Event()

    def hold() -> None:
        with writer_lock(data.locks_root, holder="a test", name="timing-2021-mexico"):
            held.set()
            release.wait(10)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    with pytest.raises(SourceUnavailable, match="another process has been reading 2021-mexico"):
        fetch(data, feed, timeout_s=0.2)
    release.set()
    holder.join()
    assert not feed.requests


# --- FastF1's own cache -------------------------------------------------------------------------------------------------


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def test_a_cut_file_of_its_own_cache_is_read_again(feed: RecordedFeed, fetched: Settings) -> None:
    version = kept(fetched).version
    cut = fetched.fastf1_root / FOLDER / "weather_data.ff1pkl"
    cut.write_bytes(cut.read_bytes()[:500])
    again = fetch(without_bundle(fetched), feed)
    assert again.version == version
    assert [p for p in again.meta.problems if "weather_data.ff1pkl" in p and "cut short" in p]
    assert [path for path in feed.counts if "/static/" in path] == [
        f"/timing/static/{FOLDER}/WeatherData.jsonStream"
    ]
    assert len(cut.read_bytes()) > 500


def test_a_hostile_file_of_its_own_cache_is_never_opened(
    feed: RecordedFeed, fetched: Settings, tmp_path: Path
) -> None:
    spoilt = fetched.fastf1_root / FOLDER / "weather_data.ff1pkl"
    spoilt.write_bytes(pickle.dumps({"version": 15, "data": Touch(tmp_path / "canary")}))
    with pytest.raises(UnsafeCache, match="weather_data.ff1pkl was not opened: it names posix.system"):
        fetch(without_bundle(fetched), feed)
    assert not (tmp_path / "canary").exists()
    assert nothing_is_left(fetched)


# --- the season's schedule ----------------------------------------------------------------------------------------------


def test_a_schedule_is_fetched_when_it_changes(feed: RecordedFeed, archive: Path, data: Settings) -> None:
    source = feed.hosts.schedule
    now = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    assert fetch_schedule(data, 2021, now=now, source=source)
    assert not fetch_schedule(data, 2021, now=now, source=source)
    recorded = archive / "fastf1-cache" / "http_cache"
    own = data.fetched_root / "fastf1-cache" / "http_cache"
    rows = schedules.read(recorded, own).tables["fastf1__schedules"].to_pylist()
    fetched = [row for row in rows if row["year"] == 2021]
    assert {row["recorded_at"] for row in fetched} == {now.isoformat()}  # newer than the archive's
    assert len(fetched) == 22
    moved = json.loads(feed.answers[SCHEDULE].body)
    moved["session5_date"]["1"] = "2021-03-28 19:00:00"
    feed.spoil("schedule_2021", body=json.dumps(moved).encode())
    assert fetch_schedule(data, 2021, now=now + dt.timedelta(days=1), source=source)


def test_a_schedule_that_cannot_be_used_leaves_the_old_one(feed: RecordedFeed, data: Settings) -> None:
    source = feed.hosts.schedule
    fetch_schedule(data, 2021, source=source)
    path = data.fetched_root / "fastf1-cache" / "http_cache" / "schedule_2021.json"
    before = path.read_bytes()
    with pytest.raises(NotPublished, match="no schedule of 2027 yet"):
        fetch_schedule(data, 2027, source=source)
    for body in (b"{}", b"[]", b'{"round_number": {}}', b"null", b"<html>"):
        feed.spoil("schedule_2021", body=body)
        with pytest.raises(SourceSchemaError):
            fetch_schedule(data, 2021, source=source)
    feed.spoil("schedule_2021", status=503)
    with pytest.raises(SourceUnavailable):
        fetch_schedule(data, 2021, source=source, retries=0)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
