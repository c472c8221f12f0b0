"""The tasks of the agenda on an invented season: what they do, what they say, and how they end without their sources."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from f1core.agenda import Job, PlannedRun
from f1core.backfill import FILE, backfill, wanted_sessions
from f1core.clock import Clock
from f1core.ingest import IngestReport
from f1core.installed_sources import InstalledSources
from f1core.job_log import RunStatus
from f1core.job_sources import News
from f1core.ledger import Ledger, prediction_name
from f1core.maintenance import maintain
from f1core.settings import load_settings
from f1core.sources.archive import ArchivePlace
from f1core.sources.bundle import PARTS, Bundle, BundleMeta, write_bundle
from f1core.workspace import Workspace
from jobs.outcome import Outcome
from jobs.tasks import TASKS, InProcess
from warehouse.errors import NotPublished, NotReady, SourceError, SourceUnavailable
from warehouse.queries.sessions import session_loads
from warehouse.reader import Reader
from warehouse.vocab import SessionKind, Target

NOW = dt.datetime(2024, 6, 30, 12, 0, tzinfo=dt.UTC)
RESULT = "2024-lakeland"
NO_RESULT = "2024-highmoor"


@dataclass(frozen=True, slots=True)
class StandInForTheRealClock(Clock):
    """The machine's clock at another time: a test cannot wait for a race."""

    at: dt.datetime = NOW

    def now(self) -> dt.datetime:
        return self.at

    @property
    def is_simulated(self) -> bool:
        return False


@dataclass
class MadeUpSources:
    """Sources that say what a test tells them to."""

    release: News | Exception = field(default_factory=lambda: News(0, "The release is as it was."))
    sessions: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def check_release(self, workspace: Workspace, *, force: bool = False) -> News:
        if isinstance(self.release, Exception):
            raise self.release
        return self.release

    def fetch_schedule(self, workspace: Workspace, season: int) -> News:
        return News(0, f"The schedule of {season}.")

    def fetch_session(self, workspace: Workspace, event_id: str, session: SessionKind) -> Bundle:
        name = f"{event_id} {session.value}"
        self.asked.append(name)
        if name in self.sessions:
            raise self.sessions[name]
        meta = BundleMeta(event_id, session, "An event", "fastf1", "3.9.0", "network", loaded_at=NOW)
        rows: list[dict[str, Any]] = [{"session_s": 0.0, "is_raining": False}]
        weather = pl.DataFrame(rows, schema_overrides=PARTS["weather"])
        missing = [
            pl.lit(None, kind).alias(name) for name, kind in PARTS["weather"].items() if name not in rows[0]
        ]
        frame = weather.with_columns(missing).select(PARTS["weather"].keys())
        return write_bundle(workspace.settings.fetched_root, meta, {"weather": frame})

    def bring_facts(self, workspace: Workspace) -> IngestReport | None:
        return IngestReport(ArchivePlace(workspace.settings.data, "test"), True, {}, {}, ())

    def refresh_weather(self, workspace: Workspace) -> News:
        return News(0, "No forecast is newer.")


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_data / "warehouse", tmp_path / "data" / "warehouse")
    return tmp_path / "data"


def workspace(data: Path, at: dt.datetime = NOW, **settings: Any) -> Workspace:
    return Workspace(load_settings(data=data, workers=1, **settings), StandInForTheRealClock(at=at))


def make(data: Path, job: Job, sources: Any = None, *, at: dt.datetime = NOW, **params: str) -> Outcome:
    run = PlannedRun(f"{job}:x", job, params, at, None, "A run")
    return InProcess(lambda: workspace(data, at), sources or MadeUpSources())(run)


def test_every_job_of_the_agenda_has_a_task() -> None:
    assert set(TASKS) == set(Job)


# --- facts --------------------------------------------------------------------------------------------------------------


def test_a_result_is_waited_for_until_it_is_there(data: Path) -> None:
    assert make(data, Job.RESULTS, event_id=RESULT, wanted="race").status is RunStatus.DONE
    waiting = make(data, Job.RESULTS, event_id=NO_RESULT, wanted="race")
    assert (waiting.status, waiting.note) == (
        RunStatus.NOT_YET,
        f"No source has the result of {NO_RESULT} yet.",
    )
    sources = MadeUpSources()
    make(data, Job.RESULTS, sources, event_id=NO_RESULT, wanted="race")
    assert sources.asked == [f"{NO_RESULT} race"], "the timing feed may have it before the results source"


