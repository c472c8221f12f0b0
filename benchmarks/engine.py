"""What each ingredient of the joint model is worth, on the seasons choices are made on: ``python benchmarks/engine.py [DATA]``.

Walk-forward over 2014–2021 (never later), refitted before every fifth race, features and labels as production has them. Every
variant differs from the production model in one thing. ``--stage``, ``--target`` and ``--only NAME`` narrow it down;
``--samples`` trades precision for time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

import models.joint
from f1core.clock import Clock
from f1core.features.registry import REGISTRY, feature_names
from f1core.settings import load_settings
from f1core.targets import rules_of
from f1core.training import SEED, TrainingData, training_data
from f1core.workspace import Workspace
from models.joint import JointOrderModel
from models.joint_settings import QUALIFYING, JointSettings
from models.metrics import score_events
from models.order_simulation import RaceNoise
from models.order_terms import TERM_BY_NAME
from warehouse.vocab import Stage, Target

FIRST, LAST = 2014, 2021
REFIT_EVERY = 5
SCORES = {
    "win_log_loss": "win log loss",
    "win_brier": "win Brier",
    "podium_overlap": "podium",
    "mae_ranked": "MAE ranked",
    "mae_raw": "MAE raw",
    "mae_raw_finishers": "fin. raw",
    "spearman": "Spearman",
    "top_ten_accuracy": "top 10",
    "top_ten_brier": "top-10 Brier",
    "interval_coverage": "80 % covers",
    "dnf_log_loss": "DNF log loss",
}
Variant = tuple[JointSettings, tuple[str, ...]]


def variants(base: JointSettings) -> dict[str, Variant]:
    """Settings and terms by name, production first."""
    terms = tuple(TERM_BY_NAME)

    def without(*names: str) -> tuple[str, ...]:
        return tuple(name for name in terms if name not in names)

    def noise(**changes: float) -> JointSettings:
        return replace(base, noise=replace(base.noise, **changes))

    own = {"own_win": 1.0, "own_podium": 1.0, "own_points": 1.0, "points_sharpness": 1.0}
    return {
        "production": (base, terms),
        "no trees": (replace(base, tree_share=0.0, linear_share=1.0), terms),
        "trees as strong as terms": (replace(base, tree_share=0.6, linear_share=0.55), terms),
        "trees alone": (replace(base, tree_share=1.28, linear_share=0.0), terms),
        "no race pace from laps": (base, without("race_pace")),
        "grid alike at all circuits": (base, without("grid_by_circuit")),
        "no practice": (base, without("practice_best", "practice_mean")),
        "no last session": (base, without("last_session")),
        "no ratings": (base, without("pace", "driver_pace", "race_pace", "elo")),
        "no form and standings": (
            base,
            without("form", "constructor_form", "team_mate_beaten", "newcomer", "championship"),
        ),
        "no leaning on slots": (replace(base, **own), terms),
        "a fifth of slots for the winner": (replace(base, own_win=0.8), terms),
        "half slots for the winner": (replace(base, own_win=0.5), terms),
        "no mishaps": (noise(mishap_rate=0.0), terms),
        "no form common to team mates": (noise(team_share=0.0), terms),
        "less chance": (noise(spread=base.noise.spread - 0.1), terms),
        "more chance": (noise(spread=base.noise.spread + 0.1), terms),
        "Gumbel instead of normal chance": (base, terms),
        "nobody retires": (replace(base, retires=False), terms),
        "half-life of 40 races": (replace(base, half_life=40.0), terms),
        "half-life of 200 races": (replace(base, half_life=200.0), terms),
    }


@contextmanager
def gumbel_chance(is_wanted: bool) -> Iterator[None]:
    """Draws orders as the Plackett–Luce chain itself would: Gumbel noise, no mishaps, nothing in common."""
    if not is_wanted:
        yield
        return
    simulate = models.joint.simulate

    def gumbel(strength, hazard, teams, _noise, samples, rng):  # type: ignore[no-untyped-def]
        chance = RaceNoise(spread=1e-9, team_share=0.0, mishap_rate=0.0)
        shape = (samples, len(strength))
        drawn = [simulate(one, hazard, teams, chance, 1, rng) for one in strength + rng.gumbel(size=shape)]
        return models.joint.SampledOrders(
            np.concatenate([one.places for one in drawn]),
            np.concatenate([one.retired for one in drawn]),
            np.full(samples, 1.0 / samples),
        )

    models.joint.simulate = gumbel
    try:
        yield
    finally:
        models.joint.simulate = simulate


def walk_forward(
    data: TrainingData, stage: Stage, fresh: Callable[[], JointOrderModel]
) -> tuple[pl.DataFrame, float]:
    """Forecasts of all choice seasons, and the seconds of CPU spent."""
    order = list(data.known_at)
    began = time.process_time()
    model, made = None, []
    for place, event in enumerate(order):
        season = int(event[:4])
        if season > LAST:
            break
        if season < FIRST:
            continue
        if model is None or place % REFIT_EVERY == 0:
            past = data.before(data.known_at[event])
            model = fresh().fit(past.features, past.labels)
        made.append(model.predict(data.features.filter(event_id=event), seed=SEED))
    return pl.concat(made), time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--stage", type=Stage, default=Stage.PRE_RACE)
    parser.add_argument("--target", type=Target, default=Target.RACE)
    parser.add_argument("--only", action="append", help="a variant; repeatable")
    parser.add_argument("--samples", type=int, default=4000)
    asked = parser.parse_args()
    work = Workspace(load_settings(**({"data": asked.data} if asked.data else {})), Clock.system())
    data = training_data(work, asked.stage, asked.target)
    base = QUALIFYING if rules_of(asked.target).learns_from is Target.QUALIFYING else JointSettings()
    groups = {found.name: found.group for found in REGISTRY.values()}
    nothing = {"gap_s": pl.lit(None, pl.Float64), "race_time_s": pl.lit(None, pl.Float64)}
    print(f"{asked.target.value}, {asked.stage.value}, {FIRST}–{LAST}, {asked.samples} orders a race\n")
    print("| variant | " + " | ".join(SCORES.values()) + " | CPU s |")
    print("|" + "---|" * (len(SCORES) + 2))
    for name, (settings, terms) in variants(base).items():
        if asked.only and name not in asked.only:
            continue

        def fresh(settings: JointSettings = settings, terms: tuple[str, ...] = terms) -> JointOrderModel:
            return JointOrderModel(
                feature_names=feature_names(asked.stage),
                feature_groups=groups,
                settings=settings,
                terms=terms,
                samples=asked.samples,
                seed=SEED,
            )

        with gumbel_chance(name.startswith("Gumbel")):
            made, seconds = walk_forward(data, asked.stage, fresh)
        labels = data.labels.filter(pl.col("event_id").is_in(made["event_id"].unique().to_list()))
        scores = score_events(made.with_columns(**nothing), labels)
        means = [scores[column].mean() for column in SCORES]
        numbers = ["–" if mean is None else f"{mean:.4f}" for mean in means]
        print(f"| {name} | " + " | ".join(numbers) + f" | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
