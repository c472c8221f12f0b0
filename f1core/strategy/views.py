"""An answer of the simulator as charts and tables show it, and as plain data for the API, the command line and a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from f1core.simulator.plan import Plan
from f1core.strategy.edits import to_query
from f1core.strategy.frames import stint_frame
from f1core.strategy.setup import RaceSetup
from f1core.strategy.whatif import WhatIfAnswer
from models.strategy.parameters import StrategyParameters

OLDEST_LAPS = 40
"""Age up to which wear is drawn [laps]."""
_LAP_COLUMNS = ("lap_time_s", "gap_s", "position", "compound", "tyre_age_laps", "is_stop")
_DIGITS = 6


def changed_cars(answer: WhatIfAnswer) -> list[str]:
    """The driver asked for, then the other cars that were changed."""
    edited = [edit.driver_id for edit in answer.what_if.edits]
    return list(dict.fromkeys([answer.driver_id, *edited]))


def is_changed(answer: WhatIfAnswer) -> bool:
    """Whether the scenario is another race than its baseline."""
    return answer.baseline is not answer.edited


def chart_laps(answer: WhatIfAnswer, labels: Mapping[str, str]) -> pl.DataFrame:
    """Laps for the charts: every car of the scenario, and the changed ones also as they were.

    Args:
        answer: The answer.
        labels: What every car is called.

    Returns:
        By driver_id, is_baseline and lap: driver_id, label, lap, lap_time_s, gap_s, position, compound, tyre_age_laps,
        is_stop, stint, is_baseline.
    """
    sides = [_side(answer.lap_by_lap, "", False)]
    if is_changed(answer):
        before = _side(answer.lap_by_lap, "baseline_", True)
        sides.append(before.filter(pl.col("driver_id").is_in(changed_cars(answer))))
    laps = pl.concat(sides)
    stint = pl.col("is_stop").shift(1, fill_value=False).cast(pl.Int64).cum_sum() + 1
    return laps.sort("driver_id", "is_baseline", "lap").with_columns(
        label=pl.col("driver_id").replace_strict(dict(labels), return_dtype=pl.String),
        stint=stint.over("driver_id", "is_baseline", order_by="lap"),
    )


def _side(laps: pl.DataFrame, prefix: str, is_baseline: bool) -> pl.DataFrame:
    columns = [pl.col(f"{prefix}{name}").alias(name) for name in _LAP_COLUMNS]
    found = laps.select("driver_id", "lap", *columns).drop_nulls("position")
    return found.with_columns(is_baseline=pl.lit(is_baseline))


def chart_stints(answer: WhatIfAnswer, labels: Mapping[str, str]) -> pl.DataFrame:
    """Stints for the tyre bars, in the order of the finish; changed cars have a second line as they were.

    Returns:
        driver_id, label, stint, compound, first_lap, last_lap, laps, used_laps, is_baseline.
    """
    after = stint_frame(answer.edited.race, answer.edited.once).with_columns(is_baseline=pl.lit(False))
    order = {driver: place for place, driver in enumerate(after["driver_id"].unique(maintain_order=True))}
    parts = [after]
    if is_changed(answer):
        before = stint_frame(answer.baseline.race, answer.baseline.once).with_columns(
            is_baseline=pl.lit(True)
        )
        parts.append(before.filter(pl.col("driver_id").is_in(changed_cars(answer))))
    place = pl.col("driver_id").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    return (
        pl.concat(parts)
        .sort(place, "is_baseline", "stint")
        .with_columns(label=pl.col("driver_id").replace_strict(dict(labels), return_dtype=pl.String))
    )


def chart_finishes(answer: WhatIfAnswer, labels: Mapping[str, str]) -> pl.DataFrame:
    """The distribution of the driver's finish: label, position, probability, is_baseline."""
    mine = answer.positions.filter(pl.col("driver_id") == answer.driver_id)
    sides = [("share", False), *([("baseline_share", True)] if is_changed(answer) else [])]
    return pl.concat(
        mine.select(
            pl.lit(labels[answer.driver_id]).alias("label"),
            "position",
            probability=pl.col(column),
            is_baseline=pl.lit(is_baseline),
        )
        for column, is_baseline in sides
    )


