"""The circuit and the calendar: what is special about this race."""

from __future__ import annotations

import numpy as np

from f1core.features.arrays import Rows
from f1core.features.registry import Values, feature
from f1core.features.view import EventView, latest_races, mean

GROUP = "circuit"
CALENDAR = "calendar"
RUNNINGS = 10
"""Previous races at the circuit that its character is measured on."""


def _here(view: EventView) -> Rows:
    """Starts in the circuit's last races."""
    starts = view.seen("starts")
    rows = starts.rows(circuit_id=view.event["circuit_id"])
    return rows[latest_races(starts, rows, RUNNINGS)]


@feature(unit="place", group=GROUP)
def circuit_avg_finish(view: EventView) -> Values:
    """Mean finishing position of the driver at this circuit in his last 5 races there."""
    starts = view.seen("starts")
    circuit = view.event["circuit_id"]
    return {
        driver: mean(starts.floats("position", starts.rows(driver_id=driver, circuit_id=circuit)[-5:]))
        for driver in view.drivers
    }


@feature(unit="place", group=GROUP)
def circuit_best_finish(view: EventView) -> Values:
    """Best finishing position of the driver at this circuit."""
    starts = view.seen("starts")
    found: dict[str, float | None] = {}
    for driver in view.drivers:
        rows = starts.rows(driver_id=driver, circuit_id=view.event["circuit_id"])
        found[driver] = float(starts.floats("position", rows).min()) if rows.size else None
    return found


@feature(unit="races", group=GROUP)
def circuit_starts(view: EventView) -> Values:
    """Races of the driver at this circuit so far."""
    starts = view.seen("starts")
    circuit = view.event["circuit_id"]
    return {d: float(starts.rows(driver_id=d, circuit_id=circuit).size) for d in view.drivers}


@feature(unit="place", group=GROUP)
def constructor_circuit_avg_finish(view: EventView) -> Values:
    """Mean finishing position of the constructor's last 6 starts at this circuit."""
    starts = view.seen("starts")
    circuit = view.event["circuit_id"]
    return {
        driver: mean(starts.floats("position", starts.rows(constructor_id=team, circuit_id=circuit)[-6:]))
        for driver, team in view.constructors.items()
    }


@feature(unit="share", group=GROUP)
def circuit_pole_win_rate(view: EventView) -> Values:
    """Share of the circuit's last 10 races that were won from the first slot of the grid."""
    starts = view.seen("starts")
    rows = _here(view)
    return (
        mean(starts.floats("start_slot", rows[starts.floats("is_winner", rows) == 1]) == 1)
        if rows.size
        else None
    )


@feature(unit="correlation", group=GROUP)
def circuit_grid_correlation(view: EventView) -> Values:
    """Correlation of grid and finish in the circuit's last 10 races: high where overtaking is hard."""
    starts = view.seen("starts")
    rows = _here(view)
    slots, places = starts.floats("start_slot", rows), starts.floats("position", rows)
    if rows.size < 10 or np.std(slots) == 0 or np.std(places) == 0:
        return None
    return float(np.corrcoef(slots, places)[0, 1])


@feature(unit="share", group=GROUP)
def circuit_dnf_rate(view: EventView) -> Values:
    """Share of starters that retired in the circuit's last 10 races."""
    return mean(view.seen("starts").floats("is_dnf", _here(view)))


@feature(unit="flag", group=GROUP)
def is_street_circuit(view: EventView) -> Values:
    """1 on a street circuit."""
    return float(view.facts.circuits[str(view.event["circuit_id"])]["circuit_type"] == "street")


@feature(unit="km", group=GROUP)
def lap_length_km(view: EventView) -> Values:
    """Length of a lap."""
    length = view.event["course_length_km"]
    return None if length is None else float(str(length))


@feature(unit="share", group=CALENDAR)
def season_progress(view: EventView) -> Values:
    """Share of the season's calendar that lies before the event."""
    return (int(str(view.event["round"])) - 1) / view.facts.rounds[view.season]


@feature(unit="flag", group=CALENDAR)
def is_sprint_weekend(view: EventView) -> Values:
    """1 when the weekend has a sprint."""
    return float(bool(view.event["is_sprint"]))


@feature(unit="drivers", group=CALENDAR)
def field_size(view: EventView) -> Values:
    """Drivers in the field."""
    return float(len(view.entries))


@feature(unit="days", group=CALENDAR)
def days_since_last_race(view: EventView) -> Values:
    """Days between the driver's last start of a race and this one."""
    race = view.facts.starts_at[view.event_id][view.session]
    starts = view.seen("starts")
    found: dict[str, float | None] = {}
    for driver, rows in view.driver_starts.items():
        last = starts.column("known_at", rows[-1:])
        found[driver] = (race - last[0]).total_seconds() / 86400 if last.size else None
    return found
