"""Real car data: the archive's recorded sessions through the cut, against what was published of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from f1core.settings import REPOSITORY
from f1core.sources.telemetry_laps import HOLE_S, frozen_samples

CHANNELS = ["speed_kph", "rpm", "gear", "throttle_pct", "is_braking", "drs"]
READ = """
import json, sys, tempfile
from pathlib import Path
from f1core.sources.recorded import use_recorded
from f1core.sources.telemetry_laps import best_laps
archive, out = Path(sys.argv[1]), Path(sys.argv[2])
with tempfile.TemporaryDirectory() as work:
    use_recorded(archive, 2023, Path(work))
    import fastf1, logging
    fastf1.set_log_level(logging.CRITICAL)
    said = {}
    for event in ("Bahrain", "Azerbaijan"):
        session = fastf1.get_session(2023, event, "Q")
        session.load(telemetry=False)
        rows, remarks = best_laps(session)
        rows.write_parquet(out / f"{event}.parquet")
        session._load_telemetry()  # what session.load(telemetry=True) adds
        ordinary, others = best_laps(session)
        best = session.laps.pick_drivers("VER").pick_fastest()
        data = best.get_car_data()
        own = rows.filter(driver_code="VER", lap_number=int(best["LapNumber"]))
        said[event] = {"remarks": remarks, "same": rows.equals(ordinary) and remarks == others,
            "speeds": own["speed_kph"].to_list() == data["Speed"].tolist(),
            "times": [round(t, 3) for t in own["lap_s"].to_list()] == [round(t, 3) for t in data["Time"].dt.total_seconds().tolist()]}
    print(json.dumps(said))
"""


@pytest.mark.slow
def test_recorded_sessions_give_the_published_samples(archive: Path, tmp_path: Path) -> None:
    """Bahrain and Azerbaijan 2023: the 43 and 45 laps the archive says, every measured sample, the same as FastF1's own cut."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(archive), str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    for event, count_laps in (("Bahrain", 43), ("Azerbaijan", 45)):
        assert said[event] == {"remarks": [], "same": True, "speeds": True, "times": True}
        rows = pl.read_parquet(tmp_path / f"{event}.parquet")
        assert rows.select("car_number", "lap_number").n_unique() == count_laps
        assert rows.null_count().row(0) == (0,) * rows.width
        published = pl.read_parquet(
            archive / "telemetry" / f"2023_{event.lower()}_Q_telemetry.parquet"
        ).filter(pl.col("Source").cast(pl.String) == "car")
        keys = ["car_number", "lap_number", "session_s"]
        published = published.select(
            pl.col("DriverNumber").cast(pl.String).alias("car_number"),
            pl.col("LapNumber").cast(pl.Int32).alias("lap_number"),
            (pl.col("SessionTime").dt.total_microseconds() / 1e6).alias("session_s"),
            "Speed", "RPM", "nGear", "Throttle", "Brake", "DRS",
        ).sort(keys)  # fmt: skip
        rows = rows.sort(keys)
        assert rows.select(keys[:2]).equals(published.select(keys[:2]))
        # One lap of Azerbaijan was published 3 ms off.
        assert (rows["session_s"] - published["session_s"]).abs().max() < 0.005
        for name, other in zip(CHANNELS, ("Speed", "RPM", "nGear", "Throttle", "Brake", "DRS"), strict=True):
            assert (rows[name].cast(pl.Float64) == published[other].cast(pl.Float64)).all(), name


def test_real_laps_never_stand_still_but_one(archive: Path) -> None:
    """Of 435 fastest laps of 2023 (and one of zeros only) Alonso's in Austin froze; no other has a hole or a freeze of 2 s."""
    rows = pl.read_parquet(archive / "telemetry" / "2023_qualifying_fastest_laps.parquet").select(
        pl.col("EventName", "Driver", "Source").cast(pl.String),
        pl.col("Speed", "RPM").cast(pl.Float64),
        at=pl.col("Time").dt.total_microseconds() / 1e6,
    )
    froze, count_laps = {}, 0
    for key, lap in rows.filter(pl.col("Source") == "car").sort("at").group_by("EventName", "Driver"):
        count_laps += 1
        at = lap["at"].to_numpy()
        assert max(np.diff(at).max(), at[0]) < HOLE_S
        if frozen_samples(at, lap["Speed"].to_numpy(), lap["RPM"].to_numpy()).any():
            froze[key] = True
    assert count_laps == 436 and froze == {("United States Grand Prix", "ALO"): True}
