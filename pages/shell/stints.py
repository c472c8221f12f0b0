"""The table of stints."""

from __future__ import annotations

import polars as pl
import streamlit as st

from pages.shell.favourites import starred
from pages.shell.tables import ROW_HEIGHT


def tyre_table(stints: pl.DataFrame) -> None:
    """A line per stint, as in :func:`f1core.lap_view.stint_table`."""
    column = st.column_config
    st.dataframe(
        starred(stints).drop("driver_id"),
        hide_index=True,
        height="content" if stints.height <= 24 else 480,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Stints with compound, laps, age of the set and lap times in seconds",
        column_config={
            "label": column.TextColumn("Driver", width=104, pinned=True),
            "stint": column.NumberColumn("Stint", width=54),
            "compound": column.TextColumn("Compound", width=96),
            "first_lap": column.NumberColumn("From", width=54),
            "last_lap": column.NumberColumn("To", width=50),
            "count_laps": column.NumberColumn("Laps", width=54),
            "tyre_age_laps": column.NumberColumn(
                "Age", help="Laps on the set at the end of the first one", width=54
            ),
            "count_clean": column.NumberColumn("Clean", help="Clean laps", width=58),
            "best_s": column.NumberColumn("Best [s]", format="%.3f", width=82),
            "median_s": column.NumberColumn("Median [s]", help="Of clean laps", format="%.3f", width=90),
            "trend_s_per_lap": column.NumberColumn(
                "Trend [s/lap]",
                help="Of clean laps, as driven: fuel burns off while tyres wear; below zero is getting faster",
                format="%+.3f",
                width=104,
            ),
        },
    )
