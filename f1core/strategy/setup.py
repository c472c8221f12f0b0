"""A race set up for the simulator: the field, what every car did or is expected to do, and what the field met."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from f1core.simulator.parameters import Car, Race, Scenario, Weather
from f1core.simulator.plan import Plan
from f1core.simulator.rules import RaceRules, race_rules
from f1core.strategy import race_parts
from f1core.strategy.basis import Basis
from f1core.strategy.expected import expected_field, expected_plans
from f1core.strategy.fit import fitted
from f1core.strategy.pace import FieldPace, foreseen_pace, hindsight_pace
from f1core.strategy.real_conditions import lap_statuses, real_phases, real_wetness, red_flags
from f1core.strategy.real_plans import lap_shift, real_plans
from f1core.strategy.usual_lap import usual_lap
from models.strategy.parameters import StrategyParameters
from warehouse.errors import NotReady, ParcFermeError
from warehouse.queries import strategy_setup as reads
from warehouse.queries.events import event_head, session_starts
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.vocab import EventStatus, Stage

LEAST_LAPS = 10
"""Shorter races have no strategy."""
KEPT_PARAMETERS = 32
"""Circuits whose pooled parameters stay in memory: both paces of a race share them."""
AS_DRIVEN = (
    "Known only after the race, and in every replay of it, whatever the pace comes from: distance, usual lap, stops, "
    "retirements, safety cars and weather are those of the day."
)
PIT_LANE_DELAY_S = 5.0
"""Time that a start from the pit lane costs beyond the last slot: an assumption."""


class StrategyUnavailable(ParcFermeError):
    """A race that cannot be set up."""

    exit_code = 3


@dataclass(frozen=True)
class RaceSetup:
    """One race, ready to be run, edited and optimised.

    Attributes:
        event_id: The event.
        season: Its season.
        grand_prix: Name of the grand prix.
        circuit_id: Its circuit.
        basis: Where the pace comes from.
        is_past: Whether the race was held and its laps are known.
        is_wet: Whether it was wet.
        race: The race. Names of cars are driver ids. A past race has no rules: real stops may have broken one.
        plans: Plan by driver: what each car did, or the field's expected plan.
        scenario: The neutralisations and wetness that happened; None in it is drawn.
        drivers: One row per starter by grid: ``driver_id, driver_name, driver_code, constructor_id, constructor_name, grid,
            actual_position, is_classified, retired_on_lap, pace_s`` [s/lap, the middle of the field at 0], ``pace_source``.
        parameters: What is known of the circuit.
        rules: The sporting rules of the race, for plans that are edited.
        weather: Wet pace, for scenarios with rain; ``race`` has it only where wet tyres were used.
        notes: What is assumed or missing, in plain words.
    """

    event_id: str
    season: int
    grand_prix: str
    circuit_id: str
    basis: Basis
    is_past: bool
    is_wet: bool
    race: Race
    plans: dict[str, Plan]
    scenario: Scenario
    drivers: pl.DataFrame
    parameters: StrategyParameters
    rules: RaceRules
    weather: Weather
    notes: tuple[str, ...]


def race_setup(
    reader: Reader, event_id: str, basis: Basis = Basis.PRE_RACE, as_of: dt.datetime | None = None
) -> RaceSetup:
    """Sets a race up.

    Args:
        reader: The warehouse.
        event_id: A race with laps (2018 on), or one that is still to come.
        basis: Where the pace of a past race comes from; a race to come knows only ``PRE_RACE``.
        as_of: Parameters and foreseen pace use nothing known at or after it; None takes 30 minutes before the start. A race
            whose result was not known before it is a race to come.

    Raises:
        UnknownEvent: No such event.
        NotReady: The calendar has no session times for it.
        StrategyUnavailable: The race has no laps, was too short, or has no hindsight yet.
    """
    head = event_head(reader, event_id)
    before = cutoff(event_id, session_starts(reader, event_id), Stage.PRE_RACE)
    summary = reads.race_summary(reader, event_id)
    if summary is not None and as_of is not None and summary["known_at"] >= as_of:
        summary = None
    as_of = min(as_of, before) if as_of else before
    if summary is None:
        if head["status"] == EventStatus.CANCELLED.value:
            raise StrategyUnavailable(f"{event_id} was cancelled.", hint="Choose a race that was held.")
        if basis is Basis.HINDSIGHT:
            raise StrategyUnavailable(
                f"The result of {event_id} is not known yet: there is no hindsight.",
                hint="Use the pace before the race.",
            )
        return _coming(reader, head, as_of)
    if not summary["has_laps"]:
        raise StrategyUnavailable(
            f"The laps of {event_id} are not in the warehouse.",
            hint="Races from 2018 on whose laps were recorded can be played.",
        )
    if int(summary["laps_completed"] or 0) < LEAST_LAPS:
        raise StrategyUnavailable(f"{event_id} was too short for a strategy.", hint="Choose another race.")
    return _past(reader, head, summary, basis, as_of)


def playable_events(reader: Reader, now: dt.datetime | None = None, asked: str | None = None) -> pl.DataFrame:
    """Races that can be set up, the next one and then the newest first: ``event_id, season, label, is_past, is_wet``.

    Args:
        reader: The warehouse.
        now: Says which race is next; None takes the first one after the newest result.
        asked: Another race without a result, which then stands behind the next one.
    """
    past = reads.playable(reader).filter(pl.col("laps_completed") >= LEAST_LAPS)
    coming = reads.next_events(reader, now).head(1)
    if asked is not None and asked not in coming["event_id"]:
        coming = pl.concat([coming, reads.next_events(reader).filter(pl.col("event_id") == asked)])
    label = pl.format("{} {}", "season", "grand_prix_name").alias("label")
    shown = pl.concat(
        [
            coming.select("event_id", "season", label, is_past=pl.lit(False), is_wet=pl.lit(False)),
            past.filter(~pl.col("event_id").is_in(coming["event_id"].implode())).select(
                "event_id", "season", label, is_past=pl.lit(True), is_wet=pl.col("is_wet").fill_null(False)
            ),
        ]
    )
    return shown


def _past(
    reader: Reader, head: dict[str, object], summary: dict[str, object], basis: Basis, as_of: dt.datetime
) -> RaceSetup:
    event_id, season, circuit = str(head["event_id"]), int(str(head["season"])), str(head["circuit_id"])
    race_laps = int(str(summary["laps_completed"]))
    laps, periods = reads.race_laps(reader, event_id), reads.race_periods(reader, event_id)
    shift = lap_shift(laps, race_laps)
    drivers = reads.starters(reader, event_id)
    stopped = red_flags(periods, laps, race_laps, shift)
    read = real_plans(
        laps,
        dict(drivers.select("driver_id", "laps").iter_rows()),
        race_laps=race_laps,
        nominations=reads.nominations(reader, event_id),
        red_flags=[(one.lap, one.first_lap, one.last_lap) for one in stopped],
        statuses=lap_statuses(periods, stopped, race_laps, shift),
    )
    wetness = real_wetness(laps, race_laps, shift)
    lap = usual_lap(reader, event_id, circuit, before=None)
    parameters, borrowed = _parameters(reader, circuit, lap.seconds, as_of)
    found = hindsight_pace(laps) if basis is Basis.HINDSIGHT else None
    notes = [AS_DRIVEN, *lap.notes, *borrowed, *read.notes]
    if basis is Basis.HINDSIGHT and found is None:
        notes.append("Too few laps on slicks tell the race's pace: that foreseen before the race is used.")
    pace = found or foreseen_pace(reader, drivers, event_id, as_of)
    drivers = _with_pace(drivers, pace, lap.seconds).with_columns(
        retired_on_lap=pl.when(pl.col("is_out")).then(pl.col("laps") + 1).cast(pl.Int64)
    )
    weather = race_parts.weather(parameters)
    race = _race(drivers, parameters, race_laps, basis, pace, weather if wetness else None)
    race = replace(race, rules=None, lap_time_s=_reference(race, read.plans, lap.seconds))
    is_wet = bool(summary["is_wet"])
    scenario = Scenario(phases=real_phases(periods, stopped, race_laps, shift), wetness=wetness, reacts=False)
    if basis is Basis.HINDSIGHT:
        notes.append("Hindsight: the pace of the cars was fitted on the laps of this race.")
    return RaceSetup(
        event_id,
        season,
        str(head["grand_prix_name"]),
        circuit,
        basis if found or basis is Basis.PRE_RACE else Basis.PRE_RACE,
        True,
        is_wet,
        race,
        read.plans,
        scenario,
        _shown(drivers),
        parameters,
        race_rules(season, circuit, not is_wet),
        weather,
        tuple(notes),
    )


def _coming(reader: Reader, head: dict[str, object], as_of: dt.datetime) -> RaceSetup:
    event_id, season, circuit = str(head["event_id"]), int(str(head["season"])), str(head["circuit_id"])
    field = expected_field(reader, event_id, as_of)
    lap = usual_lap(reader, event_id, circuit, before=as_of)
    race_laps = int(str(head["scheduled_laps"] or 0)) or round(
        305_000 / float(str(head["course_length_km"] or 5.0)) / 1000
    )
    parameters, borrowed = _parameters(reader, circuit, lap.seconds, as_of)
    pace = foreseen_pace(reader, field.drivers, event_id, as_of, is_grid_final=False)
    drivers = _with_pace(field.drivers, pace, lap.seconds).with_columns(
        retired_on_lap=pl.lit(None, pl.Int64), is_out=pl.lit(False)
    )
    rules = race_rules(season, circuit)
    expected = expected_plans(reader, circuit, drivers, race_laps, rules, as_of)
    race = _race(drivers, parameters, race_laps, Basis.PRE_RACE, pace, None)
    race = replace(
        race,
        rules=rules,
        lap_time_s=_reference(race, expected.plans, lap.seconds),
        cars=tuple(
            replace(car, retirement_probability=parameters.retirement_rate.value) for car in race.cars
        ),
    )
    return RaceSetup(
        event_id,
        season,
        str(head["grand_prix_name"]),
        circuit,
        Basis.PRE_RACE,
        False,
        False,
        race,
        expected.plans,
        Scenario(),
        _shown(drivers),
        parameters,
        rules,
        race_parts.weather(parameters),
        (
            *lap.notes,
            *borrowed,
            *field.notes,
            *expected.notes,
            "No result of this race is known: it is a race to come. Safety cars, retirements and the day's pace are drawn.",
        ),
    )


def _with_pace(drivers: pl.DataFrame, pace: FieldPace, lap_s: float) -> pl.DataFrame:
    """Drivers with ``pace_s`` and ``pace_source``; who has no pace of his own is taken at his team mate's, or the middle."""
    seconds = (pl.col("pace_pct") / 100.0).exp() - 1.0
    return (
        drivers.join(pace.drivers, on="driver_id", how="left")
        .with_columns(
            pace_pct=pl.coalesce(
                "pace_pct",
                pl.col("pace_pct").mean().over("constructor_id"),
                pl.col("pace_pct").quantile(0.75),
                pl.lit(0.0),
            ),
            pace_source=pl.coalesce("pace_source", pl.lit("team mate or field: no laps of his own")),
        )
        .with_columns(pace_s=seconds * lap_s)
        .sort("grid", "driver_id")
    )


