"""Drift of features: whether the last races look to the models like the races before them.

Each feature is binned at the tenths of the races before the season; missing values, and values far outside everything seen
before, have bins of their own. The window's shares are held against theirs by the population stability index (PSI). A few
races are never a fair sample of all: how far from zero an ordinary window is depends on the feature and on the size of the
window, and is found from every window of the past, each measured against its own past. Values are taken as the models read
them. (Standardised within each race they were tried too: that found nothing more, and ranks and small counts alarmed for
want of distinct values.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW = 5
"""Races in a window."""
BINS = 10
MIN_BEFORE = 60
"""Races that must lie before a window."""
MIN_WINDOWS = 60
"""Windows of the past that a threshold needs."""
BEYOND = 1.5
"""Drift is what lies this many times as far from zero as any window of the past: a feature's own past, so that one which
always scatters, or has drifted before, alarms no more often than the others."""
MATERIAL = 0.25
"""No threshold is lower, however steady a feature was: the usual bound of a material shift."""
FAR = 0.5
"""Values are far outside when they lie beyond the range seen before by more than this share of it."""
_HALF_A_CASE = 0.5
_EXTRA_BINS = 3  # far below, far above, missing


@dataclass(frozen=True)
class Windows:
    """The PSI of every window of consecutive races.

    Attributes:
        events: All races, in order of time.
        names: The features.
        psi: One row per race (the last of its window), one column per feature; NaN where too little lies before.
    """

    events: tuple[str, ...]
    names: tuple[str, ...]
    psi: Floats

    @property
    def measured(self) -> NDArray[np.int64]:
        """Places of the races whose window was measured."""
        return np.flatnonzero(np.isfinite(self.psi).all(axis=1))

    def thresholds(self, at: int) -> Floats | None:
        """Level of each feature above which the window that ends at a race is called drift.

        Only windows that were over before this one began are used.

        Returns:
            None when there are fewer than :data:`MIN_WINDOWS` of them.
        """
        past = self.measured[self.measured <= at - WINDOW]
        if len(past) < MIN_WINDOWS:
            return None
        return np.maximum(BEYOND * self.psi[past].max(axis=0), MATERIAL)


def windows(features: pl.DataFrame, names: Sequence[str]) -> Windows:
    """Measures every window of :data:`WINDOW` races against all races before it.

    Args:
        features: One row per event and driver, events in order of time, with ``season``.
        names: Features to measure; missing values are nulls or NaN.
    """
    codes = features["event_id"].rle_id().to_numpy().astype(np.int64)
    events = features["event_id"].unique(maintain_order=True).to_list()
    seasons = (
        features.unique("event_id", keep="first", maintain_order=True)["season"].cast(pl.Int64).to_numpy()
    )
    values = matrix(features, names)
    psi = np.full((len(events), len(names)), np.nan)
    for season in np.unique(seasons):
        places = np.flatnonzero(seasons == season)
        if places[0] < MIN_BEFORE:
            continue
        # The tenths are those of the seasons before: within a season only the counts grow.
        counts = _counts(values, codes, before=int(places[0]), until=int(places[-1]) + 1)
        total = np.cumsum(counts, axis=0)
        for place in places:
            before = total[place - WINDOW]
            psi[place] = stability_index(before, total[place] - before)
    return Windows(tuple(events), tuple(names), psi)


def stability_index(before: Floats, now: Floats) -> Floats:
    """PSI of two sets of counts over the last axis; half a case is added to every bin that either has."""
    used = (before + now) > 0
    p, q = ((counts + _HALF_A_CASE) * used for counts in (before, now))
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    ratio = np.where(used, q, 1.0) / np.where(used, p, 1.0)
    return np.asarray(((q - p) * np.log(ratio)).sum(axis=-1))


def matrix(features: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Values of features, a column each; NaN where missing or infinite."""
    values = np.empty((features.height, len(names)))
    for column, name in enumerate(names):
        values[:, column] = features[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    values[~np.isfinite(values)] = np.nan
    return values


def present_drift(features: pl.DataFrame, found: Windows) -> pl.DataFrame:
    """Drift of the newest window.

    Args:
        features: As in :func:`windows`.
        found: What that measured.

    Returns:
        One row per feature: ``feature, from_event_id, event_id, count_events, count_events_before, psi, threshold,
        is_drifting, missing_share, missing_share_before, mean, mean_before``; empty with too few races.
    """
    at = len(found.events) - 1
    thresholds = found.thresholds(at) if at >= 0 and np.isfinite(found.psi[at]).all() else None
    if thresholds is None:
        return pl.DataFrame()
    values = matrix(features, found.names)
    inside = (features["event_id"].rle_id() > at - WINDOW).to_numpy()
    rows = []
    for column, name in enumerate(found.names):
        now, before = values[inside, column], values[~inside, column]
        psi, threshold = float(found.psi[at, column]), float(thresholds[column])
        rows.append(
            {
                "feature": name,
                "from_event_id": found.events[at - WINDOW + 1],
                "event_id": found.events[at],
                "count_events": WINDOW,
                "count_events_before": at - WINDOW + 1,
                "psi": psi,
                "threshold": threshold,
                "is_drifting": psi > threshold,
                "missing_share": float(np.isnan(now).mean()),
                "missing_share_before": float(np.isnan(before).mean()),
                "mean": _mean(now),
                "mean_before": _mean(before),
            }
        )
    return pl.DataFrame(rows, schema_overrides={"mean": pl.Float64, "mean_before": pl.Float64})


def alarms(found: Windows) -> dict[str, list[str]]:
    """What would have been called drift in every window of the past, with what was known then.

    Returns:
        By the last race of each window that could be judged, its drifting features, the strongest first.
    """
    answer = {}
    for at in found.measured:
        thresholds = found.thresholds(int(at))
        if thresholds is None:
            continue
        level = found.psi[at] / thresholds
        answer[found.events[at]] = [found.names[k] for k in np.argsort(-level) if level[k] > 1]
    return answer


def _counts(values: Floats, codes: NDArray[np.int64], *, before: int, until: int) -> Floats:
    """Rows per event, feature and bin, up to an event; bins are the tenths of the events before another."""
    rows = codes < until
    chosen, events, reference = values[rows], codes[rows], codes[rows] < before
    width = BINS + _EXTRA_BINS
    counts = np.zeros((until, values.shape[1], width))
    for column in range(values.shape[1]):
        place = _bins(chosen[:, column], reference)
        cells = np.bincount(events * width + place, minlength=until * width)
        counts[:, column, :] = cells.reshape(until, width)
    return counts


def _bins(x: Floats, reference: NDArray[np.bool_]) -> NDArray[np.int64]:
    known = x[reference & np.isfinite(x)]
    if not len(known):
        return np.where(np.isfinite(x), 0, BINS + 2)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    low, high = known.min(), known.max()
    margin = FAR * (high - low)
    place = np.searchsorted(edges, x, side="right")
    place[x < low - margin] = BINS
    place[x > high + margin] = BINS + 1
    place[~np.isfinite(x)] = BINS + 2
    return place


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
