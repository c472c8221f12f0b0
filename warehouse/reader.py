"""Reading the warehouse: an in-memory DuckDB over the parquet files of the published snapshot.

One reader per process, one cursor per call. A reader notices a new snapshot by itself.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from warehouse.errors import WarehouseError
from warehouse.snapshot import SNAPSHOT_FILE, Snapshot, read_snapshot
from warehouse.store import StoredFiles, delta_files, parquet_relation
from warehouse.tables import SCHEMA_VERSION, TABLES, Table
from warehouse.tables.contract import DUCKDB_TYPES

MEMORY_LIMIT = "1GB"
RESULTS = frozenset(
    {
        *(
            "race_results",
            "qualifying_results",
            "practice_results",
            "session_summaries",
            "starting_grids",
            "pit_stops",
        ),
        *(
            "fastest_laps",
            "laps",
            "stints",
            "track_status_periods",
            "driver_standings",
            "constructor_standings",
        ),
        *("driver_race_metrics", "team_race_metrics", "elo_rankings"),
    }
)
"""Tables whose rows say what happened in one session: those a reader can leave out that were not known yet. (Elsewhere
``known_at`` means something else, as in ``sessions``, or a row is of many races, as in ``circuit_profiles``.)"""


class Reader:
    """Answers queries from the published snapshot of a warehouse.

    Args:
        root: Folder of the warehouse.
        known_by: Rows of :data:`RESULTS` known later are not there; None for all (aware).
    """

    def __init__(self, root: Path, known_by: dt.datetime | None = None) -> None:
        self.root = root
        self.known_by = known_by
        self._lock = threading.Lock()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._snapshot: Snapshot | None = None
        self._stamp: tuple[int, int] | None = None
        self._shown: dict[str, str] = {}
        self._known_files: dict[str, tuple[tuple[int, int, int], StoredFiles]] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot in use, the newest there is.

        Raises:
            WarehouseError: Nothing was built yet, or the warehouse is gone.
        """
        self._refresh()
        assert self._snapshot is not None
        return self._snapshot

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Runs a query with bound parameters (``$name``) and returns its rows."""
        con = self._refresh()
        cursor = con.cursor()
        try:
            return _in_utc(cursor.sql(sql, params=dict(params or {})).pl())
        except duckdb.IOException as error:
            raise self._incomplete(error) from error
        finally:
            cursor.close()

    def table(self, name: str) -> pl.DataFrame:
        """All rows of a table."""
        return self.query(f'select * from "{TABLES[name].name}"')

    def close(self) -> None:
        """Frees the connection; the next query opens another."""
        with self._lock:
            if self._con is not None:
                self._con.close()
            self._con = None
            self._stamp = None

    def _refresh(self) -> duckdb.DuckDBPyConnection:
        stamp = self._file_stamp()
        with self._lock:
            if self._con is not None and stamp == self._stamp:
                return self._con
            snapshot = read_snapshot(self.root)
            if snapshot is None:
                raise WarehouseError(
                    f"There is no warehouse in {self.root} yet.", hint="Run `python3 run.py build`."
                )
            if snapshot.schema_version < SCHEMA_VERSION:
                raise WarehouseError(
                    f"The warehouse {self.root} has the older schema {snapshot.schema_version}.",
                    hint="Run `python3 run.py build`: it is rebuilt from the raw facts.",
                )
            fresh = self._con is None
            con = self._con or _connected()
            wanted = {table.name: self._select(table, snapshot) for table in TABLES.values()}
            shown = {} if fresh else self._shown
            try:
                # One transaction: whoever asks meanwhile sees all of the old snapshot or all of the new one.
                con.execute("begin")
                try:
                    for name, select in wanted.items():
                        if shown.get(name) != select:
                            con.execute(f'create or replace view "{name}" as {select}')
                except BaseException:
                    con.execute("rollback")
                    raise
                con.execute("commit")
            except duckdb.IOException as error:
                if fresh:
                    con.close()
                raise self._incomplete(error) from error
            self._con, self._snapshot, self._stamp, self._shown = con, snapshot, stamp, wanted
            return con

    def _incomplete(self, error: duckdb.IOException) -> WarehouseError:
        return WarehouseError(
            f"A file of the warehouse {self.root} is missing: {str(error).splitlines()[0]}",
            hint="Run `python3 run.py build` to restore it.",
        )

    def _select(self, table: Table, snapshot: Snapshot) -> str:
        version = snapshot.versions.get(table.name)
        files = None if version is None else self._files_of(table.name, version)
        if files is not None and files.uris:
            columns = ", ".join(f'"{name}"' for name in table.column_names)
            return f"select {columns} from {parquet_relation(table, files)}{self._known(table)}"
        empty = ", ".join(f'null::{DUCKDB_TYPES[c.type]} as "{c.name}"' for c in table.columns)
        return f"select {empty} where false"

    def _known(self, table: Table) -> str:
        if self.known_by is None or table.name not in RESULTS:
            return ""
        return f" where known_at <= timestamptz '{self.known_by.astimezone(dt.UTC).isoformat()}'"

    def _files_of(self, name: str, version: int) -> StoredFiles:
        """Files of a version; asked for once, as long as it is the same commit of the same table."""
        try:
            commit = (self.root / name / "_delta_log" / f"{version:020d}.json").stat()
        except OSError:
            return delta_files(self.root, name, version)
        stamp = (version, commit.st_mtime_ns, commit.st_ino)
        kept = self._known_files.get(name)
        if kept is None or kept[0] != stamp:
            kept = self._known_files[name] = (stamp, delta_files(self.root, name, version))
        return kept[1]

    def _file_stamp(self) -> tuple[int, int]:
        try:
            found = (self.root / SNAPSHOT_FILE).stat()
        except FileNotFoundError:
            self.close()
            raise WarehouseError(
                f"There is no warehouse in {self.root} yet.", hint="Run `python3 run.py build`."
            ) from None
        return found.st_mtime_ns, found.st_ino


def _connected() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY_LIMIT,
            "threads": "2",
        }
    )
    con.execute("set TimeZone='UTC'")
    return con


def _in_utc(rows: pl.DataFrame) -> pl.DataFrame:
    """Names the time zone ``UTC``; the engine says ``Etc/UTC``, which is the same but does not compare."""
    zoned = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return rows.with_columns(pl.col(zoned).dt.convert_time_zone("UTC")) if zoned else rows
