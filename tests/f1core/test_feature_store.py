"""Stored features: kept while their facts and code are the same, and made again when they are not."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

import f1core.features.store
from f1core.features.facts import FeatureFacts
from f1core.features.store import FeatureStore
from tests.conftest import ingest_into
from tests.made_up_archive import Championship
from warehouse.errors import NotReady, UnknownEvent
from warehouse.queries.history import load_facts
from warehouse.reader import Reader
from warehouse.vocab import Stage

OLD, NEW = "2023-highmoor", "2024-harbour"


class Counting:
    """A store that counts how often facts were asked for: only an extraction needs them."""

    def __init__(self, folder: Path) -> None:
        self.loads = 0
        reader = Reader(folder / "data" / "warehouse")
        self.store = FeatureStore(folder / "data" / "features", reader.snapshot, lambda: self._load(reader))

    def _load(self, reader: Reader) -> FeatureFacts:
        self.loads += 1
        return FeatureFacts(load_facts(reader))


@pytest.fixture(scope="module")
def ingested_seasons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seasons")
    ingest_into(folder / "data", seasons().write(folder / "archive"))
    return folder


@pytest.fixture
def folder(ingested_seasons: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ingested_seasons, tmp_path / "copy"))


def seasons() -> Championship:
    return Championship.of({2023: 3, 2024: 3}, held=2)


def test_features_are_kept_and_read_back_as_they_were(folder: Path) -> None:
    first = Counting(folder)
    made = first.store.get(OLD, Stage.PRE_RACE)
    again = Counting(folder)
    read = again.store.get(OLD, Stage.PRE_RACE)
    assert (first.loads, again.loads) == (1, 0)
    assert read.frame.equals(made.frame)
    assert read.frame.schema == made.frame.schema
    assert (read.as_of, read.data_through, read.lineup_source) == (made.as_of, made.data_through, "grid")
    assert read.data_version == made.data_version
    assert made.data_through < made.as_of
    path = first.store.path(OLD, Stage.PRE_RACE)
    assert path.stat().st_size < 1_000_000
    assert path.parent.name == "2023"


def test_a_rehearsed_clock_leaves_nothing_behind(folder: Path) -> None:
    store = Counting(folder).store
    normal = store.get(NEW, Stage.PRE_RACE)
    before = store.path(NEW, Stage.PRE_RACE).read_bytes()
    rehearsed = store.get(NEW, Stage.PRE_RACE, as_of=normal.as_of - dt.timedelta(days=1))
    assert rehearsed.as_of == normal.as_of - dt.timedelta(days=1)
    assert rehearsed.frame["grid_position"].null_count() == rehearsed.frame.height
    assert store.path(NEW, Stage.PRE_RACE).read_bytes() == before
    store.get(OLD, Stage.POST_QUALIFYING, as_of=dt.datetime(2023, 4, 20, tzinfo=dt.UTC))
    assert not store.path(OLD, Stage.POST_QUALIFYING).exists()


def test_a_corrected_result_of_the_same_or_an_earlier_season_makes_them_stale(folder: Path) -> None:
    before = Counting(folder).store
    old = {event: before.get(event, Stage.PRE_WEEKEND) for event in (OLD, NEW)}
    made = seasons()
    made["2023-harbour"].disqualified.add(made["2023-harbour"].finish[0])
    ingest_into(folder / "data", made.write(folder / "archive"))
    after = Counting(folder)
    for event in (OLD, NEW):
        new = after.store.get(event, Stage.PRE_WEEKEND)
        assert new.data_version != old[event].data_version
        assert not new.frame.equals(old[event].frame)
    assert after.loads == 1


def test_a_result_of_a_later_season_leaves_the_past_valid(folder: Path) -> None:
    before = Counting(folder).store
    old = {event: before.get(event, Stage.PRE_WEEKEND) for event in (OLD, NEW)}
    made = seasons()
    made["2024-highmoor"].is_held = True
    ingest_into(folder / "data", made.write(folder / "archive"))
    after = Counting(folder)
    assert after.store.get(OLD, Stage.PRE_WEEKEND).data_version == old[OLD].data_version
    assert after.loads == 0, "2023 stands"
    assert after.store.get(NEW, Stage.PRE_WEEKEND).data_version != old[NEW].data_version
    assert after.loads == 1


def test_other_code_makes_them_stale(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Counting(folder).store.get(OLD, Stage.PRE_RACE)
    monkeypatch.setattr(f1core.features.store, "registry_version", lambda: "another version")
    changed = Counting(folder)
    changed.store.get(OLD, Stage.PRE_RACE)
    assert changed.loads == 1


@pytest.mark.parametrize("body", [b"", b"PAR1", None])
def test_a_half_written_or_foreign_file_is_made_again(folder: Path, body: bytes | None) -> None:
    store = Counting(folder).store
    made = store.get(OLD, Stage.PRE_RACE)
    path = store.path(OLD, Stage.PRE_RACE)
    if body is None:
        made.frame.write_parquet(path)  # sound, but without the stamp
    else:
        path.write_bytes(body)
    again = Counting(folder)
    assert again.store.get(OLD, Stage.PRE_RACE).frame.equals(made.frame)
    assert again.loads == 1
    assert Counting(folder).store.get(OLD, Stage.PRE_RACE).frame.equals(made.frame)


def test_a_stamp_that_lacks_a_member_is_made_again(folder: Path) -> None:
    import json

    import pyarrow.parquet as pq

    store = Counting(folder).store
    store.get(OLD, Stage.PRE_RACE)
    path = store.path(OLD, Stage.PRE_RACE)
    rows = pq.read_table(path)
    pq.write_table(rows.replace_schema_metadata({b"parcferme": json.dumps({"as_of": "x"}).encode()}), path)
    again = Counting(folder)
    again.store.get(OLD, Stage.PRE_RACE)
    assert again.loads == 1


def test_many_at_once_leave_out_what_has_no_past(folder: Path) -> None:
    store = Counting(folder).store
    told: list[int] = []
    found = store.get_all(["2023-lakeland", "2023-harbour", OLD], Stage.PRE_WEEKEND, told.append)
    assert [one.event_id for one in found] == ["2023-harbour", OLD]
    assert sum(told) == 3


def test_what_cannot_be_had_is_refused(folder: Path) -> None:
    store = Counting(folder).store
    with pytest.raises(UnknownEvent, match="2024-atlantis"):
        store.get("2024-atlantis", Stage.PRE_RACE)
    with pytest.raises(NotReady, match="2023-lakeland"):
        store.get("2023-lakeland", Stage.PRE_WEEKEND)
