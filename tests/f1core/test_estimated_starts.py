"""Nothing is sealed before a start that is only an estimate."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from f1core.clock import Clock
from f1core.freeze import freeze, refuse_unless_open
from f1core.settings import load_settings
from f1core.workspace import Workspace
from warehouse.errors import NotReady
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import SessionKind, Target

EVENT = "2024-highmoor"
RACE = dt.datetime(2024, 5, 5, 13, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class DaysBefore(Clock):
    """The machine's clock at another time: a test cannot wait for a race."""

    def now(self) -> dt.datetime:
        return RACE - dt.timedelta(days=3)

    @property
    def is_simulated(self) -> bool:
        return False


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_data, tmp_path / "data"))


def workspace(data: Path) -> Workspace:
    return Workspace(load_settings(data=data), DaysBefore())


def estimate(data: Path, session: SessionKind) -> None:
    """Makes a session of the event one of which only the day is known."""
    store = Store(load_settings(data=data).warehouse_root)
    rows = pl.DataFrame(pl.from_arrow(store.read("sessions")))
    here = (pl.col("event_id") == EVENT) & (pl.col("session") == session.value)
    changed = rows.with_columns(
        is_time_estimated=pl.when(here).then(pl.lit(True)).otherwise("is_time_estimated"),
        time_source=pl.when(here).then(pl.lit("estimated")).otherwise("time_source"),
    )
    assert not changed.equals(rows)
    store.replace("sessions", changed.to_arrow().cast(TABLES["sessions"].schema))
    store.publish(now=dt.datetime.now(dt.UTC))


def test_a_known_start_is_open(data: Path) -> None:
    for target in (Target.RACE, Target.QUALIFYING):
        assert refuse_unless_open(workspace(data), EVENT, target) > DaysBefore().now()


@pytest.mark.parametrize(
    ("session", "target", "other"),
    [
        (SessionKind.RACE, Target.RACE, Target.QUALIFYING),
        (SessionKind.QUALIFYING, Target.QUALIFYING, Target.RACE),
    ],
)
def test_an_estimated_start_is_refused_for_its_own_target(
    data: Path, session: SessionKind, target: Target, other: Target
) -> None:
    estimate(data, session)
    work = workspace(data)
    with pytest.raises(NotReady, match=f"does not say when the {target.value} of {EVENT} begins"):
        refuse_unless_open(work, EVENT, target)
    assert refuse_unless_open(work, EVENT, other) > DaysBefore().now()
    with pytest.raises(NotReady, match="does not say when"):
        freeze(work, EVENT, target=target)
    assert not list((data / "ledger").rglob("*.json"))
