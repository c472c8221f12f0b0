"""The sporting rules of a plan, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COMPOUNDS = ("SOFT", "MEDIUM", "HARD", "INTERMEDIATE", "WET")
"""Compounds in the order of their codes."""

DRY_COMPOUNDS = COMPOUNDS[:3]

TYRE_CLASS = (0, 0, 0, 1, 2)
"""Class of every compound: 0 slick, 1 intermediate, 2 full wet."""


@dataclass(frozen=True, kw_only=True)
class RaceRules:
    """What a plan must keep to.

    Attributes:
        dry_compounds: Number of different dry compounds that must be used; holds in a dry race only.
        min_stops: Least number of stops, in any weather.
        max_stops: Most stops a plan may hold.
        set_life: Laps a set may run at most, used laps included, by compound.
        is_dry: Whether the race is dry.
    """

    dry_compounds: int = 2
    min_stops: int = 0
    max_stops: int = 8
    set_life: Mapping[str, int] = field(default_factory=dict)
    is_dry: bool = True


_SPECIAL: dict[tuple[int, str], RaceRules] = {
    (2023, "lusail"): RaceRules(set_life=dict.fromkeys(DRY_COMPOUNDS, 18)),
    (2025, "lusail"): RaceRules(set_life=dict.fromkeys(DRY_COMPOUNDS, 25)),
    (2025, "monaco"): RaceRules(min_stops=2),
}


def race_rules(season: int, circuit: str, is_dry: bool = True) -> RaceRules:
    """Rules of one race.

    Args:
        season: Year.
        circuit: Circuit's key.
        is_dry: Whether the race is dry.
    """
    rules = _SPECIAL.get((season, circuit), RaceRules())
    return RaceRules(
        dry_compounds=rules.dry_compounds,
        min_stops=rules.min_stops,
        max_stops=rules.max_stops,
        set_life=rules.set_life,
        is_dry=is_dry,
    )
