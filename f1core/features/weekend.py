"""The weekend itself: practice, sprint, qualifying and the grid, each from the stage on that may know it.

The grid and the qualifying of a sprint's forecast are the sprint's own: the view says which sessions they are.
"""

from __future__ import annotations

from f1core.features.registry import Values, feature
from f1core.features.strength import pace_by_driver
from f1core.features.view import EventView, mean, number
from warehouse.vocab import PRACTICES, SessionKind, Stage

PRACTICE = "practice"
SPRINT = "sprint"
QUALIFYING = "qualifying"
HISTORY = "qualifying history"
GRID = "grid"


def _values(view: EventView, table: str, session: str, column: str) -> dict[str, float | None]:
    seen = view.seen(table)
    rows = view.session_rows(table, session)
    return {
        d: (number(float(seen.arrays.column(column)[rows[d]])) if d in rows else None) for d in view.drivers
    }


def _all_practices(view: EventView, column: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {driver: [] for driver in view.drivers}
    for session in PRACTICES:
        for driver, value in _values(view, "practices", session, column).items():
            if value is not None:
                found[driver].append(value)
    return found


def _last_practice(view: EventView) -> str | None:
    known = [
        s for s in PRACTICES if view.seen("practices").rows(event_id=view.event_id, session=s.value).size
    ]
    return known[-1].value if known else None


def _against_team_mates(view: EventView, values: dict[str, float | None]) -> Values:
    found: dict[str, float | None] = {}
    for driver, mates in view.team_mates.items():
        own = values[driver]
        others = [value for mate in mates if (value := values[mate]) is not None]
        found[driver] = own - min(others) if own is not None and others else None
    return found


@feature(unit="%", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_best_gap_pct(view: EventView) -> Values:
    """Smallest gap to the best lap of a practice session, over the sessions so far."""
    return {driver: min(gaps, default=None) for driver, gaps in _all_practices(view, "gap_pct").items()}


@feature(unit="%", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_mean_gap_pct(view: EventView) -> Values:
    """Mean gap to the best lap over the practice sessions so far."""
    return {
        driver: (sum(gaps) / len(gaps) if gaps else None)
        for driver, gaps in _all_practices(view, "gap_pct").items()
    }


@feature(unit="%", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_last_gap_pct(view: EventView) -> Values:
    """Gap to the best lap in the last practice session."""
    session = _last_practice(view)
    return _values(view, "practices", session, "gap_pct") if session else None


@feature(unit="place", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_last_position(view: EventView) -> Values:
    """Place in the last practice session."""
    session = _last_practice(view)
    return _values(view, "practices", session, "rank") if session else None


@feature(unit="place", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_best_position(view: EventView) -> Values:
    """Best place in a practice session so far."""
    return {driver: min(places, default=None) for driver, places in _all_practices(view, "rank").items()}


@feature(unit="laps", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_laps(view: EventView) -> Values:
    """Laps driven in practice so far."""
    return {driver: (sum(laps) if laps else None) for driver, laps in _all_practices(view, "laps").items()}


@feature(unit="%", group=PRACTICE, since=Stage.PRE_QUALIFYING)
def practice_team_mate_gap_pct(view: EventView) -> Values:
    """Smallest practice gap minus that of the fastest team mate."""
    return _against_team_mates(
        view, {d: min(g, default=None) for d, g in _all_practices(view, "gap_pct").items()}
    )


@feature(unit="%", group=SPRINT, since=Stage.PRE_QUALIFYING)
def sprint_qualifying_gap_pct(view: EventView) -> Values:
    """Gap to the best time in sprint qualifying; missing for the sprint itself, whose qualifying it is."""
    if view.qualifying is SessionKind.SPRINT_QUALIFYING:
        return None
    return _values(view, "qualifyings", SessionKind.SPRINT_QUALIFYING, "gap_pct")


@feature(unit="place", group=SPRINT, since=Stage.PRE_QUALIFYING)
def sprint_position(view: EventView) -> Values:
    """Result of the sprint."""
    return _values(view, "sprints", SessionKind.SPRINT, "display_order")


@feature(unit="place", group=QUALIFYING, since=Stage.POST_QUALIFYING)
def qualifying_position(view: EventView) -> Values:
    """Place in qualifying."""
    return _values(view, "qualifyings", view.qualifying, "rank")


@feature(unit="%", group=QUALIFYING, since=Stage.POST_QUALIFYING)
def qualifying_gap_pct(view: EventView) -> Values:
    """Gap to the best time of qualifying; missing beyond 7 %."""
    return _values(view, "qualifyings", view.qualifying, "gap_pct")


@feature(unit="%", group=QUALIFYING, since=Stage.POST_QUALIFYING)
def qualifying_team_mate_gap_pct(view: EventView) -> Values:
    """Gap in qualifying to the fastest team mate."""
    return _against_team_mates(view, _values(view, "qualifyings", view.qualifying, "gap_pct"))


def _past_gaps(view: EventView, count: int, column: str = "gap_pct") -> dict[str, float | None]:
    seen = view.seen("qualifyings")
    found: dict[str, float | None] = {}
    for driver in view.drivers:
        rows = seen.rows(driver_id=driver, session=SessionKind.QUALIFYING.value)
        rows = rows[seen.column("event_id", rows) != view.event_id]
        found[driver] = mean(seen.floats(column, rows[-count:]))
    return found


@feature(unit="%", group=HISTORY)
def avg_qualifying_gap_pct_3(view: EventView) -> Values:
    """Mean gap to the best time over the driver's last 3 qualifyings, this event's left out."""
    return _past_gaps(view, 3)


@feature(unit="%", group=HISTORY)
def avg_qualifying_gap_pct_8(view: EventView) -> Values:
    """Mean gap to the best time over the driver's last 8 qualifyings, this event's left out."""
    return _past_gaps(view, 8)


@feature(unit="place", group=HISTORY)
def avg_qualifying_position_5(view: EventView) -> Values:
    """Mean place over the driver's last 5 qualifyings, this event's left out."""
    return _past_gaps(view, 5, "rank")


@feature(unit="%", group=HISTORY)
def constructor_qualifying_gap_pct_3(view: EventView) -> Values:
    """Mean gap to the best time of the constructor's last 6 cars in qualifying (3 events), this event's left out."""
    seen = view.seen("qualifyings")
    found: dict[str, float | None] = {}
    for driver, team in view.constructors.items():
        rows = seen.rows(constructor_id=team, session=SessionKind.QUALIFYING.value)
        rows = rows[seen.column("event_id", rows) != view.event_id]
        found[driver] = mean(seen.floats("gap_pct", rows[-6:]))
    return found


@feature(unit="%", group=QUALIFYING, since=Stage.POST_QUALIFYING)
def qualifying_gap_against_form(view: EventView) -> Values:
    """Gap in this qualifying minus the mean of the last 8: below zero is better than usual."""
    now, before = _values(view, "qualifyings", view.qualifying, "gap_pct"), _past_gaps(view, 8)
    found: dict[str, float | None] = {}
    for driver in view.drivers:
        own, usual = now[driver], before[driver]
        found[driver] = None if own is None or usual is None else own - usual
    return found


def grid_slots(view: EventView) -> dict[str, float | None]:
    """Starting place of each driver: his line of the published grid, cars from the pit lane where it lists them."""
    rows = view.session_rows("grids", view.session)
    orders = view.seen("grids").arrays.column("display_order")
    return {driver: (float(orders[rows[driver]]) if driver in rows else None) for driver in view.drivers}


@feature(unit="place", group=GRID, since=Stage.PRE_RACE)
def grid_position(view: EventView) -> Values:
    """Place on the final starting grid as published, 1..n; cars from the pit lane have their line in it."""
    return grid_slots(view)


@feature(unit="flag", group=GRID, since=Stage.PRE_RACE)
def is_pit_lane_start(view: EventView) -> Values:
    """1 when the car starts from the pit lane."""
    return _values(view, "grids", view.session, "is_pit_lane_start")


@feature(unit="place", group=GRID, since=Stage.PRE_RACE)
def grid_penalty_places(view: EventView) -> Values:
    """Grid places lost to penalties; 0 without one."""
    rows = view.session_rows("grids", view.session)
    if not rows:
        return None
    places = _values(view, "grids", view.session, "penalty_places")
    return {driver: ((places[driver] or 0.0) if driver in rows else None) for driver in view.drivers}


@feature(unit="place", group=GRID, since=Stage.PRE_RACE)
def grid_against_qualifying(view: EventView) -> Values:
    """Grid place minus qualifying place: above zero lost places."""
    slots, places = grid_slots(view), _values(view, "qualifyings", view.qualifying, "rank")
    found: dict[str, float | None] = {}
    for driver in view.drivers:
        slot, place = slots[driver], places[driver]
        found[driver] = None if slot is None or place is None else slot - place
    return found


@feature(unit="place", group=GRID, since=Stage.PRE_RACE)
def grid_against_pace(view: EventView) -> Values:
    """Grid place minus the rank by rated pace: above zero is a fast car out of place."""
    slots = grid_slots(view)
    pace = pace_by_driver(view)
    ranks = {d: place for place, d in enumerate(sorted(pace, key=lambda d: (pace[d], d)), start=1)}
    return {d: (None if slots[d] is None else slots[d] - ranks[d]) for d in view.drivers}  # type: ignore[operator]
