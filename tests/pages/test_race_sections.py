"""The sections of the race page: one is worked out at a time, and the URL says which, from race to race."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy

from pages.shell.frame import App
from pages.shell.race_sections import SECTIONS
from tests.pages.conftest import RACE, Open, Visit, draw, param, session

NOW = "2026-11-20T12:00Z"
MONACO = {"event": "2026-monaco", "stage": "pre_race"}
BEFORE = "2025-11-23T03:45Z"
"""Las Vegas 2025 is forecast and not raced."""
VEGAS = {"event": "2025-las-vegas", "stage": "pre_race"}
OWN = {
    "position_probabilities": "places",
    "duels": "why",
    "contributions": "why",
    "lap_sessions": "happened",
    "session_laps": "laps or tyres",
    "previous_runnings": "previous",
}
"""The section that asks a query, for those that only one of them asks."""


def chosen(seen: Visit, name: str) -> list[Any]:
    return [one for one in seen.at.get("button_group") if one.key == f"choice_{name}"]


def group(seen: Visit, name: str) -> Any:
    return chosen(seen, name)[0]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the queries that pages ask."""
    names: list[str] = []
    read = App.read

    def spied(self: App, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        names.append(query.__name__)
        return read(self, query, *args, **kwargs)

    monkeypatch.setattr(App, "read", spied)
    return names


@pytest.mark.parametrize(
    ("view", "part", "sections", "charts", "heading"),
    [
        ("", "", {"places"}, 3, "Every place"),
        ("places", "", {"places"}, 3, "Every place"),
        ("why", "", {"why"}, 4, "Head to head"),
        ("stages", "", set(), 2, "What each stage said"),
        ("baselines", "", set(), 2, "Driver by driver"),
        ("happened", "", {"happened"}, 2, "What happened"),
        ("happened", "laps", {"happened", "laps or tyres"}, 3, "What happened"),
        ("happened", "tyres", {"happened", "laps or tyres"}, 3, "What happened"),
        ("", "tyres", {"happened", "laps or tyres"}, 3, "What happened"),
        ("previous", "", {"previous"}, 2, "Earlier races here"),
    ],
)
def test_only_the_chosen_section_is_worked_out_and_drawn(
    view: str,
    part: str,
    sections: set[str],
    charts: int,
    heading: str,
    visit: Open,
    built_data: Path,
    asked: list[str],
) -> None:
    query = {name: value for name, value in (("view", view), ("part", part)) if value}
    seen = visit(RACE, built_data, clock=NOW, **MONACO, **query)
    assert group(seen, "view").options == list(SECTIONS.values())
    assert group(seen, "view").value == (view or ("happened" if part else "places"))
    assert {OWN[name] for name in asked if name in OWN} == sections
    assert seen.charts == charts
    headings = [element.value for element in seen.at.subheader]
    assert heading in headings
    others = {
        "Every place",
        "Head to head",
        "What each stage said",
        "Driver by driver",
        "What happened",
        "Earlier races here",
    }
    assert len(others & set(headings)) == 1
    # The forecast's own table, and at most one beside it.
    tables = len(seen.at.dataframe)
    assert tables == (1 if view in ("", "places", "why") or part in ("laps", "tyres") else 2)
    assert len(seen.at.table) == (view == "baselines")
    assert "Three before, three after" in headings


def test_the_section_goes_into_the_url_and_along_from_race_to_race(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, **MONACO)
    assert param(seen.at, "view") is None
    group(seen, "view").set_value("happened")
    seen = draw(seen.at)
    assert param(seen.at, "view") == "happened"
    group(seen, "part").set_value("tyres")
    seen = draw(seen.at)
    assert param(seen.at, "part") == "tyres"
    next(button for button in seen.at.button if button.label == "Canada 2026").click()
    seen = draw(seen.at)
    assert (param(seen.at, "event"), param(seen.at, "view"), param(seen.at, "part")) == (
        "2026-canada",
        "happened",
        "tyres",
    )
    assert group(seen, "view").value == "happened" and group(seen, "part").value == "tyres"
    assert seen.charts == 3
    seen.at.selectbox(key="choice_season").set_value("2025")
    seen = draw(seen.at)
    assert str(param(seen.at, "event")).startswith("2025-")
    assert param(seen.at, "view") == "happened" and seen.says("What happened")
    seen.at.selectbox(key="choice_event").set_value("2025-qatar")
    seen = draw(seen.at)
    assert param(seen.at, "view") == "happened" and seen.says("What happened")
    group(seen, "target").set_value("qualifying")
    seen = draw(seen.at)
    assert group(seen, "view").value == "places", "of a qualifying there is no such section"
    assert not seen.says("There is no section")


def test_a_section_that_a_race_does_not_have_gives_way_without_a_word(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=BEFORE, **VEGAS, view="happened", part="laps")
    assert "What happened" not in group(seen, "view").options
    assert group(seen, "view").value == "places" and seen.says("Every place")
    assert not seen.says("There is no")
    assert param(seen.at, "view") == "happened", "the next race that has it shows it again"
    next(button for button in seen.at.button if button.label == "Mexico 2025").click()
    after = draw(seen.at)
    assert group(after, "view").value == "happened" and group(after, "part").value == "laps"


@pytest.mark.parametrize("value", ["xyz", "<b>", "[x](https://evil.example)"])
def test_an_unknown_section_or_part_is_answered_kindly(value: str, visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, **MONACO, view=value)
    assert seen.says(f"There is no section “{value}” here; Every place is shown")
    assert group(seen, "view").value == "places" and seen.charts == 3
    other = visit(RACE, built_data, clock=NOW, **MONACO, view="happened", part=value)
    assert other.says(f"There is no part “{value}” here; Result is shown")
    assert "](https://evil" not in "\n".join([*seen.texts(), *other.texts()])


def test_without_a_forecast_there_are_still_the_race_and_those_before(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, event="1997-europe", part="tyres")
    assert group(seen, "view").options == ["What happened", "Earlier races here"]
    assert not chosen(seen, "part"), "there are no laps of it"
    assert seen.says("Lap charts and tyres are known from 2018 on") and not seen.says("There is no part")
    assert any("reason_retired" in one.value.columns for one in seen.at.dataframe)
    earlier = visit(RACE, built_data, clock=NOW, event="1997-europe", view="previous")
    assert any("winner_name" in one.value.columns for one in earlier.at.dataframe)
    coming = visit(RACE, built_data, clock=NOW, event="2026-great-britain", view="places")
    assert not chosen(coming, "view"), "there is one section and nothing to choose"
    assert coming.says("Earlier races here") and not coming.says("There is no section")


def test_an_embedded_view_has_no_sections(
    visit: Open, built_data: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    visit(RACE, built_data, clock=NOW, **MONACO)
    asked.clear()
    monkeypatch.setattr(ContextProxy, "is_embedded", property(lambda _: True))
    at = session(RACE, **MONACO, view="happened", part="laps")
    at.run()
    seen = Visit(at)
    assert not at.exception and not at.error
    assert not chosen(seen, "view")
    assert not {name for name in asked if name in OWN}
    assert seen.charts == 2 and seen.says("Forecast against result")
