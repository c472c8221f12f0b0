"""Fits race models on what was known before a cut-off."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import polars as pl

from f1core.features.extract import registry_version
from f1core.features.registry import feature_names
from f1core.features.store import FeatureStore
from f1core.parallel import run_tasks
from f1core.settings import REPOSITORY, Settings
from f1core.workspace import Workspace, worker_workspace
from models.catalogue import BASELINES, RACE_MODELS
from models.protocol import RaceModel
from models.race_model import ForestBoostingModel
from models.registry import Manifest, ModelRegistry
from warehouse.errors import NotReady
from warehouse.vocab import Stage, Target

PRODUCTION_MODEL = ForestBoostingModel.name
SEED = 20260308
CHUNK = 40
"""Races a worker extracts at a time."""
STAGE_BASELINES: dict[Stage, tuple[str, ...]] = {
    Stage.PRE_WEEKEND: ("points", "elo"),
    Stage.PRE_QUALIFYING: ("points", "elo"),
    Stage.POST_QUALIFYING: ("grid", "points", "elo"),
    Stage.PRE_RACE: ("grid", "points", "elo"),
}
"""Baselines shown beside the model; the grid's order is none before qualifying."""


@dataclass(frozen=True)
class TrainingData:
    """Features and labels of past events of one stage.

    Attributes:
        features: One row per event and driver, in order of time.
        labels: One row per starter.
        known_at: When each event's result became known.
    """

    features: pl.DataFrame
    labels: pl.DataFrame
    known_at: dict[str, dt.datetime]

    def before(self, cutoff: dt.datetime) -> TrainingData:
        """The events whose results were known strictly before an instant."""
        events = [event for event, known in self.known_at.items() if known < cutoff]
        chosen = pl.col("event_id").is_in(events)
        return TrainingData(
            self.features.filter(chosen),
            self.labels.filter(chosen),
            {event: self.known_at[event] for event in events},
        )


def training_data(workspace: Workspace, stage: Stage) -> TrainingData:
    """Features of every event with a result, extracted where they are not stored yet; kept for the next call.

    Args:
        workspace: The installation.
        stage: Stage of the features.

    Raises:
        NotReady: No race has features.
    """
    kept = _kept.get(workspace)
    if kept is None:
        kept = _kept[workspace] = {}
    if stage not in kept:
        kept[stage] = _load(workspace, stage)
    return kept[stage]


_kept: WeakKeyDictionary[Workspace, dict[Stage, TrainingData]] = WeakKeyDictionary()


def _load(workspace: Workspace, stage: Stage) -> TrainingData:
    labels = workspace.labels
    known = dict(
        labels.sort("known_at")
        .unique("event_id", keep="first", maintain_order=True)
        .select("event_id", "known_at")
        .iter_rows()
    )
    sets = workspace.features.get_all(known, stage)
    if not sets:
        raise NotReady("No past race has features.", hint="Run `python -m jobs ingest` first.")
    features = pl.concat([found.frame for found in sets])
    return TrainingData(
        features, labels, {event: known[event] for event in dict.fromkeys(features["event_id"].to_list())}
    )


def extract_missing(
    workspace: Workspace,
    stages: Sequence[Stage],
    progress: Callable[[str, int], None] = lambda _words, _done: None,
) -> int:
    """Extracts features of all races models learn from, where they are missing or stale, in several processes.

    Args:
        workspace: The installation.
        stages: Stages to extract.
        progress: Told the stage and how many races are finished since the last call.

    Returns:
        How many event-stages were extracted.
    """
    events = workspace.labels["event_id"].unique(maintain_order=True).to_list()
    snapshot = workspace.reader.snapshot.id
    tasks = []
    count = 0
    for stage in stages:
        todo = [event for event in events if not workspace.features.is_current(event, stage)]
        progress(stage.label.lower(), len(events) - len(todo))
        count += len(todo)
        tasks += [
            (workspace.settings, snapshot, tuple(todo[at : at + CHUNK]), stage)
            for at in range(0, len(todo), CHUNK)
        ]
    for stage, done in run_tasks(_extract_chunk, tasks, workspace.settings.workers):
        progress(stage.label.lower(), done)
    return count


def _extract_chunk(
    settings: Settings, snapshot: str, events: tuple[str, ...], stage: Stage
) -> tuple[Stage, int]:
    worker_workspace(settings, snapshot).features.get_all(events, stage)
    return stage, len(events)


def fit_model(name: str, data: TrainingData, stage: Stage) -> RaceModel:
    """Fits a model by name on training data of one stage.

    Raises:
        NotReady: There is nothing to learn from.
    """
    if not data.known_at:
        raise NotReady("No race was held before the cut-off: there is nothing to learn from.")
    if name == PRODUCTION_MODEL:
        model: RaceModel = ForestBoostingModel(feature_names=feature_names(stage), seed=SEED)
    else:
        model = RACE_MODELS[name]()
    return model.fit(data.features, data.labels)


@dataclass(frozen=True)
class TrainedStage:
    """What training a stage gave.

    Attributes:
        stage: The stage.
        version: Version in production now.
        count_events: Races it learned from.
        cutoff: It learned from results known before this instant.
        is_new: Whether it was trained now; False when the one in production was current.
    """

    stage: Stage
    version: str
    count_events: int
    cutoff: dt.datetime
    is_new: bool


