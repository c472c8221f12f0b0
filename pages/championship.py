"""The championship: who will be champion, how that went from round to round, and what must happen for it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import streamlit as st

from f1core.championship_view import coloured_odds, document, labelled_odds
from f1core.charts.final_positions import final_positions as position_map
from f1core.charts.standings_lines import standings_lines
from f1core.charts.title_odds import title_odds, title_race
from f1core.outlook import outlook
from f1core.title_words import what_must_happen
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.downloads import downloads
from pages.shell.elo_table import elo_rankings
from pages.shell.embed import json_beside
from pages.shell.frame import App, page
from pages.shell.points import points_simulator
from pages.shell.sections import opened_by, sections
from pages.shell.tables import championship_table
from pages.shell.text import day, listed, plain
from warehouse.queries.championship import final_positions, odds_seasons
from warehouse.queries.drivers import season_drivers
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


def rounds(app: App, rows: pl.DataFrame, now: pl.DataFrame) -> None:
    """How odds and points went up to the round that is shown."""
    order = app.read(season_drivers, now["season"][0])
    so_far = coloured_odds(rows.filter(pl.col("known_at") <= now["known_at"][0]), order)
    st.subheader("Odds from round to round", anchor=False)
    draw(title_race, so_far, key="race")
    st.subheader("Points from round to round", anchor=False)
    draw(standings_lines, so_far, key="points")


def places(now: pl.DataFrame, positions: pl.DataFrame) -> None:
    """Where everybody ends up."""
    st.subheader("Where everybody ends up", anchor=False)
    draw(position_map, now, positions, key="positions")


def whole(app: App, rows: pl.DataFrame, now: pl.DataFrame) -> None:
    """Odds, what must happen and the table; and a section at a time: how it went, where it ends, what if, Elo.

    Args:
        app: The app.
        rows: All rounds of the season that may be shown.
        now: The round that is shown.
    """
    event, which = now["event_id"][0], now["championship"][0]
    found = app.read(what_must_happen, event, which)
    positions = app.read(final_positions, event, which)
    left, right = st.columns(2, gap="large")
    with left:
        draw(title_odds, now, key="odds")
    with right:
        st.markdown("**What must happen**")
        st.markdown("\n".join(f"- {plain(words)}" for words in found.sentences))
        st.caption(
            "Exact, from the points rules: level on points, more wins decide, then more second places …"
        )
    championship_table(now, NAMES[which][:-1])
    downloads(f"championship_{event}_{which}", now.drop("label"), document(now, positions, found))
    opened_by("result", "points")
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "rounds": ("Round by round", lambda: rounds(app, rows, now)),
        "places": ("Final places", lambda: places(now, positions)),
        "points": ("What if", lambda: points_simulator(app, now)),
        "elo": ("Elo ranking", lambda: elo_rankings(app, which, event)),
    }
    if which != "drivers":
        del parts["points"]  # a result gives places to drivers
    sections(parts, label="Section", elsewhere=("points",))


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
        which = now["championship"][0]
        st.subheader(
            f"{NAMES[which]}, after the {now['full_name'][0]} of {day(now['race_date'][0])}",
            anchor=False,
        )
        provenance(app, now)
        if st.context.is_embedded:
            draw(title_odds, now, key="odds")
        else:
            whole(app, rows, now)
        json_beside(
            "v1/championship", season=str(now["season"][0]), championship=which, after=now["event_id"][0]
        )
