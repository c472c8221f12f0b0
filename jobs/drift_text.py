"""What was measured of drift, as text for the terminal."""

from __future__ import annotations

import polars as pl

from f1core.drift import NEEDED, DriftReport
from f1core.wording import MEASURE_NAMES
from warehouse.vocab import Stage

LISTED = 10


def drift_text(found: DriftReport) -> str:
    """Drift of features and of calibration in words and two small tables."""
    return "\n".join([*_features(found), "", *_calibration(found)])


def _features(found: DriftReport) -> list[str]:
    rows = found.features
    if rows.is_empty():
        return [
            f"Features: not measured, {found.count_events} races are there and {NEEDED['feature_drift']} needed."
        ]
    first = rows.row(0, named=True)
    drifting = found.drifting_features
    head = (
        f"Features: {len(drifting)} of {rows.height} drift in the {first['count_events']} races from "
        f"{first['from_event_id']} to {first['event_id']}, against {first['count_events_before']} races before."
    )
    level = rows.with_columns(level=pl.col("psi") / pl.col("threshold")).sort(
        "level", "feature", descending=[True, False]
    )
    lines = [
        f"  {row['feature']:<34}{row['psi']:>7.2f}{row['threshold']:>10.2f}{'  drift' if row['is_drifting'] else ''}"
        for row in level.head(LISTED).iter_rows(named=True)
    ]
    return [head, f"  {'feature':<34}{'PSI':>7}{'alarm at':>10}", *lines]


def _calibration(found: DriftReport) -> list[str]:
    rows = found.calibration
    if rows.is_empty():
        return [
            f"Calibration: not measured, {found.count_scored} races are scored and {NEEDED['calibration_drift']} needed."
        ]
    newest = rows.sort("known_at").unique(["stage", "measure"], keep="last").sort("stage", "measure")
    lines = [
        f"  {Stage(row['stage']).label:<20}{MEASURE_NAMES[row['measure']]:<28}{row['value']:>7.3f}"
        f"   ordinary {row['low']:.3f} to {row['high']:.3f}{'  drift' if row['is_drifting'] else ''}"
        for row in newest.iter_rows(named=True)
    ]
    return [f"Calibration over the last {rows['window'][0]} scored races:", *lines]
