"""The mark of a rehearsal's data folder: without it a simulated clock writes nothing, with it nothing is ever sealed.

Only the standard library is needed to read it: the ledger asks, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.errors import WarehouseError
from warehouse.files import write_atomically

MARKER_FILE = "rehearsal.json"
FORMAT = "parcferme/rehearsal/1"


def is_rehearsal(data: Path) -> bool:
    """Whether a data folder belongs to a rehearsal."""
    return (data / MARKER_FILE).is_file()


def mark(data: Path, content: Mapping[str, Any]) -> None:
    """Makes an empty or new folder the data folder of a rehearsal.

    Args:
        data: The folder.
        content: What is rehearsed, for whoever finds the folder.

    Raises:
        WarehouseError: Something lies in the folder: what is there is never turned into a rehearsal.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise WarehouseError(
            f"{data} is not empty: a rehearsal is never laid over something that is there.",
            hint="Name a new or empty folder.",
        )
    body = json.dumps({"format": FORMAT, **content}, indent=1, sort_keys=True, default=str)
    write_atomically(data / MARKER_FILE, body.encode())


def read_mark(data: Path) -> dict[str, Any]:
    """What was noted when the folder was made.

    Raises:
        WarehouseError: The folder belongs to no rehearsal, or its mark is damaged.
    """
    path = data / MARKER_FILE
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise WarehouseError(
            f"{data} is no rehearsal's data folder.", hint="Run `python -m jobs rehearse`, which makes one."
        ) from None
    except (OSError, ValueError) as error:
        raise WarehouseError(f"{path} is damaged: {error}", hint="Delete the folder.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise WarehouseError(f"{path} is of a format this version does not read.", hint="Delete the folder.")
    return found
