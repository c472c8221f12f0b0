"""The rule by which a challenger may take a champion's place: not worse beyond noise on the same races.

Pure: scores in, a judgement out. Nothing here looks at how well a model does on races it learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from models.metrics import paired_difference

METRICS = ("win_log_loss", "mae_ranked", "top_ten_brier")
"""Scores a challenge is decided by, named before any was held. All are errors: smaller is better."""
METRIC_NAMES = {
    "win_log_loss": "win log loss",
    "mae_ranked": "places off",
    "top_ten_brier": "top-10 Brier",
}
MIN_RACES = 20
"""Fewer paired races cannot tell a worse model from bad luck."""
BOOTSTRAP_SEED = 1950


class Decision(StrEnum):
    """How a challenge ended, and why."""

    CURRENT = "current"
    FIRST = "first"
    CHAMPION_UNUSABLE = "champion_unusable"
    SAME_RECIPE = "same_recipe"
    NOT_WORSE = "not_worse"
    FORCED = "forced"
    WORSE = "worse"
    TOO_FEW_RACES = "too_few_races"
    ROLLED_BACK = "rolled_back"

    @property
    def promotes(self) -> bool:
        """Whether the challenger goes into production."""
        return self in _PROMOTING


_PROMOTING = frozenset(
    {
        Decision.FIRST,
        Decision.CHAMPION_UNUSABLE,
        Decision.SAME_RECIPE,
        Decision.NOT_WORSE,
        Decision.FORCED,
    }
)


@dataclass(frozen=True)
class Difference:
    """Champion and challenger on one score over the same races.

    Attributes:
        metric: One of :data:`METRICS`.
        champion: The champion's mean.
        challenger: The challenger's mean.
        difference: Challenger minus champion, mean over races; above zero the challenger is worse.
        low: Lower end of its 90 % bootstrap interval over races.
        high: Upper end.
        count: Races.
    """

    metric: str
    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    count: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``level`` when the interval holds zero."""
        if self.low > 0:
            return "worse"
        return "better" if self.high < 0 else "level"

    @property
    def words(self) -> str:
        """The difference as text: ``win log loss -0.012 [-0.050, +0.026]``."""
        return f"{METRIC_NAMES[self.metric]} {self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class Judgement:
    """What the walk-forward scores say.

    Attributes:
        decision: ``not_worse``, ``worse`` or ``too_few_races``.
        reason: The same in a sentence.
        differences: One per score; empty without a single paired race.
    """

    decision: Decision
    reason: str
    differences: tuple[Difference, ...]


def judge(pairs: pl.DataFrame) -> Judgement:
    """Judges a challenger of another recipe.

    Args:
        pairs: One row per race that both recipes forecast walk-forward: ``event_id``, ``kind`` (``backtest``, or
            ``sealed`` where the champion's score is that of a sealed forecast), and ``champion_<score>`` and
            ``challenger_<score>`` for each of :data:`METRICS`.
    """
    differences = tuple(found for metric in METRICS if (found := _difference(pairs, metric)) is not None)
    count = min((found.count for found in differences), default=0)
    sealed = pairs.filter(pl.col("kind") == "sealed").height
    over = f"over {count} races" + (f", {sealed} of them sealed live" if sealed else "")
    if count < MIN_RACES or len(differences) < len(METRICS):
        return Judgement(
            Decision.TOO_FEW_RACES,
            f"The recipes differ, and only {count} races have a walk-forward score by both; {MIN_RACES} are needed.",
            differences,
        )
    worse = [found.words for found in differences if found.verdict == "worse"]
    if worse:
        return Judgement(Decision.WORSE, f"Worse beyond noise {over}: {', '.join(worse)}.", differences)
    words = ", ".join(found.words for found in differences)
    return Judgement(Decision.NOT_WORSE, f"Not worse beyond noise {over}: {words}.", differences)


def _difference(pairs: pl.DataFrame, metric: str) -> Difference | None:
    both = pairs.select(champion=f"champion_{metric}", challenger=f"challenger_{metric}").drop_nulls()
    champion, challenger = both["champion"].to_numpy(), both["challenger"].to_numpy()
    found = paired_difference(challenger, champion, BOOTSTRAP_SEED)
    if found is None:
        return None
    return Difference(
        metric,
        float(champion.mean()),
        float(challenger.mean()),
        found.mean,
        found.low,
        found.high,
        found.count,
    )
