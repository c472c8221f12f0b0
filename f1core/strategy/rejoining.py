"""Where a car of a past race would have come out of the pits, lap by lap, as it could be foretold when the in-lap began."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from f1core.strategy.real_plans import lap_shift
from models.strategy.race_clock import RaceClock, dry_laps, race_clocks
from models.strategy.rejoin import (
    DEFAULT_LOSS_S,
    FIRST_LAP,
    SEASONS,
    RejoinModel,
    green_stops,
    rivals_on_track,
)
from warehouse.queries.events import event_head, session_starts
from warehouse.queries.rejoin import circuit_race_laps
from warehouse.queries.strategy_setup import race_summary
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.vocab import Stage

SHOWN_FROM = 0.01
"""Positions less likely than this are left out."""
SCHEMA = pl.Schema(
    {
        "lap": pl.Int64(),
        "position": pl.Int64(),
        "probability": pl.Float64(),
        "is_predicted": pl.Boolean(),
        "low_position": pl.Int64(),
        "high_position": pl.Int64(),
        "count_cars": pl.Int64(),
        "is_stop": pl.Boolean(),
        "real_position": pl.Int64(),
    }
)


@dataclass(frozen=True)
class RejoinRace:
    """One past race, ready to be asked where a car would come out.

    Attributes:
        clock: Its laps; None where it was wet or has none: the model was measured on dry races only.
        model: With the pit loss of earlier races on this circuit.
        loss_s: What a stop is expected to lose [s].
        seasons: Seasons of the races that this was measured on; empty where none is known and a usual loss is assumed.
        shift: Official number of a lap less that of the feed.
    """

    clock: RaceClock | None
    model: RejoinModel
    loss_s: float
    seasons: tuple[int, ...]
    shift: int = 0


def rejoin_race(reader: Reader, event_id: str, as_of: dt.datetime | None = None) -> RejoinRace:
    """Reads a race and the pit loss that was known before it.

    Args:
        reader: The warehouse.
        event_id: The race.
        as_of: Laps known at or after it are not used; those of other races must be known 30 minutes before the start.

    Raises:
        UnknownEvent: No such event.
        NotReady: The calendar has no session times for it.
    """
    head, starts = event_head(reader, event_id), session_starts(reader, event_id)
    season = int(head["season"])
    laps = circuit_race_laps(reader, str(head["circuit_id"]), season - SEASONS, season)
    if as_of is not None:
        laps = laps.filter(pl.col("known_at") < as_of)
    summary = race_summary(reader, event_id) or {}
    before = cutoff(event_id, starts, Stage.PRE_RACE)
    return rejoin_race_of(laps, event_id, before, int(summary.get("laps_completed") or 0))


def rejoin_race_of(
    laps: pl.DataFrame, event_id: str, before: dt.datetime, official_laps: int = 0
) -> RejoinRace:
    """The same from laps.

    The benchmark draws a circuit's loss a little towards the median of all circuits, for which it reads every race. Here
    only races of this circuit are read, of the last :data:`models.strategy.rejoin.SEASONS` seasons, which is quick
    enough for a page; ``benchmarks/strategy_stops.py`` measures both.

    Args:
        laps: Of races on one circuit, as :func:`warehouse.queries.rejoin.circuit_race_laps`, in any order.
        event_id: The race.
        before: Of other races only what was known before it counts, and of those only earlier seasons.
        official_laps: Laps of the winner by the official result.
    """
    own = laps.filter(pl.col("event_id") == event_id)
    clock = next(race_clocks(dry_laps(own)), None)
    if clock is None:
        return RejoinRace(None, RejoinModel(), DEFAULT_LOSS_S, ())
    is_earlier = (pl.col("known_at") < before) & (pl.col("season") < clock.season)
    earlier = laps.filter(is_earlier & (pl.col("season") >= clock.season - SEASONS))
    model = RejoinModel().fit(race_clocks(dry_laps(earlier)))
    return RejoinRace(
        clock=clock,
        model=model,
        loss_s=model.loss_s(clock.circuit_id, clock.season),
        seasons=tuple(sorted(model.losses.get(clock.circuit_id, {}))),
        shift=lap_shift(own, official_laps),
    )


def rejoins(race: RejoinRace, driver_id: str) -> pl.DataFrame:
    """Where a driver would have come out after a stop on every lap on which he could have made one under green.

    As in ``benchmarks/strategy_stops.py`` positions are among the cars that run through: rivals who stop within a lap of it
    themselves are not counted.

    Args:
        race: The race.
        driver_id: The driver.

    Returns:
        A row per lap and position that is likely enough, or likeliest: ``lap`` (the in-lap), ``position`` after the out-lap,
        ``probability``, ``is_predicted`` (the likeliest position), ``low_position`` and ``high_position`` (80 %),
        ``count_cars`` (his own among them), ``is_stop`` (he stopped then), ``real_position`` (where he really came out;
        null where he did not stop).
    """
    clock = race.clock
    if clock is None or driver_id not in clock.drivers:
        return SCHEMA.to_frame()
    car = clock.drivers.index(driver_id)
    real = {lap for one, lap in green_stops(clock) if one == car}
    parts = [_on_lap(race, clock, car, lap, lap in real) for lap in possible_stops(clock, car)]
    return pl.DataFrame([row for part in parts for row in part], schema=SCHEMA, orient="row")


def possible_stops(clock: RaceClock, car: int) -> list[int]:
    """In-laps on which a car could stop under green: the track was clear from the lap before to the out-lap, and he ran.

    Args:
        clock: The race.
        car: Index of the car.
    """
    return [
        lap
        for lap in range(FIRST_LAP, clock.laps - 1)
        if clock.is_green[lap - 1 : lap + 2].all()
        and not np.isnan(clock.end_s[lap - 1 : lap + 2, car]).any()
        # He was in the pits at the line from which it is foretold.
        and not clock.is_in[lap - 1, car]
    ]


def _on_lap(
    race: RejoinRace, clock: RaceClock, car: int, lap: int, is_stop: bool
) -> list[tuple[object, ...]]:
    rivals = rivals_on_track(clock, car, lap)
    told = race.model.predict(clock, car, lap, rivals)
    if told is None:
        return []
    after = clock.end_s[lap + 1]
    real = 1 + int((after[rivals] < after[car]).sum()) if is_stop else None
    low, high = (1 + int(np.searchsorted(told.shares.cumsum(), share)) for share in (0.1, 0.9))
    return [
        (
            lap + race.shift,
            place,
            float(share),
            place == told.position,
            low,
            high,
            len(told.shares),
            is_stop,
            real,
        )
        for place, share in enumerate(told.shares, start=1)
        if share >= SHOWN_FROM or place == told.position
    ]
