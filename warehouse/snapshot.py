"""The published state of a warehouse: a small file that names the version of every table.

Only the standard library is needed to read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.errors import SchemaTooNew, WarehouseError

SCHEMA_VERSION = 1
"""Version of the table contracts; raised with every change of a table that old rows do not satisfy."""
SNAPSHOT_FILE = "snapshot.json"


@dataclass(frozen=True)
class Snapshot:
    """The published state of the warehouse.

    Attributes:
        schema_version: Version of the table contracts it was written with.
        published_at: When it was published (UTC, ISO 8601).
        versions: Delta version of every table.
        notes: What jobs leave for the next one, e.g. the fingerprints of the sources.
    """

    schema_version: int
    published_at: str
    versions: Mapping[str, int]
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Short fingerprint of the table versions: caches are keyed on it."""
        text = json.dumps([self.published_at, sorted(self.versions.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_snapshot(root: Path) -> Snapshot | None:
    """The published snapshot, or None when nothing was ever published.

    Raises:
        SchemaTooNew: It was written by a newer version of the product.
        WarehouseError: The file is damaged.
    """
    path = root / SNAPSHOT_FILE
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WarehouseError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        data = json.loads(text)
        snapshot = Snapshot(
            int(data["schema_version"]), data["published_at"], data["versions"], data["notes"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise WarehouseError(
            f"{path} is damaged.",
            hint="Delete the warehouse folder and build again; sealed records are kept elsewhere.",
        ) from error
    if snapshot.schema_version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The warehouse {root} has schema {snapshot.schema_version}, "
            f"this version of the product reads {SCHEMA_VERSION}.",
            hint="Update the product, or set PARCFERME_DATA to another folder. Nothing was changed.",
        )
    return snapshot
