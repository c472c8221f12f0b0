"""The real facts satisfy every contract as they lie on disk, foreign keys included."""

from __future__ import annotations

import pytest

from warehouse.reader import Reader
from warehouse.tables import ALL_TABLES, ANALYTICS_TABLES, FACT_TABLES, TABLES, Table
from warehouse.transform import ORDER
from warehouse.validate import validate

RATED = (*FACT_TABLES, TABLES["ratings"])


@pytest.mark.parametrize("table", RATED, ids=lambda table: table.name)
def test_the_contract_holds_on_the_real_facts(reader: Reader, table: Table) -> None:
    parents = {
        target.split(".")[0]: reader.table(target.split(".")[0]).to_arrow()
        for target in table.parents.values()
    }
    rows = reader.table(table.name)
    assert rows.height > 0
    validate(table, rows.to_arrow(), parents)


def test_what_is_known_before_what(reader: Reader) -> None:
    """A grid is known before its race, the race's facts together, and no fact before its season's calendar."""
    wrong = reader.query(
        """
        select grids.event_id from starting_grids as grids
        inner join race_results as results using (event_id, session)
        where grids.known_at >= results.known_at
        """
    )
    assert wrong.is_empty()
    for name in (table.name for table in ALL_TABLES if {"known_at", "season"} <= set(table.column_names)):
        early = reader.query(
            f'select count(*) as early from "{name}" as rows inner join events using (season) '
            "where rows.known_at < events.known_at and rows.season >= 1970"  # 1965 and 1968 began on 1 January
        )
        assert early["early"][0] == 0, name


def test_the_snapshot_tells_rows_and_digests(reader: Reader) -> None:
    notes = reader.snapshot.notes
    for table in RATED:
        assert notes["rows"][table.name] == reader.table(table.name).height
        if "season" in table.column_names:
            assert set(notes["digests"][table.name]) == {
                str(season) for season in reader.table(table.name)["season"].unique().to_list()
            }
    derived = {"ratings", "fact_sources", "source_differences", *(table.name for table in ANALYTICS_TABLES)}
    assert set(ORDER) >= set(notes["rows"]) - derived
