"""The championship as pages show it: rows with labels of their own, the points table, documents to take away."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from f1core.team_colours import with_team_colours
from f1core.title_words import Outlook, as_data
from warehouse.queries.championship import title_odds
from warehouse.reader import Reader


def labelled_odds(
    reader: Reader, season: int, championship: str, until: dt.datetime | None = None
) -> pl.DataFrame:
    """As :func:`warehouse.queries.championship.title_odds`; who shares a last name in the season is labelled in full."""
    rows = title_odds(reader, season, championship, until)
    names = rows.unique("entity_id").select("entity_id", shared=pl.col("label").is_duplicated())
    return (
        rows.join(names, on="entity_id", how="left", maintain_order="left")
        .with_columns(label=pl.when("shared").then("name").otherwise("label"))
        .drop("shared")
    )


def coloured_odds(rows: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """Odds with ``team_colour`` and ``team_dash``; drivers keep the dash they have on every page.

    Args:
        rows: As in :func:`labelled_odds`, of one championship.
        order: As in :func:`warehouse.queries.drivers.season_drivers`, of its season.
    """
    if rows.is_empty() or rows["championship"][0] == "constructors":
        named = rows.drop("constructor_id", strict=False).with_columns(constructor_id="entity_id")
        return with_team_colours(named, "season")
    # The last car of the season, not the one of each round: a driver has one colour all through.
    cars = order.select("driver_id", "constructor_id")
    named = (
        rows.drop("constructor_id")
        .with_columns(driver_id="entity_id")
        .join(cars, on="driver_id", how="left", maintain_order="left")
    )
    return with_team_colours(named, "season", order=order).drop("driver_id")


def points_table(rows: pl.DataFrame) -> pl.DataFrame:
    """The championship after a round with what is expected of its end, a row per driver or constructor in its order.

    Args:
        rows: Of one round.

    Returns:
        ``position, name, constructor_name, points, gap`` (points behind the leader), ``wins, title`` [%],
        ``expected_points, span`` (80 % interval), ``expected_position, chance`` (in words).
    """
    return rows.sort("position").select(
        "position",
        "name",
        "constructor_name",
        "points",
        gap=pl.col("points").max() - pl.col("points"),
        wins=pl.col("places").str.split(" ").list.first().cast(pl.Int32, strict=False).fill_null(0),
        title=pl.col("title_probability") * 100,
        expected_points=pl.col("expected_points"),
        span=pl.format(
            "{}–{}",
            pl.col("points_low").round(0).cast(pl.Int32),
            pl.col("points_high").round(0).cast(pl.Int32),
        ),
        expected_position="expected_position",
        chance=pl.when(~pl.col("can_be_champion"))
        .then(pl.lit("out"))
        .when(pl.col("is_decided"))
        .then(pl.lit("champion"))
        .otherwise(pl.lit("possible")),
    )


def document(rows: pl.DataFrame, positions: pl.DataFrame, outlook: Outlook) -> dict[str, Any]:
    """What the page shows of one round as one document."""
    head = rows.select("event_id", "season", "championship", "known_at", "is_backtest").row(0, named=True)
    return {
        **head,
        "what_must_happen": as_data(outlook),
        "entries": rows.drop("label", *head).to_dicts(),
        "positions": positions.to_dicts(),
    }
