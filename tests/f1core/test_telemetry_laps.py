"""Cutting best laps out of a session's car data: what is cut, what counts as measured, and that little is held at once."""

from __future__ import annotations

import datetime as dt
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from f1core.sources.bundle import PARTS
from f1core.sources.telemetry_laps import best_laps, chosen_laps, distance_m
from tests.made_up_fastf1 import car_frames, car_stream, position_frames, position_stream
from tests.made_up_timing import LENGTH_M, Circuit, MadeLap, MadeUpSession, cars

BEGINS = dt.datetime(2023, 3, 4, 14, 45, tzinfo=dt.UTC)
CHANNELS = ["speed_kph", "rpm", "gear", "throttle_pct", "is_braking", "drs"]


@pytest.fixture(scope="module")
def made() -> MadeUpSession:
    """Forty-five minutes of a feed of practice with three cars: two runs each."""
    return MadeUpSession("Practice 2", BEGINS, 2700.0, grid=cars(3), circuit=Circuit())


@pytest.fixture(scope="module")
def frames(made: MadeUpSession) -> dict[str, dict[str, Any]]:
    return {"car": car_frames(made), "position": position_frames(made)}


def laps_frame(made: MadeUpSession) -> Any:
    """The session's laps as ``Session.laps`` has them; every flying lap is a personal best."""
    import pandas as pd

    rows = [
        {
            "DriverNumber": car.number,
            "Driver": car.code,
            "LapNumber": float(lap.number),
            "LapTime": pd.NaT if lap.kind == "out" else pd.Timedelta(milliseconds=round((lap.end_s - lap.start_s) * 1000)),
            "Time": pd.Timedelta(milliseconds=round(lap.end_s * 1000)),
            "Deleted": None,
            "IsPersonalBest": lap.kind == "push",
        }
        for car in made.grid
        for lap in made.laps(car)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"LapTime": "timedelta64[ns]", "Time": "timedelta64[ns]"})


def session_of(
    made: MadeUpSession, cars: dict[str, Any] | None, places: dict[str, Any] | None, **more: Any
) -> Any:
    """As much of a loaded FastF1 session as is looked at."""
    import pandas as pd

    return SimpleNamespace(
        name=made.name,
        laps=more.pop("laps", laps_frame(made)),
        api_path="/static/made-up/",
        _QUALI_LIKE_SESSIONS=("Qualifying",),
        _t0_date=pd.Timestamp(BEGINS.replace(tzinfo=None)),
        _car_data=cars,
        _pos_data=places,
        **more,
    )


def fastest(made: MadeUpSession, number: str) -> MadeLap:
    car = next(car for car in made.grid if car.number == number)
    return min(
        (lap for lap in made.laps(car) if lap.kind == "push"),
        key=lambda lap: round(lap.end_s - lap.start_s, 3),
    )


def edited(frames: dict[str, Any], number: str, made: MadeUpSession, **columns: Any) -> dict[str, Any]:
    """The frames with some columns of a car changed on its fastest lap: a value, or a function of the lap's values."""
    lap = fastest(made, number)
    frame = frames[number].copy()
    at = (frame["Date"] - np.datetime64(BEGINS.replace(tzinfo=None))).dt.total_seconds()
    rows = ((at >= lap.start_s) & (at <= lap.end_s)).to_numpy()
    for name, value in columns.items():
        old = frame[name].to_numpy()
        new = old.astype(object if old.dtype == bool else float)
        new[rows] = value(old[rows], at[rows].to_numpy() - lap.start_s) if callable(value) else value
        frame[name] = new
    return {**frames, number: frame}


# --- what is cut ------------------------------------------------------------------------------------------------------------


def test_the_best_lap_as_it_was_driven(made: MadeUpSession, frames: dict[str, Any]) -> None:
    """Samples, channels, places and distance of every car's best lap equal the circuit they were made from."""
    rows, remarks = best_laps(session_of(made, frames["car"], frames["position"]))
    assert dict(rows.schema) == PARTS["telemetry"] and remarks == ()
    assert rows["car_number"].unique(maintain_order=True).to_list() == ["1", "2", "3"]
    assert rows.null_count().row(0) == (0,) * rows.width
    for car in made.grid:
        lap = fastest(made, car.number)
        found = rows.filter(pl.col("car_number") == car.number)
        assert found["lap_number"].unique().to_list() == [lap.number]
        assert found["driver_code"].unique().to_list() == [car.code]
        at = made.times()
        at = at[(at >= lap.start_s) & (at <= lap.end_s)]
        assert found["session_s"].to_list() == pytest.approx(at.tolist(), abs=1e-9)
        assert found["lap_s"].to_list() == pytest.approx((at - lap.start_s).tolist(), abs=1e-6)
        truth = made.channels(car, at)
        for name, values in zip(CHANNELS, (truth.speed, truth.rpm, truth.gear, truth.throttle, truth.braking, truth.drs), strict=True):  # fmt: skip
            assert found[name].cast(pl.Float64).to_list() == values.astype(float).tolist(), name
        # The circuit's own metre at each instant; a corner is cut by a few metres, between samples.
        metre = np.interp((at - lap.leave_s) * lap.pace, made.circuit.elapsed, made.circuit.metre)
        assert np.abs(found["distance_m"].to_numpy() - metre).max() < 0.005 * LENGTH_M
        assert np.hypot(found["x_m"].to_numpy() - truth.x_m, found["y_m"].to_numpy() - truth.y_m).max() < 5


