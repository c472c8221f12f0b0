"""The terms of a driver's strength: what the linear part of the joint model reads from a feature frame.

Every term is a number per driver, centred on its field: only differences between drivers decide an order. Where a value is
missing the driver gets the field's mean; where the whole field has none (no grid before qualifying) the term is nought for
all and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID_REACH = 12.0
"""From this slot backwards a place on the grid makes no further difference by itself; chosen on 2014–2021."""


USUAL_GRID_CORRELATION = 0.6
"""Correlation of grid and finish at a usual circuit."""


class FieldColumns:
    """Columns of a feature frame as arrays, with the fields they belong to.

    Args:
        features: Rows of one event together.
        starts: First row of each event, plus the total.
    """

    def __init__(self, features: pl.DataFrame, starts: Ints) -> None:
        self._features = features
        self.starts = starts
        self.sizes = np.diff(starts)
        self._slots: Floats | None = None

    def column(self, name: str) -> Floats:
        """A feature; NaN where it is missing or the frame has no such column."""
        if name not in self._features.columns:
            return np.full(self._features.height, np.nan)
        values = self._features[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return np.where(np.isfinite(values), values, np.nan)

    @property
    def slots(self) -> Floats:
        """Starting order 1..n: the grid's, or qualifying's before the grid is known; NaN before qualifying.

        Drivers without a slot stand behind the others; who starts from the pit lane has the last one.
        """
        if self._slots is None:
            grid = self.column("grid_position")
            qualifying = self.column("qualifying_position")
            slots = np.full(len(grid), np.nan)
            for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True):
                known = grid[begin:end]
                if np.isnan(known).all():
                    known = qualifying[begin:end]
                if not np.isnan(known).all():
                    order = np.argsort(np.where(np.isnan(known), np.inf, known), kind="stable")
                    slots[begin:end][order] = np.arange(1.0, end - begin + 1.0)
            self._slots = slots
        return self._slots

    def centred(self, values: Floats) -> Floats:
        """Values less their field's mean; nought where missing."""
        known = np.isfinite(values)
        filled = np.where(known, values, 0.0)
        if not len(filled):
            return filled
        total = np.add.reduceat(filled, self.starts[:-1])
        count = np.add.reduceat(known.astype(np.float64), self.starts[:-1])
        mean = np.repeat(total / np.maximum(count, 1.0), self.sizes)
        return np.asarray(np.where(known, values - mean, 0.0))

    def is_known(self, values: Floats) -> NDArray[np.bool_]:
        """Whether anybody of the row's field has a value."""
        known = np.isfinite(values).astype(np.float64)
        if not len(known):
            return known.astype(np.bool_)
        return np.asarray(np.repeat(np.add.reduceat(known, self.starts[:-1]) > 0, self.sizes))


@dataclass(frozen=True)
class Term:
    """One term.

    Attributes:
        name: Unique.
        group: What it is made from, one of the feature groups: contributions are told by group.
        values: The numbers before centring; NaN is missing.
    """

    name: str
    group: str
    values: Callable[[FieldColumns], Floats]


def _clipped(name: str, low: float, high: float) -> Callable[[FieldColumns], Floats]:
    return lambda columns: np.clip(columns.column(name), low, high)


def _plain(name: str) -> Callable[[FieldColumns], Floats]:
    return lambda columns: columns.column(name)


def _grid(columns: FieldColumns) -> Floats:
    return np.asarray(np.log(np.minimum(columns.slots, GRID_REACH)))


def _grid_by_circuit(columns: FieldColumns) -> Floats:
    """The grid against how closely the circuit's results have followed it, so that a slot can count more here than there."""
    correlation = columns.column("circuit_grid_correlation")
    usual = np.where(np.isnan(correlation), USUAL_GRID_CORRELATION, correlation)
    return np.asarray(columns.centred(_grid(columns)) * (usual - USUAL_GRID_CORRELATION))


def _no_time(columns: FieldColumns) -> Floats:
    gap = columns.column("qualifying_gap_pct")
    return np.where(columns.is_known(gap), np.isnan(gap).astype(np.float64), np.nan)


def _last_session(columns: FieldColumns) -> Floats:
    """Gap in the newest session that was driven for a fast lap: sprint qualifying where there was one, else practice."""
    practice, sprint = columns.column("practice_last_gap_pct"), columns.column("sprint_qualifying_gap_pct")
    return np.clip(np.where(columns.is_known(sprint), sprint, practice), 0.0, 5.0)


def _race_pace(columns: FieldColumns) -> Floats:
    """What the laps of past races add to qualifying pace."""
    return np.clip(columns.column("race_pace_gap"), 0.0, 6.0) - np.clip(columns.column("pace_gap"), 0.0, 6.0)


TERMS: tuple[Term, ...] = (
    Term("grid", "grid", _grid),
    Term("grid_by_circuit", "grid", _grid_by_circuit),
    Term("grid_against_pace", "grid", _clipped("grid_against_pace", -12.0, 12.0)),
    Term("pit_lane_start", "grid", _plain("is_pit_lane_start")),
    Term("qualifying_gap", "qualifying", _clipped("qualifying_gap_pct", 0.0, 4.0)),
    Term("no_qualifying_time", "qualifying", _no_time),
    Term("pace", "ratings", _clipped("pace_gap", 0.0, 6.0)),
    Term("driver_pace", "ratings", _clipped("pace_driver", -2.0, 2.0)),
    Term("race_pace", "ratings", _race_pace),
    Term("elo", "ratings", _plain("elo_combined")),
    Term("practice_best", "practice", _clipped("practice_best_gap_pct", 0.0, 5.0)),
    Term("practice_mean", "practice", _clipped("practice_mean_gap_pct", 0.0, 5.0)),
    Term("last_session", "practice", _last_session),
    Term("past_qualifying", "qualifying history", _clipped("avg_qualifying_gap_pct_8", 0.0, 5.0)),
    Term("form", "form", _plain("avg_finish_10")),
    Term("constructor_form", "constructor form", _plain("constructor_avg_finish_5")),
    Term("team_mate_beaten", "form", _plain("team_mate_beaten_rate_10")),
    Term("newcomer", "form", lambda columns: np.exp(-columns.column("career_starts") / 10.0)),
    Term("championship", "standings", _plain("championship_points_share")),
)
"""The terms of the joint model. Tried on 2014–2021 and left out, for they added nothing: see ``docs/models.md``."""

TERM_BY_NAME: Mapping[str, Term] = {term.name: term for term in TERMS}


def term_matrix(columns: FieldColumns, names: tuple[str, ...]) -> Floats:
    """Centred terms: shape (rows, terms)."""
    if not names:
        return np.empty((int(columns.starts[-1]), 0))
    return np.column_stack([columns.centred(TERM_BY_NAME[name].values(columns)) for name in names])
