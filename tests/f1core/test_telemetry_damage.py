"""Every way in which a sensor or a feed lies: no value of what it spoils, a word about it, and nothing else lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from f1core.features.session.lap_channels import NO_CIRCUIT, find_circuit
from f1core.features.session.lap_values import TELEMETRY_VALUES
from f1core.features.session.telemetry import SCHEMA, lap_channels, telemetry_values
from f1core.sources.bundle import PARTS

RING = [300, 290, 90, 150, 280, 300, 180, 160, 290, 300, 230, 300]
LAP_S = 48.0


def made_samples(car: str, lap_number: int = 5, scale: float = 1.0, seconds: float = LAP_S) -> pl.DataFrame:
    """A plausible lap of a little circuit: four samples a second."""
    at = np.arange(0.1, seconds, 0.25)
    speed = np.interp(at / seconds * (len(RING) - 1), range(len(RING)), RING) * scale
    falling = np.diff(speed, append=speed[-1]) < -1
    return pl.DataFrame(
        {
            "car_number": car,
            "driver_code": f"D{car}",
            "lap_number": lap_number,
            "session_s": 1000 + at,
            "lap_s": at,
            "distance_m": None,
            "speed_kph": np.round(speed),
            "rpm": 9000 + (speed * 37) % 3000,
            "gear": np.clip(speed // 40, 1, 8).astype(int),
            "throttle_pct": np.where(falling, 0.0, 100.0),
            "is_braking": falling,
            "drs": 8,
            "x_m": None,
            "y_m": None,
        },
        schema=PARTS["telemetry"],
    )  # fmt: skip


def made_laps(*rows: tuple[str, int, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [(car, number, took, False, True) for car, number, took in rows],
        schema={"car_number": pl.String, "lap_number": pl.Int32, "lap_time_s": pl.Float64, "is_deleted": pl.Boolean,
                "is_personal_best": pl.Boolean},
        orient="row",
    )  # fmt: skip


def field_with(spoilt: pl.DataFrame, took: float = LAP_S) -> dict[str, object]:
    """The row of car 9 among three sound cars."""
    samples = pl.concat([*[made_samples(car) for car in "123"], spoilt])
    laps = made_laps(*[(car, 5, LAP_S) for car in "123"], ("9", 5, took))
    found = telemetry_values(samples, laps)
    assert dict(found.schema) == SCHEMA
    assert found.filter(pl.col("car_number") != "9")["telemetry_problem"].null_count() == 3
    return found.row(by_predicate=pl.col("car_number") == "9", named=True)


def missing(row: dict[str, object]) -> set[str]:
    return {name for name in TELEMETRY_VALUES if row[name] is None}


def needing(*names: str) -> set[str]:
    return {name for name, value in TELEMETRY_VALUES.items() if set(names) & set(value.channels)}


def test_a_sound_lap_has_no_problem() -> None:
    row = field_with(made_samples("9"))
    assert row["telemetry_problem"] is None and not missing(row)
    assert (row["telemetry_lap_number"], row["telemetry_samples"]) == (5, 192)
    assert row["telemetry_hole_s"] == pytest.approx(0.25)
    assert row["straight_speed_delta_kph"] == 0


@pytest.mark.parametrize("channel", ["speed_kph", "rpm", "gear", "throttle_pct", "is_braking"])
@pytest.mark.parametrize("how", ["stuck at zero", "stuck elsewhere", "missing", "hole"])
def test_a_broken_sensor_costs_its_values_and_no_other(channel: str, how: str) -> None:
    sound = made_samples("9")
    kind = PARTS["telemetry"][channel]
    value = {"stuck at zero": 0, "stuck elsewhere": 1, "missing": None, "hole": None}[how]
    stuck = pl.lit(value).cast(kind)
    if how == "hole":
        stuck = pl.when(pl.col("lap_s").is_between(20, 22.5)).then(stuck).otherwise(pl.col(channel))
    row = field_with(sound.with_columns(stuck.alias(channel)))
    assert missing(row) == needing(channel)
    word = {
        "speed_kph": "speed",
        "rpm": "engine speed",
        "throttle_pct": "throttle",
        "is_braking": "brake",
    }.get(channel, "gear")
    sayings = {"missing": f"no {word}", "hole": f"no {word} for 2.8"}
    assert str(row["telemetry_problem"]).startswith(sayings.get(how, f"{word} stuck at {value}"))


def test_no_drs_is_no_problem() -> None:
    """Feeds since 2026 have no DRS."""
    row = field_with(made_samples("9").with_columns(drs=pl.lit(None, pl.Int32)))
    assert missing(row) == {"drs_open_share"} and row["telemetry_problem"] is None


@pytest.mark.parametrize(
    ("spoil", "took", "words"),
    [
        (lambda rows: rows.filter(~pl.col("lap_s").is_between(20, 22.5)), LAP_S, "a hole of 2.8 s"),
        (lambda rows: rows.filter(pl.col("lap_s") > 3), LAP_S, "a hole of 3.1 s"),
        (lambda rows: rows.filter(pl.col("lap_s") < 40), LAP_S, "a hole of 8.2 s"),
        (lambda rows: rows.gather_every(6), LAP_S, "only 32 samples in 48.0 s"),
        (lambda rows: rows.head(1), LAP_S, "only 1 samples in 48.0 s"),
        (lambda rows: rows.filter(pl.col("lap_s") > 100), LAP_S, "no telemetry"),
        (lambda rows: rows.with_columns(pl.col("speed_kph") * 1.03), LAP_S, "a way of"),
        (lambda _: made_samples("9", scale=0.9, seconds=LAP_S / 0.9), LAP_S / 0.9, "a lap 11 % slower than the fastest"),
        (lambda rows: rows.with_columns(speed_kph=pl.lit(0.0), rpm=pl.lit(0.0)), LAP_S, "speed stuck at 0; engine speed stuck"),
    ],
    ids=["hole", "late", "cut short", "thin", "single", "none", "speed off by 3 %", "slow", "dead"],
)  # fmt: skip
def test_a_spoilt_lap_has_no_values(
    spoil: Callable[[pl.DataFrame], pl.DataFrame], took: float, words: str
) -> None:
    row = field_with(spoil(made_samples("9")), took)
    assert missing(row) == TELEMETRY_VALUES.keys()
    assert str(row["telemetry_problem"]).startswith(words)


def test_the_best_lap_that_has_telemetry_is_used_and_said() -> None:
    samples = pl.concat([made_samples("1", 5), made_samples("1", 9, seconds=LAP_S + 1)])
    laps = made_laps(("1", 5, LAP_S), ("1", 9, LAP_S + 1), ("1", 12, LAP_S - 0.2), ("2", 7, LAP_S))
    one, two = telemetry_values(samples, laps).iter_rows(named=True)
    assert one["telemetry_lap_number"] == 5 and one["telemetry_problem"] == "no telemetry of the best lap, 12"
    assert one["full_throttle_share"] is not None
    assert two["telemetry_problem"] == "no telemetry" and missing(two) == TELEMETRY_VALUES.keys()
    assert two["telemetry_lap_number"] is None


def test_deleted_laps_and_laps_that_do_not_count_are_not_best() -> None:
    samples = pl.concat([made_samples("1", number) for number in (3, 5, 9)])
    laps = made_laps(("1", 3, LAP_S - 2), ("1", 5, LAP_S - 1), ("1", 9, LAP_S)).with_columns(
        is_deleted=pl.Series([True, None, None]), is_personal_best=pl.Series([True, False, True])
    )
    assert telemetry_values(samples, laps)["telemetry_lap_number"].to_list() == [9]
    unknown = laps.with_columns(is_personal_best=pl.lit(None, pl.Boolean))
    assert telemetry_values(samples, unknown)["telemetry_lap_number"].to_list() == [5]


def test_nothing_gives_nothing() -> None:
    nothing = pl.DataFrame(schema=PARTS["telemetry"])
    assert telemetry_values(nothing, made_laps()).equals(pl.DataFrame(schema=SCHEMA))
    row = telemetry_values(nothing, made_laps(("1", 5, LAP_S))).row(0, named=True)
    assert row["telemetry_problem"] == "no telemetry" and missing(row) == TELEMETRY_VALUES.keys()
    only = telemetry_values(made_samples("1"), made_laps()).row(0, named=True)
    assert only["telemetry_problem"] == "no timed lap" and missing(only) == TELEMETRY_VALUES.keys()
    empty = lap_channels(nothing, LAP_S)
    assert all(
        value is None for value in (one.function(empty, NO_CIRCUIT) for one in TELEMETRY_VALUES.values())
    )
    assert find_circuit([empty]).count_laps == 0


def test_the_circuit_is_the_fields_not_a_drivers() -> None:
    """One car that all but stops in a corner does not make it another one; a field of three decides by the middle one."""
    sound = made_samples("1")
    spun = sound.with_columns(
        speed_kph=pl.when(pl.col("speed_kph") < 100).then(30.0).otherwise(pl.col("speed_kph"))
    )
    laps = [lap_channels(one, LAP_S) for one in (sound, sound, spun)]
    circuit = find_circuit(laps)
    assert [round(corner.apex_kph) for corner in circuit.corners] == [92, 161, 231]
    assert circuit.corners == find_circuit(laps[:2]).corners
    assert len(circuit.straights) == 4 and circuit.count_laps == 3
    slow, _, _ = (
        TELEMETRY_VALUES[name].function(laps[2], circuit) for name in TELEMETRY_VALUES if "corner" in name
    )
    assert slow == 30


def test_no_difference_to_a_field_of_two() -> None:
    samples = pl.concat([made_samples("1"), made_samples("2")])
    found = telemetry_values(samples, made_laps(("1", 5, LAP_S), ("2", 5, LAP_S)))
    assert found["straight_speed_delta_kph"].null_count() == 2
    assert found["slow_corner_speed_kph"].null_count() == 0 and found["telemetry_problem"].null_count() == 2


def test_unordered_and_repeated_samples_are_the_same_lap() -> None:
    sound = made_samples("9")
    shuffled = pl.concat([sound, sound.head(20)]).sample(fraction=1.0, shuffle=True, seed=1)
    assert field_with(shuffled) == field_with(sound)
