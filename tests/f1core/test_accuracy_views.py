"""More ways to look at accuracy: counts of hits, intervals, kinds of track, surprises, every forecast."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import binomtest

from f1core.accuracy import Races, compare, rolling_scores, scores_of, season_advantages
from f1core.accuracy_views import (
    CIRCUIT_TYPES,
    circuit_type_advantages,
    every_forecast,
    hit_rates,
    hit_rates_of,
    rolling_scores_of,
    season_advantages_of,
    surprises,
)
from f1core.targets import PRODUCTION_MODEL
from f1core.wording import model_name
from warehouse.reader import Reader

RACES = 8
SCORES = pl.DataFrame(
    {
        "event_id": [f"event-{at}" for at in range(RACES)] * 2,
        "model": [PRODUCTION_MODEL] * RACES + ["grid"] * RACES,
        "winner_right": [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0] + [0.0] * 7 + [1.0],
        "winner_in_top_three": [1.0] * RACES * 2,
        "podium_overlap": [1 / 3, 2 / 3, 1.0, 0.0, 1 / 3, 2 / 3, 1.0, 1.0] * 2,
    }
)


@pytest.fixture
def reader(small_data: Path) -> Reader:
    return Reader(small_data / "warehouse")


def rate(rows: pl.DataFrame, words: str, model: str = PRODUCTION_MODEL) -> dict[str, object]:
    return rows.filter((pl.col("rate") == words) & (pl.col("model") == model_name(model))).row(0, named=True)


def test_hits_are_counted_and_have_wilson_intervals() -> None:
    rows = hit_rates(SCORES)
    named, podium = rate(rows, "Winner named"), rate(rows, "Podium places hit")
    assert (named["hits"], named["chances"], named["share"]) == (6, 8, 0.75)
    assert (named["recent_hits"], named["recent_chances"]) == (4, 5)
    assert (podium["hits"], podium["chances"]) == (15, 24), "three places a race"
    assert (podium["recent_hits"], podium["recent_chances"]) == (9, 15)
    for row, hits, total in ((named, 6, 8), (podium, 15, 24)):
        expected = binomtest(hits, total).proportion_ci(0.9, method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (rate(rows, "Winner named", "grid")["hits"], rows.height) == (1, 6)


def test_races_without_a_score_are_no_chances() -> None:
    holes = SCORES.with_columns(
        winner_right=pl.when(pl.col("event_id") == "event-7").then(None).otherwise("winner_right")
    )
    named = rate(hit_rates(holes), "Winner named")
    assert (named["hits"], named["chances"], named["recent_chances"]) == (5, 7, 4)


def test_kinds_of_track_split_the_races_and_nothing_is_lost(reader: Reader) -> None:
    column = "mae_ranked"
    table = circuit_type_advantages(reader, Races("pre_race"), column)
    scores = scores_of(reader, Races("pre_race"))
    kinds = dict(
        reader.query(
            "select event_id, circuit_type from events inner join circuits using (circuit_id)"
        ).iter_rows()
    )
    assert set(table["track"]) == {CIRCUIT_TYPES[kinds[event]] for event in scores["event_id"].unique()}
    one = table["track"][0]
    mine = [event for event, kind in kinds.items() if CIRCUIT_TYPES[kind] == one]
    expected = compare(scores.filter(pl.col("event_id").is_in(mine)), (column,))
    assert table.filter(pl.col("track") == one)["advantage"].to_list() == [
        item.advantage for item in expected
    ]
    counts = table.unique("track")["count"].sum()
    assert counts == scores["event_id"].n_unique()


def test_what_is_remembered_of_races_is_what_their_scores_give(reader: Reader) -> None:
    season = scores_of(reader, Races("pre_race"))["season"].max()
    for races in (Races("pre_race"), Races("pre_race", (int(season),))):  # type: ignore[arg-type]
        scores = scores_of(reader, races)
        assert hit_rates_of(reader, races).equals(hit_rates(scores))
        assert rolling_scores_of(reader, races).equals(rolling_scores(scores))
        advantages = season_advantages_of(reader, races, "mae_ranked")
        assert advantages.equals(season_advantages(scores, "mae_ranked")) and advantages.height


def test_surprises_begin_with_the_least_likely_winner(reader: Reader) -> None:
    rows = surprises(reader, Races("pre_race"), PRODUCTION_MODEL)
    assert rows["win_probability"].is_sorted()
    assert rows["event_id"].is_unique().all()
    assert (rows["win_probability"] <= rows["named_probability"]).all(), "who is named is given most"
    season = int(rows["season"].max())  # type: ignore[arg-type]
    part = surprises(reader, Races("pre_race", (season,)), PRODUCTION_MODEL)
    assert part.equals(rows.filter(pl.col("season") == season))
    early = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
    assert surprises(reader, Races("pre_race", until=early), PRODUCTION_MODEL).is_empty()


def test_every_forecast_is_of_one_kind(reader: Reader) -> None:
    count = reader.query("select count(*) as n from backtest_predictions where target = 'race'")["n"][0]
    rows = every_forecast(reader, "backtest", "race")
    assert rows.height == count
    assert rows["link"].str.starts_with("/race?event=").all()
    assert every_forecast(reader, "sealed", "race").is_empty()
    with pytest.raises(ValueError, match="no kind both"):
        every_forecast(reader, "both", "race")
    assert every_forecast(reader, "backtest", "race", dt.datetime(1990, 1, 1, tzinfo=dt.UTC)).is_empty()
