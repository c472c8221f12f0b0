"""Race times: speeds by circuit, gaps by place, and how they are put beside a predicted order."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.gap_model import MIN_RACES, QUANTILES, GapModel
from models.race_time import (
    CIRCUIT_RUNNINGS,
    GROWTH_PER_PLACE,
    RACE_DISTANCE_KM,
    RECENT_RACES,
    RaceTimes,
)
from warehouse.errors import NotReady


def races(speeds: dict[str, list[float]], distance_km: float = 300.0) -> pl.DataFrame:
    """Races of given winner's speeds [km/h], circuits in turn, oldest first."""
    rows = []
    for number in range(max(map(len, speeds.values()))):
        for circuit, found in speeds.items():
            if number < len(found):
                rows.append(
                    {
                        "event_id": f"{2000 + number}-{circuit}",
                        "circuit_id": circuit,
                        "winner_time_s": distance_km / found[number] * 3600,
                        "distance_km": distance_km,
                    }
                )
    return pl.DataFrame(rows)


def finishers(known: pl.DataFrame, gap_s: float = 5.0, places: int = 8, scale: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"event_id": event, "position": place, "gap_s": gap_s * scale * (place - 1)}
            for event in known["event_id"]
            for place in range(1, places + 1)
        ]
    )


def forecast(order: list[str], low: list[int] | None = None, high: list[int] | None = None) -> pl.DataFrame:
    n = len(order)
    return pl.DataFrame(
        {
            "driver_id": order,
            "predicted_position": pl.Series(range(1, n + 1), dtype=pl.Int32),
            "position_low": pl.Series(low or [max(1, k - 2) for k in range(1, n + 1)], dtype=pl.Int32),
            "position_high": pl.Series(high or [min(n, k + 3) for k in range(1, n + 1)], dtype=pl.Int32),
        }
    )


@pytest.fixture
def fitted() -> RaceTimes:
    known = races({"fast": [240.0] * 8, "slow": [150.0] * 8})
    return RaceTimes.fit(known, finishers(known))


def test_a_circuit_keeps_its_own_speed_and_a_new_one_gets_the_usual(fitted: RaceTimes) -> None:
    assert fitted.winner_time("fast", 300.0)[1] == pytest.approx(300 / 240 * 3600)
    assert fitted.winner_time("slow", 300.0)[1] == pytest.approx(300 / 150 * 3600)
    assert fitted.winner_time("unheard-of", 300.0)[1] == pytest.approx(300 / 195 * 3600)
    assert fitted.winner_time("fast", None)[1] == pytest.approx(RACE_DISTANCE_KM / 240 * 3600)


def test_only_the_last_runnings_of_a_circuit_count() -> None:
    known = races({"rebuilt": [100.0] * 10 + [200.0] * CIRCUIT_RUNNINGS})
    assert RaceTimes.fit(known, finishers(known)).speeds["rebuilt"] == pytest.approx(200.0)


def test_gaps_come_from_recent_races_only() -> None:
    known = races({"one": [200.0] * (RECENT_RACES + 10)})
    old, new = known.head(10), known.tail(RECENT_RACES)
    times = RaceTimes.fit(known, pl.concat([finishers(old, scale=10.0), finishers(new)]))
    assert times.gaps[1].tolist() == pytest.approx([5.0 * k for k in range(8)])


def test_the_interval_of_the_winners_time_is_that_of_past_surprises() -> None:
    rng = np.random.default_rng(1)
    speeds = 200.0 * np.exp(rng.normal(0, 0.05, 60))
    known = races({"one": speeds.tolist()})
    low, middle, high = RaceTimes.fit(known, finishers(known)).spread
    assert low < middle == 1.0 < high
    assert low == pytest.approx(np.exp(-1.28 * 0.05), abs=0.04)
    assert high == pytest.approx(np.exp(1.28 * 0.05), abs=0.04)


def test_few_races_give_a_wide_interval_rather_than_none() -> None:
    known = races({"one": [200.0] * 5})
    assert RaceTimes.fit(known, finishers(known)).spread.tolist() == [0.95, 1.0, 1.1]


