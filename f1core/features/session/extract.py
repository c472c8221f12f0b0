"""Computes the session features of a weekend: raw values, then what stands in for missing ones, counted and named."""

from __future__ import annotations

import hashlib
import importlib
import math
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import f1core.features.extract  # noqa: F401  (registers the features of the history, whose names are taken)
from f1core.features.session.registry import SESSION_REGISTRY, Imputation, SessionFeature
from f1core.features.session.view import WeekendView, middle
from warehouse.vocab import Stage

MODULES = ("long_runs", "short_runs", "qualifying", "sprint", "conditions", "coverage", "car")
for _module in MODULES:
    importlib.import_module(f"f1core.features.session.{_module}")


@dataclass(frozen=True)
class SessionFeatures:
    """Features of a weekend's sessions.

    Attributes:
        frame: ``driver_id`` and every registered feature as float (null is missing), in the order of the view's drivers.
        imputed: Columns of each driver whose value is not his own.
    """

    frame: pl.DataFrame
    imputed: dict[str, tuple[str, ...]]


def session_features(view: WeekendView, stage: Stage) -> SessionFeatures:
    """All session features of a weekend.

    Args:
        view: The weekend as known at the cut-off.
        stage: The stage: a feature is missing before the first stage that may know it.
    """
    columns: dict[str, list[float | None]] = {}
    imputed: dict[str, list[str]] = {driver: [] for driver in view.drivers}
    for feature in SESSION_REGISTRY.values():
        raw = _raw(feature, view, stage)
        filled = _imputed(feature, view, raw)
        columns[feature.name] = [filled.get(driver, raw[driver]) for driver in view.drivers]
        for driver in filled:
            imputed[driver].append(feature.name)
    frame = pl.DataFrame(
        {
            "driver_id": pl.Series(view.drivers, dtype=pl.String),
            **{name: pl.Series(values, dtype=pl.Float64) for name, values in columns.items()},
        }
    )
    return SessionFeatures(frame, {driver: tuple(names) for driver, names in imputed.items()})


def _raw(feature: SessionFeature, view: WeekendView, stage: Stage) -> dict[str, float | None]:
    if not feature.known_at_stage(stage):
        return {driver: None for driver in view.drivers}
    values = feature.function(view)
    if values is None or isinstance(values, (int, float)):
        return {driver: None if values is None else _finite(float(values)) for driver in view.drivers}
    return {driver: _finite(values.get(driver)) for driver in view.drivers}


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _imputed(feature: SessionFeature, view: WeekendView, raw: dict[str, float | None]) -> dict[str, float]:
    """What stands in for missing values; only for drivers who drove in a session the feature is made from."""
    if feature.imputation is Imputation.NONE:
        return {}
    drove = {driver for one in view.of(feature.group.sessions) for driver in one.drivers}
    found = {}
    for driver in view.drivers:
        if raw[driver] is not None or driver not in drove:
            continue
        value = None
        if feature.imputation is Imputation.TEAM_MATE:
            mates = [other for mate in view.team_mates[driver] if (other := raw[mate]) is not None]
            value = sum(mates) / len(mates) if mates else None
        if value is None:
            value = middle(raw.values(), math.ceil(len(view.drivers) / 2))
        if value is not None:
            found[driver] = value
    return found


def code_version() -> str:
    """Fingerprint of the code that makes session features."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in [*sorted(here.glob("*.py")), here.parent.parent / "session_rows.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
