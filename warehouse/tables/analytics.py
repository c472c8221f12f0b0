"""Tables for analysts: what each driver and team did in a race, what a circuit is like, who ranks where.

They are made anew from the facts by every ingest and say what happened; no forecast reads them. They are not kept by
season: most questions are about a career, and one small file answers them fastest.
"""

from __future__ import annotations

from warehouse.tables.contract import (
    CONSTRUCTOR_ID,
    DRIVER_ID,
    EVENT_ID,
    KNOWN_AT,
    SEASON,
    Column,
    Table,
    required,
)

GROUP = "Analytics"
DNF_CAUSES = ("mechanical", "accident", "other")
SEGMENTS = ("q1", "q2", "q3", "single")
TIMED = "lap archive, 2018 on"
PARENTS = {
    "event_id": "events.event_id",
    "driver_id": "drivers.driver_id",
    "constructor_id": "constructors.constructor_id",
}


def _count(name: str, doc: str, **options: object) -> Column:
    return Column(name, "int", doc, minimum=0, **options)  # type: ignore[arg-type]


def _needed(name: str, doc: str, unit: str = "") -> Column:
    return required(name, "int", doc, minimum=0, unit=unit)


def _share(name: str, doc: str, source: str = "") -> Column:
    return Column(name, "float", doc, minimum=0, maximum=1, source=source)


