"""The strategy parameters of the real races: measured once, published, plausible where the sport is well known."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.clock import Clock
from f1core.settings import load_settings
from f1core.strategy.fit import fit_strategy, fitted_as_usual
from f1core.workspace import Workspace
from warehouse.errors import NotReady
from warehouse.queries.strategy import measurements, strategy_parameters

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A data folder with the real facts, fitted."""
    folder = tmp_path_factory.mktemp("fitted")
    shutil.copytree(ingested / "warehouse", folder / "warehouse")
    found = Workspace(load_settings(data=folder), Clock.system())
    report = fit_strategy(found)
    assert len(report.measured) > 160
    assert report.circuits > 25
    return found


def test_a_second_fit_measures_nothing(work: Workspace) -> None:
    before = work.reader.snapshot
    again = fit_strategy(work.again())
    assert again.measured == ()
    assert len(again.kept) > 160
    assert work.reader.snapshot == before, "nothing was published"
    stored = strategy_parameters(work.reader)
    assert set(stored["version"]) == {again.version}
    assert stored["circuit_id"].n_unique() == again.circuits


def test_the_newest_fit_is_in_the_table_as_it_is_pooled(work: Workspace) -> None:
    found = pl.DataFrame(fitted_as_usual(work.reader, "monza").rows()).sort("parameter", "part")
    stored = strategy_parameters(work.reader, "monza")
    assert stored["value"].to_list() == pytest.approx(found["value"].to_list())
    assert stored["low"].to_list() == pytest.approx(found["low"].to_list())


def test_what_everybody_knows_of_circuits(work: Workspace) -> None:
    monaco, monza, spa, bahrain = (
        fitted_as_usual(work.reader, name) for name in ("monaco", "monza", "spa-francorchamps", "bahrain")
    )
    assert monaco.overtake_midpoint_s.value > monza.overtake_midpoint_s.value + 1.0
    assert monaco.dirty_air_s[0].value > monza.dirty_air_s[0].value
    assert spa.pit_loss_s.value < 20.5 < 23.5 < monza.pit_loss_s.value
    share = {one.circuit_id: one.wear_s["medium"].value / one.lap_time_s for one in (monaco, bahrain)}
    assert share["bahrain"] > share["monaco"]
    for one in (monaco, monza, spa, bahrain):
        assert 0.3 < sum(rate.value for rate in one.safety_car_rates[1:]) < 0.8
        assert one.dirty_air_s[0].value > one.dirty_air_s[1].value > one.dirty_air_s[2].value
        assert 1.08 < one.crossover_factor.value < 1.2


def test_a_simulated_clock_publishes_nothing(work: Workspace) -> None:
    with pytest.raises(NotReady, match="real clock"):
        fit_strategy(Workspace(work.settings, Clock.at("2025-06-01T00:00Z")))


def test_no_measurement_was_known_before_its_race_was_over(work: Workspace) -> None:
    known = work.reader.query("select event_id, known_at from sessions where session = 'race'")
    rows = measurements(work.reader).select("event_id", made="known_at").unique().join(known, on="event_id")
    assert rows.height > 160
    assert rows.filter(pl.col("made") < pl.col("known_at")).is_empty()
