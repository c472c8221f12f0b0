"""Tables of drivers and scores, formatted alike on every page."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.championship_view import points_table
from f1core.wording import OUTCOME_WORDS
from pages.shell.favourites import starred
from warehouse.vocab import Target

ROW_HEIGHT = 30


def driver_table(
    rows: pl.DataFrame, *, alt: str, is_short: bool = False, target: Target = Target.RACE
) -> None:
    """One line per driver: probabilities as bars, expected place and range; the result once there is one.

    Args:
        rows: As in :func:`f1core.review.review`.
        alt: What the table is, for those who cannot see it.
        is_short: Without team, grid, retirement and result, for a narrow place.
        target: What is forecast.
    """
    table = starred(rows).with_columns(
        pl.col("win_probability", "podium_probability", "points_probability", "dnf_probability") * 100,
        span=pl.format("{}–{}", "position_low", "position_high"),
    )
    shown = ["predicted_position", "driver_name"]
    if rows["position"].is_not_null().any() and not is_short:
        shown += ["position_text", "miss"]
    shown += ["win_probability", "podium_probability", "points_probability", "expected_position", "span"]
    if not is_short:
        shown += [name for name in ("dnf_probability", "expected_points") if rows[name].is_not_null().any()]
        shown += ["grid_position"] if rows["grid_position"].is_not_null().any() else []
        shown += ["constructor_name"]
    column = st.column_config

    first, three, ten = OUTCOME_WORDS[target]

    def share(label: str) -> Any:
        return column.ProgressColumn(label, min_value=0, max_value=100, format="%.0f %%", width=82)

    st.dataframe(
        table.select(shown),
        hide_index=True,
        height="content",
        row_height=None if is_short else ROW_HEIGHT,
        placeholder="–",
        alt=alt,
        column_config={
            "predicted_position": column.NumberColumn("#", help="Predicted place", width=42, pinned=True),
            "driver_name": column.TextColumn("Driver", width=122, pinned=True),
            "position_text": column.TextColumn("Result", help="Official result", width=62),
            "miss": column.NumberColumn("Off", help="Places behind the forecast", format="%+d", width=55),
            "win_probability": share(first),
            "podium_probability": share(three),
            "points_probability": share(ten),
            "expected_position": column.NumberColumn("Expected", format="%.1f", width=72),
            "span": column.TextColumn("80 % range", help="Eight of ten results should lie within", width=80),
            "dnf_probability": column.NumberColumn(
                "DNF", help="Probability of retiring or not being classified", format="%.0f %%", width=55
            ),
            "expected_points": column.NumberColumn(
                "Exp. pts", help="Expected points", format="%.1f", width=58
            ),
            "grid_position": column.NumberColumn("Grid", width=50),
            "constructor_name": column.TextColumn("Team", width=110),
        },
    )


def championship_table(rows: pl.DataFrame, who: str) -> None:
    """The points table with what is expected of its end.

    Args:
        rows: Of one round, as in :func:`f1core.championship_view.labelled_odds`.
        who: What a line is: ``Driver`` or ``Constructor``.
    """
    column = st.column_config
    shown = points_table(starred(rows))
    st.dataframe(
        shown if who == "Driver" else shown.drop("constructor_name"),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Championship table with title odds, a line each",
        column_config={
            "position": column.NumberColumn("#", width=42, pinned=True),
            "name": column.TextColumn(who, width=128, pinned=True),
            "constructor_name": column.TextColumn(
                "Car", help="Expected for the rest of the season", width=110
            ),
            "points": column.NumberColumn("Points", format="%g", width=62),
            "gap": column.NumberColumn("Behind", format="%g", width=62),
            "wins": column.NumberColumn("Wins", width=50),
            "title": column.ProgressColumn("Title", min_value=0, max_value=100, format="%.1f %%", width=92),
            "expected_points": column.NumberColumn("At the end", format="%.0f", width=80),
            "span": column.TextColumn("80 % range", help="Eight of ten should end within", width=86),
            "expected_position": column.NumberColumn(
                "Place", help="Expected at the end", format="%.1f", width=58
            ),
            "chance": column.TextColumn("By the rules", width=86),
        },
    )


def model_table(table: pl.DataFrame) -> None:
    """Place and win probability by every model, as in :func:`f1core.review.side_by_side`."""
    column = st.column_config
    share = column.NumberColumn(format="%.1f %%", width=116)
    place = column.NumberColumn(width=95)
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Place and win probability by every model, a line per driver",
        column_config={
            "driver_name": column.TextColumn("Driver", pinned=True, width=122),
            **{name: share if name.endswith("win") else place for name in table.columns[1:]},
        },
    )


def score_table(lines: pl.DataFrame, *, alt: str) -> None:
    """A line per score and a column per model, as in :func:`f1core.accuracy.score_lines`."""
    st.table(lines, border="horizontal", hide_index=True, alt=alt)


def figure(label: str, value: str, beside: str | None = None, about: str | None = None) -> None:
    """A number in a card, and under it what it is to be held against."""
    st.metric(label, value, beside, delta_color="off", delta_arrow="off", help=about, border=True)
