"""The table of recorded sessions in the README of an archive's FastF1 cache: what every session should hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from f1core.sources.bundle import Bundle
from f1core.sources.recorded import FEED_SESSIONS, SessionRef, event_id_of

_LAPS = re.compile(r"(\d+) \((\d+)\), (\d+) drv")


@dataclass(frozen=True)
class Counts:
    """What a session holds; 0 where it has no such part.

    Attributes:
        results: Cars of the result.
        positions: Whether any of them has a position.
        segments: Whether any of them has a time in Q1.
        laps: Laps.
        timed_laps: Those with a lap time.
        drivers: Cars with laps.
        weather: Weather measurements.
        messages: Race control messages.
        telemetry: Cars with telemetry.
    """

    results: int
    positions: bool
    segments: bool
    laps: int
    timed_laps: int
    drivers: int
    weather: int
    messages: int
    telemetry: int


def readme_counts(archive: Path, names: Mapping[str, str]) -> dict[SessionRef, Counts]:
    """The table, by session."""
    found = {}
    for line in (archive / "fastf1-cache" / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 10 or not cells[0].isdigit():
            continue
        year, event, session, results, laps, weather, messages, telemetry, _, _ = cells
        ref = SessionRef(event_id_of(int(year), f"{event} Grand Prix", names), FEED_SESSIONS[session])
        lap_counts = _LAPS.match(laps)
        found[ref] = Counts(
            results=int(results.split(",")[0]),
            positions="Position" in results,
            segments="Q1-Q3" in results,
            laps=int(lap_counts[1]) if lap_counts else 0,
            timed_laps=int(lap_counts[2]) if lap_counts else 0,
            drivers=int(lap_counts[3]) if lap_counts else 0,
            weather=_number(weather),
            messages=_number(messages),
            telemetry=_number(telemetry),
        )
    return found


def bundle_counts(bundle: Bundle) -> Counts:
    """The same of a bundle."""
    results, laps = bundle.part("results"), bundle.part("laps")
    return Counts(
        results=results.height,
        positions=results["position"].is_not_null().any(),
        segments=results["q1_s"].is_not_null().any(),
        laps=laps.height,
        timed_laps=laps["lap_time_s"].count(),
        drivers=laps["car_number"].n_unique(),
        weather=bundle.part("weather").height,
        messages=bundle.part("race_control").height,
        telemetry=bundle.part("telemetry")["car_number"].n_unique(),
    )


def _number(cell: str) -> int:
    found = re.match(r"\d+", cell)
    return int(found[0]) if found else 0
