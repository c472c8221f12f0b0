"""The command ``rehearse``."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from f1core.freeze_policy import FreezePolicy
from jobs.options import AsJson, Race, Year, answer, workspace
from jobs.progress import progress_report
from warehouse.errors import ParcFermeError

Policy = Annotated[
    FreezePolicy | None,
    typer.Option(
        "--policy", help="Which stage is sealed as the official one; without it as in the settings."
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option("--keep", help="A new folder for the rehearsal's data; without it they are deleted."),
]
Retrain = Annotated[
    bool | None,
    typer.Option(
        "--retrain/--no-retrain", help="Whether the result leads to a challenger; as in the settings."
    ),
]


TERMINATED = 128 + signal.SIGTERM


@contextlib.contextmanager
def leaving_in_order() -> Iterator[None]:
    """Makes SIGTERM an ordinary exit, so that a temporary folder is deleted on the way out."""

    def leave(_number: int, _frame: object) -> None:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def rehearse(
    race: Race = "last",
    year: Year = None,
    policy: Policy = None,
    retrain: Retrain = None,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Replay a past race weekend on a simulated clock, every fact arriving when it became known, and tell what the jobs did.

    Models as of then are trained first. Everything is written to a temporary warehouse and a ledger of its own; nothing of
    it is sealed in earnest. Ends with exit code 1 when something came in the wrong order.

    Example: python -m jobs rehearse --race "Las Vegas" --year 2025
    """
    from f1core.rehearsal.script import script_of
    from f1core.rehearsal.timeline_text import timeline_text
    from f1core.resolver import resolve
    from jobs.rehearse import prepare

    work = workspace()
    event = resolve(work.reader, race, year=year, clock=work.clock)
    script = script_of(work.reader, event, policy=policy, retrain=retrain)
    with contextlib.ExitStack() as stack:
        stack.enter_context(leaving_in_order())
        folder = keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="parc-ferme-rehearsal-"))
        )
        report = stack.enter_context(progress_report(quiet=as_json))
        report("rehearsal", event, None, None)
        rehearsal = prepare(
            work.settings,
            script,
            folder.resolve(),
            progress=lambda words: report("rehearsal", words, None, None),
        )
        report("rehearsal", f"{script.since:%Y-%m-%d} to {script.until:%Y-%m-%d}", None, None)
        timeline = rehearsal.run()
    answer(timeline.to_json(), as_json, timeline_text(timeline))
    problems = timeline.problems()
    if problems:
        raise ParcFermeError(
            f"{event}: {len(problems)} thing(s) came in the wrong order: {'; '.join(problems)}.",
            hint="Repeat with --keep DIR to look at what was left behind.",
        )
