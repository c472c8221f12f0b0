"""Elo ratings as rankings: everybody's place after every event of a season."""

from __future__ import annotations

import polars as pl

from models.ratings import BASE_RATING, SEASON_CARRY


def elo_rankings(ratings: pl.DataFrame) -> pl.DataFrame:
    """Ranks drivers, and constructors, after each event among those that have started in the season by then.

    Args:
        ratings: Rows of ``rating_timeline.RATING_SCHEMA``, any order; kinds of rating other than ``elo`` are left out.

    Returns:
        ``event_id, season, entity_kind, entity_id, elo, elo_before`` (after what winters take; :data:`BASE_RATING` for a
        newcomer), ``change, rank`` (equal ratings share the better place), ``is_present, count_events, known_at``, in order
        of time, kind and rank. A row depends on nothing that happened after its event.
    """
    who = ["entity_kind", "entity_id"]
    carry = pl.col("entity_kind").replace_strict(
        SEASON_CARRY, default=1.0, return_dtype=pl.Float64
    ) ** pl.col("winters").cast(pl.Float64)
    present = (
        ratings.filter(pl.col("rating_kind") == "elo")
        .sort("known_at", "event_id", *who)
        .with_columns(
            before=pl.col("value").shift(1).over(who),
            winters=pl.col("season") - pl.col("season").shift(1).over(who),
            count_events=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(who),
        )
        .with_columns(
            elo_before=(BASE_RATING + (pl.col("before") - BASE_RATING) * carry).fill_null(BASE_RATING)
        )
        .select("event_id", "season", "known_at", *who, "elo_before", "count_events", elo=pl.col("value"))
    )
    events = (
        present.select("season", "known_at", "event_id")
        .unique()
        .sort("known_at", "event_id")
        .with_row_index("moment")
    )
    first = (
        present.join(events.select("event_id", "moment"), on="event_id")
        .group_by("season", *who)
        .agg(since=pl.col("moment").min())
    )
    listed = (
        events.join(first, on="season")
        .filter(pl.col("moment") >= pl.col("since"))
        .join(present.drop("season", "known_at"), on=["event_id", *who], how="left")
        .sort(*who, "moment")
    )
    own = ["season", *who]
    filled = listed.with_columns(
        is_present=pl.col("elo").is_not_null(),
        elo=pl.col("elo").forward_fill().over(own),
        count_events=pl.col("count_events").forward_fill().over(own),
    ).with_columns(elo_before=pl.col("elo_before").fill_null(pl.col("elo")))
    return (
        filled.with_columns(
            change=pl.col("elo") - pl.col("elo_before"),
            rank=pl.col("elo").rank("min", descending=True).over("event_id", "entity_kind").cast(pl.Int32),
        )
        .sort("moment", "entity_kind", "rank", "entity_id")
        .select(
            "event_id",
            "season",
            *who,
            "elo",
            "elo_before",
            "change",
            "rank",
            "is_present",
            "count_events",
            "known_at",
        )
    )
