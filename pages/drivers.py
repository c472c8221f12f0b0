"""Drivers: a season's figures, one driver beside up to three others, Elo, races and circuits."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.definitions import DRIVERS
from f1core.team_colours import with_team_colours
from pages.shell.choices import choose, choose_some
from pages.shell.downloads import downloads
from pages.shell.driver_parts import circuits, elo, races
from pages.shell.figures import compared, definitions_list, pick_season, season_bars
from pages.shell.frame import page
from pages.shell.text import listed, plain
from warehouse.queries.drivers import (
    compare_drivers,
    driver_career,
    driver_season_metrics,
    raced_seasons,
    season_drivers,
)

MOST_RIVALS = 3
SCOPES = {"season": "This season", "career": "Career"}


def labelled(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a short name that is unique among them."""
    return rows.with_columns(
        label=pl.when(pl.col("last_name").is_duplicated()).then("driver_name").otherwise("last_name"),
        name="driver_name",
    )


with page("Drivers") as app:
    st.title("Drivers", anchor=False)
    seasons = [str(season) for season in app.read_known(raced_seasons)]
    if not seasons:
        st.info(
            "No race is in the data yet: `python -m jobs build` reads them.",
            icon=":material/hourglass_empty:",
        )
    else:
        left, middle, right = st.columns([1, 2, 3])
        with left:
            season = pick_season(app, seasons, "driver", driver_career)
        people = app.read_known(season_drivers, season)
        names = dict(people.select("driver_id", "driver_name").iter_rows())
        with middle:
            driver = choose(
                "Driver",
                list(names),
                "driver",
                default=next(iter(names)),
                words=names.__getitem__,
                is_list=True,
            )
        with right:
            others = [one for one in names if one != driver]
            rivals = choose_some(
                "Beside",
                others,
                "with",
                words=names.__getitem__,
                most=MOST_RIVALS,
                is_list=True,
                beside=driver,
            )
        chosen = [driver, *rivals]
        metrics = labelled(app.read_known(driver_season_metrics, season))
        order = people.select("driver_id", "car_order")
        st.subheader(listed([plain(names[one]) for one in chosen]), anchor=False)
        scope = choose("Span", list(SCOPES), "span", default="season", words=SCOPES.__getitem__)
        span = {"from_season": season, "to_season": season} if scope == "season" else {}
        rows = app.read_known(compare_drivers, tuple(chosen), **span)
        rows = pl.DataFrame({"driver_id": chosen}).join(
            rows, on="driver_id", how="inner", maintain_order="left"
        )
        compared(rows, DRIVERS, "driver_id", "driver_name", "Figures of the chosen drivers, a line each")
        downloads(f"drivers_{scope}_{season}", rows)
        definitions_list(DRIVERS)
        st.subheader("Elo over the career", anchor=False)
        elo(app, chosen, names, season)
        st.subheader(f"Everybody in {season}", anchor=False)
        season_bars(with_team_colours(metrics, season, order=order), DRIVERS, "qualifying_gap_teammate_pct")
        st.subheader(f"{plain(names[driver])}, race by race in {season}", anchor=False)
        races(app, driver, season, names[driver])
        st.subheader(f"{plain(names[driver])} by circuit", anchor=False)
        circuits(app, driver, names[driver])
