"""Tables of the championship: title odds after every round, and where everybody ends up."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, KNOWN_AT, SEASON, Column, Table, required

CHAMPIONSHIP = required("championship", "text", "Which championship.", allowed=("drivers", "constructors"))
ENTITY_ID = required("entity_id", "text", "The driver or constructor.")
IS_BACKTEST = required(
    "is_backtest",
    "bool",
    "Whether it was computed when a later race was known already: from facts and a calendar corrected since.",
)

CHAMPIONSHIP_ODDS = Table(
    "championship_odds",
    "one row per round (the event after which it stands), championship and driver or constructor",
    ("event_id", "championship", "entity_id"),
    (
        EVENT_ID,
        SEASON,
        required("count_rounds", "int", "Rounds raced, with this one.", minimum=1),
        required("count_remaining", "int", "Rounds to come in the calendar used.", minimum=0),
        required("count_sprints", "int", "Sprints among them.", minimum=0),
        CHAMPIONSHIP,
        ENTITY_ID,
        required("position", "int", "Place in the championship now, by the official table.", minimum=1),
        required("points", "float", "Points now, deductions included.", minimum=0),
        required("points_possible", "float", "Points when everything that is left is won.", minimum=0),
        required("can_be_champion", "bool", "Whether the title is still possible by the points rules."),
        required("is_decided", "bool", "Whether the title is settled by the points rules."),
        required("title_probability", "float", "Share of simulated seasons won.", minimum=0, maximum=1),
        required("expected_points", "float", "Mean points at the end.", minimum=0),
        required("points_low", "float", "Lower end of their 80 % interval.", minimum=0),
        required("points_high", "float", "Upper end of that interval.", minimum=0),
        required("expected_position", "float", "Mean final position.", minimum=1),
        required(
            "places",
            "text",
            "How often a race was finished first, second, ..., for ties on points; without the last zeros, e.g. `9 6 1`.",
        ),
        Column("constructor_id", "text", "Car expected for the rest of the season; missing without one."),
        IS_BACKTEST,
        required("count_seasons", "int", "Simulated seasons.", minimum=1),
        required(
            "made_from", "text", "Fingerprint of standings, ratings, calendar and code it was made from."
        ),
        KNOWN_AT,
    ),
    source="python -m jobs championship",
    group="Championship",
    partitioned=True,
    parents={"event_id": "events.event_id"},
    checks={
        "points_low <= points_high": "the interval is ordered",
        "points <= points_low + 1e-3": "points are not lost",
        "points_high <= points_possible + 1e-3": "nobody scores more than is left",
        "can_be_champion or title_probability = 0": "who is out has no odds",
    },
)

CHAMPIONSHIP_POSITIONS = Table(
    "championship_positions",
    "one row per round, championship, driver or constructor and final position that occurred in a simulated season",
    ("event_id", "championship", "entity_id", "position"),
    (
        EVENT_ID,
        SEASON,
        CHAMPIONSHIP,
        ENTITY_ID,
        required("position", "int", "Final position in the championship.", minimum=1),
        required("probability", "float", "Share of simulated seasons.", minimum=0, maximum=1),
        KNOWN_AT,
    ),
    source="python -m jobs championship",
    group="Championship",
    partitioned=True,
    parents={"event_id": "events.event_id"},
)

CHAMPIONSHIP_TABLES: tuple[Table, ...] = (CHAMPIONSHIP_ODDS, CHAMPIONSHIP_POSITIONS)
