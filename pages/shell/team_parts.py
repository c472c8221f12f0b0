"""Parts of the teams page: the seasons of a team under all its names, and who drove for it."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.definitions import TEAMS
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain
from warehouse.queries.teams import team_drivers, team_history, team_lineage


def _years(first: int, last: int | None) -> str:
    return str(first) if first == last else f"{first}–{last or 'now'}"


def history(app: App, team: str, name: str) -> None:
    """Seasons under this name, who drove, and the names before and after."""
    rows = app.read_known(team_history, team)
    column = st.column_config
    lineage = app.read(team_lineage, team)
    if lineage.height:
        parts = [
            f"{plain(row['constructor_name'])} ({_years(row['season_from'], row['season_to'])})"
            for row in lineage.iter_rows(named=True)
        ]
        st.caption(f"The same team under all its names: {' → '.join(parts)}.")
    shown = {
        "season": column.NumberColumn("Season", format="%d", pinned=True, width=65),
        "count_races": column.NumberColumn("Races", width=55),
        "count_wins": column.NumberColumn("Wins", width=50),
        "points": column.NumberColumn("Points", format="%g", width=65),
        "race_pace_gap_pct": column.NumberColumn("Pace gap [%]", format="%.2f", width=95),
        "pit_time_vs_field_s": column.NumberColumn(
            "Pit time [s]", format="%+.2f", help=TEAMS["pit_time_vs_field_s"].text
        ),
        "reliability": column.NumberColumn("Reliability", format="%.0f %%", help=TEAMS["reliability"].text),
    }
    st.dataframe(
        rows.sort("season", descending=True).with_columns(pl.col("reliability") * 100).select(list(shown)),
        hide_index=True,
        height=320,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt=f"Seasons of {name}, the newest first",
        column_config=shown,
    )
    downloads(f"{team}_seasons", rows)
    drivers = app.read_known(team_drivers, team)
    with st.expander("Who drove", icon=":material/sports_motorsports:"):
        st.dataframe(
            drivers.select("season", "driver_name", "count_races", "points", "best_position"),
            hide_index=True,
            height=300,
            row_height=ROW_HEIGHT,
            placeholder="–",
            alt=f"Drivers of {name} by season",
            column_config={
                "season": column.NumberColumn("Season", format="%d", width=65),
                "driver_name": column.TextColumn("Driver", width=140),
                "count_races": column.NumberColumn("Starts", width=60),
                "points": column.NumberColumn("Points", format="%g", width=65),
                "best_position": column.NumberColumn("Best", width=50),
            },
        )