DRIVER_RACE_METRICS = Table(
    "driver_race_metrics",
    "one row per event and driver in its qualifying or race result",
    ("event_id", "driver_id"),
    (
        EVENT_ID,
        SEASON,
        DRIVER_ID,
        CONSTRUCTOR_ID,
        required("is_starter", "bool", "Whether the driver took the start of the race."),
        Column("grid_position", "int", "Grid slot; missing from the pit lane or without a start.", minimum=1),
        Column("qualifying_position", "int", "Place in the classification of qualifying.", minimum=1),
        Column("position", "int", "Classified place in the race; missing when not classified.", minimum=1),
        required("points", "float", "Points scored in the race.", minimum=0),
        required("sprint_points", "float", "Points scored in the sprint of the weekend.", minimum=0),
        required("is_dnf", "bool", "Whether the driver started and retired or was not classified."),
        Column(
            "dnf_cause",
            "text",
            "Why, by the source's words: accident (collision, spin, damage of either), mechanical (the car), other "
            "(ill, withdrawn, unknown); missing when the driver finished.",
            allowed=DNF_CAUSES,
        ),
        Column("is_wet", "bool", "Whether the race was wet (`session_summaries.is_wet`).", source=TIMED),
        Column(
            "teammate_driver_id",
            "text",
            "The other driver of the same constructor in this event; of several the best placed in the race, then in "
            "qualifying.",
        ),
        Column("qualifying_gap_pct", "float", "Best time against the fastest; missing beyond 7 %.", unit="%"),
        Column(
            "qualifying_segment",
            "text",
            "Last segment in which both team mates set a time: the gap to the team mate is taken there, on the same track.",
            allowed=SEGMENTS,
        ),
        Column(
            "qualifying_gap_teammate_pct",
            "float",
            "Time in that segment against the team mate's; negative is faster, missing beyond 7 %.",
            unit="%",
        ),
        Column(
            "is_ahead_in_qualifying", "bool", "Whether placed ahead of the team mate in the classification."
        ),
        Column("is_ahead_in_race", "bool", "Whether placed ahead of the team mate; both classified."),
        Column(
            "race_pace_pct",
            "float",
            "Race pace: a lap against the middle driver's once fuel, tyres and traffic are taken out (slick, clear laps); "
            "negative is faster.",
            unit="% of a lap",
            source=TIMED,
        ),
        Column(
            "race_pace_error_pct", "float", "Its standard error.", unit="% of a lap", minimum=0, source=TIMED
        ),
        Column(
            "race_pace_gap_teammate_pct",
            "float",
            "Race pace against the team mate's; negative is faster.",
            unit="% of a lap",
            source=TIMED,
        ),
        Column(
            "consistency_pct",
            "float",
            "Standard deviation of the laps around what fuel, tyres and traffic explain; laps beyond four times the "
            "race's usual scatter (mistakes, trouble) left out; of 10 laps or more.",
            unit="% of a lap",
            minimum=0,
            source=TIMED,
        ),
        Column(
            "consistency_vs_field_pct",
            "float",
            "That against the race's middle driver; negative is steadier.",
            unit="% of a lap",
            source=TIMED,
        ),
        Column(
            "tyre_wear_vs_field_pct",
            "float",
            "Tyre management: what a lap more on the set costs beyond what it costs the field on the same compound, "
            "by the laps within stints; negative is kinder to tyres; of 15 laps or more.",
            unit="% of a lap per lap",
            source=TIMED,
        ),
        Column(
            "tyre_wear_error_pct",
            "float",
            "Its standard error.",
            unit="% of a lap per lap",
            minimum=0,
            source=TIMED,
        ),
        _needed("count_pace_laps", "Laps that pace, consistency and wear are made from.", "laps"),
        _count(
            "overtakes_made",
            "Cars passed on track: pairs that changed order from one lap's end to the next, on a lap that was green for "
            "both, from lap 2 on, neither car on an in- or out-lap, and the passed car not slower than 107 % of the race's "
            "median green lap (a car in trouble is not overtaken). Missing, like the columns up to the pit stops, where the "
            "feed's clock or lap count of the car cannot be trusted (`sql/analytics/ordered_laps.sql`).",
            source=TIMED,
        ),
        _count("overtakes_suffered", "The same pairs, counted for the car passed.", source=TIMED),
        _count("count_racing_laps", "Laps on which an overtake could count.", unit="laps", source=TIMED),
        Column(
            "start_gain_places",
            "int",
            "Places gained on lap 1: place on the grid less place after lap 1, both among the cars that finished that lap; "
            "pit-lane starters stand last on the grid, as they qualified.",
            unit="places",
            source=TIMED,
        ),
        Column(
            "pit_places_gained",
            "int",
            "Places gained while one car of a pair was on an in- or out-lap, less places lost so, against cars that were "
            "classified too, over the whole race.",
            unit="places",
            source=TIMED,
        ),
        _count("count_pit_stops", "Pit stops.", source="F1DB, from 1994"),
        Column("elo_change", "float", "Elo points won or lost in the race.", unit="Elo points"),
        KNOWN_AT,
    ),
    source="derived from results and laps",
    group=GROUP,
    parents={**PARENTS, "teammate_driver_id": "drivers.driver_id"},
    checks={
        "is_dnf = (dnf_cause is not null)": "every retirement has a cause, and nothing else has",
        "driver_id <> teammate_driver_id": "nobody is his own team mate",
        "(overtakes_made is null) = (overtakes_suffered is null)": "overtakes are counted both ways or not at all",
    },
)

