"""A rehearsal's timeline as text."""

from __future__ import annotations

import datetime as dt

from f1core.rehearsal.timeline import Happening, Timeline
from warehouse.vocab import SessionKind

WIDTH = 130
NAMES = {"sealed": "sealed (rehearsal)"}
SEALED_WORDS = (
    "Nothing was sealed in earnest: the clock was simulated, and all of it lies in a ledger of its own."
)


def timeline_text(timeline: Timeline) -> str:
    """The timeline, one line for everything that happened, and how the runs ended."""
    script = timeline.script
    shown = [*filter(lambda one: _is_shown(timeline, one), timeline.happenings), *_sessions(timeline)]
    lines = [
        f"{script.event_id}, rehearsed from {_minute(script.since)} to {_minute(script.until)} UTC. {SEALED_WORDS}",
        "",
    ]
    for one in sorted(shown, key=lambda one: (one.at, one.what == "begins")):
        what = NAMES.get(one.what, one.what)
        words = one.words if len(one.words) <= WIDTH else one.words[: WIDTH - 1] + "…"
        lines.append(f"{_minute(one.at)}  {what:<18}  {_about(timeline, one):<24}  {words}".rstrip())
    ended = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in timeline.ended.items())
    seconds = ", ".join(f"{part} {value:.1f} s" for part, value in timeline.seconds.items())
    problems = timeline.problems()
    lines += [
        "",
        f"Runs: {ended}. Took {sum(timeline.seconds.values()):.1f} s ({seconds}).",
        "Everything came in its order; the ledger is intact."
        if not problems
        else "Wrong: " + "; ".join(problems),
    ]
    return "\n".join(lines)


def _is_shown(timeline: Timeline, one: Happening) -> bool:
    """Forecasts of the race itself up to its start, and of the next one after the result."""
    if one.what != "forecast":
        return True
    is_own = one.about.startswith(f"{timeline.script.event_id} ")
    return is_own or (one.at >= timeline.result_known_at and one.about.startswith(f"{timeline.next_event} "))


def _about(timeline: Timeline, one: Happening) -> str:
    return one.about.removeprefix(f"{timeline.script.event_id} ")


def _sessions(timeline: Timeline) -> list[Happening]:
    return [
        Happening(timeline.starts[session], "begins", session.value, "", {})
        for session in (SessionKind.QUALIFYING, SessionKind.SPRINT, SessionKind.RACE)
        if session in timeline.starts
    ]


def _minute(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
