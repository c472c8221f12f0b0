"""Bad input: one clear message that names file, line or column and the way out, and nothing of the old data is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from f1core.settings import load_settings
from f1core.sources import archive, f1db, laps, schedules
from f1core.sources.archive import find_archive
from tests.conftest import Answer, ingest_into, run_jobs
from tests.made_up_archive import Championship, edit_csv, zip_path
from warehouse.errors import SourceError, SourceSchemaError
from warehouse.reader import Reader

Jobs = Callable[..., Answer]
Damage = Callable[[Path], object]


def line_of(text: str, number: int, change: Callable[[list[str]], list[str]]) -> str:
    """A CSV text with one line changed; lines count from 1 as editors do."""
    lines = text.split("\n")
    lines[number - 1] = ",".join(change(lines[number - 1].split(",")))
    return "\n".join(lines)


def with_cell(name: str, number: int, column: str, value: str) -> Damage:
    def damage(folder: Path) -> None:
        def change(text: str) -> str:
            index = text.split("\n", maxsplit=1)[0].split(",").index(column)
            return line_of(text, number, lambda cells: [*cells[:index], value, *cells[index + 1 :]])

        edit_csv(folder, name, change)

    return damage


def with_header(name: str, old: str, new: str | None) -> Damage:
    def damage(folder: Path) -> None:
        def change(text: str) -> str:
            head, _, rest = text.partition("\n")
            if new is not None:
                return head.replace(old, new) + "\n" + rest
            index = head.split(",").index(old)
            kept = [
                ",".join(c for i, c in enumerate(line.split(",")) if i != index) for line in text.split("\n")
            ]
            return "\n".join(kept)

        edit_csv(folder, name, change)

    return damage


def truncated(path: Callable[[Path], Path], keep: float = 0.6) -> Damage:
    def damage(folder: Path) -> None:
        body = path(folder).read_bytes()
        path(folder).write_bytes(body[: int(len(body) * keep)])

    return damage


def one_bit(folder: Path) -> None:
    path = zip_path(folder)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 0x10
    path.write_bytes(body)


def doubled(folder: Path) -> None:
    edit_csv(folder, "races-race-results", lambda text: text + text.split("\n")[1] + "\n")


def parquet_of(change: Callable[[pa.Table], pa.Table]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / "laps" / "laps_2023.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return damage


def retyped(name: str, values: Callable[[pa.Table], pa.Array]) -> Damage:
    return parquet_of(lambda rows: rows.set_column(rows.column_names.index(name), name, values(rows)))


def lap_file(folder: Path) -> Path:
    return folder / "laps" / "laps_2023.parquet"


DAMAGES: dict[str, tuple[Damage, int, list[str]]] = {
    "the zip is gone": (lambda f: zip_path(f).unlink(), 3, ["f1db-csv.zip", "does not exist"]),
    "the zip is truncated": (truncated(zip_path), 3, ["f1db-csv.zip", "damaged or truncated"]),
    "the zip is empty": (truncated(zip_path, 0.0), 3, ["f1db-csv.zip", "damaged or truncated"]),
    "a bit of the zip is wrong": (one_bit, 3, ["f1db-csv.zip", "damaged"]),
    "a csv is missing": (
        lambda f: edit_csv(f, "races-pit-stops", lambda _: None),
        3,
        ["f1db-races-pit-stops.csv", "missing"],
    ),
    "a csv is empty": (lambda f: edit_csv(f, "drivers", lambda _: ""), 3, ["f1db-drivers.csv"]),
    "a csv line is too long": (
        lambda f: edit_csv(f, "drivers", lambda text: text + "a,b,c,d,e,f,g,h,i,j,k,l,m,n\n"),
        3,
        ["f1db-drivers.csv", "cannot be read as CSV"],
    ),
    "a column is missing": (
        with_header("races-race-results", "constructorId", None),
        3,
        ["f1db-races-race-results.csv", "'constructorId'"],
    ),
    "a column has another name": (
        with_header("races-race-results", "driverId", "driverIdentifier"),
        3,
        ["f1db-races-race-results.csv", "'driverId'", "is it 'driverIdentifier' now?"],
    ),
    "a time is broken": (
        with_cell("races-qualifying-results", 7, "q1", "1:1x.345"),
        3,
        ["f1db-races-qualifying-results.csv", "'q1'", "line 7", "1:1x.345"],
    ),
    "milliseconds are broken": (
        with_cell("races-race-results", 3, "timeMillis", "oops"),
        3,
        ["f1db-races-race-results.csv", "'timeMillis'", "line 3", "oops", "whole numbers"],
    ),
    "a date is broken": (
        with_cell("races", 2, "date", "2023-02-31"),
        3,
        ["f1db-races.csv", "'date'", "line 2", "2023-02-31"],
    ),
    "a flag is broken": (
        with_cell("races-race-results", 4, "sharedCar", "maybe"),
        3,
        ["'sharedCar'", "line 4", "true or false"],
    ),
    "a start time is broken": (
        with_cell("races", 5, "time", "25 past 3"),
        3,
        ["f1db-races.csv", "'time'", "line 5", "HH:MM"],
    ),
    "a line stands twice": (doubled, 4, ["race_results", "duplicate key", "2023-lakeland"]),
    "an unknown driver": (
        with_cell("races-pit-stops", 2, "driverId", "nobody-known"),
        4,
        ["pit_stops", "driver_id unknown to drivers", "nobody-known"],
    ),
    "an impossible value": (
        with_cell("races", 2, "courseLength", "540.3"),
        4,
        ["events", "course_length_km above", "2023-lakeland"],
    ),
    "an unknown mark in a result": (
        with_cell("races-race-results", 2, "positionNumber", ""),
        4,
        ["race_results", "status is not one of"],
    ),
    "a lap file is truncated": (truncated(lap_file), 3, ["laps_2023.parquet", "damaged or truncated"]),
    "a lap file is no parquet": (
        lambda f: lap_file(f).write_text("LapTime,Driver"),
        3,
        ["laps_2023.parquet", "damaged"],
    ),
    "a lap column is missing": (
        parquet_of(
            lambda rows: rows.rename_columns(["LapTimes" if n == "LapTime" else n for n in rows.column_names])
        ),
        3,
        ["laps_2023.parquet", "'LapTime'", "is it 'LapTimes' now?"],
    ),
    "lap times are durations": (
        retyped("LapTime", lambda rows: pa.array([None] * rows.num_rows, pa.duration("ns"))),
        3,
        ["laps_2023.parquet", "type"],
    ),
    "lap times are text": (
        retyped("LapTime", lambda rows: pa.array(["1:31.5"] * rows.num_rows)),
        3,
        ["laps_2023.parquet", "type", "1:31.5"],
    ),
    "an unknown grand prix": (
        retyped("EventName", lambda rows: pa.array(["Moon Grand Prix"] * rows.num_rows)),
        3,
        ["Moon Grand Prix (2023)", "No grand prix answers"],
    ),
    "laps of a car without a result": (
        retyped("DriverNumber", lambda rows: pa.array(["99"] * rows.num_rows)),
        3,
        ["laps", "without a result", "99"],
    ),
    "a compound nobody knows": (
        retyped("Compound", lambda rows: pa.array(["VELVET"] * rows.num_rows)),
        4,
        ["laps", "compound is not one of"],
    ),
    "nominations are damaged": (
        lambda f: (f / "laps" / "compound_nominations.csv").write_text("a,b\n1,2,3\n"),
        3,
        ["compound_nominations.csv"],
    ),
    "nominations lack a column": (
        lambda f: (f / "laps" / "compound_nominations.csv").write_text("Season,RoundNumber,Hard,Medium\n"),
        3,
        ["compound_nominations.csv", "'Soft'"],
    ),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A sound archive and the data folder ingested from it; both are copied before they are touched."""
    folder = tmp_path_factory.mktemp("good")
    Championship.of({2023: 3, 2024: 3}, held=2).write(folder / "archive")
    ingest_into(folder / "data", folder / "archive")
    return folder / "archive", folder / "data"


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_source_is_named_and_the_old_warehouse_stays(
    case: str, good: tuple[Path, Path], tmp_path: Path, jobs: Jobs
) -> None:
    damage, code, words = DAMAGES[case]
    place = Path(shutil.copytree(good[0], tmp_path / "archive"))
    data = Path(shutil.copytree(good[1], tmp_path / "data"))
    before = Reader(data / "warehouse")
    snapshot = before.snapshot
    damage(place)
    answer = jobs("ingest", data=data, archive=place)
    assert answer.code == code, answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err
    error = answer.err[answer.err.index("Error:") :]
    for word in words:
        assert word in error
    assert len(error.strip().splitlines()) >= 2, "the message is followed by the way out"
    after = Reader(data / "warehouse")
    assert after.snapshot == snapshot
    assert after.table("race_results").equals(Reader(good[1] / "warehouse").table("race_results"))