def wear_frame(parameters: StrategyParameters, laps: int) -> pl.DataFrame:
    """What every dry compound loses with age: compound, tyre_age_laps, loss_s, low_s, high_s (80 %) [s/lap].

    Args:
        parameters: Of the circuit.
        laps: Of the race; sets older than :data:`OLDEST_LAPS` are not drawn.
    """
    rows = []
    for compound, offset in parameters.offset_s.items():
        wear = parameters.wear_s[compound]
        for age in range(min(laps, OLDEST_LAPS) + 1):
            loss = offset.value + wear.value * age
            below = math.hypot(offset.value - offset.low, age * (wear.value - wear.low))
            above = math.hypot(offset.high - offset.value, age * (wear.high - wear.value))
            rows.append((compound.upper(), age, loss, loss - below, loss + above))
    columns = ["compound", "tyre_age_laps", "loss_s", "low_s", "high_s"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def parameter_table(parameters: StrategyParameters) -> pl.DataFrame:
    """Every fitted number: parameter, value, low, high, unit, count, source."""
    rows = pl.DataFrame(parameters.rows(), infer_schema_length=None)
    name = pl.col("parameter").str.replace_all("_", " ").str.strip_suffix(" s")
    part = (
        pl.when(pl.col("part") == "")
        .then(pl.lit(""))
        .otherwise(", " + pl.col("part").str.replace_all("_", " "))
    )
    return rows.select((name + part).alias("parameter"), "value", "low", "high", "unit", "count", "source")


def plan_words(plan: Plan) -> str:
    """A plan in words: ``Medium, hard after lap 20, soft after lap 41``."""
    stops = [f"{stop.compound.lower()} after lap {stop.lap}" for stop in plan.stops]
    return ", ".join([plan.start.capitalize(), *stops])


def short_plan(plan: Plan) -> str:
    """The same for a narrow column: ``Medium · 20 hard · 41 soft``."""
    return " · ".join([plan.start.capitalize(), *(f"{one.lap} {one.compound.lower()}" for one in plan.stops)])


def verdict(answer: WhatIfAnswer, name: str) -> str:
    """What the scenario brings, in a sentence; a tie is called one.

    Args:
        answer: The answer.
        name: Of the driver.
    """
    if not is_changed(answer):
        return f"Nothing is changed: {name} finishes where the simulator expects it."
    change = answer.change
    if change.is_tie:
        return (
            f"A tie: {name} gains {change.places_gained:+.2f} ± {change.places_error:.2f} places, which cannot be told "
            "from nothing."
        )
    word = "gains" if change.places_gained > 0 else "loses"
    places = f"{abs(change.places_gained):.2f} ± {change.places_error:.2f} places"
    return f"{name} {word} {places} on average."


def page_link(answer: WhatIfAnswer) -> str:
    """The page with this scenario, below the address of the installation."""
    query = f"event={answer.event_id}&driver={answer.driver_id}&{to_query(answer.what_if)}"
    return f"strategy?{query.rstrip('&')}"


def answer_data(setup: RaceSetup, answer: WhatIfAnswer, all_cars: bool = False) -> dict[str, Any]:
    """An answer as plain data, with the names of the API.

    Args:
        setup: The race.
        answer: The answer.
        all_cars: Whether the laps of every car are wanted, not only of those that were changed.
    """
    laps = chart_laps(answer, {car: car for car in answer.edited.once.cars})
    if not all_cars:
        laps = laps.filter(pl.col("driver_id").is_in(changed_cars(answer)))
    mine = answer.positions.filter(pl.col("driver_id") == answer.driver_id)
    rejoins = answer.rejoins.filter(pl.col("driver_id") == answer.driver_id).drop("driver_id")
    gained = answer.change
    found = {
        "event_id": answer.event_id,
        "driver_id": answer.driver_id,
        "compared_with": answer.compared_with,
        "original_position": answer.original.position,
        "simulated_position": answer.simulated.position,
        "original_mean_position": answer.original.mean_position,
        "simulated_mean_position": answer.simulated.mean_position,
        "actual_position": answer.actual_position,
        "places_gained": gained.places_gained,
        "places_gained_error": gained.places_error,
        "time_gained": gained.time_gained_s,
        "time_gained_error": gained.time_error_s,
        "is_tie": gained.is_tie,
        "seed": answer.what_if.seed,
        "runs": answer.what_if.runs,
        "basis": answer.what_if.basis.value,
        "link": page_link(answer),
        "lap_by_lap": laps.select(
            "driver_id",
            "is_baseline",
            "lap",
            "position",
            "lap_time_s",
            "gap_s",
            tire="compound",
            tire_age_laps="tyre_age_laps",
            is_stop="is_stop",
        ).to_dicts(),
        "distribution": mine.select(
            "position", probability="share", original_probability="baseline_share"
        ).to_dicts(),
        "rejoins": rejoins.to_dicts(),
        "notes": list(answer.notes),
    }
    return {name: plain_numbers(value) for name, value in found.items()}


def plain_numbers(value: Any) -> Any:
    """Numbers as JSON may hold them: rounded, and nothing where there is no number."""
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: plain_numbers(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_numbers(one) for one in value]
    return value
