"""``python -m jobs extract`` with recorded sessions: what it answers, what it stores, and what it says of sessions it lacks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import f1core.weekend_extraction
from f1core.sources.timing import SessionRef
from f1core.weekend_extraction import extract_weekend
from f1core.weekend_features import read_weekend
from tests.conftest import Answer, workspace_of
from tests.made_up_sessions import MadeUpSession
from tests.made_up_weekend import DRIVERS
from warehouse.errors import NotPublished, SourceUnavailable, UnsafeCache
from warehouse.queries.sessions import session_laps, session_loads
from warehouse.reader import Reader
from warehouse.vocab import SessionKind

Jobs = Callable[..., Answer]
EVENT = "2024-lakeland"
P1, P2, P3, Q = SessionKind.PRACTICE_1, SessionKind.PRACTICE_2, SessionKind.PRACTICE_3, SessionKind.QUALIFYING


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    """A data folder with second practice and qualifying of an event already fetched."""
    folder = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    for kind in (P2, Q):
        made = MadeUpSession(EVENT, kind, problems=("No telemetry.",))
        for place, driver in enumerate(DRIVERS[:10]):
            made.run(driver, [90.0 + 0.1 * place] * 6)
        made.write(folder / "fetched")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Everything that is kept; a lock's file is no record of anything."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "locks" not in path.parts
    }


def extracted(jobs: Jobs, data: Path, *more: str) -> dict[str, Any]:
    answer = jobs("extract", "--race", EVENT, *more, "--json", data=data)
    assert answer.code == 0, answer.err
    return dict(json.loads(answer.out))


def test_a_weekend_is_extracted_published_and_written(jobs: Jobs, data: Path) -> None:
    found = extracted(jobs, data)
    weekend = found["weekend"]
    assert len(found["rows"]) == len(weekend["rows"]) == 10, "history and weekend"
    assert list(weekend["sessions"]) == ["practice_2", "qualifying"]
    assert set(weekend["missing"]) == {"practice_1", "practice_3"}
    assert all("not recorded" in reason for reason in weekend["missing"].values())
    frame, stamp = read_weekend(Path(weekend["file"]))
    assert frame.height == 10 and frame.width == weekend["count_columns"] >= 55
    assert Path(weekend["file"]).stat().st_size == weekend["bytes"] < 1_000_000
    assert Path(weekend["file"]).name == f"{EVENT}.weekend.parquet"
    assert stamp["sessions"] == weekend["sessions"]
    assert 0 < weekend["count_columns_known_without_imputed"] <= weekend["count_columns_known"]
    assert weekend["published"]["session_laps"] == 2 * 10 * 8
    reader = Reader(data / "warehouse")
    assert session_laps(reader, EVENT).height == 160
    assert session_loads(reader)["session"].to_list() == ["qualifying", "practice_2"]
    again = extracted(jobs, data)["weekend"]
    assert again["rows"] == weekend["rows"] and reader.snapshot == Reader(data / "warehouse").snapshot


def test_people_read_rows_columns_size_and_what_is_missing(jobs: Jobs, data: Path) -> None:
    answer = jobs("extract", "--race", EVENT, data=data)
    assert answer.code == 0, answer.err
    for words in (
        "Weekend from sessions: practice 2, qualifying.",
        "10 rows, ",
        "features known for at least 10 drivers",
        "without stand-ins",
        " kB, ",
        f"{EVENT}.weekend.parquet",
        "Published: session_laps 160, ",
        "Not used: practice 1 (",
        "Note: qualifying: No telemetry.",
    ):
        assert words in answer.out, words


def test_a_stage_sees_only_its_sessions_and_a_rehearsed_clock_stores_nothing(jobs: Jobs, data: Path) -> None:
    early = extracted(jobs, data, "--stage", "pre_qualifying")["weekend"]
    assert list(early["sessions"]) == ["practice_2"]
    assert all(row["pole_gap_s"] is None for row in early["rows"])
    before = files(data)
    seen = extracted(jobs, data, "--as-of", "2024-04-05T20:00Z")["weekend"]
    assert seen["file"] is None and seen["published"] == {}
    assert list(seen["sessions"]) == ["practice_2"]
    assert [row["short_run_best_s"] for row in seen["rows"]] == [
        row["short_run_best_s"] for row in early["rows"]
    ]
    assert files(data) == before


def test_why_a_session_is_missing_is_said(jobs: Jobs, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not published yet, a hostile or cut cache, a network that is down: named, and the others go on."""
    asked: list[tuple[SessionKind, bool]] = []
    real = f1core.weekend_extraction.fetch_session

    def fetch(settings: Any, ref: SessionRef, *, network: bool, **options: Any) -> Any:
        asked.append((ref.session, network))
        if ref.session is P1:
            raise UnsafeCache("laps.ff1pkl is cut short; it was not opened.")
        if ref.session is P3:
            raise SourceUnavailable("livetiming.example does not answer.")
        if ref.session is Q:
            raise NotPublished("2024-lakeland qualifying is not published yet.")
        return real(settings, ref, network=False, **options)

    monkeypatch.setattr(f1core.weekend_extraction, "fetch_session", fetch)
    weekend = extracted(jobs, data)["weekend"]
    assert list(weekend["sessions"]) == ["practice_2"]
    assert "cut short" in weekend["missing"]["practice_1"]
    assert "does not answer" in weekend["missing"]["practice_3"]
    assert "not published yet" in weekend["missing"]["qualifying"]
    assert [kind for kind, _ in asked] == [P1, P2, P3, Q]
    problems = {row["driver_id"]: row["data_problems"] for row in weekend["rows"]}
    assert all("cut short" in words for words in problems.values())
    asked.clear()
    monkeypatch.delenv("PARCFERME_OFFLINE")
    extract_weekend(workspace_of(data), EVENT)
    assert [network for _, network in asked] == [True, True, True, False], (
        "a network that is down is asked once"
    )


