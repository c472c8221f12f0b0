"""What stands beside a forecast's table: every place of every driver, why he is expected there, who beats whom."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.contribution_waterfall import contribution_waterfall
from f1core.charts.head_to_head import head_to_head
from f1core.charts.position_heatmap import position_heatmap
from f1core.review import ahead_of, as_csv
from f1core.wording import contribution_words, term_name
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.frame import App
from pages.shell.text import listed, plain
from warehouse.queries.distributions import contributions, duels, position_probabilities
from warehouse.vocab import Target

STRONGEST = 3
"""Reasons that are put into words."""


NONE_STORED = (
    ":material/grid_off: No probabilities of single places, reasons or pairs of drivers are stored with this forecast: only "
    "our model has them, and not in its older versions."
)


def every_place(app: App, kind: str, head: dict[str, Any], rows: pl.DataFrame) -> None:
    """Probability of every place for every driver of a stored forecast, or why there is none.

    Args:
        app: The app.
        kind: Kind of the stored forecast.
        head: Its head.
        rows: As in :func:`f1core.review.review`.
    """
    places = app.read(position_probabilities, kind, *_asked(head))
    if places.is_empty():
        st.caption(NONE_STORED)
        return
    st.subheader("Every place", anchor=False)
    draw(position_heatmap, rows, places, key="places")
    _downloads(head, kind, Places=places)


def reasons(app: App, kind: str, head: dict[str, Any], rows: pl.DataFrame) -> None:
    """Why a driver is expected where he is, and whom he beats, or why neither is there.

    Args:
        app: The app.
        kind: Kind of the stored forecast.
        head: Its head.
        rows: As in :func:`f1core.review.review`.
    """
    pairs, terms = (app.read(query, kind, *_asked(head)) for query in (duels, contributions))
    known = rows.filter(pl.col("predicted_position").is_not_null())
    if pairs.is_empty() and terms.is_empty():
        st.caption(NONE_STORED)
        return
    names = dict(known.select("driver_id", "driver_name").iter_rows())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        driver = choose(
            "Driver",
            list(names),
            "driver",
            default=known["driver_id"][0],
            words=names.__getitem__,
            is_list=True,
        )
        others = [name for name in names if name != driver]
        if pairs.height and others:
            rival = choose("Rival", others, "rival", default=others[0], words=names.__getitem__, is_list=True)
    left, right = st.columns(2, gap="large")
    if terms.height:
        with left:
            _why(terms.filter(pl.col("driver_id") == driver), names[driver])
    if pairs.height and others:
        with right:
            _against(pairs, driver, rival, names, head["target"])
    _downloads(head, kind, Pairs=pairs, Reasons=terms)


def _asked(head: dict[str, Any]) -> tuple[str, ...]:
    return head["event_id"], head["stage"], head["model"], head["target"]


def _why(terms: pl.DataFrame, name: str) -> None:
    st.subheader(f"Why {plain(name)} is expected there", anchor=False)
    draw(contribution_waterfall, terms.drop("driver_id"), name, key="why")
    moves = terms.sort("ordinal").slice(1).sort(pl.col("places").abs(), descending=True).head(STRONGEST)
    words = [contribution_words(term, places) for term, places in moves.select("term", "places").iter_rows()]
    rest = term_name(terms.sort("ordinal")["term"][-1]).lower()
    if words:
        st.caption(
            f"Most of it: {plain(listed(words))}. Below zero moves him forward. The reasons are those of our model's own "
            f"score; the last one, {rest}, is what leads from there to the published place."
        )


def _against(pairs: pl.DataFrame, driver: str, rival: str, names: dict[str, str], target: str) -> None:
    st.subheader("Head to head", anchor=False)
    share = ahead_of(pairs, driver, rival)
    if share is None:
        st.caption(":material/info: This pair is not in the forecast.")
        return
    draw(head_to_head, names[driver], names[rival], share, key="duel")
    retired = "" if target == Target.QUALIFYING else " Who retires counts as behind those who finish."
    st.caption(
        f"{plain(names[driver])} is ahead of {plain(names[rival])} with a probability of {share:.0%}.{retired}"
    )


def _downloads(head: dict[str, Any], kind: str, **frames: pl.DataFrame) -> None:
    name = f"{head['event_id']}_{head['target']}_{head['stage']}_{head['model']}_{kind}"
    with st.container(horizontal=True, gap="xsmall"):
        for label, frame in frames.items():
            part = label.lower()
            if frame.height:
                st.download_button(
                    f"{label}, CSV",
                    lambda shown=frame: as_csv(shown),
                    f"{name}_{part}.csv",
                    "text/csv",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"download_{part}",
                )
