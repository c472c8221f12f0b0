"""What a rehearsal did and when: told from what it left behind, its job log, its ledger and its tables."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from f1core.job_log import FILE, JobLog, JobRun, RunStatus
from f1core.ledger import Ledger, Record
from f1core.rehearsal.script import Script
from f1core.targets import PRODUCTION_MODEL, placed
from f1core.workspace import Workspace
from warehouse.queries.events import calendar, session_starts, sessions
from warehouse.queries.forecasts import prediction_entries, prediction_heads
from warehouse.queries.people import driver_names
from warehouse.vocab import SessionKind, Stage, Target

TOP = 3


@dataclass(frozen=True)
class Happening:
    """One thing that happened.

    Attributes:
        at: Simulated instant (UTC).
        what: corrected, extracted, forecast, sealed (rehearsal), settled, retrained, or how a run that went wrong ended.
        about: Stage, session or event it is about; of seals and scores that are not the race's the target and stage.
        words: What there is to say.
        detail: The same as data.
    """

    at: dt.datetime
    what: str
    about: str
    words: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Timeline:
    """A rehearsal in order of time.

    Attributes:
        script: What was rehearsed.
        starts: Start of every session of the event, by session.
        result_known_at: When its result became known.
        next_event: The event after it; empty when the season was over.
        happenings: What happened, in order.
        runs: Rows of the job log in order.
        ledger_problems: What verifying the ledger found.
        seconds: How long it took, by part.
    """

    script: Script
    starts: Mapping[str, dt.datetime]
    result_known_at: dt.datetime
    next_event: str
    happenings: tuple[Happening, ...]
    runs: tuple[JobRun, ...]
    ledger_problems: tuple[str, ...]
    seconds: Mapping[str, float]

    def of(self, what: str, about: str | None = None) -> list[Happening]:
        """Happenings of a kind."""
        return [one for one in self.happenings if one.what == what and about in (None, one.about)]

    @property
    def ended(self) -> dict[str, int]:
        """How many runs ended in which way."""
        return dict(sorted(Counter(run.status.value for run in self.runs).items()))

    def problems(self) -> list[str]:
        """What is not in the order in which it must be; empty when everything is."""
        found = [f"ledger: {words}" for words in self.ledger_problems]
        race, qualifying = self.starts[SessionKind.RACE], self.starts[SessionKind.QUALIFYING]
        sealed, settled = self.of("sealed"), self.of("settled")
        official = [one for one in sealed if one.about in (Stage.POST_QUALIFYING, Stage.PRE_RACE)]
        if not official:
            found.append("nothing was sealed between qualifying and the start")
        found += [f"{one.about} was sealed at {one.at}, after the start" for one in sealed if one.at >= race]
        found += [
            f"{one.about} was sealed at {one.at}, before qualifying was over"
            for one in official
            if one.at <= qualifying
        ]
        if {one.about for one in sealed} != {one.about for one in settled}:
            found.append("not everything that was sealed was settled")
        found += [
            f"{one.about} was settled at {one.at}, before the result was known"
            for one in settled
            if one.at < self.result_known_at and one.about in list(Stage)
        ]
        names = [one.detail["name"] for one in (*sealed, *settled)]
        if len(set(names)) != len(names):
            found.append("a record is there twice")
        order = [one.about for one in sorted(self.of("forecast"), key=lambda one: one.at)]
        own = [about.split()[-1] for about in order if about.startswith(self.script.event_id)]
        if own != sorted(own, key=[stage.value for stage in Stage].index):
            found.append(f"the forecasts came in the order {', '.join(own)}")
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "script": self.script.to_json(),
            "sessions": {name: at.isoformat() for name, at in self.starts.items()},
            "result_known_at": self.result_known_at.isoformat(),
            "happenings": [
                {
                    "at": one.at.isoformat(),
                    "what": one.what,
                    "about": one.about,
                    "words": one.words,
                    **one.detail,
                }
                for one in self.happenings
            ],
            "runs": [
                {
                    "key": run.key,
                    "at": (run.ended_at or self.script.since).isoformat(),
                    "status": run.status.value,
                    "rows": run.rows,
                    "attempts": run.attempts,
                    "error": run.error,
                    "note": run.note,
                }
                for run in self.runs
            ],
            "ended": self.ended,
            "problems": self.problems(),
            "seconds": dict(self.seconds),
        }


def read_timeline(workspace: Workspace, script: Script, seconds: Mapping[str, float]) -> Timeline:
    """The timeline of a rehearsal, from what it left behind.

    Args:
        workspace: The rehearsal's.
        script: What was rehearsed.
        seconds: How long it took, by part.
    """
    reader = workspace.reader
    ledger = Ledger(workspace.settings.ledger_root)
    runs = sorted(
        (run for run in job_log(workspace).history(100_000) if run.note != BEFORE),
        key=lambda run: (run.started_at or run.ended_at or script.since, run.run_id),
    )
    names = dict(driver_names(reader).select("driver_id", "driver_name").iter_rows())
    happenings = [
        *_runs(runs),
        *_forecasts(workspace, names),
        *(_record(record, names) for record in ledger.walk()),
    ]
    known = sessions(reader, script.event_id).filter(pl.col("session") == SessionKind.RACE.value)["known_at"]
    order = {what: place for place, what in enumerate(ORDER)}
    return Timeline(
        script,
        session_starts(reader, script.event_id),
        # An event that is put into the calendar later has no times until then.
        known[0] if len(known) else script.until,
        _next_event(workspace, script.event_id),
        tuple(sorted(happenings, key=lambda one: (one.at, order.get(one.what, -1), one.about))),
        tuple(runs),
        ledger.verify().problems,
        seconds,
    )


def _next_event(workspace: Workspace, event_id: str) -> str:
    order = calendar(workspace.reader, int(event_id[:4]))["event_id"].to_list()
    return str([*order, ""][order.index(event_id) + 1]) if event_id in order else ""


BEFORE = "It was over before the rehearsal."
"""Note of runs that an installation at work would have made by then."""
ORDER = ("calendar", "facts", "extracted", "sealed", "settled", "retrained", "forecast")
"""What comes first of things that happen at the same instant."""


def job_log(workspace: Workspace) -> JobLog:
    """The record of a rehearsal's runs."""
    return JobLog(workspace.settings.jobs_root / FILE, clock="rehearsal")


