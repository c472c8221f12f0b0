"""Puts what was fetched on the disk, whole or not at all, and turns the disk's refusals into words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from warehouse.errors import WarehouseError
from warehouse.files import write_atomically


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Names the folder that the disk refuses to write.

    Raises:
        WarehouseError: The disk is full, read-only or broken.
    """
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            f"{folder} cannot be written: {error.strerror or error}.",
            hint="Free some space or mend the permissions; what was there is intact.",
        ) from error


def keep(path: Path, body: bytes) -> None:
    """Writes a small file that is there whole or not at all.

    Raises:
        WarehouseError: The disk refuses.
    """
    with disk_errors(path.parent):
        write_atomically(path, body)
