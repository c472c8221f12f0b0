"""What must happen for a title, in words: the exact arithmetic of the points rules, read out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from f1core.championship import CARS
from f1core.championship_inputs import Remaining, remaining_events
from models.points_rules import points_rules
from models.title_arithmetic import Arithmetic, Contender, Decision, Margin, title_arithmetic
from warehouse.queries.championship import title_odds
from warehouse.queries.events import calendar
from warehouse.reader import Reader

LISTED = 6
"""Names that are listed; of more the number is told."""
ORDINALS = {1: "first", 2: "second", 3: "third"}


@dataclass(frozen=True)
class Outlook:
    """What must happen after a round.

    Attributes:
        arithmetic: The same as data.
        next_event: The event that comes next; None after the last.
        sentences: In words, the most important first.
    """

    arithmetic: Arithmetic
    next_event: Remaining | None
    sentences: tuple[str, ...]


def what_must_happen(reader: Reader, event_id: str, championship: str) -> Outlook | None:
    """What must happen after an event with stored odds; None when there are none."""
    season = int(event_id[:4])
    rows = title_odds(reader, season, championship)
    now = rows.filter(pl.col("event_id") == event_id)
    if now.is_empty():
        return None
    events = calendar(reader, season)
    event = events.filter(pl.col("event_id") == event_id).row(0, named=True)
    raced = set(rows.filter(pl.col("known_at") <= now["known_at"][0])["event_id"])
    left = remaining_events(events, event, points_rules(season), raced)
    contenders = [
        Contender(row["entity_id"], row["points"], tuple(int(count) for count in row["places"].split()))
        for row in now.iter_rows(named=True)
    ]
    rules = points_rules(season)
    found = title_arithmetic(contenders, [one.round for one in left], rules, cars=CARS[championship])
    names = dict(now.select("entity_id", "name").iter_rows())
    return Outlook(found, left[0] if left else None, sentences(found, left, names, championship))


def sentences(
    found: Arithmetic, left: Sequence[Remaining], names: Mapping[str, str], championship: str
) -> tuple[str, ...]:
    """The arithmetic in words.

    Args:
        found: The arithmetic.
        left: Events to come.
        names: What people call everybody.
        championship: ``drivers`` or ``constructors``.
    """
    if found.champion:
        who = names[found.champion]
        more = "nobody can catch up any more" if left else "the season is over"
        return (f"{who} has won the title: {more}.",)
    alive = [names[one] for one in found.alive]
    if not left:
        return (f"The season is over, and {_listed(alive)} are level to the last place.",)
    rest = f"{len(left)} {'round' if len(left) == 1 else 'rounds'}"
    told = [
        f"{_listed(alive)} can still be champion: at most {found.points_left} points are left in {rest}."
        if len(alive) <= LISTED
        else f"{len(alive)} {championship} can still be champion: at most {found.points_left} points are left in {rest}."
    ]
    if found.leader_needs is not None:
        told.append(
            f"{alive[0]} leads and needs {_number(found.leader_needs)} more points to be champion whatever the others do."
        )
    coming = left[0].name
    if not found.event:
        told.append(f"The title cannot be decided at the {coming}.")
    for where, decisions in (
        (f"in the sprint of the {coming}", found.sprint),
        (f"at the {coming}", found.event),
    ):
        told += [_decision(one, where, names, championship) for one in decisions]
    return tuple(told)


def as_data(outlook: Outlook) -> dict[str, Any]:
    """The outlook as plain data, for the API and downloads."""

    def decisions(found: Sequence[Decision]) -> list[dict[str, Any]]:
        return [
            {
                "entity_id": one.entity_id,
                "sure_place": one.sure_place,
                "margins": [
                    {
                        "rival_id": margin.rival,
                        "points": margin.points,
                        "level_points": margin.level_points,
                        "level_places": list(margin.level_places),
                    }
                    for margin in one.margins
                ],
            }
            for one in found
        ]

    found = outlook.arithmetic
    return {
        "champion_id": found.champion,
        "can_be_champion": list(found.alive),
        "points_left": found.points_left,
        "leader_needs": found.leader_needs,
        "next_event_id": None if outlook.next_event is None else outlook.next_event.event_id,
        "decided_in_sprint_if": decisions(found.sprint),
        "decided_at_event_if": decisions(found.event),
        "sentences": list(outlook.sentences),
    }


def _decision(one: Decision, where: str, names: Mapping[str, str], championship: str) -> str:
    pronoun = "he" if championship == "drivers" else "it"
    who = names[one.entity_id]
    if not one.margins:
        return f"{who} is champion {where} whatever happens there."
    told = f"{who} is champion {where} if {pronoun} {_listed([_margin(m, names) for m in one.margins])}."
    if one.sure_place == 1:
        told += " A win is enough whatever the others do."
    elif one.sure_place:
        told += f" {_ordinal(one.sure_place).capitalize()} or better is enough whatever the others do."
    return told


def _margin(margin: Margin, names: Mapping[str, str]) -> str:
    rival, points = names[margin.rival], margin.points
    if points > 0:
        words = f"outscores {rival} by {_points(points)} or more"
    elif points == 0:
        words = f"scores no less than {rival}"
    else:
        words = f"is not outscored by {rival} by more than {_points(-points)}"
    if margin.level_points is not None and margin.level_points != points:
        words += f" ({_level(margin.level_points)} is enough when {_ranges(margin.level_places)})"
    elif margin.level_points is not None:
        words += f", being {_ranges(margin.level_places)}"
    return words


def _level(points: float) -> str:
    if points == 0:
        return "the same score"
    return f"{_number(abs(points))} {'more' if points > 0 else 'fewer'}"


def _ordinal(place: int) -> str:
    return ORDINALS.get(place, f"{place}th")


def _ranges(places: Sequence[int]) -> str:
    """Places in words, those in a row as a range: ``first or third to 10th``."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return " or ".join(
        _ordinal(run[0]) if len(run) == 1 else f"{_ordinal(run[0])} to {_ordinal(run[-1])}" for run in runs
    )


def _points(points: float) -> str:
    return f"{_number(points)} {'point' if points == 1 else 'points'}"


def _number(points: float) -> str:
    return f"{points:.0f}" if float(points).is_integer() else f"{points:.1f}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
