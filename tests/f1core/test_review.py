"""A forecast held against the result: order, misses, those who did not start or were not forecast; what is handed out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import polars as pl
import pytest

from f1core.review import as_csv, as_json, forecast_document, review, side_by_side
from f1core.targets import PRODUCTION_MODEL

NAMES = {"ayo": "Ann Ayo", "bly": "Bo Bly", "cole": "Cy Cole", "bly-jr": "Di Bly", "eze": "Ed Eze"}


def people(driver_id: str) -> dict[str, object]:
    name = NAMES[driver_id]
    return {
        "driver_id": driver_id,
        "driver_name": name,
        "last_name": name.split()[1],
        "driver_code": name[:3].upper(),
        "constructor_name": "Aurora",
    }


def entries(*order: str, model: str = PRODUCTION_MODEL) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                **people(driver),
                "model": model,
                "predicted_position": place,
                "expected_position": place + 0.5,
                "position_low": max(1, place - 1),
                "position_high": place + 1,
                "win_probability": 0.5**place,
                "podium_probability": 0.9,
                "points_probability": 1.0,
                "dnf_probability": 0.1,
                "expected_points": 25.0 / place,
                "grid_position": place,
                "gap_s": 2.0 * place,
                "data_quality_flag": "ok",
            }
            for place, driver in enumerate(order, 1)
        ]
    )


def result(*lines: tuple[str, str, str]) -> pl.DataFrame:
    """Lines of a result in official order: driver, mark, status."""
    return pl.DataFrame(
        [
            {
                **people(driver),
                "event_id": "2026-vale",
                "season": 2026,
                "session": "race",
                "display_order": order,
                "known_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
                "constructor_id": "aurora",
                "position_text": mark,
                "status": status,
                "is_starter": status != "did_not_start",
                "gap_s": None,
                "time_s": None,
            }
            for order, (driver, mark, status) in enumerate(lines, 1)
        ],
        schema_overrides={"gap_s": pl.Float64, "time_s": pl.Float64},
    )


def test_the_result_stands_beside_the_forecast_in_predicted_order() -> None:
    rows = review(
        entries("ayo", "bly", "cole"),
        result(("cole", "1", "classified"), ("ayo", "2", "classified"), ("bly", "DSQ", "disqualified")),
    )
    assert rows["driver_id"].to_list() == ["ayo", "bly", "cole"]
    assert rows["position"].to_list() == [2, 3, 1]
    assert rows["miss"].to_list() == [1, 1, -2], "places behind the forecast"
    assert rows["is_inside"].to_list() == [True, True, False]
    assert rows["position_text"].to_list() == ["2", "DSQ", "1"]
    assert rows["is_classified"].to_list() == [True, False, True]


def test_before_the_race_there_is_no_result() -> None:
    rows = review(entries("ayo", "bly"), result(("ayo", "1", "classified")).clear())
    assert rows.height == 2
    assert rows.select("position", "miss", "is_inside", "position_text").null_count().row(0) == (2, 2, 2, 2)


def test_who_did_not_start_has_no_place_and_who_was_not_forecast_stands_last() -> None:
    rows = review(
        entries("ayo", "bly"),
        result(("eze", "1", "classified"), ("ayo", "2", "classified"), ("bly", "DNS", "did_not_start")),
    )
    assert rows["driver_id"].to_list() == ["ayo", "bly", "eze"]
    assert rows["position"].to_list() == [2, None, 1]
    assert rows["predicted_position"].to_list() == [1, 2, None]


def test_two_drivers_of_one_name_keep_their_first_names() -> None:
    rows = review(entries("ayo", "bly", "bly-jr"), result(("ayo", "1", "classified")).clear())
    assert rows["label"].to_list() == ["Ayo", "Bo Bly", "Di Bly"]


def test_models_stand_side_by_side_ours_first() -> None:
    both = pl.concat([entries("bly", "ayo", model="grid"), entries("ayo", "bly")])
    rows = side_by_side(both)
    assert rows.columns == ["driver_name", "Parc Fermé #", "Grid order #", "Parc Fermé win", "Grid order win"]
    assert rows.rows() == [("Ann Ayo", 1, 2, 50.0, 25.0), ("Bo Bly", 2, 1, 25.0, 50.0)]


def test_downloads_hold_what_is_shown() -> None:
    rows = review(entries("ayo", "bly"), result(("bly", "1", "classified"), ("ayo", "2", "classified")))
    lines = list(csv.DictReader(io.StringIO(as_csv(rows).decode())))
    assert [line["driver_name"] for line in lines] == ["Ann Ayo", "Bo Bly"]
    assert float(lines[0]["win_probability"]) == 0.5
    head = {"event_id": "2026-vale", "as_of": dt.datetime(2026, 3, 1, 13, 30, tzinfo=dt.UTC)}
    document = json.loads(as_json(forecast_document("backtest", head, rows)))
    assert document["kind"] == "backtest"
    assert document["as_of"] == "2026-03-01T13:30:00+00:00"
    assert document["entries"][1]["position"] == 1


def test_a_document_takes_no_strange_things() -> None:
    with pytest.raises(TypeError, match="set has no place"):
        as_json({"x": {1, 2}})
