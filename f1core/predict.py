"""Forecasts of an event: which stage of a target can be had now, what the model says, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from f1core.champion import version_fault
from f1core.clock import Clock
from f1core.distributions import Distributions, ask, distributions_of
from f1core.features.store import FeatureSet
from f1core.gap_history import gap_history
from f1core.labels import FIRST_SEASON
from f1core.targets import adapted, placed, require_target, rules_of
from f1core.training import SEED, fit_model, latest_baseline, training_data
from f1core.validation import warnings_of
from f1core.workspace import Workspace
from models.protocol import JointForecast, RaceModel
from models.race_time import RaceTimes
from warehouse.errors import NotReady, NotTrained
from warehouse.frames import frame_schema
from warehouse.queries.events import event_head, session_starts
from warehouse.queries.forecasts import events_without_result, newest_known_event, stage_evidence
from warehouse.queries.results import past_gaps, past_races
from warehouse.reader import Reader
from warehouse.stages import cutoff, qualifying_session
from warehouse.tables import TABLES
from warehouse.vocab import SessionKind, Stage, Target

BASELINE_VERSION = "baseline"
LINEUP_STAGE = {
    "grid": Stage.PRE_RACE,
    "qualifying": Stage.POST_QUALIFYING,
    "practice": Stage.PRE_QUALIFYING,
    "last_race": Stage.PRE_WEEKEND,
}
TIME_COLUMNS = ("gap_s", "gap_low_s", "gap_high_s", "race_time_s", "race_time_low_s", "race_time_high_s")


@dataclass(frozen=True)
class Forecast:
    """A forecast of one event, target and stage, by the model in production and the baselines.

    Attributes:
        heads: Rows of the ``forecasts`` table, one per model.
        entries: Rows of ``forecast_entries``, one per model and driver.
        is_provisional: Whether it belongs into the forecasts tables: computed by the real clock for a session to come.
        distributions: Places, pairs and contributions of those models that draw whole finishing orders.
    """

    heads: pl.DataFrame
    entries: pl.DataFrame
    is_provisional: bool
    distributions: Distributions = field(default_factory=Distributions)


def best_stage(reader: Reader, event_id: str, now: dt.datetime, target: Target = Target.RACE) -> Stage:
    """The furthest stage whose evidence is in the warehouse and known by now: grid, qualifying, practice, or nothing.

    A sprint's grid and qualifying are its own; of qualifying there is no later stage than before it.

    Raises:
        NotReady: The event has no such session.
    """
    rules = rules_of(target)
    qualifying = SessionKind.QUALIFYING
    if target is not Target.RACE:
        require_target(reader, event_id, target)
        qualifying = qualifying_session(session_starts(reader, event_id), target)
    evidence = stage_evidence(reader, event_id, now, grid=rules.session, qualifying=qualifying)
    for name, stage in LINEUP_STAGE.items():
        if name in evidence and stage in rules.stages:
            return stage
    return Stage.PRE_WEEKEND


def require_stage(
    reader: Reader, event_id: str, stage: Stage, now: dt.datetime, target: Target = Target.RACE
) -> None:
    """Refuses a stage whose facts are not known.

    Raises:
        NotReady: The grid, the qualifying or the practice the stage stands on is not in the warehouse at that time, the
            event has no such session, or there is no such stage of the target.
    """
    order = list(Stage)
    best = best_stage(reader, event_id, now, target)
    if stage not in rules_of(target).stages:
        raise NotReady(
            f"There is no {placed(target, stage)} forecast: {target.value} is over by then.",
            hint=f"Use --stage {best.value}.",
        )
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

    def forecast(self, event_id: str, stage: Stage | None = None, target: Target = Target.RACE) -> Forecast:
        """Forecasts an event.

        For a session to come the models in production speak. For a past one (or a simulated clock) models are fitted on
        what was known at the cut-off, so that no forecast ever comes from a model that has seen its result.

        Raises:
            NotReady: The stage cannot be had yet, or the event has no such session.
            NotTrained: No model is in production.
        """
        now = self.clock.now()
        chosen = stage or best_stage(self.reader, event_id, now, target)
        require_stage(self.reader, event_id, chosen, now, target)
        features = self.workspace.features.get(
            event_id,
            chosen,
            target=target,
            as_of=now if self._is_early(event_id, chosen, now, target) else None,
        )
        in_production = not is_over(self.reader, event_id, target, now) and self.workspace.is_live
        models = (
            self._production(chosen, target) if in_production else self._as_of(chosen, features.as_of, target)
        )
        own = rules_of(target).model
        forecasts = [
            (name, version, answer)
            for name, (version, model) in models.items()
            if (answer := answer_of(model, features, is_needed=name == own)) is not None
        ]
        # What a rehearsal writes carries its own time; everything else says when it was really computed.
        computed_at = now if self.workspace.rehearsal else Clock.system().now()
        return assemble(
            self.reader,
            features,
            forecasts,
            computed_at=computed_at,
            is_provisional=in_production,
            target=target,
        )

    def _is_early(self, event_id: str, stage: Stage, now: dt.datetime, target: Target) -> bool:
        return now < cutoff(event_id, session_starts(self.reader, event_id), stage, target)

    def _production(self, stage: Stage, target: Target) -> dict[str, tuple[str, RaceModel]]:
        rules = rules_of(target)
        stored = self.workspace.registry.load_production(rules.learns_from.value, stage.value)
        fault = version_fault(stored.manifest, stage)
        if fault:
            raise NotTrained(
                f"{stored.manifest.version} was made by another version of the product: {fault}.",
                hint="Run `python -m jobs train`.",
            )
        models: dict[str, tuple[str, RaceModel]] = {
            stored.manifest.model: (stored.manifest.version, adapted(stored.model, target))
        }
        for name in rules.baselines[stage]:
            version = latest_baseline(self.workspace.registry, name, stage, target)
            if version is None:
                raise NotTrained(
                    f"The baseline {name} is not trained for {placed(rules.learns_from, stage)}.",
                    hint="Run `python -m jobs train`.",
                )
            models[name] = (BASELINE_VERSION, self.workspace.registry.load(version).model)
        return models

    def _as_of(self, stage: Stage, as_of: dt.datetime, target: Target) -> dict[str, tuple[str, RaceModel]]:
        rules = rules_of(target)
        data = training_data(self.workspace, stage, target).before(as_of)
        version = f"as-of-{as_of:%Y%m%dT%H%MZ}"
        models: dict[str, tuple[str, RaceModel]] = {
            rules.model: (version, adapted(fit_model(rules.model, data, stage, target), target)),
        }
        for name in rules.baselines[stage]:
            models[name] = (BASELINE_VERSION, fit_model(name, data, stage))
        return models


def is_over(reader: Reader, event_id: str, target: Target, now: dt.datetime) -> bool:
    """Whether the session of a target is over, so that its result may be known.

    Raises:
        NotReady: The event has no such session.
    """
    return bool(require_target(reader, event_id, target)["known_at"] <= now)


def answer_of(model: RaceModel, features: FeatureSet, *, is_needed: bool) -> JointForecast | None:
    """What a model says of an event; None where a baseline lacks its order: the grid's, when qualifying was not held.

    Args:
        model: The model.
        features: What it sees.
        is_needed: Whether there is no forecast without it.

    Raises:
        NotReady: It is needed and cannot answer.
    """
    try:
        return ask(model, features.frame, seed=SEED)
    except NotReady:
        if is_needed:
            raise
        return None


def assemble(
    reader: Reader,
    features: FeatureSet,
    forecasts: list[tuple[str, str, JointForecast]],
    *,
    computed_at: dt.datetime,
    is_provisional: bool,
    times: RaceTimes | None = None,
    target: Target = Target.RACE,
) -> Forecast:
    """Joins model answers with times, quality and provenance into rows of the forecast tables.

    Args:
        reader: The warehouse.
        features: What the models saw.
        forecasts: Model name, version and its answer, as in :func:`f1core.distributions.ask`.
        computed_at: The real clock, or a rehearsal's.
        is_provisional: See :class:`Forecast`.
        times: Race times fitted before; None fits them at the features' cut-off.
        target: What is forecast; gaps and times are null where it has none.
    """
    event = event_head(reader, features.event_id)
    season = int(event["season"])
    times = (times or fit_race_times(reader, features.as_of)) if rules_of(target).has_times else None
    laps, length = event["scheduled_laps"], event["course_length_km"]
    distance = float(laps * length) if laps and length else None
    columns = ["driver_id", "constructor_id", "data_quality_flag", "feature_coverage"]
    known = features.frame.select(*columns, pl.col("grid_position").cast(pl.Int32))
    last = newest_known_event(reader, features.as_of)
    # What will be raced between now and a cut-off still to come is not missing yet.
    missing = events_without_result(
        reader, features.event_id, min(features.as_of, computed_at) if is_provisional else features.as_of
    )
    heads, entries, distributions = [], [], []
    for name, version, answer in forecasts:
        timed = (
            times.add_to(
                answer.entries,
                event["circuit_id"],
                distance,
                lap_km=length,
                features=features.frame,
            )
            if times
            else answer.entries.with_columns(pl.lit(None, pl.Float64).alias(name) for name in TIME_COLUMNS)
        )
        rows = timed.join(known, on="driver_id", how="left", maintain_order="left").with_columns(
            season=pl.lit(season, pl.Int32),
            target=pl.lit(target.value),
            stage=pl.lit(features.stage.value),
            model=pl.lit(name),
        )
        entries.append(rows.select(TABLES["forecast_entries"].column_names))
        distributions.append(
            distributions_of(
                answer, season=season, target=target.value, stage=features.stage.value, model=name
            )
        )
        heads.append(
            {
                "event_id": features.event_id,
                "season": season,
                "target": target.value,
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
    return Forecast(
        pl.DataFrame(heads, schema=schema, orient="row"),
        pl.concat(entries),
        is_provisional,
        Distributions.joined(distributions),
    )


def fit_race_times(reader: Reader, as_of: dt.datetime) -> RaceTimes:
    """Race times learned from races known before an instant; the last fit is kept for whoever asks with the same facts."""
    global _fitted  # noqa: PLW0603 - one fit, replaced by the next
    facts = (
        past_races(reader, as_of),
        past_gaps(reader, as_of, FIRST_SEASON),
        gap_history(reader, as_of),
    )
    kept = _fitted
    if kept is None or not all(one.equals(other) for one, other in zip(kept[0], facts, strict=True)):
        kept = _fitted = (facts, RaceTimes.fit(*facts))
    return kept[1]


_fitted: tuple[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], RaceTimes] | None = None


def _warnings(features: FeatureSet, rows: pl.DataFrame, missing: list[str]) -> list[str]:
    newcomers = features.frame.filter(pl.col("data_quality_flag") == "no_history")["driver_id"].to_list()
    return warnings_of(
        feature_coverage=mean_coverage(features),
        missing_events=missing,
        lineup_source=features.lineup_source,
        widest_gap_s=max(rows["gap_s"].drop_nulls().to_list(), default=None),
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
        distributions=forecast.distributions.where(model=name),
    )
