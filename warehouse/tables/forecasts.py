"""Tables of ratings, forecasts, backtests and their scores: written by jobs, rebuilt at will."""

from __future__ import annotations

from dataclasses import replace

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
from warehouse.vocab import Stage, Target

STAGE = required("stage", "text", "What the forecast knew.", allowed=tuple(Stage))
TARGET = required("target", "text", "What is forecast.", allowed=tuple(Target))
MODEL = required("model", "text", "Who forecasts, e.g. `joint`, or a baseline: `grid`, `points`, `elo`.")
AS_OF = required(
    "as_of", "timestamp", "Cut-off: nothing known at or after this instant was used.", unit="UTC"
)


def _probability(name: str, doc: str) -> Column:
    return required(name, "float", doc, minimum=0, maximum=1)


RATINGS = Table(
    "ratings",
    "one row per event, rated entity and kind of rating: the value after the event",
    ("event_id", "rating_kind", "entity_kind", "entity_id"),
    (
        EVENT_ID,
        SEASON,
        required(
            "rating_kind",
            "text",
            "elo, pace (of a lap, from qualifying and results), or race_pace (also from the laps of races).",
            allowed=("elo", "pace", "race_pace"),
        ),
        required("entity_kind", "text", "driver or constructor.", allowed=("driver", "constructor")),
        required("entity_id", "text", "The driver or constructor."),
        required("value", "float", "Elo points, or pace in % of a lap (smaller is faster)."),
        Column("variance", "float", "Variance of the pace estimate.", minimum=0),
        KNOWN_AT,
    ),
    source="computed from the results up to and with the event",
    group="Forecasts",
    partitioned=True,
)

FORECASTS = Table(
    "forecasts",
    "one row per event, target, stage and model: the head of a provisional forecast",
    ("event_id", "target", "stage", "model"),
    (
        EVENT_ID,
        SEASON,
        TARGET,
        STAGE,
        MODEL,
        required("model_version", "text", "Version in the registry; `baseline` for the baselines."),
        AS_OF,
        required("computed_at", "timestamp", "When it was computed, by the real clock.", unit="UTC"),
        required("data_through", "timestamp", "When the newest fact it could see became known.", unit="UTC"),
        required("data_version", "text", "Fingerprint of the facts."),
        required("last_event_id", "text", "Newest event with a result that it knew."),
        required(
            "count_missing_events",
            "int",
            "Events of the season between that one and this without a result here.",
        ),
        required("count_drivers", "int", "Drivers in the forecast.", minimum=1),
        required(
            "lineup_source", "text", "Where the field comes from: grid, qualifying, practice or last_race."
        ),
        _probability("feature_coverage", "Share of feature values that were not missing."),
        required("warnings", "text", "Warnings for the reader, joined by ` | `; empty for none."),
    ),
    source="python -m jobs predict",
    group="Forecasts",
    parents={"event_id": "events.event_id"},
)

