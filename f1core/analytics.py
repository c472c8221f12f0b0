"""Metrics of drivers, teams and circuits, made from the facts by every ingest."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from models.elo_rankings import elo_rankings
from models.lap_craft import LapCraft, lap_craft
from models.lap_pace import LAP_COLUMNS
from warehouse.analytics import build_analytics
from warehouse.tables import TABLES


def race_craft(laps: pa.Table) -> LapCraft:
    """What the laps of races say; sprints are left out.

    Args:
        laps: Rows of the ``laps`` table.
    """
    rows = pl.DataFrame(pl.from_arrow(laps.select(["session", *LAP_COLUMNS])))
    return lap_craft(rows.filter(pl.col("session") == "race"))


def analyse(facts: Mapping[str, pa.Table], ratings: pa.Table, craft: LapCraft) -> dict[str, pa.Table]:
    """Rows of the analytics tables by name; see :mod:`warehouse.tables.analytics` for what they are.

    Args:
        facts: Fact tables by name.
        ratings: Rows of the ``ratings`` table.
        craft: Of :func:`race_craft`.
    """
    ranked = elo_rankings(pl.DataFrame(pl.from_arrow(ratings)))
    return build_analytics(
        facts,
        lap_craft=craft.drivers.to_arrow(),
        lap_wear=craft.wear.to_arrow(),
        elo_rankings=ranked.select(TABLES["elo_rankings"].column_names)
        .to_arrow()
        .cast(TABLES["elo_rankings"].schema),
    )
