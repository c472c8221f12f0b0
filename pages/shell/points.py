"""The points simulator on the championship page: a made-up next race and what it does to the table."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.points_simulator import BadResult, after_result, as_text, parse, race_rules
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain

NAME = "result"
SCORERS = 10


def points_simulator(app: App, rows: pl.DataFrame) -> None:
    """Places to fill in for the next race, and the championship after it.

    Args:
        app: The app.
        rows: The drivers' championship after one round, as in :func:`f1core.championship_view.labelled_odds`.
    """
    head = rows.row(0, named=True)
    st.subheader("What if they finished like this?", anchor=False)
    if not head["count_remaining"]:
        st.caption("No race is left in this season.")
        return
    rules, factor = race_rules(head["season"], head["count_remaining"])
    names = dict(rows.sort("position").select("entity_id", "name").iter_rows())
    places = _places(names)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _pick(names, places)
    after = after_result(rows.sort("position"), places, rules, factor=factor)
    with right:
        _table(after)
        st.caption(
            f"Points of one race by the rules of {head['season']}{', doubled' if factor == 2 else ''}. "
            f"{'The point of the fastest lap is left out. ' if rules.fastest_lap else ''}"
            "Level on points: the order of before."
        )
        shown = after.select("entity_id", "name", "place", "scored", "new_points", "new_position", "moved")
        downloads(f"points_{head['event_id']}", shown)


def _places(names: dict[str, str]) -> dict[str, int]:
    try:
        return parse(st.query_params.get(NAME, ""), names, len(names))
    except BadResult as error:
        st.caption(f":material/info: {plain(error.message)} {error.hint or ''}")
        return {}


def _pick(names: dict[str, str], places: dict[str, int]) -> None:
    by_place = {place: driver for driver, place in places.items()}
    order = ["", *names]
    with st.grid(2, min_column_width=130, gap="xsmall"):
        for place in range(1, SCORERS + 1):
            key = f"place_{place}"
            st.session_state[key] = by_place.get(place, "")
            st.selectbox(
                f"Place {place}",
                order,
                key=key,
                format_func=lambda driver: names.get(driver, "–"),
                on_change=_write,
                args=(place,),
            )


def _write(place: int) -> None:
    # A driver who is chosen for a second place leaves the first one.
    chosen = st.session_state[f"place_{place}"]
    kept = {
        st.session_state[f"place_{other}"]: other
        for other in range(1, SCORERS + 1)
        if other != place and st.session_state[f"place_{other}"] not in ("", chosen)
    }
    if chosen:
        kept[chosen] = place
    if kept:
        st.query_params[NAME] = as_text(kept)
    else:
        st.query_params.pop(NAME, None)


def _table(after: pl.DataFrame) -> None:
    column = st.column_config
    st.dataframe(
        after.select(
            "new_position",
            "name",
            "place",
            pl.when(pl.col("scored") > 0).then("scored").alias("scored"),
            "new_points",
            pl.when(pl.col("moved") != 0).then("moved").alias("moved"),
        ),
        hide_index=True,
        height=ROW_HEIGHT * 16,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Championship after the made-up race, a line per driver",
        column_config={
            "new_position": column.NumberColumn("#", width=42, pinned=True),
            "name": column.TextColumn("Driver", width=128, pinned=True),
            "place": column.NumberColumn("Race", width=55),
            "scored": column.NumberColumn("Scored", format="%g", width=65),
            "new_points": column.NumberColumn("Points", format="%g", width=65),
            "moved": column.NumberColumn("Moved", format="%+d", width=62),
        },
    )
