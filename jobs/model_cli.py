"""Commands about models: ``train``, ``backtest``, ``accuracy`` and ``drift``."""

from __future__ import annotations

from typing import Annotated

import typer

from f1core.workspace import Workspace
from jobs.options import AsJson, AsOf, TargetOption, answer, workspace
from jobs.progress import progress_report
from warehouse.vocab import Stage, Target

Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=256, help="Processes at most; without it PARCFERME_WORKERS."),
]


def _with_workers(work: Workspace, workers: int | None) -> Workspace:
    if workers is None:
        return work
    return Workspace(work.settings.model_copy(update={"workers": workers}), work.clock)


def train(
    stage: Annotated[
        list[Stage] | None, typer.Option("--stage", help="Only these stages; repeatable.")
    ] = None,
    target: Annotated[
        list[Target] | None,
        typer.Option("--target", help="Only race or qualifying; repeatable. Sprints have the race's models."),
    ] = None,
    workers: Workers = None,
    force_promote: Annotated[
        bool,
        typer.Option(
            "--force-promote",
            help="Put the new models into production whatever the comparison says; the record says so.",
        ),
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Train models of every target and stage on all results; they go into production if they are not worse.

    What is compared is the walk-forward score on settled races, never the fit to races that were learned from. A stage
    that is current is left; a model that was refused is not tried again until facts or code have changed.

    Example: python -m jobs train --workers 2
    """
    from f1core.challenge_records import summary
    from f1core.retraining import challenge_words, retrain
    from f1core.targets import TRAINED, rules_of
    from f1core.training import extract_missing, trained_places

    work = _with_workers(workspace(as_of), workers)
    targets = tuple(dict.fromkeys(rules_of(one).learns_from for one in target or TRAINED))
    places = trained_places(tuple(stage or Stage), targets)
    stages = tuple(one for one in Stage if one in {stage for _, stage in places})
    with progress_report(quiet=as_json) as report:
        if work.is_live:
            report("features", "", 0, work.labels["event_id"].n_unique() * len(stages))
            extract_missing(work, stages, lambda words, done: report("features", words, done, None))
        report("models", "", 0, len(places))
        done = retrain(
            work,
            stages=stages,
            targets=targets,
            force=force_promote,
            progress=lambda words, count: report("models", words, count, None),
        )
    answer(summary(done), as_json, "\n".join(challenge_words(one) for one in done))


def backtest(
    from_season: Annotated[
        int | None, typer.Option("--from", help="First season; without it the last 24 events.")
    ] = None,
    until_season: Annotated[
        int | None, typer.Option("--until", help="Last season, with --from; without it the newest.")
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            "--compare", help="A model no longer in production, fitted and scored beside ours; repeatable."
        ),
    ] = None,
    target: TargetOption = Target.RACE,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Forecast past races, qualifyings and sprints walk-forward and score them beside grid, points and Elo.

    It goes on where it was stopped. Every target is backtested; --target says whose scores are printed. Over whole seasons
    its progress is on the health page.

    Examples: python -m jobs backtest --from 2022 ; python -m jobs backtest --from 2022 --compare rf_xgb
    """
    from f1core.backtest import comparable
    from f1core.build import run_backtest
    from jobs.tables import score_text, scores_data

    names = tuple(dict.fromkeys(compare or ()))
    if unknown := [name for name in names if name not in comparable()]:
        known = ", ".join(comparable()) or "none"
        raise typer.BadParameter(
            f"{', '.join(unknown)} cannot be compared; known: {known}.", param_hint="--compare"
        )
    if until_season is not None and from_season is None:
        raise typer.BadParameter("A last season needs a first one.", param_hint="--until")
    work = _with_workers(workspace(), workers)
    with progress_report(quiet=as_json) as report:
        run_backtest(work, report, from_season=from_season, until_season=until_season, compare=names)
    answer(
        scores_data(work.reader, from_season, target), as_json, score_text(work.reader, from_season, target)
    )


def accuracy(
    target: TargetOption = Target.RACE,
    from_season: Annotated[
        int | None, typer.Option("--from", help="First season; without it all there are.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how good forecasts were: those sealed before the session, and those of the backtest, never added up.

    Example: python -m jobs accuracy --target qualifying
    """
    from jobs.tables import score_text, scores_data, sealed_data, sealed_text

    reader = workspace().reader
    data = {
        "target": target.value,
        "sealed": sealed_data(reader, from_season, target),
        "backtest": scores_data(reader, from_season, target),
    }
    parts = (sealed_text(reader, from_season, target), score_text(reader, from_season, target))
    answer(data, as_json, "\n\n".join(parts))


def drift(as_json: AsJson = False) -> None:
    """Measure whether features of the last races, or the forecasts' calibration, have drifted from what was before.

    Example: python -m jobs drift
    """
    from f1core.drift import measure_drift
    from jobs.drift_text import drift_text

    found = measure_drift(workspace())
    data = {
        "count_events": found.count_events,
        "count_scored": found.count_scored,
        "drifting_features": found.drifting_features,
        "drifting_calibration": [
            {"stage": stage, "measure": measure} for stage, measure in found.drifting_calibration
        ],
        "features": found.features.to_dicts(),
        "calibration": found.calibration.to_dicts(),
    }
    answer(data, as_json, drift_text(found))
