"""How far the walk-forward backtest over whole seasons is: a small file that whoever runs it keeps, and pages read.

It is written after every piece that is on disk, so that a process killed at any line leaves a true count behind; the next
run of the same version counts what is kept and goes on.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import polars as pl

from f1core.log import get_logger
from f1core.processes import process_started
from f1core.settings import Settings
from models.artifacts import json_bytes
from warehouse.files import write_atomically
from warehouse.vocab import Stage, Target

FORMAT = "parcferme/backtest-progress/1"
FILE = "backtest_progress.json"
BELIEVED = dt.timedelta(minutes=30)
"""No piece takes longer than this."""

_TIMES = ("began_at", "updated_at", "ended_at")


@dataclass(frozen=True)
class PlaceProgress:
    """How far one target and stage is.

    Attributes:
        target: What is forecast.
        stage: The stage.
        model: A model that is only compared; empty for the one in production with its baselines.
        done: Sessions that are forecast and scored, those of earlier runs among them.
        total: Sessions there are.
    """

    target: Target
    stage: Stage
    model: str
    done: int
    total: int


@dataclass(frozen=True)
class BacktestProgress:
    """How far a backtest over whole seasons is.

    Attributes:
        version: Fingerprint of the code that makes it: another version begins anew.
        from_season: First season.
        until_season: Last season; None for the newest.
        began_at: When it was begun (UTC); what was stopped and goes on keeps its beginning.
        updated_at: When a piece was finished last, or the run began or ended.
        ended_at: When it was complete and in the tables; None before.
        places: By target and stage.
        last_event: Event of the piece that was finished last; None before the first.
        last_place: Its target and stage, and the compared model, for people.
        stopped: Why it stopped before its end; empty while it runs, when it is done, or when its process was killed.
        runs: How often it was begun.
        pid: Process that runs it.
        process: When that process was started: a pid alone is used again.
        host: Its machine.
    """

    version: str
    from_season: int
    until_season: int | None
    began_at: dt.datetime
    updated_at: dt.datetime
    ended_at: dt.datetime | None = None
    places: tuple[PlaceProgress, ...] = ()
    last_event: str | None = None
    last_place: str = ""
    stopped: str = ""
    runs: int = 1
    pid: int = field(default_factory=os.getpid)
    process: str | None = field(default_factory=lambda: process_started(os.getpid()))
    host: str = field(default_factory=platform.node)

    @property
    def count_done(self) -> int:
        """Sessions and stages that are done."""
        return sum(place.done for place in self.places)

    @property
    def count_total(self) -> int:
        """Sessions and stages there are."""
        return sum(place.total for place in self.places)

    @property
    def share(self) -> float:
        """Done of all, 0..1."""
        return self.count_done / self.count_total if self.count_total else 0.0

    def is_running(self, now: dt.datetime) -> bool:
        """Whether a process is at work on it; one on another machine is believed while it keeps writing."""
        if self.ended_at is not None or self.stopped:
            return False
        if self.host != platform.node():
            return now - self.updated_at < BELIEVED
        return self.process is not None and process_started(self.pid) == self.process

    @property
    def seasons(self) -> str:
        """The seasons in words."""
        if self.until_season is None:
            return f"from {self.from_season}"
        return f"{self.from_season}–{self.until_season}"

    def to_json(self) -> dict[str, Any]:
        """The document as stored; instants in ISO 8601, UTC."""
        content = {"format": FORMAT, **asdict(self)}
        for name in _TIMES:
            content[name] = content[name].astimezone(dt.UTC).isoformat() if content[name] else None
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> BacktestProgress:
        """The inverse of ``to_json``.

        Raises:
            KeyError: A member is missing.
            ValueError: The format is another, or a member cannot be read.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"it is no document of the format {FORMAT}")
        members = {member.name: content[member.name] for member in fields(cls)}
        for name in _TIMES:
            members[name] = dt.datetime.fromisoformat(members[name]) if members[name] else None
        members["places"] = tuple(
            PlaceProgress(**{**place, "target": Target(place["target"]), "stage": Stage(place["stage"])})
            for place in members["places"]
        )
        return cls(**members)


def progress_path(settings: Settings) -> Path:
    """The file of an installation."""
    return settings.jobs_root / FILE