FORECAST_ENTRIES = Table(
    "forecast_entries",
    "one row per event, target, stage, model and driver: his forecast",
    ("event_id", "target", "stage", "model", "driver_id"),
    (
        EVENT_ID,
        SEASON,
        TARGET,
        STAGE,
        MODEL,
        DRIVER_ID,
        CONSTRUCTOR_ID,
        required("predicted_position", "int", "Place in the predicted order.", minimum=1),
        required("expected_position", "float", "Mean of the predicted distribution.", minimum=1),
        required("median_position", "float", "Raw point forecast, judged by the raw MAE.", minimum=0.5),
        required("position_low", "int", "Lower end of the 80 % interval.", minimum=1),
        required("position_high", "int", "Upper end of the 80 % interval.", minimum=1),
        _probability("win_probability", "Probability of winning."),
        _probability("podium_probability", "Probability of a top-three finish."),
        _probability("points_probability", "Probability of a top-ten finish."),
        Column(
            "dnf_probability",
            "float",
            "Probability of retiring or not being classified; null where the model says nothing of it.",
            minimum=0,
            maximum=1,
        ),
        Column(
            "expected_points",
            "float",
            "Expected points of the session, by the points of its season; null where the model says nothing of them.",
            unit="points",
            minimum=0,
        ),
        Column("grid_position", "int", "Starting place the forecast knew (pit lane last).", minimum=1),
        Column("gap_s", "float", "Expected gap to the winner.", unit="s", minimum=0),
        Column("gap_low_s", "float", "Lower end of the gap's 80 % interval.", unit="s", minimum=0),
        Column("gap_high_s", "float", "Upper end of the gap's 80 % interval.", unit="s", minimum=0),
        Column("race_time_s", "float", "Expected race time.", unit="s", minimum=0),
        Column(
            "race_time_low_s", "float", "Lower end of the race time's 80 % interval.", unit="s", minimum=0
        ),
        Column(
            "race_time_high_s", "float", "Upper end of the race time's 80 % interval.", unit="s", minimum=0
        ),
        required(
            "data_quality_flag",
            "text",
            "ok, imputed, sparse or no_history.",
            allowed=("ok", "imputed", "sparse", "no_history"),
        ),
        _probability("feature_coverage", "Share of feature values that were not missing."),
    ),
    source="python -m jobs predict",
    group="Forecasts",
    checks={
        "win_probability <= podium_probability + 1e-9": "a win is a podium",
        "podium_probability <= points_probability + 1e-9": "a podium is a points finish",
        "position_low <= position_high": "the interval is ordered",
    },
    parents={"event_id": "events.event_id", "driver_id": "drivers.driver_id"},
)

_OF_FORECAST = (EVENT_ID, SEASON, TARGET, STAGE, MODEL, DRIVER_ID)
_PARENTS = {"event_id": "events.event_id", "driver_id": "drivers.driver_id"}

FORECAST_POSITIONS = Table(
    "forecast_positions",
    "one row per event, target, stage, driver and place: how likely he finishes there (the model in production only)",
    ("event_id", "target", "stage", "model", "driver_id", "position"),
    (
        *_OF_FORECAST,
        required("position", "int", "Place, counted from 1.", minimum=1),
        _probability("probability", "Probability of this place; each driver's and each place's sum to one."),
    ),
    source="python -m jobs predict",
    group="Forecasts",
    parents=_PARENTS,
)

FORECAST_DUELS = Table(
    "forecast_duels",
    "one row per event, target, stage and pair of drivers: who finishes ahead (the model in production only)",
    ("event_id", "target", "stage", "model", "driver_id", "rival_id"),
    (
        *_OF_FORECAST,
        required("rival_id", "text", "The other driver; later in the alphabet, so that a pair stands once."),
        _probability("ahead_probability", "Probability that the driver finishes ahead of the rival."),
    ),
    source="python -m jobs predict",
    group="Forecasts",
    checks={"driver_id < rival_id": "a pair stands once, in alphabetical order"},
    parents={**_PARENTS, "rival_id": "drivers.driver_id"},
)

FORECAST_CONTRIBUTIONS = Table(
    "forecast_contributions",
    "one row per event, target, stage, driver and reason: what it moves him by (the model in production only)",
    ("event_id", "target", "stage", "model", "driver_id", "term"),
    (
        *_OF_FORECAST,
        required(
            "term", "text", "The reason, e.g. `qualifying gap`; the first one is the middle of the field."
        ),
        required("ordinal", "int", "Place of the reason in the sum, counted from 1.", minimum=1),
        required(
            "places",
            "float",
            "What it adds to the expected position; below zero moves him forward. A driver's terms sum to it.",
            unit="places",
        ),
    ),
    source="python -m jobs predict",
    group="Forecasts",
    parents=_PARENTS,
)

BACKTEST_PREDICTIONS = replace(
    FORECASTS,
    name="backtest_predictions",
    grain="one row per event, target, stage and model: the head of a backtested prediction (never sealed)",
    partitioned=True,
    source="python -m jobs backtest",
    group="Backtest",
)
BACKTEST_ENTRIES = replace(
    FORECAST_ENTRIES,
    name="backtest_prediction_entries",
    grain="one row per event, target, stage, model and driver of a backtested prediction (never sealed)",
    partitioned=True,
    source="python -m jobs backtest",
    group="Backtest",
)

