"""Part of the laps page: telemetry of chosen laps over the distance, and the way round the circuit."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.telemetry_channel import CHANNELS, telemetry_channel
from f1core.charts.track_map import track_map
from f1core.telemetry_view import ChosenLap, Comparison, compare_laps
from pages.shell.charts import draw
from pages.shell.choices import choose_some
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import lap_text
from warehouse.queries.sessions import telemetry_laps

MOST = 4


def telemetry(app: App, event: dict[str, Any], session: str, others: pl.DataFrame, name: str) -> None:
    """Speed, time lost, throttle, brake and gear of up to four laps of a session; what to do where there are none.

    Args:
        app: The app.
        event: Row of the session's event.
        session: The session.
        others: Sessions with telemetry, as in :func:`warehouse.queries.laps.lap_sessions`.
        name: Of the files to take away.
    """
    laps = app.read(telemetry_laps, event["event_id"]).filter(pl.col("session") == session)
    laps = laps.filter(pl.col("lap_time_s").is_not_null())
    if laps.is_empty():
        _nothing(event, session, others)
        return
    chosen = _pick(laps)
    found: Comparison = app.read(compare_laps, event["event_id"], session, chosen)
    for note in found.notes:
        st.caption(f":material/info: Left out: {note}.")
    if found.rows.is_empty():
        st.info("None of these laps can be drawn; choose others.", icon=":material/sensors_off:")
        return
    reference = found.rows["label"][0]
    left, right = st.columns([3, 2], gap="large")
    with left:
        for channel in CHANNELS:
            alone = found.rows["label"].n_unique() == 1
            if found.rows[channel].drop_nulls().len() and not (alone and channel == "delta_s"):
                draw(telemetry_channel, found.rows, found.corners, channel, key=f"telemetry_{channel}")
    with right:
        draw(track_map, found.rows.filter(pl.col("label") == reference), found.corners, key="map")
        _corner_table(found)
    laid = (
        "Laps are laid over each other by the position of the car"
        if found.is_by_place
        else "Positions are missing: laps are laid over each other by distance, stretched to one length"
    )
    st.caption(
        f"Behind: time lost to {reference} up to each place, above zero is slower; at the line it is the difference of the "
        f"lap times. {laid}; in between it is right to about a tenth of a second, for the feed has a place about four times "
        "a second. Dotted lines are the slowest points where the reference slows down, numbered as driven: not the official "
        "corner numbers."
    )
    downloads(f"{name}_telemetry", found.rows)


def _pick(laps: pl.DataFrame) -> tuple[ChosenLap, ...]:
    rows = {f"{row['car_number']}.{row['lap_number']}": row for row in laps.iter_rows(named=True)}
    words = {
        key: f"{row['driver_name'] or row['driver_code'] or 'Car ' + row['car_number']}, lap {row['lap_number']} · "
        f"{lap_text(row['lap_time_s'])}"
        for key, row in rows.items()
    }
    keys = choose_some(
        "Laps to compare", list(rows), "lap", words=lambda one: words[one], most=MOST, is_list=True
    )
    if not keys:
        first = laps.unique("car_number", keep="first", maintain_order=True).head(2)
        keys = [f"{car}.{lap}" for car, lap in first.select("car_number", "lap_number").iter_rows()]
    return tuple(
        ChosenLap(
            rows[key]["car_number"],
            rows[key]["lap_number"],
            f"{rows[key]['driver_code'] or rows[key]['car_number']} lap {rows[key]['lap_number']}",
            rows[key]["lap_time_s"],
        )
        for key in keys
    )


def _corner_table(found: Comparison) -> None:
    """The lowest speed of every lap near each slow point of the reference."""
    if found.corners.is_empty():
        return
    column = st.column_config
    labels = found.rows["label"].unique(maintain_order=True).to_list()
    st.dataframe(
        found.corner_speeds(),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Lowest speed of every lap at each slow point, in km/h",
        column_config={
            "corner": column.NumberColumn("#", width=36, pinned=True),
            "distance_m": column.NumberColumn("At [m]", format="%.0f", width=64),
            **{label: column.NumberColumn(f"{label} [km/h]", format="%.0f", width=116) for label in labels},
        },
    )


def _nothing(event: dict[str, Any], session: str, others: pl.DataFrame) -> None:
    """Says why there is no telemetry, what would bring it, and where there is some."""
    place = f"--race {event['event_id'][5:]} --year {event['season']}"
    kept = session in ("qualifying", "sprint_qualifying")
    why = (
        f"This session's car channels were not loaded: `python -m jobs extract {place}` loads what exists of it."
        if kept
        else "Car channels are kept of each driver's best laps of qualifying and sprint qualifying only."
    )
    st.info(f"**No telemetry of this session is in the warehouse.** {why}", icon=":material/sensors_off:")
    if others.is_empty():
        st.caption("No session in the warehouse has telemetry yet; none is fetched while a page is read.")
        return
    st.markdown("Sessions with telemetry:")
    with st.container(horizontal=True):
        for row in others.tail(6).iter_rows(named=True):
            st.button(
                f"{row['grand_prix_name']} {row['season']}, {row['session'].replace('_', ' ')}",
                icon=":material/sensors:",
                key=f"to_{row['event_id']}_{row['session']}",
                on_click=st.query_params.from_dict,
                args=({"event": row["event_id"], "session": row["session"], "view": "telemetry"},),
            )
