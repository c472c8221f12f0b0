"""Was it the right call? What a driver did in a past race against the best five strategies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from f1core.strategy.edits import BadEdit, WhatIf, plan_text
from f1core.strategy.habits import HABITS, Habits
from f1core.strategy.optimiser import Ranked, Ranking, optimise

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup


MARGIN_PLACES = 0.25
"""A loss of fewer places is a tie even where the draws tell it apart: the parameters are not known that well."""


class Verdict(StrEnum):
    """What the comparison says."""

    BEST = "best"
    """Nothing that was tried is better."""
    TIE = "tie"
    """Something is ahead on average, but cannot be told apart from it, or by too little to matter."""
    WORSE = "worse"
    """Something is better by more than the Monte Carlo error, and by enough to matter."""
    UNKNOWN = "unknown"
    """What was done cannot be compared: it broke a rule over the full distance."""


@dataclass(frozen=True)
class Review:
    """The judgement on one driver's race.

    Attributes:
        ranking: The best five, and what was done (``ranking.own``).
        verdict: The judgement.
        places_lost: Mean places lost against the best strategy; 0 at best. None when unknown.
        places_error: Standard error of it (Monte Carlo, same draws).
        time_lost_s: Mean race time lost against it [s]; negative when what was done is quicker.
        time_error_s: Standard error of it [s].
        better: Strategies of the five that are better by more than the error and the margin.
        words: The judgement in a sentence.
    """

    ranking: Ranking
    verdict: Verdict
    places_lost: float | None
    places_error: float | None
    time_lost_s: float | None
    time_error_s: float | None
    better: tuple[Ranked, ...]
    words: str


def review(
    setup: RaceSetup,
    driver: str,
    what_if: WhatIf | None = None,
    *,
    runs: int = 300,
    seed: int = 1,
    habits: Habits = HABITS,
) -> Review:
    """Compare what a driver did with the best five strategies.

    Args:
        setup: A past race.
        driver: The driver.
        what_if: Scenario; the real safety cars and weather when None.
        runs: Simulations of each strategy, N.
        seed: Seed of the common random numbers.
        habits: What is modelled of the gap between free air and what teams do.

    Raises:
        BadEdit: The race was not run yet, the driver does not race in it, or the scenario cannot run.
        IllegalPlan: A changed plan of the scenario breaks a rule.
    """
    if not setup.is_past:
        raise BadEdit("event", "This race was not run yet: there is no call to judge.")
    ranking = optimise(setup, driver, what_if, runs=runs, seed=seed, habits=habits)
    own, best = ranking.own, ranking.top[0]
    if own is None:
        done = plan_text(setup.plans[driver])
        words = f"What was done ({done}) keeps no rule over the full distance, so it cannot be compared."
        return Review(ranking, Verdict.UNKNOWN, None, None, None, None, (), words)
    lost = own.to_best
    ahead = own.expected.mean_position <= best.expected.mean_position
    is_tie = lost.is_tie or -lost.places_gained < MARGIN_PLACES
    verdict = Verdict.BEST if ahead else Verdict.TIE if is_tie else Verdict.WORSE
    better = tuple(
        one
        for one in ranking.top
        if verdict == Verdict.WORSE and one.expected.mean_position < own.expected.mean_position and one.is_tie
    )
    return Review(
        ranking=ranking,
        verdict=verdict,
        places_lost=-lost.places_gained,
        places_error=lost.places_error,
        time_lost_s=-lost.time_gained_s,
        time_error_s=lost.time_error_s,
        better=better,
        words=_words(verdict, own, best),
    )


def _words(verdict: Verdict, own: Ranked, best: Ranked) -> str:
    lost = own.to_best
    if verdict == Verdict.BEST:
        return f"The right call: none of the strategies tried beats {own.text}."
    places = f"{-lost.places_gained:.1f} ± {lost.places_error:.1f} places"
    if verdict == Verdict.TIE:
        why = "within the Monte Carlo error" if lost.is_tie else f"less than {MARGIN_PLACES:g} places"
        return f"As good as any: {best.text} is ahead by {places}, which is {why}."
    return f"Not the best call: {best.text} would have brought {places} on average."
