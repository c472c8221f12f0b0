"""The registry of features: each is a pure function with a name, unit, group, stage and doc."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from f1core.features.view import EventView
from warehouse.vocab import Stage

STAGES = tuple(Stage)
"""Stages in the order in which knowledge grows."""

Values = Mapping[str, float | None] | float | None
"""A value per driver, or one for the whole event; None is missing."""
FeatureFunction = Callable[[EventView], Values]


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes:
        name: Column name.
        unit: Unit of measure; empty for none.
        group: What it is made from.
        since: The first stage that may know it; at earlier stages it is missing.
        doc: What the value is.
        function: Computes it from what an event's view shows.
    """

    name: str
    unit: str
    group: str
    since: Stage
    doc: str
    function: FeatureFunction

    def known_at_stage(self, stage: Stage) -> bool:
        """Whether a forecast of this stage may use the feature."""
        return STAGES.index(stage) >= STAGES.index(self.since)


REGISTRY: dict[str, Feature] = {}


def feature(
    *, unit: str, group: str, since: Stage = Stage.PRE_WEEKEND, name: str | None = None
) -> Callable[[FeatureFunction], FeatureFunction]:
    """Registers a function as a feature; its name and docstring become the column's name and doc."""

    def register(function: FeatureFunction) -> FeatureFunction:
        add(name or function.__name__, unit, group, since, (function.__doc__ or "").strip(), function)
        return function

    return register


def add(name: str, unit: str, group: str, since: Stage, doc: str, function: FeatureFunction) -> None:
    """Registers a feature by name.

    Raises:
        ValueError: The name is taken, or the doc is empty.
    """
    if name in REGISTRY:
        raise ValueError(f"feature {name} is registered twice")
    if not doc:
        raise ValueError(f"feature {name} has no doc")
    REGISTRY[name] = Feature(name, unit, group, since, doc, function)


def feature_names(stage: Stage | None = None) -> list[str]:
    """Names of all features, or of those a stage may know, in order of registration."""
    return [f.name for f in REGISTRY.values() if stage is None or f.known_at_stage(stage)]
