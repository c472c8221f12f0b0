"""Drift: what is planted is found, and ordinary races alarm no more often than stated."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from f1core.calibration_drift import MIN_HISTORY, RaceCalibration, calibration_drift, race_calibration
from f1core.calibration_drift import WINDOW as RACES
from f1core.drift import NEEDED, measure_drift, past_features
from f1core.feature_drift import (
    BEYOND,
    MATERIAL,
    MIN_BEFORE,
    MIN_WINDOWS,
    WINDOW,
    Windows,
    alarms,
    present_drift,
    stability_index,
    windows,
)
from models.metrics import calibration_error, reliability
from tests.conftest import workspace_of
from warehouse.errors import NotReady
from warehouse.queries.monitoring import calibration_drift as stored_calibration
from warehouse.queries.monitoring import feature_drift as stored_features

NAMES = ("place", "rating", "length", "gap")
SEASONS, PER_SEASON, DRIVERS = 10, 20, 20
EVENTS = SEASONS * PER_SEASON


def field(seed: int = 1) -> pl.DataFrame:
    """Two hundred races: a place (a permutation), a rating that stays with its driver, a circuit's length, a noisy gap."""
    rng = np.random.default_rng(seed)
    circuits = rng.uniform(3.3, 7.0, PER_SEASON)
    rating = rng.normal(1500, 80, DRIVERS)
    rows = []
    for season in range(SEASONS):
        rating = rating + rng.normal(0, 15, DRIVERS)
        for race in range(PER_SEASON):
            gap = rng.exponential(1.0, DRIVERS) * rng.uniform(0.7, 1.4)
            rows.append(
                pl.DataFrame(
                    {
                        "event_id": f"{2016 + season}-race-{race:02d}",
                        "season": 2016 + season,
                        "place": rng.permutation(DRIVERS) + 1.0,
                        "rating": rating + rng.normal(0, 3, DRIVERS),
                        "length": circuits[race],
                        "gap": np.where(rng.random(DRIVERS) < 0.05, np.nan, gap),
                    }
                )
            )
    return pl.concat(rows).with_columns(pl.col("gap").fill_nan(None))


@pytest.fixture(scope="module")
def ordinary() -> pl.DataFrame:
    return field()


def last_races() -> pl.Expr:
    return pl.col("event_id").is_in(
        [f"2025-race-{race:02d}" for race in range(PER_SEASON - WINDOW, PER_SEASON)]
    )


def drifting(features: pl.DataFrame) -> set[str]:
    return set(present_drift(features, windows(features, NAMES)).filter("is_drifting")["feature"])


@pytest.mark.parametrize(
    ("feature", "planted"),
    [
        ("gap", pl.col("gap") * 1000),  # seconds that became milliseconds
        ("gap", pl.lit(None, pl.Float64)),  # a source that dried up
        ("rating", pl.col("rating") + 400),  # rated from another base
        ("rating", -pl.col("rating")),
        ("length", pl.col("length") * 1000),  # kilometres that became metres
        ("place", 21 - pl.col("place") + 20),
        ("place", pl.lit(1.0)),
    ],
)
def test_planted_drift_is_found_and_only_where_it_was_planted(
    ordinary: pl.DataFrame, feature: str, planted: pl.Expr
) -> None:
    assert drifting(ordinary) == set()
    changed = ordinary.with_columns(pl.when(last_races()).then(planted).otherwise(feature).alias(feature))
    assert drifting(changed) == {feature}


def test_ordinary_races_rarely_alarm() -> None:
    """On invented races in which nothing ever changes."""
    count, false = 0, 0
    for seed in range(3):
        found = alarms(windows(field(seed), NAMES))
        count += len(found)
        false += sum(bool(names) for names in found.values())
    assert count > 150
    assert false / count < 0.05


def test_what_was_missing_before_and_is_there_now_is_drift(ordinary: pl.DataFrame) -> None:
    """A new kind of session: its feature was always missing."""
    rng = np.random.default_rng(3)
    new = ordinary.with_columns(
        gap=pl.when(last_races()).then(pl.Series(rng.normal(0, 1, ordinary.height))).otherwise(None)
    )
    assert drifting(new) == {"gap"}
    never = ordinary.with_columns(gap=pl.lit(None, pl.Float64))
    table = present_drift(never, windows(never, NAMES)).filter(pl.col("feature") == "gap")
    assert table["psi"][0] == 0 and table["missing_share"][0] == 1 and table["mean"][0] is None


