"""Ingest: repeating it changes nothing; a newer archive changes exactly what is new in it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from f1core.ingest import IngestReport
from f1core.labels import race_labels
from tests.conftest import ingest_into, run_jobs
from tests.made_up_archive import LAPS, Championship, Race
from warehouse.reader import Reader
from warehouse.tables import FACT_TABLES

SHORT = {2023: 3, 2024: 4}


def ingest(folder: Path, made: Championship) -> IngestReport:
    """Writes the championship as the folder's archive, over an older one, and ingests it."""
    made.write(folder / "archive")
    report = ingest_into(folder / "data", folder / "archive")
    assert isinstance(report, IngestReport)
    return report


def facts(folder: Path) -> dict[str, pl.DataFrame]:
    reader = Reader(folder / "data" / "warehouse")
    return {table.name: reader.table(table.name).sort(table.key) for table in FACT_TABLES} | {
        "ratings": reader.table("ratings").sort("event_id", "rating_kind", "entity_kind", "entity_id")
    }


def test_a_second_run_finds_nothing_to_do(tmp_path: Path) -> None:
    first = ingest(tmp_path, Championship.of(SHORT, held=2))
    snapshot = Reader(tmp_path / "data" / "warehouse").snapshot
    second = ingest_into(tmp_path / "data", tmp_path / "archive")
    assert isinstance(second, IngestReport)
    assert (first.unchanged, second.unchanged) == (False, True)
    assert second.rewritten == {}
    assert second.rows == first.rows
    assert Reader(tmp_path / "data" / "warehouse").snapshot == snapshot


def test_the_command_says_that_nothing_changed(tiny_archive: Path, tmp_path: Path) -> None:
    first = run_jobs("ingest", data=tmp_path / "data", archive=tiny_archive)
    again = run_jobs("ingest", data=tmp_path / "data", archive=tiny_archive)
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert "nothing changed" not in first.out
    assert "nothing changed" in again.out


def test_the_same_facts_in_other_files_rewrite_nothing(tmp_path: Path) -> None:
    ingest(tmp_path, Championship.of(SHORT, held=2))
    before = facts(tmp_path)
    readme = tmp_path / "archive" / "laps" / "a-new-file.txt"
    readme.write_text("a file that was not there before")
    report = ingest_into(tmp_path / "data", tmp_path / "archive")
    assert isinstance(report, IngestReport)
    assert report.unchanged is False
    assert report.rewritten == {}
    assert all(rows.equals(before[name]) for name, rows in facts(tmp_path).items())


