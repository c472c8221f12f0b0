"""Parts of the circuits page: the track map, the winners, the circuit among the others."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.charts.track_map import track_map
from f1core.definitions import CIRCUITS
from f1core.telemetry_view import circuit_outline
from pages.shell.charts import draw
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain
from warehouse.queries.circuits import circuit_profiles, most_wins, previous_winners

LATELY = 2018


def map_of(app: App, circuit: str) -> None:
    """The way round, from positions recorded on one lap; says so where none were."""
    found = app.read(circuit_outline, circuit, app.until)
    if found is None:
        st.caption(
            "No lap with recorded positions is in the warehouse for this circuit. `python -m jobs extract` of a race "
            "weekend here stores them."
        )
        return
    draw(track_map, found.rows, found.corners, key="map")
    whose = plain(found.rows["label"][0])
    st.caption(
        f"The fastest recorded lap: {whose}. Pale and thin is fast; numbers mark the slowest points, which need not "
        "be the official corners."
    )


def winners(app: App, circuit: str) -> None:
    """Who won, when, from where, and who won most."""
    rows = app.read_known(previous_winners, circuit)
    if rows.is_empty():
        st.caption("Nobody has won here yet.")
        return
    column = st.column_config
    st.dataframe(
        rows.select(
            "season",
            "driver_name",
            "constructor_name",
            "grid_position",
            "pole_driver_name",
            "is_wet",
            "count_safety_cars",
            "overtakes",
            link=pl.format("/race?event={}", "event_id"),
        ),
        hide_index=True,
        height=360,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Winners at this circuit, the newest first",
        column_config={
            "season": column.NumberColumn("Season", format="%d", pinned=True, width=62),
            "driver_name": column.TextColumn("Winner", width=130),
            "constructor_name": column.TextColumn("Team", width=105),
            "grid_position": column.NumberColumn("From", help="Grid slot", width=52),
            "pole_driver_name": column.TextColumn("First on grid", width=130),
            "is_wet": column.CheckboxColumn("Wet", help=f"Known from {LATELY} on", width=48),
            "count_safety_cars": column.NumberColumn("SC", help="Safety-car periods", width=42),
            "overtakes": column.NumberColumn("Overtakes", width=80),
            "link": column.LinkColumn("Race", display_text="open", width=60),
        },
    )
    downloads(f"{circuit}_winners", rows)
    st.markdown("**Most wins here**")
    most = app.read_known(most_wins, circuit)
    st.dataframe(
        most.drop("entity_id"),
        hide_index=True,
        height=240,
        row_height=ROW_HEIGHT,
        alt="Drivers by wins at this circuit",
        column_config={
            "name": column.TextColumn("Driver", width=130),
            "count_wins": column.NumberColumn("Wins", width=52),
            "count_podiums": column.NumberColumn("Podiums", width=70),
            "count_races": column.NumberColumn("Starts", width=58),
            "last_win": column.NumberColumn("Last win", format="%d", width=70),
        },
    )


def neighbours_table(app: App, circuit: str) -> None:
    """The circuits raced on since lap timing began, beside each other; this one first."""
    rows = app.read(circuit_profiles).filter(
        (pl.col("count_timed_races") > 0) | (pl.col("circuit_id") == circuit)
    )
    shown = [name for name in CIRCUITS if name in rows.columns]
    column = st.column_config
    config = {
        name: column.NumberColumn(
            CIRCUITS[name].label if " to " in CIRCUITS[name].unit else CIRCUITS[name].title,
            format="%.0f %%" if CIRCUITS[name].unit == "share" else f"%.{CIRCUITS[name].decimals}f",
            help=CIRCUITS[name].text,
        )
        for name in shown
    }
    st.dataframe(
        rows.sort(pl.col("circuit_id") != circuit, "circuit_name", maintain_order=True)
        .with_columns(pl.col(name) * 100 for name in shown if CIRCUITS[name].unit == "share")
        .select("circuit_name", "count_timed_races", *shown),
        hide_index=True,
        height=360,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Circuits beside each other, the chosen one first",
        column_config={
            "circuit_name": column.TextColumn("Circuit", pinned=True, width=140),
            "count_timed_races": column.NumberColumn(
                "Timed races", help=f"With lap timing, {LATELY} on", width=90
            ),
            **config,
        },
    )
    downloads("circuits", rows)
