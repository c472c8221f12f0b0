"""One writer at a time: an operating-system lock with its holder's name in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from warehouse.errors import LockHeld, WarehouseError


@contextlib.contextmanager
def writer_lock(folder: Path, *, holder: str, wait_s: float = 0.0, name: str = "writer") -> Iterator[None]:
    """Holds the writer lock of a data folder; the system frees it when the process dies, however it dies.

    Args:
        folder: Folder of the lock file (``data/locks``); made when missing.
        holder: What the lock is held for, shown to whoever waits.
        wait_s: How long to wait for another holder.
        name: Name of the lock.

    Raises:
        LockHeld: Another process holds it; the message names that process.
        WarehouseError: The folder cannot be written.
    """
    path = folder / f"{name}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WarehouseError(
            f"The data folder {folder} cannot be written: {error.strerror}.",
            hint="Make it writable, or set PARCFERME_DATA to a folder that is.",
        ) from error
    try:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockHeld(
                        f"The warehouse is being written by {_holder(path)}.",
                        hint="Wait for it to end, or stop that process; the lock frees itself when it dies.",
                    ) from None
                time.sleep(0.1)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"holder": holder, "pid": os.getpid()}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        data = json.loads(path.read_text())
        return f"{data['holder']} (process {data['pid']})"
    except (OSError, ValueError, KeyError):
        return "another process"
