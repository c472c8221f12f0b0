"""Foretells laps of a race from other laps of it, and from races before: how good the lap model is where it has not looked.

A lap, as a share of the race's usual lap, is the sum of the driver, of fuel and track (a line and what the race adds to it),
of the compound, of wear, of what a car costs that is ahead or about to lap, of the set (a stint as a whole is better or
worse than foreseen) and of what lasts a few laps only. Every part has a prior; those of compounds, wear, fuel and dirty air
are the circuit's parameters from earlier races.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.strategy.parameters import DRY, Estimate, StrategyParameters
from models.strategy.shrinkage import Z_80

Floats = NDArray[np.float64]
Prior = tuple[float, float]
HUBER = 1.345
ROUNDS = 8
MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class LapModelSettings:
    """Spreads of the parts that races do not share [% of the lap], chosen on 2018–2023.

    Attributes:
        driver_sd: Of drivers around the field.
        stint_sd: Of stints around the driver.
        team_compound_sd: Of a team on a compound around the compound.
        wear_driver_sd: Of a driver's wear around the compound's [% per lap].
        step_laps: Distance of the knots of what the race adds to fuel and track [laps].
        walk_sd: How much that may change from knot to knot.
        restart: Loss in the first free laps, fading by a factor of e in ``restart_laps``: mean and sd.
        restart_laps: How fast that fades [laps].
        blue: Loss of a car that is about to be lapped: mean and sd.
        held_up: Share of the advantage over the car ahead that is lost within 1 s: mean and sd.
        fresh: Gain of a new set: mean and sd.
        second_lap: Loss of the first flying lap of a set: mean and sd.
        evolution_factor: Share of the spread of fuel and track from race to race that is taken for the line: the rest
            belongs to what the race adds to it.
        local_share: Share of the variance of a lap around the model that lasts a few laps.
        local_laps: How long it lasts [laps].
    """

    driver_sd: float = 1.5
    stint_sd: float = 0.35
    team_compound_sd: float = 0.20
    wear_driver_sd: float = 0.006
    step_laps: int = 5
    walk_sd: float = 0.09
    restart: Prior = (0.1, 0.2)
    restart_laps: float = 2.0
    blue: Prior = (0.5, 0.4)
    held_up: Prior = (0.4, 0.3)
    fresh: Prior = (-0.05, 0.1)
    second_lap: Prior = (0.0, 0.2)
    evolution_factor: float = 0.35
    local_share: float = 0.65
    local_laps: float = 4.0


@dataclass(frozen=True)
class LapPriors:
    """Where the shared parts are pulled to [% of the lap], and how hard: mean and standard deviation.

    Attributes:
        evolution: From the first to the last lap.
        offset: By dry compound, new set against a new medium.
        wear: By dry compound, per lap of age.
        dirty_air: By gap class.
    """

    evolution: Prior = (-3.6, 0.9)
    offset: dict[str, Prior] = field(
        default_factory=lambda: {"soft": (-0.2, 0.4), "medium": (0.0, 0.02), "hard": (0.1, 0.4)}
    )
    wear: dict[str, Prior] = field(
        default_factory=lambda: {"soft": (0.054, 0.04), "medium": (0.052, 0.04), "hard": (0.042, 0.04)}
    )
    dirty_air: tuple[Prior, Prior, Prior] = ((0.49, 0.15), (0.20, 0.15), (0.08, 0.15))

    @classmethod
    def of(cls, known: StrategyParameters) -> LapPriors:
        """The parameters of a circuit, each with its own uncertainty and the spread from race to race."""
        share = 100.0 / known.lap_time_s

        def prior(one: Estimate, least: float) -> Prior:
            error = (one.high - one.low) / (2 * Z_80)
            return one.value * share, max(float(np.hypot(error, one.spread)) * share, least)

        loss = prior(known.fuel_and_track_s, 0.3)
        first, second, third = (prior(one, 0.05) for one in known.dirty_air_s)
        return cls(
            evolution=(-loss[0], loss[1]),
            offset={name: prior(known.offset_s[name], 0.02) for name in DRY},
            wear={name: prior(known.wear_s[name], 0.01) for name in DRY},
            dirty_air=(first, second, third),
        )


def foretell(
    rows: pl.DataFrame,
    is_known: NDArray[np.bool_],
    priors: LapPriors | None = None,
    settings: LapModelSettings | None = None,
) -> Floats:
    """Foretells laps of one race.

    Args:
        rows: Rows of :func:`models.strategy.lap_situation.lap_situations` of one event; lap times of laps that are not
            known are not looked at.
        is_known: Which laps are known; shape (laps,).
        priors: From earlier races.
        settings: Spreads of the rest.

    Returns:
        Lap times of all rows [s]; shape (laps,).
    """
    priors, settings = priors or LapPriors(), settings or LapModelSettings()
    seen = np.where(is_known, rows["lap_pct"].to_numpy(), 0.0)
    columns = _Columns(rows, priors, settings)
    free = columns.solve(seen, is_known)
    columns.hold_up(_advantage(rows, columns, free, seen, is_known))
    whole = columns.solve(seen, is_known)
    fitted = whole.fitted + _local(rows, seen - whole.fitted, is_known, whole.sigma, settings)
    return np.asarray(float(rows["lap_s"][0]) * np.exp(fitted / 100.0))


@dataclass(frozen=True)
class _Solution:
    values: Floats
    fitted: Floats
    sigma: float


class _Columns:
    """The design: blocks of columns with their priors."""

    def __init__(self, rows: pl.DataFrame, priors: LapPriors, settings: LapModelSettings) -> None:
        self.blocks: list[tuple[str, Floats]] = []
        self.mean: list[float] = []
        self.sd: list[float] = []
        self.rows = rows
        lap = rows["lap_number"].to_numpy().astype(np.float64)
        worn = rows["tyre_laps"].cast(pl.Float64)
        age = worn.fill_null(worn.median() or 0.0).to_numpy()
        compound = rows["compound"].to_numpy()
        ahead = rows["ahead_s"].fill_null(float("inf")).to_numpy()
        self.near = [(ahead >= low) & (ahead < low + 1.0) for low in (0.0, 1.0, 2.0)]
        self._dummies("driver", rows["driver_id"], settings.driver_sd)
        # What the driver's coefficient is around: the middle of the field.
        self._add("middle", np.ones(len(lap)), (0.0, 10.0))
        change = priors.evolution[0], priors.evolution[1] * settings.evolution_factor
        self._add("evolution", rows["race_share"].to_numpy() - 0.5, change)
        for name in DRY:
            on = compound == name
            self._add("offset", on, priors.offset[name])
            self._add("wear", on * age, priors.wear[name])
        for near, prior in zip(self.near, priors.dirty_air, strict=True):
            self._add("air", near, prior)
        knots = np.arange(0.0, float(rows["laps_in_race"][0]) + settings.step_laps, settings.step_laps)
        # A walk: every knot adds a step that stays.
        for knot in knots[1:]:
            ramp = np.clip((lap - knot) / settings.step_laps + 1.0, 0.0, 1.0)
            self._add("walk", ramp, (0.0, settings.walk_sd))
        free = rows["laps_free"].to_numpy().astype(np.float64)
        self._add("restart", np.exp(-np.maximum(free - 2.0, 0.0) / settings.restart_laps), settings.restart)
        self._add("blue", rows["is_blue"].to_numpy(), settings.blue)
        self._add("fresh", rows["is_fresh_tyre"].fill_null(value=True).to_numpy(), settings.fresh)
        self._add("second lap", age == 1, settings.second_lap)
        stint = rows["driver_id"] + "|" + rows["stint"].cast(pl.String)
        self._dummies("stint", stint, settings.stint_sd)
        self._dummies("team", rows["constructor_id"] + "|" + rows["compound"], settings.team_compound_sd)
        self._dummies("own wear", rows["driver_id"], settings.wear_driver_sd, age)
        self._settings = settings

    def _add(self, name: str, column: NDArray[np.generic], prior: Prior) -> None:
        self.blocks.append((name, np.asarray(column, dtype=np.float64)[:, None]))
        self.mean.append(prior[0])
        self.sd.append(max(prior[1], 1e-4))

    def _dummies(self, name: str, series: pl.Series, sd: float, times: Floats | None = None) -> None:
        _, index = np.unique(series.to_numpy().astype(str), return_inverse=True)
        block = np.zeros((len(index), int(index.max()) + 1))
        block[np.arange(len(index)), index] = 1.0 if times is None else times
        self.blocks.append((name, block))
        self.mean += [0.0] * block.shape[1]
        self.sd += [sd] * block.shape[1]

    def hold_up(self, advantage: Floats) -> None:
        """Adds what is lost behind slower cars."""
        mean, sd = self._settings.held_up
        for near, factor in zip(self.near[:2], (1.0, 0.5), strict=True):
            self._add("held up", near * advantage, (mean * factor, sd * factor))

    def part(self, solution: _Solution, leave_out: tuple[str, ...]) -> Floats:
        """What some of the columns say of all rows."""
        total = np.zeros(self.rows.height)
        at = 0
        for name, block in self.blocks:
            if at >= len(solution.values):
                break
            if name not in leave_out:
                total += block @ solution.values[at : at + block.shape[1]]
            at += block.shape[1]
        return total

    def solve(self, seen: Floats, is_known: NDArray[np.bool_]) -> _Solution:
        """Ridge towards the priors with Huber weights."""
        matrix = np.hstack([block for _, block in self.blocks])
        mean, penalty = np.array(self.mean), np.diag(np.array(self.sd) ** -2.0)
        known = matrix[is_known]
        wanted = seen[is_known] - known @ mean
        weights = np.ones(len(wanted))
        sigma = max(MAD_TO_SD * float(np.median(np.abs(wanted - np.median(wanted)))), 1e-3)
        moved: Floats = np.zeros(len(mean))
        for _ in range(ROUNDS):
            weighted = known * (weights / sigma**2)[:, None]
            moved = np.asarray(np.linalg.solve(weighted.T @ known + penalty, weighted.T @ wanted))
            left = wanted - known @ moved
            sigma = max(MAD_TO_SD * float(np.median(np.abs(left))), 1e-3)
            weights = np.minimum(1.0, HUBER * sigma / np.maximum(np.abs(left), 1e-12))
        values = mean + moved
        return _Solution(values, matrix @ values, sigma)


def _advantage(
    rows: pl.DataFrame, columns: _Columns, free: _Solution, seen: Floats, is_known: NDArray[np.bool_]
) -> Floats:
    """How much slower the car ahead is on the lap than this one would be alone [%]; 0 where it is faster or unknown.

    The car ahead's lap is its known lap time, else what the model says of it.
    """
    own = columns.part(free, ("air", "blue"))
    its = np.where(is_known, seen, free.fitted)
    pairs = rows.select("driver_id", "lap_number", "ahead_id").with_columns(own=own, its=its)
    ahead = pairs.select("lap_number", ahead_id="driver_id", ahead="its")
    joined = pairs.join(ahead, on=["ahead_id", "lap_number"], how="left", maintain_order="left")
    found = (joined["ahead"] - joined["own"]).fill_null(0.0).to_numpy()
    return np.clip(found, 0.0, 3.0)


def _local(
    rows: pl.DataFrame, left: Floats, is_known: NDArray[np.bool_], sigma: float, settings: LapModelSettings
) -> Floats:
    """What lasts a few laps: of every driver's residuals, by the laps around."""
    found = np.zeros(len(left))
    if settings.local_share <= 0:
        return found
    cut = np.clip(left, -2.5 * sigma, 2.5 * sigma)
    driver, lap = rows["driver_id"].to_numpy(), rows["lap_number"].to_numpy().astype(np.float64)
    for name in np.unique(driver.astype(str)):
        own = driver == name
        known = own & is_known
        if known.sum() < 3:
            continue
        at, wanted = lap[known], lap[own]
        kernel = settings.local_share * np.exp(-np.abs(at[:, None] - at[None, :]) / settings.local_laps)
        noise = (1.0 - settings.local_share) * np.eye(len(at))
        across = settings.local_share * np.exp(-np.abs(wanted[:, None] - at[None, :]) / settings.local_laps)
        found[own] = across @ np.linalg.solve(kernel + noise, cut[known])
    return found
