"""One race's forecast beside the baselines: in four numbers, driver by driver, score by score."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.accuracy import score_lines
from f1core.review import side_by_side
from f1core.wording import BASELINE_WORDS, SCORE_BY_COLUMN, SHORT_NAMES, model_name, model_order
from pages.shell.frame import App
from pages.shell.tables import figure, model_table, score_table
from warehouse.queries.forecasts import prediction_entries
from warehouse.vocab import Target


def grades(rows: pl.DataFrame, scores: pl.DataFrame, model: str, target: Target) -> None:
    """The race in four numbers, each beside the grid's and Elo's.

    Args:
        rows: As in :func:`f1core.review.review`.
        scores: Scores of this race, one row per model; empty when it is not scored.
        model: Whose forecast is shown.
        target: What is forecast.
    """
    favourite = rows.sort("win_probability", descending=True, nulls_last=True).row(0, named=True)
    result = favourite["position_text"]
    others = [name for name in ("grid", "elo") if name != model and name in set(scores["model"])]
    by_model = {row["model"]: row for row in scores.to_dicts()}
    with st.grid(4, min_column_width=150):
        figure(
            "Named for pole" if target is Target.QUALIFYING else "Named winner",
            favourite["label"],
            ("took it" if target is Target.QUALIFYING else "won")
            if result == "1"
            else f"result {result or 'not known'}",
            "The driver with the highest win probability",
        )
        for column in ("mae_ranked", "podium_overlap", "interval_coverage"):
            score = SCORE_BY_COLUMN[column]
            beside = " · ".join(
                f"{SHORT_NAMES[name]} {score.number(by_model[name][column])}" for name in others
            )
            value = by_model[model][column] if model in by_model else None
            figure(score.name, score.number(value), beside or None, score.definition)


def comparison(app: App, kind: str, head: dict[str, Any], scores: pl.DataFrame) -> None:
    """Our model beside the baselines: driver by driver, and score by score."""
    entries = app.read(prediction_entries, kind, head["event_id"], head["stage"], target=head["target"])
    names = model_order(entries["model"])
    st.subheader("Driver by driver", anchor=False)
    model_table(side_by_side(entries))
    words = [f"{model_name(name)}: {BASELINE_WORDS[name]}" for name in names if name in BASELINE_WORDS]
    st.caption(f"Predicted places, and win probabilities. {'; '.join(words)}.")
    st.subheader("Scores of this race", anchor=False)
    if scores.is_empty():
        st.info("A race is scored in the backtest once its result is here.", icon=":material/pending:")
        return
    places = {name: place for place, name in enumerate(names)}
    lines = scores.sort(pl.col("model").replace_strict(places, default=len(places)))
    score_table(score_lines(lines), alt="Scores of this race by model, best in bold")
    st.caption("Bold is best. One race says little: the accuracy page pools them.")
