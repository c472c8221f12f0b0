"""What the demo's generator knows and the models do not: written beside the archive, for tests and the curious."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from f1core.demo.calendar import Calendar
from f1core.demo.names import CIRCUITS, DRIVERS, TEAMS
from f1core.demo.world import (
    FUEL_S,
    OFFSET_S,
    SAFETY_CARS,
    VIRTUAL_SAFETY_CARS,
    WEAR_S,
    WET_RACES,
    World,
)

NOTE = "Fictional: drivers, teams, circuits and results are made by a generator. Nothing here happened."


@dataclass(frozen=True)
class Truth:
    """The planted truth of a demo archive.

    Attributes:
        note: Says that it is fictional.
        generator: Fingerprint of the code that made it.
        seed: What everything was drawn from.
        anchor: Day the calendar is laid around (ISO date).
        seasons_before: Seasons before the one running on that day.
        sessions_known: How many sessions (and grids) have results.
        seasons: Names of the seasons, oldest first; the last ones may have no results yet.
        drivers: Strength of each driver by season [% of a lap against the average entry, smaller is faster].
        cars: The same for constructors.
        line_ups: Constructor of each driver by season.
        retirement_rates: Chance that a car of a constructor does not finish a race.
        wear_s_per_lap: Time lost per lap of a set's age, by compound.
        compound_offsets_s: Lap time of a new set against a new medium one.
        fuel_s_per_lap: Time gained per lap by burning fuel.
        pit_loss_s: What a stop costs with a green track, by circuit.
        safety_cars_per_race: Mean number of safety-car periods in a race.
        virtual_safety_cars_per_race: Mean number of virtual ones.
        wet_race_share: Chance that a race begins in the rain.
    """

    note: str
    generator: str
    seed: int
    anchor: str
    seasons_before: int
    sessions_known: int
    seasons: list[int]
    drivers: dict[int, dict[str, float]]
    cars: dict[int, dict[str, float]]
    line_ups: dict[int, dict[str, str]]
    retirement_rates: dict[str, float]
    wear_s_per_lap: dict[str, float]
    compound_offsets_s: dict[str, float]
    fuel_s_per_lap: float
    pit_loss_s: dict[str, float]
    safety_cars_per_race: float
    virtual_safety_cars_per_race: float
    wet_race_share: float

    @classmethod
    def of(cls, world: World, calendar: Calendar, *, sessions_known: int, generator: str) -> Truth:
        """The truth of a world on a calendar."""
        drivers, cars, line_ups = {}, {}, {}
        for name, season in zip(calendar.seasons, world.seasons, strict=True):
            people = [DRIVERS[driver].driver_id for driver in season.drivers]
            teams = [TEAMS[team].constructor_id for team in season.teams]
            drivers[name] = dict(zip(people, season.driver_pct.round(4).tolist(), strict=True))
            cars[name] = dict(zip(teams, season.car_pct.round(4).tolist(), strict=True))
            line_ups[name] = dict(zip(people, teams, strict=True))
        return cls(
            note=NOTE,
            generator=generator,
            seed=world.seed,
            anchor=calendar.anchor.isoformat(),
            seasons_before=calendar.seasons_before,
            sessions_known=sessions_known,
            seasons=list(calendar.seasons),
            drivers=drivers,
            cars=cars,
            line_ups=line_ups,
            retirement_rates={
                team.constructor_id: float(rate)
                for team, rate in zip(TEAMS, world.retirement_rates, strict=True)
            },
            wear_s_per_lap=dict(WEAR_S),
            compound_offsets_s=dict(OFFSET_S),
            fuel_s_per_lap=FUEL_S,
            pit_loss_s={circuit.circuit_id: circuit.pit_loss_s for circuit in CIRCUITS},
            safety_cars_per_race=_mean(SAFETY_CARS),
            virtual_safety_cars_per_race=_mean(VIRTUAL_SAFETY_CARS),
            wet_race_share=WET_RACES,
        )

    def combined(self, season: int) -> dict[str, float]:
        """Driver and car together by driver [% of a lap against the average entry]."""
        return {
            driver: self.drivers[season][driver] + self.cars[season][team]
            for driver, team in self.line_ups[season].items()
        }

    def to_json(self) -> str:
        """As text for the file."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Truth | None:
        """The truth in a file; None when there is none, it is damaged, or of another version."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            for name in ("drivers", "cars", "line_ups"):
                found[name] = {int(season): values for season, values in found[name].items()}
            return cls(**found)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


def _mean(chances: tuple[float, ...]) -> float:
    return round(sum(count * chance for count, chance in enumerate(chances)), 6)