TEAM_RACE_METRICS = Table(
    "team_race_metrics",
    "one row per event and constructor with a starter",
    ("event_id", "constructor_id"),
    (
        EVENT_ID,
        SEASON,
        CONSTRUCTOR_ID,
        _needed("count_starters", "Cars that started."),
        _needed("count_classified", "Cars that were classified."),
        _needed("count_mechanical_dnfs", "Cars out because the car failed."),
        _needed("count_accident_dnfs", "Cars out by an accident."),
        _needed("count_other_dnfs", "Cars out for another reason."),
        required("points", "float", "Points of its cars in the race.", minimum=0),
        required("sprint_points", "float", "Points of its cars in the sprint of the weekend.", minimum=0),
        Column("best_position", "int", "Best classified place.", minimum=1),
        Column("is_wet", "bool", "Whether the race was wet (`session_summaries.is_wet`).", source=TIMED),
        Column(
            "qualifying_gap_pct",
            "float",
            "Best time of its cars against the fastest of all.",
            unit="%",
            minimum=0,
        ),
        Column("qualifying_rank", "int", "Rank of the team by that gap.", minimum=1),
        Column(
            "race_pace_gap_pct",
            "float",
            "Car pace: race pace of its faster car against the fastest of all.",
            unit="% of a lap",
            minimum=0,
            source=TIMED,
        ),
        Column("race_pace_rank", "int", "Rank of the team by that gap.", minimum=1, source=TIMED),
        _needed("count_stops", "Pit stops with a usual time; see `pit_time_vs_field_s`."),
        Column(
            "pit_time_vs_field_s",
            "float",
            "Mean time in the pit lane against the mean of the race. Stops over 30 s beyond the race's fastest tenth "
            "(repairs, red flags) are left out of both. Negative is faster.",
            unit="s",
            source="F1DB, from 1994",
        ),
        _needed("count_slow_stops", "Of those, stops over 3 s beyond the race's median."),
        Column(
            "pit_places_gained",
            "int",
            "Strategy effectiveness: places its cars gained less those lost while one car of a pair was on an in- or "
            "out-lap (`driver_race_metrics.pit_places_gained`).",
            unit="places",
            source=TIMED,
        ),
        _needed("count_strategy_cars", "Cars that figure is summed over."),
        Column("elo_change", "float", "Elo points won or lost in the race.", unit="Elo points"),
        KNOWN_AT,
    ),
    source="derived from results, pit stops and laps",
    group=GROUP,
    parents={"event_id": "events.event_id", "constructor_id": "constructors.constructor_id"},
    checks={
        "count_slow_stops <= count_stops": "slow stops are stops",
        "count_classified + count_mechanical_dnfs + count_accident_dnfs + count_other_dnfs <= count_starters": (
            "a car ends one way"
        ),
    },
)

CIRCUIT_PROFILES = Table(
    "circuit_profiles",
    "one row per circuit that held a race",
    ("circuit_id",),
    (
        required("circuit_id", "text", "The circuit, e.g. `silverstone`."),
        _needed("count_races", "Races held, 1950 on."),
        required("first_season", "int", "Season of the first.", minimum=1950),
        required("last_season", "int", "Season of the last.", minimum=1950),
        _needed("count_starters", "Starters of these races."),
        _share("dnf_rate", "Share of starters that retired or were not classified."),
        _needed("count_recent_starters", "Starters of races since 2010."),
        _share("recent_dnf_rate", "The same share since 2010."),
        _needed("count_pole_races", "Races in which somebody started first."),
        _share("pole_win_share", "Share of these won from the first slot."),
        _needed("count_correlated_races", "Races since 2010 that `grid_finish_correlation` is the mean of."),
        Column(
            "grid_finish_correlation",
            "float",
            "Mean over races since 2010 of the rank correlation of grid and result among classified cars.",
            minimum=-1,
            maximum=1,
        ),
        _needed("count_timed_races", "Races with lap timing (2018 on)."),
        _needed("count_overtaking_races", "Of those, races whose laps let overtakes be counted."),
        Column("overtakes_per_race", "float", "Overtakes per race on green laps.", minimum=0, source=TIMED),
        Column(
            "overtakes_per_100_laps",
            "float",
            "Overtakes per 100 laps of a car on which one could count.",
            minimum=0,
            source=TIMED,
        ),
        _share(
            "overtaking_difficulty",
            "Share of the other circuits with lap timing where overtakes per 100 laps are more frequent: 1 is the hardest "
            "place to overtake, 0 the easiest.",
            TIMED,
        ),
        _needed("count_green_stops", "Stops that pit loss is the median of."),
        Column(
            "pit_loss_s",
            "float",
            "Median time lost by a stop under green: in-lap and out-lap against the median green laps of the stints before "
            "and after.",
            unit="s",
            source=TIMED,
        ),
        Column("pit_loss_low_s", "float", "First quartile of that loss.", unit="s", source=TIMED),
        Column("pit_loss_high_s", "float", "Third quartile of that loss.", unit="s", source=TIMED),
        _needed("count_safety_car_races", "Timed races with a safety car."),
        _share("safety_car_rate", "Share of timed races with a safety car.", TIMED),
        _share("safety_car_low", "Lower end of its 95 % Wilson interval.", TIMED),
        _share("safety_car_high", "Upper end of that interval.", TIMED),
        _share("virtual_safety_car_rate", "Share of timed races with a virtual safety car.", TIMED),
        _share("red_flag_rate", "Share of timed races that were stopped.", TIMED),
        _needed("count_wet_races", "Timed races that were wet."),
        _share("wet_rate", "Share of timed races that were wet.", TIMED),
        _share("wet_low", "Lower end of its 95 % Wilson interval.", TIMED),
        _share("wet_high", "Upper end of that interval.", TIMED),
        _needed("count_wear_races", "Races that tyre wear is the mean of."),
        Column(
            "tyre_wear_pct",
            "float",
            "Tyre wear: what a lap more on a slick set costs, mean over its compounds by laps and over races.",
            unit="% of a lap per lap",
            source=TIMED,
        ),
        KNOWN_AT,
    ),
    source="derived from results and laps; races a circuit has held so far, all layouts together",
    group=GROUP,
    parents={"circuit_id": "circuits.circuit_id"},
    checks={
        "first_season <= last_season": "the first race comes before the last",
        "safety_car_low <= safety_car_rate and safety_car_rate <= safety_car_high": "the interval holds the rate",
        "pit_loss_low_s <= pit_loss_s and pit_loss_s <= pit_loss_high_s": "quartiles are ordered",
    },
)

