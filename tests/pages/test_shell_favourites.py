"""Favourites: starred where they are listed, in the address, carried by every link, none without a choice."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from f1core.api.app import ROOT as API_ROOT
from pages.shell import embed, favourites
from tests.pages.conftest import HOME, RACE, Open, draw, param
from warehouse.queries.search import current_people
from warehouse.reader import Reader

ROWS = pl.DataFrame(
    {
        "driver_id": ["dee", "eff", "gee"],
        "constructor_id": ["aurora", "aurora", "borealis"],
        "driver_name": ["Dee", "Eff", "Gee"],
        "constructor_name": ["Aurora", "Aurora", "Borealis"],
        "label": ["D", "E", "G"],
    }
)


@pytest.mark.parametrize(
    ("kept", "drivers", "teams"),
    [
        ((), ["Dee", "Eff", "Gee"], ["Aurora", "Aurora", "Borealis"]),
        (("eff",), ["Dee", "★ Eff", "Gee"], ["Aurora", "Aurora", "Borealis"]),
        (("borealis",), ["Dee", "Eff", "★ Gee"], ["Aurora", "Aurora", "★ Borealis"]),
        (("dee", "nobody"), ["★ Dee", "Eff", "Gee"], ["Aurora", "Aurora", "Borealis"]),
    ],
)
def test_rows_of_favourites_bear_a_star(
    kept: tuple[str, ...], drivers: list[str], teams: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(favourites, "favourites", lambda: kept)
    rows = favourites.starred(ROWS)
    assert rows["driver_name"].to_list() == drivers
    assert rows["constructor_name"].to_list() == teams
    assert [name.startswith("★") for name in rows["label"]] == [name.startswith("★") for name in drivers]
    assert rows.select("driver_id", "constructor_id").equals(ROWS.select("driver_id", "constructor_id"))


def test_rows_without_ids_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(favourites, "favourites", lambda: ("dee",))
    bare = ROWS.select("driver_name")
    assert favourites.starred(bare).equals(bare)


def test_a_favourite_in_the_address_is_starred_and_carried(visit: Open, small_data: Path) -> None:
    driver, name = next(iter(current_people(Reader(small_data / "warehouse")).items()))
    seen = visit(HOME, small_data, fav=f"{driver},nobody-such")
    assert f"★ {name}" in seen.at.dataframe[0].value["driver_name"].to_list()
    chart = json.loads(seen.at.get("vega_lite_chart")[0].proto.spec)
    assert "★" in json.dumps(chart, ensure_ascii=False), "in the chart too"
    targets = [target for label, target in seen.links().items() if label != "Next race"]
    assert len(targets) > 12
    assert all(f"fav={driver}%2Cnobody-such" in target for target in targets)
    assert seen.at.multiselect(key="choice_fav").value == [driver], "only who is known can be chosen"


def test_choosing_writes_the_address_and_taking_away_clears_it(visit: Open, small_data: Path) -> None:
    names = list(current_people(Reader(small_data / "warehouse")))
    seen = visit(RACE, small_data)
    assert param(seen.at, "fav") is None
    assert not any("★" in str(name) for name in seen.at.dataframe[0].value["driver_name"])
    seen.at.multiselect(key="choice_fav").set_value(names[:2])
    chosen = draw(seen.at)
    assert param(chosen.at, "fav") == ",".join(names[:2])
    assert any("★" in str(name) for name in chosen.at.dataframe[0].value["driver_name"])
    chosen.at.multiselect(key="choice_fav").set_value([])
    assert param(draw(chosen.at).at, "fav") is None


def test_far_too_many_favourites_are_cut(visit: Open, small_data: Path) -> None:
    seen = visit(HOME, small_data, fav=",".join(f"nobody-{number}" for number in range(50)))
    carried = next(target for label, target in seen.links().items() if label == "Races")
    assert carried.count("nobody-") == favourites.MAX_KEPT


def test_the_address_of_the_json_is_the_apis() -> None:
    assert embed.ROOT == API_ROOT
