"""What the installation knows: facts and their age, models, backtest, the next event."""

from __future__ import annotations

from typing import Any

import polars as pl

from f1core.backtest import BUILD_RACES
from f1core.targets import placed
from f1core.workspace import Workspace
from warehouse.queries.accuracy import backtest_scores
from warehouse.queries.events import calendar, newest_result
from warehouse.queries.forecasts import prediction_heads
from warehouse.queries.health import missing_results, table_sizes
from warehouse.vocab import Stage, Target


def status(workspace: Workspace) -> dict[str, Any]:
    """Facts, models and forecasts of an installation, as plain data.

    Returns:
        ``now``, ``warehouse`` (path, snapshot, published_at, source, ingested_at, remarks), ``tables`` (rows and newest
        fact each), ``last_result``, ``missing_results``, ``next_event`` (None when the season is over), ``forecasts``,
        ``models`` (version in production by place) and ``backtest`` (sessions by stage, with the target where it is not
        the race).

    Raises:
        WarehouseError: Nothing was built yet.
    """
    now = workspace.clock.now()
    reader = workspace.reader
    snapshot = reader.snapshot
    coming = (
        calendar(reader).filter((pl.col("result_known_at") > now) & (pl.col("status") != "cancelled")).head(1)
    )
    heads = prediction_heads(reader, "provisional", target=None).filter(
        pl.col("model").is_in(["grid", "points", "elo"]).not_()
    )
    scores = backtest_scores(reader, target=None)
    raced = scores.filter(pl.col("model") == "elo").group_by("target", "stage").len().sort("target", "stage")
    return {
        "now": now.isoformat(),
        "warehouse": {
            "path": str(reader.root),
            "snapshot": snapshot.id,
            "schema_version": snapshot.schema_version,
            "published_at": snapshot.published_at,
            "source": snapshot.notes.get("source_name"),
            "ingested_at": snapshot.notes.get("ingested_at"),
            "remarks": snapshot.notes.get("remarks", []),
        },
        "tables": table_sizes(reader).to_dicts(),
        "last_result": newest_result(reader, now),
        "missing_results": missing_results(reader, now).to_dicts(),
        "next_event": None
        if coming.is_empty()
        else coming.select("event_id", "grand_prix_name", "season", "round", "race_starts_at").row(
            0, named=True
        ),
        "forecasts": heads.select(
            "event_id", "target", "stage", "model", "model_version", "computed_at", "data_through"
        ).to_dicts(),
        "models": workspace.registry.production(),
        "backtest": {
            "races": {
                placed(Target(target), Stage(stage)): count for target, stage, count in raced.iter_rows()
            },
            "races_in_build": BUILD_RACES,
        },
    }
