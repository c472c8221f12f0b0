from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import (
    SCORE_NAMES,
    calibration_error,
    clipped_win,
    paired_difference,
    pool,
    reliability,
    rolling,
    score_event,
    score_events,
)
from models.protocol import FORECAST_SCHEMA
from warehouse.errors import ContractViolation, NotReady


def forecast(
    drivers: str, win: list[float], *, event_id: str = "e", median: list[float] | None = None, **more: object
) -> pl.DataFrame:
    """A forecast of the drivers in predicted order, one letter each."""
    n = len(drivers)
    podium = [min(3, n) / n] * n
    points = [min(10, n) / n] * n
    return pl.DataFrame(
        {
            "event_id": [event_id] * n,
            "driver_id": list(drivers),
            "model": ["m"] * n,
            "predicted_position": range(1, n + 1),
            "expected_position": [float(k) for k in range(1, n + 1)],
            "median_position": median or [float(k) for k in range(1, n + 1)],
            "position_low": [1] * n,
            "position_high": [2] * n,
            "win_probability": win,
            "podium_probability": podium,
            "points_probability": points,
            **more,
        },
        schema_overrides=FORECAST_SCHEMA,
    )


def result(order: str, *, event_id: str = "e", retired: str = "", **more: object) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": [event_id] * len(order),
            "driver_id": list(order),
            "position": range(1, len(order) + 1),
            "is_classified": [driver not in retired for driver in order],
            **more,
        }
    )