def test_distance_is_the_trapezoid_by_hand() -> None:
    nan = float("nan")
    at = np.array([0.5, 1.0, 1.5, 2.0, 5.0, 5.5])
    speed = np.array([36.0, 72.0, nan, 36.0, 36.0, 36.0])
    # 10 m/s for half a second; (10 + 20)/2 · 0.5; missing; (20 + 10)/2 · 1; then three seconds without a sample.
    assert distance_m(at, speed).tolist() == pytest.approx([5.0, 12.5, nan, 27.5, nan, nan], nan_ok=True)
    assert np.isnan(
        distance_m(at + 2, speed)
    ).all()  # nothing measured for two and a half seconds from the line on
    assert len(distance_m(np.empty(0), np.empty(0))) == 0


def test_qualifying_gives_the_best_of_every_part(made: MadeUpSession) -> None:
    """Q1, Q2, Q3 and the session; a part without a lap that counts has none."""
    laps = laps_frame(made)
    number = laps["LapNumber"]
    object.__setattr__(laps, "split_qualifying_sessions", lambda: [laps[number <= 3], None, laps[number > 3]])
    session = session_of(made, {}, {}, laps=laps)
    session.name = "Qualifying"
    chosen, remarks = chosen_laps(session)
    wanted = {(car.number, lap.number) for car in made.grid for lap in made.laps(car) if lap.kind == "push"}
    first = {(number, min(n for car, n in wanted if car == number)) for number, _ in wanted}
    late = {(lap.car_number, lap.lap_number) for lap in chosen} - first
    assert first < {(lap.car_number, lap.lap_number) for lap in chosen} and late
    assert all(lap_number > 3 for _, lap_number in late) and not remarks

    def unknown() -> None:
        raise ValueError("Session status data is unavailable!")

    object.__setattr__(laps, "split_qualifying_sessions", unknown)
    chosen, remarks = chosen_laps(session)
    assert len(chosen) == 3 and remarks == [
        "Q1, Q2 and Q3 cannot be told apart (Session status data is unavailable!): telemetry of the best lap only."
    ]


def test_laps_that_do_not_count_are_not_chosen(made: MadeUpSession) -> None:
    laps = laps_frame(made)
    best = {car.number: fastest(made, car.number).number for car in made.grid}
    is_best = [best[n] == lap for n, lap in zip(laps["DriverNumber"], laps["LapNumber"], strict=True)]
    deleted, uncounted, unflagged = laps.copy(), laps.copy(), laps.copy()
    deleted.loc[is_best, "Deleted"] = True
    uncounted.loc[is_best, "IsPersonalBest"] = False
    unflagged["IsPersonalBest"] = False

    def numbers(frame: Any) -> dict[str, int]:
        return {
            lap.car_number: lap.lap_number for lap in chosen_laps(session_of(made, {}, {}, laps=frame))[0]
        }

    assert numbers(laps) == best
    for other in (deleted, uncounted):
        assert numbers(other).keys() == best.keys()
        assert all(lap != best[number] for number, lap in numbers(other).items())
    assert numbers(unflagged) == best  # where the feed flags nothing, time decides
    untimed = laps.assign(LapTime=laps["LapTime"].where(laps["LapNumber"] < 0))
    assert best_laps(session_of(made, {}, {}, laps=untimed))[1] == ("No timed laps: no telemetry.",)


# --- what counts as measured -----------------------------------------------------------------------------------------------------


def test_a_lap_that_stands_still_is_no_telemetry(made: MadeUpSession, frames: dict[str, Any]) -> None:
    still = edited(frames["car"], "2", made, Speed=210, RPM=10500, Throttle=40, nGear=6, Brake=False, DRS=8)
    rows, remarks = best_laps(session_of(made, still, frames["position"]))
    lap = fastest(made, "2")
    assert remarks == (f"Car 2 (AUB), lap {lap.number}: all channels stay at zero or stand still.",)
    assert rows["car_number"].unique().sort().to_list() == ["1", "3"]


