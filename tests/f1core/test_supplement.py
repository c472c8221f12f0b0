"""Sessions that the results source has not published are filled in from timing, and give way when it does.

The truth is the results source itself: its lines of one weekend are taken away, filled in from the recorded timing sessions
and compared with what was taken.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from f1core.differences import differences
from f1core.identity import identify_cars
from f1core.provenance import fact_sources
from f1core.settings import load_settings
from f1core.sources import archive as archives
from f1core.sources.archive import ArchivePlace
from f1core.sources.bundle import META, BundleMeta, bundle_folder, list_bundles, read_bundle, write_bundle
from f1core.supplement import CompletedFacts, complete_facts, usable_bundles
from warehouse.errors import SourceError
from warehouse.reader import Reader
from warehouse.tables import TABLES
from warehouse.transform import build_facts
from warehouse.vocab import SessionKind

EVENT = "2023-bahrain"
NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
KEPT_RAW = ("f1db__races", "f1db__seasons_entrants_drivers")


@pytest.fixture(scope="module")
def bundles(recorded_data: Path):
    return list_bundles(recorded_data / "fetched")


@pytest.fixture(scope="module")
def raw(archive: Path) -> dict[str, pa.Table]:
    tables = archives.read(ArchivePlace(archive, "the tests")).tables
    # One season is enough, and quick.
    out = {}
    for name, rows in tables.items():
        frame = pl.DataFrame(pl.from_arrow(rows))
        if name == "laps__laps":
            frame = frame.filter(pl.col("Season") == 2023)
        elif "raceId" in frame.columns:
            frame = frame.filter(pl.col("raceId").is_in(race_ids(tables, 2023)))
        out[name] = frame.to_arrow().cast(rows.schema)
    return out


def race_ids(tables: dict[str, pa.Table], season: int, grand_prix: str | None = None) -> list[int]:
    races = pl.DataFrame(pl.from_arrow(tables["f1db__races"])).filter(pl.col("year") == season)
    return races.filter(pl.col("grandPrixId") == grand_prix if grand_prix else True)["id"].to_list()


@pytest.fixture(scope="module")
def truth(raw) -> dict[str, pa.Table]:
    return build_facts(raw)


@pytest.fixture(scope="module")
def unpublished(raw) -> dict[str, pa.Table]:
    """The raw tables as if neither source nor lap archive had anything of Bahrain 2023."""
    gone = race_ids(raw, 2023, "bahrain")
    out = {}
    for name, rows in raw.items():
        frame = pl.DataFrame(pl.from_arrow(rows))
        if "raceId" in frame.columns:
            frame = frame.filter(pl.col("raceId").is_in(gone).not_())
        if name == "laps__laps":
            frame = frame.filter(pl.col("EventName") != "Bahrain Grand Prix")
        out[name] = frame.to_arrow().cast(rows.schema)
    return out


@pytest.fixture(scope="module")
def completed(unpublished, bundles) -> CompletedFacts:
    return complete_facts(unpublished, bundles)


def of_event(
    facts: dict[str, pa.Table], name: str, session: str, *columns: str, event: str = EVENT
) -> list[tuple]:
    rows = pl.DataFrame(pl.from_arrow(facts[name])).filter(pl.col("event_id") == event)
    if "session" in rows.columns:
        rows = rows.filter(pl.col("session") == session)
    return rows.select(*columns).sort(columns[0]).rows()


@pytest.mark.parametrize(
    ("table", "session", "columns"),
    [
        (
            "race_results",
            "race",
            "driver_id constructor_id car_number position position_text status is_starter laps points grid_position "
            "is_pit_lane_start known_at",
        ),
        (
            "qualifying_results",
            "qualifying",
            "driver_id constructor_id position q1_s q2_s q3_s best_time_s known_at",
        ),
        (
            "practice_results",
            "practice_2",
            "driver_id constructor_id car_number position time_s laps known_at",
        ),
        ("starting_grids", "race", "driver_id constructor_id position position_text known_at"),
        ("driver_standings", "race", "driver_id points known_at"),
        ("constructor_standings", "race", "constructor_id points known_at"),
        ("laps", "race", "driver_id lap_number lap_time_s position stint known_at"),
    ],
)
def test_what_is_filled_in_is_what_the_source_says(completed, truth, table, session, columns):
    expected = of_event(truth, table, session, *columns.split())
    assert expected
    if table == "laps":
        # Laps the feed does not have are listed by the archive's older reader too, with nothing in them.
        expected = [row for row in expected if row[2] is not None]
        got = [
            row for row in of_event(completed.facts, table, session, *columns.split()) if row[2] is not None
        ]
        assert sorted(got) == sorted(expected)
        return
    got = of_event(completed.facts, table, session, *columns.split())
    if "standings" in table:
        # The source leaves out who has not scored or finished yet; in our table everybody who raced is listed.
        assert [row for row in got if row[1] > 0] == [row for row in expected if row[1] > 0]
        return
    assert got == expected


def test_gaps_are_the_sources_or_missing(completed, truth):
    columns = ("driver_id", "gap_s", "time_s")
    expected = {
        driver: (gap, time) for driver, gap, time in of_event(truth, "race_results", "race", *columns)
    }
    known = 0
    for driver, gap, time in of_event(completed.facts, "race_results", "race", *columns):
        if gap is not None:
            known += 1
            assert gap == pytest.approx(expected[driver][0], abs=0.0005), driver
        if time is not None:
            assert time == pytest.approx(expected[driver][1], abs=0.0005), driver
    assert known == 11, "the winner and the ten others on the lead lap"


def test_the_event_is_held_and_its_summary_complete(completed, truth):
    columns = (
        "event_id",
        "winner_driver_id",
        "count_starters",
        "count_classified",
        "is_wet",
        "count_safety_cars",
    )
    assert of_event(completed.facts, "session_summaries", "race", *columns) == of_event(
        truth, "session_summaries", "race", *columns
    )
    assert of_event(completed.facts, "events", "", "event_id", "status") == [(EVENT, "held")]


def test_every_other_event_is_as_it_was(completed, unpublished):
    without = build_facts(unpublished)
    for name in ("race_results", "qualifying_results", "practice_results", "laps", "driver_standings"):
        mine = pl.DataFrame(pl.from_arrow(completed.facts[name])).filter(pl.col("event_id") != EVENT)
        theirs = pl.DataFrame(pl.from_arrow(without[name]))
        key = list(TABLES[name].key)
        assert mine.sort(key).equals(theirs.sort(key)), name


def test_where_it_came_from_is_kept_and_the_source_takes_over(completed, unpublished, raw, truth, bundles):
    versions = {"results_version": "a" * 64, "lap_versions": {"2023": "b" * 64}}
    empty = TABLES["fact_sources"].schema.empty_table()
    first = fact_sources(
        completed.facts,
        before=empty,
        filled=completed.filled,
        lapwise=completed.lapwise,
        now=NOW,
        **versions,
    )
    frame = pl.DataFrame(pl.from_arrow(first))
    mine = frame.filter(pl.col("event_id") == EVENT)
    assert set(mine["source"]) == {"fastf1"}
    assert set(mine["table_name"]) >= {"race_results", "qualifying_results", "practice_results", "laps"}
    assert set(frame.filter(pl.col("event_id") != EVENT)["source"]) == {"f1db", "lap_archive"}

    later = NOW + dt.timedelta(days=2)
    arrived = complete_facts(raw, bundles)
    assert not arrived.filled
    assert not arrived.lapwise
    for name, rows in truth.items():
        assert arrived.facts[name].num_rows == rows.num_rows, name
    second = pl.DataFrame(
        pl.from_arrow(fact_sources(arrived.facts, before=first, filled=(), lapwise=(), now=later, **versions))
    )
    taken = second.filter(pl.col("event_id") == EVENT)
    assert set(taken["source"]) == {"f1db", "lap_archive"}
    assert set(taken["loaded_at"]) == {later}
    kept = second.filter(
        (pl.col("event_id") != EVENT) & pl.col("table_name").str.contains("standings").not_()
    )
    assert set(kept["loaded_at"]) == {NOW}, (
        "rows that did not change keep the instant they were first loaded at"
    )


def test_the_two_sources_are_compared(truth, bundles):
    found = differences(truth, bundles)
    rows = set(
        found.select("event_id", "session", "driver_id", "field", "results_value", "timing_value").rows()
    )
    assert rows == {
        # The results source has him as a non-starter: he started from the pit lane and stopped on his first lap.
        ("2023-azerbaijan", "sprint", "logan-sargeant", "status", "did_not_start", "retired"),
    }


def test_a_changed_value_is_listed_and_the_sources_own_stands(unpublished, raw, bundles):
    changed = dict(raw)
    rows = pl.DataFrame(pl.from_arrow(raw["f1db__races_qualifying_results"]))
    ours = pl.col("raceId").is_in(race_ids(raw, 2023, "bahrain")) & (pl.col("driverId") == "max-verstappen")
    changed["f1db__races_qualifying_results"] = (
        rows.with_columns(q3Millis=pl.when(ours).then(pl.col("q3Millis") + 7).otherwise(pl.col("q3Millis")))
        .to_arrow()
        .cast(raw["f1db__races_qualifying_results"].schema)
    )
    done = complete_facts(changed, bundles)
    listed = done.differences.to_pylist()
    assert [
        (r["driver_id"], r["field"], r["results_value"], r["timing_value"])
        for r in listed
        if r["event_id"] == EVENT
    ] == [("max-verstappen", "q3_s", "89.715", "89.708")]
    assert (89.715,) in of_event(done.facts, "qualifying_results", "qualifying", "q3_s")


def _with_results(
    recorded_data: Path, tmp_path: Path, change: pl.Expr | dict[str, pl.Expr], session: str = "race"
) -> list:
    bundle = read_bundle(bundle_folder(recorded_data / "fetched", EVENT, SessionKind(session)))
    parts = {name: bundle.part(name) for name in bundle.meta.counts}
    parts["results"] = (
        parts["results"].with_columns(**change)
        if isinstance(change, dict)
        else parts["results"].filter(change)
    )
    return [write_bundle(tmp_path, bundle.meta, parts)]


def test_a_car_nobody_answers_to_is_told_and_left_out_with_its_laps(recorded_data, unpublished, tmp_path):
    stranger = pl.col("car_number") == "1"
    changes = {
        name: pl.when(stranger).then(pl.lit("Nobody")).otherwise(pl.col(name))
        for name in ("first_name", "last_name", "full_name")
    }
    done = complete_facts(unpublished, _with_results(recorded_data, tmp_path, changes))
    assert any("nobody of 2023 is called Nobody" in remark for remark in done.remarks)
    assert any("laps of cars without a result were left out: 1." in remark for remark in done.remarks)
    assert len(of_event(done.facts, "race_results", "race", "driver_id")) == 19
    assert "max-verstappen" not in {driver for (driver,) in of_event(done.facts, "laps", "race", "driver_id")}


def test_a_race_without_the_official_classification_is_no_result(recorded_data, unpublished, tmp_path):
    none = {"classified_position": pl.lit(None, pl.String), "points": pl.lit(None, pl.Float64)}
    done = complete_facts(unpublished, _with_results(recorded_data, tmp_path, none))
    assert of_event(done.facts, "race_results", "race", "driver_id") == []
    assert of_event(done.facts, "events", "", "status") == [("scheduled",)]
    assert any("no official result" in remark for remark in done.remarks)


def test_a_gap_that_falls_is_not_believed(recorded_data, unpublished, tmp_path):
    odd = {"time_s": pl.when(pl.col("car_number") == "55").then(pl.lit(3.467)).otherwise(pl.col("time_s"))}
    done = complete_facts(unpublished, _with_results(recorded_data, tmp_path, odd))
    gaps = dict(of_event(done.facts, "race_results", "race", "driver_id", "gap_s"))
    assert gaps["carlos-sainz-jr"] is None
    assert gaps["lewis-hamilton"] == pytest.approx(50.977)


def test_a_damaged_session_is_told_and_left_out(recorded_data, tmp_path):
    shutil.copytree(recorded_data / "fetched", tmp_path / "fetched")
    folder = bundle_folder(tmp_path / "fetched", EVENT, SessionKind.RACE)
    path = folder / "results.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    good, remarks = usable_bundles(list_bundles(tmp_path / "fetched"))
    assert [b.meta.session for b in good if b.meta.event_id == EVENT] == [
        SessionKind.PRACTICE_2,
        SessionKind.QUALIFYING,
    ]
    assert len(remarks) == 1
    assert "results.parquet is damaged" in remarks[0]
    (folder / META).write_text("{")
    assert len(list_bundles(tmp_path / "fetched")) == 3
    with pytest.raises(SourceError, match="is damaged"):
        read_bundle(folder)


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path, recorded_data, monkeypatch):
    source = read_bundle(bundle_folder(recorded_data / "fetched", EVENT, SessionKind.QUALIFYING))
    parts = {"results": source.part("results")}
    first = write_bundle(tmp_path, source.meta, parts)
    monkeypatch.setattr(
        Path, "write_text", lambda *_args, **_kwargs: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(OSError, match="No space"):
        write_bundle(tmp_path, source.meta, {**parts, "laps": source.part("laps")})
    monkeypatch.undo()
    kept = read_bundle(first.folder)
    assert kept.version == first.version
    assert [path.name for path in first.folder.parent.iterdir()] == ["qualifying"], "no draft is left"


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        (
            {"full_name": "Zhou Guanyu", "first_name": "Zhou", "last_name": "Guanyu", "car_number": "24"},
            "guanyu-zhou",
        ),
        (
            {"full_name": "Carlos Sainz", "first_name": "Carlos", "last_name": "Sainz", "car_number": "55"},
            "carlos-sainz-jr",
        ),
        (
            {"full_name": "Sergio Pérez", "first_name": "Sergio", "last_name": "Pérez", "car_number": "11"},
            "sergio-perez",
        ),
        (
            {
                "full_name": None,
                "first_name": None,
                "last_name": None,
                "driver_code": "ALO",
                "car_number": "14",
            },
            "fernando-alonso",
        ),
        (
            {
                "full_name": None,
                "first_name": None,
                "last_name": None,
                "driver_code": "ALO",
                "car_number": "15",
            },
            None,
        ),
        ({"full_name": "Juan Fangio", "first_name": "Juan", "last_name": "Fangio", "car_number": "1"}, None),
        (
            {
                "full_name": "Felipe Drugovich",
                "first_name": "Felipe",
                "last_name": "Drugovich",
                "car_number": "34",
            },
            "felipe-drugovich",
        ),
    ],
)
def test_names_of_the_feed_find_the_driver_and_numbers_alone_do_not(reader: Reader, given, driver):
    row = {"driver_code": None, "team_name": "Aston Martin", **given}
    found = identify_cars(reader, EVENT, pl.DataFrame([row]))
    assert found["driver_id"].to_list() == [driver]
    assert (found["problem"][0] is None) == (driver is not None)


def test_every_recorded_car_is_identified(reader: Reader, bundles):
    for bundle in bundles:
        found = identify_cars(reader, bundle.meta.event_id, bundle.part("results"))
        assert found["problem"].null_count() == found.height, found["problem"].drop_nulls().to_list()
        official = reader.query(
            "select car_number, driver_id, constructor_id from race_results where event_id = $event and session = 'race'",
            {"event": bundle.meta.event_id},
        )
        assert sorted(found.select(official.columns).rows()) == sorted(official.rows())


def test_an_export_starts_another_installation(
    archive: Path, recorded_data: Path, ingested: Path, tmp_path: Path, jobs
):
    data = tmp_path / "data"
    shutil.copytree(ingested, data)
    shutil.copytree(recorded_data / "fetched", data / "fetched")
    target = tmp_path / "archive"
    done = jobs("export-archive", str(target), "--json", data=data, archive=archive)
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["sessions"] == len(list_bundles(target)) == 4
    assert report["files"] == sum(path.is_file() for path in target.rglob("*"))
    other = jobs("ingest", data=tmp_path / "other", archive=target)
    assert other.code == 0, other.err
    first, second = Reader(data / "warehouse"), Reader(tmp_path / "other" / "warehouse")
    for name in ("race_results", "laps", "sessions", "compound_nominations"):
        key = list(TABLES[name].key)
        assert first.table(name).sort(key).equals(second.table(name).sort(key)), name
    assert second.table("source_differences").height == 1, "the exported sessions are compared there"
    text = (target / "README.md").read_text()
    assert "CC BY 4.0" in text
    assert "| 2023-bahrain | qualifying | recorded |" in text
    again = jobs("export-archive", str(target), data=data, archive=archive)
    assert again.code == 1
    assert "not empty" in again.err


def test_meta_of_a_bundle_is_what_was_given(recorded_data):
    meta = read_bundle(bundle_folder(recorded_data / "fetched", EVENT, SessionKind.RACE)).meta
    assert isinstance(meta, BundleMeta)
    assert (meta.origin, meta.source, meta.event_name) == ("recorded", "fastf1", "Bahrain Grand Prix")
    assert load_settings(data=recorded_data).fetched_root == recorded_data / "fetched"
