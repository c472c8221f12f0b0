"""The championship on real seasons: golden facts of history, the gate of time, the calendar, refreshing."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

import f1core.championship
from f1core.championship import (
    arithmetic_of,
    bring_championship,
    fingerprint,
    places_text,
    refresh_championship,
    simulate,
    standings_of,
)
from f1core.championship_inputs import Standing, lineup, remaining_events, standing_after
from f1core.title_words import sentences, what_must_happen
from models.points_rules import points_rules
from tests.championship_data import championship_folder
from tests.conftest import workspace_of
from warehouse.errors import NotReady
from warehouse.queries.championship import final_positions, odds_seasons, title_odds
from warehouse.queries.events import calendar
from warehouse.queries.history import Facts, load_facts
from warehouse.reader import Reader

MOMENT = dt.timedelta(seconds=1)


@pytest.fixture(scope="module")
def facts(reader: Reader) -> Facts:
    return load_facts(reader, from_season=2007)


@pytest.fixture(scope="module")
def events(reader: Reader) -> pl.DataFrame:
    return calendar(reader)


@pytest.fixture(scope="module")
def standings(facts: Facts, events: pl.DataFrame) -> Callable[[int], list[Standing]]:
    """The championship after every round of a season."""
    return cache(
        lambda season: list(standings_of(facts, events, season, dt.datetime(2100, 1, 1, tzinfo=dt.UTC)))
    )


@pytest.fixture(scope="session")
def championship_data(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return championship_folder(ingested, tmp_path_factory)


def known(facts: Facts, event_id: str) -> dt.datetime:
    lines = facts.tables["race_results"].filter(
        (pl.col("event_id") == event_id) & (pl.col("session") == "race")
    )
    return lines["known_at"].max()  # type: ignore[return-value]


def after(facts: Facts, events: pl.DataFrame, event_id: str) -> Standing:
    return standing_after(facts.history(known(facts, event_id) + MOMENT), event_id, events)


def words(reader: Reader, standing: Standing, championship: str = "drivers") -> tuple[str, ...]:
    names = dict(
        reader.query(
            "select driver_id, last_name from drivers union all select constructor_id, constructor_name from constructors"
        ).iter_rows()
    )
    return sentences(arithmetic_of(standing, championship), standing.remaining, names, championship)


# --- the rules against the results ------------------------------------------------------------------------------------


def test_points_by_the_rules_are_those_of_every_result(reader: Reader) -> None:
    """All races and sprints since 2010; Belgium 2021 was stopped and gave half."""
    lines = reader.query("select r.*, row_number() over () as n from race_results as r where season >= 2010")
    last = reader.query("select arg_max(event_id, race_date) as event_id from events group by season")[
        "event_id"
    ].to_list()
    wrong = set()
    for row in lines.iter_rows(named=True):
        rules = points_rules(row["season"])
        scale = rules.race if row["session"] == "race" else rules.sprint
        place = row["position"]
        points = scale[place - 1] if place and place <= len(scale) else 0
        if row["session"] == "race":
            points *= rules.last_race_factor if row["event_id"] in last else 1
            points += rules.fastest_lap if row["is_fastest_lap"] and place and place <= 10 else 0
        if abs(points - row["points"]) > 1e-9:
            wrong.add((row["event_id"], row["points"] / points if points else None))
    assert wrong == {("2021-belgium", 0.5)}


def test_points_of_results_make_the_official_tables(reader: Reader) -> None:
    """After every round of 2010 to 2026; only two constructors lost points that their cars had scored."""
    found = {}
    for table, name in (("driver_standings", "driver_id"), ("constructor_standings", "constructor_id")):
        found[table] = reader.query(
            f"""
            with scored as (
                select r.season, s.starts_at, r.{name}, sum(r.points) as points
                from race_results as r
                inner join sessions as s on s.event_id = r.event_id and s.session = 'race'
                where r.season >= 2010
                group by all
            )
            select distinct t.season, t.{name}, sum(scored.points) - t.points as missing
            from {table} as t
            inner join sessions as s on s.event_id = t.event_id and s.session = 'race'
            inner join scored on scored.season = t.season and scored.{name} = t.{name} and scored.starts_at <= s.starts_at
            where t.season >= 2010
            group by t.event_id, t.season, t.{name}, t.points
            having abs(sum(scored.points) - t.points) > 1e-9
            order by all
            """
        ).rows()
    assert found["driver_standings"] == []
    assert found["constructor_standings"] == [(2018, "force-india", 59.0), (2020, "racing-point", 15.0)]


def test_the_countback_is_the_official_one(standings: Callable[[int], list[Standing]]) -> None:
    """Whoever is level on points stands in the order of the better places, in every final table since 2010."""
    count = 0
    for season in range(2010, 2026):
        final = standings(season)[-1]
        rows = final.drivers.filter(pl.col("points") > 0)
        keys = [(row["points"], *row["places"]) for row in rows.iter_rows(named=True)]
        assert keys == sorted(keys, reverse=True), season
        count += sum(a[0] == b[0] for a, b in pairwise(keys))
    assert count >= 10, "there are ties to be broken"


# --- golden facts -----------------------------------------------------------------------------------------------------


def test_2021_level_before_the_last_race(reader: Reader, facts: Facts, events: pl.DataFrame) -> None:
    standing = after(facts, events, "2021-saudi-arabia")
    assert standing.drivers["points"].head(2).to_list() == [369.5, 369.5]
    found = arithmetic_of(standing, "drivers")
    assert found.alive == ("max-verstappen", "lewis-hamilton")
    told = words(reader, standing)
    assert any("Verstappen is champion" in one and "scores no less than Hamilton" in one for one in told)
    assert any(
        "Hamilton is champion" in one and "outscores Verstappen by 1 point or more" in one for one in told
    )
    odds = dict(
        simulate(standing, samples=2000).drivers.entities.select("entity_id", "title_probability").iter_rows()
    )
    assert odds["max-verstappen"] + odds["lewis-hamilton"] == pytest.approx(1.0)
    assert 0.25 < odds["max-verstappen"] < 0.75


def test_2010_four_drivers_before_the_last_race(facts: Facts, events: pl.DataFrame) -> None:
    found = arithmetic_of(after(facts, events, "2010-brazil"), "drivers")
    assert set(found.alive) == {"fernando-alonso", "mark-webber", "sebastian-vettel", "lewis-hamilton"}
    decisions = {one.entity_id: one for one in found.event}
    assert decisions["fernando-alonso"].sure_place == 2, "the newspapers: second is enough for Alonso"
    vettel = {one.rival: one for one in decisions["sebastian-vettel"].margins}["fernando-alonso"]
    # Vettel's win with Alonso fifth leaves both level on 256 points and five wins each; Vettel has the better places.
    assert (vettel.points, vettel.level_points, vettel.level_places) == (16, 15, (1,))


def test_2010_the_constructors_title_was_won_a_round_early(facts: Facts, events: pl.DataFrame) -> None:
    assert arithmetic_of(after(facts, events, "2010-korea"), "constructors").champion is None
    assert arithmetic_of(after(facts, events, "2010-brazil"), "constructors").champion == "red-bull"


def test_2023_the_sprint_of_qatar_could_decide(reader: Reader, facts: Facts, events: pl.DataFrame) -> None:
    standing = after(facts, events, "2023-japan")
    found = arithmetic_of(standing, "drivers")
    assert found.alive == ("max-verstappen", "sergio-perez")
    assert found.leader_needs == 3, "the newspapers: three points"
    (sprint,) = found.sprint
    assert (sprint.entity_id, sprint.sure_place) == ("max-verstappen", 6)
    assert any("in the sprint of the Qatar Grand Prix" in one for one in words(reader, standing))


def test_2025_third_was_enough_for_norris(facts: Facts, events: pl.DataFrame) -> None:
    found = arithmetic_of(after(facts, events, "2025-qatar"), "drivers")
    assert found.alive == ("lando-norris", "max-verstappen", "oscar-piastri")
    assert {one.entity_id: one.sure_place for one in found.event}["lando-norris"] == 3


def test_2014_the_last_race_counts_double(facts: Facts, events: pl.DataFrame) -> None:
    standing = after(facts, events, "2014-brazil")
    assert [event.factor for event in standing.remaining] == [2]
    found = arithmetic_of(standing, "drivers")
    assert (found.points_left, found.alive) == (50, ("lewis-hamilton", "nico-rosberg"))
    assert {one.entity_id: one.sure_place for one in found.event}["lewis-hamilton"] == 2
    assert [event.factor for event in after(facts, events, "2014-russia").remaining] == [1, 1, 2]


@pytest.mark.parametrize("season", range(2010, 2026))
def test_titles_are_settled_where_history_says(
    season: int, standings: Callable[[int], list[Standing]], reader: Reader
) -> None:
    """By arithmetic alone: the round after which the archive calls somebody champion first, for both titles."""
    for championship, table, name in (
        ("drivers", "driver_standings", "driver_id"),
        ("constructors", "constructor_standings", "constructor_id"),
    ):
        ours = [(one.event_id, arithmetic_of(one, championship).champion) for one in standings(season)]
        settled = [found for found in ours if found[1] is not None]
        won = set(
            reader.query(
                f"select event_id, {name} from {table} where season = $season and is_champion",
                {"season": season},
            ).rows()
        )
        assert set(settled) == won, championship


def test_deductions_come_from_the_official_table(facts: Facts, events: pl.DataFrame) -> None:
    points = dict(
        after(facts, events, "2020-70th-anniversary")
        .constructors.select("constructor_id", "points")
        .iter_rows()
    )
    assert points["racing-point"] == 41, "56 scored, 15 taken away"
    points = dict(
        after(facts, events, "2018-belgium").constructors.select("constructor_id", "points").iter_rows()
    )
    assert points["force-india"] == 18, "the new entrant began with nothing"


# --- time and calendar ------------------------------------------------------------------------------------------------


def test_nothing_known_later_changes_a_standing(facts: Facts, events: pl.DataFrame) -> None:
    event_id = "2021-hungary"
    at = known(facts, event_id)
    changed = {}
    for name, rows in facts.tables.items():
        later = rows["known_at"] > at
        marred = rows.with_columns(
            pl.when(pl.Series(later)).then(pl.lit(None)).otherwise(pl.col(column)).alias(column)
            for column in ("points", "position", "value", "status")
            if column in rows.columns
        )
        # Half of what came later is changed, the other half gone.
        changed[name] = marred.filter(pl.Series(~later) | (pl.int_range(pl.len()) % 2 == 0))
    spoilt = Facts(changed, facts.calendar, facts.sessions, facts.circuits)
    before, now = (after(found, events, event_id) for found in (facts, spoilt))
    assert before.drivers.equals(now.drivers) and before.constructors.equals(now.constructors)
    assert fingerprint(before) == fingerprint(now)


def test_odds_are_stale_when_the_code_that_makes_them_changes(
    facts: Facts, events: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = after(facts, events, "2021-hungary")
    before = fingerprint(standing)
    names = {"championship.py", "championship_inputs.py", "points_rules.py", "title_arithmetic.py"}
    assert {path.name for path in f1core.championship.CODE} == names
    for number, path in enumerate(f1core.championship.CODE):
        changed = tmp_path / f"{number}.py"
        changed.write_bytes(path.read_bytes() + b"# changed")
        with monkeypatch.context() as patch:
            patch.setattr(
                f1core.championship,
                "CODE",
                tuple(changed if one == path else one for one in f1core.championship.CODE),
            )
            assert fingerprint(standing) != before, path
    assert fingerprint(standing) == before


def test_a_cancelled_race_and_an_added_one(facts: Facts, events: pl.DataFrame) -> None:
    event_id = "2026-austria"
    usual = after(facts, events, event_id)
    cancelled = events.with_columns(
        status=pl.when(pl.col("event_id") == "2026-qatar").then(pl.lit("cancelled")).otherwise("status")
    )
    fewer = after(facts, cancelled, event_id)
    assert [one.event_id for one in usual.remaining if one not in fewer.remaining] == ["2026-qatar"]
    extra = events.filter(pl.col("event_id") == "2026-qatar").with_columns(
        event_id=pl.lit("2026-extra"), is_sprint=pl.lit(True)
    )
    more = after(facts, pl.concat([events, extra]), event_id)
    assert len(more.remaining) == len(usual.remaining) + 1
    left = [arithmetic_of(one, "drivers").points_left for one in (fewer, usual, more)]
    assert left == [left[1] - 25, left[1], left[1] + 33]
    assert len({fingerprint(one) for one in (fewer, usual, more)}) == 3, "a changed calendar makes odds stale"


def test_races_run_without_a_result_are_still_to_come(events: pl.DataFrame) -> None:
    event = events.filter(pl.col("event_id") == "2026-austria").row(0, named=True)
    left = remaining_events(events, event, points_rules(2026), set())
    assert left[0].event_id == "2026-great-britain" and left[-1].event_id == "2026-abu-dhabi"
    assert sum(one.is_sprint for one in left) == 3


def races(*fields: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "event_id": f"race-{number}",
                "known_at": dt.datetime(2026, 1, 1 + number, tzinfo=dt.UTC),
                "display_order": place,
                "driver_id": driver,
                "constructor_id": car,
                "status": "classified",
            }
            for number, seats in enumerate(fields)
            for place, (driver, car) in enumerate(seats.items())
        ]
    )


def test_who_missed_one_race_is_expected_back() -> None:
    usual = {"a": "one", "b": "one", "c": "two", "d": "two"}
    stand_in = races(usual, {"new": "one", "b": "one", "c": "two", "d": "two"})
    assert lineup(stand_in, "race-1") == usual
    borrowed = races(usual, {"c": "one", "b": "one", "new": "two", "d": "two"})
    assert lineup(borrowed, "race-1") == usual, "the borrowed driver goes back, too"
    swapped = races(usual, {"c": "one", "b": "one", "a": "two", "d": "two"})
    assert lineup(swapped, "race-1") == {"a": "two", "b": "one", "c": "one", "d": "two"}
    gone = races(
        usual, {"new": "one", "b": "one", "c": "two", "d": "two"}, {"new": "one", "b": "one", "c": "two"}
    )
    assert lineup(gone, "race-2") == {"new": "one", "b": "one", "c": "two"}, (
        "a car that stayed away has no stand-in"
    )


# --- publishing -------------------------------------------------------------------------------------------------------


def test_odds_are_published_for_every_round_and_fit_together(championship_data: Path) -> None:
    reader = Reader(championship_data / "warehouse")
    assert odds_seasons(reader) == [2026, 2021]
    for season, count, newest in ((2021, 22, "2021-abu-dhabi"), (2026, 8, "2026-austria")):
        for championship in ("drivers", "constructors"):
            rows = title_odds(reader, season, championship)
            assert rows["event_id"].n_unique() == count and rows["event_id"][-1] == newest
            sums = rows.group_by("event_id").agg(pl.col("title_probability").sum())
            assert (sums["title_probability"] - 1).abs().max() < 1e-9
            assert rows["name"].null_count() == 0
            assert rows.filter(~pl.col("is_backtest"))["event_id"].unique().to_list() == [newest]
            places = final_positions(reader, newest, championship)
            expected = places.group_by("entity_id").agg((pl.col("position") * pl.col("probability")).sum())
            now = rows.filter(pl.col("event_id") == newest).join(expected, on="entity_id", suffix="_again")
            assert (now["expected_position"] - now["position_again"]).abs().max() < 1e-9
    final = title_odds(reader, 2021, "drivers").filter(pl.col("event_id") == "2021-abu-dhabi")
    assert final.filter(pl.col("title_probability") == 1.0)["entity_id"].to_list() == ["max-verstappen"]
    assert final["is_decided"].all() and final["count_remaining"].max() == 0


def test_a_refresh_computes_only_what_is_missing_or_stale(championship_data: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(championship_data, tmp_path / "data"))
    work = workspace_of(data)
    snapshot = work.reader.snapshot.id
    done = refresh_championship(work)
    assert (done.season, done.computed, len(done.kept)) == (2026, (), 8)
    assert work.reader.snapshot.id == snapshot, "nothing changed, nothing published"
    with work.writing("test") as store:
        rows = pl.DataFrame(pl.from_arrow(store.read("ratings")))
        last = pl.col("event_id") == "2026-austria"
        rows = rows.with_columns(value=pl.when(last).then(pl.col("value") + 0.1).otherwise("value"))
        store.replace("ratings", rows.to_arrow())
        store.publish(now=work.clock.now())
    again = bring_championship(work)
    assert again is not None and again.computed == ("2026-austria",)


def test_the_same_facts_give_the_same_rows(
    championship_data: Path, facts: Facts, events: pl.DataFrame
) -> None:
    stored = title_odds(Reader(championship_data / "warehouse"), 2026, "drivers")
    standing = after(facts, events, "2026-austria")
    anew = simulate(standing).drivers.entities.sort("entity_id")
    mine = stored.filter(pl.col("event_id") == "2026-austria").sort("entity_id")
    assert mine["title_probability"].to_list() == anew["title_probability"].to_list()


def test_what_must_happen_is_read_from_stored_odds(championship_data: Path) -> None:
    reader = Reader(championship_data / "warehouse")
    found = what_must_happen(reader, "2021-saudi-arabia", "drivers")
    assert found is not None and found.next_event is not None
    assert found.next_event.event_id == "2021-abu-dhabi"
    assert any("scores no less than Lewis Hamilton" in one for one in found.sentences)
    over = what_must_happen(reader, "2021-abu-dhabi", "drivers")
    assert over is not None and over.sentences == ("Max Verstappen has won the title: the season is over.",)
    assert what_must_happen(reader, "2019-monaco", "drivers") is None


def test_a_simulated_clock_publishes_nothing(championship_data: Path) -> None:
    with pytest.raises(NotReady, match="real clock"):
        refresh_championship(workspace_of(championship_data, "2026-06-01"))
    with pytest.raises(NotReady, match="other rules"):
        refresh_championship(workspace_of(championship_data), 2005)


def test_an_invented_season_has_odds_too(tiny_data: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    done = refresh_championship(workspace_of(data))
    assert (done.season, len(done.computed)) == (2024, 2)


def test_counts_of_places_are_stored_without_the_last_zeros() -> None:
    assert places_text([9, 0, 1, 0, 0]) == "9 0 1"
    assert places_text([0, 0]) == ""
