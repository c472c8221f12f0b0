from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ratings import all_ratings, carried, elo_timeline, race_changes
from warehouse.errors import ContractViolation


def results(*events: tuple[int, list[tuple[str, str]]]) -> pl.DataFrame:
    """Events as (season, [(driver, team) in order of finish])."""
    return pl.DataFrame(
        [
            {
                "event_id": f"{season}-{number}",
                "season": season,
                "known_at": dt.datetime(season, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number),
                "driver_id": driver,
                "constructor_id": team,
                "position": position,
                "qualifying_gap_pct": None,
            }
            for number, (season, order) in enumerate(events)
            for position, (driver, team) in enumerate(order, start=1)
        ],
        schema_overrides={"qualifying_gap_pct": pl.Float64},
    )


def rating(timeline: pl.DataFrame, event: str, kind: str, entity: str) -> float:
    return timeline.filter(
        pl.col("event_id") == event, pl.col("entity_kind") == kind, pl.col("entity_id") == entity
    )["value"].item()


def test_two_drivers_by_hand() -> None:
    timeline = elo_timeline(results((2020, [("a", "x"), ("b", "y")]), (2020, [("a", "x"), ("b", "y")])))
    # equal ratings: the winner takes half of K = 32
    assert rating(timeline, "2020-0", "driver", "a") == pytest.approx(1516.0)
    assert rating(timeline, "2020-0", "driver", "b") == pytest.approx(1484.0)
    # then 1516 against 1484 is expected to score 1 / (1 + 10 ** (-32 / 400))
    assert rating(timeline, "2020-1", "driver", "a") == pytest.approx(1516.0 + 32 * (1 - 1 / (1 + 10**-0.08)))
    assert rating(timeline, "2020-1", "constructor", "x") == pytest.approx(
        rating(timeline, "2020-1", "driver", "a")
    )


def test_a_winter_moves_ratings_to_the_base() -> None:
    same = elo_timeline(results((2020, [("a", "x"), ("b", "y")]), (2020, [("b", "y"), ("a", "x")])))
    winter = elo_timeline(results((2020, [("a", "x"), ("b", "y")]), (2021, [("b", "y"), ("a", "x")])))
    # over the winter 16 points of lead shrink to 0.8 * 16: the surprise, and so the change, is smaller
    lead = 2 * 0.8 * 16
    expected = 1500 + 0.8 * 16 - 32 / (1 + 10 ** (-lead / 400))
    assert rating(winter, "2021-1", "driver", "a") == pytest.approx(expected)
    assert rating(winter, "2021-1", "driver", "a") != rating(same, "2020-1", "driver", "a")
    assert carried(np.array([1600.0]), "constructor", 2)[0] == pytest.approx(1500 + 100 * 0.6**2)


@given(st.lists(st.floats(1000, 2200), min_size=2, max_size=26), st.randoms())
def test_a_race_is_a_zero_sum_game_of_at_most_k(ratings: list[float], random) -> None:
    positions = list(range(1, len(ratings) + 1))
    random.shuffle(positions)
    change = race_changes(np.array(ratings), np.array(positions, dtype=float))
    assert abs(change.sum()) < 1e-9
    assert np.all(np.abs(change) <= 32.0)
    assert change[positions.index(1)] >= 0
    assert change[positions.index(len(ratings))] <= 0


def test_team_mates_do_not_play_for_their_team_against_each_other() -> None:
    timeline = elo_timeline(results((2020, [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")])))
    # each x car beats both y cars; what one gains on its mate the other loses: 32/3 * mean(1.5, .5)
    assert rating(timeline, "2020-0", "constructor", "x") == pytest.approx(1500 + 32 / 3)
    assert rating(timeline, "2020-0", "constructor", "y") == pytest.approx(1500 - 32 / 3)


def test_a_driver_twice_in_an_event_is_refused() -> None:
    with pytest.raises(ContractViolation, match="a appears twice"):
        elo_timeline(results((2020, [("a", "x"), ("b", "y"), ("a", "z")])))


def test_renaming_drivers_renames_their_ratings(planted) -> None:
    rows, *_ = planted
    renamed = rows.with_columns(driver_id=pl.concat_str(pl.lit("z"), pl.col("driver_id").str.reverse()))
    before = all_ratings(rows).filter(pl.col("entity_kind") == "driver")
    after = all_ratings(renamed).filter(pl.col("entity_kind") == "driver")
    before = before.with_columns(entity_id=pl.concat_str(pl.lit("z"), pl.col("entity_id").str.reverse()))
    keys = ["event_id", "entity_id", "rating_kind"]
    joined = before.join(after, on=keys)
    assert joined.height == before.height
    np.testing.assert_allclose(
        joined["value"].to_numpy(), joined["value_right"].to_numpy(), rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("cut", [1, 37, 74])
def test_the_past_does_not_change_by_a_bit(planted, cut: int) -> None:
    rows, *_ = planted
    moment = rows["known_at"].unique().sort()[cut]
    later = pl.col("known_at") >= moment
    rng = np.random.default_rng(cut)
    changed = rows.with_columns(
        position=pl.when(later).then(21 - pl.col("position")).otherwise("position"),
        qualifying_gap_pct=pl.when(later)
        .then(pl.Series(rng.random(rows.height)))
        .otherwise("qualifying_gap_pct"),
        constructor_id=pl.when(later)
        .then(pl.lit("new-") + pl.col("constructor_id"))
        .otherwise("constructor_id"),
        driver_id=pl.when(later).then(pl.lit("a-") + pl.col("driver_id")).otherwise("driver_id"),
    )
    past = pl.col("known_at") < moment
    keys = ["known_at", "event_id", "entity_kind", "entity_id", "rating_kind"]
    expected = all_ratings(rows).filter(past).sort(keys)
    assert expected.height > 0
    for future in (changed, rows.filter(past), changed.sample(fraction=1.0, shuffle=True, seed=cut)):
        assert all_ratings(future).filter(past).sort(keys).equals(expected)
