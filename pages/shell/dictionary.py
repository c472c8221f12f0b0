"""Parts of the methodology page: definitions of every figure, and the dictionary of columns, tables and features."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.data_dictionary import column_rows, feature_rows, matching, table_rows
from f1core.definitions import DEFINITIONS, SMALL_SAMPLE
from f1core.lap_view import CLEAN_WORDS
from f1core.wording import BASELINE_WORDS, KIND_NAMES, KIND_WORDS, SCORES, STAGE_KNOWS, model_name
from pages.shell.choices import choose, type_in
from pages.shell.downloads import downloads
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain
from warehouse.vocab import Stage

DICTIONARIES = {"columns": "Columns", "tables": "Tables", "features": "Features"}


def definitions() -> None:
    """Every figure in one searchable list."""
    rows = [("Stages", Stage(stage).label, "", words) for stage, words in STAGE_KNOWS.items()]
    rows += [("Kinds of forecast", KIND_NAMES[kind], "", words) for kind, words in KIND_WORDS.items()]
    rows += [("Baselines", model_name(name), "", words) for name, words in BASELINE_WORDS.items()]
    rows += [("Scores", score.name, score.unit, score.definition) for score in SCORES]
    for group, found in DEFINITIONS.items():
        rows += [(group.capitalize(), one.label, one.unit, one.text) for one in found.values()]
    rows.append(("Laps", "Clean lap", "", CLEAN_WORDS))
    frame = pl.DataFrame(rows, schema=["about", "name", "unit", "definition"], orient="row")
    words = type_in("Search", "q", placeholder="e.g. Brier, overtakes, pit loss")
    shown = matching(frame, words)
    st.caption(f"{shown.height} of {frame.height} definitions. {SMALL_SAMPLE}")
    if shown.is_empty():
        st.info(f"No definition holds “{plain(words)}”.", icon=":material/search_off:")
        return
    for about in shown["about"].unique(maintain_order=True):
        with st.expander(about, expanded=bool(words) or about == "Scores"):
            for name, unit, text in shown.filter(pl.col("about") == about).rows_by_key(
                "about", include_key=False
            )[about]:
                st.markdown(f"**{plain(name)}**{f' [{plain(unit)}]' if unit else ''}: {plain(text)}")
    downloads("definitions", shown)


def dictionary() -> None:
    """Columns, tables and features, from the code that makes them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = choose("List", list(DICTIONARIES), "list", default="columns", words=DICTIONARIES.__getitem__)
        words = type_in("Search", "q", placeholder="e.g. pit loss, laps, elo")
    frame = {"columns": column_rows, "tables": table_rows, "features": feature_rows}[which]()
    shown = matching(frame, words)
    st.caption(
        f"{shown.height} of {frame.height} {which}, printed from the code that makes them. Times are UTC; "
        "the ending of a name is its unit: _s seconds, _m metres, _kph km/h, _pct per cent, _at an instant."
    )
    if shown.is_empty():
        st.info(f"None of the {which} holds “{plain(words)}”.", icon=":material/search_off:")
        return
    column = st.column_config
    st.dataframe(
        shown,
        hide_index=True,
        height="content" if shown.height <= 16 else 520,
        row_height=ROW_HEIGHT,
        alt=f"Dictionary of {which}",
        column_config={
            "doc": column.TextColumn("What it is", width=460),
            "grain": column.TextColumn("One row is", width=420),
            "source": column.TextColumn("Source", width=220),
            "required": column.CheckboxColumn("Always there", width=84),
            "known_from": column.TextColumn("Known from"),
            "stands_in": column.TextColumn("Stands in when missing"),
            "count_columns": column.NumberColumn("Columns", width=70),
        },
    )
    downloads(f"dictionary_{which}", shown)
