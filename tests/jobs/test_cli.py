"""The command line: help, exit codes, answers for people and for programs, and what an interrupted run leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import typer.main

from f1core.settings import REPOSITORY
from jobs import generated_docs
from jobs.cli import app
from jobs.generated_docs import DOCS, PAGES, stale_pages
from tests.conftest import Answer, championship_of_today, jobs_environment, run_jobs
from warehouse.lock import writer_lock
from warehouse.reader import Reader
from warehouse.store import SNAPSHOT_FILE

Jobs = Callable[..., Answer]
COMMANDS = sorted(
    name
    for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    if not command.hidden
)


@pytest.fixture(scope="module")
def year(small_data: Path) -> int:
    return int(str(Reader(small_data / "warehouse").table("events")["season"].max()))


def error_of(answer: Answer) -> str:
    assert "Traceback" not in answer.err
    assert "Error:" in answer.err, answer.err
    return answer.err[answer.err.index("Error:") :]


# --- help and documents -----------------------------------------------------------------------------------------------


def test_the_commands_of_the_issue_are_there() -> None:
    assert {"ingest", "extract", "train", "predict", "backtest", "status", "build", "docs"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str, jobs: Jobs, tmp_path: Path) -> None:
    answer = jobs(command, "--help", data=tmp_path)
    assert answer.code == 0
    assert answer.err == ""
    text = " ".join(answer.out.split())
    assert f"python -m jobs {command}" in text
    assert "Example" in text
    assert list(tmp_path.iterdir()) == [], "asking for help makes nothing"


def test_help_tells_the_exit_codes(jobs: Jobs, tmp_path: Path) -> None:
    answer = jobs("--help", data=tmp_path)
    text = " ".join(answer.out.split())
    for code in (
        "0 done",
        "2 unknown race",
        "3 source",
        "5 warehouse",
        "6 another process",
        "7 not known",
        "8 no trained",
    ):
        assert code in text
    assert all(command in answer.out for command in COMMANDS)


def test_the_generated_pages_are_current(jobs: Jobs, tmp_path: Path) -> None:
    assert stale_pages() == [], "run `python -m jobs docs`"
    assert jobs("docs", "--check", data=tmp_path).code == 0


def test_a_page_that_drifted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: Jobs) -> None:

    copy = Path(shutil.copytree(DOCS, tmp_path / "docs"))
    monkeypatch.setattr(generated_docs, "DOCS", copy)
    assert stale_pages() == []
    (copy / "features.md").write_text((copy / "features.md").read_text().replace("Elo", "Allo", 1))
    (copy / "cli.md").unlink()
    assert sorted(stale_pages()) == ["cli.md", "features.md"]
    assert set(stale_pages()) <= set(PAGES)
    answer = jobs("docs", "--check", data=tmp_path)
    assert answer.code == 1
    assert "features.md" in error_of(answer) and "jobs docs" in error_of(answer)


def test_wrong_usage_is_exit_code_2(jobs: Jobs, tmp_path: Path) -> None:
    for arguments in (
        ["nonsense"],
        ["predict", "--stage", "tomorrow"],
        ["extract"],
        ["backtest", "--from", "then"],
    ):
        answer = jobs(*arguments, data=tmp_path)
        assert answer.code == 2, arguments
        assert "Usage" in answer.err
        assert answer.out == ""


# --- answers ----------------------------------------------------------------------------------------------------------


def test_status_for_people_and_programs(jobs: Jobs, small_data: Path, year: int) -> None:
    people = jobs("status", data=small_data)
    assert people.code == 0
    assert f"Next: {year}-vale" in people.out
    assert f"Last result: {year}-steppe" in people.out
    assert "No result is missing" in people.out
    found = json.loads(jobs("status", "--json", data=small_data).out)
    assert found["next_event"]["event_id"] == f"{year}-vale"
    assert found["last_result"]["event_id"] == f"{year}-steppe"
    assert found["missing_results"] == []
    assert {row["table"] for row in found["tables"]} >= {"events", "laps", "forecasts"}
    assert len(found["models"]) == 6
    assert found["backtest"]["races"] == {
        "pre_qualifying": 14,
        "post_qualifying": 14,
        "pre_race": 14,
        "qualifying pre_qualifying": 14,
        "sprint pre_race": 2,
    }


def test_status_after_the_season_and_with_results_missing(jobs: Jobs, small_data: Path, year: int) -> None:
    found = json.loads(jobs("status", "--json", "--as-of", f"{year + 1}-12-31", data=small_data).out)
    assert found["next_event"] is None
    assert [row["event_id"] for row in found["missing_results"]] == [f"{year}-vale", f"{year}-dunes"]
    text = jobs("status", "--as-of", f"{year + 1}-12-31", data=small_data).out
    assert "Season over" in text
    assert f"Raced since, but not in the data: {year}-vale, {year}-dunes" in text


def test_predict_for_people_and_programs(jobs: Jobs, small_copy: Path, year: int) -> None:
    before = Reader(small_copy / "warehouse").snapshot.id
    answer = jobs("predict", "--race", "next", "--json", data=small_copy)
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["event_id"], found["kind"], found["stage"]) == (
        f"{year}-vale",
        "provisional",
        "pre_qualifying",
    )
    assert [row["predicted_position"] for row in found["entries"]] == list(range(1, 11))
    assert sum(row["win_probability"] for row in found["entries"]) == pytest.approx(1)
    assert set(found["baselines"]) == {"points", "elo"}
    assert Reader(small_copy / "warehouse").snapshot.id != before, "stored as provisional"
    people = jobs("predict", "--race", f"{year}-vale", data=small_copy)
    assert people.code == 0
    assert "Ada Alm" in people.out
    assert "field from practice" in people.out


def test_a_past_race_is_shown_and_not_stored(jobs: Jobs, small_copy: Path, year: int) -> None:
    before = Reader(small_copy / "warehouse").snapshot
    answer = jobs("predict", "--race", f"{year}-isle", "--stage", "pre_race", "--json", data=small_copy)
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert found["kind"] == "as-of"
    assert found["model_version"].startswith("as-of-")
    rehearsed = jobs("predict", "--race", "last", "--as-of", f"{year}-01-01", data=small_copy)
    assert rehearsed.code == 0, rehearsed.err
    assert "not stored" in rehearsed.out
    assert Reader(small_copy / "warehouse").snapshot == before


def test_extract_tells_where_the_features_are(jobs: Jobs, small_copy: Path, year: int) -> None:
    found = json.loads(
        jobs("extract", "--race", f"{year}-isle", "--stage", "pre_race", "--json", data=small_copy).out
    )
    assert len(found["rows"]) == 10
    assert Path(found["file"]).is_file()
    assert pl.read_parquet(found["file"]).height == 10
    early = jobs(
        "extract",
        "--race",
        f"{year}-isle",
        "--stage",
        "pre_weekend",
        "--as-of",
        f"{year - 1}-12-31",
        "--json",
        data=small_copy,
    )
    assert early.code == 0, early.err
    assert json.loads(early.out)["file"] is None, "a rehearsal leaves no file"


def test_train_and_backtest_find_their_work_done(jobs: Jobs, small_copy: Path, year: int) -> None:
    trained = json.loads(jobs("train", "--json", data=small_copy).out)
    assert [row["stage"] for row in trained] == [
        "pre_weekend",
        "pre_qualifying",
        "post_qualifying",
        "pre_race",
        "pre_weekend",
        "pre_qualifying",
    ]
    assert "current" in jobs("train", "--stage", "pre_race", data=small_copy).out
    scores = json.loads(jobs("backtest", "--from", str(year), "--json", data=small_copy).out)
    pooled = {row["model"]: row for row in scores["pre_race"]["pooled"]}
    assert {"grid", "elo", "points"} < set(pooled)
    assert {row["season"] for row in scores["pre_race"]["by_season"]} == {year}
    table = jobs("backtest", "--from", str(year), data=small_copy).out
    assert "winner" in table and "grid" in table


def test_json_goes_alone_to_standard_output(small_data: Path, small_archive: Path) -> None:
    answer = run_jobs("status", "--json", data=small_data, archive=small_archive)
    assert answer.code == 0
    assert answer.err == ""
    assert json.loads(answer.out)["tables"]


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_an_unknown_race_is_answered_with_suggestions(jobs: Jobs, small_data: Path) -> None:
    answer = jobs("predict", "--race", "Harbor", "--year", "2026", data=small_data)
    assert answer.code == 2
    assert "Did you mean Harbour" in error_of(answer) or "Harbour" in error_of(answer)
    assert answer.out == ""


def test_the_real_command_says_the_same(small_data: Path) -> None:
    answer = run_jobs("predict", "--race", "Atlantis", data=small_data)
    assert answer.code == 2
    assert "Atlantis" in error_of(answer)


def test_a_future_race_has_no_grid_and_no_result(jobs: Jobs, small_data: Path, year: int) -> None:
    for stage in ("pre_race", "post_qualifying"):
        answer = jobs("predict", "--race", f"{year}-dunes", "--stage", stage, data=small_data)
        assert answer.code == 7
        assert f"{year}-dunes" in error_of(answer)
        assert "--stage pre_weekend" in error_of(answer)
    answer = jobs("extract", "--race", f"{year}-dunes", "--stage", "pre_race", data=small_data)
    assert answer.code == 7
    assert f"{year}-dunes" in error_of(answer)


def test_only_the_real_clock_trains(jobs: Jobs, small_data: Path) -> None:
    answer = jobs("train", "--as-of", "2024-01-01", data=small_data)
    assert answer.code == 7
    assert "real clock" in error_of(answer)


def test_a_moment_that_is_none_is_refused(jobs: Jobs, small_data: Path) -> None:
    answer = jobs("status", "--as-of", "yesterday", data=small_data)
    assert answer.code != 0
    assert "yesterday" in error_of(answer)
    assert "2025-12-06T18:00Z" in error_of(answer)


@pytest.mark.parametrize(
    "arguments", [["status"], ["predict"], ["extract", "--race", "next"], ["train"], ["backtest"]]
)
def test_without_a_warehouse_one_is_told_to_build(jobs: Jobs, tmp_path: Path, arguments: list[str]) -> None:
    answer = jobs(*arguments, data=tmp_path / "nothing")
    assert answer.code == 5
    assert "no warehouse" in error_of(answer)
    assert "run.py build" in error_of(answer)


def test_without_models_one_is_told_to_train(jobs: Jobs, small_copy: Path) -> None:
    shutil.rmtree(small_copy / "models")
    answer = jobs("predict", "--race", "next", data=small_copy)
    assert answer.code == 8
    assert "train" in error_of(answer)


@pytest.mark.parametrize(
    "arguments", [["status"], ["predict"], ["ingest"], ["train"], ["backtest"], ["build"]]
)
def test_a_warehouse_of_a_newer_schema_is_left_alone(
    jobs: Jobs, small_copy: Path, small_archive: Path, arguments: list[str]
) -> None:
    path = small_copy / "warehouse" / SNAPSHOT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))
    before = path.read_bytes()
    answer = jobs(*arguments, data=small_copy, archive=small_archive)
    assert answer.code == 5
    assert "schema 99" in error_of(answer)
    assert "Update the product" in error_of(answer)
    assert path.read_bytes() == before


@pytest.mark.parametrize("arguments", [["ingest"], ["train"], ["predict"]])
def test_whoever_is_writing_is_named(
    jobs: Jobs, small_copy: Path, small_archive: Path, arguments: list[str]
) -> None:
    """Another process writes: nobody else does, and reading goes on."""
    with writer_lock(small_copy / "locks", holder="a long job"):
        answer = jobs(*arguments, data=small_copy, archive=small_archive)
        assert answer.code == 6
        assert f"a long job (process {os.getpid()})" in error_of(answer)
        assert jobs("status", data=small_copy).code == 0


def test_a_damaged_model_is_named(jobs: Jobs, small_copy: Path) -> None:
    production = json.loads((small_copy / "models" / "production.json").read_text())["production"]
    name = production["race/pre_qualifying"]["version"]
    folder = next(path for path in (small_copy / "models").rglob(name) if path.is_dir())
    artifact = max(
        (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".json"), key=lambda p: p.stat().st_size
    )
    body = bytearray(artifact.read_bytes())
    body[len(body) // 2] ^= 0xFF
    artifact.write_bytes(bytes(body))
    answer = jobs("predict", "--race", "next", data=small_copy)
    assert answer.code == 9
    assert name in error_of(answer)


def test_a_features_folder_that_may_not_be_written_is_told(
    jobs: Jobs, small_copy: Path, year: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    import f1core.features.store

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    shutil.rmtree(small_copy / "features")
    monkeypatch.setattr(f1core.features.store, "write_atomically", refuse)
    answer = jobs("extract", "--race", f"{year}-isle", "--stage", "pre_race", data=small_copy)
    assert answer.code == 5
    assert "Permission denied" in error_of(answer)
    assert "features" in error_of(answer)


# --- interrupted ------------------------------------------------------------------------------------------------------


@pytest.fixture
def newer_archive(tmp_path: Path) -> Path:
    """What the small archive will be one race later."""
    made = championship_of_today()
    made.races[-2].is_held = True
    return made.write(tmp_path / "newer")


ATTEMPTS = 4
"""How often a signal may come too late before the test says so."""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_an_interrupted_ingest_leaves_the_old_warehouse_and_is_done_by_the_next(
    small_data: Path, tmp_path: Path, newer_archive: Path, sent: signal.Signals
) -> None:
    reader = Reader(small_data / "warehouse")
    before, rows = reader.snapshot, reader.table("race_results")
    for attempt in range(ATTEMPTS):
        data = Path(shutil.copytree(small_data, tmp_path / f"data-{attempt}"))
        code, err = _interrupted_ingest(data, newer_archive, sent)
        if code != 0:
            break
    else:
        pytest.fail(f"{ATTEMPTS} times the ingest was done before the signal came")
    if sent is signal.SIGINT:
        assert code == 130
        assert "what was published before is intact" in err
        assert "Traceback" not in err
    else:
        assert code == -signal.SIGKILL
    assert Reader(data / "warehouse").snapshot == before
    assert Reader(data / "warehouse").table("race_results").equals(rows)
    again = run_jobs("ingest", data=data, archive=newer_archive)
    assert again.code == 0, again.err
    assert Reader(data / "warehouse").table("race_results").height > rows.height


def _interrupted_ingest(data: Path, archive: Path, sent: signal.Signals) -> tuple[int, str]:
    """Sends a signal to an ingest that has begun to write; its exit code and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "ingest"],
        cwd=REPOSITORY,
        env=jobs_environment(data, archive),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for(lambda: _versions(data, "qualifying_results") > 1 or process.poll() is not None)
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    return process.returncode, err


def _versions(data: Path, table: str) -> int:
    return len(list((data / "warehouse" / table / "_delta_log").glob("*.json")))


def _wait_for(condition: Callable[[], bool], limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.005)


def test_a_reader_that_closes_early_is_no_error(small_data: Path) -> None:
    """`jobs status | head -1`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "status", "--json"],
        cwd=REPOSITORY,
        env=jobs_environment(small_data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read().decode()
    process.wait(timeout=60)
    assert "Traceback" not in err


# --- the real thing ---------------------------------------------------------------------------------------------------


def test_the_whole_line_on_real_data(built_data: Path) -> None:
    status = json.loads(run_jobs("status", "--json", data=built_data).out)
    assert status["last_result"]["event_id"] == "2026-austria"
    answer = run_jobs(
        "predict", "--race", "Abu Dhabi", "--year", "2025", "--stage", "pre_race", "--json", data=built_data
    )
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert len(found["entries"]) == 20
    assert found["event_id"] == "2025-abu-dhabi"
    season_over = run_jobs("predict", "--race", "next", "--as-of", "2026-12-31", data=built_data)
    assert season_over.code == 2
    assert "season is over" in season_over.err
