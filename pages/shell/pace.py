"""Parts of the laps page: race pace by the lap model, and best sectors."""

from __future__ import annotations

from typing import Any

import streamlit as st

from f1core.charts.pace_intervals import pace_intervals
from f1core.lap_view import SessionLaps, best_sectors, pace_effects, pace_table
from pages.shell.charts import draw
from pages.shell.downloads import downloads
from pages.shell.favourites import starred
from pages.shell.laps import evolution_words
from pages.shell.tables import ROW_HEIGHT

SECTORS = ("sector_1_s", "sector_2_s", "sector_3_s")


def pace(found: SessionLaps, name: str) -> None:
    """What the lap model says of drivers, tyres and fuel."""
    if found.pace is None:
        st.info(
            "There is no fit of this session: it needs three drivers with five racing laps each, on slicks and a clear "
            "track. Wet or very short races, practice and qualifying have none.",
            icon=":material/water_drop:",
        )
        return
    rows = pace_table(found)
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw(pace_intervals, rows, key="pace")
    with right:
        st.markdown("**What a lap was made of**")
        column = st.column_config
        st.dataframe(
            pace_effects(found.pace),
            hide_index=True,
            height="content",
            row_height=ROW_HEIGHT,
            alt="Effects on the lap time in seconds, with standard errors",
            column_config={
                "effect": column.TextColumn("Effect", width=200),
                "value_s": column.NumberColumn("s", format="%+.3f", width=70),
                "standard_error_s": column.NumberColumn(
                    "± s", help="Standard error", format="%.3f", width=64
                ),
                "count_laps": column.NumberColumn("Laps", help="Laps it was seen in", width=54),
            },
        )
    usual = found.pace.residual_pct * found.pace.lap_s / 100
    st.caption(
        f"From {found.pace.count_laps} racing laps around {found.pace.lap_s:.2f} s: driver, {evolution_words(found)}, "
        f"compound, wear and traffic, fitted together; a usual lap is within ±{usual:.2f} s of the sum. One race tells "
        "these parts only roughly from one another. Against the middle driver; bars are 80 % "
        "intervals."
    )
    downloads(f"{name}_pace", rows)


def sectors(found: SessionLaps, name: str) -> None:
    """Best laps, best sectors, and what they would add up to."""
    rows = best_sectors(found.rows)
    if rows.is_empty():
        st.info("No lap of this session has a time.", icon=":material/timer_off:")
        return
    column = st.column_config
    fields = [field for field in SECTORS if rows[field].drop_nulls().len()]
    more = [field for field in ("ideal_s", "speed_trap_kph") if rows[field].drop_nulls().len()]

    def bar(number: str, field: str) -> Any:
        # From a little below the best to the slowest: the differences are what is looked at.
        values = rows[field].drop_nulls().to_list()
        low, high = min(values), max(values)
        return column.ProgressColumn(
            f"Sector {number} [s]",
            min_value=low - 0.3 * (high - low) - 0.001,
            max_value=high,
            format="%.3f",
            width=110,
        )

    st.dataframe(
        starred(rows).select("driver_name", "best_lap", "best_s", "gap_s", *fields, *more),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Best lap and best sectors of every driver, in seconds",
        column_config={
            "driver_name": column.TextColumn("Driver", width=128, pinned=True),
            "best_lap": column.NumberColumn("Lap", help="On which the best time was set", width=48),
            "best_s": column.NumberColumn("Best [s]", format="%.3f", width=82),
            "gap_s": column.NumberColumn("Gap [s]", format="%+.3f", width=74),
            **{field: bar(field[7], field) for field in fields},
            "ideal_s": column.NumberColumn(
                "Ideal [s]", help="Sum of the driver's best sectors", format="%.3f", width=84
            ),
            "speed_trap_kph": column.NumberColumn(
                "Trap [km/h]", help="Highest speed at the trap", format="%.0f", width=90
            ),
        },
    )
    if not fields:
        st.caption("The timing in the warehouse has no sector times of this session.")
    else:
        st.caption("A short bar is a fast sector. Deleted laps count for nothing.")
    downloads(f"{name}_sectors", rows)
