"""Rehearses past weekends, and one of them through faults.

``python benchmarks/rehearsal.py DATA [--from 2022] [--sample N] [--race EVENT] [--faults] [--kills 10]``

DATA is a built data folder; it is only read. Without ``--sample`` every weekend since ``--from`` is rehearsed: facts, champion and
challenger as of then, on the real code. ``--faults`` rehearses one weekend (from an hour before qualifying, without a
challenger) once undisturbed and once for every kind of fault, and counts what was lost or doubled.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import polars as pl

from f1core.job_log import RunStatus
from f1core.ledger import Ledger
from f1core.log import configure_logging
from f1core.rehearsal.faults import Counter as Steps
from f1core.rehearsal.faults import DiskFull, PlugPulled, watched
from f1core.rehearsal.installation import copy_installation
from f1core.rehearsal.script import script_of
from f1core.rehearsal.source import FaultKind, SourceFault
from f1core.rehearsal.timeline import Timeline
from f1core.settings import Settings, load_settings
from jobs.rehearse import Rehearsal, go_on, prepare
from jobs.scheduler import only_runner
from warehouse.errors import LockHeld
from warehouse.queries.events import session_starts
from warehouse.reader import Reader
from warehouse.tables import FACT_TABLES, TABLES

BAR_S = 60.0
HOUR = dt.timedelta(hours=1)
COMPARED = (*(table.name for table in FACT_TABLES), "ratings")
DERIVED = ("predictions", "prediction_entries", "accuracy")
KILLED = -9


def weekends(origin: Settings, since: int, sample: int | None, race: str | None) -> bool:
    """Rehearses weekends one after the other; prints a line each and answers whether all were right."""
    reader = Reader(origin.warehouse_root)
    held = reader.query(
        "select events.event_id from events inner join sessions using (event_id) where sessions.session = 'race' "
        "and events.status = 'held' and events.season >= $since order by sessions.starts_at",
        {"since": since},
    )["event_id"].to_list()
    chosen = [race] if race else held
    if sample is not None and race is None:
        chosen = sorted(random.Random(1950).sample(held, min(sample, len(held))), key=held.index)
    print(
        f"{'weekend':<26} {'order':<6} {'sealed at (UTC)':<17} {'race':<17} {'settled at':<17} {'runs':>5} seconds"
    )
    right, took = 0, []
    for event_id in chosen:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
            began = time.perf_counter()
            rehearsal = prepare(origin, script_of(reader, event_id), Path(folder) / "data")
            timeline = rehearsal.run()
            seconds = time.perf_counter() - began
        problems = timeline.problems()
        right += not problems
        took.append(seconds)
        sealed, settled = timeline.of("sealed", "post_qualifying"), timeline.of("settled", "post_qualifying")
        parts = ", ".join(f"{part} {value:.0f}" for part, value in timeline.seconds.items())
        print(
            f"{event_id:<26} {'ok' if not problems else 'WRONG':<6} {_at(sealed)} {timeline.starts['race']:%Y-%m-%d %H:%M}  "
            f"{_at(settled)} {len(timeline.runs):>5} {seconds:5.1f} ({parts}; retrained {len(timeline.of('retrained'))})",
            flush=True,
        )
        for problem in problems:
            print(f"    {problem}")
    over = sum(seconds > BAR_S for seconds in took)
    print(
        f"{right} of {len(chosen)} in the right order; median {sorted(took)[len(took) // 2]:.1f} s, longest {max(took):.1f} s, "
        f"over {BAR_S:.0f} s: {over}"
    )
    return right == len(chosen)


def _at(found: list) -> str:
    return f"{found[0].at:%Y-%m-%d %H:%M} " if found else f"{'never':<17}"


# Faults ---------------------------------------------------------------------------------------------------------------


class Faults:
    """One weekend, undisturbed and through every kind of fault."""

    def __init__(self, origin: Settings, event_id: str, folder: Path) -> None:
        self.origin, self.event_id, self.folder = origin, event_id, folder
        self.reader = Reader(origin.warehouse_root)
        self.starts = session_starts(self.reader, event_id)
        self.race = self.starts["race"]
        self.usual = {
            "since": self.starts["qualifying"] - HOUR,
            "until": self.race + 10 * HOUR,
            "retrain": False,
            "is_provisional": False,
        }
        prepare(origin, script_of(self.reader, event_id, **self.usual), folder / "before")
        copy_installation(folder / "before", folder / "clean")
        self.steps = Steps()
        with watched(self.steps):
            self.clean = Rehearsal(origin, folder / "clean").run()
        assert self.clean.problems() == [], self.clean.problems()

    def report(self, kills: int) -> bool:
        """Injects everything and prints a line each."""
        print(
            f"{self.event_id}: undisturbed {len(self.clean.runs)} runs, {len(self.steps.names)} steps to the disk"
        )
        print(
            f"{'fault':<34} {'injected':>8} {'on record':>9} {'facts lost/doubled':>19} {'records lost/doubled':>21}  sealed"
        )
        lines = [
            self.source(
                "sources down for a day", FaultKind.DOWN, self.race - 26 * HOUR, self.race - 2 * HOUR
            ),
            self.source(
                "sources down over the start",
                FaultKind.DOWN,
                self.race - 26 * HOUR,
                self.race + HOUR,
                missed=True,
            ),
            self.source("time-outs", FaultKind.TIME_OUT, self.race - 24 * HOUR, self.race - 12 * HOUR),
            self.source("truncated answers", FaultKind.TRUNCATED, self.race + 3 * HOUR, self.race + 5 * HOUR),
            self.disk_full("disk full", ("job log",)),
            self.disk_full("disk full, the job log's too", ()),
            self.killed(kills),
            self.two_runners(),
        ]
        return all(lines)

    def source(
        self, title: str, kind: FaultKind, since: dt.datetime, until: dt.datetime, *, missed: bool = False
    ) -> bool:
        """A source that does not answer as it should for some hours."""
        data = self.folder / title.replace(" ", "-")
        fault = SourceFault(kind, since, until)
        chosen = {**self.usual, "since": min(self.usual["since"], since), "faults": (fault,)}
        script = script_of(self.reader, self.event_id, **chosen)
        timeline = prepare(self.origin, script, data, champion=self.folder / "before" / "models").run()
        seen = [
            run for run in timeline.runs if run.status is RunStatus.FAILED and fault.is_on(run.started_at)
        ]
        if missed:
            records = [run for run in timeline.runs if run.status is RunStatus.MISSED]
            seen = seen if records else []
        return self._line(title, len(seen), len(seen), data, timeline, missed=missed)

    def disk_full(self, title: str, spared: tuple[str, ...]) -> bool:
        """No write goes through, from the end of qualifying for four hours and for two hours after the flag."""
        data = self.folder / title.replace(" ", "-").replace("'", "")
        copy_installation(self.folder / "before", data)
        rehearsal = Rehearsal(self.origin, data)
        refused = [0]
        windows = [
            DiskFull(
                rehearsal.clock,
                self.starts["qualifying"] + HOUR,
                self.starts["qualifying"] + 5 * HOUR,
                spared,
            ),
            DiskFull(rehearsal.clock, self.race + 3 * HOUR, self.race + 5 * HOUR, spared),
        ]

        def step(name: str) -> None:
            try:
                for window in windows:
                    window(name)
            except OSError:
                refused[0] += 1
                raise

        with watched(step):
            timeline = rehearsal.run()
        seen = [
            run for run in timeline.runs if run.error and ("full" in run.error or "No space" in run.error)
        ]
        # Where not even the job log could be written, the record shows runs that began hours after they were due.
        late = [
            run
            for run in timeline.runs
            if run.started_at and run.planned_at and run.started_at - run.planned_at > HOUR
        ]
        return self._line(title, refused[0], len(seen) or len(late), data, timeline)

    def killed(self, kills: int) -> bool:
        """Kill -9 at numbered steps, one after the other in one weekend."""
        data = self.folder / "killed"
        copy_installation(self.folder / "before", data)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["jobs.rehearse"])
        stride = len(self.steps.names) // (kills + 2)
        rng = random.Random(1950)
        names = []
        for number in range(kills):
            note = self.folder / f"pulled-{number}"
            plug = PlugPulled(stride + rng.randint(-stride // 3, stride // 3), note=note)
            process = context.Process(target=go_on, args=(self.origin, data), kwargs={"plug": plug})
            process.start()
            process.join()
            if process.exitcode != KILLED:
                break
            names.append(note.read_text())
        timeline = Rehearsal(self.origin, data).run()
        seen = [run for run in timeline.runs if run.status is RunStatus.INTERRUPTED]
        is_same = Ledger(data / "ledger").head() == Ledger(self.folder / "clean" / "ledger").head()
        fine = self._line(f"kill -9 at {len(names)} steps", len(names), len(seen), data, timeline)
        between = len(names) - len(seen)
        print(
            f"    at {', '.join(names)}; {between} between two runs; ledger {'the same to the byte' if is_same else 'DIFFERS'}"
        )
        return fine and is_same

    def two_runners(self) -> bool:
        """A second runner is refused; two that both ignore the lock share one folder."""
        data = self.folder / "two"
        copy_installation(self.folder / "before", data)
        rehearsal = Rehearsal(self.origin, data)
        refused = False
        with only_runner(rehearsal.settings):
            try:
                rehearsal.run()
            except LockHeld:
                refused = True
        context = multiprocessing.get_context("forkserver")
        both = [
            context.Process(target=go_on, args=(self.origin, data), kwargs={"locked": False})
            for _ in range(2)
        ]
        for process in both:
            process.start()
        for process in both:
            process.join()
        timeline = Rehearsal(self.origin, data).run()
        doubled = [key for key, count in Counter(run.key for run in timeline.runs).items() if count > 1]
        fine = self._line("two runners, no lock", 2, len({run.pid for run in timeline.runs}), data, timeline)
        print(
            f"    with the lock the second is {'refused' if refused else 'NOT REFUSED'}; without it both worked "
            f"(exit {[process.exitcode for process in both]}), {len(doubled)} runs were made by both"
        )
        return fine and refused

    def _line(
        self, title: str, injected: int, seen: int, data: Path, timeline: Timeline, *, missed: bool = False
    ) -> bool:
        facts = [0, 0]
        own, clean = Reader(data / "warehouse"), Reader(self.folder / "clean" / "warehouse")
        for name in (*COMPARED, *(() if missed else DERIVED)):
            lost, doubled = difference(
                own.table(name), clean.table(name), TABLES[name].key, timed=name in DERIVED
            )
            facts[0] += lost
            facts[1] += doubled
        names = [
            [record.name for record in Ledger(folder / "ledger").walk()]
            for folder in (data, self.folder / "clean")
        ]
        lost = 0 if missed else len(set(names[1]) - set(names[0]))
        doubled = len(names[0]) - len(set(names[0])) + len(set(names[0]) - set(names[1]))
        sealed = timeline.of("sealed", "post_qualifying")
        in_time = not sealed if missed else bool(sealed) and sealed[0].at < self.race
        words = "missed, and said so" if missed else (f"{sealed[0].at:%m-%d %H:%M}" if sealed else "never")
        ledger = Ledger(data / "ledger").verify()
        fine = not any(facts) and not lost and not doubled and seen > 0 and in_time and ledger.is_intact
        print(
            f"{title:<34} {injected:>8} {seen:>9} {facts[0]:>12}/{facts[1]:<6} {lost:>14}/{doubled:<6}  {words}"
            f"{'' if fine else '  WRONG'}",
            flush=True,
        )
        return fine


def difference(
    own: pl.DataFrame, clean: pl.DataFrame, key: tuple[str, ...], *, timed: bool
) -> tuple[int, int]:
    """Rows of the undisturbed table that are missing or differ, and rows that are too many.

    Tables made of the ledger carry the instants at which records were made; through a fault these are later, and only the
    rows' keys are compared.
    """
    columns = list(key) if timed else own.columns
    lost = clean.join(own, on=columns, how="anti", nulls_equal=True).height
    extra = own.join(clean, on=columns, how="anti", nulls_equal=True).height
    return lost, extra + own.height - own.select(key).unique().height


def main() -> int:
    """Answers 0 when everything was as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="A built data folder; only read.")
    parser.add_argument("--from", dest="since", type=int, default=2022)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--race", help="Only this event, e.g. 2025-las-vegas.")
    parser.add_argument("--faults", action="store_true", help="The table of faults instead of weekends.")
    parser.add_argument("--kills", type=int, default=10)
    chosen = parser.parse_args()
    configure_logging("CRITICAL")
    origin = load_settings(data=str(chosen.data.resolve()))
    if chosen.faults:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
            return (
                0 if Faults(origin, chosen.race or "2026-austria", Path(folder)).report(chosen.kills) else 1
            )
    return 0 if weekends(origin, chosen.since, chosen.sample, chosen.race) else 1


if __name__ == "__main__":
    sys.exit(main())
