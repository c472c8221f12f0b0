"""The usual green lap of a race: its own, or that of earlier races on the circuit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import polars as pl

from warehouse.queries.strategy_setup import qualifying_best, usual_laps
from warehouse.reader import Reader

FROM_QUALIFYING = 1.055
"""A race's usual lap against the best of its qualifying: median of 2018-2023."""
DEFAULT_S = 90.0


@dataclass(frozen=True)
class UsualLap:
    """The lap to which seconds are scaled.

    Attributes:
        seconds: Median green lap on slicks [s].
        notes: Where it comes from, when not from the race itself.
    """

    seconds: float
    notes: tuple[str, ...]


_kept: WeakKeyDictionary[Reader, tuple[str, pl.DataFrame]] = WeakKeyDictionary()


def usual_lap(reader: Reader, event_id: str, circuit_id: str, *, before: dt.datetime | None) -> UsualLap:
    """The usual lap of a race.

    Args:
        reader: The warehouse.
        event_id: The race.
        circuit_id: Its circuit.
        before: Only races known before; None allows the race itself.
    """
    snapshot = reader.snapshot.id
    kept = _kept.get(reader)
    if kept is None or kept[0] != snapshot:
        kept = _kept[reader] = (snapshot, usual_laps(reader))
    rows = kept[1]
    if before is None:
        own = rows.filter(pl.col("event_id") == event_id)
        if own.height:
            return UsualLap(float(own["lap_time_s"][0]), ())
    else:
        rows = rows.filter(pl.col("known_at") < before)
    here = rows.filter((pl.col("circuit_id") == circuit_id) & (pl.col("event_id") != event_id)).sort(
        "known_at"
    )
    if before is None and here.height:
        # The nearest season: cars differ more than years on the same track.
        here = here.with_columns(apart=(pl.col("season") - int(event_id[:4])).abs()).sort(
            "apart", "season", descending=[True, False]
        )
    if here.height:
        which = f"{here['season'][-1]}"
        return UsualLap(
            float(here["lap_time_s"][-1]), (f"The usual lap is that of {which} on this circuit.",)
        )
    best = qualifying_best(reader, event_id, before)
    if best is not None:
        return UsualLap(best * FROM_QUALIFYING, ("The usual lap was estimated from qualifying.",))
    return UsualLap(DEFAULT_S, (f"The usual lap is not known here: {DEFAULT_S:.0f} s was assumed.",))
