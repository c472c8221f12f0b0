"""What is to be done when: runs that recur, and runs that follow from the calendar. Pure: rows in, runs out.

A run's key says what it is for and never when, so that it stays the same when the calendar moves; its times are those of
the calendar as it stands. Recurring runs are the exception: their key carries their instant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from f1core.agenda_calendar import AgendaEvent
from f1core.freeze_policy import due_at, official_stage, session_start
from f1core.settings import Settings
from f1core.targets import RULES, TargetRules
from warehouse.stages import PRE_RACE_LEAD
from warehouse.vocab import SessionKind, Stage, Target


class Job(StrEnum):
    """A kind of run, in the order in which they follow one another at the same instant."""

    CALENDAR = "calendar"
    F1DB_CHECK = "f1db_check"
    LINEUP = "lineup"
    FULL_SEASON = "full_season"
    RESULTS = "results"
    WEATHER = "weather"
    EXTRACT = "extract"
    FREEZE = "freeze"
    SETTLE = "settle"
    RETRAIN = "retrain"
    FORECAST = "forecast"
    STRATEGY = "strategy"
    BACKFILL = "backfill"
    MAINTENANCE = "maintenance"
    BACKTEST = "backtest"

    @property
    def rank(self) -> int:
        """Place in the order: facts, then seals, settlements, training, forecasts, and what can wait."""
        return _RANKS[self]

    @property
    def brings_facts(self) -> bool:
        """Whether others may be waiting for what it brings."""
        return self.rank <= Job.EXTRACT.rank


_RANKS = {job: place for place, job in enumerate(Job)}

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
EXTRACT_MARGIN = dt.timedelta(minutes=15)
"""How long after a session's end its data are first asked for; they appear half an hour to some hours after it."""
GRID_LEAD = dt.timedelta(minutes=59)
"""The starting grid is known an hour before the start; a minute later it is asked for."""
EXTRACT_UNTIL = dt.timedelta(days=14)
"""After that a session is left to the backfill."""
RESULT_UNTIL = dt.timedelta(days=60)
"""How long an official result is waited for."""
CORRECTION_DAYS = 7
"""Days on which a result is looked at again: stewards and appeals change results after the flag."""
MORNING = dt.time(6, tzinfo=dt.UTC)
"""When results and standings are looked at every day."""
LOOK_BACK = RESULT_UNTIL + 2 * DAY
"""No planned run is due longer than this after its instant."""


@dataclass(frozen=True)
class PlannedRun:
    """One run to be made.

    Attributes:
        key: What it is for; unique, and the same however the calendar moves.
        job: The kind of run.
        params: What the task is told: event, target, session, stage.
        at: When it is due (UTC).
        deadline: When it can no longer be made or no longer matters; None where that never happens.
        title: What people read.
        after: Keys of runs that must be over before.
        group: Runs of one group stand in for each other: of several that are due only the newest is made.
    """

    key: str
    job: Job
    params: Mapping[str, str]
    at: dt.datetime
    deadline: dt.datetime | None
    title: str
    after: tuple[str, ...] = ()
    group: str = ""

    @property
    def is_seal(self) -> bool:
        """Whether it seals: such a run is never made late."""
        return self.job is Job.FREEZE


DEMO_JOBS = frozenset({Job.RESULTS, Job.RETRAIN, Job.FORECAST, Job.STRATEGY, Job.SETTLE, Job.MAINTENANCE})
"""What makes sense where the season is made up: it has no sources, and nothing of it is sealed by itself."""


def order(run: PlannedRun) -> tuple[dt.datetime, int, str]:
    """By instant; within one, facts before seals before settlements before training before forecasts."""
    return run.at, run.job.rank, run.key


# Runs that follow from the calendar -------------------------------------------------------------------------------------


def race_days(events: Iterable[AgendaEvent]) -> set[dt.date]:
    """Days (UTC) on which a race is held."""
    return {event.starts[SessionKind.RACE].date() for event in events if event.is_plannable}


def planned_runs(
    events: Sequence[AgendaEvent], settings: Settings, *, since: dt.datetime, until: dt.datetime
) -> list[PlannedRun]:
    """Runs that follow from the calendar, due after ``since`` and not after ``until``, in order.

    Cancelled events and events without session times have none; see :func:`f1core.agenda_calendar.without_times`.

    Args:
        events: In order of their races.
        settings: Freeze policy, and whether to retrain.
        since: From here (aware).
        until: To here (aware).
    """
    plannable = [event for event in events if event.is_plannable]
    runs = []
    for previous, event in zip([None, *plannable], plannable, strict=False):
        if event.first_start - 31 * DAY > until or max(event.known.values()) + LOOK_BACK < since:
            continue
        runs += list(_of_event(event, settings))
        if previous is not None:
            runs.append(_first_forecast(previous, event, settings))
    return sorted((run for run in runs if since < run.at <= until), key=order)


