"""The table of a season: a line per weekend, with its state and the start of the race in two zones."""

from __future__ import annotations

import datetime as dt

import polars as pl
import streamlit as st

from f1core.circuit_time import circuit_zone
from f1core.season_view import EventState
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import day, moment

MARKS = {
    "raced": "✓ ",
    "missing": "? ",
    "running": "▶ ",
    "next": "▶ ",
    "coming": "",
    "cancelled": "✕ ",
}


def season_table(events: pl.DataFrame, zone: dt.tzinfo | None) -> None:
    """A line per event, with its state and the start of the race in two zones."""
    lines = [
        {
            "round": row["round"],
            "state": MARKS[row["state"]] + EventState(row["state"]).words,
            "grand_prix": row["full_name"],
            "days": f"{row['first_at']:%d %b} – {row['race_date']:%d %b}"
            if row["first_at"]
            else day(row["race_date"]),
            "race": "day only" if row["is_time_estimated"] else moment(row["race_starts_at"], zone or dt.UTC),
            "there": None
            if row["is_time_estimated"] or (own := circuit_zone(row["circuit_id"])) is None
            else moment(row["race_starts_at"], own),
            "circuit": row["circuit_name"],
            "format": "Sprint" if row["is_sprint"] else "",
        }
        for row in events.iter_rows(named=True)
    ]
    column = st.column_config
    st.dataframe(
        pl.DataFrame(lines, schema_overrides={"there": pl.String}),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Calendar of the season, a line per weekend, with state and start of the race",
        column_config={
            "round": column.NumberColumn("Rd", width=38, pinned=True),
            "state": column.TextColumn("State", width=156),
            "grand_prix": column.TextColumn("Grand Prix", width=190),
            "days": column.TextColumn("Weekend", width=118),
            "race": column.TextColumn("Race, your time" if zone else "Race, UTC", width=128),
            "there": column.TextColumn("Race, at the circuit", width=136),
            "circuit": column.TextColumn("Circuit", width=140),
            "format": column.TextColumn("Format", width=64),
        },
    )
