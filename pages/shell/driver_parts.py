"""Parts of the drivers page: Elo over the career, the races of a season, the record by circuit."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.charts.form_lines import form_lines
from f1core.definitions import SMALL_SAMPLE
from f1core.team_colours import with_team_colours
from pages.shell.charts import draw
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from warehouse.queries.drivers import driver_circuits, driver_races
from warehouse.queries.rankings import elo_lines


def elo(app: App, drivers: list[str], names: dict[str, str], season: int) -> None:
    """Elo after every race of their careers."""
    rows = app.read_known(elo_lines, "driver", tuple(drivers))
    if rows.is_empty():
        return
    cars = pl.concat(
        [
            app.read_known(driver_races, one).select("event_id", "driver_id", "constructor_id", "season")
            for one in drivers
        ]
    )
    known = with_team_colours(
        pl.DataFrame({"driver_id": drivers}).join(
            cars.filter(pl.col("season") <= season)
            .group_by("driver_id")
            .agg(pl.col("constructor_id").last()),
            on="driver_id",
            how="left",
            maintain_order="left",
        ),
        season,
    )
    lines = rows.join(known, left_on="entity_id", right_on="driver_id", how="inner", maintain_order="left")
    draw(
        form_lines,
        lines.select(
            "team_colour",
            "team_dash",
            label=pl.col("entity_id").replace_strict(names),
            at=pl.col("race_date").dt.year() + (pl.col("race_date").dt.ordinal_day() - 1) / 365.25,
            value="elo",
            told=pl.format("{} {}", "grand_prix_name", "season"),
        ),
        "Elo [points]",
        "Season",
        key="elo",
    )
    st.caption(
        "Driver and car together: who finishes ahead in a race beats the other. A newcomer starts at 1500."
    )


def races(app: App, driver: str, season: int, name: str) -> None:
    """The driver's races of the season."""
    rows = app.read_known(driver_races, driver, season)
    column = st.column_config
    shown = {
        "grand_prix_name": column.TextColumn("Race", width=120, pinned=True),
        "constructor_name": column.TextColumn("Team", width=110),
        "qualifying_position": column.NumberColumn("Qualifying", width=80),
        "grid_position": column.NumberColumn("Grid", width=50),
        "position": column.NumberColumn("Finish", width=60),
        "points": column.NumberColumn("Points", format="%g", width=60),
        "qualifying_gap_teammate_pct": column.NumberColumn(
            "Quali gap to mate [%]", format="%+.2f", width=130
        ),
        "race_pace_gap_teammate_pct": column.NumberColumn("Pace gap to mate [%]", format="%+.2f", width=130),
        "start_gain_places": column.NumberColumn(
            "Start", format="%+d", help="Places gained on lap 1", width=55
        ),
        "overtakes_made": column.NumberColumn("Overtakes", width=80),
        "elo_change": column.NumberColumn("Elo won", format="%+.1f", width=70),
    }
    there = {name: config for name, config in shown.items() if name in rows.columns}
    st.dataframe(
        rows.select(list(there)),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt=f"Races of {name} in {season}",
        column_config=there,
    )
    downloads(f"{driver}_{season}_races", rows)


def circuits(app: App, driver: str, name: str) -> None:
    """The driver's record at every circuit."""
    rows = app.read_known(driver_circuits, driver)
    column = st.column_config
    st.dataframe(
        rows.drop("circuit_id"),
        hide_index=True,
        height=320,
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt=f"Record of {name} by circuit, most starts first",
        column_config={
            "circuit_name": column.TextColumn("Circuit", pinned=True, width=130),
            **{
                key: column.NumberColumn(
                    words,
                    format="%.1f" if key.startswith(("mean", "points", "elo")) else None,
                    width=width,
                )
                for key, words, width in (
                    ("count_races", "Starts", 54),
                    ("count_wins", "Wins", 50),
                    ("count_podiums", "Podiums", 70),
                    ("count_poles", "From first", 72),
                    ("count_dnfs", "DNFs", 54),
                    ("count_classified", "Classified", 78),
                    ("best_position", "Best", 50),
                    ("mean_position", "Mean finish", 84),
                    ("mean_grid_position", "Mean grid", 80),
                    ("points_per_race", "Points a race", 90),
                    ("elo_change", "Elo a race", 80),
                    ("last_season", "Last", 52),
                )
            },
            "is_small_sample": column.CheckboxColumn("Few", help=SMALL_SAMPLE, width=44),
        },
    )
    downloads(f"{driver}_circuits", rows)
