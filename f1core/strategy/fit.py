"""Fits the strategy simulator: races are measured once each, and pooled into the parameters of a circuit."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from f1core.log import get_logger
from f1core.workspace import Workspace
from models.lap_pace import race_paces
from models.strategy.measure import MEASURED_COLUMNS, measurements
from models.strategy.parameters import StrategyParameters
from models.strategy.pool import pool, usual_lap_s
from models.strategy.undercut import undercut_rows
from warehouse.errors import NotReady, ParcFermeError
from warehouse.frames import frame_schema
from warehouse.lock import writer_lock
from warehouse.queries import strategy as reads
from warehouse.reader import Reader
from warehouse.store import Store, session_digests
from warehouse.tables import TABLES

METHOD = "3"
"""Raised with every change of the code that changes measurements."""
POOL_METHOD = "1"
"""Raised with every change of the code that changes what is pooled from the same measurements."""
FITS_KEPT = 30
"""Fits that stay in ``strategy_parameters``."""
LOCK_WAIT_S = 60.0
MIN_RACES = 3
"""With fewer measured races nothing can be pooled."""


@dataclass(frozen=True)
class FitReport:
    """What a fit did.

    Attributes:
        measured: Races measured anew, by event.
        kept: Races whose measurements were current.
        version: The fit in the tables; None where too few races are there.
        circuits: Circuits with parameters.
    """

    measured: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    version: str | None = None
    circuits: int = 0


def fitted(
    reader: Reader, circuit_id: str, lap_time_s: float, as_of: dt.datetime | None = None
) -> StrategyParameters:
    """Parameters of a race on a circuit, from races known before an instant.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        lap_time_s: Usual green lap there [s], see :func:`usual_lap_s`.
        as_of: Nothing known at it or later is used; None for all there is.

    Raises:
        NotReady: Fewer than :data:`MIN_RACES` races were measured before.
    """
    return pool(_known(reader, as_of), circuit_id, lap_time_s)


def fitted_as_usual(reader: Reader, circuit_id: str, as_of: dt.datetime | None = None) -> StrategyParameters:
    """The same at the usual lap of the circuit's newest dry race known before the instant.

    Raises:
        NotReady: Too few races were measured before, or no dry race on this circuit.
    """
    rows = _known(reader, as_of)
    lap = usual_lap_s(rows, circuit_id)
    if lap is None:
        known = ", ".join(rows["circuit_id"].unique().sort())
        raise NotReady(f"No dry race was measured on “{circuit_id}”.", hint=f"Known circuits: {known}.")
    return pool(rows, circuit_id, lap)


def _known(reader: Reader, as_of: dt.datetime | None) -> pl.DataFrame:
    rows = reads.measurements(reader, as_of)
    if rows["event_id"].n_unique() < MIN_RACES:
        raise NotReady(
            "No races are measured for the strategy simulator" + (" before that day." if as_of else " yet."),
            hint="Run `python -m jobs fit-strategy`. Laps are there from 2018 on.",
        )
    return rows


def fit_strategy(
    workspace: Workspace, progress: Callable[[str, int], None] = lambda words, done: None
) -> FitReport:
    """Measures races that are new or whose rows changed, pools them for every circuit, and publishes both.

    Repeating it is cheap: a race whose rows and code are the same is left as it is.

    Args:
        workspace: With the system's clock, or a rehearsal; of a rehearsal only what its clock knows is used.
        progress: Told what is being done and how many races were finished.

    Raises:
        NotReady: The clock is simulated.
        LockHeld: Another process is writing.
    """
    if not workspace.is_live:
        raise NotReady(
            "Only the machine's real clock can publish parameters.", hint="Leave --as-of out, or --store."
        )
    reader, now = workspace.reader, workspace.clock.now()
    facts = tuple(
        rows.filter(pl.col("known_at") <= now) for rows in reads.race_facts(reader, MEASURED_COLUMNS)
    )
    prints = fingerprints(*facts)
    before = reads.measured_from(reader)
    stale = sorted(event for event, made in prints.items() if before.get(event) != made)
    kept = sorted(prints.keys() - set(stale))
    progress(f"{len(stale)} races to measure", 0)
    new = measured_rows(*(of_events(rows, stale) for rows in facts), events=reads.circuits_of_events(reader))
    new = new.with_columns(made_from=pl.col("event_id").replace_strict(prints, return_dtype=pl.String))
    old = reads.measurements(reader).filter(pl.col("event_id").is_in(kept))
    tried = undercut_rows(of_events(facts[0], stale).join(reads.circuits_of_events(reader), on="event_id"))
    held = reads.undercuts(reader).filter(pl.col("event_id").is_in(kept))
    undercuts = pl.concat([_conform(frame, "undercuts") for frame in (held, tried)])
    rows = pl.concat([_conform(frame, "strategy_measurements") for frame in (old, new)])
    paces, is_new_pace = _paces(reader, facts[0], prints)
    progress("circuits", len(stale))
    parameters = _parameters(rows)
    version = None if parameters is None else str(parameters["version"][0])
    if stale or is_new_pace or set(before) - set(kept) or not _is_stored(reader, version):
        _publish(workspace, rows, parameters, undercuts, paces)
    circuits = 0 if parameters is None else parameters["circuit_id"].n_unique()
    return FitReport(tuple(stale), tuple(kept), version, circuits)


def bring_strategy(workspace: Workspace) -> FitReport | None:
    """Fits after something else was done that must not fail for it: a failure is logged, None answered.

    Args:
        workspace: Opened before; it is opened afresh.
    """
    try:
        return fit_strategy(workspace.again())
    except ParcFermeError as error:
        get_logger(__name__).warning("strategy_not_fitted", error=str(error))
        return None


def measured_rows(
    laps: pl.DataFrame, periods: pl.DataFrame, results: pl.DataFrame, *, events: pl.DataFrame
) -> pl.DataFrame:
    """Measurements of races with their season, circuit and the instant at which the last of their facts was known.

    Args:
        laps: As of :func:`warehouse.queries.strategy.race_facts`.
        periods: The same.
        results: The same.
        events: ``event_id, season, circuit_id``.
    """
    known = (
        pl.concat([frame.select("event_id", "known_at") for frame in (laps, periods, results)])
        .group_by("event_id")
        .agg(pl.col("known_at").max())
    )
    return (
        measurements(laps, periods, results)
        .join(events, on="event_id")
        .join(known, on="event_id")
        .sort("known_at", "event_id", "parameter", "part")
    )


def _paces(reader: Reader, laps: pl.DataFrame, prints: dict[str, str]) -> tuple[pl.DataFrame, bool]:
    """Rows of ``race_paces`` of every race, and whether one of them is new; races that say nothing are asked again."""
    made = pl.DataFrame({"event_id": list(prints), "made_from": list(prints.values())}, schema=_PRINTS)
    held = _conform(reads.race_paces(reader), "race_paces").join(
        made, on=["event_id", "made_from"], how="semi"
    )
    laps = of_events(laps, sorted(prints.keys() - set(held["event_id"])))
    known = laps.group_by("event_id").agg(pl.col("known_at").max())
    told = race_paces(laps).join(made, on="event_id").join(known, on="event_id")
    told = told.join(reads.circuits_of_events(reader).select("event_id", "season"), on="event_id")
    rows = pl.concat([held, _conform(told, "race_paces")]).sort("event_id", "driver_id")
    return rows, not told.is_empty()


_PRINTS = {"event_id": pl.String, "made_from": pl.String}


def of_events(rows: pl.DataFrame, events: list[str]) -> pl.DataFrame:
    """Rows of some events."""
    return rows.filter(pl.col("event_id").is_in(events))


def fingerprints(laps: pl.DataFrame, periods: pl.DataFrame, results: pl.DataFrame) -> dict[str, str]:
    """Identifies everything a race is measured on, by event that has laps."""
    parts: dict[str, list[str]] = {}
    for rows in (laps, periods, results):
        for (event, _), (count, rest) in session_digests(rows.to_arrow()).items():
            parts.setdefault(event, []).append(f"{count}:{rest}")
    raced = laps["event_id"].unique().sort().to_list()
    return {
        event: hashlib.sha256("|".join([METHOD, *parts[event]]).encode()).hexdigest()[:16] for event in raced
    }


def _parameters(rows: pl.DataFrame) -> pl.DataFrame | None:
    """Rows of ``strategy_parameters`` for every circuit that was measured; None of too few races, or no dry one."""
    if rows["event_id"].n_unique() < MIN_RACES:
        return None
    ordered = rows.sort("event_id", "parameter", "part")
    made = ordered.select("event_id", "made_from").unique(maintain_order=True).rows()
    version = hashlib.sha256(json.dumps([POOL_METHOD, made]).encode()).hexdigest()[:12]
    found = []
    for circuit in rows["circuit_id"].unique().sort().to_list():
        lap = usual_lap_s(rows, circuit)
        if lap is not None:
            found += pool(rows, circuit, lap).rows()
    if not found:
        return None
    frame = pl.DataFrame(found, infer_schema_length=None).with_columns(
        version=pl.lit(version), known_at=pl.lit(rows["known_at"].max())
    )
    return _conform(frame, "strategy_parameters")


def _is_stored(reader: Reader, version: str | None) -> bool:
    held = reads.strategy_parameters(reader)
    return (version is None) if held.is_empty() else held["version"][0] == version


def _conform(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    schema = frame_schema(TABLES[table])
    return rows.select(*schema).cast(schema)  # type: ignore[arg-type]


def _publish(
    workspace: Workspace,
    rows: pl.DataFrame,
    parameters: pl.DataFrame | None,
    undercuts: pl.DataFrame | None = None,
    paces: pl.DataFrame | None = None,
) -> None:
    with writer_lock(workspace.settings.locks_root, holder="fit-strategy", wait_s=LOCK_WAIT_S):
        store = Store(workspace.settings.warehouse_root)
        parts = {"strategy_measurements": rows}
        if undercuts is not None:
            parts["undercuts"] = undercuts
        if paces is not None:
            parts["race_paces"] = paces
        if parameters is not None:
            older = reads.strategy_fits(workspace.reader).filter(
                pl.col("version") != parameters["version"][0]
            )
            kept = (
                older.select("version", "known_at").unique().sort("known_at", "version").tail(FITS_KEPT - 1)
            )
            older = older.join(kept, on=["version", "known_at"], how="semi")
            parts["strategy_parameters"] = pl.concat([_conform(older, "strategy_parameters"), parameters])
        for name, frame in parts.items():
            store.replace(name, frame.to_arrow().cast(TABLES[name].schema))
        if store.changed:
            store.publish(now=workspace.clock.now())
