"""The commands that play a race: ``simulate`` and ``optimise``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from f1core.strategy.basis import Basis
from jobs.options import AsJson, AsOf, Race, Year, answer, workspace

if TYPE_CHECKING:
    from f1core.simulator.plan import Stop
    from f1core.strategy.edits import Edit, WhatIf
    from f1core.strategy.optimiser import Ranking
    from f1core.strategy.setup import RaceSetup
    from f1core.strategy.whatif import WhatIfAnswer

SHOWN = 10
OPTIONS = {"sc": "--safety-cars"}
"""Options that are not called as in an address."""
STOP = re.compile(r"(\d{1,3}):?([A-Za-z]+)")

Driver = Annotated[str, typer.Option("--driver", help="Id, name, last name or code, e.g. norris.")]
SafetyCarsOption = Annotated[
    str | None,
    typer.Option("--safety-cars", help="real (as they were), random or none."),
]
Weather = Annotated[str | None, typer.Option("--weather", help="real (as it was), DRY, WET or MIXED.")]
BasisOption = Annotated[
    Basis | None,
    typer.Option("--basis", help="Pace known before the race, or fitted on the race itself (hindsight)."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the common random numbers.")]
Runs = Annotated[int | None, typer.Option("--runs", help="Simulations, N.")]
ScenarioText = Annotated[
    str,
    typer.Option("--scenario", help="A whole scenario as the page's address has it; options go before it."),
]


def simulate(
    race: Race,
    driver: Driver,
    year: Year = None,
    stop: Annotated[
        list[str] | None,
        typer.Option("--stop", help="A stop, e.g. 20:HARD; once for each, all stops of the race."),
    ] = None,
    no_stop: Annotated[bool, typer.Option("--no-stop", help="The driver does not stop at all.")] = False,
    start: Annotated[str | None, typer.Option("--start", help="Tyre at the start, e.g. MEDIUM.")] = None,
    pace: Annotated[
        float | None, typer.Option("--pace", help="Added to every lap [s]; below zero is faster.")
    ] = None,
    grid: Annotated[int | None, typer.Option("--grid", help="Grid slot; the others move.")] = None,
    finishes: Annotated[
        bool, typer.Option("--finishes", help="The driver does not retire as in the real race.")
    ] = False,
    weather: Weather = None,
    safety_cars: SafetyCarsOption = None,
    basis: BasisOption = None,
    seed: Seed = None,
    runs: Runs = None,
    scenario: ScenarioText = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a race with changes and hold it against the race without them.

    What is not given stays as it was; in a race to come, as it is expected.

    Examples: python -m jobs simulate --race Austria --year 2026 --driver norris --stop 20:HARD --stop 45:HARD ;
    python -m jobs simulate --race monza --year 2024 --driver VER --start HARD --stop 30:MEDIUM --safety-cars none --json
    """
    from f1core.strategy.edits import BadEdit
    from f1core.strategy.views import answer_data
    from f1core.strategy.whatif import run

    if stop and no_stop:
        raise BadEdit("stops", "Stops are given together with --no-stop.")
    stops = () if no_stop else tuple(map(_stop, stop)) if stop else None
    setup, driver_id, what_if = _asked(
        race, year, driver, scenario, as_of, basis, weather=weather, sc=safety_cars, seed=seed, runs=runs
    )
    edited = _edited(what_if, driver_id, start=start, stops=stops, pace=pace, grid=grid, finishes=finishes)
    found = run(setup, edited, driver_id)
    answer(answer_data(setup, found), as_json, _text(setup, found))


