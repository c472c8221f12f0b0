"""Where the results source and the timing feed do not say the same about a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from f1core.sources.bundle import Bundle
from f1core.timing_results import table_of, timing_lines

_COMPARED = {
    "race_results": ("position", "status", "laps", "points", "constructor_id"),
    "qualifying_results": ("position", "q1_s", "q2_s", "q3_s", "constructor_id"),
    "practice_results": ("position", "time_s", "laps", "constructor_id"),
}
TIME_TOLERANCE_S = 0.0005
DIFFERENCES = {
    "event_id": pl.String(),
    "season": pl.Int32(),
    "session": pl.String(),
    "driver_id": pl.String(),
    "field": pl.String(),
    "results_value": pl.String(),
    "timing_value": pl.String(),
}


def differences(facts: Mapping[str, pa.Table], bundles: Sequence[Bundle]) -> pl.DataFrame:
    """Where the results source and the timing feed's sessions do not say the same.

    Args:
        facts: Fact tables, in which the results source's lines stand.
        bundles: Fetched sessions.

    Returns:
        One row per event, session, driver and field of :data:`DIFFERENCES`; a driver whom only one of them lists has the
        field ``listed``.
    """
    rows: list[dict[str, Any]] = []
    for bundle in bundles:
        lines, _ = timing_lines(facts, [bundle])
        name = table_of(bundle.meta.session)
        official = pl.DataFrame(pl.from_arrow(facts[name])).filter(
            (pl.col("event_id") == bundle.meta.event_id) & (pl.col("session") == bundle.meta.session.value)
        )
        if lines.is_empty() or official.is_empty():
            continue
        rows += _compared(bundle, official, lines, _COMPARED[name])
    return pl.DataFrame(rows, schema=DIFFERENCES, orient="row")


def _compared(
    bundle: Bundle, official: pl.DataFrame, lines: pl.DataFrame, fields: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    theirs = {row["driver_id"]: row for row in official.iter_rows(named=True)}
    ours = {row["driver_id"]: row for row in lines.iter_rows(named=True)}
    head = {
        "event_id": bundle.meta.event_id,
        "season": int(bundle.meta.event_id[:4]),
        "session": bundle.meta.session.value,
    }
    for driver in sorted(theirs.keys() | ours.keys()):
        a, b = theirs.get(driver), ours.get(driver)
        if a is None or b is None:
            yield {
                **head,
                "driver_id": driver,
                "field": "listed",
                "results_value": "yes" if a else "no",
                "timing_value": "yes" if b else "no",
            }
            continue
        for name in fields:
            if not _same(a[name], b[name]):
                yield {
                    **head,
                    "driver_id": driver,
                    "field": name,
                    "results_value": _text(a[name]),
                    "timing_value": _text(b[name]),
                }


def _same(a: object, b: object) -> bool:
    if not a and not b:
        return True  # no laps, no points: one source writes 0, the other nothing
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) <= TIME_TOLERANCE_S
    return a == b


def _text(value: object) -> str | None:
    return None if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
