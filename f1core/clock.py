"""The one clock: what the product takes for "now", so that a past weekend can be rehearsed as it happened.

Nothing below ``jobs`` and ``pages`` asks the machine for the time; a ``Clock`` is handed down. Only a clock
that is not simulated may seal a prediction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from warehouse.errors import ParcFermeError

EXAMPLES = "2025-12-06T18:00Z, 2025-12-06T22:00+04:00, 2025-12-06 (means 00:00Z)"

_INSTANT = re.compile(
    r"""(?P<day>\d{4}-\d{2}-\d{2})
        (?: [T ] (?P<time>\d{2}:\d{2} (?: :\d{2} (?: \.\d{1,6} )? )? )
            \s? (?P<zone>Z|[+-]\d{2}:?\d{2})? )?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def parse_instant(text: str) -> datetime:
    """Read an instant as people type it.

    A time must carry its zone, ``Z`` or an offset: the same digits mean another moment in Melbourne and in
    Austin, and a forecast as of the wrong one would know too much. A date alone is its first instant in UTC.

    Args:
        text: For example ``2025-12-06T18:00Z``; seconds are optional, a blank may stand for the ``T``.

    Returns:
        The instant, aware, in UTC.

    Raises:
        ParcFermeError: The text is not an instant, or has a time without a zone.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ParcFermeError(f"{text!r} is not a moment in time.", hint=f"Write it like one of: {EXAMPLES}.")
    day, time, zone = found["day"], found["time"], found["zone"]
    if time and not zone:
        raise ParcFermeError(
            f"{text!r} does not say in which time zone it is.",
            hint=f"Add Z for UTC, or an offset: {day}T{time}Z. Examples: {EXAMPLES}.",
        )
    try:
        instant = datetime.fromisoformat(f"{day}T{time or '00:00'}{(zone or 'Z').upper()}")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ParcFermeError(
            f"{text!r} does not exist in the calendar ({error}).", hint=f"Examples: {EXAMPLES}."
        ) from error


@dataclass(frozen=True, slots=True)
class Clock:
    """Tells the time: the machine's, or one instant for ever.

    Attributes:
        instant: The fixed instant (aware, UTC), None for the machine's clock.
    """

    instant: datetime | None = None

    def __post_init__(self) -> None:
        if self.instant is not None:
            if self.instant.utcoffset() is None:
                raise ParcFermeError(
                    f"The clock was set to {self.instant.isoformat()}, which has no time zone.",
                    hint="Give it an aware datetime, for example in UTC.",
                )
            object.__setattr__(self, "instant", self.instant.astimezone(UTC))

    @classmethod
    def system(cls) -> Clock:
        """The machine's clock."""
        return cls()

    @classmethod
    def at(cls, instant: str | datetime) -> Clock:
        """A clock that stands still at ``instant``: a text for ``parse_instant``, or an aware datetime.

        Raises:
            ParcFermeError: The text cannot be read, or the datetime has no time zone.
        """
        return cls(parse_instant(instant) if isinstance(instant, str) else instant)

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC) if self.instant is None else self.instant

    @property
    def is_simulated(self) -> bool:
        """Whether this is not the machine's real clock; such a clock can seal nothing."""
        return self.instant is not None
