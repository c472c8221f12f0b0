"""Race weekends rehearsed on real facts: in order, through faults, killed and begun again.

The installation that is rehearsed holds the facts of 2022 on, and its champion learned from that first season only: it
knows less than it might, and it is trained once for all weekends here. One weekend is rehearsed as people do it, with a
champion as of then and a challenger after the race.
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from f1core import forecasts
from f1core.clock import Clock
from f1core.job_log import RunStatus
from f1core.ledger import Ledger
from f1core.log import configure_logging
from f1core.plan import Plan
from f1core.ratings import rate_events
from f1core.rehearsal.faults import DiskFull, PlugPulled, watched
from f1core.rehearsal.installation import copy_installation
from f1core.rehearsal.marker import MARKER_FILE
from f1core.rehearsal.script import Script, script_of
from f1core.rehearsal.source import FaultKind, SourceFault
from f1core.rehearsal.timeline import Timeline
from f1core.rehearsal.timeline_text import timeline_text
from f1core.settings import Settings, load_settings
from f1core.targets import PRODUCTION_MODEL
from f1core.training import extract_missing
from f1core.workspace import Workspace
from jobs.rehearse import Rehearsal, go_on, prepare
from jobs.scheduler import only_runner
from models.joint import JointOrderModel
from models.registry import ModelRegistry
from tests.conftest import once_per_run
from warehouse.errors import LockHeld, WarehouseError
from warehouse.queries.events import session_starts
from warehouse.reader import Reader
from warehouse.store import Store, digest, season_digests
from warehouse.tables import FACT_TABLES, TABLES
from warehouse.vocab import Stage

pytestmark = pytest.mark.archive

HOUR = dt.timedelta(hours=1)
FIRST_SEASON = 2022
AUSTRIA = "2026-austria"


@dataclass(frozen=True)
class Past:
    """The installation whose facts are rehearsed.

    Attributes:
        settings: Its settings.
        champion: Models folder of a champion that knows nothing after 2022.
    """

    settings: Settings
    champion: Path

    @property
    def reader(self) -> Reader:
        return Reader(self.settings.warehouse_root)

    def script(self, event_id, **chosen) -> Script:
        """A weekend without a challenger, from an hour before its first session to an hour after its result."""
        found = script_of(self.reader, event_id, retrain=False)
        starts = session_starts(self.reader, event_id)
        usual = {"since": min(starts.values()) - HOUR, "until": found.until}
        if "corrected" not in chosen:
            usual["until"] = starts["race"] + 4 * HOUR
        chosen.pop("corrected", None)
        return script_of(self.reader, event_id, retrain=False, **{**usual, **chosen})

    def prepare(self, script, folder) -> Rehearsal:
        return prepare(self.settings, script, folder, champion=self.champion)

    def rehearse(self, folder, event_id, **chosen) -> tuple[Rehearsal, Timeline]:
        rehearsal = self.prepare(self.script(event_id, **chosen), folder)
        return rehearsal, rehearsal.run()


EXTENDED = pytest.mark.skipif(
    not os.environ.get("PARCFERME_EXTENDED_TESTS"),
    reason="a minute of its own each: set PARCFERME_EXTENDED_TESTS=1 to rehearse these weekends, too",
)


@pytest.fixture(scope="module", autouse=True)
def _one_event_ahead():
    """The recurring forecast is made of one coming event instead of three: the others are nothing these tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        found = forecasts.coming_events
        patch.setattr(forecasts, "coming_events", lambda work, now, count=1: found(work, now, 1))
        yield


