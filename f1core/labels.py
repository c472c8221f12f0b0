"""What happened, as labels: kept apart from features, and joined to them only when a model is fitted or scored."""

from __future__ import annotations

import polars as pl

from warehouse.queries.results import race_result_lines
from warehouse.reader import Reader

FIRST_SEASON = 2010
"""Models learn from this season on: earlier points systems, fields and qualifying formats differ too much."""


def race_labels(race_results: pl.DataFrame) -> pl.DataFrame:
    """One row per starter of every race (sprints left out).

    A starter is everyone in the result except those who did not start, qualify or practise. ``position`` counts the
    starters 1..n in the official order, retirements and disqualifications last. A driver with several lines (shared or
    second cars) keeps his best.

    Args:
        race_results: Rows of the ``race_results`` table.

    Returns:
        ``event_id, season, known_at, driver_id, constructor_id, position, is_winner, is_podium, is_top_ten,
        is_classified, is_dnf, gap_s, race_time_s``; the last two [s] for cars on the lead lap, else null.
    """
    starters = (
        race_results.filter((pl.col("session") == "race") & pl.col("is_starter"))
        .sort("known_at", "event_id", "display_order")
        .unique(["event_id", "driver_id"], keep="first", maintain_order=True)
    )
    return starters.with_columns(
        position=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("event_id"),
        is_classified=pl.col("status") == "classified",
        is_dnf=pl.col("status").is_in(["retired", "not_classified"]),
        gap_s=pl.when(pl.col("status") == "classified").then(pl.col("gap_s")),
        race_time_s=pl.when(pl.col("status") == "classified").then(pl.col("time_s")),
    ).select(
        "event_id",
        "season",
        "known_at",
        "driver_id",
        "constructor_id",
        "position",
        is_winner=pl.col("position") == 1,
        is_podium=pl.col("position") <= 3,
        is_top_ten=pl.col("position") <= 10,
        is_classified=pl.col("is_classified"),
        is_dnf=pl.col("is_dnf"),
        gap_s=pl.col("gap_s"),
        race_time_s=pl.col("race_time_s"),
    )


def load_labels(reader: Reader, *, from_season: int = FIRST_SEASON) -> pl.DataFrame:
    """Labels of all races of these seasons; see :func:`race_labels`."""
    return race_labels(race_result_lines(reader, from_season))
