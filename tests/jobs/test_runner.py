"""The runner: what is due is made once and in order, what was missed is said, and nothing is lost with a process."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from f1core.agenda import DEMO_JOBS, Job, PlannedRun
from f1core.job_log import FILE, JobLog, JobRun, RunStatus
from f1core.ledger import Ledger, prediction_name
from f1core.settings import load_settings
from f1core.workspace import Workspace
from jobs.outcome import Outcome, TaskResult, outcome_of
from jobs.retries import budget_s
from jobs.runner import Runner
from tests.conftest import workspace_of
from warehouse.errors import LockHeld, NotPublished, NotReady, SourceUnavailable, WarehouseError
from warehouse.store import Store
from warehouse.tables import TABLES

EVENT = "2024-highmoor"
RACE = dt.datetime(2024, 5, 5, 13, 0, tzinfo=dt.UTC)
BEGAN = RACE - dt.timedelta(days=4)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
OFFICIAL, GRID = f"freeze:{EVENT}:race:post_qualifying", f"freeze:{EVENT}:race:pre_race"
QUALIFYING = f"extract:{EVENT}:qualifying"
OF_QUALIFYING = f"freeze:{EVENT}:qualifying:pre_qualifying"
WEEKEND = frozenset({Job.RESULTS, Job.EXTRACT, Job.FREEZE, Job.SETTLE, Job.RETRAIN, Job.FORECAST})
"""Without most of what recurs, which is of no matter to most tests."""
DONE = Outcome(RunStatus.DONE, rows=1)
NOT_YET = Outcome(RunStatus.NOT_YET, note="its facts are not known")
DOWN = Outcome(RunStatus.FAILED, error="the source is down", is_transient=True)
BROKEN = Outcome(RunStatus.FAILED, error="a bug")


class World:
    """An installation, a clock set by hand, and a script of how runs end."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.workspace = workspace_of(data)
        self.log = JobLog(data / "jobs" / FILE, clock="rehearsal")
        self.jobs: frozenset[Job] | None = WEEKEND
        self.now = BEGAN
        self.made: list[tuple[str, dt.datetime]] = []
        self.limits: dict[str, float] = {}
        self.ends: Callable[[PlannedRun], Outcome] = lambda run: DONE
        self.runner = self.start()

    def start(self) -> Runner:
        """A new process, as it were: nothing is remembered but what is on record."""
        self.runner = Runner(self.workspace, self.log, self.execute, now=lambda: self.now, jobs=self.jobs)
        return self.runner

    def execute(self, run: PlannedRun, limit_s: float) -> Outcome:
        self.made.append((run.key, self.now))
        self.limits[run.key] = limit_s
        return self.ends(run)

    def until(self, end: dt.datetime) -> list[JobRun]:
        """Jumps from one instant at which there is something to do to the next."""
        rows = []
        while self.now <= end:
            rows += self.runner.step()
            at = self.runner.next_at(self.now)
            if at is None or at > end:
                break
            self.now = at
        self.now = max(self.now, end)
        return rows

    def at(self, instant: dt.datetime) -> list[JobRun]:
        self.now = instant
        return self.runner.step()

    def times(self, key: str) -> list[dt.datetime]:
        return [at for made, at in self.made if made == key]

    def status(self, key: str) -> RunStatus | None:
        row = self.log.last(key)
        return row.status if row else None

    def change(self, table: str, how: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        store = Store(self.workspace.settings.warehouse_root)
        rows = how(pl.DataFrame(pl.from_arrow(store.read(table))))
        store.replace(table, rows.to_arrow().cast(TABLES[table].schema))
        store.publish(now=dt.datetime.now(dt.UTC))

    def move(self, by: dt.timedelta) -> None:
        """Moves the whole weekend."""
        here = pl.col("event_id") == EVENT
        self.change(
            "sessions",
            lambda rows: rows.with_columns(
                pl.when(here).then(pl.col(name) + by).otherwise(pl.col(name)).alias(name)
                for name in ("starts_at", "known_at")
            ),
        )

    def seal(self, stage: str, target: str = "race") -> None:
        content = {"kind": "sealed", "event_id": EVENT, "target": target, "stage": stage}
        Ledger(self.workspace.settings.ledger_root).seal(prediction_name(EVENT, target, stage), content)


@pytest.fixture
def world(tiny_data: Path, tmp_path: Path) -> World:
    shutil.copytree(tiny_data / "warehouse", tmp_path / "warehouse")
    return World(tmp_path)


def keys(rows: list[JobRun], *jobs: str) -> list[str]:
    return [row.key for row in rows if "@" not in row.key and (not jobs or row.job in jobs)]


# --- a weekend ----------------------------------------------------------------------------------------------------------


def test_a_weekend_runs_in_order(world: World) -> None:
    world.seal("post_qualifying")  # so that there is something to settle
    rows = world.until(RACE + 4 * HOUR)
    assert all(row.status is RunStatus.DONE for row in rows)
    week = [key for key in keys(rows) if EVENT in key and not key.startswith("forecast")]
    assert week == [
        f"extract:{EVENT}:practice_1",
        f"extract:{EVENT}:practice_2",
        f"extract:{EVENT}:practice_3",
        OF_QUALIFYING,
        OFFICIAL,
        QUALIFYING,
        f"results:{EVENT}:grid",
        GRID,
        f"results:{EVENT}",
        f"extract:{EVENT}:race",
        f"settle:{EVENT}",
        f"retrain:{EVENT}",
    ]
    at = {row.key: row.started_at for row in rows}
    assert at[QUALIFYING] < at[f"forecast:{EVENT}:qualifying"] or at[QUALIFYING] == RACE - 21.75 * HOUR
    order = keys(rows)
    assert order.index(QUALIFYING) < order.index(f"forecast:{EVENT}:qualifying")
    assert order.index(f"retrain:{EVENT}") < order.index("forecast:2024-isle"), "the next event comes last"
    assert len({row.key for row in rows}) == len(rows), "nothing is made twice"


def test_a_seal_waits_for_qualifying_and_is_made_as_soon_as_it_is_there(world: World) -> None:
    there = {"qualifying": False}

    def ends(run: PlannedRun) -> Outcome:
        if run.key == QUALIFYING:
            if world.now < RACE - 20 * HOUR:
                return Outcome(RunStatus.NOT_YET, note="not published")
            there["qualifying"] = True
        return NOT_YET if run.key == OFFICIAL and not there["qualifying"] else DONE

    world.ends = ends
    world.until(RACE - HOUR)
    sealed = world.times(OFFICIAL)[-1]
    assert sealed == world.times(QUALIFYING)[-1], "new facts wake whoever waits for them"
    (row,) = world.log.history(key=OFFICIAL)
    assert (row.status, row.attempts) == (RunStatus.DONE, len(world.times(OFFICIAL)))


def test_a_settlement_is_planned_only_for_what_was_sealed_and_looked_at_again_for_a_week(
    world: World,
) -> None:
    world.until(RACE + 20 * HOUR)
    assert not [key for key, _ in world.made if key.startswith("settle")]
    world.seal("pre_race")
    world.until(RACE + dt.timedelta(days=12))
    settled = [key for key, _ in world.made if key.startswith(f"settle:{EVENT}")]
    assert settled == [f"settle:{EVENT}", *(f"settle:{EVENT}:correction-{n}" for n in range(1, 8))]
    mornings = {at.hour for key, at in world.made if "correction-" in key and key[-1] != "1"}
    assert mornings == {6}


# --- seals that are missed ------------------------------------------------------------------------------------------


def test_a_seal_whose_session_has_begun_is_missed_once_and_never_made(world: World) -> None:
    world.ends = lambda run: NOT_YET if run.is_seal else DONE
    world.until(RACE + 48 * HOUR)
    found = {row.key: row for row in world.log.history(status=RunStatus.MISSED)}
    assert set(found) == {OFFICIAL, OF_QUALIFYING}
    assert found[OF_QUALIFYING].ended_at == RACE - 23 * HOUR, "each by the start of its own session"
    missed = found[OFFICIAL]
    assert missed.ended_at == RACE
    assert "its facts are not known" in (missed.note or "")
    assert max(world.times(OFFICIAL)) == RACE - 10 * MINUTE, "tried once more shortly before"
    # The grid never came: that is nobody's fault.
    assert world.status(GRID) is RunStatus.SKIPPED
    world.start()
    world.until(RACE + 72 * HOUR)
    assert len(world.log.history(status=RunStatus.MISSED)) == 2


def test_a_runner_that_was_off_over_the_start_says_what_it_missed(world: World) -> None:
    world.until(RACE - 30 * HOUR)
    world.start()
    world.at(RACE + 10 * MINUTE)
    missed = {row.key: row for row in world.log.history(status=RunStatus.MISSED)}
    assert set(missed) == {OFFICIAL, GRID, OF_QUALIFYING}
    assert "no runner was at work in time" in (missed[OFFICIAL].note or "")
    assert not [key for key, _ in world.made if key.startswith("freeze")]


def test_what_was_raced_before_jobs_ever_ran_here_was_missed_by_nobody(world: World) -> None:
    world.at(RACE + HOUR)
    assert world.log.history(status=RunStatus.MISSED) == []


def test_a_seal_that_was_made_by_hand_is_not_missed(world: World) -> None:
    world.until(RACE - 30 * HOUR)
    world.seal("post_qualifying")
    world.at(RACE + 10 * MINUTE)
    assert world.status(OFFICIAL) is RunStatus.DONE
    assert world.status(GRID) is RunStatus.MISSED


def test_a_seal_that_is_about_to_be_missed_goes_before_everything(world: World) -> None:
    world.until(RACE - 30 * HOUR)
    world.at(RACE - 15 * MINUTE)
    catching_up = [key for key, at in world.made if at == RACE - 15 * MINUTE]
    assert catching_up[:2] == [OFFICIAL, GRID]
    assert QUALIFYING in catching_up


# --- catching up ------------------------------------------------------------------------------------------------------


def test_what_recurs_is_made_up_for_once(world: World) -> None:
    world.jobs = None
    world.start()
    world.until(BEGAN + HOUR)
    world.made.clear()
    rows = world.at(BEGAN + 31 * HOUR)  # 06:00, 12:00, 18:00, 00:00, 06:00 and more have gone by
    checks = [row for row in rows if row.job == "f1db_check"]
    assert len(checks) == 1
    assert checks[0].note == "It stands in for 4 that were missed."
    assert world.runner.step() == [], "and then it is done"


def test_the_first_start_makes_up_for_a_day_not_for_years(world: World) -> None:
    world.jobs = None
    world.start()
    rows = world.at(BEGAN)
    recurring = [row.key for row in rows if "@" in row.key]
    assert len(recurring) == len({key.split("@")[0] for key in recurring})
    assert all(BEGAN - dt.timedelta(days=1) < row.planned_at <= BEGAN for row in rows if "@" in row.key)
    assert "full_season" not in {row.job for row in rows}, "what is weekly waits for its day"
    assert {key.split(":")[1] for key in keys(rows)} <= {"2024-lakeland", "2024-harbour", EVENT}


def test_a_restart_at_any_run_leads_to_the_same_record(tiny_data: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        """A process that dies."""

    def weekend(data: Path, dies_at: int | None) -> tuple[set[str], list[str]]:
        shutil.copytree(tiny_data / "warehouse", data / "warehouse")
        world = World(data)
        world.seal("post_qualifying")
        count = {"runs": 0}

        def ends(run: PlannedRun) -> Outcome:
            count["runs"] += 1
            if count["runs"] == dies_at:
                raise Killed
            return DONE

        world.ends = ends
        try:
            world.until(RACE + 4 * HOUR)
        except Killed:
            world.start()
            world.until(RACE + 4 * HOUR)
        done = [row.key for row in world.log.history(1000, status=RunStatus.DONE)]
        stopped = [row.key for row in world.log.history(1000, status=RunStatus.INTERRUPTED)]
        assert len(done) == len(set(done)), "something was made twice"
        return set(done), stopped

    whole, _ = weekend(tmp_path / "whole", None)
    for number in (1, len(whole) - 4):
        done, stopped = weekend(tmp_path / str(number), number)
        assert done == whole
        assert len(stopped) == 1


# --- the calendar moves -----------------------------------------------------------------------------------------------


def test_a_weekend_that_moves_is_planned_anew(world: World) -> None:
    world.until(RACE - 72 * HOUR)
    world.move(5 * HOUR)
    world.until(RACE + 9 * HOUR)
    assert world.times(OFFICIAL) == [RACE - 17 * HOUR + MINUTE]
    assert world.times(f"results:{EVENT}") == [RACE + 8.25 * HOUR]
    moved = world.log.fact("replanned")
    assert moved is not None
    assert {"key": GRID, "from": (RACE - 0.5 * HOUR).isoformat(), "to": (RACE + 4.5 * HOUR).isoformat()} in (
        moved["runs"]
    )
    assert world.log.history(status=RunStatus.MISSED) == []


def test_a_seal_before_an_estimated_start_is_not_planned_and_the_log_says_why(world: World) -> None:
    here = (pl.col("event_id") == EVENT) & (pl.col("session") == "qualifying")
    world.change(
        "sessions",
        lambda rows: rows.with_columns(
            is_time_estimated=pl.when(here).then(pl.lit(True)).otherwise("is_time_estimated"),
            time_source=pl.when(here).then(pl.lit("estimated")).otherwise("time_source"),
        ),
    )
    world.until(RACE - 30 * HOUR)
    assert world.log.fact("without_times") == {
        "at": BEGAN.isoformat(),
        "names": [f"{EVENT} (seal of qualifying)"],
        "why": "The calendar does not say when these sessions begin.",
    }
    world.until(RACE + HOUR)
    assert world.times(OF_QUALIFYING) == []
    assert world.times(OFFICIAL) == [RACE - 22 * HOUR + MINUTE], "the race has its start, and its seal"
    assert world.log.history(status=RunStatus.MISSED) == [], "what was never planned was not missed"
    over = world.log.fact("without_times")
    assert over is not None and over["names"] == []


def test_a_race_that_is_put_off_after_its_seal_was_missed_can_be_sealed(world: World) -> None:
    world.ends = lambda run: NOT_YET if run.is_seal else DONE
    world.until(RACE + HOUR)
    assert world.status(OFFICIAL) is RunStatus.MISSED
    world.move(dt.timedelta(days=2))
    world.ends = lambda run: DONE
    world.until(RACE + dt.timedelta(days=2, hours=1))
    assert world.status(OFFICIAL) is RunStatus.DONE
    missed = world.log.history(status=RunStatus.MISSED, key=OFFICIAL)
    assert len(missed) == 1, "what was missed then stays on record"


def test_a_settlement_is_planned_for_the_targets_that_were_sealed(world: World) -> None:
    world.seal("pre_qualifying", "qualifying")
    rows = world.until(RACE + 30 * HOUR)
    settled = [key for key in keys(rows) if key.startswith("settle")]
    assert settled == [f"settle:{EVENT}:qualifying", f"settle:{EVENT}:correction-1"]


def test_a_cancelled_race_has_no_runs_any_more(world: World) -> None:
    world.until(RACE - 72 * HOUR)
    here = pl.col("event_id") == EVENT
    world.change(
        "events",
        lambda rows: rows.with_columns(
            status=pl.when(here).then(pl.lit("cancelled")).otherwise(pl.col("status"))
        ),
    )
    rows = world.until(RACE + 4 * HOUR)
    assert not [key for key in keys(rows) if EVENT in key]
    assert world.log.history(status=RunStatus.MISSED) == []


# --- trying again -----------------------------------------------------------------------------------------------------


def test_waiting_grows_from_a_quarter_of_an_hour_to_six_hours(world: World) -> None:
    world.ends = lambda run: NOT_YET if run.key == QUALIFYING else Outcome(RunStatus.DONE, rows=0)
    world.until(RACE + 12 * HOUR)
    tried = world.times(QUALIFYING)
    gaps = [(later - earlier) / MINUTE for earlier, later in pairwise(tried)]
    assert gaps[:7] == [15, 30, 60, 120, 240, 360, 360]
    (row,) = world.log.history(key=QUALIFYING)
    assert (row.status, row.attempts) == (RunStatus.NOT_YET, len(tried))


def test_what_fails_by_itself_is_tried_three_times_more(world: World) -> None:
    world.ends = lambda run: BROKEN if run.key == QUALIFYING else DONE
    world.until(RACE + 48 * HOUR)
    assert len(world.times(QUALIFYING)) == 4
    rows = world.log.history(key=QUALIFYING)
    assert [(row.attempts, row.error, row.retry_at is None) for row in rows] == [
        (4, "a bug", True),
        (3, "a bug", False),
        (2, "a bug", False),
        (1, "a bug", False),
    ]
    forecast = f"forecast:{EVENT}:qualifying"
    assert world.times(forecast), "what comes after it does not wait for ever"


def test_a_seal_that_fails_is_tried_until_the_start(world: World) -> None:
    world.ends = lambda run: BROKEN if run.key == OFFICIAL else DONE
    world.until(RACE + HOUR)
    assert len(world.times(OFFICIAL)) > 20
    assert world.status(OFFICIAL) is RunStatus.MISSED
    assert "a bug" in (world.log.last(OFFICIAL).note or "")


def test_a_source_that_is_down_is_asked_again_until_it_answers(world: World) -> None:
    back = RACE - 2 * HOUR
    world.ends = lambda run: DOWN if run.job is Job.EXTRACT and world.now < back else DONE
    world.until(RACE + 12 * HOUR)
    for session in ("practice_1", "practice_2", "practice_3", "qualifying"):
        assert world.status(f"extract:{EVENT}:{session}") is RunStatus.DONE
    faults = [row for row in world.log.history(1000, status=RunStatus.FAILED) if row.job == "extract"]
    assert len(faults) >= 8, "every fault is a row of its own"
    # While it is down it is not asked by every session at once.
    asked = sorted(at for key, at in world.made if key.startswith("extract") and at < back)
    assert len(asked) == len(set(asked))


def test_retry_after_is_honoured(world: World) -> None:
    slow = Outcome(RunStatus.FAILED, error="limits", is_transient=True, retry_after_s=2400)
    world.ends = lambda run: slow if run.key == QUALIFYING and len(world.times(QUALIFYING)) == 1 else DONE
    world.until(RACE - HOUR)
    first, second = world.times(QUALIFYING)
    assert second - first == 40 * MINUTE


def test_errors_become_outcomes() -> None:
    def fails(error: BaseException) -> Outcome:
        def task() -> TaskResult:
            raise error

        return outcome_of(task)

    assert fails(NotReady("no grid yet")).status is RunStatus.NOT_YET
    assert fails(NotPublished("not yet")).status is RunStatus.NOT_YET
    held = fails(LockHeld("somebody writes"))
    assert (held.status, held.retry_after_s) == (RunStatus.NOT_YET, 60)
    down = fails(SourceUnavailable("down", hint="Later.", retry_after_s=30))
    assert (down.status, down.error, down.retry_after_s, down.is_transient) == (
        RunStatus.FAILED,
        "down Later.",
        30,
        True,
    )
    assert fails(OSError(28, "No space left on device", "/data/x")).error == (
        "The system refused: the disk is full (/data/x)."
    )
    assert fails(ZeroDivisionError("division by zero")).error == "ZeroDivisionError: division by zero"
    with pytest.raises(KeyboardInterrupt):
        fails(KeyboardInterrupt())
    assert outcome_of(lambda: TaskResult(3, "three")) == Outcome(RunStatus.DONE, 3, note="three")
    assert outcome_of(lambda: TaskResult(is_skipped=True)).status is RunStatus.SKIPPED
    assert Outcome.of(down.to_dict()) == down


# --- time, disk and demo ------------------------------------------------------------------------------------------------


def test_a_long_run_makes_way_for_a_seal(world: World) -> None:
    seal = PlannedRun(GRID, Job.FREEZE, {}, RACE - 30 * MINUTE, RACE, "Seal")
    work = PlannedRun("backfill@x", Job.BACKFILL, {}, RACE - HOUR, None, "Older sessions")
    assert budget_s(work, [], RACE - HOUR) == 50 * 60
    assert budget_s(work, [seal], RACE - 5 * HOUR) == 50 * 60, "there is time"
    assert budget_s(work, [seal], RACE - 45 * MINUTE) == 15 * 60, "until the seal is due"
    assert budget_s(work, [seal], RACE - 15 * MINUTE) == 5 * 60, "a third of what is left"
    assert budget_s(seal, [seal], RACE - 15 * MINUTE) == 15 * 60
    world.until(RACE - HOUR)
    world.at(RACE - 40 * MINUTE)
    assert world.limits[OFFICIAL] == 15 * 60


def test_the_end_of_a_run_is_written_down_when_there_is_space_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = world.log.finish

    def full(*_args: object, **_more: object) -> None:
        raise WarehouseError("The job log cannot be written: the disk is full.")

    monkeypatch.setattr(world.log, "finish", full)
    with pytest.raises(WarehouseError, match="disk is full"):
        world.until(BEGAN + HOUR)
    assert len(world.made) == 1, "nothing is made that cannot be written down"
    first = world.made[0][0]
    assert world.status(first) is RunStatus.RUNNING
    assert world.runner.has_unwritten
    monkeypatch.setattr(world.log, "finish", finish)
    world.until(BEGAN + HOUR)
    assert world.status(first) is RunStatus.DONE
    assert world.times(first) == [BEGAN], "it is not made again"


def test_a_run_that_cannot_be_written_down_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> int:
        raise WarehouseError("The job log cannot be written: the disk is full.")

    monkeypatch.setattr(world.log, "begin", full)
    with pytest.raises(WarehouseError, match="disk is full"):
        world.at(BEGAN)
    assert world.made == []


def test_in_a_demo_nothing_is_fetched_and_nothing_is_sealed_by_itself(world: World) -> None:
    world.jobs = None
    world.start()
    store = Store(world.workspace.settings.warehouse_root)
    store.publish(now=dt.datetime.now(dt.UTC), notes={"is_demo": True})
    world.until(RACE + 4 * HOUR)
    made = {key.split("@")[0].split(":")[0] for key, _ in world.made}
    assert made == {job.value for job in DEMO_JOBS} - {"settle", "maintenance"}
    assert world.log.history(status=RunStatus.MISSED) == []


def test_without_a_warehouse_what_brings_one_still_runs(tmp_path: Path) -> None:
    work = Workspace(load_settings(data=tmp_path), workspace_of(tmp_path).clock)
    log = JobLog(tmp_path / "jobs" / FILE, clock="rehearsal")
    made: list[str] = []

    def execute(run: PlannedRun, _limit: float) -> Outcome:
        made.append(run.job.value)
        return DONE

    Runner(work, log, execute, now=lambda: BEGAN).step()
    assert {"f1db_check", "calendar", "results"} <= set(made)
    assert "freeze" not in made
