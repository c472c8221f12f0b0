"""Forecasts of an event: which stage can be had now, what the model says, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from f1core.clock import Clock
from f1core.features.store import FeatureSet
from f1core.labels import FIRST_SEASON
from f1core.training import (
    PRODUCTION_MODEL,
    SEED,
    STAGE_BASELINES,
    fit_model,
    latest_baseline,
    training_data,
)
from f1core.validation import warnings_of
from f1core.workspace import Workspace
from models.protocol import RaceModel
from models.race_time import RaceTimes
from warehouse.errors import NotReady, NotTrained
from warehouse.frames import frame_schema
from warehouse.queries.events import event_head, session_starts
from warehouse.queries.forecasts import events_without_result, newest_known_event, stage_evidence
from warehouse.queries.results import past_gaps, past_races
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.tables import TABLES
from warehouse.vocab import Stage, Target

BASELINE_VERSION = "baseline"
LINEUP_STAGE = {
    "grid": Stage.PRE_RACE,
    "qualifying": Stage.POST_QUALIFYING,
    "practice": Stage.PRE_QUALIFYING,
    "last_race": Stage.PRE_WEEKEND,
}


@dataclass(frozen=True)
class Forecast:
    """A forecast of one event and stage, by the model in production and the baselines.

    Attributes:
        heads: Rows of the ``forecasts`` table, one per model.
        entries: Rows of ``forecast_entries``, one per model and driver.
        is_provisional: Whether it belongs into the forecasts tables: computed by the real clock for a race to come.
    """

    heads: pl.DataFrame
    entries: pl.DataFrame
    is_provisional: bool


def best_stage(reader: Reader, event_id: str, now: dt.datetime) -> Stage:
    """The furthest stage whose evidence is in the warehouse and known by now: grid, qualifying, practice, or nothing."""
    evidence = stage_evidence(reader, event_id, now)
    for name, stage in LINEUP_STAGE.items():
        if name in evidence:
            return stage
    return Stage.PRE_WEEKEND


def require_stage(reader: Reader, event_id: str, stage: Stage, now: dt.datetime) -> None:
    """Refuses a stage whose facts are not known.

    Raises:
        NotReady: The grid, the qualifying or the practice the stage stands on is not in the warehouse at that time.
    """
    order = list(Stage)
    best = best_stage(reader, event_id, now)
    if order.index(stage) > order.index(best):
        needs = {
            Stage.PRE_RACE: "its starting grid",
            Stage.POST_QUALIFYING: "its qualifying",
            Stage.PRE_QUALIFYING: "its practice",
        }[stage]
        raise NotReady(
            f"{event_id} cannot be forecast at stage {stage.value} yet: {needs} is not known.",
            hint=f"Use --stage {best.value}, or wait for newer facts.",
        )


class Predictor:
    """Makes forecasts from stored features and trained models.

    Args:
        workspace: The installation; with a simulated clock it never asks production models, which know more. Those of a
            rehearsal know no more than its clock: they were trained within it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.reader = workspace.reader
        self.clock = workspace.clock

    def forecast(self, event_id: str, stage: Stage | None = None) -> Forecast:
        """Forecasts an event.

        For a race to come the models in production speak. For a past race (or a simulated clock) models are fitted on
        what was known at the cut-off, so that no forecast ever comes from a model that has seen its result.

        Raises:
            NotReady: The stage cannot be had yet.
            NotTrained: No model is in production.
        """
        now = self.clock.now()
        chosen = stage or best_stage(self.reader, event_id, now)
        require_stage(self.reader, event_id, chosen, now)
        features = self.workspace.features.get(
            event_id, chosen, as_of=now if self._is_early(event_id, chosen, now) else None
        )
        is_past = event_head(self.reader, event_id)["result_known_at"] <= now
        in_production = not is_past and self.workspace.is_live
        models = self._production(chosen) if in_production else self._as_of(chosen, features.as_of)
        forecasts = [
            (name, version, model.predict(features.frame, seed=SEED))
            for name, (version, model) in models.items()
        ]
        # What a rehearsal writes carries its own time; everything else says when it was really computed.
        computed_at = now if self.workspace.rehearsal else Clock.system().now()
        return assemble(
            self.reader, features, forecasts, computed_at=computed_at, is_provisional=in_production
        )

    def _is_early(self, event_id: str, stage: Stage, now: dt.datetime) -> bool:
        return now < cutoff(event_id, session_starts(self.reader, event_id), stage)

    def _production(self, stage: Stage) -> dict[str, tuple[str, RaceModel]]:
        stored = self.workspace.registry.load_production(Target.RACE.value, stage.value)
        models: dict[str, tuple[str, RaceModel]] = {
            stored.manifest.model: (stored.manifest.version, stored.model)
        }
        for name in STAGE_BASELINES[stage]:
            version = latest_baseline(self.workspace.registry, name, stage)
            if version is None:
                raise NotTrained(
                    f"The baseline {name} is not trained for {stage.value}.",
                    hint="Run `python -m jobs train`.",
                )
            models[name] = (BASELINE_VERSION, self.workspace.registry.load(version).model)
        return models

    def _as_of(self, stage: Stage, as_of: dt.datetime) -> dict[str, tuple[str, RaceModel]]:
        data = training_data(self.workspace, stage).before(as_of)
        version = f"as-of-{as_of:%Y%m%dT%H%MZ}"
        models: dict[str, tuple[str, RaceModel]] = {
            PRODUCTION_MODEL: (version, fit_model(PRODUCTION_MODEL, data, stage)),
        }
        for name in STAGE_BASELINES[stage]:
            models[name] = (BASELINE_VERSION, fit_model(name, data, stage))
        return models