def test_a_feature_that_drifted_once_alarms_until_it_is_known_and_then_no_more(
    ordinary: pl.DataFrame,
) -> None:
    """A change that stays, in the middle of the ninth season: races of the tenth are held against it too."""
    since = pl.col("event_id") >= "2024-race-10"
    changed = ordinary.with_columns(
        rating=pl.when(since).then(pl.col("rating") + 400).otherwise(pl.col("rating"))
    )
    found = alarms(windows(changed, NAMES))
    hit = [event for event, names in found.items() if "rating" in names]
    assert hit[0] in {f"2024-race-{race:02d}" for race in range(10, 15)}
    assert max(hit) < "2025", "by then five such races lie before the window"
    assert all(event >= "2024-race-10" for event in hit)


def test_the_index_is_that_of_the_textbook() -> None:
    before, now = np.array([100.0, 300.0, 600.0]), np.array([30.0, 30.0, 40.0])
    p = [(count + 0.5) / 1001.5 for count in before]
    q = [(count + 0.5) / 101.5 for count in now]
    expected = sum((b - a) * np.log(b / a) for a, b in zip(p, q, strict=True))
    assert stability_index(before, now) == pytest.approx(expected)
    assert stability_index(before, before / 10) < 0.001
    empty = np.array([*before, 0.0]), np.array([*now, 0.0])
    assert stability_index(*empty) == pytest.approx(expected), "a bin that nobody has says nothing"


def test_a_window_is_judged_by_what_was_over_before_it_began(ordinary: pl.DataFrame) -> None:
    found = windows(ordinary, NAMES)
    at = EVENTS - 1
    thresholds = found.thresholds(at)
    later = found.psi.copy()
    later[at - WINDOW + 1 :] = 99.0
    assert np.array_equal(Windows(found.events, NAMES, later).thresholds(at), thresholds)
    earlier = found.psi.copy()
    earlier[at - WINDOW] = 99.0
    assert (Windows(found.events, NAMES, earlier).thresholds(at) == BEYOND * 99.0).all()
    calm = np.where(np.isfinite(found.psi), 0.0, np.nan)
    assert (Windows(found.events, NAMES, calm).thresholds(at) == MATERIAL).all()
    # The measure itself: races after it change nothing.
    cut = ordinary.filter(pl.col("event_id") <= "2024-race-10")
    known = windows(cut, NAMES)
    assert np.array_equal(known.psi, found.psi[: len(known.events)], equal_nan=True)


