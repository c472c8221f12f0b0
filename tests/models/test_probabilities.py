from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.probabilities import coherent, scale_to_total, softmax

fields = st.integers(2, 26)
shares = st.floats(0, 1, allow_subnormal=False)


@given(st.data(), fields)
def test_coherent_probabilities_of_any_field(data: st.DataObject, n: int) -> None:
    win, podium, points = (data.draw(arrays(np.float64, n, elements=shares)) for _ in range(3))
    win, podium, points = coherent(win, podium, points)
    for probability, places in ((win, 1), (podium, 3), (points, 10)):
        assert abs(probability.sum() - min(places, n)) < 1e-9
        assert np.all((probability >= 0) & (probability <= 1))
    assert np.all(podium >= win)
    assert np.all(points >= podium)


def test_scaling_without_bounds_is_plain_normalising() -> None:
    weights = np.array([0.1, 0.2, 0.3, 0.2])
    np.testing.assert_allclose(scale_to_total(weights, 1.0), weights / 0.8, rtol=1e-12)


def test_whoever_reaches_one_passes_the_rest_on() -> None:
    # plain normalising to 2 would give the first 1.6; he gets 1, the others share the other 1
    np.testing.assert_allclose(scale_to_total(np.array([0.8, 0.1, 0.1]), 2.0), [1.0, 0.5, 0.5])


def test_a_floor_is_kept_and_paid_for_by_the_others() -> None:
    scaled = scale_to_total(np.array([0.1, 0.5, 0.4]), 1.0, floor=np.array([0.4, 0.0, 0.0]))
    np.testing.assert_allclose(scaled, [0.4, 0.6 * 5 / 9, 0.6 * 4 / 9])


@given(st.data(), fields)
def test_scaling_keeps_the_order(data: st.DataObject, n: int) -> None:
    weights = data.draw(arrays(np.float64, n, elements=shares))
    total = data.draw(st.floats(0.5, n))
    scaled = scale_to_total(weights, total)
    order = np.argsort(weights, kind="stable")
    assert np.all(np.diff(scaled[order]) >= -1e-12)


def test_softmax_of_equal_scores_is_uniform_and_bears_large_scores() -> None:
    np.testing.assert_allclose(softmax(np.full(4, 5_000.0)), 0.25)
