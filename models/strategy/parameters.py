"""Fitted parameters of a race on one circuit: plain frozen dataclasses, every number with its interval and its source.

Seconds are those of a lap of ``lap_time_s``: what was measured as a share of the lap has been scaled to it already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from warehouse.vocab import Compound

DRY = (Compound.SOFT.value, Compound.MEDIUM.value, Compound.HARD.value)
"""The three compounds of a weekend, softest first; the seven names of 2018 are taken by their rank in the weekend."""
GAP_CLASSES = ("gap_below_1s", "gap_1_to_2s", "gap_2_to_3s")
"""Classes of the gap to the car ahead, in the order of ``dirty_air_s``."""
SLOW_STOP_S = 4.0
"""A stop is slow when it loses at least this much more than the race's median stop [s]."""


class Source(StrEnum):
    """Where a number comes from."""

    CIRCUIT = "circuit"
    """Races on this circuit, drawn to all circuits in proportion to how little they say."""
    POOL = "pool"
    """All circuits: this one was never measured."""
    ASSUMPTION = "assumption"
    """It could not be measured from laps."""


@dataclass(frozen=True)
class Estimate:
    """One number.

    Attributes:
        value: The best estimate for the next race here.
        low: Lower end of the 80 % interval of the circuit's mean.
        high: Upper end of it.
        spread: Standard deviation from race to race around that mean; 0 where it is not known or makes no sense.
        count: Races it rests on (for ``Source.CIRCUIT`` those on the circuit, else all).
        unit: Unit of the value.
        source: Where it comes from.
    """

    value: float
    low: float
    high: float
    spread: float
    count: int
    unit: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class StrategyParameters:
    """What is known of a race on a circuit before it is run.

    Dictionaries go by compound in the words of the warehouse (``soft``, ``medium``, ``hard``, ``intermediate``, ``wet``).

    Attributes:
        circuit_id: The circuit.
        lap_time_s: Lap to which seconds are scaled: the usual green race lap, race median [s].
        count_races: Races on this circuit that were measured.
        offset_s: New set against a new medium, dry compounds [s/lap].
        wear_s: Time lost with every lap of age, dry compounds and intermediate, wet [s/lap per lap].
        warm_up_s: Time lost on the first lap of a set fitted in the race, beyond the pit lane [s]. It is a part of
            ``pit_loss_s``.
        fuel_and_track_s: How much faster the last lap is than the first, from fuel and track evolution [s].
        dirty_air_s: Loss behind a car, by the classes of :data:`GAP_CLASSES` [s/lap].
        pit_loss_s: Loss of a usual stop under green, in-lap and out-lap together, warm-up included [s].
        pit_sd_s: Its standard deviation within a race, slow stops left out [s].
        pit_slow_share: Share of stops that lose :data:`SLOW_STOP_S` more than the median.
        pit_slow_extra_s: Mean loss of a slow stop beyond these [s].
        safety_car_rates: Probability of 0, 1, 2 and 3 or more safety cars in a race; sums to 1.
        safety_car_first_lap_share: Share of safety cars that come out on lap 1.
        safety_car_laps: Length of a safety car; ``spread`` is the standard deviation of one safety car [laps].
        vsc_rate: Probability of at least one virtual safety car.
        vsc_laps: Its length; ``spread`` is the standard deviation of one [laps].
        red_flag_rate: Probability of at least one red flag.
        safety_car_lap_factor: Lap in the queue behind the safety car [factor of the lap].
        catch_up_factor: Lap of a car that closes up to the queue [factor of the lap].
        vsc_lap_factor: Lap under a virtual safety car [factor of the lap].
        bunch_gap_s: Gap in the queue at the restart [s].
        noise_sd_s: Standard deviation of a usual lap around the model [s].
        noise_autocorrelation: Of neighbouring laps of a car.
        overtake_midpoint_s: Advantage in lap time at which a car within 1 s passes on the lap with even odds [s].
        overtake_scale_s: Scale of that logistic [s].
        start_gain_sd_s: Standard deviation of a car's time at the end of lap 1 around what its grid slot gives [s].
        start_loss_s: First lap of the first car against a flying lap with the same fuel [s].
        grid_slot_s: Time between neighbouring cars at the end of lap 1 [s].
        retirement_rate: Probability that a starter does not finish.
        intermediate_factor: Lap on intermediates in a wet race [factor of the dry lap].
        wet_factor: Lap on full wets [factor of the dry lap].
        crossover_factor: Lap on intermediates at which slicks are as fast [factor of the dry lap].
    """

    circuit_id: str
    lap_time_s: float
    count_races: int
    offset_s: Mapping[str, Estimate]
    wear_s: Mapping[str, Estimate]
    warm_up_s: Mapping[str, Estimate]
    fuel_and_track_s: Estimate
    dirty_air_s: tuple[Estimate, Estimate, Estimate]
    pit_loss_s: Estimate
    pit_sd_s: Estimate
    pit_slow_share: Estimate
    pit_slow_extra_s: Estimate
    safety_car_rates: tuple[Estimate, Estimate, Estimate, Estimate]
    safety_car_first_lap_share: Estimate
    safety_car_laps: Estimate
    vsc_rate: Estimate
    vsc_laps: Estimate
    red_flag_rate: Estimate
    safety_car_lap_factor: Estimate
    catch_up_factor: Estimate
    vsc_lap_factor: Estimate
    bunch_gap_s: Estimate
    noise_sd_s: Estimate
    noise_autocorrelation: Estimate
    overtake_midpoint_s: Estimate
    overtake_scale_s: Estimate
    start_gain_sd_s: Estimate
    start_loss_s: Estimate
    grid_slot_s: Estimate
    retirement_rate: Estimate
    intermediate_factor: Estimate
    wet_factor: Estimate
    crossover_factor: Estimate

    @property
    def pit_lane_loss_s(self) -> float:
        """Loss of a usual stop without the warm-up of the new set [s]: for an engine that counts the warm-up apart."""
        dry = [self.warm_up_s[name].value for name in DRY]
        return self.pit_loss_s.value - sum(dry) / len(dry)

    def estimates(self) -> Iterator[tuple[str, str, Estimate]]:
        """Every estimate with its parameter and the part it is of: a compound, a gap class, a count, or nothing."""
        for one in fields(self):
            held = getattr(self, one.name)
            if isinstance(held, Estimate):
                yield one.name, "", held
            elif isinstance(held, Mapping):
                yield from ((one.name, part, estimate) for part, estimate in held.items())
            elif isinstance(held, tuple):
                parts = GAP_CLASSES if one.name == "dirty_air_s" else ("0", "1", "2", "3+")
                yield from ((one.name, *pair) for pair in zip(parts, held, strict=True))

    def rows(self) -> list[dict[str, Any]]:
        """One row per number, for tables and pages.

        Returns:
            ``circuit_id, lap_time_s, count_races, parameter, part, value, low, high, spread, count, unit, source``.
        """
        head = {
            "circuit_id": self.circuit_id,
            "lap_time_s": self.lap_time_s,
            "count_races": self.count_races,
        }
        return [
            {
                **head,
                "parameter": parameter,
                "part": part,
                **{one.name: getattr(estimate, one.name) for one in fields(estimate)},
                "source": estimate.source.value,
            }
            for parameter, part, estimate in self.estimates()
        ]
