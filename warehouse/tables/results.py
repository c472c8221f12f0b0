"""Tables of what happened: results, grids, pit stops, fastest laps and standings."""

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
from warehouse.vocab import ResultStatus

F1DB = "F1DB"
ORDER = required(
    "display_order", "int", "Official order in which the source lists the rows, from 1.", minimum=1
)
PARENTS = {
    "event_id": "events.event_id",
    "driver_id": "drivers.driver_id",
    "constructor_id": "constructors.constructor_id",
}
CAR_NUMBER = required("car_number", "text", "Number on the car (text: some early cars carried letters).")
STATUS = required("status", "text", "How it ended.", allowed=tuple(ResultStatus))

RACE_RESULTS = Table(
    "race_results",
    "one row per event, session (race or sprint) and line of the official result "
    "(a driver has several lines where cars were shared, up to 1964, or where he entered two cars)",
    ("event_id", "session", "display_order"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "race or sprint.", allowed=("race", "sprint")),
        ORDER,
        Column("position", "int", "Classified position; missing when not classified.", minimum=1),
        required("position_text", "text", "The source's own mark, e.g. `1`, `DNF`, `DSQ`."),
        STATUS,
        required("is_starter", "bool", "Whether the driver took the start by the product's definition."),
        DRIVER_ID,
        CONSTRUCTOR_ID,
        Column("engine_manufacturer_id", "text", "Engine maker."),
        CAR_NUMBER,
        required("is_shared_car", "bool", "Whether the car was shared with another driver."),
        Column("laps", "int", "Laps completed, official count.", minimum=0),
        Column("time_s", "float", "Race time, for cars on the lead lap.", unit="s", minimum=0),
        Column("time_penalty_s", "float", "Time penalty included.", unit="s"),
        Column("gap_s", "float", "Gap to the winner, for cars on the lead lap (0 for the winner).", unit="s"),
        Column("gap_laps", "int", "Laps behind the winner.", minimum=0),
        Column("reason_retired", "text", "Why the car retired."),
        Column("points", "float", "Championship points scored; 0 where none.", minimum=0),
        Column(
            "grid_position",
            "int",
            "Place on the starting grid; missing from the pit lane or without a start.",
        ),
        required("is_pit_lane_start", "bool", "Whether the car started from the pit lane."),
        Column("qualifying_position", "int", "Position in the qualifying that set the grid."),
        Column("count_pit_stops", "int", "Pit stops, where the source counts them."),
        required("is_fastest_lap", "bool", "Whether the driver set the fastest lap."),
        KNOWN_AT,
    ),
    source=F1DB,
    group="Results",
    partitioned=True,
    parents=PARENTS,
    checks={
        "(position is not null) = (status = 'classified')": "a position is given exactly to classified drivers"
    },
)

QUALIFYING_RESULTS = Table(
    "qualifying_results",
    "one row per event, session (qualifying or sprint qualifying) and line of the official classification",
    ("event_id", "session", "display_order"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "Session.", allowed=("qualifying", "sprint_qualifying")),
        ORDER,
        Column("position", "int", "Classified position.", minimum=1),
        required("position_text", "text", "The source's own mark."),
        DRIVER_ID,
        CONSTRUCTOR_ID,
        CAR_NUMBER,
        Column(
            "time_s",
            "float",
            "Best time where the session had one time (before knock-out).",
            unit="s",
            minimum=0,
        ),
        Column("q1_s", "float", "Best time of the first segment.", unit="s", minimum=0),
        Column("q2_s", "float", "Best time of the second segment.", unit="s", minimum=0),
        Column("q3_s", "float", "Best time of the third segment.", unit="s", minimum=0),
        Column("best_time_s", "float", "The fastest of all the session's times.", unit="s", minimum=0),
        Column("laps", "int", "Laps driven, where given."),
        KNOWN_AT,
    ),
    source=F1DB,
    group="Results",
    partitioned=True,
    parents=PARENTS,
)

PRACTICE_RESULTS = Table(
    "practice_results",
    "one row per event, practice session and line of its classification",
    ("event_id", "session", "display_order"),
    (
        EVENT_ID,
        SEASON,
        required(
            "session",
            "text",
            "Session.",
            allowed=("practice_1", "practice_2", "practice_3", "practice_4"),
        ),
        ORDER,
        Column("position", "int", "Position.", minimum=1),
        DRIVER_ID,
        CONSTRUCTOR_ID,
        CAR_NUMBER,
        Column("time_s", "float", "Best lap; missing when no time was set.", unit="s", minimum=0),
        Column("gap_s", "float", "Gap to the fastest.", unit="s"),
        Column("laps", "int", "Laps driven.", minimum=0),
        KNOWN_AT,
    ),
    source=F1DB,
    group="Results",
    partitioned=True,
    parents=PARENTS,
)

