"""How fast, and how lean, the JSON API answers predictions when it runs alone under uvicorn.

    python benchmarks/api.py [DATA FOLDER] [REQUESTS PER CLIENT]

The ledger and the documents of the folder (default: data) are copied to a temporary one, so that nothing there is touched.
Four clients keep one connection each. The bar: p99 at most 10 ms, resident memory at most 60 MB, no engine imported.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
CLIENTS = 4
REQUESTS = 1500
WARM_UP = 100
P99_MS = 10.0
RSS_MB = 60.0
ENGINES = ("duckdb", "deltalake", "numpy", "polars", "pyarrow", "pandas", "sklearn", "xgboost", "models")
# uvicorn in a process that afterwards says what it imported: the question is what answering needs.
SERVE = """
import json, sys, uvicorn
from f1core.api import application
try:
    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
except KeyboardInterrupt:
    pass
loaded = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps(loaded))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def copied(data: Path, folder: Path) -> Path:
    for name in ("ledger", "documents"):
        if (data / name).is_dir():
            shutil.copytree(data / name, folder / name)
    return folder


def addresses(folder: Path) -> list[str]:
    """What the clients ask for in turn: every sealed record, the backtests of a season, what is next."""
    found = ["/api/predict/next"]
    for path in sorted((folder / "ledger" / "records").glob("*.prediction.json"))[:20]:
        event, target, stage = path.name.split(".")[:3]
        season, slug = event.split("-", 1)
        found.append(f"/api/predict/{slug}/{season}?target={target}&stage={stage}&kind=sealed")
    for path in sorted((folder / "documents" / "backtest").glob("*.json"))[-40:]:
        season, slug = path.name.split(".")[0].split("-", 1)
        found.append(f"/api/predict/{slug}/{season}")
        found.append(f"/api/predict/{slug.replace('-', '%20').title()}/{season}?kind=backtest")
    return found


def client(
    port: int, paths: list[str], count: int, times: list[float], failures: list[str], start: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(count):
        path = paths[(start + number) % len(paths)]
        headers = {"Accept-Encoding": "gzip"} if number % 2 else {}
        begun = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - begun) * 1000)
        if answer.status != 200:
            failures.append(f"{path}: {answer.status}")
        elif number % 50 == 0:
            json.loads(gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body)
    connection.close()


def load(port: int, paths: list[str], count: int) -> tuple[list[float], list[str]]:
    """Response times [ms] of all clients together, and what went wrong."""
    times: list[float] = []
    failures: list[str] = []
    threads = [
        threading.Thread(target=client, args=(port, paths, count, times, failures, 7 * number))
        for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, failures


def wait_until_up(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("uvicorn did not come up")


def main() -> int:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "data").resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else REQUESTS
    with tempfile.TemporaryDirectory() as temporary:
        folder = copied(data, Path(temporary))
        paths = addresses(folder)
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(port)],
            cwd=REPOSITORY,
            env={**os.environ, "PARCFERME_DATA": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until_up(port, process)
            load(port, paths, WARM_UP)
            server = psutil.Process(process.pid)
            begun, used = time.perf_counter(), sum(server.cpu_times()[:2])
            times, failures = load(port, paths, count)
            took, used = time.perf_counter() - begun, sum(server.cpu_times()[:2]) - used
            rss = server.memory_info().rss / 1e6
        finally:
            process.send_signal(signal.SIGINT)
        loaded = set(json.loads(process.communicate(timeout=20)[0].strip().splitlines()[-1]))
    engines = sorted(loaded & set(ENGINES))
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    print(
        f"{len(times)} answers to {len(paths)} addresses, {CLIENTS} clients: {len(times) / took:.0f}/s, "
        f"{used / len(times) * 1000:.2f} ms of the server's processor each; load of the machine {os.getloadavg()[0]:.1f}"
    )
    print(f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {max(times):.1f} ms (bar: p99 {P99_MS:.0f} ms)")
    print(
        f"resident memory {rss:.1f} MB (bar: {RSS_MB:.0f} MB); engines imported: {', '.join(engines) or 'none'}"
    )
    print(f"failures: {len(failures)} {failures[:3] if failures else ''}")
    return int(p99 > P99_MS or rss > RSS_MB or bool(engines) or bool(failures))


if __name__ == "__main__":
    sys.exit(main())
