"""What a task works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from f1core.job_sources import Sources
from f1core.workspace import Workspace
from jobs.outcome import TaskResult


@dataclass(frozen=True)
class TaskContext:
    """What a task works with.

    Attributes:
        workspace: The installation, opened for this run.
        params: What the agenda says: event, session, stage.
        sources: The outside world.
        progress: Told what is being done.
    """

    workspace: Workspace
    params: Mapping[str, str]
    sources: Sources
    progress: Callable[[str], None] = lambda _words: None

    @property
    def event_id(self) -> str:
        """The event the run is for."""
        return self.params["event_id"]


Task = Callable[[TaskContext], TaskResult]


def joined(*notes: str) -> str:
    """Notes in one text."""
    return " ".join(note for note in notes if note)


def bring_facts(context: TaskContext) -> TaskResult:
    """What the sources have, into the warehouse; writes only what changed."""
    report = context.sources.bring_facts(context.workspace)
    if report is None:
        return TaskResult(0, "No source of facts is here; what there was is kept.")
    if report.unchanged or not report.rewritten:
        return TaskResult(0, "The facts are as they were.")
    rows = sum(report.rows[name] for name in report.rewritten)
    return TaskResult(rows, f"Rewritten: {', '.join(sorted(report.rewritten))}.")
