"""The scenario of the strategy page: it lives in the URL, so that it can be linked to and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from f1core.simulator.plan import Plan, Stop
from f1core.strategy.edits import KEYS, BadEdit, Edit, WhatIf, from_params, to_params
from f1core.strategy.setup import RaceSetup
from pages.shell.text import plain

TOLD = "strategy_told"
"""What an edit that could not be made was answered; shown on the next run."""


def read_scenario() -> WhatIf:
    """The scenario of the URL; what cannot be read is told and left out."""
    params = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    while True:
        try:
            return from_params(params)
        except BadEdit as error:
            st.caption(f":material/info: {plain(str(error))} It is left out.")
            params.pop(error.field.split(".")[0], None)


def forget_strangers(what_if: WhatIf, setup: RaceSetup) -> WhatIf:
    """The scenario without changes of cars that do not race here."""
    here = {car.name for car in setup.race.cars}
    strangers = [edit.driver_id for edit in what_if.edits if edit.driver_id not in here]
    if not strangers:
        return what_if
    st.caption(f":material/info: Not in this race, and left out: {plain(', '.join(strangers))[:200]}.")
    return replace(what_if, edits=tuple(edit for edit in what_if.edits if edit.driver_id in here))


def write_scenario(what_if: WhatIf) -> None:
    """Puts a scenario into the URL."""
    params = to_params(what_if)
    for key in KEYS:
        if key in params:
            st.query_params[key] = params[key]
        else:
            st.query_params.pop(key, None)


def change(what_if: WhatIf, **values: Any) -> None:
    """Changes the scenario; a change that cannot be made is told instead."""
    try:
        write_scenario(replace(what_if, **values))
    except BadEdit as error:
        st.session_state[TOLD] = str(error)


def edit_of(what_if: WhatIf, driver: str) -> Edit:
    """What is changed on a car."""
    return next((edit for edit in what_if.edits if edit.driver_id == driver), Edit(driver_id=driver))


def as_planned(what_if: WhatIf, driver: str) -> WhatIf:
    """The scenario with a car on its own tyres; its pace and grid slot stay as they are."""
    own = replace(edit_of(what_if, driver), start=None, start_used_laps=None, stops=None)
    return replace(what_if, edits=(*(one for one in what_if.edits if one.driver_id != driver), own))


def change_car(what_if: WhatIf, driver: str, **values: Any) -> None:
    """Changes one car of the scenario."""
    others = tuple(edit for edit in what_if.edits if edit.driver_id != driver)
    try:
        edited = replace(edit_of(what_if, driver), **values)
    except BadEdit as error:
        st.session_state[TOLD] = str(error)
        return
    change(what_if, edits=(*others, edited))


def told() -> None:
    """Says why the last edit could not be made."""
    words = st.session_state.pop(TOLD, None)
    if words:
        st.warning(plain(words), icon=":material/block:")


def stop_rows(plan: Plan) -> list[dict[str, Any]]:
    """The stops of a plan as rows of the editor."""
    return [{"lap": stop.lap, "tyre": stop.compound, "used": stop.used_laps} for stop in plan.stops]


def edited_stops(rows: list[dict[str, Any]], delta: dict[str, Any]) -> tuple[Stop, ...]:
    """The stops after what was done in the editor, in order of laps.

    Args:
        rows: As they were shown.
        delta: What the editor says of itself: ``edited_rows``, ``added_rows``, ``deleted_rows``.
    """
    gone = set(delta.get("deleted_rows", ()))
    changed = {int(index): values for index, values in delta.get("edited_rows", {}).items()}
    kept = [{**row, **changed.get(index, {})} for index, row in enumerate(rows) if index not in gone]
    whole = [row for row in [*kept, *delta.get("added_rows", ())] if row.get("lap") and row.get("tyre")]
    stops = (Stop(int(row["lap"]), str(row["tyre"]), int(row.get("used") or 0)) for row in whole)
    return tuple(sorted(stops, key=lambda stop: stop.lap))


def on_change(key: str, act: Callable[[Any], None]) -> Callable[[], None]:
    """A callback that does something with the new value of a widget."""
    return lambda: act(st.session_state[key])
