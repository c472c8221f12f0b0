"""Race pace of a field: as it could be foreseen, or from the laps of the race itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import polars as pl

from f1core.gap_history import rated_before
from f1core.labels import race_labels
from f1core.ratings import lap_paces, qualifying_gaps
from f1core.simulator.parameters import Tyre
from models.lap_pace import fit_race, green_laps
from models.strategy.pace import FEATURES, ROW_COLUMNS, WITHOUT_QUALIFYING, PaceBlend, with_form
from warehouse.queries.results import race_result_lines
from warehouse.queries.strategy import race_paces as stored_paces
from warehouse.queries.strategy_setup import playable, race_laps
from warehouse.reader import Reader

PACE_COLUMNS = ("event_id", "driver_id", "race_pace_pct", "standard_error_pct")
FIRST_SEASON = 2018
"""Laps begin here."""


@dataclass(frozen=True)
class FieldPace:
    """Pace of a field.

    Attributes:
        drivers: ``driver_id, pace_pct`` [% of a lap against the middle of the field, smaller is faster], ``pace_source``.
        evolution_pct: Change from the first to the last lap as fitted with it [% of a lap]; None where it was not fitted.
        compound_pct: Pace of compounds as fitted with it, by the simulator's name [% of a lap].
        wear_pct: Their wear [% of a lap per lap].
    """

    drivers: pl.DataFrame
    evolution_pct: float | None = None
    compound_pct: Mapping[str, float] | None = None
    wear_pct: Mapping[str, float] | None = None

    def tyres(self, usual: Mapping[str, Tyre], lap_s: float) -> dict[str, Tyre]:
        """The circuit's tyres, with what was fitted in their place: a known race has no spread of wear."""
        found = dict(usual)
        for name in set(self.compound_pct or {}) & set(usual):
            assert self.compound_pct is not None and self.wear_pct is not None
            found[name] = replace(
                usual[name],
                offset_s=self.compound_pct[name] / 100.0 * lap_s,
                wear_s=max(self.wear_pct[name], 0.0) / 100.0 * lap_s,
                wear_sd_s=0.0,
            )
        return found


@dataclass(frozen=True)
class PaceHistory:
    """Starters of all races since 2018, in order of time.

    Attributes:
        rows: ``models.strategy.pace.ROW_COLUMNS`` and ``known_at``.
        formed: The same with the features before each race: a row depends on no later race.
        asked: Fields that were formed since, by race, cut-off and grid: reading all ratings takes a third of a second.
    """

    rows: pl.DataFrame
    formed: pl.DataFrame
    asked: dict[object, pl.DataFrame] = field(default_factory=dict)


def pace_history(reader: Reader) -> PaceHistory:
    """What pace is foreseen from; kept for each snapshot, because reading results and ratings takes a while."""
    snapshot = reader.snapshot.id
    kept = _kept.get(reader)
    if kept is None or kept[0] != snapshot:
        kept = _kept[reader] = (snapshot, _load(reader))
    return kept[1]


_kept: WeakKeyDictionary[Reader, tuple[str, PaceHistory]] = WeakKeyDictionary()


def _load(reader: Reader) -> PaceHistory:
    lines = race_result_lines(reader, FIRST_SEASON)
    key = ["event_id", "driver_id"]
    slots = lines.filter(pl.col("is_starter")).unique(key, keep="first", maintain_order=True)
    rows = (
        race_labels(lines)
        .select(*key, "season", "known_at", "constructor_id")
        .join(slots.select(*key, grid="grid_position"), on=key, how="left")
        .join(qualifying_gaps(reader.table("qualifying_results")), on=key, how="left")
        .join(_race_paces(reader), on=key, how="left")
        .with_columns(grid=pl.col("grid").fill_null(pl.len().over("event_id")).cast(pl.Float64))
        .sort("known_at", "event_id", "driver_id")
    )
    rows = _with_ratings(rows, reader).select(*ROW_COLUMNS, "known_at")
    return PaceHistory(rows, with_form(rows))


def _race_paces(reader: Reader) -> pl.DataFrame:
    """Race paces of all races: those that ``fit-strategy`` left, and of races that it has not seen from their laps."""
    held = stored_paces(reader)
    events = playable(reader)["event_id"]
    missing = events.filter(~events.is_in(held["event_id"].implode())).sort().to_list()
    if not missing:
        return held.select(PACE_COLUMNS)
    laps = race_laps(reader) if held.is_empty() else pl.concat([race_laps(reader, one) for one in missing])
    return pl.concat([held.select(PACE_COLUMNS), lap_paces(laps).select(PACE_COLUMNS)])


