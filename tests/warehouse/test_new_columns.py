"""A table whose contract got a column since it was written: it stays readable, and seasons with and without do not mix."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from tests.warehouse.test_store import constructors, publish, ratings
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES

NOW = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)
NEW = {"ratings": "variance", "constructors": "country_id"}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warehouse that was written before two nullable columns were thought of."""
    with monkeypatch.context() as before:
        rows: dict[str, pa.Table] = {}
        for name, made in (("ratings", ratings(2022, 2023)), ("constructors", constructors("vale"))):
            table = TABLES[name]
            columns = tuple(column for column in table.columns if column.name != NEW[name])
            before.setitem(TABLES, name, replace(table, columns=columns))
            rows[name] = made.drop_columns(NEW[name])
        publish(tmp_path, **rows)
    for name, column in NEW.items():
        assert column not in [field.name for field in DeltaTable(str(tmp_path / name)).schema().fields]
    return tmp_path


def seasons(root: Path) -> dict[int, list[float | None]]:
    found = Reader(root).query("select season, variance from ratings order by season, entity_id")
    return {
        season: rows["variance"].to_list()
        for (season,), rows in found.group_by("season", maintain_order=True)
    }


def with_variance(season: int) -> pa.Table:
    rows = ratings(season)
    place = rows.column_names.index("variance")
    return rows.set_column(place, "variance", pa.array([0.5] * rows.num_rows))


def test_the_new_column_reads_as_missing(old: Path) -> None:
    reader = Reader(old)
    assert reader.table("ratings")["variance"].to_list() == [None] * 6
    assert reader.table("ratings").columns == list(TABLES["ratings"].column_names)
    assert reader.table("constructors")["country_id"].to_list() == [None]
    assert Store(old).read("ratings").schema == TABLES["ratings"].schema


def test_the_same_rows_are_not_written_again(old: Path) -> None:
    store = Store(old)
    assert store.replace("ratings", ratings(2022, 2023)) == []
    assert store.replace("constructors", constructors("vale")) == []


@pytest.mark.parametrize("by_rows", [False, True])
def test_replacing_a_season_adds_the_column_to_all(old: Path, by_rows: bool) -> None:
    store = Store(old)
    if by_rows:
        key = {"event_id": "2023-x"}
        assert store.replace_rows("ratings", with_variance(2023), season=2023, keys=[key])
    else:
        assert store.replace("ratings", with_variance(2023), seasons=[2023]) == [2023]
    assert seasons(old)[2023] == [None] * 3, "readers see what was published"
    store.publish(now=NOW)
    assert seasons(old) == {2022: [None] * 3, 2023: [0.5] * 3}
    assert Reader(old).table("ratings").height == 6


def test_a_writer_that_died_after_adding_the_column_does_no_harm(old: Path) -> None:
    died = Store(old)
    died.replace("ratings", with_variance(2023), seasons=[2023])
    store = Store(old)
    store.replace("ratings", with_variance(2022), seasons=[2022])
    store.publish(now=NOW)
    assert seasons(old) == {2022: [0.5] * 3, 2023: [None] * 3}


def test_compacting_an_old_table_keeps_it_readable(old: Path) -> None:
    store = Store(old)
    died = Store(old)
    died.replace("ratings", with_variance(2023), seasons=[2023])
    store.compact()
    store.publish(now=NOW)
    assert seasons(old) == {2022: [None] * 3, 2023: [None] * 3}
