"""Ways through the app: the list of pages, the search box, links that carry filters and favourites along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from f1core.search import index, search
from pages.shell.favourites import carried, pick_favourites
from pages.shell.text import plain
from warehouse.queries.search import current_people

PAGES = (
    ("streamlit_app.py", "Next race", ":material/sports_score:"),
    ("pages/race.py", "Races", ":material/flag:"),
    ("pages/championship.py", "Championship", ":material/trophy:"),
    ("pages/strategy.py", "Strategy", ":material/tire_repair:"),
    ("pages/accuracy.py", "Accuracy", ":material/query_stats:"),
    ("pages/drivers.py", "Drivers", ":material/sports_motorsports:"),
    ("pages/teams.py", "Teams", ":material/groups:"),
    ("pages/circuits.py", "Circuits", ":material/route:"),
    ("pages/laps.py", "Laps", ":material/timer:"),
    ("pages/calendar.py", "Calendar", ":material/calendar_month:"),
    ("pages/methodology.py", "Methodology", ":material/menu_book:"),
    ("pages/health.py", "Health", ":material/monitor_heart:"),
)
SEARCH_ICONS = {
    "driver": ":material/sports_motorsports:",
    "team": ":material/groups:",
    "circuit": ":material/route:",
    "race": ":material/flag:",
}


def navigation(current: str) -> Any:
    """Links to all pages; returns the place for what needs the data."""
    with st.sidebar:
        st.markdown("## Parc Fermé")
        st.caption("Formula 1 forecasts, scored in the open")
        finder = st.container()
        for path, label, icon in PAGES:
            # The link to the page one is on keeps what it shows: Streamlit would leave the address and drop the rest.
            here = st.query_params.to_dict() if label == current else carried()
            st.page_link(path, label=label, icon=icon, width="stretch", query_params=here or None)
    return finder


def find(read: Callable[..., Any], current: str) -> None:
    """The search box and the list of favourites.

    Args:
        read: Asks a query, as :meth:`pages.shell.frame.App.read`.
        current: Name of the page one is on.
    """
    text = st.text_input(
        "Search", key="search", placeholder="Driver, team, race, circuit", label_visibility="collapsed"
    )
    if text.strip():
        found, is_like = search(read(index), text)
        if not found:
            st.caption(f":material/search_off: Nothing is called “{plain(text[:40])}”.")
        elif is_like:
            st.caption(f"Nothing is called “{plain(text[:40])}”; did you mean:")
        for one in found:
            link_to(
                one.page,
                f"{one.label}",
                one.params,
                SEARCH_ICONS[one.kind],
                current,
                key=f"found_{one.kind}_{one.id}",
            )
    pick_favourites(read(current_people))


def link_to(
    page: str,
    label: str,
    params: dict[str, str],
    icon: str | None = None,
    current: str = "",
    *,
    key: str,
) -> None:
    """A link to a page of ours with its filters, favourites carried along.

    Args:
        page: The page's file.
        label: What people read.
        params: Filters of the page.
        icon: Before the label.
        current: Name of the page one is on: a link to that same page must be a button, for a page link to itself leaves
            the browser's address as it was.
        key: Of the element.
    """
    query = {**params, **carried()}
    if any(path == page and name == current for path, name, _ in PAGES):
        st.button(
            plain(label),
            icon=icon,
            key=key,
            on_click=st.query_params.from_dict,
            args=(query,),
            width="stretch",
        )
    else:
        st.page_link(page, label=plain(label), icon=icon, width="stretch", query_params=query)
