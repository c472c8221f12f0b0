"""Parts of the first page: rain, what moved, the last race graded, title odds, what comes after, questions to start from."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.home_view import RainOdds, moved, rain_odds
from f1core.outlook import Event, Outlook
from f1core.wording import stage_order
from pages.shell import forecast as stored
from pages.shell.frame import App
from pages.shell.text import plain, race_title
from pages.shell.weekend import reader_zone

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
