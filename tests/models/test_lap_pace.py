"""Race pace from laps: planted drivers, tyres, fuel and traffic are found again, whatever goes wrong in a few laps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lap_pace import (
    LAP_COLUMNS,
    MIN_DRIVERS,
    MIN_LAPS,
    LapPriors,
    RacePace,
    fit_race,
    fit_races,
    green_laps,
    race_paces,
)

LAPS, BASE_S = 56, 90.0
PACE = {f"driver-{k:02d}": 0.15 * k - 1.35 for k in range(19)}
EVOLUTION = -3.0
OFFSET = {"soft": -0.4, "medium": 0.0, "hard": 0.4}
WEAR = {"soft": 0.09, "medium": 0.06, "hard": 0.03}
DIRTY = (0.6, 0.3, 0.1)
WIDE = LapPriors(evolution=(-3.6, 5.0), compound_sd=2.0, wear_sd=0.5, dirty_air_sd=1.0)
"""Priors that leave it to the laps."""


def race(*, noise: float = 0.25, seed: int = 3, event_id: str = "2024-here") -> pl.DataFrame:
    """Laps of a race with planted coefficients: three stints a car, stops spread over the race, gaps that come and go.

    Cars do not really meet: the gap ahead is drawn, and the session's clock is set so that it comes out.
    """
    rng = np.random.default_rng(seed)
    names = list(PACE)
    order = [["soft", "medium", "hard"], ["medium", "hard", "soft"], ["hard", "soft", "medium"]]
    stops = {name: sorted(rng.choice(np.arange(8, LAPS - 8), 2, replace=False)) for name in names}
    rows = []
    clock = 0.0
    gaps = np.zeros(len(names))
    for lap in range(1, LAPS + 1):
        # the order in which the line is crossed and the gaps in it are drawn anew every lap
        sequence = rng.permutation(len(names))
        ahead = rng.uniform(0.3, 6.0, len(names))
        ends = clock + 95.0 + np.cumsum(ahead)
        for at, car in enumerate(sequence):
            name = names[car]
            first, second = stops[name]
            stint = int(lap > first) + int(lap > second)
            since = lap - (0, first, second)[stint]
            compound = order[car % 3][stint]
            near = gaps[car]
            pct = (
                PACE[name]
                + EVOLUTION * (lap - 1) / LAPS
                + OFFSET[compound]
                + WEAR[compound] * (since - 1)
                + (DIRTY[int(near)] if 0 < near < 3 else 0.0)
                + rng.normal(0, noise)
            )
            rows.append(
                {
                    "event_id": event_id,
                    "driver_id": name,
                    "car_number": str(car + 1),
                    "lap_number": lap,
                    "lap_time_s": BASE_S * float(np.exp(pct / 100)),
                    "lap_end_session_s": float(ends[at]),
                    "compound": compound,
                    "tyre_life_laps": int(since),
                    "is_in_lap": lap in (first, second),
                    "is_out_lap": lap - 1 in (first, second),
                    "is_green": True,
                    "is_safety_car": False,
                    "is_virtual_safety_car": False,
                    "is_red_flag": False,
                    "is_generated": False,
                    "is_after_result": False,
                }
            )
        # cars on their way into the pits are nobody's car ahead
        is_in = np.array([lap in stops[names[car]] for car in sequence])
        crossed = np.flatnonzero(~is_in)
        gaps = np.zeros(len(names))
        for before, after in pairwise(crossed):
            gaps[sequence[after]] = ends[after] - ends[before]
        clock = float(ends[-1])
    return pl.DataFrame(rows)


def fitted(laps: pl.DataFrame, priors: LapPriors | None = None) -> RacePace:
    found = fit_race(green_laps(laps), priors)
    assert found is not None
    return found


def paces(found: RacePace) -> dict[str, float]:
    return dict(found.drivers.select("driver_id", "race_pace_pct").iter_rows())


def effect(found: RacePace, kind: str) -> dict[str, float]:
    rows = found.effects.filter(pl.col("effect") == kind)
    return dict(rows.select("name", "value_pct").iter_rows())


@pytest.fixture(scope="module")
def laps() -> pl.DataFrame:
    return race()


def test_it_reads_what_it_says(laps: pl.DataFrame) -> None:
    assert set(LAP_COLUMNS) == set(laps.columns)


def test_planted_coefficients_are_recovered(laps: pl.DataFrame) -> None:
    found = fitted(laps, WIDE)
    for name, pace in paces(found).items():
        assert pace == pytest.approx(PACE[name], abs=0.16), name
    assert effect(found, "evolution")["race"] == pytest.approx(EVOLUTION, abs=0.3)
    for name, wear in effect(found, "wear").items():
        assert wear == pytest.approx(WEAR[name], abs=0.012), name
    offsets = effect(found, "compound")
    assert offsets["hard"] - offsets["soft"] == pytest.approx(0.8, abs=0.15)
    for got, planted in zip(effect(found, "dirty_air").values(), DIRTY, strict=True):
        assert got == pytest.approx(planted, abs=0.1)
    assert found.residual_pct == pytest.approx(0.25, abs=0.03)


def test_errors_are_as_large_as_said(laps: pl.DataFrame) -> None:
    """Laps of these races are independent, so the errors, which reckon with neighbours alike, are on the safe side."""
    misses = []
    for seed in range(8):
        found = fitted(race(seed=seed), WIDE)
        truth = np.array([PACE[name] for name in found.drivers["driver_id"]])
        pace = found.drivers["race_pace_pct"].to_numpy()
        misses.append((pace - pace.mean() - truth + truth.mean()) / found.drivers["standard_error_pct"])
    spread = float(np.std(np.concatenate(misses)))
    assert 0.5 < spread < 1.1


def test_wild_laps_move_nobody(laps: pl.DataFrame) -> None:
    clean = paces(fitted(laps))
    rng = np.random.default_rng(5)
    wild = pl.Series(rng.random(laps.height) < 0.06)
    spoilt = laps.with_columns(
        lap_time_s=pl.when(wild).then(pl.col("lap_time_s") + 4.5).otherwise(pl.col("lap_time_s"))
    )
    for name, pace in paces(fitted(spoilt)).items():
        assert pace == pytest.approx(clean[name], abs=0.12), name
    plain = spoilt.filter(~pl.col("is_in_lap")).group_by("driver_id").agg(pl.col("lap_time_s").mean())
    assert plain["lap_time_s"].std() > 0, "the means themselves did move"


@pytest.mark.parametrize(
    "spoil",
    [
        {"is_green": False},
        {"is_in_lap": True},
        {"is_out_lap": True},
        {"is_generated": True},
        {"is_after_result": True},
        {"compound": "intermediate"},
        {"compound": "wet"},
        {"lap_time_s": None},
        {"lap_time_s": 98.0},
        {"lap_time_s": 82.0},
    ],
)
def test_laps_that_are_no_racing_laps_are_left_out(laps: pl.DataFrame, spoil: dict[str, object]) -> None:
    lap = green_laps(laps).filter(pl.col("driver_id") == "driver-04")["lap_number"][20]
    here = (pl.col("driver_id") == "driver-04") & (pl.col("lap_number") == lap)
    changed = laps.with_columns(
        **{name: pl.when(here).then(pl.lit(value)).otherwise(pl.col(name)) for name, value in spoil.items()}
    )
    assert green_laps(laps).filter(here).height == 1
    assert green_laps(changed).filter(here).is_empty()


def test_lap_one_and_the_lap_after_a_safety_car_are_left_out(laps: pl.DataFrame) -> None:
    behind = laps.with_columns(
        is_safety_car=pl.col("lap_number").is_between(20, 22),
        is_green=~pl.col("lap_number").is_between(20, 22),
    )
    kept = set(green_laps(behind)["lap_number"])
    assert not kept & {1, 20, 21, 22, 23}
    assert {2, 19, 24} <= kept


def test_the_car_ahead_is_the_last_to_cross_the_line_and_not_one_in_the_pits(laps: pl.DataFrame) -> None:
    own = laps.filter(pl.col("lap_number") == 30).sort("lap_end_session_s")
    seen = dict(
        green_laps(laps).filter(pl.col("lap_number") == 31).select("driver_id", "ahead_s").iter_rows()
    )
    before = None
    for row in own.iter_rows(named=True):
        if row["is_in_lap"]:
            continue
        if before is not None and row["driver_id"] in seen:
            assert seen[row["driver_id"]] == pytest.approx(row["lap_end_session_s"] - before)
        before = row["lap_end_session_s"]
    assert len(seen) > 10


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_names_are_irrelevant(seed: int) -> None:
    laps = race()
    rng = np.random.default_rng(seed)
    shuffled = laps[rng.permutation(laps.height)]
    first = fitted(laps)
    again = fitted(shuffled)
    assert again.drivers.equals(first.drivers)
    assert again.effects.equals(first.effects)
    new = dict(zip(PACE, [f"x-{k}" for k in rng.permutation(len(PACE))], strict=True))
    renamed = paces(fitted(laps.with_columns(pl.col("driver_id").replace_strict(new))))
    for name, pace in paces(first).items():
        assert renamed[new[name]] == pytest.approx(pace, abs=1e-4)


def test_the_middle_driver_has_no_pace_and_the_fastest_is_below_zero(laps: pl.DataFrame) -> None:
    found = fitted(laps)
    assert np.median(found.drivers["race_pace_pct"].to_numpy()) == pytest.approx(0.0)
    assert min(paces(found), key=paces(found).__getitem__) == "driver-00"
    assert found.drivers["count_laps"].sum() == found.count_laps == green_laps(laps).height


def test_what_a_race_does_not_say_stays_at_the_prior(laps: pl.DataFrame) -> None:
    """One compound, laps without an age and without anybody near: wear, compound and dirty air are the prior's."""
    mute = laps.with_columns(
        compound=pl.lit("hard"),
        tyre_life_laps=pl.lit(None, pl.Int64),
        lap_end_session_s=1000.0 * pl.int_range(pl.len()),
    )
    found = fitted(mute)
    priors = LapPriors()
    assert effect(found, "compound") == {"hard": 0.0}
    assert list(effect(found, "dirty_air").values()) == pytest.approx(list(priors.dirty_air))
    assert effect(found, "wear")["hard"] == pytest.approx(priors.wear["hard"], abs=0.01)
    counts = dict(found.effects.select("name", "count_laps").iter_rows())
    assert counts["gap_below_1s"] == 0


