"""What the figures on the pages of drivers, teams and circuits mean: one definition each, shown beside the figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from warehouse.queries.samples import SMALL_SAMPLE_RACES

Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True)
class Definition:
    """One figure.

    Attributes:
        label: As a table or chart names it.
        unit: Unit of measure, empty for none; a ``share`` is shown in per cent.
        text: What it is and how it is made, for readers.
        better: Which direction is good.
        count: The column with the number of races (stops, cars, laps) it is of; empty where it is a count itself.
        decimals: To show.
    """

    label: str
    unit: str
    text: str
    better: Better = "neither"
    count: str = ""
    decimals: int = 2

    @property
    def title(self) -> str:
        """The label with its unit, for an axis."""
        return f"{self.label} [{self.unit}]" if self.unit and self.unit != "share" else self.label

    def number(self, value: float) -> str:
        """A value as people read it, without its unit; shares in per cent."""
        decimals = 2 if self.unit == "share" else self.decimals
        shown = round(value, decimals) + 0.0  # no minus before a nought
        return f"{shown:.0%}" if self.unit == "share" else f"{shown:.{self.decimals}f}"


SMALL_SAMPLE = (
    f"A figure of fewer than {SMALL_SAMPLE_RACES} races is marked as a small sample: it says little yet."
)
_LAPS = " From lap timing, 2018 on."
_PACE = (
    "Laps on slicks with a clear track; fuel, track evolution, compound, tyre age and a car close ahead "
    "are taken out by a fit of each race."
)

DRIVERS: Mapping[str, Definition] = MappingProxyType(
    {
        "qualifying_gap_teammate_pct": Definition(
            "Qualifying gap to team mate",
            "%",
            "Median over qualifyings of the best time against the team mate's in the last segment in which "
            "both set one; gaps beyond 7 % are left out. Negative is faster.",
            "lower",
            "count_qualifying_gaps",
        ),
        "count_qualifying_duels_won": Definition(
            "Qualifying duels won",
            "",
            "Qualifyings in which the driver was placed ahead of the team mate; both placed.",
            "higher",
            "count_qualifying_duels",
            0,
        ),
        "qualifying_gap_pct": Definition(
            "Qualifying gap to the fastest",
            "%",
            "Median over qualifyings of the best time against the fastest of all; gaps beyond 7 % are left "
            "out.",
            "lower",
            "count_qualifyings",
        ),
        "race_pace_pct": Definition(
            "Race pace",
            "% of a lap",
            "Median over races of the lap against the middle driver's. "
            + _PACE
            + " Negative is faster."
            + _LAPS,
            "lower",
            "count_pace_races",
        ),
        "race_pace_gap_teammate_pct": Definition(
            "Race-pace gap to team mate",
            "% of a lap",
            "Median over races of race pace less the team mate's. Negative is faster." + _LAPS,
            "lower",
            "count_pace_duels",
        ),
        "count_race_duels_won": Definition(
            "Race duels won",
            "",
            "Races in which the driver was placed ahead of the team mate; both classified.",
            "higher",
            "count_race_duels",
            0,
        ),
        "consistency_pct": Definition(
            "Consistency",
            "% of a lap",
            "Mean over races of the standard deviation of the laps around what fuel, tyres and traffic "
            "explain. Mistakes and trouble (beyond four times the race's usual scatter) are left out; a "
            "race needs 10 laps. Smaller is steadier." + _LAPS,
            "lower",
            "count_consistency_races",
        ),
        "consistency_vs_field_pct": Definition(
            "Consistency against the field",
            "% of a lap",
            "The same less the race's middle driver, so that windy or damp races do not count against "
            "anybody. Negative is steadier." + _LAPS,
            "lower",
            "count_consistency_races",
        ),
        "tyre_wear_vs_field_pct": Definition(
            "Tyre management",
            "% of a lap per lap",
            "What one lap more on the set costs the driver beyond what it costs the field on the same "
            "compound: the slope of the laps within stints once the field's wear is taken out, races "
            "weighted by how well they tell it. Negative is kinder to tyres. A leader who lifts at the end "
            "and a driver held up early look alike to it." + _LAPS,
            "lower",
            "count_wear_races",
            3,
        ),
        "overtakes_made_per_race": Definition(
            "Overtakes made per race",
            "",
            "Cars passed on track: pairs that changed order between two lap ends, on a lap green for both, "
            "from lap 2 on, neither car on an in- or out-lap, the passed car not slower than 107 % of the "
            "race's usual lap (a car in trouble is not overtaken). A car passed and passing back within a "
            "lap does not count." + _LAPS,
            "higher",
            "count_overtaking_races",
        ),
        "overtakes_suffered_per_race": Definition(
            "Overtakes suffered per race",
            "",
            "The same pairs, counted for the car that was passed." + _LAPS,
            "lower",
            "count_overtaking_races",
        ),
        "start_gain_places": Definition(
            "Start gains",
            "places",
            "Mean places gained on lap 1: place on the grid less place after lap 1, both among the cars "
            "that finished that lap; pit-lane starters stand last on the grid. Who starts first cannot "
            "gain." + _LAPS,
            "higher",
            "count_timed_starts",
        ),
        "pit_places_gained": Definition(
            "Places gained in the pits",
            "places per race",
            "Places gained while one car of a pair was on an in- or out-lap, less places lost so, over the "
            "whole race, against cars that were classified too. Over the field it sums to nothing." + _LAPS,
            "higher",
            "count_strategy_races",
        ),
        "wet_skill": Definition(
            "Wet skill",
            "Elo points per race",
            "Mean Elo points won in wet races less the mean in dry ones: how much more the driver beats "
            "expectation, car included, when it rains. A race is wet when more than 2 % of its laps were "
            "on intermediates or wets." + _LAPS,
            "higher",
            "count_wet_races",
            1,
        ),
        "points_per_race": Definition(
            "Points per race",
            "points",
            "Points of races per start; sprints are left out. Points systems differ between eras.",
            "higher",
            "count_races",
        ),
        "dnf_rate": Definition(
            "DNF rate",
            "share",
            "Share of starts that ended in retirement or without classification, whatever the cause; with "
            "its 95 % Wilson interval.",
            "lower",
            "count_races",
        ),
        "elo_change": Definition(
            "Elo won",
            "Elo points",
            "Elo points won less lost over these races; what winters take is left out.",
            "higher",
            "count_races",
            0,
        ),
    }
)

TEAMS: Mapping[str, Definition] = MappingProxyType(
    {
        "qualifying_gap_pct": Definition(
            "Car pace in qualifying",
            "%",
            "Median over qualifyings of the team's best time against the fastest of all.",
            "lower",
            "count_qualifyings",
        ),
        "race_pace_gap_pct": Definition(
            "Car pace in the race",
            "% of a lap",
            "Median over races of the race pace of the team's faster car against the fastest of all. "
            + _PACE
            + _LAPS,
            "lower",
            "count_pace_races",
        ),
        "mean_race_pace_rank": Definition(
            "Car-pace rank",
            "",
            "Mean over races of the team's rank by race pace." + _LAPS,
            "lower",
            "count_pace_races",
            1,
        ),
        "pit_time_vs_field_s": Definition(
            "Pit-stop efficiency",
            "s per stop",
            "Mean time in the pit lane against the mean of all stops of the race. Stops over 30 s beyond the "
            "race's fastest tenth (repairs, red flags) are left out of both. Negative is faster. Times of 1994 on.",
            "lower",
            "count_stops",
        ),
        "slow_stop_rate": Definition(
            "Slow stops",
            "share",
            "Share of these stops over 3 s beyond the race's median.",
            "lower",
            "count_stops",
        ),
        "pit_places_gained": Definition(
            "Strategy effectiveness",
            "places per car and race",
            "Places the team's cars gained, less those lost, while one car of a pair was on an in- or "
            "out-lap, against cars that were classified too: what the moment and the number of stops "
            "brought on the road. Fresh tyres that pay back later show as overtakes, cheap stops under a "
            "safety car count as what they are. Over the field it sums to nothing." + _LAPS,
            "higher",
            "count_strategy_cars",
        ),
        "reliability": Definition(
            "Reliability",
            "share",
            "Share of starts that did not end by a failure of the car (by the source's words; accidents "
            "and illness are not failures of the car); with its 95 % Wilson interval.",
            "higher",
            "count_starters",
        ),
        "dnf_rate": Definition(
            "DNF rate",
            "share",
            "Share of starts that ended in retirement or without classification, whatever the cause.",
            "lower",
            "count_starters",
        ),
        "points_per_race": Definition(
            "Points per race",
            "points",
            "Points of the team's cars per race; sprints are left out. Points systems differ between eras.",
            "higher",
            "count_races",
        ),
        "elo_change": Definition(
            "Elo won",
            "Elo points",
            "Elo points won less lost over these races; what winters take is left out.",
            "higher",
            "count_races",
            0,
        ),
    }
)

CIRCUITS: Mapping[str, Definition] = MappingProxyType(
    {
        "overtakes_per_race": Definition(
            "Overtakes per race",
            "",
            DRIVERS["overtakes_made_per_race"].text,
            "neither",
            "count_overtaking_races",
            1,
        ),
        "overtaking_difficulty": Definition(
            "Passing difficulty",
            "0 to 1",
            "Share of the other circuits where overtakes per 100 laps of a car are more frequent: 1 is the "
            "hardest place to overtake, 0 the easiest." + _LAPS,
            "neither",
            "count_overtaking_races",
        ),
        "grid_finish_correlation": Definition(
            "Grid decides",
            "-1 to 1",
            "Mean over races since 2010 of the rank correlation of grid and result among classified cars: "
            "1 when everybody finishes where he started.",
            "neither",
            "count_correlated_races",
        ),
        "pole_win_share": Definition(
            "Won from slot 1",
            "share",
            "Share of races won by who started first (not always who set pole).",
            "neither",
            "count_pole_races",
        ),
        "pit_loss_s": Definition(
            "Pit loss",
            "s",
            "Median time lost by a stop under green, with its quartiles: in-lap and out-lap against the "
            "median green laps of the stints before and after. All years of lap timing together, whatever "
            "the pit-lane speed limit." + _LAPS,
            "neither",
            "count_green_stops",
            1,
        ),
        "safety_car_rate": Definition(
            "Safety-car rate",
            "share",
            "Share of races with a safety car, with its 95 % Wilson interval." + _LAPS,
            "neither",
            "count_timed_races",
        ),
        "wet_rate": Definition(
            "Wet races",
            "share",
            "Share of races with more than 2 % of the laps on intermediates or wets, with its 95 % Wilson "
            "interval." + _LAPS,
            "neither",
            "count_timed_races",
        ),
        "recent_dnf_rate": Definition(
            "DNF rate since 2010",
            "share",
            "Share of starters since 2010 that retired or were not classified.",
            "neither",
            "count_recent_starters",
        ),
        "tyre_wear_pct": Definition(
            "Tyre wear",
            "% per lap",
            "What a lap more on a slick set costs, in % of a lap: mean over its compounds by laps, and over races. "
            + _PACE
            + _LAPS,
            "neither",
            "count_wear_races",
            3,
        ),
        "win_rate": Definition(
            "Wins by grid slot",
            "share",
            "Share of cars that started from the slot and won, with its 95 % Wilson interval.",
            "neither",
            "count_starts",
        ),
    }
)

RANKINGS: Mapping[str, Definition] = MappingProxyType(
    {
        "elo": Definition(
            "Elo",
            "Elo points",
            "A race is a tournament of all pairs: who finishes ahead beats the other, retirements last. A "
            "whole race moves a rating by at most 32; newcomers start at 1500, and between seasons drivers "
            "keep 80 % and teams 60 % of their distance from it. It rates driver and car together.",
            "higher",
            "count_events",
            0,
        ),
    }
)

DEFINITIONS: Mapping[str, Mapping[str, Definition]] = MappingProxyType(
    {"drivers": DRIVERS, "teams": TEAMS, "circuits": CIRCUITS, "rankings": RANKINGS}
)
"""Definitions by page and column of its queries."""