def _race(
    drivers: pl.DataFrame,
    parameters: StrategyParameters,
    race_laps: int,
    basis: Basis,
    pace: FieldPace,
    weather: Weather | None,
) -> Race:
    form = race_parts.FORM_SD_PCT[basis.value] / 100.0 * parameters.lap_time_s
    cars = tuple(
        Car(
            name=row["driver_id"],
            team=row["constructor_id"],
            grid=row["grid"],
            pace_s=row["pace_s"],
            form_sd_s=form,
            start_delay_s=PIT_LANE_DELAY_S if row["is_pit_lane_start"] else 0.0,
            retires_on_lap=row["retired_on_lap"],
        )
        for row in drivers.to_dicts()
    )
    return Race(
        laps=race_laps,
        lap_time_s=parameters.lap_time_s,
        cars=cars,
        tyres=pace.tyres(race_parts.tyres(parameters), parameters.lap_time_s),
        pit_lane=race_parts.pit_lane(parameters),
        start=race_parts.start(parameters),
        neutralisations=race_parts.neutralisations(parameters),
        traffic=race_parts.traffic(parameters),
        noise=race_parts.lap_noise(parameters, basis),
        fuel_and_track_s=parameters.fuel_and_track_s.value
        if pace.evolution_pct is None
        else max(-pace.evolution_pct / 100.0 * parameters.lap_time_s, 0.0),
        weather=weather,
        rules=None,
    )


