"""What happened in a race or sprint: the result, the lap chart or the tyres."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.position_chart import position_chart
from f1core.charts.tyre_bars import tyre_bars
from f1core.lap_view import session_laps, stint_table
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.navigation import link_to
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import race_title
from warehouse.queries.laps import lap_sessions
from warehouse.vocab import Target

PARAMETER = "part"
PARTS = {"result": "Result", "laps": "Lap chart", "tyres": "Tyres"}
"""What there is to see of a session that was run, by the word in the URL."""


def happened(app: App, event: dict[str, Any], target: Target, result: pl.DataFrame) -> None:
    """The result, the lap chart or the tyres of a race or sprint: the one that is chosen, in the URL as ``?part=``.

    Args:
        app: The app.
        event: A row of the calendar.
        target: The race or the sprint.
        result: As in :func:`pages.shell.forecast.known_result`; not empty.
    """
    st.subheader("What happened", anchor=False)
    laps = {"event": event["event_id"], "session": target.value}
    sessions = app.read(lap_sessions, app.until)
    has_laps = (
        sessions.filter((pl.col("event_id") == laps["event"]) & (pl.col("session") == laps["session"])).height
        > 0
    )
    part = "result"
    if has_laps:
        part = choose("Part", list(PARTS), PARAMETER, default=part, words=PARTS.__getitem__)
    if part == "result":
        _result(result, event)
    else:
        _laps(app, laps["event"], laps["session"], part)
    if not has_laps:
        st.caption("Lap charts and tyres are known from 2018 on, where the lap archive has the race.")
        return
    with st.container(horizontal=True):
        link_to("pages/laps.py", "Every lap of it", laps, ":material/timeline:", key="to_laps")
        if target is Target.RACE:
            words = "What if they had stopped on another lap?"
            where = {"event": laps["event"]}
            link_to("pages/strategy.py", words, where, ":material/swap_vert:", key="to_strategy")


def _laps(app: App, event_id: str, session: str, part: str) -> None:
    found = app.read(session_laps, event_id, session, "laps")
    if part == "laps":
        first = found.drivers["driver_id"].head(3).to_list()
        draw(position_chart, found.rows, tuple(first), key="lap_chart")
        return
    order = {driver: at for at, driver in enumerate(found.drivers["driver_id"])}
    stints = stint_table(found.rows).with_columns(
        used_laps=(pl.col("tyre_age_laps") - 1).clip(lower_bound=0),
        at=pl.col("driver_id").replace_strict(order, default=len(order)),
    )
    draw(tyre_bars, stints.sort("at", "stint").drop("at"), key="tyres")


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
