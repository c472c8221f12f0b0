"""Earlier races at the circuit of a race."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from pages.shell.frame import App
from pages.shell.navigation import link_to
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import listed
from warehouse.queries.races import previous_runnings


def previous(app: App, event: dict[str, Any]) -> None:
    """Earlier races at this circuit."""
    rows = app.read(previous_runnings, event["event_id"], app.until)
    st.subheader("Earlier races here", anchor=False)
    if rows.is_empty():
        st.caption("The first race on this circuit.")
        return
    known = rows.drop_nulls("winner_grid")
    poles = int((known["winner_grid"] == 1).sum())
    words = [f"the winner started first in {poles} of the last {known.height}"]
    timed = rows.drop_nulls("count_safety_cars")
    if timed.height:
        words.append(
            f"a safety car came out in {(timed['count_safety_cars'] > 0).sum()} of {timed.height} since 2018"
        )
    st.caption(f"{listed(words).capitalize()}.")
    column = st.column_config
    st.dataframe(
        rows.select(
            race=pl.format("{} {}", "grand_prix_name", "season"),
            winner_name="winner_name",
            constructor_name="constructor_name",
            winner_grid="winner_grid",
            pole_name="pole_name",
            classified=pl.format("{}/{}", "count_classified", "count_starters"),
            wet=pl.when("is_wet").then(pl.lit("wet")).when(~pl.col("is_wet")).then(pl.lit("dry")),
            count_safety_cars="count_safety_cars",
        ),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Earlier races at this circuit, the newest first",
        column_config={
            "race": column.TextColumn("Race", width=140, pinned=True),
            "winner_name": column.TextColumn("Winner", width=128),
            "constructor_name": column.TextColumn("Team", width=110),
            "winner_grid": column.NumberColumn("From", help="Grid slot of the winner", width=55),
            "pole_name": column.TextColumn("Pole", width=128),
            "classified": column.TextColumn("Classified", width=80),
            "wet": column.TextColumn("Track", help="Laps are known from 2018 on", width=60),
            "count_safety_cars": column.NumberColumn("Safety cars", width=85),
        },
    )
    link_to(
        "pages/circuits.py",
        f"All about {event['circuit_name']}",
        {"circuit": event["circuit_id"]},
        ":material/route:",
        key="to_circuit",
    )
