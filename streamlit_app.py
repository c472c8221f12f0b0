"""Home: the next race, what we expect of it, and how far the data reach."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.accuracy import FROM_SEASON, Races, backtest_stages, season_table
from f1core.charts.finishing_order import finishing_order
from f1core.charts.predicted_actual import predicted_actual
from f1core.outlook import Event, Outlook, outlook
from f1core.wording import OUR_MODEL, SCORE_BY_COLUMN, model_order, stage_order
from pages.shell import forecast as stored
from pages.shell import home, home_more
from pages.shell.charts import draw
from pages.shell.frame import App, page
from pages.shell.navigation import link_to
from pages.shell.sealed import seal_note
from pages.shell.tables import driver_table, figure
from pages.shell.text import day, listed, race_place, race_title
from pages.shell.weekend import countdown, session_table
from warehouse.queries.accuracy import backtest_scores
from warehouse.queries.events import calendar
from warehouse.vocab import Stage

TOP = 10


def weekend(app: App, state: Outlook, event: Event) -> None:
    """The event's name, place and times."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.title(race_title(event), anchor=False)
        sprint = " · sprint weekend" if event["is_sprint"] else ""
        which = "Last known race" if state.is_season_over else "Next race"
        st.markdown(f"{which} · round {event['round']} of {state.count_rounds} · {race_place(event)}{sprint}")
        if not state.is_season_over:
            lights, weather = st.columns(2)
            with lights:
                countdown(app, event["race_starts_at"])
            with weather:
                home.rain(app, event)
    with right:
        session_table(app, event)
        home.after_that(app, state)


def freshness(state: Outlook) -> None:
    """Says in plain words which races the data lack."""
    known = state.last_known
    newest = (
        f"The newest result here is the {race_title(known)} of {day(known['race_date'])}"
        if known
        else "No result is here yet"
    )
    if not state.missing:
        st.caption(f":material/check_circle: {newest}. No race of the calendar is missing.")
        return
    count = len(state.missing)
    names = listed([event["grand_prix_name"] for event in state.missing])
    st.warning(
        f"**The data are {count} {'race' if count == 1 else 'races'} behind the calendar.** {newest}. Raced since, but "
        f"not in the data: {names}. No forecast here knows {'it' if count == 1 else 'them'}.",
        icon=":material/update_disabled:",
    )


def forecast(app: App, event: Event) -> None:
    """The event's forecast of the stage that knows most, or what is missing for one."""
    found = stored.stored_heads(app, event["event_id"])
    st.subheader("Our forecast", anchor=False)
    if not found:
        st.info(
            "There is no forecast of this race yet: `python -m jobs predict` makes one once a model is trained.",
            icon=":material/hourglass_empty:",
        )
        return
    kind, heads = next(reversed(found.items()))
    stage = stage_order(heads["stage"])[0]
    model = model_order(heads.filter(pl.col("stage") == stage)["model"])[0]
    head = heads.filter((pl.col("stage") == stage) & (pl.col("model") == model)).row(0, named=True)
    rows = stored.read_review(app, kind, head)
    rows = home.with_moves(app, kind, heads, stage, model, rows)
    stored.badges(kind, stage)
    stored.warnings_of(head)
    seal_note(app, event)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        raced = rows["position"].is_not_null().any()
        draw(predicted_actual if raced else finishing_order, rows, key="order")
    with right:
        driver_table(
            rows.head(TOP), alt=f"First ten of the forecast of the {race_title(event)}", is_short=True
        )
        if words := home.moves_words(rows):
            st.caption(words)
        with st.container(horizontal=True, vertical_alignment="center"):
            where = {"event": event["event_id"], "stage": stage, "view": "baselines"}
            label = f"All {rows.height} drivers, and the baselines"
            link_to("pages/race.py", label, where, ":material/flag:", key="all_drivers")
        stored.take_away(kind, head, rows)
    stored.provenance(kind, head, app.now)


def record(app: App, held: pl.DataFrame) -> None:
    """The backtest in four numbers beside the grid's, and how many races it covers."""
    stages = backtest_stages(app.read(backtest_scores))
    st.subheader("Can it be trusted?", anchor=False)
    table = app.read(season_table, Races(stages[0], until=app.until)) if stages else pl.DataFrame()
    if table.is_empty():
        st.info(
            "No race is backtested yet: `python -m jobs backtest` does it.", icon=":material/hourglass_empty:"
        )
        return
    ours, grid = (table.filter(pl.col("model") == name) for name in (OUR_MODEL, "Grid order"))
    with st.grid(4, min_column_width=150):
        for column in ("winner_right", "podium_overlap", "mae_ranked", "win_log_loss"):
            score = SCORE_BY_COLUMN[column]
            beside = f"grid {score.number(grid[column][0])}" if grid.height else None
            figure(score.name, score.number(ours[column][0]), beside, score.definition)
    total = held.filter(pl.col("season") >= FROM_SEASON).height
    st.caption(
        f"Backtest, {Stage(stages[0]).label.lower()}: {ours['count_events'][0]} of the {total} races since "
        f"{FROM_SEASON}, each forecast by a model that had seen only earlier ones; never sealed."
    )
    words = "All scores, and where it goes wrong"
    link_to("pages/accuracy.py", words, {}, ":material/query_stats:", key="to_accuracy")


with page("Next race") as app:
    events = app.read(calendar)
    state = outlook(events, app.now)
    shown = state.next or state.last_known
    if shown is None:
        st.info("The calendar is empty: `python -m jobs ingest` fills it.", icon=":material/event_busy:")
    else:
        if state.is_season_over:
            st.success("**Season over.** The calendar holds no race to come.", icon=":material/sports_score:")
        weekend(app, state, shown)
        freshness(state)
        forecast(app, shown)
        if not st.context.is_embedded:
            left, right = st.columns(2, gap="large")
            with left:
                home_more.last_race(app, state.last_known)
            with right:
                home_more.title(app)
            record(app, events.filter((pl.col("status") == "held") & (pl.col("result_known_at") <= app.now)))
            home_more.tour(state.next, state.last_known)