@pytest.fixture(scope="module", autouse=True)
def _small_models():
    """Fewer orders and trees than in production: what these tests look at is what happens when, not how good it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(JointOrderModel.__init__.__kwdefaults__, "samples", 2_000)
        patch.setattr("models.place_regression.ROUNDS", 30)
        yield


@pytest.fixture(scope="session")
def past(ingested, tmp_path_factory) -> Past:
    configure_logging("ERROR")

    def make(folder: Path) -> None:
        reader, store = Reader(ingested / "warehouse"), Store(folder / "origin" / "warehouse")
        facts = {}
        for table in FACT_TABLES:
            floor = f" where season >= {FIRST_SEASON}" if "season" in table.column_names else ""
            facts[table.name] = (
                reader.query(f'select * from "{table.name}"{floor}').to_arrow().cast(table.schema)
            )
        facts["ratings"] = rate_events(facts["race_results"], facts["qualifying_results"], facts["laps"])
        for name, rows in facts.items():
            store.replace(name, rows)
        digests = {
            name: {str(season): value for season, value in season_digests(rows).items()}
            for name, rows in facts.items()
            if "season" in rows.column_names
        }
        store.publish(
            now=dt.datetime.now(dt.UTC), notes={"digests": digests, "source_name": "the archive since 2022"}
        )
        settings = load_settings(data=str(folder / "origin"), workers=1)
        # What drift is measured on; rehearsals take over what is current of it.
        extract_missing(Workspace(settings, Clock.system()), (Stage.PRE_RACE,))
        january = dt.datetime(2023, 1, 15, tzinfo=dt.UTC)
        prepare(settings, Script("2023-bahrain", january, january), folder / "champion")

    folder = once_per_run(tmp_path_factory, "rehearsed-past", make)
    return Past(load_settings(data=str(folder / "origin"), workers=1), folder / "champion" / "models")


def tables_of(data) -> dict[str, str]:
    reader = Reader(data / "warehouse")
    return {name: digest(reader.table(name).to_arrow()) for name in TABLES}


def runs_of(timeline, job) -> list:
    return [run for run in timeline.runs if run.job == job]


def assert_in_order(timeline) -> None:
    """What every weekend must show, asserted without the timeline's own judgement."""
    race, qualifying = timeline.starts["race"], timeline.starts["qualifying"]
    assert timeline.problems() == []
    official = next(one for one in timeline.of("sealed") if one.about == "post_qualifying")
    assert official.detail["kind"] == "rehearsal"
    assert qualifying + HOUR < official.at < race
    assert dt.datetime.fromisoformat(official.detail["data_through"]) <= official.at
    of_race = [one for one in timeline.of("settled") if one.about in list(Stage)]
    assert of_race and all(one.at >= timeline.result_known_at for one in of_race)
    [of_qualifying] = timeline.of("sealed", "qualifying pre_qualifying")
    assert qualifying - HOUR < of_qualifying.at < qualifying
    assert qualifying + HOUR < timeline.of("settled", "qualifying pre_qualifying")[0].at
    rehearsed = [session for session, start in timeline.starts.items() if start >= timeline.script.since]
    for session in rehearsed:
        assert len(timeline.of("extracted", session)) == 1, session
    assert timeline.of("extracted", "qualifying")[0].at <= official.at
    own = [one.about.split() for one in timeline.of("forecast")]
    stages = list(dict.fromkeys(stage for event, stage in own if event == timeline.script.event_id))
    wanted = ["pre_weekend", "pre_qualifying", "post_qualifying", "pre_race"]
    assert stages == (wanted if len(rehearsed) == len(timeline.starts) else wanted[1:])
    after = [one for one in timeline.of("forecast") if one.at >= timeline.result_known_at]
    assert f"{timeline.next_event} pre_weekend" in {one.about for one in after}


def assert_facts_complete(past, rehearsal, script) -> None:
    """Nothing was lost and nothing doubled: the event's facts are those of the installation, row for row."""
    own = rehearsal.work.again().reader
    for name in (
        "race_results",
        "qualifying_results",
        "practice_results",
        "starting_grids",
        "laps",
        "driver_standings",
    ):
        wanted = past.reader.query(
            f'select * from "{name}" where event_id = $event', {"event": script.event_id}
        )
        got = own.query(f'select * from "{name}" where event_id = $event', {"event": script.event_id})
        assert wanted.sort(TABLES[name].key).equals(got.sort(TABLES[name].key)), name


