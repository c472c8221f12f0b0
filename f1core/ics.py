"""Calendar files (iCalendar, RFC 5545) of sessions, for people's own calendars.

Times are UTC (``…Z``), so no time-zone block is needed and none can be wrong. A session keeps its UID whatever happens to
its date, so that a calendar that subscribes moves it instead of doubling it. Where a source knows the day alone, the entry
is an all-day one: an invented hour would be wrong in everybody's calendar.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

PRODUCT = "-//Parc Ferme//Session calendar//EN"
DOMAIN = "parc-ferme.invalid"
"""UIDs end in a name that nobody can own (RFC 6761)."""
FOLD = 75
"""Octets in a line, its end left out."""
MIME = "text/calendar"


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar.

    Attributes:
        uid: Identity, stable over all files; see :func:`session_uid`.
        starts_at: Start, with its time zone.
        ends_at: End, after the start.
        summary: What people read.
        location: Where; empty for nowhere.
        description: More words; line breaks are kept.
        is_day_only: Whether only the day is known.
        is_tentative: Whether the time may still change.
        is_cancelled: Whether it will not take place.
    """

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    summary: str
    location: str = ""
    description: str = ""
    is_day_only: bool = False
    is_tentative: bool = False
    is_cancelled: bool = False


def session_uid(event_id: str, session: str) -> str:
    """The UID of a session: event and kind, which do not move with date or round."""
    return f"{event_id}.{session}@{DOMAIN}"


def calendar_file(name: str, entries: Iterable[Entry], stamp: dt.datetime) -> bytes:
    """A calendar file; equal entries and stamp give equal bytes.

    Args:
        name: What a calendar program calls it.
        entries: In any order; they are written by start and UID.
        stamp: When the facts behind it were published.

    Raises:
        ValueError: Two entries have one UID, an instant has no time zone, or an entry ends before it starts.
    """
    rows = sorted(entries, key=lambda one: (one.starts_at, one.uid))
    if len({one.uid for one in rows}) < len(rows):
        raise ValueError("two entries have one UID")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for one in rows:
        lines += _entry(one, _utc(stamp))
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _entry(one: Entry, stamp: str) -> list[str]:
    if one.ends_at < one.starts_at:
        raise ValueError(f"{one.uid} ends before it starts")
    if one.is_day_only:
        day = one.starts_at.astimezone(dt.UTC).date()
        when = [f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"DTEND;VALUE=DATE:{day + dt.timedelta(days=1):%Y%m%d}"]
    else:
        when = [f"DTSTART:{_utc(one.starts_at)}", f"DTEND:{_utc(one.ends_at)}"]
    status = "CANCELLED" if one.is_cancelled else "TENTATIVE" if one.is_tentative else "CONFIRMED"
    lines = ["BEGIN:VEVENT", f"UID:{one.uid}", f"DTSTAMP:{stamp}", *when, f"SUMMARY:{_text(one.summary)}"]
    lines += [f"LOCATION:{_text(one.location)}"] if one.location else []
    lines += [f"DESCRIPTION:{_text(one.description)}"] if one.description else []
    # A race weekend does not make anybody busy.
    return [*lines, f"STATUS:{status}", "TRANSP:TRANSPARENT", "END:VEVENT"]


def _utc(when: dt.datetime) -> str:
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone")
    return f"{when.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    """A value of the type TEXT: backslash, comma, semicolon and line breaks escaped; other control characters dropped."""
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        words = words.replace(plain, escaped)
    return "".join(letter for letter in words if letter == "\t" or (ord(letter) >= 32 and ord(letter) != 127))


def _folded(line: str) -> str:
    """A content line in pieces of at most :data:`FOLD` octets; a character is never cut in two."""
    pieces, piece, size = [], "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > FOLD:
            pieces.append(piece)
            piece, size = " ", 1
        piece += letter
        size += width
    return "\r\n".join([*pieces, piece])