@pytest.mark.parametrize("case", ["the zip is truncated", "a time is broken", "a line stands twice"])
def test_so_does_the_real_command(case: str, good: tuple[Path, Path], tmp_path: Path) -> None:
    damage, code, words = DAMAGES[case]
    place = Path(shutil.copytree(good[0], tmp_path / "archive"))
    data = Path(shutil.copytree(good[1], tmp_path / "data"))
    damage(place)
    answer = run_jobs("ingest", data=data, archive=place)
    assert answer.code == code
    assert all(word in answer.err for word in words)
    assert "Traceback" not in answer.err
    assert Reader(data / "warehouse").table("race_results").height > 0


def test_the_first_ingest_of_a_damaged_archive_leaves_no_warehouse(
    good: tuple[Path, Path], tmp_path: Path, jobs: Jobs
) -> None:
    place = Path(shutil.copytree(good[0], tmp_path / "archive"))
    doubled(place)
    assert jobs("ingest", data=tmp_path / "data", archive=place).code == 4
    status = jobs("status", data=tmp_path / "data", archive=place)
    assert status.code == 5
    assert "no warehouse" in status.err
    assert "run.py build" in status.err


# --- where facts are looked for ---------------------------------------------------------------------------------------


def test_no_archive_anywhere_says_what_is_needed(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    with pytest.raises(SourceError, match="No facts found") as caught:
        find_archive(settings, beside=tmp_path / "somewhere" / "checkout")
    assert "PARCFERME_ARCHIVE" in caught.value.hint
    assert "f1db-csv.zip" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_setting_that_points_nowhere_is_named_not_replaced(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, archive=str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="gone") as caught:
        find_archive(settings, beside=tmp_path)
    assert "PARCFERME_ARCHIVE" in caught.value.message


def test_an_address_is_refused_in_words(tmp_path: Path, jobs: Jobs) -> None:
    answer = jobs("ingest", data=tmp_path / "data", archive="https://example.org/f1-archive")
    assert answer.code == 3
    assert "https://example.org/f1-archive" in answer.err
    assert "folders only" in answer.err
    assert not (tmp_path / "data" / "warehouse").exists()


def test_the_setting_wins_over_the_folder_beside_the_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "work" / "checkout"
    beside = Championship.of({2023: 1}).write(tmp_path / "work" / "shared" / "f1-archive")
    chosen = Championship.of({2023: 1}).write(tmp_path / "chosen")
    assert find_archive(load_settings(data=tmp_path), beside=checkout).path == beside
    assert find_archive(load_settings(data=tmp_path, archive=str(chosen)), beside=checkout).path == chosen


# --- what is missing is told, not made up -----------------------------------------------------------------------------


def test_an_archive_without_laps_and_schedules_is_enough_and_says_what_it_lacks(tmp_path: Path) -> None:
    place = Championship.of({2023: 2}).write(tmp_path / "archive", schedules=False)
    shutil.rmtree(place / "laps")
    report = ingest_into(tmp_path / "data", place)
    remarks = " ".join(report.remarks)  # type: ignore[attr-defined]
    assert "No lap files" in remarks
    assert "No recorded schedules" in remarks
    reader = Reader(tmp_path / "data" / "warehouse")
    assert reader.table("laps").is_empty()
    summaries = reader.table("session_summaries")
    assert summaries["has_laps"].not_().all()
    assert summaries["is_wet"].null_count() == summaries.height, "not known is not dry"
    assert reader.table("sessions")["is_time_estimated"].all()


def test_a_damaged_schedule_is_passed_over_and_told(tmp_path: Path) -> None:
    place = Championship.of({2023: 2}).write(tmp_path / "archive")
    folder = place / "fastf1-cache" / "http_cache"
    (folder / "broken.json").write_text('{"url": "https://x/schedule_2023.json", "created_at": "2')
    (folder / "binary.json").write_bytes(b"/schedule_\xff\xfe\x00")
    (folder / "other.json").write_text('{"url": "https://x/laps.json"}')
    found = schedules.read(folder)
    assert found.tables["fastf1__schedules"].num_rows == 2
    assert sorted(remark.split()[0] for remark in found.remarks) == ["binary.json", "broken.json"]


def test_a_schedule_of_another_format_is_refused(tmp_path: Path) -> None:
    path = Championship.of({2023: 2}).write_schedule(tmp_path, 2023)
    answer = json.loads(path.read_text())
    columns = json.loads(answer["_decoded_content"])
    del columns["session5_date"]
    path.write_text(json.dumps({**answer, "_decoded_content": json.dumps(columns)}))
    with pytest.raises(SourceSchemaError, match=r"schedule of 2023.*session5_date"):
        schedules.read(path.parent)


def test_the_newest_recording_of_a_season_counts(tmp_path: Path) -> None:
    older = Championship.of({2023: 2})
    newer = Championship.of({2023: 3})
    path = newer.write_schedule(tmp_path, 2023, recorded="2026-08-20T00:00:00+00:00")
    path.rename(path.with_name("a.json"))
    older.write_schedule(tmp_path, 2023, recorded="2025-01-01T00:00:00+00:00").rename(
        path.with_name("b.json")
    )
    assert schedules.read(path.parent).tables["fastf1__schedules"].num_rows == 3


def test_fingerprints_follow_the_content(tmp_path: Path) -> None:
    place = archive.ArchivePlace(Championship.of({2023: 1}).write(tmp_path / "archive"), "test")
    first = archive.fingerprints(place)
    assert {"f1db/f1db-csv.zip", "laps/laps_2023.parquet"} <= first.keys()
    assert archive.fingerprints(place) == first
    edit_csv(place.path, "drivers", lambda text: text.replace("Ada", "Eda"))
    changed = archive.fingerprints(place)
    assert {name for name in first if changed[name] != first[name]} == {"f1db/f1db-csv.zip"}


def test_values_arrive_typed(tmp_path: Path) -> None:
    place = Championship.of({2023: 1}).write(tmp_path / "archive")
    races = f1db.read(zip_path(place)).tables["f1db__races"]
    assert races.schema.field("id").type == pa.int32()
    assert races.schema.field("date").type == pa.date32()
    found = laps.read(place / "laps").tables["laps__laps"]
    assert found.schema.equals(laps.SCHEMA)


def test_a_damaged_lap_file_is_no_wrong_type_whatever_the_folder_is_called(tmp_path: Path) -> None:
    """The error of a file quotes its path: what it says is no matter of the words in it."""
    place = Championship.of({2023: 1}).write(tmp_path / "cast of casting")
    truncated(lap_file)(place)
    with pytest.raises(SourceError, match="damaged or truncated") as caught:
        laps.read(place / "laps")
    assert not isinstance(caught.value, SourceSchemaError)


def test_a_damaged_page_of_a_lap_file_is_damage(tmp_path: Path) -> None:
    place = Championship.of({2023: 1}).write(tmp_path / "archive")
    body = bytearray(lap_file(place).read_bytes())
    body[4:64] = b"\xff" * 60  # the first column's data; the footer, and so the schema, is whole
    lap_file(place).write_bytes(bytes(body))
    with pytest.raises(SourceError, match="damaged or truncated") as caught:
        laps.read(place / "laps")
    assert not isinstance(caught.value, SourceSchemaError)


def test_a_type_that_cannot_be_cast_is_a_wrong_type(tmp_path: Path) -> None:
    place = Championship.of({2023: 1}).write(tmp_path / "archive")
    retyped("LapTime", lambda rows: pa.array([{"s": 91.5}] * rows.num_rows))(place)
    with pytest.raises(SourceSchemaError, match="another type"):
        laps.read(place / "laps")
