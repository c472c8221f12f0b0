"""The ledger: write-once records of what was forecast, and of how it turned out, in one hash chain.

A record is one JSON document in one canonical encoding. It carries its place in the chain, its predecessor's hash and its
own: the SHA-256 of its canonical bytes without the ``hash`` member. A record is published by a hard link, which fails when
the name is taken; nothing ever rewrites it. Only the standard library is needed to read it.

On disk, under the ledger's folder::

    chain/000001.json      every record by its place
    records/<name>.json    the same file by its name, e.g. 2026-las-vegas.race.pre_race.prediction

A process that dies between the two links leaves a record in the chain without its name; the next writer, and every
lookup, finds it all the same.

What a rehearsal writes has kinds of its own and lies in a ledger of its own; neither ledger takes the other's records.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from f1core.rehearsal.marker import is_rehearsal
from warehouse.errors import WarehouseError

FIRST_PREVIOUS = "0" * 64
"""What the first record names as its predecessor."""
RECENT = 16
"""How many records from the end may still lack their name."""
STRAY_AGE_S = 600.0
"""A temporary file older than this was left by a writer that died."""
REAL_KINDS = ("sealed", "settlement")
"""Kinds of the records of a real ledger: predictions and their scores."""
REHEARSAL_KINDS = ("rehearsal", "rehearsal_settlement")
"""The same of a rehearsal's ledger."""
_PLACE = re.compile(r"^\d{6}\.json$")
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")


