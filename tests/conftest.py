"""What tests of every layer share: the real facts, a small invented championship, and data folders made from them.

Nothing of the person who runs the tests gets in: no PARCFERME_ variable, no ``.env`` file. Two variables are for the tests
themselves: ``PARCFERME_ARCHIVE`` (the facts archive, else ``../shared/f1-archive``) and ``PARCFERME_TEST_DATA`` (a built data
folder, copied and left as it is; without it one is built once per run).
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from f1core.clock import Clock
from f1core.features.facts import FeatureFacts
from f1core.settings import REPOSITORY, Settings, load_settings, reset_settings
from f1core.workspace import Workspace
from tests.made_up_archive import Championship, zip_path
from warehouse.queries.history import Facts, load_facts
from warehouse.reader import Reader

ARCHIVE_KEPT = "PARCFERME_TEST_ARCHIVE"
WORKERS = 2


def pytest_configure(config: pytest.Config) -> None:
    """Forgets the settings of whoever runs the tests; what the tests need is kept under a name the product ignores."""
    if os.environ.get("PARCFERME_ARCHIVE"):
        os.environ[ARCHIVE_KEPT] = os.environ["PARCFERME_ARCHIVE"]
    for name in [n for n in os.environ if n.startswith("PARCFERME_") and not n.startswith("PARCFERME_TEST_")]:
        del os.environ[name]
    Settings.model_config["env_file"] = None
    reset_settings()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses the real facts is marked so, and so is whoever waits for a build or recorded sessions."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "archive" in names:
            item.add_marker("archive")
        if "built_data" in names or "recorded_data" in names:
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    reset_settings()
    yield
    reset_settings()


def once_per_run(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made by whichever worker comes first; the others wait for it and share it."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            # A failed attempt leaves a part behind: the next one starts afresh and fails with its own message.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


# --- the real facts ---------------------------------------------------------------------------------------------------


def archive_at(place: str) -> Path:
    """The facts archive at a place. Without one a test is skipped; in continuous integration, which has one, it fails."""
    path = Path(place).expanduser()
    missing = zip_path(path)
    if "://" in place or not missing.is_file():
        words = f"no facts archive: {missing} does not exist (set PARCFERME_ARCHIVE to an archive folder)"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    return path


@pytest.fixture(scope="session")
def archive() -> Path:
    """The facts archive; see :func:`archive_at`."""
    return archive_at(os.environ.get(ARCHIVE_KEPT) or str(REPOSITORY.parent / "shared" / "f1-archive"))


@pytest.fixture(scope="session")
def ingested(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the real facts in its warehouse and nothing else. Read only: copy it to change it."""

    def make(folder: Path) -> None:
        ingest_into(folder, archive)

    return once_per_run(tmp_path_factory, "ingested", make)


@pytest.fixture(scope="session")
def built_data(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as ``jobs build`` leaves it. Read only: copy it to change it."""

    def make(folder: Path) -> None:
        ready = os.environ.get("PARCFERME_TEST_DATA")
        if ready:
            shutil.copytree(ready, folder, dirs_exist_ok=True)
            return
        run = run_jobs("build", data=folder, archive=archive, timeout_s=1800)
        assert run.code == 0, run.err

    return once_per_run(tmp_path_factory, "built-data", make)


RECORDED = (
    ("2023-bahrain", "practice_2"),
    ("2023-bahrain", "qualifying"),
    ("2023-bahrain", "race"),
    ("2023-azerbaijan", "sprint"),
)
"""Recorded sessions that several tests read: practice, qualifying with telemetry, a race, a sprint."""


@pytest.fixture(scope="session")
def recorded_data(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with some recorded sessions, as jobs fetch them, and nothing else. Read only: copy it to change it."""
    from f1core.sources.timing import SessionRef, fetch_session
    from warehouse.vocab import SessionKind

    def make(folder: Path) -> None:
        settings = load_settings(data=folder)
        for event, session in RECORDED:
            fetch_session(settings, SessionRef(event, SessionKind(session)), archive=archive, network=False)

    return once_per_run(tmp_path_factory, "recorded", make)


@pytest.fixture(scope="session")
def reader(ingested: Path) -> Iterator[Reader]:
    """The real facts, read."""
    found = Reader(ingested / "warehouse")
    yield found
    found.close()


@pytest.fixture(scope="session")
def recent_paces(reader: Reader) -> pl.DataFrame:
    """Race pace by the laps of every race of 2021 on."""
    from f1core.ratings import lap_paces
    from models.lap_pace import LAP_COLUMNS

    columns = ", ".join(("session", *LAP_COLUMNS))
    return lap_paces(reader.query(f"select {columns} from laps where season >= 2021"))


@pytest.fixture(scope="session")
def recent_facts(reader: Reader, recent_paces: pl.DataFrame) -> Facts:
    """What features of 2022 on are made from: gated facts of 2021 on, rated from nothing."""
    from f1core.ratings import rate_frames
    from warehouse.queries.history import order_by_known

    facts = load_facts(reader, from_season=2021)
    ratings = rate_frames(facts.tables["race_results"], facts.tables["qualifying_results"], recent_paces)
    return Facts(
        {**facts.tables, "ratings": order_by_known("ratings", ratings)},
        facts.calendar,
        facts.sessions,
        facts.circuits,
    )


@pytest.fixture(scope="session")
def feature_facts(reader: Reader) -> FeatureFacts:
    """All real facts, as features read them."""
    return FeatureFacts(load_facts(reader))


# --- the invented championship ----------------------------------------------------------------------------------------


def championship_of_today() -> Championship:
    """Three seasons, the last one running now: five races held, one tomorrow with its practice driven, one in two weeks."""
    last = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=15)
    made = Championship.of({last.year - 2: 7, last.year - 1: 7, last.year: 7}, held=5, last_race=last)
    made[f"{last.year}-vale"].through = "practice"
    return made


