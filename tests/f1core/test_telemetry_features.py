"""Values of car telemetry: two laps worked out by hand, real ones by a plain oracle, and what must hold of any lap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1core.features.session.lap_channels import (
    Circuit,
    Corner,
    LapChannels,
    Straight,
    speed_minima,
)
from f1core.features.session.lap_values import TELEMETRY_VALUES
from f1core.features.session.telemetry import telemetry_values
from tests.telemetry_oracle import Sample, by_oracle, circuit_by_oracle, minima_by_oracle

NAN = float("nan")
META = {"telemetry_lap_number", "telemetry_samples", "telemetry_hole_s"}


def values_of(lap: LapChannels, circuit: Circuit) -> dict[str, float | None]:
    return {name: value.function(lap, circuit) for name, value in TELEMETRY_VALUES.items()}


def channels(start: float, end: float, **columns: Sequence[float]) -> LapChannels:
    return LapChannels(start, end, **{name: np.array(values, float) for name, values in columns.items()})


Values = dict[str, float | None]


def assert_same(found: Values, expected: Values, within: float = 1e-9) -> None:
    """Equal names; equal values up to rounding; None only where None is expected."""
    assert found.keys() == expected.keys()
    assert {n for n, v in found.items() if v is None} == {n for n, v in expected.items() if v is None}
    known = {n: v for n, v in expected.items() if v is not None}
    assert {n: found[n] for n in known} == pytest.approx(known, rel=within, abs=within)


# --- two laps by hand ---------------------------------------------------------------------------------------------------

# Ten seconds, a sample every second: 50, 60, 70, 50, 30, 30, 40, 50, 60 m/s.
STEADY = channels(
    0.0,
    10.0,
    at_s=[1, 2, 3, 4, 5, 6, 7, 8, 9],
    speed_kph=[180, 216, 252, 180, 108, 108, 144, 180, 216],
    throttle_pct=[100, 100, 99, 0, 0, 2, 50, 98, 100],
    is_braking=[0, 0, 0, 1, 1, 0, 0, 0, 0],
    gear=[6, 7, 8, 5, 3, 3, 4, 6, 7],
    rpm=[11000, 11200, 11500, 10000, 9000, 9500, 10500, 11000, 11300],
    drs=[12, 12, 14, 8, 8, 8, 8, 8, 8],
)
# The way is 50 + 55 | 65 | 60 | 40 | 30 | 35 | 45 | 55 | 60 = 495 m; the samples lie at 50, 105, 170, 230, 270, 300, 335, 380, 435 m.
ROUND = Circuit(
    corners=(Corner(0.0, 0.3, 210.0), Corner(0.35, 0.7, 110.0), Corner(0.7, 0.8, 130.0)),
    straights=(Straight(0.0, 0.5, 250.0), Straight(0.6, 1.0, 220.0)),
    count_laps=3,
    lap_m=495.0,
)
STEADY_BY_HAND = {
    "full_throttle_share": (2 + 1 + 1 + 1 + 1) / 10,  # the first sample holds from the line on
    "full_throttle_distance_share": (105 + 65 + 60 + 55 + 60) / 495,
    "partial_throttle_share": 1 / 10,
    "coasting_share": 1 / 10,
    "throttle_movement_pct_per_s": (0 + 1 + 99 + 0 + 2 + 48 + 48 + 2) / 10,
    "braking_share": 2 / 10,
    "braking_zones": 1,
    "braking_deceleration_mps2": (20 + 0) / 2,
    "braking_peak_mps2": 20 / 1,
    "lap_top_speed_kph": 252,
    "lap_mean_speed_kph": 49.5 * 3.6,
    "slow_corner_speed_kph": 108,
    "medium_corner_speed_kph": 180,  # its only sample, at 380 of 495 m
    "fast_corner_speed_kph": 180,
    "straight_speed_delta_kph": ((252 - 250) + (216 - 220)) / 2,
    "gear_changes": 1 + 1 + 3 + 2 + 0 + 1 + 2 + 1,
    "gear_mean": (2 * 6 + 7 + 8 + 5 + 3 + 3 + 4 + 6 + 7) / 10,
    "top_gear_share": 1 / 10,
    "upshift_rpm": (11000 + 11200 + 9500 + 10500 + 11000) / 5,
    "drs_open_share": 4 / 10,
}
# Six seconds at irregular instants, one throttle sample missing, no DRS: 80, 80, 82, 84, 50, 45, 40, 60, 70 m/s.
RAGGED = channels(
    100.0,
    106.0,
    at_s=[100.2, 100.4, 100.9, 101.5, 102.9, 103.1, 103.5, 104.3, 105.0],
    speed_kph=[288, 288, 295.2, 302.4, 180, 162, 144, 216, 252],
    throttle_pct=[99, 99, NAN, 99, 0, 0, 10, 100, 100],
    is_braking=[0, 0, 0, 0, 1, 1, 0, 0, 0],
    gear=[8, 8, 8, 8, 4, 3, 3, 5, 6],
    rpm=[12000, 12000, 12050, 12100, 10500, 10000, 9500, 11000, 11500],
    drs=[NAN] * 9,
)
RAGGED_WAY = 32 + 40.5 + 49.8 + 93.8 + 9.5 + 17 + 40 + 45.5 + 70
RAGGED_BY_HAND = {
    "full_throttle_share": (0.4 + 1.1 + 1.4 + 0.7 + 1.0) / 6,  # the second sample holds over the missing one
    "full_throttle_distance_share": (32 + 90.2 + 93.8 + 45.5 + 70)
    / (32 + 90.2 + 93.8 + 9.5 + 17 + 40 + 45.5 + 70),
    "partial_throttle_share": 0.8 / 6,
    "coasting_share": 0.0,
    "throttle_movement_pct_per_s": (0 + 0 + 99 + 0 + 10 + 90 + 0) / 6,
    "braking_share": (0.2 + 0.4) / 6,
    "braking_zones": 1,
    "braking_deceleration_mps2": (5 + 5) / 0.6,
    "braking_peak_mps2": 10 / 0.6,  # half a second from the first braking sample on: until the brakes are off
    "lap_top_speed_kph": 302.4,
    "lap_mean_speed_kph": RAGGED_WAY / 6 * 3.6,
    "slow_corner_speed_kph": None,  # no sample in one of the two: 107 to 213 m is between two samples
    "medium_corner_speed_kph": None,
    "fast_corner_speed_kph": 288,
    "straight_speed_delta_kph": None,
    "gear_changes": 4 + 1 + 0 + 2 + 1,
    "gear_mean": (2.9 * 8 + 0.2 * 4 + 0.4 * 3 + 0.8 * 3 + 0.7 * 5 + 1.0 * 6) / 6,
    "top_gear_share": 2.9 / 6,
    "upshift_rpm": (9500 + 11000) / 2,
    "drs_open_share": None,
}
SHORT_OF_SAMPLES = Circuit(
    corners=(Corner(0.0, 0.25, 210.0), Corner(0.31, 0.5, 110.0), Corner(0.54, 0.8, 120.0)),
    straights=(Straight(0.0, 0.5, 250.0), Straight(0.6, 1.0, 220.0)),
    count_laps=2,
    lap_m=398.0,
)


@pytest.mark.parametrize(
    ("lap", "circuit", "by_hand"),
    [(STEADY, ROUND, STEADY_BY_HAND), (RAGGED, SHORT_OF_SAMPLES, RAGGED_BY_HAND)],
    ids=["steady", "ragged"],
)
def test_two_laps_by_hand(lap: LapChannels, circuit: Circuit, by_hand: dict[str, float | None]) -> None:
    assert by_hand.keys() == TELEMETRY_VALUES.keys()
    assert_same(values_of(lap, circuit), by_hand)


def test_every_value_says_what_it_is() -> None:
    for name, value in TELEMETRY_VALUES.items():
        assert len(value.doc) > 20 and value.channels, name
    assert len(TELEMETRY_VALUES) >= 14


# --- real laps ---------------------------------------------------------------------------------------------------------------


def archive_rows(archive: Path, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The archive's samples as a bundle's ``telemetry`` part, and its laps: their time is the last sample's, of the line."""
    rows = pl.read_parquet(archive / "telemetry" / file).with_columns(
        pl.col("Driver", "Source").cast(pl.String), lap_s=pl.col("Time").dt.total_microseconds() / 1e6
    )
    if "LapNumber" not in rows.columns:
        rows = rows.with_columns(LapNumber=pl.lit(1))
    keys = {"car_number": pl.col("Driver"), "lap_number": pl.col("LapNumber").cast(pl.Int32)}
    extra = [name for name in ("EventName",) if name in rows.columns]
    laps = rows.group_by(*extra, **keys).agg(
        lap_time_s=pl.col("lap_s").max(), is_deleted=pl.lit(False), is_personal_best=pl.lit(True)
    )
    measured = rows.filter(pl.col("Source") == "car").select(
        *extra,
        **keys,
        lap_s="lap_s",
        speed_kph=pl.col("Speed").cast(pl.Float64),
        rpm=pl.col("RPM").cast(pl.Float64),
        gear=pl.col("nGear").cast(pl.Int32),
        throttle_pct=pl.col("Throttle").cast(pl.Float64),
        is_braking="Brake",
        drs=pl.col("DRS").cast(pl.Int32),
    )
    return measured, laps


