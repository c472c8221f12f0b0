"""Race, qualifying and sprint: their labels, their stages, the sessions their features read, and the odd weekends."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from f1core.backtest import Backtest
from f1core.features.extract import extract, stage_cutoff
from f1core.features.facts import FeatureFacts
from f1core.forecasts import open_targets, refresh_forecasts
from f1core.labels import load_labels, qualifying_labels
from f1core.predict import Forecast, Predictor, best_stage
from f1core.targets import PRODUCTION_MODEL, TRAINED, has_target, require_target, rules_of, targets_of
from f1core.workspace import Workspace
from tests.conftest import Answer, ingest_into, workspace_of
from tests.made_up_archive import Championship, write_zip
from warehouse.errors import NotReady
from warehouse.queries.events import session_starts
from warehouse.reader import Reader
from warehouse.stages import cutoff, qualifying_session
from warehouse.vocab import SessionKind, Stage, Target

SPRINT, QUALIFYING, RACE = Target.SPRINT, Target.QUALIFYING, Target.RACE
EVENT = "2024-highmoor"


def of(labels: pl.DataFrame, event: str) -> pl.DataFrame:
    return labels.filter(pl.col("event_id") == event).sort("position")


# --- labels of what really happened -----------------------------------------------------------------------------------


def test_qualifying_counts_its_classification_and_not_the_grid(reader: Reader) -> None:
    labels = load_labels(reader, QUALIFYING, from_season=2011)
    silverstone = of(labels, "2021-great-britain")
    assert silverstone["driver_id"][0] == "lewis-hamilton", "the fastest; the sprint's winner started first"
    assert silverstone["is_winner"].to_list() == [True] + [False] * 19
    assert silverstone["is_top_ten"].sum() == 10
    for name in ("is_dnf", "gap_s", "race_time_s"):
        assert labels[name].null_count() == labels.height
    for _, field in labels.group_by("event_id"):
        assert sorted(field["position"]) == list(range(1, field.height + 1))
        assert field["driver_id"].n_unique() == field.height
    races = load_labels(reader, RACE, from_season=2011)
    assert set(labels["event_id"]) == set(races["event_id"])


@pytest.mark.parametrize(
    ("event", "last"),
    [
        # Two who set no time, in the order of the list.
        ("2019-japan", ["kevin-magnussen", "robert-kubica"]),
        # Listed twice: with his time, and as disqualified. He has one place.
        ("2023-great-britain", ["kevin-magnussen", "valtteri-bottas"]),
    ],
)
def test_without_an_official_place_one_comes_last_in_qualifying(
    reader: Reader, event: str, last: list[str]
) -> None:
    field = of(load_labels(reader, QUALIFYING, from_season=2019), event)
    assert field.height == 20
    assert field["driver_id"].to_list()[-2:] == last
    assert field["is_classified"][-1] is False


def test_a_driver_who_was_disqualified_after_qualifying_is_last_in_it(reader: Reader) -> None:
    field = of(load_labels(reader, QUALIFYING, from_season=2012), "2012-spain")
    assert field["driver_id"][0] == "pastor-maldonado"
    assert "lewis-hamilton" in field["driver_id"].to_list()[-2:], "he had been the fastest"


def test_a_sprint_counts_its_starters_in_the_official_order(reader: Reader) -> None:
    labels = load_labels(reader, SPRINT)
    assert labels["season"].min() == 2021
    assert of(labels, "2021-great-britain")["driver_id"][0] == "max-verstappen"
    baku = of(labels, "2023-azerbaijan")
    assert (baku.height, "logan-sargeant" in set(baku["driver_id"])) == (19, False), "he did not start"


def test_a_race_that_was_stopped_early_counts_as_the_result_has_it(reader: Reader) -> None:
    """Half points were paid after three laps behind the safety car: the order is the official one all the same."""
    field = of(load_labels(reader, from_season=2021), "2021-belgium")
    assert field.height == 20
    assert field["driver_id"].to_list()[:3] == ["max-verstappen", "george-russell", "lewis-hamilton"]
    points = reader.query(
        "select max(points) as best from race_results where event_id = '2021-belgium' and session = 'race'"
    ).item()
    assert points == 12.5


# --- stages -----------------------------------------------------------------------------------------------------------


def test_a_sprint_has_stages_of_its_own(reader: Reader) -> None:
    starts = session_starts(reader, "2024-china")
    found = [cutoff("", starts, stage, SPRINT) for stage in Stage]
    assert found == sorted(found)
    assert found[1] == starts["sprint_qualifying"]
    assert found[2] - found[1] == dt.timedelta(minutes=46)
    assert found[3] == starts["sprint"] - dt.timedelta(minutes=30)
    assert found[3] < cutoff("", starts, Stage.PRE_QUALIFYING), "the race's qualifying comes after the sprint"


@pytest.mark.parametrize("event", ["2021-great-britain", "2021-italy", "2022-austria", "2022-sao-paulo"])
def test_in_2021_and_2022_fridays_qualifying_set_the_sprints_grid(reader: Reader, event: str) -> None:
    starts = session_starts(reader, event)
    assert qualifying_session(starts, SPRINT) is SessionKind.QUALIFYING
    assert cutoff("", starts, Stage.PRE_QUALIFYING, SPRINT) == starts["qualifying"]
    known = reader.query(
        "select max(known_at) from qualifying_results where event_id = $event", {"event": event}
    ).item()
    assert known < cutoff("", starts, Stage.POST_QUALIFYING, SPRINT) < starts["sprint"]


def test_what_an_event_has_is_forecast_and_nothing_else(reader: Reader) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert targets_of(reader, "2024-china") == [RACE, QUALIFYING, SPRINT]
    assert targets_of(reader, "2024-monaco") == [RACE, QUALIFYING]
    with pytest.raises(NotReady, match="no sprint session") as caught:
        require_target(reader, "2024-monaco", SPRINT)
    assert caught.value.hint == "Use --target race or qualifying."
    with pytest.raises(NotReady, match="no sprint"):
        best_stage(reader, "2024-monaco", now, SPRINT)
    with pytest.raises(NotReady, match="it is over by then"):
        cutoff("2024-monaco", session_starts(reader, "2024-monaco"), Stage.PRE_RACE, QUALIFYING)
    assert best_stage(reader, "2024-monaco", now, QUALIFYING) is Stage.PRE_QUALIFYING
    assert best_stage(reader, "2024-china", now, SPRINT) is Stage.PRE_RACE


def test_a_sprint_whose_qualifying_is_not_in_the_calendar_cannot_be_forecast() -> None:
    sprint = dt.datetime(2026, 5, 2, 10, tzinfo=dt.UTC)
    starts = {
        "sprint": sprint,
        "qualifying": sprint + dt.timedelta(hours=4),
        "race": sprint + dt.timedelta(days=1),
    }
    assert not has_target(starts, SPRINT)
    assert has_target({**starts, "sprint_qualifying": sprint - dt.timedelta(hours=18)}, SPRINT)
    with pytest.raises(NotReady, match="no sprint qualifying"):
        cutoff("2026-x", starts, Stage.PRE_RACE, SPRINT)


def test_every_target_learns_from_one_that_has_models() -> None:
    assert TRAINED == (RACE, QUALIFYING)
    assert rules_of(SPRINT).learns_from is RACE, "too few sprints to learn from: a stated treatment"
    assert "grid" not in {name for names in rules_of(QUALIFYING).baselines.values() for name in names}


# --- features ---------------------------------------------------------------------------------------------------------


def test_a_sprints_features_are_those_of_its_own_grid_and_qualifying(
    feature_facts: FeatureFacts, reader: Reader
) -> None:
    event = "2024-miami"
    sprint, lineup = extract(feature_facts, event, Stage.PRE_RACE, target=SPRINT)
    race, _ = extract(feature_facts, event, Stage.PRE_RACE)
    assert lineup.source == "grid"
    assert sprint.columns == race.columns
    for table, session, column, feature in (
        ("starting_grids", "sprint", "display_order", "grid_position"),
        ("qualifying_results", "sprint_qualifying", "display_order", "qualifying_position"),
        ("starting_grids", "sprint", "is_pit_lane_start", "is_pit_lane_start"),
    ):
        rows = reader.query(
            f"select driver_id, {column} from {table} where event_id = $event and session = $session",
            {"event": event, "session": session},
        )
        expected = {driver: float(value) for driver, value in rows.iter_rows()}
        assert dict(sprint.select("driver_id", feature).iter_rows()) == expected
    assert sprint["is_pit_lane_start"].sum() == 1
    for name in ("sprint_position", "sprint_qualifying_gap_pct"):
        assert sprint[name].null_count() == sprint.height
        assert race[name].null_count() < race.height
    history = ["avg_finish_5", "elo_combined", "championship_points_share", "avg_qualifying_gap_pct_8"]
    assert sprint.sort("driver_id").select(history).equals(race.sort("driver_id").select(history))


def test_practice_after_the_sprints_qualifying_is_not_known_to_it(feature_facts: FeatureFacts) -> None:
    """2022: practice was driven between Friday's qualifying and the sprint."""
    early, _ = extract(feature_facts, "2022-austria", Stage.POST_QUALIFYING, target=SPRINT)
    late, _ = extract(feature_facts, "2022-austria", Stage.PRE_RACE, target=SPRINT)
    assert early["qualifying_position"].sort().to_list() == [float(n) for n in range(1, 21)]
    assert (late["practice_laps"] > early["practice_laps"]).sum() >= 18
    assert stage_cutoff(feature_facts, "2022-austria", Stage.POST_QUALIFYING, SPRINT) < stage_cutoff(
        feature_facts, "2022-austria", Stage.PRE_RACE, SPRINT
    )


