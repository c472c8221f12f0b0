"""Draws what single races say to their circuit, and the circuit to all circuits, in proportion to how little they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z_80 = 1.2816
"""Half of an 80 % interval in standard deviations."""
STEPS = 9
CONCENTRATIONS = np.geomspace(2.0, 400.0, 24)
"""How many races the pool may count for beside those of a circuit."""


@dataclass(frozen=True)
class Mean:
    """The mean of a circuit.

    Attributes:
        value: Its estimate.
        sd: Its standard error, that of the variances included.
        spread: Standard deviation of a race around it.
        count: Races on the circuit; all races where it has none.
        is_own: Whether the circuit was measured.
    """

    value: float
    sd: float
    spread: float
    count: int
    is_own: bool


def circuit_mean(values: Floats, errors: Floats, circuits: NDArray[np.str_], circuit: str) -> Mean | None:
    """Mean of a circuit under normal distributions: races around circuits, circuits around all of them.

    The two spreads are not chosen but averaged over, by how well they explain the races (flat priors on a grid).

    Args:
        values: What each race says; shape (races,).
        errors: Standard error of each; shape (races,).
        circuits: Circuit of each; shape (races,).
        circuit: The circuit wanted.

    Returns:
        The mean; None of no race.
    """
    n = len(values)
    if n == 0:
        return None
    own = circuits == circuit
    count = int(own.sum()) or n
    if n == 1:
        error = float(errors[0])
        return Mean(float(values[0]), 2.0 * error, error, 1, bool(own.any()))
    names, index = np.unique(circuits, return_inverse=True)
    member = np.zeros((len(names), n))
    member[index, np.arange(n)] = 1.0
    total = max(float(np.std(values)), float(np.median(errors)), 1e-9)
    race_sd = total * np.geomspace(0.05, 1.5, STEPS)
    circuit_sd = total * np.concatenate([[0.0], np.geomspace(0.05, 1.5, STEPS - 1)])
    precision = 1.0 / (race_sd[:, None] ** 2 + errors[None, :] ** 2)
    # Sums by race spread and circuit, then by circuit spread as well: shapes (races' spread, circuit, circuits' spread).
    mass = (precision @ member.T)[:, :, None]
    pulled = ((precision * values) @ member.T)[:, :, None]
    squares = (precision * values**2).sum(axis=1)[:, None]
    logs = np.log(precision).sum(axis=1)[:, None]
    between = circuit_sd[None, None, :] ** 2
    widened = 1.0 + between * mass
    shrunk = mass / widened
    centre_mass = shrunk.sum(axis=1)
    centre = (pulled / widened).sum(axis=1) / centre_mass
    fit = squares - (between * pulled**2 / widened).sum(axis=1) - centre_mass * centre**2
    likelihood = 0.5 * (logs - np.log(widened).sum(axis=1) - np.log(centre_mass) - fit)
    weights = np.exp(likelihood - likelihood.max())
    weights /= weights.sum()
    at = np.flatnonzero(names == circuit)
    if len(at):
        a, b = mass[:, at[0]], pulled[:, at[0]]
        keep = 1.0 / (1.0 + between[:, 0] * a)
        mean = centre * keep + between[:, 0] * b * keep
        variance = between[:, 0] * keep + keep**2 / centre_mass
    else:
        mean, variance = centre, between[:, 0] + 1.0 / centre_mass
    value = float((weights * mean).sum())
    sd = float(np.sqrt((weights * (variance + (mean - value) ** 2)).sum()))
    spread = float(np.sqrt((weights * race_sd[:, None] ** 2).sum()))
    return Mean(value, sd, spread, count, bool(len(at)))


def circuit_shares(
    hits: Floats, trials: Floats, circuits: NDArray[np.str_], circuit: str
) -> tuple[Floats, Floats, int, bool]:
    """Shares of some classes on a circuit: its counts joined by those of the pool, scaled down to a few races.

    How few follows from how much circuits differ (beta-binomial by class, averaged over a grid).

    Args:
        hits: Counts by race and class; shape (races, classes).
        trials: Trials of each race; shape (races,).
        circuits: Circuit of each race; shape (races,).
        circuit: The circuit wanted.

    Returns:
        Shares, shape (classes,), and their standard errors; trials on the circuit (all where it has none); whether it was
        measured.
    """
    names, index = np.unique(circuits, return_inverse=True)
    by_circuit = np.zeros((len(names), hits.shape[1]))
    np.add.at(by_circuit, index, hits)
    of = np.zeros(len(names))
    np.add.at(of, index, trials)
    # Half a hit more for every class, so that what never happened is rare and not impossible.
    pool = (by_circuit.sum(axis=0) + 0.5) / (of.sum() + 0.5 * hits.shape[1])
    if hits.shape[1] == 1:
        pool = (by_circuit.sum(axis=0) + 0.5) / (of.sum() + 1.0)
    weights = _concentration_weights(by_circuit, of, pool)
    at = np.flatnonzero(names == circuit)
    own, n = (by_circuit[at[0]], of[at[0]]) if len(at) else (np.zeros(hits.shape[1]), 0.0)
    alpha = CONCENTRATIONS[:, None] * pool + own
    whole = CONCENTRATIONS + n
    mean = alpha / whole[:, None]
    variance = mean * (1 - mean) / (whole[:, None] + 1)
    value = weights @ mean
    sd = np.sqrt(weights @ (variance + (mean - value) ** 2) + pool * (1 - pool) / (of.sum() + 1))
    return value, sd, int(n or of.sum()), bool(len(at))


def _concentration_weights(hits: Floats, trials: Floats, pool: Floats) -> Floats:
    """How well each concentration explains how circuits differ; shape of :data:`CONCENTRATIONS`."""
    kept = trials > 0
    k, n = hits[kept], trials[kept][:, None]
    size = CONCENTRATIONS[:, None, None]
    a, b = size * pool, size * (1 - pool)
    log_p = _log_beta(k + a, n - k + b) - _log_beta(a, b)
    scores = log_p.sum(axis=(1, 2)) / max(len(pool) - 1, 1)
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def _log_beta(a: Floats, b: Floats) -> Floats:
    return _log_gamma(a) + _log_gamma(b) - _log_gamma(a + b)


def _log_gamma(x: Floats) -> Floats:
    """Stirling's series after six steps up: right to ten digits for positive numbers, without loading another library."""
    shift = np.log(x * (x + 1) * (x + 2) * (x + 3) * (x + 4) * (x + 5))
    y = x + 6.0
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5)
    return np.asarray((y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + series - shift)


def logistic_fit(
    x: Floats, hits: Floats, trials: Floats, prior: tuple[Floats, Floats], rounds: int = 30
) -> tuple[Floats, Floats]:
    """Intercept and slope of a logistic regression on grouped counts, drawn to a prior.

    Args:
        x: Where; shape (classes,).
        hits: How often it happened.
        trials: Out of how many.
        prior: Mean and standard deviation of intercept and slope.
        rounds: Most steps.

    Returns:
        Coefficients, shape (2,), and their covariance.
    """
    mean, sd = prior
    beta = mean.copy()
    design = np.column_stack([np.ones_like(x), x])
    penalty = np.diag(sd**-2.0)
    for _ in range(rounds):
        p = 1.0 / (1.0 + np.exp(-(design @ beta)))
        information = design.T @ (design * (trials * p * (1 - p))[:, None]) + penalty
        step = np.linalg.solve(information, design.T @ (hits - trials * p) - penalty @ (beta - mean))
        beta = beta + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-9:
            break
    return beta, np.asarray(np.linalg.inv(information), dtype=np.float64)
