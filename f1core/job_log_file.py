"""The file of the job log: opened to write or to read, moved aside when damaged; errors in words."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from warehouse.errors import SchemaTooNew, WarehouseError
from warehouse.lock import writer_lock

VERSION = 1
APPLICATION = 0x50464A4C
"""Marks the file as ours (``PFJL``)."""
BUSY_S = 10.0
_TABLES = f"""
create table if not exists job_runs (
    run_id integer primary key autoincrement,
    key text not null,
    job text not null,
    params text not null,
    planned_at text,
    started_at text,
    ended_at text,
    status text not null,
    rows integer,
    attempts integer not null,
    error text,
    note text,
    retry_at text,
    pid integer,
    process text,
    host text,
    clock text not null
);
create index if not exists job_runs_key on job_runs (key, run_id);
create table if not exists facts (name text primary key, value text not null);
pragma application_id = {APPLICATION};
pragma user_version = {VERSION};
"""
_BEGINS_ANEW = """
insert into job_runs (key, job, params, status, attempts, error, note, ended_at, pid, host, clock)
values ('job_log', 'job_log', '{}', 'failed', 0, 'the record of earlier runs was damaged', ?, ?, ?, ?, 'real')
"""


class LogFile:
    """One SQLite file with a write-ahead log; a connection is opened for each transaction and closed after it.

    Args:
        path: The file; its folder is made by the first write.
        durable: Whether a transaction must also survive a power cut, for which the disk is waited for. It survives the death
            of its process in any case.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self.durable = durable
        self._checked: tuple[int, int] | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk when the block ends; rolled back when anything goes wrong.

        Raises:
            WarehouseError: The file cannot be written.
        """
        try:
            con = self._open_to_write()
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error
        try:
            con.execute("begin immediate")
            yield con
            con.execute("commit")
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        finally:
            con.close()  # what was not committed is rolled back

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """The file, read only; None when nothing was ever recorded.

        Raises:
            WarehouseError: The file cannot be read.
        """
        if not self.path.exists():
            yield None
            return
        # Without its side file the last writer closed it: it is complete, and needs neither lock nor a writable folder.
        is_closed = not Path(f"{self.path}-wal").exists() and not os.access(self.path.parent, os.W_OK)
        uri = f"{self.path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_closed else ''}"
        try:
            con = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        try:
            con.row_factory = sqlite3.Row
            is_empty = con.execute("pragma user_version").fetchone()[0] == 0
            yield None if is_empty else con
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        finally:
            con.close()

    def _open_to_write(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            return self._begin_anew()

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        try:
            con.row_factory = sqlite3.Row
            con.execute(f"pragma synchronous = {'full' if self.durable else 'off'}")
            version = con.execute("pragma user_version").fetchone()[0]
            if version > VERSION:
                raise SchemaTooNew(
                    f"The job log {self.path} was written by a newer version of the product.",
                    hint="Update the product, or set PARCFERME_DATA to another folder. Nothing was changed.",
                )
            if version < VERSION:
                if con.execute("select count(*) from sqlite_master").fetchone()[0]:
                    raise sqlite3.DatabaseError("it was not written by this product")
                con.execute("pragma journal_mode = wal")
                con.executescript(f"begin immediate; {_TABLES} commit;")
            found = self.path.stat()
            if self._checked != (found.st_ino, found.st_dev):
                if con.execute("pragma quick_check(1)").fetchone()[0] != "ok":
                    raise sqlite3.DatabaseError("its pages contradict each other")
                self._checked = (found.st_ino, found.st_dev)
        except BaseException:
            con.close()
            raise
        return con

    def _begin_anew(self) -> sqlite3.Connection:
        """Puts a damaged file aside and begins another, which says so in its first row."""
        with writer_lock(self.path.parent, holder="job log", wait_s=BUSY_S, name=self.path.name):
            try:
                return self._connect()  # another process was quicker
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                moved = self._free_name()
            # The journal goes first: left behind, it would be played into the new file.
            for tail in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(f"{self.path}{tail}", f"{moved}{tail}")
            os.rename(self.path, moved)
            con = self._connect()
            last_written = dt.datetime.fromtimestamp(moved.stat().st_mtime, dt.UTC)
            con.execute(
                _BEGINS_ANEW,
                (
                    f"It was moved to {moved.name}; this record begins anew.",
                    last_written.isoformat(timespec="microseconds"),
                    os.getpid(),
                    platform.node(),
                ),
            )
            # What came due since the old record was last written to may have been missed, and is looked for.
            con.executemany(
                "insert into facts (name, value) values (?, ?)",
                [(name, json.dumps({"at": last_written.isoformat()})) for name in ("began", "began_targets")],
            )
            return con

    def _free_name(self) -> Path:
        number = 1
        while (name := self.path.with_name(f"{self.path.stem}.damaged-{number}{self.path.suffix}")).exists():
            number += 1
        return name

    def _refusal(self, error: Exception) -> WarehouseError:
        text = str(error)
        if "full" in text or "No space" in text:
            return WarehouseError(
                f"The job log {self.path} cannot be written: the disk is full.",
                hint="Free some space; the runner then writes down what it could not.",
            )
        if any(words in text for words in ("readonly", "ermission denied", "unable to open", "Read-only")):
            return WarehouseError(
                f"The job log {self.path} cannot be opened: {text}.",
                hint="Make its folder writable, or set PARCFERME_DATA to another one.",
            )
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            return WarehouseError(
                f"The job log {self.path} is damaged: {text}.",
                hint="`python -m jobs run` moves it aside and begins a new one.",
            )
        return WarehouseError(f"The job log {self.path} cannot be used: {text}.", hint="Try again.")
