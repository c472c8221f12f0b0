"""From what was measured of a circuit to what the simulator takes.

The constants below belong to the simulator, not to a circuit: they were chosen on the dry races of
2018-2023 (``benchmarks/strategy_order.py --tune``), so that its finishing orders and intervals agree with those races.
"""

from __future__ import annotations

from f1core.simulator.parameters import (
    LapNoise,
    Neutralisations,
    PitLane,
    Start,
    Traffic,
    Tyre,
    Weather,
)
from f1core.strategy.basis import Basis
from models.strategy.parameters import DRY, SLOW_STOP_S, StrategyParameters
from warehouse.vocab import Compound

FORM_SD_PCT = {"pre_race": 0.17, "hindsight": 0.0}
"""Spread of a car's pace on the day around what is expected of it [% of a lap]."""
NOISE_SHARE = {"pre_race": 1.0, "hindsight": 0.7}
"""Noise of a lap against the one measured: a pace that was fitted on the race has the mean of its noise in it already."""
PASS_SHARE = 0.75
"""Advantage that a pass needs in the simulator, against the one measured on laps (midpoint and scale alike): on the road
cars also give way, and a simulated car tries on every lap."""
PASS_MIN_GAP_S = 0.6
"""Gap at which a car that cannot pass follows at the line [s]."""
DIRTY_AIR_SHARE = 0.5
"""Loss behind a car, against the one measured: a simulated car that is held up pays for it a second time at the line."""
START_SHARE = 0.5
"""Spread of starts in the simulator, against the one measured at the end of lap 1: that has lap-1 accidents in it."""
BOX_S = 4.0
"""Time for which a car holds the box: an assumption; a usual stop stands for 2 to 3 s."""
SAFETY_CAR_PIT_FACTOR, VSC_PIT_FACTOR = 0.50, 0.65
"""Share of the pit loss that is paid under a safety car: assumed, it could not be measured."""


def tyres(parameters: StrategyParameters) -> dict[str, Tyre]:
    """Every compound of the simulator; the pace of wet tyres against slicks is in the weather, not here."""
    found = {}
    for name in (*DRY, Compound.INTERMEDIATE.value, Compound.WET.value):
        wear, offset = parameters.wear_s.get(name), parameters.offset_s.get(name)
        warm_up = parameters.warm_up_s.get(name)
        found[name.upper()] = Tyre(
            offset_s=offset.value if offset else 0.0,
            wear_s=max(wear.value, 0.0) if wear else 0.0,
            wear_sd_s=wear.spread if wear else 0.0,
            warm_up_s=warm_up.value if warm_up else 0.0,
        )
    return found


def pit_lane(parameters: StrategyParameters) -> PitLane:
    """The pit lane."""
    return PitLane(
        loss_s=parameters.pit_lane_loss_s,
        sd_s=parameters.pit_sd_s.value,
        slow_probability=parameters.pit_slow_share.value,
        slow_from_s=SLOW_STOP_S,
        slow_tail_s=parameters.pit_slow_extra_s.value,
        box_s=BOX_S,
        safety_car_factor=SAFETY_CAR_PIT_FACTOR,
        vsc_factor=VSC_PIT_FACTOR,
    )


def neutralisations(parameters: StrategyParameters) -> Neutralisations:
    """Safety cars and red flags."""
    lap, catch_up = parameters.safety_car_lap_factor.value, parameters.catch_up_factor.value
    return Neutralisations(
        lap_factor=lap,
        catch_up_factor=min(catch_up, lap),
        vsc_lap_factor=parameters.vsc_lap_factor.value,
        bunch_gap_s=parameters.bunch_gap_s.value,
        safety_cars=tuple(one.value for one in parameters.safety_car_rates),
        first_lap_share=parameters.safety_car_first_lap_share.value,
        safety_car_laps=parameters.safety_car_laps.value,
        safety_car_laps_sd=parameters.safety_car_laps.spread,
        vsc_probability=parameters.vsc_rate.value,
        vsc_laps=parameters.vsc_laps.value,
        vsc_laps_sd=parameters.vsc_laps.spread,
        red_flag_probability=parameters.red_flag_rate.value,
    )


def start(parameters: StrategyParameters) -> Start:
    """The standing start."""
    return Start(
        grid_slot_s=parameters.grid_slot_s.value,
        loss_s=parameters.start_loss_s.value,
        sd_s=START_SHARE * parameters.start_gain_sd_s.value,
    )


def traffic(parameters: StrategyParameters) -> Traffic:
    """Following and passing."""
    return Traffic(
        midpoint_s=PASS_SHARE * parameters.overtake_midpoint_s.value,
        scale_s=PASS_SHARE * parameters.overtake_scale_s.value,
        min_gap_s=PASS_MIN_GAP_S,
        dirty_air_loss_s=tuple(DIRTY_AIR_SHARE * max(one.value, 0.0) for one in parameters.dirty_air_s),
    )


def lap_noise(parameters: StrategyParameters, basis: Basis) -> LapNoise:
    """Noise of a lap."""
    return LapNoise(
        sd_s=NOISE_SHARE[basis.value] * parameters.noise_sd_s.value,
        autocorrelation=parameters.noise_autocorrelation.value,
    )


def weather(parameters: StrategyParameters) -> Weather:
    """Wet pace on the scale of ``f1core.strategy.real_conditions``: 1 is the crossover, 2 that of the two wet tyres.

    Measured are the crossover and the usual laps on the two wet tyres; the rest of the curves are assumptions between them.
    """
    cross = parameters.crossover_factor.value
    soaked = max(parameters.intermediate_factor.value, cross + 0.05)
    flooded = max(parameters.wet_factor.value, soaked + 0.05)
    return Weather(
        wetness=(0.0, 1.0, 2.0, 3.0),
        slick=(1.0, cross, soaked + 0.15, flooded + 0.40),
        intermediate=(cross - 0.06, cross, soaked, flooded + 0.08),
        wet=(cross + 0.01, cross + 0.04, soaked, flooded),
        change_margin_s=0.02 * parameters.lap_time_s,
    )
