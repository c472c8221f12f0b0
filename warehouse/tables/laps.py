"""Tables made from lap timing: laps, stints, neutralisations and the summary of a race."""

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
from warehouse.vocab import Compound, TrackStatus

LAP_SOURCE = "FastF1 lap archive, 2018 on"
RACE_OR_SPRINT = required("session", "text", "race or sprint.", allowed=("race", "sprint"))
LAP_NUMBER_NOTES = ("exact", "corrected", "too_low", "offset_after_restart")
LAP_PARENTS = {
    "event_id": "events.event_id",
    "driver_id": "drivers.driver_id",
    "constructor_id": "constructors.constructor_id",
}


def _sector(number: int) -> tuple[Column, Column]:
    return (
        Column(f"sector_{number}_s", "float", f"Time of sector {number}.", unit="s", minimum=0),
        Column(
            f"sector_{number}_session_s", "float", f"Session time at the end of sector {number}.", unit="s"
        ),
    )


LAPS = Table(
    "laps",
    "one row per event, session (race or sprint), car and lap",
    ("event_id", "session", "car_number", "lap_number"),
    (
        EVENT_ID,
        SEASON,
        RACE_OR_SPRINT,
        DRIVER_ID,
        CONSTRUCTOR_ID,
        required("driver_code", "text", "Three-letter code in the timing feed."),
        required("car_number", "text", "Number on the car."),
        required("lap_number", "int", "Lap, from 1; see `lap_number_note`.", minimum=1, maximum=120),
        required(
            "lap_number_note",
            "text",
            "exact: as in the feed; corrected: a known slip of the feed was mended; too_low: the feed lost laps before "
            "this one and how many differs by car; offset_after_restart: counts one less than the official laps.",
            allowed=LAP_NUMBER_NOTES,
        ),
        Column(
            "position",
            "int",
            "Position at the end of the lap; missing on laps the feed does not have.",
            minimum=1,
        ),
        Column("lap_time_s", "float", "Lap time; missing where the feed gives none.", unit="s", minimum=0),
        Column("lap_start_session_s", "float", "Session time at the start of the lap.", unit="s"),
        required("lap_end_session_s", "float", "Session time at the end of the lap.", unit="s"),
        *_sector(1),
        *_sector(2),
        *_sector(3),
        Column(
            "speed_i1_kph", "float", "Speed at the first intermediate.", unit="km/h", minimum=0, maximum=450
        ),
        Column(
            "speed_i2_kph", "float", "Speed at the second intermediate.", unit="km/h", minimum=0, maximum=450
        ),
        Column("speed_finish_kph", "float", "Speed at the finish line.", unit="km/h", minimum=0, maximum=450),
        Column(
            "speed_trap_kph", "float", "Speed on the longest straight.", unit="km/h", minimum=0, maximum=450
        ),
        required("compound", "text", "Tyre compound by its side-wall name.", allowed=tuple(Compound)),
        required(
            "compound_name",
            "text",
            "C1 (hardest) to C6 of the nomination; the side-wall name when not slick or 2018.",
        ),
        Column(
            "tyre_life_laps", "int", "Laps on the set, earlier sessions included.", unit="laps", minimum=0
        ),
        required("is_fresh_tyre", "bool", "Whether the set was new when fitted."),
        Column("stint", "int", "Stint number, from 1.", minimum=1),
        Column(
            "pit_out_session_s",
            "float",
            "Session time of leaving the pits; on lap 1 the car going to the grid.",
            unit="s",
        ),
        Column("pit_in_session_s", "float", "Session time of entering the pits.", unit="s"),
        required("is_in_lap", "bool", "Whether the lap ended in the pits."),
        required("is_out_lap", "bool", "Whether the lap began in the pits (lap 1 does not count)."),
        Column(
            "track_status_codes",
            "text",
            "Every status code of the lap, as in the feed: 1 clear, 2 yellow, 4 safety car, 5 red, 6/7 VSC.",
        ),
        required("is_green", "bool", "Whether the track was clear for the whole lap."),
        required("is_safety_car", "bool", "Whether a safety car was out in the lap."),
        required("is_virtual_safety_car", "bool", "Whether a virtual safety car was on in the lap."),
        required("is_red_flag", "bool", "Whether the session was stopped in the lap."),
        Column("is_personal_best", "bool", "Whether it was the driver's best up to then."),
        required(
            "is_deleted", "bool", "Whether race control deleted the time (unknown counts as not deleted)."
        ),
        Column("deleted_reason", "text", "Why the time was deleted."),
        required(
            "is_generated",
            "bool",
            "Whether the lap is not in the feed but was added to close a gap (car stopped on track).",
        ),
        required(
            "is_after_result", "bool", "Whether the lap was driven after the one the result was taken at."
        ),
        required("is_accurate", "bool", "Whether the feed's own plausibility checks pass."),
        KNOWN_AT,
    ),
    source=LAP_SOURCE,
    group="Laps",
    partitioned=True,
    parents=LAP_PARENTS,
)

