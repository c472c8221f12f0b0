"""How much memory and time an extraction takes: ``python benchmarks/extract.py [DATA_FOLDER] [--skip-raw] [--skip-command]``.

Two events: the recorded one of the archive (Bahrain 2023), and a generated one of full size in its place (20 cars, two hours,
four samples a second, practice and qualifying, in FastF1's parsed form). Of both: reading each session through the product's
own way, and the whole command ``jobs extract`` in a copy of a built data folder (default: ``data``). Beside them, without a
bar: an ordinary ``session.load()`` of the same files, and qualifying from the feed's raw streams, which FastF1 has to parse.

The peak is the kernel's high-water mark of resident memory (``VmHWM``) of the largest process. (``ru_maxrss`` of a child
begins with its parent's.) "Together" is the most that a process and its children had at one instant, sampled, with pages
that several of them share divided among them (PSS).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil

BAR_MB = 400
EVENT, EVENT_ID = "Bahrain Grand Prix", "2023-bahrain"
SEASON = 2023
FOLDER = f"{SEASON}/{SEASON}-03-05_Bahrain_Grand_Prix"
SCHEDULE = {
    "Practice 1": dt.datetime(SEASON, 3, 3, 11, 30),
    "Practice 2": dt.datetime(SEASON, 3, 3, 15, 0),
    "Practice 3": dt.datetime(SEASON, 3, 4, 11, 30),
    "Qualifying": dt.datetime(SEASON, 3, 4, 15, 0),
    "Race": dt.datetime(SEASON, 3, 5, 15, 0),
}
SESSIONS = {"practice_2": "Practice 2", "qualifying": "Qualifying"}
LENGTH_S = 7200.0
FETCH = """
import json, sys, time
from pathlib import Path
from f1core.settings import load_settings
from f1core.sources.timing import SessionRef, fetch_session
from warehouse.vocab import SessionKind
archive, data, event, session = sys.argv[1:]
began = time.perf_counter()
bundle = fetch_session(load_settings(data=data), SessionRef(event, SessionKind(session)), archive=Path(archive), network=False,
    refresh=True)
print(json.dumps({"seconds": time.perf_counter() - began, "counts": dict(bundle.meta.counts), "problems": bundle.meta.problems}))
"""
# The same files through FastF1 alone.
ORDINARY = """
import json, logging, sys, tempfile, time
from pathlib import Path
import fastf1
from f1core.sources.recorded import use_recorded
fastf1.set_log_level(logging.CRITICAL)
archive, season, event, session = sys.argv[1:]
with tempfile.TemporaryDirectory() as work:
    use_recorded(Path(archive), int(season), Path(work))
    began = time.perf_counter()
    loaded = fastf1.get_session(int(season), event, session)
    loaded.load()
    print(json.dumps({"seconds": time.perf_counter() - began, "laps": len(loaded.laps)}))
"""
# Practice with its channels: the product reads those of qualifying only, but could.
CHANNELS = """
import json, logging, sys, tempfile, time
from pathlib import Path
import fastf1, polars
from f1core.sources.recorded import use_recorded
from f1core.sources.telemetry_laps import best_laps
fastf1.set_log_level(logging.CRITICAL)
archive, season, event, session = sys.argv[1:]
with tempfile.TemporaryDirectory() as work:
    use_recorded(Path(archive), int(season), Path(work))
    began = time.perf_counter()
    loaded = fastf1.get_session(int(season), event, session)
    loaded.load(telemetry=False)
    rows, remarks = best_laps(loaded)
    print(json.dumps({"seconds": time.perf_counter() - began, "samples": rows.height}))
"""
IMPORTS = """
import fastf1, polars
print('{"seconds": 0}')
"""
# In a process of its own: what makes the files up would be in the memory of whoever measures.
WRITE = """
import sys
from pathlib import Path
from benchmarks.extract import write_archive
write_archive(Path(sys.argv[1]), Path(sys.argv[2]), raw=sys.argv[3] == "raw")
print("{}")
"""


@dataclass(frozen=True)
class Run:
    """What a process said at its end [JSON], and its memory and its children's [MB]: the largest peak, the largest sum."""

    said: dict[str, Any]
    peak_mb: float
    together_mb: float


def run(*command: str, **environment: str) -> Run:
    """Runs a command of this Python in a process of its own and watches the memory of it and its children."""
    # No setting of whoever measures gets in.
    env = {
        name: value for name, value in os.environ.items() if not name.startswith("PARCFERME_")
    } | environment
    peaks: dict[int, float] = {}
    together = [0.0]
    over = threading.Event()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env, **pipes) as process:

        def watch() -> None:
            while not over.wait(0.01):
                total = 0.0
                for pid in family(process.pid):
                    peak, now = memory_mb(pid)
                    peaks[pid] = max(peaks.get(pid, 0.0), peak)
                    total += now
                together[0] = max(together[0], total)

        watcher = threading.Thread(target=watch)
        watcher.start()
        out, err = process.communicate()
        over.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(err.decode()[-3000:])
    return Run(json.loads(out), max(peaks.values()), together[0])


def family(pid: int) -> Iterator[int]:
    """A process and what it started."""
    yield pid
    try:
        yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return


def memory_mb(pid: int) -> tuple[float, float]:
    """Peak RSS of a process as the kernel keeps it, and its present PSS."""
    try:
        status, rollup = (Path(f"/proc/{pid}/{name}").read_text() for name in ("status", "smaps_rollup"))
    except OSError:
        return 0.0, 0.0
    return _field(status, "VmHWM:"), _field(rollup, "Pss:")


def _field(text: str, name: str) -> float:
    found = [line.split()[1] for line in text.splitlines() if line.startswith(name)]
    return int(found[0]) / 1024 if found else 0.0