def test_priors_pull_few_laps_more_than_many(laps: pl.DataFrame) -> None:
    far = LapPriors(wear=dict.fromkeys(WEAR, 0.5), wear_sd=0.02)
    many = effect(fitted(laps, far), "wear")["medium"]
    few = effect(fitted(laps.filter(pl.col("lap_number") <= 14), far), "wear")["medium"]
    assert abs(many - WEAR["medium"]) < abs(few - WEAR["medium"])


def test_too_few_laps_or_drivers_give_nothing(laps: pl.DataFrame) -> None:
    some = list(PACE)[: MIN_DRIVERS - 1]
    assert fit_race(green_laps(laps.filter(pl.col("driver_id").is_in(some)))) is None
    assert fit_race(green_laps(laps.filter(pl.col("lap_number") <= MIN_LAPS))) is None
    assert fit_race(green_laps(laps.clear())) is None
    short = laps.filter((pl.col("driver_id") != "driver-03") | (pl.col("lap_number") <= MIN_LAPS))
    assert "driver-03" not in paces(fitted(short))
    assert len(paces(fitted(short))) == len(PACE) - 1
    wet = laps.with_columns(compound=pl.lit("intermediate"))
    assert race_paces(wet).is_empty()


def test_equal_laps_are_no_reason_to_fail(laps: pl.DataFrame) -> None:
    flat = fitted(laps.with_columns(lap_time_s=pl.lit(90.0)))
    assert np.isfinite(flat.drivers["race_pace_pct"].to_numpy()).all()
    assert np.abs(flat.drivers["race_pace_pct"].to_numpy()).max() < 0.5


def test_races_are_fitted_apart(laps: pl.DataFrame) -> None:
    other = race(seed=9, event_id="2024-there")
    both = dict(fit_races(pl.concat([other, laps])))
    assert list(both) == ["2024-here", "2024-there"]
    assert both["2024-here"].drivers.equals(fitted(laps).drivers)
    table = race_paces(pl.concat([other, laps]))
    assert table.filter(pl.col("event_id") == "2024-there").drop("event_id").equals(fitted(other).drivers)
