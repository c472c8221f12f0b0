from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from models.strategy.race_clock import RaceClock, race_clocks
from models.strategy.rejoin import RejoinModel, green_stops, position_shares, rivals_on_track
from models.strategy.undercut import FEATURES, UndercutModel, undercut_features, undercut_pairs

LAP_S, LOSS_S = 90.0, 21.0


def race(
    stops: dict[str, int], starts: dict[str, float], laps: int = 30, season: int = 2020, event: str = "e"
) -> pl.DataFrame:
    """Cars at a constant pace that start some seconds apart and stop once."""
    rows = []
    for name, start in starts.items():
        at, fitted = 1000.0 + start, 1
        for lap in range(1, laps + 1):
            is_in, is_out = stops.get(name) == lap, stops.get(name) == lap - 1
            fitted = lap if is_out else fitted
            took = LAP_S + 0.05 * (lap - fitted) + LOSS_S * is_out
            at += took
            rows.append(
                {
                    "event_id": event,
                    "season": season,
                    "circuit_id": "ring",
                    "driver_id": name,
                    "car_number": name,
                    "lap_number": lap,
                    "lap_time_s": took,
                    "lap_end_session_s": at,
                    "compound": "medium" if lap <= stops.get(name, laps) else "hard",
                    "tyre_life_laps": lap - fitted + 1,
                    "is_in_lap": is_in,
                    "is_out_lap": is_out,
                    "is_green": True,
                    "known_at": dt.datetime(season, 6, 1, tzinfo=dt.UTC),
                }
            )
    return pl.DataFrame(rows)


FIELD = {"a": 0.0, "b": 1.5, "c": 10.0, "d": 24.0, "e": 40.0}


def clock(stops: dict[str, int], **changes: object) -> RaceClock:
    (found,) = race_clocks(race(stops, FIELD, **changes))  # type: ignore[arg-type]
    return found


def test_the_rejoin_position_is_told_from_gaps_and_loss() -> None:
    seen = clock({"a": 15})
    model = RejoinModel().fit([clock({"b": 15}, season=2019, event="old")])
    assert list(green_stops(seen)) == [(0, 15)]
    rivals = rivals_on_track(seen, 0, 15)
    told = model.predict(seen, 0, 15, rivals)
    assert told is not None
    # 21 s and what worn tyres lose: behind b and c, in front of d
    assert told.position == 3
    assert told.shares.sum() == pytest.approx(1)
    assert told.time_s == pytest.approx(seen.end_s[16, 0], abs=1.0)


def test_pit_loss_comes_from_earlier_seasons_only() -> None:
    model = RejoinModel().fit([clock({"a": 15}, season=2019), clock({"b": 12}, season=2021)])
    assert model.loss_s("ring", 2019) == RejoinModel().loss_s("ring", 2019)
    assert model.loss_s("ring", 2020) == pytest.approx(model.losses["ring"][2019])
    assert model.loss_s("another", 2020) == pytest.approx(model.losses["ring"][2019])


def test_nothing_after_the_last_line_before_the_stop_is_used() -> None:
    seen = clock({"a": 15, "b": 17})
    later = replace(
        seen,
        end_s=np.where(np.arange(len(seen.end_s))[:, None] >= 15, 1e6, seen.end_s),
        clean_s=np.where(np.arange(len(seen.end_s))[:, None] >= 15, np.nan, seen.clean_s),
        age=np.where(np.arange(len(seen.end_s))[:, None] >= 15, 99, seen.age),
        is_in=np.where(np.arange(len(seen.end_s))[:, None] >= 16, True, seen.is_in),
    )
    model, rivals = RejoinModel().fit([seen]), np.array([False, True, True, True, True])
    first, second = (model.predict(c, 0, 15, rivals) for c in (seen, later))
    assert first is not None and second is not None
    assert (first.position, first.time_s) == (second.position, second.time_s)
    assert undercut_features(seen, 1, 0, 15, "hard") == undercut_features(later, 1, 0, 15, "hard")


def test_rivals_who_stop_around_the_same_lap_are_left_out() -> None:
    seen = clock({"a": 15, "b": 14, "c": 16, "d": 18})
    assert rivals_on_track(seen, 0, 15).tolist() == [False, False, False, True, True]


def test_positions_are_shares_of_all_outcomes() -> None:
    shares = position_shares(np.array([10.0, 0.0, -10.0]), scale_s=0.5)
    assert shares == pytest.approx([0, 0.5, 0.5, 0], abs=1e-6)


def test_an_undercut_is_a_stop_before_the_rival_ahead_that_he_answers() -> None:
    rows = undercut_pairs(clock({"b": 12, "a": 14}))
    assert [(r["driver_id"], r["rival_id"], r["lap"], r["reply_laps"]) for r in rows] == [("b", "a", 12, 2)]
    # two laps on new tyres are worth 0.05 s for every lap of age, twelve laps old
    assert rows[0]["is_ahead"] is False
    assert rows[0]["gap_s"] == pytest.approx(1.5)
    assert undercut_pairs(clock({"a": 12, "b": 14})) == []
    assert undercut_pairs(clock({"b": 12, "a": 17})) == []
    assert undercut_pairs(clock({"b": 12, "c": 12})) == []


def planted(count: int, seed: int = 1) -> pl.DataFrame:
    """Pairs whose outcome hangs on the gap and on wear, and on nothing else."""
    rng = np.random.default_rng(seed)
    rows = {name: rng.normal(0, 1, count) for name in FEATURES}
    rows["gap"] = rng.uniform(0.3, 4, count)
    odds = 1 / (1 + np.exp(-(2.0 - 1.2 * rows["gap"] + 0.8 * rows["field_wear"])))
    return pl.DataFrame({**rows, "is_ahead": rng.random(count) < odds})


def test_the_undercut_model_finds_what_was_planted() -> None:
    model = UndercutModel.fit(planted(4000))
    slopes = dict(zip(FEATURES, model.coefficients[1:] / model.scales, strict=True))
    assert slopes.pop("gap") == pytest.approx(-1.2, abs=0.12)
    assert slopes.pop("field_wear") == pytest.approx(0.8, abs=0.12)
    assert max(abs(slope) for slope in slopes.values()) < 0.12
    odds = model.probability(planted(500, seed=2))
    assert ((odds > 0) & (odds < 1)).all()


def test_the_model_does_not_hang_on_the_order_of_the_pairs() -> None:
    pairs = planted(300)
    first, second = UndercutModel.fit(pairs), UndercutModel.fit(pairs.reverse())
    assert first.coefficients == pytest.approx(second.coefficients, abs=1e-9)
    with pytest.raises(ValueError, match="succeeded"):
        UndercutModel.fit(pairs.filter(pl.col("is_ahead")))


def test_the_odds_hang_on_the_rival_that_is_the_target() -> None:
    # A model that does not know its target gives every rival the same odds.
    seen, model = clock({"b": 12, "a": 14}), UndercutModel.fit(planted(2000))
    near, far = (undercut_features(seen, 2, rival, 12, "hard") for rival in (1, 0))
    assert near is not None and far is not None
    odds = model.probability(pl.DataFrame([near, far]))
    assert odds[0] > odds[1]
