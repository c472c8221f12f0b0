"""Contracts on write: every kind of rule refuses its violation and names the offending rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from warehouse.errors import ContractViolation
from warehouse.tables import ALL_TABLES, TABLES, Column, Table
from warehouse.tables.contract import ARROW_TYPES, required
from warehouse.validate import conform, validate

HOUSES = Table(
    "houses",
    "one row per street and number",
    ("street", "number"),
    (
        required("street", "text", "Street."),
        required("number", "int", "Number.", minimum=1, maximum=99),
        Column("height_m", "float", "Height.", unit="m", minimum=0),
        Column("colour", "text", "Colour.", allowed=("red", "blue")),
        Column("built_at", "timestamp", "When.", unit="UTC"),
        Column("storeys", "int", "Storeys."),
        Column("town_id", "text", "Town."),
    ),
    source="invented",
    group="Test",
    checks={"storeys is null or height_m >= 2 * storeys": "a storey is two metres high"},
    parents={"town_id": "towns.town_id"},
)
TOWNS = {"towns": pa.table({"town_id": ["ashford", "brook"]})}
MORNING = dt.datetime(2024, 5, 1, 6, tzinfo=dt.UTC)


def rows(*changes: dict[str, Any], count: int = 3) -> pa.Table:
    """Good rows, the first of them changed."""
    good: list[dict[str, Any]] = [
        {
            "street": "high",
            "number": n,
            "height_m": 6.0,
            "colour": "red",
            "built_at": MORNING,
            "storeys": 2,
            "town_id": "ashford",
        }
        for n in range(1, count + 1)
    ]
    for row, change in zip(good, changes, strict=False):
        row.update(change)
    return pa.Table.from_pylist(good, schema=HOUSES.schema)


def refused(data: pa.Table, table: Table = HOUSES) -> ContractViolation:
    with pytest.raises(ContractViolation) as caught:
        validate(table, data, TOWNS)
    assert table.name in caught.value.message
    assert caught.value.exit_code == 4
    return caught.value


def test_good_rows_come_back_in_the_contracts_order_and_types() -> None:
    shuffled = rows().select(list(reversed(HOUSES.column_names)))
    narrow = shuffled.set_column(
        shuffled.column_names.index("number"), "number", shuffled["number"].cast(pa.int64())
    )
    answer = validate(HOUSES, narrow, TOWNS)
    assert answer.schema.equals(HOUSES.schema)
    assert answer.equals(rows())


def test_missing_values_are_fine_where_the_contract_allows_them() -> None:
    empty = {"height_m": None, "colour": None, "built_at": None, "storeys": None, "town_id": None}
    assert validate(HOUSES, rows(empty), TOWNS).num_rows == 3


def test_no_rows_are_good_rows() -> None:
    assert validate(HOUSES, HOUSES.schema.empty_table(), TOWNS).num_rows == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"street": None}, ["street is missing", "street=None, number=1"]),
        ({"number": 0}, ["number below 1", "number=0"]),
        ({"number": 100}, ["number above 99", "number=100"]),
        ({"height_m": -0.5}, ["height_m below 0", "number=1"]),
        ({"height_m": float("nan")}, ["height_m is not a finite number", "number=1"]),
        ({"height_m": float("inf")}, ["height_m is not a finite number", "number=1"]),
        ({"colour": "green"}, ["colour is not one of 'red', 'blue'", "street=high, number=1"]),
        ({"storeys": 4}, ["a storey is two metres high", "number=1"]),
        ({"town_id": "atlantis"}, ["town_id unknown to towns", "atlantis"]),
        ({"number": 2}, ["duplicate key (street, number)", "street=high, number=2"]),
    ],
)
def test_each_kind_of_rule_refuses_and_names_the_row(change: dict[str, Any], words: list[str]) -> None:
    message = refused(rows(change)).message
    for expected in words:
        assert expected in message


def test_every_broken_rule_is_told_at_once_with_counts_and_at_most_three_examples() -> None:
    bad = [{"colour": "green", "height_m": -1.0, "storeys": None}] * 8
    message = refused(rows(*bad, count=9)).message
    assert "colour is not one of" in message
    assert "height_m below 0 in 8 row(s)" in message
    told = message.split("height_m below 0")[1].split(";  ")[0]
    assert told.count("street=high") <= 6, "three examples a rule, two rules"


def test_foreign_keys_are_checked_only_against_parents_that_are_given() -> None:
    stray = rows({"town_id": "atlantis"})
    assert validate(HOUSES, stray, {}).num_rows == 3
    assert validate(HOUSES, stray, None).num_rows == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.drop_columns(["colour"]), "missing ['colour']"),
        (lambda data: data.append_column("cat", pa.array(["x"] * 3)), "unknown ['cat']"),
        (
            lambda data: data.set_column(1, "number", pa.array(["one", "2", "3"])),
            "houses",
        ),
        (lambda data: data.set_column(1, "number", pa.array([1.5, 2.0, 3.0])), "houses"),
    ],
)
def test_columns_must_be_the_contracts(change: Callable[[pa.Table], pa.Table], words: str) -> None:
    with pytest.raises(ContractViolation) as caught:
        conform(HOUSES, change(rows()))
    assert words in caught.value.message


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)
def test_every_contract_is_well_formed(table: Table) -> None:
    names = table.column_names
    assert len(set(names)) == len(names)
    assert table.name == table.name.lower()
    assert table.grain.startswith("one row per ")
    assert set(table.key) <= set(names)
    required_columns = {column.name for column in table.columns if column.required}
    assert set(table.key) <= required_columns, "a key is never missing"
    assert not table.partitioned or "season" in names
    units = {"_s": "s", "_kph": "km/h", "_km": "km", "_at": "UTC"}
    for column in table.columns:
        assert column.type in ARROW_TYPES
        assert column.doc.strip().endswith("."), f"{table.name}.{column.name} is documented"
        for suffix, unit in units.items():
            if column.name.endswith(suffix) and column.type in ("float", "timestamp"):
                assert column.unit == unit, f"{table.name}.{column.name} says its unit"
    for column_name, target in table.parents.items():
        parent, _, parent_column = target.partition(".")
        assert column_name in names
        assert parent_column in TABLES[parent].column_names
    # An impossible row is refused by the table's own key rule: the conditions are valid SQL of this table.
    nothing = table.schema.empty_table()
    assert validate(table, nothing).num_rows == 0
    nulls = pa.table({name: pa.nulls(1, table.schema.field(name).type) for name in names})
    with pytest.raises(ContractViolation, match=f"{table.key[0]} is missing"):
        validate(table, nulls)
