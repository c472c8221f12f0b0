"""The figures that the forecasts must reach, as the issue prints them, and how each is judged.

Binding is the paired difference in one run: ours minus the baseline must not be worse than the figure minus the baseline as
printed. The point estimate decides, the interval is reported. Where nothing is printed for the baseline, our own value is
held against the figure.
"""

from __future__ import annotations

from dataclasses import dataclass

RACES_2023 = "2023–2026"
RACES_2024 = "2024–2026"


@dataclass(frozen=True)
class At:
    """A value of our own, as printed."""

    value: float

    def words(self, sign: str) -> str:
        return f"{sign} {self.value:g}"


@dataclass(frozen=True)
class Margin:
    """A difference to the baseline, as printed."""

    value: float
    is_strict: bool = False

    def words(self, sign: str) -> str:
        if self.is_strict:
            return "below the baseline"
        return f"{sign} baseline {self.value:+g}" if self.value else f"{sign} baseline"


@dataclass(frozen=True)
class Share:
    """A difference to the baseline as a share of it: -0.2 is a fifth less."""

    value: float

    def words(self, sign: str) -> str:
        return f"{sign} baseline {self.value:+.0%}"


@dataclass(frozen=True)
class Within:
    """A range for our own value."""

    low: float
    high: float

    def words(self, _sign: str) -> str:
        return f"{self.low:g}–{self.high:g}"


Gate = At | Margin | Share | Within


@dataclass(frozen=True)
class Figure:
    """One figure of the issue, over one window.

    Attributes:
        title: What people read.
        target: What is forecast.
        stage: The stage.
        metric: As in ``benchmarks/accuracy.py``.
        window: Seasons.
        baseline: What we are compared with.
        printed: Its value in the issue; None where nothing is printed.
        must: What must be reached.
        aim: What is aimed at.
        is_higher_better: Direction.
        is_weak: Whether the issue calls it a weak gate.
    """

    title: str
    target: str
    stage: str
    metric: str
    window: str
    baseline: str
    printed: float | None
    must: Gate
    aim: Gate
    is_higher_better: bool = False
    is_weak: bool = False

    def limit(self, gate: Gate, baseline_here: float | None) -> float | None:
        """The binding difference of a gate; None where our own value is held against it."""
        if isinstance(gate, Margin):
            return gate.value
        if isinstance(gate, Share):
            return None if baseline_here is None else gate.value * baseline_here
        if isinstance(gate, At) and self.printed is not None:
            return gate.value - self.printed
        return None

    def is_met(
        self, gate: Gate, ours: float, baseline_here: float | None, difference: float | None
    ) -> bool | None:
        """Whether a gate is met; None where what it takes was not measured."""
        if isinstance(gate, Within):
            return gate.low <= ours <= gate.high
        limit = self.limit(gate, baseline_here)
        if limit is None:
            if not isinstance(gate, At) or self.printed is not None:
                return None
            return _reaches(ours, gate.value, self.is_higher_better)
        if difference is None:
            return None
        if isinstance(gate, Margin) and gate.is_strict:
            return difference < limit
        return _reaches(difference, limit, self.is_higher_better)


def _reaches(value: float, limit: float, is_higher_better: bool) -> bool:
    # Figures are printed with three decimals: a last bit of arithmetic decides nothing.
    return value >= limit - 1e-9 if is_higher_better else value <= limit + 1e-9


def _race(
    title: str,
    metric: str,
    baseline: str,
    *lines: tuple[str, float | None, Gate, Gate],
    higher: bool = False,
    weak: bool = False,
    stage: str = "pre_race",
) -> list[Figure]:
    return [
        Figure(title, "race", stage, metric, window, baseline, printed, must, aim, higher, weak)
        for window, printed, must, aim in lines
    ]


