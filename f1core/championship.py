"""Title odds after every round of a season: computed as they could have been known then, and published."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from f1core.championship_inputs import FASTEST_LAPS_SINCE, SEASONS_BEFORE, Standing, standing_after
from f1core.log import get_logger
from f1core.settings import REPOSITORY
from f1core.workspace import Workspace
from models.championship import (
    PLACES,
    SEASONS,
    ChampionshipSettings,
    SeasonOutcome,
    Title,
    simulate_season,
)
from models.points_rules import FIRST_SEASON
from models.title_arithmetic import Arithmetic, Contender, title_arithmetic
from warehouse.errors import NotReady, ParcFermeError
from warehouse.frames import frame_schema
from warehouse.lock import writer_lock
from warehouse.queries.championship import season_odds, stored_rounds
from warehouse.queries.events import calendar, newest_result
from warehouse.queries.history import Facts, load_facts
from warehouse.store import Store
from warehouse.tables import TABLES

CODE = tuple(
    REPOSITORY / name
    for name in (
        "f1core/championship.py",
        "f1core/championship_inputs.py",
        "models/championship.py",
        "models/points_rules.py",
        "models/title_arithmetic.py",
    )
)
"""Sources that odds depend on: whatever changes in them, odds are computed anew."""
SEED = 20_100_314
LOCK_WAIT_S = 60.0
CARS = {"drivers": 1, "constructors": 2}
"""Cars that score for an entrant, by championship."""
_NAMES = {"drivers": "driver_id", "constructors": "constructor_id"}
_MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class ChampionshipReport:
    """What a refresh did.

    Attributes:
        season: The season; None when nothing has been raced.
        computed: Rounds computed anew, by event.
        kept: Rounds that were current.
    """

    season: int | None
    computed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def season_rounds(
    facts: Facts, events: pl.DataFrame, season: int, now: dt.datetime
) -> list[tuple[str, dt.datetime]]:
    """Events of a season whose race result was known by an instant, in order, each with when it became known."""
    raced = facts.tables["race_results"].filter(
        (pl.col("season") == season) & (pl.col("session") == "race") & (pl.col("known_at") <= now)
    )
    known = dict(raced.group_by("event_id").agg(pl.col("known_at").max()).iter_rows())
    order = events.filter(pl.col("event_id").is_in(list(known)))["event_id"]
    return [(event_id, known[event_id]) for event_id in order]


def standings_of(facts: Facts, events: pl.DataFrame, season: int, now: dt.datetime) -> Iterator[Standing]:
    """The championship after each round of a season that was known by an instant; rounds without a table are left out.

    Every standing sees only what was known the moment its own race's result was; the calendar is the present one.
    """
    for event_id, known_at in season_rounds(facts, events, season, now):
        try:
            yield standing_after(facts.history(known_at + _MOMENT), event_id, events)
        except NotReady as error:
            get_logger(__name__).info("championship_round_skipped", event_id=event_id, reason=error.message)


def simulate(
    standing: Standing, *, samples: int = SEASONS, settings: ChampionshipSettings | None = None
) -> SeasonOutcome:
    """Races the rest of a season from a standing."""
    return simulate_season(
        standing.drivers,
        standing.constructors,
        [event.round for event in standing.remaining],
        standing.rules,
        fastest_lap=standing.fastest_lap,
        settings=settings,
        samples=samples,
        seed=SEED,
    )


def arithmetic_of(standing: Standing, championship: str) -> Arithmetic:
    """What the rules alone say of a championship at a standing."""
    name, rows = _NAMES[championship], getattr(standing, championship)
    contenders = [
        Contender(row[name], row["points"], tuple(row["places"])) for row in rows.iter_rows(named=True)
    ]
    rounds = [event.round for event in standing.remaining]
    return title_arithmetic(contenders, rounds, standing.rules, cars=CARS[championship])


def refresh_championship(
    workspace: Workspace,
    season: int | None = None,
    progress: Callable[[str, int], None] = lambda words, done: None,
) -> ChampionshipReport:
    """Computes the title odds of a season after every round that has none or stale ones, and publishes them.

    Repeating it is cheap: rounds whose standings, ratings, calendar and method are the same are left as they are.

    Args:
        workspace: With the system's clock, or a rehearsal.
        season: The season; without it that of the newest result.
        progress: Told the round and that one more is done.

    Raises:
        NotReady: The clock is simulated, or the season's points followed other rules.
        LockHeld: Another process is writing.
    """
    if not workspace.is_live:
        raise NotReady("Only the machine's real clock can publish title odds.", hint="Leave --as-of out.")
    now, reader = workspace.clock.now(), workspace.reader
    if season is None:
        newest = newest_result(reader, now)
        if newest is None:
            return ChampionshipReport(None)
        season = int(str(newest["season"]))
    if season < FIRST_SEASON:
        raise NotReady(
            f"Points of the season {season} followed other rules.",
            hint=f"The championship is computed from {FIRST_SEASON} on.",
        )
    first = min(season - SEASONS_BEFORE, FASTEST_LAPS_SINCE)
    facts, events = load_facts(reader, from_season=first), calendar(reader)
    before = {event: (made, live) for event, made, live in stored_rounds(reader, season).iter_rows()}
    old = season_odds(reader, season)
    parts: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([], [])
    computed, kept = [], []
    standings = list(standings_of(facts, events, season, now))
    for standing in standings:
        made_from = fingerprint(standing)
        stored = before.get(standing.event_id)
        if stored is not None and stored[0] == made_from:
            frames = tuple(frame.filter(pl.col("event_id") == standing.event_id) for frame in old)
            kept.append(standing.event_id)
        else:
            is_backtest = standing is not standings[-1]
            frames = rows_of(standing, simulate(standing), made_from, is_backtest=is_backtest)
            computed.append(standing.event_id)
        for part, frame in zip(parts, frames, strict=True):
            part.append(frame)
        progress(standing.event_id, 1)
    if computed or set(before) - set(kept):
        _publish(workspace, season, parts)
    return ChampionshipReport(season, tuple(computed), tuple(kept))


def bring_championship(workspace: Workspace) -> ChampionshipReport | None:
    """Refreshes the odds after something else was done that must not fail for it: a failure is logged, None answered.

    Args:
        workspace: Opened before; it is opened afresh.
    """
    try:
        return refresh_championship(workspace.again())
    except ParcFermeError as error:
        get_logger(__name__).warning("championship_not_refreshed", error=str(error))
        return None


def fingerprint(standing: Standing) -> str:
    """Identifies everything odds are made from."""
    parts = [
        method_version(),
        SEASONS,
        SEED,
        repr(ChampionshipSettings()),
        repr(standing.rules),
        repr(standing.remaining),
        repr(standing.fastest_lap),
        standing.drivers.sort("driver_id").to_dicts(),
        standing.constructors.sort("constructor_id").to_dicts(),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def method_version() -> str:
    """Fingerprint of the code that odds are made by."""
    digest = hashlib.sha256()
    for path in CODE:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def rows_of(
    standing: Standing, outcome: SeasonOutcome, made_from: str, *, is_backtest: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of ``championship_odds`` and ``championship_positions`` for one round."""
    odds, positions = [], []
    for championship, name in _NAMES.items():
        title: Title = getattr(outcome, championship)
        table: pl.DataFrame = getattr(standing, championship)
        found = arithmetic_of(standing, championship)
        own = pl.col("constructor_id") if championship == "drivers" else pl.lit(None, dtype=pl.String)
        rows = table.select(
            pl.col(name).alias("entity_id"),
            "points",
            position=pl.int_range(1, pl.len() + 1),
            places=pl.col("places").map_elements(places_text, return_dtype=pl.String),
            constructor_id=own,
        ).join(title.entities, on="entity_id", how="left", maintain_order="left")
        head = {
            "event_id": standing.event_id,
            "season": standing.season,
            "championship": championship,
            "known_at": standing.known_at,
        }
        odds.append(
            rows.with_columns(
                count_rounds=pl.lit(standing.number),
                count_remaining=pl.lit(len(standing.remaining)),
                count_sprints=pl.lit(sum(event.is_sprint for event in standing.remaining)),
                points_possible=pl.col("points") + found.points_left,
                can_be_champion=pl.col("entity_id").is_in(list(found.alive)),
                is_decided=pl.lit(found.champion is not None),
                is_backtest=pl.lit(is_backtest),
                count_seasons=pl.lit(SEASONS),
                made_from=pl.lit(made_from),
                **{key: pl.lit(value) for key, value in head.items()},
            )
        )
        positions.append(title.positions.with_columns(**{key: pl.lit(value) for key, value in head.items()}))
    return (
        _conform(pl.concat(odds), "championship_odds"),
        _conform(pl.concat(positions), "championship_positions"),
    )


def places_text(places: list[int]) -> str:
    """Counts of places as they are stored: without the zeros at the end."""
    last = max((place for place, count in enumerate(places[:PLACES], start=1) if count), default=0)
    return " ".join(str(count) for count in places[:last])


def _conform(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    schema = frame_schema(TABLES[table])
    return rows.select(*schema).cast(schema)  # type: ignore[arg-type]


def _publish(workspace: Workspace, season: int, parts: tuple[list[pl.DataFrame], list[pl.DataFrame]]) -> None:
    with writer_lock(workspace.settings.locks_root, holder="championship", wait_s=LOCK_WAIT_S):
        store = Store(workspace.settings.warehouse_root)
        for name, frames in zip(("championship_odds", "championship_positions"), parts, strict=True):
            rows = pl.concat(frames) if frames else pl.DataFrame(schema=frame_schema(TABLES[name]))
            store.replace(name, _conform(rows, name).to_arrow().cast(TABLES[name].schema), seasons=[season])
        if store.changed:
            store.publish(now=workspace.clock.now())
