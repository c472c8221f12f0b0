"""Invented sessions as bundles: every lap is written down by the test, so that its features can be worked out by hand.

Cars and drivers are those of the invented championship (car 1 is its first driver). A lap's sectors are 30, 40 and 30 % of it
unless they are given; an out-lap takes 110 s from the pit exit and an in-lap 115 s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from f1core.sources.bundle import PARTS, Bundle, BundleMeta, write_bundle
from tests.made_up_weekend import DRIVERS, TEAMS
from warehouse.vocab import SessionKind

OUT_LAP_S, IN_LAP_S = 110.0, 115.0
LOADED_AT = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
CONSTRUCTOR = {driver: team for team, pair in TEAMS.items() for driver in pair} | {DRIVERS[-1]: "ember"}


def car_of(driver: str) -> str:
    """The driver's car number."""
    return str(DRIVERS.index(driver) + 1)


@dataclass
class MadeUpSession:
    """One session, filled by the test and written as a bundle."""

    event_id: str
    kind: SessionKind
    laps: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    weather: list[dict[str, Any]] = field(default_factory=list)
    race_control: list[dict[str, Any]] = field(default_factory=list)
    track_status: list[dict[str, Any]] = field(default_factory=list)
    telemetry: list[dict[str, Any]] = field(default_factory=list)
    problems: tuple[str, ...] = ()
    knows_deletions: bool = True
    clock_s: dict[str, float] = field(default_factory=dict)
    stints: dict[str, int] = field(default_factory=dict)

    def run(
        self,
        driver: str,
        times: Sequence[float | None],
        *,
        compound: str = "SOFT",
        start_s: float | None = None,
        changes: Mapping[int, Mapping[str, Any]] | None = None,
        pits: bool = True,
    ) -> MadeUpSession:
        """A stint: an out-lap, timed laps, an in-lap.

        Args:
            driver: The driver.
            times: Lap times [s].
            compound: As the feed writes it.
            start_s: Session time at the pit exit; cars leave a minute apart without it.
            changes: Values of single laps, by place in ``times``.
            pits: Whether there are an out-lap and an in-lap.
        """
        begins = 60.0 * DRIVERS.index(driver) + 600.0 if start_s is None else start_s
        now = self.clock_s.get(driver, begins) if start_s is None else start_s
        stint = self.stints.get(driver, 0) + 1
        self.stints[driver] = stint
        life = 1
        if pits:
            self._lap(driver, None, now, now + OUT_LAP_S, stint, compound, life, {"pit_out_session_s": now})
            now, life = now + OUT_LAP_S, 2
        for place, time in enumerate(times):
            end = now + (time or 100.0)
            self._lap(driver, time, now, end, stint, compound, life, (changes or {}).get(place, {}))
            now, life = end, life + 1
        if pits:
            self._lap(
                driver, None, now, now + IN_LAP_S, stint, compound, life, {"pit_in_session_s": now + IN_LAP_S}
            )
            now += IN_LAP_S + 120.0
        self.clock_s[driver] = now
        return self

    def _lap(
        self,
        driver: str,
        time: float | None,
        start: float,
        end: float,
        stint: int,
        compound: str,
        life: int,
        changes: Mapping[str, Any],
    ) -> None:
        shares = (0.3, 0.7, 1.0)
        number = 1 + max(
            (lap["lap_number"] for lap in self.laps if lap["car_number"] == car_of(driver)), default=0
        )
        lap: dict[str, Any] = {
            "car_number": car_of(driver),
            "driver_code": driver.split("-")[1][:3].upper(),
            "team_name": f"{CONSTRUCTOR[driver].title()} Racing",
            "lap_number": number,
            "stint": stint,
            "compound": compound,
            "tyre_life_laps": life,
            "is_fresh_tyre": True,
            "lap_time_s": time,
            "lap_start_session_s": start,
            "lap_end_session_s": end,
            "track_status_codes": "1",
            "is_personal_best": False,
            "is_deleted": False,
            "is_accurate": time is not None,
            "is_generated": False,
        }
        for sector, share in enumerate(shares, start=1):
            before = shares[sector - 2] if sector > 1 else 0.0
            lap[f"sector_{sector}_s"] = None if time is None else time * (share - before)
            lap[f"sector_{sector}_session_s"] = start + (end - start) * share
        lap.update(changes)
        self.laps.append(lap)

    def result(self, driver: str, **values: Any) -> MadeUpSession:
        """A line of the results: the driver's names, and what is given."""
        first, last = (part.title() for part in driver.split("-"))
        self.results.append(
            {
                "car_number": car_of(driver),
                "driver_code": last[:3].upper(),
                "first_name": first,
                "last_name": last,
                "full_name": f"{first} {last}",
                "team_name": f"{CONSTRUCTOR[driver].title()} Racing",
                **values,
            }
        )
        return self

    def write(self, root: Path, *, loaded_at: dt.datetime = LOADED_AT) -> Bundle:
        """Writes the bundle under a root."""
        rows: dict[str, list[dict[str, Any]]] = {
            "results": self.results
            or [self._line(car) for car in dict.fromkeys(lap["car_number"] for lap in self.laps)],
            "laps": self.laps,
            "weather": self.weather,
            "race_control": self.race_control
            or (
                [{"message": "GREEN LIGHT - PIT EXIT OPEN", "category": "Flag"}]
                if self.knows_deletions
                else []
            ),
            "track_status": self.track_status or [{"session_s": 0.0, "status": "1", "message": "AllClear"}],
            "telemetry": self.telemetry,
        }
        parts = {
            name: pl.DataFrame(
                [{column: line.get(column) for column in PARTS[name]} for line in lines], schema=PARTS[name]
            )
            for name, lines in rows.items()
            if lines
        }
        meta = BundleMeta(
            self.event_id,
            self.kind,
            "Invented",
            "fastf1",
            "3.9.0",
            "recorded",
            loaded_at,
            problems=self.problems,
        )
        return write_bundle(root, meta, parts)

    def _line(self, car: str) -> dict[str, Any]:
        made = MadeUpSession(self.event_id, self.kind).result(DRIVERS[int(car) - 1])
        return made.results[0]


