"""Tables derived from the ledger: sealed predictions and how they turned out. They can be rebuilt from it at any time."""

from __future__ import annotations

from dataclasses import replace

from warehouse.tables.contract import EVENT_ID, SEASON, Column, Table, required
from warehouse.tables.forecasts import (
    FORECAST_CONTRIBUTIONS,
    FORECAST_DUELS,
    FORECAST_ENTRIES,
    FORECAST_POSITIONS,
    FORECASTS,
    MODEL,
    SCORE_COLUMNS,
    STAGE,
    TARGET,
)

RECORD = (
    required("record_name", "text", "Name of the sealed record."),
    required("record_hash", "text", "SHA-256 of the sealed record."),
    required("sequence", "int", "Place in the chain.", minimum=1),
)

PREDICTIONS = Table(
    "predictions",
    "one row per sealed prediction and model (the sealed model and its baselines)",
    FORECASTS.key,
    (
        *FORECASTS.columns,
        *RECORD,
        required("sealed_at", "timestamp", "When it was sealed, by the real clock.", unit="UTC"),
        required(
            "session_starts_at",
            "timestamp",
            "Start of the session it forecasts, as then planned.",
            unit="UTC",
        ),
        required(
            "confidence_score",
            "float",
            "Win probability of the driver named as winner.",
            minimum=0,
            maximum=1,
        ),
        required("confidence_level", "text", "low, medium or high.", allowed=("low", "medium", "high")),
    ),
    source="the ledger",
    group="Sealed",
)

PREDICTION_ENTRIES = replace(
    FORECAST_ENTRIES,
    name="prediction_entries",
    grain="one row per sealed prediction, model and driver",
    source="the ledger",
    group="Sealed",
    parents={},
)

PREDICTION_POSITIONS, PREDICTION_DUELS, PREDICTION_CONTRIBUTIONS = (
    replace(
        table,
        name=table.name.replace("forecast", "prediction"),
        grain=f"{table.grain.removesuffix(')')}; sealed)",
        source="the ledger",
        group="Sealed",
        parents={},
    )
    for table in (FORECAST_POSITIONS, FORECAST_DUELS, FORECAST_CONTRIBUTIONS)
)

ACCURACY = Table(
    "accuracy",
    "one row per settlement and model: how good a sealed prediction was by the results known then",
    ("event_id", "target", "stage", "model", "revision"),
    (
        EVENT_ID,
        SEASON,
        TARGET,
        STAGE,
        MODEL,
        required("revision", "int", "1 for the first result, more after each correction.", minimum=1),
        required("is_current", "bool", "Whether no later settlement supersedes it."),
        required("settled_at", "timestamp", "When it was settled.", unit="UTC"),
        required("prediction_hash", "text", "Hash of the sealed prediction."),
        *RECORD,
        required("count_starters", "int", "Starters scored.", minimum=1),
        required("count_missing", "int", "Starters without a forecast.", minimum=0),
        *SCORE_COLUMNS,
        Column("confidence_score", "float", "As in the prediction.", minimum=0, maximum=1),
    ),
    source="the ledger",
    group="Sealed",
)

LEDGER_TABLES = (
    PREDICTIONS,
    PREDICTION_ENTRIES,
    PREDICTION_POSITIONS,
    PREDICTION_DUELS,
    PREDICTION_CONTRIBUTIONS,
    ACCURACY,
)
