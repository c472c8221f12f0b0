"""The registry of session features: pure functions with a name, unit, group, stage, imputation rule and doc."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from f1core.features.registry import REGISTRY
from f1core.features.session.view import WeekendView
from warehouse.vocab import PRACTICES, SessionKind, Stage

Values = Mapping[str, float | None] | float | None
"""A value per driver, or one for the whole event; None is missing."""
SessionFunction = Callable[[WeekendView], Values]


class Imputation(StrEnum):
    """What stands in for a driver's missing value. Every such value is counted and named in the row."""

    NONE = "none"
    FIELD = "field"
    TEAM_MATE = "team_mate"

    @property
    def doc(self) -> str:
        """The rule in words."""
        return {
            "none": "stays missing",
            "field": "median of the field, if at least half of it has a value",
            "team_mate": "mean of the team mates' values; without any, the median of the field as for `field`",
        }[self.value]


LONG_RUN_SESSIONS = (*PRACTICES, SessionKind.SPRINT)
SHORT_RUN_SESSIONS = (*PRACTICES, SessionKind.SPRINT_QUALIFYING)
QUALIFYING_ONLY = (SessionKind.QUALIFYING,)
ALL_SESSIONS = tuple(kind for kind in SessionKind if kind is not SessionKind.RACE)
"""Which sessions feed a group. A sprint weekend has a single practice, so sprint qualifying counts as short runs and the
sprint's stints as long runs beside it; a gap is always taken within one session, before sessions are put together."""


@dataclass(frozen=True)
class Group:
    """Features made from the same sessions.

    Attributes:
        name: Heading in the docs.
        sessions: Sessions that feed it: a driver without a lap in any of them keeps missing values.
        since: The first stage that may know it.
    """

    name: str
    sessions: tuple[SessionKind, ...]
    since: Stage


LONG_RUNS = Group("long runs", LONG_RUN_SESSIONS, Stage.PRE_QUALIFYING)
SHORT_RUNS = Group("short runs", SHORT_RUN_SESSIONS, Stage.PRE_QUALIFYING)
QUALIFYING = Group("qualifying session", QUALIFYING_ONLY, Stage.POST_QUALIFYING)
SPRINT_QUALIFYING = Group("sprint qualifying", (SessionKind.SPRINT_QUALIFYING,), Stage.PRE_QUALIFYING)
SPRINT = Group("sprint", (SessionKind.SPRINT,), Stage.PRE_QUALIFYING)
CONDITIONS = Group("conditions", ALL_SESSIONS, Stage.PRE_QUALIFYING)
COVERAGE = Group("coverage", ALL_SESSIONS, Stage.PRE_QUALIFYING)
TELEMETRY = Group("car telemetry", QUALIFYING_ONLY, Stage.POST_QUALIFYING)


@dataclass(frozen=True)
class SessionFeature:
    """One feature of an event's sessions.

    Attributes:
        name: Column name.
        unit: Unit of measure; empty for none.
        group: What it is made from.
        imputation: What stands in for a missing value.
        doc: What the value is.
        function: Computes it from what a weekend's view shows.
    """

    name: str
    unit: str
    group: Group
    imputation: Imputation
    doc: str
    function: SessionFunction

    @property
    def since(self) -> Stage:
        """The first stage that may know it."""
        return self.group.since

    def known_at_stage(self, stage: Stage) -> bool:
        """Whether a forecast of this stage may use the feature."""
        stages = tuple(Stage)
        return stages.index(stage) >= stages.index(self.since)


SESSION_REGISTRY: dict[str, SessionFeature] = {}


def session_feature(
    *, unit: str, group: Group, imputation: Imputation = Imputation.NONE
) -> Callable[[SessionFunction], SessionFunction]:
    """Registers a function as a feature; its name and docstring become the column's name and doc."""

    def register(function: SessionFunction) -> SessionFunction:
        add(function.__name__, unit, group, imputation, function.__doc__ or "", function)
        return function

    return register


def add(
    name: str, unit: str, group: Group, imputation: Imputation, doc: str, function: SessionFunction
) -> None:
    """Registers a feature by name.

    Raises:
        ValueError: The name is taken (by a feature of the history too), or the doc is empty.
    """
    if name in SESSION_REGISTRY or name in REGISTRY:
        raise ValueError(f"feature {name} is registered twice")
    if not doc.strip():
        raise ValueError(f"feature {name} has no doc")
    SESSION_REGISTRY[name] = SessionFeature(name, unit, group, imputation, " ".join(doc.split()), function)
