"""Race pace from the laps of one race: what a driver's lap costs once fuel, tyres and traffic are taken out.

A lap time, as a share of the race's usual lap, is taken as the sum of the driver, of the share of the race that is done
(fuel burnt, track gripping up), of the compound, of the laps on the set times the compound's wear, and of what a car
close ahead costs. One race hardly tells these parts from one another (everybody drives new tyres with a lighter car), so
each part is pulled to a prior in proportion to how little the race says of it. Laps that no sum explains (a mistake, a
car limping home) lose their weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.vocab import WET_COMPOUNDS, Compound

Floats = NDArray[np.float64]

LIMIT_PCT = 7.0
"""Laps farther than this from the race's median lap are no racing laps."""
NEAR_S = (1.0, 2.0, 3.0)
"""Upper ends of the classes of the gap to the car ahead at the start of a lap [s]."""
NEAR_NAMES = ("gap_below_1s", "gap_1_to_2s", "gap_2_to_3s")
MIN_LAPS, MIN_DRIVERS = 5, 3
"""A driver with fewer laps has no pace; a race with fewer such drivers has no field to compare with."""
HUBER = 1.345
"""Residuals beyond this many standard deviations lose weight."""
ROUNDS = 12
AUTOCORRELATION = 0.37
"""Of residuals of one driver from lap to lap (reference/strategy.md, section 3): neighbouring laps say less than two."""
LAP_COLUMNS = (
    "event_id",
    "driver_id",
    "car_number",
    "lap_number",
    "lap_time_s",
    "lap_end_session_s",
    "compound",
    "tyre_life_laps",
    "is_in_lap",
    "is_out_lap",
    "is_green",
    "is_safety_car",
    "is_virtual_safety_car",
    "is_red_flag",
    "is_generated",
    "is_after_result",
)
"""What is read of the ``laps`` table."""


@dataclass(frozen=True)
class LapPriors:
    """Where coefficients are pulled to, and how hard; all in % of the race's median lap.

    Means are the medians of reference/strategy.md, section 3, a lap of 90 s taken as the usual one.

    Attributes:
        driver_sd: Spread of drivers around the field.
        evolution: Change from the first to the last lap, and how far a race may be from it.
        compound_sd: Spread of compounds around their mean.
        wear: Wear per lap by compound; others get ``other_wear``.
        other_wear: Wear per lap of a compound without an entry.
        wear_sd: How far a race's wear may be from it.
        dirty_air: What a car ahead costs, by the classes of :data:`NEAR_NAMES`.
        dirty_air_sd: How far a race may be from it.
    """

    driver_sd: float = 1.5
    evolution: tuple[float, float] = (-3.6, 0.9)
    compound_sd: float = 0.4
    wear: dict[str, float] = field(
        default_factory=lambda: {
            Compound.SOFT.value: 0.054,
            Compound.MEDIUM.value: 0.052,
            Compound.HARD.value: 0.042,
        }
    )
    other_wear: float = 0.052
    wear_sd: float = 0.04
    dirty_air: tuple[float, float, float] = (0.49, 0.20, 0.08)
    dirty_air_sd: float = 0.15


@dataclass(frozen=True)
class RacePace:
    """What the laps of one race say.

    Attributes:
        drivers: One row per driver with at least :data:`MIN_LAPS` laps: ``driver_id, race_pace_pct`` (lap against the
            middle driver [% of the race's median lap], smaller is faster), ``standard_error_pct`` (of the difference from
            the field), ``count_laps``.
        effects: One row per coefficient: ``effect`` (``evolution``, ``compound``, ``wear``, ``dirty_air``), ``name``,
            ``value_pct`` [% of the median lap; wear per lap, evolution from first to last lap; compounds against their
            mean by laps], ``standard_error_pct``, ``count_laps`` (laps the coefficient was seen in).
        lap_s: The race's median green lap [s].
        residual_pct: Standard deviation of a usual lap around the fit (robust).
        count_laps: Laps used.
        residuals: One row per lap used: ``driver_id, lap_number, tyre_laps, residual_pct`` (what the sum leaves of it),
            by driver and lap.
    """

    drivers: pl.DataFrame
    effects: pl.DataFrame
    lap_s: float
    residual_pct: float
    count_laps: int
    residuals: pl.DataFrame


