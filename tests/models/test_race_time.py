"""Race times: speeds by circuit, gaps by place, and how they are put beside a predicted order."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.race_time import (
    CIRCUIT_RUNNINGS,
    GROWTH_PER_PLACE,
    QUANTILES,
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