def test_without_any_session_the_history_is_there_and_flagged(
    jobs: Jobs, tiny_data: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_data, tmp_path / "none"))
    found = extracted(jobs, folder)
    assert {row["data_quality_flag"] for row in found["weekend"]["rows"]} == {"no_sessions"}
    assert found["weekend"]["published"]["session_laps"] == 0
    assert Path(found["file"]).is_file() and Path(found["weekend"]["file"]).is_file()
    assert pl.read_parquet(found["weekend"]["file"])["elo_driver"].null_count() == 0


def test_a_session_the_results_source_lacks_is_brought_into_the_facts_first(
    jobs: Jobs, tiny_data: Path, tmp_path: Path
) -> None:
    """No result of the weekend is out yet, but first practice was recorded: the stage is reached by it."""
    folder = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    event = "2024-highmoor"
    made = MadeUpSession(event, P1)
    for place, driver in enumerate(DRIVERS[:10]):
        made.run(driver, [90.0 + 0.1 * place] * 6)
        made.result(driver)
    made.write(folder / "fetched")
    archive = tiny_data.parent / "archive"
    answer = jobs("extract", "--race", event, "--json", data=folder, archive=archive)
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["stage"], found["lineup_source"]) == ("pre_qualifying", "practice")
    assert list(found["weekend"]["sessions"]) == ["practice_1"]
    assert {row["short_run_gap_pct"] is not None for row in found["weekend"]["rows"]} == {True}
    assert Reader(folder / "warehouse").query(
        "select count(*) as n from practice_results where event_id = $e", {"e": event}
    )["n"].to_list() == [10]


@pytest.mark.slow
def test_bahrain_2023_by_the_command(jobs: Jobs, ingested: Path, archive: Path, tmp_path: Path) -> None:
    """The whole way: recorded sessions of the archive, read by FastF1 in a process of its own."""
    folder = Path(shutil.copytree(ingested, tmp_path / "data"))
    answer = jobs("extract", "--race", "Bahrain", "--year", "2023", "--json", data=folder, archive=archive)
    assert answer.code == 0, answer.err
    weekend = json.loads(answer.out)["weekend"]
    assert len(weekend["rows"]) == 20
    assert weekend["count_columns"] >= 55 and weekend["count_columns_known_without_imputed"] >= 45
    assert weekend["bytes"] < 1_000_000
    assert list(weekend["sessions"]) == ["practice_2", "qualifying"]
    assert weekend["published"]["telemetry"] > 10_000
