"""Reads every recorded FastF1 session and compares it: ``python benchmarks/sources.py [DATA_FOLDER [ARCHIVE]]``.

1. Sessions that load, and whether laps, timed laps, drivers, weather, messages, results and telemetry are as many as the
   archive's README says. Time per session and the peak memory of the process that reads it.
2. Every difference between these sessions and F1DB (the warehouse of a built data folder, read only), joined by event and car
   number: positions, Q1-Q3, laps and marks of qualifying, sprints and races; best laps, order and laps of practice. Each is
   printed with its reason; a reason is only given where the facts bear it out.

Ends with status 1 when a count differs or a difference has no reason.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import polars as pl

from f1core.settings import load_settings
from f1core.sources.bundle import Bundle
from f1core.sources.timing import SessionRef, event_names, fetch_session, recorded_sessions
from f1core.sources.timing_request import UNOFFICIAL
from tests.archive_readme import bundle_counts, readme_counts
from warehouse.reader import Reader
from warehouse.vocab import PRACTICES, SessionKind

HEAVIEST = SessionRef("2023-bahrain", SessionKind.QUALIFYING)
TOLERANCE_S = 0.0005
QUALIFYINGS = (SessionKind.QUALIFYING, SessionKind.SPRINT_QUALIFYING)
NO_POSITION = {"DNF", "DNS", "DSQ", "NC", "EX", "WD"}
# jolpica's marks and F1DB's.
MARKS = {"R": "DNF", "W": "DNS", "D": "DSQ", "N": "NC", "E": "EX"}
OFFICIAL = """
    select event_id, session, car_number, driver_id, display_order, position, position_text, q1_s, q2_s, q3_s, null as time_s, laps,
        null as points
    from qualifying_results
    union all by name
    select event_id, session, car_number, driver_id, display_order, position, position_text, laps, points
    from race_results
    union all by name
    select event_id, session, car_number, driver_id, display_order, position, time_s, laps
    from practice_results
