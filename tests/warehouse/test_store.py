"""The store: whole snapshots, only what differs is written, and refusals in words that leave the old data intact."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import warehouse.store
from f1core.settings import REPOSITORY
from warehouse.errors import ContractViolation, LockHeld, SchemaTooNew, WarehouseError
from warehouse.files import write_atomically
from warehouse.lock import writer_lock
from warehouse.reader import Reader
from warehouse.snapshot import SNAPSHOT_FILE, read_snapshot
from warehouse.store import Store, digest, season_digests
from warehouse.tables import SCHEMA_VERSION, TABLES

NOW = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)


def ratings(*seasons: int, value: float = 1500.0, entities: int = 3) -> pa.Table:
    """Rows of a table that is kept by season."""
    return pa.Table.from_pylist(
        [
            {
                "event_id": f"{season}-x",
                "season": season,
                "rating_kind": "elo",
                "entity_kind": "driver",
                "entity_id": f"d{number}",
                "value": value + number,
                "variance": None,
                "known_at": dt.datetime(season, 5, 1, tzinfo=dt.UTC),
            }
            for season in seasons
            for number in range(entities)
        ],
        schema=TABLES["ratings"].schema,
    )


def constructors(*names: str) -> pa.Table:
    """Rows of a table that is kept whole."""
    return pa.Table.from_pylist(
        [
            {"constructor_id": n, "constructor_name": n.title(), "full_name": n, "country_id": None}
            for n in names
        ],
        schema=TABLES["constructors"].schema,
    )


def publish(root: Path, **tables: pa.Table) -> Store:
    store = Store(root)
    for name, rows in tables.items():
        store.replace(name, rows)
    store.publish(now=NOW)
    return store


def values(root: Path) -> list[tuple[Any, ...]]:
    return (
        Reader(root).query("select season, entity_id, value from ratings order by season, entity_id").rows()
    )


def in_another_process(code: str, **names: object) -> subprocess.CompletedProcess[str]:
    """Runs a piece of code that may import the product and these tests."""
    head = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    head += "import sys; sys.path.insert(0, '.')\n"
    return subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(code)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- snapshots --------------------------------------------------------------------------------------------------------


def test_a_reader_keeps_the_old_snapshot_until_the_new_one_is_published(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2023), constructors=constructors("aurora"))
    reader = Reader(tmp_path)
    before = reader.table("ratings")
    assert before.height == 3

    store = Store(tmp_path)
    store.replace("ratings", ratings(2023, 2024, value=1600.0))
    store.replace("constructors", constructors("aurora", "borealis"))
    assert reader.table("ratings").equals(before), "written but not published: nobody sees it"
    assert Reader(tmp_path).table("constructors").height == 1

    old = reader.snapshot.id
    store.publish(now=NOW)
    assert reader.snapshot.id != old
    assert reader.table("ratings").height == 6, "an open reader notices"
    assert reader.table("constructors").height == 2


def test_a_writer_that_dies_between_two_tables_changes_nothing(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2023), constructors=constructors("aurora"))
    before = values(tmp_path)
    died = in_another_process(
        """
        import os
        from pathlib import Path
        from tests.warehouse.test_store import constructors, ratings
        from warehouse.lock import writer_lock
        from warehouse.store import Store
        with writer_lock(Path(root) / "locks", holder="test"):
            store = Store(Path(root))
            store.replace("ratings", ratings(2023, 2024, value=9.0))
            os._exit(17)
        """,
        root=str(tmp_path),
    )
    assert died.returncode == 17, died.stderr
    assert values(tmp_path) == before
    assert Reader(tmp_path).table("constructors").height == 1
    # The lock went with the process, and the next run does the whole work.
    with writer_lock(tmp_path / "locks", holder="the next one"):
        store = Store(tmp_path)
        assert store.replace("ratings", ratings(2023, 2024, value=9.0)) == [2023, 2024]
        store.publish(now=NOW)
    assert [row[2] for row in values(tmp_path)] == [9.0, 10.0, 11.0] * 2


def test_what_a_dead_writer_left_behind_never_gets_published(tmp_path: Path) -> None:
    """The next job starts from the snapshot, not from the newest files on disk."""
    publish(tmp_path, ratings=ratings(2023, 2024), constructors=constructors("aurora"))
    dead = Store(tmp_path)
    dead.replace("ratings", pa.concat_tables([ratings(2023), ratings(2024, value=9.0)]))
    dead.replace("constructors", constructors("aurora", "wrong"))
    store = Store(tmp_path)
    assert store.replace("ratings", ratings(2023, 2024, 2025)) == [2025]
    assert store.replace("constructors", constructors("aurora")) == []
    store.publish(now=NOW)
    assert [row[2] for row in values(tmp_path)] == [1500.0, 1501.0, 1502.0] * 3
    assert Reader(tmp_path).table("constructors")["constructor_id"].to_list() == ["aurora"]


def test_only_seasons_that_differ_are_rewritten(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2022, 2023, 2024))
    files = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "ratings").rglob("season=202[23]/*.parquet")
    }
    assert len(files) == 2
    changed = pa.concat_tables([ratings(2022, 2023), ratings(2024, value=1600.0), ratings(2025)])
    store = Store(tmp_path)
    assert store.replace("ratings", changed) == [2024, 2025]
    assert store.changed == {"ratings": [2024, 2025]}
    store.publish(now=NOW)
    assert {path: path.stat().st_mtime_ns for path in files} == files, "other seasons' files are the same"
    assert len(values(tmp_path)) == 12


def test_a_season_that_is_gone_is_removed_and_a_scope_protects_the_others(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2022, 2023, 2024))
    store = Store(tmp_path)
    assert store.replace("ratings", ratings(2023, value=7.0), seasons=[2023]) == [2023]
    assert season_digests(store.read("ratings")).keys() == {2022, 2023, 2024}
    assert store.replace("ratings", ratings(2022, 2024)) == [2023]
    assert season_digests(store.read("ratings")).keys() == {2022, 2024}


def test_the_same_rows_in_any_order_are_no_change(tmp_path: Path) -> None:
    rows = ratings(2022, 2023)
    store = publish(tmp_path, ratings=rows, constructors=constructors("a", "b", "c"))
    versions = dict(store.versions)
    order = list(range(rows.num_rows))
    random.Random(4).shuffle(order)
    again = Store(tmp_path)
    assert again.replace("ratings", rows.take(order)) == []
    assert again.replace("constructors", constructors("c", "a", "b")) == []
    assert again.versions == versions
    assert again.changed == {}


def test_digests_see_every_change_but_not_the_order() -> None:
    rows = ratings(2023)
    same = digest(rows)
    assert digest(rows.take([2, 0, 1])) == same
    assert season_digests(rows.take([1, 2, 0])) == season_digests(rows)
    changed = rows.to_pylist()
    changed[1]["value"] = 1501.0000000000002
    assert digest(pa.Table.from_pylist(changed, schema=rows.schema)) != same
    swapped = rows.to_pylist()
    swapped[0]["value"], swapped[1]["value"] = swapped[1]["value"], swapped[0]["value"]
    assert digest(pa.Table.from_pylist(swapped, schema=rows.schema)) != same
    assert digest(rows.slice(0, 2)) != same
    assert digest(pa.concat_tables([rows, rows, rows])) != same, "rows that stand three times are not one"
    nothing = rows.to_pylist()
    nothing[0]["variance"] = 0.0
    assert digest(pa.Table.from_pylist(nothing, schema=rows.schema)) != same, "zero is not missing"


def test_rows_that_break_the_contract_are_not_written(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2023))
    store = Store(tmp_path)
    with pytest.raises(ContractViolation):
        store.replace("ratings", pa.concat_tables([ratings(2023), ratings(2023)]))
    assert store.changed == {}
    assert len(values(tmp_path)) == 3


def test_a_store_reads_what_it_has_written_before_anyone_else(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2023))
    store = Store(tmp_path)
    store.replace("ratings", ratings(2023, 2024))
    assert store.read("ratings").num_rows == 6
    assert store.read("constructors").num_rows == 0
    assert store.read("ratings").schema.equals(TABLES["ratings"].schema)


def test_notes_are_kept_from_one_job_to_the_next(tmp_path: Path) -> None:
    Store(tmp_path).publish(now=NOW, notes={"sources": {"a": "1"}})
    store = Store(tmp_path)
    store.publish(now=NOW, notes={"more": 2})
    found = read_snapshot(tmp_path)
    assert found is not None
    assert dict(found.notes) == {"sources": {"a": "1"}, "more": 2}
    assert found.schema_version == SCHEMA_VERSION


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_newer_schema_is_neither_read_nor_written(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2023))
    path = tmp_path / SNAPSHOT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": SCHEMA_VERSION + 1}))
    before = path.read_bytes()
    for attempt in (lambda: Store(tmp_path), lambda: Reader(tmp_path).table("ratings")):
        with pytest.raises(SchemaTooNew, match=f"schema {SCHEMA_VERSION + 1}") as caught:
            attempt()
        assert "Update the product" in caught.value.hint
    assert path.read_bytes() == before


def test_an_older_schema_is_rebuilt_not_misread(tmp_path: Path) -> None:
    publish(tmp_path, ratings=ratings(2023))
    path = tmp_path / SNAPSHOT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": SCHEMA_VERSION - 1}))
    with pytest.raises(WarehouseError, match="older schema") as caught:
        Reader(tmp_path).table("ratings")
    assert "run.py build" in caught.value.hint
    store = Store(tmp_path)
    assert store.versions == {}, "nothing of the old tables is taken for current"
    store.replace("ratings", ratings(2023))
    store.publish(now=NOW)
    assert len(values(tmp_path)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema_version": 1}',
        '{"schema_version": "x", "published_at": "", "versions": {}, "notes": {}}',
    ],
)
def test_a_damaged_snapshot_file_is_named(tmp_path: Path, text: str) -> None:
    publish(tmp_path, ratings=ratings(2023))
    (tmp_path / SNAPSHOT_FILE).write_text(text)
    for attempt in (lambda: Store(tmp_path), lambda: Reader(tmp_path).table("ratings")):
        with pytest.raises(WarehouseError, match="damaged") as caught:
            attempt()
        assert SNAPSHOT_FILE in caught.value.message
        assert caught.value.hint


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, ratings=ratings(2023))
    before = values(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(warehouse.store, "write_deltalake", full)
        with pytest.raises(WarehouseError, match="disk .* is full") as caught:
            store.replace("ratings", ratings(2023, 2024))
        assert "Free some space" in caught.value.hint
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WarehouseError, match="disk .* is full"):
            store.publish(now=NOW)
    assert values(tmp_path) == before
    assert not list(tmp_path.glob(".*.tmp")), "no half-written file is left"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_may_not_be_written_is_told() -> None:
    """As a user without the right: root may write everywhere, so root becomes nobody for this."""
    code = """
        import os
        from pathlib import Path
        from tests.warehouse.test_store import NOW, ratings
        from warehouse.errors import WarehouseError
        from warehouse.lock import writer_lock
        from warehouse.reader import Reader
        from warehouse.store import Store
        Reader(Path(root)).table("ratings")  # everything is imported while we may read the interpreter's files
        if os.getuid() == 0:
            os.setgroups([]), os.setgid(65534), os.setuid(65534)
        reader, store = Reader(Path(root)), Store(Path(root))
        assert reader.table("ratings").height == 3
        def lock():
            with writer_lock(Path(root) / "locks", holder="test"):
                pass
        for attempt in (lambda: store.replace("ratings", ratings(2023, 2024)), lambda: store.publish(now=NOW), lock):
            try:
                attempt()
            except WarehouseError as error:
                print(error.message, error.hint)
            else:
                print("written!")
        assert reader.table("ratings").height == 3
        """
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's own, which only its owner may enter
        root = Path(folder) / "warehouse"
        publish(root, ratings=ratings(2023))
        Path(folder).chmod(0o755)
        parts = [root, *root.rglob("*")]
        for path in parts:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            done = in_another_process(code, root=str(root))
        finally:
            for path in parts:
                path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) == 3
    assert all("read-only" in line or "cannot be written" in line for line in told), told
    assert all("PARCFERME_DATA" in line for line in told)


# --- the lock ---------------------------------------------------------------------------------------------------------


def test_the_holder_of_the_lock_is_named_and_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = """
        import sys, time
        from pathlib import Path
        from warehouse.lock import writer_lock
        with writer_lock(Path(root), holder="a long ingest"):
            print("held", flush=True)
            time.sleep(60)
        """
    holder = subprocess.Popen(
        [sys.executable, "-c", f"root = {str(tmp_path)!r}\n" + textwrap.dedent(code)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LockHeld, match=rf"a long ingest \(process {holder.pid}\)") as caught,
            writer_lock(tmp_path, holder="me"),
        ):
            pass
        assert caught.value.exit_code == 6
    finally:
        holder.kill()
        holder.wait()
    with writer_lock(tmp_path, holder="me", wait_s=5):
        assert json.loads((tmp_path / "writer.lock").read_text())["holder"] == "me"


def test_whoever_waits_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    order: list[str] = []
    entered = threading.Event()
    done = threading.Event()

    def first() -> None:
        with writer_lock(tmp_path, holder="first"):
            entered.set()
            done.wait(5)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(5)
    threading.Timer(0.3, done.set).start()
    with writer_lock(tmp_path, holder="second", wait_s=10):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