def _of_event(event: AgendaEvent, settings: Settings) -> Iterator[PlannedRun]:
    here = _Weekend(event)
    for session, known in sorted(event.known.items(), key=lambda item: item[1]):
        if session is SessionKind.RACE:
            continue
        extract = here.run(
            Job.EXTRACT,
            session,
            known + EXTRACT_MARGIN,
            known + EXTRACT_UNTIL,
            f"Data of {session.label.lower()}",
            {"session": session.value},
        )
        yield extract
        yield here.run(
            Job.FORECAST,
            session,
            extract.at,
            here.start,
            f"Forecast after {session.label.lower()}",
            after=(extract.key,),
        )
    grid = here.run(
        Job.RESULTS, "grid", here.start - GRID_LEAD, here.start, "Starting grid", {"wanted": "grid"}
    )
    yield grid
    yield from _seals(here, settings)
    yield here.run(
        Job.FORECAST, "grid", grid.at, here.start, "Forecast with the starting grid", after=(grid.key,)
    )
    if event.has(Target.SPRINT):
        sprint = event.starts[SessionKind.SPRINT]
        wanted = {"wanted": "grid", "target": Target.SPRINT.value}
        grid = here.run(Job.RESULTS, "sprint_grid", sprint - GRID_LEAD, sprint, "Grid of the sprint", wanted)
        yield grid
        yield here.run(
            Job.FORECAST,
            "sprint_grid",
            grid.at,
            sprint,
            "Forecast with the sprint's grid",
            after=(grid.key,),
        )
        yield here.settlement(RULES[Target.SPRINT])
    if event.has(Target.QUALIFYING):
        yield here.settlement(RULES[Target.QUALIFYING])
    known = event.known[SessionKind.RACE]
    # What brings this result brings those of the races before it; what learns from it learns from those, too.
    yield here.run(
        Job.RESULTS,
        "",
        known + EXTRACT_MARGIN,
        known + RESULT_UNTIL,
        "Official result",
        {"wanted": "race"},
        group="results of races",
    )
    laps = here.run(
        Job.EXTRACT,
        SessionKind.RACE,
        known + EXTRACT_MARGIN,
        known + EXTRACT_UNTIL,
        "Laps of the race",
        {"session": SessionKind.RACE.value},
    )
    yield laps
    yield here.run(Job.STRATEGY, "", laps.at, known + EXTRACT_UNTIL, "Strategy parameters", after=(laps.key,))
    yield here.settlement(RULES[Target.RACE])
    # A correction is looked for in all that was sealed of the event.
    for number, at in enumerate(_mornings(known + EXTRACT_MARGIN, CORRECTION_DAYS), start=1):
        yield here.run(
            Job.SETTLE,
            f"correction-{number}",
            at,
            known + RESULT_UNTIL,
            "Settlement, if the result was corrected",
            group=f"{Job.SETTLE}:{event.event_id}:correction",
        )
    if settings.auto_retrain_enabled:
        yield here.run(
            Job.RETRAIN,
            "",
            known + EXTRACT_MARGIN,
            known + RESULT_UNTIL,
            "Challenger models",
            group="retraining after races",
        )


def _seals(here: _Weekend, settings: Settings) -> Iterator[PlannedRun]:
    for rules in RULES.values():
        if here.event.has_seal(rules.target):
            yield from _seals_of(here, settings, rules)


def _seals_of(here: _Weekend, settings: Settings, rules: TargetRules) -> Iterator[PlannedRun]:
    policy, minutes = settings.prediction_freeze_policy, settings.prediction_freeze_tminutes
    target, starts = rules.target, here.event.starts_by_name
    start, due = session_start(target, starts), due_at(policy, minutes, target, starts)
    assert start is not None and due is not None, "a target that the event has is in the calendar"
    stage = official_stage(policy, target)
    params = {"target": target.value, **({"stage": stage.value} if stage else {})}
    title = "Official seal" if target is Target.RACE else f"Official seal of {target.value}"
    yield here.run(Job.FREEZE, f"{target}:{stage or policy}", due, start, title, params)
    if Stage.PRE_RACE not in rules.stages:
        return
    # The seal with the final grid stands beside the official one; without a grid before the start there is none.
    yield here.run(
        Job.FREEZE,
        f"{target}:{Stage.PRE_RACE}",
        start - PRE_RACE_LEAD,
        start,
        "Seal with the starting grid" + ("" if target is Target.RACE else f" of the {target.value}"),
        {"target": target.value, "stage": Stage.PRE_RACE.value, "is_optional": "yes"},
    )


def _first_forecast(previous: AgendaEvent, event: AgendaEvent, settings: Settings) -> PlannedRun:
    """The forecast of an event as soon as the race before it is known, learned from and settled."""
    jobs = (Job.RESULTS, Job.RETRAIN) if settings.auto_retrain_enabled else (Job.RESULTS,)
    return _Weekend(event).run(
        Job.FORECAST,
        "",
        previous.known[SessionKind.RACE] + EXTRACT_MARGIN,
        event.starts[SessionKind.RACE],
        "First forecast of the event",
        after=tuple(f"{job}:{previous.event_id}" for job in jobs),
    )


def _mornings(since: dt.datetime, count: int) -> list[dt.datetime]:
    first = dt.datetime.combine(since.astimezone(dt.UTC).date(), MORNING)
    return [at for days in range(count + 1) if (at := first + days * DAY) > since][:count]


@dataclass(frozen=True)
class _Weekend:
    """Makes the runs of one event."""

    event: AgendaEvent
    start: dt.datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.event.starts[SessionKind.RACE])

    def settlement(self, rules: TargetRules) -> PlannedRun:
        """The score of a target's seals, once its result is there."""
        known = self.event.known[rules.session]
        is_race = rules.target is Target.RACE
        return self.run(
            Job.SETTLE,
            "" if is_race else rules.target.value,
            known + EXTRACT_MARGIN,
            known + RESULT_UNTIL,
            "Settlement" if is_race else f"Settlement of {rules.target.value}",
            {"target": rules.target.value},
        )

    def run(
        self,
        job: Job,
        name: str,
        at: dt.datetime,
        deadline: dt.datetime,
        title: str,
        params: Mapping[str, str] | None = None,
        *,
        after: tuple[str, ...] = (),
        group: str = "",
    ) -> PlannedRun:
        key = f"{job}:{self.event.event_id}" + (f":{name}" if name else "")
        given = {"event_id": self.event.event_id, **(params or {})}
        return PlannedRun(key, job, given, at, deadline, f"{title}, {self.event.name}", after, group or key)