def plain(samples: pl.DataFrame) -> list[Sample]:
    columns = ["lap_s", "speed_kph", "rpm", "gear", "throttle_pct", "is_braking", "drs"]
    return [Sample(*map(float, row)) for row in samples.sort("lap_s").select(columns).iter_rows()]


def test_real_laps_equal_the_oracle(archive: Path) -> None:
    """Bahrain 2023, qualifying: every value of every driver's best lap, Verstappen's pole and Alonso's by name."""
    samples, laps = archive_rows(archive, "2023_bahrain_Q_telemetry.parquet")
    found = telemetry_values(samples, laps)
    assert found.height == 20 and found["telemetry_problem"].null_count() == 20
    best = laps.sort("lap_time_s").group_by("car_number", maintain_order=True).first()
    assert dict(found.select("car_number", "telemetry_lap_number").iter_rows()) == dict(
        best.select("car_number", "lap_number").iter_rows()
    )
    order = found["car_number"].to_list()
    times = dict(best.select("car_number", "lap_time_s").iter_rows())
    field = [
        (plain(samples.join(best, on=["car_number", "lap_number"]).filter(car_number=car)), times[car])
        for car in order
    ]
    of_circuit = circuit_by_oracle(field)
    assert {"VER", "ALO"} <= set(order)
    for place, car in enumerate(order):
        expected = by_oracle(field[place][0], 0.0, times[car]) | {n: v[place] for n, v in of_circuit.items()}
        actual = found.filter(car_number=car).select(TELEMETRY_VALUES.keys()).row(0, named=True)
        assert_same(actual, expected)
    assert not META & {name for name, count in found.null_count().row(0, named=True).items() if count}


