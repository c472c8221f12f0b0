"""How often each host on the network may be asked: one record of requests, shared by all processes.

The record is a small SQLite file. A request is written down before it is made, so that a process that dies can only
have asked less often than the record says, never more.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from f1core.settings import Settings
from warehouse.errors import SourceUnavailable, WarehouseError
from warehouse.lock import writer_lock

QUOTA_FILE = "quota.sqlite"
HOUR_S = 3600.0
PER_SECOND = 4
PER_HOUR = 500
LIMITS: dict[str, int] = {
    "api.jolpi.ca": 200,
    # GitHub counts 60 an hour per address for callers without an account.
    "api.github.com": 60,
}
"""Requests an hour for hosts that allow fewer than :data:`PER_HOUR`."""
ASKED_HOSTS = ("api.github.com", "api.jolpi.ca", "api.open-meteo.com", "livetiming.formula1.com")
"""Hosts that are shown even when nothing was asked of them in the last hour."""
WAIT_S = 10.0
LONGEST_PAUSE_S = 24 * HOUR_S
_BUSY_S = 10.0
_VERSION = 1
# `restarts` has a row while the record of an hour is lost; `pauses` are a server's own words (Retry-After).
_TABLES = """
create table if not exists requests (host text not null, at real not null);
create index if not exists requests_by_host on requests (host, at);
create table if not exists pauses (host text primary key, until real not null);
create table if not exists restarts (until real not null);
"""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class QuotaState:
    """What a host still allows.

    Attributes:
        host: The host.
        limit_per_hour: Requests allowed in any 60 minutes.
        used: Requests of the last 60 minutes.
        left: Requests that may be made now; 0 while the host has asked to be left alone.
        resets_at: When the next request becomes free (UTC); None when nothing counts at present.
        note: Why fewer are left than the numbers say, in words; empty as a rule.
    """

    host: str
    limit_per_hour: int
    used: int
    left: int
    resets_at: dt.datetime | None
    note: str = ""


class Quota:
    """The record of requests, and who may ask next.

    Args:
        path: The record; it and its folder are made when first needed.
        offline: Whether no host may be asked at all.
        now: Tells the time [s since 1970]; the same clock for all processes.
        sleep: Waits [s].
    """

    def __init__(
        self,
        path: Path,
        *,
        offline: bool = False,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = path
        self.offline = offline
        self.now = now
        self.sleep = sleep

    @classmethod
    def of(cls, settings: Settings) -> Quota:
        """The record of an installation."""
        return cls(settings.jobs_root / QUOTA_FILE, offline=settings.offline)

    def take(self, host: str, *, wait_s: float = WAIT_S) -> None:
        """Writes a request down that is made next; waits for its turn.

        Args:
            host: Who is asked.
            wait_s: How long it may wait for its turn [s].

        Raises:
            SourceUnavailable: The hour's requests are used up, the host asked to be left alone, or no network source
                may be asked; ``retry_after_s`` says when there is a chance again.
            WarehouseError: The record cannot be written (disk full, read-only).
        """
        self.refuse_offline(host)
        waited = 0.0
        while True:
            pause_s, reason = self._do(lambda con: self._try(con, host))
            if pause_s is None:
                return
            if waited + pause_s > wait_s:
                raise SourceUnavailable(
                    f"{host} is not asked now: {reason}.",
                    hint=f"It can be asked again in {_words(pause_s)}; jobs do so by themselves.",
                    retry_after_s=pause_s,
                )
            self.sleep(pause_s)
            waited += pause_s

    def refuse_offline(self, host: str) -> None:
        """Does nothing where the network may be used.

        Raises:
            SourceUnavailable: ``PARCFERME_OFFLINE`` is set.
        """
        if self.offline:
            raise SourceUnavailable(
                f"{host} is not asked: PARCFERME_OFFLINE is set.",
                hint="Unset it to let jobs use the network; what is stored stays in use.",
            )

    def pause(self, host: str, seconds: float) -> None:
        """Leaves a host alone, in all processes, because it said so (``Retry-After``); at most a day."""
        until = self.now() + min(max(seconds, 0.0), LONGEST_PAUSE_S)

        def write(con: sqlite3.Connection) -> None:
            con.execute("begin immediate")
            con.execute(
                "insert into pauses values (?, ?) on conflict (host) do update set until = max(until, excluded.until)",
                (host, until),
            )
            con.execute("commit")

        self._do(write)

    def left(self, host: str, now: dt.datetime | None = None) -> QuotaState:
        """What a host still allows.

        Args:
            host: The host.
            now: The instant; the record's own clock when None.
        """
        instant = self.now() if now is None else now.timestamp()
        if not self.path.exists():
            return QuotaState(host, LIMITS.get(host, PER_HOUR), 0, LIMITS.get(host, PER_HOUR), None)
        return self._do(lambda con: _state(con, host, instant))

    def states(self, now: dt.datetime | None = None) -> list[QuotaState]:
        """What every host allows that was asked in the last hour or is asked as a rule, by name."""
        instant = self.now() if now is None else now.timestamp()
        hosts = set(ASKED_HOSTS)
        if self.path.exists():
            rows = self._do(
                lambda con: con.execute(
                    "select host from requests where at > ? union select host from pauses where until > ?",
                    (instant - HOUR_S, instant),
                ).fetchall()
            )
            hosts |= {str(row[0]) for row in rows}
        return [self.left(host, now) for host in sorted(hosts)]

    # --- the record -------------------------------------------------------------------------------------------------

    def _try(self, con: sqlite3.Connection, host: str) -> tuple[float | None, str]:
        """Writes the request down if it is its turn; else how long until it may be [s], and why."""
        con.execute("begin immediate")
        now = self.now()
        con.execute("delete from requests where at <= ?", (now - HOUR_S,))
        # A clock that was set back leaves requests in the future: they count from now on, for an hour like all others.
        con.execute("update requests set at = ? where at > ?", (now, now))
        con.execute("update pauses set until = ? where until > ?", (now + LONGEST_PAUSE_S,) * 2)
        con.execute("update restarts set until = ? where until > ?", (now + HOUR_S,) * 2)
        state = _state(con, host, now)
        if state.left <= 0 and state.resets_at is not None:
            con.execute("commit")
            return max(state.resets_at.timestamp() - now, 0.0) or 0.001, state.note or (
                f"its {state.limit_per_hour} requests an hour are used up"
            )
        second = con.execute(
            "select at from requests where host = ? and at > ? order by at desc limit 1 offset ?",
            (host, now - 1.0, PER_SECOND - 1),
        ).fetchone()
        if second is not None:
            con.execute("commit")
            return max(float(second[0]) + 1.0 - now, 0.001), f"{PER_SECOND} requests were made in a second"
        con.execute("insert into requests values (?, ?)", (host, now))
        con.execute("commit")
        return None, ""

    def _do(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Runs something on the record; a damaged record is put aside and begun again, once."""
        try:
            return self._run(work)
        except sqlite3.Error as error:
            if not _is_damaged(error):
                raise self._refusal(error) from error
        try:
            self._begin_again()
            return self._run(work)
        except (sqlite3.Error, OSError) as error:
            raise self._refusal(error) from error

    def _run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        # A connection a call: a process that is killed holds nothing, and a record that was put aside is not written to.
        con = self._open(self.path)
        try:
            return work(con)
        finally:
            con.close()

    def _open(self, path: Path, *, journal: str = "wal") -> sqlite3.Connection:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refusal(error) from error
        con = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            con.execute(f"pragma journal_mode = {journal}")
            con.execute("pragma synchronous = normal")
            if con.execute("pragma user_version").fetchone()[0] != _VERSION:
                con.executescript(f"begin immediate; {_TABLES} pragma user_version = {_VERSION}; commit;")
        except BaseException:
            con.close()
            raise
        return con

    def _begin_again(self) -> None:
        """Puts a damaged record aside and begins another, with half the usual limits until the lost hour is over."""
        with writer_lock(self.path.parent, holder="quota record", wait_s=_BUSY_S, name=self.path.name):
            try:
                sound = self._run(
                    lambda con: (
                        con.execute("pragma quick_check").fetchone()[0] == "ok"
                        and con.execute("select count(host), count(at) from requests").fetchone() is not None
                    )
                )
            except sqlite3.Error as error:
                if not _is_damaged(error):
                    raise
                sound = False
            if sound:
                return  # another process was quicker
            now = self.now()
            aside = f"{self.path.name}.damaged-{dt.datetime.fromtimestamp(now, dt.UTC):%Y%m%dT%H%M%S}"
            # The journal goes first: left behind, it would be played into the new record.
            for suffix in ("-wal", "-shm"):
                journal = self.path.with_name(self.path.name + suffix)
                if journal.exists():
                    journal.replace(self.path.with_name(aside + suffix))
            fresh = self.path.with_name(f".{self.path.name}.new")
            fresh.unlink(missing_ok=True)
            con = self._open(fresh, journal="delete")
            con.execute("insert into restarts values (?)", (now + HOUR_S,))
            con.close()
            kept = self.path.with_name(aside)
            if self.path.exists() and not kept.exists():
                os.link(self.path, kept)
            fresh.replace(self.path)

    def _refusal(self, error: Exception) -> WarehouseError | SourceUnavailable:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return SourceUnavailable(
                f"The record of requests {self.path} is held by another process.",
                hint="Try again; if it lasts, look for a job that hangs.",
                retry_after_s=_BUSY_S,
            )
        return WarehouseError(
            f"The record of requests {self.path} cannot be written: {error}.",
            hint="Free some space or mend the permissions; without the record no host is asked.",
        )