def assemble(
    reader: Reader,
    features: FeatureSet,
    forecasts: list[tuple[str, str, pl.DataFrame]],
    *,
    computed_at: dt.datetime,
    is_provisional: bool,
    times: RaceTimes | None = None,
) -> Forecast:
    """Joins model answers with times, quality and provenance into rows of the forecast tables.

    Args:
        reader: The warehouse.
        features: What the models saw.
        forecasts: Model name, version and its forecast frame.
        computed_at: The real clock, or a rehearsal's.
        is_provisional: See :class:`Forecast`.
        times: Race times fitted before; None fits them at the features' cut-off.
    """
    event = event_head(reader, features.event_id)
    season = int(event["season"])
    times = times or fit_race_times(reader, features.as_of)
    laps, length = event["scheduled_laps"], event["course_length_km"]
    distance = float(laps * length) if laps and length else None
    columns = ["driver_id", "constructor_id", "data_quality_flag", "feature_coverage"]
    known = features.frame.select(*columns, pl.col("grid_position").cast(pl.Int32))
    last = newest_known_event(reader, features.as_of)
    # What will be raced between now and a cut-off still to come is not missing yet.
    missing = events_without_result(
        reader, features.event_id, min(features.as_of, computed_at) if is_provisional else features.as_of
    )
    heads, entries = [], []
    for name, version, frame in forecasts:
        timed = times.add_to(frame, event["circuit_id"], distance)
        rows = timed.join(known, on="driver_id", how="left", maintain_order="left").with_columns(
            season=pl.lit(season, pl.Int32),
            target=pl.lit(Target.RACE.value),
            stage=pl.lit(features.stage.value),
            model=pl.lit(name),
        )
        entries.append(rows.select(TABLES["forecast_entries"].column_names))
        heads.append(
            {
                "event_id": features.event_id,
                "season": season,
                "target": Target.RACE.value,
                "stage": features.stage.value,
                "model": name,
                "model_version": version,
                "as_of": features.as_of,
                "computed_at": computed_at,
                "data_through": features.data_through,
                "data_version": features.data_version,
                "last_event_id": last,
                "count_missing_events": len(missing),
                "count_drivers": rows.height,
                "lineup_source": features.lineup_source,
                "feature_coverage": mean_coverage(features),
                "warnings": " | ".join(_warnings(features, rows, missing)),
            }
        )
    schema = frame_schema(TABLES["forecasts"])
    return Forecast(pl.DataFrame(heads, schema=schema, orient="row"), pl.concat(entries), is_provisional)


def fit_race_times(reader: Reader, as_of: dt.datetime) -> RaceTimes:
    """Race times learned from races known before an instant; the last fit is kept for whoever asks with the same facts."""
    global _fitted  # noqa: PLW0603 - one fit, replaced by the next
    races, gaps = past_races(reader, as_of), past_gaps(reader, as_of, FIRST_SEASON)
    kept = _fitted
    if kept is None or not (kept[0].equals(races) and kept[1].equals(gaps)):
        kept = _fitted = (races, gaps, RaceTimes.fit(races, gaps))
    return kept[2]


_fitted: tuple[pl.DataFrame, pl.DataFrame, RaceTimes] | None = None


def _warnings(features: FeatureSet, rows: pl.DataFrame, missing: list[str]) -> list[str]:
    newcomers = features.frame.filter(pl.col("data_quality_flag") == "no_history")["driver_id"].to_list()
    return warnings_of(
        feature_coverage=mean_coverage(features),
        missing_events=missing,
        lineup_source=features.lineup_source,
        widest_gap_s=max(rows["gap_s"].to_list()),
        without_history=newcomers,
    )


def mean_coverage(features: FeatureSet) -> float:
    """Share of feature values of a field that are known."""
    return float(np.mean(features.frame["feature_coverage"].to_numpy()))


def with_model(forecast: Forecast, name: str) -> Forecast:
    """The part of a forecast that one model made."""
    return replace(
        forecast,
        heads=forecast.heads.filter(pl.col("model") == name),
        entries=forecast.entries.filter(pl.col("model") == name),
    )
