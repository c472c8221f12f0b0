"""Elo rankings after the newest race that may be shown: drivers or constructors."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.definitions import RANKINGS
from pages.shell.downloads import downloads
from pages.shell.favourites import starred
from pages.shell.frame import App
from pages.shell.navigation import link_to
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain
from warehouse.queries.rankings import rankings

KINDS = {"drivers": "driver", "constructors": "constructor"}
PAGE_OF = {"drivers": ("pages/drivers.py", "driver"), "constructors": ("pages/teams.py", "team")}


def elo_rankings(app: App, which: str, event_id: str) -> None:
    """The ranking after an event.

    Args:
        app: The app.
        which: ``drivers`` or ``constructors``.
        event_id: The event.
    """
    st.subheader("Elo ranking", anchor=False)
    rows = app.read_known(rankings, KINDS[which], event_id)
    if rows.is_empty():
        st.caption("There is no rating after this race: `python -m jobs build` makes them from the results.")
        return
    st.caption(f"After the race in {plain(rows['grand_prix_name'][0])}. {RANKINGS['elo'].text}")
    column = st.column_config
    shown = starred(rows).select(
        "rank",
        "name",
        *(["constructor_name"] if which == "drivers" else []),
        "elo",
        "change",
        moved=pl.col("rank_before") - pl.col("rank"),
        count_events="count_events",
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=360,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt=f"Elo ranking of the {which}, the highest first",
        column_config={
            "rank": column.NumberColumn("#", width=42, pinned=True),
            "name": column.TextColumn("Driver" if which == "drivers" else "Team", width=140, pinned=True),
            "constructor_name": column.TextColumn("Car", width=110),
            "elo": column.NumberColumn("Elo", format="%.0f", width=60),
            "change": column.NumberColumn("Last race", help="Elo points won in it", format="%+.1f", width=80),
            "moved": column.NumberColumn("Moved", help="Places won in it", format="%+d", width=65),
            "count_events": column.NumberColumn("Races", help="Races it stands on", width=60),
        },
    )
    downloads(f"elo_{event_id}_{which}", rows)
    page, name = PAGE_OF[which]
    first = rows.row(0, named=True)
    link_to(page, f"All about {first['name']}", {name: first["entity_id"]}, key="to_first_in_elo")
