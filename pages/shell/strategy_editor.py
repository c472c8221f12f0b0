"""The editor of a car on the strategy page: its tyres, stops, pace and grid slot, and whether the rules allow them."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.simulator.plan import Plan
from f1core.simulator.rules import COMPOUNDS
from f1core.strategy.edits import MAX_PACE_CHANGE_S, WhatIf, plan_text
from f1core.strategy.scenario import base_plans, legality
from f1core.strategy.setup import RaceSetup
from pages.shell.strategy_scenario import change, change_car, edit_of, edited_stops, on_change, stop_rows
from pages.shell.tables import ROW_HEIGHT
from pages.shell.text import plain

COMPOUND_WORDS = {name: name.capitalize() for name in COMPOUNDS} | {"INTERMEDIATE": "Inter"}


def car_editor(setup: RaceSetup, what_if: WhatIf, driver: str, name: str) -> bool:
    """The editor of a car; whether its plan is allowed.

    Args:
        setup: The race.
        what_if: The scenario.
        driver: The car.
        name: Of the driver.
    """
    base = base_plans(setup, what_if.weather)[driver]
    edit = edit_of(what_if, driver)
    now = edit.plan(base)
    car = next(car for car in setup.race.cars if car.name == driver)
    start_key = f"start_{driver}"
    st.session_state[start_key] = now.start
    there = [compound for compound in COMPOUNDS if compound in setup.race.tyres]
    st.segmented_control(
        f"{plain(name)} starts on",
        there,
        key=start_key,
        format_func=COMPOUND_WORDS.__getitem__,
        required=True,
        on_change=on_change(
            start_key,
            lambda value: change_car(
                what_if, driver, start=None if value == base.start else value, start_used_laps=None
            ),
        ),
    )
    _stops(setup, what_if, driver, now, base, there)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _number(
            "Pace [s/lap]",
            f"pace_{driver}",
            edit.pace_change_s,
            (-MAX_PACE_CHANGE_S, MAX_PACE_CHANGE_S, 0.05),
            lambda value: change_car(what_if, driver, pace_change_s=round(float(value or 0.0), 3)),
            "Added to every lap; below zero is faster",
        )
        slots = sorted(one.grid for one in setup.race.cars)
        own = slots.index(car.grid) + 1
        _number(
            "Grid slot",
            f"grid_{driver}",
            edit.grid or own,
            (1, len(slots), 1),
            lambda value: change_car(what_if, driver, grid=None if value in (None, own) else int(value)),
            "The cars in between move up or down",
        )
        if car.retires_on_lap is not None:
            key = f"finishes_{driver}"
            st.session_state[key] = edit.finishes
            st.checkbox(
                f"Does not retire on lap {car.retires_on_lap}",
                key=key,
                on_change=on_change(key, lambda value: change_car(what_if, driver, finishes=value)),
            )
        if not edit.is_empty:
            st.button(
                "As it was",
                icon=":material/undo:",
                key=f"undo_{driver}",
                on_click=lambda: change(
                    what_if, edits=tuple(one for one in what_if.edits if one.driver_id != driver)
                ),
            )
    broken = legality(setup, what_if).get(driver, ())
    for one in broken:
        st.warning(f"**Not allowed – {one.rule}.** {plain(one.message)}", icon=":material/gavel:")
    return not broken


def _stops(setup: RaceSetup, what_if: WhatIf, driver: str, now: Plan, base: Plan, there: list[str]) -> None:
    rows = stop_rows(now)
    # Another plan is another editor: what was done to the one before is in the URL already.
    key = f"stops_{driver}_{plan_text(now)}"
    laps = setup.race.laps

    def act(delta: dict[str, Any]) -> None:
        stops = edited_stops(rows, delta)
        change_car(what_if, driver, stops=None if stops == base.stops else stops)

    column = st.column_config
    last = rows[-1]["lap"] if rows else 0
    st.data_editor(
        pl.DataFrame(rows, schema={"lap": pl.Int64, "tyre": pl.String, "used": pl.Int64}),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        row_height=ROW_HEIGHT,
        height="content",
        on_change=on_change(key, act),
        column_config={
            "lap": column.NumberColumn(
                "Stop after lap",
                help=f"The in-lap, 1 to {laps - 1}",
                min_value=1,
                max_value=laps - 1,
                step=1,
                required=True,
                default=min(max(last + 10, laps // 2), laps - 1),
                width=100,
            ),
            "tyre": column.SelectboxColumn(
                "Tyre",
                options=there,
                required=True,
                default="HARD" if "HARD" in there else there[0],
                width=108,
            ),
            "used": column.NumberColumn(
                "Age",
                help="Laps the set ran before [laps]",
                min_value=0,
                max_value=60,
                step=1,
                default=0,
                width=60,
            ),
        },
    )


def _number(
    label: str, key: str, value: float, limits: tuple[float, float, float], act: Any, about: str
) -> None:
    low, high, step = limits
    st.session_state[key] = value
    st.number_input(
        label,
        min_value=low,
        max_value=high,
        step=step,
        key=key,
        width=130,
        help=about,
        on_change=on_change(key, act),
    )
