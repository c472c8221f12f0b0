"""What is forecast, and how: session, stages, labels, baselines and model of every target. The one place to change them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from f1core.features.registry import REGISTRY
from f1core.labels import FIRST_SEASON, load_labels
from models.catalogue import BASELINES, RACE_MODELS
from models.joint import JointOrderModel
from models.joint_settings import QUALIFYING, SPRINT
from models.protocol import RaceModel
from models.race_model import ForestBoostingModel
from warehouse.errors import NotReady
from warehouse.queries.events import session_starts, sessions
from warehouse.reader import Reader
from warehouse.stages import TARGET_SESSION, cutoff
from warehouse.vocab import SessionKind, Stage, Target

PRODUCTION_MODEL = JointOrderModel.name
"""The model in production, of every target."""
LEARNED = (JointOrderModel.name, ForestBoostingModel.name)
"""Models that learn from features, by name; baselines do not."""

_ORDERS = ("points", "elo")
_GRID_BASELINES: dict[Stage, tuple[str, ...]] = {
    Stage.PRE_WEEKEND: _ORDERS,
    Stage.PRE_QUALIFYING: _ORDERS,
    Stage.POST_QUALIFYING: ("grid", *_ORDERS),
    Stage.PRE_RACE: ("grid", *_ORDERS),
}
"""Baselines shown beside the model; the grid's order is none before qualifying."""


@dataclass(frozen=True)
class TargetRules:
    """How one target is forecast.

    Attributes:
        target: The target.
        model: Name of its model in production.
        baselines: Baselines shown beside the model, by stage; its stages are the stages at which it is forecast.
        backtested: Stages that are backtested.
        features_of: The target whose features it reads: the race's before qualifying are those of qualifying, too.
        learns_from: The target whose results its models are trained on. Sprints are few (the first was in 2021), so the
            race's models forecast them, from features read from the sprint's own sessions.
        has_times: Whether gaps and race times are forecast.
    """

    target: Target
    model: str
    baselines: Mapping[Stage, tuple[str, ...]]
    backtested: tuple[Stage, ...]
    features_of: Target
    learns_from: Target
    has_times: bool

    @property
    def session(self) -> SessionKind:
        """The session that is forecast."""
        return TARGET_SESSION[self.target]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Stages at which it is forecast, in the order in which knowledge grows."""
        return tuple(stage for stage in Stage if stage in self.baselines)

    @property
    def models(self) -> dict[Stage, tuple[str, ...]]:
        """Names of all models by stage, the one in production last."""
        return {stage: (*names, self.model) for stage, names in self.baselines.items()}

    def labels(self, reader: Reader, from_season: int = FIRST_SEASON) -> pl.DataFrame:
        """What happened; see :mod:`f1core.labels`."""
        return load_labels(reader, self.target, from_season=from_season)


RULES: dict[Target, TargetRules] = {
    Target.RACE: TargetRules(
        Target.RACE,
        PRODUCTION_MODEL,
        _GRID_BASELINES,
        (Stage.PRE_QUALIFYING, Stage.POST_QUALIFYING, Stage.PRE_RACE),
        features_of=Target.RACE,
        learns_from=Target.RACE,
        has_times=True,
    ),
    Target.QUALIFYING: TargetRules(
        Target.QUALIFYING,
        PRODUCTION_MODEL,
        {Stage.PRE_WEEKEND: _ORDERS, Stage.PRE_QUALIFYING: _ORDERS},
        (Stage.PRE_QUALIFYING,),
        features_of=Target.RACE,
        learns_from=Target.QUALIFYING,
        has_times=False,
    ),
    Target.SPRINT: TargetRules(
        Target.SPRINT,
        PRODUCTION_MODEL,
        _GRID_BASELINES,
        (Stage.PRE_RACE,),
        features_of=Target.SPRINT,
        learns_from=Target.RACE,
        has_times=False,
    ),
}
"""Every target, the race first."""

TRAINED = tuple(target for target, rules in RULES.items() if rules.learns_from is target)
"""Targets that have models of their own; the others are forecast by the models of the target they learn from."""


def unfitted(name: str, target: Target, feature_names: Sequence[str], *, seed: int) -> RaceModel:
    """A model by name, ready to be fitted for a target; baselines need neither features nor seed."""
    if name == JointOrderModel.name:
        return JointOrderModel(
            feature_names=feature_names,
            feature_groups={found.name: found.group for found in REGISTRY.values()},
            settings=QUALIFYING if target is Target.QUALIFYING else None,
            seed=seed,
        )
    if name == ForestBoostingModel.name:
        return ForestBoostingModel(feature_names=feature_names, seed=seed)
    return RACE_MODELS[name]()


def adapted(model: RaceModel, target: Target) -> RaceModel:
    """A trained model as it forecasts a target: sprints are forecast by the race's, with their own points and distance."""
    if target is Target.SPRINT and isinstance(model, JointOrderModel):
        return model.with_settings(**SPRINT)
    return model


def rules_of(target: Target) -> TargetRules:
    """How a target is forecast."""
    return RULES[target]


def placed(target: Target, stage: Stage) -> str:
    """A target and stage for people: the stage alone where the race is meant, e.g. ``pre_race``, ``sprint pre_race``."""
    return stage.value if target is Target.RACE else f"{target.value} {stage.value}"


def targets_of(reader: Reader, event_id: str) -> list[Target]:
    """Targets that an event has: a sprint only where the calendar has one, and when its grid is set."""
    starts = session_starts(reader, event_id)
    return [
        target for target, rules in RULES.items() if rules.session in starts and has_target(starts, target)
    ]


def has_target(starts: Mapping[str, dt.datetime], target: Target) -> bool:
    """Whether a calendar's sessions (start by session) say all that a forecast of a target needs."""
    try:
        cutoff("", starts, Stage.PRE_QUALIFYING, target)
    except NotReady:
        return False
    return True


def require_target(reader: Reader, event_id: str, target: Target) -> dict[str, Any]:
    """The row of :func:`warehouse.queries.events.sessions` of a target's session.

    Raises:
        NotReady: The event has no such session in the calendar.
    """
    rows = sessions(reader, event_id).filter(pl.col("session") == rules_of(target).session.value)
    if rows.is_empty():
        known = [found.value for found in targets_of(reader, event_id)]
        raise NotReady(
            f"{event_id} has no {target.value} session in the calendar.",
            hint=f"Use --target {' or '.join(known)}." if known else "Its sessions are not known yet.",
        )
    return rows.row(0, named=True)


assert set(BASELINES) >= {
    name for rules in RULES.values() for names in rules.baselines.values() for name in names
}
assert all(RULES[rules.learns_from].learns_from is rules.learns_from for rules in RULES.values())
