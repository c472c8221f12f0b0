"""Metrics of the real facts against independent counts: from the source's own CSV files, or by plain Python over laps."""

from __future__ import annotations

import statistics
import zipfile
from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.made_up_archive import zip_path
from warehouse.queries import circuits, drivers, teams
from warehouse.queries.drivers import driver_season_metrics
from warehouse.queries.rankings import elo_lines, rankings
from warehouse.reader import Reader
from warehouse.tables import ANALYTICS_TABLES, Table
from warehouse.validate import validate

Csv = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def raw(archive: Path) -> Csv:
    names = ("races", "races-race-results", "races-driver-standings")
    with zipfile.ZipFile(zip_path(archive)) as bundle:
        return {
            name: pl.read_csv(bundle.read(f"f1db-{name}.csv"), infer_schema_length=None) for name in names
        }


def laps_of(reader: Reader, event_id: str) -> list[dict[str, Any]]:
    return reader.query(
        "select * from laps where season = $season and event_id = $event and session = 'race'",
        {"season": int(event_id[:4]), "event": event_id},
    ).to_dicts()


def metrics_of(reader: Reader, event_id: str) -> dict[str, dict[str, Any]]:
    rows = reader.query("select * from driver_race_metrics where event_id = $event", {"event": event_id})
    return {row["driver_id"]: row for row in rows.to_dicts()}


@pytest.mark.parametrize("table", ANALYTICS_TABLES, ids=lambda table: table.name)
def test_the_contract_holds_on_the_real_facts(reader: Reader, table: Table) -> None:
    parents = {
        target.split(".")[0]: reader.table(target.split(".")[0]).to_arrow()
        for target in table.parents.values()
    }
    rows = reader.table(table.name)
    assert rows.height > 0
    validate(table, rows.to_arrow(), parents)


# --- drivers ----------------------------------------------------------------------------------------------------------


def test_team_mates_of_bahrain_2023(reader: Reader) -> None:
    """Times of the classification: Verstappen 1:29.708, Pérez 1:29.846, Leclerc 1:30.000, Sainz 1:30.154 …"""
    found = metrics_of(reader, "2023-bahrain")
    for one, other, times in (
        ("max-verstappen", "sergio-perez", (89.708, 89.846)),
        ("charles-leclerc", "carlos-sainz-jr", (90.000, 90.154)),
        ("fernando-alonso", "lance-stroll", (90.336, 90.836)),
        ("george-russell", "lewis-hamilton", (90.340, 90.384)),
    ):
        assert found[one]["teammate_driver_id"] == other
        assert found[one]["qualifying_segment"] == "q3"
        assert found[one]["qualifying_gap_teammate_pct"] == pytest.approx(100 * (times[0] / times[1] - 1))
        assert found[other]["qualifying_gap_teammate_pct"] == pytest.approx(100 * (times[1] / times[0] - 1))
    assert found["charles-leclerc"]["dnf_cause"] == "mechanical"
    assert found["max-verstappen"]["points"] == 25.0


STOPPED_ON_LAP_1 = {
    "2018-italy": {"marcus-ericsson", "nico-hulkenberg", "daniel-ricciardo", "sebastian-vettel"},
    "2023-monaco": {"nico-hulkenberg", "sergio-perez", "guanyu-zhou"},
}
"""Cars whose clock in the feed lies 3 to 26 s early all race."""


@pytest.mark.parametrize("event_id", ["2018-italy", "2021-abu-dhabi", "2023-monaco", "2025-japan"])
def test_overtakes_of_a_race_by_plain_python(reader: Reader, event_id: str) -> None:
    laps = [
        row for row in laps_of(reader, event_id) if not row["is_generated"] and not row["is_after_result"]
    ]
    starts = {
        row["driver_id"]: row["lap_end_session_s"] - row["lap_time_s"]
        for row in laps
        if row["lap_number"] == 1 and row["lap_time_s"] is not None
    }
    middle = statistics.median(starts.values()) if starts else 0.0
    slipped = {who for who, at in starts.items() if at < middle - 3}
    at = {(row["driver_id"], row["lap_number"]): row for row in laps if row["driver_id"] not in slipped}

    def is_racing(row: dict[str, Any]) -> bool:
        return row["is_green"] and not row["is_in_lap"] and not row["is_out_lap"] and row["lap_number"] > 1

    usual = statistics.median(
        row["lap_time_s"] for row in at.values() if is_racing(row) and row["lap_time_s"] is not None
    )
    field = sorted({who for who, _ in at})
    made, suffered = dict.fromkeys(field, 0), dict.fromkeys(field, 0)
    for one, other in permutations(field, 2):
        for number in range(2, 1 + max(lap for _, lap in at)):
            four = [at.get((who, lap)) for who in (one, other) for lap in (number - 1, number)]
            if None in four:
                continue
            before, now, rival_before, rival_now = four
            if (
                is_racing(now)
                and is_racing(rival_now)
                and before["lap_end_session_s"] > rival_before["lap_end_session_s"]
                and now["lap_end_session_s"] < rival_now["lap_end_session_s"]
                and rival_now["lap_time_s"] is not None
                and rival_now["lap_time_s"] <= 1.07 * usual
            ):
                made[one] += 1
                suffered[other] += 1
    found = metrics_of(reader, event_id)
    assert {who: found[who]["overtakes_made"] for who in field} == made
    assert {who: found[who]["overtakes_suffered"] for who in field} == suffered
    assert all(found[who]["overtakes_made"] is None for who in slipped)
    assert slipped == STOPPED_ON_LAP_1.get(event_id, set())
    assert sum(made.values()) > 0


