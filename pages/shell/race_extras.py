"""What a race's page says around its forecast: the weather, and what each stage said."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.home_view import rain_odds
from f1core.race_view import stages_side_by_side
from f1core.wording import stage_order
from pages.shell import forecast as stored
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from warehouse.queries.forecasts import prediction_entries
from warehouse.queries.races import race_summary
from warehouse.vocab import Stage, Target


def weather(app: App, event: dict[str, Any]) -> None:
    """How the race went in a line, or the odds of rain before it."""
    summary = app.read(race_summary, event["event_id"]).filter(pl.col("known_at") <= app.now)
    if summary.height:
        row = summary.row(0, named=True)
        told = [f"{row['count_classified']} of {row['count_starters']} classified"]
        if row["is_wet"] is not None:
            share = f" ({row['wet_lap_share']:.0%} of laps on intermediates or wets)" if row["is_wet"] else ""
            told.insert(0, f"{'wet' if row['is_wet'] else 'dry'}{share}")
        for column, name in (
            ("count_safety_cars", "safety car"),
            ("count_virtual_safety_cars", "virtual safety car"),
            ("count_red_flags", "red flag"),
        ):
            if row[column]:
                told.append(f"{row[column]} {name}{'s' * (row[column] > 1)}")
        if row["is_shortened"]:
            told.append("shortened")
        st.caption(f":material/flag: As raced: {', '.join(told)}.")
        return
    odds = app.read(rain_odds, event["event_id"], event["circuit_id"], app.now)
    if odds is not None:
        words = (
            f"{odds.probability:.0%} rain by the forecast of {odds.issued_at:%d %b %H:%M} UTC (Open-Meteo.com, CC BY 4.0)"
            if odds.is_forecast
            else f"{odds.probability:.0%} of {odds.count} races here since 2018 were wet (no forecast is stored)"
        )
        st.caption(f":material/rainy: {words}.")


def stages_of(heads: pl.DataFrame, model: str) -> list[str]:
    """The stages of one kind that a model has a forecast of, the one that knew most first."""
    return stage_order(heads.filter(pl.col("model") == model)["stage"])


def stage_by_stage(app: App, kind: str, heads: pl.DataFrame, model: str, target: Target) -> None:
    """What each stage said, a column each, the one that knew most first."""
    known = stages_of(heads, model)
    event_id = heads["event_id"][0]
    parts = {
        stage: app.read(prediction_entries, kind, event_id, stage, model, target.value) for stage in known
    }
    table = stages_side_by_side(parts, stored.known_result(app, event_id, target), target)
    st.subheader("What each stage said", anchor=False)
    column = st.column_config
    shown: dict[str, Any] = {
        "driver_name": column.TextColumn("Driver", pinned=True, width=128),
        "position_text": column.TextColumn("Result", width=62),
    }
    for stage in known:
        label = Stage(stage).label
        shown[f"{stage}_place"] = column.NumberColumn(f"{label}: place", width=120)
        shown[f"{stage}_win"] = column.NumberColumn("Win", format="%.0f %%", width=70)
    st.dataframe(
        table.drop("driver_id").with_columns(pl.col(f"{stage}_win") * 100 for stage in known),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Predicted place and win probability of each stage, a line per driver",
        column_config=shown,
    )
    downloads(f"{event_id}_{target.value}_stages", table)
