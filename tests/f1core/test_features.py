"""Features: the registry, what is true of every feature, and several of them computed again from the tables."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Iterator

import polars as pl
import pytest

from f1core.features.extract import KEYS, extract, stage_cutoff
from f1core.features.facts import FeatureFacts
from f1core.features.registry import REGISTRY, STAGES, Feature, add, feature, feature_names
from warehouse.errors import NotReady, UnknownEvent
from warehouse.reader import Reader
from warehouse.vocab import Stage

COUNT_EVENTS = 24
WEEKEND_GROUPS = {"practice", "sprint", "qualifying", "grid"}


@pytest.fixture(scope="module")
def sample(feature_facts: FeatureFacts) -> list[tuple[str, Stage, pl.DataFrame]]:
    """Extracted features of random events of all eras and every stage."""
    rng = random.Random(1950)
    held = (
        feature_facts.facts.tables["session_summaries"]
        .filter(pl.col("session") == "race")["event_id"]
        .to_list()
    )
    events = [
        *rng.sample(held[1:], COUNT_EVENTS),
        "2025-las-vegas",
        "2026-austria",
        "2021-belgium",
        "2024-china",
    ]
    return [(event, stage, extract(feature_facts, event, stage)[0]) for event in events for stage in Stage]


# --- the registry -----------------------------------------------------------------------------------------------------


def test_there_are_enough_features_of_every_kind() -> None:
    assert len(REGISTRY) >= 35
    assert set(REGISTRY) == {feature.name for feature in REGISTRY.values()}
    groups = {feature.group for feature in REGISTRY.values()}
    assert {"form", "standings", "ratings", "circuit", "grid", "qualifying", "practice"} <= groups
    assert {"elo_driver", "elo_constructor", "elo_combined", "pace_driver", "pace_constructor"} <= set(
        REGISTRY
    )
    assert {"grid_position", "qualifying_position", "championship_position"} <= set(REGISTRY)


@pytest.mark.parametrize("found", list(REGISTRY.values()), ids=lambda found: found.name)
def test_every_feature_is_described(found: Feature) -> None:
    assert found.name.isidentifier() and found.name == found.name.lower()
    assert found.doc.endswith(".") and len(found.doc) > 15
    assert found.unit
    assert isinstance(found.since, Stage)
    if found.group in WEEKEND_GROUPS:
        assert found.since is not Stage.PRE_WEEKEND, "what happens in the weekend is not known before it"


def test_a_later_stage_knows_at_least_as_much() -> None:
    names = [feature_names(stage) for stage in STAGES]
    for earlier, later in itertools.pairwise(names):
        assert set(earlier) < set(later)
    assert names[-1] == feature_names() == list(REGISTRY)
    assert "grid_position" in feature_names(Stage.PRE_RACE)
    assert "grid_position" not in feature_names(Stage.POST_QUALIFYING)
    assert "qualifying_position" not in feature_names(Stage.PRE_QUALIFYING)


@pytest.fixture
def registry_restored() -> Iterator[None]:
    kept = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(kept)


@pytest.mark.usefixtures("registry_restored")
def test_a_name_is_taken_once_and_a_feature_needs_words() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        add("grid_position", "place", "grid", Stage.PRE_RACE, "Again.", lambda _: None)
    with pytest.raises(ValueError, match="no doc"):
        feature(unit="", group="test")(lambda _view: None)


# --- what is true of all ----------------------------------------------------------------------------------------------


def test_rows_are_the_fields_and_columns_the_registrys(sample: list[tuple[str, Stage, pl.DataFrame]]) -> None:
    for event, stage, frame in sample:
        assert frame.columns == [*KEYS, *REGISTRY, "feature_coverage", "data_quality_flag"]
        assert frame.height >= 6, event
        assert frame["driver_id"].is_unique().all()
        assert frame["driver_id"].is_sorted()
        assert set(frame["event_id"]) == {event}
        assert set(frame["stage"]) == {stage.value}
        assert set(frame["season"]) == {int(event[:4])}


def test_values_are_finite_or_missing(sample: list[tuple[str, Stage, pl.DataFrame]]) -> None:
    for event, stage, frame in sample:
        for name in REGISTRY:
            column = frame[name]
            assert column.dtype == pl.Float64, name
            assert column.drop_nulls().is_finite().all(), (event, stage, name)


def test_nothing_is_known_before_its_stage(sample: list[tuple[str, Stage, pl.DataFrame]]) -> None:
    for event, stage, frame in sample:
        for found in REGISTRY.values():
            if not found.known_at_stage(stage):
                assert frame[found.name].null_count() == frame.height, (event, stage, found.name)


def test_every_feature_has_values_somewhere(sample: list[tuple[str, Stage, pl.DataFrame]]) -> None:
    frames = pl.concat([frame for _, _, frame in sample])
    assert [name for name in REGISTRY if frames[name].null_count() == frames.height] == []


def test_shares_and_flags_stay_in_their_range(sample: list[tuple[str, Stage, pl.DataFrame]]) -> None:
    frames = pl.concat([frame for _, _, frame in sample])
    for found in REGISTRY.values():
        values = frames[found.name].drop_nulls()
        if found.unit == "share":
            assert values.is_between(0, 1).all(), found.name
        if found.unit == "flag":
            assert set(values.unique()) <= {0.0, 1.0}, found.name
        if found.unit == "correlation":
            assert values.is_between(-1, 1).all(), found.name
        if found.name.endswith("_rank"):
            assert values.min() >= 1, found.name


def test_coverage_and_quality_follow_from_the_values(sample: list[tuple[str, Stage, pl.DataFrame]]) -> None:
    for _, stage, frame in sample:
        names = feature_names(stage)
        for row in frame.iter_rows(named=True):
            share = sum(row[name] is not None for name in names) / len(names)
            assert row["feature_coverage"] == pytest.approx(share, abs=1e-12)
            if row["career_starts"] < 1:
                expected = "no_history"
            else:
                expected = "sparse" if share < 0.6 else "imputed" if share < 0.9 else "ok"
            assert row["data_quality_flag"] == expected


def test_the_same_facts_give_the_same_bytes(feature_facts: FeatureFacts) -> None:
    again = FeatureFacts(feature_facts.facts)
    for stage in Stage:
        first, _ = extract(feature_facts, "2024-belgium", stage)
        second, _ = extract(again, "2024-belgium", stage)
        assert first.equals(second)
        assert first.write_json() == second.write_json()


def test_an_earlier_clock_cuts_and_a_later_one_does_not(feature_facts: FeatureFacts) -> None:
    end = stage_cutoff(feature_facts, "2024-belgium", Stage.PRE_RACE)
    normal, _ = extract(feature_facts, "2024-belgium", Stage.PRE_RACE)
    later, _ = extract(feature_facts, "2024-belgium", Stage.PRE_RACE, as_of=end + dt.timedelta(days=400))
    assert later.equals(normal)
    earlier, lineup = extract(feature_facts, "2024-belgium", Stage.PRE_RACE, as_of=end - dt.timedelta(days=9))
    assert lineup.source == "last_race"
    assert earlier["grid_position"].null_count() == earlier.height
    assert earlier["practice_laps"].null_count() == earlier.height


def test_unknown_events_and_the_first_race_of_all(feature_facts: FeatureFacts) -> None:
    with pytest.raises(UnknownEvent, match="2024-atlantis"):
        extract(feature_facts, "2024-atlantis", Stage.PRE_RACE)
    with pytest.raises(NotReady, match="1950-great-britain"):
        extract(feature_facts, "1950-great-britain", Stage.PRE_WEEKEND)


# --- some of them, computed again ---------------------------------------------------------------------------------------

ORACLE_EVENTS = [
    "2025-las-vegas",
    "2021-belgium",
    "2019-japan",
    "2024-monaco",
    "2026-austria",
    "1997-europe",
    "2012-brazil",
]


def starts_before(reader: Reader, cutoff: dt.datetime) -> pl.DataFrame:
    """Race starts known before an instant with their place among the starters, made without the product's labels."""
    return reader.query(
        """
        with best as (
            select *, row_number() over (partition by event_id, driver_id order by display_order) as line
            from race_results where session = 'race' and is_starter and known_at < $cutoff
        )
        select event_id, driver_id, constructor_id, points, status, known_at, season,
            row_number() over (partition by event_id order by display_order) as place
        from best where line = 1 order by known_at, event_id
        """,
        {"cutoff": cutoff},
    )


