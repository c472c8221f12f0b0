"""Teams: a season's figures, car pace and its development, pit stops, strategy, reliability, one beside others."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.charts.form_lines import form_lines
from f1core.definitions import TEAMS
from f1core.team_colours import with_team_colours
from pages.shell.charts import draw
from pages.shell.choices import choose, choose_some
from pages.shell.downloads import downloads
from pages.shell.figures import compared, definitions_list, pick_season, season_bars
from pages.shell.frame import App, page
from pages.shell.team_parts import history
from pages.shell.text import listed, plain
from warehouse.queries.drivers import raced_seasons
from warehouse.queries.teams import (
    compare_teams,
    season_teams,
    team_history,
    team_races,
    team_season_metrics,
)

MOST_RIVALS = 3
LINES = {
    "race_pace_gap_rolling_pct": "Race pace behind the best, mean of five races [%]",
    "qualifying_gap_rolling_pct": "Qualifying behind the best, mean of five races [%]",
}
AXES = {
    "race_pace_gap_rolling_pct": "Race pace behind the best [%]",
    "qualifying_gap_rolling_pct": "Qualifying behind the best [%]",
}


def development(app: App, chosen: list[str], season: int) -> None:
    """The line of each car through the season."""
    rows = with_team_colours(app.read_known(team_races, tuple(chosen), season), season)
    there = [name for name in LINES if rows[name].null_count() < rows.height]
    if not there:
        st.caption("No pace of this season is known: lap timing begins in 2018.")
        return
    which = choose("Line", there, "line", default=there[0], words=LINES.__getitem__, is_list=True)
    draw(
        form_lines,
        rows.select(
            "team_colour",
            "team_dash",
            label="constructor_name",
            at="round",
            value=which,
            told="grand_prix_name",
        ),
        AXES[which],
        "Round",
        True,
        key="development",
    )
    st.caption(
        "Against the fastest car of each race; the top is the front. The mean starts with the races there are."
    )
    downloads(f"teams_{season}_races", rows.drop("team_colour", "team_dash"))


with page("Teams") as app:
    st.title("Teams", anchor=False)
    seasons = [str(season) for season in app.read_known(raced_seasons)]
    if not seasons:
        st.info(
            "No race is in the data yet: `python -m jobs build` reads them.",
            icon=":material/hourglass_empty:",
        )
    else:
        left, middle, right = st.columns([1, 2, 3])
        with left:
            season = pick_season(app, seasons, "team", team_history)
        names = dict(
            app.read_known(season_teams, season).select("constructor_id", "constructor_name").iter_rows()
        )
        with middle:
            team = choose(
                "Team", list(names), "team", default=next(iter(names)), words=names.__getitem__, is_list=True
            )
        with right:
            others = [one for one in names if one != team]
            rivals = choose_some(
                "Beside", others, "with", words=names.__getitem__, most=MOST_RIVALS, is_list=True, beside=team
            )
        chosen = [team, *rivals]
        st.subheader(listed([plain(names[one]) for one in chosen]), anchor=False)
        rows = app.read_known(compare_teams, tuple(chosen), from_season=season, to_season=season)
        rows = pl.DataFrame({"constructor_id": chosen}).join(
            rows, on="constructor_id", how="inner", maintain_order="left"
        )
        compared(
            rows, TEAMS, "constructor_id", "constructor_name", "Figures of the chosen teams, a line each"
        )
        downloads(f"teams_{season}", rows)
        definitions_list(TEAMS)
        st.subheader(f"Development in {season}", anchor=False)
        development(app, chosen if rivals else list(names)[:4], season)
        st.subheader(f"Everybody in {season}", anchor=False)
        metrics = app.read_known(team_season_metrics, season).with_columns(
            label="constructor_name", name="constructor_name"
        )
        season_bars(with_team_colours(metrics, season), TEAMS, "race_pace_gap_pct")
        st.subheader(f"{plain(names[team])}, season by season", anchor=False)
        history(app, team, names[team])
