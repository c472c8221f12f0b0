"""What timing recorded of practice, qualifying, sprints and races: laps, car telemetry, weather, race control."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, KNOWN_AT, SEASON, Column, Table, required
from warehouse.vocab import Compound, SessionKind

SESSION_SOURCE = "FastF1 sessions, recorded in an archive or fetched by jobs"
GROUP = "Sessions"
SESSION = required("session", "text", "Kind of session.", allowed=tuple(SessionKind))
DRIVER = Column(
    "driver_id", "text", "The driver; missing where nobody of the season answers to the feed's name."
)
CONSTRUCTOR = Column("constructor_id", "text", "The constructor; missing where the feed's team is not known.")
CAR_NUMBER = required("car_number", "text", "Number on the car.")
DRIVER_CODE = Column("driver_code", "text", "Three-letter code in the timing feed.")
PARENTS = {
    "event_id": "events.event_id",
    "driver_id": "drivers.driver_id",
    "constructor_id": "constructors.constructor_id",
}
MAXIMUM_SPEED_KPH = 450.0


def _speed(place: str, words: str) -> Column:
    return Column(
        f"speed_{place}_kph",
        "float",
        f"{words}; a reading outside 0 to {MAXIMUM_SPEED_KPH:g} is missing.",
        unit="km/h",
        minimum=0,
        maximum=MAXIMUM_SPEED_KPH,
    )


def _sector(number: int) -> tuple[Column, Column]:
    return (
        Column(f"sector_{number}_s", "float", f"Time of sector {number}.", unit="s", minimum=0),
        Column(
            f"sector_{number}_session_s", "float", f"Session time at the end of sector {number}.", unit="s"
        ),
    )


SESSION_LAPS = Table(
    "session_laps",
    "one row per event, session, car and lap of a session that was loaded (`laps` holds the lap archive's races)",
    ("event_id", "session", "car_number", "lap_number"),
    (
        EVENT_ID,
        SEASON,
        SESSION,
        DRIVER,
        CONSTRUCTOR,
        CAR_NUMBER,
        DRIVER_CODE,
        Column("team_name", "text", "The team's name in the timing feed."),
        required(
            "lap_number",
            "int",
            "Lap of the session, from 1; where the feed counts one twice, the later laps move on.",
            minimum=1,
        ),
        Column("stint", "int", "Stint number, from 1.", minimum=1),
        required("compound", "text", "Tyre compound by its side-wall name.", allowed=tuple(Compound)),
        Column(
            "tyre_life_laps", "int", "Laps on the set, earlier sessions included.", unit="laps", minimum=0
        ),
        Column("is_fresh_tyre", "bool", "Whether the set was new when fitted."),
        Column("lap_time_s", "float", "Lap time; missing where the feed gives none.", unit="s", minimum=0),
        Column("lap_start_session_s", "float", "Session time at the start of the lap.", unit="s"),
        Column("lap_end_session_s", "float", "Session time at the end of the lap.", unit="s"),
        Column("pit_out_session_s", "float", "Session time of leaving the pits.", unit="s"),
        Column("pit_in_session_s", "float", "Session time of entering the pits.", unit="s"),
        *_sector(1),
        *_sector(2),
        *_sector(3),
        _speed("i1", "Speed at the first intermediate"),
        _speed("i2", "Speed at the second intermediate"),
        _speed("finish", "Speed at the finish line"),
        _speed("trap", "Speed on the longest straight"),
        Column("is_personal_best", "bool", "Whether it was the driver's best up to then."),
        Column(
            "track_status_codes",
            "text",
            "Every status code of the lap: 1 clear, 2 yellow, 4 safety car, 5 red, 6/7 virtual safety car.",
        ),
        Column("position", "int", "Position at the end of the lap (races and sprints).", minimum=1),
        required("is_in_lap", "bool", "Whether the lap ended in the pits."),
        required("is_out_lap", "bool", "Whether the lap began in the pits."),
        required("is_green", "bool", "Whether the track was clear for the whole lap; unknown counts as not."),
        Column(
            "is_deleted",
            "bool",
            "Whether race control deleted the time; missing where the session has no race-control messages.",
        ),
        Column("deleted_reason", "text", "Why the time was deleted."),
        required("is_accurate", "bool", "Whether the feed's own plausibility checks pass."),
        required("is_generated", "bool", "Whether the lap is not in the feed but was added to close a gap."),
        KNOWN_AT,
    ),
    source=SESSION_SOURCE,
    group=GROUP,
    partitioned=True,
    parents=PARENTS,
)

TELEMETRY = Table(
    "telemetry",
    "one row per event, session, car, lap and sample, of each driver's best lap of qualifying and of its segments",
    ("event_id", "session", "car_number", "lap_number", "sample"),
    (
        EVENT_ID,
        SEASON,
        SESSION,
        DRIVER,
        CONSTRUCTOR,
        CAR_NUMBER,
        DRIVER_CODE,
        required("lap_number", "int", "Lap of the session.", minimum=1),
        required("sample", "int", "Number of the sample in the lap, from 1.", minimum=1),
        Column("session_s", "float", "Session time of the sample.", unit="s"),
        Column("lap_s", "float", "Time since the start of the lap.", unit="s"),
        Column("distance_m", "float", "Distance since the start of the lap.", unit="m"),
        Column(
            "speed_kph",
            "float",
            f"Speed; a reading outside 0 to {MAXIMUM_SPEED_KPH:g} is missing.",
            unit="km/h",
            minimum=0,
            maximum=MAXIMUM_SPEED_KPH,
        ),
        Column("rpm", "float", "Engine speed.", unit="1/min", minimum=0),
        Column("gear", "int", "Gear, 0 is neutral.", minimum=0, maximum=8),
        Column(
            "throttle_pct",
            "float",
            "Throttle; a reading outside 0 to 100 is missing.",
            unit="%",
            minimum=0,
            maximum=100,
        ),
        Column("is_braking", "bool", "Whether the brake was on."),
        Column("drs", "int", "Drag reduction, code of the feed (10, 12 and 14: open)."),
        Column("x_m", "float", "Position on the circuit's own map.", unit="m"),
        Column("y_m", "float", "Position on the circuit's own map.", unit="m"),
        KNOWN_AT,
    ),
    source=SESSION_SOURCE,
    group=GROUP,
    partitioned=True,
    parents=PARENTS,
)

WEATHER = Table(
    "weather",
    "one row per event, session and measurement at the circuit, about one a minute",
    ("event_id", "session", "measurement"),
    (
        EVENT_ID,
        SEASON,
        SESSION,
        required("measurement", "int", "Number of the measurement in the session, from 1.", minimum=1),
        required("session_s", "float", "Session time of the measurement.", unit="s"),
        Column("air_temperature_celsius", "float", "Air temperature.", unit="°C", minimum=-40, maximum=70),
        Column(
            "track_temperature_celsius", "float", "Track temperature.", unit="°C", minimum=-40, maximum=90
        ),
        Column("humidity_pct", "float", "Relative humidity.", unit="%", minimum=0, maximum=100),
        Column("pressure_hpa", "float", "Air pressure.", unit="hPa", minimum=500, maximum=1100),
        Column("wind_speed_mps", "float", "Wind speed.", unit="m/s", minimum=0, maximum=100),
        Column(
            "wind_direction_deg",
            "int",
            "Direction the wind comes from, clockwise from north.",
            unit="deg",
            minimum=0,
            maximum=360,
        ),
        Column("is_raining", "bool", "Whether it rained."),
        KNOWN_AT,
    ),
    source=SESSION_SOURCE,
    group=GROUP,
    partitioned=True,
    parents={"event_id": "events.event_id"},
)

RACE_CONTROL = Table(
    "race_control",
    "one row per event, session and message of race control",
    ("event_id", "session", "message_number"),
    (
        EVENT_ID,
        SEASON,
        SESSION,
        required("message_number", "int", "Number of the message in the session, from 1.", minimum=1),
        Column("sent_at", "timestamp", "When it was sent.", unit="UTC"),
        Column("lap_number", "int", "The leading car's lap (races and sprints)."),
        Column("category", "text", "Kind of message in the feed, e.g. `Flag`, `SafetyCar`, `Other`."),
        Column("flag", "text", "Flag shown, e.g. `GREEN`, `YELLOW`, `RED`, `BLUE`, `CHEQUERED`."),
        Column("scope", "text", "Whom it is meant for: `Track`, `Sector` or `Driver`."),
        Column("sector", "int", "Marshal sector of a flag."),
        Column("car_number", "text", "Car of a message to one driver."),
        DRIVER,
        Column("status", "text", "Status that goes with the category, e.g. `DEPLOYED`."),
        required("message", "text", "The message as it was sent."),
        KNOWN_AT,
    ),
    source=SESSION_SOURCE,
    group=GROUP,
    partitioned=True,
    parents={"event_id": "events.event_id", "driver_id": "drivers.driver_id"},
)

SESSION_LOADS = Table(
    "session_loads",
    "one row per event and session whose timing was loaded into these tables",
    ("event_id", "session"),
    (
        EVENT_ID,
        SEASON,
        SESSION,
        required("source", "text", "Where the timing was read: `fastf1`."),
        required("source_version", "text", "Version of the library that read it."),
        required(
            "origin",
            "text",
            "`recorded` in an archive, or fetched over the `network`.",
            allowed=("recorded", "network"),
        ),
        required("bundle_version", "text", "Fingerprint of what was read."),
        required("loaded_at", "timestamp", "When it was read from the source.", unit="UTC"),
        required("count_cars", "int", "Cars in the source's list of the session.", minimum=0),
        required(
            "count_unknown_cars", "int", "Cars whose driver nobody of the season answers to.", minimum=0
        ),
        required("count_laps", "int", "Rows in `session_laps`.", minimum=0),
        required("count_timed_laps", "int", "Laps with a time.", minimum=0),
        required("count_telemetry_laps", "int", "Laps with car telemetry.", minimum=0),
        required("count_telemetry_samples", "int", "Rows in `telemetry`.", minimum=0),
        required("count_weather", "int", "Rows in `weather`.", minimum=0),
        required("count_race_control", "int", "Rows in `race_control`.", minimum=0),
        Column("problems", "text", "What is missing or odd, in words, joined by `; `; missing without any."),
        KNOWN_AT,
    ),
    source=SESSION_SOURCE,
    group=GROUP,
    partitioned=True,
    parents={"event_id": "events.event_id"},
)

SESSION_TABLES: tuple[Table, ...] = (SESSION_LAPS, TELEMETRY, WEATHER, RACE_CONTROL, SESSION_LOADS)
