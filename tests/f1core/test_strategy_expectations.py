"""What past races say beside the simulator: nothing known later has a say, and it is put into plain words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from f1core.strategy.edits import WeatherScenario, WhatIf
from f1core.strategy.expectations import call_words, with_learned
from f1core.strategy.learned_undercut import MIN_PAIRS, undercut_model
from f1core.strategy.stop_laps import undercut_odds
from f1core.strategy.team_call import TeamCall
from models.strategy.undercut import FEATURES, MOST_REPLY_LAPS, UndercutModel
from tests.f1core.simulator_field import quiet
from tests.f1core.strategy_field import a_setup
from warehouse.frames import frame_schema
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES

DAY = dt.datetime(2024, 3, 3, 17, tzinfo=dt.UTC)
EVEN = UndercutModel(
    means=np.zeros(len(FEATURES)),
    scales=np.ones(len(FEATURES)),
    coefficients=np.zeros(len(FEATURES) + 1),
    count=1,
    base_rate=0.5,
)


def tried(seed: int, day: dt.datetime, many: int = MIN_PAIRS) -> pl.DataFrame:
    """Undercuts that were tried on one day; the closer the better."""
    rng = np.random.default_rng(seed)
    drawn = {name: rng.normal(size=many) for name in FEATURES}
    gap = rng.uniform(0.3, 4.0, many)
    ahead = rng.random(many) < 1 / (1 + np.exp(gap - 2))
    event = f"{day.year}-race-{day:%m-%d}"
    return pl.DataFrame(
        {**drawn, "gap": gap, "gap_s": gap, "lap": np.arange(many) + 5, "is_ahead": ahead}
    ).with_columns(
        event_id=pl.lit(event),
        season=day.year,
        reply_laps=2,
        rival_age=pl.col("rival_age").abs(),
        circuit_id=pl.lit("ring"),
        driver_id=pl.lit("a"),
        rival_id=pl.lit("b"),
        known_at=pl.lit(day).cast(pl.Datetime("us", "UTC")),
    )


def warehouse(folder: Path, *parts: pl.DataFrame) -> Reader:
    """A warehouse that holds these undercuts and nothing else."""
    schema = frame_schema(TABLES["undercuts"])
    rows = pl.concat(parts)
    table = rows.select(*schema).cast(schema)  # type: ignore[arg-type]
    store = Store(folder)
    store.replace("undercuts", table.to_arrow().cast(TABLES["undercuts"].schema))
    store.publish(now=DAY + dt.timedelta(days=90))
    return Reader(folder)


def test_undercuts_known_at_the_instant_or_later_change_nothing(tmp_path: Path) -> None:
    before, now = DAY, DAY + dt.timedelta(days=14)
    later = now + dt.timedelta(days=14)
    one = warehouse(tmp_path / "one", tried(1, before), tried(2, now), tried(3, later))
    other = warehouse(tmp_path / "other", tried(1, before), tried(8, now), tried(9, later, 30))
    changed = warehouse(tmp_path / "changed", tried(7, before), tried(2, now), tried(3, later))
    asked = tried(4, later)
    told = [undercut_model(reader, now) for reader in (one, other, changed)]
    odds = [model.probability(asked) for model in told if model is not None]
    assert len(odds) == 3
    assert np.array_equal(odds[0], odds[1])
    assert not np.allclose(odds[0], odds[2])
    assert told[0] is not None and told[0].count == MIN_PAIRS
    assert undercut_model(one, before) is None, "what is known at the instant is not known before it"
    whole = undercut_model(one)
    assert whole is not None and whole.count == 3 * MIN_PAIRS


def test_real_undercuts_stand_beside_the_simulated_ones_where_they_have_a_say() -> None:
    setup = a_setup()
    setup = replace(setup, race=quiet(setup.race), scenario=replace(setup.scenario, phases=()))
    odds = undercut_odds(setup, "car 1", ["car 0"], runs=20)
    told = with_learned(EVEN, odds, setup, "car 1", "car 0")
    assert told.drop("learned").equals(odds.sort("lap"))
    rival = odds["rival_lap"][0]
    asked = told.filter(pl.col("learned").is_not_null())
    assert asked["lap"].to_list() == list(range(rival - MOST_REPLY_LAPS, rival))
    assert asked["learned"].to_list() == pytest.approx([0.5] * MOST_REPLY_LAPS)
    in_front = undercut_odds(setup, "car 0", ["car 1"], runs=20)
    assert with_learned(EVEN, in_front, setup, "car 0", "car 1")["learned"].is_null().all()
    rain = WhatIf(weather=WeatherScenario.MIXED)
    assert with_learned(EVEN, odds, setup, "car 1", "car 0", rain)["learned"].is_null().all()
    assert with_learned(None, odds, setup, "car 1", "car 0")["learned"].is_null().all()


def test_the_gap_between_teams_and_free_air_is_named() -> None:
    call = TeamCall(1, 18.6, 1, 23, {1: 0.0}, ())
    assert "about lap 19" in call_words(call)
    assert "lap 23, 4 laps later: teams cover the undercut" in call_words(call)
    assert "quickest" not in call_words(call)
    two = call_words(replace(call, free_air_stops=2))
    assert "one stop, the first" in two and "two stops would be quickest" in two
    sooner = call_words(replace(call, free_air_first_lap=18))
    assert "1 lap earlier." in sooner and "undercut" not in sooner
    assert "lap 19" in call_words(replace(call, free_air_first_lap=19))
    assert "later" not in call_words(replace(call, free_air_first_lap=19))
