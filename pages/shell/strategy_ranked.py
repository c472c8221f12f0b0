"""The table of the best strategies on the strategy page."""

from __future__ import annotations

import streamlit as st

from f1core.strategy.edits import WhatIf
from f1core.strategy.optimiser import Ranking
from f1core.strategy.ranking_views import ranking_table
from f1core.strategy.views import plan_words
from pages.shell.strategy_scenario import change_car
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain


def ranked(ranking: Ranking, what_if: WhatIf, driver: str) -> None:
    """The five best and the driver's own plan; each can be put into the editor."""
    column = st.column_config
    st.dataframe(
        ranking_table(ranking),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="The best strategies, a line each; rank 0 is what was done or is expected",
        column_config={
            "rank": column.NumberColumn("#", help="0: as it was, or is expected", width=36, pinned=True),
            "words": column.TextColumn("Strategy", width=225),
            "position": column.NumberColumn("Finish", help="Mean", format="%.2f", width=62),
            "error": column.NumberColumn("±", help="Monte Carlo standard error", format="%.2f", width=50),
            "low": column.NumberColumn("80 % from", width=72),
            "high": column.NumberColumn("to", width=46),
            "behind": column.TextColumn("Places to the best", width=150),
            "windows": column.TextColumn("Windows", help="Laps of every stop", width=130),
            "free_air_s": column.NumberColumn(
                "Free air", help="Behind the quickest plan alone on the track", format="%.1f s", width=72
            ),
        },
    )
    with st.container(horizontal=True, gap="xsmall"):
        for one in ranking.top:
            st.button(
                one.text,
                icon=":material/edit:",
                key=f"take_{one.rank}",
                help=f"Put it into the editor: {plan_words(one.plan)}",
                on_click=change_car,
                args=(what_if, driver),
                kwargs={"start": one.plan.start, "start_used_laps": None, "stops": one.plan.stops},
            )
    st.caption(
        f"{ranking.candidates} plans were run in the full field, the best {ranking.runs} times each under the same luck. "
        f"Windows: laps within 2 s of the best lap in free air. {' '.join(plain(note) for note in ranking.notes)}"
    )
