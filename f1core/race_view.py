"""One race as its page shows it: what every stage said of it, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from f1core.review import review
from warehouse.vocab import Target


def stages_side_by_side(
    entries: Mapping[str, pl.DataFrame], result: pl.DataFrame, target: Target = Target.RACE
) -> pl.DataFrame:
    """What each stage said of every driver.

    Args:
        entries: Forecast of one model by stage, the one that knew most first.
        result: The official result; empty before the session.
        target: What is forecast.

    Returns:
        One row per driver in the order of the first stage: ``driver_id, driver_name, position_text`` (missing without a
        result) and for each stage ``<stage>_place`` and ``<stage>_win`` [0 to 1]; null where a stage did not have him.
    """
    parts = {stage: review(rows, result, target) for stage, rows in entries.items()}
    table = pl.concat(
        [rows.select("driver_id", "driver_name", "position_text") for rows in parts.values()]
    ).unique("driver_id", keep="first", maintain_order=True)
    for stage, rows in parts.items():
        said = rows.select(
            "driver_id",
            pl.col("predicted_position").alias(f"{stage}_place"),
            pl.col("win_probability").alias(f"{stage}_win"),
        )
        table = table.join(said, on="driver_id", how="left", maintain_order="left")
    return table
