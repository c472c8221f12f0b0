"""Draws whole finishing orders of one field, and reweights them to what calibration wants.

A race is one number per car: its strength, plus the day's form of car and driver, minus a mishap now and then (a puncture, a
spin, a slow stop); and a chance of not finishing. The order is that of these numbers, cars that retired at the back. Every
figure that is published is a frequency among these orders, so none can contradict another. Calibration changes the weights
of whole orders, never a single figure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast import shortest_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.int16]
Mask = NDArray[np.bool_]

SAMPLES = 20_000
"""Orders per event: the standard error of a probability is at most 0.004."""
PODIUM = 3
TOP_TEN = 10


@dataclass(frozen=True)
class RaceNoise:
    """What chance does in a race; strengths are in the unit of the Plackett–Luce chain. Chosen on 2014–2021.

    Attributes:
        spread: Standard deviation of a car's form on the day.
        team_share: Share of that variance that team mates have in common.
        mishap_rate: Probability that something goes wrong without ending the race.
        mishap_size: Mean loss by it (exponential).
    """

    spread: float = 0.70
    team_share: float = 0.3
    mishap_rate: float = 0.1
    mishap_size: float = 3.0


@dataclass(frozen=True)
class SampledOrders:
    """Finishing orders of one field.

    Attributes:
        places: Shape (samples, drivers): positions 1..n.
        retired: Shape (samples, drivers).
        weights: One per sample; they sum to one.
    """

    places: Places
    retired: Mask
    weights: Floats

    def matrix(self) -> Floats:
        """Probability of each place: shape (drivers, places); every row and column sums to one."""
        n = self.places.shape[1]
        return np.stack(
            [
                np.bincount(self.places[:, driver] - 1, weights=self.weights, minlength=n)
                for driver in range(n)
            ]
        )

    def retirement(self) -> Floats:
        """Probability of retiring per driver."""
        return np.asarray(self.weights @ self.retired)

    def ahead(self) -> Floats:
        """Probability that the row's driver finishes before the column's: shape (drivers, drivers); 0 on the diagonal."""
        n = self.places.shape[1]
        found = np.zeros((n, n))
        for driver in range(n - 1):
            before = self.weights @ (self.places[:, driver, None] < self.places[:, driver + 1 :])
            found[driver, driver + 1 :] = before
            found[driver + 1 :, driver] = 1.0 - before
        return found


def simulate(
    strength: Floats,
    retirement: Floats,
    teams: Ints,
    noise: RaceNoise,
    samples: int,
    rng: np.random.Generator,
) -> SampledOrders:
    """Draws orders.

    Args:
        strength: Per driver; larger is faster.
        retirement: Probability of not finishing, per driver.
        teams: A number per driver, equal for team mates.
        noise: What chance does.
        samples: How many orders.
        rng: Where chance comes from.
    """
    n = len(strength)
    shape = (samples, n)
    common = rng.standard_normal((samples, int(teams.max()) + 1))[:, teams]
    own = rng.standard_normal(shape)
    form = np.sqrt(noise.team_share) * common + np.sqrt(1.0 - noise.team_share) * own
    mishap = (rng.random(shape) < noise.mishap_rate) * rng.exponential(noise.mishap_size, shape)
    retired = rng.random(shape) < retirement
    performance = strength + noise.spread * form - mishap
    # The classification ranks cars that retired by distance covered: chance, with the faster a little ahead.
    order = np.argsort(np.where(retired, 1e3 - 0.2 * strength + own, -performance), axis=1, kind="stable")
    places = np.empty(shape, dtype=np.int16)
    np.put_along_axis(places, order, np.arange(1, n + 1, dtype=np.int16)[None, :], axis=1)
    return SampledOrders(places, np.asarray(retired), np.full(samples, 1.0 / samples))


@dataclass(frozen=True)
class Marginals:
    """What weighted orders say of each driver (one value per driver).

    Attributes:
        matrix: Probability of each place: shape (drivers, places).
        expected: Mean place.
        median: Median place.
        low: First place of the narrowest 80 % interval.
        high: Last place of it.
        win: Probability of the first place.
        podium: Of the first three.
        points: Of the first ten.
        retirement: Probability of retiring.
    """

    matrix: Floats
    expected: Floats
    median: Floats
    low: Ints
    high: Ints
    win: Floats
    podium: Floats
    points: Floats
    retirement: Floats


def marginals(orders: SampledOrders) -> Marginals:
    """Frequencies, means, medians and intervals of weighted orders."""
    matrix = orders.matrix()
    n = len(matrix)
    cumulative = np.cumsum(matrix, axis=1)
    low, high = shortest_interval(matrix)
    return Marginals(
        matrix=matrix,
        expected=matrix @ np.arange(1.0, n + 1.0),
        median=(cumulative >= 0.5 - 1e-9).argmax(axis=1) + 1.0,
        low=low,
        high=high,
        win=matrix[:, 0],
        podium=cumulative[:, min(PODIUM, n) - 1],
        points=cumulative[:, min(TOP_TEN, n) - 1],
        retirement=orders.retirement(),
    )


def reweight(
    orders: SampledOrders, win: Floats, podium: Floats, points: Floats, *, iterations: int = 25
) -> SampledOrders:
    """The same orders with new weights, so that the three probabilities of every driver come close to what is wanted.

    Of all weightings that reach the wanted figures it is the one nearest to equal weights (least relative entropy): weights
    are the exponential of a sum over the drivers' wins, podiums and points finishes, found by Newton's method.

    Args:
        orders: With equal weights.
        win: Wanted probabilities of winning; they sum to one.
        podium: Of the first three.
        points: Of the first ten.
        iterations: At most.
    """
    places = orders.places
    wanted = np.concatenate([win, podium, points])
    seen = np.concatenate([places == 1, places <= PODIUM, places <= TOP_TEN], axis=1).astype(np.float32)
    keys = np.zeros(len(wanted))
    weights, height = orders.weights, 0.0
    for _ in range(iterations):
        mean = weights @ seen
        miss = wanted - mean
        if np.abs(miss).max() < REACHED:
            break
        scaled = seen * np.sqrt(weights).astype(np.float32)[:, None]
        covariance = (scaled.T @ scaled).astype(np.float64) - np.outer(mean, mean)
        # The sums over a field are fixed, so some directions have no variance: ridge makes them harmless.
        step = np.linalg.solve(covariance + SOFTNESS * np.eye(len(wanted)), miss)
        share = 1.0
        while True:
            # the function whose slope the miss is; it is convex, so a step that lowers it is a good one
            tried = keys + share * step
            exponent = (seen @ tried.astype(np.float32)).astype(np.float64)
            highest = exponent.max()
            raised = orders.weights * np.exp(exponent - highest)
            reached = float(np.log(raised.sum()) + highest - wanted @ tried)
            if reached <= height or share < SMALLEST_SHARE:
                break
            share /= 2
        keys, height, weights = tried, reached, raised / raised.sum()
    return SampledOrders(orders.places, orders.retired, weights)


REACHED = 2e-4
"""A probability this near to the wanted one needs no further step."""
SOFTNESS = 1e-3
"""Ridge of the weights: what hardly ever occurs among the samples is not forced."""
SMALLEST_SHARE = 1e-3
"""Of a step: below this, single precision has the last word."""
