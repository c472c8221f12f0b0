"""Every chart: valid, described, readable in both themes, the same for the same frame; and what it draws is what it got."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

import f1core.charts
from f1core.accuracy import comparison_table
from f1core.charts.calibration_drift import calibration_drift
from f1core.charts.contribution_waterfall import contribution_waterfall
from f1core.charts.feature_drift import feature_drift
from f1core.charts.final_positions import final_positions
from f1core.charts.finishing_order import finishing_order
from f1core.charts.form_lines import form_lines
from f1core.charts.grid_wins import grid_wins
from f1core.charts.head_to_head import head_to_head
from f1core.charts.metric_bars import metric_bars
from f1core.charts.miss_distribution import miss_distribution
from f1core.charts.outcome_probabilities import outcome_probabilities
from f1core.charts.position_heatmap import position_heatmap
from f1core.charts.predicted_actual import predicted_actual
from f1core.charts.reliability_curve import reliability_curve
from f1core.charts.rolling_form import rolling_form
from f1core.charts.skill import skill
from f1core.charts.standings_lines import standings_lines
from f1core.charts.style import COMPOUNDS, INK, NEUTRAL
from f1core.charts.title_odds import title_odds
from f1core.definitions import Definition
from f1core.settings import REPOSITORY
from f1core.wording import SCORE_BY_COLUMN
from tests.f1core.lap_frames import LAP_CHARTS, LAP_EMPTY
from tests.f1core.strategy_frames import STRATEGY_CHARTS, STRATEGY_EMPTY

COUNT = 20


def field(*, raced: bool) -> pl.DataFrame:
    """A field of twenty as in f1core.review; the last two did not finish."""
    places = range(1, COUNT + 1)
    return pl.DataFrame(
        {
            "driver_id": [f"dee-driver-{place}" for place in places],
            "label": [f"Driver {place}" for place in places],
            "driver_name": [f"Dee Driver {place}" for place in places],
            "constructor_name": ["Aurora"] * COUNT,
            "predicted_position": list(places),
            "expected_position": [0.8 * place + 2 for place in places],
            "position_low": [max(1, place - 4) for place in places],
            "position_high": [min(COUNT, place + 4) for place in places],
            "win_probability": [0.5**place for place in places],
            "podium_probability": [min(1.0, 2 * 0.7**place) for place in places],
            "points_probability": [1 - place / 21 for place in places],
            "dnf_probability": [0.05 + place / 100 for place in places],
            "position": [place % COUNT + 1 if raced else None for place in places],
            "position_text": [str(place) if raced else None for place in places],
            "is_classified": [place < 19 if raced else None for place in places],
            "is_inside": [place != COUNT if raced else None for place in places],
        },
        schema_overrides={"position": pl.Int64, "position_text": pl.String, "is_classified": pl.Boolean},
    )


def places() -> pl.DataFrame:
    """A position matrix of that field: half stays where it is predicted, half goes to the next place."""
    return pl.DataFrame(
        [
            {"driver_id": f"dee-driver-{row}", "position": place, "probability": share}
            for row in range(1, COUNT + 1)
            for place in range(1, COUNT + 1)
            for share in [0.5 if place in (row, row % COUNT + 1) else 0.0]
        ]
    )


TERMS = pl.DataFrame(
    {
        "driver_id": ["dee-driver-1"] * 4,
        "term": ["field middle", "starting place", "qualifying_gap", "simulation and calibration"],
        "ordinal": [1, 2, 3, 4],
        "places": [10.5, -8.0, 0.84, -0.34],
    }
)


def advantages() -> pl.DataFrame:
    return pl.concat(
        [
            comparison_table([]),
            pl.DataFrame(
                {
                    "score": ["Places off", "Places off", "Winner named"],
                    "baseline": ["Grid order", "Elo", "Elo"],
                    "ours": ["3.40", "3.40", "58%"],
                    "theirs": ["3.30", "4.20", "21%"],
                    "advantage": [-0.03, 0.19, 1.8],
                    "low": [-0.08, 0.1, 0.7],
                    "high": [0.02, 0.28, 2.4],
                    "verdict": ["level", "better", "better"],
                    "count": [24, 24, 24],
                }
            ),
        ]
    )


CURVE = pl.DataFrame(
    {
        "outcome": ["win", "win", "podium"],
        "mean_probability": [0.02, 0.4, 0.5],
        "frequency": [0.01, 0.5, 0.4],
        "low": [0.0, 0.3, 0.2],
        "high": [0.03, 0.7, 0.6],
        "count": [400, 20, 30],
    }
)
FORM = pl.DataFrame(
    {
        "race": [5, 6, 5, 6],
        "season": [2026] * 4,
        "grand_prix_name": ["Vale", "Dale"] * 2,
        "model": ["Parc Fermé", "Parc Fermé", "Elo", "Elo"],
        "mae_ranked": [3.0, 3.1, 4.0, 4.2],
    }
)
DRIFT = pl.DataFrame(
    {
        "feature": ["grid_position", "elo_driver", "field_size"],
        "psi": [0.9, 0.4, 0.1],
        "threshold": [0.6, 0.8, 4.0],
        "level": [1.5, 0.5, 0.025],
        "is_drifting": [True, False, False],
        "mean": [10.5, 1500.0, None],
        "mean_before": [10.4, 1501.0, 20.0],
        "missing_share": [0.0, 0.1, 1.0],
        "missing_share_before": [0.0, 0.1, 0.0],
    }
)
ROLLING = pl.DataFrame(
    {
        "measure": ["win_log_loss", "win_log_loss", "top_ten_error"],
        "race": [1, 2, 1],
        "season": [2026] * 3,
        "grand_prix_name": ["Vale", "Dale", "Vale"],
        "window": [5] * 3,
        "count_sealed": [0, 1, 0],
        "count_history": [15, 16, 15],
        "value": [1.1, 2.9, 0.1],
        "expected": [1.2, 1.2, 0.1],
        "low": [0.5, 0.5, 0.05],
        "high": [2.2, 2.2, 0.2],
        "is_drifting": [False, True, False],
    }
)
MISSES = pl.DataFrame({"miss": [0, 0, -3, 12], "is_classified": [True, True, True, False]})

ODDS = pl.DataFrame(
    {
        "entity_id": ["dee", "eff"],
        "label": ["Dee", "Eff"],
        "name": ["Dee Driver", "Eff Driver"],
        "position": [1, 2],
        "points": [100.0, 90.0],
        "title_probability": [0.75, 0.25],
        "can_be_champion": [True, True],
        "expected_points": [300.0, 280.0],
        "expected_position": [1.25, 1.75],
    }
)
ROUNDS = pl.concat(
    [
        ODDS.with_columns(
            count_rounds=pl.lit(number),
            grand_prix_name=pl.lit(name),
            points=pl.col("points") * number,
            team_colour=pl.lit("#3671C6"),
            team_dash=pl.Series([0, 1], dtype=pl.Int32),
        )
        for number, name in ((1, "Vale"), (2, "Dale"))
    ]
)
FIGURES = pl.DataFrame(
    {
        "label": ["Dee", "Eff", "Gee"],
        "name": ["Dee Driver", "Eff Driver", "Gee Driver"],
        "team_colour": ["#3671C6", "#3671C6", "#E8002D"],
        "is_small": [False, True, False],
        "gap": [-0.2, 0.1, None],
        "count_gaps": [12, 3, 0],
    }
)
GAP = Definition("Gap to team mate", "%", "Made up.", "lower", "count_gaps")
LINES = pl.DataFrame(
    {
        "label": ["Dee", "Dee", "Eff", "Eff"],
        "at": [2024.6, 2025.2, 2024.6, 2025.2],
        "value": [1500.0, 1520.0, 1500.0, None],
        "told": ["Vale 2024", "Dale 2025"] * 2,
        "team_colour": ["#3671C6"] * 4,
        "team_dash": [0, 0, 0, 0],
    }
)
SLOTS = pl.DataFrame(
    {
        "grid_position": [1, 2, 20],
        "count_starts": [10, 10, 9],
        "count_wins": [5, 2, 0],
        "count_podiums": [8, 6, 0],
        "win_rate": [0.5, 0.2, 0.0],
        "win_low": [0.24, 0.06, 0.0],
        "win_high": [0.76, 0.51, 0.3],
        "is_small_sample": [False] * 3,
    }
)
FINAL = pl.DataFrame(
    {
        "entity_id": ["dee", "dee", "eff", "eff"],
        "position": [1, 2, 1, 2],
        "probability": [0.75, 0.25, 0.25, 0.75],
    }
)

CHARTS: dict[str, Callable[[], Any]] = {
    **LAP_CHARTS,
    **STRATEGY_CHARTS,
    "title_odds": lambda: title_odds(ODDS),
    "final_positions": lambda: final_positions(ODDS, FINAL),
    "standings_lines": lambda: standings_lines(ROUNDS),
    "metric_bars": lambda: metric_bars(FIGURES, "gap", GAP),
    "form_lines": lambda: form_lines(LINES, "Elo [points]", "Season"),
    "grid_wins": lambda: grid_wins(SLOTS),
    "finishing_order": lambda: finishing_order(field(raced=False)),
    "predicted_actual": lambda: predicted_actual(field(raced=True)),
    "outcome_probabilities": lambda: outcome_probabilities(field(raced=False)),
    "position_heatmap": lambda: position_heatmap(field(raced=True), places()),
    "contribution_waterfall": lambda: contribution_waterfall(TERMS, "Dee Driver 1"),
    "head_to_head": lambda: head_to_head("Dee Driver 1", "Dee Driver 2", 0.625),
    "skill": lambda: skill(advantages()),
    "reliability_curve": lambda: reliability_curve(CURVE, "win"),
    "rolling_form": lambda: rolling_form(FORM, SCORE_BY_COLUMN["mae_ranked"]),
    "miss_distribution": lambda: miss_distribution(MISSES),
    "feature_drift": lambda: feature_drift(DRIFT),
    "calibration_drift": lambda: calibration_drift(ROLLING, "win_log_loss"),
}
EMPTY: dict[str, Callable[[], Any]] = {
    **LAP_EMPTY,
    **STRATEGY_EMPTY,
    "title_odds": lambda: title_odds(ODDS.clear()),
    "final_positions": lambda: final_positions(ODDS.clear(), FINAL.clear()),
    "standings_lines": lambda: standings_lines(ROUNDS.clear()),
    "metric_bars": lambda: metric_bars(FIGURES.clear(), "gap", GAP),
    "form_lines": lambda: form_lines(LINES.clear(), "Elo [points]", "Season"),
    "grid_wins": lambda: grid_wins(SLOTS.clear()),
    "finishing_order": lambda: finishing_order(field(raced=False).clear()),
    "predicted_actual": lambda: predicted_actual(field(raced=False)),
    "outcome_probabilities": lambda: outcome_probabilities(field(raced=False).clear()),
    "position_heatmap": lambda: position_heatmap(field(raced=False).clear(), places().clear()),
    "contribution_waterfall": lambda: contribution_waterfall(TERMS.clear(), "nobody"),
    "head_to_head": lambda: head_to_head("Dee Driver 1", "Dee Driver 2", 0.0),
    "skill": lambda: skill(comparison_table([])),
    "reliability_curve": lambda: reliability_curve(CURVE, "top_ten"),
    "rolling_form": lambda: rolling_form(FORM.clear(), SCORE_BY_COLUMN["mae_ranked"]),
    "miss_distribution": lambda: miss_distribution(MISSES.clear()),
    "feature_drift": lambda: feature_drift(DRIFT.clear()),
    "calibration_drift": lambda: calibration_drift(ROLLING.clear(), "win_log_loss"),
}


def rows_of(spec: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return list(spec["datasets"].values())


def encodings(spec: dict[str, Any]) -> list[dict[str, Any]]:
    layers = spec.get("layer")
    return [found for layer in layers for found in encodings(layer)] if layers else [spec["encoding"]]


def test_every_chart_is_tested() -> None:
    modules = {module.name for module in pkgutil.iter_modules(f1core.charts.__path__)} - {
        "style",
        "lap_lines",
        "round_lines",
        "team_marks",
    }
    assert set(CHARTS) == set(EMPTY) == modules


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_valid_and_says_what_it_shows(name: str) -> None:
    spec = CHARTS[name]().to_dict()  # Altair validates it against the schema of Vega-Lite
    assert len(spec["description"]) > 30
    assert 120 <= spec["height"] <= 700
    assert any(rows_of(spec))


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_leaves_colours_of_text_and_page_to_the_theme(name: str) -> None:
    text = json.dumps(CHARTS[name]().to_dict())
    spec = CHARTS[name]().to_dict()
    assert spec["background"] == "transparent"
    # Beside the neutral ink only what is data: the team's colour of the frame, compounds and the letter on them.
    data = {"#3671C6", "#E8002D", INK, *COMPOUNDS.values()}
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", text)) <= {NEUTRAL, *data}
    assert not re.search(r'"(labelColor|titleColor|labelFontColor|fill|stroke)":', text)


def test_the_neutral_ink_is_readable_on_both_pages() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for page in ("#ffffff", "#040506"):
        light, dark = sorted((luminance(NEUTRAL), luminance(page)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.2


@pytest.mark.parametrize("name", CHARTS)
def test_every_axis_has_a_title_or_names_its_lines(name: str) -> None:
    spec = CHARTS[name]().to_dict()
    titles = [
        channel.get("title")
        for encoding in encodings(spec)
        for axis, channel in encoding.items()
        if axis in ("x", "y") and channel.get("type") in ("quantitative", "ordinal")
    ]
    assert any(titles)


@pytest.mark.parametrize("name", CHARTS)
def test_colour_is_never_the_only_cue(name: str) -> None:
    for encoding in encodings(CHARTS[name]().to_dict()):
        if "color" in encoding:
            told_by = {"shape", "strokeDash", "opacity", "size", "yOffset", "xOffset"} & set(encoding)
            assert told_by, f"{name} tells its series apart by colour alone"


@pytest.mark.parametrize("name", EMPTY)
def test_a_chart_of_nothing_is_still_a_chart(name: str) -> None:
    assert EMPTY[name]().to_dict()["description"]


def test_the_predicted_winner_stands_on_top_and_every_driver_is_drawn() -> None:
    spec = finishing_order(field(raced=False).reverse()).to_dict()
    for encoding in encodings(spec):
        assert encoding["y"]["sort"] == [f"Driver {place}" for place in range(1, COUNT + 1)]
    (rows,) = rows_of(spec)
    assert len(rows) == COUNT
    assert rows[0]["expected_position"] == pytest.approx(2.8)


def test_a_raced_forecast_is_in_order_of_the_result() -> None:
    spec = predicted_actual(field(raced=True)).to_dict()
    assert encodings(spec)[0]["y"]["sort"][0] == "Driver 20", "who won stands on top"
    points = max(rows_of(spec), key=len)
    assert len(points) == 2 * COUNT
    stopped = {row["label"] for row in points if row["series"] == "Not classified"}
    assert stopped == {"Driver 19", "Driver 20"}
    places = {row["label"]: row["place"] for row in points if row["series"] == "Finished"}
    assert places["Driver 1"] == 2


def test_advantages_beyond_the_edge_are_drawn_on_it_and_told_exactly() -> None:
    spec = skill(advantages()).to_dict()
    rows = next(rows for rows in rows_of(spec) if "advantage" in rows[0])
    far = next(row for row in rows if row["score"] == "Winner named")
    assert (far["advantage_drawn"], far["advantage"]) == (1.0, 1.8)
    assert (far["low_drawn"], far["high_drawn"]) == (0.7, 1.0)


def test_only_the_asked_outcome_is_drawn() -> None:
    spec = reliability_curve(CURVE, "podium").to_dict()
    (rows,) = [rows for rows in rows_of(spec) if "count" in rows[0]]
    assert [row["count"] for row in rows] == [30]


def test_misses_are_shares_of_all_forecasts() -> None:
    (rows,) = rows_of(miss_distribution(MISSES).to_dict())
    assert {(row["miss"], row["series"]): row["share"] for row in rows} == {
        (0, "Finished"): 0.5,
        (-3, "Finished"): 0.25,
        (12, "Not classified"): 0.25,
    }


def test_the_heatmap_draws_every_likely_place_in_predicted_order_and_the_result() -> None:
    spec = position_heatmap(
        field(raced=True).reverse(), places().sample(fraction=1, shuffle=True, seed=1)
    ).to_dict()
    assert encodings(spec)[0]["y"]["sort"] == [f"Driver {place}" for place in range(1, COUNT + 1)]
    cells = next(rows for rows in rows_of(spec) if "probability" in rows[0])
    assert {(row["label"], row["position"]) for row in cells if row["label"] == "Driver 20"} == {
        ("Driver 20", 1),
        ("Driver 20", 20),
    }
    assert len(cells) == 2 * COUNT, "what cannot happen is not drawn"
    marks = next(rows for rows in rows_of(spec) if "series" in rows[0])
    assert {row["series"] for row in marks} == {"Expected place", "Result"}
    before = position_heatmap(field(raced=False), places()).to_dict()
    marks = next(rows for rows in rows_of(before) if "series" in rows[0])
    assert {row["series"] for row in marks} == {"Expected place"}


def test_the_waterfall_goes_from_the_middle_of_the_field_to_the_expected_place() -> None:
    spec = contribution_waterfall(TERMS.reverse(), "Dee Driver 1").to_dict()
    moves = next(rows for rows in rows_of(spec) if "direction" in rows[0])
    assert [row["name"] for row in moves] == [
        "Starting place",
        "Qualifying gap",
        "Simulation and calibration",
    ]
    assert [row["direction"] for row in moves] == ["Forward", "Back", "Forward"]
    assert [row["text"] for row in moves] == ["−8.0", "+0.8", "−0.3"]
    for row, begin in zip(moves, (10.5, 2.5, 3.34), strict=True):
        assert row["after"] == pytest.approx(begin + row["places"])
        assert (row["low"], row["high"]) == pytest.approx(sorted((begin, row["after"])))
    levels = next(rows for rows in rows_of(spec) if "place" in rows[0])
    assert [(row["name"], row["place"]) for row in levels] == [
        ("Middle of the field", 10.5),
        ("Expected place", pytest.approx(3.0)),
    ]
    assert "the strongest reason is Starting place, −8.0 places" in spec["description"]


def test_weak_reasons_are_summed_and_the_sum_stays() -> None:
    many = pl.DataFrame(
        {
            "term": [
                "field middle",
                *(f"reason {place}" for place in range(1, 31)),
                "simulation and calibration",
            ],
            "ordinal": range(1, 33),
            "places": [10.5, *(-1 / place for place in range(1, 31)), 0.25],
        }
    )
    spec = contribution_waterfall(many, "Dee Driver 1").to_dict()
    moves = next(rows for rows in rows_of(spec) if "direction" in rows[0])
    names = [row["name"] for row in moves]
    assert names == [
        *(f"Reason {place}" for place in range(1, 9)),
        "22 other reasons",
        "Simulation and calibration",
    ]
    assert moves[-1]["after"] == pytest.approx(many["places"].sum())


def test_two_drivers_share_the_whole_bar() -> None:
    spec = head_to_head("Dee Driver 1", "Dee Driver 2", 0.625).to_dict()
    rows = next(rows for rows in rows_of(spec) if "told" in rows[0])
    assert [row["told"] for row in rows] == ["Dee Driver 1 62%", "Dee Driver 2 38%"]
    assert rows[0]["right"] == rows[1]["left"] == 0.625


def test_retirements_are_drawn_where_the_forecast_has_them() -> None:
    rows = field(raced=False)
    spec = outcome_probabilities(rows).to_dict()
    (crosses,) = [found for found in rows_of(spec) if found[0]["outcome"] == "Retires"]
    assert [row["share"] for row in crosses] == pytest.approx(rows["dnf_probability"].to_list())
    without = outcome_probabilities(rows.with_columns(dnf_probability=pl.lit(None, pl.Float64))).to_dict()
    assert {row["outcome"] for found in rows_of(without) for row in found} == {"Win", "Podium", "Points"}
    assert "retirement" not in without["description"]


def test_the_best_bar_stands_on_top_and_small_samples_are_marked() -> None:
    spec = metric_bars(FIGURES.reverse(), "gap", GAP).to_dict()
    assert encodings(spec)[0]["y"]["sort"] == ["Dee", "Eff"], "lower is better; who has no figure is left out"
    (rows,) = rows_of(spec)
    assert {row["label"]: (row["told"], row["is_small"]) for row in rows} == {
        "Dee": ("-0.20", False),
        "Eff": ("+0.10", True),
    }
    share = Definition("DNF rate", "share", "Made up.", "higher")
    told = metric_bars(FIGURES.with_columns(gap=pl.lit(0.25)), "gap", share).to_dict()
    assert {row["told"] for row in rows_of(told)[0]} == {"25%"}
    assert encodings(told)[0]["x"]["title"] == "DNF rate"


def test_lines_of_one_colour_never_share_a_dash_and_gaps_stay_out() -> None:
    spec = form_lines(LINES, "Elo [points]", "Season").to_dict()
    line = encodings(spec)[0]
    assert line["strokeDash"]["scale"]["range"][0] != line["strokeDash"]["scale"]["range"][1]
    assert line["x"]["scale"]["domain"] == [2024.0, 2025.2], "from the beginning of the first season"
    assert sum(len(rows) for rows in rows_of(spec)) == 3


def test_standings_count_from_the_leader_of_each_round() -> None:
    (rows,) = rows_of(standings_lines(ROUNDS).to_dict())
    assert {(row["label"], row["count_rounds"]): row["behind"] for row in rows} == {
        ("Dee", 1): 0.0,
        ("Eff", 1): -10.0,
        ("Dee", 2): 0.0,
        ("Eff", 2): -20.0,
    }


def test_wins_by_slot_are_the_shares_given() -> None:
    (rows,) = rows_of(grid_wins(SLOTS).to_dict())
    assert [(row["grid_position"], row["win_rate"], row["win_high"]) for row in rows] == [
        (1, 0.5, 0.76),
        (2, 0.2, 0.51),
    ], "slots far back are left out"


def test_charts_know_no_streamlit() -> None:
    for module in pkgutil.iter_modules(f1core.charts.__path__):
        source = importlib.import_module(f"f1core.charts.{module.name}")
        assert "streamlit" not in vars(source)


def test_pandas_is_whole_before_a_chart_is_drawn() -> None:
    """Altair asks a half-imported pandas for its types when another thread is importing it: pages failed on a cold server."""
    asked = "import sys, f1core.charts.style; print(hasattr(sys.modules['pandas'], 'Timestamp'))"
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "True"
