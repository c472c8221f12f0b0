"""Writes the documents that are served as they are: events, backtests and provisional forecasts, from the warehouse.

Each kind remembers what it was made from; when that has not changed and every file is as it was written, nothing is made.
A folder that was deleted or tampered with is restored by the next run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from f1core.distributions import Distributions
from f1core.document_files import EVENTS_FORMAT, STORED_KINDS, Kind, document_name, events_file
from f1core.documents import (
    FORMAT,
    DocumentNames,
    fastf1_version,
    feature_names_digest,
    iso,
    prediction_document,
)
from f1core.ledger import canonical
from f1core.settings import Settings
from f1core.targets import PRODUCTION_MODEL
from warehouse.errors import WarehouseError
from warehouse.files import write_atomically
from warehouse.queries.distributions import DISTRIBUTION_TABLES
from warehouse.queries.events import event_names
from warehouse.queries.forecasts import KINDS
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

NAME_TABLES = ("events", "sessions", "circuits", "grands_prix", "drivers", "constructors")
"""Tables whose names and times every document carries."""


def publish_documents(settings: Settings, reader: Reader) -> dict[str, int]:
    """Brings the documents' folder in line with the published warehouse; hold the writer lock.

    Args:
        settings: Where the data lives.
        reader: The warehouse as it is published.

    Returns:
        Files written or removed, by kind; ``events`` counts its one file.

    Raises:
        WarehouseError: Nothing was built yet, or the disk refused; what was there stays readable.
    """
    root = settings.documents_root
    names = DocumentNames(reader)
    try:
        changed = {"events": _publish_events(root, reader, names)}
        for kind in STORED_KINDS:
            changed[kind.value] = _publish_kind(root, kind, reader, names)
    except OSError as error:
        raise WarehouseError(
            f"The documents in {root} cannot be written: {error.strerror}.",
            hint="Free some space or mend the permissions, then run `python -m jobs build`: they are made again.",
        ) from error
    return changed


def _publish_events(root: Path, reader: Reader, names: DocumentNames) -> int:
    made_from = _versions(reader, NAME_TABLES, [EVENTS_FORMAT])
    if _is_current(root, "events", made_from, root):
        return 0
    rows = [
        {key: iso(value) if hasattr(value, "astimezone") else value for key, value in row.items()}
        | {"sessions": names.sessions.get(row["event_id"], {})}
        for row in event_names(reader).iter_rows(named=True)
    ]
    body = canonical({"format": EVENTS_FORMAT, "events": rows})
    return _replace(root, "events", made_from, root, {events_file(root).name: body})


def _publish_kind(root: Path, kind: Kind, reader: Reader, names: DocumentNames) -> int:
    code = [
        FORMAT,
        str(names.is_demo),
        PRODUCTION_MODEL,
        fastf1_version(),
        *(feature_names_digest(stage) for stage in Stage),
    ]
    tables = (*KINDS[kind.value], *DISTRIBUTION_TABLES[kind.value].values(), *NAME_TABLES)
    made_from = _versions(reader, tables, code)
    folder = root / kind.value
    if _is_current(root, kind.value, made_from, folder):
        return 0
    return _replace(root, kind.value, made_from, folder, _bodies(kind, reader, names))


def _bodies(kind: Kind, reader: Reader, names: DocumentNames) -> dict[str, bytes]:
    """Every document of a kind by file name; a prediction without our own model's entries has none."""
    key = ["event_id", "target", "stage"]
    heads, entries = (reader.table(table) for table in KINDS[kind.value])
    entries_of = entries.partition_by(key, as_dict=True, maintain_order=True)
    beside = {
        part: reader.table(table).partition_by(key, as_dict=True, maintain_order=True)
        for part, table in DISTRIBUTION_TABLES[kind.value].items()
    }
    bodies = {}
    for found, own in heads.partition_by(key, as_dict=True, maintain_order=True).items():
        if found in entries_of and PRODUCTION_MODEL in own["model"]:
            event_id, target, stage = found
            stored = {part: rows[found] for part, rows in beside.items() if found in rows}
            document = prediction_document(
                names, own, entries_of[found], kind=kind.value, distributions=Distributions(**stored)
            )
            bodies[document_name(str(event_id), Target(target), Stage(stage))] = canonical(document)
    return bodies


# What was made, and from what ---------------------------------------------------------------------------------------


def _versions(reader: Reader, tables: tuple[str, ...], code: list[str]) -> str:
    """Fingerprint of the tables and the code that documents are made from."""
    snapshot = reader.snapshot
    used = {table: snapshot.versions.get(table) for table in tables}
    return hashlib.sha256(json.dumps([used, snapshot.schema_version, code]).encode()).hexdigest()


def _index_file(root: Path, name: str) -> Path:
    return root / f".{name}.index.json"


def _index(root: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(_index_file(root, name).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("files"), dict) else {}


def _is_current(root: Path, name: str, made_from: str, folder: Path) -> bool:
    index = _index(root, name)
    if index.get("made_from") != made_from:
        return False
    files: Mapping[str, str] = index["files"]
    is_alone = folder == root or {path.name for path in _documents(folder)} == files.keys()
    return is_alone and all(_digest(folder / file) == digest for file, digest in files.items())


def _replace(root: Path, name: str, made_from: str, folder: Path, bodies: Mapping[str, bytes]) -> int:
    """Writes what differs, removes what is gone, and notes what it was made from last of all."""
    changed = 0
    digests = {file: hashlib.sha256(body).hexdigest() for file, body in bodies.items()}
    for file, body in bodies.items():
        if _digest(folder / file) != digests[file]:
            write_atomically(folder / file, body, durable=False)
            changed += 1
    for path in _documents(folder) if folder != root else ():
        if path.name not in bodies:
            path.unlink(missing_ok=True)
            changed += 1
    index = json.dumps({"made_from": made_from, "files": digests}, sort_keys=True, indent=1)
    write_atomically(_index_file(root, name), index.encode(), durable=False)
    return changed


def _documents(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
