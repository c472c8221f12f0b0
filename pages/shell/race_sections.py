"""The sections of a race's page, of which one is drawn at a time, and the way from race to race that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from f1core.outlook import neighbours
from f1core.wording import stage_order
from pages.shell import sections as chosen
from pages.shell.comparison import comparison
from pages.shell.distributions import every_place, reasons
from pages.shell.favourites import carried
from pages.shell.forecast import known_result
from pages.shell.frame import App
from pages.shell.previous_races import previous
from pages.shell.race_extras import stage_by_stage, stages_of
from pages.shell.race_happened import PARAMETER, happened
from warehouse.vocab import Target

SECTIONS = {
    "places": "Every place",
    "why": "Why, and head to head",
    "stages": "Stage by stage",
    "baselines": "Beside the baselines",
    "happened": "What happened",
    "previous": "Earlier races here",
}
"""What people read for a section, by the word in the URL; a race has those that make sense of it."""

KEPT = (chosen.NAME, PARAMETER)
"""What goes along from race to race."""


@dataclass(frozen=True)
class Shown:
    """The stored forecast that the page shows.

    Attributes:
        kind: Its kind.
        head: Its head.
        heads: Those of the same event, target and kind.
        rows: As in :func:`f1core.review.review`.
        scores: Scores of this event, one row per model; empty when it is not scored.
    """

    kind: str
    head: dict[str, Any]
    heads: pl.DataFrame
    rows: pl.DataFrame
    scores: pl.DataFrame


def race_sections(app: App, event: dict[str, Any], target: Target, shown: Shown | None) -> None:
    """The choice of sections and the chosen one.

    Args:
        app: The app.
        event: A row of the calendar.
        target: What is forecast.
        shown: The forecast above; None where none is stored, and with it go the sections about one.
    """
    parts: dict[str, Callable[[], None]] = {}
    if shown is not None:
        parts["places"] = lambda: every_place(app, shown.kind, shown.head, shown.rows)
        parts["why"] = lambda: reasons(app, shown.kind, shown.head, shown.rows)
        if len(stages_of(shown.heads, shown.head["model"])) > 1:
            parts["stages"] = lambda: stage_by_stage(
                app, shown.kind, shown.heads, shown.head["model"], target
            )
        parts["baselines"] = lambda: comparison(app, shown.kind, shown.head, shown.scores)
    result = known_result(app, event["event_id"], target)
    if result.height and target is not Target.QUALIFYING:
        parts["happened"] = lambda: happened(app, event, target, result)
    parts["previous"] = lambda: previous(app, event)
    for parameter, part in ((PARAMETER, "happened"), ("driver", "why"), ("rival", "why")):
        chosen.opened_by(parameter, part)
    chosen.sections(
        {name: (SECTIONS[name], part) for name, part in parts.items()}, label="Section", elsewhere=SECTIONS
    )


def around(kept: pl.DataFrame, event: dict[str, Any]) -> None:
    """The three forecast races before and the three after, one click away; the section stays the chosen one."""
    here = pl.DataFrame([{"event_id": event["event_id"], "race_date": event["race_date"]}])
    ring = pl.concat([kept, here], how="diagonal").unique("event_id", keep="first").sort("race_date")
    before, after = neighbours(ring, event["event_id"])
    if not before and not after:
        return
    st.subheader("Three before, three after", anchor=False)
    along = {name: st.query_params[name] for name in KEPT if name in st.query_params}
    with st.container(horizontal=True):
        for row in [*before, *after]:
            arrow = ":material/chevron_left:" if row in before else ":material/chevron_right:"
            where = {"event": row["event_id"], "stage": stage_order(row["stages"])[0]}
            # A button: a page link to the page itself leaves the browser's address as it was.
            st.button(
                f"{row['grand_prix_name']} {row['season']}",
                icon=arrow,
                key=f"to_{row['event_id']}",
                on_click=st.query_params.from_dict,
                args=({**where, **along, **carried()},),
            )
