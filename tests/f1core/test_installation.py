"""Facts are looked for in the agreed order, and a demo never mixes with the real thing."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from f1core.installation import active_settings, choose_facts, demo_settings, is_demo
from f1core.settings import load_settings
from f1core.sources import f1db_release
from warehouse.errors import SourceError, SourceUnavailable
from warehouse.snapshot import SCHEMA_VERSION, SNAPSHOT_FILE

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def _publish(settings, **notes):
    settings.warehouse_root.mkdir(parents=True)
    state = {
        "schema_version": SCHEMA_VERSION,
        "published_at": NOW.isoformat(),
        "versions": {},
        "notes": notes,
    }
    (settings.warehouse_root / SNAPSHOT_FILE).write_text(json.dumps(state))


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "somewhere" / "checkout"
    folder.mkdir(parents=True)
    return folder


def test_an_archive_beside_the_checkout_comes_first(tmp_path, checkout):
    zip_file = checkout.parent / "shared" / "f1-archive" / "f1db" / "f1db-csv.zip"
    zip_file.parent.mkdir(parents=True)
    zip_file.write_bytes(b"")
    settings = load_settings(data=str(tmp_path / "data"), offline=True)
    chosen, place = choose_facts(settings, beside=checkout, now=NOW)
    assert chosen == settings
    assert place.path == zip_file.parent.parent
    assert not place.is_demo


def test_what_was_asked_for_by_name_is_never_replaced(tmp_path, checkout):
    settings = load_settings(data=str(tmp_path / "data"), archive=str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match="nowhere"):
        choose_facts(settings, beside=checkout, now=NOW)
    assert not (tmp_path / "data").exists()


def test_a_real_warehouse_is_kept_when_its_archive_is_gone(tmp_path, checkout):
    settings = load_settings(data=str(tmp_path / "data"), offline=True)
    _publish(settings)
    assert choose_facts(settings, beside=checkout, now=NOW) == (settings, None)
    assert not (tmp_path / "data" / "demo").exists()


@pytest.mark.slow
def test_the_demo_is_the_last_resort_and_lives_apart(tmp_path, checkout):
    settings = load_settings(data=str(tmp_path / "data"), offline=True)
    chosen, place = choose_facts(settings, beside=checkout, now=NOW)
    assert chosen == demo_settings(settings)
    assert place.is_demo
    assert place.path.is_relative_to(tmp_path / "data" / "demo")
    assert chosen.ledger_root.is_relative_to(tmp_path / "data" / "demo")
    assert (place.path / "f1db" / "f1db-csv.zip").is_file()


def test_the_real_warehouse_wins_as_soon_as_it_is_there(tmp_path):
    settings = load_settings(data=str(tmp_path / "data"), offline=True)
    assert active_settings(settings) == settings
    _publish(demo_settings(settings), is_demo=True)
    assert active_settings(settings) == demo_settings(settings)
    assert is_demo(active_settings(settings))
    _publish(settings, is_demo=False)
    assert active_settings(settings) == settings
    assert not is_demo(active_settings(settings))


def test_what_jobs_fetched_comes_before_the_demo(tmp_path, checkout):
    settings = load_settings(data=str(tmp_path / "data"), offline=True)
    zip_file = settings.fetched_root / "f1db" / "f1db-csv.zip"
    zip_file.parent.mkdir(parents=True)
    zip_file.write_bytes(b"")
    chosen, place = choose_facts(settings, beside=checkout, now=NOW)
    assert chosen == settings
    assert (place.path, place.is_demo) == (settings.fetched_root, False)


def test_without_archive_the_first_release_is_fetched(tmp_path, checkout, monkeypatch):
    settings = load_settings(data=str(tmp_path / "data"))
    asked = []

    def fetch_release(given, *, quota, now):
        asked.append((given, now))
        (given.fetched_root / "f1db").mkdir(parents=True)
        (given.fetched_root / "f1db" / "f1db-csv.zip").write_bytes(b"")

    monkeypatch.setattr(f1db_release, "fetch_release", fetch_release)
    for _ in range(2):
        _, place = choose_facts(settings, beside=checkout, now=NOW)
        assert place.path == settings.fetched_root
    assert asked == [(settings, NOW)], "what was fetched is not fetched again to be chosen"


def test_without_a_network_the_demo_says_why(tmp_path, checkout, monkeypatch):
    def fetch_release(*_args, **_more):
        raise SourceUnavailable("api.github.com cannot be used now: no connection.")

    monkeypatch.setattr(f1db_release, "fetch_release", fetch_release)
    settings = load_settings(data=str(tmp_path / "data"))
    chosen, place = choose_facts(settings, beside=checkout, now=NOW)
    assert place.is_demo
    assert chosen == demo_settings(settings)
    assert "api.github.com cannot be used now: no connection" in place.reason