def test_a_result_that_is_there_needs_no_source(data: Path) -> None:
    down = MadeUpSources(release=SourceUnavailable("down", retry_after_s=60))
    assert make(data, Job.RESULTS, down, event_id=RESULT, wanted="race").status is RunStatus.DONE
    lacking = make(data, Job.RESULTS, down, event_id=NO_RESULT, wanted="race")
    assert (lacking.status, lacking.is_transient, lacking.retry_after_s) == (RunStatus.FAILED, True, 60)
    assert make(data, Job.RESULTS, down).status is RunStatus.FAILED, (
        "the daily look says what it could not see"
    )


def test_a_grid_is_waited_for_until_it_is_there(data: Path) -> None:
    assert make(data, Job.RESULTS, event_id=RESULT, wanted="grid").status is RunStatus.DONE
    assert make(data, Job.RESULTS, event_id=NO_RESULT, wanted="grid").status is RunStatus.NOT_YET
    sprint = {"wanted": "grid", "target": "sprint"}
    assert make(data, Job.RESULTS, event_id="2024-harbour", **sprint).status is RunStatus.DONE
    before = dt.datetime(2024, 4, 20, 8, 0, tzinfo=dt.UTC)
    waiting = make(data, Job.RESULTS, event_id="2024-harbour", at=before, **sprint)
    assert waiting.status is RunStatus.NOT_YET


@pytest.mark.parametrize("job", [Job.F1DB_CHECK, Job.FULL_SEASON])
def test_a_release_that_cannot_be_asked_for_is_a_fault_that_passes(data: Path, job: Job) -> None:
    down = make(data, job, MadeUpSources(release=SourceUnavailable("down")))
    assert (down.status, down.is_transient) == (RunStatus.FAILED, True)
    assert make(data, job).note == "The release is as it was. The facts are as they were."


def test_offline_the_archive_still_counts(data: Path, tiny_archive: Path) -> None:
    settings = load_settings(data=data, archive=str(tiny_archive), offline=True, workers=1)
    execute = InProcess(lambda: Workspace(settings, Clock.system()), InstalledSources(settings))
    for job in (Job.F1DB_CHECK, Job.CALENDAR, Job.FULL_SEASON, Job.RESULTS):
        outcome = execute(PlannedRun(f"{job}@x", job, {}, NOW, None, "A run"))
        assert outcome.status is RunStatus.DONE
        assert "PARCFERME_OFFLINE" in (outcome.note or "")


def test_offline_a_session_that_is_not_recorded_and_the_weather_are_clear(data: Path, tmp_path: Path) -> None:
    settings = load_settings(data=data, offline=True, workers=1)
    execute = InProcess(
        lambda: Workspace(settings, Clock.system()), InstalledSources(settings, beside=tmp_path / "nowhere")
    )
    params = {"event_id": RESULT, "session": "qualifying"}
    session = execute(PlannedRun("extract:x", Job.EXTRACT, params, NOW, None, "x"))
    assert session.status is RunStatus.FAILED
    assert "no network source may be asked" in (session.error or "")
    weather = execute(PlannedRun("weather@x", Job.WEATHER, {}, NOW, None, "x"))
    assert weather.status is RunStatus.SKIPPED


# --- seals and models ---------------------------------------------------------------------------------------------------


def test_what_has_no_result_is_not_learned_from_yet(data: Path) -> None:
    assert make(data, Job.RETRAIN, event_id=NO_RESULT).status is RunStatus.NOT_YET


def test_what_was_not_sealed_is_not_settled(data: Path) -> None:
    for params in ({}, {"target": "qualifying"}):
        nothing = make(data, Job.SETTLE, event_id=RESULT, **params)
        assert (nothing.status, nothing.note) == (RunStatus.SKIPPED, f"Nothing of {RESULT} was sealed.")


def test_what_has_no_result_keeps_no_settlement_waiting_that_has_one(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Target] = []

    def settle(_work: Workspace, _event: str, *, target: Target) -> list[object]:
        asked.append(target)
        if target is Target.SPRINT:
            raise NotReady("The sprint was called off.")
        return []

    ledger = Ledger(data / "ledger")
    for target in ("sprint", "qualifying"):
        content = {"kind": "sealed", "event_id": RESULT, "target": target, "stage": "pre_weekend"}
        ledger.seal(prediction_name(RESULT, target, "pre_weekend"), content)
    monkeypatch.setattr("f1core.settle.settle", settle)
    monkeypatch.setattr("f1core.ledger_tables.publish_ledger", lambda _work: {})
    assert make(data, Job.SETTLE, event_id=RESULT).status is RunStatus.DONE
    assert asked == [Target.SPRINT, Target.QUALIFYING], "a correction is looked for in all that was sealed"
    alone = make(data, Job.SETTLE, event_id=RESULT, target="sprint")
    assert (alone.status, alone.note) == (RunStatus.NOT_YET, "The sprint was called off.")