def read_progress(settings: Settings) -> BacktestProgress | None:
    """How far it is; None when it was never begun, or what is written cannot be read (the log says so)."""
    path = progress_path(settings)
    try:
        return BacktestProgress.from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        get_logger(__name__).warning("backtest_progress_unreadable", path=str(path), error=str(error))
        return None


def progress_words(progress: BacktestProgress, now: dt.datetime) -> str:
    """How it stands, in a sentence or two: done, at work, stopped (and why), or cut off with its process."""
    counted = f"{progress.count_done} of {progress.count_total} forecasts ({progress.share:.0%})"
    since = f"since {progress.began_at:%Y-%m-%d %H:%M} UTC"
    last = f" Last: {progress.last_event}, {progress.last_place}." if progress.last_event else ""
    if progress.ended_at is not None:
        return f"Complete {progress.seasons}, in the tables since {progress.ended_at:%Y-%m-%d %H:%M} UTC: {counted}."
    if progress.is_running(now):
        return f"At work {since}, {progress.seasons}: {counted}.{last}"
    why = progress.stopped or "its process ended without a word"
    return f"Stopped at {counted}, begun {progress.began_at:%Y-%m-%d %H:%M} UTC: {why}. It goes on from there.{last}"


def progress_frame(progress: BacktestProgress) -> pl.DataFrame:
    """A line per target, stage and compared model: ``target``, ``stage``, ``model``, ``done``, ``total``, ``done_pct``."""
    schema = {
        "target": pl.String,
        "stage": pl.String,
        "model": pl.String,
        "done": pl.Int64,
        "total": pl.Int64,
    }
    rows = [
        (place.target.value, place.stage.value, place.model, place.done, place.total)
        for place in progress.places
        # Before 2021 there were no sprints.
        if place.total
    ]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        done_pct=pl.col("done") / pl.col("total") * 100
    )


def progress_data(progress: BacktestProgress | None, now: dt.datetime) -> dict[str, Any] | None:
    """How it stands as plain data; None when it was never begun."""
    if progress is None:
        return None
    return {
        **{key: value for key, value in progress.to_json().items() if key != "format"},
        "is_running": progress.is_running(now),
        "count_done": progress.count_done,
        "count_total": progress.count_total,
        "words": progress_words(progress, now),
    }


class ProgressKeeper:
    """Keeps the file while a backtest runs.

    Args:
        settings: Whose installation it is.
        version: Fingerprint of the code.
        from_season: First season.
        until_season: Last season; None for the newest.
        now: When it begins or goes on.
    """

    def __init__(
        self, settings: Settings, version: str, from_season: int, until_season: int | None, now: dt.datetime
    ) -> None:
        self.path = progress_path(settings)
        old = read_progress(settings)
        self.state = BacktestProgress(version, from_season, until_season, now, now)
        same = old is not None and (old.version, old.from_season, old.until_season, old.ended_at) == (
            version,
            from_season,
            until_season,
            None,
        )
        if old is not None and same:
            self.state = replace(self.state, began_at=old.began_at, runs=old.runs + 1)

    def begin(self, places: Sequence[PlaceProgress]) -> None:
        """Notes what there is, and what of it is kept from earlier runs."""
        self._write(places=tuple(places))

    def finished(
        self, stage: Stage, model: str, sessions: Sequence[tuple[Target, str]], now: dt.datetime
    ) -> None:
        """Notes sessions (target and event) of a stage that are on disk now."""
        places = tuple(
            replace(place, done=place.done + sum(target is place.target for target, _ in sessions))
            if (place.stage, place.model) == (stage, model)
            else place
            for place in self.state.places
        )
        target, event = sessions[-1]
        words = f"{target.value} {stage.value}" + (f" {model}" if model else "")
        self._write(places=places, last_event=event, last_place=words, updated_at=now)

    def stop(self, reason: str, now: dt.datetime) -> None:
        """Notes that it stops before its end, and why."""
        self._write(stopped=reason, updated_at=now)

    def end(self, now: dt.datetime) -> None:
        """Notes that all of it is in the tables."""
        self._write(ended_at=now, updated_at=now)

    def _write(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        write_atomically(self.path, json_bytes(self.state.to_json()), durable=False)
