"""What is known of a championship after a round: standings, places, who drives what, how strong, what is left.

Everything comes through the history's gate. The calendar is the exception: it is the one that is known now. Archives keep
only the newest calendar of a season, so that a backtest knows which races were added or cancelled later in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from models.championship import PLACES, Round
from models.points_rules import FASTEST_LAP_PLACES, PointsRules, points_rules
from warehouse.errors import NotReady
from warehouse.queries.history import History
from warehouse.vocab import NON_STARTERS, EventStatus

SEASONS_BEFORE = 3
"""Seasons whose retirements make the base rate, beside the running one."""
HAZARD_STARTS = 40.0
"""Starts at the base rate that a constructor's own retirements are added to."""
FASTEST_LAP_PSEUDO = 1.0
NEW_DRIVER, NEW_CAR = (0.25, 0.2), (0.3, 0.3)
"""Pace and variance of who has no rating yet, as the filter takes them."""

FASTEST_LAPS_SINCE = 2014
"""Fastest laps are counted by place from the first season of the hybrid cars on."""


@dataclass(frozen=True)
class Remaining:
    """An event to come.

    Attributes:
        event_id: The event.
        name: Name of the grand prix, e.g. `British Grand Prix`.
        is_sprint: Whether it has a sprint.
        factor: By how much the race's points are multiplied.
    """

    event_id: str
    name: str
    is_sprint: bool
    factor: int

    @property
    def round(self) -> Round:
        """As the simulation takes it."""
        return Round(self.is_sprint, self.factor)


@dataclass(frozen=True)
class Standing:
    """A championship as it stands after a round.

    Attributes:
        event_id: The round's event.
        season: Its season.
        number: How many rounds have been raced.
        known_at: When the round's result was known.
        rules: Points of the season.
        drivers: As :func:`models.championship.simulate_season` takes them, in the official order.
        constructors: The same.
        remaining: Events to come, in order.
        fastest_lap: Share of fastest laps set from each finishing place, 1 to 10.
    """

    event_id: str
    season: int
    number: int
    known_at: dt.datetime
    rules: PointsRules
    drivers: pl.DataFrame
    constructors: pl.DataFrame
    remaining: tuple[Remaining, ...]
    fastest_lap: tuple[float, ...] = field(default=())


def standing_after(past: History, event_id: str, calendar: pl.DataFrame) -> Standing:
    """Reads the championship after an event.

    Args:
        past: What was known right after the event's race; nothing later may be in it.
        event_id: The event.
        calendar: All events as in :func:`warehouse.queries.events.calendar`.

    Raises:
        NotReady: The result or the standings are not known, or the season's points followed other rules.
    """
    event = calendar.filter(pl.col("event_id") == event_id).row(0, named=True)
    season = int(event["season"])
    rules = points_rules(season)
    races = past.table("race_results").filter(pl.col("session") == "race")
    of_season = races.filter(pl.col("season") == season)
    last = of_season.filter(pl.col("event_id") == event_id)
    drivers = _official(past, "driver_standings", event_id, "driver_id")
    constructors = _official(past, "constructor_standings", event_id, "constructor_id")
    if last.is_empty() or drivers.is_empty() or constructors.is_empty():
        raise NotReady(f"The championship after {event_id} is not in the data yet.")
    known_at = last["known_at"].max()
    assert isinstance(known_at, dt.datetime)
    seats = lineup(of_season, event_id)
    missing = [driver for driver in seats if driver not in set(drivers["driver_id"])]
    drivers = pl.concat(
        [drivers, pl.DataFrame({"driver_id": missing, "points": [0.0] * len(missing)}, schema=drivers.schema)]
    )
    hazards = _hazards(races, season)
    ratings = past.table("ratings").filter(pl.col("rating_kind") == "pace")
    drivers = drivers.with_columns(
        _places(of_season, drivers["driver_id"], "driver_id"),
        constructor_id=pl.Series([seats.get(name) for name in drivers["driver_id"]], dtype=pl.String),
        hazard=pl.Series([hazards.get(seats.get(name, ""), hazards[""]) for name in drivers["driver_id"]]),
        **_ratings(ratings, "driver", drivers["driver_id"], NEW_DRIVER),
    )
    known = set(constructors["constructor_id"])
    teams = sorted({car for car in seats.values() if car not in known})
    constructors = pl.concat(
        [
            constructors,
            pl.DataFrame({"constructor_id": teams, "points": [0.0] * len(teams)}, schema=constructors.schema),
        ]
    )
    constructors = constructors.with_columns(
        _places(of_season, constructors["constructor_id"], "constructor_id"),
        **_ratings(ratings, "constructor", constructors["constructor_id"], NEW_CAR),
    )
    return Standing(
        event_id,
        season,
        of_season["event_id"].n_unique(),
        known_at,
        rules,
        drivers,
        constructors,
        remaining_events(calendar, event, rules, set(of_season["event_id"])),
        _fastest_laps(races) if rules.fastest_lap else (),
    )


