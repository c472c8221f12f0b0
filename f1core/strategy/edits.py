"""What a user may change in a race, as data, and the same as text for an address.

The text is a query string; what is left at its default is left out:

    cars=lando-norris:M-20H-41S,max-verstappen:g3/p-0.2&sc=random&weather=MIXED&seed=7&runs=1000&basis=hindsight

A car is its id and its changes, separated by ``/``:

- ``M-20H-41S``: starts on medium, stops at the end of lap 20 for hard and of lap 41 for soft. ``M3-20H2`` fits sets that
  already ran 3 and 2 laps. ``S`` changes the start tyre only, ``-20H`` the stops only, ``-0`` takes every stop away.
- ``p-0.2``: 0.2 s a lap faster. ``g3``: third on the grid. ``f``: does not retire as it really did.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from f1core.simulator.plan import Plan, Stop
from f1core.simulator.rules import COMPOUNDS
from f1core.strategy.basis import Basis
from warehouse.errors import ParcFermeError

MAX_RUNS = 10_000
MAX_SEED = 2**31 - 1
MAX_STOPS = 8
MAX_PACE_CHANGE_S = 5.0
MAX_USED_LAPS = 60
DEFAULT_RUNS = 300
DEFAULT_SEED = 1

KEYS = ("cars", "sc", "weather", "seed", "runs", "basis")
"""Keys of the query string, in order."""

_LETTERS = {name[0]: name for name in COMPOUNDS}
_SET = re.compile(r"([SMHIW])(\d{0,2})")
_KNOWN_COMPOUNDS = f"Known: {', '.join(COMPOUNDS)}."
_STOP = re.compile(r"(\d{1,3})([SMHIW])(\d{0,2})")


Choice = TypeVar("Choice", bound=StrEnum)


class BadEdit(ParcFermeError):
    """A change that cannot be made.

    Attributes:
        field: What is wrong, e.g. ``seed`` or ``cars.lando-norris.grid``.
    """

    exit_code = 2

    def __init__(self, field: str, message: str, *, hint: str = "") -> None:
        self.field = field
        super().__init__(message, hint=hint)


class SafetyCars(StrEnum):
    """Which neutralisations the race meets."""

    REAL = "real"
    """As the setup has them: those that happened; drawn for a race to come."""
    RANDOM = "random"
    """Drawn for every simulation."""
    NONE = "none"
    """A green race."""


class WeatherScenario(StrEnum):
    """Which weather the race meets."""

    REAL = "real"
    """As it was; dry for a race to come."""
    DRY = "DRY"
    """No rain."""
    WET = "WET"
    """Wet from the first lap to the last, for intermediates."""
    MIXED = "MIXED"
    """Dry, with one shower in the middle, drawn by the seed."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What is changed on one car; None leaves it as it is.

    Attributes:
        driver_id: The car.
        start: Compound at the start.
        start_used_laps: Age of that set [laps]; None keeps the age of the same compound, and is new otherwise.
        stops: All stops of the race, in order.
        pace_change_s: Added to the pace [s/lap]; less is faster.
        grid: Grid slot; the cars between the old and the new slot move up or down.
        finishes: Whether a car that retired in reality runs to the end.
    """

    driver_id: str
    start: str | None = None
    start_used_laps: int | None = None
    stops: tuple[Stop, ...] | None = None
    pace_change_s: float = 0.0
    grid: int | None = None
    finishes: bool = False

    def __post_init__(self) -> None:
        at = f"cars.{self.driver_id}"
        if not self.driver_id or set(self.driver_id) & set(":,/"):
            raise BadEdit("cars", f"{self.driver_id!r} is not the id of a driver.")
        if self.start is not None and self.start not in COMPOUNDS:
            raise BadEdit(f"{at}.start", _unknown_compound(self.start), hint=_KNOWN_COMPOUNDS)
        if self.start_used_laps is not None:
            if self.start is None:
                raise BadEdit(f"{at}.start", "The age of the first set is given without its compound.")
            _between(f"{at}.start", "The age of a set", self.start_used_laps, 0, MAX_USED_LAPS, "laps")
        if self.stops is not None:
            if len(self.stops) > MAX_STOPS:
                raise BadEdit(f"{at}.stops", f"{len(self.stops)} stops are too many; at most {MAX_STOPS}.")
            for stop in self.stops:
                _between(f"{at}.stops", "The lap of a stop", stop.lap, 1, 200, "")
                _between(f"{at}.stops", "The age of a set", stop.used_laps, 0, MAX_USED_LAPS, "laps")
                if stop.compound not in COMPOUNDS:
                    raise BadEdit(f"{at}.stops", _unknown_compound(stop.compound), hint=_KNOWN_COMPOUNDS)
        if not math.isfinite(self.pace_change_s) or abs(self.pace_change_s) > MAX_PACE_CHANGE_S:
            raise BadEdit(f"{at}.pace", f"The pace may change by at most {MAX_PACE_CHANGE_S:g} s a lap.")
        if self.grid is not None:
            _between(f"{at}.grid", "The grid slot", self.grid, 1, 30, "")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return self == Edit(driver_id=self.driver_id)

    def plan(self, base: Plan) -> Plan:
        """The plan of the car with this change.

        Args:
            base: Its plan without.
        """
        start = base.start if self.start is None else self.start
        used = self.start_used_laps
        if used is None:
            used = base.start_used_laps if start == base.start else 0
        return Plan(start, base.stops if self.stops is None else self.stops, used)


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """A whole scenario; the default is the race as it was.

    Attributes:
        edits: Changed cars, one entry each; kept in the order of their ids, entries that change nothing left out.
        safety_cars: Neutralisations.
        weather: Weather.
        seed: Seed of the common random numbers.
        runs: Number of simulations, N.
        basis: What the pace of the cars comes from.
    """

    edits: tuple[Edit, ...] = ()
    safety_cars: SafetyCars = SafetyCars.REAL
    weather: WeatherScenario = WeatherScenario.REAL
    seed: int = DEFAULT_SEED
    runs: int = DEFAULT_RUNS
    basis: Basis = Basis.PRE_RACE

    def __post_init__(self) -> None:
        ids = [edit.driver_id for edit in self.edits]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise BadEdit(
                "cars", f"{', '.join(twice)} is changed twice.", hint="Give one entry for each car."
            )
        changed = sorted((e for e in self.edits if not e.is_empty), key=lambda e: e.driver_id)
        object.__setattr__(self, "edits", tuple(changed))
        _between("seed", "The seed", self.seed, 0, MAX_SEED, "")
        _between("runs", "The number of simulations", self.runs, 1, MAX_RUNS, "")

    @property
    def changes_conditions(self) -> bool:
        """Whether neutralisations or weather are not those of the race as it was."""
        return self.safety_cars != SafetyCars.REAL or self.weather != WeatherScenario.REAL

    def without_edits(self) -> WhatIf:
        """The same conditions and luck with every car as it was."""
        return replace(self, edits=())


def to_params(what_if: WhatIf) -> dict[str, str]:
    """The scenario as keys and values for an address; defaults are left out."""
    default = WhatIf()
    params = {"cars": ",".join(map(_edit_text, what_if.edits))} if what_if.edits else {}
    values = {
        "sc": (what_if.safety_cars, default.safety_cars),
        "weather": (what_if.weather, default.weather),
        "seed": (what_if.seed, default.seed),
        "runs": (what_if.runs, default.runs),
        "basis": (what_if.basis, default.basis),
    }
    return {**params, **{key: str(value) for key, (value, usual) in values.items() if value != usual}}


def to_query(what_if: WhatIf) -> str:
    """The scenario as a query string; empty for the race as it was."""
    return urlencode(to_params(what_if), safe=":,/")


def from_params(params: Mapping[str, str]) -> WhatIf:
    """The scenario in the keys and values of an address; other keys are left alone.

    Raises:
        BadEdit: A value cannot be read; names the key.
    """
    edits = tuple(_edit(text) for text in params.get("cars", "").split(",") if text)
    return WhatIf(
        edits=edits,
        safety_cars=_choice("sc", params.get("sc"), SafetyCars.REAL),
        weather=_choice("weather", params.get("weather"), WeatherScenario.REAL),
        seed=_whole("seed", params.get("seed"), DEFAULT_SEED),
        runs=_whole("runs", params.get("runs"), DEFAULT_RUNS),
        basis=_choice("basis", params.get("basis"), Basis.PRE_RACE),
    )


def from_query(text: str) -> WhatIf:
    """The scenario in a query string.

    Raises:
        BadEdit: A value cannot be read; names the key.
    """
    return from_params(dict(parse_qsl(text.removeprefix("?"))))


def plan_text(plan: Plan) -> str:
    """A plan as it is written in an address, e.g. ``M-20H-41S``."""
    return f"{_set_text(plan.start, plan.start_used_laps or None)}{_stops_text(plan.stops)}"


def _edit_text(edit: Edit) -> str:
    tyres = "" if edit.start is None else _set_text(edit.start, edit.start_used_laps)
    if edit.stops is not None:
        tyres += _stops_text(edit.stops)
    parts = [tyres] if tyres else []
    if edit.pace_change_s:
        parts.append(f"p{edit.pace_change_s!r}")
    if edit.grid is not None:
        parts.append(f"g{edit.grid}")
    if edit.finishes:
        parts.append("f")
    return f"{edit.driver_id}:{'/'.join(parts)}"


def _set_text(compound: str, used_laps: int | None) -> str:
    return compound[0] + ("" if used_laps is None else f"{used_laps}")


def _stops_text(stops: tuple[Stop, ...]) -> str:
    if not stops:
        return "-0"
    return "".join(f"-{stop.lap}{stop.compound[0]}{stop.used_laps or ''}" for stop in stops)


def _edit(text: str) -> Edit:
    driver, colon, changes = text.partition(":")
    if not colon or not driver:
        raise BadEdit(
            "cars", f"{text!r} is not a changed car.", hint="Write driver:changes, e.g. norris:M-20H."
        )
    edit = Edit(driver_id=driver)
    for change in changes.split("/"):
        edit = _changed(edit, change)
    return edit


def _changed(edit: Edit, text: str) -> Edit:
    kind, rest, at = text[:1], text[1:], f"cars.{edit.driver_id}"
    if kind == "g":
        return replace(edit, grid=_whole(f"{at}.grid", rest, None))
    if kind == "f" and not rest:
        return replace(edit, finishes=True)
    if kind == "p":
        try:
            return replace(edit, pace_change_s=float(rest))
        except ValueError:
            raise BadEdit(f"{at}.pace", f"{rest!r} is not a change of pace in s a lap.") from None
    start, *stops = text.split("-")
    found = _SET.fullmatch(start)
    if (start and not found) or not text:
        raise BadEdit(
            at, f"{text!r} is neither tyres nor another change.", hint="E.g. M-20H-41S, p-0.2, g3 or f."
        )
    if found:
        used = int(found[2]) if found[2] else None
        edit = replace(edit, start=_LETTERS[found[1]], start_used_laps=used)
    if stops:
        edit = replace(edit, stops=() if stops == ["0"] else tuple(_stop(at, part) for part in stops))
    return edit


def _stop(at: str, text: str) -> Stop:
    found = _STOP.fullmatch(text)
    if not found:
        raise BadEdit(f"{at}.stops", f"{text!r} is not a stop.", hint="Write lap and compound, e.g. 20H.")
    return Stop(int(found[1]), _LETTERS[found[2]], int(found[3] or 0))


def _choice(key: str, text: str | None, usual: Choice) -> Choice:
    if text is None:
        return usual
    kind = type(usual)
    for member in kind:
        if text.lower() == member.value.lower():
            return member
    raise BadEdit(key, f"{key}: {text!r} is not known.", hint=f"Known: {', '.join(kind)}.")


def _whole(key: str, text: str | None, usual: int | None) -> int:
    if text is None and usual is not None:
        return usual
    if text is None or not re.fullmatch(r"\d{1,10}", text):
        raise BadEdit(key, f"{key}: {text!r} is not a whole number.")
    return int(text)


def _between(field: str, what: str, value: int, low: int, high: int, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadEdit(
            field, f"{what} must be a whole number from {low} to {high}{unit and ' '}{unit}, not {value!r}."
        )


def _unknown_compound(name: str) -> str:
    return f"{name!r} is not a compound."
