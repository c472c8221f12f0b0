from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest

from models.pace_filter import _normal_scores, _without_outliers, pace_timeline
from models.ratings import all_ratings


def last_values(timeline: pl.DataFrame, kind: str) -> dict[str, float]:
    own = timeline.filter(pl.col("entity_kind") == kind).sort("known_at")
    return dict(own.group_by("entity_id").agg(pl.col("value").last()).rows())


def rank_correlation(found: dict[str, float], true: dict[str, float]) -> float:
    names = sorted(true)
    ranks = [np.argsort(np.argsort([values[name] for name in names])) for values in (found, true)]
    return float(np.corrcoef(*ranks)[0, 1])


def test_planted_strengths_of_drivers_and_cars_are_recovered(planted) -> None:
    rows, drivers, cars = planted
    timeline = pace_timeline(rows)
    assert rank_correlation(last_values(timeline, "driver"), drivers) >= 0.9
    assert rank_correlation(last_values(timeline, "constructor"), cars) >= 0.9


def test_results_alone_recover_most_of_it(planted) -> None:
    rows, drivers, cars = planted
    timeline = pace_timeline(rows.with_columns(qualifying_gap_pct=pl.lit(None, dtype=pl.Float64)))
    assert rank_correlation(last_values(timeline, "driver"), drivers) >= 0.7
    assert rank_correlation(last_values(timeline, "constructor"), cars) >= 0.9


def test_uncertainty_falls_within_a_season_and_rises_over_winter(planted) -> None:
    rows, *_ = planted
    own = pace_timeline(rows).filter(pl.col("entity_id") == "team-0").sort("known_at")
    variance = own["variance"].to_numpy()
    assert np.all(variance > 0)
    assert variance[14] < variance[0]
    assert variance[15] > variance[14]


def test_who_returns_after_years_keeps_his_value_but_not_his_certainty(planted) -> None:
    rows, *_ = planted
    away = (pl.col("driver_id") == "driver-00") & pl.col("season").is_between(2001, 2003)
    own = pace_timeline(rows.filter(~away)).filter(pl.col("entity_id") == "driver-00").sort("known_at")
    before = own.filter(pl.col("season") == 2000).row(-1, named=True)
    after = own.filter(pl.col("season") == 2004).row(0, named=True)
    assert after["variance"] > before["variance"]
    assert abs(after["value"] - before["value"]) < 0.5


def test_one_wild_gap_moves_nobody_far(planted) -> None:
    rows, *_ = planted
    last = rows["known_at"].max()
    wild = (pl.col("known_at") == last) & (pl.col("driver_id") == "driver-05")
    spoilt = rows.with_columns(
        qualifying_gap_pct=pl.when(wild).then(60.0).otherwise(pl.col("qualifying_gap_pct"))
    )
    usual, moved = (last_values(pace_timeline(frame), "driver") for frame in (rows, spoilt))
    assert max(abs(usual[name] - moved[name]) for name in usual) < 0.3


def test_normal_scores() -> None:
    scores = _normal_scores(np.array([3.0, 1.0, 2.0]))
    assert scores[1] < scores[2] < scores[0]
    np.testing.assert_allclose(scores[2], 0.0, atol=1e-12)
    many = _normal_scores(np.arange(20.0))
    assert abs(many.mean()) < 1e-9
    assert many.std() == pytest.approx(1.0, abs=0.1)


def test_outliers_are_pulled_in_and_equal_gaps_left_alone() -> None:
    gaps, spread = _without_outliers(np.array([0.0, 0.5, 1.0, 1.5, 40.0]), 2.0)
    assert spread == pytest.approx(1.4826 * 0.5)
    assert gaps.max() == pytest.approx(1.0 + 2 * spread)
    assert _without_outliers(np.zeros(5), 2.0)[0].tolist() == [0.0] * 5


