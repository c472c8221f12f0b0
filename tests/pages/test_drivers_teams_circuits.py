"""The pages of drivers, teams and circuits: numbers equal to the tables, deep links, kind answers to nonsense."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from f1core.definitions import CIRCUITS, DRIVERS, TEAMS
from f1core.metric_view import side_by_side
from tests.pages.conftest import Open, draw, param
from warehouse.queries.circuits import circuit_profile, grid_wins
from warehouse.queries.drivers import compare_drivers, driver_season_metrics
from warehouse.queries.teams import compare_teams
from warehouse.reader import Reader

DRIVERS_PAGE, TEAMS_PAGE, CIRCUITS_PAGE = "pages/drivers.py", "pages/teams.py", "pages/circuits.py"


@pytest.fixture(scope="module")
def reader(ingested: Path) -> Reader:
    return Reader(ingested / "warehouse")


def chart_values(spec: str, field: str) -> list[float]:
    """Values of a field in any data set of a chart's specification."""
    found: list[float] = []
    for rows in json.loads(spec).get("datasets", {}).values():
        found += [row[field] for row in rows if row.get(field) is not None]
    return found


def test_a_drivers_figures_are_those_of_the_tables(visit: Open, ingested: Path, reader: Reader) -> None:
    seen = visit(DRIVERS_PAGE, ingested, driver="lando-norris", season="2025", **{"with": "oscar-piastri"})
    assert seen.says("Lando Norris and Oscar Piastri")
    shown = seen.at.dataframe[0].value
    rows = compare_drivers(reader, ["lando-norris", "oscar-piastri"], from_season=2025, to_season=2025)
    expected = side_by_side(rows, DRIVERS, "driver_id", "driver_name", 5)
    assert dict(zip(shown["figure"], shown["Lando Norris"], strict=True)) == dict(
        expected.select("figure", "Lando Norris").iter_rows()
    )
    norris = rows.filter(pl.col("driver_id") == "lando-norris").row(0, named=True)
    duels = shown.loc[shown["figure"] == DRIVERS["count_qualifying_duels_won"].label, "Lando Norris"].item()
    assert duels == f"{norris['count_qualifying_duels_won']} ({norris['count_qualifying_duels']})"
    assert seen.says("Lando Norris, race by race in 2025")
    assert len(seen.at.dataframe[1].value) == 24, "the season had 24 races"


def test_a_link_to_a_driver_of_the_past_shows_his_last_season(visit: Open, ingested: Path) -> None:
    seen = visit(DRIVERS_PAGE, ingested, driver="ayrton-senna")
    assert seen.says("Everybody in 1994")
    assert seen.says("Ayrton Senna, race by race in 1994")
    assert seen.charts >= 1, "Elo is known from the first race on"


@pytest.mark.parametrize(
    ("page", "query", "words"),
    [
        (DRIVERS_PAGE, {"driver": "<script>", "season": "1066"}, "There is no season “1066” here"),
        (DRIVERS_PAGE, {"driver": "nobody", "season": "2025"}, "There is no driver “nobody” here"),
        (
            DRIVERS_PAGE,
            {"with": "nobody,lando-norris", "season": "2025"},
            "Nothing is known of beside “nobody”",
        ),
        (DRIVERS_PAGE, {"figure": "x", "season": "2025"}, "There is no figure “x” here"),
        (TEAMS_PAGE, {"team": "<b>x</b>", "season": "2025"}, "There is no team “<b>x</b>” here"),
        (TEAMS_PAGE, {"season": "abc"}, "There is no season “abc” here"),
        (CIRCUITS_PAGE, {"circuit": "atlantis"}, "There is no circuit “atlantis” here"),
        (CIRCUITS_PAGE, {"circuit": "monaco", "since": "1066"}, "There is no races “1066” here"),
    ],
)
def test_nonsense_in_the_address_is_answered_kindly(
    page: str, query: dict[str, str], words: str, visit: Open, ingested: Path
) -> None:
    assert visit(page, ingested, **query).says(words)


def test_a_season_before_lap_timing_says_so(visit: Open, ingested: Path) -> None:
    seen = visit(TEAMS_PAGE, ingested, team="brabham", season="1983")
    assert seen.says("Brabham, season by season")
    assert not any("race pace" in str(line).lower() for line in seen.at.dataframe[0].value["figure"])


def test_a_teams_figures_are_those_of_the_tables(visit: Open, ingested: Path, reader: Reader) -> None:
    seen = visit(TEAMS_PAGE, ingested, team="ferrari", season="2025", **{"with": "mclaren"})
    shown = seen.at.dataframe[0].value
    rows = compare_teams(reader, ["ferrari", "mclaren"], from_season=2025, to_season=2025)
    expected = side_by_side(rows, TEAMS, "constructor_id", "constructor_name", 5)
    assert shown["Ferrari"].to_list() == expected["Ferrari"].to_list()
    assert seen.charts == 2, "development, and the bars of the season"