# --- forecasts of an invented season ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def year(small_data: Path) -> int:
    return int(str(Reader(small_data / "warehouse").table("events")["season"].max()))


def whole(made: Forecast, target: Target, stage: Stage) -> None:
    baselines = set(rules_of(target).baselines[stage])
    assert set(made.heads["model"]) == {PRODUCTION_MODEL, *baselines}
    assert set(made.entries["target"]) == set(made.heads["target"]) == {target.value}
    assert (
        made.entries["gap_s"].null_count() == made.entries["race_time_s"].null_count() == made.entries.height
    )
    for _, field in made.entries.group_by("model"):
        assert sorted(field["predicted_position"]) == list(range(1, field.height + 1))
        assert field["win_probability"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("target", "stage"), [(QUALIFYING, Stage.PRE_QUALIFYING), (SPRINT, Stage.PRE_RACE), (SPRINT, None)]
)
def test_a_past_session_is_forecast_by_models_that_did_not_see_it(
    small_copy: Path, year: int, target: Target, stage: Stage | None
) -> None:
    event = f"{year}-harbour"
    made = Predictor(workspace_of(small_copy)).forecast(event, stage, target)
    whole(made, target, stage or Stage.PRE_RACE)
    assert not made.is_provisional
    known = require_target(Reader(small_copy / "warehouse"), event, target)["starts_at"]
    assert (made.heads["as_of"] <= known).all()
    assert set(made.heads["last_event_id"]) == {f"{year}-lakeland"}


