"""Tables of the calendar and of the people and places in it."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, KNOWN_AT, SEASON, Column, Table, required
from warehouse.vocab import EventStatus, SessionKind

F1DB = "F1DB"
SESSIONS = tuple(SessionKind)

EVENTS = Table(
    "events",
    "one row per Grand Prix of a season's calendar, held or to come",
    ("event_id",),
    (
        EVENT_ID,
        SEASON,
        required(
            "round",
            "int",
            "Place in the season's calendar by date; moves when a race is inserted.",
            minimum=1,
        ),
        required("grand_prix_id", "text", "The grand prix, e.g. `great-britain`."),
        required("grand_prix_name", "text", "Name of the grand prix, e.g. `Great Britain`."),
        required("official_name", "text", "Official name of the event, sponsor included."),
        required("circuit_id", "text", "Where it is held."),
        Column("layout_id", "text", "The layout driven; missing while the source does not say."),
        required("race_date", "date", "Date of the race in UTC."),
        required("is_sprint", "bool", "Whether the weekend has a sprint race."),
        Column("qualifying_format", "text", "Format of qualifying, e.g. `KNOCKOUT`."),
        required(
            "status",
            "text",
            "held, scheduled or cancelled, as far as the facts reach.",
            allowed=tuple(EventStatus),
        ),
        Column("course_length_km", "float", "Length of a lap.", unit="km", minimum=1, maximum=30),
        Column("turns", "int", "Number of corners.", minimum=1, maximum=300),
        Column("scheduled_laps", "int", "Race laps as planned.", minimum=1, maximum=250),
        Column(
            "source_race_id", "int", "The results source's own number of the race; moves, never join on it."
        ),
        Column("source_round", "int", "Round in the results source; may lag behind a changed calendar."),
        required(
            "source", "text", "Who lists the event: `f1db`, or `schedule` while the results source lacks it."
        ),
        KNOWN_AT,
    ),
    source="F1DB races; the recorded season schedules where they know more",
    group="Calendar",
    parents={"circuit_id": "circuits.circuit_id"},
)

SESSIONS_TABLE = Table(
    "sessions",
    "one row per event and session",
    ("event_id", "session"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "Kind of session.", allowed=SESSIONS),
        required("starts_at", "timestamp", "Start of the session.", unit="UTC"),
        required(
            "known_at", "timestamp", "When its result could be known: start plus usual length.", unit="UTC"
        ),
        required("is_time_estimated", "bool", "Whether only the date (or not even that) is in the sources."),
        required(
            "time_source", "text", "f1db, schedule or estimated.", allowed=("f1db", "schedule", "estimated")
        ),
    ),
    source="F1DB from 2024, recorded season schedules 2018-2023, else estimated from the race date",
    group="Calendar",
    parents={"event_id": "events.event_id"},
)

CIRCUITS = Table(
    "circuits",
    "one row per circuit",
    ("circuit_id",),
    (
        required("circuit_id", "text", "The circuit, e.g. `silverstone`."),
        required("circuit_name", "text", "Name of the circuit."),
        required("full_name", "text", "Full name of the circuit."),
        Column("previous_names", "text", "Former names, joined by `;`."),
        required("circuit_type", "text", "Kind of track.", allowed=("race", "street", "road")),
        required("direction", "text", "Direction of travel.", allowed=("clockwise", "anti_clockwise")),
        required("place_name", "text", "Town."),
        required("country_id", "text", "Country, e.g. `united-kingdom`."),
        required("country_name", "text", "Country name."),
        Column("country_code", "text", "Three-letter country code."),
        Column("latitude", "float", "Latitude.", unit="deg", minimum=-90, maximum=90),
        Column("longitude", "float", "Longitude.", unit="deg", minimum=-180, maximum=180),
        Column("length_km", "float", "Length of the present layout.", unit="km"),
        Column("turns", "int", "Corners of the present layout."),
    ),
    source=F1DB,
    group="People and places",
)

CIRCUIT_LAYOUTS = Table(
    "circuit_layouts",
    "one row per layout of a circuit",
    ("layout_id",),
    (
        required("layout_id", "text", "The layout, e.g. `silverstone-8`."),
        required("circuit_id", "text", "Its circuit."),
        required("is_in_effect", "bool", "Whether it is the layout in use."),
        Column("length_km", "float", "Length of a lap.", unit="km"),
        Column("turns", "int", "Corners."),
    ),
    source=F1DB,
    group="People and places",
    parents={"circuit_id": "circuits.circuit_id"},
)

GRANDS_PRIX = Table(
    "grands_prix",
    "one row per grand prix (the title of a race, whatever circuit it is held on)",
    ("grand_prix_id",),
    (
        required("grand_prix_id", "text", "The grand prix, e.g. `great-britain`."),
        required("grand_prix_name", "text", "Name, e.g. `Great Britain`."),
        required("full_name", "text", "Full name, e.g. `British Grand Prix`."),
        required("short_name", "text", "Short name, e.g. `British GP`."),
        Column("country_id", "text", "Country it is named after or held in."),
        Column("country_name", "text", "Country name."),
    ),
    source=F1DB,
    group="People and places",
)

DRIVERS = Table(
    "drivers",
    "one row per driver",
    ("driver_id",),
    (
        required("driver_id", "text", "The driver, e.g. `max-verstappen`."),
        required("driver_name", "text", "Name in use."),
        required("first_name", "text", "First name."),
        required("last_name", "text", "Last name."),
        required(
            "driver_code", "text", "Three-letter code of the results source (not unique over all years)."
        ),
        Column("permanent_number", "int", "Permanent car number, since 2014."),
        Column("date_of_birth", "date", "Date of birth."),
        Column("nationality_country_id", "text", "Nationality."),
        Column("nationality_code", "text", "Three-letter code of the nationality."),
    ),
    source=F1DB,
    group="People and places",
)

CONSTRUCTORS = Table(
    "constructors",
    "one row per constructor",
    ("constructor_id",),
    (
        required("constructor_id", "text", "The constructor, e.g. `mclaren`."),
        required("constructor_name", "text", "Name."),
        required("full_name", "text", "Full name."),
        Column("country_id", "text", "Country."),
    ),
    source=F1DB,
    group="People and places",
)

CONSTRUCTOR_LINEAGE = Table(
    "constructor_lineage",
    "one row per constructor and predecessor or successor of the same team, with its years",
    ("constructor_id", "member_order"),
    (
        required("constructor_id", "text", "The constructor asked about."),
        required("member_order", "int", "Order in time."),
        required("member_constructor_id", "text", "A constructor of the same line."),
        required("season_from", "int", "First season under that name."),
        Column("season_to", "int", "Last season under that name; missing when current."),
    ),
    source=F1DB,
    group="People and places",
)

ENTRIES = Table(
    "entries",
    "one row per season, entrant, constructor, engine and driver",
    ("season", "entrant_id", "constructor_id", "engine_manufacturer_id", "driver_id"),
    (
        SEASON,
        required("entrant_id", "text", "The entrant (the team as registered)."),
        required("constructor_id", "text", "The constructor."),
        required("engine_manufacturer_id", "text", "The engine maker."),
        required("driver_id", "text", "The driver."),
        Column(
            "rounds",
            "text",
            "Rounds of the source entered, joined by `;`; missing for test drivers who never raced.",
        ),
        required("is_test_driver", "bool", "Whether he was entered as a test driver."),
        KNOWN_AT,
    ),
    source="F1DB season entrants; a season's rows grow with the season, so they are known at its end or at the load",
    group="Calendar",
)

CALENDAR_TABLES = (
    EVENTS,
    SESSIONS_TABLE,
    ENTRIES,
    CIRCUITS,
    CIRCUIT_LAYOUTS,
    GRANDS_PRIX,
    DRIVERS,
    CONSTRUCTORS,
    CONSTRUCTOR_LINEAGE,
)
