"""Pools measurements of single races into the parameters of a circuit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.strategy.parameters import DRY, GAP_CLASSES, Estimate, Source, StrategyParameters
from models.strategy.passing import CLASSES, part_of
from models.strategy.shrinkage import Z_80, circuit_mean, circuit_shares, logistic_fit
from warehouse.vocab import WET_COMPOUNDS

Floats = NDArray[np.float64]

PIT_SEASONS = 3
"""Pit lanes are rebuilt and speed limits change: only a circuit's last so many seasons count for its loss."""
WEAR_BIAS_PCT = 0.002
"""Standard error of wear that more races do not lessen [% of the lap per lap]: what fits of made-up races missed the planted
wear by. Traffic and fuel are told from wear by the same rules in every race."""
LEAST_WEAR_PCT = 0.002
"""A set that gains with age is a fault of the fit: wear is at least this [% of the lap per lap]."""

ASSUMED: dict[str, tuple[float, float, float, str]] = {
    "lap": (90.0, 75.0, 105.0, "s"),
    "wear": (0.052, 0.02, 0.09, "s/lap"),
    "offset": (0.0, -0.4, 0.4, "s"),
    "warm_up": (0.6, 0.2, 1.2, "s"),
    "evolution": (-3.6, -4.5, -2.7, "s"),
    "dirty_air": (0.2, 0.0, 0.4, "s"),
    "pit_loss": (22.6, 19.0, 27.0, "s"),
    "pit_sd": (1.4, 0.8, 2.0, "s"),
    "pit_slow_share": (0.08, 0.04, 0.14, "share"),
    "pit_slow_extra": (4.0, 2.0, 8.0, "s"),
    "safety_car_first_lap_share": (0.27, 0.15, 0.40, "share"),
    "safety_car_laps": (4.8, 3.0, 7.0, "laps"),
    "vsc_laps": (2.5, 1.0, 4.0, "laps"),
    "safety_car_lap_factor": (1.4, 1.3, 1.6, "factor"),
    "catch_up_factor": (1.25, 1.15, 1.35, "factor"),
    "vsc_lap_factor": (1.35, 1.25, 1.45, "factor"),
    "bunch_gap": (0.9, 0.6, 1.3, "s"),
    "noise_sd": (0.45, 0.3, 0.6, "s"),
    "noise_autocorrelation": (0.37, 0.25, 0.5, ""),
    "start_gain_sd": (1.2, 0.8, 1.8, "s"),
    "start_loss": (5.0, 3.0, 8.0, "s"),
    "grid_slot": (0.5, 0.3, 0.8, "s"),
    "retirement_rate": (0.12, 0.08, 0.18, "share"),
    "intermediate_lap": (1.126, 1.10, 1.17, "factor"),
    "wet_lap": (1.27, 1.20, 1.50, "factor"),
    "crossover_lap": (1.15, 1.12, 1.18, "factor"),
}
"""What is taken where no race was measured: value, low, high, unit. Shares of the lap are in %, medians of 2018–2026."""
WEAR_IN_RAIN = 0.5
"""Wear of intermediates and wets against a medium's; it was not measured: lap times in the rain go by the rain."""
WET_LAP_SD = 0.03
"""Standard deviation of a lap in the rain around the race's median [share of the lap]."""
PASSING_PRIOR = (np.array([-3.0, 1.5]), np.array([1.5, 1.0]))
"""Intercept and slope of passing before any race was seen: a car that is one second faster passes on a fifth of laps."""
PASSING_CIRCUIT_SD = np.array([0.6, 0.3])
"""How far a circuit may be from all of them, intercept and slope."""


def pool(measurements: pl.DataFrame, circuit_id: str, lap_time_s: float) -> StrategyParameters:
    """Parameters of a race on a circuit.

    Args:
        measurements: Rows of ``strategy_measurements``; the caller leaves out what was not known yet.
        circuit_id: The circuit; one that was never measured gets the values of all circuits.
        lap_time_s: Usual green lap there [s], to which shares of a lap are scaled.
    """
    return _Pool(measurements, circuit_id, lap_time_s).parameters()


def usual_lap_s(measurements: pl.DataFrame, circuit_id: str) -> float | None:
    """Usual green lap of the newest dry race on a circuit [s]; None where there was none."""
    rows = measurements.filter(pl.col("parameter") == "lap", pl.col("circuit_id") == circuit_id)
    return None if rows.is_empty() else float(rows.sort("known_at", "event_id")["value"][-1])


