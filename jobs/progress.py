"""Progress on the terminal: bars for people, plain lines for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from f1core.build import Progress as Report


@contextmanager
def progress_report(*, quiet: bool = False) -> Iterator[Report]:
    """Gives a function to report progress to; bars on a terminal, one line a step elsewhere, nothing when quiet.

    Everything goes to standard error, so that standard output holds answers only.
    """
    if quiet:
        yield lambda _step, _words, _done, _total: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[step]:<10}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    ) as bars:
        yield _bars(bars)


def _bars(bars: Progress) -> Report:
    tasks: dict[str, TaskID] = {}

    def report(step: str, words: str, done: int | None, total: int | None) -> None:
        if step not in tasks:
            for other in tasks.values():
                task = bars.tasks[bars.task_ids.index(other)]
                bars.update(
                    other, total=task.completed or 1, completed=task.completed or 1, description="done"
                )
                bars.stop_task(other)
            tasks[step] = bars.add_task(words, total=total, step=step)
            return
        bars.update(tasks[step], description=words, advance=done or 0)
        if total is not None:
            bars.update(tasks[step], total=total)

    return report


def _lines() -> Report:
    began = time.monotonic()
    state: dict[str, float | str] = {"step": "", "said": 0.0, "done": 0, "total": 0}

    def report(step: str, words: str, done: int | None, total: int | None) -> None:
        now = time.monotonic()
        if step != state["step"]:
            state.update(step=step, said=now, done=0, total=total or 0)
            sys.stderr.write(f"[{now - began:6.1f} s] {step}: {words or 'started'}\n")
            sys.stderr.flush()
            return
        state["done"] = float(state["done"]) + (done or 0)
        if now - float(state["said"]) >= 5:
            state["said"] = now
            counted = f" {state['done']:.0f} of {state['total']:.0f}" if state["total"] else ""
            sys.stderr.write(f"[{now - began:6.1f} s] {step}:{counted} {words}\n")
            sys.stderr.flush()

    return report
