"""The race page: deep links, names people type, bad parameters, and numbers equal to the warehouse's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from f1core.targets import PRODUCTION_MODEL
from f1core.wording import KIND_NAMES
from tests.pages.conftest import RACE, Open, draw, param
from warehouse.queries.accuracy import backtest_scores
from warehouse.queries.forecasts import prediction_entries
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES

NOW = "2026-11-20T12:00Z"
VEGAS = {"event": "2025-las-vegas", "stage": "pre_race"}


def test_a_backtested_race_shows_the_warehouses_numbers(visit: Open, built_data: Path) -> None:
    reader = Reader(built_data / "warehouse")
    seen = visit(RACE, built_data, clock=NOW, **VEGAS)
    assert seen.at.title[0].value == "Las Vegas Grand Prix 2025"
    assert seen.says(KIND_NAMES["backtest"])
    assert not seen.says(KIND_NAMES["provisional"])
    entries = prediction_entries(reader, "backtest", "2025-las-vegas", "pre_race", PRODUCTION_MODEL)
    shown = seen.at.dataframe[0].value
    assert shown["driver_name"].to_list() == entries["driver_name"].to_list()
    assert shown["win_probability"].to_list() == pytest.approx((entries["win_probability"] * 100).to_list())
    assert shown["grid_position"].to_list() == entries["grid_position"].to_list()
    scores = backtest_scores(reader, stage="pre_race").filter(pl.col("event_id") == "2025-las-vegas")
    ours, grid, elo = (
        scores.filter(pl.col("model") == name).row(0, named=True)
        for name in (PRODUCTION_MODEL, "grid", "elo")
    )
    metrics = {metric.label: metric for metric in seen.at.metric}
    assert metrics["Places off"].value == f"{ours['mae_ranked']:.2f}"
    assert metrics["Places off"].delta == f"grid {grid['mae_ranked']:.2f} · Elo {elo['mae_ranked']:.2f}"
    assert metrics["Podium hits"].value == f"{ours['podium_overlap']:.0%}"
    assert metrics["Inside 80 % range"].value == f"{ours['interval_coverage']:.0%}"
    assert seen.charts == 3


def test_the_double_disqualification_of_las_vegas_is_shown(visit: Open, built_data: Path) -> None:
    shown = visit(RACE, built_data, clock=NOW, **VEGAS).at.dataframe[0].value.set_index("driver_name")
    assert shown.loc["Lando Norris", "position_text"] == "DSQ"
    assert shown.loc["Oscar Piastri", "position_text"] == "DSQ"
    assert shown.loc["Max Verstappen", "position_text"] == "1"
    # Disqualified drivers stand last of the twenty starters.
    predicted = shown["predicted_position"]
    assert shown.loc["Lando Norris", "miss"] == 19 - predicted["Lando Norris"]
    assert shown.loc["Oscar Piastri", "miss"] == 20 - predicted["Oscar Piastri"]


def test_every_baseline_stands_beside_the_model(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, **VEGAS, view="baselines")
    models = next(one.value for one in seen.at.dataframe if "Parc Fermé #" in one.value.columns)
    assert list(models.columns[1:5]) == ["Parc Fermé #", "Grid order #", "Points order #", "Elo #"]
    for name in models.columns[1:5]:
        assert sorted(models[name]) == list(range(1, 21))
    for name in models.columns[5:]:
        assert models[name].sum() == pytest.approx(100)
    scores = seen.at.table[0].value.set_index("Score")
    assert list(scores.columns) == ["Parc Fermé", "Grid order", "Points order", "Elo"]
    assert any("**" in text for text in scores.loc["Places off"]), "the best of a line is in bold"


def test_the_model_can_be_chosen(visit: Open, built_data: Path) -> None:
    reader = Reader(built_data / "warehouse")
    seen = visit(RACE, built_data, clock=NOW, **VEGAS, model="grid")
    entries = prediction_entries(reader, "backtest", "2025-las-vegas", "pre_race", "grid")
    assert seen.at.dataframe[0].value["driver_name"].to_list() == entries["driver_name"].to_list()
    assert seen.says("model version `baseline`")


def test_choices_write_the_url(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, **VEGAS)
    stage = next(group for group in seen.at.get("button_group") if group.key == "choice_stage")
    stage.set_value("pre_qualifying")
    after = draw(seen.at)
    assert param(after.at, "stage") == "pre_qualifying"
    assert after.says("Before qualifying")
    after.at.selectbox(key="choice_event").set_value("2025-qatar")
    after = draw(after.at)
    assert param(after.at, "event") == "2025-qatar"
    assert param(after.at, "stage") == "pre_qualifying", "what was chosen stays chosen"
    assert after.at.title[0].value == "Qatar Grand Prix 2025"
    after.at.selectbox(key="choice_season").set_value("2026")
    after = draw(after.at)
    assert str(param(after.at, "event")).startswith("2026-")


@pytest.mark.parametrize(
    ("typed", "event"),
    [
        ("Yas Marina", "2026-abu-dhabi"),
        ("2025 Brazil", "2025-sao-paulo"),
        ("2025-vegas", "2025-las-vegas"),
        ("next", "2026-las-vegas"),
        ("8", "2026-austria"),
    ],
)
def test_names_people_type_are_understood(typed: str, event: str, visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, event=typed)
    assert param(seen.at, "event") == event, "the URL says it canonically from then on"
    assert seen.at.title[0].value.endswith(event[:4])


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("2025-silverston e", "Did you mean Great Britain?"),
        ("<script>alert(1)</script>", "No race of 2026 is called"),
        ("1066", "No race of 2026 is called '1066'"),
        ("1066-hastings", "There is no season 1066"),
        ("2025-'; drop table events; --", "No race of 2025 is called"),
        ("[click](https://evil.example)", "No race of 2026 is called"),
        ("![x](https://evil.example/x.png)", "No race of 2026 is called"),
        ("99", "Season 2026 has no round 99"),
        ("x" * 5000, "No race of 2026 is called"),
        ("", "No race was named"),
    ],
)
def test_unknown_races_are_answered_kindly(typed: str, answer: str, visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, event=typed)
    assert seen.says(answer)
    assert seen.at.title[0].value.endswith("2026"), "a race is shown nevertheless"
    assert seen.charts == 3
    section = next(group for group in seen.at.get("button_group") if group.key == "choice_view")
    assert "What happened" in section.options, "the newest race has been run"
    written = "\n".join(seen.texts())
    assert "](https://evil" not in written, "what was typed must not become a link or an image"
    assert "<script>" not in written


@pytest.mark.parametrize("name", ["stage", "model"])
@pytest.mark.parametrize("value", ["nonsense", "<b>", "pre_weekend"])
def test_unknown_stages_and_models_are_answered_kindly(
    name: str, value: str, visit: Open, built_data: Path
) -> None:
    seen = visit(RACE, built_data, clock=NOW, event="2025-las-vegas", **{name: value})
    assert seen.says(f"There is no {name} “{value}” here")
    assert seen.at.title[0].value == "Las Vegas Grand Prix 2025"
    assert seen.charts == 3


def test_a_race_that_is_not_backtested_says_so_and_shows_its_result(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, event="1997-europe")
    done = Reader(built_data / "warehouse").query("select count(distinct event_id) as n from backtest_scores")
    assert seen.says(f"{done['n'][0]} of the 100 races since 2022 are backtested")
    result = seen.at.dataframe[0].value
    assert result.iloc[0]["Driver"] == "Mika Häkkinen"
    assert result[result["Driver"] == "Michael Schumacher"]["Result"].to_list() == ["DNF"]
    assert seen.charts == 0


def test_a_race_whose_result_is_missing_says_so(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock="2026-12-20", event="2026-las-vegas")
    assert seen.says("This race has been run, but its result is not in the data") or seen.says(
        "No forecast of this race is stored"
    )
    assert not seen.at.metric


def test_a_simulated_clock_hides_the_result(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock="2025-11-23T03:45Z", **VEGAS)
    assert seen.says("Simulated clock")
    assert "position_text" not in seen.at.dataframe[0].value.columns
    assert not seen.at.metric
    before = visit(RACE, built_data, clock="2025-11-22T12:00Z", event="2025-las-vegas")
    stage = next(group for group in before.at.get("button_group") if group.key == "choice_stage")
    assert stage.options == ["After qualifying", "Before qualifying"], "the grid was not known by then"


def test_three_before_and_three_after(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock=NOW, **VEGAS)
    around = {button.label: button for button in seen.at.button}
    assert list(around) == [
        "United States 2025",
        "Mexico 2025",
        "São Paulo 2025",
        "Qatar 2025",
        "Abu Dhabi 2025",
        "Australia 2026",
    ]
    around["Qatar 2025"].click()
    after = draw(seen.at)
    assert after.at.title[0].value == "Qatar Grand Prix 2025"
    assert (param(after.at, "event"), param(after.at, "stage")) == ("2025-qatar", "pre_race")


def test_backtest_and_provisional_are_never_mixed(visit: Open, small_copy: Path) -> None:
    reader = Reader(small_copy / "warehouse")
    event = reader.query("select event_id from backtest_predictions order by as_of desc limit 1")["event_id"][
        0
    ]
    store = Store(small_copy / "warehouse")
    for source, target in (
        ("backtest_predictions", "forecasts"),
        ("backtest_prediction_entries", "forecast_entries"),
    ):
        rows = reader.table(source).filter(pl.col("event_id") == event)
        if target == "forecast_entries":
            # A forecast that can be told from the backtest: everybody has the same chance.
            rows = rows.with_columns(win_probability=pl.lit(0.0))
        store.replace(target, rows.to_arrow().cast(TABLES[target].schema))
    store.publish(now=dt.datetime.now(dt.UTC))
    seen = visit(RACE, small_copy, event=event)
    kind = next(group for group in seen.at.get("button_group") if group.key == "choice_kind")
    assert kind.value == "backtest"
    assert seen.at.dataframe[0].value["win_probability"].sum() == pytest.approx(100)
    assert seen.says(f"**{KIND_NAMES['backtest']}.**")
    assert not seen.says(f"**{KIND_NAMES['provisional']}.**")
    other = visit(RACE, small_copy, event=event, kind="provisional", view="baselines")
    assert other.at.dataframe[0].value["win_probability"].sum() == 0
    assert other.says(f"**{KIND_NAMES['provisional']}.**")
    assert not other.says(f"**{KIND_NAMES['backtest']}.**")
    assert other.says("A race is scored in the backtest once its result is here"), "backtest scores stay out"
