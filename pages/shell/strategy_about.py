"""What stands below the answer of the strategy page: what is assumed, where numbers come from, downloads, the link."""

from __future__ import annotations

from typing import Any

import streamlit as st

from f1core.review import as_csv, as_json
from f1core.strategy.setup import RaceSetup
from f1core.strategy.views import answer_data, chart_laps, parameter_table
from f1core.strategy.whatif import WhatIfAnswer
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain

NOT_MODELLED = (
    "Not modelled: penalties, damage, team orders, and rivals who answer a changed stop. Blue flags and safety cars that "
    "follow a retirement are modelled, as measured on races of 2018–2023."
)


def assumptions(setup: RaceSetup, answer: WhatIfAnswer) -> None:
    """What is assumed, in words."""
    lane = setup.race.pit_lane
    lines = [
        f"A stop loses {lane.loss_s:.1f} s here; under a safety car {lane.safety_car_factor:.0%} of it, under a virtual "
        f"one {lane.vsc_factor:.0%}. These shares could not be measured: they are an assumption.",
        f"Tyres, pit lane, safety cars and passing were fitted on earlier races: {setup.parameters.count_races} on this "
        "circuit, drawn to all circuits in proportion to how little they say. Intervals are 80 %.",
        NOT_MODELLED,
        *answer.notes,
    ]
    with st.expander("What is assumed", icon=":material/rule:"):
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def numbers_part(setup: RaceSetup) -> None:
    """Every fitted number with its interval, sample and source."""
    column = st.column_config

    def number(label: str) -> Any:
        return column.NumberColumn(label, format="%.3f", width=80)

    st.subheader("Fitted to earlier races", anchor=False)
    st.dataframe(
        parameter_table(setup.parameters),
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=320,
        alt="Fitted parameters with 80 % intervals, sample sizes and sources",
        column_config={
            "parameter": column.TextColumn("Parameter", width=210, pinned=True),
            "value": number("Value"),
            "low": number("80 % from"),
            "high": number("to"),
            "unit": column.TextColumn("Unit", width=120),
            "count": column.NumberColumn("Races", width=58),
            "source": column.TextColumn("Source", width=92),
        },
    )
    st.subheader("Pace of the cars", anchor=False)
    st.caption("Seconds a lap against the middle of the field; less is faster.")
    st.dataframe(
        setup.drivers.select("driver_name", "constructor_name", "grid", "pace_s", "pace_source"),
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=320,
        alt="Pace of every car and where it comes from",
        column_config={
            "driver_name": column.TextColumn("Driver", width=140, pinned=True),
            "constructor_name": column.TextColumn("Team", width=110),
            "grid": column.NumberColumn("Grid", width=50),
            "pace_s": column.NumberColumn("Pace", format="%+.3f", width=70),
            "pace_source": column.TextColumn("From", width=260),
        },
    )


def take_away(setup: RaceSetup, answer: WhatIfAnswer, labels: dict[str, str], link: str) -> None:
    """Downloads, and the link to this very scenario.

    Args:
        setup: The race.
        answer: What the scenario brings.
        labels: What every car is called in a chart.
        link: The page as it is, below the address of the installation.
    """
    name = f"{setup.event_id}_{answer.driver_id}_strategy"
    with st.container(horizontal=True, gap="xsmall"):
        st.download_button(
            "CSV",
            lambda: as_csv(chart_laps(answer, labels).drop("label")),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="Every lap of every car; changed cars also as they were",
        )
        st.download_button(
            "JSON",
            lambda: as_json(answer_data(setup, answer, all_cars=True)),
            f"{name}.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            help="The whole answer, with the names of the API",
        )
    # A link, not a block of code: for that the browser loads the highlighting of every language.
    st.markdown(f"This scenario, to open or to copy: [{plain(link)}](/{link})")
