"""Fits models of every target on what was known before a cut-off."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import polars as pl

from f1core.features.extract import registry_version
from f1core.features.registry import feature_names
from f1core.features.store import FeatureStore
from f1core.parallel import run_tasks
from f1core.settings import REPOSITORY, Settings
from f1core.targets import TRAINED, rules_of, unfitted
from f1core.workspace import Workspace, worker_workspace
from models.metrics import SCORE_NAMES
from models.protocol import RaceModel
from models.registry import Manifest, ModelRegistry, production_key
from warehouse.errors import NotReady
from warehouse.vocab import Stage, Target

SEED = 20260308
CHUNK = 40
"""Races a worker extracts at a time."""
STAGE_BASELINES = rules_of(Target.RACE).baselines
"""Baselines shown beside the race's model, by stage; see :mod:`f1core.targets` for the other targets."""


@dataclass(frozen=True)
class TrainingData:
    """Features and labels of past events of one target and stage.

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


def training_data(workspace: Workspace, stage: Stage, target: Target = Target.RACE) -> TrainingData:
    """What models of a target learn from: features of every event with a result, extracted where they are not stored yet.

    It is kept for the next call.

    Args:
        workspace: The installation.
        stage: Stage of the features.
        target: What is forecast; a sprint's models learn from races.

    Raises:
        NotReady: No race has features.
    """
    kept = _kept.get(workspace)
    if kept is None:
        kept = _kept[workspace] = {}
    learned = rules_of(target).learns_from
    if (learned, stage) not in kept:
        kept[learned, stage] = _load(workspace, stage, learned)
    return kept[learned, stage]


_kept: WeakKeyDictionary[Workspace, dict[tuple[Target, Stage], TrainingData]] = WeakKeyDictionary()


def _load(workspace: Workspace, stage: Stage, target: Target) -> TrainingData:
    labels = workspace.labels_of(target)
    known = dict(
        labels.sort("known_at")
        .unique("event_id", keep="first", maintain_order=True)
        .select("event_id", "known_at")
        .iter_rows()
    )
    sets = workspace.features.get_all(known, stage, target=target)
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
    *,
    target: Target = Target.RACE,
) -> int:
    """Extracts features of all events of a target with a result, where they are missing or stale, in several processes.

    Args:
        workspace: The installation.
        stages: Stages to extract.
        target: What is forecast. Qualifying reads those of the race.
        progress: Told the stage and how many races are finished since the last call.

    Returns:
        How many event-stages were extracted.
    """
    events = workspace.labels_of(target)["event_id"].unique(maintain_order=True).to_list()
    snapshot = workspace.reader.snapshot.id
    tasks = []
    count = 0
    for stage in stages:
        todo = [event for event in events if not workspace.features.is_current(event, stage, target)]
        progress(stage.label.lower(), len(events) - len(todo))
        count += len(todo)
        tasks += [
            (workspace.settings, snapshot, tuple(todo[at : at + CHUNK]), stage, target)
            for at in range(0, len(todo), CHUNK)
        ]
    for stage, done in run_tasks(_extract_chunk, tasks, workspace.settings.workers):
        progress(stage.label.lower(), done)
    return count


def _extract_chunk(
    settings: Settings, snapshot: str, events: tuple[str, ...], stage: Stage, target: Target
) -> tuple[Stage, int]:
    worker_workspace(settings, snapshot).features.get_all(events, stage, target=target)
    return stage, len(events)


def fit_model(name: str, data: TrainingData, stage: Stage, target: Target = Target.RACE) -> RaceModel:
    """Fits a model by name on training data of one target and stage; a sprint's learns from races, as theirs do.

    Raises:
        NotReady: There is nothing to learn from.
    """
    if not data.known_at:
        raise NotReady("No race was held before the cut-off: there is nothing to learn from.")
    model = unfitted(name, rules_of(target).learns_from, feature_names(stage), seed=SEED)
    return model.fit(data.features, data.labels)


@dataclass(frozen=True)
class TrainedStage:
    """What training a target and stage gave.

    Attributes:
        target: The target.
        stage: The stage.
        version: Version in production now.
        count_events: Races it learned from.
        cutoff: It learned from results known before this instant.
        is_new: Whether it was trained now; False when the one in production was current.
    """

    target: Target
    stage: Stage
    version: str
    count_events: int
    cutoff: dt.datetime
    is_new: bool


def train(
    workspace: Workspace,
    *,
    stages: Sequence[Stage] = tuple(Stage),
    targets: Sequence[Target] = TRAINED,
    progress: Callable[[str, int], None] = lambda _words, _done: None,
) -> list[TrainedStage]:
    """Trains the models of every target and stage, stores them and puts them into production unasked.

    For a folder that has no champion yet; an installation's models are challenged, see :mod:`f1core.retraining`. A stage
    whose model in production was made from the same facts and code is left as it is. The caller holds the writer lock.

    Args:
        workspace: The installation, with the system's clock.
        stages: Stages to train, as far as a target has them.
        targets: Targets to train; one that learns from another is forecast by that one's models.
        progress: Told what was finished, and how many of these since the last call.

    Raises:
        NotReady: There are no results to learn from.
    """
    now = workspace.clock.now()
    registry = workspace.registry
    wanted = trained_places(stages, targets)
    labels = {target: workspace.labels_of(target).filter(pl.col("known_at") < now) for target, _ in wanted}
    versions = {target: training_version(workspace.features, known) for target, known in labels.items()}
    done = {}
    todo = []
    for target, stage in wanted:
        current = _current(registry, stage, target)
        if current is not None and current.data_version == versions[target]:
            count = labels[target].filter(pl.col("known_at") < current.cutoff)["event_id"].n_unique()
            done[target, stage] = TrainedStage(
                target, stage, current.version, count, current.cutoff, is_new=False
            )
            progress(f"{placed_words(target, stage)} is current", 1)
        else:
            todo.append((workspace.settings, workspace.reader.snapshot.id, stage, now, target))
    for fitted in run_tasks(fit_stage, todo, workspace.settings.workers):
        saved = save_stage(registry, fitted, versions[fitted.target], at=now)
        registry.promote(saved, at=now)
        done[fitted.target, fitted.stage] = TrainedStage(
            fitted.target, fitted.stage, saved, fitted.count_events, fitted.cutoff, is_new=True
        )
        progress(f"{placed_words(fitted.target, fitted.stage)} trained", 1)
    return [done[place] for place in wanted]


def trained_places(
    stages: Sequence[Stage] = tuple(Stage), targets: Sequence[Target] = TRAINED
) -> list[tuple[Target, Stage]]:
    """Targets and stages that have models of their own, in order, as far as they are among these."""
    return [
        (target, stage)
        for target in TRAINED
        if target in targets
        for stage in rules_of(target).stages
        if stage in stages
    ]


def placed_words(target: Target, stage: Stage) -> str:
    """A target and stage in the progress: ``before the race``, ``qualifying, before the weekend``."""
    words = stage.label.lower()
    return words if target is Target.RACE else f"{target.value}, {words}"


@dataclass(frozen=True)
class FittedStage:
    """Models of a stage as they were fitted, in memory.

    Attributes:
        stage: The stage.
        models: By name; the production model comes last.
        count_events: Races they learned from.
        cutoff: They learned from results known before this instant.
        target: The target.
    """

    stage: Stage
    models: dict[str, RaceModel]
    count_events: int
    cutoff: dt.datetime
    target: Target = Target.RACE


def fit_stage(
    settings: Settings, snapshot: str, stage: Stage, now: dt.datetime, target: Target = Target.RACE
) -> FittedStage:
    """Fits the baselines and the production model of a target and stage on all results known before an instant."""
    work = worker_workspace(settings, snapshot)
    data = training_data(work, stage, target).before(now)
    models = {name: fit_model(name, data, stage, target) for name in rules_of(target).models[stage]}
    return FittedStage(
        stage,
        models,
        len(data.known_at),
        max(data.known_at.values()) + dt.timedelta(microseconds=1),
        target,
    )


def save_stage(
    registry: ModelRegistry,
    fitted: FittedStage,
    version: str,
    *,
    at: dt.datetime,
    metrics: Mapping[str, dict[str, float | None]] | None = None,
) -> str:
    """Stores the models of a stage without putting them into production; the caller holds the writer lock.

    Args:
        registry: Where to.
        fitted: The models.
        version: As in :func:`training_version`.
        at: When they were trained.
        metrics: Walk-forward scores of the same recipe at this stage, by model; see
            :meth:`f1core.walk_forward.WalkForward.measured`. Null where not measured.

    Returns:
        The production model's version. It is stored last: where it is, the baselines beside it are.
    """
    revision = git_revision()
    learned = rules_of(fitted.target).model
    for name, model in fitted.models.items():
        saved = registry.save(
            model,
            Manifest(
                model=name,
                target=fitted.target.value,
                stages=(fitted.stage.value,),
                cutoff=fitted.cutoff,
                created_at=at,
                feature_names=tuple(feature_names(fitted.stage)) if name == learned else (),
                data_version=version,
                seeds={"fit": SEED},
                metrics=dict((metrics or {}).get(name) or unmeasured()),
                git_revision=revision,
            ),
        )
    return saved


def unmeasured() -> dict[str, float | None]:
    """Metrics of a model whose recipe has not been backtested at its stage."""
    return {"count_races": 0.0, **dict.fromkeys(SCORE_NAMES)}


def _current(registry: ModelRegistry, stage: Stage, target: Target) -> Manifest | None:
    rules = rules_of(target)
    version = registry.production().get(production_key(target.value, stage.value))
    if version is None:
        return None
    manifest = registry.manifest(version)
    if manifest.model != rules.model or any(
        latest_baseline(registry, name, stage, target) is None for name in rules.baselines[stage]
    ):
        return None
    return manifest


def latest_baseline(
    registry: ModelRegistry, name: str, stage: Stage, target: Target = Target.RACE
) -> str | None:
    """Version of the newest stored baseline of a target and stage; a sprint's are those of the race."""
    learned = rules_of(target).learns_from.value
    found = [
        m for m in registry.list() if m.model == name and m.target == learned and stage.value in m.stages
    ]
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
    here = Path(__file__)
    for path in [*sorted((REPOSITORY / "models").glob("*.py")), here, here.with_name("targets.py")]:
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
