"""Figures of drivers, teams and circuits: bars of a season, tables side by side, definitions one click away."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
import streamlit as st

from f1core.charts.metric_bars import metric_bars
from f1core.definitions import SMALL_SAMPLE, Definition
from f1core.metric_view import side_by_side
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from warehouse.queries.samples import SMALL_SAMPLE_RACES


def season_bars(
    rows: pl.DataFrame, definitions: Mapping[str, Definition], default: str, *, key: str = "figure"
) -> None:
    """One figure of everybody in a season; which one is in the URL.

    Args:
        rows: One row per driver or team with ``label, name, team_colour`` and the figures.
        definitions: What the figures mean.
        default: Shown when the URL names none.
        key: Of the parameter in the URL.
    """
    there = [name for name in definitions if name in rows.columns and rows[name].null_count() < rows.height]
    if not there:
        st.caption("No figure of this season is known.")
        return
    column = choose(
        "Figure",
        there,
        key,
        default=default if default in there else there[0],
        words=lambda name: definitions[name].label,
        is_list=True,
    )
    definition = definitions[column]
    count = pl.col(definition.count) if definition.count in rows.columns else pl.lit(SMALL_SAMPLE_RACES)
    draw(
        metric_bars,
        rows.with_columns(is_small=(count < SMALL_SAMPLE_RACES).fill_null(value=True)),
        column,
        definition,
        key=f"bars_{key}",
    )
    st.caption(f"{definition.text} Pale: fewer than {SMALL_SAMPLE_RACES} races.")


def compared(
    rows: pl.DataFrame, definitions: Mapping[str, Definition], id_column: str, name_column: str, alt: str
) -> None:
    """Figures of a few, a column each, with the number of races each is of."""
    table = side_by_side(rows, definitions, id_column, name_column, SMALL_SAMPLE_RACES)
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        alt=alt,
        column_config={
            "figure": st.column_config.TextColumn("Figure", pinned=True, width=190),
            "unit": st.column_config.TextColumn("Unit", width=150),
        },
    )
    st.caption(f"In brackets the races (stops, cars) a figure is of. *: {SMALL_SAMPLE}")


def definitions_list(definitions: Mapping[str, Definition]) -> None:
    """What every figure means."""
    with st.expander("What the figures mean", icon=":material/menu_book:"):
        better = {"lower": " Lower is better.", "higher": " Higher is better.", "neither": ""}
        st.markdown(
            "\n".join(f"- **{one.title}**: {one.text}{better[one.better]}" for one in definitions.values())
        )


def pick_season(app: App, seasons: list[str], name: str, career: Callable[..., pl.DataFrame]) -> int:
    """The season; a link that names only a driver or team means the last one it raced in.

    Args:
        app: The app.
        seasons: There are, the newest first.
        name: Of the parameter that names the driver or team.
        career: Query for the seasons of one of them, with the column ``season``.
    """
    asked, default = st.query_params.get(name), seasons[0]
    if asked and "season" not in st.query_params:
        raced = app.read_known(career, asked)
        default = str(raced["season"].max()) if raced.height else default
    return int(choose("Season", seasons, "season", default=default, is_list=True, resets=("with",)))


def whole_record(app: App) -> None:
    """Says under a simulated clock that a circuit's own figures are of everything in the data: history, not forecasts."""
    if app.clock.is_simulated:
        st.caption(
            ":material/info: The cards, wins by slot and the table of circuits are of all races in the data, also of those "
            "after the simulated clock."
        )
