"""More ways to look at the accuracy of forecasts: hit rates with intervals, by kind of track, surprises, every forecast."""

from __future__ import annotations

import datetime as dt

import polars as pl

from f1core.accuracy import (
    ROLLING_RACES,
    Races,
    compare,
    comparison_table,
    rolling_scores,
    scores_of,
    season_advantages,
)
from f1core.wording import KIND_NAMES, model_name, model_order
from models.intervals import wilson_interval
from warehouse.queries.accuracy import predictions_with_outcome
from warehouse.queries.events import calendar
from warehouse.queries.forecasts import prediction_heads
from warehouse.reader import Reader
from warehouse.vocab import Stage

LEVEL = 0.90
RATES = {
    "winner_right": ("Winner named", 1),
    "winner_in_top_three": ("Winner in top three", 1),
    "podium_overlap": ("Podium places hit", 3),
}
"""Scores that are shares of hits, what people read, and how many chances a race gives."""
CIRCUIT_TYPES = {"race": "Race tracks", "street": "Street circuits", "road": "Road courses"}


def hit_rates(scores: pl.DataFrame) -> pl.DataFrame:
    """Hits over all races and over the last five, with Wilson intervals.

    Args:
        scores: As in :func:`f1core.accuracy.scores_of`.

    Returns:
        ``rate`` (for people), ``model`` (for people), ``hits, chances, share, low, high`` (90 % interval),
        ``recent_hits, recent_chances`` (of the last five races), our model first.
    """
    rows = []
    recent = scores["event_id"].unique(maintain_order=True).tail(ROLLING_RACES)
    for column, (words, chances) in RATES.items():
        for model in model_order(scores["model"]):
            own = scores.filter(pl.col("model") == model).drop_nulls(column)
            late = own.filter(pl.col("event_id").is_in(recent.implode()))
            hits, total = round(float(own[column].sum()) * chances), own.height * chances
            low, high = wilson_interval(hits, total, LEVEL)
            rows.append(
                {
                    "rate": words,
                    "model": model_name(model),
                    "hits": hits,
                    "chances": total,
                    "share": hits / total if total else None,
                    "low": low,
                    "high": high,
                    "recent_hits": round(float(late[column].sum()) * chances),
                    "recent_chances": late.height * chances,
                }
            )
    return pl.DataFrame(rows)


def hit_rates_of(reader: Reader, races: Races) -> pl.DataFrame:
    """Hits over the races of :func:`f1core.accuracy.scores_of`, which must not be empty; see :func:`hit_rates`."""
    return hit_rates(scores_of(reader, races))


def season_advantages_of(reader: Reader, races: Races, column: str) -> pl.DataFrame:
    """Our advantage season by season over the same races; see :func:`f1core.accuracy.season_advantages`."""
    return season_advantages(scores_of(reader, races), column)


def rolling_scores_of(reader: Reader, races: Races) -> pl.DataFrame:
    """Means over the last five of the same races; see :func:`f1core.accuracy.rolling_scores`."""
    return rolling_scores(scores_of(reader, races))


def circuit_type_advantages(reader: Reader, races: Races, column: str) -> pl.DataFrame:
    """Our advantage over every baseline on one score, by kind of track: ``track`` and as ``comparison_table``."""
    scores = scores_of(reader, races)
    kinds = calendar(reader).select("event_id", "circuit_type")
    known = scores.join(kinds, on="event_id", how="inner", maintain_order="left")
    parts = [
        comparison_table(compare(known.filter(pl.col("circuit_type") == kind), (column,))).with_columns(
            track=pl.lit(words)
        )
        for kind, words in CIRCUIT_TYPES.items()
    ]
    return pl.concat([part for part in parts if part.height] or [parts[0].clear()])


def surprises(reader: Reader, races: Races, model: str) -> pl.DataFrame:
    """Winners by the probability they were given, the least likely first.

    Returns:
        ``event_id, season, grand_prix_name, winner, win_probability`` (given to the winner) and ``named`` (who was named),
        ``named_probability``.
    """
    rows = races.among(predictions_with_outcome(reader, stage=races.stage, model=model, target=races.target))
    named = rows.sort("win_probability", descending=True, maintain_order=True).unique(
        "event_id", keep="first", maintain_order=True
    )
    return (
        rows.filter(pl.col("position") == 1)
        .select(
            "event_id", "season", "grand_prix_name", winner="driver_name", win_probability="win_probability"
        )
        .join(
            named.select("event_id", named="driver_name", named_probability="win_probability"),
            on="event_id",
            how="inner",
        )
        .sort("win_probability", "event_id")
    )


def every_forecast(reader: Reader, kind: str, target: str, until: dt.datetime | None = None) -> pl.DataFrame:
    """Every forecast of a kind that was ever made of a target, the newest first; kinds are never mixed.

    Returns:
        ``race, season, stage`` (for people), ``model`` (for people), ``as_of, model_version, count_drivers`` where known,
        and ``link`` (address of its page within the app).
    """
    if kind not in KIND_NAMES:
        raise ValueError(f"no kind {kind}")
    heads = prediction_heads(reader, kind, target=target)
    if until is not None:
        heads = heads.filter(pl.col("as_of") <= until)
    labels = {stage.value: stage.label for stage in Stage}
    return heads.select(
        race=pl.format("{} {}", "grand_prix_name", "season"),
        season="season",
        event_id="event_id",
        stage=pl.col("stage").replace_strict(labels),
        model=pl.col("model").map_elements(model_name, return_dtype=pl.String),
        as_of="as_of",
        model_version="model_version",
        link=pl.format("/race?event={}&target={}&stage={}&model={}", "event_id", "target", "stage", "model"),
    )
