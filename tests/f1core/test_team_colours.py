"""Every team has a colour that can be seen, and team mates differ by more than colour."""

from __future__ import annotations

from itertools import combinations, pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.charts.team_marks import team_marks
from f1core.definitions import CIRCUITS, DEFINITIONS, DRIVERS, RANKINGS, TEAMS
from f1core.team_colours import (
    CONTRAST,
    DARK,
    DASHES,
    LIGHT,
    LIVERIES,
    NO_TEAM,
    contrast,
    legible,
    livery,
    team_colour,
    with_team_colours,
)
from models.ratings import BASE_RATING, K_FACTOR, SEASON_CARRY
from warehouse.queries.circuits import circuit_profile, grid_wins
from warehouse.queries.drivers import driver_season_metrics, season_drivers
from warehouse.queries.rankings import rankings
from warehouse.queries.teams import team_season_metrics
from warehouse.reader import Reader


def rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def test_spans_of_a_team_follow_each_other() -> None:
    for team, spans in LIVERIES.items():
        for first, last, colour in spans:
            assert first <= last, team
            assert len(colour) == 7 and int(colour[1:], 16) >= 0
        assert all(one[1] < other[0] for one, other in pairwise(spans)), team


@given(st.integers(0, 0xFFFFFF))
@settings(max_examples=25, deadline=None)
def test_any_colour_is_made_legible_on_both_pages(number: int) -> None:
    made = rgb(legible(f"#{number:06X}"))
    # Rounding to 256 steps may cost a little.
    assert contrast(made, LIGHT) >= CONTRAST - 0.05
    assert contrast(made, DARK) >= CONTRAST - 0.05


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21.0)
    assert contrast(rgb("#767676"), (1, 1, 1)) == pytest.approx(4.54, abs=0.01)


def test_a_colour_that_is_legible_stays() -> None:
    assert team_colour("ferrari", 2024) == "#E8002D"
    assert livery("ferrari", 2024) == "#E8002D"
    assert livery("nobody", 2024) is None
    assert team_colour("nobody", 2024) == team_colour("nobody", 1960) != team_colour("somebody", 1960)


def test_rows_keep_their_order_and_gain_colour_and_dash() -> None:
    frame = pl.DataFrame(
        {
            "driver_id": ["norris", "leclerc", "piastri", "nobody"],
            "constructor_id": ["mclaren", "ferrari", "mclaren", None],
            "label": ["NOR", "LEC", "PIA", "XXX"],
        }
    )
    found = with_team_colours(frame, 2024)
    assert found.select(frame.columns).equals(frame)
    assert found["team_dash"].to_list() == [0, 0, 1, 0]
    colours = found["team_colour"].to_list()
    assert colours[0] == colours[2] == team_colour("mclaren", 2024)
    assert colours[3] == NO_TEAM
    order = pl.DataFrame({"driver_id": ["norris", "piastri", "leclerc"], "car_order": [1, 0, 0]})
    assert with_team_colours(frame, 2024, order=order)["team_dash"].to_list() == [1, 0, 0, 0]
    seasons = pl.DataFrame({"constructor_id": ["mclaren", "mclaren"], "season": [2010, 2024]})
    by_season = with_team_colours(seasons, "season")
    assert by_season["team_colour"].n_unique() == 2
    assert by_season["team_dash"].to_list() == [0, 0]
    assert with_team_colours(frame.clear(), 2024).columns == found.columns


def test_a_chart_names_every_line_once() -> None:
    frame = with_team_colours(
        pl.DataFrame(
            {"driver_id": ["b", "a", "b"], "constructor_id": ["mclaren"] * 3, "label": ["BBB", "AAA", "BBB"]}
        ),
        2024,
    )
    colour, dash = (encoding.to_dict() for encoding in team_marks(frame))
    assert colour["scale"]["domain"] == dash["scale"]["domain"] == ["BBB", "AAA"]
    assert colour["scale"]["range"] == [team_colour("mclaren", 2024)] * 2
    assert dash["scale"]["range"] == [list(DASHES[1]), list(DASHES[0])]


def test_teams_since_2010_are_painted_by_hand_and_apart(reader: Reader) -> None:
    teams = reader.query("select distinct season, constructor_id from team_race_metrics where season >= 2010")
    assert [row for row in teams.iter_rows() if livery(row[1], row[0]) is None] == []
    for (season,), rows in teams.group_by("season"):
        painted = {team: rgb(team_colour(team, int(str(season)))) for team in rows["constructor_id"]}
        for one, other in combinations(sorted(painted), 2):
            apart = sum((a - b) ** 2 for a, b in zip(painted[one], painted[other], strict=True)) ** 0.5
            assert apart > 0.1, f"{one} and {other} look alike in {season}"


def test_every_definition_is_of_a_column_with_its_count(reader: Reader) -> None:
    frames = {
        "drivers": driver_season_metrics(reader, 2023),
        "teams": team_season_metrics(reader, 2023),
        "circuits": circuit_profile(reader, "monza").join(
            grid_wins(reader, "monza").head(1), how="cross", suffix="_of_slot"
        ),
        "rankings": rankings(reader, "driver"),
    }
    assert frames.keys() == DEFINITIONS.keys()
    for page, definitions in DEFINITIONS.items():
        for column, definition in definitions.items():
            assert column in frames[page].columns, column
            assert not definition.count or definition.count in frames[page].columns, column
            assert definition.text.endswith(".")
    small = [column for frame in frames.values() for column in frame.columns if column.startswith("is_small")]
    assert len(small) >= 5
    assert DRIVERS and TEAMS and CIRCUITS


def test_the_words_on_elo_are_those_of_the_model() -> None:
    words = RANKINGS["elo"].text
    for number in (K_FACTOR, BASE_RATING, 100 * SEASON_CARRY["driver"], 100 * SEASON_CARRY["constructor"]):
        assert f"{number:g}" in words


def test_car_order_is_that_of_starts(reader: Reader) -> None:
    found = season_drivers(reader, 2023).filter(pl.col("constructor_id") == "alphatauri").sort("car_order")
    assert found["driver_id"].to_list()[0] == "yuki-tsunoda"
    assert found["car_order"].to_list() == list(range(found.height))
