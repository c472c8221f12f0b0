"""When the demo's sessions take place: twelve weekends a season, four weeks apart, laid around a day.

The day the demo was first made is its anchor: the seventh race of the season then running follows it within days. From
then on the calendar stands still and time goes by: what was forecast and sealed is raced later and can be settled.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from f1core.demo.names import CIRCUITS, Circuit
from warehouse.vocab import SessionKind, make_event_id

RACES = len(CIRCUITS)
HELD_AT_FIRST = 6
"""Races of the running season that are over on the anchor day."""
SPACING = dt.timedelta(days=28)
LEAD = dt.timedelta(days=3)
"""The least time from the anchor day to the coming race: its weekend has not begun."""
SPRINT_ROUNDS = (2, 6, 10)
COMING = 3
"""Races that are always still to come."""

RACE, SPRINT = SessionKind.RACE, SessionKind.SPRINT
_WEEKEND = (
    # session, days before the race, hours after the race's time of day
    (SessionKind.PRACTICE_1, 2, -1.5),
    (SessionKind.PRACTICE_2, 2, 2.0),
    (SessionKind.PRACTICE_3, 1, -2.5),
    (SessionKind.QUALIFYING, 1, 1.0),
    (RACE, 0, 0.0),
)
_SPRINT_WEEKEND = (
    (SessionKind.PRACTICE_1, 2, -1.5),
    (SessionKind.SPRINT_QUALIFYING, 2, 2.5),
    (SPRINT, 1, -3.0),
    (SessionKind.QUALIFYING, 1, 1.0),
    (RACE, 0, 0.0),
)
# As the warehouse sees it (warehouse/sql/marts/sessions.sql); its longer times of before 2021 make no difference here.
_MINUTES = {RACE: 180, SessionKind.SPRINT_QUALIFYING: 45}
_GRID_BEFORE = dt.timedelta(minutes=60)


@dataclass(frozen=True)
class Weekend:
    """One race weekend of the calendar.

    Attributes:
        season: The season's name, a year.
        index: The season's number, from 0.
        round: Place in the season, from 1.
        race_date: Day of the race (UTC).
    """

    season: int
    index: int
    round: int
    race_date: dt.date

    @property
    def circuit(self) -> Circuit:
        """Where it is held."""
        return CIRCUITS[self.round - 1]

    @property
    def event_id(self) -> str:
        """Identity, as the warehouse makes it."""
        return make_event_id(self.season, self.circuit.grand_prix_id)

    @property
    def is_sprint(self) -> bool:
        """Whether there is a sprint."""
        return self.round in SPRINT_ROUNDS

    def starts(self) -> dict[SessionKind, dt.datetime]:
        """Start of every session (UTC), in order."""
        race = dt.datetime.combine(self.race_date, dt.time.fromisoformat(self.circuit.start), dt.UTC)
        return {
            session: race - dt.timedelta(days=days) + dt.timedelta(hours=hours)
            for session, days, hours in (_SPRINT_WEEKEND if self.is_sprint else _WEEKEND)
        }

    def known(self, now: dt.datetime) -> frozenset[str]:
        """Sessions whose result can be known; ``race grid`` and ``sprint grid`` are known before their sessions."""
        found = set()
        for session, start in self.starts().items():
            if start + dt.timedelta(minutes=_MINUTES.get(session, 60)) <= now:
                found.add(session.value)
            if session in (RACE, SPRINT) and start - _GRID_BEFORE <= now:
                found.add(f"{session.value} grid")
        return frozenset(found)


@dataclass(frozen=True)
class Calendar:
    """All weekends of the demo.

    Attributes:
        anchor: The day it is laid around.
        seasons_before: Seasons before the one that runs on that day.
        seasons_after: Seasons after it.
    """

    anchor: dt.date
    seasons_before: int
    seasons_after: int = 0

    @property
    def _first_friday(self) -> dt.date:
        soonest = self.anchor + LEAD
        coming = soonest + dt.timedelta(days=(6 - soonest.weekday()) % 7)
        return coming - HELD_AT_FIRST * SPACING - dt.timedelta(days=2)

    @property
    def seasons(self) -> range:
        """Names of the seasons: the year in which each begins."""
        running = self._first_friday.year
        return range(running - self.seasons_before, running + self.seasons_after + 1)

    def weekends(self) -> list[Weekend]:
        """Every weekend, in order."""
        return [
            Weekend(season, index, number + 1, self._friday(season) + dt.timedelta(days=2) + number * SPACING)
            for index, season in enumerate(self.seasons)
            for number in range(RACES)
        ]

    def coming(self, now: dt.datetime) -> list[Weekend]:
        """Weekends whose race is not over."""
        return [weekend for weekend in self.weekends() if RACE.value not in weekend.known(now)]

    def sessions_known(self, now: dt.datetime) -> int:
        """How much is known: changes exactly when there is something new."""
        return sum(len(weekend.known(now)) for weekend in self.weekends())

    def reaching(self, now: dt.datetime) -> Calendar:
        """The same calendar with as many more seasons as it takes to have races to come."""
        calendar = self
        while len(calendar.coming(now)) < COMING:
            calendar = Calendar(calendar.anchor, calendar.seasons_before, calendar.seasons_after + 1)
        return calendar

    def _friday(self, season: int) -> dt.date:
        """First day of a season: the Friday nearest to the same date of the running one's, never of the year before."""
        first = self._first_friday
        if season == first.year:
            return first
        day = min(first.day, 28) if first.month == 2 else first.day
        same = dt.date(season, first.month, day)
        away = (4 - same.weekday() + 3) % 7 - 3
        friday = same + dt.timedelta(days=away)
        return friday if friday.year >= season else friday + dt.timedelta(days=7)