def test_every_target_of_the_coming_events_is_forecast(small_copy: Path, year: int) -> None:
    work = workspace_of(small_copy)
    event = f"{year}-dunes"
    assert open_targets(work, event, work.clock.now()) == [RACE, QUALIFYING]
    heads = work.reader.table("forecasts").filter(pl.col("event_id") == event)
    assert set(heads["target"]) == {"race", "qualifying"}
    versions = dict(
        heads.filter(pl.col("model") == PRODUCTION_MODEL).select("target", "model_version").iter_rows()
    )
    production = work.registry.production()
    assert versions == {
        "race": production["race/pre_weekend"],
        "qualifying": production["qualifying/pre_weekend"],
    }
    assert refresh_forecasts(work, [event]) == [], "all of it is current"
    with pytest.raises(NotReady, match="no sprint session"):
        Predictor(work).forecast(event, target=SPRINT)
    with pytest.raises(NotReady, match="qualifying is over by then"):
        Predictor(work).forecast(event, Stage.PRE_RACE, QUALIFYING)


def test_features_of_qualifying_are_stored_once(small_copy: Path, year: int) -> None:
    store = workspace_of(small_copy).features
    event, stage = f"{year}-harbour", Stage.PRE_QUALIFYING
    assert store.path(event, stage, QUALIFYING) == store.path(event, stage)
    assert store.path(event, stage, SPRINT) != store.path(event, stage)
    assert store.get(event, stage, target=QUALIFYING).frame.equals(store.get(event, stage).frame)


def test_commands_take_a_target(small_copy: Path, year: int, jobs: Callable[..., Answer]) -> None:
    past = ("--race", "Harbour", "--year", str(year), "--json")
    said = json.loads(jobs("predict", *past, "--target", "sprint", data=small_copy).out)
    assert (said["target"], said["stage"], len(said["entries"])) == ("sprint", "pre_race", 10)
    for target, stage, count in (("qualifying", "pre_qualifying", 14), ("sprint", "pre_race", 2)):
        scores = json.loads(jobs("accuracy", "--target", target, "--json", data=small_copy).out)
        assert {row["count_events"] for row in scores["backtest"][stage]["pooled"]} == {count}
        assert set(scores["sealed"]) == {one.value for one in rules_of(Target(target)).stages}
        text = jobs("accuracy", "--target", target, data=small_copy).out
        assert f"stage {target} {stage}" in text and "gap MAE" not in text
    refused = jobs("freeze", "--race", "Dunes", "--target", "sprint", data=small_copy)
    assert refused.code == 7
    assert "has no sprint session in the calendar" in refused.err
    assert not (small_copy / "ledger").exists()


# --- odd weekends -----------------------------------------------------------------------------------------------------


@pytest.fixture
def made_up(tmp_path: Path) -> Callable[..., Workspace]:
    """An installation of two short seasons, its rows changed before they were written."""

    def make(
        change: Callable[[dict[str, list[dict[str, object]]], int], None], *, schedules: bool = True
    ) -> Workspace:
        made = Championship.of({2023: 4, 2024: 3})
        number = next(n for n, _, race in made.numbered() if race.event_id == EVENT)
        tables = made.tables()
        change(tables, number)
        archive = made.write(tmp_path / "archive", schedules=schedules)
        write_zip(archive, tables)
        ingest_into(tmp_path / "data", archive)
        return workspace_of(tmp_path / "data")

    return make


