"""Sections of the accuracy and championship pages: only the chosen one is worked out, and the choice is in the URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.shell import sections
from tests.pages.conftest import ACCURACY, Open, Visit, draw, param

CHAMPIONSHIP = "pages/championship.py"
HEADINGS = {
    ACCURACY: {
        "skill": ("Against the baselines", "Better or worse"),
        "seasons": ("By season and form", "Season by season, and form"),
        "calibration": ("Calibration", "Can the probabilities be taken at their word?"),
        "misses": ("Misses and surprises", "Misses"),
        "forecasts": ("Every forecast", "Every race forecast ever made"),
    },
    CHAMPIONSHIP: {
        "rounds": ("Round by round", "Odds from round to round"),
        "places": ("Final places", "Where everybody ends up"),
        "points": ("What if", "What if they finished like this?"),
        "elo": ("Elo ranking", "Elo ranking"),
    },
}
"""Every section of a page: what people read in the choice, and a heading that stands in it alone."""
KEPT = {
    ACCURACY: (
        "Sealed forecasts",
        "Against **Grid order** we are",
        "races, ",
        "Scores by race",
        "JSON of this",
    ),
    CHAMPIONSHIP: ("What must happen", "simulated seasons", "JSON of this"),
}
"""What stands on the page whichever section is open."""


def opened(page: str, seen: Visit) -> list[str]:
    """The sections whose heading stands on the page."""
    written = seen.texts("subheader")
    return [view for view, (_, heading) in HEADINGS[page].items() if heading in written]


@pytest.mark.parametrize("page", HEADINGS)
def test_only_the_chosen_section_is_there(page: str, visit: Open, small_data: Path) -> None:
    tables = {}
    for view in (None, *HEADINGS[page]):
        seen = visit(page, small_data, **({} if view is None else {"view": view}))
        assert opened(page, seen) == [view or next(iter(HEADINGS[page]))]
        for words in KEPT[page]:
            assert seen.says(words), (view, words)
        choice = next(group for group in seen.at.get("button_group") if group.key == "choice_view")
        assert choice.options == [title for title, _ in HEADINGS[page].values()]
        tables[view] = len(seen.at.dataframe) + len(seen.at.table)
        if page == ACCURACY:
            assert any(one.label == "What the scores mean" for one in seen.at.expander)
            assert not [one for one in seen.at.expander if one.label != "What the scores mean"]
    assert min(tables.values()) >= 1 and max(tables.values()) <= 5, "a section's tables, not all the page's"


@pytest.mark.parametrize("page", HEADINGS)
def test_a_section_goes_into_the_url_and_the_other_choices_stay(
    page: str, visit: Open, small_data: Path
) -> None:
    first, second = list(HEADINGS[page])[:2]
    query = {"stage": "pre_qualifying"} if page == ACCURACY else {"season": "2026"}
    seen = visit(page, small_data, **query)
    assert param(seen.at, sections.NAME) is None
    for view in (second, first):
        next(group for group in seen.at.get("button_group") if group.key == "choice_view").set_value(view)
        seen = draw(seen.at)
        assert param(seen.at, sections.NAME) == view and opened(page, seen) == [view]
        for name, value in query.items():
            assert param(seen.at, name) == value


def test_a_choice_outside_the_section_leaves_it_open(visit: Open, small_data: Path) -> None:
    seen = visit(ACCURACY, small_data, view="calibration")
    next(group for group in seen.at.get("button_group") if group.key == "choice_target").set_value(
        "qualifying"
    )
    after = draw(seen.at)
    assert param(after.at, "view") == "calibration" and opened(ACCURACY, after) == ["calibration"]
    assert after.charts == 3


@pytest.mark.parametrize(
    ("page", "parameter", "value", "view"),
    [(ACCURACY, "score", "win_log_loss", "seasons"), (CHAMPIONSHIP, "result", "nobody:1", "points")],
)
def test_a_link_from_before_there_were_sections_opens_the_right_one(
    page: str, parameter: str, value: str, view: str, visit: Open, small_data: Path
) -> None:
    seen = visit(page, small_data, **{parameter: value})
    assert opened(page, seen) == [view]
    first = next(iter(HEADINGS[page]))
    named = visit(page, small_data, **{parameter: value, "view": first})
    assert opened(page, named) == [first], "who says which section gets that one"
