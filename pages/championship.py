"""The championship: who will be champion, how that went from round to round, and what must happen for it."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.championship_view import document, labelled_odds, points_table
from f1core.charts.final_positions import final_positions as position_map
from f1core.charts.title_odds import title_odds, title_race
from f1core.outlook import outlook
from f1core.review import as_csv, as_json
from f1core.title_words import what_must_happen
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.frame import App, page
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import day, listed, plain
from warehouse.queries.championship import final_positions, odds_seasons
from warehouse.queries.events import calendar

NAMES = {"drivers": "Drivers", "constructors": "Constructors"}


def pick(app: App, seasons: list[int]) -> pl.DataFrame:
    """Season and championship, from the URL or by hand; the odds of all its rounds that may be shown."""
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        season = choose(
            "Season", [str(year) for year in seasons], "season", default=str(seasons[0]), is_list=True
        )
    with right:
        which = choose(
            "Championship", list(NAMES), "championship", default="drivers", words=NAMES.__getitem__
        )
    return app.read(labelled_odds, int(season), which, app.until)


def pick_round(rows: pl.DataFrame) -> pl.DataFrame:
    """The round after which the championship is shown."""
    rounds = rows.unique("event_id", maintain_order=True)
    words = {
        event: f"{number} · {name}"
        for event, number, name in rounds.select("event_id", "count_rounds", "grand_prix_name").iter_rows()
    }
    order = list(words)[::-1]
    event = choose("After round", order, "after", default=order[0], words=words.__getitem__, is_list=True)
    return rows.filter(pl.col("event_id") == event)


def provenance(app: App, rows: pl.DataFrame) -> None:
    """How old the odds are, what they do not know, and where they come from."""
    head = rows.row(0, named=True)
    kind = (
        "**Backtest:** computed afterwards from what was known that day, but with the season's final calendar."
        if head["is_backtest"]
        else "**Newest round in the data.**"
    )
    sprints = (
        f" and {head['count_sprints']} sprint{'s' * (head['count_sprints'] > 1)}"
        if head["count_sprints"]
        else ""
    )
    races = f"{head['count_remaining']} race{'s' * (head['count_remaining'] != 1)}{sprints} to come"
    st.caption(
        f"{kind} Facts known by {head['known_at']:%d %b %Y %H:%M} UTC · {head['count_rounds']} rounds raced, "
        f"{races} · {head['count_seasons']:,} simulated seasons · "
        "points: official tables, deductions included."
    )
    missing = [
        event for event in outlook(app.read(calendar), app.now).missing if event["season"] == head["season"]
    ]
    if missing and not head["is_backtest"]:
        names = listed([event["grand_prix_name"] for event in missing])
        st.warning(
            f"**Raced since, but not in the data: {plain(names)}.** The odds take these as still to come.",
            icon=":material/update_disabled:",
        )


def table(rows: pl.DataFrame, which: str) -> None:
    """The points table with what is expected of its end."""
    column = st.column_config
    shown = points_table(rows)
    st.dataframe(
        shown if which == "drivers" else shown.drop("constructor_name"),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Championship table with title odds, a line each",
        column_config={
            "position": column.NumberColumn("#", width=42, pinned=True),
            "name": column.TextColumn(NAMES[which][:-1], width=128, pinned=True),
            "constructor_name": column.TextColumn(
                "Car", help="Expected for the rest of the season", width=110
            ),
            "points": column.NumberColumn("Points", format="%g", width=62),
            "gap": column.NumberColumn("Behind", format="%g", width=62),
            "wins": column.NumberColumn("Wins", width=50),
            "title": column.ProgressColumn("Title", min_value=0, max_value=100, format="%.1f %%", width=92),
            "expected_points": column.NumberColumn("At the end", format="%.0f", width=80),
            "span": column.TextColumn("80 % range", help="Eight of ten should end within", width=86),
            "expected_position": column.NumberColumn(
                "Place", help="Expected at the end", format="%.1f", width=58
            ),
            "chance": column.TextColumn("By the rules", width=86),
        },
    )


def take_away(name: str, rows: pl.DataFrame, made: dict[str, Any]) -> None:
    """Downloads."""
    with st.container(horizontal=True, gap="xsmall"):
        for label, mime, make in (
            ("CSV", "text/csv", lambda: as_csv(rows.drop("label"))),
            ("JSON", "application/json", lambda: as_json(made)),
        ):
            st.download_button(
                label, make, f"{name}.{label.lower()}", mime, icon=":material/download:", on_click="ignore"
            )


with page("Championship") as app:
    st.title("Who will be champion?", anchor=False)
    seasons = app.read(odds_seasons)
    rows = pick(app, seasons) if seasons else pl.DataFrame()
    if rows.is_empty():
        st.info(
            "There are no title odds for this time: `python -m jobs championship` computes them once a race has a result.",
            icon=":material/hourglass_empty:",
        )
    else:
        now = pick_round(rows)
        event, which = now["event_id"][0], now["championship"][0]
        found = app.read(what_must_happen, event, which)
        positions = app.read(final_positions, event, which)
        st.subheader(
            f"{NAMES[which]}, after the {now['full_name'][0]} of {day(now['race_date'][0])}",
            anchor=False,
        )
        provenance(app, now)
        left, right = st.columns(2, gap="large")
        with left:
            draw(title_odds, now, key="odds")
        with right:
            st.markdown("**What must happen**")
            st.markdown("\n".join(f"- {plain(words)}" for words in found.sentences))
            st.caption(
                "Exact, from the points rules: level on points, more wins decide, then more second places …"
            )
        st.subheader("Odds from round to round", anchor=False)
        draw(title_race, rows.filter(pl.col("known_at") <= now["known_at"][0]), key="race")
        st.subheader("Where everybody ends up", anchor=False)
        draw(position_map, now, positions, key="positions")
        table(now, which)
        take_away(f"championship_{event}_{which}", now, document(now, positions, found))
