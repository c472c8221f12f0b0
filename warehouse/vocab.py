"""The common language: session kinds, stages, compounds, track status and the identity of an event.

Sources speak their own dialects; the words below are the only ones used to the right of staging.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum


class SessionKind(StrEnum):
    """A session of a race weekend."""

    PRACTICE_1 = "practice_1"
    PRACTICE_2 = "practice_2"
    PRACTICE_3 = "practice_3"
    PRACTICE_4 = "practice_4"
    QUALIFYING = "qualifying"
    SPRINT_QUALIFYING = "sprint_qualifying"
    SPRINT = "sprint"
    RACE = "race"

    @property
    def label(self) -> str:
        """The name people read, e.g. ``Practice 1``."""
        return self.value.replace("_", " ").capitalize()


PRACTICES = (SessionKind.PRACTICE_1, SessionKind.PRACTICE_2, SessionKind.PRACTICE_3, SessionKind.PRACTICE_4)


class Stage(StrEnum):
    """What a forecast may know; see :mod:`warehouse.stages` for the instant each one ends."""

    PRE_WEEKEND = "pre_weekend"
    PRE_QUALIFYING = "pre_qualifying"
    POST_QUALIFYING = "post_qualifying"
    PRE_RACE = "pre_race"

    @property
    def label(self) -> str:
        """The name people read, e.g. ``Pre-race``."""
        return {
            "pre_weekend": "Before the weekend",
            "pre_qualifying": "Before qualifying",
            "post_qualifying": "After qualifying",
            "pre_race": "Before the race",
        }[self.value]


class Target(StrEnum):
    """What is forecast."""

    RACE = "race"
    SPRINT = "sprint"
    QUALIFYING = "qualifying"


class ResultStatus(StrEnum):
    """How a driver's session ended.

    ``classified`` has a numeric position. The starters of a race are everyone but ``did_not_start``,
    ``did_not_qualify``, ``did_not_prequalify``, ``did_not_practice`` and ``excluded``.
    """

    CLASSIFIED = "classified"
    RETIRED = "retired"
    NOT_CLASSIFIED = "not_classified"
    DISQUALIFIED = "disqualified"
    DID_NOT_START = "did_not_start"
    DID_NOT_QUALIFY = "did_not_qualify"
    DID_NOT_PREQUALIFY = "did_not_prequalify"
    DID_NOT_PRACTICE = "did_not_practice"
    EXCLUDED = "excluded"


NON_STARTERS = (
    ResultStatus.DID_NOT_START,
    ResultStatus.DID_NOT_QUALIFY,
    ResultStatus.DID_NOT_PREQUALIFY,
    ResultStatus.DID_NOT_PRACTICE,
    ResultStatus.EXCLUDED,
)


class Compound(StrEnum):
    """A tyre compound as marked on the side wall (2018 had seven slick names)."""

    HYPERSOFT = "hypersoft"
    ULTRASOFT = "ultrasoft"
    SUPERSOFT = "supersoft"
    SOFT = "soft"
    MEDIUM = "medium"
    HARD = "hard"
    SUPERHARD = "superhard"
    INTERMEDIATE = "intermediate"
    WET = "wet"
    UNKNOWN = "unknown"


WET_COMPOUNDS = (Compound.INTERMEDIATE, Compound.WET)
WET_LAP_SHARE = 0.02
"""A race is wet when more than this share of its laps was driven on intermediates or wets."""


class TrackStatus(StrEnum):
    """A neutralisation of the track."""

    SAFETY_CAR = "safety_car"
    VIRTUAL_SAFETY_CAR = "virtual_safety_car"
    RED_FLAG = "red_flag"


class EventStatus(StrEnum):
    """State of an event in the calendar, as far as the facts reach."""

    HELD = "held"
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


def make_event_id(season: int, grand_prix_id: str) -> str:
    """The identity of an event: season and grand prix, e.g. ``2026-great-britain``.

    Round numbers move when a race is inserted or cancelled in mid-season; this name does not.
    """
    return f"{season}-{grand_prix_id}"


RACE_DATE_CORRECTIONS: dict[str, dt.date] = {
    # The source dates the Turkish Grand Prix of 2021 a week early; it was held on 10 October.
    "2021-turkey": dt.date(2021, 10, 10),
}
"""Race dates known to be wrong in the results source, by event, with the right one."""

EVENT_NAME_ALIASES: dict[str, str] = {
    "mexico city": "mexico",
    "mexico city grand prix": "mexico",
    "barcelona": "barcelona-catalunya",
    "barcelona grand prix": "barcelona-catalunya",
    "british": "great-britain",
    "britain": "great-britain",
    "uk": "great-britain",
    "united kingdom": "great-britain",
    "england": "great-britain",
    "usa": "united-states",
    "us": "united-states",
    "cota": "united-states",
    "holland": "netherlands",
    "imola": "emilia-romagna",
    "vegas": "las-vegas",
    "uae": "abu-dhabi",
    "saudi": "saudi-arabia",
}
"""Names that timing feeds and people use for a grand prix beside its own; all lower case."""


def feed_event_names(full_names: Mapping[str, str]) -> dict[str, str]:
    """The names timing feeds give their events, with the grand prix each one means.

    A feed's event is found by its whole name and in no other way: a likeness or a round number would mislabel it.

    Args:
        full_names: Full name of each grand prix, e.g. ``great-britain`` to ``British Grand Prix``.

    Returns:
        Grand prix by event name, in lower case.
    """
    names = {name.lower(): grand_prix for grand_prix, name in full_names.items()}
    return names | {
        alias: grand_prix for alias, grand_prix in EVENT_NAME_ALIASES.items() if alias.endswith("grand prix")
    }


CIRCUIT_LOCATION_ALIASES: dict[str, str] = {
    # The calendar of August 2026 puts the Bahrain Grand Prix in Malaysia and names the nearest city.
    "kuala lumpur": "sepang",
}
"""Places that the schedule names for a circuit where the results source names another; lower case."""
