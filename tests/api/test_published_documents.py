"""Documents as files: they say what the tables say, are written only when something changed, and come back when lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from f1core.api.library import Library
from f1core.distributions import Distributions
from f1core.document_files import Kind, events_file
from f1core.documents import prediction_document
from f1core.event_names import find_event
from f1core.ledger import canonical
from f1core.published import publish_documents
from f1core.resolver import resolve
from f1core.workspace import Workspace
from tests.conftest import ingest_into, workspace_of
from warehouse.errors import WarehouseError
from warehouse.queries.distributions import DISTRIBUTION_TABLES
from warehouse.queries.events import event_names, session_starts
from warehouse.queries.forecasts import KINDS, prediction_heads
from warehouse.vocab import Stage, Target

pytestmark = pytest.mark.slow


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def publish(work: Workspace) -> dict[str, int]:
    return publish_documents(work.settings, work.reader)


NOTHING = {"events": 0, "backtest": 0, "provisional": 0}


@pytest.mark.parametrize("kind", ["backtest", "provisional"])
def test_every_stored_prediction_has_its_document(small_data: Path, kind: str) -> None:
    work = workspace_of(small_data)
    heads, entries = (work.reader.table(name) for name in KINDS[kind])
    stored = {part: work.reader.table(name) for part, name in DISTRIBUTION_TABLES[kind].items()}
    wanted = set(heads.select("event_id", "target", "stage").unique().iter_rows())
    folder = small_data / "documents" / kind
    assert {path.name for path in folder.iterdir()} == {".".join((*key, "json")) for key in wanted}
    for event_id, target, stage in sorted(wanted):
        chosen = [
            frame.filter(
                (frame["event_id"] == event_id) & (frame["target"] == target) & (frame["stage"] == stage)
            )
            for frame in (heads, entries)
        ]
        beside = {
            part: table.filter(
                (table["event_id"] == event_id) & (table["target"] == target) & (table["stage"] == stage)
            )
            for part, table in stored.items()
        }
        document = prediction_document(
            work.reader, chosen[0], chosen[1], kind=kind, distributions=Distributions(**beside)
        )
        body = (folder / f"{event_id}.{target}.{stage}.json").read_bytes()
        assert body == canonical(document)
        assert json.loads(body)["kind"] == kind


def test_the_events_are_those_of_the_warehouse(small_data: Path) -> None:
    work = workspace_of(small_data)
    found = Library(work.settings).calendar().rows
    for row, own in zip(event_names(work.reader).to_dicts(), found, strict=True):
        assert {key: own[key] for key in row} == row, "to the instant"
        starts = {
            session: start.isoformat()
            for session, start in session_starts(work.reader, row["event_id"]).items()
        }
        assert {session: text.replace("Z", "+00:00") for session, text in own["sessions"].items()} == starts


def test_the_file_and_the_warehouse_resolve_alike(small_data: Path) -> None:
    work = workspace_of(small_data)
    rows = Library(work.settings).calendar().rows
    for row in rows:
        for name in (row["grand_prix_id"], row["full_name"], row["circuit_name"], str(row["round"])):
            expected: str | type[Exception]
            try:
                expected = resolve(work.reader, name, year=row["season"], clock=work.clock)
            except Exception as error:  # whatever the one says, the other must say
                with pytest.raises(type(error), match=".*"):
                    find_event(rows, name, year=row["season"], now=work.clock.now())
            else:
                assert find_event(rows, name, year=row["season"], now=work.clock.now()) == expected


def test_nothing_is_written_when_nothing_changed(small_copy: Path) -> None:
    work = workspace_of(small_copy)
    publish(work)
    before = {path: path.stat().st_mtime_ns for path in (small_copy / "documents").rglob("*")}
    assert publish(work) == NOTHING
    assert {path: path.stat().st_mtime_ns for path in (small_copy / "documents").rglob("*")} == before


def delete_all(root: Path) -> None:
    shutil.rmtree(root)


def delete_one(root: Path) -> None:
    next((root / "backtest").glob("*.json")).unlink()


def cut_one(root: Path) -> None:
    path = next((root / "provisional").glob("*.json"))
    path.write_bytes(path.read_bytes()[:1000])


def alter_events(root: Path) -> None:
    path = events_file(root)
    body = path.read_bytes()
    path.write_bytes(body.replace(b"2026", b"2027", 1) if b"2026" in body else body[:-2])


def add_foreign(root: Path) -> None:
    (root / "backtest" / "1999-monaco.race.pre_race.json").write_text("{}")


def leave_temporary(root: Path) -> None:
    (root / "provisional" / ".x.json.123.tmp").write_text("half")


def damage_index(root: Path) -> None:
    (root / ".backtest.index.json").write_text("{")


def pretend_folder(root: Path) -> None:
    (root / ".events.index.json").write_text(json.dumps({"made_from": "x", "files": []}))


@pytest.mark.parametrize(
    "how",
    [
        delete_all,
        delete_one,
        cut_one,
        alter_events,
        add_foreign,
        leave_temporary,
        damage_index,
        pretend_folder,
    ],
)
def test_what_was_lost_or_altered_is_restored(small_copy: Path, how: Callable[[Path], None]) -> None:
    root = small_copy / "documents"
    before = files(root)
    how(root)
    assert files(root) != before
    publish(workspace_of(small_copy))
    assert files(root) == before


def test_an_ingest_that_finds_nothing_new_restores_the_documents(tiny_archive: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    ingest_into(data, tiny_archive)
    before = files(data / "documents")
    assert "events.json" in before
    shutil.rmtree(data / "documents")
    ingest_into(data, tiny_archive)
    assert files(data / "documents") == before


def test_what_is_no_longer_in_the_tables_has_no_document(small_copy: Path) -> None:
    work = workspace_of(small_copy)
    with work.writing("test") as store:
        store.replace("forecasts", store.read("forecasts").slice(0, 0))
        store.replace("forecast_entries", store.read("forecast_entries").slice(0, 0))
        store.publish(now=work.clock.now())
        changed = publish(work)
    assert changed["provisional"] > 0
    assert (changed["events"], changed["backtest"]) == (0, 0)
    assert list((small_copy / "documents" / "provisional").iterdir()) == []


def test_a_forecast_that_is_made_again_replaces_its_document(
    small_copy: Path, jobs: Any, small_archive: Path
) -> None:
    path = next((small_copy / "documents" / "provisional").glob("*.race.pre_weekend.json"))
    before = path.read_bytes()
    event = path.name.split(".")[0]
    season, slug = event.split("-", 1)
    answer = jobs(
        "predict",
        "--race",
        slug,
        "--year",
        season,
        "--stage",
        "pre_weekend",
        data=small_copy,
        archive=small_archive,
    )
    assert answer.code == 0, answer.err
    after = json.loads(path.read_bytes())
    assert after["computed_at"] > json.loads(before)["computed_at"]
    heads = prediction_heads(workspace_of(small_copy).reader, "provisional", event)
    assert after["computed_at"][:23] == heads["computed_at"].max().isoformat()[:23]


def test_a_folder_that_cannot_be_written_is_named(small_copy: Path) -> None:
    root = small_copy / "documents"
    shutil.rmtree(root)
    root.write_text("a file in its place")
    with pytest.raises(WarehouseError, match="documents") as caught:
        publish(workspace_of(small_copy))
    assert "jobs build" in caught.value.hint


def test_the_library_finds_what_was_published(small_data: Path) -> None:
    library = Library(workspace_of(small_data).settings)
    path = next((small_data / "documents" / "backtest").glob("*.json"))
    event, target, stage = path.name.split(".")[:3]
    found = library.get(Kind.BACKTEST, event, Target(target), Stage(stage))
    assert found is not None and found.body == path.read_bytes()
    assert os.path.basename(path) in {
        f"{event}.{target}.{one.value}.json" for one in library.stages(Kind.BACKTEST, event, Target(target))
    }
