"""Runs of jobs as text tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from f1core.agenda import PlannedRun
from jobs.tables import render


def agenda_text(runs: Sequence[PlannedRun], without_times: Sequence[str]) -> str:
    """What is planned, as a table."""
    table = Table(title="Planned (UTC)", title_justify="left")
    for heading in ("at", "run", "what", "not after"):
        table.add_column(heading)
    for run in runs:
        table.add_row(_moment(run.at), run.key, run.title, _moment(run.deadline))
    lines = [render(table)]
    if without_times:
        lines.append(f"Without session times, so nothing is planned: {', '.join(without_times)}.")
    return "\n".join(lines)


def jobs_text(found: dict[str, Any]) -> str:
    """How the jobs stand, as text; ``found`` as in :func:`f1core.job_status.job_status`."""
    runner = found["runner"]
    if runner["is_alive"]:
        words = f"at work, process {runner['pid']} on {runner['host']}"
    elif runner["seen_at"] is not None:
        words = f"not at work; last seen {_moment(runner['seen_at'])} UTC. Start it: python -m jobs run"
    else:
        words = "never ran here. Start it: python -m jobs run"
    last = Table(title="Last runs (UTC)", title_justify="left")
    for heading in ("job", "status", "started", "rows", "attempts", "again at", "error or note"):
        last.add_column(heading, justify="right" if heading in ("rows", "attempts") else "left")
    for row in found["last"]:
        last.add_row(
            row["key"],
            row["status"].replace("_", " "),
            _moment(row["started_at"]),
            "" if row["rows"] is None else f"{row['rows']:,}",
            str(row["attempts"]),
            _moment(row["retry_at"]),
            _short(row["error"] or row["note"] or ""),
        )
    coming = Table(title="Next runs (UTC)", title_justify="left")
    for heading in ("at", "run", "what"):
        coming.add_column(heading)
    for row in found["next"]:
        coming.add_row(_moment(row["at"]), row["key"], row["title"])
    lines = [f"Runner: {words}.", render(last) if found["last"] else "No run is on record.", render(coming)]
    lines += [
        f"{row['host']}: {row['left']} of {row['limit_per_hour']} requests left this hour. {row['note']}".rstrip()
        for row in found["quota"]
    ]
    if found["backtest"] is not None:
        lines.append(f"Backtest: {found['backtest']['words']}")
    if found["without_times"]:
        lines.append(f"Without session times, so nothing is planned: {', '.join(found['without_times'])}.")
    return "\n".join(lines)


def _moment(when: dt.datetime | None) -> str:
    return "" if when is None else f"{when:%Y-%m-%d %H:%M}"


def _short(text: str, length: int = 90) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
