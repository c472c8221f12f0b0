"""The documents an installation can serve, read from disk as they are and kept in memory while they do not change.

A document is checked when it is read: a record of the ledger against its own hash, any other for being a whole prediction.
What was checked is served again for as long as the file's size, times and inode are the same.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from f1core.document_files import EVENTS_FORMAT, STORED_KINDS, Kind, document_file, events_file
from f1core.event_names import EventRow, find_event, normalise
from f1core.installation import active_settings
from f1core.ledger import Ledger, LedgerDamaged, prediction_name
from f1core.settings import Settings
from warehouse.errors import WarehouseError
from warehouse.vocab import Stage, Target

CACHE_BYTES = 4_000_000
"""Documents are kept in memory up to this size in all; the longest unused goes first."""
GZIP_LEVEL = 6
RACY_S = 2.0
"""A folder that changed this recently may change again without its time showing it."""
MAX_REMEMBERED = 4096
"""Names that were resolved, and records that are not there."""

Stamp = tuple[int, int, int, int]


class DocumentDamaged(WarehouseError):
    """A stored document (not a sealed one) is not whole."""


@dataclass(frozen=True)
class Document:
    """A prediction's document.

    Attributes:
        kind: What stands behind it.
        event_id: The event.
        target: What is forecast.
        stage: What it knew.
        body: Its bytes as they lie on disk.
        digest: SHA-256 that identifies it: the record's own hash, or that of the bytes.
    """

    kind: Kind
    event_id: str
    target: Target
    stage: Stage
    body: bytes
    digest: str

    @cached_property
    def packed(self) -> bytes:
        """The body, compressed by gzip; the same bytes whenever it is made."""
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)

    @cached_property
    def head(self) -> dict[str, Any]:
        """The document without its long lists, and the first three of its order."""
        content = json.loads(self.body)
        lists = ("entries", "baselines", "head_to_head")
        short = {key: value for key, value in content.items() if key not in lists}
        keys = ("predicted_position", "driver_id", "driver_name", "win_probability")
        short["first_three"] = [{key: entry.get(key) for key in keys} for entry in content["entries"][:3]]
        return short


class Calendar:
    """All events of an installation, by id and by what people call them.

    Args:
        rows: Events in order of time.
    """

    def __init__(self, rows: Sequence[EventRow]) -> None:
        self.rows = rows
        self.by_id: dict[str, EventRow] = {row["event_id"]: row for row in rows}
        self._answered: dict[tuple[str, int], str] = {}

    def find(self, name: str, year: int, now: dt.datetime) -> EventRow:
        """The event a name means in a season.

        Raises:
            UnknownEvent: Nothing, or too much, answers to the name.
        """
        if (known := self._answered.get((name, year))) is not None:
            return self.by_id[known]
        found = find_event(self.rows, name, year=year, now=now)
        if normalise(name) not in ("next", "last"):  # what these mean depends on the time
            if len(self._answered) >= MAX_REMEMBERED:
                self._answered.clear()
            self._answered[name, year] = found
        return self.by_id[found]


class Library:
    """Finds and reads documents.

    Args:
        settings: Where the data lies.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ledger = Ledger(settings.ledger_root)
        self._calendar: tuple[Stamp, Calendar] | None = None
        self._kept: OrderedDict[Path, tuple[Stamp, Document]] = OrderedDict()
        self._size = 0
        self._absent: dict[str, tuple[Stamp | None, Stamp | None]] = {}

    # Events ----------------------------------------------------------------------------------------------------------

    def calendar(self) -> Calendar:
        """All events; empty when the documents were never made.

        Raises:
            DocumentDamaged: The file is not what was written.
        """
        path = events_file(self.settings.documents_root)
        stamp = _stamp(path)
        if stamp is None:
            return Calendar(())
        if self._calendar is None or self._calendar[0] != stamp:
            self._calendar = (stamp, Calendar(_read_events(path)))
        return self._calendar[1]

    # Documents -------------------------------------------------------------------------------------------------------

    def available(self, event_id: str, target: Target) -> dict[Kind, list[Stage]]:
        """Stages that exist of each kind, from the one that knows least; kinds without any are left out."""
        found = {kind: self.stages(kind, event_id, target) for kind in Kind}
        return {kind: stages for kind, stages in found.items() if stages}

    def stages(self, kind: Kind, event_id: str, target: Target) -> list[Stage]:
        """Stages that exist of a kind, from the one that knows least. A damaged document counts: it was there."""
        if kind is Kind.SEALED:
            return [stage for stage in Stage if self._has_record(prediction_name(event_id, target, stage))]
        root = self.settings.documents_root
        files = {stage: document_file(root, kind, event_id, target, stage) for stage in Stage}
        return [stage for stage, path in files.items() if _stamp(path) is not None]

    def get(self, kind: Kind, event_id: str, target: Target, stage: Stage) -> Document | None:
        """A document, checked; None when there is none.

        Raises:
            LedgerDamaged: It was sealed, and the file is not what was sealed.
            DocumentDamaged: It was stored, and the file is not a whole prediction.
        """
        if kind is Kind.SEALED:
            name = prediction_name(event_id, target, stage)
            path = self.ledger.records / f"{name}.json"
        else:
            name = ""
            path = document_file(self.settings.documents_root, kind, event_id, target, stage)
        stamp = _stamp(path)
        if stamp is not None and (kept := self._kept.get(path)) is not None and kept[0] == stamp:
            self._kept.move_to_end(path)
            return kept[1]
        if kind is Kind.SEALED:
            if stamp is None and not self._has_record(name):
                return None
            record = self.ledger.get(name)
            found = (
                None if record is None else Document(kind, event_id, target, stage, record.body, record.hash)
            )
        else:
            found = _read_stored(path, kind, event_id, target, stage)
        if found is not None and stamp is not None:
            self._keep(path, stamp, found)
        return found

    def _has_record(self, name: str) -> bool:
        """Whether a record was sealed, also when its writer died before giving it its name."""
        if _stamp(self.ledger.records / f"{name}.json") is not None:
            return True
        folders = (_stamp(self.ledger.chain), _stamp(self.ledger.records))
        if self._absent.get(name) == folders:
            return False
        try:
            if self.ledger.get(name) is not None:
                return True
        except LedgerDamaged:
            # Some other record's damage; `health` and `verify` name it. It must not take down every other answer.
            return False
        if all(stamp is None or time.time_ns() - stamp[0] > RACY_S * 1e9 for stamp in folders):
            if len(self._absent) >= MAX_REMEMBERED:
                self._absent.clear()
            self._absent[name] = folders
        return False

    def _keep(self, path: Path, stamp: Stamp, document: Document) -> None:
        if (old := self._kept.pop(path, None)) is not None:
            self._size -= len(old[1].body)
        self._kept[path] = (stamp, document)
        self._size += len(document.body)
        while self._size > CACHE_BYTES and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= len(dropped.body)


