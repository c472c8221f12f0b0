"""Tables of the strategy simulator: what single races say, and the parameters pooled from them."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, KNOWN_AT, SEASON, Column, Table, required

PARAMETER = required("parameter", "text", "What was measured, e.g. `wear` or `pit_loss`.")
PART = required(
    "part",
    "text",
    "Of which compound, class of gaps, class of advantages or number of periods; empty where there is only one.",
)
CIRCUIT_ID = required("circuit_id", "text", "The circuit, e.g. `monza`.")
SOURCES = ("circuit", "pool", "assumption")

STRATEGY_MEASUREMENTS = Table(
    "strategy_measurements",
    "one row per race, parameter and part, measured on that race alone",
    ("event_id", "parameter", "part"),
    (
        EVENT_ID,
        SEASON,
        CIRCUIT_ID,
        PARAMETER,
        PART,
        required("value", "float", "What the race says."),
        Column(
            "standard_error",
            "float",
            "Standard error of the value; missing for counts and shares.",
            minimum=0,
        ),
        Column("spread", "float", "Standard deviation within the race, where it has one.", minimum=0),
        required("count_samples", "int", "Laps, stops, starts or periods it rests on.", minimum=0),
        required("unit", "text", "Unit of the value; empty for a plain number."),
        required("made_from", "text", "Fingerprint of the race's rows and of the code it was made from."),
        KNOWN_AT,
    ),
    source="python -m jobs fit-strategy",
    group="Strategy",
    partitioned=True,
    parents={"event_id": "events.event_id", "circuit_id": "circuits.circuit_id"},
)

STRATEGY_PARAMETERS = Table(
    "strategy_parameters",
    "one row per fit, circuit, parameter and part",
    ("version", "circuit_id", "parameter", "part"),
    (
        required("version", "text", "Fingerprint of the measurements and the code of the fit."),
        CIRCUIT_ID,
        required("lap_time_s", "float", "Lap to which seconds are scaled.", unit="s", minimum=0),
        required("count_races", "int", "Races measured on the circuit.", minimum=0),
        PARAMETER,
        PART,
        required("value", "float", "Best estimate for the next race there."),
        required("low", "float", "Lower end of the 80 % interval of the circuit's mean."),
        required("high", "float", "Upper end of that interval."),
        required(
            "spread", "float", "Standard deviation from race to race; 0 where there is none.", minimum=0
        ),
        required("count", "int", "Races it rests on.", minimum=0),
        required("unit", "text", "Unit; empty for a plain number."),
        required(
            "source",
            "text",
            "circuit: races there, drawn to the pool; pool: all circuits; assumption: not measured.",
            allowed=SOURCES,
        ),
        KNOWN_AT,
    ),
    source="python -m jobs fit-strategy",
    group="Strategy",
    parents={"circuit_id": "circuits.circuit_id"},
    checks={"low <= high": "the interval is ordered"},
)

UNDERCUTS = Table(
    "undercuts",
    "one row per undercut tried in a dry race: event, driver, rival and in-lap",
    ("event_id", "driver_id", "rival_id", "lap"),
    (
        EVENT_ID,
        SEASON,
        CIRCUIT_ID,
        required("driver_id", "text", "Who stopped first."),
        required("rival_id", "text", "The rival ahead, who stopped one to four laps later."),
        required("lap", "int", "In-lap of the driver.", minimum=1),
        required(
            "gap_s", "float", "Gap to the rival at the last line before the in-lap.", unit="s", minimum=0
        ),
        required("reply_laps", "int", "Laps until the rival stopped.", minimum=1),
        required("gap", "float", "The gap at a lap of 90 s.", unit="s"),
        required(
            "pace", "float", "Present pace against the rival's at a lap of 90 s; more is slower.", unit="s"
        ),
        required("gap_pace", "float", "Product of these two.", unit="s²"),
        required(
            "field_wear", "float", "What the field's sets lose with every lap, at a lap of 90 s.", unit="s"
        ),
        required("older", "float", "Age of the rival's set less that of the driver's.", unit="laps"),
        required("rival_age", "float", "Age of the rival's set.", unit="laps", minimum=0),
        required(
            "harder",
            "float",
            "-1, 0 or 1: the set the driver fitted is softer, the same or harder than the rival's.",
        ),
        required("is_first", "float", "1 at the driver's first stop, else 0."),
        required("stopped", "float", "Share of the running cars that had stopped."),
        required("is_train", "float", "1 where the rival was within 2 s of a car ahead, else 0."),
        required("is_ahead", "bool", "Whether the driver was ahead after the rival's out-lap."),
        KNOWN_AT,
    ),
    source="python -m jobs fit-strategy",
    group="Strategy",
    partitioned=True,
    parents={
        "event_id": "events.event_id",
        "circuit_id": "circuits.circuit_id",
        "driver_id": "drivers.driver_id",
    },
)

RACE_PACES = Table(
    "race_paces",
    "one row per race and driver with a pace of his own, fitted on the laps of that race alone",
    ("event_id", "driver_id"),
    (
        EVENT_ID,
        SEASON,
        required("driver_id", "text", "The driver."),
        required(
            "race_pace_pct", "float", "Lap against the middle driver of the race; less is faster.", unit="%"
        ),
        required("standard_error_pct", "float", "Standard error of the difference.", unit="%", minimum=0),
        required("count_laps", "int", "Laps it rests on.", minimum=1),
        required("made_from", "text", "Fingerprint of the race's rows and of the code it was made from."),
        KNOWN_AT,
    ),
    source="python -m jobs fit-strategy",
    group="Strategy",
    parents={"event_id": "events.event_id", "driver_id": "drivers.driver_id"},
)

STRATEGY_TABLES: tuple[Table, ...] = (STRATEGY_MEASUREMENTS, STRATEGY_PARAMETERS, UNDERCUTS, RACE_PACES)
