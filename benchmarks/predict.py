"""Measures one prediction from stored features: ``python benchmarks/predict.py DATA_FOLDER`` (a built one)."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = """
import json, resource, sys, time
from f1core.clock import Clock
from f1core.predict import Predictor
from f1core.resolver import resolve
from f1core.settings import load_settings
from f1core.workspace import Workspace
import models.race_model, models.baselines
work = Workspace(load_settings(data=sys.argv[1]), Clock.system())
event = resolve(work.reader, "next", clock=work.clock)
began = time.perf_counter()
made = Predictor(work).forecast(event)
first = time.perf_counter() - began
began = time.perf_counter()
Predictor(work).forecast(event)
print(json.dumps({"event": event, "first": first, "again": time.perf_counter() - began, "drivers": made.entries.height,
    "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "modules": [m for m in ("xgboost", "sklearn", "pandas") if m in sys.modules]}))
"""


def main() -> None:
    data = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "data")
    runs = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", CODE, data], cwd=ROOT, capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout))
    print(
        f"{runs[0]['event']}: {runs[0]['drivers']} rows of model and baselines, loaded: {runs[0]['modules'] or 'no ML library'}"
    )
    print(
        f"first prediction of a process {statistics.median(r['first'] for r in runs):.3f} s (bar 1 s, imports excluded)"
    )
    print(f"next prediction               {statistics.median(r['again'] for r in runs):.3f} s")
    print(f"process peak RSS              {max(r['rss_mb'] for r in runs):.0f} MB (bar 300 MB)")


if __name__ == "__main__":
    main()
