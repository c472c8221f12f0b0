"""The answer of the strategy page: what the scenario brings, in numbers and in charts."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.finish_histogram import finish_histogram
from f1core.charts.position_chart import position_chart
from f1core.charts.race_trace import race_trace
from f1core.charts.stint_laps import stint_laps
from f1core.charts.tyre_bars import tyre_bars
from f1core.charts.wear_curves import wear_curves
from f1core.strategy.setup import RaceSetup
from f1core.strategy.views import (
    changed_cars,
    chart_finishes,
    chart_laps,
    chart_stints,
    is_changed,
    verdict,
    wear_frame,
)
from f1core.strategy.whatif import WhatIfAnswer
from pages.shell.charts import draw
from pages.shell.tables import ROW_HEIGHT, figure
from pages.shell.text import plain

TRACE_COLUMNS = ("driver_id", "label", "lap", "position", "is_baseline")


def numbers(answer: WhatIfAnswer, name: str) -> None:
    """The answer in four numbers and a sentence."""
    before, after, change = answer.original, answer.simulated, answer.change
    with st.grid(4, min_column_width=150):
        official = f" · officially {answer.actual_position}" if answer.actual_position else ""
        figure(
            "Original",
            f"P{before.position}",
            f"mean {before.mean_position:.1f}{official}",
            "Median finish without the changes, in the simulator",
        )
        figure(
            "Simulated",
            f"P{after.position}",
            f"mean {after.mean_position:.1f} · 80 %: {after.low_position}–{after.high_position}",
            "Median finish with the changes, under the same luck",
        )
        if not is_changed(answer):
            figure("Places gained", "–", "nothing is changed")
            figure("Time gained", "–", "nothing is changed")
        else:
            figure(
                "Places gained",
                "tie" if change.is_tie else f"{change.places_gained:+.2f}",
                f"{change.places_gained:+.2f} ± {change.places_error:.2f}",
                "Mean over the simulations, with its standard error. Within two of these it is a tie.",
            )
            known = change.time_gained_s == change.time_gained_s
            figure(
                "Time gained",
                f"{change.time_gained_s:+.1f} s" if known else "–",
                f"± {change.time_error_s:.1f} s" if known else "never finishes",
                "Mean over the simulations that are finished with and without the changes",
            )
    st.markdown(f"{plain(verdict(answer, name))} Held against {plain(answer.compared_with)}.")


def trace_part(answer: WhatIfAnswer, labels: dict[str, str]) -> None:
    """The gap of every car on every lap."""
    st.subheader("Race trace", anchor=False)
    laps = chart_laps(answer, labels).select(*TRACE_COLUMNS, "gap_s")
    draw(race_trace, laps, tuple(changed_cars(answer)), key="trace")
    _luck(answer)


def positions_part(answer: WhatIfAnswer, labels: dict[str, str]) -> None:
    """The position of every car on every lap."""
    st.subheader("Positions", anchor=False)
    laps = chart_laps(answer, labels).select(*TRACE_COLUMNS)
    draw(position_chart, laps, tuple(changed_cars(answer)), key="positions")
    _luck(answer)


def laps_part(answer: WhatIfAnswer, setup: RaceSetup, labels: dict[str, str]) -> None:
    """The driver's lap times, everybody's tyres, and what tyres lose with age."""
    mine = chart_laps(answer, labels).filter(pl.col("driver_id") == answer.driver_id)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Lap times by stint", anchor=False)
        draw(stint_laps, mine, key="laps")
        st.subheader("Wear", anchor=False)
        draw(wear_curves, wear_frame(setup.parameters, setup.race.laps), key="wear")
    with right:
        st.subheader("Tyres", anchor=False)
        draw(tyre_bars, chart_stints(answer, labels), key="tyres")
    _luck(answer)


def finish_part(answer: WhatIfAnswer, labels: dict[str, str]) -> None:
    """Where the driver finishes, and where changed cars come back on the track."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Where it ends", anchor=False)
        draw(finish_histogram, chart_finishes(answer, labels), key="finishes")
    with right:
        st.subheader("Back on the track", anchor=False)
        rejoins(answer, labels)
    _luck(answer)


def _luck(answer: WhatIfAnswer) -> None:
    st.caption(
        "Trace, positions, lap times and tyres are of one race without luck: every car at its expected pace. Numbers and "
        f"finishes are of {answer.what_if.runs:,} simulations with seed {answer.what_if.seed}; the race with and the race "
        "without the changes meet the same luck, so that their difference is not luck."
    )


def rejoins(answer: WhatIfAnswer, labels: dict[str, str]) -> None:
    """Where the changed cars come out after their stops."""
    rows = answer.rejoins.filter(pl.col("driver_id").is_in(changed_cars(answer)))
    if rows.is_empty():
        st.caption("No changed car stops.")
        return
    names = pl.col("driver_id", "ahead", "behind").replace(labels)
    column = st.column_config

    def gap(label: str) -> Any:
        return column.NumberColumn(label, format="%.1f s", width=68)

    st.dataframe(
        rows.with_columns(names).select(
            "driver_id", "lap", "position", "ahead", "gap_ahead_s", "behind", "gap_behind_s", "traffic"
        ),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Position and neighbours after every stop, a line per stop",
        column_config={
            "driver_id": column.TextColumn("Car", width=54, pinned=True),
            "lap": column.NumberColumn("Lap", width=44),
            "position": column.NumberColumn("Place", width=50),
            "ahead": column.TextColumn("Ahead", width=62),
            "gap_ahead_s": gap("by"),
            "behind": column.TextColumn("Behind", width=62),
            "gap_behind_s": gap("by "),
            "traffic": column.CheckboxColumn("Traffic", help="A car within 2 s ahead", width=62),
        },
    )
