"""Computes the feature rows of an event and stage."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
from pathlib import Path

import polars as pl

from f1core.features.facts import FeatureFacts
from f1core.features.lineup import Lineup, expected_lineup
from f1core.features.registry import REGISTRY, Feature
from f1core.features.view import EventView
from warehouse import stages
from warehouse.errors import UnknownEvent
from warehouse.stages import cutoff
from warehouse.vocab import Stage, Target

GROUPS = ("form", "standings", "strength", "circuit", "weekend")
for _module in GROUPS:
    importlib.import_module(f"f1core.features.{_module}")

KEYS = ("event_id", "season", "stage", "driver_id", "constructor_id")
SPARSE_BELOW = 0.6
IMPUTED_BELOW = 0.9
NEWCOMER_STARTS = 1.0


def stage_cutoff(
    facts: FeatureFacts, event_id: str, stage: Stage, target: Target = Target.RACE
) -> dt.datetime:
    """When a stage of an event and target ends.

    Raises:
        UnknownEvent: No such event.
        NotReady: The calendar has no session times for it, or the event no such session.
    """
    if event_id not in facts.events:
        raise UnknownEvent(f"No event is called {event_id}.")
    return cutoff(event_id, facts.starts_at.get(event_id, {}), stage, target)


def extract(
    facts: FeatureFacts,
    event_id: str,
    stage: Stage,
    *,
    target: Target = Target.RACE,
    as_of: dt.datetime | None = None,
) -> tuple[pl.DataFrame, Lineup]:
    """Features of one event and stage: one row per driver of the expected field.

    Args:
        facts: The facts.
        event_id: The event.
        stage: What the rows may know.
        target: What is forecast; features of qualifying are those of the race at the same stage.
        as_of: An earlier cut-off than the stage's own (a rehearsed clock); later ones are ignored.

    Returns:
        Keys (:data:`KEYS`), every registered feature as float (null is missing), ``feature_coverage`` (share of the
        stage's features that are present) and ``data_quality_flag``; and the field with its source.

    Raises:
        NotReady: No field is known, or the event has no such session.
        UnknownEvent: No such event.
    """
    end = stage_cutoff(facts, event_id, stage, target)
    end = end if as_of is None else min(end, as_of)
    lineup = expected_lineup(facts, event_id, stage, end, target)
    view = EventView(facts, event_id, stage, end, lineup.entries, target)
    columns: dict[str, list[float | None]] = {}
    for feature in REGISTRY.values():
        columns[feature.name] = _column(feature, view)
    frame = pl.DataFrame(
        {
            "event_id": [event_id] * len(lineup.entries),
            "season": pl.Series([view.season] * len(lineup.entries), dtype=pl.Int32),
            "stage": [stage.value] * len(lineup.entries),
            "driver_id": [entry.driver_id for entry in lineup.entries],
            "constructor_id": [entry.constructor_id for entry in lineup.entries],
            **{name: pl.Series(values, dtype=pl.Float64) for name, values in columns.items()},
        }
    )
    return _with_quality(frame, stage), lineup


def _column(feature: Feature, view: EventView) -> list[float | None]:
    if not feature.known_at_stage(view.stage):
        return [None] * len(view.drivers)
    values = feature.function(view)
    if values is None or isinstance(values, (int, float)):
        return [None if values is None else float(values)] * len(view.drivers)
    return [values.get(driver) for driver in view.drivers]


def _with_quality(frame: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    expected = [f.name for f in REGISTRY.values() if f.known_at_stage(stage)]
    present = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int32) for name in expected)
    return frame.with_columns(feature_coverage=present / len(expected)).with_columns(
        data_quality_flag=pl.when(pl.col("career_starts") < NEWCOMER_STARTS)
        .then(pl.lit("no_history"))
        .when(pl.col("feature_coverage") < SPARSE_BELOW)
        .then(pl.lit("sparse"))
        .when(pl.col("feature_coverage") < IMPUTED_BELOW)
        .then(pl.lit("imputed"))
        .otherwise(pl.lit("ok"))
    )


def registry_version() -> str:
    """Fingerprint of the code that makes features: a change of it makes stored features stale."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    beside = [here.parent / "labels.py", here.parent / "ratings.py", Path(stages.__file__)]
    for path in sorted([*here.glob("*.py"), *beside]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