def test_corrected_code_is_a_reason_to_ingest_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources are the same, but a mart was corrected: the next ingest must not say that nothing changed."""
    import f1core.ingest

    ingest(tmp_path, Championship.of({2023: 1}))
    monkeypatch.setattr(f1core.ingest, "code_version", lambda: "corrected")
    report = ingest_into(tmp_path / "data", tmp_path / "archive")
    assert isinstance(report, IngestReport)
    assert (report.unchanged, report.rewritten) == (False, {})


def test_one_more_race_is_added_and_the_past_is_left(tmp_path: Path) -> None:
    made = Championship.of(SHORT, held=2)
    ingest(tmp_path, made)
    before = facts(tmp_path)
    new = next(race for race in made.races if not race.is_held)
    new.is_held = True
    report = ingest(tmp_path, made)
    after = facts(tmp_path)
    for name in ("race_results", "laps", "driver_standings", "ratings", "starting_grids"):
        assert report.rewritten[name] == [2024], name
        older = after[name].filter(pl.col("event_id") != new.event_id)
        assert older.equals(before[name]), name
        assert new.event_id in after[name]["event_id"]
    events = after["events"].filter(pl.col("event_id") == new.event_id)
    assert events["status"].to_list() == ["held"]
    assert "circuits" not in report.rewritten


def test_a_corrected_result_moves_everyone_behind(tmp_path: Path) -> None:
    """A disqualification weeks later: order, points, standings and ratings from that race on are those of the new result."""
    made = Championship.of(SHORT, held=2)
    ingest(tmp_path, made)
    before = facts(tmp_path)
    race = made["2023-harbour"]
    winner, second = race.finish[:2]
    race.disqualified.add(winner)
    report = ingest(tmp_path, made)
    after = facts(tmp_path)

    assert report.rewritten["race_results"] == [2023]
    assert report.rewritten["driver_standings"] == [2023]
    assert "laps" not in report.rewritten
    assert "qualifying_results" not in report.rewritten
    lines = after["race_results"].filter(
        (pl.col("event_id") == race.event_id) & (pl.col("session") == "race")
    )
    struck = lines.filter(pl.col("driver_id") == winner)
    assert struck.select("status", "position", "points").row(0) == ("disqualified", None, 0.0)
    assert lines.filter(pl.col("position") == 1)["driver_id"].to_list() == [second]
    labels = race_labels(lines)
    assert labels.filter(pl.col("is_winner"))["driver_id"].to_list() == [second]
    assert labels.filter(pl.col("driver_id") == winner)["position"][0] == labels.height

    ratings = before["ratings"].join(
        after["ratings"], on=["event_id", "rating_kind", "entity_kind", "entity_id"], suffix="_now"
    )
    moved = set(ratings.filter(pl.col("value") != pl.col("value_now"))["event_id"])
    assert "2023-lakeland" not in moved, "ratings before the corrected race stay"
    assert {"2023-harbour", "2023-highmoor", "2024-lakeland"} <= moved
    summary = after["session_summaries"].filter(
        (pl.col("event_id") == race.event_id) & (pl.col("session") == "race")
    )
    assert summary["winner_driver_id"].to_list() == [second]


def test_a_race_put_into_mid_season_moves_numbers_but_no_event(tmp_path: Path) -> None:
    """Rounds and the source's race numbers move for everything after it, in this season and the next; event ids do not."""
    made = Championship.of(SHORT, held=2)
    ingest(tmp_path, made)
    before = facts(tmp_path)
    made.races.append(Race(2023, "dunes", dt.date(2023, 4, 14)))
    ingest(tmp_path, made)
    after = facts(tmp_path)

    shift = before["events"].join(after["events"], on="event_id", suffix="_now").sort("race_date")
    assert shift.select("event_id", "round", "round_now").rows() == [
        ("2023-lakeland", 1, 1),
        ("2023-harbour", 2, 3),
        ("2023-highmoor", 3, 4),
        ("2024-lakeland", 1, 1),
        ("2024-harbour", 2, 2),
        ("2024-highmoor", 3, 3),
        ("2024-isle", 4, 4),
    ]
    moved = shift.filter(pl.col("event_id") != "2023-lakeland")
    assert (moved["source_race_id_now"] == moved["source_race_id"] + 1).all()
    for name in (
        "race_results",
        "qualifying_results",
        "starting_grids",
        "practice_results",
        "laps",
        "pit_stops",
    ):
        others = after[name].filter(pl.col("event_id") != "2023-dunes")
        assert others.equals(before[name]), f"{name} of the other events is as it was"
        assert (after[name]["event_id"] == "2023-dunes").any()


def test_a_coming_race_put_into_the_calendar(tmp_path: Path) -> None:
    made = Championship.of(SHORT, held=2)
    ingest(tmp_path, made)
    before = facts(tmp_path)
    made.races.append(Race(2024, "steppe", made["2024-highmoor"].date - dt.timedelta(days=7), is_held=False))
    report = ingest(tmp_path, made)
    after = facts(tmp_path)
    assert set(report.rewritten) == {"events", "sessions", "entries"}, "entries list their rounds"
    coming = after["events"].filter((pl.col("season") == 2024) & (pl.col("status") == "scheduled"))
    assert coming.sort("round").select("event_id", "round").rows() == [
        ("2024-steppe", 3),
        ("2024-highmoor", 4),
        ("2024-isle", 5),
    ]
    assert after["race_results"].equals(before["race_results"])


