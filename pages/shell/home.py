"""Parts of the first page: rain, what moved, the last race graded, title odds, what comes after, questions to start from."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.championship_view import labelled_odds
from f1core.home_view import RainOdds, call_of, moved, rain_odds
from f1core.outlook import Event, Outlook
from f1core.wording import model_order, stage_order
from pages.shell import forecast as stored
from pages.shell.favourites import starred
from pages.shell.frame import App, link_to
from pages.shell.tables import figure
from pages.shell.text import day, plain, race_title
from pages.shell.weekend import reader_zone
from warehouse.queries.championship import odds_seasons
from warehouse.vocab import Stage

LEADERS = 3


def rain(app: App, event: Event) -> None:
    """The odds of rain in the race, and where they come from."""
    odds: RainOdds | None = app.read(rain_odds, event["event_id"], event["circuit_id"], app.now)
    if odds is None:
        st.metric(
            "Rain", "–", "no forecast, no laps of earlier races here", delta_color="off", delta_arrow="off"
        )
        return
    if odds.is_forecast:
        assert odds.issued_at is not None
        st.metric(
            "Rain in the race",
            f"{odds.probability:.0%}",
            f"forecast of {odds.issued_at:%d %b %H:%M} UTC",
            delta_color="off",
            delta_arrow="off",
            help="The largest hourly probability of more than 0.1 mm. Weather data by Open-Meteo.com, CC BY 4.0",
        )
        return
    st.metric(
        "Wet races here",
        f"{odds.probability:.0%}",
        f"of {odds.count} since 2018: no forecast is stored",
        delta_color="off",
        delta_arrow="off",
        help=f"Share with more than 2 % of laps on intermediates or wets; 80 % interval {odds.low:.0%} to {odds.high:.0%}",
    )


def with_moves(
    app: App, kind: str, heads: pl.DataFrame, stage: str, model: str, rows: pl.DataFrame
) -> pl.DataFrame:
    """Forecast rows with what changed since the stage before; without an earlier stage the rows as they are."""
    stages = stage_order(heads.filter(pl.col("model") == model)["stage"])
    earlier = stages[stages.index(stage) + 1 :]
    if not earlier:
        return rows
    was = heads.filter((pl.col("stage") == earlier[0]) & (pl.col("model") == model)).row(0, named=True)
    return moved(rows, stored.read_review(app, kind, was))


def moves_words(rows: pl.DataFrame) -> str:
    """Who moved most since the stage before, in a sentence; empty when nobody did."""
    if "moved" not in rows.columns:
        return ""
    far = rows.filter(pl.col("moved").abs() > 0).sort(
        pl.col("moved").abs(), descending=True, maintain_order=True
    )
    words = [
        f"{plain(name)} {places:+d}"
        for name, places in far.head(4).select("driver_name", "moved").iter_rows()
    ]
    return (
        f"Since the stage before, in places: {', '.join(words)}."
        if words
        else "Nobody moved since the stage before."
    )


def after_that(app: App, state: Outlook) -> None:
    """The two events after the next one."""
    later = state.coming[1:3]
    if not later:
        return
    st.markdown("**After that**")
    zone = reader_zone()
    for event in later:
        when = event["race_starts_at"].astimezone(zone) if zone else event["race_starts_at"]
        whose = "your time" if zone else "UTC"
        st.markdown(
            f"{plain(race_title(event))}  \n:gray[{when:%a %d %b, %H:%M} {whose}"
            f"{' · sprint' if event['is_sprint'] else ''}]"
        )


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
        app,
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
        app,
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


def tour(app: App, event: Event | None, last: Event | None) -> None:
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
            link_to(app, page, words, params, icon, key=f"question_{at}")