def green_laps(laps: pl.DataFrame) -> pl.DataFrame:
    """Racing laps on slicks with a clear track, of one or of many races.

    Left out are in- and out-laps, lap 1, the lap after a neutralised one, laps without a time, laps that were generated or
    driven after the result, and laps farther than :data:`LIMIT_PCT` from the median of those that remain.

    Args:
        laps: Rows of the ``laps`` table (columns :data:`LAP_COLUMNS`) of one session per event, any order.

    Returns:
        ``event_id, driver_id, lap_number, lap_pct`` (100 times the logarithm of lap time over ``lap_s``), ``lap_s``
        (the race's median), ``race_share`` (laps done, 0 to 1), ``compound, tyre_laps`` (laps on the set before this one;
        null if unknown), ``ahead_s`` (gap to the car ahead at the start of the lap [s]; null if nobody is within sight or
        the feed does not say), ordered by event, driver and lap.
    """
    slow = pl.col("is_safety_car") | pl.col("is_virtual_safety_car") | pl.col("is_red_flag")
    car = ["event_id", "car_number"]
    rows = laps.sort("event_id", "car_number", "lap_number").with_columns(
        follows_neutralised=slow.shift(1).over(car).fill_null(value=False),
        race_share=(pl.col("lap_number") - 1) / pl.col("lap_number").max().over("event_id"),
        tyre_laps=pl.col("tyre_life_laps") - 1,
    )
    rows = rows.join(gaps_ahead(laps), on=[*car, "lap_number"], how="left")
    kept = rows.filter(
        pl.col("is_green")
        & (pl.col("lap_time_s") > 0)
        & (pl.col("lap_number") > 1)
        & ~pl.any_horizontal(
            "is_in_lap", "is_out_lap", "follows_neutralised", "is_generated", "is_after_result"
        )
        & ~pl.col("compound").is_in([*WET_COMPOUNDS, Compound.UNKNOWN])
    ).with_columns(lap_s=pl.col("lap_time_s").median().over("event_id"))
    return (
        kept.with_columns(lap_pct=100.0 * (pl.col("lap_time_s") / pl.col("lap_s")).log())
        .filter((pl.col("lap_time_s") / pl.col("lap_s") - 1.0).abs() <= LIMIT_PCT / 100.0)
        .select(
            "event_id",
            "driver_id",
            "lap_number",
            "lap_pct",
            "lap_s",
            "race_share",
            "compound",
            "tyre_laps",
            "ahead_s",
        )
        .sort("event_id", "driver_id", "lap_number")
    )


def gaps_ahead(laps: pl.DataFrame) -> pl.DataFrame:
    """Gap to the last car that crossed the line before, whatever lap it was on: cars on their way into the pits left out."""
    crossings = laps.filter(~pl.col("is_in_lap") & ~pl.col("is_generated")).sort(
        "event_id", "lap_end_session_s", "car_number"
    )
    return crossings.select(
        "event_id",
        "car_number",
        lap_number=pl.col("lap_number") + 1,
        ahead_s=pl.col("lap_end_session_s").diff().over("event_id"),
    ).unique(["event_id", "car_number", "lap_number"], keep="first", maintain_order=True)


def fit_race(laps: pl.DataFrame, priors: LapPriors | None = None) -> RacePace | None:
    """Fits one race.

    Args:
        laps: Rows of :func:`green_laps` of one event; their order does not matter.
        priors: Where coefficients are pulled to; the usual ones if not given.

    Returns:
        The fit; None where fewer than :data:`MIN_DRIVERS` drivers have :data:`MIN_LAPS` laps.
    """
    priors = priors or LapPriors()
    rows = laps.filter(pl.len().over("driver_id") >= MIN_LAPS).sort("driver_id", "lap_number")
    if rows["driver_id"].n_unique() < MIN_DRIVERS:
        return None
    design = _Design.of(rows, priors)
    solution = _robust_ridge(design.matrix, rows["lap_pct"].to_numpy(), design.mean, design.sd)
    n = len(design.drivers)
    pace = solution.values[:n] - np.median(solution.values[:n])
    counts = design.counts
    is_compound = np.array([effect == "compound" for effect, _ in design.effects])
    # A race tells drivers, and compounds, from one another, not all of them from nothing: errors are those of differences.
    errors = solution.errors([slice(0, n), n + np.flatnonzero(is_compound)], counts)
    drivers = pl.DataFrame(
        {
            "driver_id": design.drivers,
            "race_pace_pct": pace,
            "standard_error_pct": errors[:n],
            "count_laps": counts[:n],
        }
    )
    values = solution.values[n:].copy()
    values[is_compound] -= np.average(values[is_compound], weights=counts[n:][is_compound])
    effects = pl.DataFrame(
        {
            "effect": [effect for effect, _ in design.effects],
            "name": [name for _, name in design.effects],
            "value_pct": values,
            "standard_error_pct": errors[n:],
            "count_laps": counts[n:],
        }
    )
    residuals = rows.select(
        "driver_id",
        "lap_number",
        "tyre_laps",
        residual_pct=pl.Series(rows["lap_pct"].to_numpy() - design.matrix @ solution.values),
    )
    return RacePace(drivers, effects, float(rows["lap_s"][0]), solution.sigma, rows.height, residuals)


def fit_races(laps: pl.DataFrame, priors: LapPriors | None = None) -> Iterator[tuple[str, RacePace]]:
    """Fits every race of some laps.

    Args:
        laps: Rows of the ``laps`` table of one session per event.
        priors: As in :func:`fit_race`.

    Yields:
        Event and fit, by event; events without enough laps are left out.
    """
    for (event,), rows in green_laps(laps).group_by(["event_id"], maintain_order=True):
        found = fit_race(rows, priors)
        if found is not None:
            yield str(event), found


