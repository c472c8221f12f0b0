"""Faults of the machine, injected into a rehearsal: the plug pulled at a numbered step, a disk that is full for a while.

Everything that reaches the disk passes a few functions; while faults are injected each of them is a step, counted before
and after. Only a rehearsal does this: nothing in the product knows of it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import f1core.features.store
import f1core.published
import f1core.rehearsal.source
import f1core.weekend_features
import models.registry
import warehouse.store
from f1core.clock import Clock
from f1core.job_log import JobLog
from f1core.job_log_file import LogFile

Step = Callable[[str], None]
"""Told the name of each step, before and after it: ``table commit: before``."""
SEAMS: tuple[tuple[Any, str, str], ...] = (
    (warehouse.store.Store, "_commit", "table"),
    (warehouse.store, "write_atomically", "snapshot"),
    (f1core.rehearsal.source, "write_atomically", "answer"),
    (f1core.features.store, "write_atomically", "features"),
    (f1core.weekend_features, "write_atomically", "weekend features"),
    (f1core.published, "write_atomically", "document"),
    (models.registry, "_write_synced", "model"),
    (JobLog, "begin", "run begins"),
    (JobLog, "finish", "run ends"),
    (LogFile, "_open_to_write", "job log"),
    (os, "link", "record"),
)
"""Where things reach the disk: owner, function, what it writes. The ledger publishes by links: chain, then name."""

MARKS = ("run begins", "run ends")
"""Steps that say where a rehearsal is; what they write is the job log, which is a step of its own."""


@contextlib.contextmanager
def watched(step: Step) -> Iterator[None]:
    """While inside, every write to disk tells ``step`` before and after; what that raises is raised by the write."""
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in SEAMS]
    try:
        for owner, name, what in SEAMS:
            setattr(owner, name, _telling(getattr(owner, name), what, step))
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def _telling(function: Callable[..., Any], what: str, step: Step) -> Callable[..., Any]:
    def told(*arguments: Any, **named: Any) -> Any:
        step(f"{what}: before")
        result = function(*arguments, **named)
        step(f"{what}: after")
        return result

    return told


class Counter:
    """Counts steps and remembers their names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        """Counts a step."""
        self.names.append(name)


@dataclass
class PlugPulled:
    """Kills this process, for good and without a word, at a numbered step.

    Attributes:
        number: Which step, from 1.
        name: Only steps of this name count; empty: all do.
        note: File that the step's name is written to first, for whoever looks at what is left.
    """

    number: int
    name: str = ""
    note: Path | None = None

    def __call__(self, name: str) -> None:
        """Counts a step, and does not return from the last one."""
        if self.name not in ("", name):
            return
        self.number -= 1
        if self.number == 0:
            if self.note is not None:
                self.note.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class DiskFull:
    """Every write is refused for a while, as a full disk does.

    Attributes:
        clock: The rehearsal's clock.
        since: From this instant on.
        until: Before this instant.
        spared: What can be written all the same: the job log, where it lies on another disk.
    """

    clock: Clock
    since: dt.datetime
    until: dt.datetime
    spared: tuple[str, ...] = ("job log",)

    def __call__(self, name: str) -> None:
        """Refuses a write, when it is time."""
        what, _, when = name.rpartition(": ")
        if when != "before" or what in (*self.spared, *MARKS):
            return
        if self.since <= self.clock.now() < self.until:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
