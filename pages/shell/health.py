"""Tables of the health page, and how far the backtest is."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.backtest_progress import progress_frame, progress_words, read_progress
from f1core.wording import TARGET_NAMES, model_name
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain
from warehouse.vocab import Stage, Target

TALL = 420
WHEN = "D MMM HH:mm"


def run_table(frame: pl.DataFrame) -> None:
    """Runs, as in :func:`f1core.health.runs_frame`."""
    column = st.column_config

    def instant(label: str, about: str | None = None) -> object:
        return column.DatetimeColumn(label, format=WHEN, timezone="UTC", width=90, help=about)

    st.dataframe(
        frame,
        hide_index=True,
        height=min(TALL, ROW_HEIGHT * (frame.height + 1) + 8),
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Runs of jobs, the newest first",
        column_order=[
            *("status", "job", "what", "planned_at", "started_at", "took_s", "rows", "attempts"),
            *("words", "again_at", "ended_at"),
        ],
        column_config={
            "status": column.TextColumn("Status", width=92, pinned=True),
            "job": column.TextColumn("Job", width=102),
            "what": column.TextColumn("For", width=165),
            "planned_at": instant("Planned", "UTC, as are all times here"),
            "started_at": instant("Started"),
            "took_s": column.NumberColumn("Took", format="%.1f s", width=62),
            "rows": column.NumberColumn("Rows", format="localized", width=62),
            "attempts": column.NumberColumn("Attempt", width=58),
            "again_at": instant("Again at", "When it is tried again by itself"),
            "words": column.TextColumn("Error or note", width=270),
            "ended_at": instant("Ended"),
        },
    )


def coming_table(frame: pl.DataFrame) -> None:
    """What comes next, as in :func:`f1core.health.coming_frame`."""
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Coming runs, the next one first",
        column_order=["at", "in_words", "job", "title", "not_after"],
        column_config={
            "at": column.DatetimeColumn("At", format=WHEN, timezone="UTC", width=95, pinned=True),
            "in_words": column.TextColumn("In", width=105),
            "job": column.TextColumn("Job", width=105),
            "title": column.TextColumn("What", width=330),
            "not_after": column.DatetimeColumn("Not after", format=WHEN, timezone="UTC", width=95),
        },
    )


def freshness_table(tables: pl.DataFrame) -> None:
    """Tables and their age, as in :func:`f1core.health.freshness`."""
    column = st.column_config
    st.dataframe(
        tables.drop("age_days"),
        hide_index=True,
        height=TALL,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Tables of the warehouse with their rows and the age of their newest fact",
        column_config={
            "group": column.TextColumn("Group", width=124),
            "table": column.TextColumn("Table", width=155, pinned=True),
            "rows": column.NumberColumn("Rows", format="localized", width=80),
            "known_through": column.DatetimeColumn(
                "Newest fact",
                format="D MMM YYYY HH:mm",
                timezone="UTC",
                width=135,
                help="When it became known, UTC",
            ),
            "age": column.TextColumn("Age", width=95),
        },
    )


def quota_table(frame: pl.DataFrame) -> None:
    """What hosts still allow, as in :func:`f1core.health.quota_frame`."""
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Requests left this hour, a line per host",
        column_order=["host", "left_pct", "left", "limit", "resets_at", "note"],
        column_config={
            "host": column.TextColumn("Host", width=150, pinned=True),
            "left_pct": column.ProgressColumn("Left", min_value=0, max_value=100, format="%.0f %%", width=82),
            "left": column.NumberColumn("Requests", width=75),
            "limit": column.NumberColumn("Of", width=50),
            "resets_at": column.DatetimeColumn("More at", format=WHEN, timezone="UTC", width=95),
            "note": column.TextColumn("Note", width="medium"),
        },
    )


def backtest_progress(app: App) -> None:
    """How far the backtest over all test seasons is."""
    st.subheader("Backtest of whole seasons", anchor=False)
    progress = read_progress(app.workspace.settings)
    if progress is None or progress.began_at > app.now:
        st.info(
            "Not begun yet: the scheduler does it by itself when no session is near, and "
            "`python -m jobs backtest --from 2022` at once.",
            icon=":material/hourglass_empty:",
        )
        return
    st.progress(min(progress.share, 1.0), text=plain(progress_words(progress, app.now)))
    column = st.column_config
    rows = progress_frame(progress)
    st.dataframe(
        rows.with_columns(
            target=pl.Series([TARGET_NAMES[Target(name)] for name in rows["target"]], dtype=pl.String),
            stage=pl.Series([Stage(name).label for name in rows["stage"]], dtype=pl.String),
            model=pl.Series(
                ["" if not name else model_name(name) for name in rows["model"]], dtype=pl.String
            ),
        ),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        alt="Backtest by target and stage: done of all",
        column_config={
            "target": column.TextColumn("Target", width=95, pinned=True),
            "stage": column.TextColumn("Stage", width=150),
            "model": column.TextColumn("Beside ours", width=130),
            "done": column.NumberColumn("Done", width=62),
            "total": column.NumberColumn("Of", width=62),
            "done_pct": column.ProgressColumn(
                "Share", min_value=0, max_value=100, format="%.0f %%", width=140
            ),
        },
    )
