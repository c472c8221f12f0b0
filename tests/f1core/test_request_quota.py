"""The record of requests: limits that hold over processes, kills and damage."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from f1core.settings import REPOSITORY, load_settings
from f1core.sources.limits import Quota
from tests.local_server import FakeTime
from warehouse.errors import SourceUnavailable, WarehouseError

JOLPICA, GITHUB, OTHER = "api.jolpi.ca", "api.github.com", "livetiming.formula1.com"


def used_up(quota: Quota, host: str) -> int:
    """Asks until it is refused; how often it was allowed."""
    for count in range(2000):
        try:
            quota.take(host)
        except SourceUnavailable:
            return count
    raise AssertionError("never refused")


def at(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def test_the_fifth_request_of_a_second_waits(quota: Quota, clock: FakeTime) -> None:
    start = clock.at
    for _ in range(5):
        quota.take(OTHER)
    assert len(clock.waits) == 1 and clock.at - start == pytest.approx(1.0)
    clock.at += 0.5
    quota.take(GITHUB)  # another host has its own turn
    assert len(clock.waits) == 1


def test_the_limits_are_those_of_the_hosts(quota: Quota) -> None:
    assert {host: quota.left(host).left for host in (JOLPICA, GITHUB, OTHER)} == {
        JOLPICA: 200,
        GITHUB: 60,
        OTHER: 500,
    }


def test_the_limit_of_an_hour_slides(quota: Quota, clock: FakeTime) -> None:
    start = clock.at
    assert used_up(quota, GITHUB) == 60
    state = quota.left(GITHUB)
    assert (state.limit_per_hour, state.used, state.left) == (60, 60, 0)
    assert state.resets_at == at(start + 3600)
    with pytest.raises(SourceUnavailable, match=f"{GITHUB}.*60 requests an hour are used up") as caught:
        quota.take(GITHUB)
    assert caught.value.retry_after_s == pytest.approx(start + 3600 - clock.at)
    # Four were made in the first second: as many are free an hour later, the fifth a second after them.
    clock.at = start + 3600
    for _ in range(4):
        quota.take(GITHUB, wait_s=0)
    with pytest.raises(SourceUnavailable) as caught:
        quota.take(GITHUB, wait_s=0)
    assert caught.value.retry_after_s == pytest.approx(1.0)
    quota.take(GITHUB, wait_s=2)


def test_what_is_left_is_told_without_a_record(quota: Quota, clock: FakeTime) -> None:
    states = {state.host: state for state in quota.states()}
    assert states[JOLPICA].left == 200 and states[JOLPICA].resets_at is None
    assert not quota.path.exists() and not quota.path.parent.exists()
    quota.take("example.org")
    quota.take(JOLPICA)
    states = {state.host: state for state in quota.states(at(clock.at))}
    assert states["example.org"].left == 499 and states[JOLPICA].left == 199
    assert list(states) == sorted(states)
    later = {state.host: state for state in quota.states(at(clock.at + 3600))}
    assert "example.org" not in later and later[JOLPICA].used == 0


def test_a_host_that_asked_for_a_pause_is_left_alone(quota: Quota, clock: FakeTime) -> None:
    quota.pause(JOLPICA, 300)
    quota.pause(JOLPICA, 10)  # the longer one holds
    assert quota.left(JOLPICA).left == 0 and quota.left(JOLPICA).resets_at == at(clock.at + 300)
    with pytest.raises(SourceUnavailable, match="left alone") as caught:
        quota.take(JOLPICA)
    assert caught.value.retry_after_s == pytest.approx(300)
    quota.take(OTHER)
    quota.pause(OTHER, 10**9)  # nonsense of a server stops nothing for more than a day
    clock.at += 24 * 3600 + 1
    quota.take(OTHER)
    quota.take(JOLPICA)


def test_a_clock_that_is_set_back_frees_nothing_and_blocks_for_an_hour_at_most(
    quota: Quota, clock: FakeTime
) -> None:
    used_up(quota, GITHUB)
    clock.at -= 30 * 24 * 3600
    with pytest.raises(SourceUnavailable) as caught:
        quota.take(GITHUB)
    assert caught.value.retry_after_s == pytest.approx(3600)
    clock.at += 3600
    quota.take(GITHUB)


def test_offline_nothing_may_be_asked(tmp_path: Path) -> None:
    quota = Quota.of(load_settings(data=tmp_path, offline=True))
    assert quota.path == tmp_path / "jobs" / "quota.sqlite"
    with pytest.raises(SourceUnavailable, match="PARCFERME_OFFLINE is set"):
        quota.take(JOLPICA)
    assert not quota.path.exists()


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("in the way")
    with pytest.raises(WarehouseError, match=r"quota\.sqlite cannot be written"):
        Quota(tmp_path / "jobs" / "quota.sqlite").take(JOLPICA)


# --- damage -----------------------------------------------------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 500)


def cut(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 3])


def overwritten(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[:4096] + b"\xff" * (len(body) - 4096))


def another_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as con:
        con.execute("create table requests (somebody text)")
        con.execute("pragma user_version = 1")
    con.close()


@pytest.mark.parametrize("damage", [garbage, cut, overwritten, another_database])
def test_a_damaged_record_is_put_aside_and_half_the_limits_hold(
    quota: Quota, clock: FakeTime, damage: Callable[[Path], None]
) -> None:
    for _ in range(20):
        quota.take(GITHUB)
    damage(quota.path)
    damaged = quota.path.read_bytes()
    assert used_up(quota, GITHUB) == 30
    state = quota.left(GITHUB)
    assert (state.limit_per_hour, state.used, state.left) == (30, 30, 0)
    assert "damaged" in state.note
    aside = [path.read_bytes() for path in quota.path.parent.glob("quota.sqlite.damaged-*")]
    # Opening a sound database of another kind may have touched its header, which is 100 bytes long.
    assert damaged[100:] in [body[100:] for body in aside]
    clock.at += 3600 + 20
    assert quota.left(GITHUB).limit_per_hour == quota.left(GITHUB).left == 60


# --- several processes ------------------------------------------------------------------------------------------------

TAKE_ALL = """
import sys
from pathlib import Path
from f1core.sources import limits
from warehouse.errors import SourceUnavailable
limits.PER_SECOND = 10**6
quota = limits.Quota(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
count = 0
while True:
    try:
        quota.take("api.github.com", wait_s=0)
    except SourceUnavailable:
        break
    count += 1
print(count)
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_two_processes_at_once_share_the_limit(tmp_path: Path, damaged: bool) -> None:
    path = tmp_path / "quota.sqlite"
    if damaged:
        garbage(path)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE_ALL, str(path)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=60) for one in both]
    assert [err for _, err in answers] == ["", ""]
    assert sum(int(out) for out, _ in answers) == (30 if damaged else 60)
    assert Quota(path).left(GITHUB).left == 0


