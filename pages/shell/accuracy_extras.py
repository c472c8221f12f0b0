"""More of the accuracy page: hit rates, kinds of track, surprises, every forecast ever made."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.accuracy import Races
from f1core.accuracy_views import circuit_type_advantages, every_forecast, hit_rates_of, surprises
from f1core.charts.skill import skill
from f1core.wording import KIND_NAMES, SCORE_BY_COLUMN, TARGET_NAMES
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.downloads import downloads
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from warehouse.vocab import Target

SHOWN = 12


def rates(app: App, races: Races) -> None:
    """How often we were right, with intervals, beside the baselines and over the last five races."""
    rows = app.read(hit_rates_of, races)
    column = st.column_config
    st.dataframe(
        rows.select(
            "rate",
            "model",
            share=pl.col("share") * 100,
            span=pl.format(
                "{}–{} %",
                (pl.col("low") * 100).round(0).cast(pl.Int32),
                (pl.col("high") * 100).round(0).cast(pl.Int32),
            ),
            of=pl.format("{}/{}", "hits", "chances"),
            recent=pl.format("{}/{}", "recent_hits", "recent_chances"),
        ),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Hit rates by model with 90 % intervals",
        column_config={
            "rate": column.TextColumn("Hit", width=150, pinned=True),
            "model": column.TextColumn("Model", width=100),
            "share": column.NumberColumn("Rate", format="%.0f %%", width=70),
            "span": column.TextColumn("90 % interval", help="Wilson interval over races", width=95),
            "of": column.TextColumn("Hits", width=70),
            "recent": column.TextColumn("Last five races", width=105),
        },
    )


def by_circuit_type(app: App, races: Races, name: str) -> None:
    """One score against the baselines by kind of track."""
    table = app.read(circuit_type_advantages, races, name)
    if table.height:
        st.markdown(f"**{SCORE_BY_COLUMN[name].name} against the baselines, by kind of track**")
        draw(skill, table, "track", key="tracks")


def biggest_surprises(app: App, races: Races, model: str) -> None:
    """Winners we hardly believed in."""
    rows = app.read(surprises, races, model)
    st.markdown("**Biggest surprises: winners by the probability they were given**")
    column = st.column_config
    st.dataframe(
        rows.head(SHOWN).select(
            race=pl.format("{} {}", "grand_prix_name", "season"),
            winner="winner",
            win_probability=pl.col("win_probability") * 100,
            named="named",
            named_probability=pl.col("named_probability") * 100,
            link=pl.format(
                "/race?event={}&target={}&stage={}", "event_id", pl.lit(races.target), pl.lit(races.stage)
            ),
        ),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        alt="Races whose winner was given the least probability",
        column_config={
            "race": column.TextColumn("Race", width=140, pinned=True),
            "winner": column.TextColumn("Winner", width=128),
            "win_probability": column.NumberColumn("Given", format="%.0f %%", width=70),
            "named": column.TextColumn("We named", width=128),
            "named_probability": column.NumberColumn("With", format="%.0f %%", width=70),
            "link": column.LinkColumn("Forecast", display_text="open", width=70),
        },
    )


def all_forecasts(app: App, target: Target) -> None:
    """Every forecast that was ever made, one kind at a time: sealed ones and backtests are never mixed."""
    st.subheader(f"Every {TARGET_NAMES[target].lower()} forecast ever made", anchor=False)
    found = {kind: app.read(every_forecast, kind, target.value, app.until) for kind in KIND_NAMES}
    shown = {kind: rows for kind, rows in found.items() if rows.height}
    if not shown:
        st.caption("None was made by this time.")
        return
    kind = choose("Kind", list(shown), "kind", default=next(iter(shown)), words=KIND_NAMES.__getitem__)
    rows = shown[kind]
    st.caption(f"{rows.height:,} forecasts of {rows['event_id'].n_unique()} events, baselines included.")
    column = st.column_config
    st.dataframe(
        rows.select("race", "stage", "model", "as_of", "model_version", "link"),
        hide_index=True,
        height=360,
        row_height=ROW_HEIGHT,
        alt=f"{KIND_NAMES[kind]}: every forecast, the newest race first",
        column_config={
            "race": column.TextColumn("Race", width=150, pinned=True),
            "stage": column.TextColumn("Stage", width=130),
            "model": column.TextColumn("Model", width=100),
            "as_of": column.DatetimeColumn("As of (UTC)", format="DD MMM YYYY HH:mm", timezone="UTC"),
            "model_version": column.TextColumn("Model version"),
            "link": column.LinkColumn("Forecast", display_text="open", width=70),
        },
    )
    downloads(f"forecasts_{kind}_{target.value}", rows.drop("link"))
