"""The reader: threads, new snapshots, and a warehouse that vanishes under it."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from tests.warehouse.test_store import NOW, constructors, publish, ratings
from warehouse.errors import WarehouseError
from warehouse.reader import RESULTS, Reader
from warehouse.snapshot import SNAPSHOT_FILE
from warehouse.store import Store
from warehouse.tables import ALL_TABLES, TABLES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    publish(tmp_path / "warehouse", ratings=ratings(2022, 2023), constructors=constructors("aurora"))
    return tmp_path / "warehouse"


def test_tables_that_were_never_written_are_empty_with_their_columns(root: Path) -> None:
    reader = Reader(root)
    for table in ALL_TABLES:
        found = reader.table(table.name)
        assert tuple(found.columns) == table.column_names
        if table.name not in ("ratings", "constructors"):
            assert found.is_empty()


def test_times_are_utc_and_parameters_are_bound(root: Path) -> None:
    reader = Reader(root)
    found = reader.query(
        "select known_at, entity_id from ratings where known_at < $as_of and entity_id = $who",
        {"as_of": dt.datetime(2023, 1, 1, tzinfo=dt.UTC), "who": "d1' or '1'='1"},
    )
    assert found.is_empty()
    assert found.schema["known_at"] == pl.Datetime("us", "UTC")
    assert reader.table("ratings")["known_at"][0].utcoffset() == dt.timedelta(0)


def test_several_threads_read_while_a_writer_publishes(root: Path) -> None:
    """Every answer is whole: all rows of one snapshot have the value that was published together."""
    reader = Reader(root)
    stop = threading.Event()
    seen: set[float] = set()

    def read() -> int:
        count = 0
        while not stop.is_set():
            found = reader.query(
                "select ratings.value - substr(entity_id, 2)::int as base, constructor_id "
                "from ratings cross join constructors"
            )
            assert found.height == 6
            assert found["base"].n_unique() == 1
            seen.add(found["base"][0])
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for step in range(1, 6):
                time.sleep(0.1)
                store = Store(root)
                store.replace("ratings", ratings(2022, 2023, value=1500.0 + step))
                store.publish(now=NOW + dt.timedelta(seconds=step))
            time.sleep(0.3)
        finally:
            stop.set()
        counts = [future.result(timeout=30) for future in readers]
    assert min(counts) > 0
    assert 1505.0 in seen


def test_a_warehouse_deleted_under_a_running_reader_is_told(root: Path) -> None:
    reader = Reader(root)
    assert reader.table("ratings").height == 6
    shutil.rmtree(root)
    for _ in range(2):
        with pytest.raises(WarehouseError, match="no warehouse") as caught:
            reader.table("ratings")
        assert "run.py build" in caught.value.hint
    publish(root, ratings=ratings(2024))
    assert reader.table("ratings").height == 3, "and the reader goes on when it is back"


def test_files_deleted_under_the_snapshot_are_told(root: Path) -> None:
    reader = Reader(root)
    assert reader.table("ratings").height == 6
    for path in (root / "ratings").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(WarehouseError, match="missing"):
        reader.table("ratings")
    shutil.rmtree(root / "ratings")
    with pytest.raises(WarehouseError, match="ratings of .* is missing or damaged") as caught:
        Reader(root).table("ratings")
    assert caught.value.exit_code == 5


def test_a_version_that_was_vacuumed_is_told(root: Path) -> None:
    path = root / SNAPSHOT_FILE
    path.write_text(path.read_text().replace('"ratings": 0', '"ratings": 77'))
    with pytest.raises(WarehouseError, match="ratings of"):
        Reader(root).table("ratings")


def test_nothing_was_built_yet(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no warehouse") as caught:
        Reader(tmp_path / "nowhere").table("events")
    assert "run.py build" in caught.value.hint


def test_a_closed_reader_opens_again(root: Path) -> None:
    reader = Reader(root)
    assert reader.table("constructors").height == 1
    reader.close()
    assert reader.table("constructors").height == 1


def test_folders_with_blanks_and_quotes_are_read(tmp_path: Path) -> None:
    root = tmp_path / "it's a folder, 100 % fine"
    publish(root, ratings=ratings(2023))
    assert Reader(root).table("ratings").height == 3
    assert Store(root).read("ratings").num_rows == 3


def test_results_can_be_left_out_that_were_not_known_yet(ingested: Path) -> None:
    known_by = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
    every, early = Reader(ingested / "warehouse"), Reader(ingested / "warehouse", known_by)
    for name in sorted(RESULTS):
        assert "known_at" in TABLES[name].column_names, name
        before = every.table(name).filter(pl.col("known_at") <= known_by).height
        assert early.table(name).height == before, name
    assert early.table("race_results").height < every.table("race_results").height
    assert early.table("race_results")["known_at"].max() > known_by - dt.timedelta(days=14)
    assert early.table("events").height == every.table("events").height, "the calendar is no result"
