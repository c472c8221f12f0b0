"""Which target a page speaks of: the race, the qualifying, the sprint; in the URL as ``?target=``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from f1core.wording import TARGET_NAMES, target_order
from pages.shell.choices import choose
from pages.shell.frame import App
from warehouse.queries.accuracy import backtest_scores, sealed_accuracy
from warehouse.vocab import Target


def event_target(event: dict[str, Any]) -> Target:
    """What is forecast of a weekend: the race, the qualifying, the sprint where there is one."""
    targets = [target.value for target in TARGET_NAMES if target is not Target.SPRINT or event["is_sprint"]]
    return _choose("Forecast of", targets, resets=("stage", "model"))


def scored_target(app: App) -> Target:
    """What is scored: the race, and every other target that has scores."""
    found = {Target.RACE.value, *app.read(backtest_scores, target=None)["target"]}
    found |= set(app.read(sealed_accuracy)["target"])
    return _choose("Forecasts of", target_order(found), resets=("stage",))


def _choose(label: str, targets: Sequence[str], resets: tuple[str, ...]) -> Target:
    words = {target.value: name for target, name in TARGET_NAMES.items()}
    chosen = choose(
        label, targets, "target", default=Target.RACE.value, words=words.__getitem__, resets=resets
    )
    return Target(chosen)