@pytest.mark.parametrize(
    ("column", "value", "channel", "word"),
    [
        ("Speed", 0, "speed_kph", "speed"),
        ("RPM", 0, "rpm", "engine speed"),
        ("Throttle", 0, "throttle_pct", "throttle"),
        ("Throttle", 104, "throttle_pct", "throttle"),
        ("Throttle", 37, "throttle_pct", "throttle"),
        ("nGear", 0, "gear", "gear"),
        ("Brake", False, "is_braking", "brake"),
        ("Speed", float("nan"), "speed_kph", "speed"),
    ],
)
def test_a_stuck_sensor_is_missing_and_said(
    made: MadeUpSession, frames: dict[str, Any], column: str, value: float, channel: str, word: str
) -> None:
    stuck = edited(frames["car"], "2", made, **{column: value})
    rows, remarks = best_laps(session_of(made, stuck, frames["position"]))
    lap = fastest(made, "2")
    assert remarks == (f"Car 2 (AUB), lap {lap.number}: the {word} sensor is stuck.",)
    second = rows.filter(pl.col("car_number") == "2")
    lost = {channel, "distance_m"} if channel == "speed_kph" else {channel}
    assert {name for name, count in second.null_count().row(0, named=True).items() if count} == lost
    assert second[channel].null_count() == second.height
    sound, _ = best_laps(session_of(made, frames["car"], frames["position"]))
    assert rows.filter(pl.col("car_number") != "2").equals(sound.filter(pl.col("car_number") != "2"))


def test_gaps_filled_with_zeros_are_not_measurements(made: MadeUpSession, frames: dict[str, Any]) -> None:
    """FastF1 fills a car's gaps with zeros and False; ten seconds of them are left out, and so is the way after them."""

    def gap(old: Any, at: Any) -> Any:
        return np.where((at > 20) & (at < 30), 0, old)

    names = ("Speed", "RPM", "nGear", "Throttle", "Brake", "DRS")
    rows, remarks = best_laps(
        session_of(made, edited(frames["car"], "2", made, **dict.fromkeys(names, gap)), frames["position"])
    )
    second = rows.filter(pl.col("car_number") == "2")
    assert remarks == () and not second["lap_s"].is_between(20, 30, closed="none").any()
    assert second.select(CHANNELS).null_count().row(0) == (0,) * len(CHANNELS)
    after = second["lap_s"] >= 30
    assert second.filter(after)["distance_m"].null_count() == after.sum()
    assert second.filter(~after)["distance_m"].null_count() == 0


def test_a_frozen_feed_is_not_measured(made: MadeUpSession, frames: dict[str, Any]) -> None:
    """What only repeats itself for three seconds is left out; one and a half seconds happen on real laps."""

    def frozen(seconds: float) -> dict[str, Any]:
        def hold(old: Any, at: Any) -> Any:
            inside = (at > 20) & (at < 20 + seconds)
            return np.where(inside, old[inside.argmax()], old)

        return edited(frames["car"], "2", made, Speed=hold, RPM=hold)

    lap = fastest(made, "2")
    rows, remarks = best_laps(session_of(made, frozen(3.2), frames["position"]))
    assert remarks == (
        f"Car 2 (AUB), lap {lap.number}: the feed stood still; its repeated samples are left out.",
    )
    second = rows.filter(pl.col("car_number") == "2")
    assert second["lap_s"].is_between(20, 23.2).sum() == 1
    rows, remarks = best_laps(session_of(made, frozen(1.5), frames["position"]))
    assert remarks == () and rows.filter(pl.col("car_number") == "2")["lap_s"].is_between(20, 21.5).sum() >= 4


def test_a_single_bad_sample_is_missing(made: MadeUpSession, frames: dict[str, Any]) -> None:
    """104 is how the feed says that it does not know the throttle; gear 0 is no gear of a car at speed."""

    def odd(value: float) -> Any:
        return lambda old, at: np.where(np.arange(len(old)) % 50 == 7, value, old)

    rows, remarks = best_laps(
        session_of(
            made, edited(frames["car"], "2", made, Throttle=odd(104), nGear=odd(0)), frames["position"]
        )
    )
    second = rows.filter(pl.col("car_number") == "2")
    bad = len(range(7, second.height, 50))
    assert remarks == () and (second["throttle_pct"].null_count(), second["gear"].null_count()) == (bad, bad)
    assert second["throttle_pct"].max() == 100 and second["gear"].min() >= 1


