"""The points simulator on the championship page: the address and back, the table after it, results that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1core.championship_view import labelled_odds
from models.points_rules import points_rules
from tests.pages.conftest import Open, draw, param
from warehouse.queries.championship import odds_seasons
from warehouse.reader import Reader

PAGE = "pages/championship.py"


@pytest.fixture(scope="module")
def standings(small_data: Path) -> dict[str, float]:
    """Points by driver after the newest round, in the order of the championship."""
    reader = Reader(small_data / "warehouse")
    rows = labelled_odds(reader, odds_seasons(reader)[0], "drivers")
    now = rows.filter(rows["event_id"] == rows["event_id"][-1]).sort("position")
    assert now["count_remaining"][0] > 1
    return dict(now.select("entity_id", "points").iter_rows())


def test_a_result_in_the_address_is_filled_in_and_counted(
    visit: Open, small_data: Path, standings: dict[str, float]
) -> None:
    second, last = list(standings)[1], list(standings)[-1]
    seen = visit(PAGE, small_data, result=f"{second}:1,{last}:3")
    assert seen.at.selectbox(key="place_1").value == second
    assert seen.at.selectbox(key="place_3").value == last
    assert seen.at.selectbox(key="place_2").value == ""
    table = seen.at.dataframe[1].value
    assert table["new_points"].is_monotonic_decreasing
    scored = dict(zip(table["place"], table["scored"], strict=True))
    race = points_rules(int(str(param(seen.at, "season") or 2026))).race
    assert (scored[1], scored[3]) == (race[0], race[2])
    assert table["new_points"].sum() == sum(standings.values()) + race[0] + race[2]


def test_a_choice_goes_into_the_address_and_a_driver_has_one_place(
    visit: Open, small_data: Path, standings: dict[str, float]
) -> None:
    first, second = list(standings)[:2]
    seen = visit(PAGE, small_data, view="points")
    seen.at.selectbox(key="place_1").set_value(second)
    once = draw(seen.at)
    assert param(once.at, "result") == f"{second}:1"
    once.at.selectbox(key="place_2").set_value(second)
    moved = draw(once.at)
    assert param(moved.at, "result") == f"{second}:2", "who is chosen again leaves his first place"
    moved.at.selectbox(key="place_1").set_value(first)
    both = draw(moved.at)
    assert param(both.at, "result") == f"{first}:1,{second}:2"
    for place in (1, 2):
        both.at.selectbox(key=f"place_{place}").set_value("")
        both = draw(both.at)
    assert param(both.at, "result") is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("nobody:1", "Nobody called 'nobody' is in this championship"),
        ("<script>alert(1)</script>:1", "Nobody called"),
        ("{first}:99", "cannot finish '99'"),
        ("{first}:1,{second}:1", "Two drivers cannot both finish in place 1"),
        ("[x](https://evil.example)", "Nobody called"),
    ],
)
def test_a_result_that_cannot_be_is_answered_kindly(
    typed: str, answer: str, visit: Open, small_data: Path, standings: dict[str, float]
) -> None:
    first, second = list(standings)[:2]
    seen = visit(PAGE, small_data, result=typed.format(first=first, second=second))
    assert seen.says(answer)
    assert seen.at.dataframe[1].value["new_points"].to_list() == list(standings.values()), "nothing is scored"
    written = "\n".join(seen.texts())
    assert "](https://evil" not in written and "<script>" not in written


def test_constructors_have_no_simulator(visit: Open, small_data: Path) -> None:
    for query in ({}, {"view": "points"}, {"result": "nobody:1"}):
        seen = visit(PAGE, small_data, championship="constructors", **query)
        assert not seen.says("What if they finished like this?") and not seen.says("There is no")
        assert seen.says("Odds from round to round"), "the first section instead"
        section = next(group for group in seen.at.get("button_group") if group.key == "choice_view")
        assert "What if" not in section.options
