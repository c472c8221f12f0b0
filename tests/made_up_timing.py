"""An invented session as it is driven: a circuit, cars, laps, and what every car measures at every instant.

The circuit is drawn once: a speed at every metre, from which throttle, brake, gear and place follow. Cars lap it in runs of an
out-lap, timed laps and an in-lap; a timed lap is the circuit's at the car's own pace. Nothing here is anybody's data.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CORNERS = {480: 70, 700: 112, 1150: 235, 1600: 92, 2250: 150, 2500: 168, 3100: 78, 3700: 214, 4300: 120}
"""Metres from the line -> speed at the apex [km/h]: four slow corners, three medium, two fast."""
LENGTH_M = 5200
TOP_KPH = 326.0
LIFT_MPS2, BRAKE_MPS2 = -3.0, -38.0
GEARS_KPH = (0, 85, 120, 155, 190, 225, 260, 292)
PACE = {"out": 0.68, "push": 1.0, "cool": 0.62, "in": 0.7}
STEPS_S = (0.16, 0.2, 0.24, 0.28, 0.37)


class Circuit:
    """Speed and what follows from it, by the metre; the lap starts at full speed."""

    def __init__(self) -> None:
        limit = np.full(LENGTH_M, TOP_KPH / 3.6)
        for place, apex in CORNERS.items():
            limit[place - 8 : place + 8] = np.minimum(limit[place - 8 : place + 8], apex / 3.6)
        speed = limit.copy()
        for _ in range(2):  # twice round: the end of the lap is the beginning of the next
            for at in range(LENGTH_M):
                push = 13.0 * (1 - (speed[at - 1] / (TOP_KPH / 3.6 + 2)) ** 2)
                speed[at] = min(speed[at], np.sqrt(speed[at - 1] ** 2 + 2 * push))
            for at in range(LENGTH_M - 1, -1, -1):
                after = speed[(at + 1) % LENGTH_M]
                speed[at] = min(speed[at], np.sqrt(after**2 - 2 * BRAKE_MPS2))
        gain = speed * (np.roll(speed, -1) - speed)
        self.metre: Floats = np.arange(LENGTH_M + 1, dtype=np.float64)
        self.speed: Floats = speed * 3.6
        self.braking = gain < LIFT_MPS2
        self.throttle: Floats = np.where(self.braking, 0.0, np.where(gain > 0.2, 100.0, 55.0))
        self.gear = np.searchsorted(GEARS_KPH, self.speed, side="right")
        self.rpm: Floats = 9_800 + (self.metre[:-1] * 7.3 + self.speed * 11) % 1_900
        self.elapsed: Floats = np.concatenate([[0.0], np.cumsum(1 / speed)])
        turn = 2 * np.pi * self.metre[:-1] / LENGTH_M
        self.x_m: Floats = 830 * np.cos(turn) + 210 * np.cos(3 * turn)
        self.y_m: Floats = 830 * np.sin(turn) - 160 * np.sin(2 * turn)

    @property
    def lap_s(self) -> float:
        """The circuit's own lap time."""
        return float(self.elapsed[-1])


@dataclass(frozen=True)
class Car:
    """A car with its driver."""

    number: str
    code: str
    first: str
    last: str
    team: str
    pace: float


TEAMS = ["Aurora", "Borealis", "Cobalt", "Dynamo", "Ember", "Fjord", "Granite", "Heron", "Indigo", "Juniper"]


