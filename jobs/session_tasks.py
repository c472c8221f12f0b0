"""Tasks around sessions: their data, the field, the weather, and the sessions of past weekends."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from f1core.settings import REPOSITORY
from f1core.workspace import Workspace
from jobs.outcome import TaskResult
from jobs.task_context import TaskContext, bring_facts, joined
from warehouse.errors import NotReady, SourceError
from warehouse.vocab import SessionKind

BACKFILL_SESSIONS = 30
BACKFILL_FOR = dt.timedelta(minutes=40)
"""No session is begun after this; the scheduler's time-out is later."""


def extract(context: TaskContext) -> TaskResult:
    """A session's data: fetched, brought into the facts where these have nothing, into the session tables and features."""
    from f1core.session_tables import publish_sessions

    session = SessionKind(context.params["session"])
    bundle = context.sources.fetch_session(context.workspace, context.event_id, session)
    facts = bring_facts(context)
    # Opened afresh: features are made from what is published now.
    work = context.workspace.again()
    rows = sum(publish_sessions(work, [bundle]).values())
    notes = [f"{rows} rows of timing.", *bundle.meta.problems, facts.note]
    if session is not SessionKind.RACE:
        notes.append(_weekend(work.again(), context.event_id))
    return TaskResult(rows + facts.rows, joined(*notes))


def lineup(context: TaskContext) -> TaskResult:
    """Changes of the field of the next event against its stored forecast."""
    from f1core.forecasts import coming_events
    from f1core.lineup_changes import lineup_changes

    work = context.workspace
    coming = coming_events(work, work.clock.now(), 1)
    if not coming:
        return TaskResult(0, "No event is to come.")
    changes = lineup_changes(work, coming[0])
    return TaskResult(len(changes), "; ".join(changes) or f"The field of {coming[0]} is as it was forecast.")


def weather(context: TaskContext) -> TaskResult:
    """The weather forecast of the coming sessions, kept with its issue time."""
    if context.workspace.settings.offline:
        return TaskResult(0, "No network source is asked (PARCFERME_OFFLINE).", is_skipped=True)
    news = context.sources.refresh_weather(context.workspace)
    return TaskResult(news.rows, news.note)


def backfill(context: TaskContext) -> TaskResult:
    """Sessions of past weekends, newest first, as far as limits and time allow."""
    from f1core.backfill import backfill as read_past

    work = context.workspace
    done = read_past(
        work,
        context.sources,
        count=BACKFILL_SESSIONS,
        until=work.clock.now() + BACKFILL_FOR,
        progress=context.progress,
    )
    if done.read:
        bring_facts(context)
    for event_id in dict.fromkeys(event_id for event_id, _ in done.read):
        _weekend(work.again(), event_id)
    words = f"{len(done.read)} sessions read, {len(done.failed)} could not be had, {done.left} left."
    return TaskResult(done.rows, joined(words, done.stopped_by, "; ".join(list(done.failed.values())[:3])))


def _weekend(work: Workspace, event_id: str) -> str:
    """Makes the features of a weekend from the sessions that are here; says what came of it."""
    from f1core.sources.timing import SessionRef, stored_session
    from f1core.weekend_features import weekend_features, write_weekend
    from warehouse.queries.events import session_starts

    archive = _archive(work)
    stored = [
        stored_session(work.settings, SessionRef(event_id, SessionKind(session)), archive=archive)
        for session in session_starts(work.reader, event_id)
    ]
    try:
        # As of now: a stage that has not ended yet must not count sessions that are still to come as missing.
        found = weekend_features(
            work, event_id, [bundle for bundle in stored if bundle is not None], as_of=work.clock.now()
        )
    except NotReady as error:
        return str(error)
    path = write_weekend(work, found)
    return f"{path.name}: {found.frame.height} drivers, {len(found.sessions)} sessions, stage {found.stage.value}."


def _archive(work: Workspace) -> Path | None:
    from f1core.sources.archive import find_archive

    try:
        return find_archive(work.settings, beside=REPOSITORY).path
    except SourceError:
        return None