def test_with_too_few_races_nothing_is_said() -> None:
    young = field().filter(pl.col("season") < 2016 + (MIN_BEFORE + MIN_WINDOWS) // PER_SEASON)
    found = windows(young, NAMES)
    assert present_drift(young, found).is_empty()
    assert alarms(found) == {}
    nothing = young.clear()
    assert present_drift(nothing, windows(nothing, NAMES)).is_empty()


# --- calibration ------------------------------------------------------------------------------------------------------


def race(rng: np.random.Generator, number: int, *, sharpness: float = 1.0) -> RaceCalibration:
    """A race whose forecast says what is true; with another sharpness it is too sure, or not sure enough."""
    strength = np.linspace(1.5, -1.5, 20)
    truth = 1 / (1 + np.exp(-strength))
    said = 1 / (1 + np.exp(-sharpness * strength))
    happened = rng.random(20) < truth
    place = np.minimum((said * 10).astype(int), 9)
    bins = np.array(
        [np.bincount(place, weights=w, minlength=10) for w in (None, said, happened)], dtype=float
    )
    return RaceCalibration(f"2025-race-{number:03d}", "backtest", float(rng.exponential(1.2)), bins)


def test_honest_forecasts_rarely_alarm() -> None:
    rows = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rows.append(calibration_drift([race(rng, number) for number in range(70)]))
        assert rows[-1]["event_id"].n_unique() == 70 - MIN_HISTORY - RACES + 1
    found = pl.concat(rows)
    for _, measure in found.group_by("measure"):
        assert measure["is_drifting"].mean() <= 0.05
    assert (found["low"] < found["expected"]).all() and (found["expected"] < found["high"]).all()


def test_forecasts_that_became_too_sure_are_found() -> None:
    rng = np.random.default_rng(5)
    honest = [race(rng, number) for number in range(60)]
    sure = honest + [race(rng, number, sharpness=6.0) for number in range(60, 65)]
    errors = calibration_drift(sure).filter(pl.col("measure") == "top_ten_error")
    assert errors["is_drifting"][-1]
    assert errors.filter(pl.col("event_id") < "2025-race-060")["is_drifting"].mean() < 0.1


def test_winners_nobody_expected_are_found() -> None:
    rng = np.random.default_rng(6)
    races = [race(rng, number) for number in range(60)]
    for number in range(55, 60):
        races[number] = RaceCalibration(races[number].event_id, "sealed", 4.5, races[number].bins)
    last = calibration_drift(races).filter(pl.col("measure") == "win_log_loss").row(-1, named=True)
    assert last["is_drifting"] and last["value"] == pytest.approx(4.5)
    assert (last["count_sealed"], last["count_history"], last["window"]) == (5, 55, RACES)


def test_too_few_scored_races_say_nothing() -> None:
    rng = np.random.default_rng(7)
    needed = NEEDED["calibration_drift"]
    assert calibration_drift([race(rng, n) for n in range(needed - 1)]).is_empty()
    assert calibration_drift([race(rng, n) for n in range(needed)]).height == 2
    assert calibration_drift([]).is_empty()


def test_a_race_is_scored_by_the_products_own_definitions() -> None:
    """Against the reliability curve of models.metrics, with a starter that was not forecast and one who did not start."""
    rng = np.random.default_rng(8)
    drivers = [f"driver-{k:02d}" for k in range(20)]
    win = rng.dirichlet(np.ones(20))
    points = np.clip(rng.random(20), 0.02, 0.98)
    points *= 10 / points.sum()
    points = np.clip(points, 0, 1)
    forecast = pl.DataFrame(
        {
            "event_id": "2025-vale",
            "driver_id": drivers,
            "predicted_position": np.argsort(np.argsort(-win)) + 1,
            "median_position": np.argsort(np.argsort(-win)) + 1.0,
            "position_low": 1,
            "position_high": 20,
            "win_probability": win,
            "podium_probability": np.minimum(3 * win, 1),
            "points_probability": points,
        }
    )
    order = rng.permutation(20)
    labels = pl.DataFrame(
        {
            "event_id": "2025-vale",
            "driver_id": [*(drivers[k] for k in order[:19]), "newcomer"],
            "position": np.arange(1, 21),
            "is_classified": True,
        }
    )
    found = race_calibration(forecast, labels, "sealed")
    curve = reliability(forecast, labels, "top_ten")
    assert found.bins[0].tolist() == curve["count"].to_list()
    count, said, happened = found.bins
    assert np.abs(said - happened).sum() / count.sum() == pytest.approx(calibration_error(curve))
    assert found.win_log_loss > 0 and found.event_id == "2025-vale"


# --- an installation --------------------------------------------------------------------------------------------------


def test_a_young_installation_measures_nothing_and_says_how_much_it_needs(small_copy: Path) -> None:
    work = workspace_of(small_copy)
    found = measure_drift(work)
    assert found.features.is_empty() and found.calibration.is_empty()
    assert found.count_events == 19 and found.count_scored == 14
    assert found.drifting_features == [] and found.drifting_calibration == []
    assert stored_features(work.reader).is_empty() and stored_calibration(work.reader).is_empty()
    snapshot = work.reader.snapshot.id
    measure_drift(work)
    assert work.reader.snapshot.id == snapshot, "what has not changed is not published again"
    features = past_features(work, work.labels)
    assert features["event_id"].n_unique() == 19


def test_only_the_real_clock_publishes_what_was_measured(small_data: Path) -> None:
    with pytest.raises(NotReady, match="real clock"):
        measure_drift(workspace_of(small_data, dt.datetime.now(dt.UTC).isoformat()))


@pytest.mark.slow
def test_the_real_archive_is_measured(built_data: Path) -> None:
    """The build measured it: every feature has a threshold, and two stages have their calibration."""
    from f1core.features.registry import feature_names
    from warehouse.reader import Reader

    reader = Reader(built_data / "warehouse")
    rows = stored_features(reader)
    assert set(rows["feature"]) == set(feature_names())
    assert (rows["threshold"] >= MATERIAL).all()
    assert (rows["level"] > 1).to_list() == rows["is_drifting"].to_list()
    calibration = stored_calibration(reader)
    assert set(calibration["stage"]) == {"pre_qualifying", "post_qualifying", "pre_race"}
    assert calibration["race"].max() == 24 - NEEDED["calibration_drift"] + 1
