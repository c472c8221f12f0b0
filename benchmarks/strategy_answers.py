"""Prints what answers cost on a real race: ``python benchmarks/strategy_answers.py [DATA_FOLDER] [EVENT] [REPEATS]``.

Each with N = 300: an edited stop (the baseline is kept from the call before), the best five in the full field, what was done
against them, the window of every stop, and the odds against one rival. Best of the repeats.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from f1core.settings import load_settings
from f1core.simulator.plan import Plan, Stop
from f1core.strategy import whatif
from f1core.strategy.edits import Edit, WhatIf
from f1core.strategy.optimiser import optimise
from f1core.strategy.review import review
from f1core.strategy.setup import race_setup
from f1core.strategy.stop_laps import pit_windows, undercut_odds
from warehouse.reader import Reader

EVENT = "2025-hungary"


def best(repeats: int, run: Callable[[int], object]) -> tuple[float, float]:
    """Least wall time and least processor time of the repeats [s]."""
    walls, processors = [], []
    for i in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        run(i)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def main() -> None:
    """Prints the table."""
    given = dict(enumerate(sys.argv[1:]))
    settings = load_settings(data=given[0]) if 0 in given else load_settings()
    reader, event, repeats = Reader(settings.warehouse_root), given.get(1, EVENT), int(given.get(2, 5))
    setup = race_setup(reader, event)
    first, second = (car.name for car in sorted(setup.race.cars, key=lambda car: car.grid)[:2])

    def edited(i: int) -> object:
        # Another lap every time: the same edit would be found among the kept runs.
        plan = Plan("MEDIUM", (Stop(setup.race.laps // 3 + i, "HARD"),))
        edit = Edit(driver_id=first, start=plan.start, stops=plan.stops)
        return whatif.run(setup, WhatIf(edits=(edit,)), first)

    edited(-1)
    cases: list[tuple[str, Callable[[int], object]]] = [
        ("set a race up", lambda i: race_setup(reader, event)),
        ("edit a stop, answer", edited),
        ("best five in the full field", lambda i: optimise(setup, first, seed=i)),
        ("was it the right call", lambda i: review(setup, first, seed=i)),
        ("window of every stop, N = 100", lambda i: pit_windows(setup, first, seed=i)),
        ("odds against a rival, N = 200", lambda i: undercut_odds(setup, first, [second], seed=i)),
    ]
    print(f"{event}: {len(setup.race.cars)} cars, {setup.race.laps} laps")
    for title, run in cases:
        wall, processor = best(repeats, run)
        print(f"{title:32s} {wall * 1000:8.0f} ms wall {processor * 1000:8.0f} ms of processor")


if __name__ == "__main__":
    main()
