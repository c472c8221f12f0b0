"""Commands of the scheduler: ``run``, and the hidden one by which it makes each run in a process of its own."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from f1core.agenda import Job
from f1core.settings import get_settings
from jobs.options import AsJson, answer

PATIENT = 15
"""Niceness of what can wait: everything else on the machine goes before it."""


def run(
    once: Annotated[bool, typer.Option("--once", help="Make what is due now, then stop.")] = False,
    show: Annotated[
        bool, typer.Option("--list", help="Only show what is planned in the next two weeks.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Work through the agenda until told to stop: fetch, extract, seal, settle, retrain, forecast. One runner at a time.

    Missed runs are made up for once; a seal that was missed is recorded and never made late.

    Examples: python -m jobs run ; python -m jobs run --once ; python -m jobs run --list
    """
    from jobs.scheduler import Scheduler, only_runner

    if show:
        data, text = _agenda()
        answer(data, as_json, text)
        return
    with only_runner(get_settings()):
        scheduler = Scheduler(get_settings())
        if not once:
            code = scheduler.run()
            if code:
                raise SystemExit(code)
            return
        scheduler.listen()
        made = scheduler.catch_up()
    lines = [f"{row.key}: {row.status.value}. {row.error or row.note or ''}".rstrip() for row in made]
    answer(
        [{"key": row.key, "status": row.status.value, "error": row.error, "note": row.note} for row in made],
        as_json,
        "\n".join(lines) or "Nothing is due.",
    )
    if scheduler.signal:
        raise SystemExit(128 + scheduler.signal)


def run_task(
    planned: Annotated[str, typer.Argument(help="The run, as the scheduler writes it.")],
) -> None:
    """Make one run of the agenda in this process and say how it ended; the scheduler calls this.

    Example: python -m jobs run-task '{"key": "calendar@…", "job": "calendar", …}'
    """
    from f1core.installed_sources import InstalledSources
    from jobs.child import die_with_runner, report, unpacked
    from jobs.options import workspace
    from jobs.tasks import InProcess

    die_with_runner()
    run = unpacked(planned)
    if run.job is Job.BACKTEST and hasattr(os, "nice"):
        os.nice(PATIENT)
    report(InProcess(lambda: workspace(None), InstalledSources(get_settings()))(run))


def _agenda() -> tuple[list[dict[str, Any]], str]:
    from f1core.job_status import coming_runs
    from jobs.job_tables import agenda_text
    from jobs.options import workspace

    work = workspace(None)
    runs, without_times = coming_runs(work, work.clock.now())
    data = [
        {
            "key": run.key,
            "job": run.job,
            "at": run.at.isoformat(),
            "title": run.title,
            "deadline": run.deadline,
        }
        for run in runs
    ]
    return data, agenda_text(runs, without_times)
