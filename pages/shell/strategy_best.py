"""The best strategies of a driver on the strategy page, whether the real one was right, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.pit_windows import pit_windows as window_chart
from f1core.simulator.plan import IllegalPlan
from f1core.strategy.edits import BadEdit, WhatIf, to_query
from f1core.strategy.expectations import odds_against, team_view
from f1core.strategy.optimiser import Ranking, optimise
from f1core.strategy.ranking_views import odds_table
from f1core.strategy.review import review
from f1core.strategy.setup import RaceSetup
from f1core.strategy.stop_laps import pit_windows
from pages.shell.charts import draw
from pages.shell.frame import App, explain
from pages.shell.strategy_ranked import ranked
from pages.shell.strategy_scenario import as_planned
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain

ASKED = "strategy_ranked"
RUNS = 300


@dataclass(frozen=True)
class Best:
    """The best strategies of a scenario, and for a past race the judgement of what was done."""

    ranking: Ranking
    judgement: str | None


def best(
    app: App, setup: RaceSetup, driver: str, rival: str | None, names: dict[str, str], what_if: WhatIf
) -> None:
    """The five best strategies, once they are asked for: it takes a second or two."""
    # The ranking is of the scenario without the driver's own tyres: trying a plan out does not take it away.
    asked = as_planned(what_if, driver)
    key = (setup.event_id, driver, to_query(asked))
    if st.session_state.get(ASKED) != key:
        st.button(
            "Rank strategies",
            icon=":material/leaderboard:",
            help="Searches in free air, then runs the best plans in the full field",
            on_click=st.session_state.__setitem__,
            args=(ASKED, key),
        )
        return
    try:
        found = _best(*key, _made_of(app), _setup=setup, _what_if=asked)
        windows = _windows(setup.event_id, driver, to_query(what_if), _made_of(app), setup, what_if)
    except (BadEdit, IllegalPlan) as error:
        explain(error)
        return
    if found.judgement:
        st.markdown(f"**Was it the right call?** {plain(found.judgement)}")
    ranked(found.ranking, what_if, driver)
    call = _team_view(setup.event_id, to_query(what_if), _made_of(app), app, setup, what_if)
    if call:
        st.markdown(f"**What teams do.** {plain(call['words'])}")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**When to stop**")
        if windows.height:
            draw(window_chart, windows.select(*WINDOW_COLUMNS), key="windows")
            st.caption(
                "The other stops stay where they are; dots: laps that cannot be told from the best one."
            )
        else:
            st.caption("The plan has no stop that could be moved.")
    with right:
        st.markdown("**Undercut and overcut**")
        _odds(app, setup, driver, rival, names, what_if)


WINDOW_COLUMNS = ("stop", "lap", "loss_s", "error_s", "is_window")


def _made_of(app: App) -> str:
    """The data and the clock that a setup was made of: with event and scenario they are all that it depends on."""
    return f"{app.workspace.settings.warehouse_root} {app.snapshot_id} {app.until}"


@st.cache_resource(max_entries=30, show_spinner="Plans are run in the full field …", show_time=True)
def _best(
    event_id: str, driver: str, query: str, made_of: str, _setup: Any, _what_if: WhatIf
) -> Best:  # fmt: skip
    judged = review(_setup, driver, _what_if, runs=RUNS, seed=_what_if.seed) if _setup.is_past else None
    ranking = judged.ranking if judged else optimise(_setup, driver, _what_if, runs=RUNS, seed=_what_if.seed)
    return Best(ranking, judged.words if judged else None)


@st.cache_resource(max_entries=30, show_spinner="Every lap of every stop is tried …")
def _windows(
    event_id: str, driver: str, query: str, made_of: str, _setup: Any, _what_if: WhatIf
) -> pl.DataFrame:
    return pit_windows(_setup, driver, None, _what_if, seed=_what_if.seed)


@st.cache_resource(max_entries=30, show_spinner=False)
def _team_view(
    event_id: str, query: str, made_of: str, _app: App, _setup: Any, _what_if: WhatIf
) -> dict[str, Any] | None:
    return team_view(_app.reader, _setup, _what_if)


def _odds(
    app: App, setup: RaceSetup, driver: str, rival: str | None, names: dict[str, str], what_if: WhatIf
) -> None:
    if rival is None:
        st.caption("Choose another car above: here are the odds of being ahead of it once both have stopped.")
        return
    try:
        rows = _against(setup.event_id, driver, rival, to_query(what_if), _made_of(app), app, setup, what_if)
    except (BadEdit, IllegalPlan) as error:
        explain(error)
        return
    if rows.is_empty():
        st.caption("Nothing can be said: one of them is out before the stops.")
        return
    head = rows.row(0, named=True)
    where = "behind" if head["gap_before_s"] > 0 else "ahead"
    st.markdown(
        plain(
            f"{names[rival]} stops on lap {head['rival_lap']}. Before, {names[driver]} is "
            f"{abs(head['gap_before_s']):.1f} s {where}."
        )
    )
    column = st.column_config
    st.dataframe(
        odds_table(rows),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        alt="Odds of being ahead once both have stopped, a line per lap of the own stop",
        column_config={
            "lap": column.NumberColumn("Own stop", help="After this lap", width=72),
            "kind": column.TextColumn("", width=78),
            "ahead": column.ProgressColumn("Ahead after both", min_value=0, max_value=100, format="%.0f %%"),
            "error": column.NumberColumn("±", help="Monte Carlo standard error", format="%.0f %%", width=52),
            "learned": column.NumberColumn(
                "Real undercuts",
                help="What undercuts of earlier races say, when the rival answers within four laps",
                format="%.0f %%",
                width=104,
            ),
            "gap_after_s": column.NumberColumn(
                "Gap after", help="Below zero: ahead", format="%+.1f s", width=78
            ),
        },
    )


@st.cache_resource(max_entries=30, show_spinner="Both stop, sooner or later …")
def _against(
    event_id: str, driver: str, rival: str, query: str, made_of: str, _app: App, _setup: Any, _asked: WhatIf
) -> pl.DataFrame:
    return odds_against(_app.reader, _setup, driver, rival, _asked, as_of=_app.until, seed=_asked.seed)