def test_gaps_follow_the_place_and_grow_beyond_the_last_one_seen(fitted: RaceTimes) -> None:
    timed = fitted.add_to(forecast([f"d{k}" for k in range(12)]), "fast", 300.0)
    assert timed["gap_s"].head(8).to_list() == pytest.approx([5.0 * k for k in range(8)])
    assert timed["gap_s"][9] == pytest.approx(35.0 * GROWTH_PER_PLACE**2)
    assert timed["race_time_s"].to_list() == pytest.approx([4500.0 + gap for gap in timed["gap_s"]])
    assert timed["gap_low_s"][0] == timed["gap_s"][0] == 0.0


def test_rows_come_in_predicted_order_whatever_order_they_had(fitted: RaceTimes) -> None:
    shuffled = forecast(["a", "b", "c", "d"])[[2, 0, 3, 1]]
    assert fitted.add_to(shuffled, "fast", 300.0)["driver_id"].to_list() == ["a", "b", "c", "d"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_order_gaps_never_shrink_and_intervals_hold_their_middle(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 26))
    lows = [data.draw(st.integers(1, k)) for k in range(1, n + 1)]
    highs = [data.draw(st.integers(k, n)) for k in range(1, n + 1)]
    noise = np.random.default_rng(data.draw(st.integers(0, 1000)))
    known = races({"one": (200 * np.exp(noise.normal(0, 0.03, 20))).tolist()})
    gaps = finishers(known, places=12).with_columns(
        pl.col("gap_s") * pl.Series(np.exp(noise.normal(0, 0.8, known.height * 12)))
    )
    timed = RaceTimes.fit(known, gaps).add_to(
        forecast([f"d{k:02d}" for k in range(n)], lows, highs), "one", None
    )
    assert timed["gap_s"][0] == 0.0
    for name in ("gap", "race_time"):
        low, middle, high = (timed[f"{name}{part}_s"] for part in ("_low", "", "_high"))
        assert ((middle.diff().drop_nulls()) >= 0).all()
        assert (low <= middle).all() and (middle <= high).all()
        assert (low >= 0).all()
    assert timed.select(pl.exclude("driver_id")).to_numpy().dtype.kind == "f"
    assert np.isfinite(timed["race_time_high_s"].to_numpy()).all()


def test_places_seen_too_rarely_teach_nothing() -> None:
    known = races({"one": [200.0] * 8})
    gaps = pl.concat(
        [
            finishers(known, places=4),
            pl.DataFrame(
                {"event_id": [known["event_id"][0]] * 2, "position": [5, 6], "gap_s": [900.0, 901.0]}
            ),
        ]
    )
    assert RaceTimes.fit(known, gaps).gaps.shape == (len(QUANTILES), 4)


def test_impossible_gaps_and_times_are_left_out() -> None:
    known = races({"one": [200.0] * 8, "two": [0.0001] * 2}).with_columns(
        winner_time_s=pl.when(pl.col("circuit_id") == "two").then(0.0).otherwise(pl.col("winner_time_s"))
    )
    gaps = finishers(known).with_columns(
        gap_s=pl.when(pl.col("position") == 3).then(-1.0).otherwise(pl.col("gap_s"))
    )
    times = RaceTimes.fit(known, gaps)
    assert "two" not in times.speeds
    assert (np.diff(times.gaps, axis=1) >= 0).all()


def test_without_races_or_gaps_it_says_so() -> None:
    none = races({"one": [200.0]}).clear()
    with pytest.raises(NotReady, match="No timed race"):
        RaceTimes.fit(
            none,
            finishers(none)
            if none.height
            else pl.DataFrame(schema={"event_id": pl.String, "position": pl.Int32, "gap_s": pl.Float64}),
        )
    known = races({"one": [200.0]})
    with pytest.raises(NotReady, match="No gaps"):
        RaceTimes.fit(known, finishers(known).clear())


# --- the model of gaps --------------------------------------------------------------------------------------------------


