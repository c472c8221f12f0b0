"""Part of the health page: challenges of the models in production, and drift of features and of calibration."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.challenge_lines import challenge_lines, refused_now, score_titles
from f1core.charts.calibration_drift import calibration_drift as calibration_chart
from f1core.charts.feature_drift import feature_drift as feature_chart
from f1core.drift import NEEDED
from f1core.wording import MEASURE_NAMES
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import listed, plain
from warehouse.queries.monitoring import calibration_drift, challenges, feature_drift
from warehouse.vocab import Stage

LAST = 12


def monitoring(app: App) -> None:
    """Draws it all: whether models in production are still right."""
    st.subheader("Models: challenges", anchor=False)
    _challenges(app)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Drift of features", anchor=False)
        _features(app)
    with right:
        st.subheader("Drift of calibration", anchor=False)
        _calibration(app)


def _challenges(app: App) -> None:
    rows = app.read(challenges, last=LAST).filter(pl.col("challenged_at") <= app.now)
    if rows.is_empty():
        st.info(
            "No model was challenged yet: `python -m jobs train` does it, and every result does by itself.",
            icon=":material/hourglass_empty:",
        )
        return
    refused = refused_now(rows)
    if refused:
        st.warning(
            f"**The last challenger was refused: {listed(refused).lower()}.** The model before it stays in production; the "
            "backtest on the accuracy page shows the refused recipe.",
            icon=":material/gpp_maybe:",
        )
    column = st.column_config
    scores = {name: column.TextColumn(title, width=170) for name, title in score_titles().items()}
    st.dataframe(
        challenge_lines(rows),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Challenges of the models in production, the newest first",
        column_config={
            "challenged_at": column.DatetimeColumn(
                "Decided (UTC)", format="D MMM HH:mm", timezone="UTC", width=105
            ),
            "stage": column.TextColumn("Stage", width=132, pinned=True),
            "verdict": column.TextColumn("Verdict", width=240),
            "races": column.TextColumn("Races", width=95),
            **scores,
            "reason": column.TextColumn("Why", width=420),
        },
    )
    st.caption(
        "A newly trained model goes into production if it is not worse beyond noise on any of three scores over the same "
        "races, each forecast by a model that had seen only earlier ones. Differences are new minus old with their 90 % "
        "interval; below zero is better. Trained by the same recipe on more races, nothing is compared. A promotion is no "
        "evidence of how good a model is: the races it was decided by are on record and are not counted as a test."
    )


def _features(app: App) -> None:
    rows = app.read(feature_drift).filter(pl.col("known_at") <= app.now)
    if rows.is_empty():
        st.info(
            f"Not measured: it takes at least {NEEDED['feature_drift']} races with results, and `python -m jobs drift`.",
            icon=":material/hourglass_empty:",
        )
        return
    first = rows.row(0, named=True)
    drifting = rows.filter("is_drifting")["feature"].to_list()
    over = f"the {first['count_events']} races from {plain(first['from_race'])} to {plain(first['to_race'])}"
    if drifting:
        names = ", ".join(f"`{name}`" for name in drifting)
        st.warning(
            f"**{len(drifting)} of {rows.height} features drift** in {over}: {names}.",
            icon=":material/trending_up:",
        )
    else:
        st.markdown(f"None of {rows.height} features drifts in {over}.")
    draw(feature_chart, rows, key="feature_drift")
    st.caption(
        f"Compared with the {first['count_events_before']} races before, values as the models read them. Drift is what lies "
        "half as far again from zero as any five races of the past did for the same feature. Shown are the ten features "
        "nearest to their threshold or beyond it."
    )


def _calibration(app: App) -> None:
    found = app.read(calibration_drift).filter(pl.col("known_at") <= app.now)
    if found.is_empty():
        st.info(
            f"Not measured: it takes {NEEDED['calibration_drift']} races with a scored forecast, backtested or settled.",
            icon=":material/hourglass_empty:",
        )
        return
    there = set(found["stage"])
    stages = [stage.value for stage in reversed(Stage) if stage.value in there]
    stage = choose("Stage", stages, "drift", default=stages[0], words=lambda name: Stage(name).label)
    rows = found.filter(pl.col("stage") == stage)
    newest = rows.sort("race").unique("measure", keep="last").filter("is_drifting")
    if newest.height:
        words = listed([MEASURE_NAMES[name].lower() for name in sorted(newest["measure"])])
        st.warning(f"**Worse than ordinary in the last races:** {words}.", icon=":material/trending_up:")
    else:
        st.markdown("The last races are within what is ordinary.")
    for measure, name in MEASURE_NAMES.items():
        st.markdown(f"**{name}, over {rows['window'][0]} races**")
        draw(calibration_chart, rows, measure, key=f"calibration_drift_{measure}")
    sealed = rows["count_sealed"].max()
    st.caption(
        "Grey: where 98 % of windows of as many races lie, drawn at random from all races before. "
        + (
            f"Up to {sealed} races of a window were sealed before the start; the others are backtested."
            if sealed
            else "All races here are backtested; none was sealed."
        )
    )
