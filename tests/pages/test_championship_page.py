"""The championship page: numbers equal to the tables, choices in the URL, empty states, what is not in the data."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import polars as pl
import pytest

from f1core.championship_view import coloured_odds, document, labelled_odds, points_table
from f1core.charts.final_positions import final_positions as position_map
from f1core.charts.standings_lines import standings_lines
from f1core.charts.title_odds import title_odds as odds_bars
from f1core.charts.title_odds import title_race
from f1core.review import as_json
from f1core.title_words import what_must_happen
from tests.championship_data import championship_folder
from tests.pages.conftest import Open, draw, param
from warehouse.queries.championship import final_positions
from warehouse.queries.drivers import season_drivers
from warehouse.queries.rankings import EntityKind, rankings
from warehouse.reader import Reader

PAGE = "pages/championship.py"
NOW = "2026-11-20T12:00Z"
CHARTS = {"rounds": 3, "places": 2, "points": 1, "elo": 1}
"""Sections of the page and how many charts are drawn with each: the odds always are."""


@pytest.fixture(scope="session")
def data(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return championship_folder(ingested, tmp_path_factory)


@pytest.fixture
def reader(data: Path) -> Reader:
    return Reader(data / "warehouse")


def test_the_table_shows_what_is_stored(visit: Open, data: Path, reader: Reader) -> None:
    for view, charts in CHARTS.items():
        assert visit(PAGE, data, clock=NOW, view=view).charts == charts, view
    seen = visit(PAGE, data, clock=NOW)
    shown = seen.at.dataframe[0].value
    rows = labelled_odds(reader, 2026, "drivers").filter(pl.col("event_id") == "2026-austria")
    assert shown["name"].to_list() == rows["name"].to_list()
    assert shown["points"].to_list() == rows["points"].to_list()
    assert shown["title"].to_list() == (rows["title_probability"] * 100).to_list()
    assert shown["gap"][0] == 0 and (shown["gap"] >= 0).all()
    official = reader.query(
        "select points from driver_standings where event_id = '2026-austria' order by display_order"
    )
    assert shown["points"].to_list() == official["points"].to_list()
    assert seen.says("Drivers, after the Austrian Grand Prix of 28 Jun 2026")
    assert seen.says("10,000 simulated seasons")


def test_what_must_happen_is_on_the_page(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock=NOW, season="2021", after="2021-saudi-arabia")
    assert seen.says(
        "Max Verstappen is champion at the Abu Dhabi Grand Prix if he scores no less than Lewis Hamilton"
    )
    assert seen.says("Backtest:") and seen.says("the season's final calendar")
    over = visit(PAGE, data, clock=NOW, season="2021")
    assert over.says("Max Verstappen has won the title: the season is over.")


def test_races_that_are_not_in_the_data_are_told(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock=NOW)
    assert seen.says("Raced since, but not in the data: Great Britain, Belgium")
    assert not visit(PAGE, data, clock="2026-06-30").says("Raced since")


def test_choices_live_in_the_url(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock=NOW, championship="constructors", season="2021")
    assert seen.says("Constructors, after the Abu Dhabi Grand Prix")
    assert "constructor_name" not in seen.at.dataframe[0].value.columns
    box = next(one for one in seen.at.selectbox if one.key == "choice_season")
    box.set_value("2026")
    after = draw(seen.at)
    assert param(after.at, "season") == "2026"
    assert after.says("Constructors, after the Austrian Grand Prix")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"season": "1950"}, "There is no season “1950” here"),
        ({"championship": "[x](https://evil.example)"}, "There is no championship"),
        ({"after": "2021-saudi-arabia"}, "There is no after round “2021-saudi-arabia” here"),
        ({"view": "stairs"}, "There is no section “stairs” here; Round by round is shown."),
        ({"view": "[x](https://evil.example)"}, "There is no section"),
    ],
)
def test_bad_parameters_are_answered_kindly(
    query: dict[str, str], answer: str, visit: Open, data: Path
) -> None:
    seen = visit(PAGE, data, clock=NOW, **query)
    assert seen.says(answer)
    assert "](https://evil" not in "\n".join(seen.texts())
    assert seen.charts == CHARTS["rounds"]


def test_a_simulated_clock_sees_only_rounds_that_were_known(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock="2026-03-20")
    assert seen.says("after the Chinese Grand Prix")
    nothing = visit(PAGE, data, clock="2026-01-01", season="2026")
    assert nothing.says("There are no title odds for this time") and nothing.charts == 0


def test_without_odds_the_page_says_how_to_get_them(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data)
    assert seen.says("python -m jobs championship") and seen.charts == 0


def test_charts_are_valid_and_tell_who_leads(reader: Reader) -> None:
    rows = labelled_odds(reader, 2021, "drivers")
    now = rows.filter(pl.col("event_id") == "2021-saudi-arabia")
    for chart in (
        odds_bars(now),
        title_race(coloured_odds(rows, season_drivers(reader, 2021))),
        standings_lines(coloured_odds(rows, season_drivers(reader, 2021))),
        position_map(now, final_positions(reader, "2021-saudi-arabia", "drivers")),
    ):
        spec = chart.to_dict()
        alt.Chart.from_dict(spec) if "layer" not in spec else alt.LayerChart.from_dict(spec)
        assert "Hamilton" in spec["description"] or "Verstappen" in spec["description"]
    words = {row["name"]: row["words"] for row in odds_bars(now).to_dict()["datasets"].popitem()[1]}
    assert words["Valtteri Bottas"] == "out" and words["Max Verstappen"].endswith("%")


def test_a_driver_has_one_colour_and_dash_in_every_chart_and_team_mates_two_dashes(reader: Reader) -> None:
    rows = coloured_odds(labelled_odds(reader, 2021, "drivers"), season_drivers(reader, 2021))
    marks = rows.unique(["label", "team_colour", "team_dash"])
    assert marks["label"].is_unique().all(), "the same from round to round"
    mercedes = marks.filter(pl.col("label").is_in(["Hamilton", "Bottas"]))
    assert mercedes["team_colour"].n_unique() == 1 and mercedes["team_dash"].n_unique() == 2
    for chart in (title_race(rows), standings_lines(rows)):
        scale = chart.to_dict()["encoding"]["color"]["scale"]
        drawn = dict(zip(scale["domain"], scale["range"], strict=True))
        assert drawn["Hamilton"] == mercedes["team_colour"][0]
    teams = coloured_odds(labelled_odds(reader, 2021, "constructors"), season_drivers(reader, 2021))
    assert teams.filter(pl.col("entity_id") == "mercedes")["team_colour"][0] == mercedes["team_colour"][0]


def test_labels_are_unique_within_a_season(reader: Reader) -> None:
    rows = labelled_odds(reader, 2021, "drivers").unique("entity_id")
    assert rows["label"].is_unique().all()


def test_what_is_taken_away_is_what_is_shown(reader: Reader) -> None:
    rows = labelled_odds(reader, 2021, "drivers").filter(pl.col("event_id") == "2021-qatar")
    found = what_must_happen(reader, "2021-qatar", "drivers")
    assert found is not None
    made = document(rows, final_positions(reader, "2021-qatar", "drivers"), found)
    assert made["event_id"] == "2021-qatar" and len(made["entries"]) == rows.height
    assert b'"what_must_happen"' in as_json(made)
    assert points_table(rows)["wins"].sum() == 20, "twenty races"


@pytest.mark.parametrize(("which", "kind"), [("drivers", "driver"), ("constructors", "constructor")])
def test_the_elo_ranking_is_that_of_the_table(
    which: str, kind: EntityKind, visit: Open, data: Path, reader: Reader
) -> None:
    seen = visit(PAGE, data, clock=NOW, championship=which, view="elo")
    table = next(frame.value for frame in seen.at.dataframe if "elo" in frame.value.columns)
    rows = rankings(reader, kind, "2026-austria")
    assert table["name"].to_list() == rows["name"].to_list()
    assert table["elo"].to_list() == rows["elo"].to_list() == sorted(rows["elo"], reverse=True)
    stored = reader.query(
        "select entity_id, elo from elo_rankings where event_id = '2026-austria' and entity_kind = $kind",
        {"kind": kind},
    )
    assert dict(rows.select("entity_id", "elo").iter_rows()) == dict(stored.iter_rows())
    before = visit(
        PAGE, data, clock="2021-12-10T12:00Z", season="2021", after="2021-saudi-arabia", view="elo"
    )
    assert before.says("After the race in Saudi Arabia")
