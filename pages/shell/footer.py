"""What stands at the foot of every page: whose data these are, and whose product this is not."""

from __future__ import annotations

import streamlit as st

ATTRIBUTION = (
    "Contains data from [F1DB](https://github.com/f1db/f1db), licensed under "
    "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/); converted and combined, forecasts are our own. "
    "Lap timing read with [FastF1](https://github.com/theOehrly/Fast-F1)."
)
UNOFFICIAL = (
    "Unofficial: not associated in any way with the Formula 1 companies. F1, FORMULA ONE, FORMULA 1 and related "
    "marks are trade marks of Formula One Licensing B.V."
)


def footer(*, is_short: bool = False) -> None:
    """Draws it; the short form is for embedded views, which still must say whose data these are."""
    if not is_short:
        st.space("small")
    # Not a caption: its half-transparent links are too faint on either page.
    st.markdown(f":small[{ATTRIBUTION}]  \n:small[{UNOFFICIAL}]")
