"""Finds the event people mean among the names of all events: plain rows in, an event id out.

Only the standard library and the vocabulary are needed, so that the JSON API answers without an engine. Rows are those of
:func:`warehouse.queries.events.event_names`, one per event, in order of the race's start.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from warehouse.errors import AmbiguousEvent, UnknownEvent
from warehouse.vocab import EVENT_NAME_ALIASES, EventStatus

EventRow = Mapping[str, Any]
"""One event: ``event_id, season, round, race_starts_at, result_known_at`` [UTC, aware], ``status`` and every name it has."""

_FILLER = {"grand", "prix", "gp", "the", "of", "circuit", "formula", "1", "f1"}
_EVENT_ID = re.compile(r"^(\d{4})[- ](.+)$")
_GRAND_PRIX_COLUMNS = ("grand_prix_id", "grand_prix_name", "full_name", "short_name")
_NAME_COLUMNS = (
    *_GRAND_PRIX_COLUMNS,
    "circuit_id",
    "circuit_name",
    "circuit_full_name",
    "place_name",
)
_WEAK_COLUMNS = ("grand_prix_country", "country_name")
# Two races may share a circuit that bears the name of one of them (2020: Bahrain and Sakhir): the grand prix goes first.
_SEARCHES = (
    (("event_id", *_GRAND_PRIX_COLUMNS), True),
    (_NAME_COLUMNS, True),
    (_NAME_COLUMNS, False),
    (_WEAK_COLUMNS, True),
    (_WEAK_COLUMNS, False),
)


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """Lower case, no accents, words by single blanks, without ``Grand Prix``: how names are compared."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    kept = [word for word in words if word not in _FILLER]
    return " ".join(kept or words)


def season_of(names: Sequence[EventRow], now: dt.datetime) -> int:
    """The season that is meant when none is named: the clock's year, or the nearest one in the calendar."""
    seasons = sorted({row["season"] for row in names})
    within = [season for season in seasons if season <= now.year]
    return int(within[-1] if within else seasons[0])


def find_event(names: Sequence[EventRow], name: str, *, year: int | None = None, now: dt.datetime) -> str:
    """Finds the event a name means.

    Args:
        names: All events.
        name: ``Abu Dhabi``, ``abu-dhabi``, ``Yas Marina``, ``Brazil``, ``24``, ``next``, ``last``, ``2025-abu-dhabi``.
        year: Season of the event; without it the clock's season.
        now: Says what is next, last and now (aware).

    Returns:
        The event id.

    Raises:
        UnknownEvent: Nothing answers to the name; the message suggests what does.
        AmbiguousEvent: Several events answer; the message lists them.
    """
    if not names:
        raise UnknownEvent("The calendar is empty.", hint="Run `python -m jobs ingest` first.")
    text = name.strip()
    if not text:
        raise UnknownEvent("No race was named.", hint="Try `next`, `last`, a name or a round.")
    if normalise(text) in ("next", "last") and year is None:
        return _relative(names, normalise(text), now)
    dated = _EVENT_ID.match(text)
    if dated and year is None:
        year, text = int(dated.group(1)), dated.group(2)
    season = year if year is not None else season_of(names, now)
    rows = [row for row in names if row["season"] == season]
    if not rows:
        seasons = [row["season"] for row in names]
        raise UnknownEvent(
            f"There is no season {season}.", hint=f"Seasons go from {min(seasons)} to {max(seasons)}."
        )
    if normalise(text) in ("next", "last"):
        return _relative(rows, normalise(text), now)
    if re.fullmatch(r"#?\d{1,2}", text):
        return _by_round(rows, int(text.lstrip("#")), season)
    return _by_name(names, rows, text, season)


def coming_events(names: Sequence[EventRow], now: dt.datetime) -> list[EventRow]:
    """Events whose race is not over and not cancelled, the nearest first."""
    ahead = [
        row for row in names if row["result_known_at"] > now and row["status"] != EventStatus.CANCELLED.value
    ]
    return sorted(ahead, key=lambda row: row["race_starts_at"])


def _relative(rows: Sequence[EventRow], which: str, now: dt.datetime) -> str:
    if which == "next":
        ahead = coming_events(rows, now)
        if not ahead:
            raise UnknownEvent(
                "The calendar has no race to come: the season is over.", hint="Name a race of a past season."
            )
        return str(ahead[0]["event_id"])
    over = [row for row in rows if row["result_known_at"] <= now]
    if not over:
        raise UnknownEvent("No race has been held yet.", hint="Name a race, or give another --year.")
    return str(max(over, key=lambda row: row["race_starts_at"])["event_id"])


def _by_round(rows: Sequence[EventRow], round_: int, season: int) -> str:
    for row in rows:
        if row["round"] == round_:
            return str(row["event_id"])
    raise UnknownEvent(
        f"Season {season} has no round {round_}.",
        hint=f"It has rounds 1 to {max(row['round'] for row in rows)}.",
    )


def _by_name(names: Sequence[EventRow], rows: Sequence[EventRow], text: str, season: int) -> str:
    wanted = normalise(text)
    wanted = normalise(EVENT_NAME_ALIASES.get(wanted, EVENT_NAME_ALIASES.get(text.strip().lower(), wanted)))
    for columns, exact in _SEARCHES:
        found = [
            row
            for row in rows
            if any(_answers(candidate, wanted, exact) for candidate in _candidates(row, columns))
        ]
        if len(found) == 1:
            return str(found[0]["event_id"])
        if found:
            listed = ", ".join(f"{row['grand_prix_name']} ({row['event_id']})" for row in found)
            raise AmbiguousEvent(
                f"'{text}' may be {listed} in {season}.", hint="Name the grand prix or the circuit."
            )
    raise UnknownEvent(
        f"No race of {season} is called '{text}'.", hint=_suggestion(names, rows, wanted, season)
    )


def _candidates(row: EventRow, columns: tuple[str, ...]) -> list[str]:
    found = [normalise(str(row[column])) for column in columns if row[column]]
    if "circuit_name" in columns and row["previous_names"]:
        found += [normalise(part) for part in str(row["previous_names"]).split(";")]
    return found


def _answers(candidate: str, wanted: str, exact: bool) -> bool:
    if exact:
        return candidate == wanted
    # A part of a name counts from four letters on, and only whole words from the start: "silver" for "silverstone".
    return len(wanted) >= 4 and f" {candidate}".find(f" {wanted}") >= 0


def _suggestion(names: Sequence[EventRow], rows: Sequence[EventRow], wanted: str, season: int) -> str:
    pool: dict[str, str] = {}
    for row in rows:
        for candidate in _candidates(row, (*_NAME_COLUMNS, *_WEAK_COLUMNS)):
            pool.setdefault(candidate, str(row["grand_prix_name"]))
    close = difflib.get_close_matches(wanted, pool, n=6, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(dict.fromkeys(pool[name] for name in close)) + "?"
    elsewhere = [
        row["season"]
        for row in names
        if any(_answers(candidate, wanted, True) for candidate in _candidates(row, _NAME_COLUMNS))
    ]
    if elsewhere:
        return f"It was last held in {max(elsewhere)}: try --year {max(elsewhere)}."
    return f"Races of {season}: " + ", ".join(str(row["grand_prix_name"]) for row in rows) + "."
