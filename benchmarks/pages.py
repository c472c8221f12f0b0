"""Server time of a page script: p50 and p95 over all pages, in this process, on a built data folder.

    python benchmarks/pages.py [data folder] [runs per page]

"Warm" is a page that was drawn before with the same data; "new" is a race nobody has asked for since the last publication,
so that its queries and charts are made afresh. On the strategy page an edit is one nobody made before: a stop on another
lap, so that 300 races are simulated and the charts made afresh; bar of its median 250 ms, aim 100. Streamlit's own test
harness runs the scripts: its bookkeeping is in the numbers, sending bytes to a browser is not. Bar: warm p95 at most 300 ms,
aim 120. Beside the time on the clock stands the time of the processor, which a busy machine does not stretch as much.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[0] = str(REPOSITORY)  # instead of this folder, in which this file would pass for the package `pages`
logging.disable(logging.WARNING)  # the harness warns of its missing browser at every run

import polars as pl

from benchmarks.app_views import views
from f1core.settings import load_settings
from f1core.strategy.setup import playable_events, race_setup
from tests.pages.conftest import HOME, RACE, session
from warehouse.queries.forecasts import stored_events
from warehouse.reader import Reader

BAR_MS = 300
EDIT_BAR_MS, EDIT_AIM_MS = 250, 100
STRATEGY = "pages/strategy.py"


@dataclass(frozen=True)
class Run:
    """One run of a page.

    Attributes:
        clock: Time it took [ms].
        processor: Time of the processor over all threads [ms].
    """

    clock: float
    processor: float


def run_ms(app: Any) -> Run:
    """Runs the page once; a page that fails ends the benchmark."""
    started, busy = time.perf_counter(), time.process_time()
    app.run()
    took, worked = time.perf_counter() - started, time.process_time() - busy
    faults = [*(element.message for element in app.exception), *(element.value for element in app.error)]
    if faults:
        sys.exit(f"the page failed: {faults[0]}")
    return Run(took * 1000, worked * 1000)


def edits_ms(reader: Reader, runs: int) -> list[Run]:
    """Runs of the strategy page, each with the driver's stop on another lap [ms]; the race itself is set up before."""
    event = playable_events(reader).filter(pl.col("is_past"))["event_id"][0]
    setup = race_setup(reader, event)
    driver = setup.drivers["driver_id"][0]
    app = session(STRATEGY, event=event, driver=driver)
    run_ms(app)
    times = []
    for lap in range(10, 10 + runs):
        app.query_params["cars"] = f"{driver}:M-{min(lap, setup.race.laps - 1)}H"
        times.append(run_ms(app))
    return times


def quantile(values: list[float], share: float) -> float:
    """The value below which a share of all lies, the next one up."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def line(name: str, runs: list[Run]) -> str:
    """A row of the printed table."""
    times, worked = [run.clock for run in runs], [run.processor for run in runs]
    return (
        f"| {name} | {len(runs)} | {quantile(times, 0.5):.0f} | {quantile(times, 0.95):.0f} | {max(times):.0f} | "
        f"{quantile(worked, 0.5):.0f} | {quantile(worked, 0.95):.0f} |"
    )


def main() -> None:
    """Measures and prints a table; ends with an error when the bar is missed."""
    if len(sys.argv) > 1:
        os.environ["PARCFERME_DATA"] = str(Path(sys.argv[1]).resolve())
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    reader = Reader(load_settings().warehouse_root)
    raced = stored_events(reader, "backtest")["event_id"].to_list()
    coming = stored_events(reader, "provisional")["event_id"].to_list()
    if not raced or not coming:
        sys.exit("The data folder has no backtest or no forecast; run `python3 run.py build`.")
    opened = {
        **views(Path(load_settings().data)),
        "race, coming": f"/race?event={coming[-1]}",
        "accuracy, before qualifying": "/accuracy?stage=pre_qualifying",
    }
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, snapshot {reader.snapshot.id}, "
        "times in ms\n"
    )
    print("| page | runs | p50 | p95 | worst | processor p50 | p95 |\n|---|---:|---:|---:|---:|---:|---:|")
    everything: list[Run] = []
    for name, path in opened.items():
        page, _, query = path.lstrip("/").partition("?")
        app = session(f"pages/{page}.py" if page else HOME, **dict(parse_qsl(query)))
        first = run_ms(app).clock
        warm = [run_ms(app) for _ in range(runs)]
        everything += warm
        print(f"{line(name, warm)} first time {first:.0f}", flush=True)
    print(line("all pages, warm", everything))
    print(line("race, new", [run_ms(session(RACE, event=event)) for event in raced[1:]]))
    edits = edits_ms(reader, runs)
    print(line("strategy, an edit", edits))
    p95 = quantile([run.clock for run in everything], 0.95)
    edit = quantile([run.clock for run in edits], 0.5)
    is_met = p95 <= BAR_MS and edit <= EDIT_BAR_MS
    print(f"\nedit of a stop to new charts {edit:.0f} ms, bar {EDIT_BAR_MS} ms, aim {EDIT_AIM_MS} ms")
    print(f"warm p95 {p95:.0f} ms, bar {BAR_MS} ms: {'met' if p95 <= BAR_MS else 'MISSED'}")
    sys.exit(not is_met)


if __name__ == "__main__":
    main()