@pytest.mark.parametrize("event", ORACLE_EVENTS)
def test_form_is_what_the_results_say(reader: Reader, feature_facts: FeatureFacts, event: str) -> None:
    stage = Stage.PRE_WEEKEND
    frame, _ = extract(feature_facts, event, stage)
    starts = starts_before(reader, stage_cutoff(feature_facts, event, stage))
    for row in frame.iter_rows(named=True):
        mine = starts.filter(pl.col("driver_id") == row["driver_id"])
        assert row["career_starts"] == mine.height
        assert row["season_starts"] == mine.filter(pl.col("season") == row["season"]).height
        if mine.is_empty():
            assert row["avg_finish_5"] is None
            continue
        assert row["avg_finish_5"] == pytest.approx(mine["place"].tail(5).mean())
        assert row["avg_finish_3"] == pytest.approx(mine["place"].tail(3).mean())
        assert row["best_finish_5"] == mine["place"].tail(5).min()
        assert row["win_rate_10"] == pytest.approx((mine["place"].tail(10) == 1).mean())
        assert row["points_rate_5"] == pytest.approx(mine["points"].tail(5).mean())
        dnf = mine["status"].is_in(["retired", "not_classified"])
        assert row["dnf_rate_10"] == pytest.approx(dnf.tail(10).mean())
        team = starts.filter(pl.col("constructor_id") == row["constructor_id"])
        last = team["event_id"].unique(maintain_order=True).tail(5).to_list()
        expected = team.filter(pl.col("event_id").is_in(last))["place"].mean()
        if expected is None:
            assert row["constructor_avg_finish_5"] is None
        else:
            assert row["constructor_avg_finish_5"] == pytest.approx(expected)


