"""The points simulator: made-up results and the championship after them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.points_simulator import BadResult, after_result, as_text, parse, race_rules

NAMES = {f"driver-{number}": f"Driver {number}" for number in range(1, 13)}
STANDINGS = pl.DataFrame(
    {
        "entity_id": list(NAMES),
        "name": list(NAMES.values()),
        "points": [float(120 - 10 * at) for at in range(12)],
        "position": list(range(1, 13)),
    }
)


def test_points_are_given_and_the_order_follows() -> None:
    rules, factor = race_rules(2026, 5)
    after = after_result(STANDINGS, {"driver-3": 1, "driver-1": 11}, rules, factor=factor)
    assert after.select("name", "new_points", "moved").head(3).rows() == [
        ("Driver 3", 125.0, 2),
        ("Driver 1", 120.0, -1),
        ("Driver 2", 110.0, -1),
    ]


def test_the_last_race_of_2014_counted_twice() -> None:
    rules, factor = race_rules(2014, 1)
    after = after_result(STANDINGS, {"driver-2": 1}, rules, factor=factor)
    assert after["new_points"][0] == 160.0
    assert race_rules(2014, 2)[1] == 1
    assert race_rules(2015, 1)[1] == 1


def test_level_on_points_keeps_the_order_of_before() -> None:
    rules, _ = race_rules(2026, 5)
    after = after_result(STANDINGS, {"driver-2": 5}, rules)  # 110 + 10 = 120
    assert after["name"].head(2).to_list() == ["Driver 1", "Driver 2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nobody:1", "Nobody called 'nobody'"),
        ("driver-1:0", "cannot finish '0'"),
        ("driver-1:13", "cannot finish '13'"),
        ("driver-1:x", "cannot finish 'x'"),
        ("driver-1", "cannot finish ''"),
        ("driver-1:1,driver-2:1", "cannot both"),
        ("<script>", "Nobody called '<script>'"),
    ],
)
def test_what_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadResult) as caught:
        parse(text, NAMES, 12)
    assert words in caught.value.message


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(list(NAMES)), st.integers(1, 12), max_size=12))
def test_a_result_survives_the_address(places: dict[str, int]) -> None:
    kept = {driver: place for place, driver in {place: driver for driver, place in places.items()}.items()}
    assert parse(as_text(kept), NAMES, 12) == kept


@settings(max_examples=25, deadline=None)
@given(st.permutations(list(NAMES)))
def test_all_points_of_a_race_are_given_out(order: list[str]) -> None:
    rules, _ = race_rules(2026, 5)
    after = after_result(STANDINGS, {driver: at for at, driver in enumerate(order, 1)}, rules)
    assert after["scored"].sum() == sum(rules.race)
    assert after["new_position"].to_list() == list(range(1, 13))
    assert after["new_points"].is_sorted(descending=True)
