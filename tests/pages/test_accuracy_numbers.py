"""The accuracy page shows the numbers of the protocol: those that ``benchmarks/accuracy.py`` prints for the same races."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks.accuracy import BESIDE
from benchmarks.accuracy_values import MEANS, load_values
from f1core.targets import RULES
from f1core.wording import SCORES, model_name
from tests.pages.conftest import ACCURACY, Open
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [(Target.RACE, Stage.PRE_RACE), (Target.QUALIFYING, Stage.PRE_QUALIFYING)],
    ids=lambda p: p[0].value,
)
def test_the_page_shows_the_numbers_of_the_protocol(
    visit: Open, small_data: Path, place: tuple[Target, Stage]
) -> None:
    target, stage = place
    values = load_values(Reader(small_data / "warehouse"), target, stage, (RULES[target].model, *BESIDE))
    seen = visit(ACCURACY, small_data, target=target.value, stage=stage.value)
    tables = [pl.from_pandas(element.value) for element in seen.at.table if "Score" in element.value.columns]
    shown = {row["Score"]: row for table in tables for row in table.to_dicts()}
    compared = 0
    for score in SCORES:
        if score.column not in MEANS or score.title not in shown:
            continue
        for model in (values.model, *BESIDE):
            if values.has(model):
                text = shown[score.title][model_name(model)].replace("*", "")
                assert text == score.number(values.mean(model, score.column)), (score.column, model)
                compared += 1
    assert compared > 20, "the table of all scores was on the page"