def history(
    count: int = 60, *, drivers: int = 16, wide: float = 1.0, seed: int = 2, per_place_s: float = 6.0
) -> pl.DataFrame:
    """Past fields: who starts k-th is the k-th fastest by rating and on the grid, and finishes about there.

    At the circuit ``wide`` gaps are ``wide`` times as large as at ``usual``.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for race in range(count):
        circuit = "wide" if race % 2 else "usual"
        strength = np.arange(drivers) + rng.normal(0, 1.5, drivers)
        finish = strength + rng.normal(0, 2.0, drivers)
        order = np.argsort(np.argsort(finish))
        grid = np.argsort(np.argsort(strength))
        behind = (np.sort(finish) - finish.min()) * per_place_s * float(np.exp(rng.normal(0, 0.3)))
        behind *= wide if circuit == "wide" else 1.0
        rows += [
            {
                "event_id": f"{2015 + race // 20}-race-{race:03d}",
                "circuit_id": circuit,
                "lap_km": 5.0,
                "is_usual": True,
                "driver_id": f"driver-{k:02d}",
                "grid_position": int(grid[k]) + 1,
                "race_pace_gap": 0.1 * float(strength[k]),
                "qualifying_gap_pct": 0.1 * float(strength[k] - strength.min()),
                "position": int(order[k]) + 1,
                "gap_s": float(behind[order[k]]) if order[k] < 11 else None,
            }
            for k in range(drivers)
        ]
    return pl.DataFrame(rows)


def expected(order: list[str], positions: list[float] | None = None) -> pl.DataFrame:
    places = positions or [float(k) for k in range(1, len(order) + 1)]
    return forecast(order).with_columns(expected_position=pl.Series(places))


@pytest.fixture(scope="module")
def known() -> tuple[pl.DataFrame, pl.DataFrame]:
    found = races({"usual": [200.0] * 30, "wide": [200.0] * 30})
    return found, finishers(found, places=14)


@pytest.fixture(scope="module")
def modelled(known: tuple[pl.DataFrame, pl.DataFrame]) -> RaceTimes:
    return RaceTimes.fit(*known, history(120))


NAMES = [f"driver-{k:02d}" for k in range(14)]


def test_planted_gaps_are_predicted_better_than_by_the_median_per_place(
    known: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    past, later = history(120), history(40, seed=77)
    model = GapModel.fit(past)
    places = past.filter(pl.col("gap_s").is_not_null()).group_by("position").agg(pl.col("gap_s").median())
    by_place = dict(places.iter_rows())
    errors, baseline, inside = [], [], []
    for _, field in later.group_by(["event_id"], maintain_order=True):
        rows = (
            field.with_columns(expected_position=pl.Series(model.expected_positions(field)))
            .sort("expected_position")
            .with_row_index("place", offset=1)
        )
        low, middle, high = model.gaps(
            rows["place"].to_numpy().astype(np.int64),
            rows["expected_position"].to_numpy(),
            circuit_id=rows["circuit_id"][0],
            lap_km=5.0,
            pace=rows,
        )
        gaps = rows["gap_s"].to_list()
        for at, gap in enumerate(gaps):
            if gap is None or at == 0:
                continue
            errors.append(abs(middle[at] - gap))
            baseline.append(abs(by_place.get(at + 1, max(by_place.values())) - gap))
            inside.append(low[at] <= gap <= high[at])
    assert np.mean(errors) < 0.97 * np.mean(baseline)
    assert 0.7 < np.mean(inside) < 0.9


def test_the_same_place_is_farther_back_when_its_driver_is_expected_farther_back(modelled: RaceTimes) -> None:
    close = expected(NAMES, [5.0 + 0.2 * k for k in range(14)])
    apart = expected(NAMES, [2.0 + 0.9 * k for k in range(14)])
    near, far = (modelled.add_to(rows, "usual", 300.0)["gap_s"].to_numpy() for rows in (close, apart))
    assert (near[4:] < far[4:]).all()


def test_who_is_slower_in_the_race_is_farther_behind(modelled: RaceTimes) -> None:
    rows = expected(NAMES, [2.0 + 0.6 * k for k in range(14)])
    told = [
        pl.DataFrame({"driver_id": NAMES, "race_pace_gap": [slope * k for k in range(14)]})
        for slope in (0.0, 0.2)
    ]
    quick, slow = (
        modelled.add_to(rows, "usual", 300.0, features=features)["gap_s"].to_numpy() for features in told
    )
    assert (quick[3:10] < slow[3:10]).all()


def test_a_circuit_with_wide_gaps_keeps_part_of_its_width() -> None:
    model = GapModel.fit(history(120, wide=1.6))
    places, order = np.arange(1, 15), np.arange(1.0, 15.0)
    wide, usual, unknown = (
        model.gaps(places, order, circuit_id=circuit)[1] for circuit in ("wide", "usual", "unheard-of")
    )
    assert (usual[2:] < unknown[2:]).all() and (unknown[2:] < wide[2:]).all()
    assert (wide[2:] / usual[2:]).max() < 1.6


def test_races_that_were_stopped_teach_no_gaps() -> None:
    past = history(60)
    stopped = history(20, seed=9, per_place_s=0.1).with_columns(
        event_id=pl.lit("2029-") + pl.col("event_id"), is_usual=pl.lit(value=False)
    )
    for name in ("coefficients", "standin", "fill"):
        with_them = getattr(GapModel.fit(pl.concat([past, stopped])), name)
        assert np.array_equal(with_them, getattr(GapModel.fit(past), name))


def test_names_and_the_order_of_rows_within_a_race_do_not_matter() -> None:
    past = history(40)
    shuffled = past.with_columns(
        driver_id=pl.lit("x-") + pl.col("driver_id").str.reverse(),
        key=pl.Series(np.random.default_rng(1).random(past.height)),
    ).sort("event_id", "key")
    np.testing.assert_allclose(
        GapModel.fit(shuffled.drop("key")).coefficients, GapModel.fit(past).coefficients, rtol=1e-6, atol=1e-6
    )


def test_features_that_are_missing_are_guessed(modelled: RaceTimes) -> None:
    rows = expected(NAMES, [2.0 + 0.9 * k for k in range(14)])
    none = modelled.add_to(rows, "usual", 300.0)
    empty = pl.DataFrame({"driver_id": NAMES, "qualifying_gap_pct": pl.Series([None] * 14, dtype=pl.Float64)})
    assert modelled.add_to(rows, "usual", 300.0, features=empty).equals(none)
    partly = pl.DataFrame({"driver_id": NAMES[:5], "race_pace_gap": [0.0, 0.1, 0.2, 0.3, 0.4]})
    said = modelled.add_to(rows, "usual", 300.0, features=partly)
    assert said["gap_s"].is_not_null().all()
    assert modelled.add_to(rows, "nowhere", None, lap_km=None)["gap_s"].is_finite().all()


def test_too_few_races_leave_the_median_per_place(known: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    few = history(MIN_RACES - 1)
    times = RaceTimes.fit(*known, few)
    assert times.model is None
    rows = expected(NAMES)
    assert times.add_to(rows, "usual", 300.0).equals(RaceTimes.fit(*known).add_to(rows, "usual", 300.0))
    with pytest.raises(NotReady, match="Too few races"):
        GapModel.fit(few)
    assert RaceTimes.fit(*known, history(MIN_RACES)).model is not None


def test_the_same_history_gives_the_same_model() -> None:
    first, second = (GapModel.fit(history(40)) for _ in range(2))
    assert first.coefficients.tobytes() == second.coefficients.tobytes()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_modelled_gaps_never_shrink_and_intervals_hold_their_middle(
    modelled: RaceTimes, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, 26))
    positions = sorted(data.draw(st.lists(st.floats(1, n), min_size=n, max_size=n)))
    if data.draw(st.booleans()):
        positions = positions[::-1]
    names = [f"d{k:02d}" for k in range(n)]
    pace = data.draw(
        st.lists(st.one_of(st.none(), st.floats(0, 7)), min_size=n, max_size=n).map(
            lambda values: pl.Series("race_pace_gap", values, dtype=pl.Float64)
        )
    )
    timed = modelled.add_to(
        expected(names, positions),
        "usual",
        None,
        features=pl.DataFrame({"driver_id": names}).with_columns(pace),
    )
    assert timed["gap_s"][0] == timed["gap_low_s"][0] == 0.0
    for name in ("gap", "race_time"):
        low, middle, high = (timed[f"{name}{part}_s"] for part in ("_low", "", "_high"))
        assert (middle.diff().drop_nulls() >= 0).all()
        assert (low <= middle).all() and (middle <= high).all()
        assert (low >= 0).all() and high.is_finite().all()