def test_a_race_that_only_the_schedule_lists_is_in_the_calendar(tmp_path: Path) -> None:
    """The results source lags behind: the recorded schedule has a race more, and laps join by name, not by round."""
    made = Championship.of(SHORT, held=4)
    place = made.write(tmp_path / "archive")
    more = Championship([*made.races, Race(2024, "steppe", dt.date(2024, 5, 13), is_held=False)])
    more.write_schedule(place, 2024)
    ingest_into(tmp_path / "data", place)
    found = facts(tmp_path)
    events = found["events"].filter(pl.col("season") == 2024).sort("round")
    assert events["event_id"].to_list() == [
        "2024-lakeland",
        "2024-harbour",
        "2024-highmoor",
        "2024-steppe",
        "2024-isle",
    ]
    assert events["source_round"].to_list() == [1, 2, 3, 4, 4]
    added = events.filter(pl.col("source") == "schedule").row(0, named=True)
    assert (added["status"], added["circuit_id"], added["source_race_id"]) == (
        "scheduled",
        "steppe-oval",
        None,
    )
    assert found["laps"].filter(pl.col("event_id") == "2024-steppe").is_empty()
    assert found["laps"].filter(pl.col("event_id") == "2024-isle").height > 0


def test_a_race_that_was_cancelled_disappears(tmp_path: Path) -> None:
    made = Championship.of(SHORT, held=2)
    ingest(tmp_path, made)
    made.races.remove(made["2024-highmoor"])
    # The schedule of the older archive is replaced too.
    ingest(tmp_path, made)
    events = facts(tmp_path)["events"].filter(pl.col("season") == 2024).sort("round")
    assert events.select("event_id", "round").rows() == [
        ("2024-lakeland", 1),
        ("2024-harbour", 2),
        ("2024-isle", 3),
    ]


def test_an_ingest_that_was_killed_is_done_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after some tables of a newer archive were written; then the older archive comes back."""
    made = Championship.of(SHORT, held=2)
    ingest(tmp_path, made)
    before = facts(tmp_path)
    made["2023-harbour"].disqualified.add(made["2023-harbour"].finish[0])
    made.write(tmp_path / "archive")
    import f1core.ingest

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f1core.ingest, "rate_events", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest_into(tmp_path / "data", tmp_path / "archive")
    assert all(rows.equals(before[name]) for name, rows in facts(tmp_path).items())
    made["2023-harbour"].disqualified.clear()
    made.races[-1].is_held = made.races[-2].is_held = True
    ingest(tmp_path, made)
    after = facts(tmp_path)["race_results"]
    old = after.filter(pl.col("event_id").is_in(before["race_results"]["event_id"].unique().to_list()))
    assert old.equals(before["race_results"]), "nothing of the killed run is left"


def test_what_the_laps_say(tmp_path: Path) -> None:
    """Stints, neutralisations and generated laps of the invented races, where every number is known."""
    made = Championship.of({2023: 2})
    ingest(tmp_path, made)
    found = facts(tmp_path)
    race = made["2023-lakeland"]
    stints = found["stints"].filter(
        (pl.col("event_id") == race.event_id) & (pl.col("driver_id") == race.finish[0])
    )
    assert stints.sort("stint").select("first_lap", "last_lap", "count_laps", "compound").rows() == [
        (1, LAPS // 2, LAPS // 2, "medium"),
        (LAPS // 2 + 1, LAPS, LAPS // 2, "hard"),
    ]
    periods = found["track_status_periods"].filter(pl.col("event_id") == race.event_id)
    assert periods.select("status", "first_lap", "last_lap", "count_laps").rows() == [("safety_car", 3, 4, 2)]
    summaries = found["session_summaries"].filter(pl.col("session") == "race")
    assert summaries["count_safety_cars"].to_list() == [1, 1]
    assert summaries["is_wet"].to_list() == [False, False]
    assert (summaries["count_laps_timed"] == summaries["count_laps_expected"]).all()
    for event in made.races:
        generated = found["laps"].filter((pl.col("event_id") == event.event_id) & pl.col("is_generated"))
        assert set(generated["driver_id"]) == event.retired
        assert generated["lap_number"].to_list() == [6] * len(event.retired)
