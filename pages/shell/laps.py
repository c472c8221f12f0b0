"""Parts of the laps page: which session, which drivers, and each view of its laps."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.charts.position_chart import position_chart
from f1core.charts.race_trace import race_trace
from f1core.charts.stint_laps import stint_laps
from f1core.charts.tyre_bars import tyre_bars
from f1core.lap_view import (
    CLEAN_WORDS,
    SessionLaps,
    evolution_pct,
    fuel_corrected,
    gaps_to,
    stint_table,
)
from pages.shell.charts import draw
from pages.shell.choices import choose, choose_some
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.stints import tyre_table
from pages.shell.text import listed
from warehouse.queries.laps import neutralisations

MOST = 4
LEADER = "leader"
STATUS_WORDS = {
    "safety_car": "Safety car",
    "virtual_safety_car": "Virtual safety car",
    "red_flag": "Red flag",
}


def pick_drivers(found: SessionLaps) -> list[str]:
    """The drivers in colour, from the URL or by hand; without a choice the first three of the session."""
    names = _names(found)
    chosen = choose_some(
        "Drivers", list(names), "drivers", words=lambda one: names[one], most=MOST, is_list=True
    )
    return chosen or list(names)[:3]


def lap_times(found: SessionLaps, chosen: list[str], name: str) -> None:
    """Lap times by stint and compound; what is no racing lap only on request."""
    with st.container(horizontal=True):
        which = choose(
            "Laps",
            ["clean", "all"],
            "laps",
            default="clean",
            words={"clean": "Clean", "all": "All"}.__getitem__,
        )
        how = "driven"
        if found.pace is not None:
            words = {"driven": "As driven", "corrected": "Fuel-corrected"}
            how = choose("Times", list(words), "times", default="driven", words=words.__getitem__)
    rows = found.rows.filter(pl.col("driver_id").is_in(chosen))
    rows = rows.filter("is_clean") if which == "clean" else rows
    if how == "corrected" and found.pace is not None:
        rows = fuel_corrected(rows, found.pace, int(found.rows["lap"].max() or 1))  # type: ignore[arg-type]
    if rows["lap_time_s"].drop_nulls().is_empty():
        st.info(
            "None of these drivers has a lap of this kind: choose “All”, or other drivers.",
            icon=":material/timer_off:",
        )
        return
    draw(stint_laps, _for_charts(rows), key="laps")
    notes = [CLEAN_WORDS] if which == "clean" else ["Laps far slower than the rest are drawn on the edge."]
    if how == "corrected":
        notes.append(f"Fuel-corrected: {evolution_words(found)} is taken out, as if all laps were mid-race.")
    st.caption(" ".join(notes))
    tyre_table(stint_table(found.rows.filter(pl.col("driver_id").is_in(chosen))))
    downloads(f"{name}_laps", rows)


def trace(app: App, found: SessionLaps, chosen: list[str], where: tuple[str, str], name: str) -> None:
    """The gap to the leader or to any driver."""
    names = {LEADER: "the leader"} | _names(found)
    to = choose(
        "Gap to",
        list(names),
        "to",
        default=LEADER,
        words=lambda one: names[one].capitalize() if one == LEADER else names[one],
        is_list=True,
    )
    rows = gaps_to(found.rows, None if to == LEADER else to)
    draw(race_trace, _for_charts(rows), tuple(chosen), names[to], key="trace")
    st.caption(f"Gap at the end of each lap, laps down included. {_status_words(app, *where)}")
    downloads(f"{name}_gaps", rows.select("driver_id", "driver_name", "lap", "position", "gap_s", "known_at"))


def positions(app: App, found: SessionLaps, chosen: list[str], where: tuple[str, str], name: str) -> None:
    """Who was where on every lap."""
    draw(position_chart, _for_charts(found.rows), tuple(chosen), key="positions")
    st.caption(
        f"Position at the end of each lap, as timed; the stewards may have decided otherwise. {_status_words(app, *where)}"
    )
    downloads(
        f"{name}_positions", found.rows.select("driver_id", "driver_name", "lap", "position", "known_at")
    )


def tyres(found: SessionLaps, name: str) -> None:
    """Everybody's stints, as bars and as a table."""
    stints = stint_table(found.rows)
    order = found.drivers.select("driver_id").with_row_index("place")
    stints = stints.join(order, on="driver_id").sort("place", "stint").drop("place")
    # A set that was fitted new is one lap old at the end of its first lap.
    draw(tyre_bars, _for_charts(stints).with_columns(used_laps=pl.col("tyre_age_laps") - 1), key="tyres")
    tyre_table(stints)
    downloads(f"{name}_stints", stints)


def evolution_words(found: SessionLaps) -> str:
    """What fuel and track are worth over the race, in words."""
    assert found.pace is not None
    value = evolution_pct(found.pace) * found.pace.lap_s / 100
    return f"fuel and track ({value:+.2f} s from the first lap to the last)"


def _status_words(app: App, event_id: str, session: str) -> str:
    periods = app.read(neutralisations, event_id, session)
    told = []
    for kind in periods["status"].unique(maintain_order=True):
        spans = [
            str(first) if first == last else f"{first}–{last}"
            for first, last in periods.filter(pl.col("status") == kind)
            .select("first_lap", "last_lap")
            .iter_rows()
        ]
        told.append(f"{STATUS_WORDS[kind]} on lap {listed(spans)}")
    return f"{'; '.join(told)}." if told else ""


def _names(found: SessionLaps) -> dict[str, str]:
    return dict(found.drivers.select("driver_id", "driver_name").iter_rows())


def _for_charts(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(compound=pl.col("compound").str.to_uppercase())
