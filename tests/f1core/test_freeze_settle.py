"""Sealing before the start, scoring after the flag, and the tables made of both."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass

import polars as pl
import pytest

from f1core.clock import Clock
from f1core.freeze import freeze
from f1core.ledger import Ledger, prediction_name
from f1core.ledger_tables import publish_ledger
from f1core.settings import load_settings
from f1core.settle import settle
from f1core.targets import PRODUCTION_MODEL
from f1core.workspace import Workspace
from models.metrics import score_event
from warehouse.errors import NotReady
from warehouse.vocab import Stage, Target

pytestmark = pytest.mark.archive

EVENT = "2026-austria"
BEFORE = dt.datetime(2026, 6, 28, 12, 40, tzinfo=dt.UTC)
AFTER = dt.datetime(2026, 6, 29, 12, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class StandInForTheRealClock(Clock):
    """The machine's clock at another time: a test cannot wait for a race."""

    at: dt.datetime = BEFORE

    def now(self) -> dt.datetime:
        return self.at

    @property
    def is_simulated(self) -> bool:
        return False


def _workspace(data, at):
    return Workspace(load_settings(data=str(data)), StandInForTheRealClock(at=at))


@pytest.fixture
def data(built_data, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(built_data, folder)
    shutil.rmtree(folder / "ledger", ignore_errors=True)
    return folder


@pytest.fixture
def sealed(data):
    record, is_new = freeze(_workspace(data, BEFORE), EVENT)
    assert is_new
    return record


def test_the_record_says_everything(sealed):
    document = sealed.content
    assert document["name"] == prediction_name(EVENT, "race", "pre_race")
    assert (document["kind"], document["stage"], document["event_id"]) == ("sealed", "pre_race", EVENT)
    assert document["sealed_at"] == "2026-06-28T12:40:00Z"
    assert document["session"] == {"kind": "race", "starts_at": "2026-06-28T13:00:00Z"}
    assert document["data"]["last_event_id"] == "2026-barcelona-catalunya"
    assert document["data"]["lineup_source"] == "grid"
    assert document["model"]["files"], "the model's files are named with their hashes"
    assert set(document["baselines"]) == {"grid", "points", "elo"}
    assert len(document["entries"]) == 22
    assert [entry["predicted_position"] for entry in document["entries"]] == list(range(1, 23))
    assert sum(entry["win_probability"] for entry in document["entries"]) == pytest.approx(1, abs=1e-4)
    assert document["confidence"]["score"] == max(entry["win_probability"] for entry in document["entries"])


def test_a_second_call_returns_the_sealed_record_even_after_the_race(data, sealed):
    for at in (BEFORE, AFTER):
        record, is_new = freeze(_workspace(data, at), EVENT, stage=Stage.PRE_RACE)
        assert not is_new
        assert record.body == sealed.body


def test_nothing_is_sealed_once_the_session_has_begun(data):
    for at in (dt.datetime(2026, 6, 28, 13, 0, tzinfo=dt.UTC), AFTER):
        with pytest.raises(NotReady, match="began at 2026-06-28 13:00 UTC"):
            freeze(_workspace(data, at), EVENT)
    assert Ledger(data / "ledger").head()[0] == 0


def test_a_simulated_clock_cannot_seal_or_settle(data):
    work = Workspace(load_settings(data=str(data)), Clock.at("2026-06-28T12:40Z"))
    with pytest.raises(NotReady, match="real clock"):
        freeze(work, EVENT)
    with pytest.raises(NotReady, match="real clock"):
        settle(work, EVENT)
    assert not (data / "ledger").exists()


@pytest.mark.parametrize(
    ("event", "target", "before", "stage", "baselines", "pole_or_winner", "count"),
    [
        (
            "2026-austria",
            Target.QUALIFYING,
            dt.datetime(2026, 6, 27, 13, 30, tzinfo=dt.UTC),
            Stage.PRE_QUALIFYING,
            {"points", "elo"},
            "select driver_id from qualifying_results where event_id = '2026-austria' and position = 1",
            22,
        ),
        (
            "2026-canada",
            Target.SPRINT,
            dt.datetime(2026, 5, 23, 15, 45, tzinfo=dt.UTC),
            Stage.PRE_RACE,
            {"grid", "points", "elo"},
            "select driver_id from race_results where event_id = '2026-canada' and session = 'sprint' and position = 1",
            22,
        ),
    ],
)
def test_qualifying_and_sprint_are_sealed_settled_and_scored_like_the_race(
    data, event, target, before, stage, baselines, pole_or_winner, count
):
    """What is there now knows more than that day: whether anything leaks is the gate's test, not this one."""
    record, is_new = freeze(_workspace(data, before), event, stage=stage, target=target)
    document = record.content
    assert is_new
    assert document["name"] == prediction_name(event, target.value, stage.value)
    assert (document["target"], document["session"]["kind"]) == (target.value, target.value)
    assert set(document["baselines"]) == baselines
    assert len(document["entries"]) == count
    assert {entry["gap_s"] for entry in document["entries"]} == {None}
    with pytest.raises(NotReady, match="not in the data yet"):
        settle(_workspace(data, before), event, target=target)
    with pytest.raises(NotReady, match="No race prediction"):
        settle(_workspace(data, before), event)
    later = _workspace(data, before + dt.timedelta(hours=3))
    [(settled, is_new)] = settle(later, event, target=target)
    assert is_new
    assert settled.content["results"][0]["driver_id"] == later.reader.query(pole_or_winner).item(0, 0)
    scores = settled.content["scores"]
    assert set(scores) == {PRODUCTION_MODEL, *baselines}
    assert scores[PRODUCTION_MODEL]["gap_mae_s"] is None
    assert scores[PRODUCTION_MODEL]["mae_ranked"] > 0
    publish_ledger(later)
    assert set(later.reader.table("accuracy")["target"]) == {target.value}
    assert later.reader.table("prediction_entries").height == (1 + len(baselines)) * count
    [(again, is_new)] = settle(later, event, target=target)
    assert not is_new and again.hash == settled.hash


def test_old_data_is_sealed_with_a_warning(data):
    record, _ = freeze(_workspace(data, dt.datetime(2026, 11, 20, 23, 0, tzinfo=dt.UTC)), "2026-las-vegas")
    assert record.content["stage"] == "pre_weekend"
    assert record.content["data"]["through"] == "2026-06-28T16:00:00Z"
    assert record.content["data"]["count_missing_events"] == 12
    assert "12 earlier race(s)" in record.content["warnings"][0]


def test_other_targets_and_missing_stages_are_refused(data):
    with pytest.raises(NotReady, match="no sprint session in the calendar"):
        freeze(_workspace(data, BEFORE), EVENT, target=Target.SPRINT)
    friday = dt.datetime(2026, 6, 26, 20, 0, tzinfo=dt.UTC)
    with pytest.raises(NotReady, match="qualifying is over by then"):
        freeze(_workspace(data, friday), EVENT, stage=Stage.PRE_RACE, target=Target.QUALIFYING)
    with pytest.raises(NotReady, match="The qualifying of 2026-austria began"):
        freeze(_workspace(data, BEFORE), EVENT, target=Target.QUALIFYING)
    with pytest.raises(NotReady, match="starting grid is not known"):
        freeze(_workspace(data, dt.datetime(2026, 6, 27, 20, 0, tzinfo=dt.UTC)), EVENT, stage=Stage.PRE_RACE)


def test_settling_scores_what_was_sealed(data, sealed):
    work = _workspace(data, AFTER)
    [(record, is_new)] = settle(work, EVENT)
    assert is_new
    assert record.content["prediction"] == {"name": sealed.name, "hash": sealed.hash}
    assert record.content["results"][0]["position"] == 1
    frame = pl.DataFrame([dict(entry) for entry in sealed.content["entries"]]).with_columns(
        event_id=pl.lit(EVENT)
    )
    labels = work.labels.filter(pl.col("event_id") == EVENT)
    expected = score_event(frame.with_columns(model=pl.lit(PRODUCTION_MODEL)), labels)
    assert record.content["scores"][PRODUCTION_MODEL]["win_log_loss"] == pytest.approx(
        expected["win_log_loss"], abs=1e-6
    )
    assert set(record.content["scores"]) == {PRODUCTION_MODEL, "grid", "points", "elo"}
    assert (
        sum(bin_["count"] for bin_ in record.content["calibration"][PRODUCTION_MODEL]["win"]) == labels.height
    )
    [(again, is_new)] = settle(work, EVENT)
    assert not is_new
    assert again.hash == record.hash


def test_results_that_are_not_known_cannot_settle(data, sealed):
    with pytest.raises(NotReady, match="not in the data yet"):
        settle(_workspace(data, BEFORE), EVENT)
    with pytest.raises(NotReady, match="was sealed"):
        settle(_workspace(data, AFTER), "2026-monaco")


def test_a_corrected_result_adds_a_score_and_hides_none(data, sealed):
    work = _workspace(data, AFTER)
    [(first, _)] = settle(work, EVENT)
    winner = first.content["results"][0]["driver_id"]
    with work.writing("test") as store:
        rows = pl.DataFrame(pl.from_arrow(store.read("race_results")))
        mine = (pl.col("event_id") == EVENT) & (pl.col("session") == "race")
        disqualified = mine & (pl.col("driver_id") == winner)
        last = rows.filter(mine)["display_order"].max()
        changed = rows.with_columns(
            display_order=pl.when(disqualified)
            .then(last)
            .when(mine)
            .then(pl.col("display_order") - 1)
            .otherwise(pl.col("display_order"))
            .cast(pl.Int32),
            position=pl.when(disqualified).then(None).otherwise(pl.col("position")),
            status=pl.when(disqualified).then(pl.lit("disqualified")).otherwise(pl.col("status")),
        )
        changed = changed.with_columns(
            position=pl.when(mine & pl.col("position").is_not_null())
            .then(pl.col("position") - 1)
            .otherwise(pl.col("position"))
        )
        store.replace("race_results", changed.to_arrow())
        store.publish(now=AFTER)
    later = _workspace(data, AFTER + dt.timedelta(days=2))
    [(second, is_new)] = settle(later, EVENT)
    assert is_new
    assert (second.content["revision"], second.content["supersedes"]) == (2, first.hash)
    assert second.content["results"][-1]["driver_id"] == winner
    publish_ledger(later)
    rows = later.reader.table("accuracy").filter(pl.col("model") == PRODUCTION_MODEL).sort("revision")
    assert rows["revision"].to_list() == [1, 2]
    assert rows["is_current"].to_list() == [False, True]
    assert rows["win_log_loss"][0] == pytest.approx(first.content["scores"][PRODUCTION_MODEL]["win_log_loss"])


def test_tables_are_rebuilt_from_the_ledger_alone(data, sealed):
    work = _workspace(data, AFTER)
    settle(work, EVENT)
    publish_ledger(work)
    before = {name: work.reader.table(name) for name in ("predictions", "prediction_entries", "accuracy")}
    assert before["predictions"].height == 4
    assert before["prediction_entries"].height == 4 * 22
    assert work.reader.snapshot.notes["ledger"]["count"] == 2
    (data / "warehouse" / "snapshot.json").unlink()
    again = _workspace(data, AFTER)
    publish_ledger(again)
    for name, rows in before.items():
        key = ["event_id", "stage", "model"] + (["driver_id"] if "driver_id" in rows.columns else [])
        assert again.reader.table(name).sort(key).equals(rows.sort(key))


def test_sealed_records_survive_a_moved_calendar(data, sealed):
    work = _workspace(data, AFTER)
    with work.writing("test") as store:
        events = pl.DataFrame(pl.from_arrow(store.read("events")))
        moved = events.with_columns(
            round=pl.when(pl.col("season") == 2026)
            .then(pl.col("round") + 1)
            .otherwise(pl.col("round"))
            .cast(pl.Int32)
        )
        store.replace("events", moved.to_arrow())
        store.publish(now=AFTER)
    [(record, _)] = settle(_workspace(data, AFTER), EVENT)
    assert record.content["event_id"] == EVENT
    assert json.loads(sealed.body)["event"]["round"] == 8
