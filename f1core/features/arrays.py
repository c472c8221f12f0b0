"""Gated tables as arrays: what features read, quickly, without ever seeing past the gate.

A table is ordered by ``known_at``; an index per key lists its rows in that order. "The last five starts of this driver
before the cut-off" is then two binary searches.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

Rows = NDArray[np.int64]
NONE: Rows = np.empty(0, dtype=np.int64)


@dataclass
class TableArrays:
    """A frame ordered by ``known_at``, as numpy columns with an index per key."""

    frame: pl.DataFrame
    _columns: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    _index: dict[tuple[str, ...], dict[object, Rows]] = field(default_factory=dict)
    _known: NDArray[np.datetime64] | None = None

    def column(self, name: str) -> NDArray[np.generic]:
        """A column; numbers and flags as float with NaN for missing, everything else as objects."""
        if name not in self._columns:
            series = self.frame[name]
            numeric = series.dtype.is_numeric() or series.dtype == pl.Boolean
            self._columns[name] = (
                series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
                if numeric
                else np.array(series.to_list(), object)
            )
        return self._columns[name]

    def index(self, names: tuple[str, ...]) -> dict[object, Rows]:
        """Rows of every combination of values of some columns, in order."""
        if names not in self._index:
            groups = self.frame.with_row_index("row").group_by(names, maintain_order=True).agg("row")
            self._index[names] = {
                tuple(row[:-1]): np.array(row[-1], dtype=np.int64) for row in groups.iter_rows()
            }
        return self._index[names]

    def end(self, as_of: dt.datetime) -> int:
        """Number of rows known strictly before an instant."""
        if self._known is None:
            self._known = self.frame["known_at"].dt.replace_time_zone(None).cast(pl.Datetime("us")).to_numpy()
        naive = as_of.astimezone(dt.UTC).replace(tzinfo=None)
        return int(np.searchsorted(self._known, np.datetime64(naive, "us"), side="left"))


@dataclass(frozen=True)
class Seen:
    """The part of a table that was known before a cut-off; the only way features read facts."""

    arrays: TableArrays
    end: int

    def rows(self, **keys: object) -> Rows:
        """Known rows whose columns have these values, oldest first."""
        found = self.arrays.index(tuple(keys)).get(tuple(keys.values()), NONE)
        return found[: np.searchsorted(found, self.end, side="left")]

    def column(self, name: str, rows: Rows) -> NDArray[np.generic]:
        """Values of a column in some known rows."""
        return self.arrays.column(name)[rows]

    def floats(self, name: str, rows: Rows) -> NDArray[np.float64]:
        """Values of a numeric column in some known rows; NaN is missing."""
        return np.asarray(self.arrays.column(name)[rows], dtype=np.float64)
