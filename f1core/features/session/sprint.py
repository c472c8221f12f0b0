"""The sprint's own sessions: sprint qualifying by segment, and race pace in the sprint."""

from __future__ import annotations

from f1core.features.session.laps import LongRun
from f1core.features.session.qualifying import last_segments, segment_gaps
from f1core.features.session.registry import SPRINT, SPRINT_QUALIFYING, Imputation, Values, session_feature
from f1core.features.session.view import WeekendView, middle
from warehouse.vocab import SessionKind


def _sprint_runs(view: WeekendView) -> tuple[LongRun, ...]:
    return view.long_runs.get(SessionKind.SPRINT, ())


@session_feature(unit="%", group=SPRINT_QUALIFYING)
def sprint_segment_gap_pct(view: WeekendView) -> Values:
    """Gap to the best time of the last segment of sprint qualifying in which he set one; missing beyond 7 %."""
    return view.per_driver(segment_gaps(view.one(SessionKind.SPRINT_QUALIFYING)))


@session_feature(unit="segment", group=SPRINT_QUALIFYING)
def last_sprint_segment(view: WeekendView) -> Values:
    """The last segment of sprint qualifying he took part in: 1, 2 or 3."""
    return view.per_driver(last_segments(view.one(SessionKind.SPRINT_QUALIFYING)))


@session_feature(unit="%", group=SPRINT, imputation=Imputation.TEAM_MATE)
def sprint_pace_gap_pct(view: WeekendView) -> Values:
    """Fuel-corrected pace of his longest long run of the sprint against the field's median, whatever the compound."""
    longest: dict[str, LongRun] = {}
    for run in _sprint_runs(view):
        if run.driver_id not in longest or run.count_laps > longest[run.driver_id].count_laps:
            longest[run.driver_id] = run
    field = middle((run.pace_s for run in longest.values()), 3)
    if field is None:
        return None
    return view.per_driver({d: 100 * (run.pace_s / field - 1) for d, run in longest.items()})


@session_feature(unit="laps", group=SPRINT)
def sprint_laps(view: WeekendView) -> Values:
    """Laps driven in the sprint."""
    one = view.one(SessionKind.SPRINT)
    if one is None:
        return None
    counts = {str(d): float(n) for d, n in one.laps.group_by("driver_id").len().iter_rows()}
    return view.per_driver(counts)