# Dies by itself, as hard as kill -9, at the n-th line that runs in the module; one child for each n.
KILLED = """
import os, sys
from pathlib import Path
from f1core.sources import limits
path, damaged = Path(sys.argv[1]), sys.argv[2] == "damaged"
allowed, died, wrong = 0, 0, []
for n in range(1, 10_000):
    if damaged:
        for old in path.parent.glob(path.name + "*"):
            old.unlink()
        path.write_bytes(b"garbage" * 1000)
    child = os.fork()
    if child == 0:
        count = 0
        def trace(frame, event, _):
            global count
            if frame.f_code.co_filename != limits.__file__:
                return None
            if event == "line":
                count += 1
                if count == n:
                    os._exit(9)
            return trace
        sys.settrace(trace)
        limits.Quota(path, now=lambda: 1000.0 + n).take("example.org")
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    died += code == 9
    before = allowed
    quota = limits.Quota(path, now=lambda: 1000.0 + n)
    if damaged:
        quota.take("example.org")
        state = quota.left("example.org")
        if state.limit_per_hour != 250 or state.used not in (1, 2):
            wrong.append((n, state))
    else:
        allowed = quota.left("example.org").used
        if allowed not in (before, before + 1) or (code == 0 and allowed == before):
            wrong.append((n, before, allowed))
    if code == 0:
        break
print(died, wrong)
"""


@pytest.mark.parametrize("state", ["sound", pytest.param("damaged", marks=pytest.mark.slow)])
def test_a_process_that_is_killed_at_any_line_leaves_a_record_that_works(tmp_path: Path, state: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "quota.sqlite"), state],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    died, wrong = done.stdout.strip().split(" ", 1)
    assert wrong == "[]"
    assert int(died) > (20 if state == "sound" else 50)


def test_a_record_that_another_process_holds_is_waited_for_and_then_said(
    quota: Quota, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota.take(JOLPICA)
    monkeypatch.setattr("f1core.sources.limits._BUSY_S", 0.01)
    holder = sqlite3.connect(quota.path, isolation_level=None)
    holder.execute("begin immediate")
    with pytest.raises(SourceUnavailable, match="held by another process"):
        quota.take(JOLPICA)
    holder.close()
    quota.take(JOLPICA)
    assert quota.left(JOLPICA).used == 2