def write_archive(folder: Path, real: Path, *, raw: bool) -> None:
    """An archive like the real one, whose cache holds the generated event alone; its cars have the real numbers and names.

    With ``raw`` the channels of qualifying are the feed's own streams.
    """
    from f1core.sources.safe_pickle import SafeUnpickler
    from tests import made_up_fastf1 as forms
    from tests.made_up_timing import Car, Circuit, MadeUpSession

    folder.mkdir(parents=True)
    for part in real.iterdir():
        if part.name != "fastf1-cache":
            (folder / part.name).symlink_to(part)
    cache = folder / "fastf1-cache"
    people = real / "fastf1-cache" / "parsed" / FOLDER / f"{SEASON}-03-04_Qualifying" / "driver_info.ff1pkl"
    with people.open("rb") as file:
        drivers = SafeUnpickler(file).load()["data"].values()
    grid = [
        Car(
            one["RacingNumber"],
            one["Tla"],
            one["FirstName"],
            one["LastName"],
            one["TeamName"],
            1 - 0.0013 * place,
        )
        for place, one in enumerate(drivers)
    ]
    circuit = Circuit()
    bodies = {f"{forms.SCHEDULES}/schedule_{SEASON}.json": forms.schedule(SEASON, EVENT, SCHEDULE)}
    for name in SESSIONS.values():
        starts = SCHEDULE[name].replace(tzinfo=dt.UTC)
        session = MadeUpSession(name, starts - dt.timedelta(minutes=15), LENGTH_S, grid=grid, circuit=circuit)
        place = f"{FOLDER}/{starts:%Y-%m-%d}_{name.replace(' ', '_')}"
        streams = raw and name == "Qualifying"
        forms.write_parsed(session, cache / "parsed" / place, telemetry=not streams)
        if streams:
            for stream, make in (("CarData.z", forms.car_stream), ("Position.z", forms.position_stream)):
                bodies[f"{forms.TIMING}/{quote(place)}/{stream}.jsonStream"] = make(session).encode()
    forms.write_answers(cache / "http_cache", bodies)


def line(name: str, done: Run, more: str = "", *, bar: bool = True) -> None:
    verdict = f"(bar {BAR_MB}: {'ok' if done.peak_mb <= BAR_MB else 'OVER'})" if bar else ""
    seconds = f"{done.said['seconds']:5.1f} s"
    print(
        f"{name:52s} {done.peak_mb:4.0f} MB {verdict:14s} together {done.together_mb:4.0f} MB  {seconds}  {more}"
    )


def read_sessions(
    title: str, archive: Path, *, bar: bool = True, kinds: tuple[str, ...] = tuple(SESSIONS)
) -> None:
    """Every session in a process of its own, as the product reads it."""
    for kind in kinds:
        with tempfile.TemporaryDirectory() as data:
            done = run("-c", FETCH, str(archive), data, EVENT_ID, kind)
        counts = done.said["counts"]
        line(
            f"{title}: reading {kind}",
            done,
            f"{counts['laps']} laps, {counts.get('telemetry', 0)} samples kept",
            bar=bar,
        )
        for problem in done.said["problems"]:
            print(f"    {problem}")


def whole_command(title: str, archive: Path, built: Path) -> None:
    """``jobs extract`` in a copy of a built data folder that has read no session yet."""
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        shutil.copytree(built, data, ignore=shutil.ignore_patterns("fetched", "cache", "locks"))
        done = run(
            "-m", "jobs", "extract", "--race", "Bahrain", "--year", str(SEASON), "--json",
            PARCFERME_DATA=str(data), PARCFERME_ARCHIVE=str(archive), PARCFERME_OFFLINE="1",
        )  # fmt: skip
    week = done.said["weekend"]
    more = f"{len(week['rows'])} rows, {week['count_columns']} columns, {week['bytes'] / 1000:.0f} kB"
    line(f"{title}: jobs extract", Run(week, done.peak_mb, done.together_mb), more)


def main() -> None:
    folders = [one for one in sys.argv[1:] if not one.startswith("--")]
    built = Path(folders[0] if folders else ROOT / "data")
    recorded = ROOT.parent / "shared" / "f1-archive"
    if not recorded.is_dir():
        raise SystemExit(
            f"There is no archive at {recorded}: the recorded event is one half of this measurement."
        )
    line("imports alone: fastf1 (with pandas), polars", run("-c", IMPORTS), bar=False)
    command = "--skip-command" not in sys.argv
    if command and not built.is_dir():
        raise SystemExit(
            f"{built} is no data folder: build one (`python -m jobs build`), or leave out with --skip-command."
        )
    with tempfile.TemporaryDirectory() as place:
        parsed, raw = Path(place) / "parsed", Path(place) / "raw"
        run("-c", WRITE, str(parsed), str(recorded), "parsed")
        for title, archive in (("recorded", recorded), ("generated, full size", parsed)):
            read_sessions(title, archive)
            if command:
                whole_command(title, archive, built)
        done = run("-c", CHANNELS, str(parsed), str(SEASON), EVENT, "Practice 2")
        line("generated, full size: practice_2 with channels", done, f"{done.said['samples']} samples kept")
        print("beside it:")
        for name in SESSIONS.values():
            done = run("-c", ORDINARY, str(parsed), str(SEASON), EVENT, name)
            line(f"generated: ordinary session.load(), {name}", done, bar=False)
        shutil.rmtree(parsed)
        if "--skip-raw" not in sys.argv:
            run("-c", WRITE, str(raw), str(recorded), "raw")
            read_sessions("generated, raw streams", raw, bar=False, kinds=("qualifying",))


if __name__ == "__main__":
    main()