def test_order_changes_sum_up_over_every_race(reader: Reader) -> None:
    rows = reader.query(
        """
        select
            event_id,
            sum(overtakes_made) - sum(overtakes_suffered) as overtakes,
            sum(pit_places_gained) as pits,
            sum(start_gain_places) as starts,
            count(overtakes_made) as cars
        from driver_race_metrics group by event_id having cars > 0
        """
    )
    assert rows.height > 150
    for column in ("overtakes", "pits", "starts"):
        assert rows.filter(pl.col(column) != 0).is_empty(), column


def test_points_of_a_season_are_those_of_the_championship(reader: Reader, raw: Csv) -> None:
    final = (
        raw["races-driver-standings"]
        .filter(pl.col("year") >= 2010)
        .filter(pl.col("round") == pl.col("round").max().over("year"))
    )
    for season in (2010, 2014, 2021, 2023, 2025):
        wanted = dict(final.filter(pl.col("year") == season).select("driverId", "points").iter_rows())
        found = driver_season_metrics(reader, season)
        assert set(found["driver_id"]) >= set(wanted)
        for who, points in found.select("driver_id", "points").iter_rows():
            assert points == pytest.approx(wanted.get(who, 0.0)), (season, who)


def test_figures_of_a_season_by_plain_python(reader: Reader) -> None:
    rows = reader.query("select * from driver_race_metrics where season = 2022")
    found = {row["driver_id"]: row for row in driver_season_metrics(reader, 2022).to_dicts()}
    for who in ("sergio-perez", "nico-hulkenberg", "alexander-albon"):
        own = rows.filter(pl.col("driver_id") == who)
        starts = own.filter(pl.col("is_starter"))
        row = found[who]
        assert row["count_races"] == starts.height
        assert row["is_small_sample"] == (starts.height < 5)
        assert row["qualifying_gap_teammate_pct"] == own["qualifying_gap_teammate_pct"].median()
        assert row["count_qualifying_gaps"] == own["qualifying_gap_teammate_pct"].count()
        assert row["overtakes_made"] == starts["overtakes_made"].sum()
        assert row["dnf_rate"] == pytest.approx(starts["is_dnf"].mean())
        assert row["dnf_low"] <= row["dnf_rate"] <= row["dnf_high"]
        wet = starts.filter(pl.col("is_wet"))["elo_change"].mean()
        dry = starts.filter(~pl.col("is_wet"))["elo_change"].mean()
        assert row["wet_skill"] == (None if wet is None else pytest.approx(wet - dry))
        worn = starts.drop_nulls("tyre_wear_vs_field_pct")
        weight = 1 / worn["tyre_wear_error_pct"] ** 2
        mean = (worn["tyre_wear_vs_field_pct"] * weight).sum() / weight.sum()
        assert row["tyre_wear_vs_field_pct"] == pytest.approx(mean)
    assert found["nico-hulkenberg"]["is_small_sample"], "two races in 2022"


def test_a_career_and_a_comparison_say_the_same(reader: Reader) -> None:
    career = drivers.driver_career(reader, "fernando-alonso")
    assert career["season"].to_list()[:18] == [2001, *range(2003, 2019), 2021]
    assert career.filter(pl.col("season") == 2005)["constructor_id"].item() == "renault"
    span = drivers.compare_drivers(
        reader, ["fernando-alonso", "lewis-hamilton"], from_season=2007, to_season=2007
    )
    assert span["driver_id"].to_list() == ["fernando-alonso", "lewis-hamilton"]
    assert span["points"].to_list() == [109.0, 109.0]
    assert span.row(0)[:5] == career.filter(pl.col("season") == 2007).drop("season").row(0)[:5]
    duel = drivers.driver_duels(reader, "fernando-alonso", "lewis-hamilton", from_season=2007, to_season=2007)
    back = drivers.driver_duels(reader, "lewis-hamilton", "fernando-alonso", from_season=2007, to_season=2007)
    assert duel["count_races_won"].item() + back["count_races_won"].item() == duel["count_races"].item()
    assert (duel["points_one"].item(), duel["points_other"].item()) == (109.0, 109.0)


