"""Checks rows against a table's contract before they are written, and names the offending ones."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from warehouse.errors import ContractViolation
from warehouse.scratch import scratch
from warehouse.tables import Table

EXAMPLES = 3


def conform(table: Table, data: pa.Table) -> pa.Table:
    """Brings columns into the contract's order and types.

    Raises:
        ContractViolation: A column is missing, unknown, or cannot be cast.
    """
    missing = [name for name in table.column_names if name not in data.column_names]
    unknown = [name for name in data.column_names if name not in table.column_names]
    if missing or unknown:
        raise ContractViolation(
            f"Table {table.name}: columns missing {missing or 'none'}, unknown {unknown or 'none'}.",
            hint="The code that makes the rows and warehouse/tables must agree.",
        )
    try:
        return data.select(list(table.column_names)).cast(table.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ContractViolation(f"Table {table.name}: {error}") from error


def _conditions(table: Table) -> list[tuple[str, str]]:
    """All row checks as (SQL condition that holds for good rows, words)."""
    checks: list[tuple[str, str]] = []
    for column in table.columns:
        name = f'"{column.name}"'
        if column.required:
            checks.append((f"{name} is not null", f"{column.name} is missing"))
        if column.minimum is not None:
            checks.append(
                (f"coalesce({name} >= {column.minimum!r}, true)", f"{column.name} below {column.minimum}")
            )
        if column.maximum is not None:
            checks.append(
                (f"coalesce({name} <= {column.maximum!r}, true)", f"{column.name} above {column.maximum}")
            )
        if column.type == "float":
            checks.append((f"coalesce(isfinite({name}), true)", f"{column.name} is not a finite number"))
        if column.allowed:
            words = ", ".join(f"'{word!s}'" for word in column.allowed)
            checks.append((f"coalesce({name} in ({words}), true)", f"{column.name} is not one of {words}"))
    checks += [
        (f"coalesce({condition}, true)", f"broken rule: {words}") for condition, words in table.checks.items()
    ]
    return checks


def validate(table: Table, data: pa.Table, parents: Mapping[str, pa.Table] | None = None) -> pa.Table:
    """Checks rows against the contract: columns, types, key, ranges, allowed words, rules and parents.

    Args:
        table: The contract.
        data: The rows.
        parents: Tables that foreign keys point to, by name; keys to tables not given are not checked.

    Returns:
        The rows with columns in the contract's order and types.

    Raises:
        ContractViolation: With up to three offending rows per broken rule.
    """
    rows = conform(table, data)
    if rows.num_rows == 0:
        return rows
    con = scratch()
    con.register("data", rows)
    key = ", ".join(f'"{name}"' for name in table.key)
    problems: list[str] = []

    conditions = _conditions(table)
    # Planning takes longer than reading: the rules are first asked as one, and one by one only where a row breaks some.
    con.execute("pragma disable_optimizer")
    everything = " and ".join(f"({condition})" for condition, _ in conditions)
    if con.execute(f"select count(*) from data where not ({everything})").fetchall()[0][0]:
        problems += _broken_rules(table, con, conditions, key)
    twice = con.execute(
        f"select {key}, count(*) from data group by {key} having count(*) > 1 limit {EXAMPLES}"
    ).fetchall()
    if twice:
        problems.append(
            f"duplicate key ({', '.join(table.key)}), e.g. {_keys(table, [row[:-1] for row in twice])}"
        )
    for column, target in table.parents.items():
        parent_name, parent_column = target.split(".")
        if parents is None or parent_name not in parents:
            continue
        con.register("parent", parents[parent_name].select([parent_column]))
        orphans = con.execute(
            f'select distinct data."{column}" from data anti join parent '
            f'on data."{column}" = parent."{parent_column}" where data."{column}" is not null limit {EXAMPLES}'
        ).fetchall()
        con.unregister("parent")
        if orphans:
            problems.append(f"{column} unknown to {parent_name}: {', '.join(str(row[0]) for row in orphans)}")
    con.close()
    if problems:
        raise ContractViolation(
            f"Table {table.name}: " + "; ".join(problems) + ".",
            hint="Nothing was written; the previous version of the warehouse stays in use.",
        )
    return rows


def _broken_rules(
    table: Table, con: duckdb.DuckDBPyConnection, conditions: list[tuple[str, str]], key: str
) -> list[str]:
    counts = con.execute(
        "select " + ", ".join(f"count(*) filter (not ({c}))" for c, _ in conditions) + " from data"
    )
    problems = []
    for (condition, words), count in zip(conditions, counts.fetchall()[0], strict=True):
        if count:
            examples = con.execute(
                f"select {key} from data where not ({condition}) limit {EXAMPLES}"
            ).fetchall()
            problems.append(f"{words} in {count} row(s), e.g. {_keys(table, examples)}")
    return problems


def _keys(table: Table, rows: list[tuple[object, ...]]) -> str:
    return "; ".join(
        "(" + ", ".join(f"{n}={v}" for n, v in zip(table.key, row, strict=True)) + ")" for row in rows
    )