def without_qualifying(tables: dict[str, list[dict[str, object]]], number: int) -> None:
    """Qualifying was called off: the grid was set by the order of the championship."""
    name = "races-qualifying-results"
    tables[name] = [row for row in tables[name] if row["raceId"] != number]


def test_a_race_whose_qualifying_was_cancelled(made_up: Callable[..., Workspace]) -> None:
    work = made_up(without_qualifying)
    assert EVENT in set(work.labels["event_id"])
    assert EVENT not in set(work.labels_of(QUALIFYING)["event_id"]), "there is nothing to learn or to score"
    before = Predictor(work).forecast(EVENT, Stage.PRE_RACE)
    assert set(before.heads["model"]) == {PRODUCTION_MODEL, "grid", "points", "elo"}
    # The stage after qualifying can be had once the grid is there, from practice, without the order that is missing.
    after = Predictor(work).forecast(EVENT, Stage.POST_QUALIFYING)
    assert set(after.heads["model"]) == {PRODUCTION_MODEL, "points", "elo"}
    assert set(after.heads["lineup_source"]) == {"practice"}
    # Qualifying itself was forecast before it was called off.
    whole(Predictor(work).forecast(EVENT, target=QUALIFYING), QUALIFYING, Stage.PRE_QUALIFYING)
    backtest = Backtest(work)
    assert EVENT in backtest.sessions([EVENT], RACE)
    assert backtest.sessions([EVENT], QUALIFYING) == []


def test_a_driver_without_a_time_in_qualifying(made_up: Callable[..., Workspace]) -> None:
    def change(tables: dict[str, list[dict[str, object]]], number: int) -> None:
        for row in tables["races-qualifying-results"]:
            if row["raceId"] == number and row["positionDisplayOrder"] == 10:
                row |= {"positionNumber": None, "positionText": "NC"}
                row |= {key: None for key in row if key.startswith(("q1", "q2", "q3", "time"))}

    work = made_up(change)
    field = of(work.labels_of(QUALIFYING), EVENT)
    slowest = field.row(9, named=True)
    assert (field.height, slowest["position"], slowest["is_classified"]) == (10, 10, False)
    frame = work.features.get(EVENT, Stage.POST_QUALIFYING).frame
    mine = frame.filter(pl.col("driver_id") == slowest["driver_id"]).row(0, named=True)
    assert (mine["qualifying_position"], mine["qualifying_gap_pct"]) == (10.0, None)
    made = Predictor(work).forecast(EVENT, Stage.POST_QUALIFYING)
    assert made.entries.filter(pl.col("driver_id") == slowest["driver_id"]).height == 4


def test_a_sprint_without_a_qualifying_of_its_own(made_up: Callable[..., Workspace]) -> None:
    """As in 2021 and 2022, and a car that starts from the pit lane."""

    def change(tables: dict[str, list[dict[str, object]]], number: int) -> None:
        harbour = number - 1
        tables["races-sprint-qualifying-results"] = []
        for row in tables["races"]:
            if row["id"] == harbour:
                friday = next(value for key, value in row.items() if key == "sprintQualifyingDate")
                row |= {
                    "qualifyingDate": friday,
                    "qualifyingTime": "15:30",
                    "sprintQualifyingDate": None,
                    "sprintQualifyingTime": None,
                }
        for row in tables["races-sprint-starting-grid-positions"]:
            if row["raceId"] == harbour and row["positionDisplayOrder"] == 10:
                row |= {"positionNumber": None, "positionText": "PL"}

    work = made_up(change, schedules=False)
    event = "2024-harbour"
    starts = session_starts(work.reader, event)
    assert SessionKind.SPRINT_QUALIFYING not in starts
    assert qualifying_session(starts, SPRINT) is SessionKind.QUALIFYING
    frame = work.features.get(event, Stage.PRE_RACE, target=SPRINT).frame
    assert frame["qualifying_position"].null_count() == 0
    assert frame.filter(pl.col("grid_position") == 10.0)["is_pit_lane_start"].item() == 1.0
    whole(Predictor(work).forecast(event, Stage.PRE_RACE, SPRINT), SPRINT, Stage.PRE_RACE)


def test_labels_of_a_list_in_any_order_are_the_same(tiny_data: Path) -> None:
    rows = Reader(tiny_data / "warehouse").table("qualifying_results")
    assert not rows.is_empty()
    shuffled = rows.sample(fraction=1, shuffle=True, seed=3)
    key = ["event_id", "position"]
    assert qualifying_labels(shuffled).sort(key).equals(qualifying_labels(rows).sort(key))