# Weekends -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Normal:
    """Austria 2026, rehearsed with nothing going wrong.

    Attributes:
        data: The folder at the end.
        rehearsal: The rehearsal.
        timeline: What happened.
    """

    data: Path
    rehearsal: Rehearsal
    timeline: Timeline


@pytest.fixture(scope="module")
def normal(past, tmp_path_factory) -> Normal:
    data = tmp_path_factory.mktemp("normal") / "data"
    rehearsal, timeline = past.rehearse(data, AUSTRIA)
    return Normal(data, rehearsal, timeline)


def test_a_normal_weekend(past, normal):
    timeline = normal.timeline
    assert_in_order(timeline)
    assert_facts_complete(past, normal.rehearsal, timeline.script)
    assert set(timeline.ended) == {"done"}
    assert [one.about for one in timeline.of("sealed")] == [
        "qualifying pre_qualifying",
        "post_qualifying",
        "pre_race",
    ]
    assert timeline.next_event == "2026-great-britain"
    for one in timeline.of("forecast"):
        assert len(one.detail["top"]) == 3
        assert dt.datetime.fromisoformat(one.detail["data_through"]) <= one.at
    assert Counter(run.clock for run in timeline.runs) == {"rehearsal": len(timeline.runs)}
    sealed = Ledger(normal.data / "ledger").get(f"{AUSTRIA}.race.post_qualifying.prediction")
    assert sealed.content["data"]["last_event_id"] == "2026-barcelona-catalunya"
    assert sealed.content["data"]["lineup_source"] == "qualifying"
    assert sealed.content["sealed_at"] == sealed.content["computed_at"] == "2026-06-27T15:15:00Z"
    text = timeline_text(timeline)
    assert "2026-06-27 15:15  sealed (rehearsal)  post_qualifying" in text
    assert "Everything came in its order; the ledger is intact." in text
    # Nothing was written beside the rehearsal's folder, and no other rehearsal is laid over it.
    assert not (past.settings.data / MARKER_FILE).exists()
    assert not past.settings.ledger_root.exists()
    with pytest.raises(WarehouseError, match="not empty"):
        past.prepare(timeline.script, normal.data)


def test_a_sprint_weekend_with_qualifying_on_race_day(past, tmp_path):
    """São Paulo 2024: qualifying was put off to the morning of the race, five hours before its start."""
    rehearsal, timeline = past.rehearse(tmp_path / "data", "2024-sao-paulo")
    assert timeline.starts["qualifying"].date() == timeline.starts["race"].date()
    assert timeline.of("extracted", "sprint") and timeline.of("extracted", "sprint_qualifying")
    assert_in_order(timeline)
    assert_facts_complete(past, rehearsal, timeline.script)
    official = next(one for one in timeline.of("sealed") if one.about == "post_qualifying")
    assert official.at == dt.datetime(2024, 11, 3, 11, 45, tzinfo=dt.UTC)
    assert timeline.starts["race"] - official.at < 4 * HOUR
    sprint = rehearsal.work.reader.query(
        "select known_at from race_results where event_id = '2024-sao-paulo' and session = 'sprint'"
    )
    assert sprint["known_at"].max() < timeline.starts["qualifying"], "the sprint was over by then"
    for stage in ("post_qualifying", "pre_race"):
        [sealed] = timeline.of("sealed", f"sprint {stage}")
        [settled] = timeline.of("settled", f"sprint {stage}")
        assert timeline.starts["sprint_qualifying"] + 0.75 * HOUR < sealed.at < timeline.starts["sprint"]
        assert timeline.starts["sprint"] + HOUR < settled.at < timeline.starts["race"]
        assert settled.detail["podium"][0] == "lando-norris"


