"""Commands about models: ``train``, ``backtest`` and ``drift``."""

from __future__ import annotations

from typing import Annotated

import typer

from f1core.workspace import Workspace
from jobs.options import AsJson, AsOf, answer, workspace
from jobs.progress import progress_report
from warehouse.vocab import Stage

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
    """Train models of every stage on all results; they go into production if they are not worse than those there.

    What is compared is the walk-forward score on settled races, never the fit to races that were learned from. A stage
    that is current is left; a model that was refused is not tried again until facts or code have changed.

    Example: python -m jobs train --workers 2
    """
    from f1core.challenge_records import summary
    from f1core.retraining import challenge_words, retrain
    from f1core.training import extract_missing

    work = _with_workers(workspace(as_of), workers)
    stages = tuple(stage or Stage)
    with progress_report(quiet=as_json) as report:
        if work.is_live:
            report("features", "", 0, work.labels["event_id"].n_unique() * len(stages))
            extract_missing(work, stages, lambda words, done: report("features", words, done, None))
        report("models", "", 0, len(stages))
        done = retrain(
            work,
            stages=stages,
            force=force_promote,
            progress=lambda words, count: report("models", words, count, None),
        )
    answer(summary(done), as_json, "\n".join(challenge_words(one) for one in done))


def backtest(
    from_season: Annotated[
        int | None, typer.Option("--from", help="First season; without it the last 24 races.")
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Forecast past races walk-forward and score them beside grid, points and Elo; goes on where it was stopped.

    Example: python -m jobs backtest --from 2022
    """
    from f1core.build import run_backtest
    from jobs.tables import score_text, scores_data

    work = _with_workers(workspace(), workers)
    with progress_report(quiet=as_json) as report:
        run_backtest(work, report, from_season=from_season)
    answer(scores_data(work.reader, from_season), as_json, score_text(work.reader, from_season))


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
