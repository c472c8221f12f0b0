"""Measures drift of features and of calibration, and publishes what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from f1core.backtest import STAGES
from f1core.calibration_drift import MIN_HISTORY, RaceCalibration, calibration_drift, race_calibration
from f1core.calibration_drift import WINDOW as CALIBRATION_WINDOW
from f1core.feature_drift import MIN_BEFORE, MIN_WINDOWS, WINDOW, present_drift, windows
from f1core.features.registry import REGISTRY, feature_names
from f1core.log import get_logger
from f1core.targets import PRODUCTION_MODEL
from f1core.training import extract_missing
from f1core.workspace import Workspace
from warehouse.errors import NotReady, ParcFermeError
from warehouse.frames import frame_schema
from warehouse.lock import writer_lock
from warehouse.queries.accuracy import backtest_entries
from warehouse.queries.monitoring import sealed_entries
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import Stage

MEASURED_STAGE = Stage.PRE_RACE
"""Its features include those of every other stage."""
LOCK_WAIT_S = 60.0
NEEDED = {
    "feature_drift": MIN_BEFORE + MIN_WINDOWS + WINDOW,
    "calibration_drift": MIN_HISTORY + CALIBRATION_WINDOW,
}
"""Races without which nothing can be measured, by table."""


@dataclass(frozen=True)
class DriftReport:
    """What was measured.

    Attributes:
        features: Rows of ``feature_drift``; empty with too few races.
        calibration: Rows of ``calibration_drift``.
        count_events: Races with features.
        count_scored: Races with a scored forecast, of the stage that has most.
    """

    features: pl.DataFrame
    calibration: pl.DataFrame
    count_events: int
    count_scored: int

    @property
    def drifting_features(self) -> list[str]:
        """Features that drift now."""
        return self.features.filter("is_drifting").sort("feature")["feature"].to_list()

    @property
    def drifting_calibration(self) -> list[tuple[str, str]]:
        """Stage and measure of calibration that drift in their newest window."""
        newest = self.calibration.sort("known_at").unique(["stage", "measure"], keep="last")
        found = newest.filter("is_drifting").sort("stage", "measure")
        return list(found.select("stage", "measure").iter_rows())


def measure_drift(workspace: Workspace) -> DriftReport:
    """Measures drift and replaces its tables; what has not changed is not published again.

    Args:
        workspace: The installation, with the system's clock, or a rehearsal.

    Raises:
        NotReady: The clock is simulated, or nothing has been raced.
        LockHeld: Another process is writing.
    """
    if not workspace.is_live:
        raise NotReady(
            "Only the machine's real clock can publish what was measured.", hint="Leave --as-of out."
        )
    labels = workspace.labels.filter(pl.col("known_at") < workspace.clock.now())
    if labels.is_empty():
        raise NotReady("No race has a result yet: there is nothing to measure.")
    features, count = _feature_rows(workspace, labels)
    calibration, count_scored = _calibration_rows(workspace, labels)
    with writer_lock(workspace.settings.locks_root, holder="drift", wait_s=LOCK_WAIT_S):
        store = Store(workspace.settings.warehouse_root)
        for name, frame in (("feature_drift", features), ("calibration_drift", calibration)):
            store.replace(name, frame.to_arrow().cast(TABLES[name].schema))
        if store.changed:
            store.publish(now=workspace.clock.now())
    return DriftReport(features, calibration, count, count_scored)


def remeasure_drift(workspace: Workspace) -> None:
    """Measures drift after something else was done that must not fail for it: a failure is logged.

    Args:
        workspace: Opened before; it is opened afresh.
    """
    try:
        measure_drift(workspace.again())
    except ParcFermeError as error:
        get_logger(__name__).warning("drift_not_measured", error=str(error))


def past_features(workspace: Workspace, labels: pl.DataFrame) -> pl.DataFrame:
    """Features of every race with a result as :data:`MEASURED_STAGE` has them, in order of time."""
    extract_missing(workspace, (MEASURED_STAGE,))
    events = labels.sort("known_at", maintain_order=True)["event_id"].unique(maintain_order=True)
    store = workspace.features
    paths = [store.path(event, MEASURED_STAGE) for event in events if store.is_current(event, MEASURED_STAGE)]
    return pl.read_parquet(paths) if paths else pl.DataFrame({"event_id": []}, schema={"event_id": pl.String})


def _feature_rows(workspace: Workspace, labels: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    schema = frame_schema(TABLES["feature_drift"])
    features = past_features(workspace, labels)
    count = features["event_id"].n_unique()
    if count < NEEDED["feature_drift"]:
        return pl.DataFrame(schema=schema), count
    found = present_drift(features, windows(features, feature_names(MEASURED_STAGE)))
    if found.is_empty():
        return pl.DataFrame(schema=schema), count
    since = {name: REGISTRY[name].since.value for name in found["feature"]}
    rows = found.with_columns(
        first_stage=pl.col("feature").replace_strict(since),
        measured_stage=pl.lit(MEASURED_STAGE.value),
        season=pl.col("event_id").str.head(4).cast(pl.Int32),
        known_at=pl.col("event_id").replace_strict(_known(labels)),
    )
    return rows.select(*schema).cast(schema), count  # type: ignore[arg-type]


def _calibration_rows(workspace: Workspace, labels: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    schema = frame_schema(TABLES["calibration_drift"])
    parts = [pl.DataFrame(schema=schema)]
    count = 0
    known = _known(labels)
    for stage in Stage:
        races = scored_races(workspace, stage, labels)
        count = max(count, len(races))
        found = calibration_drift(races)
        if found.height:
            rows = found.with_columns(
                stage=pl.lit(stage.value),
                model=pl.lit(PRODUCTION_MODEL),
                season=pl.col("event_id").str.head(4).cast(pl.Int32),
                known_at=pl.col("event_id").replace_strict(known),
            )
            parts.append(rows.select(*schema).cast(schema))  # type: ignore[arg-type]
    return pl.concat(parts), count


def scored_races(workspace: Workspace, stage: Stage, labels: pl.DataFrame) -> list[RaceCalibration]:
    """Every race of a stage with a forecast by our model and a result, in order of time; sealed before backtested."""
    results = labels.partition_by("event_id", as_dict=True)
    found: dict[str, RaceCalibration] = {}
    for kind, entries in (
        ("sealed", sealed_entries(workspace.reader, stage=stage.value, model=PRODUCTION_MODEL)),
        (
            "backtest",
            backtest_entries(workspace.reader, stage=stage.value, model=PRODUCTION_MODEL)
            if stage in STAGES
            else None,
        ),
    ):
        if entries is None:
            continue
        for (event_id,), forecast in entries.group_by(["event_id"], maintain_order=True):
            if (event_id,) in results and event_id not in found:
                found[str(event_id)] = race_calibration(forecast, results[(event_id,)], kind)
    known = _known(labels)
    return sorted(found.values(), key=lambda race: (known[race.event_id], race.event_id))


def _known(labels: pl.DataFrame) -> Mapping[str, object]:
    return dict(labels.select("event_id", "known_at").unique("event_id", keep="first").iter_rows())
