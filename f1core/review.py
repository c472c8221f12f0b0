"""A forecast held against the result: one row per driver, as pages, charts and downloads show it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl

from f1core.labels import labels_of
from f1core.wording import model_name, model_order
from warehouse.vocab import Target

DRIVER_COLUMNS = ("driver_id", "driver_name", "last_name", "driver_code", "constructor_name")
FORECAST_COLUMNS = (
    "predicted_position",
    "expected_position",
    "position_low",
    "position_high",
    "win_probability",
    "podium_probability",
    "points_probability",
    "dnf_probability",
    "expected_points",
    "grid_position",
    "gap_s",
    "data_quality_flag",
)


def review(entries: pl.DataFrame, result: pl.DataFrame, target: Target = Target.RACE) -> pl.DataFrame:
    """Joins one model's forecast of an event with the official result.

    Args:
        entries: Rows of one model, as in :func:`warehouse.queries.forecasts.prediction_entries`.
        result: As in :func:`warehouse.queries.results.event_result`, for qualifying as in
            :func:`warehouse.queries.results.event_qualifying`; empty before the session.
        target: What is forecast.

    Returns:
        One row per driver in predicted order: driver and forecast columns, ``label`` (short and unique in the race),
        and ``position`` (official order among starters, null without a start or a result), ``position_text`` (the
        official mark, e.g. ``DNF``), ``is_classified``, ``miss`` (places behind the forecast, negative when ahead),
        ``is_inside`` (whether the 80 % range holds the result). Starters that were not forecast come last.
    """
    forecast = entries.sort("predicted_position").select(*DRIVER_COLUMNS, *FORECAST_COLUMNS)
    labels = labels_of(result, target).select("driver_id", "position", "is_classified")
    marks = result.unique("driver_id", keep="first", maintain_order=True)
    actual = marks.select(*DRIVER_COLUMNS, "position_text").join(labels, on="driver_id", how="left")
    known = forecast.join(actual.drop(*DRIVER_COLUMNS[1:]), on="driver_id", how="left", maintain_order="left")
    absent = actual.join(forecast, on="driver_id", how="anti").filter(pl.col("position").is_not_null())
    rows = pl.concat([known, absent.sort("position")], how="diagonal")
    return rows.with_columns(
        label=_labels(rows),
        miss=pl.col("position") - pl.col("predicted_position"),
        is_inside=pl.col("position").is_between("position_low", "position_high"),
    )


def ahead_of(pairs: pl.DataFrame, driver_id: str, rival_id: str) -> float | None:
    """Probability that one driver finishes ahead of another; None when the pair is not there.

    Args:
        pairs: As in :func:`warehouse.queries.distributions.duels`: each pair once.
        driver_id: The one.
        rival_id: The other.
    """
    found = pairs.filter(
        pl.col("driver_id").is_in([driver_id, rival_id]) & pl.col("rival_id").is_in([driver_id, rival_id])
    )
    if found.is_empty():
        return None
    share = float(found["ahead_probability"][0])
    return share if found["driver_id"][0] == driver_id else 1 - share


def side_by_side(entries: pl.DataFrame) -> pl.DataFrame:
    """What each model says of each driver of an event, beside each other.

    Args:
        entries: Rows of all models, as in :func:`warehouse.queries.forecasts.prediction_entries`.

    Returns:
        One row per driver in our predicted order: ``driver_name``, then per model its place (``Elo #``) and then per
        model its win probability [%] (``Elo win``), in columns named for people.
    """
    models = model_order(entries["model"])
    first = entries.filter(pl.col("model") == models[0]).sort("predicted_position")
    rows = first.select("driver_id", "driver_name")
    for model in models:
        columns = entries.filter(pl.col("model") == model).select(
            "driver_id",
            pl.col("predicted_position").alias(f"{model_name(model)} #"),
            (pl.col("win_probability") * 100).alias(f"{model_name(model)} win"),
        )
        rows = rows.join(columns, on="driver_id", how="left", maintain_order="left")
    places = [f"{model_name(model)} #" for model in models]
    wins = [f"{model_name(model)} win" for model in models]
    return rows.select("driver_name", *places, *wins)


def as_csv(rows: pl.DataFrame) -> bytes:
    """Rows as CSV with a header, UTF-8."""
    return rows.write_csv().encode()


def as_json(document: dict[str, Any]) -> bytes:
    """A document as JSON; instants in ISO 8601."""
    return json.dumps(document, default=_plain, ensure_ascii=False, indent=1).encode()


def forecast_document(kind: str, head: dict[str, Any], rows: pl.DataFrame) -> dict[str, Any]:
    """What a page shows of one model's forecast, with where it comes from, as one document.

    Args:
        kind: ``backtest`` or ``provisional``.
        head: Row of :func:`warehouse.queries.forecasts.prediction_heads`.
        rows: As in :func:`review`.
    """
    return {"kind": kind, **head, "entries": rows.drop("label").to_dicts()}


def _labels(rows: pl.DataFrame) -> pl.Series:
    # Last names, but for two drivers who share one.
    shared = rows["last_name"].is_duplicated()
    return pl.Series(
        "label",
        [
            name if is_shared else last
            for name, last, is_shared in zip(rows["driver_name"], rows["last_name"], shared, strict=True)
        ],
        dtype=pl.String,
    )


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a document")
