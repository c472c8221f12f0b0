"""The form in which what one race says is written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

ROW_SCHEMA = pl.Schema(
    {
        "event_id": pl.String(),
        "parameter": pl.String(),
        "part": pl.String(),
        "value": pl.Float64(),
        "standard_error": pl.Float64(),
        "spread": pl.Float64(),
        "count_samples": pl.Int64(),
        "unit": pl.String(),
    }
)
"""One number that one race says by itself."""
MAD_TO_SD = 1.4826
DIGITS = 10


def said(rows: list[dict[str, Any]] | pl.DataFrame, parameter: str, unit: str) -> pl.DataFrame:
    """Rows in the common form; rows without a value are left out.

    Args:
        rows: ``event_id, value`` and, where they are not the default, ``part`` (""), ``standard_error`` (null),
            ``spread`` (null) and ``count_samples`` (1).
        parameter: What is measured.
        unit: Its unit.
    """
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    if frame.is_empty():
        return pl.DataFrame(schema=ROW_SCHEMA)
    defaults = {"part": "", "standard_error": None, "spread": None, "count_samples": 1}
    frame = frame.with_columns(
        parameter=pl.lit(parameter),
        unit=pl.lit(unit),
        **{name: pl.lit(value) for name, value in defaults.items() if name not in frame.columns},
    )
    kept = frame.select(*ROW_SCHEMA).cast(dict(ROW_SCHEMA))  # type: ignore[arg-type]
    # Sums over a race's rows depend in the last digits on how many other races lie before it in memory.
    digits = pl.col("value", "standard_error", "spread").round_sig_figs(DIGITS)
    return kept.with_columns(digits).filter(pl.col("value").is_finite())


def robust_sd(name: str) -> pl.Expr:
    """Standard deviation of a column by its median absolute deviation."""
    values = pl.col(name)
    return MAD_TO_SD * (values - values.median()).abs().median()


def spread_of(values: np.ndarray) -> float:
    """The same of an array; 0 for none."""
    return float(MAD_TO_SD * np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