STINTS = Table(
    "stints",
    "one row per event, session, car and stint (laps on one set of tyres)",
    ("event_id", "session", "car_number", "stint"),
    (
        EVENT_ID,
        SEASON,
        RACE_OR_SPRINT,
        DRIVER_ID,
        CONSTRUCTOR_ID,
        required("car_number", "text", "Number on the car."),
        required("stint", "int", "Stint number, from 1.", minimum=1),
        required("compound", "text", "Compound of most laps of the stint.", allowed=tuple(Compound)),
        required("compound_name", "text", "C1 to C6 where known."),
        required("first_lap", "int", "First lap of the stint.", minimum=1),
        required("last_lap", "int", "Last lap of the stint.", minimum=1),
        required("count_laps", "int", "Laps of the stint in the feed.", minimum=1),
        Column("tyre_life_at_start_laps", "int", "Age of the set on the first lap.", unit="laps"),
        required("is_fresh_tyre", "bool", "Whether the set was new when fitted."),
        Column(
            "median_green_lap_s",
            "float",
            "Median of the stint's clear, timed laps without in- and out-laps.",
            unit="s",
        ),
        KNOWN_AT,
    ),
    source=LAP_SOURCE,
    group="Laps",
    partitioned=True,
    parents=LAP_PARENTS,
    checks={"last_lap >= first_lap": "a stint ends after it begins"},
)

TRACK_STATUS_PERIODS = Table(
    "track_status_periods",
    "one row per event, session and neutralisation (safety car, virtual safety car or red flag)",
    ("event_id", "session", "status", "period"),
    (
        EVENT_ID,
        SEASON,
        RACE_OR_SPRINT,
        required("status", "text", "Kind of neutralisation.", allowed=tuple(TrackStatus)),
        required("period", "int", "Number of the period of that kind in the session, from 1.", minimum=1),
        required("first_lap", "int", "The leading car's lap in which it began.", minimum=1),
        required("last_lap", "int", "The leading car's lap in which it ended.", minimum=1),
        required("count_laps", "int", "Laps of the leading car that it touched.", minimum=1),
        required("ended_session_s", "float", "Session time at the end of the last touched lap.", unit="s"),
        KNOWN_AT,
    ),
    source="derived from the status codes of the leading car's laps; two periods within one lap of each other count as one",
    group="Laps",
    partitioned=True,
    parents={"event_id": "events.event_id"},
    checks={"last_lap >= first_lap": "a period ends after it begins"},
)

SESSION_SUMMARIES = Table(
    "session_summaries",
    "one row per event and session (race or sprint) held",
    ("event_id", "session"),
    (
        EVENT_ID,
        SEASON,
        RACE_OR_SPRINT,
        required("winner_driver_id", "text", "Driver listed first in the official result."),
        required("count_starters", "int", "Starters by the product's definition.", minimum=1),
        required("count_classified", "int", "Drivers with a classified position.", minimum=0),
        required("count_retired", "int", "Starters that retired or were not classified.", minimum=0),
        Column("laps_completed", "int", "Laps of the winner.", minimum=0),
        Column("distance_km", "float", "Distance of the race.", unit="km"),
        Column("is_shortened", "bool", "Whether fewer laps were driven than planned."),
        Column("winner_time_s", "float", "Race time of the winner.", unit="s"),
        required("has_laps", "bool", "Whether lap timing is in the warehouse."),
        Column(
            "wet_lap_share",
            "float",
            "Share of laps on intermediates or wets.",
            minimum=0,
            maximum=1,
            source=LAP_SOURCE,
        ),
        Column(
            "is_wet",
            "bool",
            "Whether more than 2 % of the laps were on intermediates or wets.",
            source=LAP_SOURCE,
        ),
        Column("count_safety_cars", "int", "Safety-car periods.", source=LAP_SOURCE),
        Column("count_virtual_safety_cars", "int", "Virtual-safety-car periods.", source=LAP_SOURCE),
        Column("count_red_flags", "int", "Red-flag periods.", source=LAP_SOURCE),
        Column("count_laps_expected", "int", "Sum of the official laps of all cars.", source="F1DB"),
        Column(
            "count_laps_timed",
            "int",
            "Laps in the warehouse, generated ones and those after the result left out.",
            source=LAP_SOURCE,
        ),
        KNOWN_AT,
    ),
    source="F1DB results and the lap archive",
    group="Results",
    partitioned=False,
    parents={"event_id": "events.event_id", "winner_driver_id": "drivers.driver_id"},
)

COMPOUND_NOMINATIONS = Table(
    "compound_nominations",
    "one row per event and nominated slick compound",
    ("event_id", "compound"),
    (
        EVENT_ID,
        SEASON,
        required("compound", "text", "Side-wall name.", allowed=("hard", "medium", "soft")),
        required("compound_name", "text", "C1 to C6; in 2018 the name of that season."),
        KNOWN_AT,
    ),
    source="lap archive, from the tyre maker's announcements; known from the first session at the latest",
    group="Laps",
    parents={"event_id": "events.event_id"},
)

LAP_TABLES = (LAPS, STINTS, TRACK_STATUS_PERIODS, SESSION_SUMMARIES, COMPOUND_NOMINATIONS)