def test_four_drivers_by_hand() -> None:
    said = forecast("abcd", [0.4, 0.3, 0.2, 0.1], median=[1.5, 2.0, 2.5, 3.5])
    score = score_event(said, result("bacd", retired="d"))
    assert score["winner_right"] == 0.0
    assert score["winner_in_top_three"] == 1.0
    assert score["win_log_loss"] == pytest.approx(-math.log(0.3))
    assert score["win_brier"] == pytest.approx(0.4**2 + 0.7**2 + 0.2**2 + 0.1**2)
    assert score["podium_overlap"] == 1.0  # equal podium chances: the predicted order breaks the tie
    assert score["mae_ranked"] == pytest.approx(2 / 4)
    assert score["mae_ranked_finishers"] == pytest.approx(2 / 3)
    assert score["mae_raw"] == pytest.approx((0.5 + 1.0 + 0.5 + 0.5) / 4)
    assert score["mae_raw_finishers"] == pytest.approx((0.5 + 1.0 + 0.5) / 3)
    assert score["spearman"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert score["top_ten_accuracy"] == 1.0
    assert score["top_ten_brier"] == pytest.approx(0.0)
    assert score["interval_coverage"] == pytest.approx(2 / 4)
    assert score["gap_mae_s"] is None and score["time_mae_s"] is None
    assert score["count_starters"] == 4 and score["count_missing"] == 0
    assert set(score) == {*SCORE_NAMES, "count_starters", "count_missing"}


def test_retirements_are_scored_where_they_are_forecast() -> None:
    said = forecast("abcd", [0.4, 0.3, 0.2, 0.1], dnf_probability=[0.1, 0.0, 1.0, 0.25])
    happened = result("abcd", retired="d", is_dnf=[False, False, False, True])
    expected = -(math.log(0.9) + math.log(1 - 1e-3) + math.log(1e-3) + math.log(0.25)) / 4
    assert score_event(said, happened)["dnf_log_loss"] == pytest.approx(expected)
    assert score_event(said.head(3), happened)["dnf_log_loss"] == pytest.approx(
        -(math.log(0.9) + math.log(1 - 1e-3) + math.log(1e-3)) / 3
    ), "a starter without a forecast has no probability to score"
    unsaid = said.with_columns(dnf_probability=pl.lit(None))
    assert score_event(unsaid, happened)["dnf_log_loss"] is None
    assert score_event(said.drop("dnf_probability"), happened)["dnf_log_loss"] is None
    nobody_retires = happened.with_columns(is_dnf=pl.lit(None, pl.Boolean))
    assert score_event(said, nobody_retires)["dnf_log_loss"] is None


def test_win_probabilities_are_clipped_and_normalised() -> None:
    said = forecast("ab", [1.0, 0.0])
    assert score_event(said, result("ba"))["win_log_loss"] == pytest.approx(-math.log(1e-4 / (1 + 1e-4)))
    np.testing.assert_allclose(clipped_win(np.array([1.0, 0.0])), [1 / 1.0001, 1e-4 / 1.0001])


def test_ten_are_picked_by_their_chance_of_points() -> None:
    drivers = "abcdefghijkl"
    points = [0.9] * 9 + [0.2, 0.8, 0.9]
    said = forecast(drivers, [1 / 12] * 12).with_columns(points_probability=pl.Series(points))
    score = score_event(said, result("abcdefghijkl"))
    # picked: a-i and l; of the first ten j is missed, and l is picked wrongly
    assert score["top_ten_accuracy"] == pytest.approx(10 / 12)
    hits, misses = 9 * 0.1**2 + 0.8**2, 0.8**2 + 0.9**2
    assert score["top_ten_brier"] == pytest.approx((hits + misses) / 12)


def test_podium_overlap_counts_the_three_likeliest() -> None:
    said = forecast("abcdef", [1 / 6] * 6).with_columns(
        podium_probability=pl.Series([0.1, 0.2, 0.9, 0.8, 0.7, 0.3])
    )
    assert score_event(said, result("cabdef"))["podium_overlap"] == pytest.approx(1 / 3)


def test_a_starter_without_a_forecast_counts_as_forecast_last() -> None:
    score = score_event(forecast("ab", [0.75, 0.25]), result("cab"))
    assert score["count_missing"] == 1
    assert score["mae_ranked"] == pytest.approx((2 + 1 + 1) / 3)
    assert score["mae_raw"] == pytest.approx((2 + 1 + 1) / 3)
    floor = 1e-4
    assert score["win_log_loss"] == pytest.approx(-math.log(floor / (1 + floor)))
    assert score["interval_coverage"] == pytest.approx(1 / 3)  # a: 2 of [1, 2]; b: 3; c: none
    assert score["winner_right"] == 0.0 and score["winner_in_top_three"] == 1.0


def test_several_without_a_forecast_share_the_last_ranks() -> None:
    score = score_event(forecast("ab", [0.75, 0.25]), result("abcd"))
    assert score["mae_ranked"] == pytest.approx((0 + 0 + 0.5 + 0.5) / 4)


def test_who_did_not_start_is_dropped_and_the_rest_closes_up() -> None:
    score = score_event(forecast("xab", [0.5, 0.3, 0.2], median=[1.0, 2.0, 3.0]), result("ab"))
    assert score["winner_right"] == 1.0
    assert score["win_log_loss"] == pytest.approx(-math.log(0.6))
    assert score["mae_ranked"] == 0.0
    assert score["mae_raw"] == pytest.approx(1.0)  # raw answers stay what they were
    assert score["top_ten_brier"] == pytest.approx(0.0)  # both starters are certain of the top ten now


def test_times_are_scored_on_the_lead_lap_only() -> None:
    said = forecast("abc", [0.5, 0.3, 0.2], gap_s=[0.0, 5.0, 60.0], race_time_s=[5000.0, 5005.0, 5060.0])
    ran = result("abc", gap_s=[0.0, 8.0, None], race_time_s=[5010.0, 5018.0, None])
    score = score_event(said, ran)
    assert score["gap_mae_s"] == pytest.approx(3 / 2)
    assert score["time_mae_s"] == pytest.approx((10 + 13) / 2)


def test_without_a_result_there_is_no_score() -> None:
    with pytest.raises(NotReady, match="e has no result"):
        score_event(forecast("ab", [0.5, 0.5]), result("ab").clear())
    with pytest.raises(ContractViolation):
        score_event(forecast("aa", [0.5, 0.5]), result("ab"))
    mixed = pl.concat([result("ab"), result("c", event_id="f")])
    with pytest.raises(ContractViolation):
        score_event(forecast("ab", [0.5, 0.5]), mixed)


def test_pooling_counts_every_race_the_same_and_rolls_over_five() -> None:
    said = pl.concat([forecast("abc", [0.5, 0.3, 0.2], event_id=f"e{k}") for k in range(6)])
    orders = ["abc", "abc", "abc", "abc", "bac", "bac"]
    ran = pl.concat([result(order, event_id=f"e{k}") for k, order in enumerate(orders)])
    scores = score_events(said, ran)
    assert scores["event_id"].to_list() == [f"e{k}" for k in range(6)]
    means = pool(scores)
    assert means["count_events"].item() == 6
    assert means["winner_right"].item() == pytest.approx(4 / 6)
    assert means["gap_mae_s"].item() is None
    five = rolling(scores)["winner_right"].to_list()
    assert five[:4] == [None] * 4
    assert five[4:] == pytest.approx([4 / 5, 3 / 5])
    with pytest.raises(NotReady):
        score_events(said, ran.filter(pl.col("event_id") != "e3"))


def test_reliability_and_calibration_error_by_hand() -> None:
    said = pl.concat([forecast("ab", [0.75, 0.25], event_id=f"e{k}") for k in range(4)])
    ran = pl.concat([result(order, event_id=f"e{k}") for k, order in enumerate(["ab", "ab", "ba", "ba"])])
    curve = reliability(said, ran, "win")
    assert curve["count"].to_list() == [0, 0, 4, 0, 0, 0, 0, 4, 0, 0]
    assert curve["mean_probability"][7] == pytest.approx(0.75)
    assert curve["frequency"][7] == pytest.approx(0.5)
    assert curve["frequency"][0] is None
    assert calibration_error(curve) == pytest.approx(0.25)
    certain = reliability(said, ran, "top_ten")  # probability one falls into the last bin
    assert certain["count"].to_list() == [0] * 9 + [8]
    assert calibration_error(certain) == pytest.approx(0.0)
    assert calibration_error(reliability(said.clear(), ran, "win")) is None


@given(st.integers(2, 26), st.randoms())
def test_a_perfect_forecast_scores_perfectly(n: int, random) -> None:
    drivers = [chr(97 + k) for k in range(n)]
    random.shuffle(drivers)
    order = "".join(drivers)
    exact = forecast(order, [1.0] + [0.0] * (n - 1)).with_columns(
        podium_probability=(pl.col("predicted_position") <= 3).cast(pl.Float64),
        points_probability=(pl.col("predicted_position") <= 10).cast(pl.Float64),
    )
    score = score_event(exact.sample(fraction=1, shuffle=True, seed=n), result(order))
    for name in ("winner_right", "podium_overlap", "top_ten_accuracy", "spearman"):
        assert score[name] == pytest.approx(1.0)
    for name in ("mae_ranked", "mae_raw", "top_ten_brier"):
        assert score[name] == pytest.approx(0.0)
    assert score["win_log_loss"] == pytest.approx(0.0, abs=0.003)


def test_paired_differences() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(1.0, 0.5, 60)
    worse = paired_difference(a + 0.3 + rng.normal(0, 0.1, 60), a, seed=1)
    assert worse is not None and worse.is_certain
    assert worse.low < worse.mean < worse.high
    assert worse.mean == pytest.approx(0.3, abs=0.05)
    same = paired_difference(a, a[::-1], seed=1)
    assert same is not None and not same.is_certain
    assert paired_difference(a, a, seed=2) == paired_difference(a, a, seed=2)
    assert paired_difference(np.array([np.nan]), np.array([1.0]), seed=0) is None
    gaps = paired_difference(np.array([1.0, np.nan, 3.0]), np.array([0.0, 5.0, 1.0]), seed=0)
    assert gaps is not None and gaps.count == 2 and gaps.mean == pytest.approx(1.5)
    with pytest.raises(ValueError, match="same events"):
        paired_difference(a, a[1:], seed=0)
