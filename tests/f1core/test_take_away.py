"""What people take away, and what the methodology page reads: files of tables, tables of the docs, the dictionary."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import polars as pl
import pytest

from f1core.data_dictionary import column_rows, feature_rows, matching, table_rows
from f1core.doc_tables import doc_tables, tables_of
from f1core.features.registry import REGISTRY
from f1core.features.session.registry import SESSION_REGISTRY
from f1core.table_files import MIME_TYPES, file_name, table_file
from warehouse.tables import ALL_TABLES

ROWS = pl.DataFrame(
    {
        "driver_id": ["ada", "bo"],
        "gap_s": [0.0, float("nan")],
        "known_at": [dt.datetime(2026, 6, 28, 16, tzinfo=dt.UTC)] * 2,
        "stints": [["soft", "hard"], ["medium"]],
    }
)


def test_the_three_files_hold_the_same_rows() -> None:
    parquet = pl.read_parquet(io.BytesIO(table_file("parquet", "x", ROWS)))
    assert parquet.equals(ROWS) and parquet.schema == ROWS.schema
    csv = pl.read_csv(io.BytesIO(table_file("csv", "x", ROWS)))
    assert csv["driver_id"].to_list() == ["ada", "bo"] and csv["stints"].to_list() == ["soft;hard", "medium"]
    found = json.loads(table_file("json", "x", ROWS), parse_constant=pytest.fail)
    assert found["name"] == "x" and found["rows"][0]["known_at"] == "2026-06-28T16:00:00+00:00"
    assert found["rows"][1]["gap_s"] is None, "JSON has no NaN"
    assert table_file("parquet", "x", ROWS) == table_file("parquet", "x", ROWS)


def test_a_document_of_its_own_goes_first_in_json() -> None:
    assert json.loads(table_file("json", "x", ROWS, {"kind": "backtest"})) == {"kind": "backtest"}
    with pytest.raises(ValueError, match="xlsx"):
        table_file("xlsx", "x", ROWS)


def test_file_names_are_harmless() -> None:
    assert file_name("2026-las-vegas_race", "csv") == "2026-las-vegas_race.csv"
    assert file_name("../../etc/pass wd\n", "json") == "etc-pass-wd.json"
    assert file_name("", "csv") == "table.csv"
    assert set(MIME_TYPES) == {"csv", "parquet", "json"}


TEXT = """# Page

| not | counted |
|---|---|
| 1 | 2 |

## Scores

<!-- begin table -->
### 2023–2026

| metric | ours | ours − grid |
|:---|---:|---|
| `win` \\| log loss | **1.07** | -0.3 |
| short |

<!-- end table -->
text | with a bar
"""


def test_tables_between_marks_are_read_with_their_headings() -> None:
    (table,) = tables_of(TEXT)
    assert table.heading == "Scores · 2023–2026"
    assert table.rows.columns == ["metric", "ours", "ours − grid"]
    assert table.rows.rows() == [("win | log loss", "1.07", "-0.3"), ("short", "", "")]


def test_without_marks_every_table_is_read(tmp_path: Path) -> None:
    text = "\n".join(line for line in TEXT.splitlines() if not line.startswith("<!--"))
    (tmp_path / "page.md").write_text(text)
    assert [one.heading for one in doc_tables("page.md", tmp_path)] == ["", "Scores · 2023–2026"]
    assert doc_tables("missing.md", tmp_path) == ()
    (tmp_path / "page.md").write_text("# No table")
    assert doc_tables("page.md", tmp_path) == (), "the file is read again when it changes"


def test_columns_of_the_same_name_stay_apart() -> None:
    (table,) = tables_of("| a | a | |\n|---|---|---|\n| 1 | 2 | 3 |")
    assert table.rows.columns == ["a", "a (2)", "–"]


def test_the_measured_tables_of_the_accuracy_page_are_found() -> None:
    found = [one for one in doc_tables("accuracy.md") if one.heading.startswith("Against the figures")]
    assert found and all("ours" in one.rows.columns and one.rows.height for one in found)


def test_the_dictionary_is_that_of_the_code() -> None:
    columns = column_rows()
    assert columns.height == sum(len(table.columns) for table in ALL_TABLES)
    assert (columns["doc"].str.len_chars() > 0).all()
    assert table_rows()["table"].to_list() == [table.name for table in ALL_TABLES]
    assert feature_rows()["feature"].to_list() == [*REGISTRY, *SESSION_REGISTRY]


@pytest.mark.parametrize("words", ["lap time", "LAP_TIME", "  time   lap "])
def test_the_search_finds_every_word_in_any_order(words: str) -> None:
    assert "lap_time_s" in matching(column_rows(), words)["column"].to_list()


def test_signs_are_searched_as_they_are() -> None:
    assert matching(column_rows(), "km/h").height > 5
    assert matching(column_rows(), "[").height < column_rows().height
    assert matching(column_rows(), "<script>").is_empty()
    assert matching(column_rows(), " ").height == column_rows().height
