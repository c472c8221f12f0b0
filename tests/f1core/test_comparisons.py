"""Comparisons with the baselines: the direction of every score, the words, the intervals."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from f1core.accuracy import (
    Races,
    backtest_stages,
    by_season,
    compare,
    comparison_table,
    headline,
    reliability_curves,
    rolling_scores,
    score_lines,
    season_advantages,
)
from f1core.targets import PRODUCTION_MODEL
from f1core.wording import OUR_MODEL, SCORE_BY_COLUMN, SCORES, model_name, model_order
from models.metrics import SCORE_NAMES
from warehouse.reader import Reader
from warehouse.tables import SCORE_COLUMNS

RACES = 20


def made_up(**ours: float) -> pl.DataFrame:
    """Twenty races in two seasons: every model scores 0.5 in everything, ours as given (with a little noise)."""
    rows: list[dict[str, Any]] = []
    for race in range(RACES):
        for model in ("elo", "grid", PRODUCTION_MODEL):
            row: dict[str, Any] = {
                "event_id": f"{2024 + race // 10}-race-{race:02d}",
                "season": 2024 + race // 10,
                "stage": "pre_race",
                "grand_prix_name": f"Race {race}",
                "model": model,
                **dict.fromkeys(SCORE_NAMES, 0.5),
            }
            if model == PRODUCTION_MODEL:
                row |= {name: value + 0.01 * math.sin(race) for name, value in ours.items()}
            rows.append(row)
    return pl.DataFrame(rows)


def test_every_score_of_the_tables_has_words() -> None:
    shown = {score.column for score in SCORES}
    assert shown <= {column.name for column in SCORE_COLUMNS}
    assert {column.name for column in SCORE_COLUMNS} - shown == {"mae_raw", "mae_raw_finishers"}


@pytest.mark.parametrize("column", ["winner_right", "podium_overlap", "top_ten_accuracy"])
@pytest.mark.parametrize(("value", "verdict"), [(0.8, "better"), (0.2, "worse"), (0.5, "level")])
def test_more_is_better_for_rates(column: str, value: float, verdict: str) -> None:
    (found,) = [item for item in compare(made_up(**{column: value}), (column,)) if item.baseline == "grid"]
    assert found.verdict == verdict
    assert found.advantage == pytest.approx((found.ours - 0.5) / 0.5)
    assert found.low <= found.advantage <= found.high
    assert found.count == RACES


@pytest.mark.parametrize("column", ["mae_ranked", "win_log_loss", "top_ten_brier", "gap_mae_s"])
@pytest.mark.parametrize(("value", "verdict"), [(0.2, "better"), (0.8, "worse"), (0.5, "level")])
def test_less_is_better_for_errors(column: str, value: float, verdict: str) -> None:
    (found,) = [item for item in compare(made_up(**{column: value}), (column,)) if item.baseline == "elo"]
    assert found.verdict == verdict
    assert found.ours == pytest.approx(value, abs=0.01)
    assert found.advantage == pytest.approx((0.5 - found.ours) / 0.5)


def test_the_headline_says_what_is_better_worse_and_open() -> None:
    words = headline(compare(made_up(winner_right=0.2, mae_ranked=0.2, win_log_loss=0.2)), "grid")
    assert words == (
        "**better** at the finishing order and win probabilities; **worse** at naming the winner; "
        "**too close to call** on the podium and sorting the top ten."
    )
    assert headline(compare(made_up()), "grid").startswith("**too close to call** on naming the winner, ")
    assert headline(compare(made_up()), "points") == "", "a baseline that was not compared has no headline"


def test_a_baseline_of_zero_has_no_advantage_to_show() -> None:
    scores = made_up(winner_right=0.4).with_columns(
        winner_right=pl.when(pl.col("model") == "elo").then(0.0).otherwise("winner_right")
    )
    found = comparison_table(compare(scores, ("winner_right",)))
    assert found["baseline"].to_list() == ["Grid order"]


def test_unknown_scores_are_left_out_of_pairs() -> None:
    scores = made_up(gap_mae_s=0.2).with_columns(
        gap_mae_s=pl.when(pl.col("event_id") == "2024-race-00").then(None).otherwise("gap_mae_s")
    )
    assert {item.count for item in compare(scores, ("gap_mae_s",))} == {RACES - 1}


def test_seasons_stand_below_all_newest_first() -> None:
    rows = by_season(made_up(mae_ranked=0.2))
    assert rows.select("season", "model").rows() == [
        (season, model) for season in ("All", "2025", "2024") for model in ("Parc Fermé", "Grid order", "Elo")
    ]
    assert rows["count_events"].to_list() == [20] * 3 + [10] * 6
    only = by_season(made_up().filter(pl.col("season") == 2024))
    assert only["season"].unique().to_list() == ["All"], "one season needs no second line"
    assert by_season(made_up().clear()).is_empty()


def test_season_advantages_are_those_of_the_season_alone() -> None:
    scores = made_up(mae_ranked=0.2).with_columns(
        mae_ranked=pl.when(pl.col("season") == 2025).then(0.5).otherwise("mae_ranked")
    )
    found = season_advantages(scores, "mae_ranked").filter(pl.col("baseline") == "Elo")
    assert dict(found.select("season", "verdict").iter_rows()) == {"2024": "better", "2025": "level"}


def test_form_is_the_mean_of_five_races_and_starts_with_the_fifth() -> None:
    scores = made_up(mae_ranked=0.2)
    mine = rolling_scores(scores).filter(pl.col("model") == "Parc Fermé")
    values = scores.filter(pl.col("model") == PRODUCTION_MODEL)["mae_ranked"]
    assert mine["race"].to_list() == list(range(5, RACES + 1))
    assert mine["mae_ranked"][0] == pytest.approx(values[:5].mean())
    assert mine["mae_ranked"][-1] == pytest.approx(values[-5:].mean())


def test_score_lines_mark_the_best_and_skip_what_nobody_has() -> None:
    rows = pl.DataFrame(
        [
            {"model": PRODUCTION_MODEL, **dict.fromkeys(SCORE_NAMES, 0.4)},
            {"model": "grid", **dict.fromkeys(SCORE_NAMES, 0.6)},
        ]
    ).with_columns(time_mae_s=pl.lit(None, pl.Float64))
    lines = score_lines(rows)
    cells = {row["Score"]: row for row in lines.to_dicts()}
    assert cells["Winner named"]["Grid order"] == "**60%**"
    assert cells["Places off"]["Parc Fermé"] == "**0.40**"
    assert "**" not in "".join(cells["Inside 80 % range"].values())
    assert not any(name.startswith("Time off") for name in cells)


def test_stages_go_from_the_best_informed_down() -> None:
    stages = pl.DataFrame({"stage": ["pre_weekend", "pre_race", "pre_qualifying", "pre_race"]})
    assert backtest_stages(stages) == ["pre_race", "pre_qualifying", "pre_weekend"]


def test_numbers_have_their_format_and_a_dash_when_unknown() -> None:
    score = SCORE_BY_COLUMN["gap_mae_s"]
    assert score.text(17.348) == "17.3 s"
    assert score.number(17.348) == "17.3"
    assert score.text(None) == "–"
    assert score.title == "Gap off [s]"


def test_reliability_counts_every_starter_once(small_data: Any) -> None:
    reader = Reader(small_data / "warehouse")
    curves = reliability_curves(reader, Races("pre_race"), PRODUCTION_MODEL)
    starters = reader.query(
        f"select sum(count_starters)::integer as n from backtest_scores where stage = 'pre_race' and model = '{PRODUCTION_MODEL}' and target = 'race'"
    )["n"][0]
    for outcome in ("win", "podium", "top_ten"):
        curve = curves.filter(pl.col("outcome") == outcome)
        assert curve["count"].sum() == starters
        assert ((curve["low"] <= curve["frequency"]) & (curve["frequency"] <= curve["high"])).all()
        error = ((curve["mean_probability"] - curve["frequency"]).abs() * curve["count"]).sum() / starters
        assert curve["error"][0] == pytest.approx(error)


def test_a_recipe_that_is_only_compared_has_its_own_name_and_place() -> None:
    """Scored beside ours in the same run, it is neither ours nor lost: tables and sentences name it."""
    assert model_name("rf_xgb") == "RF + XGB" and model_name(PRODUCTION_MODEL) == OUR_MODEL
    assert model_order(["elo", "rf_xgb", "grid", PRODUCTION_MODEL]) == [
        PRODUCTION_MODEL,
        "rf_xgb",
        "grid",
        "elo",
    ]
    rows = made_up(mae_ranked=0.2)
    beside = rows.filter(pl.col("model") == "grid").with_columns(model=pl.lit("rf_xgb"))
    both = pl.concat([rows, beside])
    assert {item.baseline for item in compare(both)} == {"rf_xgb", "grid", "elo"}
    lines = score_lines(by_season(both).filter(pl.col("season") == "All"))
    assert lines.columns == ["Score", OUR_MODEL, "RF + XGB", "Grid order", "Elo"]
