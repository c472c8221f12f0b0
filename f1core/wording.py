"""What pages, exports and charts call things: models, stages and scores in the words people read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from f1core.targets import PRODUCTION_MODEL
from models.catalogue import BASELINES
from warehouse.vocab import Stage, Target

BASELINE_NAMES = {"grid": "Grid order", "points": "Points order", "elo": "Elo"}
COMPARED_NAMES = {"rf_xgb": "RF + XGB"}
"""Recipes that are fitted for comparison only (``python -m jobs backtest --compare``)."""
SHORT_NAMES = {"grid": "grid", "points": "points", "elo": "Elo", "rf_xgb": "RF + XGB"}
"""Where a word must do, e.g. under a number."""
BASELINE_WORDS = {
    "grid": "everyone finishes where they start, with the frequencies each grid slot has had",
    "points": "everyone finishes in championship order",
    "elo": "everyone finishes in order of driver and car ratings won head to head",
    "rf_xgb": "random forest and boosted trees on form features, the recipe most projects use",
}
OUR_MODEL = "Parc Fermé"

STAGE_KNOWS: dict[str, str] = {
    Stage.PRE_WEEKEND: "before the first practice: form and ratings only",
    Stage.PRE_QUALIFYING: "after practice, before qualifying",
    Stage.POST_QUALIFYING: "after qualifying; grid penalties not yet known",
    Stage.PRE_RACE: "half an hour before the start, with the final grid",
}
"""What a forecast of each stage could know, as it follows the name of the stage."""

KIND_NAMES = {
    "backtest": "Backtest – never sealed",
    "provisional": "Provisional forecast",
    "sealed": "Sealed forecast",
}
"""Kinds of stored forecasts; of those an event has, the last in this order counts."""
KIND_WORDS = {
    "backtest": "Computed afterwards by a model that had seen only earlier races. It was never published beforehand.",
    "provisional": "Computed before the race and still changing as facts come in. It is not sealed.",
    "sealed": "Sealed before the session it forecasts, and unchanged since.",
}


DECISION_NAMES = {
    "first": "Promoted: the first",
    "champion_unusable": "Promoted: the old one was unusable",
    "same_recipe": "Promoted: same recipe, more data",
    "not_worse": "Promoted: not worse",
    "forced": "Promoted by hand",
    "worse": "Refused: worse",
    "too_few_races": "Refused: too few races",
}
"""How challenges end, in ``model_challenges``."""
MEASURE_NAMES = {"win_log_loss": "Winner's log loss", "top_ten_error": "Top-10 calibration error"}
"""Rolling measures of calibration, in ``calibration_drift``."""


TARGET_NAMES = {Target.RACE: "Race", Target.QUALIFYING: "Qualifying", Target.SPRINT: "Sprint"}
"""What is forecast, in the order pages list it."""
OUTCOME_WORDS = {
    Target.RACE: ("Win", "Podium", "Points"),
    Target.QUALIFYING: ("Pole", "Top 3", "Top 10"),
    Target.SPRINT: ("Win", "Top 3", "Top 10"),
}
"""What first place, the first three and the first ten are called."""
TERM_NAMES = {
    "field middle": "the middle of the field",
    "grid": "the starting place",
    "qualifying": "the qualifying",
    "practice": "the practice",
    "sprint": "the sprint",
    "ratings": "pace and ratings",
    "qualifying history": "earlier qualifyings",
    "form": "his recent results",
    "constructor form": "the team's recent results",
    "standings": "the championship standings",
    "circuit": "the circuit",
    "calendar": "field and calendar",
}
"""Groups of features as a sentence has them; of all other reasons the words are the name without underscores."""


def term_name(term: str) -> str:
    """The words people read for a reason of ``forecast_contributions``, as a label."""
    words = _term_words(term).removeprefix("the ")
    return words[:1].upper() + words[1:]


def _term_words(term: str) -> str:
    return TERM_NAMES.get(term, term.replace("_", " "))


def places_text(places: float) -> str:
    """Places with their sign, as contributions are written: ``+0.8``, ``−1.2``; below zero is forward."""
    rounded = round(places, 1)
    return f"{'−' if rounded < 0 else '+' if rounded > 0 else '±'}{abs(rounded):.1f}"


def contribution_words(term: str, places: float) -> str:
    """A contribution as a sentence has it: ``+0.8 places from the qualifying gap``."""
    return f"{places_text(places)} places from {_term_words(term)}"


def target_order(targets: Iterable[str]) -> list[str]:
    """Targets as they are listed everywhere: the race first."""
    found = set(targets)
    return [target.value for target in TARGET_NAMES if target.value in found]


def model_name(model: str) -> str:
    """The name people read for a model; everything that is neither a baseline nor only compared is ours."""
    return COMPARED_NAMES[model] if _is_compared(model) else BASELINE_NAMES.get(model, OUR_MODEL)


def _is_compared(model: str) -> bool:
    return model in COMPARED_NAMES and model != PRODUCTION_MODEL


def model_order(models: Iterable[str]) -> list[str]:
    """Models as they are listed everywhere: ours first, then what is only compared, then the baselines."""
    found = set(models)
    own = sorted(found - set(BASELINES), key=lambda name: (_is_compared(name), name))
    return own + [name for name in BASELINES if name in found]


def stage_order(stages: Iterable[str]) -> list[str]:
    """Stages from the one that knows most to the one that knows least."""
    found = set(stages)
    return [stage.value for stage in reversed(Stage) if stage.value in found]


@dataclass(frozen=True)
class Score:
    """How a score is shown.

    Attributes:
        column: Its column in ``backtest_scores``.
        name: What people read over a number.
        subject: What it measures, as it stands in a sentence.
        definition: One sentence.
        format: As in ``format(value, …)``.
        unit: Follows the number; empty for none.
        is_higher_better: False for errors.
        is_skill: Whether models are ranked by it; the coverage of an interval is right or wrong, not high or low.
    """

    column: str
    name: str
    subject: str
    definition: str
    format: str
    unit: str = ""
    is_higher_better: bool = False
    is_skill: bool = True

    @property
    def title(self) -> str:
        """Its name with the unit."""
        return f"{self.name} [{self.unit}]" if self.unit == "s" else self.name

    def number(self, value: float | None) -> str:
        """A value without its unit; a dash when there is none."""
        return "–" if value is None else format(value, self.format)

    def text(self, value: float | None) -> str:
        """A value with its unit; a dash when there is none."""
        return self.number(value) + (f" {self.unit}" if self.unit and value is not None else "")


SCORES = (
    Score(
        "winner_right",
        "Winner named",
        "naming the winner",
        "Share of races in which the driver with the highest win probability won.",
        ".0%",
        is_higher_better=True,
    ),
    Score(
        "winner_in_top_three",
        "Winner in top three",
        "having the winner in the top three",
        "Share of races whose winner was among the first three of the predicted order.",
        ".0%",
        is_higher_better=True,
    ),
    Score(
        "podium_overlap",
        "Podium hits",
        "the podium",
        "Share of the three likeliest podium finishers that finished on it.",
        ".0%",
        is_higher_better=True,
    ),
    Score(
        "top_ten_accuracy",
        "Top ten sorted",
        "sorting the top ten",
        "Share of starters on the right side when ten are picked for the points.",
        ".0%",
        is_higher_better=True,
    ),
    Score(
        "mae_ranked",
        "Places off",
        "the finishing order",
        "Mean distance between predicted and official place, all starters; retirements count as last.",
        ".2f",
        "places",
    ),
    Score(
        "mae_ranked_finishers",
        "Places off, finishers",
        "the order of the finishers",
        "The same over classified finishers only.",
        ".2f",
        "places",
    ),
    Score(
        "win_log_loss",
        "Win log loss",
        "win probabilities",
        "Minus the logarithm of the probability the winner was given: 0 is certainty, 3.0 is picking 1 in 20 blindly.",
        ".2f",
    ),
    Score(
        "win_brier",
        "Win Brier",
        "win probabilities (Brier)",
        "Squared error of the win probabilities, summed over the field.",
        ".3f",
    ),
    Score(
        "top_ten_brier",
        "Points Brier",
        "points probabilities",
        "Mean squared error of the points probabilities.",
        ".3f",
    ),
    Score(
        "spearman",
        "Rank correlation",
        "rank correlation",
        "Spearman correlation of predicted and official order: 1 is the same order, 0 is chance.",
        ".2f",
        is_higher_better=True,
    ),
    Score(
        "interval_coverage",
        "Inside 80 % range",
        "the width of its ranges",
        "Share of starters that finished inside their 80 % range; 80 % is right, more is too timid.",
        ".0%",
        is_higher_better=True,
        is_skill=False,
    ),
    Score(
        "gap_mae_s", "Gap off", "gaps", "Mean error of the gap to the winner, lead-lap finishers.", ".1f", "s"
    ),
    Score(
        "time_mae_s", "Time off", "race times", "Mean error of the race time, lead-lap finishers.", ".0f", "s"
    ),
    Score(
        "dnf_log_loss",
        "DNF log loss",
        "retirements",
        "Minus the logarithm of the probability given to what happened, retired or not, mean over starters.",
        ".3f",
    ),
)
"""Every score on the pages, in the order shown."""

SCORE_BY_COLUMN = {score.column: score for score in SCORES}