def cars(count: int = 20) -> list[Car]:
    """The field: two cars a team, each pair a little slower than the one before."""
    made = []
    for place in range(count):
        team = TEAMS[place // 2 % len(TEAMS)]
        code = f"{team[:2].upper()}{'AB'[place % 2]}"
        made.append(Car(str(place + 1), code, f"Driver{place + 1}", code.title(), team, 1 - 0.0013 * place))
    return made


@dataclass(frozen=True)
class MadeLap:
    """A lap as it was driven: from the line (or the pit exit) to the line, in seconds of the session."""

    number: int
    kind: str
    start_s: float
    leave_s: float
    end_s: float
    pace: float
    stint: int


@dataclass(frozen=True)
class Channels:
    """A car through the whole session; one value per sample."""

    speed: Floats
    rpm: Floats
    gear: Floats
    throttle: Floats
    braking: NDArray[np.bool_]
    drs: Floats
    x_m: Floats
    y_m: Floats


@dataclass
class MadeUpSession:
    """One invented session.

    Attributes:
        name: As FastF1 calls it, e.g. ``Practice 2`` or ``Qualifying``.
        begins: When its feed begins (UTC): the session itself starts 15 minutes later.
        length_s: How long its feed lasts.
        timed_laps: Timed laps in a row of every run.
    """

    name: str
    begins: dt.datetime
    length_s: float
    grid: list[Car] = field(default_factory=cars)
    hertz: float = 4.0
    timed_laps: int = 2
    circuit: Circuit = field(default_factory=Circuit)
    seed: int = 7

    @cached_property
    def splits_s(self) -> list[float]:
        """Starts of Q1, Q2 and Q3; of a practice only the first."""
        third = (self.length_s - 900) / 3
        return [900.0, 900 + third, 900 + 2 * third] if self.name == "Qualifying" else [900.0]

    def laps(self, car: Car) -> list[MadeLap]:
        """The laps of a car: runs from its own minute on, one after the other, with five minutes in the garage."""
        made: list[MadeLap] = []
        late = 5.0 * int(car.number)
        for begin, end in zip(self.splits_s, [*self.splits_s[1:], self.length_s - 60], strict=True):
            now = begin + 20 + late
            while True:
                kinds = ["out", *(["push", "cool"] * self.timed_laps)[: 2 * self.timed_laps - 1], "in"]
                paces = [PACE[kind] * car.pace * (1 + 0.0007 * len(made) / 10) for kind in kinds]
                if now + sum(self.circuit.lap_s / pace for pace in paces) > end:
                    break
                stint = made[-1].stint + 1 if made else 0
                for kind, pace in zip(kinds, paces, strict=True):
                    start = made[-1].end_s if made else now
                    # The feed's clock has milliseconds, and so has a lap time.
                    over = round(now + self.circuit.lap_s / pace, 3)
                    made.append(MadeLap(len(made) + 1, kind, start, round(now, 3), over, pace, stint))
                    now = over
                now += 300
        return made

    def times(self, shift: float = 0.0) -> Floats:
        """Instants of the samples [s of the session]: irregular, four a second on average, to the millisecond."""
        count = round(self.length_s * self.hertz)
        steps = np.random.default_rng(self.seed).choice(STEPS_S, size=count) * 4 / self.hertz
        return np.round(np.cumsum(steps) * self.length_s / steps.sum() + shift, 3)

    def channels(self, car: Car, at: Floats) -> Channels:
        """What the car measures at some instants; zeros while it stands in the garage with the engine off."""
        # A car that stays in the garage has a lap that begins when all is over.
        driven = self.laps(car) or [MadeLap(1, "out", *[self.length_s + 1] * 3, pace=1.0, stint=0)]
        made = self.circuit
        leave = np.array([lap.leave_s for lap in driven])
        row = np.clip(np.searchsorted(leave, at, side="right") - 1, 0, len(driven) - 1)
        ends = np.array([lap.end_s for lap in driven])[row]
        pace = np.array([lap.pace for lap in driven])[row]
        out = (at >= leave[0]) & (at < ends)
        metre = np.interp((at - leave[row]) * pace, made.elapsed, made.metre)
        here = np.where(out, np.minimum(metre, LENGTH_M - 1), 0).astype(np.int64)
        full = np.where(pace > 0.9, 1.0, 0.6)

        def seen(values: NDArray[Any], scale: Floats | float = 1.0) -> Floats:
            return np.where(out, np.rint(values[here] * scale), 0.0)

        return Channels(
            speed=seen(made.speed, pace),
            rpm=seen(made.rpm),
            gear=seen(made.gear),
            throttle=seen(made.throttle, full),
            braking=out & made.braking[here],
            drs=np.where(out & (pace > 0.9) & (made.speed[here] > 290), 12.0, 8.0) * out,
            x_m=np.where(out, made.x_m[here], 40.0),
            y_m=np.where(out, made.y_m[here], -30.0),
        )