STARTING_GRIDS = Table(
    "starting_grids",
    "one row per event, session (race or sprint) and line of the starting grid",
    ("event_id", "session", "display_order"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "race or sprint.", allowed=("race", "sprint")),
        ORDER,
        Column("position", "int", "Grid slot; missing from the pit lane.", minimum=1),
        required("position_text", "text", "The source's own mark; `PL` is the pit lane."),
        required("is_pit_lane_start", "bool", "Whether the car started from the pit lane."),
        DRIVER_ID,
        CONSTRUCTOR_ID,
        CAR_NUMBER,
        Column("qualifying_position", "int", "Position in the qualifying that set the grid."),
        Column("penalty_text", "text", "Penalty as the source writes it; `SFB` starts from the back."),
        Column("penalty_places", "int", "Grid places lost.", minimum=0),
        Column("time_s", "float", "Time that set the slot, where given.", unit="s", minimum=0),
        KNOWN_AT,
    ),
    source="F1DB; known 60 minutes before the start",
    group="Results",
    partitioned=True,
    parents=PARENTS,
)

PIT_STOPS = Table(
    "pit_stops",
    "one row per pit stop of a race",
    ("event_id", "session", "display_order"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "race.", allowed=("race",)),
        ORDER,
        DRIVER_ID,
        CONSTRUCTOR_ID,
        CAR_NUMBER,
        required("stop", "int", "Number of the stop of this driver.", minimum=1),
        Column("lap", "int", "Lap at whose end he stopped.", minimum=0),
        Column("time_s", "float", "Time in the pit lane (red-flag waits included).", unit="s", minimum=0),
        KNOWN_AT,
    ),
    source="F1DB, from 1994",
    group="Results",
    partitioned=True,
    parents=PARENTS,
)

FASTEST_LAPS = Table(
    "fastest_laps",
    "one row per driver's fastest lap of a race",
    ("event_id", "session", "display_order"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "race.", allowed=("race",)),
        ORDER,
        Column("position", "int", "Rank among the drivers.", minimum=1),
        DRIVER_ID,
        CONSTRUCTOR_ID,
        CAR_NUMBER,
        Column("lap", "int", "Lap on which it was set.", minimum=1),
        Column("time_s", "float", "Lap time.", unit="s", minimum=0),
        Column("gap_s", "float", "Gap to the fastest of all.", unit="s"),
        KNOWN_AT,
    ),
    source=F1DB,
    group="Results",
    partitioned=True,
    parents=PARENTS,
)

DRIVER_STANDINGS = Table(
    "driver_standings",
    "one row per event and driver in the championship after it",
    ("event_id", "driver_id"),
    (
        EVENT_ID,
        SEASON,
        ORDER,
        Column("position", "int", "Championship position; missing when excluded.", minimum=1),
        required("position_text", "text", "The source's own mark, e.g. `1` or `DSQ`."),
        DRIVER_ID,
        required("points", "float", "Points that count after this event.", minimum=0),
        required(
            "is_champion",
            "bool",
            "Whether the title is won after this event (stays true until the end of the season).",
        ),
        KNOWN_AT,
    ),
    source=F1DB,
    group="Standings",
    partitioned=True,
    parents={"event_id": "events.event_id", "driver_id": "drivers.driver_id"},
)

CONSTRUCTOR_STANDINGS = Table(
    "constructor_standings",
    "one row per event, constructor and engine in the championship after it",
    ("event_id", "constructor_id", "engine_manufacturer_id"),
    (
        EVENT_ID,
        SEASON,
        ORDER,
        Column("position", "int", "Championship position; missing when excluded.", minimum=1),
        required("position_text", "text", "The source's own mark, e.g. `1` or `EX`."),
        CONSTRUCTOR_ID,
        required(
            "engine_manufacturer_id",
            "text",
            "Engine maker: the championship counts chassis and engine together.",
        ),
        required("points", "float", "Points that count after this event.", minimum=0),
        required(
            "is_champion",
            "bool",
            "Whether the title is won after this event (stays true until the end of the season).",
        ),
        KNOWN_AT,
    ),
    source="F1DB, from 1958",
    group="Standings",
    partitioned=True,
    parents={"event_id": "events.event_id", "constructor_id": "constructors.constructor_id"},
)

RESULT_TABLES = (
    RACE_RESULTS,
    QUALIFYING_RESULTS,
    PRACTICE_RESULTS,
    STARTING_GRIDS,
    PIT_STOPS,
    FASTEST_LAPS,
    DRIVER_STANDINGS,
    CONSTRUCTOR_STANDINGS,
)
