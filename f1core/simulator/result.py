"""What a run of the simulator returns, and how two runs are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class History:
    """Every lap of every simulation; the arrays are (N, laps, cars) unless stated. Lap 1 has index 0.

    Attributes:
        time_s: Time at the line since the start [s]; NaN once a car has retired.
        position: Position at the line, 1 is the leader; retired cars are behind.
        compound: Code of the compound the lap was run on.
        tyre_age: Laps the set had at the start of the lap, laps before the race included.
        stint_laps: Laps the set had run in this race at the start of the lap.
        stops: Whether the car came in at the end of the lap (a change under a red flag counts).
        status: ``TrackStatus`` of the lap, (N, laps).
        safety_car_s: Time of the safety car at the line [s], (N, laps); NaN without one.
    """

    time_s: NDArray[np.float64]
    position: NDArray[np.int8]
    compound: NDArray[np.int8]
    tyre_age: NDArray[np.int16]
    stint_laps: NDArray[np.int16]
    stops: NDArray[np.bool_]
    status: NDArray[np.int8]
    safety_car_s: NDArray[np.float64]

    @property
    def lap_time_s(self) -> NDArray[np.float64]:
        """Lap times [s]; they sum to the race time."""
        return np.diff(self.time_s, axis=1, prepend=0.0)

    @property
    def gap_s(self) -> NDArray[np.float64]:
        """Gap to the leader at the line [s]."""
        running = np.where(np.isnan(self.time_s), np.inf, self.time_s)
        return self.time_s - running.min(axis=2, keepdims=True, initial=np.inf)


@dataclass(frozen=True)
class Rejoin:
    """Where a car came out after a stop.

    Attributes:
        lap: The in-lap.
        position: Position after the stop.
        ahead: Car ahead; None for the leader.
        gap_ahead_s: Gap to it [s].
        behind: Car behind; None when nobody runs there.
        gap_behind_s: Gap to it [s].
    """

    lap: int
    position: int
    ahead: str | None
    gap_ahead_s: float | None
    behind: str | None
    gap_behind_s: float | None


@dataclass(frozen=True)
class Outcome:
    """Result of N simulations; the arrays are (N, cars), cars in the order of ``cars``.

    Attributes:
        cars: Names.
        position: Finishing position; retired cars are behind, who went further is ahead.
        time_s: Race time over the full distance [s], lapped cars included; NaN for retired cars.
        laps: Laps completed.
        history: Every lap; None unless asked for.
    """

    cars: tuple[str, ...]
    position: NDArray[np.int8]
    time_s: NDArray[np.float64]
    laps: NDArray[np.int16]
    history: History | None = None

    def mean_position(self) -> NDArray[np.float64]:
        """Mean finishing position of every car, (cars,)."""
        return self.position.mean(axis=0)

    def position_shares(self) -> NDArray[np.float64]:
        """Share of simulations by car and position, (cars, positions)."""
        places = np.arange(1, len(self.cars) + 1, dtype=np.int8)
        return np.stack([(self.position == place).mean(axis=0) for place in places], axis=1)

    def rejoins(self, car: str, run: int = 0) -> tuple[Rejoin, ...]:
        """Every stop of a car in one simulation, and where it came out.

        Args:
            car: Name.
            run: Number of the simulation.

        Raises:
            ValueError: The run kept no history.
        """
        if self.history is None:
            raise ValueError("rejoins need a run with history")
        c, found = self.cars.index(car), []
        for lap in np.flatnonzero(self.history.stops[run, :, c]):
            times, places = self.history.time_s[run, lap], self.history.position[run, lap]
            by_place = np.argsort(places)
            place = int(places[c])
            ahead = int(by_place[place - 2]) if place > 1 else None
            behind = int(by_place[place]) if place < len(by_place) else None
            if behind is not None and np.isnan(times[behind]):
                behind = None
            found.append(
                Rejoin(
                    lap=int(lap) + 1,
                    position=place,
                    ahead=None if ahead is None else self.cars[ahead],
                    gap_ahead_s=None if ahead is None else float(times[c] - times[ahead]),
                    behind=None if behind is None else self.cars[behind],
                    gap_behind_s=None if behind is None else float(times[behind] - times[c]),
                )
            )
        return tuple(found)


@dataclass(frozen=True)
class Change:
    """A car in two runs with common random numbers.

    Attributes:
        places_gained: Mean places won by the second run.
        places_error: Standard error of that mean.
        time_gained_s: Mean time won, over the simulations that the car finishes in both [s]; NaN when there are none.
        time_error_s: Standard error of that mean [s].
        is_tie: Whether the places cannot be told apart: the difference is within two standard errors, or there is only one
            simulation.
    """

    places_gained: float
    places_error: float
    time_gained_s: float
    time_error_s: float
    is_tie: bool


def change(before: Outcome, after: Outcome, car: str) -> Change:
    """What a car gains from one run to the other, simulation by simulation.

    Args:
        before: The baseline.
        after: The edited run, with the same seed and number of simulations.
        car: Name.

    Raises:
        ValueError: The runs do not have the same number of simulations.
    """
    b, a = before.cars.index(car), after.cars.index(car)
    if len(before.position) != len(after.position):
        raise ValueError("the two runs do not have the same number of simulations")
    places, places_error = _mean(before.position[:, b].astype(float) - after.position[:, a])
    seconds = before.time_s[:, b] - after.time_s[:, a]
    time, time_error = _mean(seconds[~np.isnan(seconds)])
    # One simulation has no error of its own, and so tells nothing apart.
    is_tie = len(before.position) == 1 or abs(places) <= 2 * places_error
    return Change(places, places_error, time, time_error, is_tie)


def _mean(values: NDArray[np.float64]) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return float(values.mean()), error
