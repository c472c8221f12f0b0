"""What keeps a rehearsal and the real installation apart: nothing rehearsed is ever sealed, nothing sealed is rehearsed."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from f1core.clock import Clock
from f1core.forecasts import refresh_forecasts
from f1core.freeze import refuse_unless_open
from f1core.ledger import REHEARSAL_KINDS, Ledger, canonical, content_hash
from f1core.ledger_tables import ledger_frames
from f1core.rehearsal.clock import RehearsalClock
from f1core.rehearsal.marker import MARKER_FILE, is_rehearsal, mark, read_mark
from f1core.settings import load_settings
from f1core.settle import settle
from f1core.workspace import Workspace
from warehouse.errors import NotReady, ParcFermeError, WarehouseError
from warehouse.vocab import Target

NOW = dt.datetime(2025, 11, 22, 6, 0, tzinfo=dt.UTC)
NAME = "2025-las-vegas.race.pre_race.prediction"


@pytest.fixture
def rehearsed(tmp_path):
    """A rehearsal's folder, without anything in it but its mark."""
    data = tmp_path / "rehearsal"
    mark(data, {"script": {}})
    return data


def _settings(data):
    return load_settings(data=str(data))


def test_a_rehearsal_needs_a_folder_that_is_marked(tmp_path):
    for data in (tmp_path / "real", tmp_path / "nothing"):
        (tmp_path / "real").mkdir(exist_ok=True)
        with pytest.raises(WarehouseError, match="no rehearsal's data folder"):
            Workspace(_settings(data), RehearsalClock.starting_at(NOW), rehearsal=True)


def test_a_rehearsal_never_runs_on_the_real_clock(rehearsed):
    with pytest.raises(WarehouseError, match="never on the machine's real one"):
        Workspace(_settings(rehearsed), Clock.system(), rehearsal=True)


def test_only_an_empty_folder_becomes_a_rehearsals(tmp_path):
    (tmp_path / "real" / "ledger").mkdir(parents=True)
    with pytest.raises(WarehouseError, match="is not empty"):
        mark(tmp_path / "real", {})
    assert not is_rehearsal(tmp_path / "real")
    (tmp_path / "file").write_text("x")
    with pytest.raises(WarehouseError, match="is not empty"):
        mark(tmp_path / "file", {})
    mark(tmp_path / "new", {"script": {"event_id": "2025-las-vegas"}})
    assert read_mark(tmp_path / "new")["script"] == {"event_id": "2025-las-vegas"}
    with pytest.raises(WarehouseError, match="is not empty"):
        mark(tmp_path / "new", {})


def test_a_damaged_mark_is_named(rehearsed):
    (rehearsed / MARKER_FILE).write_text("{")
    with pytest.raises(WarehouseError, match="damaged"):
        read_mark(rehearsed)
    (rehearsed / MARKER_FILE).write_text(json.dumps({"format": "parcferme/rehearsal/9"}))
    with pytest.raises(WarehouseError, match="does not read"):
        read_mark(rehearsed)
    with pytest.raises(WarehouseError, match="no rehearsal"):
        read_mark(rehearsed.parent)


@pytest.mark.parametrize("clock", [Clock.system(), Clock.at(NOW), RehearsalClock.starting_at(NOW)])
def test_a_rehearsals_folder_opened_like_a_real_one_is_read_only(rehearsed, clock):
    work = Workspace(_settings(rehearsed), clock)
    assert not work.is_live
    with pytest.raises(NotReady, match="real clock can seal"):
        refuse_unless_open(work, "2025-las-vegas", Target.RACE)
    with pytest.raises(NotReady, match="real clock can settle"):
        settle(work, "2025-las-vegas")
    with pytest.raises(NotReady, match="not stored"):
        refresh_forecasts(work, ["2025-las-vegas"])
    assert not (rehearsed / "ledger").exists()


def test_who_may_write(tmp_path, rehearsed):
    real = _settings(tmp_path / "real")
    assert Workspace(real, Clock.system()).is_live
    assert not Workspace(real, Clock.at(NOW)).is_live
    assert not Workspace(real, RehearsalClock.starting_at(NOW)).is_live
    work = Workspace(_settings(rehearsed), RehearsalClock.starting_at(NOW), rehearsal=True)
    assert work.is_live
    assert work.again().is_live


def test_neither_ledger_takes_the_others_records(tmp_path, rehearsed):
    real, own = Ledger(tmp_path / "real" / "ledger"), Ledger(rehearsed / "ledger")
    assert (real.prediction_kind, real.settlement_kind) == ("sealed", "settlement")
    assert (own.prediction_kind, own.settlement_kind) == REHEARSAL_KINDS
    for kind in REHEARSAL_KINDS:
        with pytest.raises(ValueError, match="a real ledger holds nothing rehearsed"):
            real.seal(NAME, {"kind": kind})
    for kind in ("sealed", "settlement"):
        with pytest.raises(ValueError, match="a rehearsal's ledger holds nothing sealed"):
            own.seal(NAME, {"kind": kind})
    assert real.head()[0] == own.head()[0] == 0


def test_a_record_that_was_carried_over_by_hand_is_found_and_never_shown(tmp_path, rehearsed):
    record, _ = Ledger(rehearsed / "ledger").seal(NAME, {"kind": "rehearsal"})
    for folder in ("chain", "records"):
        target = tmp_path / "real" / "ledger" / folder
        target.mkdir(parents=True)
        (target / ("000001.json" if folder == "chain" else f"{NAME}.json")).write_bytes(record.body)
    real = Ledger(tmp_path / "real" / "ledger")
    assert content_hash(record.content) == record.hash
    assert canonical(record.content) == record.body
    [problem] = real.verify().problems
    assert "000001.json is of kind rehearsal: a real ledger holds nothing rehearsed" in problem
    assert all(frame.is_empty() for frame in ledger_frames(real).values())


def test_the_clock_only_goes_forward():
    clock = RehearsalClock.starting_at(NOW)
    assert clock.is_simulated
    clock.forward(NOW + dt.timedelta(hours=1))
    assert clock.now() == NOW + dt.timedelta(hours=1)
    with pytest.raises(ParcFermeError, match="cannot go back"):
        clock.forward(NOW)
