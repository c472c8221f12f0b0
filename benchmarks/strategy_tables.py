"""What was asked of the strategy simulator against what was measured, as Markdown: shared by its benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

VERDICT_HEAD = "| figure | value | from | must | aim | must met | aim met |"
"""The head of a table of verdicts: ``benchmarks/strategy.py`` gathers these into one."""

Limit = float | tuple[float, float]


@dataclass(frozen=True)
class Wanted:
    """One figure that was asked for.

    Attributes:
        title: Its name.
        value: What was measured.
        error: Its standard error; None where it has none.
        count: What it was measured on, e.g. ``39 races``.
        must: The limit, or both ends of the range.
        aim: What is hoped for, the same.
        is_higher_better: Which way a limit goes.
        digits: Decimals that are shown; the verdict is of the value as it is.
        has_sign: Whether it is a difference.
        is_above: Whether the aim itself is not enough: more is asked for.
    """

    title: str
    value: float
    error: float | None
    count: str
    must: Limit
    aim: Limit
    is_higher_better: bool = False
    digits: int = 3
    has_sign: bool = False
    is_above: bool = False

    def line(self) -> str:
        """The line of the table."""
        told = self._shown(self.value)
        if self.error is not None:
            told += f" ± {self.error:.{self.digits}f}"
        met = ["yes" if self._is_met(limit, strictly=False) else "**no**" for limit in (self.must,)]
        met.append("yes" if self._is_met(self.aim, strictly=self.is_above) else "**no**")
        limits = (self._limit(self.must), self._limit(self.aim, strictly=self.is_above))
        return f"| {self.title} | {told} | {self.count} | {' | '.join((*limits, *met))} |"

    def _is_met(self, limit: Limit, *, strictly: bool) -> bool:
        if isinstance(limit, tuple):
            return limit[0] <= self.value <= limit[1]
        if strictly and self.value == limit:
            return False
        return self.value >= limit if self.is_higher_better else self.value <= limit

    def _limit(self, limit: Limit, *, strictly: bool = False) -> str:
        if isinstance(limit, tuple):
            return "–".join(self._shown(end) for end in limit)
        sign = (">" if self.is_higher_better else "<") if strictly else "≥" if self.is_higher_better else "≤"
        return f"{sign} {self._shown(limit)}"

    def _shown(self, value: float) -> str:
        return f"{value:{'+' if self.has_sign else ''}.{self.digits}f}"


def verdicts(wanted: Sequence[Wanted]) -> Iterator[str]:
    """The table of what was asked for."""
    yield "### Against what was asked"
    yield ""
    yield VERDICT_HEAD
    yield "|---|---|---|---|---|---|---|"
    yield from (one.line() for one in wanted)
    yield ""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def mean_error(values: ArrayLike) -> tuple[float, float]:
    """Mean and its standard error, of what is not NaN."""
    held = np.asarray(values, float)
    held = held[np.isfinite(held)]
    error = held.std(ddof=1) / np.sqrt(len(held)) if len(held) > 1 else 0.0
    return float(held.mean()), float(error)