def test_seventy_seasons_are_rated_in_two_seconds(planted) -> None:
    rows, *_ = planted
    history = pl.concat(
        rows.with_columns(
            pl.col("season") + 5 * shift,
            pl.col("known_at").dt.offset_by(f"{5 * shift}y"),
            event_id=pl.lit(f"{shift}-") + pl.col("event_id"),
            driver_id=pl.lit(f"{shift}-") + pl.col("driver_id"),
        )
        for shift in range(15)
    )
    assert history["event_id"].n_unique() == 1125
    began = time.process_time()
    all_ratings(history)
    assert time.process_time() - began < 2.0


# --- race pace ----------------------------------------------------------------------------------------------------------


def with_laps(rows: pl.DataFrame, drivers: dict[str, float], cars: dict[str, float]) -> pl.DataFrame:
    """The same results with race pace from laps that shows the truth, and qualifying that shows nothing."""
    noise = np.random.default_rng(4).normal(0, 0.25, rows.height)
    truth = [drivers[d] + cars[c] for d, c in rows.select("driver_id", "constructor_id").iter_rows()]
    return rows.with_columns(
        qualifying_gap_pct=pl.lit(None, dtype=pl.Float64),
        position=pl.int_range(1, pl.len() + 1).over("event_id"),
        race_pace_pct=pl.Series(np.array(truth) + noise),
        standard_error_pct=pl.lit(0.05),
    )


def test_race_pace_alone_recovers_drivers_and_cars(planted) -> None:
    rows, drivers, cars = planted
    timeline = pace_timeline(with_laps(rows, drivers, cars), rating_kind="race_pace")
    assert set(timeline["rating_kind"]) == {"race_pace"}
    assert rank_correlation(last_values(timeline, "driver"), drivers) >= 0.85
    assert rank_correlation(last_values(timeline, "constructor"), cars) >= 0.9


def test_without_laps_race_pace_goes_on_with_qualifying_and_result(planted) -> None:
    rows, drivers, cars = planted
    nothing = rows.with_columns(
        race_pace_pct=pl.lit(None, dtype=pl.Float64), standard_error_pct=pl.lit(None, dtype=pl.Float64)
    )
    timeline = pace_timeline(nothing, rating_kind="race_pace")
    assert timeline.height == pace_timeline(rows).height
    assert rank_correlation(last_values(timeline, "driver"), drivers) >= 0.85
    gap = pl.col("season") == 2003
    some = with_laps(rows, drivers, cars).with_columns(
        race_pace_pct=pl.when(~gap).then(pl.col("race_pace_pct")),
        standard_error_pct=pl.when(~gap).then(pl.col("standard_error_pct")),
    )
    assert np.isfinite(pace_timeline(some, rating_kind="race_pace")["value"].to_numpy()).all()


def test_uncertain_laps_move_a_rating_less(planted) -> None:
    rows, drivers, cars = planted
    told = with_laps(rows, drivers, cars)
    first = told.filter(pl.col("event_id") == told["event_id"].min())
    sure, unsure = (
        pace_timeline(first.with_columns(standard_error_pct=pl.lit(error)), rating_kind="race_pace")
        for error in (0.05, 3.0)
    )
    assert sure["value"].std() > unsure["value"].std()
    assert (sure["variance"] <= unsure["variance"] + 1e-12).all()


def test_laps_leave_the_other_ratings_as_they_are_and_no_future_race_pace_is_used(planted) -> None:
    rows, drivers, cars = planted
    told = with_laps(rows, drivers, cars)
    ratings = all_ratings(told)
    own = pl.col("rating_kind") == "race_pace"
    plain = told.drop("race_pace_pct", "standard_error_pct")
    assert ratings.filter(~own).equals(all_ratings(plain))
    cut = told["known_at"].unique().sort()[30]
    past = pl.col("known_at") < cut
    changed = told.with_columns(
        race_pace_pct=pl.when(past).then(pl.col("race_pace_pct")).otherwise(-pl.col("race_pace_pct"))
    )
    assert all_ratings(changed).filter(past & own).equals(ratings.filter(past & own))
    assert not all_ratings(changed).filter(own).equals(ratings.filter(own))
