"""The methodology page: every section says something, the dictionary is the code's, searches are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1core.data_dictionary import column_rows
from tests.pages.conftest import Open, draw, param

PAGE = "pages/methodology.py"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("how", "Only the machine's real clock can seal"),
        ("words", "the driver with the highest win probability won"),
        ("data", f"{column_rows().height} of {column_rows().height} columns"),
        ("scores", "nothing here is typed by hand"),
        ("api", "everything is read only"),
        ("licences", "Formula 1's live timing"),
    ],
)
def test_every_section_says_what_it_is_for(section: str, words: str, visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, section=section)
    assert seen.says(words)
    assert seen.says("published")


def test_the_dictionary_is_searched_from_the_url(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, section="data", q="lap time")
    assert "lap_time_s" in list(seen.at.dataframe[0].value["column"])
    assert len(seen.at.dataframe[0].value) < column_rows().height
    features = visit(PAGE, tiny_data, section="data", list="features", q="grid")
    assert "grid_position" in list(features.at.dataframe[0].value["feature"])


def test_a_search_that_finds_nothing_says_so_and_is_harmless(visit: Open, tiny_data: Path) -> None:
    for section in ("data", "words"):
        seen = visit(PAGE, tiny_data, section=section, q="<script>[x](https://evil.example)")
        assert seen.says("holds “<script>") and "](https://evil" not in "\n".join(seen.texts())


def test_typing_writes_the_url_and_another_section_forgets_it(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, section="words")
    seen.at.text_input(key="choice_q").set_value("Brier")
    after = draw(seen.at)
    assert param(after.at, "q") == "Brier" and after.says("Win Brier")
    assert not after.says("Pit loss")


def test_an_unknown_section_is_answered_kindly(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, section="1066")
    assert seen.says("There is no section “1066” here") and seen.says("1 · Facts")


def test_the_snippet_embeds_this_server(visit: Open, tiny_data: Path) -> None:
    seen = visit(PAGE, tiny_data, section="api", view="accuracy")
    codes = "\n".join(block.value for block in seen.at.code)
    assert "accuracy?embed=true" in codes and "/api/predict/next" in codes and "hashlib.sha256" in codes