"""


@dataclass(frozen=True)
class Difference:
    """One value that the two sources do not share."""

    ref: SessionRef
    driver: str
    field: str
    f1db: object
    fastf1: object
    reason: str | None

    def __str__(self) -> str:
        values = f"F1DB {_shown(self.f1db)}, FastF1 {_shown(self.fastf1)}"
        return f"{self.ref!s:33} {self.driver:20} {self.field:9} {values:32} {self.reason or '*** NO REASON FOUND ***'}"


def read_all(archive: Path, data: str, names: dict[str, str]) -> tuple[dict[SessionRef, Bundle], int]:
    """Reads all sessions and prints what each holds; answers the bundles and how many are as the README says."""
    settings = load_settings(data=data, archive=str(archive))
    listed = readme_counts(archive, names)
    found = recorded_sessions(archive, names)
    bundles, equal, seconds = {}, 0, []
    for ref in sorted(found, key=lambda one: one != HEAVIEST):
        began = time.perf_counter()
        bundles[ref] = fetch_session(settings, ref, archive=archive, network=False, names=names)
        seconds.append(time.perf_counter() - began)
        if ref == HEAVIEST:
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{ref} with telemetry: {seconds[-1]:.1f} s, peak of the reading process {peak:.0f} MB\n")
    for ref in found:
        counts = bundle_counts(bundles[ref])
        same = counts == listed.get(ref)
        equal += same
        print(
            f"{ref!s:33} results {counts.results}  laps {counts.laps:4} ({counts.timed_laps:4}), {counts.drivers:2} drv"
            f"  W {counts.weather:3}  RCM {counts.messages:3}  tel {counts.telemetry:2}  "
            + ("as the README says" if same else f"*** README: {listed.get(ref)} ***")
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"\n{equal} of {len(listed)} sessions load with the README's counts (bar 35 of 35); "
        f"{sum(seconds):.0f} s, median {sorted(seconds)[len(seconds) // 2]:.1f} s, longest {max(seconds):.1f} s; peak {peak:.0f} MB"
    )
    return bundles, equal - len(listed)


def ours(bundle: Bundle) -> pl.DataFrame:
    """The session as FastF1 has it: one row per car."""
    results, laps, kind = bundle.part("results"), bundle.part("laps"), bundle.meta.session
    driven = laps.group_by("car_number").agg(
        driven=pl.len().cast(pl.Int32),
        # The feed itself says which laps count: a lap into the pits or one deleted without a message is no personal best.
        best_s=pl.col("lap_time_s")
        .filter(pl.col("is_personal_best") & ~pl.col("is_deleted").fill_null(False))
        .min(),
    )
    rows = results.drop("time_s").join(driven, on="car_number", how="left")
    if kind in PRACTICES:
        rank = pl.col("best_s").rank("ordinal").cast(pl.Int32)
        rows = rows.with_columns(position=rank, time_s=pl.col("best_s"), laps=pl.col("driven"))
        return rows.filter(pl.col("driven").is_not_null())
    if kind in QUALIFYINGS:
        rows = rows.with_columns(laps=pl.col("driven"))
    return rows.with_columns(time_s=pl.lit(None, pl.Float64))


def compare(bundle: Bundle, official: pl.DataFrame) -> Iterator[Difference]:
    """Every value of a session that F1DB has otherwise."""
    ref = SessionRef(bundle.meta.event_id, bundle.meta.session)
    theirs = {row["car_number"]: row for row in official.iter_rows(named=True)}
    own = {row["car_number"]: row for row in ours(bundle).iter_rows(named=True)}
    if ref.session in PRACTICES:
        fields: tuple[str, ...] = ("position", "time_s", "laps")
    elif ref.session in QUALIFYINGS:
        fields = ("position", "q1_s", "q2_s", "q3_s", "laps")
    else:
        fields = ("position", "laps", "points")
    for car in sorted(theirs.keys() | own.keys(), key=int):
        a, b = theirs.get(car), own.get(car)
        if a is None or b is None:
            yield Difference(ref, (a or {}).get("driver_id", f"car {car}"), "listed", bool(a), bool(b), None)
            continue
        for name in fields:
            if (
                name == "laps"
                and not bundle.has("laps")
                and ref.session not in (SessionKind.RACE, SessionKind.SPRINT)
            ):
                continue
            if not _same(a[name], b[name]):
                yield Difference(ref, a["driver_id"], name, a[name], b[name], _reason(bundle, name, a, b))
        mark = MARKS.get(b["classified_position"] or "")
        if mark and a["position_text"] in NO_POSITION and mark != a["position_text"]:
            reason = None
            if mark == "DNF" and a["position_text"] == "DNS" and not b["laps"]:
                reason = "out before the start (0 laps): jolpica calls that retired, F1DB not started"
            yield Difference(
                ref, a["driver_id"], "mark", a["position_text"], b["classified_position"], reason
            )


def _reason(bundle: Bundle, field: str, a: dict[str, Any], b: dict[str, Any]) -> str | None:
    """Why a value differs, as far as the facts show it."""
    kind = bundle.meta.session
    if field == "position" and a["position"] is None and b["position"] == a["display_order"]:
        if kind not in QUALIFYINGS:
            return f"{a['position_text']}: F1DB gives no position; jolpica counts on, in F1DB's order"
        if b["q1_s"] is None:
            return f"{a['position_text']}: set no time; F1DB gives no position, FastF1 the last one"
        if b["classified_position"] == "N":
            return f"{a['position_text']}: slower than 107 %; F1DB gives no position, FastF1 the last one with the mark N"
    if field == "position" and kind in PRACTICES and a["time_s"] is None and b["time_s"] is None:
        return "set no time: F1DB lists such cars behind the others, FastF1 gives no position"
    if field == "laps" and a["laps"] is None and b["laps"] == 0:
        return f"{a['position_text']}: F1DB has no laps, jolpica 0"
    if field in ("laps", "points") and b[field] is None and UNOFFICIAL in bundle.meta.problems:
        return "jolpica's result of this race is not recorded"
    if field == "laps" and kind not in (SessionKind.RACE, SessionKind.SPRINT):
        laps = bundle.part("laps").filter(pl.col("car_number") == b["car_number"]).sort("lap_number")
        first, last = laps.row(0, named=True), laps.row(-1, named=True)
        if a["laps"] - b["laps"] == 1 and last["pit_in_session_s"] is None:
            return "its last lap in the feed ends on the track: the way back to the pits has no end there"
        if a["laps"] - b["laps"] == 1 and "Aborted" in bundle.part("session_status")["status"].to_list():
            return "one lap more than the feed has an end of; the session was stopped for good by a red flag"
        if b["laps"] - a["laps"] == 1 and first["pit_out_session_s"] is None:
            return "the feed's first lap of this car has no pit exit; F1DB does not count it"
    return None


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is None and b is None
    return abs(a - b) <= TOLERANCE_S


def _shown(value: object) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> int:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "data")
    archive = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT.parent / "shared" / "f1-archive")
    names = event_names(load_settings(data=data), archive)
    reader = Reader(load_settings(data=data).warehouse_root)
    official = reader.query(OFFICIAL)
    reader.close()
    with tempfile.TemporaryDirectory() as work:
        bundles, missing = read_all(archive, work, names)
        found: list[Difference] = []
        cars = 0
        for ref, bundle in bundles.items():
            rows = official.filter(
                (pl.col("event_id") == ref.event_id) & (pl.col("session") == ref.session.value)
            )
            cars += rows.height
            found += compare(bundle, rows)
    print(f"\nAgainst F1DB: {cars} cars of {len(bundles)} sessions, {len(found)} values differ.\n")
    for difference in sorted(found, key=lambda one: (one.field, one.ref)):
        print(difference)
    for session, fields in (("qualifying", ("q1_s", "q2_s", "q3_s")), ("practice", ("time_s", "position"))):
        of = sum(one.field in fields and session in one.ref.session.value for one in found)
        print(f"\n{session}: {of} differences of {', '.join(fields)}", end="")
    unexplained = sum(one.reason is None for one in found)
    print(f"\n{len(found) - unexplained} of {len(found)} differences have a reason")
    return int(bool(missing or unexplained))


if __name__ == "__main__":
    sys.exit(main())