@EXTENDED
def test_a_disqualification_corrects_the_result_two_days_later(past, tmp_path):
    """Las Vegas 2025: Norris second and Piastri fourth on the road, both disqualified."""
    event = "2025-las-vegas"
    race = session_starts(past.reader, event)["race"]
    _, timeline = past.rehearse(tmp_path / "data", event, since=race - 2 * HOUR, corrected=True)
    assert timeline.problems() == []
    first = [one for one in timeline.of("settled") if one.detail["revision"] == 1]
    second = [one for one in timeline.of("settled") if one.detail["revision"] == 2]
    assert {one.about for one in first} == {one.about for one in second} == {"post_qualifying", "pre_race"}
    assert {tuple(one.detail["podium"]) for one in first} == {
        ("max-verstappen", "lando-norris", "george-russell")
    }
    assert {tuple(one.detail["podium"]) for one in second} == {
        ("max-verstappen", "george-russell", "kimi-antonelli")
    }
    corrected = timeline.result_known_at + dt.timedelta(days=2)
    assert all(timeline.result_known_at <= one.at < corrected < other.at for one in first for other in second)
    ledger = Ledger(tmp_path / "data" / "ledger")
    old = ledger.get(f"{event}.race.pre_race.settlement-1")
    new = ledger.get(f"{event}.race.pre_race.settlement-2")
    assert new.content["supersedes"] == old.hash
    assert old.content["kind"] == new.content["kind"] == "rehearsal_settlement"
    accuracy = (
        Reader(tmp_path / "data" / "warehouse").table("accuracy").filter(pl.col("model") == PRODUCTION_MODEL)
    )
    for stage in ("post_qualifying", "pre_race"):
        rows = accuracy.filter(pl.col("stage") == stage).sort("revision")
        assert rows["is_current"].to_list() == [False, True]
        assert rows["mae_ranked"][0] != rows["mae_ranked"][1], "the old score is kept as it was"
    status = dict(
        Reader(tmp_path / "data" / "warehouse")
        .query("select driver_id, status from race_results where event_id = $event", {"event": event})
        .iter_rows()
    )
    assert status["lando-norris"] == status["oscar-piastri"] == "disqualified"


@EXTENDED
def test_a_wet_race_that_is_put_into_the_calendar_in_mid_season(past, tmp_path):
    """Great Britain 2025 is not in the calendar until the night before its first session."""
    event = "2025-great-britain"
    summaries = past.reader.query(
        "select is_wet from session_summaries where event_id = $event", {"event": event}
    )
    assert summaries["is_wet"].to_list() == [True]
    first = min(session_starts(past.reader, event).values())
    at = first - 12 * HOUR
    # To the evening: the forecast of the next event was made before this one came between, and is made again with those
    # of the coming events, every six hours.
    script = past.script(event, since=at - 2 * HOUR, until=first + 55 * HOUR, inserted={event: at})
    rehearsal = past.prepare(script, tmp_path / "data")
    rounds = "select event_id, round from events where season = 2025"
    before = dict(rehearsal.work.reader.query(rounds).iter_rows())
    assert event not in before
    planned = Plan(rehearsal.work).planned(at - 2 * HOUR, at + 96 * HOUR)
    assert event not in {run.params["event_id"] for run in planned}
    timeline = rehearsal.run()
    assert_in_order(timeline)
    assert_facts_complete(past, rehearsal, timeline.script)
    assert timeline.of("extracted", "race")[0].detail["rows"] > 700, "with its laps"
    after = dict(rehearsal.work.reader.query(rounds).iter_rows())
    assert after[event] == 12
    moved = {other for other in before if after[other] != before[other]}
    assert moved == {other for other in before if before[other] >= 12}, (
        "later rounds move, no event is renamed"
    )
    assert {after[other] - before[other] for other in moved} == {1}
    told = [run.note for run in runs_of(timeline, "calendar") if run.rows]
    assert len(told) == 1 and "2025-great-britain race added, 2025-07-06 14:00 UTC" in told[0]
    keys = [run.key for run in timeline.runs]
    assert len(set(keys)) == len(keys), "nothing was run twice because rounds moved"
    sealed = Ledger(tmp_path / "data" / "ledger").get(f"{event}.race.post_qualifying.prediction")
    assert sealed.content["event"]["round"] == 12
    assert sealed.content["data"]["count_missing_events"] == 0


