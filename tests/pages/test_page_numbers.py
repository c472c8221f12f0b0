"""Numbers on pages equal to the warehouse and to the JSON, sampled over Home, race, championship and accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from f1core.api import create_application
from f1core.settings import load_settings
from f1core.targets import PRODUCTION_MODEL
from f1core.wording import SCORES, model_name
from tests.pages.conftest import ACCURACY, HOME, RACE, Open
from warehouse.queries.forecasts import prediction_entries
from warehouse.reader import Reader

PROBABILITIES = ("win_probability", "podium_probability", "points_probability")


@pytest.fixture(scope="module")
def api(small_data: Path) -> Iterator[TestClient]:
    with TestClient(create_application(load_settings(data=small_data))) as client:
        yield client


def answer(api: TestClient, path: str, **query: str) -> Any:
    found = api.get(f"/api/{path}", params=query)
    assert found.status_code == 200, found.text
    return found.json()


def shown_forecast(table: pl.DataFrame) -> dict[str, tuple[float, ...]]:
    return {
        row["driver_name"]: tuple(row[name] / 100 for name in PROBABILITIES)
        for row in table.iter_rows(named=True)
    }


def stored_forecast(entries: pl.DataFrame) -> dict[str, tuple[float, ...]]:
    return {
        row["driver_name"]: tuple(row[name] for name in PROBABILITIES)
        for row in entries.iter_rows(named=True)
    }


def json_forecast(document: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    return {row["driver_name"]: tuple(row[name] for name in PROBABILITIES) for row in document["entries"]}


def same(one: dict[str, tuple[float, ...]], other: dict[str, tuple[float, ...]]) -> None:
    assert list(one) == list(other)[: len(one)], "the same drivers in the same order"
    for name, values in one.items():
        assert values == pytest.approx(other[name], abs=1e-6), name


def test_home(visit: Open, small_data: Path, api: TestClient) -> None:
    reader = Reader(small_data / "warehouse")
    seen = visit(HOME, small_data)
    head = reader.query(
        "select event_id, stage from forecasts where model = $model and target = 'race' order by as_of, event_id",
        {"model": PRODUCTION_MODEL},
    ).row(0, named=True)
    shown = shown_forecast(pl.from_pandas(seen.at.dataframe[0].value))
    assert len(shown) == 10
    entries = prediction_entries(reader, "provisional", head["event_id"], head["stage"], PRODUCTION_MODEL)
    same(shown, stored_forecast(entries))
    same(shown, json_forecast(answer(api, "predict/next")))


def test_race(visit: Open, small_data: Path, api: TestClient) -> None:
    reader = Reader(small_data / "warehouse")
    events = reader.query("select distinct event_id from backtest_predictions order by event_id")["event_id"]
    for event, stage in ((events[-1], "pre_race"), (events[0], "pre_qualifying")):
        seen = visit(RACE, small_data, event=event, stage=stage, kind="backtest")
        shown = shown_forecast(pl.from_pandas(seen.at.dataframe[0].value))
        same(shown, stored_forecast(prediction_entries(reader, "backtest", event, stage, PRODUCTION_MODEL)))
        season, _, race = event.partition("-")
        document = answer(api, f"predict/{race}/{season}", kind="backtest", stage=stage)
        same(shown, json_forecast(document))


@pytest.mark.parametrize("championship", ["drivers", "constructors"])
def test_championship(championship: str, visit: Open, small_data: Path, api: TestClient) -> None:
    found = answer(api, "v1/championship", championship=championship)
    shown = visit("pages/championship.py", small_data, championship=championship).at.dataframe[0].value
    entries = sorted(found["entries"], key=lambda entry: entry["position"])
    assert shown["points"].to_list() == [entry["points"] for entry in entries]
    assert (shown["title"] / 100).to_list() == pytest.approx(
        [entry["title_probability"] for entry in entries], abs=1e-6
    )
    stored = Reader(small_data / "warehouse").query(
        "select points, title_probability from championship_odds "
        "where championship = $which and event_id = $event order by position, entity_id",
        {"which": championship, "event": found["event_id"]},
    )
    assert shown["points"].to_list() == stored["points"].to_list()


def test_accuracy(visit: Open, small_data: Path, api: TestClient) -> None:
    found = answer(api, "v1/accuracy")["backtest"]["rows"]
    compared = 0
    for target, stage in (("race", "pre_race"), ("race", "pre_qualifying"), ("qualifying", "pre_qualifying")):
        seen = visit(ACCURACY, small_data, target=target, stage=stage)
        tables = [pl.from_pandas(table.value) for table in seen.at.table if "Score" in table.value.columns]
        shown = {row["Score"]: row for table in tables for row in table.to_dicts()}
        for row in found:
            if (row["target"], row["stage"]) != (target, stage):
                continue
            for score in SCORES:
                value = row["scores"].get(score.column)
                if value is None or score.title not in shown:
                    continue
                text = shown[score.title][model_name(row["model"])].replace("*", "")
                assert text == score.number(value), (target, stage, row["model"], score.column)
                compared += 1
    assert compared > 40