def _state(con: sqlite3.Connection, host: str, now: float) -> QuotaState:
    limit, note = LIMITS.get(host, PER_HOUR), ""
    if con.execute("select 1 from restarts where until > ?", (now,)).fetchone():
        # What the lost record held is unknown: half the limit is assumed to be used.
        limit, note = (
            limit // 2,
            "the record of requests was damaged, so half the usual limit holds for an hour",
        )
    used = int(
        con.execute(
            "select count(*) from requests where host = ? and at > ?", (host, now - HOUR_S)
        ).fetchone()[0]
    )
    left = max(limit - used, 0)
    oldest = con.execute(
        "select at from requests where host = ? and at > ? order by at limit 1 offset ?",
        (host, now - HOUR_S, max(used - limit, 0)),
    ).fetchone()
    free_at = None if oldest is None else min(float(oldest[0]), now) + HOUR_S
    paused = con.execute("select until from pauses where host = ? and until > ?", (host, now)).fetchone()
    if paused is not None:
        until = min(float(paused[0]), now + LONGEST_PAUSE_S)
        free_at = until if left else max(until, free_at or until)
        left, note = 0, "the host asked to be left alone for a while"
    resets_at = None if free_at is None else dt.datetime.fromtimestamp(free_at, dt.UTC)
    return QuotaState(host, limit, used, left, resets_at, note)


def _is_damaged(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    # A logic error (no such table or column) means that the file is some other SQLite database.
    broken = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
    return code & 0xFF in broken or code == sqlite3.SQLITE_IOERR_SHORT_READ


def _words(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes >= 2 else f"{max(1, round(seconds))} s"