# Faults ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def late(past, tmp_path_factory) -> Path:
    """Austria 2026 as it stood an hour before qualifying."""
    folder = tmp_path_factory.mktemp("late") / "data"
    qualifying = session_starts(past.reader, AUSTRIA)["qualifying"]
    past.prepare(past.script(AUSTRIA, since=qualifying - HOUR), folder)
    return folder


PLUGS = (
    (1, "answer: after"),
    (2, "table: after"),
    (1, "snapshot: before"),
    (1, "weekend features: before"),
    (1, "record: before"),
    (1, "record: after"),
    (3, "document: before"),
    (4, "run begins: after"),
    (2, "run ends: before"),
    (1, "snapshot: after"),
)
"""Where the plug is pulled, one after the other in one weekend: which step of this name in the life of the process.

A record is linked into the chain first and to its name afterwards: pulled after the first link, it lies there without one."""


def test_killed_and_begun_again_at_ten_points(past, normal, late, tmp_path):
    data = tmp_path / "data"
    copy_installation(late, data)
    # Processes are made by one that has loaded the libraries and never used them: the storage engine survives no fork.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["jobs.rehearse"])
    pulled = []
    for number, (count, name) in enumerate(PLUGS):
        note = tmp_path / f"pulled-{number}"
        process = context.Process(
            target=go_on, args=(past.settings, data), kwargs={"plug": PlugPulled(count, name, note)}
        )
        process.start()
        process.join(timeout=120)
        assert process.exitcode == -9, f"the plug at {name} was not pulled"
        pulled.append(note.read_text())
    assert pulled == [name for _, name in PLUGS]
    timeline = Rehearsal(past.settings, data).run()
    assert_killed_runs_are_on_record(timeline)
    assert timeline.problems() == []
    assert_same_facts(data, normal.data)
    assert Ledger(data / "ledger").head() == Ledger(normal.data / "ledger").head(), "the same to the byte"
    since = timeline.script.since
    assert {run.key for run in timeline.runs} >= {
        run.key for run in normal.timeline.runs if run.planned_at > since
    }
    done = Counter(run.key for run in timeline.runs if run.status is RunStatus.DONE)
    assert set(done.values()) == {1}, "nothing was done twice"


def assert_killed_runs_are_on_record(timeline) -> None:
    interrupted = [run for run in timeline.runs if run.status is RunStatus.INTERRUPTED]
    # A plug that is pulled between two runs interrupts none; every other one left its row.
    assert len(interrupted) >= len(PLUGS) - 2
    assert all("ended without saying how" in run.error for run in interrupted)


def test_sources_down_for_a_day_then_cut_answers_time_outs_and_a_full_disk(past, normal, tmp_path):
    """From before the end of qualifying to two hours before the race nothing answers; then what does is cut, or late."""
    starts = session_starts(past.reader, AUSTRIA)
    race, flag = starts["race"], starts["race"] + 3 * HOUR
    down = SourceFault(FaultKind.DOWN, race - 26 * HOUR, race - 2 * HOUR)
    late = SourceFault(FaultKind.TIME_OUT, race - HOUR, race - HOUR / 2)
    cut = SourceFault(FaultKind.TRUNCATED, flag, flag + HOUR)
    script = past.script(AUSTRIA, since=down.since, until=flag + 4 * HOUR, faults=(down, late, cut))
    rehearsal = past.prepare(script, tmp_path / "data")
    full = DiskFull(rehearsal.clock, cut.until, cut.until + HOUR)
    with watched(full):
        timeline = rehearsal.run()
    assert timeline.problems() == []
    failed = [run for run in timeline.runs if run.status is RunStatus.FAILED]
    seen = {}
    for words, fault in (
        ("cannot be reached", down),
        ("in time", late),
        ("cut short", cut),
        ("is full", full),
    ):
        seen[words] = [run for run in failed if words in run.error]
        assert seen[words], f"no run says that something {words}"
        assert all(fault.since <= run.started_at < fault.until for run in seen[words])
    assert sum(map(len, seen.values())) == len(failed), "every failure is one of ours"
    assert {run.job for run in seen["cannot be reached"]} >= {"extract", "f1db_check", "calendar", "results"}
    official = next(one for one in timeline.of("sealed") if one.about == "post_qualifying")
    assert down.until <= official.at < race, "sealed as soon as qualifying was known, and in time"
    assert all(one.at >= full.until for one in timeline.of("settled") if one.about in list(Stage))
    assert len(timeline.of("settled", "qualifying pre_qualifying")) == 1
    assert_facts_complete(past, rehearsal, timeline.script)
    assert_same_facts(tmp_path / "data", normal.data)
    records = [
        {record.name for record in Ledger(folder / "ledger").walk()}
        for folder in (tmp_path / "data", normal.data)
    ]
    assert records[0] == records[1]


