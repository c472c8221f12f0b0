"""Pulls the plug: kills refreshes and builds at random moments and counts what was lost.

``python benchmarks/chaos.py [REFRESHES] [BUILDS]`` (25 and 5). Everything runs on the demo season, in a temporary folder:
an archive as of today and the same archive eight days later. After each kill -9 (of the whole process group) the command is
run again; it must complete, and the tables must equal those of a build that nobody disturbed.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from f1core.demo.archive import ensure_demo, generate
from f1core.ledger import Ledger
from warehouse.errors import ParcFermeError
from warehouse.reader import Reader
from warehouse.store import digest
from warehouse.tables import FACT_TABLES

COMPARED = (*(table.name for table in FACT_TABLES), "ratings")
BACKTEST = ("backtest_prediction_entries",)


class Installation:
    """A data folder and the archive it is fed from."""

    def __init__(self, data: Path, archive: Path) -> None:
        self.data = data
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PARCFERME_")} | {
            "PARCFERME_DATA": str(data),
            "PARCFERME_ARCHIVE": str(archive),
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of the product, left alone."""
        arguments = [sys.executable, "-m", "jobs", *command]
        return subprocess.run(
            arguments, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )

    def kill(self, after: float, *command: str) -> bool:
        """A command of the product, killed with all its children after some seconds; whether it was still running."""
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(after)
        running = process.poll() is None
        if running:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return running

    def digests(self, tables: tuple[str, ...]) -> dict[str, str]:
        """Content of tables, whatever the order of their rows."""
        reader = Reader(self.data / "warehouse")
        return {name: digest(reader.table(name).to_arrow()) for name in tables}

    def is_readable(self) -> bool:
        """Whether a reader gets whole tables, or a clear word that nothing was built yet."""
        try:
            self.digests(("events", "race_results"))
        except ParcFermeError as error:
            return "no warehouse" in error.message
        return True


def refreshes(folder: Path, before: Path, after: Path, kills: int, rng: random.Random) -> str:
    """Kills of an incremental refresh: new races arrive in an archive that was ingested before."""
    base = Installation(folder / "base", before)
    assert base.run("ingest").returncode == 0
    Ledger(base.data / "ledger").seal("2000-old.race.pre_race.prediction", {"kind": "test"})
    clean = Installation(folder / "clean", after)
    assert clean.run("ingest").returncode == 0
    wanted = clean.digests(COMPARED)
    began = time.perf_counter()
    probe = Installation(folder / "probe", after)
    shutil.copytree(base.data, probe.data)
    assert probe.run("ingest").returncode == 0
    usual = time.perf_counter() - began
    running = failed = different = unreadable = lost = 0
    for number in range(kills):
        work = Installation(folder / f"refresh-{number}", after)
        shutil.copytree(base.data, work.data)
        running += work.kill(rng.uniform(0.15, 1.0) * usual, "ingest")
        unreadable += not work.is_readable()
        failed += work.run("ingest").returncode != 0
        different += work.digests(COMPARED) != wanted
        check = Ledger(work.data / "ledger").verify()
        lost += check.count != 1 or not check.is_intact
        shutil.rmtree(work.data)
    return (
        f"refresh ({usual:.1f} s) killed {running} of {kills} times: unreadable afterwards {unreadable}, next run failed "
        f"{failed}, tables different from a clean build {different}, sealed records lost {lost}"
    )


def builds(folder: Path, archive: Path, kills: int, rng: random.Random) -> str:
    """Kills of a full build from nothing."""
    clean = Installation(folder / "clean-build", archive)
    began = time.perf_counter()
    assert clean.run("build").returncode == 0
    usual = time.perf_counter() - began
    tables = (*COMPARED, *BACKTEST)
    wanted = clean.digests(tables)
    running = failed = different = unreadable = 0
    for number in range(kills):
        work = Installation(folder / f"build-{number}", archive)
        running += work.kill(rng.uniform(0.05, 1.0) * usual, "build")
        unreadable += not work.is_readable()
        failed += work.run("build").returncode != 0
        different += work.digests(tables) != wanted
        shutil.rmtree(work.data)
    return (
        f"build ({usual:.1f} s) killed {running} of {kills} times: unreadable afterwards {unreadable}, next run failed "
        f"{failed}, tables different from a clean build {different}"
    )


def main() -> None:
    count_refreshes = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    count_builds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rng = random.Random(5)
    now = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "before", now=now)
        shutil.copytree(folder / "before", folder / "after")
        ensure_demo(folder / "after", now + dt.timedelta(days=12))
        if count_refreshes:
            print(refreshes(folder, folder / "before", folder / "after", count_refreshes, rng), flush=True)
        if count_builds:
            print(builds(folder, folder / "before", count_builds, rng), flush=True)


if __name__ == "__main__":
    main()
