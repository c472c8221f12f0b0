"""The sections of the strategy page's answer, of which one is worked out and drawn at a time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from f1core.strategy.setup import RaceSetup
from f1core.strategy.views import page_link
from f1core.strategy.whatif import WhatIfAnswer
from pages.shell import sections as chosen
from pages.shell.frame import App
from pages.shell.strategy_about import numbers_part
from pages.shell.strategy_answer import finish_part, laps_part, positions_part, trace_part
from pages.shell.strategy_best import best
from pages.shell.strategy_rejoin import rejoin_part

SECTIONS = {
    "race": "Race trace",
    "positions": "Positions",
    "laps": "Lap times, tyres and wear",
    "finish": "Finishes and rejoins",
    "rejoin": "Where would he come out?",
    "best": "The best strategies",
    "numbers": "Fitted numbers",
}
"""What people read for a section, by the word in the URL; a race to come has no laps to ask where a car would come out."""


def strategy_sections(
    app: App,
    setup: RaceSetup,
    answer: WhatIfAnswer,
    rival: str | None,
    names: dict[str, str],
    labels: dict[str, str],
) -> None:
    """The choice of sections and the chosen one.

    Args:
        app: The app.
        setup: The race.
        answer: What the scenario brings.
        rival: The other car that is looked at.
        names: Of the drivers.
        labels: What every car is called in a chart.
    """
    driver, what_if = answer.driver_id, answer.what_if
    parts: dict[str, Callable[[], None]] = {
        "race": lambda: trace_part(answer, labels),
        "positions": lambda: positions_part(answer, labels),
        "laps": lambda: laps_part(answer, setup, labels),
        "finish": lambda: finish_part(answer, labels),
        "rejoin": lambda: rejoin_part(app, setup, driver, names[driver]),
        "best": lambda: best(app, setup, driver, rival, names, what_if),
        "numbers": lambda: numbers_part(setup),
    }
    if not setup.is_past:
        parts.pop("rejoin")
    chosen.sections(
        {name: (SECTIONS[name], part) for name, part in parts.items()}, label="Section", elsewhere=SECTIONS
    )


def scenario_link(answer: WhatIfAnswer) -> str:
    """The page with this scenario and the section that is open, below the address of the installation."""
    view = st.query_params.get(chosen.NAME)
    return page_link(answer) + (f"&{chosen.NAME}={view}" if view in SECTIONS else "")
