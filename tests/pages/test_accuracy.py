"""The accuracy page: numbers equal to an independent computation, words that follow from them, filters in the URL."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from f1core.accuracy import Races, comparisons_of, headline
from f1core.targets import PRODUCTION_MODEL
from tests.pages.conftest import ACCURACY, Open, draw, param
from warehouse.reader import Reader

NOW = "2026-11-20T12:00Z"
CHARTS = {"skill": 1, "seasons": 3, "calibration": 3, "misses": 1, "forecasts": 0}
"""Sections of the page and how many charts each has."""


def scores(data: Path, stage: str = "pre_race") -> pl.DataFrame:
    return Reader(data / "warehouse").table("backtest_scores").filter(target="race", stage=stage)


def number(text: str) -> str:
    return text.replace("**", "")


@pytest.mark.parametrize("stage", ["pre_race", "pre_qualifying"])
def test_the_pooled_scores_are_plain_means_over_races(stage: str, visit: Open, built_data: Path) -> None:
    seen = visit(ACCURACY, built_data, clock=NOW, stage=stage)
    table = seen.at.table[0].value.set_index("Score")
    rows = scores(built_data, stage)
    names = {PRODUCTION_MODEL: "Parc Fermé", "grid": "Grid order", "points": "Points order", "elo": "Elo"}
    models = set(rows["model"])
    assert set(table.columns) == {names[model] for model in models}
    for model in models:
        mine = rows.filter(pl.col("model") == model)
        assert number(table.loc["Places off", names[model]]) == f"{mine['mae_ranked'].mean():.2f}"
        assert number(table.loc["Winner named", names[model]]) == f"{mine['winner_right'].mean():.0%}"
        assert number(table.loc["Win log loss", names[model]]) == f"{mine['win_log_loss'].mean():.2f}"
    assert seen.says(f"{rows['event_id'].n_unique()} races, ")
    for view, charts in CHARTS.items():
        assert visit(ACCURACY, built_data, clock=NOW, stage=stage, view=view).charts == charts, view


def test_bold_marks_the_best(visit: Open, built_data: Path) -> None:
    table = visit(ACCURACY, built_data, clock=NOW).at.table[0].value.set_index("Score")
    rows = scores(built_data).group_by("model").agg(pl.col("mae_ranked", "winner_right").mean())
    least = rows.sort("mae_ranked")["model"][0]
    most = rows.sort("winner_right", descending=True)["model"][0]
    names = {PRODUCTION_MODEL: "Parc Fermé", "grid": "Grid order", "points": "Points order", "elo": "Elo"}
    assert table.loc["Places off", names[least]].startswith("**")
    assert table.loc["Winner named", names[most]].startswith("**")
    assert not any("**" in text for text in table.loc["Inside 80 % range"]), "coverage has no best"


def test_the_words_follow_from_the_numbers(visit: Open, built_data: Path) -> None:
    seen = visit(ACCURACY, built_data, clock=NOW)
    found = comparisons_of(Reader(built_data / "warehouse"), Races("pre_race"))
    for baseline in ("grid", "points", "elo"):
        assert seen.says(headline(found, baseline))


def test_seasons_are_a_filter_in_the_url(visit: Open, built_data: Path) -> None:
    rows = scores(built_data).filter((pl.col("model") == PRODUCTION_MODEL) & (pl.col("season") == 2026))
    seen = visit(ACCURACY, built_data, clock=NOW, seasons="2026")
    assert seen.says(f"{rows.height} races, Australia 2026 to Austria 2026")
    assert number(seen.at.table[0].value.set_index("Score").loc["Places off", "Parc Fermé"]) == (
        f"{rows['mae_ranked'].mean():.2f}"
    )
    pills = next(group for group in seen.at.get("button_group") if group.key == "choice_seasons")
    pills.set_value(["2025"])
    after = draw(seen.at)
    assert param(after.at, "seasons") == "2025"
    assert after.says("races, Spain 2025 to Abu Dhabi 2025")
    next(group for group in after.at.get("button_group") if group.key == "choice_seasons").set_value([])
    assert param(draw(after.at).at, "seasons") is None


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"stage": "<script>"}, "There is no stage “<script>” here"),
        ({"seasons": "1066,2026"}, "Nothing is known of seasons “1066”"),
        ({"seasons": "[x](https://evil.example)"}, "Nothing is known of seasons"),
        ({"score": "charm"}, "There is no score “charm” here"),
        ({"view": "stairs"}, "There is no section “stairs” here; Against the baselines is shown."),
        ({"view": "[x](https://evil.example)"}, "There is no section"),
        ({"view": "forecasts", "kind": "<script>"}, "There is no kind “<script>” here"),
    ],
)
def test_bad_parameters_are_answered_kindly(
    query: dict[str, str], answer: str, visit: Open, built_data: Path
) -> None:
    seen = visit(ACCURACY, built_data, clock=NOW, **query)
    assert seen.says(answer)
    assert "](https://evil" not in "\n".join(seen.texts())
    # A link that names a score opens the section that shows it.
    asked = "seasons" if "score" in query else query.get("view")
    assert seen.charts == CHARTS[asked if asked in CHARTS else "skill"]


def test_a_simulated_clock_sees_only_what_was_known(visit: Open, built_data: Path) -> None:
    seen = visit(ACCURACY, built_data, clock="2026-03-20")
    assert seen.says("to China 2026")
    for view in CHARTS:
        nothing = visit(ACCURACY, built_data, clock="2020-01-01", view=view)
        assert nothing.says("No backtested race was over at this time")
        assert nothing.charts == 0


def test_the_misses_are_the_farthest_off(visit: Open, built_data: Path) -> None:
    tables = [one.value for one in visit(ACCURACY, built_data, clock=NOW, view="misses").at.dataframe]
    shown = next(table for table in tables if "miss" in table.columns)
    distance = shown["miss"].abs().to_list()
    assert distance == sorted(distance, reverse=True)
    assert (shown["position"] - shown["predicted_position"]).to_list() == shown["miss"].to_list()
    reader = Reader(built_data / "warehouse")
    entries = reader.table("backtest_prediction_entries").filter(
        (pl.col("stage") == "pre_race") & (pl.col("target") == "race") & (pl.col("model") == PRODUCTION_MODEL)
    )
    lines = reader.table("race_results").filter((pl.col("session") == "race") & pl.col("is_starter"))
    lines = lines.sort("event_id", "display_order").with_columns(
        place=pl.int_range(1, pl.len() + 1).over("event_id")
    )
    joined = entries.join(lines.select("event_id", "driver_id", "place"), on=["event_id", "driver_id"])
    assert distance[0] == (joined["place"] - joined["predicted_position"]).abs().max()
