"""The strategy page: what it shows is what the simulator says, the scenario lives in the URL, bad text is answered kindly."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import polars as pl
import pytest

from f1core.simulator.plan import Plan, Stop
from f1core.strategy.edits import Edit, WhatIf
from f1core.strategy.rejoining import rejoin_race, rejoins
from f1core.strategy.setup import race_setup
from f1core.strategy.whatif import run
from pages.shell.strategy_scenario import edited_stops, stop_rows
from tests.pages.conftest import Open, Visit, draw, param
from tests.strategy_data import EVENT, strategy_folder
from warehouse.reader import Reader

PAGE = "pages/strategy.py"
NORRIS = {"event": EVENT, "driver": "lando-norris"}
EARLY = "lando-norris:-15H-45H"


@pytest.fixture(scope="session")
def data(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strategy_folder(ingested, tmp_path_factory)


SECTIONS = {"race": 1, "positions": 1, "laps": 3, "finish": 1}
"""Charts of every section that a scenario has at once."""


def opened(seen: Visit, view: str) -> Visit:
    """The same visitor, another section."""
    seen.at.query_params["view"] = view
    return draw(seen.at)


def all_charts(seen: Visit) -> int:
    """Charts over the sections, opened one after the other."""
    found = {view: opened(seen, view).charts for view in SECTIONS}
    assert found == SECTIONS
    return sum(found.values())


def address(seen: Visit) -> str:
    """The link to the scenario that the page hands out."""
    (words,) = [
        one.value for one in seen.at.markdown if one.value.startswith("This scenario, to open or to copy: ")
    ]
    return str(words.rpartition("](")[2].removesuffix(")"))


def figures(seen: Visit) -> dict[str, str]:
    return {one.label: one.value for one in seen.at.metric}


def test_the_page_shows_what_the_simulator_says(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **NORRIS, cars=EARLY)
    stops = (Stop(15, "HARD"), Stop(45, "HARD"))
    setup = race_setup(Reader(data / "warehouse"), EVENT)
    found = run(setup, WhatIf(edits=(Edit(driver_id="lando-norris", stops=stops),)), "lando-norris")
    assert figures(seen)["Original"] == f"P{found.original.position}"
    assert figures(seen)["Simulated"] == f"P{found.simulated.position}"
    assert seen.says(f"{found.change.places_gained:+.2f} ± {found.change.places_error:.2f}") or seen.says(
        f"{abs(found.change.places_gained):.2f} ± {found.change.places_error:.2f} places"
    )
    assert seen.says("300 simulations with seed 1") and seen.says("they are an assumption")
    assert all_charts(seen) == 6
    seen = opened(seen, "finish")
    table = next(frame.value for frame in seen.at.dataframe if "gap_ahead_s" in frame.value.columns)
    assert table["lap"].to_list() == [15, 45]
    assert seen.says("300 simulations with seed 1") and seen.says("they are an assumption")


def test_nothing_changed_is_said_so(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, event=EVENT)
    assert seen.says("Nothing is changed") and figures(seen)["Places gained"] == "–"


def test_the_scenario_lives_in_the_url(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **NORRIS, cars=EARLY)
    link = address(seen)
    assert link == f"/strategy?event={EVENT}&driver=lando-norris&cars={EARLY}"
    seed = next(one for one in seen.at.number_input if one.key == "scenario_seed")
    seed.set_value(7)
    again = draw(seen.at)
    assert param(again.at, "seed") == "7" and param(again.at, "cars") == EARLY
    pace = next(one for one in again.at.number_input if one.key == "pace_lando-norris")
    pace.set_value(-0.3)
    faster = draw(again.at)
    assert param(faster.at, "cars") == f"{EARLY}/p-0.3"
    undo = next(one for one in faster.at.button if one.key == "undo_lando-norris")
    undo.click()
    assert param(draw(faster.at).at, "cars") is None


def test_only_the_chosen_section_is_worked_out_and_the_url_keeps_it(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **NORRIS, cars=EARLY)
    assert {one.value for one in seen.at.subheader} == {"Race trace"}
    (section,) = [one for one in seen.at.segmented_control if one.label == "Section"]
    assert section.value == "race" and param(seen.at, "view") is None
    section.set_value("laps")
    laps = draw(seen.at)
    assert param(laps.at, "view") == "laps" and param(laps.at, "cars") == EARLY
    assert {one.value for one in laps.at.subheader} == {"Lap times by stint", "Wear", "Tyres"}
    # Numbers, verdict, assumptions, downloads and the address stand under every section.
    link = address(laps)
    assert link == f"/strategy?event={EVENT}&driver=lando-norris&cars={EARLY}&view=laps"
    for view, titles in {
        "positions": {"Positions"},
        "finish": {"Where it ends", "Back on the track"},
        "rejoin": {"Place after a stop, lap by lap", "Real stops"},
        "best": set(),
        "numbers": {"Fitted to earlier races", "Pace of the cars"},
    }.items():
        shown = opened(laps, view)
        assert {one.value for one in shown.at.subheader} == titles
        assert len(figures(shown)) == 4 and shown.says("they are an assumption") and shown.says("places")
        assert {one.label for one in shown.at.get("download_button")} == {"CSV", "JSON"}
        assert address(shown).endswith(f"&view={view}")
    # What was copied leads to the same page; another season keeps the section.
    query = dict(parse_qsl(link.partition("?")[2]))
    again = visit(PAGE, data, **query)
    assert again.charts == SECTIONS["laps"] and address(again) == link
    next(one for one in again.at.selectbox if one.label == "Season").set_value("2025")
    assert param(draw(again.at).at, "view") == "laps"
    unknown = visit(PAGE, data, **NORRIS, view="[x](https://evil.example)")
    assert unknown.says("There is no section") and unknown.charts == SECTIONS["race"]
    assert "](https://evil" not in "\n".join([*unknown.texts(), address(unknown)])


def test_where_he_would_come_out_is_what_the_model_says(visit: Open, data: Path) -> None:
    reader = Reader(data / "warehouse")
    told = rejoins(rejoin_race(reader, EVENT), "lando-norris")
    seen = visit(PAGE, data, **NORRIS, view="rejoin")
    assert seen.charts == 1 and told.height
    stops = told.filter("is_stop", "is_predicted")
    table = next(frame.value for frame in seen.at.dataframe if "real_position" in frame.value.columns)
    for name in ("lap", "position", "real_position"):
        assert table[name].to_list() == stops[name].to_list() != []
    assert seen.links()["How often this is right"].endswith("?section=scores")
    assert seen.says("lose") and seen.says("on this circuit")
    # The scenario changes nothing here: it is the race as it was driven.
    edited = visit(PAGE, data, **NORRIS, cars=EARLY, view="rejoin")
    same = next(frame.value for frame in edited.at.dataframe if "real_position" in frame.value.columns)
    assert same.equals(table)


def test_an_illegal_plan_is_told_at_once_with_the_rules_name(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **NORRIS, cars="lando-norris:M-30M")
    assert seen.says("Not allowed – two dry compounds.")
    assert seen.says("as soon as the rules allow it") and seen.charts == 0


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"event": "1950-monaco"}, "There is no race “1950-monaco” here"),
        ({"event": EVENT, "driver": "nobody"}, "Nobody in this race answers to 'nobody'"),
        ({"event": EVENT, "driver": "norriss"}, "Did you mean lando-norris?"),
        ({"event": EVENT, "cars": "[x](https://evil.example)"}, "It is left out"),
        ({"event": EVENT, "cars": "ayrton-senna:M-20H"}, "Not in this race, and left out: ayrton-senna"),
        ({"event": EVENT, "runs": "9999999999"}, "It is left out"),
        ({"event": EVENT, "seed": "-1", "sc": "purple"}, "'purple' is not known"),
    ],
)
def test_bad_parameters_are_answered_kindly(
    query: dict[str, str], answer: str, visit: Open, data: Path
) -> None:
    seen = visit(PAGE, data, **query)
    assert seen.says(answer)
    assert "](https://evil" not in "\n".join(seen.texts())
    assert seen.charts == SECTIONS["race"] and all_charts(seen) == 6


def test_what_is_left_out_is_said_once(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, event=EVENT, seed="-1")
    assert sum("It is left out" in text for text in seen.texts()) == 1


def test_a_race_to_come_that_the_url_names_is_played(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, event="2026-qatar")
    assert param(seen.at, "event") == "2026-qatar"
    assert seen.says("No result of this race is known") and "Qatar (to come)" in "".join(
        map(str, next(one for one in seen.at.selectbox if one.label == "Race").options)
    )
    assert all_charts(seen) == 6
    # It has no laps to ask where he would come out: a link that asks for it shows the first section, and is no mistake.
    asked = opened(seen, "rejoin")
    assert asked.charts == SECTIONS["race"] and not asked.says("here; Race trace")
    (section,) = [one for one in asked.at.segmented_control if one.label == "Section"]
    assert "Where would he come out?" not in section.options and len(section.options) == 6


def test_a_name_people_use_finds_the_driver(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, event=EVENT, driver="Pérez")
    assert param(seen.at, "driver") == "sergio-perez"
    assert seen.says("really retired on lap")


def test_the_best_strategies_are_ranked_when_asked_for(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **NORRIS, view="best")
    assert not seen.says("Was it the right call?") and seen.charts == 0
    next(one for one in seen.at.button if one.label == "Rank strategies").click()
    ranked = draw(seen.at)
    assert ranked.says("Was it the right call?") and ranked.says("plans were run in the full field")
    table = next(frame.value for frame in ranked.at.dataframe if "windows" in frame.value.columns)
    best = table.filter(pl.col("rank") > 0) if isinstance(table, pl.DataFrame) else table[table["rank"] > 0]
    assert len(best) == 5 and list(best["position"]) == sorted(best["position"])
    next(one for one in ranked.at.button if one.key == "take_1").click()
    taken = draw(ranked.at)
    assert str(param(taken.at, "cars")).startswith("lando-norris:")
    assert param(taken.at, "view") == "best" and taken.says("Was it the right call?")


def test_a_simulated_clock_sees_only_races_that_were_known(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock="2026-05-01", event=EVENT)
    assert seen.says(f"There is no race “{EVENT}” here")


def test_without_laps_the_page_says_how_to_get_them(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data)
    assert seen.charts == 0 and seen.says("python -m jobs")


def test_what_is_done_in_the_editor_becomes_stops_in_order() -> None:
    rows = stop_rows(Plan("MEDIUM", (Stop(20, "HARD"), Stop(40, "SOFT", 3))))
    delta = {
        "edited_rows": {"1": {"lap": 12}},
        "added_rows": [{"lap": 50, "tyre": "MEDIUM", "used": 0}, {"tyre": "SOFT"}],
        "deleted_rows": [0],
    }
    assert edited_stops(rows, delta) == (Stop(12, "SOFT", 3), Stop(50, "MEDIUM"))
    assert edited_stops(rows, {"deleted_rows": [0, 1]}) == ()
