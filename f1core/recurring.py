"""Runs that recur: at which hours of which days, in UTC, so that summer time changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from f1core.agenda import DAY, Job, PlannedRun, order


@dataclass(frozen=True)
class Standing:
    """A run that recurs.

    Attributes:
        job: The kind of run.
        title: What people read.
        hours: Hours of the day (UTC).
        minute: Minute of the hour.
        weekday: Day of the week, Monday is 0; None for every day.
        race_day_hours: Hours on the day of a race; None: as on other days.
    """

    job: Job
    title: str
    hours: tuple[int, ...]
    minute: int = 0
    weekday: int | None = None
    race_day_hours: tuple[int, ...] | None = None

    def instants(
        self, since: dt.datetime, until: dt.datetime, race_days: set[dt.date]
    ) -> Iterator[dt.datetime]:
        """Its instants after ``since`` and not after ``until``."""
        day = since.astimezone(dt.UTC).date()
        while day <= until.astimezone(dt.UTC).date():
            if self.weekday is None or day.weekday() == self.weekday:
                hours = self.race_day_hours if self.race_day_hours and day in race_days else self.hours
                for hour in hours:
                    instant = dt.datetime.combine(day, dt.time(hour, self.minute), dt.UTC)
                    if since < instant <= until:
                        yield instant
            day += DAY


SIX_HOURLY = (0, 6, 12, 18)
STANDING = (
    Standing(Job.CALENDAR, "Calendar", (0,)),
    Standing(Job.F1DB_CHECK, "F1DB release", SIX_HOURLY),
    Standing(Job.LINEUP, "Line-up changes", SIX_HOURLY),
    Standing(Job.FULL_SEASON, "Full season", (2,), weekday=6),
    Standing(Job.RESULTS, "Results and standings", (6,)),
    Standing(Job.WEATHER, "Weather forecast", SIX_HOURLY, race_day_hours=tuple(range(24))),
    Standing(Job.FORECAST, "Forecasts of the coming events", SIX_HOURLY),
    Standing(Job.BACKFILL, "Older sessions", SIX_HOURLY, minute=30),
    Standing(Job.MAINTENANCE, "Tidying the warehouse", (3,), weekday=0),
    Standing(Job.BACKTEST, "Backtest of all test seasons", (4,), minute=15),
)


def standing_runs(
    since: dt.datetime, until: dt.datetime, race_days: Iterable[dt.date] = ()
) -> list[PlannedRun]:
    """Recurring runs after ``since`` and not after ``until``.

    Args:
        since: From here (aware).
        until: To here (aware).
        race_days: Days (UTC) on which weather is looked at every hour.
    """
    days = set(race_days)
    return sorted(
        (
            PlannedRun(f"{one.job}@{at:%Y-%m-%dT%H:%MZ}", one.job, {}, at, None, one.title, group=one.job)
            for one in STANDING
            for at in one.instants(since, until, days)
        ),
        key=order,
    )