def test_elo_by_an_independent_recursion(reader: Reader) -> None:
    """Every race since 1950 as games of all pairs, in plain Python; shared drives count once, at their best."""
    lines = reader.query(
        "select event_id, season, known_at, driver_id from race_results where session = 'race' and is_starter "
        "order by known_at, event_id, display_order"
    )
    elo: dict[str, float] = {}
    changes: dict[tuple[str, str], float] = {}
    last = 1950
    for (event,), rows in lines.group_by("event_id", maintain_order=True):
        season = rows["season"][0]
        if season != last:
            elo = {who: 1500 + (value - 1500) * 0.8 ** (season - last) for who, value in elo.items()}
            last = season
        order = list(dict.fromkeys(rows["driver_id"]))
        before = [elo.get(who, 1500.0) for who in order]
        count = len(order)
        moved = [0.0] * count
        for i in range(count):
            for j in range(i + 1, count):
                surprise = 1 - 1 / (1 + 10 ** ((before[j] - before[i]) / 400))
                moved[i] += surprise
                moved[j] -= surprise
        for who, value, change in zip(order, before, moved, strict=True):
            change *= 32 / (count - 1) if count > 1 else 0
            elo[who] = value + change
            changes[str(event), who] = change
    found = elo_lines(reader, "driver")
    assert found.height == len(changes)
    for event, who, change in found.select("event_id", "entity_id", "change").iter_rows():
        assert change == pytest.approx(changes[event, who], abs=1e-6)
    newest = rankings(reader, "driver")
    assert newest["elo"].to_list() == pytest.approx([elo[who] for who in newest["entity_id"]], abs=1e-6)
    assert newest["elo"].is_sorted(descending=True)
    assert newest["rank"].to_list()[:3] == [1, 2, 3]


# --- teams ------------------------------------------------------------------------------------------------------------


def test_a_team_race_is_the_sum_of_its_cars(reader: Reader) -> None:
    cars = reader.query("select * from driver_race_metrics where season >= 2018")
    wanted = cars.group_by("event_id", "constructor_id").agg(
        starters=pl.col("is_starter").sum(),
        dnfs=pl.col("is_dnf").sum(),
        points_=pl.col("points").sum(),
        gap=pl.col("qualifying_gap_pct").min(),
        pits=pl.col("pit_places_gained").sum(),
    )
    found = reader.query("select * from team_race_metrics where season >= 2018")
    both = found.join(wanted, on=["event_id", "constructor_id"])
    assert both.height == found.height == wanted.filter(pl.col("starters") > 0).height
    assert (both["count_starters"] == both["starters"]).all()
    failed = both["count_mechanical_dnfs"] + both["count_accident_dnfs"] + both["count_other_dnfs"]
    assert (failed == both["dnfs"]).all()
    assert (both["points"] == both["points_"]).all()
    assert both["qualifying_gap_pct"].equals(both["gap"], null_equal=True)
    assert (both["pit_places_gained"].fill_null(0) == both["pits"]).all()
    best = found.filter(pl.col("race_pace_rank") == 1)
    assert best["race_pace_gap_pct"].max() == 0.0


def test_pit_time_sums_to_nothing_over_the_field(reader: Reader) -> None:
    rows = reader.query(
        "select event_id, sum(pit_time_vs_field_s * count_stops) as total from team_race_metrics "
        "where count_stops > 0 group by event_id"
    )
    assert rows.height > 500
    assert rows["total"].abs().max() < 1e-6
    red_bull = teams.compare_teams(reader, ["red-bull"], from_season=2023, to_season=2023).row(0, named=True)
    assert -2 < red_bull["pit_time_vs_field_s"] < 0, "their crew was among the fastest, red flags left out"
    assert red_bull["reliability_low"] < red_bull["reliability"] <= red_bull["reliability_high"] <= 1


# --- circuits ---------------------------------------------------------------------------------------------------------


def test_wins_by_grid_slot_at_monaco(reader: Reader, raw: Csv) -> None:
    races = raw["races"].filter(pl.col("circuitId") == "monaco").select("id", "year")
    lines = raw["races-race-results"].join(races, left_on="raceId", right_on="id")
    winners = lines.filter(pl.col("positionNumber") == 1)
    for from_season in (None, 1990):
        chosen = winners if from_season is None else winners.filter(pl.col("year") >= from_season)
        wanted = dict(chosen.group_by("gridPositionNumber").len().iter_rows())
        found = circuits.grid_wins(reader, "monaco", from_season)
        won = {slot: wins for slot, wins in found.select("grid_position", "count_wins").iter_rows() if wins}
        assert won == {slot: wins for slot, wins in wanted.items() if slot is not None}
    everything = circuits.grid_wins(reader, "monaco", 1950)
    assert everything.equals(circuits.grid_wins(reader, "monaco"), null_equal=True)


