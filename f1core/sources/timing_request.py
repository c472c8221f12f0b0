"""What the parent and the child process of a timing fetch say to each other, and the words both know."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass

SETTLED_AFTER = dt.timedelta(days=3)
"""How long after its start a session may still be completed at the source; what it lacks then, it lacks."""

# Problems of a bundle that are looked for.
UNOFFICIAL = "No official result; positions come from the lap times."
NO_LAPS = "No laps."
NO_TELEMETRY = "No car telemetry."
INCOMPLETE = "The session was held a short time ago: what is missing may still be published."
OLD_SCHEDULE = "The season's schedule is an older one, because its source did not answer."


@dataclass(frozen=True)
class Hosts:
    """Where FastF1's sources are asked; empty for its own addresses.

    Attributes:
        schedule: Folder of the season schedules, with a slash at its end.
        timing: The live timing archive.
        mirror: A copy of it, asked when it has not or cannot answer.
        results: The jolpica (Ergast) interface.
    """

    schedule: str = ""
    timing: str = ""
    mirror: str = ""
    results: str = ""


@dataclass(frozen=True)
class TimingRequest:
    """One session to be read.

    Attributes:
        event_id: Its event.
        session: Which session.
        event_names: The names, in lower case, under which the feed may list the event.
        telemetry: Whether the car channels of the best laps are wanted.
        refresh: Whether what FastF1 keeps of the session is read again (network only).
        archive: Folder of the archive with recorded sessions; empty for the network.
        cache: FastF1's cache folder for the network.
        quota: File of the record of requests.
        offline: Whether no host may be asked.
        hosts: Where to ask.
        retries: How often a passing fault of the network is tried again.
        now: The present instant.
        work: An empty folder for the child.
        out: Folder under which the child writes the bundle.
        answer: File in which the child says how it went.
        parent: Process that waits for the child.
    """

    event_id: str
    session: str
    event_names: tuple[str, ...]
    telemetry: bool
    refresh: bool
    archive: str
    cache: str
    quota: str
    offline: bool
    retries: int
    now: dt.datetime
    work: str
    out: str
    answer: str
    parent: int
    hosts: Hosts = Hosts()

    def write(self) -> str:
        """The request as JSON."""
        return json.dumps({**asdict(self), "now": self.now.isoformat()})

    @classmethod
    def read(cls, text: str) -> TimingRequest:
        """A request from JSON."""
        data = json.loads(text)
        return cls(
            **{
                **data,
                "event_names": tuple(data["event_names"]),
                "hosts": Hosts(**data["hosts"]),
                "now": dt.datetime.fromisoformat(data["now"]),
            }
        )