class Holdings:
    """The documents that are there: the real installation's, or, where only a demo season was built, the demo's.

    Args:
        settings: The product's settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._libraries: dict[Path, Library] = {}

    def library(self) -> Library:
        """The documents to answer from now; a build may have changed that since the last request."""
        active = active_settings(self.settings)
        if active.data not in self._libraries:
            self._libraries[active.data] = Library(active)
        return self._libraries[active.data]

    def is_demo(self) -> bool:
        """Whether these are the demo season's: drivers, teams and results are made up."""
        return self.library().settings.data != self.settings.data


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file does; None when it is not there."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


def _read_events(path: Path) -> list[EventRow]:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != EVENTS_FORMAT:
            raise ValueError
        rows: list[dict[str, Any]] = content["events"]
        for row in rows:
            row["race_starts_at"] = dt.datetime.fromisoformat(row["race_starts_at"])
            row["result_known_at"] = dt.datetime.fromisoformat(row["result_known_at"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DocumentDamaged(
            "The list of events is damaged.", hint="Run `python -m jobs build`: it is made again."
        ) from error
    return list(rows)


def _read_stored(path: Path, kind: Kind, event_id: str, target: Target, stage: Stage) -> Document | None:
    try:
        body = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _damaged(path) from error
    expected = {"kind": kind.value, "event_id": event_id, "target": target.value, "stage": stage.value}
    try:
        content = json.loads(body)
        whole = isinstance(content["entries"], list) and all(
            content[key] == value for key, value in expected.items()
        )
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise _damaged(path)
    return Document(kind, event_id, target, stage, body, hashlib.sha256(body).hexdigest())


def _damaged(path: Path) -> DocumentDamaged:
    assert path.parent.name in STORED_KINDS
    return DocumentDamaged(
        f"The document {path.parent.name}/{path.name} is damaged.",
        hint="Run `python -m jobs build`: it is made again from the warehouse.",
    )


def session_starts(row: Mapping[str, Any]) -> dict[str, dt.datetime]:
    """Start of every session of an event [UTC], by session."""
    return {session: dt.datetime.fromisoformat(text) for session, text in row["sessions"].items()}
