"""What a race's page says around its forecast: stages beside each other, the weather, what happened, earlier races here."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.position_chart import position_chart
from f1core.charts.tyre_bars import tyre_bars
from f1core.home_view import rain_odds
from f1core.lap_view import session_laps, stint_table
from f1core.race_view import stages_side_by_side
from f1core.wording import stage_order
from pages.shell import forecast as stored
from pages.shell.charts import draw
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.navigation import link_to
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import race_title
from warehouse.queries.forecasts import prediction_entries
from warehouse.queries.laps import lap_sessions
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


def stage_by_stage(app: App, kind: str, heads: pl.DataFrame, model: str, target: Target) -> None:
    """What each stage said, a column each, the one that knew most first."""
    known = stage_order(heads.filter(pl.col("model") == model)["stage"])
    if len(known) < 2:
        return
    event_id = heads["event_id"][0]
    parts = {
        stage: app.read(prediction_entries, kind, event_id, stage, model, target.value) for stage in known
    }
    table = stages_side_by_side(parts, stored.known_result(app, event_id, target), target)
    with st.expander("Stage by stage: what each one said", icon=":material/compare_arrows:"):
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


def happened(app: App, event: dict[str, Any], target: Target) -> None:
    """The result, the lap chart and the tyres of a race or sprint; nothing before it."""
    result = stored.known_result(app, event["event_id"], target)
    if result.is_empty() or target is Target.QUALIFYING:
        return
    st.subheader("What happened", anchor=False)
    session = target.value
    sessions = app.read(lap_sessions, app.until)
    has_laps = (
        sessions.filter((pl.col("event_id") == event["event_id"]) & (pl.col("session") == session)).height > 0
    )
    names = ["Result", "Lap chart", "Tyres"] if has_laps else ["Result"]
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs["Result"]:
        _result(result, event)
    if not has_laps:
        st.caption("Lap charts and tyres are known from 2018 on, where the lap archive has the race.")
        return
    found = app.read(session_laps, event["event_id"], session, "laps")
    first = found.drivers["driver_id"].head(3).to_list()
    with tabs["Lap chart"]:
        draw(position_chart, found.rows, tuple(first), key="lap_chart")
    with tabs["Tyres"]:
        order = {driver: at for at, driver in enumerate(found.drivers["driver_id"])}
        stints = stint_table(found.rows).with_columns(
            used_laps=(pl.col("tyre_age_laps") - 1).clip(lower_bound=0),
            at=pl.col("driver_id").replace_strict(order, default=len(order)),
        )
        draw(tyre_bars, stints.sort("at", "stint").drop("at"), key="tyres")
    with st.container(horizontal=True):
        where = {"event": event["event_id"]}
        laps = {**where, "session": session}
        link_to("pages/laps.py", "Every lap of it", laps, ":material/timeline:", key="to_laps")
        if target is Target.RACE:
            words = "What if they had stopped on another lap?"
            link_to("pages/strategy.py", words, where, ":material/swap_vert:", key="to_strategy")


def _result(result: pl.DataFrame, event: dict[str, Any]) -> None:
    column = st.column_config
    names = [
        "position_text",
        "driver_name",
        "constructor_name",
        "laps",
        "time_s",
        "gap_s",
        "reason_retired",
        "points",
    ]
    st.dataframe(
        result.select(names),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt=f"Official result of the {race_title(event)}",
        column_config={
            "position_text": column.TextColumn("#", width=48, pinned=True),
            "driver_name": column.TextColumn("Driver", width=128, pinned=True),
            "constructor_name": column.TextColumn("Team", width=110),
            "laps": column.NumberColumn("Laps", width=55),
            "time_s": column.NumberColumn("Time [s]", format="%.3f", width=90),
            "gap_s": column.NumberColumn("Gap [s]", format="%.3f", width=80),
            "reason_retired": column.TextColumn("Retired with", width=120),
            "points": column.NumberColumn("Points", format="%g", width=62),
        },
    )
    downloads(f"{event['event_id']}_result", result.drop("last_name"))
