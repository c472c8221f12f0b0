"""What the strategy routes are asked and what they answer: shapes, limits, and every field explained."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MAX_NAME = 100
MAX_LAP = 200
MAX_STOPS = 8
MAX_SEED = 2**31 - 1
MAX_RUNS = 2_000
MAX_OPTIMISER_RUNS = 500
MAX_CARS = 6
"""Other cars that can be changed at once."""


class Tyre(StrEnum):
    """A compound."""

    SOFT = "SOFT"
    MEDIUM = "MEDIUM"
    HARD = "HARD"
    INTERMEDIATE = "INTERMEDIATE"
    WET = "WET"


class WeatherOfScenario(StrEnum):
    """Which weather the race meets."""

    DRY = "DRY"
    WET = "WET"
    MIXED = "MIXED"


class SafetyCarsOfScenario(StrEnum):
    """Which neutralisations the race meets."""

    REAL = "real"
    RANDOM = "random"
    NONE = "none"


class PaceBasis(StrEnum):
    """What the pace of the cars comes from."""

    PRE_RACE = "pre_race"
    HINDSIGHT = "hindsight"


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


TyreField = Annotated[Tyre, BeforeValidator(_upper)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Grid = Annotated[
    int | None, Field(default=None, ge=1, le=30, strict=True, description="Grid slot; the others move.")
]
Pace = Annotated[
    float,
    Field(
        default=0.0,
        ge=-5,
        le=5,
        strict=True,
        allow_inf_nan=False,
        description="Change of pace [s/lap]; below zero is faster.",
    ),
]


Finishes = Annotated[
    bool,
    Field(
        default=False,
        strict=True,
        description="Whether a car that really retired runs to the end.",
    ),
]


class Asked(BaseModel):
    """A body; members that nobody knows are refused with a suggestion, so they are let through here."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False})


class PitStop(Asked):
    """A stop at the end of a lap."""

    lap: int = Field(ge=1, le=MAX_LAP, strict=True, description="The in-lap.")
    tire: TyreField = Field(description="Compound that is fitted.")


class CarChange(Asked):
    """What is changed on another car."""

    driver: Name = Field(description="Id, name, last name or code.")
    pit_stops: list[PitStop] | None = Field(default=None, max_length=MAX_STOPS)
    start_tire: TyreField | None = None
    pace_change_s: Pace
    grid: Grid
    finishes: Finishes


class Question(Asked):
    """What both routes are asked."""

    race: Name = Field(
        description="Slug, name, circuit, country or round, `next` or `last`.", examples=["las-vegas"]
    )
    year: int | None = Field(
        default=None,
        ge=1950,
        le=2100,
        strict=True,
        description="Season; without it the present one.",
        examples=[2025],
    )
    driver: Name = Field(description="Id, name, last name or code.", examples=["norris"])
    weather_scenario: WeatherOfScenario | None = Field(
        default=None, description="Without it the weather as it was; dry for a race to come."
    )
    neutralisations: SafetyCarsOfScenario = Field(
        default=SafetyCarsOfScenario.REAL,
        description="`real`: as they were (drawn for a race to come); `random`: drawn for every simulation.",
    )
    basis: PaceBasis = Field(
        default=PaceBasis.PRE_RACE,
        description="`hindsight`: pace fitted on the race itself; only for races that have been run.",
    )
    seed: int = Field(
        default=1, ge=0, le=MAX_SEED, strict=True, description="The same seed gives the same answer."
    )


class SimulateRequest(Question):
    """A scenario: what one car, and if you like others, would have done."""

    pit_stops: list[PitStop] | None = Field(
        default=None,
        max_length=MAX_STOPS,
        description="All stops of the driver, in order; `[]` for none. Without it as they were.",
        examples=[[{"lap": 20, "tire": "HARD"}]],
    )
    start_tire: TyreField | None = Field(default=None, description="Compound at the start.")
    pace_change_s: Pace
    grid: Grid
    finishes: Finishes
    others: list[CarChange] = Field(default=[], max_length=MAX_CARS, description="Changes of other cars.")
    runs: int = Field(default=300, ge=1, le=MAX_RUNS, strict=True, description="Simulations, N.")


class OptimiseRequest(Question):
    """Whose best strategies are looked for."""

    runs: int = Field(
        default=200, ge=50, le=MAX_OPTIMISER_RUNS, strict=True, description="Simulations for each strategy."
    )
    rival: Name | None = Field(
        default=None, description="Odds are given of being ahead of this car after the first stops of both."
    )


class LapRow(BaseModel):
    """A lap of the race without luck: of the driver and of every changed car."""

    model_config = ConfigDict(extra="allow")

    driver_id: str
    lap: int
    position: int
    lap_time_s: float = Field(description="[s]")
    gap_s: float = Field(description="To the leader [s].")
    tire: str
    tire_age_laps: int
    is_stop: bool = Field(description="Whether the car comes in at the end of the lap.")
    is_baseline: bool = Field(description="Whether this is the race without the change.")


class PositionShare(BaseModel):
    """How often a position was the finish."""

    position: int
    probability: float = Field(ge=0, le=1)
    original_probability: float = Field(ge=0, le=1, description="Without the change, same luck.")


