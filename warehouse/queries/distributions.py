"""Reads of what stands beside a forecast's entries: the probability of every place, pairs of drivers, contributions."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader

DISTRIBUTION_TABLES = {
    kind: {name: f"{prefix}_{name}" for name in ("positions", "duels", "contributions")}
    for kind, prefix in (("provisional", "forecast"), ("backtest", "backtest"), ("sealed", "prediction"))
}
"""Tables by kind of stored prediction and by what they hold; kinds are never mixed in one answer."""


def position_probabilities(
    reader: Reader, kind: str, event_id: str, stage: str, model: str, target: str = "race"
) -> pl.DataFrame:
    """The probability of every place of every driver: ``driver_id, position, probability``; empty where none is stored."""
    return _rows(
        reader,
        f"select driver_id, position, probability from {DISTRIBUTION_TABLES[kind]['positions']}",
        "driver_id, position",
        (event_id, stage, model, target),
    )


def duels(
    reader: Reader, kind: str, event_id: str, stage: str, model: str, target: str = "race"
) -> pl.DataFrame:
    """Who finishes ahead, one row per pair: ``driver_id, rival_id, ahead_probability``; empty where none is stored."""
    return _rows(
        reader,
        f"select driver_id, rival_id, ahead_probability from {DISTRIBUTION_TABLES[kind]['duels']}",
        "driver_id, rival_id",
        (event_id, stage, model, target),
    )


def contributions(
    reader: Reader, kind: str, event_id: str, stage: str, model: str, target: str = "race"
) -> pl.DataFrame:
    """What moved each driver, in order: ``driver_id, term, ordinal, places``; empty where none is stored."""
    return _rows(
        reader,
        f"select driver_id, term, ordinal, places from {DISTRIBUTION_TABLES[kind]['contributions']}",
        "driver_id, ordinal",
        (event_id, stage, model, target),
    )


def _rows(reader: Reader, select: str, order: str, chosen: tuple[str, str, str, str]) -> pl.DataFrame:
    event_id, stage, model, target = chosen
    # Naming the season leaves the files of all others closed.
    return reader.query(
        f"""
        {select}
        where season = $season and event_id = $event_id and stage = $stage and model = $model and target = $target
        order by {order}
        """,
        {
            "season": int(event_id[:4]),
            "event_id": event_id,
            "stage": stage,
            "model": model,
            "target": target,
        },
    )
