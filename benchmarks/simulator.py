"""Speed of the strategy simulator: ``python benchmarks/simulator.py [REPEATS]``.

22 cars, 60 laps, neutralisations drawn, one to three stops each; best of the repeats, and the process's peak memory at the end, with
polars imported. On a loaded machine times are long and scatter: the yardstick, a plain loop over numpy arrays of the engine's
size in the same run, tells how much.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import Car, Neutralisations, PitLane, Race, Start, measured_dry_tyres
from f1core.simulator.plan import Plan, Stop
from f1core.strategy import frames

PLANS = (
    Plan("MEDIUM", (Stop(26, "HARD"),)),
    Plan("SOFT", (Stop(15, "HARD"),)),
    Plan("MEDIUM", (Stop(18, "HARD"), Stop(41, "MEDIUM"))),
    Plan("HARD", (Stop(34, "MEDIUM"),)),
    Plan("SOFT", (Stop(11, "MEDIUM"), Stop(27, "HARD"), Stop(47, "SOFT"))),
)


def race(cars: int = 22, laps: int = 60) -> Race:
    return Race(
        laps=laps,
        lap_time_s=90.0,
        cars=tuple(
            Car(
                name=f"car {c}",
                team=f"team {c // 2}",
                grid=c + 1,
                pace_s=0.1 * c,
                retirement_probability=0.12,
            )
            for c in range(cars)
        ),
        tyres=measured_dry_tyres(90.0, warm_up_s=0.5),
        pit_lane=PitLane(slow_tail_s=3.0, box_s=4.0),
        start=Start(grid_slot_s=0.2, loss_s=5.0, sd_s=0.4),
        neutralisations=Neutralisations(
            lap_factor=1.45, catch_up_factor=1.25, vsc_lap_factor=1.35, bunch_gap_s=0.8
        ),
    )


def yardstick(rounds: int = 10_000) -> None:
    """Ten thousand small steps as the engine takes them; 22 x 60 x 8 are about one block of 1,000 simulations."""
    one, other = (np.linspace(0, k, 1_000, dtype=np.float32) for k in (1, 2))
    for _ in range(rounds):
        np.maximum(one, other, out=other)


def best(repeats: int, run: Callable[[], object]) -> tuple[float, float]:
    """Least wall time and least processor time of the repeats [s]."""
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def main(repeats: int) -> None:
    setting = race()
    plans = {car.name: PLANS[c % len(PLANS)] for c, car in enumerate(setting.cars)}
    frames.lap_frame(setting, simulate_once(setting, plans))
    cases: list[tuple[str, int, Callable[[], object]]] = [
        ("yardstick", repeats, yardstick),
        ("one race with history", repeats * 5, lambda: simulate_once(setting, plans)),
        ("N = 300", repeats, lambda: simulate(setting, plans, runs=300, seed=1)),
        ("N = 1,000", repeats, lambda: simulate(setting, plans, runs=1_000, seed=1)),
        ("N = 10,000", 1, lambda: simulate(setting, plans, runs=10_000, seed=1)),
    ]
    for title, many, run in cases:
        wall, processor = best(many, run)
        print(f"{title:24s} {wall * 1000:8.1f} ms wall {processor * 1000:8.1f} ms of processor")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