@pytest.mark.parametrize("event", ORACLE_EVENTS)
def test_the_championship_is_the_last_published_one(
    reader: Reader, feature_facts: FeatureFacts, event: str
) -> None:
    frame, _ = extract(feature_facts, event, Stage.PRE_RACE)
    table = reader.query(
        """
        select driver_id, display_order, points from driver_standings where event_id = (
            select arg_max(event_id, known_at) from driver_standings where known_at < $cutoff
        )
        """,
        {"cutoff": stage_cutoff(feature_facts, event, Stage.PRE_RACE)},
    )
    places = dict(table.select("driver_id", "display_order").iter_rows())
    points = dict(table.select("driver_id", "points").iter_rows())
    for row in frame.iter_rows(named=True):
        driver = row["driver_id"]
        assert row["championship_position"] == places.get(driver)
        if driver in points:
            assert row["points_behind_leader"] == pytest.approx(max(points.values()) - points[driver])
            assert row["championship_points_share"] == pytest.approx(points[driver] / max(points.values()))


@pytest.mark.parametrize("event", ORACLE_EVENTS)
def test_qualifying_and_grid_are_the_published_ones(
    reader: Reader, feature_facts: FeatureFacts, event: str
) -> None:
    frame, lineup = extract(feature_facts, event, Stage.PRE_RACE)
    assert lineup.source == "grid"
    times = reader.query(
        "select driver_id, display_order, least(time_s, q1_s, q2_s, q3_s) as best from qualifying_results "
        "where event_id = $event and session = 'qualifying' order by display_order",
        {"event": event},
    )
    fastest = times["best"].min()
    qualifying = {driver: (place, best) for driver, place, best in times.iter_rows()}
    grid = dict(
        reader.query(
            "select driver_id, display_order from starting_grids where event_id = $event and session = 'race'",
            {"event": event},
        ).iter_rows()
    )
    assert set(frame["driver_id"]) == set(grid)
    for row in frame.iter_rows(named=True):
        assert row["grid_position"] == grid[row["driver_id"]]
        place, best = qualifying[row["driver_id"]]
        assert row["qualifying_position"] == place
        gap = None if best is None else 100 * (best / fastest - 1)
        if gap is None or gap > 7:
            assert row["qualifying_gap_pct"] is None
        else:
            assert row["qualifying_gap_pct"] == pytest.approx(gap, abs=1e-9)
        assert row["grid_against_qualifying"] == grid[row["driver_id"]] - place


