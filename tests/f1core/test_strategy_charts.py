"""Charts of the strategy simulator: what they draw is what they got, a compound is never told by its colour alone."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from f1core.charts.finish_histogram import finish_histogram
from f1core.charts.pit_windows import pit_windows
from f1core.charts.position_chart import position_chart
from f1core.charts.race_trace import race_trace
from f1core.charts.rejoin_positions import rejoin_positions
from f1core.charts.stint_laps import stint_laps
from f1core.charts.style import COMPOUNDS, INK, NEUTRAL, compound_words, letter
from f1core.charts.tyre_bars import tyre_bars
from f1core.charts.wear_curves import wear_curves
from f1core.simulator.rules import COMPOUNDS as SIMULATED_COMPOUNDS
from tests.f1core.strategy_frames import FINISHES, LAPS, REJOINS, WEAR, WINDOWS, race_laps, race_stints


def rows_with(spec: dict[str, Any], *fields: str) -> list[dict[str, Any]]:
    """The first data of a chart that has these fields."""
    return next(rows for rows in spec["datasets"].values() if rows and set(fields) <= set(rows[0]))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_compound_has_a_colour_that_its_letter_can_be_read_on() -> None:
    assert set(SIMULATED_COMPOUNDS) <= set(COMPOUNDS)
    assert len({letter(name) for name in COMPOUNDS}) == len(COMPOUNDS)
    for name, colour in COMPOUNDS.items():
        assert (luminance(colour) + 0.05) / (luminance(INK) + 0.05) >= 4.5, name
        assert compound_words(name).startswith(f"{letter(name)} ")


def test_the_trace_draws_chosen_cars_in_colour_and_the_others_in_grey() -> None:
    spec = race_trace(race_laps(), ["driver-2"]).to_dict()
    faint, mine, names = spec["layer"]
    assert faint["mark"]["color"] == NEUTRAL and "color" not in faint["encoding"]
    assert mine["encoding"]["color"]["scale"]["domain"] == ["Driver 2"]
    told = rows_with(spec, "series", "value")
    assert {row["series"] for row in told} == {"Simulated", "Unchanged"}
    assert len([row for row in told if row["series"] == "Simulated"]) == LAPS
    assert names["encoding"]["text"]["field"] == "label"
    assert "Driver 2 3.7 s behind" in spec["description"]


def test_a_car_that_is_far_behind_does_not_squeeze_the_others_unless_it_is_chosen() -> None:
    laps = race_laps().with_columns(
        gap_s=pl.when(pl.col("driver_id") == "driver-4").then(300.0).otherwise("gap_s")
    )

    def farthest(*chosen: str) -> float:
        layer = race_trace(laps, chosen).to_dict()["layer"][0]
        return float(layer["encoding"]["y"]["scale"]["domain"][1])

    assert farthest("driver-2") == 90.0 and farthest("driver-4") == 300.0


def test_the_lap_chart_names_who_is_still_running() -> None:
    spec = position_chart(race_laps(), ["driver-2"]).to_dict()
    named = {row["label"] for rows in spec["datasets"].values() for row in rows if row["lap"] == LAPS}
    assert named == {"Driver 1", "Driver 2", "Driver 3"}
    assert "Driver 1, Driver 2, Driver 3 in front" in spec["description"]


@pytest.mark.parametrize("chart", [race_trace, position_chart])
def test_the_order_of_the_rows_does_not_matter_to_what_is_told(chart: Any) -> None:
    shuffled = race_laps().sample(fraction=1, shuffle=True, seed=4)
    assert (
        chart(shuffled, ["driver-2"]).to_dict()["description"]
        == chart(race_laps(), ["driver-2"]).to_dict()["description"]
    )


def test_slow_laps_are_drawn_on_the_edge_and_told_exactly() -> None:
    spec = stint_laps(race_laps().filter(pl.col("driver_id") == "driver-2")).to_dict()
    rows = rows_with(spec, "drawn", "lap_time_s")
    stop = next(row for row in rows if row["lap"] == 6 and row["series"] == "Simulated")
    assert stop["lap_time_s"] == pytest.approx(110.3) and stop["drawn"] < 92
    tyres = spec["layer"][2]["encoding"]
    assert tyres["color"]["scale"]["domain"] == tyres["shape"]["scale"]["domain"] == ["M medium", "H hard"]


def test_laps_a_set_had_before_are_told_but_not_drawn() -> None:
    spec = tyre_bars(race_stints()).to_dict()
    rows = rows_with(spec, "begin", "used_laps")
    mine = [row for row in rows if row["row"] == "Driver 2"]
    assert [(row["begin"], row["last_lap"], row["letter"]) for row in mine] == [(0, 6, "M"), (6, 12, "H")]
    assert mine[0]["used_laps"] == 3
    assert spec["layer"][0]["encoding"]["y"]["sort"][1:3] == ["Driver 2", "Driver 2, before"]


def test_compounds_of_real_laps_may_be_in_lower_case() -> None:
    spec = tyre_bars(race_stints().with_columns(pl.col("compound").str.to_lowercase())).to_dict()
    assert spec["layer"][0]["encoding"]["color"]["scale"]["range"] == [COMPOUNDS["MEDIUM"], COMPOUNDS["HARD"]]


def test_the_histogram_shows_both_races() -> None:
    spec = finish_histogram(FINISHES).to_dict()
    rows = rows_with(spec, "probability")
    assert {(row["position"], row["series"]): row["probability"] for row in rows} == {
        (1, "Simulated"): 0.25,
        (2, "Simulated"): 0.75,
        (2, "Unchanged"): 0.6,
        (3, "Unchanged"): 0.4,
    }
    assert (
        "Driver 2 most often 2 (75%), 1.8 on average; unchanged Driver 2 most often 2 (60%)"
        in (spec["description"])
    )


def test_wear_has_its_interval_and_ends_with_its_letter() -> None:
    spec = wear_curves(WEAR.reverse()).to_dict()
    band, _, _, letters = spec["layer"]
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("low_s", "high_s")
    ends = next(rows for rows in spec["datasets"].values() if len(rows) == 3)
    assert {row["letter"] for row in ends} == {"S", "M", "H"}
    assert letters["encoding"]["text"]["field"] == "letter"
    assert "soft +1.3 s" in spec["description"]


def test_the_window_is_what_cannot_be_told_from_the_best_lap() -> None:
    spec = pit_windows(WINDOWS).to_dict()
    inside = next(rows for rows in spec["datasets"].values() if len(rows) == 3)
    assert [(row["stop"], row["lap"]) for row in inside] == [("Stop 1", 5), ("Stop 1", 6), ("Stop 2", 8)]
    assert "Stop 1 laps 5 to 6, Stop 2 laps 8 to 8" in spec["description"]


def test_a_rejoin_is_a_cell_per_likely_place_and_a_mark_where_he_really_came_out() -> None:
    spec = rejoin_positions(REJOINS.reverse()).to_dict()
    cells = rows_with(spec, "probability", "told")
    assert {(row["told"], row["position"]): row["probability"] for row in cells} == {
        (6, 4): 0.7,
        (6, 5): 0.3,
        (7, 4): 1.0,
        (9, 2): 0.45,
        (9, 3): 0.55,
    }
    assert all(row["right"] - row["lap"] == row["bottom"] - row["top"] == 1 for row in cells)
    (mark,) = rows_with(spec, "foretold")
    assert mark == {"lap": 9, "foretold": 3, "position": 2, "series": "Really came out"}
    assert "on 3 laps: 4 on lap 6, 3 on lap 9; real stops: lap 9, foretold 3, really 2" in spec["description"]
    # The best place is on top.
    assert spec["layer"][0]["encoding"]["y"]["scale"]["reverse"] is True