def _with_ratings(rows: pl.DataFrame, reader: Reader) -> pl.DataFrame:
    def rated(kind: str) -> pl.Series:
        return rated_before(rows, reader, kind, "driver") + rated_before(rows, reader, kind, "constructor")

    return rows.with_columns(rated_pace_pct=rated("race_pace"), rated_qualifying_pct=rated("pace"))


def foreseen_pace(
    reader: Reader, starters: pl.DataFrame, event_id: str, as_of: dt.datetime, *, is_grid_final: bool = True
) -> FieldPace:
    """Pace of a field as it could be foreseen.

    Args:
        reader: The warehouse.
        starters: ``driver_id, constructor_id, grid, qualifying_gap_pct`` (null where not known).
        event_id: The race.
        as_of: Nothing known at or after this instant is used.
        is_grid_final: Whether the starters stand as in the results; otherwise the race's own rows, which may know a grid
            and a qualifying that are still to come, are not used.
    """
    history = pace_history(reader)
    here = history.formed.filter(pl.col("event_id") == event_id)
    since = history.rows.filter((pl.col("known_at") >= as_of) & (pl.col("event_id") != event_id))
    is_last = here.is_empty() or since.filter(pl.col("known_at") < here["known_at"][0]).height
    known = history.formed.filter(pl.col("known_at") < as_of)
    if not is_grid_final or is_last or set(here["driver_id"]) != set(starters["driver_id"]):
        columns = ("driver_id", "constructor_id", "grid", "qualifying_gap_pct")
        key = (event_id, as_of, tuple(starters.sort("driver_id").select(columns).iter_rows()))
        if key not in history.asked:
            history.asked[key] = _formed_field(reader, history, starters, event_id, as_of)
        here = history.asked[key]
    has_qualifying = here["qualifying_gap_pct"].is_not_null().any()
    features = FEATURES if has_qualifying else WITHOUT_QUALIFYING
    words = "foreseen from qualifying, grid, and race pace of driver and team"
    if not has_qualifying:
        words = "foreseen from race and qualifying pace of driver and team"
    usable = known.filter(pl.col("target").is_not_null()).height
    if usable < 100:
        # No laps to learn from (a new installation): the ratings stand for the pace.
        drivers = here.select("driver_id", pace_pct="rated", pace_source=pl.lit("rating before the race"))
        return FieldPace(drivers)
    pace = PaceBlend.fit(known, features).predict(here)
    return FieldPace(here.select("driver_id", pace_pct=pl.Series(pace), pace_source=pl.lit(words)))


def _formed_field(
    reader: Reader, history: PaceHistory, starters: pl.DataFrame, event_id: str, as_of: dt.datetime
) -> pl.DataFrame:
    known = history.rows.filter((pl.col("known_at") < as_of) & (pl.col("event_id") != event_id))
    mine = starters.sort("driver_id").select(
        pl.lit(event_id).alias("event_id"),
        pl.lit(int(event_id[:4]), pl.Int32).alias("season"),
        "driver_id",
        "constructor_id",
        pl.col("grid").cast(pl.Float64),
        pl.col("qualifying_gap_pct").cast(pl.Float64),
        pl.lit(None, pl.Float64).alias("race_pace_pct"),
        pl.lit(None, pl.Float64).alias("standard_error_pct"),
        pl.lit(as_of).cast(known.schema["known_at"]).alias("known_at"),
    )
    mine = _with_ratings(mine, reader).select(known.columns)
    return with_form(pl.concat([known, mine])).filter(pl.col("event_id") == event_id)


def hindsight_pace(laps: pl.DataFrame) -> FieldPace | None:
    """Pace and tyres from the laps of the race itself; None where too few laps tell.

    Args:
        laps: Race laps of the event.
    """
    fit = fit_race(green_laps(laps))
    if fit is None:
        return None
    effects = {
        (effect, name): value
        for effect, name, value in fit.effects.select("effect", "name", "value_pct").iter_rows()
    }
    return FieldPace(
        fit.drivers.select(
            "driver_id",
            pace_pct="race_pace_pct",
            pace_source=pl.lit("hindsight: fitted on the laps of this race"),
        ),
        effects[("evolution", "race")],
        {name.upper(): value for (effect, name), value in effects.items() if effect == "compound"},
        {name.upper(): value for (effect, name), value in effects.items() if effect == "wear"},
    )