FIGURES: tuple[Figure, ...] = (
    *_race(
        "win log loss",
        "win_log_loss",
        "grid",
        (RACES_2023, 1.351, At(1.12), At(1.00)),
        (RACES_2024, 1.304, Margin(-0.02), At(1.20)),
    ),
    *_race(
        "win Brier, summed",
        "win_brier",
        "grid",
        (RACES_2023, 0.610, At(0.53), At(0.48)),
        (RACES_2024, 0.606, Margin(0.0), At(0.57)),
    ),
    *_race(
        "winner right",
        "winner_right",
        "grid",
        (RACES_2023, 0.603, Margin(0.0), At(0.68)),
        (RACES_2024, 0.589, Margin(0.0), At(0.63)),
        higher=True,
        weak=True,
    ),
    *_race(
        "podium overlap",
        "podium_overlap",
        "grid",
        (RACES_2023, 0.679, Margin(-0.01), At(0.70)),
        (RACES_2024, 0.690, Margin(-0.01), At(0.72)),
        higher=True,
        weak=True,
    ),
    *_race(
        "MAE all starters, ranked",
        "mae_ranked",
        "grid",
        (RACES_2023, 3.270, At(3.12), At(3.03)),
        (RACES_2024, 3.106, Margin(0.0, is_strict=True), At(2.97)),
    ),
    *_race(
        "MAE all starters, raw (slot median)",
        "mae_raw",
        "grid",
        (RACES_2023, 3.065, At(2.86), At(2.76)),
        (RACES_2024, 2.926, At(2.84), At(2.74)),
    ),
    *_race(
        "MAE finishers, raw (slot median)",
        "mae_raw_finishers",
        "grid",
        (RACES_2023, 2.520, At(2.29), At(2.18)),
        (RACES_2024, 2.395, At(2.28), At(2.18)),
    ),
    *_race(
        "Spearman",
        "spearman",
        "grid",
        (RACES_2023, 0.664, At(0.690), At(0.715)),
        (RACES_2024, 0.691, At(0.700), At(0.72)),
        higher=True,
    ),
    *_race("top-10 Brier", "top_ten_brier", "grid", (RACES_2023, 0.159, At(0.145), At(0.138))),
    *_race(
        "top-10 accuracy",
        "top_ten_accuracy",
        "grid",
        (RACES_2023, 0.781, At(0.79), At(0.81)),
        higher=True,
    ),
    *_race(
        "DNF log loss",
        "dnf_log_loss",
        "base_rate",
        (RACES_2023, 0.343, Margin(-0.008), Margin(-0.014)),
        (RACES_2024, 0.344, Margin(-0.008), Margin(-0.014)),
    ),
    *_race("ECE win", "ece_win", "grid", (RACES_2023, 0.013, At(0.02), At(0.012))),
    *_race("ECE top 10", "ece_top_ten", "grid", (RACES_2023, 0.031, At(0.035), At(0.02))),
    *_race(
        "80 % interval covers",
        "interval_coverage",
        "grid",
        (RACES_2023, None, Within(0.76, 0.86), Within(0.78, 0.82)),
        (RACES_2024, None, Within(0.76, 0.86), Within(0.78, 0.82)),
    ),
    *_race(
        "gap to the winner, lead lap, MAE s",
        "gap_mae_s",
        "median_gap",
        (RACES_2023, None, Margin(0.0, is_strict=True), Share(-0.2)),
        (RACES_2024, None, Margin(0.0, is_strict=True), Share(-0.2)),
    ),
    *_race(
        "win log loss",
        "win_log_loss",
        "points",
        (RACES_2023, 1.621, At(1.47), At(1.38)),
        stage="pre_qualifying",
    ),
    *_race(
        "MAE ranked",
        "mae_ranked",
        "points",
        (RACES_2023, 3.794, At(3.63), At(3.52)),
        stage="pre_qualifying",
    ),
    *_race("MAE raw", "mae_raw", "points", (RACES_2023, None, At(3.30), At(3.15)), stage="pre_qualifying"),
    *_race(
        "top-10 Brier",
        "top_ten_brier",
        "points",
        (RACES_2023, 0.174, At(0.162), At(0.155)),
        stage="pre_qualifying",
    ),
    Figure(
        "position MAE, all practice",
        "qualifying",
        "pre_qualifying",
        "mae_ranked",
        RACES_2023,
        "recent_average",
        3.23,
        At(2.90),
        At(2.70),
    ),
    Figure(
        "pole right",
        "qualifying",
        "pre_qualifying",
        "winner_right",
        RACES_2023,
        "last_practice",
        0.432,
        At(0.42),
        At(0.47),
        is_higher_better=True,
    ),
)
"""Every figure of the issue that the backtest measures; the title odds have ``benchmarks/championship.py``."""
