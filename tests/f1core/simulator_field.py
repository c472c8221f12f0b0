"""A small field and quiet parameters for the tests of the simulator."""

from __future__ import annotations

from dataclasses import replace

from f1core.simulator.parameters import (
    Car,
    LapNoise,
    Neutralisations,
    PitLane,
    Race,
    Start,
    Tyre,
    Weather,
    measured_dry_tyres,
)
from f1core.simulator.plan import Plan, Stop

TYRES = {
    **measured_dry_tyres(90.0, warm_up_s=0.8),
    "INTERMEDIATE": Tyre(offset_s=0.0, wear_s=0.03),
    "WET": Tyre(offset_s=0.0, wear_s=0.02),
}
WEATHER = Weather(
    wetness=(0.0, 1.0, 2.0, 3.0),
    slick=(1.0, 1.15, 1.40, 1.70),
    intermediate=(1.08, 1.15, 1.18, 1.35),
    wet=(1.15, 1.20, 1.22, 1.27),
    rain_probability=0.8,
    rain_laps=8.0,
    wetting=0.5,
    drying=0.2,
    peak=3.0,
)
RATES = Neutralisations(lap_factor=1.45, catch_up_factor=1.25, vsc_lap_factor=1.35, bunch_gap_s=0.8)


def field(cars: int = 8, laps: int = 24, **changes: object) -> Race:
    """A race of some cars, two in a team, the fastest on pole."""
    entries = tuple(
        Car(
            name=f"car {c}",
            team=f"team {c // 2}",
            grid=c + 1,
            pace_s=0.12 * c,
            retirement_probability=0.1,
        )
        for c in range(cars)
    )
    race = Race(
        laps=laps,
        lap_time_s=90.0,
        cars=entries,
        tyres=TYRES,
        pit_lane=PitLane(slow_tail_s=3.0, box_s=4.0),
        start=Start(grid_slot_s=0.2, loss_s=5.0, sd_s=0.3),
        neutralisations=RATES,
    )
    return replace(race, **changes)  # type: ignore[arg-type]


def quiet(race: Race) -> Race:
    """The same race without noise, form, retirements or wear that changes from race to race."""
    return replace(
        race,
        cars=tuple(replace(car, form_sd_s=0.0, retirement_probability=0.0) for car in race.cars),
        tyres={name: replace(tyre, wear_sd_s=0.0) for name, tyre in race.tyres.items()},
        noise=LapNoise(sd_s=0.0, autocorrelation=0.0),
        pit_lane=replace(race.pit_lane, sd_s=0.0, slow_probability=0.0),
        start=replace(race.start, sd_s=0.0),
    )


def one_stop(race: Race, lap: int = 12) -> dict[str, Plan]:
    """Everybody stops once, the cars one lap after the other."""
    return {
        car.name: Plan("MEDIUM", (Stop(min(lap + c % 5, race.laps - 1), "HARD"),))
        for c, car in enumerate(race.cars)
    }
