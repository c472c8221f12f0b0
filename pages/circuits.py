"""Circuits: what a place is like, who won there and from where, and the way round it."""

from __future__ import annotations

import streamlit as st

from f1core.charts.grid_wins import grid_wins as wins_chart
from f1core.definitions import CIRCUITS
from f1core.metric_view import metric_text
from f1core.outlook import outlook
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.circuit_parts import map_of, neighbours_table, winners
from pages.shell.downloads import downloads
from pages.shell.figures import definitions_list, whole_record
from pages.shell.frame import App, page
from pages.shell.navigation import link_to
from pages.shell.tables import figure
from pages.shell.text import plain
from warehouse.queries.circuits import circuit_layouts, circuit_list, circuit_profile, grid_wins
from warehouse.queries.events import calendar
from warehouse.queries.samples import SMALL_SAMPLE_RACES

SINCE = {"all": "All races", "2010": "Since 2010", "2018": "Since 2018"}


def numbers(row: dict[str, object]) -> None:
    """The circuit in numbers, each with what it stands on."""
    with st.grid(4, min_column_width=150):
        for column, definition in CIRCUITS.items():
            value = row.get(column)
            if not isinstance(value, int | float):
                continue
            count = row.get(definition.count)
            is_long = definition.unit not in ("", "share", "s")
            told = definition.number(value) if is_long else metric_text(value, definition)
            words = [definition.unit] if is_long else []
            words.append(f"of {count:,} {definition.count.split('_')[-1]}" if isinstance(count, int) else "")
            if isinstance(count, int) and count < SMALL_SAMPLE_RACES:
                words.append("small sample")
            figure(definition.label, told, " · ".join(filter(None, words)), definition.text)


def slots(app: App, circuit: str) -> None:
    """Wins by slot of the grid."""
    since = choose("Races", list(SINCE), "since", default="all", words=SINCE.__getitem__)
    rows = app.read(grid_wins, circuit, None if since == "all" else int(since))
    if rows.is_empty():
        st.caption("No race of that time was held here.")
        return
    draw(wins_chart, rows, key="slots")
    st.caption("Share of the cars that started from a slot and won, with 95 % intervals.")
    downloads(f"{circuit}_grid_wins_{since}", rows)


def layouts(app: App, circuit: str) -> None:
    """Layouts and when they were raced."""
    rows = app.read(circuit_layouts, circuit)
    if rows.height:
        column = st.column_config
        st.dataframe(
            rows.drop("is_in_effect"),
            hide_index=True,
            height="content",
            placeholder="–",
            alt="Layouts of the circuit, the newest first",
            column_config={
                "layout_id": column.TextColumn("Layout"),
                "length_km": column.NumberColumn("Length [km]", format="%.3f"),
                "turns": column.NumberColumn("Turns"),
                "count_races": column.NumberColumn("Races"),
                "first_season": column.NumberColumn("From", format="%d"),
                "last_season": column.NumberColumn("To", format="%d"),
            },
        )


with page("Circuits") as app:
    st.title("Circuits", anchor=False)
    whole_record(app)
    every = app.read(circuit_list)
    if every.is_empty():
        st.info(
            "No circuit is in the data yet: `python -m jobs build` reads them.",
            icon=":material/hourglass_empty:",
        )
    else:
        names = {row["circuit_id"]: row["circuit_name"] for row in every.iter_rows(named=True)}
        coming = outlook(app.read(calendar), app.now).coming
        ahead = {event["circuit_id"]: event["event_id"] for event in reversed(coming)}
        default = next((one["circuit_id"] for one in coming if one["circuit_id"] in names), next(iter(names)))
        circuit = choose(
            "Circuit", list(names), "circuit", default=default, words=names.__getitem__, is_list=True
        )
        row = app.read(circuit_profile, circuit).row(0, named=True)
        st.subheader(plain(str(row["full_name"])), anchor=False)
        length = f" · {row['length_km']:.3f} km" if row.get("length_km") else ""
        st.caption(
            f"{plain(row['place_name'])}, {plain(row['country_name'])} · {row['circuit_type']} circuit{length} · "
            f"{row['count_races'] or 0} races held"
        )
        if circuit in ahead:
            where = {"event": ahead[circuit]}
            link_to("pages/race.py", "The race to come", where, ":material/flag:", key="to_next")
        if row["count_races"]:
            numbers(row)
        else:
            st.info(
                "No race has been held here yet: its figures begin with the first.",
                icon=":material/hourglass_empty:",
            )
        definitions_list(CIRCUITS)
        left, right = st.columns(2, gap="large")
        with left:
            st.subheader("From where is it won?", anchor=False)
            slots(app, circuit)
        with right:
            st.subheader("The way round", anchor=False)
            map_of(app, circuit)
            layouts(app, circuit)
        st.subheader("Winners", anchor=False)
        winners(app, circuit)
        st.subheader("Beside the other circuits", anchor=False)
        neighbours_table(app, circuit)