def test_a_circuits_figures_are_those_of_the_tables(visit: Open, ingested: Path, reader: Reader) -> None:
    seen = visit(CIRCUITS_PAGE, ingested, circuit="monaco")
    row = circuit_profile(reader, "monaco").row(0, named=True)
    cards = {card.label: card.value for card in seen.at.metric}
    assert cards[CIRCUITS["pit_loss_s"].label] == f"{row['pit_loss_s']:.1f} s"
    assert cards[CIRCUITS["safety_car_rate"].label] == f"{row['safety_car_rate']:.0%}"
    first = grid_wins(reader, "monaco").row(0, named=True)
    bars = json.loads(seen.at.get("vega_lite_chart")[0].proto.spec)
    assert f"pole won {first['count_wins']} of {first['count_starts']}" in bars["description"]


def test_a_circuit_without_a_race_says_so(visit: Open, ingested: Path) -> None:
    seen = visit(CIRCUITS_PAGE, ingested, circuit="madring")
    assert seen.says("No race has been held here yet")
    assert seen.says("No lap with recorded positions")


def test_a_choice_goes_into_the_address(visit: Open, ingested: Path) -> None:
    seen = visit(DRIVERS_PAGE, ingested, driver="lando-norris", season="2025")
    seen.at.multiselect(key="choice_with").set_value(["george-russell"])
    again = draw(seen.at)
    assert param(seen.at, "with") == "george-russell"
    assert again.says("Lando Norris and George Russell")


def test_favourites_are_starred_and_carried(visit: Open, ingested: Path) -> None:
    seen = visit(DRIVERS_PAGE, ingested, season="2025", fav="lando-norris,ferrari")
    spec = seen.at.get("vega_lite_chart")[1].proto.spec
    assert "★ Norris" in json.dumps(json.loads(spec), ensure_ascii=False) or "\\u2605 Norris" in spec
    assert all(
        "fav=lando-norris%2Cferrari" in target for name, target in seen.links().items() if name != "Drivers"
    )


def test_the_search_box_finds_and_links(visit: Open, ingested: Path) -> None:
    seen = visit(CIRCUITS_PAGE, ingested, circuit="monaco")
    seen.at.text_input(key="search").set_value("2024 monza")
    found = draw(seen.at)
    assert found.links()["Italian Grand Prix 2024"] == "race?event=2024-italy"
    seen.at.text_input(key="search").set_value("qqqq")
    assert draw(seen.at).says("Nothing is called “qqqq”")


def test_side_by_side_marks_small_samples(reader: Reader) -> None:
    rows = driver_season_metrics(reader, 2026)
    table = side_by_side(rows, DRIVERS, "driver_id", "driver_name", 100)
    cells = [cell for name in table.columns[1:] for cell in table[name]]
    assert any(cell.endswith("*)") for cell in cells)
    assert not any(
        "*" in cell for cell in side_by_side(rows, DRIVERS, "driver_id", "driver_name", 0)["figure"]
    )


def test_the_race_to_come_is_to_come_by_the_clock(visit: Open, ingested: Path) -> None:
    november = "2026-11-20T12:00Z"
    first = visit(CIRCUITS_PAGE, ingested, clock=november)
    assert first.at.selectbox(key="choice_circuit").value == "las-vegas", (
        "the next race's circuit comes first"
    )
    assert first.links()["The race to come"] == "race?event=2026-las-vegas"
    assert first.says("are of all races in the data, also of those after the simulated clock")
    over = visit(CIRCUITS_PAGE, ingested, clock=november, circuit="spa-francorchamps")
    assert "The race to come" not in over.links(), "raced by then, though its result is not in the data"


def test_later_results_are_hidden_under_a_simulated_clock(
    visit: Open, ingested: Path, reader: Reader
) -> None:
    early = visit(DRIVERS_PAGE, ingested, clock="2024-05-01T12:00Z", driver="lando-norris")
    assert early.says("Lando Norris, race by race in 2024")
    races = early.at.dataframe[1].value
    assert len(races) == 5, "Bahrain to China had been raced"
    points = reader.query(
        "select sum(points) as points from race_results "
        "where driver_id = 'lando-norris' and session = 'race' and event_id in ('2024-bahrain', '2024-saudi-arabia', '2024-australia', "
        "'2024-japan', '2024-china')"
    )["points"][0]
    assert races["points"].sum() == points
    assert "2025" not in early.at.selectbox(key="choice_season").options
    team = visit(TEAMS_PAGE, ingested, clock="2024-05-01T12:00Z", team="mclaren")
    assert team.at.selectbox(key="choice_season").value == "2024"
    mine = next(table.value for table in team.at.dataframe if "season" in table.value)
    assert mine.loc[mine["season"] == 2024, "count_races"].item() == 5


def test_numbers_are_written_for_people() -> None:
    wear, share = DRIVERS["tyre_wear_vs_field_pct"], DRIVERS["dnf_rate"]
    assert [wear.number(value) for value in (-0.0001, -0.0013, 0.0004)] == ["0.000", "-0.001", "0.000"]
    assert (share.number(0.375), share.title) == ("38%", "DNF rate")
    assert wear.title == "Tyre management [% of a lap per lap]"