def optimise(
    race: Race,
    driver: Driver,
    year: Year = None,
    weather: Weather = None,
    safety_cars: SafetyCarsOption = None,
    basis: BasisOption = None,
    seed: Seed = None,
    runs: Runs = None,
    scenario: ScenarioText = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Rank the five best different strategies of a driver in the full field, beside the one that was run.

    Examples: python -m jobs optimise --race Austria --year 2026 --driver norris ;
    python -m jobs optimise --race next --driver VER --safety-cars random --json
    """
    from f1core.strategy.optimiser import optimise as search
    from f1core.strategy.ranking_views import ranking_data

    setup, driver_id, what_if = _asked(
        race, year, driver, scenario, as_of, basis, weather=weather, sc=safety_cars, seed=seed, runs=runs
    )
    found = search(setup, driver_id, what_if, runs=what_if.runs, seed=what_if.seed)
    answer(ranking_data(found), as_json, _ranking_text(setup, found))


def _asked(
    race: str,
    year: int | None,
    driver: str,
    scenario: str,
    as_of: str | None,
    basis: Basis | None,
    **given: Any,
) -> tuple[RaceSetup, str, WhatIf]:
    """The race set up, the driver, and the scenario."""
    from urllib.parse import parse_qsl

    from f1core.resolver import resolve
    from f1core.strategy.edits import BadEdit, from_params
    from f1core.strategy.people import find_driver
    from f1core.strategy.setup import race_setup

    params = dict(parse_qsl(scenario.removeprefix("?")))
    params |= {name: str(value) for name, value in given.items() if value is not None}
    params |= {"basis": basis.value} if basis else {}
    try:
        what_if = from_params(params)
    except BadEdit as error:
        if given.get(error.field) is None:
            raise
        option = OPTIONS.get(error.field, f"--{error.field}")
        words = error.message.removeprefix(f"{error.field}: ")
        raise BadEdit(error.field, f"{option}: {words}", hint=error.hint) from None
    work = workspace(as_of)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    setup = race_setup(work.reader, event, what_if.basis, work.clock.instant)
    return setup, find_driver(setup.drivers, driver), what_if


def _edited(
    what_if: WhatIf,
    driver: str,
    *,
    start: str | None,
    stops: tuple[Stop, ...] | None,
    pace: float | None,
    grid: int | None,
    finishes: bool,
) -> WhatIf:
    from f1core.strategy.edits import Edit

    own: Edit = next((one for one in what_if.edits if one.driver_id == driver), Edit(driver_id=driver))
    given: dict[str, Any] = {
        "start": _compound(start) if start else None,
        "stops": stops,
        "pace_change_s": pace,
        "grid": grid,
        "finishes": finishes or None,
    }
    own = replace(own, **{name: value for name, value in given.items() if value is not None})
    others = tuple(one for one in what_if.edits if one.driver_id != driver)
    return replace(what_if, edits=(*others, own))


def _stop(text: str) -> Stop:
    from f1core.simulator.plan import Stop
    from f1core.strategy.edits import BadEdit

    found = STOP.fullmatch(text.strip())
    if not found:
        raise BadEdit("stops", f"--stop: {text!r} is not a stop.", hint="Write lap and tyre, e.g. 20:HARD.")
    return Stop(int(found[1]), _compound(found[2]))


def _compound(text: str) -> str:
    """A compound by its name or first letter; what is unknown is refused later, with what is known."""
    from f1core.simulator.rules import COMPOUNDS

    word = text.upper()
    return next((name for name in COMPOUNDS if word in (name, name[0])), word)


def _text(setup: RaceSetup, found: WhatIfAnswer) -> str:
    from f1core.strategy.views import plan_words, verdict
    from jobs.tables import render

    names = dict(setup.drivers.select("driver_id", "driver_name").iter_rows())
    name = names[found.driver_id]
    before, after, change = found.original, found.simulated, found.change
    official = f", officially {found.actual_position}" if found.actual_position else ""
    lines = [
        f"{setup.season} {setup.grand_prix}, {name}: held against {found.compared_with}.",
        f"Original  P{before.position} (mean {before.mean_position:.2f}, 80 % {before.low_position}–"
        f"{before.high_position}{official})",
        f"Simulated P{after.position} (mean {after.mean_position:.2f}, 80 % {after.low_position}–"
        f"{after.high_position})",
        verdict(found, name),
    ]
    if change.time_gained_s == change.time_gained_s:
        lines.append(f"Time gained {change.time_gained_s:+.1f} ± {change.time_error_s:.1f} s.")
    lines.append(f"{found.what_if.runs:,} simulations, seed {found.what_if.seed}, pace: {setup.basis.value}.")
    plans = _plans(found)
    parts = ["\n".join(lines), "\n".join(f"{names[car]}: {plan_words(plan)}" for car, plan in plans.items())]
    if found.rejoins.height:
        parts.append(render(_rejoins(found, names)))
    parts.append(render(_finishes(found, names)))
    parts.append("\n".join(f"Note: {note}" for note in found.notes))
    return "\n\n".join(part for part in parts if part)


def _ranking_text(setup: RaceSetup, found: Ranking) -> str:
    from rich.table import Table

    from f1core.strategy.ranking_views import ranking_table
    from jobs.tables import render

    names = dict(setup.drivers.select("driver_id", "driver_name").iter_rows())
    title = f"{setup.season} {setup.grand_prix}, {names[found.driver_id]}: the best strategies"
    table = Table(title=title, title_justify="left")
    for heading in ("", "strategy", "finish", "80 %", "places to the best", "windows", "free air s"):
        table.add_column(heading, justify="left" if heading in ("strategy", "windows") else "right")
    for row in ranking_table(found).to_dicts():
        table.add_row(
            str(row["rank"] or "own"),
            row["words"],
            f"{row['position']:.2f} ± {row['error']:.2f}",
            f"{row['low']}–{row['high']}",
            row["behind"],
            row["windows"],
            "–" if row["free_air_s"] is None else f"{row['free_air_s']:+.1f}",
        )
    tried = f"{found.candidates} plans tried in the full field, {found.runs} simulations each, seed {found.what_if.seed}."
    return "\n\n".join([render(table), "\n".join([tried, *(f"Note: {note}" for note in found.notes)])])


def _plans(found: WhatIfAnswer) -> dict[str, Any]:
    """The plans of the changed cars, as they ran in the race without luck."""
    from f1core.simulator.plan import Plan, Stop
    from f1core.strategy.frames import stint_frame
    from f1core.strategy.views import changed_cars

    stints = stint_frame(found.edited.race, found.edited.once)
    plans = {}
    for car in changed_cars(found):
        driven = stints.filter(stints["driver_id"] == car).to_dicts()
        if not driven:
            # Out on lap 1: there is nothing to tell.
            continue
        first, *later = driven
        stops = tuple(Stop(row["first_lap"] - 1, row["compound"], row["used_laps"]) for row in later)
        plans[car] = Plan(first["compound"], stops, first["used_laps"])
    return plans


def _rejoins(found: WhatIfAnswer, names: dict[str, str]) -> Any:
    from rich.table import Table

    table = Table(title=f"Back on the track: {names[found.driver_id]}", title_justify="left")
    for heading in ("lap", "position", "ahead", "gap s", "behind", "gap s"):
        table.add_column(heading, justify="left" if heading in ("ahead", "behind") else "right")
    mine = found.rejoins.filter(found.rejoins["driver_id"] == found.driver_id)
    for row in mine.to_dicts():
        gaps = [
            f"{row[name]:.1f}" if row[name] is not None else "–" for name in ("gap_ahead_s", "gap_behind_s")
        ]
        near = [names[row[name]] if row[name] else "–" for name in ("ahead", "behind")]
        table.add_row(str(row["lap"]), str(row["position"]), near[0], gaps[0], near[1], gaps[1])
    return table


def _finishes(found: WhatIfAnswer, names: dict[str, str]) -> Any:
    from rich.table import Table

    table = Table(title="Expected finish", title_justify="left")
    for heading in ("", "mean", "before", "80 %", "places gained"):
        table.add_column(heading, justify="left" if not heading else "right")
    for row in found.finishes.head(SHOWN).to_dicts():
        gained = "tie" if row["is_tie"] else f"{row['places_gained']:+.2f} ± {row['places_error']:.2f}"
        table.add_row(
            names[row["driver_id"]],
            f"{row['mean_position']:.2f}",
            f"{row['baseline_mean_position']:.2f}",
            f"{row['low_position']}–{row['high_position']}",
            gained,
        )
    return table