def assert_same_facts(data, other) -> None:
    names = [*(table.name for table in FACT_TABLES), "ratings"]
    left, right = tables_of(data), tables_of(other)
    assert {name: left[name] for name in names} == {name: right[name] for name in names}


def test_two_runners_cannot_work_in_one_folder(past, late, tmp_path):
    data = tmp_path / "data"
    copy_installation(late, data)
    rehearsal = Rehearsal(past.settings, data)
    with only_runner(rehearsal.settings), pytest.raises(LockHeld, match="at work already"):
        rehearsal.run()
    assert rehearsal.timeline().runs == ()


def test_models_that_know_too_much_are_refused(past, tmp_path):
    since = dt.datetime(2022, 7, 7, tzinfo=dt.UTC)
    with pytest.raises(WarehouseError, match="the rehearsal begins at 2022-07-07"):
        past.prepare(Script("2022-austria", since, since + 96 * HOUR), tmp_path / "data")


# As people do it --------------------------------------------------------------------------------------------------------


@EXTENDED
@pytest.mark.slow
def test_the_command_trains_a_champion_and_after_the_race_a_challenger(past, jobs, tmp_path):
    keep = tmp_path / "kept"
    run = jobs(
        "rehearse",
        "--race",
        "Australia",
        "--year",
        "2023",
        "--keep",
        str(keep),
        "--json",
        data=past.settings.data,
    )
    assert run.code == 0, run.err
    told = json.loads(run.out)
    assert told["problems"] == []
    [retrained] = [one for one in told["happenings"] if one["what"] == "retrained"]
    settled = [one for one in told["happenings"] if one["what"] == "settled"]
    assert settled and all(one["at"] <= retrained["at"] for one in settled)
    registry = ModelRegistry(keep / "models")
    for stage in Stage:
        history = registry.history("race", stage.value)
        # Only the stage that the next event is forecast at is learned anew.
        assert len(history) == (2 if stage is Stage.PRE_WEEKEND else 1)
        assert registry.manifest(history[0]["version"]).cutoff < dt.datetime(2023, 3, 30, tzinfo=dt.UTC)
    champion, challenger = (one["version"] for one in registry.history("race", Stage.PRE_WEEKEND.value))
    after = registry.manifest(challenger)
    assert dt.datetime.fromisoformat(told["result_known_at"]) <= after.cutoff < after.created_at
    used = {one["about"]: one["model_version"] for one in told["happenings"] if one["what"] == "forecast"}
    assert used["2023-australia pre_weekend"] == champion
    assert used["2023-azerbaijan pre_weekend"] == challenger
    again = jobs(
        "rehearse", "--race", "Australia", "--year", "2023", "--keep", str(keep), data=past.settings.data
    )
    assert again.code == 5 and "is not empty" in again.err
    future = jobs("rehearse", "--race", "Abu Dhabi", "--year", "2026", data=past.settings.data)
    assert future.code == 7 and "only a weekend that is over can be rehearsed" in future.err