@dataclass(frozen=True)
class _Pool:
    measurements: pl.DataFrame
    circuit_id: str
    lap_time_s: float

    @cached_property
    def _by_parameter(self) -> dict[tuple[str, str], pl.DataFrame]:
        ordered = self.measurements.sort("known_at", "event_id", "parameter", "part")
        parts = ordered.partition_by("parameter", "part", as_dict=True, maintain_order=True)
        return {(str(key[0]), str(key[1])): rows for key, rows in parts.items()}

    def rows(self, parameter: str, part: str = "") -> pl.DataFrame:
        """Measurements of one parameter."""
        return self._by_parameter.get((parameter, part), self.measurements.clear())

    def parameters(self) -> StrategyParameters:
        """All of them."""
        share = self.lap_time_s / 100.0
        wear = {
            name: self.mean("wear", name, share, "s/lap", bias=WEAR_BIAS_PCT, least=LEAST_WEAR_PCT)
            for name in DRY
        }
        offset = {name: self.mean("offset", name, share, "s") for name in DRY if name != "medium"}
        offset["medium"] = Estimate(0.0, 0.0, 0.0, 0.0, offset["soft"].count, "s", Source.POOL)
        rain = {name.value: self._wear_in_rain(wear["medium"]) for name in WET_COMPOUNDS}
        midpoint, scale = self._passing()
        own = pl.col("circuit_id") == self.circuit_id
        return StrategyParameters(
            circuit_id=self.circuit_id,
            lap_time_s=self.lap_time_s,
            count_races=self.measurements.filter(own)["event_id"].n_unique(),
            offset_s={name: offset[name] for name in DRY},
            wear_s={**wear, **rain},
            warm_up_s={name: self.mean("warm_up", name, share, "s") for name in DRY},
            fuel_and_track_s=_negative(self.mean("evolution", "", share, "s")),
            dirty_air_s=tuple(self.mean("dirty_air", name, share, "s", least=0.0) for name in GAP_CLASSES),  # type: ignore[arg-type]
            pit_loss_s=self._pit_loss(),
            pit_sd_s=self.mean("pit_sd", "", 1.0, "s", least=0.2),
            pit_slow_share=self.share("pit_slow_share"),
            pit_slow_extra_s=self.mean("pit_slow_extra", "", 1.0, "s", error=6.0, least=0.5),
            safety_car_rates=self._counts("safety_car_count", 4),  # type: ignore[arg-type]
            safety_car_first_lap_share=self.share("safety_car_first_lap_share"),
            safety_car_laps=self._length("safety_car_laps"),
            vsc_rate=self._any("vsc_count"),
            vsc_laps=self._length("vsc_laps"),
            red_flag_rate=self._any("red_flag_count"),
            safety_car_lap_factor=self.mean("safety_car_lap_factor", "", 1.0, "factor", least=1.05),
            catch_up_factor=self.mean("catch_up_factor", "", 1.0, "factor", least=1.02),
            vsc_lap_factor=self.mean("vsc_lap_factor", "", 1.0, "factor", least=1.02),
            bunch_gap_s=self.mean("bunch_gap", "", 1.0, "s", least=0.3),
            noise_sd_s=self.mean("noise_sd", "", share, "s", least=0.05),
            noise_autocorrelation=self.mean("noise_autocorrelation", "", 1.0, "", least=0.0),
            overtake_midpoint_s=midpoint,
            overtake_scale_s=scale,
            start_gain_sd_s=self.mean("start_gain_sd", "", 1.0, "s", least=0.1),
            start_loss_s=self.mean("start_loss", "", 1.0, "s", least=0.0),
            grid_slot_s=self.mean("grid_slot", "", 1.0, "s", least=0.1),
            retirement_rate=self.share("retirement_rate"),
            intermediate_factor=self._against_dry("intermediate_lap"),
            wet_factor=self._against_dry("wet_lap"),
            crossover_factor=self._against_dry("crossover_lap"),
        )

    # One kind each ----------------------------------------------------------------------------------------------------

    def assumed(self, parameter: str, scale: float = 1.0, unit: str = "") -> Estimate:
        """What is taken without a measurement."""
        value, low, high, own_unit = ASSUMED[parameter]
        return Estimate(value * scale, low * scale, high * scale, 0.0, 0, unit or own_unit, Source.ASSUMPTION)

    def mean(
        self,
        parameter: str,
        part: str,
        scale: float,
        unit: str,
        *,
        rows: pl.DataFrame | None = None,
        error: float | None = None,
        bias: float = 0.0,
        least: float | None = None,
    ) -> Estimate:
        """A mean of the circuit.

        Args:
            parameter: Name in the measurements.
            part: Part in the measurements.
            scale: From the measurement's unit to ``unit``.
            unit: Unit of the estimate.
            rows: Measurements in place of all of the parameter.
            error: Standard deviation of one sample, where measurements come without an error.
            bias: Standard error of the method itself (in the measurement's unit).
            least: The value, and the interval, are at least this (in the measurement's unit).
        """
        rows = self.rows(parameter, part) if rows is None else rows
        errors = rows["standard_error"].to_numpy().astype(np.float64)
        if error is not None:
            errors = error / np.sqrt(rows["count_samples"].to_numpy().clip(1))
        found = circuit_mean(
            rows["value"].to_numpy(),
            np.nan_to_num(errors, nan=0.0),
            rows["circuit_id"].to_numpy().astype(str),
            self.circuit_id,
        )
        if found is None:
            return self.assumed(parameter, scale, unit)
        half = Z_80 * float(np.hypot(found.sd, bias))
        bounds = [found.value, found.value - half, found.value + half]
        if least is not None:
            bounds = [max(bound, least) for bound in bounds]
        value, low, high = (bound * scale for bound in bounds)
        source = Source.CIRCUIT if found.is_own else Source.POOL
        return Estimate(value, low, high, found.spread * scale, found.count, unit, source)

    def share(self, parameter: str) -> Estimate:
        """A share of trials (stops, starters, safety cars)."""
        rows = self.rows(parameter)
        trials = rows["count_samples"].to_numpy().astype(np.float64)
        return self._shares(parameter, (rows["value"].to_numpy() * trials)[:, None], trials, rows)[0]

    def _shares(
        self, parameter: str, hits: Floats, trials: Floats, rows: pl.DataFrame, unit: str = "share"
    ) -> list[Estimate]:
        if not len(trials):
            return [self.assumed(parameter)]
        circuits = rows["circuit_id"].to_numpy().astype(str)
        value, sd, _, is_own = circuit_shares(hits, trials, circuits, self.circuit_id)
        races = int((circuits == self.circuit_id).sum()) if is_own else len(circuits)
        source = Source.CIRCUIT if is_own else Source.POOL
        return [
            Estimate(float(one), *_share_interval(float(one), float(error)), 0.0, races, unit, source)
            for one, error in zip(value, sd, strict=True)
        ]

    def _counts(self, parameter: str, classes: int) -> tuple[Estimate, ...]:
        """Probabilities of 0, 1, ... periods in a race, the last class holds all beyond."""
        rows = self.rows(parameter)
        if rows.is_empty():
            usual = (0.43, 0.45, 0.09, 0.03)
            return tuple(Estimate(p, p, p, 0.0, 0, "probability", Source.ASSUMPTION) for p in usual)
        counts = rows["value"].to_numpy().astype(int).clip(0, classes - 1)
        hits = np.eye(classes)[counts]
        found = self._shares(parameter, hits, np.ones(len(counts)), rows, "probability")
        total = sum(one.value for one in found)
        return tuple(
            Estimate(one.value / total, one.low, one.high, one.spread, one.count, one.unit, one.source)
            for one in found
        )

    def _any(self, parameter: str) -> Estimate:
        """Probability of at least one period in a race."""
        rows = self.rows(parameter)
        if rows.is_empty():
            usual = {"vsc_count": 0.38, "red_flag_count": 0.10}[parameter]
            return Estimate(usual, usual / 2, min(2 * usual, 1.0), 0.0, 0, "probability", Source.ASSUMPTION)
        hits = (rows["value"].to_numpy() > 0).astype(np.float64)[:, None]
        return self._shares(parameter, hits, np.ones(len(hits)), rows, "probability")[0]

    def _length(self, parameter: str) -> Estimate:
        """Mean length of a period, and the standard deviation of one as the spread: circuits do not differ in it."""
        rows = self.rows(parameter)
        if rows.is_empty():
            return self.assumed(parameter)
        n = rows["count_samples"].to_numpy().astype(np.float64)
        each, within = rows["value"].to_numpy(), rows["spread"].fill_null(0.0).to_numpy()
        mean = float((n * each).sum() / n.sum())
        variance = float((n * (within**2 + (each - mean) ** 2)).sum() / n.sum())
        error = Z_80 * float(np.sqrt(max(variance, 0.1) / n.sum()))
        return Estimate(mean, mean - error, mean + error, variance**0.5, len(n), "laps", Source.POOL)

    def _pit_loss(self) -> Estimate:
        """Of the circuit's last seasons only; other circuits' rows are those of the same kind."""
        rows = self.rows("pit_loss")
        newest = pl.col("season").max().over("circuit_id")
        return self.mean("pit_loss", "", 1.0, "s", rows=rows.filter(pl.col("season") > newest - PIT_SEASONS))

    def _wear_in_rain(self, medium: Estimate) -> Estimate:
        scale = WEAR_IN_RAIN
        return Estimate(
            medium.value * scale, 0.0, medium.high, medium.spread, 0, medium.unit, Source.ASSUMPTION
        )

    def _against_dry(self, parameter: str) -> Estimate:
        """A lap in the rain against the circuit's dry lap of the nearest season."""
        laps: dict[str, list[tuple[int, float]]] = {}
        for circuit, season, value in self.rows("lap").select("circuit_id", "season", "value").iter_rows():
            laps.setdefault(circuit, []).append((season, value))
        factors, errors = [], []
        rows = self.rows(parameter).select("circuit_id", "season", "value", "count_samples")
        for circuit, season, value, count in rows.iter_rows():
            if circuit in laps:
                nearest = min(laps[circuit], key=lambda lap: (abs(lap[0] - season), lap[0]))
                factors.append(value / nearest[1])
                errors.append(WET_LAP_SD / count**0.5)
        if not factors:
            return self.assumed(parameter)
        # How wet it was differs from race to race far more than from circuit to circuit.
        everywhere = np.full(len(factors), "everywhere")
        found = circuit_mean(np.array(factors), np.array(errors), everywhere, "everywhere")
        assert found is not None
        middle = float(np.median(factors))
        low, high = middle - Z_80 * found.sd, middle + Z_80 * found.sd
        return Estimate(middle, low, high, found.spread, found.count, "factor", Source.POOL)

    def _passing(self) -> tuple[Estimate, Estimate]:
        """The logistic of passing: that of all circuits, and the circuit's drawn to it."""
        rows = [self.rows("passing_share", part_of(middle)) for middle in CLASSES]
        x = np.array(CLASSES)
        is_own = [one["circuit_id"] == self.circuit_id for one in rows]
        totals = [one["count_samples"] for one in rows]
        hits = [one["value"] * one["count_samples"] for one in rows]
        all_hits, all_trials = (np.array([float(one.sum()) for one in what]) for what in (hits, totals))
        races = pl.concat([one.select("event_id", "circuit_id") for one in rows]).unique()
        beta, covariance = logistic_fit(x, all_hits, all_trials, PASSING_PRIOR)
        here = races.filter(pl.col("circuit_id") == self.circuit_id).height
        if here:
            own_hits, own_trials = (
                np.array([float(one.filter(mask).sum()) for one, mask in zip(what, is_own, strict=True)])
                for what in (hits, totals)
            )
            wide = np.sqrt(np.diag(covariance) + PASSING_CIRCUIT_SD**2)
            beta, covariance = logistic_fit(x, own_hits, own_trials, (beta, wide))
        count = here or races.height
        source = Source.CIRCUIT if here else Source.POOL if races.height else Source.ASSUMPTION
        slope = max(float(beta[1]), 0.2)
        midpoint, scale = -float(beta[0]) / slope, 1.0 / slope
        # Errors of the two by the delta method.
        gradient = np.array([-1.0 / slope, float(beta[0]) / slope**2])
        error = Z_80 * float(np.sqrt(gradient @ covariance @ gradient))
        scale_error = Z_80 * float(np.sqrt(covariance[1, 1])) / slope**2
        return (
            Estimate(midpoint, midpoint - error, midpoint + error, 0.0, count, "s", source),
            Estimate(scale, max(scale - scale_error, 0.05), scale + scale_error, 0.0, count, "s", source),
        )


def _share_interval(share: float, sd: float) -> tuple[float, float]:
    """80 % interval of a share, on the scale of its logit."""
    share = min(max(share, 1e-6), 1 - 1e-6)
    middle, width = np.log(share / (1 - share)), Z_80 * sd / (share * (1 - share))
    low, high = (1.0 / (1.0 + np.exp(-(middle + sign * width))) for sign in (-1, 1))
    return float(low), float(high)


def _negative(one: Estimate) -> Estimate:
    return Estimate(-one.value, -one.high, -one.low, one.spread, one.count, one.unit, one.source)