class RejoinRow(BaseModel):
    """Where the driver comes out after a stop."""

    model_config = ConfigDict(extra="allow")

    lap: int
    position: int
    ahead: str | None
    gap_ahead_s: float | None
    behind: str | None
    gap_behind_s: float | None
    traffic: bool | None = Field(description="Whether a car is within 2 s ahead.")


class SimulateAnswer(BaseModel):
    """What a scenario would have brought."""

    event_id: str
    driver_id: str
    is_demo: bool = Field(description="Whether drivers, teams and results are made up.")
    snapshot: str = Field(description="Fingerprint of the data: same data and same request, same answer.")
    compared_with: str = Field(description="What `original` means.")
    original_position: int = Field(description="Median finish without the change, simulated.")
    simulated_position: int = Field(description="Median finish with it, same luck.")
    original_mean_position: float
    simulated_mean_position: float
    actual_position: int | None = Field(description="The official result; null for a race to come.")
    places_gained: float
    places_gained_error: float = Field(description="Monte Carlo standard error.")
    time_gained: float | None = Field(
        description="Mean time won [s], over simulations that are finished in both; null when there are none."
    )
    time_gained_error: float | None
    is_tie: bool = Field(description="Whether the places cannot be told apart: within two standard errors.")
    seed: int
    runs: int
    basis: PaceBasis
    link: str = Field(description="The page with this scenario, below the address of the installation.")
    lap_by_lap: list[LapRow]
    distribution: list[PositionShare]
    rejoins: list[RejoinRow]
    notes: list[str] = Field(description="What is assumed, in words.")


class WindowOfStop(BaseModel):
    """Laps between which a stop costs no more than can be told."""

    first_lap: int
    last_lap: int


class RankedStrategy(BaseModel):
    """One strategy."""

    rank: int = Field(description="1 is the best; 0 is the driver's own plan.")
    start_tire: Tyre
    pit_stops: list[PitStop]
    expected_position: float = Field(description="Mean finish in the full field.")
    position_error: float = Field(description="Its Monte Carlo standard error.")
    places_to_best: float = Field(description="Gained on the best; below zero: lost.")
    places_to_best_error: float
    time_to_best: float | None = Field(description="The same in time [s]; null where it cannot be told.")
    is_tie: bool = Field(description="Whether it cannot be told from the best.")
    free_air_s: float | None = Field(description="Against the quickest plan alone on the track [s].")
    windows: list[WindowOfStop] = Field(description="Of every stop: laps within 2 s in free air.")


class TeamView(BaseModel):
    """What teams are expected to do, beside what is best alone on the track."""

    stops: int
    first_lap: int = Field(description="Expected lap of the first stop.")
    free_air_stops: int = Field(description="Number of stops that is quickest alone on the track.")
    free_air_first_lap: int = Field(description="Best first stop alone on the track, with `stops` stops.")
    words: str = Field(description="The same in a sentence, with the gap between them.")


class OddsRow(BaseModel):
    """Odds of being ahead of the rival once both have stopped, for a stop on one lap."""

    lap: int
    rival_lap: int
    kind: str = Field(description="`undercut`, `same lap` or `overcut`.")
    probability_ahead: float = Field(description="In the simulations.")
    probability_error: float = Field(description="Its Monte Carlo standard error.")
    probability_learned: float | None = Field(
        description="What undercuts of earlier races say, when the rival answers within four laps; null out of reach."
    )
    gap_after_s: float = Field(description="Median [s]; below zero: ahead.")


class OptimiseAnswer(BaseModel):
    """The best different strategies of a driver in the full field."""

    event_id: str
    driver_id: str
    is_demo: bool = Field(description="Whether drivers, teams and results are made up.")
    snapshot: str
    seed: int
    runs: int
    candidates: int = Field(description="Plans that were run in the full field.")
    strategies: list[RankedStrategy] = Field(description="At most five, all different, the best first.")
    own: RankedStrategy | None = Field(
        description="The driver's own plan in the same comparison; null where it breaks a rule."
    )
    team_call: TeamView | None = Field(description="What teams are expected to do; null in the rain.")
    odds: list[OddsRow] | None = Field(description="Against the rival; null where none was named.")
    notes: list[str]


def unknown_members(asked: BaseModel, at: str = "") -> list[dict[str, str]]:
    """Every member that nobody knows, with what was probably meant."""
    found = []
    for name in asked.model_extra or {}:
        found.append({"field": f"{at}{name}", "message": _unknown(name, type(asked).model_fields)})
    for name in type(asked).model_fields:
        value = getattr(asked, name)
        for index, one in enumerate(value if isinstance(value, list) else ()):
            if isinstance(one, BaseModel):
                found += unknown_members(one, f"{at}{name}.{index}.")
    return found


def did_you_mean(asked: str, known: Iterable[str]) -> str:
    """A suggestion, or nothing; what was typed is repeated by nobody."""
    near = difflib.get_close_matches(asked.lower()[:MAX_NAME], list(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _unknown(name: str, known: Iterable[str]) -> str:
    members = list(known)
    return f"There is no such member.{did_you_mean(name, members)} Known: {', '.join(members)}."
