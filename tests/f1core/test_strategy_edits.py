from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.simulator.plan import Plan, Stop
from f1core.simulator.rules import COMPOUNDS
from f1core.strategy.basis import Basis
from f1core.strategy.edits import (
    BadEdit,
    Edit,
    SafetyCars,
    WeatherScenario,
    WhatIf,
    from_params,
    from_query,
    plan_text,
    to_params,
    to_query,
)

compounds = st.sampled_from(COMPOUNDS)
ages = st.integers(0, 60)


@st.composite
def an_edit(draw: st.DrawFn, driver_id: str) -> Edit:
    start = draw(st.none() | compounds)
    in_laps = draw(st.none() | st.lists(st.integers(1, 78), unique=True, max_size=8).map(sorted))
    return Edit(
        driver_id=driver_id,
        start=start,
        start_used_laps=None if start is None else draw(st.none() | ages),
        stops=None if in_laps is None else tuple(Stop(lap, draw(compounds), draw(ages)) for lap in in_laps),
        pace_change_s=draw(st.floats(-5, 5)),
        grid=draw(st.none() | st.integers(1, 22)),
        finishes=draw(st.booleans()),
    )


names = st.text("abcdefghijklmnopqrstuvwxyz-_é&=+ %19", min_size=1, max_size=12)
scenarios = st.builds(
    WhatIf,
    edits=st.lists(names, unique=True, max_size=4).flatmap(lambda ids: st.tuples(*(an_edit(i) for i in ids))),
    safety_cars=st.sampled_from(SafetyCars),
    weather=st.sampled_from(WeatherScenario),
    seed=st.integers(0, 2**31 - 1),
    runs=st.integers(1, 10_000),
    basis=st.sampled_from(Basis),
)


@settings(max_examples=25, deadline=None)
@given(what_if=scenarios)
def test_the_whole_scenario_goes_through_an_address_and_back(what_if: WhatIf) -> None:
    assert from_query(to_query(what_if)) == what_if
    assert from_params(to_params(what_if)) == what_if
    assert to_query(from_query(to_query(what_if))) == to_query(what_if)


def test_the_race_as_it_was_has_an_empty_address() -> None:
    assert to_query(WhatIf()) == ""
    assert to_query(WhatIf(edits=(Edit(driver_id="lando-norris"),))) == ""
    assert from_query("?event=2025-monza&tab=laps") == WhatIf()


def test_the_address_can_be_read_and_typed() -> None:
    what_if = from_query(
        "cars=norris:M-20H-41S3,leclerc:p-0.2/g1/f,piastri:-0&sc=Random&weather=mixed&seed=7"
    )
    leclerc, norris, piastri = what_if.edits
    assert norris == Edit(driver_id="norris", start="MEDIUM", stops=(Stop(20, "HARD"), Stop(41, "SOFT", 3)))
    assert leclerc == Edit(driver_id="leclerc", pace_change_s=-0.2, grid=1, finishes=True)
    assert piastri.stops == ()
    assert (what_if.safety_cars, what_if.weather) == (SafetyCars.RANDOM, WeatherScenario.MIXED)
    assert to_query(WhatIf(edits=(norris,))) == "cars=norris:M-20H-41S3"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("cars=norris", "cars"),
        ("cars=norris:", "cars.norris"),
        ("cars=norris:M-20X", "cars.norris.stops"),
        ("cars=norris:X-20M", "cars.norris"),
        ("cars=norris:M-400H", "cars.norris.stops"),
        ("cars=norris:M99", "cars.norris.start"),
        ("cars=norris:pfast", "cars.norris.pace"),
        ("cars=norris:pnan", "cars.norris.pace"),
        ("cars=norris:g0", "cars.norris.grid"),
        ("cars=norris:g1,norris:g2", "cars"),
        ("cars=norris:M" + "".join(f"-{lap}H" for lap in range(1, 11)), "cars.norris.stops"),
        ("runs=0", "runs"),
        ("runs=20000", "runs"),
        ("seed=-1", "seed"),
        ("seed=one", "seed"),
        ("weather=SNOW", "weather"),
        ("sc=often", "sc"),
        ("basis=guess", "basis"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, field: str) -> None:
    with pytest.raises(BadEdit) as told:
        from_query(text)
    assert told.value.field == field


def test_an_edit_changes_only_what_it_names() -> None:
    base = Plan("SOFT", (Stop(12, "HARD", 2),), start_used_laps=3)
    assert Edit(driver_id="a", grid=3).plan(base) == base
    assert Edit(driver_id="a", start="MEDIUM").plan(base) == Plan("MEDIUM", base.stops, 0)
    assert Edit(driver_id="a", stops=(Stop(20, "HARD"),)).plan(base) == Plan("SOFT", (Stop(20, "HARD"),), 3)
    assert plan_text(base) == "S3-12H2"