@pytest.fixture
def tiny_archive(tmp_path: Path) -> Path:
    """An archive of two short invented seasons, the second one running."""
    return Championship.of({2023: 3, 2024: 4}, held=2).write(tmp_path / "archive")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the facts of two short invented seasons and nothing else. Read only: copy it to change it."""

    def make(folder: Path) -> None:
        archive = Championship.of({2023: 3, 2024: 4}, held=2).write(folder / "archive")
        ingest_into(folder / "data", archive)

    return once_per_run(tmp_path_factory, "tiny", make) / "data"


@pytest.fixture(scope="session")
def small_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three invented seasons that end in two weeks. Read only."""
    return once_per_run(
        tmp_path_factory, "small-archive", lambda folder: _discard(championship_of_today().write(folder))
    )


@pytest.fixture(scope="session")
def small_data(small_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as a build of the invented seasons leaves it. Read only: copy it to change it."""

    def make(folder: Path) -> None:
        from f1core.build import build

        settings = load_settings(data=folder, archive=str(small_archive), workers=1)
        build(Workspace(settings, Clock.system()), lambda *_: None)

    return once_per_run(tmp_path_factory, "small-data", make)


@pytest.fixture
def small_copy(small_data: Path, tmp_path: Path) -> Path:
    """A copy of ``small_data`` that a test may change."""
    return Path(shutil.copytree(small_data, tmp_path / "data"))


def _discard(_: object) -> None:
    return None


# --- doing things -----------------------------------------------------------------------------------------------------


def ingest_into(data: Path, archive: Path) -> object:
    """Ingests an archive in this process; answers the report."""
    from f1core.ingest import ingest
    from f1core.sources.archive import ArchivePlace

    settings = load_settings(data=data, archive=str(archive), workers=1)
    return ingest(settings, ArchivePlace(archive, "test"), now=dt.datetime.now(dt.UTC))


def workspace_of(data: Path, as_of: str | None = None, *, archive: Path | None = None) -> Workspace:
    """A data folder opened, at an instant or now."""
    settings = load_settings(data=data, archive=None if archive is None else str(archive), workers=1)
    return Workspace(settings, Clock.at(as_of) if as_of else Clock.system())


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str


def jobs_environment(data: Path, archive: Path | str | None = None, **more: str) -> dict[str, str]:
    """An environment in which nothing is left to a ``.env`` file."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PARCFERME_")}
    return {
        **kept,
        "PARCFERME_DATA": str(data),
        "PARCFERME_ARCHIVE": str(archive or REPOSITORY / "no-archive"),
        "PARCFERME_LOG_LEVEL": "WARNING",
        "PARCFERME_WORKERS": str(WORKERS),
        "PARCFERME_OFFLINE": "1",
        **more,
    }


def run_jobs(
    *arguments: str, data: Path, archive: Path | str | None = None, timeout_s: float = 600
) -> Answer:
    """``python -m jobs …`` as people start it, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *arguments],
        cwd=REPOSITORY,
        env=jobs_environment(data, archive),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """The command line's ``main`` in this process: as ``run_jobs``, without the two seconds of start-up."""
    import logging

    from jobs.cli import main

    def run(*arguments: str, data: Path, archive: Path | str | None = None) -> Answer:
        monkeypatch.setenv("PARCFERME_DATA", str(data))
        monkeypatch.setenv("PARCFERME_ARCHIVE", str(archive or REPOSITORY / "no-archive"))
        monkeypatch.setenv("PARCFERME_WORKERS", "1")
        monkeypatch.setenv("PARCFERME_OFFLINE", "1")
        monkeypatch.setattr(sys, "argv", ["jobs", *arguments])
        reset_settings()
        handlers = list(logging.getLogger().handlers)
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            logging.getLogger().handlers[:] = handlers
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


def equal_frames(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether two frames are the same to the bit: columns, types, order, nulls, NaN."""
    return left.equals(right, null_equal=True) and left.schema == right.schema
