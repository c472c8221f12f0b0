"""The protocol of accuracy: how figures are judged, references that know no more than they may, and one set of numbers."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import polars as pl
import pytest

from benchmarks.accuracy import BESIDE, WINDOWS, report
from benchmarks.accuracy_figures import FIGURES, At, Figure, Margin, Share, Within
from benchmarks.accuracy_values import (
    CALIBRATION,
    MEANS,
    METRICS,
    Values,
    _base_rate,
    _last_practice,
    _median_gap,
    _recent_average,
    load_values,
)
from f1core.accuracy import Races, compare, reliability_curves, scores_of, season_table
from f1core.targets import RULES
from f1core.wording import model_name
from models.metrics import SCORE_NAMES
from warehouse.queries.accuracy import backtest_entries, backtest_scores, pooled_scores
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
RACE = (Target.RACE, Stage.PRE_RACE)


# --- judging ----------------------------------------------------------------------------------------------------------


def figure(
    must: At | Margin | Share | Within, printed: float | None = 1.3, *, higher: bool = False
) -> Figure:
    return Figure("x", "race", "pre_race", "mae_ranked", "2023–2026", "grid", printed, must, must, higher)


@pytest.mark.parametrize(
    ("must", "printed", "ours", "baseline", "is_met"),
    [
        # The grid is worse here than as printed: what counts is the distance to it, not our own value.
        (At(1.1), 1.3, 1.15, 1.36, True),
        (At(1.1), 1.3, 1.05, 1.24, False),
        (At(1.1), None, 1.1, 9.9, True),
        (At(1.1), None, 1.11, 9.9, False),
        (Margin(-0.02), 1.3, 1.28, 1.3, True),
        (Margin(-0.02), 1.3, 1.29, 1.3, False),
        (Margin(0.0), 1.3, 1.3, 1.3, True),
        (Margin(0.0, is_strict=True), 1.3, 1.3, 1.3, False),
        (Margin(0.0, is_strict=True), 1.3, 1.299, 1.3, True),
        (Share(-0.2), None, 8.0, 10.0, True),
        (Share(-0.2), None, 8.1, 10.0, False),
        (Within(0.76, 0.86), None, 0.8, 0.9, True),
        (Within(0.76, 0.86), None, 0.87, 0.9, False),
    ],
)
def test_a_figure_is_judged_by_the_difference_to_the_baseline(
    must: At | Margin | Share | Within, printed: float | None, ours: float, baseline: float, is_met: bool
) -> None:
    assert figure(must, printed).is_met(must, ours, baseline, ours - baseline) is is_met


def test_where_more_is_better_the_difference_must_be_at_least_so_large() -> None:
    must = At(0.7)
    one = figure(must, 0.66, higher=True)
    assert one.limit(must, None) == pytest.approx(0.04)
    assert one.is_met(must, 0.69, 0.65, 0.04) is True
    assert one.is_met(must, 0.75, 0.72, 0.03) is False
    assert one.is_met(must, 0.75, None, None) is None, "without the baseline nothing is decided"


def test_every_figure_names_what_the_tables_can_have() -> None:
    assert len({(f.target, f.stage, f.metric, f.window) for f in FIGURES}) == len(FIGURES)
    assert {f.metric for f in FIGURES} <= set(METRICS)
    assert set(MEANS) <= set(SCORE_NAMES)
    assert {f.window for f in FIGURES} <= {name for name, _, _ in WINDOWS}
    for one in FIGURES:
        assert Stage(one.stage) in RULES[Target(one.target)].stages
        if isinstance(one.must, At) and isinstance(one.aim, At):
            assert (one.aim.value > one.must.value) is one.is_higher_better, one.title


# --- references know what was known -----------------------------------------------------------------------------------


def labels_of_races() -> pl.DataFrame:
    """Four races a season, four drivers: driver a wins, nobody retires but in 2021 (all) and in the last race (all)."""
    rows = []
    for season in (2021, 2022, 2023, 2024, 2025):
        for race in range(4):
            known = dt.datetime(season, 3 + race, 1, tzinfo=dt.UTC)
            for place, driver in enumerate("abcd"):
                is_dnf = season == 2021 or (season, race) == (2025, 3)
                rows.append((f"{season}-{race}", season, known, driver, place + 1, is_dnf))
    names = ["event_id", "season", "known_at", "driver_id", "position", "is_dnf"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("season").cast(pl.Int32))


def told_of(event: str, as_of: dt.datetime) -> pl.DataFrame:
    frame = pl.DataFrame({"event_id": [event], "season": [int(event[:4])], "as_of": [as_of]})
    return frame.with_columns(pl.col("season").cast(pl.Int32))


def test_the_base_rate_is_that_of_three_seasons_and_the_present_one_so_far() -> None:
    labels = labels_of_races()
    # Before the last race of 2025: 2022-2024 and three races of 2025, nobody retired in any.
    (loss,) = _base_rate(told_of("2025-3", dt.datetime(2025, 5, 30, tzinfo=dt.UTC)), labels)["dnf_log_loss"]
    assert loss == pytest.approx(-math.log(1e-3)), "all retired in it, which it could not know"
    # 2024 still has 2021 behind it: 16 of the 48 + 4 starters of three and a quarter seasons retired.
    (loss,) = _base_rate(told_of("2024-1", dt.datetime(2024, 3, 30, tzinfo=dt.UTC)), labels)["dnf_log_loss"]
    assert loss == pytest.approx(-math.log(1 - 16 / 52))
    assert _base_rate(told_of("2021-0", dt.datetime(2021, 1, 1, tzinfo=dt.UTC)), labels).is_empty()


def test_the_recent_average_is_of_qualifyings_known_before() -> None:
    labels = labels_of_races()
    told = told_of("2025-3", dt.datetime(2025, 5, 30, tzinfo=dt.UTC))
    assert _recent_average(told, labels).select("mae_ranked", "winner_right").row(0) == (0.0, 1.0)
    turned = labels.with_columns(
        position=pl.when(pl.col("event_id") == "2025-3").then(5 - pl.col("position")).otherwise("position")
    )
    assert _recent_average(told, turned).select("mae_ranked", "winner_right").row(0) == (2.0, 0.0)


def test_the_last_practice_is_the_last_one_before_the_cutoff(tiny_data: Path) -> None:
    reader = Reader(tiny_data / "warehouse")
    practices = reader.table("practice_results")
    event = practices["event_id"][0]
    known = sorted(practices.filter(pl.col("event_id") == event)["known_at"].unique())
    order = practices.filter((pl.col("event_id") == event) & (pl.col("known_at") == known[-1]))
    labels = order.sort("display_order").select(
        "event_id", "driver_id", position=pl.int_range(1, pl.len() + 1).cast(pl.Int64)
    )
    found = _last_practice(reader, told_of(event, known[-1] + DAY), labels)
    assert found.select("mae_ranked", "winner_right").row(0) == (0.0, 1.0)
    assert _last_practice(reader, told_of(event, known[0]), labels).is_empty(), "nothing was known yet"


# --- one set of numbers -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader(small_data: Path) -> Reader:
    return Reader(small_data / "warehouse")


def values_of(reader: Reader, target: Target = Target.RACE, stage: Stage = Stage.PRE_RACE) -> Values:
    return load_values(reader, target, stage, (RULES[target].model, *BESIDE))


@pytest.mark.slow
@pytest.mark.parametrize("place", [RACE, (Target.QUALIFYING, Stage.PRE_QUALIFYING)])
def test_the_protocol_has_the_numbers_of_the_page_and_of_the_api(
    reader: Reader, place: tuple[Target, Stage]
) -> None:
    """The same races: means, calibration, differences and their intervals are the same to the last bit that counts."""
    target, stage = place
    values = values_of(reader, target, stage)
    races = Races(stage.value, target=target.value)
    pages = season_table(reader, races).filter(pl.col("season") == "All")
    answers = pooled_scores(reader, stage=stage.value, target=target.value)
    models = answers["model"].to_list()
    assert values.model in models and len(models) > 2
    for model in models:
        page = pages.row(by_predicate=pl.col("model") == model_name(model), named=True)
        answer = answers.row(by_predicate=pl.col("model") == model, named=True)
        assert values.count(model) == page["count_events"] == answer["count_events"]
        for metric in MEANS:
            mine = values.mean(model, metric)
            assert (
                mine == pytest.approx(answer[metric], nan_ok=True)
                if mine is not None
                else answer[metric] is None
            )
            if metric in page and mine is not None:
                assert mine == pytest.approx(page[metric])
        curves = reliability_curves(reader, races, model)
        for metric, outcome in CALIBRATION.items():
            assert values.mean(model, metric) == pytest.approx(
                curves.filter(pl.col("outcome") == outcome)["error"][0]
            )
    for found in compare(scores_of(reader, races), ("mae_ranked", "win_log_loss")):
        mine_paired = values.difference(values.model, found.baseline, found.score.column)
        assert mine_paired is not None and mine_paired.count == found.count
        # The page speaks of an advantage as a share; both scores are errors.
        assert [-mine_paired.mean, -mine_paired.high, -mine_paired.low] == pytest.approx(
            [found.advantage * found.theirs, found.low * found.theirs, found.high * found.theirs]
        )


@pytest.mark.slow
def test_the_median_gap_is_judged_like_any_forecast(reader: Reader) -> None:
    """Held against itself: a forecast whose gaps are the medians per place has the error of the reference."""
    values = values_of(reader)
    assert values.count("median_gap") == values.count(values.model) == values.count("base_rate")
    assert values.mean("median_gap", "win_log_loss") is None, "a reference says nothing of the rest"
    entries = backtest_entries(reader, stage="pre_race", model=values.model)
    early = told_of(entries["event_id"][0], dt.datetime(1950, 1, 1, tzinfo=dt.UTC))
    assert _median_gap(reader, early, entries, labels_of_races()).is_empty(), "nothing was raced by then"


@pytest.mark.slow
def test_what_is_printed_says_where_it_comes_from_and_holds_the_pooled_numbers(reader: Reader) -> None:
    text = report(reader, 2022, 2026, is_test=True)
    values = values_of(reader)
    assert text.splitlines()[0].startswith("<!-- Generated by `python benchmarks/accuracy.py --write`")
    assert reader.snapshot.id in text
    count = backtest_scores(reader, stage="pre_race")["event_id"].n_unique()
    assert f"### 2022–2026, {count} races" in text
    mean = values.mean(values.model, "mae_ranked")
    assert f"| MAE ranked | {mean:.3f} |" in text
    assert text.count("| win log loss | 2023–2026 |") == 2, "the race at two stages"
    assert "Race, stage post_qualifying" not in text or "What the penalties cost" in text


@pytest.mark.slow
def test_a_model_or_stage_that_is_not_there_is_said_to_be_missing(reader: Reader) -> None:
    text = report(reader, 2022, 2026, is_test=True, model="nobody")
    assert "`nobody` (not in the tables)" in text
    assert "not measured" in text and "| **no** |" not in text.split("## Race, stage")[0].replace("yes", "")
    empty = report(reader, 2014, 2021, is_test=False)
    assert "The backtest tables hold none of these seasons." in empty
    assert "Against the figures" not in empty, "seasons of choice are not judged"
