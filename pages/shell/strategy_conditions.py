"""The conditions of the strategy page: what the pace comes from, safety cars, weather, luck."""

from __future__ import annotations

from typing import Any

import streamlit as st

from f1core.strategy.basis import Basis
from f1core.strategy.edits import MAX_SEED, SafetyCars, WeatherScenario, WhatIf
from f1core.strategy.setup import RaceSetup
from pages.shell.strategy_scenario import change, on_change

RUNS = (300, 1_000, 2_000)
BASIS_WORDS = {Basis.PRE_RACE: "Known before", Basis.HINDSIGHT: "Hindsight"}
WEATHER_WORDS = {
    WeatherScenario.REAL: "As it was",
    WeatherScenario.DRY: "Dry",
    WeatherScenario.WET: "Wet",
    WeatherScenario.MIXED: "A shower",
}
SAFETY_CAR_WORDS = {
    SafetyCars.REAL: "As they were",
    SafetyCars.RANDOM: "Random",
    SafetyCars.NONE: "None",
}
TO_COME = {WeatherScenario.REAL: "Expected", SafetyCars.REAL: "Expected"}


def conditions(setup: RaceSetup, what_if: WhatIf) -> None:
    """What the pace comes from, the neutralisations, the weather, the luck."""
    ahead = {} if setup.is_past else TO_COME
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if setup.is_past:
            _choice("Pace", what_if, "basis", list(Basis), BASIS_WORDS)
        _choice("Safety cars", what_if, "safety_cars", list(SafetyCars), {**SAFETY_CAR_WORDS, **ahead})
        _choice("Weather", what_if, "weather", list(WeatherScenario), {**WEATHER_WORDS, **ahead})
        runs = sorted({*RUNS, what_if.runs})
        _choice("Simulations", what_if, "runs", runs, {many: f"{many:,}" for many in runs})
        st.session_state["scenario_seed"] = what_if.seed
        st.number_input(
            "Seed",
            min_value=0,
            max_value=MAX_SEED,
            step=1,
            key="scenario_seed",
            width=110,
            help="The same seed meets the same luck; another one shows how much luck there is in an answer.",
            on_change=on_change("scenario_seed", lambda value: change(what_if, seed=int(value or 0))),
        )


def _choice(label: str, what_if: WhatIf, field: str, options: list[Any], words: dict[Any, str]) -> None:
    key = f"scenario_{field}"
    st.session_state[key] = getattr(what_if, field)
    st.segmented_control(
        label,
        options,
        key=key,
        format_func=words.__getitem__,
        required=True,
        on_change=on_change(key, lambda value: change(what_if, **{field: value})),
    )