def _runs(runs: list[JobRun]) -> list[Happening]:
    """Runs that changed something, and runs that went wrong."""
    told = {"extract": "extracted", "retrain": "retrained", "calendar": "calendar"}
    found = []
    for run in runs:
        at = run.ended_at or run.started_at
        if at is None:
            continue
        detail = {"key": run.key, "status": run.status.value, "rows": run.rows, "attempts": run.attempts}
        about = run.params.get("session") or run.params.get("event_id") or ""
        words = run.error or run.note or ""
        if run.status is RunStatus.DONE:
            what = told.get(run.job, "facts" if run.rows and run.job in FACT_JOBS else "")
            if what == "calendar" and not run.rows:
                continue
            if what:
                found.append(Happening(at, what, about, words, detail))
        elif run.status in WRONG:
            found.append(Happening(at, run.status.value.replace("_", " "), run.key, words, detail))
    return found


FACT_JOBS = ("f1db_check", "results", "full_season", "lineup")
WRONG = (RunStatus.FAILED, RunStatus.MISSED, RunStatus.INTERRUPTED, RunStatus.NOT_YET)


def note_forecasts(workspace: Workspace) -> None:
    """Keeps the forecasts of this instant: each takes the place of the one before it at its stage."""
    path = workspace.settings.jobs_root / FORECASTS
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _present_forecasts(workspace, workspace.clock.now())
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in made)


FORECASTS = "rehearsed_forecasts.jsonl"
"""Every forecast of a rehearsal, in order, beside its record of runs."""


def _present_forecasts(workspace: Workspace, made_at: dt.datetime | None = None) -> list[dict[str, Any]]:
    """Forecasts that stand in the tables: those made at an instant, or all."""
    reader = workspace.reader
    heads = prediction_heads(reader, "provisional").filter(pl.col("model") == PRODUCTION_MODEL)
    if made_at is not None:
        heads = heads.filter(pl.col("computed_at") == made_at)
    return [
        {
            "event_id": head["event_id"],
            "stage": head["stage"],
            "computed_at": head["computed_at"].isoformat(),
            "model_version": head["model_version"],
            "data_through": head["data_through"].isoformat(),
            "top": _top(
                prediction_entries(
                    reader, "provisional", head["event_id"], head["stage"], PRODUCTION_MODEL
                ).to_dicts()
            ),
        }
        for head in heads.iter_rows(named=True)
    ]


def _forecasts(workspace: Workspace, names: Mapping[str, str]) -> list[Happening]:
    """All provisional forecasts: those that were noted, and what stands in the tables."""
    kept = _noted(workspace.settings.jobs_root / FORECASTS) + _present_forecasts(workspace)
    rows = {(row["event_id"], row["stage"], row["computed_at"]): row for row in kept}
    return [
        Happening(
            dt.datetime.fromisoformat(row["computed_at"]),
            "forecast",
            f"{row['event_id']} {row['stage']}",
            _top_words(row["top"], names),
            {key: row[key] for key in ("top", "model_version", "data_through")},
        )
        for row in rows.values()
    ]


def _noted(path: Path) -> list[dict[str, Any]]:
    """What was noted; the last line may be cut where the plug was pulled."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def _record(record: Record, names: Mapping[str, str]) -> Happening:
    document = record.content
    detail = {"name": record.name, "hash": record.hash, "sequence": document["sequence"]}
    about = placed(Target(document["target"]), Stage(document["stage"]))
    if "sealed_at" in document:
        top = _top(document["entries"])
        return Happening(
            dt.datetime.fromisoformat(document["sealed_at"]),
            "sealed",
            about,
            f"{_top_words(top, names)}; {record.hash[:12]}",
            {**detail, "top": top, "kind": document["kind"], "data_through": document["data"]["through"]},
        )
    scores = document["scores"][PRODUCTION_MODEL]
    podium = [row["driver_id"] for row in document["results"][:TOP]]
    return Happening(
        dt.datetime.fromisoformat(document["settled_at"]),
        "settled",
        about,
        f"revision {document['revision']}: {', '.join(names.get(one, one) for one in podium)}; "
        f"win log loss {scores['win_log_loss']:.3f}, MAE {scores['mae_ranked']:.2f} places",
        {
            **detail,
            "revision": document["revision"],
            "podium": podium,
            "win_log_loss": scores["win_log_loss"],
            "mae_ranked": scores["mae_ranked"],
        },
    )


def _top(entries: list[Any]) -> list[dict[str, Any]]:
    first = sorted(entries, key=lambda entry: entry["predicted_position"])[:TOP]
    return [
        {"driver_id": entry["driver_id"], "win_probability": round(entry["win_probability"], 4)}
        for entry in first
    ]


def _top_words(top: list[dict[str, Any]], names: Mapping[str, str]) -> str:
    return ", ".join(
        f"{names.get(one['driver_id'], one['driver_id'])} {one['win_probability']:.0%}" for one in top
    )
