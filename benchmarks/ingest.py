"""Measures ingest: all tables from the archive, then again with nothing changed. ``python benchmarks/ingest.py``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = """
import datetime as dt, json, resource, sys, time
from pathlib import Path
from f1core.ingest import ingest
from f1core.settings import REPOSITORY, load_settings
from f1core.sources.archive import find_archive
settings = load_settings(data=sys.argv[1])
began = time.perf_counter()
report = ingest(settings, find_archive(settings, beside=REPOSITORY), now=dt.datetime.now(dt.UTC))
print(json.dumps({"seconds": time.perf_counter() - began, "unchanged": report.unchanged, "rows": sum(report.rows.values()),
    "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def run(data: str) -> dict[str, float]:
    """One ingest in a process of its own: seconds (imports excluded), wall seconds, peak RSS."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CODE, data], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout) | {"wall_seconds": time.perf_counter() - began}


def main() -> None:
    with tempfile.TemporaryDirectory() as data:
        first, second = run(data), run(data)
    print(f"first ingest    {first['seconds']:6.2f} s  ({first['rows']:,} rows; bar 20 s)")
    print(f"peak RSS        {first['peak_rss_mb']:6.0f} MB (bar 700 MB)")
    print(
        f"nothing changed {second['seconds']:6.2f} s  beyond start-up (bar 2 s; unchanged: {second['unchanged']})"
    )


if __name__ == "__main__":
    main()
