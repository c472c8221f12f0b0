"""Which driver of a race people mean, and what his car is called in a chart."""

from __future__ import annotations

import difflib

import polars as pl

from f1core.event_names import normalise
from warehouse.errors import ParcFermeError


class UnknownDriver(ParcFermeError):
    """No driver of the race, or more than one, answers to a name."""

    exit_code = 2


def find_driver(drivers: pl.DataFrame, asked: str) -> str:
    """The driver a name means.

    Args:
        drivers: Of the race: ``driver_id``, ``driver_name``, ``driver_code``.
        asked: Id, name, last name or code, in any spelling of case and accents.

    Raises:
        UnknownDriver: Nobody or more than one answers; the hint suggests.
    """
    names: dict[str, set[str]] = {}
    for driver_id, name, code in drivers.select("driver_id", "driver_name", "driver_code").iter_rows():
        words = normalise(name or "").split()
        told = {driver_id, normalise(driver_id), " ".join(words), normalise(code or ""), *words}
        for one in told - {""}:
            names.setdefault(one, set()).add(driver_id)
    found = names.get(asked, set()) or names.get(normalise(asked), set())
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise UnknownDriver(
            f"More than one driver answers to {asked[:60]!r}.", hint=f"Write {' or '.join(sorted(found))}."
        )
    near = difflib.get_close_matches(normalise(asked)[:60], sorted(names), n=3, cutoff=0.6)
    meant = sorted({driver for name in near for driver in names[name]})
    everybody = ", ".join(drivers["driver_id"].sort())
    hint = f"Did you mean {' or '.join(meant)}?" if meant else f"Drivers: {everybody}."
    raise UnknownDriver(f"Nobody in this race answers to {asked[:60]!r}.", hint=hint)


def car_labels(drivers: pl.DataFrame) -> dict[str, str]:
    """What every car is called in a chart: the driver's code, his name where he has none of his own."""
    codes = drivers["driver_code"].fill_null("")
    shared = codes.is_duplicated() | (codes == "")
    rows = zip(drivers["driver_id"], drivers["driver_name"], codes, shared, strict=True)
    return {driver: str(name or driver) if is_shared else code for driver, name, code, is_shared in rows}
