"""Where the pace of the cars comes from; on its own, so that an address is read without loading the rest."""

from __future__ import annotations

from enum import StrEnum


class Basis(StrEnum):
    """Where the pace of the cars comes from."""

    PRE_RACE = "pre_race"
    """What was known before the start."""
    HINDSIGHT = "hindsight"
    """The laps of the race itself."""