def test_a_seal_after_the_start_is_refused(data: Path) -> None:
    late = make(data, Job.FREEZE, event_id=RESULT, stage="post_qualifying")
    assert late.status is RunStatus.NOT_YET
    assert "nothing can be sealed any more" in (late.note or "")


def test_the_field_is_compared_with_the_forecast(data: Path) -> None:
    before = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
    none = make(data, Job.LINEUP, at=before)
    assert none.note == f"The field of {NO_RESULT} is as it was forecast."
    assert make(data, Job.LINEUP, at=NOW.replace(year=2030)).note == "No event is to come."


# --- sessions of past weekends ------------------------------------------------------------------------------------------


def test_the_newest_sessions_are_read_first_and_it_goes_on_where_it_stopped(data: Path) -> None:
    work = workspace(data)
    wanted = wanted_sessions(work, NOW)
    assert [name for name, _ in wanted[:5]] == ["2024-isle"] * 5
    assert wanted[0] == ("2024-isle", SessionKind.RACE)
    sources = MadeUpSources()
    first = backfill(work, sources, count=2, until=NOW + dt.timedelta(hours=1))
    second = backfill(work.again(), sources, count=2, until=NOW + dt.timedelta(hours=1))
    assert [*first.read, *second.read] == wanted[:4]
    assert second.left == len(wanted) - 4
    assert len(set(sources.asked)) == 4, "nothing is read twice"
    loads = session_loads(Reader(data / "warehouse"))
    assert set(loads.select("event_id", "session").iter_rows()) == {(e, s.value) for e, s in wanted[:4]}


def test_a_session_that_cannot_be_had_does_not_stop_the_others_and_is_not_asked_for_every_time(
    data: Path,
) -> None:
    work = workspace(data)
    (event, session), *others = wanted_sessions(work, NOW)
    name = f"{event} {session.value}"
    sources = MadeUpSources(sessions={name: SourceError("the feed has no such session")})
    done = backfill(work, sources, count=1, until=NOW + dt.timedelta(hours=1))
    assert done.failed == {name: "the feed has no such session"}
    assert done.read == others[:1]
    sources.asked.clear()
    backfill(work.again(), sources, count=1, until=NOW + dt.timedelta(hours=1))
    assert name not in sources.asked
    later = workspace(data, NOW + dt.timedelta(days=8))
    backfill(later, sources, count=1, until=NOW + dt.timedelta(days=9))
    assert name in sources.asked, "after a week it is asked for again"
    assert json.loads((data / "jobs" / FILE).read_text())[name]["attempts"] == 2


def test_it_stops_when_the_limits_are_used_up(data: Path) -> None:
    work = workspace(data)
    third = wanted_sessions(work, NOW)[2]
    name = f"{third[0]} {third[1].value}"
    used_up = MadeUpSources(
        sessions={name: SourceUnavailable("200 requests are used up", retry_after_s=1800)}
    )
    done = backfill(work, used_up, count=9, until=NOW + dt.timedelta(hours=1))
    assert (len(done.read), done.stopped_by) == (2, "200 requests are used up")
    with pytest.raises(SourceUnavailable):
        backfill(work.again(), used_up, count=9, until=NOW + dt.timedelta(hours=1))
    assert backfill(work.again(), used_up, count=9, until=NOW - dt.timedelta(hours=1)).read == []


def test_a_session_that_is_not_published_is_waited_for(data: Path) -> None:
    sources = MadeUpSources(sessions={f"{NO_RESULT} qualifying": NotPublished("not yet")})
    outcome = make(data, Job.EXTRACT, sources, event_id=NO_RESULT, session="qualifying")
    assert (outcome.status, outcome.note) == (RunStatus.NOT_YET, "not yet")


# --- tidying ------------------------------------------------------------------------------------------------------------


def test_tidying_removes_what_dead_processes_left_and_nothing_else(data: Path) -> None:
    work = workspace(data, dt.datetime.now(dt.UTC))
    sessions = work.settings.fetched_root / "sessions" / RESULT
    old, young, bundle = sessions / ".race-a1b2", sessions / ".race-c3d4", sessions / "race"
    stale = work.settings.cache_root / "backtest" / "0123456789ab"
    for folder in (old, young, bundle, stale):
        folder.mkdir(parents=True)
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC).timestamp()
    os.utime(old, (long_ago, long_ago))
    os.utime(bundle, (long_ago, long_ago))
    before = Reader(data / "warehouse").table("race_results")
    report = maintain(work)
    assert (report.drafts, report.caches) == (1, 1)
    assert [folder.exists() for folder in (old, young, bundle, stale)] == [False, True, True, False]
    assert Reader(data / "warehouse").table("race_results").equals(before)
    assert make(data, Job.MAINTENANCE).status is RunStatus.DONE
