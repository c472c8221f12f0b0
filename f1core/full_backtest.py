"""The walk-forward backtest over all test seasons as a job: piece by piece while nothing else needs the machine."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from f1core.accuracy import FROM_SEASON
from f1core.backtest import Backtest
from f1core.build import run_backtest
from f1core.workspace import Workspace
from warehouse.queries.events import session_calendar
from warehouse.reader import Reader

WORKS_FOR = dt.timedelta(minutes=40)
"""No block is begun after this; the scheduler's time-out is later."""
QUIET = dt.timedelta(hours=3)
"""Before a session begins and after its result is due, the machine is left to what the weekend needs."""
KEYS = ["event_id", "target", "stage", "model", "model_version"]


def continue_full_backtest(
    workspace: Workspace, *, limit: dt.timedelta = WORKS_FOR, monotonic: Callable[[], float] = time.monotonic
) -> int:
    """Goes on with the backtest over the test seasons, in one process, and puts it into the tables when it is complete.

    Args:
        workspace: The installation, with the system's clock.
        limit: How long blocks are begun.
        monotonic: Tells seconds that pass.

    Returns:
        Heads of forecasts in the tables that were not there before; 0 when they held everything.

    Raises:
        NotReady: No race was held in these seasons, a session is near, or the time is over; what is done is kept.
        LockHeld: Another process is writing.
    """
    backtest = Backtest(workspace)
    events = backtest.chosen(from_season=FROM_SEASON)
    published = workspace.reader.table("backtest_predictions").select(KEYS)
    if not backtest.left(events) and backtest.collect("heads").select(KEYS).sort(KEYS).equals(
        published.sort(KEYS)
    ):
        return 0
    began = monotonic()

    def stop() -> str:
        if monotonic() - began >= limit.total_seconds():
            return f"the {limit.total_seconds() / 60:.0f} minutes it may take at a time are over"
        return session_near(workspace.reader, workspace.clock.now())

    alone = Workspace(workspace.settings.model_copy(update={"workers": 1}), workspace.clock)
    run_backtest(alone, lambda *_: None, from_season=FROM_SEASON, stop=stop)
    now_there = alone.reader.table("backtest_predictions").select(KEYS)
    return now_there.join(published, on=KEYS, how="anti").height


def session_near(reader: Reader, now: dt.datetime) -> str:
    """The session of the calendar that is near, in words; empty when none is."""
    rows = session_calendar(reader).sort("starts_at")
    near = rows.filter((rows["starts_at"] <= now + QUIET) & (rows["known_at"] >= now - QUIET))
    if near.is_empty():
        return ""
    first = near.row(0, named=True)
    return f"{first['event_id']} {first['session']} is near"
