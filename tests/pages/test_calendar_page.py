"""The calendar page: states by the clock, times, the file for people's own calendars, and kind answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.conftest import Open, draw, param

PAGE = "pages/calendar.py"


def test_the_season_and_the_next_weekend(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, clock="2024-01-10")
    first, *others = seen.at.dataframe[0].value["state"]
    assert first.endswith("Next") and set(others) == {"To come"}
    assert seen.says("Time zones: UTC") and seen.says("4 weekends: 1 next; 3 to come")
    assert seen.at.metric[0].label == "Lights out in"
    labels = [button.proto.label for button in seen.at.get("download_button")]
    assert labels == ["Add to my calendar (.ics)", "CSV", "Parquet", "JSON"]


def test_data_behind_the_calendar_are_said_to_be(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, clock="2024-12-20", season="2024")
    states = list(seen.at.dataframe[0].value["state"])
    assert [state[2:] for state in states] == ["Raced"] * 2 + ["Raced, not in the data"] * 2
    assert seen.says("Raced, but its result is not in the data")


def test_choices_live_in_the_url(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, clock="2024-12-20", season="2023", show="raced", event="2023-lakeland")
    assert seen.says("Lakeland Grand Prix 2023") and len(seen.at.dataframe[0].value) == 3
    links = seen.links()
    assert "event=2023-lakeland" in links["Forecast and result"]
    assert (
        links["Forecast and result"].startswith("race") and "event=2023-lakeland" in links["Laps of the race"]
    )
    box = next(one for one in seen.at.selectbox if one.key == "choice_season")
    box.set_value("2024")
    after = draw(seen.at)
    assert param(after.at, "season") == "2024" and param(after.at, "event") is None


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"season": "1066"}, "There is no season “1066” here"),
        ({"event": "<script>"}, "is called '<script>'"),
        ({"show": "[x](https://evil.example)"}, "There is no show"),
        ({"season": "2023", "show": "coming"}, "No weekend of this kind in this season"),
    ],
)
def test_bad_parameters_are_answered_kindly(
    query: dict[str, str], answer: str, visit: Open, tiny_data: Path
) -> None:
    seen = visit(PAGE, tiny_data, clock="2024-06-01", **query)
    assert seen.says(answer) and "](https://evil" not in "\n".join(seen.texts())
