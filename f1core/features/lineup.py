"""Who is expected to start, as far as it was known before the cut-off."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from f1core.features.facts import FeatureFacts
from f1core.features.view import Entry
from warehouse.errors import NotReady
from warehouse.stages import TARGET_SESSION, qualifying_session
from warehouse.vocab import PRACTICES, SessionKind, Stage, Target


@dataclass(frozen=True)
class Lineup:
    """The field of an event.

    Attributes:
        entries: Drivers and cars, ordered by driver.
        source: grid, qualifying, practice or last_race: what it was read from.
    """

    entries: tuple[Entry, ...]
    source: str


def expected_lineup(
    facts: FeatureFacts, event_id: str, stage: Stage, as_of: dt.datetime, target: Target = Target.RACE
) -> Lineup:
    """The field by the newest evidence the stage may use: grid, qualifying, practice, else the last race.

    A sprint's field comes from the sprint's own grid and qualifying.

    A practice session may have stand-ins (first practice above all), so a regular driver of the last race stays in as
    long as his constructor has fewer cars in the newest session than it entered in that race.

    Raises:
        NotReady: Nothing is known of any field: the first race of all.
    """
    if stage is Stage.PRE_RACE:
        found = _session(facts, "grids", event_id, TARGET_SESSION[target], as_of)
        if found:
            return Lineup(_ordered(found), "grid")
    if stage in (Stage.PRE_RACE, Stage.POST_QUALIFYING):
        session = qualifying_session(facts.starts_at.get(event_id, {}), target)
        found = _session(facts, "qualifyings", event_id, session, as_of)
        if found:
            return Lineup(_ordered(found), "qualifying")
    before = _last_race(facts, as_of)
    if stage is not Stage.PRE_WEEKEND:
        for session in reversed(PRACTICES):
            found = _session(facts, "practices", event_id, session, as_of)
            if found:
                if session is SessionKind.PRACTICE_1:
                    found = _without_stand_ins(found, before)
                return Lineup(_ordered(_with_regulars(found, before)), "practice")
    if not before:
        raise NotReady(f"No field is known for {event_id}: no race was held before.")
    return Lineup(_ordered(before), "last_race")


def _session(
    facts: FeatureFacts, table: str, event_id: str, session: SessionKind, as_of: dt.datetime
) -> dict[str, str]:
    seen = facts.seen(table, as_of)
    rows = seen.rows(event_id=event_id, session=session.value)
    return dict(
        zip(
            map(str, seen.column("driver_id", rows)),
            map(str, seen.column("constructor_id", rows)),
            strict=True,
        )
    )


def _last_race(facts: FeatureFacts, as_of: dt.datetime) -> dict[str, str]:
    seen = facts.seen("starts", as_of)
    if seen.end == 0:
        return {}
    event = seen.column("event_id", np.array([seen.end - 1]))[0]
    rows = seen.rows(event_id=event)
    return dict(
        zip(
            map(str, seen.column("driver_id", rows)),
            map(str, seen.column("constructor_id", rows)),
            strict=True,
        )
    )


def _cars(field: dict[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for team in field.values():
        counts[team] = counts.get(team, 0) + 1
    return counts


def _without_stand_ins(found: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """First practice: where a team's regular is absent, its driver who did not race last time makes room for him."""
    regulars = {
        driver: team for driver, team in before.items() if driver not in found and team in found.values()
    }
    kept = dict(found)
    for driver, team in sorted(regulars.items()):
        stand_ins = sorted(d for d, t in kept.items() if t == team and d not in before)
        if stand_ins:
            del kept[stand_ins[0]]
            kept[driver] = team
    return kept


def _with_regulars(found: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """Regulars of a team that ran fewer cars than in the last race (a car that never left the garage)."""
    wanted, have = _cars(before), _cars(found)
    kept = dict(found)
    for driver, team in sorted(before.items()):
        if driver not in kept and team in have and have[team] < wanted[team]:
            kept[driver] = team
            have[team] += 1
    return kept


def _ordered(field: dict[str, str]) -> tuple[Entry, ...]:
    return tuple(Entry(driver, team) for driver, team in sorted(field.items()))