def _reference(race: Race, plans: dict[str, Plan], lap_s: float) -> float:
    """The usual lap without what it has of fuel (half) and of tyres (the plans' mean): new tyres, last lap [s]."""
    costs = []
    for plan in plans.values():
        firsts = [1, *(stop.lap + 1 for stop in plan.stops), race.laps + 1]
        used = [plan.start_used_laps, *(stop.used_laps for stop in plan.stops)]
        for first, end, age, compound in zip(firsts, firsts[1:], used, plan.compounds, strict=False):
            tyre, many = race.tyres[compound], end - first
            costs.append((many, tyre.offset_s + tyre.wear_s * (age + (many - 1) / 2)))
    weights, losses = zip(*costs, strict=True)
    return lap_s - race.fuel_and_track_s / 2 - float(np.average(losses, weights=weights))


def _shown(drivers: pl.DataFrame) -> pl.DataFrame:
    return drivers.select(
        "driver_id",
        "driver_name",
        "driver_code",
        "constructor_id",
        "constructor_name",
        "grid",
        "actual_position",
        "is_classified",
        "retired_on_lap",
        "pace_s",
        "pace_source",
    )


def _parameters(
    reader: Reader, circuit_id: str, lap_time_s: float, as_of: dt.datetime
) -> tuple[StrategyParameters, tuple[str, ...]]:
    """Parameters of a circuit as far as they were known; the first races of 2018 borrow from later ones, and say so."""
    key = (reader.snapshot.id, circuit_id, lap_time_s, as_of)
    kept = _kept.setdefault(reader, {})
    if key not in kept:
        if len(kept) >= KEPT_PARAMETERS:
            kept.clear()
        kept[key] = _fitted(reader, circuit_id, lap_time_s, as_of)
    return kept[key]


_Known = tuple[StrategyParameters, tuple[str, ...]]
_kept: WeakKeyDictionary[Reader, dict[tuple[str, str, float, dt.datetime], _Known]] = WeakKeyDictionary()


def _fitted(reader: Reader, circuit_id: str, lap_time_s: float, as_of: dt.datetime) -> _Known:
    try:
        return fitted(reader, circuit_id, lap_time_s, as_of), ()
    except NotReady:
        try:
            found = fitted(reader, circuit_id, lap_time_s)
        except NotReady as error:
            raise StrategyUnavailable(str(error), hint=error.hint) from error
    return found, (
        "No laps are known from before this race: wear, pit loss and the like are those of later races.",
    )
