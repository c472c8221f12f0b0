"""Laps laid over each other: what must hold of any two, and real laps against what was published of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.settings import load_settings
from f1core.sources.bundle import bundle_folder, read_bundle
from f1core.telemetry_view import ChosenLap, align, corner_marks
from warehouse.vocab import SessionKind

TURNS = 3


def made(
    label: str, lap_s: float, *, scale: float = 1.0, samples: int = 200
) -> tuple[ChosenLap, pl.DataFrame]:
    """A lap of about 5 km that slows down three times; ``scale`` stretches what the car measured."""
    at = np.linspace(0.05, lap_s - 0.08, samples)
    speed = 200.0 - 90.0 * np.cos(2 * np.pi * TURNS * at / lap_s)
    distance = (
        np.concatenate([[0.0], np.cumsum(np.diff(at) * (speed[1:] + speed[:-1]) / 7.2)])
        + speed[0] / 3.6 * at[0]
    )
    turn = 2 * np.pi * at / lap_s
    rows = pl.DataFrame(
        {
            "lap_s": at,
            "distance_m": distance * scale,
            "speed_kph": speed,
            "throttle_pct": np.clip(speed / 3, 0, 100),
            "is_braking": speed < 130,
            "gear": np.clip(speed // 40, 1, 8).astype(int),
            "x_m": 800 * np.sin(turn),
            "y_m": 500 * np.cos(turn),
        }
    )
    return ChosenLap("1", 1, label, lap_s), rows


def test_a_lap_loses_nothing_on_itself() -> None:
    found = align([made("a", 90.0), made("b", 90.0)])
    assert found.notes == ()
    assert found.rows["delta_s"].abs().max() < 0.015  # type: ignore[operator]
    assert found.rows.filter(pl.col("label") == "a")["delta_s"].abs().max() == 0.0


@settings(max_examples=20, deadline=None)
@given(st.floats(70, 110), st.floats(-3, 3), st.floats(0.985, 1.015), st.integers(80, 400), st.floats(4, 30))
def test_the_time_lost_at_the_line_is_the_difference_of_the_lap_times(
    lap_s: float, slower_s: float, scale: float, samples: int, step_m: float
) -> None:
    found = align([made("a", lap_s), made("b", lap_s + slower_s, scale=scale, samples=samples)], step_m)
    own, other = (found.rows.filter(pl.col("label") == name) for name in ("a", "b"))
    assert own["distance_m"].to_list() == other["distance_m"].to_list()
    assert other["delta_s"][0] == 0.0
    assert other["delta_s"][-1] == pytest.approx(slower_s, abs=1e-9)
    for rows in (own, other):
        assert (rows["lap_s"].diff().drop_nulls() >= 0).all(), "time does not run backwards"
    # The same lap, only slower everywhere: the loss grows evenly.
    if abs(slower_s) > 0.1:
        assert other["delta_s"][own.height // 2] == pytest.approx(
            slower_s / 2, abs=0.15 * abs(slower_s) + 0.02
        )


def test_the_slow_points_are_found_where_they_are() -> None:
    marks = align([made("a", 90.0)]).corners
    assert marks["corner"].to_list() == [1, 2], "the one at the line is not passed within the lap"
    assert marks["speed_kph"].to_list() == pytest.approx([110.0, 110.0], abs=1.0)
    shares = (marks["distance_m"] / 5000.0).to_list()
    assert shares == pytest.approx([1 / 3, 2 / 3], abs=0.01)
    assert corner_marks(align([made("a", 90.0)]).rows.with_columns(speed_kph=pl.lit(200.0))).is_empty()


def test_the_lowest_speed_is_told_for_every_lap() -> None:
    table = align([made("a", 90.0), made("b", 91.0)]).corner_speeds()
    assert table.columns == ["corner", "distance_m", "a", "b"]
    assert table["a"].to_list() == pytest.approx(table["b"].to_list(), abs=1.5)


def test_what_switches_is_never_in_between() -> None:
    rows = align([made("a", 90.0), made("b", 95.0)]).rows
    assert set(rows["brake_pct"].unique()) == {0.0, 100.0}
    assert (rows["gear"] == rows["gear"].round(0)).all()


def test_laps_with_a_hole_or_without_samples_are_told_and_left_out() -> None:
    lap, rows = made("b", 90.0)
    holed = rows.filter(~pl.col("lap_s").is_between(40, 43))
    cut = rows.with_columns(distance_m=pl.when(pl.col("lap_s") < 60).then("distance_m"))
    found = align(
        [
            made("a", 90.0),
            (lap, holed),
            (ChosenLap("2", 1, "c", 90.0), cut),
            (ChosenLap("3", 1, "d", 90.0), rows.clear()),
        ]
    )
    assert found.rows["label"].unique().to_list() == ["a"]
    assert [note.split(":")[0] for note in found.notes] == ["b", "c", "d"]
    assert "hole of 3" in found.notes[0] and "no telemetry" in found.notes[2]
    nothing = align([(lap, rows.clear())])
    assert nothing.rows.is_empty() and nothing.corners.is_empty() and nothing.corner_speeds().is_empty()


def test_a_missing_channel_stays_missing() -> None:
    lap, rows = made("a", 90.0)
    found = align([(lap, rows.with_columns(x_m=pl.lit(None, pl.Float64), gear=pl.lit(None, pl.Int32)))]).rows
    assert found["x_m"].is_null().all() and found["gear"].is_null().all()
    assert found["speed_kph"].is_not_null().all()


def test_places_go_by_position_where_there_are_positions_and_by_distance_where_not() -> None:
    lap, rows = made("b", 90.0)
    # The speed of the first half was read 5 % too high: by distance alone the car seems to be ahead there.
    wrong = rows.with_columns(
        distance_m=pl.col("distance_m") + 0.05 * pl.min_horizontal("distance_m", pl.lit(2500.0))
    )
    by_place = align([made("a", 90.0), (lap, wrong)])
    by_distance = align([made("a", 90.0), (lap, wrong.with_columns(x_m=pl.lit(None, pl.Float64)))])
    assert by_place.is_by_place and not by_distance.is_by_place
    most = [float(one.rows["delta_s"].abs().max()) for one in (by_place, by_distance)]  # type: ignore[arg-type]
    assert most[0] < 0.2 < 0.8 < most[1]


# --- real laps --------------------------------------------------------------------------------------------------------


def published(archive: Path, code: str, number: int) -> tuple[ChosenLap, pl.DataFrame]:
    """A lap as the archive's telemetry file has it, in the warehouse's words."""
    rows = pl.read_parquet(archive / "telemetry" / "2023_bahrain_Q_telemetry.parquet")
    rows = rows.filter((pl.col("Driver") == code) & (pl.col("LapNumber") == number)).sort("Time")
    seconds = pl.col("Time").dt.total_nanoseconds() / 1e9
    lap_s = float(rows.select(seconds.max()).item())
    car = rows.filter(pl.col("Source") == "car").select(
        lap_s=seconds,
        distance_m=pl.col("Distance").cast(pl.Float64),
        speed_kph=pl.col("Speed").cast(pl.Float64),
        throttle_pct=pl.col("Throttle").cast(pl.Float64),
        is_braking=pl.col("Brake"),
        gear=pl.col("nGear"),
        x_m=pl.col("X") / 10,
        y_m=pl.col("Y") / 10,
    )
    return ChosenLap(code, number, code, lap_s), car


def test_pole_against_the_front_row_in_bahrain(archive: Path) -> None:
    found = align([published(archive, "VER", 14), published(archive, "PER", 14)])
    assert found.notes == ()
    other = found.rows.filter(pl.col("label") == "PER")
    assert other["delta_s"][-1] == pytest.approx(89.846 - 89.708, abs=1e-6)
    length = found.rows["distance_m"].max()
    assert length == pytest.approx(5412, rel=0.015), "the official length of the lap is 5.412 km"
    corners = pl.read_parquet(archive / "telemetry" / "bahrain_corners.parquet")["Distance"].to_numpy()
    nearest = [float(np.min(np.abs(corners - at))) for at in found.corners["distance_m"]]
    assert found.corners.height == 8
    assert max(nearest) < 70, "every mark is at one of the published corners"
    # Positions were measured apart from distance: the same place, within a car's swing over the track.
    own = found.rows.filter(pl.col("label") == "VER")
    apart = np.hypot((own["x_m"] - other["x_m"]).to_numpy(), (own["y_m"] - other["y_m"]).to_numpy())
    assert np.median(apart) < 20


def test_the_time_lost_at_sector_ends_is_that_of_the_sector_times(recorded_data: Path) -> None:
    """43 laps of a qualifying against the timing loops, which know nothing of the car's own channels."""
    bundle = read_bundle(
        bundle_folder(load_settings(data=recorded_data).fetched_root, "2023-bahrain", SessionKind.QUALIFYING)
    )
    key = ["car_number", "lap_number"]
    timed = bundle.part("laps").select(*key, "lap_time_s", "sector_1_s", "sector_2_s").drop_nulls()
    samples = bundle.part("telemetry").join(timed, on=key, maintain_order="left")
    laps = []
    sectors: dict[str, tuple[float, float]] = {}
    for (car, number), rows in samples.group_by(key, maintain_order=True):
        lap = ChosenLap(str(car), int(number), f"{car}.{number}", rows["lap_time_s"][0])  # type: ignore[call-overload]
        sectors[lap.label] = (rows["sector_1_s"][0], rows["sector_1_s"][0] + rows["sector_2_s"][0])
        laps.append((lap, rows))
    errors = {}
    for name in ("place", "distance"):
        drop = pl.lit(None, pl.Float64).alias("x_m") if name == "distance" else pl.col("x_m")
        found = align([(lap, rows.with_columns(drop)) for lap, rows in laps])
        assert found.is_by_place == (name == "place") and len(found.notes) <= 2
        reference = found.rows["label"][0]
        own = found.rows.filter(pl.col("label") == reference)
        ends = np.interp(sectors[reference], own["lap_s"], own["distance_m"])
        errors[name] = [
            float(np.interp(at, rows["distance_m"], rows["delta_s"]))
            - (sectors[str(label)][k] - sectors[reference][k])
            for (label,), rows in found.rows.group_by(["label"])
            if label != reference
            for k, at in enumerate(ends)
        ]
    size = {name: float(np.sqrt(np.mean(np.square(found)))) for name, found in errors.items()}
    assert len(errors["place"]) > 75
    assert size["place"] < 0.06, "within a few hundredths of a second"
    assert size["place"] < size["distance"]
