"""The race page: other targets, every place, why a driver is expected there, two drivers against each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.review import ahead_of
from f1core.targets import PRODUCTION_MODEL
from f1core.wording import contribution_words
from tests.f1core.test_distributions import STAGE, made_forecast, store
from tests.pages.conftest import ACCURACY, RACE, Open, Visit, draw, param
from warehouse.queries.distributions import contributions, duels
from warehouse.queries.forecasts import prediction_entries
from warehouse.reader import Reader


@pytest.fixture(scope="module")
def drawn(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose coming race is forecast by a model that draws whole finishing orders."""
    data = Path(shutil.copytree(small_data, tmp_path_factory.mktemp("drawn") / "data"))
    store(data, made_forecast(data))
    return data


@pytest.fixture(scope="module")
def event(drawn: Path) -> str:
    # The one that was put there: the others of the installation have the model in production.
    return str(made_forecast(drawn).heads["event_id"][0])


@pytest.fixture(scope="module")
def drivers(drawn: Path, event: str) -> list[str]:
    reader = Reader(drawn / "warehouse")
    found = prediction_entries(reader, "provisional", event, STAGE.value, PRODUCTION_MODEL)
    return found["driver_id"].to_list()


def choice(seen: Visit, name: str) -> object:
    return next(group for group in seen.at.get("button_group") if group.key == f"choice_{name}")


def test_places_reasons_and_pairs_are_drawn(visit: Open, drawn: Path, event: str, drivers: list[str]) -> None:
    seen = visit(RACE, drawn, event=event, stage=STAGE.value)
    assert seen.charts == 3 and seen.says("Every place")
    why = visit(RACE, drawn, event=event, stage=STAGE.value, view="why")
    assert why.charts == 4 and why.says("Head to head") and why.says("is expected there")
    table = seen.at.dataframe[0].value
    entries = prediction_entries(
        Reader(drawn / "warehouse"), "provisional", event, STAGE.value, PRODUCTION_MODEL
    )
    assert table["dnf_probability"].to_list() == pytest.approx((entries["dnf_probability"] * 100).to_list())
    assert table["expected_points"].to_list() == pytest.approx(entries["expected_points"].to_list())
    assert seen.at.get("download_button")[-1].label == "Places, CSV"
    labels = [button.label for button in why.at.get("download_button")]
    assert labels[-2:] == ["Pairs, CSV", "Reasons, CSV"]
    assert why.at.selectbox(key="choice_driver").value == drivers[0]
    assert why.at.selectbox(key="choice_rival").value == drivers[1]


def test_driver_and_rival_live_in_the_url(visit: Open, drawn: Path, event: str, drivers: list[str]) -> None:
    reader = Reader(drawn / "warehouse")
    chosen = ("provisional", event, STAGE.value, PRODUCTION_MODEL)
    driver, rival = drivers[4], drivers[2]
    seen = visit(RACE, drawn, event=event, stage=STAGE.value, driver=driver, rival=rival)
    share = ahead_of(duels(reader, *chosen), driver, rival)
    assert share is not None
    assert seen.says(f"with a probability of {share:.0%}")
    terms = contributions(reader, *chosen).filter(pl.col("driver_id") == driver).slice(1)
    for term, places in terms.select("term", "places").iter_rows():
        assert seen.says(contribution_words(term, places))
    seen.at.selectbox(key="choice_driver").set_value(rival)
    after = draw(seen.at)
    assert param(after.at, "driver") == rival
    assert rival not in after.at.selectbox(key="choice_rival").options, "nobody meets himself"
    assert after.says(f"There is no rival “{rival}” here")
    lost = visit(RACE, drawn, event=event, stage=STAGE.value, driver="<b>nobody</b>")
    assert lost.says("There is no driver “<b>nobody</b>” here")
    assert lost.charts == 4


def test_a_forecast_without_them_says_so(visit: Open, drawn: Path, event: str) -> None:
    seen = visit(RACE, drawn, event=event, stage=STAGE.value, model="elo")
    assert seen.charts == 2
    assert seen.says("No probabilities of single places, reasons or pairs of drivers are stored")
    assert "dnf_probability" not in seen.at.dataframe[0].value.columns
    seen = visit(RACE, drawn, event=event, stage=STAGE.value, model="elo", view="why")
    assert seen.charts == 2
    assert seen.says("No probabilities of single places, reasons or pairs of drivers are stored")
    assert not seen.at.get("selectbox") or "choice_driver" not in [box.key for box in seen.at.selectbox]


def test_the_target_can_be_chosen(visit: Open, drawn: Path) -> None:
    reader = Reader(drawn / "warehouse")
    head = reader.table("forecasts").filter(pl.col("target") == "qualifying").row(0, named=True)
    event, stage = str(head["event_id"]), str(head["stage"])
    seen = visit(RACE, drawn, event=event, stage=stage, target="qualifying")
    entries = prediction_entries(reader, "provisional", event, stage, PRODUCTION_MODEL, target="qualifying")
    assert entries.height
    assert seen.at.dataframe[0].value["driver_name"].to_list() == entries["driver_name"].to_list()
    assert seen.says("Pole, top 3, top 10")
    target = choice(seen, "target")
    target.set_value("race")  # type: ignore[attr-defined]
    after = draw(seen.at)
    assert param(after.at, "target") == "race"
    assert param(after.at, "stage") is None, "the other target's stage went with it"
    assert after.says("Win, podium, points")
    odd = visit(RACE, drawn, event=event, target="pole")
    assert odd.says("There is no forecast of “pole” here")


def test_a_sprint_is_offered_where_there_is_one(visit: Open, drawn: Path) -> None:
    events = Reader(drawn / "warehouse").table("events")
    for is_sprint in (True, False):
        rows = events.filter(pl.col("is_sprint") == is_sprint).sort("race_date")
        assert rows.height
        seen = visit(RACE, drawn, event=rows["event_id"][-1], target="sprint")
        offered = "Sprint" in choice(seen, "target").options  # type: ignore[attr-defined]
        assert offered == is_sprint
        assert seen.says("There is no forecast of “sprint” here") != is_sprint


def test_a_target_without_a_forecast_says_so(visit: Open, drawn: Path) -> None:
    events = Reader(drawn / "warehouse").table("events").sort("race_date")
    seen = visit(RACE, drawn, event=events["event_id"][0], target="qualifying")
    assert seen.says("No qualifying forecast of this event is stored")
    assert seen.at.dataframe[0].value["Result"].to_list()[:3] == ["1", "2", "3"], (
        "the result is shown all the same"
    )


def test_the_accuracy_page_speaks_of_one_target_at_a_time(visit: Open, drawn: Path) -> None:
    scores = Reader(drawn / "warehouse").table("backtest_scores")
    for target in sorted(set(scores["target"])):
        seen = visit(ACCURACY, drawn, target=target)
        stages = set(scores.filter(target=target)["stage"])
        stage = next(name for name in ("pre_race", "pre_qualifying") if name in stages)
        mine = scores.filter(target=target, stage=stage, model=PRODUCTION_MODEL)
        table = seen.at.table[0].value.set_index("Score")
        assert table.loc["Places off", "Parc Fermé"].strip("*") == f"{mine['mae_ranked'].mean():.2f}"
        assert seen.says(f"{mine['event_id'].n_unique()} races, ")
