"""Compaction and vacuum: the rows stay, what is published stays readable, whatever a job left behind."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.conftest import equal_frames
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES

NAME = "qualifying_results"
KEY = list(TABLES[NAME].key)


@pytest.fixture
def root(tiny_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_data / "warehouse", tmp_path / "warehouse"))


def rows(root: Path) -> pl.DataFrame:
    reader = Reader(root)
    found = reader.table(NAME).sort(KEY)
    reader.close()
    return found


def files(root: Path) -> set[str]:
    return {path.name for path in (root / NAME).rglob("*.parquet") if "_delta_log" not in path.parts}


def in_pieces(root: Path) -> None:
    """Writes the table anew in many small files and publishes that."""
    store = Store(root)
    table = store.read(NAME)
    store.replace(NAME, table.slice(0, 0), seasons=[2023])
    for row in range(table.num_rows):
        if table["season"][row].as_py() == 2023:
            write_deltalake(str(root / NAME), table.slice(row, 1), mode="append", partition_by=["season"])
    store.versions[NAME] = DeltaTable(str(root / NAME)).version()
    store.publish(now=dt.datetime.now(dt.UTC))


def age(root: Path, days: int) -> None:
    """Lets everything that was dropped have been dropped some days ago."""
    then = int((dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).timestamp() * 1000)
    for path in (root / NAME / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        for action in actions:
            if "remove" in action:
                action["remove"]["deletionTimestamp"] = then
        path.write_text("\n".join(json.dumps(action) for action in actions) + "\n")


def test_small_files_are_joined_and_the_rows_stay(root: Path) -> None:
    in_pieces(root)
    before, pieces = rows(root), len(DeltaTable(str(root / NAME)).file_uris())
    store = Store(root)
    assert store.compact() == [NAME]
    assert equal_frames(rows(root), before), "before it is published, readers see the old version"
    store.publish(now=dt.datetime.now(dt.UTC))
    assert equal_frames(rows(root), before)
    assert len(DeltaTable(str(root / NAME)).file_uris()) < pieces / 4
    assert Store(root).compact() == [], "nothing is left to join"


def test_files_of_the_last_week_stay_and_older_ones_go(root: Path) -> None:
    in_pieces(root)
    before = rows(root)
    old = Reader(root)
    assert old.table(NAME).height == before.height
    store = Store(root)
    store.compact()
    store.publish(now=dt.datetime.now(dt.UTC))
    pieces = files(root)
    assert Store(root).vacuum() == 0
    assert files(root) == pieces, "whoever has the version of a minute ago open can go on"
    old.close()
    age(root, days=8)
    assert Store(root).vacuum() > 10
    assert equal_frames(rows(root), before)


def test_a_version_that_was_never_published_does_not_cost_the_published_one_its_files(root: Path) -> None:
    before = rows(root)
    died = Store(root)
    died.replace(NAME, died.read(NAME).slice(0, 0))  # and then its process was killed
    age(root, days=8)
    assert Store(root).vacuum() == 0
    assert equal_frames(rows(root), before)
    store = Store(root)
    assert NAME in store.compact(), "the published version becomes the newest again"
    store.publish(now=dt.datetime.now(dt.UTC))
    age(root, days=8)
    store.vacuum()
    assert equal_frames(rows(root), before)
