from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.order_simulation import REACHED, RaceNoise, SampledOrders, marginals, reweight, simulate
from models.plackett_luce import OrderedFields, fit_plackett_luce

CALM = RaceNoise(spread=0.75, team_share=0.3, mishap_rate=0.0)
RARE = 0.002


def drawn(strength, retirement=None, teams=None, noise=CALM, samples=20_000, seed=1) -> SampledOrders:
    n = len(strength)
    return simulate(
        np.asarray(strength, dtype=float),
        np.zeros(n) if retirement is None else np.asarray(retirement, dtype=float),
        np.arange(n) if teams is None else np.asarray(teams),
        noise,
        samples,
        np.random.default_rng(seed),
    )


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 26), seed=st.integers(0, 1000))
def test_every_order_is_a_permutation(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    orders = drawn(rng.normal(size=n), rng.random(n), rng.integers(0, n, n), RaceNoise(), 200, seed)
    assert (np.sort(orders.places, axis=1) == np.arange(1, n + 1)).all()
    # whoever retired is behind everybody who did not
    last = np.where(orders.retired, 0, orders.places).max(axis=1)
    first = np.where(orders.retired, orders.places, n + 1).min(axis=1)
    assert (last < first).all()


def test_two_cars_meet_as_the_normal_distribution_says() -> None:
    from math import erf, sqrt

    gap, spread = 0.8, CALM.spread
    ahead = marginals(drawn([gap, 0.0], samples=200_000)).win[0]
    assert ahead == pytest.approx(0.5 * (1 + erf(gap / (spread * sqrt(2)) / sqrt(2))), abs=0.004)
    # what team mates share cannot part them
    mates = marginals(drawn([gap, 0.0], teams=[0, 0], samples=200_000)).win[0]
    own = spread * sqrt(1 - CALM.team_share)
    assert mates == pytest.approx(0.5 * (1 + erf(gap / (own * sqrt(2)) / sqrt(2))), abs=0.004)


def test_retirements_happen_as_often_as_asked() -> None:
    hazard = np.array([0.0, 0.1, 0.4, 0.9])
    orders = drawn(np.zeros(4), hazard)
    assert np.allclose(marginals(orders).retirement, hazard, atol=0.012)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(4, 22))
def test_reweighted_orders_reach_what_some_weights_reach(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    orders = drawn(np.sort(rng.normal(size=n))[::-1], samples=6_000, seed=seed)
    # three tenths of the weight on orders that are kind to some drivers and unkind to others
    kindness = np.exp(orders.places @ (2.0 * rng.normal(size=n) / n))
    weights = 0.7 * orders.weights + 0.3 * kindness / kindness.sum()
    wanted = marginals(SampledOrders(orders.places, orders.retired, weights))
    tilted = reweight(orders, wanted.win, wanted.podium, wanted.points)
    assert tilted.weights.sum() == pytest.approx(1)
    assert (tilted.weights > 0).all()
    assert tilted.places is orders.places
    after = marginals(tilted)
    for name in ("win", "podium", "points"):
        assert np.abs(getattr(after, name) - getattr(wanted, name)).max() < 1.01 * REACHED


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(4, 22))
@example(seed=432, n=15)  # two of its drivers finish in the points of every drawn order
def test_reweighted_orders_come_close_to_a_leaning_forecast(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    strength = np.sort(rng.normal(size=n))[::-1]
    orders = drawn(strength, samples=6_000, seed=seed)
    own = marginals(orders)
    # leaning on a forecast that thinks less of the differences, as slots do
    level = marginals(drawn(strength * 0.5, samples=6_000, seed=seed + 1))
    lean = {}
    for name in ("win", "podium", "points"):
        was = getattr(own, name)
        share = np.where(was > RARE, 0.7 * was + 0.3 * getattr(level, name), was)
        lean[name] = share * was.sum() / share.sum()
    tilted = marginals(reweight(orders, lean["win"], lean["podium"], lean["points"]))
    for name, share in lean.items():
        was, after = getattr(own, name), getattr(tilted, name)
        # No weights can give what no order has, or take what every order has: there the drawn share stays.
        can_move = (was > RARE) & (was < 1.0 - RARE)
        bound = max(0.004, 0.1 * np.abs(was - share).max())
        assert (np.abs(after - share)[can_move] < bound).all()
        assert (np.abs(after - was)[~can_move] <= np.abs(share - was)[~can_move] + 0.002).all()


def test_wanting_what_is_there_changes_no_weight() -> None:
    orders = drawn([1.0, 0.5, 0.0, -0.5])
    own = marginals(orders)
    assert np.array_equal(reweight(orders, own.win, own.podium, own.points).weights, orders.weights)


def test_plackett_luce_is_the_best_of_a_brute_force_search() -> None:
    rng = np.random.default_rng(5)
    races, n = 60, 5
    terms = rng.normal(size=(races * n, 2))
    truth = np.array([0.9, -0.4])
    noisy = terms @ truth + rng.gumbel(size=races * n)
    starts = np.arange(0, races * n + 1, n)
    positions = np.concatenate(
        [np.argsort(np.argsort(-noisy[a:b])) + 1 for a, b in itertools.pairwise(starts)]
    )
    counts = rng.random(races * n) < 0.9
    fields = OrderedFields.of(terms, starts, positions, counts)
    found = fit_plackett_luce(fields, np.ones(races), 1.0)

    def loss(b: np.ndarray) -> float:
        total = 0.5 * float(b @ b)
        for a, z in itertools.pairwise(starts):
            order = [i for i in a + np.argsort(positions[a:z]) if counts[i]]
            s = terms[order] @ b
            total -= sum(s[k] - np.log(np.exp(s[k:]).sum()) for k in range(len(order)))
        return total

    steps = [-0.01, 0.0, 0.01]
    assert loss(found) <= min(loss(found + np.array([x, y])) for x in steps for y in steps) + 1e-9
    assert np.allclose(found, truth, atol=0.25)


def test_weights_of_races_count() -> None:
    terms = np.array([[1.0], [0.0], [1.0], [0.0]])
    fields = OrderedFields.of(terms, np.array([0, 2, 4]), np.array([1, 2, 2, 1]), np.ones(4, dtype=bool))
    assert fit_plackett_luce(fields, np.array([1.0, 1.0]), 0.1)[0] == pytest.approx(0.0)
    assert fit_plackett_luce(fields, np.array([1.0, 0.2]), 0.1)[0] > 0.5