def test_real_damage_is_found(archive: Path) -> None:
    """De Vries in Jeddah sent nothing but zeros, Alonso's feed stood still in Austin, Sargeant in Jeddah never got a lap in."""
    samples, laps = archive_rows(archive, "2023_qualifying_fastest_laps.parquet")
    problems = {}
    for event in ("Saudi Arabian Grand Prix", "United States Grand Prix", "Bahrain Grand Prix"):
        wanted = pl.col("EventName").cast(pl.String) == event
        rows = telemetry_values(samples.filter(wanted), laps.filter(wanted))
        for row in rows.filter(pl.col("telemetry_problem").is_not_null()).iter_rows(named=True):
            problems[event, row["car_number"]] = row["telemetry_problem"]
            assert all(row[name] is None for name in TELEMETRY_VALUES)
        sound = rows.filter(pl.col("telemetry_problem").is_null())
        assert sound["full_throttle_share"].is_between(0.4, 0.85).all()
        assert sound["braking_peak_mps2"].is_between(25, 65).all()
        assert sound["straight_speed_delta_kph"].is_between(-20, 20).all()
    assert problems.keys() == {
        ("Saudi Arabian Grand Prix", "DEV"),
        ("Saudi Arabian Grand Prix", "SAR"),
        ("United States Grand Prix", "ALO"),
    }
    assert "speed stuck at 0" in problems["Saudi Arabian Grand Prix", "DEV"]
    assert "slower than the fastest" in problems["Saudi Arabian Grand Prix", "SAR"]
    assert "where the field's is" in problems["United States Grand Prix", "ALO"]


# --- properties -----------------------------------------------------------------------------------------------------------------


@st.composite
def drawn_laps(draw: st.DrawFn) -> LapChannels:
    """A lap of 4 to 25 samples, 0.16 to 1.9 s apart."""
    steps = draw(st.lists(st.integers(160, 1900), min_size=4, max_size=25))
    at = np.cumsum(steps) / 1000
    count = len(at)

    def column(values: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(values, min_size=count, max_size=count))

    start = float(draw(st.integers(0, 5000)))
    return channels(
        start,
        start + float(at[-1]) + draw(st.integers(1, 1900)) / 1000,
        at_s=start + at,
        speed_kph=column(st.integers(40, 340)),
        rpm=column(st.integers(5000, 13000)),
        gear=column(st.integers(1, 8)),
        throttle_pct=column(st.sampled_from([0, 3, 5, 50, 97, 98, 99, 100])),
        is_braking=column(st.integers(0, 1)),
        drs=column(st.sampled_from([0, 1, 8, 10, 12, 14])),
    )


