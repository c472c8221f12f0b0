"""More of the accuracy page: hit rates, kinds of track, surprises and every forecast, held against the tables."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from scipy.stats import binomtest

from f1core.targets import PRODUCTION_MODEL
from f1core.wording import KIND_NAMES, model_name
from tests.pages.conftest import ACCURACY, Open, draw, param
from warehouse.reader import Reader


@pytest.fixture
def reader(small_data: Path) -> Reader:
    return Reader(small_data / "warehouse")


def table_with(seen: object, *columns: str) -> pl.DataFrame:
    """The one table of the page that has these columns."""
    found = [one.value for one in seen.at.dataframe if set(columns) <= set(one.value.columns)]  # type: ignore[attr-defined]
    assert len(found) == 1, f"{len(found)} tables have {columns}"
    return pl.from_pandas(found[0])


def test_hit_rates_are_counted_from_the_scores(visit: Open, small_data: Path, reader: Reader) -> None:
    scores = reader.table("backtest_scores").filter(target="race", stage="pre_race")
    shown = table_with(visit(ACCURACY, small_data), "rate", "share", "span")
    assert shown.height == 3 * scores["model"].n_unique()
    for model in scores["model"].unique():
        mine = scores.filter(pl.col("model") == model)
        row = shown.filter((pl.col("rate") == "Winner named") & (pl.col("model") == model_name(model)))
        hits = int(mine["winner_right"].sum())
        assert row["of"][0] == f"{hits}/{mine.height}"
        assert row["share"][0] == pytest.approx(100 * hits / mine.height)
        expected = binomtest(hits, mine.height).proportion_ci(0.9, method="wilson")
        assert row["span"][0] == f"{expected.low * 100:.0f}–{expected.high * 100:.0f} %"


def test_the_greatest_surprise_is_the_winner_who_was_given_least(
    visit: Open, small_data: Path, reader: Reader
) -> None:
    found = reader.query(
        """
        select e.event_id, e.win_probability
        from backtest_prediction_entries as e
        inner join race_results as r using (event_id, driver_id)
        where e.target = 'race' and e.stage = 'pre_race' and e.model = $model
            and r.session = 'race' and r.position = 1
        order by e.win_probability, e.event_id
        """,
        {"model": PRODUCTION_MODEL},
    )
    shown = table_with(visit(ACCURACY, small_data, view="misses"), "winner", "win_probability", "named")
    assert shown["win_probability"].to_list() == pytest.approx(
        (found["win_probability"].head(shown.height) * 100).to_list()
    )
    assert shown["link"][0] == f"/race?event={found['event_id'][0]}&target=race&stage=pre_race"


def test_kinds_of_forecasts_are_never_mixed(visit: Open, small_data: Path, reader: Reader) -> None:
    heads = {
        "backtest": reader.query("select count(*) as n from backtest_predictions where target = 'race'"),
        "provisional": reader.query("select count(*) as n from forecasts where target = 'race'"),
    }
    kinds = [kind for kind in KIND_NAMES if kind in heads]
    for kind in kinds:
        seen = visit(ACCURACY, small_data, view="forecasts", kind=kind)
        choice = next(group for group in seen.at.get("button_group") if group.key == "choice_kind")
        assert choice.options == [KIND_NAMES[one] for one in kinds]
        tables = [one.value for one in seen.at.dataframe if "model_version" in one.value.columns]
        assert [len(table) for table in tables] == [heads[kind]["n"][0]], (
            "those of one kind, and no other table"
        )
    choice.set_value(kinds[0])
    assert param(draw(seen.at).at, "kind") == kinds[0]
