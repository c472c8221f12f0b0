"""What every page says of its clock and its data: a simulated clock, a demo season, the facts and their snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from f1core.installation import DEMO_NOTE
from pages.shell.text import plain

if TYPE_CHECKING:
    from pages.shell.frame import App


def announce(app: App) -> None:
    """Says it, on the page what a reader must know before he believes a number, in the sidebar the rest."""
    if app.clock.is_simulated:
        st.warning(
            f"**Simulated clock: {app.now:%d %B %Y, %H:%M} UTC.** What became known later is hidden, and "
            "nothing here can be sealed.",
            icon=":material/history_toggle_off:",
        )
    snapshot = app.reader.snapshot
    if snapshot.notes.get(DEMO_NOTE):
        st.warning(
            "**Demo season: drivers, teams, circuits and results are made up.** No archive of real results was found; "
            "set `PARCFERME_ARCHIVE` to one and start again.",
            icon=":material/theater_comedy:",
        )
    if st.context.is_embedded:
        return
    with st.sidebar:
        st.caption(
            f"Facts: {plain(str(snapshot.notes.get('source_name', 'unknown source')))}  \n"
            f"Published {snapshot.published_at[:16].replace('T', ' ')} UTC  \nSnapshot `{snapshot.id}`"
        )
