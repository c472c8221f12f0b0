"""Where the driver of a past race would have come out of the pits, on the strategy page."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.charts.rejoin_positions import rejoin_positions
from f1core.strategy.rejoining import RejoinRace, rejoin_race, rejoins
from f1core.strategy.setup import RaceSetup
from pages.shell.charts import draw
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain


def rejoin_part(app: App, setup: RaceSetup, driver: str, name: str) -> None:
    """The forecast for every lap of the real race, and his real stops against it; the scenario changes nothing here.

    Args:
        app: The app.
        setup: A race that was held.
        driver: The driver.
        name: His name.
    """
    race = app.read(rejoin_race, setup.event_id, app.until)
    if race.clock is None:
        st.info(
            "Where a car comes out is foretold for dry races only: the forecast was never measured in the rain.",
            icon=":material/water_drop:",
        )
        return
    rows = rejoins(race, driver)
    if rows.is_empty():
        st.info(
            f"{plain(name)} had no lap on which a stop under green was possible.",
            icon=":material/info:",
        )
        return
    left, right = st.columns([2, 1], gap="large")
    with left:
        st.subheader("Place after a stop, lap by lap", anchor=False)
        draw(rejoin_positions, rows, key="rejoin")
    with right:
        st.subheader("Real stops", anchor=False)
        _real(rows)
        st.page_link(
            "pages/methodology.py",
            label="How often this is right",
            icon=":material/fact_check:",
            query_params={"section": "scores"},
        )
    st.caption(
        "Of the race as it was driven, whatever the scenario: what could be foretold at the last line before the in-lap, "
        "from gaps, present pace and pit loss. Places are among the cars that run through; who stops within a lap of it is "
        f"not counted. Laps near a safety car are left out. {_loss(race)}"
    )


def _real(rows: pl.DataFrame) -> None:
    stops = rows.filter("is_stop", "is_predicted")
    if stops.is_empty():
        st.caption("None under green after lap 4.")
        return
    column = st.column_config
    st.dataframe(
        stops.select(
            "lap",
            "position",
            pl.col("probability") * 100,
            "real_position",
            span=pl.format("{}–{}", "low_position", "high_position"),
        ).select("lap", "position", "probability", "span", "real_position"),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        alt="Real stops of the driver, a line each: the place foretold and the real one",
        column_config={
            "lap": column.NumberColumn("Lap", help="The in-lap", width=44),
            "position": column.NumberColumn("Foretold", help="The likeliest place", width=66),
            "probability": column.NumberColumn("so likely", format="%.0f %%", width=66),
            "span": column.TextColumn(
                "80 %", help="Places within which it lies four times in five", width=52
            ),
            "real_position": column.NumberColumn("Really", width=52),
        },
    )


def _loss(race: RejoinRace) -> str:
    if not race.seasons:
        return f"No earlier race here is known: a stop is assumed to lose {race.loss_s:.1f} s."
    known = ", ".join(map(str, race.seasons))
    return (
        f"A stop is expected to lose {race.loss_s:.1f} s here, from the dry races of {known} on this circuit."
    )