def test_winners_of_monaco(reader: Reader) -> None:
    found = circuits.previous_winners(reader, "monaco")
    by_season = dict(found.select("season", "driver_id").iter_rows())
    assert by_season[1996] == "olivier-panis"
    assert by_season[2022] == "sergio-perez"
    assert found["race_date"].is_sorted(descending=True)
    assert found.filter(pl.col("season") == 1996)["grid_position"].item() == 14
    most = circuits.most_wins(reader, "monaco")
    assert most.row(0)[:1] + most.row(0)[2:3] == ("ayrton-senna", 6)
    assert most["count_wins"].sum() == found.height
    with pytest.raises(ValueError, match="cannot count"):
        circuits.most_wins(reader, "monaco", "driver_id; drop table")


def test_rates_of_a_circuit_by_plain_python(reader: Reader) -> None:
    races = reader.query(
        "select events.circuit_id, summaries.* from session_summaries as summaries inner join events using (event_id) "
        "where summaries.session = 'race' and has_laps"
    )
    for circuit in ("monza", "jeddah", "silverstone"):
        own = races.filter(pl.col("circuit_id") == circuit)
        profile = circuits.circuit_profile(reader, circuit).row(0, named=True)
        count, safety_cars = own.height, (own["count_safety_cars"] > 0).sum()
        assert (profile["count_timed_races"], profile["count_safety_car_races"]) == (count, safety_cars)
        assert profile["safety_car_rate"] == pytest.approx(safety_cars / count)
        z2 = 1.959964**2
        for end in ("safety_car_low", "safety_car_high"):
            # The ends of a Wilson interval are the shares from which the one seen lies z standard errors away.
            share = profile[end]
            distance = (safety_cars / count - share) ** 2
            assert distance == pytest.approx(z2 * share * (1 - share) / count, abs=1e-9)


def test_pit_loss_at_monza_by_plain_python(reader: Reader) -> None:
    losses = []
    stints = reader.query(
        "select * from stints inner join events using (event_id) where circuit_id = 'monza'"
    )
    medians = {
        (row["event_id"], row["car_number"], row["stint"]): row["median_green_lap_s"]
        for row in stints.filter(pl.col("session") == "race").to_dicts()
    }
    for event in stints["event_id"].unique().to_list():
        at = {(row["car_number"], row["lap_number"]): row for row in laps_of(reader, event)}
        for (car, number), row in at.items():
            out = at.get((car, number + 1))
            if not (row["is_in_lap"] and row["is_green"] and number > 1 and out and out["is_out_lap"]):
                continue
            if not out["is_green"] or out["is_after_result"] or out["stint"] != (row["stint"] or -9) + 1:
                continue
            parts = [
                row["lap_time_s"],
                out["lap_time_s"],
                medians.get((event, car, row["stint"])),
                medians.get((event, car, out["stint"])),
            ]
            if None not in parts and 5 <= (loss := parts[0] + parts[1] - parts[2] - parts[3]) <= 60:
                losses.append(loss)
    profile = circuits.circuit_profile(reader, "monza").row(0, named=True)
    assert profile["count_green_stops"] == len(losses) > 50
    assert profile["pit_loss_s"] == pytest.approx(statistics.median(losses))
    assert 22 < profile["pit_loss_s"] < 29


def test_hard_and_easy_places_to_overtake(reader: Reader) -> None:
    found = {row["circuit_id"]: row for row in circuits.circuit_profiles(reader).to_dicts()}
    assert found["monaco"]["overtaking_difficulty"] == 1.0
    assert found["monaco"]["overtaking_difficulty"] > found["hungaroring"]["overtaking_difficulty"] > 0.5
    assert found["bahrain"]["overtaking_difficulty"] < 0.5
    known = [row for row in found.values() if row["overtakes_per_100_laps"] is not None]
    for row in known:
        easier = sum(other["overtakes_per_100_laps"] > row["overtakes_per_100_laps"] for other in known)
        assert row["overtaking_difficulty"] == pytest.approx(easier / (len(known) - 1))


def test_layouts_and_lists(reader: Reader) -> None:
    layouts = circuits.circuit_layouts(reader, "silverstone")
    held = circuits.circuit_profile(reader, "silverstone")["count_races"].item()
    assert layouts["count_races"].sum() == held
    listed = circuits.circuit_list(reader)
    assert listed["circuit_id"].is_unique().all()
    assert listed.filter(pl.col("circuit_id") == "monaco")["is_current"].item()
    season = teams.season_teams(reader, 2023)
    assert season["constructor_id"].to_list()[0] == "red-bull"
    assert drivers.season_drivers(reader, 2023)["driver_id"].to_list()[0] == "max-verstappen"