CIRCUIT_GRID_WINS = Table(
    "circuit_grid_wins",
    "one row per circuit and slot of the starting grid that a car started from",
    ("circuit_id", "grid_position"),
    (
        required("circuit_id", "text", "The circuit."),
        required("grid_position", "int", "Slot on the starting grid.", minimum=1),
        _needed("count_starts", "Cars that started there, 1950 on."),
        _needed("count_wins", "Of those, winners."),
        _needed("count_podiums", "Of those, first to third."),
        _needed("count_dnfs", "Of those, retired or not classified."),
        Column("mean_position", "float", "Mean place of those classified.", minimum=1),
    ),
    source="derived from race results, all layouts together",
    group=GROUP,
    parents={"circuit_id": "circuits.circuit_id"},
    checks={"count_wins <= count_podiums and count_podiums <= count_starts": "winners stand on the podium"},
)

ELO_RANKINGS = Table(
    "elo_rankings",
    "one row per event and driver or constructor that has started in its season by then",
    ("event_id", "entity_kind", "entity_id"),
    (
        EVENT_ID,
        SEASON,
        required("entity_kind", "text", "Kind of entity.", allowed=("driver", "constructor")),
        required("entity_id", "text", "The driver or constructor."),
        required("elo", "float", "Elo after the event.", unit="Elo points"),
        required(
            "elo_before",
            "float",
            "Elo before it, after what a winter takes (ratings move back to 1500 between seasons); 1500 for a newcomer.",
            unit="Elo points",
        ),
        required("change", "float", "Won or lost in the event; 0 without a start.", unit="Elo points"),
        required(
            "rank",
            "int",
            "Rank by Elo among those of its kind that started in the season by then.",
            minimum=1,
        ),
        required("is_present", "bool", "Whether it took part in the event."),
        _needed("count_events", "Races of its career so far."),
        KNOWN_AT,
    ),
    source="derived from `ratings`",
    group=GROUP,
    parents={"event_id": "events.event_id"},
    checks={"abs(elo - elo_before - change) < 1e-6": "what is before and what is won make what is after"},
)

ANALYTICS_TABLES: tuple[Table, ...] = (
    DRIVER_RACE_METRICS,
    TEAM_RACE_METRICS,
    CIRCUIT_PROFILES,
    CIRCUIT_GRID_WINS,
    ELO_RANKINGS,
)
