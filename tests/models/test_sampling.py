from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forecast import shortest_interval
from models.sampling import draw_winners, sample_orders, summarise


@settings(max_examples=40)
@given(st.integers(2, 26), st.integers(0, 2**32 - 1))
def test_sampled_orders_are_permutations_and_their_frequencies_nest(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    win = rng.dirichlet(np.full(n, 0.3))
    positions = sample_orders(win, rng.normal(size=(300, n)), rng)
    assert np.array_equal(np.sort(positions, axis=1), np.tile(np.arange(1, n + 1), (300, 1)))
    drawn = summarise(positions)
    won = (positions == 1).mean(axis=0)
    assert np.all(np.abs(won - win) <= 1 / 300 + 1e-9)
    assert np.all(drawn.podium >= won - 1e-12)
    assert np.all(drawn.points >= drawn.podium - 1e-12)
    assert abs(drawn.podium.sum() - min(3, n)) < 1e-9
    assert abs(drawn.points.sum() - min(10, n)) < 1e-9
    np.testing.assert_allclose(drawn.expected, positions.mean(axis=0))
    np.testing.assert_array_equal(drawn.median, np.quantile(positions, 0.5, axis=0, method="inverted_cdf"))


def test_winners_are_drawn_in_proportion() -> None:
    winners = draw_winners(np.array([0.5, 0.3, 0.2]), 1_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(winners, minlength=3), [500, 300, 200], atol=1)


def test_a_winner_who_cannot_lose() -> None:
    positions = sample_orders(np.array([0.0, 1.0]), np.array([[1.0, 2.0]] * 9), np.random.default_rng(0))
    assert positions.tolist() == [[2, 1]] * 9


def test_behind_the_winner_scores_decide() -> None:
    scores = np.array([[3.0, 1.0, 2.0]] * 50)
    positions = sample_orders(np.array([1.0, 0.0, 0.0]), scores, np.random.default_rng(0))
    assert positions.tolist() == [[1, 2, 3]] * 50


def test_shortest_interval_by_hand() -> None:
    distribution = np.array(
        [
            [0.60, 0.20, 0.10, 0.05, 0.05],  # 1-2 holds exactly 0.8
            [0.10, 0.15, 0.40, 0.25, 0.10],  # 2-4 holds exactly 0.8
            [0.20, 0.20, 0.20, 0.20, 0.20],  # any four in a row
            [0.30, 0.00, 0.00, 0.00, 0.70],  # only the whole
        ]
    )
    low, high = shortest_interval(distribution)
    assert low.tolist()[:2] == [1, 2]
    assert high.tolist()[:2] == [2, 4]
    assert high[2] - low[2] == 3
    assert (low[3], high[3]) == (1, 5)
