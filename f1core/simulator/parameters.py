"""What the strategy simulator must know of a race: plain frozen dataclasses, a unit for every field.

Two kinds of default are used. "Measured" values come from the laps, stops and neutralisations of 2018–2026, and say so.
Neutral values (0, 1, None) switch an effect off. Whatever was never measured has no default: the caller must give it.

Times are differences to the reference lap: the dry lap of a car of pace 0 on a new set of a compound of offset 0, with the
fuel and the track of the last lap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise

from f1core.simulator.rules import COMPOUNDS, RaceRules
from warehouse.errors import ParcFermeError

MEASURED_AT_S = 90.0
"""Lap time [s] to which the measured wear, fuel and compound figures were scaled."""


class BadRace(ParcFermeError):
    """The parameters of a race contradict each other."""

    exit_code = 2


class TrackStatus(IntEnum):
    """What the marshals show on a lap."""

    GREEN = 0
    VIRTUAL_SAFETY_CAR = 1
    SAFETY_CAR = 2
    RED_FLAG = 3


@dataclass(frozen=True, kw_only=True)
class Tyre:
    """One compound on one circuit.

    Attributes:
        offset_s: Pace of a new set against the reference lap [s/lap]; more is slower.
        wear_s: Time lost with every lap of age [s/lap per lap].
        wear_sd_s: Standard deviation of the wear from race to race [s/lap per lap]; shared by the cars of one simulation.
        warm_up_s: Time lost on the first lap of a set that was fitted in the race [s].
    """

    offset_s: float
    wear_s: float
    wear_sd_s: float = 0.0
    warm_up_s: float = 0.0


def measured_dry_tyres(lap_time_s: float, warm_up_s: float = 0.0) -> dict[str, Tyre]:
    """The median dry compounds of all circuits, measured on laps 2018–2026 and scaled to the lap time.

    The offsets are poorly identified (±0.35 s from race to race): a fit to the circuit is better.

    Args:
        lap_time_s: Reference lap [s].
        warm_up_s: Time lost on the first lap of a set [s]; not measured.
    """
    scale = lap_time_s / MEASURED_AT_S
    rows = {"SOFT": (-0.03, 0.049, 0.050), "MEDIUM": (0.0, 0.047, 0.039), "HARD": (0.06, 0.038, 0.032)}
    return {
        name: Tyre(offset_s=o * scale, wear_s=w * scale, wear_sd_s=sd * scale, warm_up_s=warm_up_s)
        for name, (o, w, sd) in rows.items()
    }


@dataclass(frozen=True, kw_only=True)
class Car:
    """One car of the field.

    Attributes:
        name: Identity; the random numbers of the car hang on it.
        team: Team; two cars of a team cannot be served at once.
        grid: Grid slot, 1 is pole.
        pace_s: Pace against the reference lap [s/lap]; less is faster.
        form_sd_s: Standard deviation of the pace on the day [s/lap]. 0.25 was interpolated so that 80 % intervals of the
            position cover about 80 % (dry races 2024–2026).
        wear_factor: Wear against the compound's [factor].
        pit_extra_s: Time its crew loses in every stop against the circuit's mean [s].
        start_gain_s: Time won at the start against the others [s].
        start_delay_s: Time lost at the start, from the pit lane for example [s].
        retirement_probability: Probability of not finishing, spread evenly over the laps.
        retires_on_lap: Lap that is not completed, when it is known; then the probability is not used.
    """

    name: str
    team: str
    grid: int
    pace_s: float
    form_sd_s: float = 0.25
    wear_factor: float = 1.0
    pit_extra_s: float = 0.0
    start_gain_s: float = 0.0
    start_delay_s: float = 0.0
    retirement_probability: float = 0.0
    retires_on_lap: int | None = None


@dataclass(frozen=True, kw_only=True)
class PitLane:
    """The pit lane of a circuit.

    The whole loss falls on the in-lap, so that the position at the end of that lap is the position after rejoining.

    Attributes:
        loss_s: Mean loss of a green stop, in-lap and out-lap together [s]. Measured median of all circuits 2022–2026: 22.6.
        sd_s: Standard deviation within a race [s]; measured 2018–2026.
        slow_probability: Share of stops that lose at least ``slow_from_s`` more; measured 2018–2026.
        slow_from_s: Least extra loss of a slow stop [s]; measured 2018–2026.
        slow_tail_s: Mean loss of a slow stop beyond that, exponential [s]; not measured.
        box_s: Time for which a car holds the box [s]: a team mate who arrives sooner waits; not measured.
        safety_car_factor: Share of the mean loss paid under a safety car. An open assumption: it could not be measured.
        vsc_factor: The same under a virtual safety car; an assumption as well.
    """

    loss_s: float = 22.6
    sd_s: float = 1.4
    slow_probability: float = 0.08
    slow_from_s: float = 4.0
    slow_tail_s: float
    box_s: float
    safety_car_factor: float = 0.50
    vsc_factor: float = 0.65


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Following and passing.

    Attributes:
        midpoint_s: Advantage in lap time at which half of the attempts succeed [s]; tuned on dry races 2018–2023.
        scale_s: Scale of that logistic [s]; tuned on dry races 2018–2023.
        min_gap_s: Gap at which a car that cannot pass follows [s]; tuned on dry races 2018–2023.
        dirty_air_to_s: Upper ends of the gap classes [s].
        dirty_air_loss_s: Loss in each class [s/lap]; measured medians 2018–2026.
        lapping_loss_s: Loss for each car that is lapped on the lap [s]; measured 2018–2023.
        lapped_loss_s: Loss of a car for each car that laps it on the lap [s]; measured 2018–2023. It holds nobody up.
    """

    midpoint_s: float = 1.4
    scale_s: float = 0.4
    min_gap_s: float = 0.9
    dirty_air_to_s: tuple[float, ...] = (1.0, 2.0, 3.0)
    dirty_air_loss_s: tuple[float, ...] = (0.44, 0.18, 0.07)
    lapping_loss_s: float = 0.15
    lapped_loss_s: float = 1.5