def remaining_events(
    calendar: pl.DataFrame, event: Mapping[str, object], rules: PointsRules, raced: set[str]
) -> tuple[Remaining, ...]:
    """Events of the season after one, cancelled ones left out. The last of all may count double."""
    rows = calendar.filter(
        (pl.col("season") == event["season"])
        & (pl.col("race_starts_at") > pl.lit(event["race_starts_at"]))
        & (pl.col("status") != EventStatus.CANCELLED.value)
        & ~pl.col("event_id").is_in(raced)
    ).sort("race_starts_at", "event_id")
    return tuple(
        Remaining(
            row["event_id"],
            row["full_name"],
            bool(row["is_sprint"]) and bool(rules.sprint),
            rules.last_race_factor if place == rows.height - 1 else 1,
        )
        for place, row in enumerate(rows.iter_rows(named=True))
    )


def lineup(of_season: pl.DataFrame, event_id: str) -> dict[str, str]:
    """Constructor of every driver for the rest of the season: the field of the last race.

    A driver who missed only that race is expected back in his car; whoever sat in it goes back to where he was, if his own
    seat was filled by a newcomer too, or out.
    """
    order = of_season.sort("known_at", "event_id", "display_order")
    events = order["event_id"].unique(maintain_order=True).to_list()
    at = events.index(event_id)
    seats = _field(order, event_id)
    before = _field(order, events[at - 1]) if at else {}
    for driver, car in sorted(before.items()):
        if driver in seats:
            continue
        stand_in = next(
            (who for who, his in sorted(seats.items()) if his == car and before.get(who) != car), None
        )
        if stand_in is None:
            continue
        del seats[stand_in]
        seats[driver] = car
        own = before.get(stand_in)
        if own is not None:
            second = next(
                (who for who, his in sorted(seats.items()) if his == own and who not in before), None
            )
            if second is not None:
                del seats[second]
                seats[stand_in] = own
    return seats


def _field(order: pl.DataFrame, event_id: str) -> dict[str, str]:
    # Who was there but did not start (a broken car on the way to the grid) keeps his seat.
    out = [status.value for status in NON_STARTERS if status.value != "did_not_start"]
    lines = order.filter((pl.col("event_id") == event_id) & ~pl.col("status").is_in(out))
    return dict(
        lines.unique("driver_id", keep="first", maintain_order=True)
        .select("driver_id", "constructor_id")
        .rows()
    )


def _official(past: History, table: str, event_id: str, name: str) -> pl.DataFrame:
    rows = past.table(table).filter(pl.col("event_id") == event_id).sort("display_order", name)
    return rows.group_by(name, maintain_order=True).agg(pl.col("points").sum())


def _places(of_season: pl.DataFrame, names: pl.Series, name: str) -> pl.Series:
    """How often each finished a race of the season first, second, ...; sprints do not count."""
    classified = of_season.filter(pl.col("position").is_between(1, PLACES))
    counts = {who: [0] * PLACES for who in names}
    for who, position in classified.select(name, "position").iter_rows():
        if who in counts:
            counts[who][position - 1] += 1
    return pl.Series("places", [counts[who] for who in names], dtype=pl.List(pl.Int64))


def _ratings(
    ratings: pl.DataFrame, kind: str, names: pl.Series, unknown: tuple[float, float]
) -> dict[str, pl.Series]:
    newest = (
        ratings.filter((pl.col("entity_kind") == kind) & pl.col("entity_id").is_in(names.implode()))
        .sort("known_at", "event_id")
        .unique("entity_id", keep="last")
    )
    found = {
        who: (value, spread)
        for who, value, spread in newest.select("entity_id", "value", "variance").iter_rows()
    }
    values = [found.get(who, unknown) for who in names]
    return {
        "pace": pl.Series([value for value, _ in values], dtype=pl.Float64),
        "variance": pl.Series(
            [unknown[1] if spread is None else spread for _, spread in values], dtype=pl.Float64
        ),
    }


def _hazards(races: pl.DataFrame, season: int) -> dict[str, float]:
    """Risk of each constructor's cars to retire from a race: its own in the season, shrunk to the rate of all ('')."""
    starts = races.filter(pl.col("is_starter") & (pl.col("season") >= season - SEASONS_BEFORE)).with_columns(
        out=pl.col("status") != "classified"
    )
    base = float(np.clip(starts["out"].mean() or 0.0, 0.01, 0.5))  # type: ignore[arg-type]
    own = (
        starts.filter(pl.col("season") == season)
        .group_by("constructor_id")
        .agg(pl.col("out").sum(), count=pl.len())
    )
    return {"": base} | {
        car: (out + HAZARD_STARTS * base) / (count + HAZARD_STARTS) for car, out, count in own.iter_rows()
    }


def _fastest_laps(races: pl.DataFrame) -> tuple[float, ...]:
    """Share of fastest laps set by who finished first, second, ... tenth, since the hybrid cars of 2014."""
    setters = races.filter(pl.col("is_fastest_lap") & (pl.col("season") >= FASTEST_LAPS_SINCE))
    counts = np.zeros(FASTEST_LAP_PLACES)
    for place in setters["position"].drop_nulls():
        if place <= FASTEST_LAP_PLACES:
            counts[place - 1] += 1
    total = setters.height + FASTEST_LAP_PSEUDO * (FASTEST_LAP_PLACES + 1)
    return tuple(float(share) for share in (counts + FASTEST_LAP_PSEUDO) / total)