BACKTEST_POSITIONS, BACKTEST_DUELS, BACKTEST_CONTRIBUTIONS = (
    replace(
        table,
        name=table.name.replace("forecast", "backtest"),
        grain=f"{table.grain.removesuffix(')')}; backtested, never sealed)",
        partitioned=True,
        source="python -m jobs backtest",
        group="Backtest",
    )
    for table in (FORECAST_POSITIONS, FORECAST_DUELS, FORECAST_CONTRIBUTIONS)
)

SCORE_COLUMNS = (
    Column("winner_right", "float", "1 when the driver named as winner won.", minimum=0, maximum=1),
    Column(
        "winner_in_top_three",
        "float",
        "1 when the winner was among the predicted first three.",
        minimum=0,
        maximum=1,
    ),
    Column(
        "win_log_loss",
        "float",
        "Minus log of the winner's probability (clipped at 1e-4, renormalised).",
        unit="nats",
    ),
    Column("win_brier", "float", "Squared error of the win probabilities, summed over starters."),
    Column(
        "podium_overlap", "float", "Share of the predicted podium that finished on it.", minimum=0, maximum=1
    ),
    Column("mae_ranked", "float", "Mean absolute error of the predicted order, all starters.", unit="places"),
    Column("mae_raw", "float", "Mean absolute error of the raw position, all starters.", unit="places"),
    Column("mae_ranked_finishers", "float", "As mae_ranked, classified finishers only.", unit="places"),
    Column("mae_raw_finishers", "float", "As mae_raw, classified finishers only.", unit="places"),
    Column("spearman", "float", "Rank correlation of predicted and actual order.", minimum=-1, maximum=1),
    Column(
        "top_ten_accuracy",
        "float",
        "Share of starters on the right side when ten are picked.",
        minimum=0,
        maximum=1,
    ),
    Column("top_ten_brier", "float", "Mean squared error of the top-ten probability.", minimum=0, maximum=1),
    Column("interval_coverage", "float", "Share of starters inside the 80 % interval.", minimum=0, maximum=1),
    Column(
        "gap_mae_s", "float", "Mean absolute error of the gap to the winner, lead-lap finishers.", unit="s"
    ),
    Column("time_mae_s", "float", "Mean absolute error of the race time, lead-lap finishers.", unit="s"),
    Column(
        "dnf_log_loss",
        "float",
        "Minus log of the probability given to what happened, retired or not (clipped at 1e-3), mean over starters; "
        "null where the forecast has no such probability.",
        unit="nats",
        minimum=0,
    ),
)

BACKTEST_SCORES = Table(
    "backtest_scores",
    "one row per event, target, stage and model: how good the backtested prediction was",
    ("event_id", "target", "stage", "model"),
    (
        EVENT_ID,
        SEASON,
        TARGET,
        STAGE,
        MODEL,
        required("model_version", "text", "Version of the backtest's model."),
        required("count_starters", "int", "Starters scored.", minimum=1),
        required(
            "count_missing",
            "int",
            "Starters without a forecast (scored as last, at the probability floor).",
            minimum=0,
        ),
        *SCORE_COLUMNS,
        KNOWN_AT,
    ),
    source="python -m jobs backtest",
    group="Backtest",
    partitioned=True,
    parents={"event_id": "events.event_id"},
)

FORECAST_TABLES = (
    RATINGS,
    FORECASTS,
    FORECAST_ENTRIES,
    FORECAST_POSITIONS,
    FORECAST_DUELS,
    FORECAST_CONTRIBUTIONS,
    BACKTEST_PREDICTIONS,
    BACKTEST_ENTRIES,
    BACKTEST_POSITIONS,
    BACKTEST_DUELS,
    BACKTEST_CONTRIBUTIONS,
    BACKTEST_SCORES,
)
