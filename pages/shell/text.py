"""Words and moments as they are written on pages."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:@./-])")


def plain(text: str) -> str:
    """Text that may come from outside, so that it shows as it is: no link, image or emphasis can hide in it."""
    return _MARKUP.sub(r"\\\1", text)


def moment(when: dt.datetime, zone: dt.tzinfo = dt.UTC) -> str:
    """A moment of this or a near year: ``Sun 22 Nov 04:00``."""
    return f"{when.astimezone(zone):%a %d %b %H:%M}"


def day(when: dt.date) -> str:
    """A day: ``22 Nov 2026``."""
    return f"{when.day} {when:%b %Y}"


def race_title(event: dict[str, Any]) -> str:
    """The name of a race: ``Las Vegas Grand Prix 2026``."""
    return f"{event['full_name']} {event['season']}"


def race_place(event: dict[str, Any]) -> str:
    """Circuit, town and country, without saying a name twice."""
    parts = (event["circuit_name"], event["place_name"], event["country_name"])
    return ", ".join(dict.fromkeys(parts))


def listed(names: list[str]) -> str:
    """Names in a sentence: ``A, B and C``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def lap_text(seconds: float) -> str:
    """A lap time as timing screens write it: ``1:29.708``."""
    thousandths = round(seconds * 1000)
    return f"{thousandths // 60_000}:{thousandths % 60_000 // 1000:02d}.{thousandths % 1000:03d}"
