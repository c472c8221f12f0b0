"""The search box: what people type, and what it finds."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.search import LIMIT, PAGE_OF, index, index_of, search
from warehouse.reader import Reader

ROWS = pl.DataFrame(
    [
        ("driver", "max-verstappen", "Max Verstappen", "Max Verstappen VER", 2026),
        ("driver", "jos-verstappen", "Jos Verstappen", "Jos Verstappen VER", 2003),
        ("driver", "kimi-raikkonen", "Kimi Räikkönen", "Kimi Räikkönen RAI", 2021),
        ("team", "ferrari", "Ferrari", "Scuderia Ferrari", 2026),
        ("circuit", "monza", "Monza", "Autodromo Nazionale di Monza Italy", 2026),
        ("race", "2024-italy", "Italian Grand Prix 2024", "Italy Monza Italy", 2024),
        ("race", "2025-italy", "Italian Grand Prix 2025", "Italy Monza Italy", 2025),
    ],
    schema=["kind", "id", "label", "names", "newest_season"],
    orient="row",
)


def found(text: str, rows: pl.DataFrame = ROWS) -> list[str]:
    return [one.id for one in search(index_of(rows), text)[0]]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("verstappen", "max-verstappen"),
        ("ver jos", "jos-verstappen"),
        ("raikkonen", "kimi-raikkonen"),
        ("RÄIKKÖNEN", "kimi-raikkonen"),
        ("scuderia", "ferrari"),
        ("monza", "monza"),
        ("2024 monza", "2024-italy"),
        ("italian 2025", "2025-italy"),
    ],
)
def test_what_people_type_is_found(text: str, first: str) -> None:
    assert found(text)[0] == first


def test_a_slip_is_offered_as_one() -> None:
    answers, is_like = search(index_of(ROWS), "verstapen")
    assert is_like
    assert [one.id for one in answers] == ["max-verstappen", "jos-verstappen"]


@pytest.mark.parametrize("text", ["", "   ", "<script>alert(1)</script>", "qqqqq", "?!"])
def test_nothing_is_found_for_nonsense(text: str) -> None:
    assert found(text) == []


def test_an_answer_links_to_its_page() -> None:
    (one,), _ = search(index_of(ROWS), "ferrari")
    assert (one.page, one.params) == ("pages/teams.py", {"team": "ferrari"})


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(ROWS.height)), st.sampled_from(["ver", "monza", "i", "2025", "italian"]))
def test_the_order_of_rows_does_not_matter(order: list[int], text: str) -> None:
    assert found(text, ROWS[order]) == found(text)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    answers, _ = search(index_of(ROWS), text)
    assert len(answers) <= LIMIT
    assert {one.kind for one in answers} <= set(PAGE_OF)


def test_the_real_warehouse_can_be_searched(ingested: Path) -> None:
    kept = index(Reader(ingested / "warehouse"))
    for text, kind, id_ in (
        ("hamilton lewis", "driver", "lewis-hamilton"),
        ("mclaren", "team", "mclaren"),
        ("spa", "circuit", "spa-francorchamps"),
        ("2021 abu dhabi", "race", "2021-abu-dhabi"),
    ):
        first = search(kept, text)[0][0]
        assert (first.kind, first.id) == (kind, id_)