def test_cars_and_laps_without_telemetry_are_said(made: MadeUpSession, frames: dict[str, Any]) -> None:
    """One car is not in the feed, another's lap is all NaN and zeros (a gap), the third is sound; positions are missing."""
    some = edited(frames["car"], "2", made, Speed=float("nan"), RPM=float("nan"), Throttle=float("nan"), nGear=0, Brake=False, DRS=0)  # fmt: skip
    del some["3"]
    rows, remarks = best_laps(session_of(made, some, {}))
    assert rows["car_number"].unique().to_list() == ["1"]
    assert rows["x_m"].null_count() == rows["y_m"].null_count() == rows.height
    assert remarks == (
        "No positions: x and y are missing.",
        f"Car 2 (AUB), lap {fastest(made, '2').number}: all channels stay at zero or stand still.",
        f"Car 3 (BOA), lap {fastest(made, '3').number}: no telemetry.",
    )
    nothing, remarks = best_laps(session_of(made, {}, frames["position"]))
    assert nothing.equals(pl.DataFrame(schema=PARTS["telemetry"])) and remarks == ("No car telemetry.",)


def test_no_drs_and_no_position_are_missing_not_zero(made: MadeUpSession, frames: dict[str, Any]) -> None:
    cars = {number: frame.assign(DRS=0) for number, frame in frames["car"].items()}
    places = {number: frame.assign(X=0, Y=0, Z=0) for number, frame in frames["position"].items()}
    rows, remarks = best_laps(session_of(made, cars, places))
    assert remarks == ("DRS is not in the feed.",)
    lost = {name for name, count in rows.null_count().row(0, named=True).items() if count}
    assert lost == {"drs", "x_m", "y_m"} and rows["x_m"].null_count() == rows.height


def test_places_are_not_carried_over_holes(made: MadeUpSession, frames: dict[str, Any]) -> None:
    """Three seconds without positions have no place; one second has the line between its ends."""
    lap = fastest(made, "2")
    frame = frames["position"]["2"]
    at = (frame["Date"] - np.datetime64(BEGINS.replace(tzinfo=None))).dt.total_seconds() - lap.start_s
    kept = frame[~at.between(10, 13) & ~at.between(40, 41)]
    rows, _ = best_laps(session_of(made, frames["car"], {**frames["position"], "2": kept}))
    second = rows.filter(pl.col("car_number") == "2")
    nowhere = second.filter(pl.col("x_m").is_null())
    assert nowhere.height >= 10 and nowhere["lap_s"].is_between(9.5, 13.5).all()
    assert second.filter(pl.col("lap_s").is_between(40, 41))["y_m"].null_count() == 0


# --- the streams ------------------------------------------------------------------------------------------------------------------


def test_streams_are_read_one_after_the_other(
    made: MadeUpSession, frames: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without telemetry loaded the streams are read here: car data is gone from memory when positions come; all else is equal."""
    from fastf1 import _api

    alive: list[weakref.ref[Any]] = []

    def car_data(path: str) -> dict[str, Any]:
        assert path == "/static/made-up/"
        made_now = {number: frame.copy() for number, frame in frames["car"].items()}
        alive.extend(weakref.ref(frame) for frame in made_now.values())
        return made_now

    def position_data(path: str) -> dict[str, Any]:
        gc.collect()
        assert len(alive) == 3 and not any(one() is not None for one in alive)
        return frames["position"]

    monkeypatch.setattr(_api, "car_data", car_data)
    monkeypatch.setattr(_api, "position_data", position_data)
    unloaded = session_of(made, None, None)
    del unloaded._t0_date
    loaded = best_laps(session_of(made, frames["car"], frames["position"]))
    rows, remarks = best_laps(unloaded)
    assert rows.equals(loaded[0]) and remarks == loaded[1]

    def absent(path: str) -> None:
        raise _api.SessionNotAvailableError("No data for this session!")

    monkeypatch.setattr(_api, "car_data", absent)
    assert best_laps(unloaded)[1] == ("No car telemetry.",)


def test_the_made_up_forms_are_fastf1s(made: MadeUpSession) -> None:
    """FastF1's own parser makes of the made-up raw streams what is written as its parsed form, type by type."""
    import pandas as pd
    from fastf1 import _api

    short = MadeUpSession(made.name, BEGINS, 1600.0, grid=cars(2), circuit=made.circuit)
    assert len(short.laps(short.grid[0])) == 5
    expected = {"car": car_frames(short), "position": position_frames(short)}
    for stream, parse, kind in (
        (car_stream(short), _api.car_data, "car"),
        (position_stream(short), _api.position_data, "position"),
    ):
        parsed = parse.__wrapped__("", response=stream.split("\r\n")[:-1])
        assert list(parsed) == ["1", "2"]
        for number, frame in parsed.items():
            pd.testing.assert_frame_equal(frame, expected[kind][number])
