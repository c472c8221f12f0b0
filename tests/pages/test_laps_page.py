"""The laps page: every view of an invented race and qualifying, choices in the URL, and what it says when there is nothing."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.session_tables import publish_sessions
from f1core.settings import reset_settings
from f1core.telemetry_view import circuit_outline
from tests.conftest import once_per_run, workspace_of
from tests.made_up_sessions import MadeUpSession, lap_samples
from tests.made_up_weekend import DRIVERS
from tests.pages.conftest import Open, draw, param
from warehouse.reader import Reader
from warehouse.vocab import SessionKind

PAGE = "pages/laps.py"
ADA, BO, CY = DRIVERS[:3]
RACE = {"event": "2024-lakeland", "session": "race"}
QUALIFYING = {"event": "2024-lakeland", "session": "qualifying", "view": "telemetry"}


@pytest.fixture(scope="session")
def data(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented seasons with a qualifying that was recorded: laps of three, telemetry of two."""

    def make(folder: Path) -> None:
        shutil.copytree(tiny_data, folder / "data")
        made = MadeUpSession("2024-lakeland", SessionKind.QUALIFYING)
        made.run(ADA, [88.0, 88.4]).run(BO, [88.5]).run(CY, [89.0], changes={0: {"is_deleted": True}})
        made.telemetry = [*lap_samples(ADA, 2, 1000.0, 88.0), *lap_samples(BO, 2, 1100.0, 88.5)]
        work = workspace_of(folder / "data")
        publish_sessions(work, [made.write(folder / "bundles")])
        work.reader.close()

    found = once_per_run(tmp_path_factory, "laps-page", make) / "data"
    reset_settings()
    return found


def test_the_newest_race_is_shown_without_a_choice(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data)
    assert seen.charts == 1 and seen.says("Harbour Grand Prix 2024: laps")
    assert seen.says("Safety car on lap 3–4")
    assert seen.says("Timing: lap archive")
    assert len(seen.at.get("download_button")) == 3


@pytest.mark.parametrize(
    ("view", "charts", "tables", "words"),
    [
        ("positions", 1, 0, "Position at the end of each lap"),
        ("times", 1, 1, "Clean laps"),
        ("tyres", 1, 1, "Timing"),
        ("pace", 1, 1, "racing laps around"),
        ("sectors", 0, 1, "no sector times of this session"),
        ("telemetry", 0, 0, "Car channels are kept of each driver's best laps of qualifying"),
    ],
)
def test_every_view_of_a_race(
    view: str, charts: int, tables: int, words: str, visit: Open, data: Path
) -> None:
    seen = visit(PAGE, data, **RACE, view=view)
    assert (seen.charts, len(seen.at.dataframe)) == (charts, tables)
    assert seen.says(words)


def test_numbers_are_those_of_the_warehouse(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **RACE, view="tyres")
    shown = seen.at.dataframe[0].value
    reader = Reader(data / "warehouse")
    stored = reader.query(
        "select last_name, stint, first_lap, last_lap, compound from stints inner join drivers using (driver_id) "
        "where event_id = '2024-lakeland' and session = 'race'"
    )
    reader.close()
    assert shown.height == stored.height if isinstance(shown, pl.DataFrame) else len(shown) == stored.height
    rows = set(
        zip(
            *(list(shown[name]) for name in ("label", "stint", "first_lap", "last_lap", "compound")),
            strict=True,
        )
    )
    assert rows == set(stored.iter_rows())


def test_the_way_round_a_circuit_comes_from_its_newest_recorded_session(data: Path) -> None:
    reader = Reader(data / "warehouse")
    found = circuit_outline(reader, "lake-ring")
    assert found is not None and found.rows["label"].unique().to_list() == [
        f"{ADA.replace('-', ' ').title()} 2024"
    ]
    assert found.rows["x_m"].is_not_null().all() and found.corners.height
    assert circuit_outline(reader, "harbour-street") is None
    assert circuit_outline(reader, "lake-ring", dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) is None
    reader.close()


def test_laps_are_filtered_corrected_and_chosen_from_the_url(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **RACE, view="times", drivers=f"{BO},{ADA}", laps="all", times="corrected")
    assert seen.says("is taken out, as if all laps were mid-race")
    names = set(seen.at.dataframe[0].value["label"])
    assert names == {name.split("-")[1].title() for name in (ADA, BO)}
    assert seen.at.multiselect(key="choice_drivers").value == [BO, ADA]


def test_the_gap_can_be_to_any_driver(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **RACE, view="trace")
    box = next(one for one in seen.at.selectbox if one.key == "choice_to")
    box.set_value(BO)
    after = draw(seen.at)
    assert param(after.at, "to") == BO and after.charts == 1


def test_a_recorded_qualifying_has_its_telemetry(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **QUALIFYING)
    assert seen.charts == 6, "five channels and the map"
    assert seen.says("Timing: FastF1 session recorded, loaded 01 Jun 2024")
    assert seen.says("not the official corner numbers")
    one = visit(PAGE, data, **QUALIFYING, lap="2.2")
    assert one.charts == 5, "nothing to be behind of"
    times = visit(PAGE, data, **{**QUALIFYING, "view": "times"})
    assert times.charts == 1 and times.says("Clean laps")
    sectors = visit(PAGE, data, **{**QUALIFYING, "view": "sectors"})
    shown = sectors.at.dataframe[0].value
    assert list(shown["best_s"]) == [88.0, 88.5], "a deleted lap counts for nothing"
    assert list(shown["ideal_s"]) == pytest.approx([88.0, 88.5])


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"event": "<script>alert(1)</script>"}, "is called '<script>alert(1)</script>'"),
        ({"event": "2024-isle"}, "There are no laps of the"),
        ({"event": "2023-lakeland", "session": "qualifying"}, "There is no session “qualifying” here"),
        ({**RACE, "drivers": "nobody,[x](https://evil.example)"}, "Nothing is known of drivers “nobody"),
        ({**RACE, "view": "1066", "to": "x"}, "There is no view “1066” here"),
        ({**QUALIFYING, "lap": "99.1"}, "Nothing is known of laps to compare “99.1”"),
    ],
)
def test_bad_parameters_are_answered_kindly(
    query: dict[str, str], answer: str, visit: Open, data: Path
) -> None:
    seen = visit(PAGE, data, **query)
    assert seen.says(answer)
    assert "](https://evil" not in "\n".join(seen.texts())
    assert seen.charts or seen.at.dataframe


def test_names_people_type_are_understood(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock="2024-12-20", event="Lakeland")
    assert param(seen.at, "event") == "2024-lakeland" and seen.says("Lakeland Grand Prix 2024: laps")


def test_sessions_with_telemetry_are_one_click_away(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, **RACE, view="telemetry")
    button = next(one for one in seen.at.button if one.key == "to_2024-lakeland_qualifying")
    button.click()
    after = draw(seen.at)
    assert param(after.at, "session") == "qualifying" and after.charts == 6


def test_a_simulated_clock_hides_later_laps(visit: Open, data: Path) -> None:
    seen = visit(PAGE, data, clock="2023-12-20")
    assert seen.says("Grand Prix 2023: laps")
    nothing = visit(PAGE, data, clock="2022-01-01")
    assert nothing.says("No laps are in the warehouse") and nothing.charts == 0


def test_without_a_recorded_session_telemetry_says_what_brings_it(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, **RACE, view="telemetry")
    assert seen.says("No session in the warehouse has telemetry yet")