def lap_samples(
    driver: str, lap_number: int, start_s: float, time_s: float, **changes: Any
) -> list[dict[str, Any]]:
    """Four samples a second of a lap of an oval: two straights at full throttle and two corners."""
    found = []
    count = int(time_s * 4)
    distance = 0.0
    for number in range(count):
        at = number * time_s / count
        in_corner = (number * 4 // count) % 2 == 1
        speed = 120.0 if in_corner else 280.0
        found.append(
            {
                "car_number": car_of(driver),
                "driver_code": driver.split("-")[1][:3].upper(),
                "lap_number": lap_number,
                "session_s": start_s + at,
                "lap_s": at,
                "distance_m": distance,
                "speed_kph": speed + number % 3,
                "rpm": 10_000.0 + number % 7,
                "gear": 3 if in_corner else 8,
                "throttle_pct": 40.0 if in_corner else 100.0,
                "is_braking": in_corner and number % 2 == 0,
                "drs": 0,
                "x_m": float(number),
                "y_m": 0.0,
                **changes,
            }
        )
        distance += speed / 3.6 * time_s / count
    return found


# --- ready-made sessions ----------------------------------------------------------------------------------------------

EVENT, SPRINT_EVENT = "2024-lakeland", "2024-harbour"
"""A normal and a sprint weekend of the two invented seasons, both held."""
ADA, BO, CY, DI, ED, FLO = DRIVERS[:6]
FIELD = DRIVERS[:10]

QUALIFYING_TIMES = {
    ADA: (91.0, 90.5, 90.0),
    BO: (91.2, 90.6, 90.9),
    CY: (91.1, 90.7, None),
    DI: (91.6, 91.4, None),
    ED: (92.0, None, None),
}


def qualifying(
    times: dict[str, tuple[float | None, ...]] = QUALIFYING_TIMES, **changes: object
) -> MadeUpSession:
    made = MadeUpSession(EVENT, SessionKind.QUALIFYING)
    for place, (driver, segments) in enumerate(times.items(), start=1):
        made.run(driver, [time for time in segments if time is not None])
        made.result(driver, position=place, **dict(zip(("q1_s", "q2_s", "q3_s"), segments, strict=True)))
    for name, content in changes.items():
        setattr(made, name, content)
    return made


def full_weekend() -> list[MadeUpSession]:
    """Practice, sprint sessions and qualifying with everything in them."""
    practice, shootout, sprint = (
        MadeUpSession(SPRINT_EVENT, kind)
        for kind in (SessionKind.PRACTICE_1, SessionKind.SPRINT_QUALIFYING, SessionKind.SPRINT)
    )
    session = MadeUpSession(SPRINT_EVENT, SessionKind.QUALIFYING)
    for place, driver in enumerate(FIELD):
        speeds = {
            n: {f"speed_{p}_kph": 300.0 + place + n for p in ("trap", "i1", "i2", "finish")} for n in range(8)
        }
        practice.run(
            driver, [90.0 + 0.1 * place + 0.05 * n for n in range(8)], compound="MEDIUM", changes=speeds
        )
        practice.run(driver, [89.0 + 0.1 * place])
        shootout.run(driver, [88.5 + 0.1 * place], changes=speeds)
        shootout.result(driver, position=place + 1, q1_s=88.5 + 0.1 * place)
        sprint.run(driver, [91.0 + 0.1 * place + 0.06 * n for n in range(8)], compound="MEDIUM", pits=False)
        times = (88.0 + 0.1 * place, 87.8 + 0.1 * place, 87.5 + 0.1 * place)
        session.run(driver, times, changes=speeds)
        session.result(driver, position=place + 1, q1_s=times[0], q2_s=times[1], q3_s=times[2])
        best = [lap for lap in session.laps if lap["lap_time_s"] == times[2]][-1]
        session.telemetry += lap_samples(driver, best["lap_number"], best["lap_start_session_s"], times[2])
    for one in (practice, shootout, sprint, session):
        one.weather = [
            {
                "session_s": 60.0 * n,
                "air_temperature_celsius": 20.0 + n,
                "track_temperature_celsius": 30.0,
                "humidity_pct": 50.0,
                "pressure_hpa": 1000.0,
                "wind_speed_mps": 2.0,
                "wind_direction_deg": 90,
                "is_raining": False,
            }
            for n in range(3)
        ]
    return [practice, session, shootout, sprint]