OF_ONE_LAP = [name for name in TELEMETRY_VALUES if "corner" not in name and "straight" not in name]


@given(drawn_laps())
def test_any_lap_equals_the_oracle(lap: LapChannels) -> None:
    columns = (lap.at_s, lap.speed_kph, lap.rpm, lap.gear, lap.throttle_pct, lap.is_braking, lap.drs)
    samples = [Sample(*map(float, row)) for row in zip(*columns, strict=True)]
    found = {name: TELEMETRY_VALUES[name].function(lap, ROUND) for name in OF_ONE_LAP}
    assert_same(found, by_oracle(samples, lap.start_s, lap.end_s), within=1e-6)


@given(drawn_laps(), st.integers(-4000, 4000))
def test_a_shifted_clock_changes_nothing(lap: LapChannels, shift: int) -> None:
    shifted = replace(lap, start_s=lap.start_s + shift, end_s=lap.end_s + shift, at_s=lap.at_s + shift)
    assert_same(values_of(shifted, ROUND), values_of(lap, ROUND), within=1e-6)


STATES = [
    "full_throttle_share", "partial_throttle_share", "coasting_share", "throttle_movement_pct_per_s", "braking_share",
    "braking_zones", "gear_changes", "gear_mean", "top_gear_share", "upshift_rpm", "drs_open_share", "lap_top_speed_kph",
]  # fmt: skip


@given(drawn_laps(), st.data())
def test_a_sample_split_in_two_changes_no_state(lap: LapChannels, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(lap.at_s) - 1))
    until = lap.at_s[row + 1] if row + 1 < len(lap.at_s) else lap.end_s
    between = lap.at_s[row] + (until - lap.at_s[row]) * data.draw(st.integers(1, 9)) / 10
    names = ("speed_kph", "rpm", "gear", "throttle_pct", "is_braking", "drs")
    split = replace(
        lap,
        at_s=np.insert(lap.at_s, row + 1, between),
        **{name: np.insert(getattr(lap, name), row + 1, getattr(lap, name)[row]) for name in names},
    )
    before, after = values_of(lap, ROUND), values_of(split, ROUND)
    assert_same({n: after[n] for n in STATES}, {n: before[n] for n in STATES})


@given(drawn_laps(), st.data())
def test_a_sample_on_the_line_changes_no_way(lap: LapChannels, data: st.DataObject) -> None:
    """Speed is a line between samples: one more sample on it changes neither the way nor the mean speed."""
    row = data.draw(st.integers(0, len(lap.at_s) - 2))
    between = (lap.at_s[row] + lap.at_s[row + 1]) / 2
    names = ("rpm", "gear", "throttle_pct", "is_braking", "drs")
    finer = replace(
        lap,
        at_s=np.insert(lap.at_s, row + 1, between),
        speed_kph=np.insert(lap.speed_kph, row + 1, (lap.speed_kph[row] + lap.speed_kph[row + 1]) / 2),
        **{name: np.insert(getattr(lap, name), row + 1, getattr(lap, name)[row]) for name in names},
    )
    before, after = values_of(lap, ROUND), values_of(finer, ROUND)
    names = (
        "lap_mean_speed_kph",
        "lap_top_speed_kph",
        "full_throttle_distance_share",
        "braking_deceleration_mps2",
    )
    assert_same({n: after[n] for n in names}, {n: before[n] for n in names})


@given(drawn_laps())
def test_shares_are_shares(lap: LapChannels) -> None:
    found = values_of(lap, ROUND)
    shares = {name: value for name, value in found.items() if TELEMETRY_VALUES[name].unit == "share"}
    assert all(0 <= value <= 1 + 1e-12 for value in shares.values())
    closed = 1 - shares["full_throttle_share"] - shares["partial_throttle_share"]
    assert closed >= -1e-9 and shares["coasting_share"] <= closed + 1e-9
    assert shares["coasting_share"] + shares["braking_share"] <= 1 + 1e-9


@given(st.lists(st.integers(12, 24).map(lambda v: v * 5.0), min_size=2, max_size=40))
def test_minima_equal_their_definition(speed: list[float]) -> None:
    assert speed_minima(np.array(speed)) == minima_by_oracle(speed)
