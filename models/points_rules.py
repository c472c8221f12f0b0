"""How championship points are given: the rules of each season as data, from 2010 on.

Races that were stopped early gave fewer points (Belgium 2021); that is in their results and no rule for races to come.
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.errors import NotReady

FIRST_SEASON = 2010
"""Earlier seasons counted other points, some of them only the best results."""
RACE_POINTS = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
FASTEST_LAP_PLACES = 10
"""The fastest lap counts for a driver who finishes in the first ten."""


@dataclass(frozen=True)
class PointsRules:
    """Points of one season. A constructor scores what both its cars score.

    Attributes:
        season: The season.
        race: Points of the first, second, ... of a race.
        sprint: Points of a sprint; empty while there were none.
        fastest_lap: Points for the fastest lap of a race.
        last_race_factor: By how much the points of the season's last race are multiplied.
    """

    season: int
    race: tuple[int, ...] = RACE_POINTS
    sprint: tuple[int, ...] = ()
    fastest_lap: int = 0
    last_race_factor: int = 1

    def most(self, cars: int, *, is_sprint: bool, factor: int = 1) -> int:
        """The most points that one or two cars of an entrant can score at an event."""
        race = sum(self.race[:cars]) * factor + self.fastest_lap
        return race + (sum(self.sprint[:cars]) if is_sprint else 0)


def points_rules(season: int) -> PointsRules:
    """The rules of a season; a season that is not here yet is taken to be like the last one that is.

    Raises:
        NotReady: The season is before :data:`FIRST_SEASON`.
    """
    if season < FIRST_SEASON:
        raise NotReady(
            f"Points of the season {season} followed other rules.",
            hint=f"The championship is computed from {FIRST_SEASON} on.",
        )
    if season < 2021:
        sprint: tuple[int, ...] = ()
    elif season == 2021:
        sprint = (3, 2, 1)
    else:
        sprint = (8, 7, 6, 5, 4, 3, 2, 1)
    return PointsRules(
        season,
        sprint=sprint,
        fastest_lap=1 if 2019 <= season <= 2024 else 0,
        last_race_factor=2 if season == 2014 else 1,
    )
