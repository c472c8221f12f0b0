"""The warehouse on disk: Delta tables, and one published snapshot of their versions.

A job writes new Delta versions of the tables it changes and then publishes a snapshot, a small file that names the
version of every table. Readers open exactly the versions of the snapshot, so what they see is always whole and
consistent across tables, whatever a writer is doing or however it died. Old versions stay until they are vacuumed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from warehouse.errors import WarehouseError
from warehouse.files import write_atomically
from warehouse.scratch import scratch
from warehouse.snapshot import SCHEMA_VERSION, SNAPSHOT_FILE, Snapshot, read_snapshot
from warehouse.tables import TABLES, Table
from warehouse.tables.contract import DUCKDB_TYPES
from warehouse.validate import validate

RETRIES = 5


@contextlib.contextmanager
def _explained(root: Path) -> Iterator[None]:
    """Turns the system's refusals into words."""
    try:
        yield
    except OSError as error:
        raise _refusal(root, error.errno, str(error)) from error
    except DeltaError as error:
        raise _refusal(root, None, str(error)) from error


def _refusal(root: Path, number: int | None, text: str) -> WarehouseError:
    if number == errno.ENOSPC or "No space left" in text:
        return WarehouseError(
            f"The disk of {root} is full.", hint="Free some space and run again; what was there is intact."
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "ermission denied" in text or "ead-only" in text:
        return WarehouseError(
            f"The warehouse {root} is read-only.",
            hint="Make it writable, or set PARCFERME_DATA to another folder.",
        )
    return WarehouseError(f"The warehouse {root} could not be written: {text}")


class Store:
    """Writes tables and publishes snapshots; hold the writer lock while using it.

    Args:
        root: Folder of the warehouse.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = read_snapshot(root)
        usable = self.base is not None and self.base.schema_version == SCHEMA_VERSION
        self.versions: dict[str, int] = dict(self.base.versions) if self.base and usable else {}
        self.notes: dict[str, Any] = dict(self.base.notes) if self.base and usable else {}
        self.changed: dict[str, list[int] | None] = {}

    def read(self, name: str) -> pa.Table:
        """Rows of a table as this store sees them (published, plus what it has written since)."""
        return self._read(TABLES[name], "true")

    def _read(self, table: Table, condition: str) -> pa.Table:
        if table.name not in self.versions:
            return table.schema.empty_table()
        files = _files(DeltaTable(str(self.root / table.name), version=self.versions[table.name]))
        if not files.uris:
            return table.schema.empty_table()
        con = scratch()
        con.execute("set TimeZone='UTC'")
        rows = con.sql(f"select * from {parquet_relation(table, files)} where {condition}").to_arrow_table()
        con.close()
        return rows.select(list(table.column_names)).cast(table.schema)

    def replace(
        self,
        name: str,
        data: pa.Table,
        *,
        seasons: Sequence[int] | None = None,
        parents: Mapping[str, pa.Table] | None = None,
    ) -> list[int] | None:
        """Replaces a table, or some of its seasons, by these rows; writes only what differs.

        Args:
            name: Table name.
            data: All rows of the table, or of the given seasons.
            seasons: Replace only these seasons (partitioned tables); None replaces the whole table.
            parents: Tables that foreign keys are checked against.

        Returns:
            The seasons that were rewritten (``[0]`` for a table without seasons); empty when nothing differed.

        Raises:
            ContractViolation: Rows break the contract; nothing was written.
            WarehouseError: The disk refused.
        """
        table = TABLES[name]
        rows = validate(table, data, parents)
        with _explained(self.root):
            if not table.partitioned:
                if name in self.versions and digest(rows) == digest(self.read(name)):
                    return []
                self._commit(table, rows, None)
                written = [0]
            else:
                written = self._replace_seasons(table, rows, seasons)
        if written:
            self.changed[name] = written
        return written

    def replace_rows(
        self,
        name: str,
        data: pa.Table,
        *,
        season: int,
        keys: Sequence[Mapping[str, str]],
        parents: Mapping[str, pa.Table] | None = None,
    ) -> bool:
        """Replaces the rows of a season that belong to some keys by these; the season's other rows stay as they are.

        Only the rows in question are read and compared, so that a table may grow large without its jobs growing with it.

        Args:
            name: Name of a partitioned table.
            data: All rows of these keys.
            season: Their season.
            keys: The keys whose rows are replaced, e.g. ``{"event_id": "2023-bahrain", "session": "qualifying"}``.
            parents: Tables that foreign keys are checked against.

        Returns:
            Whether anything differed and was written.

        Raises:
            ContractViolation: Rows break the contract; nothing was written.
            WarehouseError: The disk refused.
        """
        table = TABLES[name]
        rows = validate(table, data, parents)
        wanted = " or ".join(
            "(" + " and ".join(f"{column} = {_quoted(value)}" for column, value in sorted(key.items())) + ")"
            for key in keys
        )
        predicate = f"season = {int(season)} and ({wanted})"
        with _explained(self.root):
            if name not in self.versions:
                if rows.num_rows == 0:
                    return False
                self._commit(table, rows, None)
            elif digest(rows) == digest(self._read(table, predicate)):
                return False
            else:
                self._add_columns(table)
                self._commit(table, rows, predicate)
        self.changed[name] = sorted({*(self.changed.get(name) or []), season})
        return True

    def _replace_seasons(self, table: Table, rows: pa.Table, seasons: Sequence[int] | None) -> list[int]:
        new = season_digests(rows)
        if table.name not in self.versions:
            self._commit(table, rows, None)
            return sorted(new)
        scope = set(seasons) if seasons is not None else None
        old = season_digests(self.read(table.name))
        differing = sorted(
            s for s in new.keys() | old.keys() if (scope is None or s in scope) and new.get(s) != old.get(s)
        )
        if differing:
            self._add_columns(table)
            chosen = rows.filter(pa.compute.is_in(rows["season"], pa.array(differing, pa.int32())))
            self._commit(table, chosen, f"season in ({', '.join(map(str, differing))})")
        return differing

    def _commit(self, table: Table, rows: pa.Table, predicate: str | None) -> None:
        path = self.root / table.name
        path.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(RETRIES):
            try:
                if predicate:
                    self._drop_unpublished(table.name)
                write_deltalake(
                    str(path),
                    rows,
                    mode="overwrite",
                    predicate=predicate,
                    partition_by=["season"] if table.partitioned else None,
                    schema_mode=None if predicate else "overwrite",
                )
                break
            except CommitFailedError:
                if attempt == RETRIES - 1:
                    raise
        self.versions[table.name] = DeltaTable(str(path)).version()

    def _add_columns(self, table: Table) -> None:
        """Writes a table anew, once, that lacks columns its contract got since: seasons with and without do not mix."""
        if table.name not in self.versions:
            return
        stored = DeltaTable(str(self.root / table.name), version=self.versions[table.name])
        if not set(table.column_names) <= set(_files(stored).columns):
            self._commit(table, self.read(table.name), None)

    def _drop_unpublished(self, name: str) -> None:
        # A job that died may have left a newer version than the published one. Replacing some seasons of it would
        # publish what that job did to the others.
        newest = DeltaTable(str(self.root / name))
        if newest.version() != self.versions[name]:
            newest.restore(self.versions[name])

    def compact(self) -> list[str]:
        """Joins small files of every table; the rows stay as they are. The caller publishes what was compacted.

        Returns:
            The tables that were rewritten.

        Raises:
            WarehouseError: The disk refused.
        """
        done = []
        for name in sorted(self.versions):
            with _explained(self.root):
                self._drop_unpublished(name)
                table = DeltaTable(str(self.root / name))
                table.optimize.compact()
                if table.version() != self.versions[name]:
                    # Joined, or restored after a job that died: the same rows in another version.
                    self.versions[name] = table.version()
                    done.append(name)
        return done

    def vacuum(self) -> int:
        """Deletes files that no version of the last seven days needs, the published one least of all.

        Call it after :meth:`publish`: Delta keeps what its newest version names, and that must be the published one.

        Returns:
            Files deleted.

        Raises:
            WarehouseError: The disk refused.
        """
        count = 0
        for name, version in sorted((self.base.versions if self.base else {}).items()):
            with _explained(self.root):
                table = DeltaTable(str(self.root / name))
                # A version that was written and never published may have dropped files of the published one.
                if table.version() == version:
                    count += len(table.vacuum(dry_run=False))
        return count

    def publish(self, *, now: dt.datetime, notes: Mapping[str, Any] | None = None) -> Snapshot:
        """Makes what was written visible to readers, in one step."""
        self.notes.update(notes or {})
        snapshot = Snapshot(
            SCHEMA_VERSION, now.astimezone(dt.UTC).isoformat(), dict(self.versions), dict(self.notes)
        )
        body = json.dumps(
            {
                "schema_version": snapshot.schema_version,
                "published_at": snapshot.published_at,
                "versions": snapshot.versions,
                "notes": snapshot.notes,
            },
            indent=1,
            sort_keys=True,
        )
        with _explained(self.root):
            write_atomically(self.root / SNAPSHOT_FILE, body.encode())
        self.base = snapshot
        return snapshot


@dataclass(frozen=True)
class StoredFiles:
    """One version of a table on disk.

    Attributes:
        uris: Its parquet files.
        columns: The columns it was written with.
    """

    uris: list[str]
    columns: tuple[str, ...]


def parquet_relation(table: Table, files: StoredFiles) -> str:
    """SQL that reads a table's files: ``read_parquet(...)`` with the season taken from the folder name.

    Columns that the contract got after the table was written are null.
    """
    names = ", ".join("'" + uri.replace("'", "''") + "'" for uri in files.uris)
    hive = (
        ", hive_partitioning=true, hive_types={'season': 'INTEGER'}"
        if table.partitioned
        else ", hive_partitioning=false"
    )
    stored = f"read_parquet([{names}]{hive})"
    new = [column for column in table.columns if column.name not in files.columns]
    if not new:
        return stored
    added = ", ".join(f'null::{DUCKDB_TYPES[column.type]} as "{column.name}"' for column in new)
    return f"(select *, {added} from {stored})"


def delta_files(root: Path, name: str, version: int) -> StoredFiles:
    """Parquet files of one version of a table.

    Raises:
        WarehouseError: The table or that version is gone.
    """
    try:
        return _files(DeltaTable(str(root / name), version=version))
    except (TableNotFoundError, DeltaError) as error:
        raise WarehouseError(
            f"Table {name} of {root} is missing or damaged.", hint="Run `python3 run.py build` to restore it."
        ) from error


def _files(table: DeltaTable) -> StoredFiles:
    # Delta percent-encodes blanks and accents even in local paths; DuckDB opens a path as it is written.
    uris = [uri if "://" in uri else unquote(uri) for uri in table.file_uris()]
    return StoredFiles(uris, tuple(field.name for field in table.schema().fields))


def season_digests(rows: pa.Table) -> dict[int, str]:
    """A fingerprint of the rows of each season, independent of their order."""
    return {int(season): ":".join(rest) for (season,), rest in _digests(rows, ("season",)).items()}


def session_digests(rows: pa.Table) -> dict[tuple[str, str], tuple[int, str]]:
    """Number and fingerprint of the rows of each event and session (``race`` where a table has none)."""
    keys = ("event_id", "session" if "session" in rows.column_names else "'race'")
    return {
        (str(event), str(session)): (int(count), f"{xor}:{total}")
        for (event, session), (count, xor, total) in _digests(rows, keys).items()
    }


def _digests(rows: pa.Table, keys: tuple[str, ...]) -> dict[tuple[Any, ...], tuple[str, ...]]:
    if rows.num_rows == 0:
        return {}
    con = scratch()
    con.register("data", rows)
    found = con.execute(
        f"select {', '.join(keys)}, count(*), bit_xor(hash({_all(rows)})), sum(hash({_all(rows)})::hugeint % 1000000007) "
        f"from data group by {', '.join(keys)}"
    ).fetchall()
    con.close()
    return {row[: len(keys)]: tuple(map(str, row[len(keys) :])) for row in found}


def digest(rows: pa.Table) -> str:
    """A fingerprint of all rows, independent of their order."""
    if rows.num_rows == 0:
        return "empty"
    con = scratch()
    con.register("data", rows)
    found = con.execute(
        f"select count(*), bit_xor(hash({_all(rows)})), sum(hash({_all(rows)})::hugeint % 1000000007) from data"
    ).fetchall()
    con.close()
    return ":".join(map(str, found[0]))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _all(rows: pa.Table) -> str:
    return ", ".join(f'"{name}"' for name in rows.column_names)
