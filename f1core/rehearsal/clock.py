"""The clock of a rehearsal: simulated, and set forward by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from f1core.clock import Clock
from warehouse.errors import ParcFermeError


@dataclass(frozen=True, slots=True)
class RehearsalClock(Clock):
    """A simulated clock that only goes forward; whoever holds it sees the new time at once.

    Attributes:
        hand: The present instant, as the only item.
    """

    hand: list[datetime] = field(default_factory=list)

    @classmethod
    def starting_at(cls, instant: datetime) -> RehearsalClock:
        """A clock that shows an instant until it is set forward."""
        return cls(instant, [Clock.at(instant).now()])

    def now(self) -> datetime:
        """The simulated instant."""
        return self.hand[0]

    def forward(self, to: datetime) -> None:
        """Sets the clock.

        Raises:
            ParcFermeError: The instant has passed: what became known by now cannot be forgotten.
        """
        if to < self.hand[0]:
            raise ParcFermeError(f"A rehearsal's clock cannot go back from {self.hand[0]} to {to}.")
        self.hand[0] = to