def race_paces(laps: pl.DataFrame, priors: LapPriors | None = None) -> pl.DataFrame:
    """Race pace of every driver in every race: :attr:`RacePace.drivers` with ``event_id``; of no laps, no rows."""
    schema = pl.Schema(
        {
            "event_id": pl.String(),
            "driver_id": pl.String(),
            "race_pace_pct": pl.Float64(),
            "standard_error_pct": pl.Float64(),
            "count_laps": pl.Int64(),
        }
    )
    found = [
        race.drivers.select(pl.lit(event).alias("event_id"), pl.all()).cast(dict(schema))  # type: ignore[arg-type]
        for event, race in (fit_races(laps, priors) if laps.height else ())
    ]
    return pl.concat([pl.DataFrame(schema=schema), *found])


@dataclass(frozen=True)
class _Design:
    """The linear model: columns are drivers, then effects; every coefficient has a prior."""

    matrix: Floats
    mean: Floats
    sd: Floats
    drivers: list[str]
    effects: list[tuple[str, str]]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pl.DataFrame, priors: LapPriors) -> _Design:
        drivers = rows["driver_id"].unique().sort().to_list()
        compounds = rows["compound"].unique().sort().to_list()
        ahead = rows["ahead_s"].fill_null(float("inf")).to_numpy()
        worn = rows["tyre_laps"].cast(pl.Float64)
        # An unknown age counts as the usual one, so that it says nothing of wear.
        age = worn.fill_null(worn.median() or 0.0).to_numpy()
        is_on = rows["compound"].to_numpy()[:, None] == np.array(compounds, dtype=object)[None, :]
        edges = np.array([0.0, *NEAR_S])
        near = (ahead[:, None] >= edges[:-1]) & (ahead[:, None] < edges[1:])
        matrix = np.column_stack(
            [
                rows["driver_id"].to_numpy()[:, None] == np.array(drivers, dtype=object)[None, :],
                # Around the middle of the race, so that a driver's coefficient is his pace there.
                rows["race_share"].to_numpy() - 0.5,
                is_on,
                is_on * age[:, None],
                near,
            ]
        ).astype(np.float64)
        n, k = len(drivers), len(compounds)
        wear = [priors.wear.get(name, priors.other_wear) for name in compounds]
        # The middle of the field is not known beforehand: it is put where the priors of the rest leave it.
        mean = np.concatenate([np.zeros(n), [priors.evolution[0]], np.zeros(k), wear, priors.dirty_air])
        centre = float(np.median(rows["lap_pct"].to_numpy() - matrix @ mean))
        mean[:n] = centre
        sd = np.concatenate(
            [
                np.full(n, priors.driver_sd),
                [priors.evolution[1]],
                np.full(k, priors.compound_sd),
                np.full(k, priors.wear_sd),
                np.full(len(NEAR_S), priors.dirty_air_sd),
            ]
        )
        effects = [
            ("evolution", "race"),
            *(("compound", name) for name in compounds),
            *(("wear", name) for name in compounds),
            *(("dirty_air", name) for name in NEAR_NAMES),
        ]
        own, on = matrix[:, :n].sum(axis=0), is_on.sum(axis=0)
        counts = np.concatenate([own, [rows.height], on, on, near.sum(axis=0)]).astype(np.int64)
        return cls(matrix, mean, sd, drivers, effects, counts)


@dataclass(frozen=True)
class _Solution:
    values: Floats
    covariance: Floats
    sigma: float

    def errors(self, groups: Sequence[slice | NDArray[np.int64]], counts: NDArray[np.int64]) -> Floats:
        """Standard errors; within a group those of the differences from the group's mean by laps."""
        contrast = np.eye(len(self.values))
        for group in groups:
            contrast[np.ix_(*2 * [np.arange(len(self.values))[group]])] -= counts[group] / counts[group].sum()
        inflation = (1 + AUTOCORRELATION) / (1 - AUTOCORRELATION)
        return np.asarray(np.sqrt(inflation * np.einsum("ij,jk,ik->i", contrast, self.covariance, contrast)))


def _robust_ridge(matrix: Floats, seen: Floats, mean: Floats, sd: Floats) -> _Solution:
    """Ridge towards ``mean`` with Huber weights, by iteratively reweighted least squares."""
    penalty = np.diag(sd**-2.0)
    wanted = seen - matrix @ mean
    weights = np.ones(len(seen))
    sigma = max(1.4826 * float(np.median(np.abs(wanted - np.median(wanted)))), 1e-6)
    shift: Floats = np.zeros(matrix.shape[1])
    for _ in range(ROUNDS):
        weighted = matrix * (weights / sigma**2)[:, None]
        information = weighted.T @ matrix + penalty
        moved: Floats = np.asarray(np.linalg.solve(information, weighted.T @ wanted), dtype=np.float64)
        residuals = wanted - matrix @ moved
        sigma = max(1.4826 * float(np.median(np.abs(residuals))), 1e-6)
        weights = np.minimum(1.0, HUBER * sigma / np.maximum(np.abs(residuals), 1e-12))
        done = float(np.max(np.abs(moved - shift))) < 1e-6
        shift = moved
        if done:
            break
    return _Solution(mean + shift, np.asarray(np.linalg.inv(information), dtype=np.float64), sigma)
