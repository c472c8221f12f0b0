"""Embedded views: the content alone, with its source and the JSON beside it; no navigation, no search."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.runtime.context import ContextProxy

from tests.pages.conftest import ACCURACY, HOME, RACE, Open, Visit, session

CHAMPIONSHIP = "pages/championship.py"


@pytest.mark.parametrize(
    ("page", "charts", "kept", "left_out"),
    [
        (HOME, 1, "Our forecast", "Questions to start from"),
        (RACE, 2, "Forecast against result", "Every place"),
        (CHAMPIONSHIP, 1, "Who will be champion?", "Points from round to round"),
        (ACCURACY, 0, "How good are the forecasts?", "Better or worse"),
    ],
)
def test_an_embedded_view_is_the_content_with_its_source(
    page: str,
    charts: int,
    kept: str,
    left_out: str,
    visit: Open,
    small_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = visit(page, small_data)
    assert whole.says(kept) and whole.says(left_out) and whole.says("view to embed")
    monkeypatch.setattr(ContextProxy, "is_embedded", property(lambda _: True))
    at = session(page)
    at.run()
    seen = Visit(at)
    assert not at.exception and not at.error
    assert seen.says(kept) and not seen.says(left_out)
    assert seen.charts == charts
    assert len(at.sidebar) == 0, "no navigation and no search"
    assert seen.says("[JSON of this](/api/") and not seen.says("view to embed")
    assert seen.says("Contains data from [F1DB]") and seen.says("Unofficial: not associated")