@dataclass(frozen=True, kw_only=True)
class LapNoise:
    """Noise of a lap time, an AR(1) process.

    Attributes:
        sd_s: Standard deviation [s]; residuals of the lap model 2018–2026.
        autocorrelation: Of neighbouring laps; measured 2018–2026.
    """

    sd_s: float = 0.44
    autocorrelation: float = 0.37


@dataclass(frozen=True, kw_only=True)
class Start:
    """The standing start.

    Attributes:
        grid_slot_s: Time between two grid slots [s].
        loss_s: Loss of the first lap against a flying lap [s].
        sd_s: Standard deviation of a car's start [s].
    """

    grid_slot_s: float
    loss_s: float
    sd_s: float


@dataclass(frozen=True, kw_only=True)
class Neutralisations:
    """Safety cars, virtual safety cars and red flags: how often, how long, how slow.

    Attributes:
        lap_factor: Lap behind the safety car against the reference lap [factor].
        catch_up_factor: Lap of a car that closes up to the queue [factor]; below ``lap_factor``.
        vsc_lap_factor: Lap under a virtual safety car [factor].
        bunch_gap_s: Gap in the queue and at the restart [s].
        safety_cars: Probability of 0, 1, 2, ... safety cars; measured 2018–2026.
        first_lap_share: Share of safety cars that come out on lap 1, the rest is flat; measured 2018–2026.
        safety_car_laps: Mean length [laps]; measured 2018–2026.
        safety_car_laps_sd: Its standard deviation [laps], from the measured quartiles 4 and 6.
        vsc_probability: Probability of one virtual safety car; measured 2018–2026.
        vsc_laps: Mean length [laps]; measured 2018–2026.
        vsc_laps_sd: Its standard deviation [laps], from the measured quartiles 2 and 3.
        red_flag_probability: Probability of one red flag; measured 2018–2026 (too low before 2020).
        safety_car_per_retirement: Probability that a retirement after lap 1 brings out a safety car; measured 2018–2023. The
            safety cars it brings out on average are taken off those drawn after lap 1, so their number stays as given.
    """

    lap_factor: float
    catch_up_factor: float
    vsc_lap_factor: float
    bunch_gap_s: float
    safety_cars: tuple[float, ...] = (0.43, 0.45, 0.09, 0.03)
    first_lap_share: float = 0.27
    safety_car_laps: float = 4.8
    safety_car_laps_sd: float = 1.48
    vsc_probability: float = 0.38
    vsc_laps: float = 2.5
    vsc_laps_sd: float = 0.74
    red_flag_probability: float = 0.10
    safety_car_per_retirement: float = 0.19


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Lap time against wetness, and how rain comes and goes.

    Wetness is any rising scale with 0 = dry. Measured on laps 2018–2026: an intermediate lap is 1.126 of a dry one, a full
    wet lap 1.27; slicks and intermediates are equal at 1.12–1.18, and teams change at parity.

    Attributes:
        wetness: Points of the scale, rising, the first is 0.
        slick: Lap on slicks at these points [factor of the reference lap]; 1 when dry.
        intermediate: The same on intermediates.
        wet: The same on full wets.
        change_margin_s: Cars that react change class when they lose more than this on a lap [s/lap]; 0 is parity.
        slick_after_rain: Compound fitted on a drying track when the plan names no slick.
        rain_probability: Probability of one shower in the race.
        rain_laps: Mean length of the shower, exponential [laps].
        wetting: Rise of the wetness on a lap with rain.
        drying: Fall of the wetness on a lap without.
        peak: Wetness at which it stops rising.
    """

    wetness: tuple[float, ...]
    slick: tuple[float, ...]
    intermediate: tuple[float, ...]
    wet: tuple[float, ...]
    change_margin_s: float = 0.0
    slick_after_rain: str = "MEDIUM"
    rain_probability: float = 0.0
    rain_laps: float = 0.0
    wetting: float = 0.0
    drying: float = 0.0
    peak: float = 0.0

    def __post_init__(self) -> None:
        curves = (self.slick, self.intermediate, self.wet)
        if any(len(curve) != len(self.wetness) for curve in curves):
            raise BadRace("Every weather curve needs a factor for each point of the wetness scale.")
        if self.wetness[0] != 0 or any(b <= a for a, b in pairwise(self.wetness)):
            raise BadRace("The wetness scale must start at 0 and rise.")

    def crossover(self) -> float | None:
        """Wetness at which slicks and intermediates are equal; None when the curves do not cross."""
        differences = [s - i for s, i in zip(self.slick, self.intermediate, strict=True)]
        for k in range(1, len(differences)):
            before, after = differences[k - 1], differences[k]
            if before < 0 <= after:
                share = before / (before - after)
                return self.wetness[k - 1] + share * (self.wetness[k] - self.wetness[k - 1])
        return None


@dataclass(frozen=True, kw_only=True)
class Race:
    """One race: its cars and everything that shapes it.

    Attributes:
        laps: Race distance [laps].
        lap_time_s: Reference lap [s].
        cars: The field.
        tyres: Parameters by compound.
        pit_lane: Loss of a stop.
        start: The start.
        neutralisations: Safety cars and red flags.
        traffic: Following and passing.
        noise: Noise of a lap.
        fuel_and_track_s: How much faster the last lap is than the first, from fuel and track evolution [s]. Measured on laps
            2018–2026: 3.27 at a lap of 90 s.
        weather: Wet pace; None for a race that stays dry.
        rules: Rules for the plans; None checks only that a plan makes sense, as for real stops of cars that broke a rule.
    """

    laps: int
    lap_time_s: float
    cars: tuple[Car, ...]
    tyres: Mapping[str, Tyre]
    pit_lane: PitLane
    start: Start
    neutralisations: Neutralisations
    traffic: Traffic = field(default_factory=Traffic)
    noise: LapNoise = field(default_factory=LapNoise)
    fuel_and_track_s: float = 3.27
    weather: Weather | None = None
    rules: RaceRules | None = field(default_factory=RaceRules)

    def __post_init__(self) -> None:
        names = [car.name for car in self.cars]
        if self.laps < 2 or not self.cars:
            raise BadRace("A race needs at least two laps and one car.")
        if len(set(names)) < len(names):
            raise BadRace("Two cars have the same name.", hint="Give every car a name of its own.")
        if len({car.grid for car in self.cars}) < len(names):
            raise BadRace("Two cars stand on the same grid slot.", hint="Give every car a slot of its own.")
        teams = [car.team for car in self.cars]
        if any(teams.count(team) > 2 for team in teams):
            raise BadRace("A team has more than two cars.")
        if unknown := set(self.tyres) - set(COMPOUNDS):
            raise BadRace(
                f"Unknown compounds: {', '.join(sorted(unknown))}.", hint=f"Known: {', '.join(COMPOUNDS)}."
            )
        if self.neutralisations.catch_up_factor > self.neutralisations.lap_factor:
            raise BadRace("A car that closes up cannot be slower than the safety car.")


@dataclass(frozen=True)
class Phase:
    """One neutralisation that happened.

    Attributes:
        status: What was shown; a red flag lasts one lap: the race stops at its end.
        first_lap: First lap of it.
        last_lap: Last lap of it.
    """

    status: TrackStatus
    first_lap: int
    last_lap: int


@dataclass(frozen=True, kw_only=True)
class SafetyCarPolicy:
    """When a car that reacts makes its next planned stop under a neutralisation instead.

    A car weighs, in clean air, what the stop saves in the pit lane against what the change of lap costs in tyres. Nothing is
    forced: a car without a planned stop stays out, near the end as well, and so does one whose stop is too far away.

    Attributes:
        margin_s: Least advantage for which the plan is left [s]; an assumption.
        most_laps: A stop planned more than this many laps later is not brought forward [laps]; an assumption.
        least_laps: A set is not given up before it has run so many laps [laps]; an assumption. Nobody stops twice under one
            safety car.
        is_for_vsc: Whether a virtual safety car counts as well.
        set_life: Laps that a set may run at most, by compound, where the race has no rules of its own.
    """

    margin_s: float = 2.0
    most_laps: int = 15
    least_laps: int = 8
    is_for_vsc: bool = True
    set_life: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """What happens to the whole field.

    Attributes:
        phases: The neutralisations; None draws them for every simulation.
        wetness: Wetness of every lap; None draws the showers of ``Weather`` (none in a deterministic run).
        reacts: Whether cars change tyres for the weather and under a red flag on their own. Off for the real stops of a past
            race.
        safety_car_policy: When cars bring a planned stop forward under a neutralisation; None: never.
    """

    phases: tuple[Phase, ...] | None = None
    wetness: tuple[float, ...] | None = None
    reacts: bool = False
    safety_car_policy: SafetyCarPolicy | None = None
