"""The invented championship's people, places and race weekends: who is how fast, and what happened."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

TEAMS = {
    "aurora": ("ada-alm", "bo-berg"),
    "borealis": ("cy-calm", "di-dune"),
    "cobalt": ("ed-elm", "flo-fern"),
    "dynamo": ("gus-glen", "hal-holm"),
    "ember": ("ivy-isle", "jo-jura"),
}
RESERVE = "kit-kelp"
DRIVERS = (*(driver for pair in TEAMS.values() for driver in pair), RESERVE)
GRANDS_PRIX = {
    # grand prix: (name, full name, circuit, town, country)
    "lakeland": ("Lakeland", "Lakeland Grand Prix", "lake-ring", "Lakeside", "norland"),
    "harbour": ("Harbour", "Harbour Grand Prix", "harbour-street", "Port Grey", "norland"),
    "highmoor": ("Highmoor", "Highmoor Grand Prix", "moor-park", "Highmoor", "sudland"),
    "isle": ("Isle", "Isle Grand Prix", "isle-loop", "Cragness", "isle-republic"),
    "steppe": ("Steppe", "Steppe Grand Prix", "steppe-oval", "Grassgate", "ostland"),
    "vale": ("Vale", "Vale Grand Prix", "vale-park", "Valetown", "westland"),
    "dunes": ("Dunes", "Dunes Grand Prix", "dune-ring", "Sandhaven", "ostland"),
}
COUNTRIES = ("norland", "sudland", "isle-republic", "ostland", "westland")
LAPS, SPRINT_LAPS = 20, 8
LENGTH_KM = 5.0
POINTS = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
SPRINT_POINTS = (8, 7, 6, 5, 4, 3, 2, 1)


@dataclass
class Race:
    """One race weekend of the championship.

    Attributes:
        date: Day of the race; everything else of the weekend follows from it.
        is_held: Whether it has results.
        through: ``practice``, ``qualifying`` or ``grid``: what is known of a race that was not held yet; empty for nothing.
        entered: Constructor of each driver.
        disqualified: Drivers taken out of the race result.
        pit_lane: Drivers who start from the pit lane.
        absent: Drivers on the grid who did not start.
        stand_ins: Driver of first practice -> the one whose car it is.
        penalties: Grid places lost.
    """

    season: int
    grand_prix: str
    date: dt.date
    is_held: bool = True
    is_sprint: bool = False
    through: str = ""
    circuit: str = ""
    entered: dict[str, str] = field(
        default_factory=lambda: {driver: team for team, pair in TEAMS.items() for driver in pair}
    )
    disqualified: set[str] = field(default_factory=set)
    pit_lane: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    stand_ins: dict[str, str] = field(default_factory=dict)
    penalties: dict[str, int] = field(default_factory=dict)

    @property
    def event_id(self) -> str:
        return f"{self.season}-{self.grand_prix}"

    @property
    def circuit_id(self) -> str:
        return self.circuit or GRANDS_PRIX[self.grand_prix][2]

    def clock(self, session: str) -> tuple[dt.date, str]:
        """Day and start (UTC) of a session."""
        days, start = {
            "race": (0, "13:00"),
            "qualifying": (1, "14:00"),
            "sprint": (1, "10:00"),
            "sprint_qualifying": (2, "15:30"),
            "practice_1": (2, "11:30"),
            "practice_2": (2, "15:00"),
            "practice_3": (1, "10:30"),
        }[session]
        return self.date - dt.timedelta(days=days), start

    @property
    def sessions(self) -> list[str]:
        if self.is_sprint:
            return ["practice_1", "sprint_qualifying", "sprint", "qualifying", "race"]
        return ["practice_1", "practice_2", "practice_3", "qualifying", "race"]

    # --- what happened, drawn from the event's own seed: an inserted race changes nobody else's result -----------

    def order(self, what: str, noise: float) -> list[str]:
        rng = random.Random(f"{self.event_id}:{what}")
        pace = {driver: 0.25 * DRIVERS.index(driver) + rng.gauss(0, noise) for driver in self.entered}
        return sorted(pace, key=lambda driver: pace[driver])

    @property
    def qualifying(self) -> list[str]:
        return self.order("qualifying", 0.5)

    @property
    def grid(self) -> list[str]:
        places = {driver: place for place, driver in enumerate(self.qualifying)}
        moved = sorted(places, key=lambda d: places[d] + (self.penalties.get(d, -0.5) + 0.5))
        return [d for d in moved if d not in self.pit_lane] + [d for d in moved if d in self.pit_lane]

    @property
    def retired(self) -> set[str]:
        rng = random.Random(f"{self.event_id}:retired")
        return {driver for driver in self.entered if rng.random() < 0.1}

    @property
    def finish(self) -> list[str]:
        return [d for d in self.order("race", 0.8) if d not in self.retired and d not in self.absent]
