"""Whether everything is at work: runs of jobs, what comes next, how fresh the facts are, what sources still allow."""

from __future__ import annotations

import datetime as dt

import polars as pl
import streamlit as st

from f1core.agenda import PlannedRun
from f1core.health import (
    STATUS_MEANS,
    STATUS_WORDS,
    coming_frame,
    count_since,
    faults_since,
    freshness,
    health_document,
    missed_seals,
    quota_frame,
    roughly,
    runs_frame,
    runs_until,
)
from f1core.job_log import JobRun
from f1core.job_status import coming_runs, host_quota, job_log, job_status, runner_state
from f1core.review import as_csv, as_json
from pages.shell.choices import choose
from pages.shell.frame import App, explain, page
from pages.shell.health import backtest_progress, coming_table, freshness_table, quota_table, run_table
from pages.shell.monitoring import monitoring
from pages.shell.tables import figure
from pages.shell.text import listed, moment, plain
from warehouse.errors import ParcFermeError
from warehouse.queries.health import table_sizes

RUNS = 1000
COMING = 12
SHOWN = {"all": "All", "faults": "Faults", "weekend": "Race weekends"}


def heads(app: App, runs: list[JobRun], coming: list[PlannedRun]) -> None:
    """Runner, last run, next run and faults, in four numbers."""
    state = runner_state(job_log(app.workspace), app.now)
    faults = faults_since(runs, app.now - dt.timedelta(days=1))
    last = next((run for run in runs if run.started_at is not None), None)
    with st.grid(4, min_column_width=150):
        seen = "never seen" if state["seen_at"] is None else f"last seen {moment(state['seen_at'])} UTC"
        beside = f"process {state['pid']}" if state["is_alive"] else seen
        figure(
            "Runner",
            "On" if state["is_alive"] else "Off",
            beside,
            "The process that makes the runs",
        )
        when = "–" if last is None else roughly(last.started_at, app.now)
        figure("Since the last run", when, "none yet" if last is None else STATUS_WORDS[last.status])
        ahead = roughly(app.now, coming[0].at) if coming else "–"
        figure("Until the next run", ahead, f"{moment(coming[0].at)} UTC" if coming else "nothing planned")
        figure(
            "Faults in 24 h", str(len(faults)), f"of {count_since(runs, app.now - dt.timedelta(days=1))} runs"
        )
    if not state["is_alive"] and not app.clock.is_simulated:
        st.info(
            "No runner is at work: nothing is fetched, sealed or settled by itself. `python3 run.py` starts one beside "
            "the pages; `python -m jobs run` starts one alone.",
            icon=":material/pause_circle:",
        )


def notices(app: App, runs: list[JobRun], without_times: list[str]) -> None:
    """What somebody should know: missed seals, events nothing can be planned for, a calendar that moved."""
    missed = missed_seals(runs)
    if missed:
        st.warning(
            f"**Never sealed:** {plain('; '.join(missed[:5]))}. A seal that was missed is not made late.",
            icon=":material/lock_open:",
        )
    if without_times:
        st.warning(
            f"**Nothing is planned for {plain(listed(without_times))}:** the calendar has no session times yet.",
            icon=":material/event_busy:",
        )
    moved = job_log(app.workspace).fact("replanned")
    if moved and dt.datetime.fromisoformat(moved["at"]) <= app.now:
        when = dt.datetime.fromisoformat(moved["at"])
        st.caption(
            f":material/event_repeat: The calendar moved {moved['count']} planned runs on {moment(when)} UTC; they keep "
            "their place in the record."
        )


def last_runs(runs: list[JobRun]) -> None:
    """The record, newest first."""
    st.subheader("Last runs", anchor=False)
    if not runs:
        st.info("No run is on record yet.", icon=":material/hourglass_empty:")
        return
    shown = choose("Show", list(SHOWN), "runs", default="all", words=SHOWN.__getitem__)
    frame = runs_frame(
        faults_since(runs, dt.datetime.min.replace(tzinfo=dt.UTC)) if shown == "faults" else runs
    )
    if shown == "weekend":
        frame = frame.filter(~pl.col("key").str.contains("@"))
    if frame.is_empty():
        st.success("None.", icon=":material/check_circle:")
    else:
        run_table(frame)
    with st.expander("What the statuses mean", icon=":material/menu_book:"):
        st.markdown(
            "\n".join(f"- **{STATUS_WORDS[status]}**: {words}" for status, words in STATUS_MEANS.items())
        )


def next_runs(app: App, coming: list[PlannedRun]) -> None:
    """What comes next."""
    st.subheader("Next runs", anchor=False)
    frame = coming_frame(coming, list(job_log(app.workspace).latest().values()), app.now)
    if frame.is_empty():
        st.info("Nothing is planned.", icon=":material/event_busy:")
        return
    coming_table(frame.head(COMING))
    st.caption(f"The next {min(COMING, frame.height)} of {frame.height} in two weeks; times in UTC.")


def _document(app: App, runs: list[JobRun], tables: pl.DataFrame) -> dict[str, object]:
    """All of it as one document, made when somebody asks for it."""
    return health_document(runs, job_status(app.workspace, app.now), tables, app.now)


with page("Health") as app:
    st.title("Is everything at work?", anchor=False)
    runs: list[JobRun] = []
    try:
        runs = runs_until(job_log(app.workspace), app.now, limit=RUNS)
        coming, without_times = coming_runs(app.workspace, app.now)
        heads(app, runs, coming)
        notices(app, runs, without_times)
        last_runs(runs)
        next_runs(app, coming)
    except ParcFermeError as error:
        explain(error)  # a damaged record must not hide how fresh the facts are
    left, right = st.columns([3, 2], gap="large")
    tables = freshness(app.read(table_sizes), app.now)
    with left:
        st.subheader("Facts and their age", anchor=False)
        freshness_table(tables)
    with right:
        st.subheader("What sources still allow", anchor=False)
        states, problem = host_quota(app.workspace)
        quota_table(quota_frame(states))
        st.caption(
            problem or "Requests in any 60 minutes, counted over all processes; four a second at most."
        )
    backtest_progress(app)
    monitoring(app)
    with st.container(horizontal=True):
        for label, mime, body in (
            ("csv", "text/csv", lambda: as_csv(runs_frame(runs))),
            ("json", "application/json", lambda: as_json(_document(app, runs, tables))),
        ):
            st.download_button(
                f"Runs, {label.upper()}" if label == "csv" else "All of this, JSON",
                body,
                f"health.{label}",
                mime,
                icon=":material/download:",
                on_click="ignore",
            )
