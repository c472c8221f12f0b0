"""The agenda of an installation: planned anew whenever its published calendar changes."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Collection

from f1core.agenda import (
    DAY,
    DEMO_JOBS,
    LOOK_BACK,
    Job,
    PlannedRun,
    order,
    planned_runs,
    race_days,
)
from f1core.agenda_calendar import AgendaEvent, agenda_events, without_times
from f1core.installation import is_demo
from f1core.log import get_logger
from f1core.recurring import standing_runs
from f1core.workspace import Workspace
from warehouse.errors import WarehouseError
from warehouse.queries.events import calendar, session_calendar

WEEK = 8 * DAY
LOOK_AHEAD = 14 * DAY


class Plan:
    """What is planned when.

    Args:
        workspace: The installation; read for the calendar only.
        jobs: Kinds of runs; None for all that make sense here.

    Attributes:
        version: Fingerprint of what was planned from; None before the first look.
    """

    def __init__(self, workspace: Workspace, jobs: Collection[Job] | None = None) -> None:
        self.workspace = workspace
        self._jobs = jobs
        self.version: str | None = None
        self._events: list[AgendaEvent] = []
        self._wanted: frozenset[Job] = frozenset(Job)
        self._span: tuple[dt.datetime, dt.datetime] | None = None
        self._from_calendar: list[PlannedRun] = []
        self._recurring: list[PlannedRun] = []

    def events(self) -> list[AgendaEvent]:
        """The published calendar; none while there is no warehouse."""
        self.look()
        return self._events

    def unplannable(self, now: dt.datetime) -> list[str]:
        """Events to come that nothing can be planned for: the calendar has no times for them."""
        return without_times(self.events(), now)

    def planned(self, since: dt.datetime, until: dt.datetime) -> list[PlannedRun]:
        """Runs from the calendar, as it was looked at last, after ``since`` and not after ``until``, in order."""
        self._lay_out(since, until)
        return _between(self._from_calendar, since, until)

    def standing(self, since: dt.datetime, until: dt.datetime) -> list[PlannedRun]:
        """Recurring runs after ``since`` and not after ``until``, in order."""
        self._lay_out(since, until)
        return _between(self._recurring, since, until)

    def all(self, since: dt.datetime, until: dt.datetime) -> list[PlannedRun]:
        """Every run after ``since`` and not after ``until``, in order."""
        self.look()
        return sorted([*self.planned(since, until), *self.standing(since, until)], key=order)

    def current(self, now: dt.datetime, began: dt.datetime) -> list[PlannedRun]:
        """Runs whose instant has come: of each group the newest.

        Args:
            now: The present instant.
            began: When jobs first ran here. A day's worth of what recurs is made up for at that first start; what is weekly
                waits for its day.
        """
        self.look()
        newest = {run.group: run for run in self.planned(now - LOOK_BACK, now)}
        newest |= {run.group: run for run in self.standing(max(now - WEEK, began - DAY), now)}
        return list(newest.values())

    def look(self) -> None:
        """Plans anew when the published calendar has changed."""
        try:
            reader = self.workspace.reader
            version = reader.snapshot.id
            if version == self.version:
                return
            events = agenda_events(calendar(reader), session_calendar(reader))
        except WarehouseError as error:
            if self.version != "":
                get_logger(__name__).warning("no_calendar", error=str(error))
            version, events = "", []
        here = DEMO_JOBS if is_demo(self.workspace.settings) else frozenset(Job)
        wanted = here if self._jobs is None else frozenset(self._jobs)
        # Most of what is published leaves the calendar as it was: what was laid out then stands.
        if (events, wanted) != (self._events, self._wanted):
            self._events, self._wanted, self._span = events, wanted, None
        self.version = version

    def _lay_out(self, since: dt.datetime, until: dt.datetime) -> None:
        """Plans some weeks around an instant, once for each calendar: every look at the agenda asks for a part of it."""
        if self._span is not None and self._span[0] <= since and until <= self._span[1]:
            return
        first, last = self._span = (
            min(since, until - LOOK_BACK) - LOOK_AHEAD - DAY,
            until + LOOK_AHEAD + DAY,
        )
        runs = planned_runs(self._events, self.workspace.settings, since=first, until=last)
        recurring = standing_runs(first, last, race_days(self._events))
        self._from_calendar = [run for run in runs if run.job in self._wanted]
        self._recurring = [run for run in recurring if run.job in self._wanted]


def _between(runs: list[PlannedRun], since: dt.datetime, until: dt.datetime) -> list[PlannedRun]:
    first = bisect_right(runs, since, key=lambda run: run.at)
    return runs[first : bisect_right(runs, until, key=lambda run: run.at)]