def train(
    workspace: Workspace,
    *,
    stages: Sequence[Stage] = tuple(Stage),
    progress: Callable[[str, int], None] = lambda _words, _done: None,
) -> list[TrainedStage]:
    """Trains the production model and the baselines of each stage, stores them and puts them into production unasked.

    For a folder that has no champion yet; an installation's models are challenged, see :mod:`f1core.retraining`. A stage
    whose model in production was made from the same facts and code is left as it is. The caller holds the writer lock.

    Args:
        workspace: The installation, with the system's clock.
        stages: Stages to train.
        progress: Told what was finished, and how many stages since the last call.

    Raises:
        NotReady: There are no results to learn from.
    """
    now = workspace.clock.now()
    registry = workspace.registry
    labels = workspace.labels.filter(pl.col("known_at") < now)
    version = training_version(workspace.features, labels)
    done = []
    todo = []
    for stage in stages:
        current = _current(registry, stage)
        if current is not None and current.data_version == version:
            count = labels.filter(pl.col("known_at") < current.cutoff)["event_id"].n_unique()
            done.append(TrainedStage(stage, current.version, count, current.cutoff, is_new=False))
            progress(f"{stage.label.lower()} is current", 1)
        else:
            todo.append((workspace.settings, workspace.reader.snapshot.id, stage, now))
    for fitted in run_tasks(fit_stage, todo, workspace.settings.workers):
        saved = save_stage(registry, fitted, version, at=now)
        registry.promote(saved, at=now)
        done.append(TrainedStage(fitted.stage, saved, fitted.count_events, fitted.cutoff, is_new=True))
        progress(f"{fitted.stage.label.lower()} trained", 1)
    return sorted(done, key=lambda one: list(Stage).index(one.stage))


@dataclass(frozen=True)
class FittedStage:
    """Models of a stage as they were fitted, in memory.

    Attributes:
        stage: The stage.
        models: By name; the production model comes last.
        count_events: Races they learned from.
        cutoff: They learned from results known before this instant.
    """

    stage: Stage
    models: dict[str, RaceModel]
    count_events: int
    cutoff: dt.datetime


def fit_stage(settings: Settings, snapshot: str, stage: Stage, now: dt.datetime) -> FittedStage:
    """Fits the baselines and the production model of a stage on all results known before an instant."""
    work = worker_workspace(settings, snapshot)
    data = training_data(work, stage).before(now)
    models = {name: fit_model(name, data, stage) for name in (*STAGE_BASELINES[stage], PRODUCTION_MODEL)}
    return FittedStage(
        stage, models, len(data.known_at), max(data.known_at.values()) + dt.timedelta(microseconds=1)
    )


def save_stage(registry: ModelRegistry, fitted: FittedStage, version: str, *, at: dt.datetime) -> str:
    """Stores the models of a stage without putting them into production; the caller holds the writer lock.

    Args:
        registry: Where to.
        fitted: The models.
        version: As in :func:`training_version`.
        at: When they were trained.

    Returns:
        The production model's version. It is stored last: where it is, the baselines beside it are.
    """
    revision = git_revision()
    for name, model in fitted.models.items():
        saved = registry.save(
            model,
            Manifest(
                model=name,
                target=Target.RACE.value,
                stages=(fitted.stage.value,),
                cutoff=fitted.cutoff,
                created_at=at,
                feature_names=tuple(feature_names(fitted.stage)) if name == PRODUCTION_MODEL else (),
                data_version=version,
                seeds={"fit": SEED},
                git_revision=revision,
            ),
        )
    return saved


def _current(registry: ModelRegistry, stage: Stage) -> Manifest | None:
    version = registry.production().get(f"{Target.RACE.value}/{stage.value}")
    if version is None:
        return None
    manifest = registry.manifest(version)
    if manifest.model != PRODUCTION_MODEL or any(
        latest_baseline(registry, name, stage) is None for name in STAGE_BASELINES[stage]
    ):
        return None
    return manifest


def latest_baseline(registry: ModelRegistry, name: str, stage: Stage) -> str | None:
    """Version of the newest stored baseline of a stage."""
    found = [m for m in registry.list() if m.model == name and stage.value in m.stages]
    return max(found, key=lambda m: (m.created_at, m.version)).version if found else None


def training_version(store: FeatureStore, labels: pl.DataFrame) -> str:
    """Fingerprint of everything a fit depends on: the recipe (see :func:`recipe_version`), a dash, and the facts."""
    newest = int(str(labels["season"].max())) if labels.height else 0
    facts = f"{store.version(newest)}:{labels['event_id'].n_unique()}"
    return f"{recipe_version()}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def recipe_version() -> str:
    """Fingerprint of how models are made, whatever they learn from: the code of features, models and training."""
    return hashlib.sha256(f"{registry_version()}:{models_version()}".encode()).hexdigest()[:12]


def recipe_of(manifest: Manifest) -> str:
    """The recipe a stored model was made by; empty where its manifest does not say."""
    recipe, dash, _facts = manifest.data_version.partition("-")
    return recipe if dash else ""


def models_version() -> str:
    """Fingerprint of the code of the models and of training."""
    digest = hashlib.sha256()
    for path in [*sorted((REPOSITORY / "models").glob("*.py")), Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def git_revision() -> str:
    """Revision of the checkout, empty where there is none."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


assert set(BASELINES) >= {name for names in STAGE_BASELINES.values() for name in names}