def test_elo_of_the_second_race_of_all_is_known_by_hand(reader: Reader, feature_facts: FeatureFacts) -> None:
    """Everyone starts at 1500: after one race of n the winner has 1500 + 16 (he beat n - 1 equals), the last 1500 - 16."""
    frame, _ = extract(feature_facts, "1950-monaco", Stage.PRE_WEEKEND)
    first = starts_before(reader, dt.datetime(1950, 5, 15, tzinfo=dt.UTC))
    n = first.height
    places = dict(first.select("driver_id", "place").iter_rows())
    for row in frame.iter_rows(named=True):
        place = places.get(row["driver_id"])
        if place is None:
            assert row["elo_driver"] is None
            continue
        # Expected score 1/2 against each of n - 1, K / (n - 1) a game.
        assert row["elo_driver"] == pytest.approx(1500 + 32 / (n - 1) * ((n - place) - (n - 1) / 2))
    farina = frame.filter(pl.col("driver_id") == "nino-farina").row(0, named=True)
    assert farina["elo_driver"] == pytest.approx(1516.0)
    assert farina["elo_combined"] == pytest.approx((farina["elo_driver"] + farina["elo_constructor"]) / 2)
    assert farina["elo_rank"] == 1.0


def test_ratings_move_back_over_the_winter(reader: Reader, feature_facts: FeatureFacts) -> None:
    frame, _ = extract(feature_facts, "2026-australia", Stage.PRE_WEEKEND)
    last = dict(
        reader.query(
            "select entity_id, value from ratings where event_id = '2025-abu-dhabi' and rating_kind = 'elo' "
            "and entity_kind = 'driver'"
        ).iter_rows()
    )
    checked = 0
    for row in frame.iter_rows(named=True):
        if row["driver_id"] in last:
            checked += 1
            assert row["elo_driver"] == pytest.approx(1500 + 0.8 * (last[row["driver_id"]] - 1500))
    assert checked >= 18


def test_practice_is_the_best_of_the_sessions_so_far(reader: Reader, feature_facts: FeatureFacts) -> None:
    event = "2025-italy"
    frame, _ = extract(feature_facts, event, Stage.PRE_QUALIFYING)
    table = reader.query(
        "select session, driver_id, time_s, laps, display_order from practice_results where event_id = $event",
        {"event": event},
    ).with_columns(gap=100 * (pl.col("time_s") / pl.col("time_s").min().over("session") - 1))
    for row in frame.iter_rows(named=True):
        mine = table.filter(pl.col("driver_id") == row["driver_id"])
        assert row["practice_laps"] == mine["laps"].sum()
        assert row["practice_best_gap_pct"] == pytest.approx(mine["gap"].min())
        last = mine.filter(pl.col("session") == "practice_3")
        assert row["practice_last_gap_pct"] == pytest.approx(last["gap"].item())
        assert row["practice_last_position"] == last["display_order"].item()


def test_days_since_the_last_race(feature_facts: FeatureFacts, reader: Reader) -> None:
    frame, _ = extract(feature_facts, "2025-belgium", Stage.PRE_RACE)
    start = reader.query(
        "select starts_at from sessions where event_id = '2025-belgium' and session = 'race'"
    ).item()
    known = reader.query(
        "select known_at from sessions where event_id = '2025-great-britain' and session = 'race'"
    ).item()
    assert frame["days_since_last_race"].max() == pytest.approx(
        (start - known).total_seconds() / 86400, abs=7.1
    )
    assert not math.isnan(frame["season_progress"][0])
    assert frame["season_progress"][0] == pytest.approx(12 / 24)
    assert frame["field_size"].to_list() == [20.0] * 20
    assert frame["is_sprint_weekend"].to_list() == [1.0] * 20
