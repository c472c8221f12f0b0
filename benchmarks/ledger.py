"""Attacks the ledger and counts what survives: ``python benchmarks/ledger.py [DATA_FOLDER]``.

1. Eight spawned processes seal the same record at once, fifty rounds, with and without the writer lock.
2. Two hundred single bytes of sealed records are changed, one at a time; ``verify`` must find each.
3. ``python -m jobs freeze`` is killed at twenty-five random moments (needs a built data folder; a copy is used).
"""

from __future__ import annotations

import multiprocessing
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

from f1core.ledger import Ledger, prediction_name
from warehouse.lock import writer_lock

PROCESSES, ROUNDS, CHANGES, KILLS = 8, 50, 200, 25


def _seal_rounds(root: str, locks: str | None, rounds: int, barrier: object, answers: object) -> None:
    ledger = Ledger(Path(root))
    mine = []
    for number in range(rounds):
        barrier.wait()  # type: ignore[attr-defined]
        name = prediction_name(f"2030-race-{number}", "race", "pre_race")
        content = {"kind": "sealed", "by": os.getpid(), "round": number}
        if locks:
            with writer_lock(Path(locks), holder="benchmark", wait_s=60):
                record, is_new = ledger.seal(name, content)
        else:
            record, is_new = ledger.seal(name, content)
        mine.append((record.hash, is_new))
    answers.put(mine)  # type: ignore[attr-defined]


def contend(processes: int = PROCESSES, rounds: int = ROUNDS, *, locked: bool) -> str:
    """Same record, many processes: exactly one document a round, and everybody gets it."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        barrier, answers = context.Barrier(processes), context.Queue()
        locks = str(Path(folder) / "locks") if locked else None
        workers = [
            context.Process(target=_seal_rounds, args=(f"{folder}/ledger", locks, rounds, barrier, answers))
            for _ in range(processes)
        ]
        for worker in workers:
            worker.start()
        got = [answers.get(timeout=60) for _ in workers]
        for worker in workers:
            worker.join()
        found = Ledger(Path(folder) / "ledger").verify()
        same = sum(len({one[number][0] for one in got}) == 1 for number in range(rounds))
        once = sum(sum(one[number][1] for one in got) == 1 for number in range(rounds))
    return (
        f"{processes} processes x {rounds} rounds, {'with' if locked else 'without'} lock: {found.count} documents, "
        f"all callers agree in {same}, sealed exactly once in {once}, chain intact: {found.is_intact}"
    )


def flip_bytes(changes: int = CHANGES, seed: int = 1) -> str:
    """Every single changed byte must be found."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        for number in range(10):
            entries = [
                {"driver_id": f"d{i}", "win_probability": round(rng.random(), 6), "name": "Pérez"}
                for i in range(20)
            ]
            ledger.seal(
                prediction_name(f"2030-race-{number}", "race", "pre_race"),
                {"kind": "sealed", "entries": entries},
            )
        files = sorted(ledger.chain.iterdir()) + sorted(ledger.records.iterdir())
        found = 0
        for _ in range(changes):
            path = rng.choice(files)
            body = path.read_bytes()
            at = rng.randrange(len(body))
            changed = bytearray(body)
            changed[at] ^= rng.randrange(1, 256)
            _write_apart(path, bytes(changed))
            found += not ledger.verify().is_intact
            _write_apart(path, body)
        clean = ledger.verify().is_intact
    return f"{changes} single bytes changed: {found} found; intact again after restoring: {clean}"


def _write_apart(path: Path, body: bytes) -> None:
    # The two names of a record are one file; a change of one of them must not change the other here.
    path.unlink()
    path.write_bytes(body)


def kill_freeze(data: Path, kills: int = KILLS, seed: int = 2) -> str:
    """Kill -9 at random moments of ``freeze``; the next call must complete and lose nothing."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "data"
        shutil.copytree(data, work)
        shutil.rmtree(work / "ledger", ignore_errors=True)
        environment = os.environ | {"PARCFERME_DATA": str(work)}
        command = [sys.executable, "-m", "jobs", "freeze", "--race", "next"]
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
        usual = time.perf_counter() - began
        ledger = Ledger(work / "ledger")
        torn = lost = incomplete = died = 0
        for _ in range(kills):
            shutil.rmtree(work / "ledger")
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.3, 1.0) * usual)
            process.send_signal(signal.SIGKILL)
            died += process.wait() == -signal.SIGKILL
            before = (
                [path.read_bytes() for path in sorted(ledger.chain.glob("*.json"))]
                if ledger.chain.exists()
                else []
            )
            again = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            check = ledger.verify()
            after = [path.read_bytes() for path in sorted(ledger.chain.glob("*.json"))]
            incomplete += again.returncode != 0
            torn += not check.is_intact or check.count != 1
            lost += before != after[: len(before)]
    return (
        f"freeze killed {died} of {kills} times at random moments (it takes {usual:.1f} s): "
        f"next run failed {incomplete}, records torn or doubled {torn}, lost or changed {lost}"
    )


def main() -> None:
    print(contend(locked=True))
    print(contend(locked=False))
    print(flip_bytes())
    if len(sys.argv) > 1:
        print(kill_freeze(Path(sys.argv[1]).resolve()))


if __name__ == "__main__":
    main()