class LedgerDamaged(WarehouseError):
    """A record of the ledger is not what was sealed."""

    exit_code = 10


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one encoding of a record: sorted keys, no blanks, UTF-8, a line end.

    Raises:
        ValueError: A number is not finite, or a value is not JSON.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes without the ``hash`` member."""
    return hashlib.sha256(
        canonical({key: value for key, value in content.items() if key != "hash"})
    ).hexdigest()


@dataclass(frozen=True)
class Record:
    """A sealed record.

    Attributes:
        content: The document.
        body: Its bytes as they lie on disk.
    """

    content: Mapping[str, Any]
    body: bytes

    @property
    def hash(self) -> str:
        """Hash of the content."""
        return str(self.content["hash"])

    @property
    def name(self) -> str:
        """Name of the record, e.g. ``2026-las-vegas.race.pre_race.prediction``."""
        return str(self.content["name"])


@dataclass(frozen=True)
class Verification:
    """What a walk along the chain found.

    Attributes:
        count: Records in the chain.
        head: Hash of the last one; :data:`FIRST_PREVIOUS` when there is none.
        problems: Every damage, in words that name the file; empty when the ledger is intact.
    """

    count: int
    head: str
    problems: tuple[str, ...] = field(default=())

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def prediction_name(event_id: str, target: str, stage: str) -> str:
    """Name of the one prediction of an event, target and stage."""
    return f"{event_id}.{target}.{stage}.prediction"


def settlement_name(event_id: str, target: str, stage: str, revision: int) -> str:
    """Name of a settlement; the first has revision 1, corrected results add another."""
    return f"{event_id}.{target}.{stage}.settlement-{revision}"


class Ledger:
    """Reads and appends records; hold the writer lock while sealing.

    Args:
        root: Folder of the ledger (``data/ledger``).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.chain = root / "chain"
        self.records = root / "records"

    @property
    def is_rehearsal(self) -> bool:
        """Whether it lies in the data folder of a rehearsal."""
        return is_rehearsal(self.root.parent)

    @property
    def prediction_kind(self) -> str:
        """Kind of its predictions: ``sealed``, in a rehearsal ``rehearsal``."""
        return (REHEARSAL_KINDS if self.is_rehearsal else REAL_KINDS)[0]

    @property
    def settlement_kind(self) -> str:
        """Kind of its scores: ``settlement``, in a rehearsal ``rehearsal_settlement``."""
        return (REHEARSAL_KINDS if self.is_rehearsal else REAL_KINDS)[1]

    # Reading -----------------------------------------------------------------------------------------------------

    def get(self, name: str) -> Record | None:
        """A record by name, checked; None when it was never sealed.

        Raises:
            LedgerDamaged: The file is not what was sealed.
        """
        if not _NAME.match(name):
            return None
        path = self.records / f"{name}.json"
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            return self._unlinked(name)
        except OSError as error:
            raise LedgerDamaged(f"{path} cannot be read: {error.strerror}.") from error
        record = _checked(path, body)
        if record.name != name:
            raise LedgerDamaged(
                f"{path} holds the record {record.name}.", hint="Run `python -m jobs verify`."
            )
        return record

    def settlements(self, event_id: str, target: str, stage: str) -> list[Record]:
        """All settlements of a prediction, oldest first; the last one counts."""
        found = []
        revision = 1
        while (record := self.get(settlement_name(event_id, target, stage, revision))) is not None:
            found.append(record)
            revision += 1
        return found

    def walk(self) -> Iterator[Record]:
        """All records in the order of the chain.

        Raises:
            LedgerDamaged: A record is not what was sealed, or one is missing.
        """
        previous = FIRST_PREVIOUS
        for place, path in enumerate(self._places(), start=1):
            record = _checked(path, path.read_bytes())
            says = (record.content["sequence"], record.content["previous"])
            if path.name != f"{place:06d}.json" or says != (place, previous):
                raise LedgerDamaged(f"The chain is broken at {path}.", hint="Run `python -m jobs verify`.")
            previous = record.hash
            yield record

    def head(self) -> tuple[int, str]:
        """Number of records and hash of the last one.

        Raises:
            LedgerDamaged: The last record is not what was sealed.
        """
        places = self._places()
        if not places:
            return 0, FIRST_PREVIOUS
        return len(places), _checked(places[-1], places[-1].read_bytes()).hash

    def verify(self, head: str | None = None) -> Verification:
        """Walks the whole chain and names everything that is altered, missing or foreign.

        Args:
            head: A hash noted earlier: it must still be in the chain, else the chain was shortened or rewritten.
        """
        problems: list[str] = []
        seen: dict[str, bytes] = {}
        hashes = [FIRST_PREVIOUS]
        places = self._places()
        for place, path in enumerate(places, start=1):
            expected = f"{place:06d}.json"
            if path.name != expected:
                problems.append(f"chain/{expected} is missing: the next record is {path.name}")
                break
            try:
                record = _checked(path, path.read_bytes())
            except (LedgerDamaged, OSError) as error:
                problems.append(getattr(error, "message", str(error)))
                hashes.append("")
                continue
            if record.content["sequence"] != place:
                problems.append(f"chain/{path.name} says it is record {record.content['sequence']}")
            if hashes[-1] and record.content["previous"] != hashes[-1]:
                problems.append(f"chain/{path.name} does not follow the record before it")
            if self._is_foreign_kind(record.content):
                problems.append(f"chain/{path.name} is of kind {record.content.get('kind')}: {self._mixed()}")
            if record.name in seen:
                problems.append(f"chain/{path.name} is a second record named {record.name}")
            hashes.append(record.hash)
            seen[record.name] = record.body
        # The last record may lack its name: its writer died a moment ago, and the next one mends it.
        for name in list(seen)[:-1]:
            if not (self.records / f"{name}.json").exists():
                problems.append(f"records/{name}.json is missing, though the chain holds the record")
        problems += self._foreign(seen)
        if head is not None and head not in hashes:
            problems.append(
                f"the chain no longer holds the record {head[:12]}…: it was shortened or rewritten"
            )
        return Verification(len(places), hashes[-1], tuple(problems))

    def _foreign(self, seen: Mapping[str, bytes]) -> list[str]:
        problems = []
        for folder in (self.chain, self.records):
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.name.endswith(".tmp"):
                    continue
                if folder is self.chain and not _PLACE.match(path.name):
                    problems.append(f"chain/{path.name} does not belong there")
                if (
                    folder is self.records
                    and seen.get(path.stem if path.suffix == ".json" else "") != path.read_bytes()
                ):
                    known = "is not what the chain holds" if path.stem in seen else "is not in the chain"
                    problems.append(f"records/{path.name} {known}")
        return problems

    def _is_foreign_kind(self, content: Mapping[str, Any]) -> bool:
        return content.get("kind") in (REAL_KINDS if self.is_rehearsal else REHEARSAL_KINDS)

    def _mixed(self) -> str:
        whose, what = ("a rehearsal's", "sealed") if self.is_rehearsal else ("a real", "rehearsed")
        return f"{whose} ledger holds nothing {what}"

    def _places(self) -> list[Path]:
        if not self.chain.is_dir():
            return []
        return sorted(path for path in self.chain.iterdir() if _PLACE.match(path.name))

    def _unlinked(self, name: str) -> Record | None:
        """One of the last records, when its writer died, or is about to give it its name."""
        for path in reversed(self._places()[-RECENT:]):
            record = _checked(path, path.read_bytes())
            if record.name == name:
                return record
        return None

    # Writing -----------------------------------------------------------------------------------------------------

    def seal(self, name: str, content: Mapping[str, Any]) -> tuple[Record, bool]:
        """Appends a record, once.

        Args:
            name: Name of the record.
            content: The document without ``name``, ``sequence``, ``previous`` and ``hash``.

        Returns:
            The record under that name, and whether it was sealed now; a record that was there before stays as it is.

        Raises:
            LedgerDamaged: The chain's end is damaged; nothing is appended to it.
            WarehouseError: The disk refused.
            ValueError: The name or the content cannot be sealed.
        """
        if not _NAME.match(name):
            raise ValueError(f"{name!r} is no name of a record")
        if self._is_foreign_kind(content):
            raise ValueError(f"{name} is of kind {content['kind']}: {self._mixed()}")
        self._finish_interrupted()
        while True:
            # The end of the chain is read before the name is looked up: whoever seals the same name in between also
            # takes the place, the link below fails, and the next look finds the name.
            count, previous = self.head()
            kept = self.get(name)
            if kept is not None:
                return kept, False
            document = {**content, "name": name, "sequence": count + 1, "previous": previous}
            document["hash"] = content_hash(document)
            body = canonical(document)
            if self._publish(count + 1, name, body):
                return Record(document, body), True

    def _publish(self, place: int, name: str, body: bytes) -> bool:
        """Links a new file into the chain and to its name; False when another writer took the place."""
        try:
            self.chain.mkdir(parents=True, exist_ok=True)
            self.records.mkdir(parents=True, exist_ok=True)
            temporary = self.root / f".{uuid.uuid4().hex}.tmp"
            try:
                with temporary.open("xb") as handle:
                    handle.write(body)
                    handle.flush()
                    os.fsync(handle.fileno())
                try:
                    os.link(temporary, self.chain / f"{place:06d}.json")
                except FileExistsError:
                    return False
                _sync(self.chain)
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, self.records / f"{name}.json")
                _sync(self.records)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise WarehouseError(
                f"The ledger {self.root} cannot be written: {error.strerror}.",
                hint="Free some space or mend the permissions, and repeat: a record that was sealed is not sealed twice.",
            ) from error
        return True

    def _finish_interrupted(self) -> None:
        """Gives the last record its name when its writer died before doing so, and sweeps what it left."""
        for stray in self.root.glob(".*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - stray.stat().st_mtime > STRAY_AGE_S:
                    stray.unlink()
        for path in self._places()[-RECENT:]:
            record = _checked(path, path.read_bytes())
            target = self.records / f"{record.name}.json"
            if not target.exists():
                self.records.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    os.link(path, target)
                _sync(self.records)


def _checked(path: Path, body: bytes) -> Record:
    """A record from its bytes.

    Raises:
        LedgerDamaged: The bytes are not the canonical encoding of a record with its own hash.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        content = json.loads(body)
        intact = (
            isinstance(content, dict)
            and canonical(content) == body
            and content["hash"] == content_hash(content)
        )
        named = intact and isinstance(content["name"], str) and isinstance(content["sequence"], int)
    except (ValueError, KeyError, TypeError):
        named = False
    if not named:
        raise LedgerDamaged(
            f"{where} is not what was sealed: its content and its hash differ.",
            hint="Run `python -m jobs verify`.",
        )
    return Record(content, body)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
