"""More of the first page: the last race graded, title odds, questions to start from."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.championship_view import labelled_odds
from f1core.home_view import call_of
from f1core.outlook import Event
from f1core.wording import model_order, stage_order
from pages.shell import forecast as stored
from pages.shell.favourites import starred
from pages.shell.frame import App
from pages.shell.navigation import link_to
from pages.shell.tables import figure
from pages.shell.text import day, plain, race_title
from warehouse.queries.championship import odds_seasons
from warehouse.vocab import Stage

LEADERS = 3


def last_race(app: App, event: Event | None) -> None:
    """What we said of the last race, and what happened."""
    if event is None:
        return
    st.subheader("The last race, graded", anchor=False)
    found = stored.stored_heads(app, event["event_id"])
    kind = "sealed" if "sealed" in found else next(iter(found), None)
    if kind is None:
        st.caption(f"There is no forecast of the {plain(race_title(event))} to grade.")
        return
    heads = found[kind]
    stage = stage_order(heads["stage"])[0]
    model = model_order(heads.filter(pl.col("stage") == stage)["model"])[0]
    head = heads.filter((pl.col("stage") == stage) & (pl.col("model") == model)).row(0, named=True)
    call = call_of(stored.read_review(app, kind, head))
    if call is None:
        st.caption(f"The result of the {plain(race_title(event))} is not in the data.")
        return
    said = f"We named **{plain(call.named)}** ({call.named_probability:.0%}): " + (
        "right." if call.named == call.winner else f"result {call.named_result or 'no start'}."
    )
    beside = (
        ""
        if call.named == call.winner
        else f" **{plain(call.winner)}** won"
        + (f", given {call.winner_probability:.0%}." if call.winner_probability is not None else ".")
    )
    st.markdown(
        f"{plain(race_title(event))}, {day(event['race_date'])}. {said}{beside} {call.podium_hits} of 3 on the podium, "
        f"{call.places_off:.1f} places off on average; farthest off: {plain(call.worst[0])} ({call.worst[1]:+d})."
    )
    stored.badges(kind, stage)
    link_to(
        "pages/race.py",
        "The forecast and the result",
        {"event": event["event_id"]},
        ":material/flag:",
        key="last_race",
    )


def title(app: App) -> None:
    """Who leads the two title races, by our odds."""
    st.subheader("Title odds", anchor=False)
    seasons = app.read(odds_seasons)
    if not seasons:
        st.caption(
            "There are none yet: `python -m jobs championship` computes them once a race has a result."
        )
        return
    shown = False
    for which, words in (("drivers", "Drivers"), ("constructors", "Constructors")):
        rows = app.read(labelled_odds, seasons[0], which, app.until)
        if rows.is_empty():
            continue
        shown = True
        now = starred(rows.filter(pl.col("event_id") == rows["event_id"][-1]))
        first = now.sort("title_probability", descending=True, maintain_order=True).head(LEADERS)
        st.markdown(f"**{words}**, after the {plain(now['full_name'][0])} {seasons[0]}")
        with st.grid(LEADERS, min_column_width=110):
            for row in first.iter_rows(named=True):
                figure(row["label"], _odds(row["title_probability"]), f"{row['points']:g} points")
    if not shown:
        st.caption("No round of this season was known at this time.")
        return
    link_to(
        "pages/championship.py",
        "Odds over time, what must happen",
        {},
        ":material/trophy:",
        key="to_title",
    )


def _odds(share: float) -> str:
    if 0 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else f"{share:.0%}"


def tour(event: Event | None, last: Event | None) -> None:
    """Questions people ask, each a link to its answer."""
    st.subheader("Questions to start from", anchor=False)
    questions: list[tuple[str, str, dict[str, Any], str]] = []
    if last is not None:
        asked = {"event": last["event_id"]}
        questions += [
            (
                f"Who should have won in {last['grand_prix_name']}?",
                "pages/race.py",
                asked,
                ":material/trophy:",
            ),
            ("Was the undercut on?", "pages/strategy.py", asked, ":material/swap_vert:"),
            ("How did the race unfold, lap by lap?", "pages/laps.py", asked, ":material/timeline:"),
        ]
    if event is not None:
        place = {"circuit": event["circuit_id"]}
        questions.append(("How often is pole enough here?", "pages/circuits.py", place, ":material/route:"))
    questions += [
        ("Who beats his team mate?", "pages/drivers.py", {}, ":material/sports_motorsports:"),
        ("Who is still in the title race?", "pages/championship.py", {}, ":material/emoji_events:"),
        (
            f"How good are forecasts {Stage.PRE_QUALIFYING.label.lower()}?",
            "pages/accuracy.py",
            {"stage": Stage.PRE_QUALIFYING.value},
            ":material/query_stats:",
        ),
    ]
    with st.grid(3, min_column_width=260):
        for at, (words, page, params, icon) in enumerate(questions):
            link_to(page, words, params, icon, key=f"question_{at}")
