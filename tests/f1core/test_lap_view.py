"""The laps of a session as pages show them: gaps, stints, sectors, fuel correction, on made-up laps and on a real race."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from f1core.lap_view import (
    COLUMNS,
    best_sectors,
    evolution_pct,
    fuel_corrected,
    gaps_to,
    pace_effects,
    pace_table,
    session_laps,
    stint_table,
)
from warehouse.queries.laps import lap_sessions, neutralisations
from warehouse.reader import Reader


def lap(driver: str, number: int, time: float | None, **more: object) -> dict[str, object]:
    sectors = {
        f"sector_{one}_s": None if time is None else time * share
        for one, share in ((1, 0.3), (2, 0.4), (3, 0.3))
    }
    return {
        "driver_id": driver,
        "driver_name": driver.title(),
        "label": driver.title(),
        "lap": number,
        "position": 1,
        "lap_time_s": time,
        "lap_end_session_s": 90.0 * number + (2.5 if driver == "bo" else 0.0),
        "gap_s": 2.5 if driver == "bo" else 0.0,
        "compound": "soft" if number < 4 else "hard",
        "stint": 1 if number < 4 else 2,
        "tyre_age_laps": number if number < 4 else number - 3,
        "speed_trap_kph": 300.0 + number,
        "is_deleted": False,
        "is_clean": time is not None,
        **sectors,
        **more,
    }


ROWS = pl.DataFrame(
    [
        *(lap("ada", number, 90.0 + 0.1 * number) for number in range(1, 9)),
        *(lap("bo", number, 91.0 if number != 5 else None) for number in range(1, 8)),
        lap("bo", 8, 80.0, is_deleted=True, is_clean=False),
    ],
    infer_schema_length=None,
)


def test_the_gap_can_be_held_against_any_driver() -> None:
    rows = gaps_to(ROWS, "bo")
    assert rows.filter(pl.col("driver_id") == "ada")["gap_s"].to_list() == [-2.5] * 8
    assert rows.filter(pl.col("driver_id") == "bo")["gap_s"].to_list() == [0.0] * 8
    assert gaps_to(ROWS, None)["gap_s"].to_list() == ROWS["gap_s"].to_list()
    assert gaps_to(ROWS, "nobody")["gap_s"].is_null().all()


def test_stints_have_their_laps_and_the_trend_of_the_clean_ones() -> None:
    table = stint_table(ROWS.sample(fraction=1.0, shuffle=True, seed=3))
    first, second, bo_1, bo_2 = table.iter_rows(named=True)
    assert (first["label"], first["stint"], first["compound"], first["first_lap"], first["last_lap"]) == (
        "Ada",
        1,
        "soft",
        1,
        3,
    )
    assert first["trend_s_per_lap"] is None, "three laps tell no trend"
    slope = float(np.polyfit([4, 5, 6, 7, 8], [90.4, 90.5, 90.6, 90.7, 90.8], 1)[0])
    assert second["trend_s_per_lap"] == pytest.approx(slope) and second["tyre_age_laps"] == 1
    assert second["median_s"] == pytest.approx(90.6) and second["count_laps"] == 5
    assert bo_1["count_clean"] == 3
    assert (bo_2["best_s"], bo_2["count_clean"]) == (91.0, 3), "a deleted lap is nobody's best"


def test_best_sectors_add_up_to_the_ideal_lap() -> None:
    table = best_sectors(ROWS)
    assert table["driver_id"].to_list() == ["ada", "bo"]
    assert table["best_s"].to_list() == pytest.approx([90.1, 91.0])
    assert table["gap_s"].to_list() == pytest.approx([0.0, 0.9])
    assert table["ideal_s"].to_list() == pytest.approx([90.1, 91.0])
    assert best_sectors(ROWS.clear()).is_empty()


# --- a real race ------------------------------------------------------------------------------------------------------


def test_gaps_by_the_laps_are_the_official_ones(reader: Reader) -> None:
    """Bahrain 2023: who finished on the lead lap without a time penalty is as far behind as the result says."""
    found = session_laps(reader, "2023-bahrain", "race", "laps")
    assert found.is_race and tuple(found.rows.columns) == COLUMNS and not found.notes
    official = reader.query(
        "select driver_id, gap_s from race_results where event_id = '2023-bahrain' and session = 'race' "
        "and status = 'classified' and gap_s is not null and position <= 10"
    )
    last = found.rows.filter(pl.col("lap") == 57).join(official, on="driver_id", suffix="_official")
    assert last.height == 10
    assert (last["gap_s"] - last["gap_s_official"]).abs().max() < 0.02  # type: ignore[operator]
    assert found.drivers["driver_id"].head(3).to_list() == [
        "max-verstappen",
        "sergio-perez",
        "fernando-alonso",
    ]


def test_the_lap_model_is_shown_in_seconds_and_fuel_is_taken_out(reader: Reader) -> None:
    found = session_laps(reader, "2023-bahrain", "race", "laps")
    assert found.pace is not None
    table = pace_table(found)
    assert table["pace_s"].median() == pytest.approx(0.0, abs=1e-9)
    assert ((table["low_s"] < table["pace_s"]) & (table["pace_s"] < table["high_s"])).all()
    assert "Wear per lap: soft" in pace_effects(found.pace)["effect"].to_list()
    last = int(found.rows["lap"].max())  # type: ignore[arg-type]
    corrected = fuel_corrected(found.rows, found.pace, last)
    ratio = (corrected["lap_time_s"] / found.rows["lap_time_s"]).drop_nulls()
    # What the fit gives to the race, in logarithms, is what first and last lap differ by.
    assert evolution_pct(found.pace) < 0
    assert (ratio.log().max() - ratio.log().min()) * 100 == pytest.approx(  # type: ignore[operator]
        -evolution_pct(found.pace) * (last - 1) / last, rel=1e-9
    )
    assert ratio.log().min() < 0 < ratio.log().max()  # type: ignore[operator]


def test_a_race_behind_the_safety_car_has_no_pace_and_no_clean_lap(reader: Reader) -> None:
    found = session_laps(reader, "2021-belgium", "race", "laps")
    assert found.pace is None and not found.rows["is_clean"].any()
    assert pace_table(found).is_empty()


def test_sessions_are_listed_once_and_as_far_as_they_are_known(reader: Reader) -> None:
    found = lap_sessions(reader)
    assert not found.select("event_id", "session").is_duplicated().any()
    assert found["season"].min() == 2018
    until = found["known_at"][10]
    assert lap_sessions(reader, until)["event_id"].to_list() == found["event_id"].head(11).to_list()
    assert neutralisations(reader, "2023-bahrain", "race")["status"].to_list() == ["virtual_safety_car"]
