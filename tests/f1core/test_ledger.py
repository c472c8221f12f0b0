"""The ledger: write-once, chained, and nothing can be changed unnoticed."""

from __future__ import annotations

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.ledger import contend, flip_bytes
from f1core.ledger import (
    FIRST_PREVIOUS,
    Ledger,
    LedgerDamaged,
    canonical,
    content_hash,
    prediction_name,
    settlement_name,
)
from warehouse.errors import WarehouseError


def _content(number: int = 1) -> dict[str, object]:
    return {
        "kind": "sealed",
        "event_id": f"2030-race-{number}",
        "entries": [
            {"driver_id": "pérez", "win_probability": 0.123456},
            {"driver_id": "b", "win_probability": 0.876544},
        ],
    }


@pytest.fixture
def ledger(tmp_path):
    found = Ledger(tmp_path / "ledger")
    for number in range(1, 6):
        found.seal(prediction_name(f"2030-race-{number}", "race", "pre_race"), _content(number))
    return found


def test_a_record_is_sealed_once_and_stays(ledger):
    name = prediction_name("2030-race-1", "race", "pre_race")
    before = ledger.get(name)
    again, is_new = ledger.seal(name, {"kind": "sealed", "entries": []})
    assert not is_new
    assert again.body == before.body
    assert ledger.head()[0] == 5


def test_the_chain_names_its_predecessors(ledger):
    records = list(ledger.walk())
    assert [record.content["sequence"] for record in records] == [1, 2, 3, 4, 5]
    assert [record.content["previous"] for record in records] == [
        FIRST_PREVIOUS,
        *(r.hash for r in records[:-1]),
    ]
    for record in records:
        assert record.hash == content_hash(record.content)
        assert record.body == canonical(record.content)
    assert ledger.verify().is_intact
    assert ledger.verify().head == records[-1].hash


def test_both_names_of_a_record_are_one_file(ledger):
    record = next(ledger.walk())
    assert os.path.samefile(ledger.chain / "000001.json", ledger.records / f"{record.name}.json")


def test_any_changed_byte_is_found():
    assert flip_bytes(60, seed=random.SystemRandom().randrange(10**6)).startswith(
        "60 single bytes changed: 60 found"
    )


@pytest.mark.slow
@pytest.mark.parametrize("locked", [True, False])
def test_many_writers_seal_one_record(locked):
    assert "5 documents, all callers agree in 5, sealed exactly once in 5, chain intact: True" in contend(
        4, 5, locked=locked
    )


def test_a_shortened_chain_is_found_by_its_head(ledger):
    head = ledger.verify().head
    assert ledger.verify(head).is_intact
    last = ledger.chain / "000005.json"
    (ledger.records / f"{json.loads(last.read_bytes())['name']}.json").unlink()
    last.unlink()
    assert ledger.verify().is_intact, "without the head nobody can tell"
    assert "shortened or rewritten" in ledger.verify(head).problems[0]


def test_a_rewritten_chain_is_found_by_its_head(ledger, tmp_path):
    head = ledger.verify().head
    other = Ledger(tmp_path / "other")
    for number in range(1, 7):
        other.seal(
            prediction_name(f"2030-race-{number}", "race", "pre_race"), {**_content(number), "entries": []}
        )
    assert other.verify().is_intact
    assert not other.verify(head).is_intact


def test_a_missing_record_is_named(ledger):
    (ledger.chain / "000003.json").unlink()
    problems = ledger.verify().problems
    assert any("000003.json is missing" in problem for problem in problems)
    with pytest.raises(LedgerDamaged, match="chain is broken"):
        list(ledger.walk())


def test_a_record_that_lost_its_name_is_named(ledger):
    name = prediction_name("2030-race-2", "race", "pre_race")
    (ledger.records / f"{name}.json").unlink()
    assert ledger.verify().problems == (f"records/{name}.json is missing, though the chain holds the record",)


def test_foreign_files_are_named(ledger):
    (ledger.records / "2030-race-9.race.pre_race.prediction.json").write_text("{}")
    (ledger.chain / "notes.txt").write_text("hello")
    problems = " ".join(ledger.verify().problems)
    assert "2030-race-9.race.pre_race.prediction.json is not in the chain" in problems
    assert "notes.txt does not belong there" in problems


def test_a_record_with_its_own_right_hash_but_a_foreign_place_is_found(ledger):
    content = {**_content(7), "name": "x.race.pre_race.prediction", "sequence": 6, "previous": "f" * 64}
    content["hash"] = content_hash(content)
    (ledger.chain / "000006.json").write_bytes(canonical(content))
    assert any("does not follow" in problem for problem in ledger.verify().problems)


def test_a_damaged_record_is_refused_whole(ledger):
    name = prediction_name("2030-race-2", "race", "pre_race")
    path = ledger.records / f"{name}.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LedgerDamaged, match="not what was sealed"):
        ledger.get(name)


def test_nothing_is_appended_to_a_damaged_end(ledger):
    last = ledger.chain / "000005.json"
    last.write_bytes(last.read_bytes().replace(b"0.123456", b"0.923456"))
    with pytest.raises(LedgerDamaged):
        ledger.seal(prediction_name("2030-race-8", "race", "pre_race"), _content(8))
    assert not (ledger.chain / "000006.json").exists()


def test_a_writer_that_died_between_the_two_links_loses_nothing(ledger):
    name = prediction_name("2030-race-5", "race", "pre_race")
    (ledger.records / f"{name}.json").unlink()
    assert ledger.get(name) is not None
    record, is_new = ledger.seal(name, _content(5))
    assert not is_new
    assert (ledger.records / f"{name}.json").read_bytes() == record.body
    assert ledger.head()[0] == 5


def test_a_full_disk_seals_nothing(ledger, monkeypatch):
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("f1core.ledger.os.fsync", full)
    with pytest.raises(WarehouseError, match="No space left"):
        ledger.seal(prediction_name("2030-race-8", "race", "pre_race"), _content(8))
    monkeypatch.undo()
    assert ledger.verify().is_intact
    assert ledger.head()[0] == 5
    assert not list(ledger.root.glob(".*.tmp"))


def test_settlements_are_listed_in_order(ledger):
    for revision in (1, 2):
        ledger.seal(
            settlement_name("2030-race-1", "race", "pre_race", revision),
            {"kind": "settlement", "revision": revision},
        )
    found = ledger.settlements("2030-race-1", "race", "pre_race")
    assert [record.content["revision"] for record in found] == [1, 2]


@pytest.mark.parametrize("name", ["../../etc/passwd", "A", "", ".hidden", "a/b"])
def test_names_cannot_leave_the_ledger(ledger, name):
    assert ledger.get(name) is None
    with pytest.raises(ValueError, match="no name of a record"):
        ledger.seal(name, _content())


def test_numbers_that_are_not_finite_are_not_sealed(ledger):
    with pytest.raises(ValueError, match="JSON compliant"):
        ledger.seal(prediction_name("2030-race-8", "race", "pre_race"), {"value": float("nan")})
    assert ledger.head()[0] == 5


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_the_encoding_is_canonical(content):
    try:
        body = canonical(content)
    except UnicodeEncodeError:
        return
    assert canonical(json.loads(body)) == body
    assert content_hash(json.loads(body)) == content_hash(content)
