"""Records of challenges, beside the models: what was compared, on which races, and what was decided.

One JSON document a challenge (``data/models/challenges/``), written whole before the pointer moves. They mark challengers
that were refused, and the tables ``model_challenges`` and ``challenge_races`` are made from them at any time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import polars as pl

from f1core.challenge import METRICS, Decision, Difference
from f1core.documents import iso
from f1core.log import get_logger
from models.artifacts import json_bytes
from warehouse.files import write_atomically
from warehouse.frames import frame_schema
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import Stage, Target

FORMAT = "parcferme/challenge/1"


@dataclass(frozen=True)
class ChallengeReport:
    """How the challenge of a target and stage ended.

    Attributes:
        stage: The stage.
        decision: How it ended.
        reason: The decision in a sentence.
        challenged_at: When it was decided.
        champion: Version then in production; None when there was none.
        challenger: Version of the challenger; the champion's own where nothing had to be trained.
        champion_recipe: Recipe of the champion; empty when not recorded.
        challenger_recipe: Recipe of the challenger.
        training_version: Fingerprint of recipe and facts of the challenger.
        cutoff: The challenger learned from results known before this instant.
        count_events: Races it learned from.
        judged_on: Stage whose races were compared; None when none were.
        differences: Per score, over these races.
        races: The races: ``event_id``, ``kind`` and the scores of both.
        is_new: Whether it was decided now; False for what was current or decided before.
        target: The target.
    """

    stage: Stage
    decision: Decision
    reason: str
    challenged_at: dt.datetime
    champion: str | None
    challenger: str
    champion_recipe: str
    challenger_recipe: str
    training_version: str
    cutoff: dt.datetime
    count_events: int
    judged_on: Stage | None = None
    differences: tuple[Difference, ...] = ()
    races: tuple[dict[str, Any], ...] = ()
    is_new: bool = True
    target: Target = Target.RACE

    @property
    def is_promoted(self) -> bool:
        """Whether the challenger went into production."""
        return self.decision.promotes

    @property
    def in_production(self) -> str:
        """Version in production after the challenge."""
        return self.challenger if self.is_promoted or self.champion is None else self.champion

    def to_json(self) -> dict[str, Any]:
        """The record as stored."""
        content = asdict(self) | {
            "format": FORMAT,
            "challenged_at": self.challenged_at.astimezone(dt.UTC).isoformat(),
            "cutoff": self.cutoff.astimezone(dt.UTC).isoformat(),
        }
        del content["is_new"]
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ChallengeReport:
        """The inverse of ``to_json``.

        Raises:
            KeyError: A member is missing.
            ValueError: The format is another, or a member cannot be read.
        """
        if content.get("format") != FORMAT:
            raise ValueError(f"the format is {content.get('format')}, not {FORMAT}")
        # Records of races were written before there were other targets.
        content = {"target": Target.RACE.value, **content}
        members = {member.name: content[member.name] for member in fields(cls) if member.name != "is_new"}
        members |= {
            "stage": Stage(members["stage"]),
            "target": Target(members["target"]),
            "decision": Decision(members["decision"]),
            "challenged_at": dt.datetime.fromisoformat(members["challenged_at"]),
            "cutoff": dt.datetime.fromisoformat(members["cutoff"]),
            "judged_on": Stage(members["judged_on"]) if members["judged_on"] else None,
            "differences": tuple(Difference(**difference) for difference in members["differences"]),
            "races": tuple(members["races"]),
        }
        return cls(**members)


class ChallengeRecords:
    """The records under a models folder. Writers hold the writer lock.

    Args:
        models_root: Folder of the registry.
    """

    def __init__(self, models_root: Path) -> None:
        self.root = models_root / "challenges"

    def add(self, report: ChallengeReport) -> Path:
        """Stores a record whole; the same challenge decided again (its process was killed before the end) replaces it."""
        path = self.root / f"{report.challenger}.{report.decision.value}.json"
        write_atomically(path, json_bytes(report.to_json()))
        return path

    def all(self) -> list[ChallengeReport]:
        """All records, oldest first; one that cannot be read is left out and named in the log."""
        found = []
        for path in self.root.glob("*.json"):
            try:
                found.append(ChallengeReport.from_json(json.loads(path.read_bytes())))
            except (OSError, ValueError, KeyError, TypeError) as error:
                get_logger(__name__).warning("challenge_unreadable", path=str(path), error=str(error))
        return sorted(
            found, key=lambda report: (report.challenged_at, report.target.value, report.stage.value)
        )

    def refusal(
        self, stage: Stage, training_version: str, champion: str | None, target: Target = Target.RACE
    ) -> ChallengeReport | None:
        """The challenge in which a challenger of these facts and this recipe was refused, if the champion is the same."""
        mine = [
            report
            for report in self.all()
            if report.stage is stage
            and report.target is target
            and report.training_version == training_version
            and report.champion == champion
        ]
        if not mine or mine[-1].is_promoted:
            return None
        return replace(mine[-1], is_new=False)


def write_challenges(store: Store, records: ChallengeRecords) -> None:
    """Makes the challenge tables from the records; the caller publishes."""
    reports = records.all()
    rows = {
        "model_challenges": [row for report in reports for row in _challenge_rows(report)],
        "challenge_races": [row for report in reports for row in _race_rows(report)],
    }
    for name, lines in rows.items():
        frame = pl.DataFrame(lines, schema=frame_schema(TABLES[name]), orient="row")
        store.replace(name, frame.to_arrow().cast(TABLES[name].schema))


def _challenge_rows(report: ChallengeReport) -> list[dict[str, Any]]:
    found = {difference.metric: difference for difference in report.differences}
    return [
        {
            "challenged_at": report.challenged_at,
            "target": report.target.value,
            "stage": report.stage.value,
            "metric": metric,
            "champion": report.champion,
            "challenger": report.challenger,
            "champion_recipe": report.champion_recipe or None,
            "challenger_recipe": report.challenger_recipe,
            "judged_on": report.judged_on.value if report.judged_on else None,
            "count_races": found[metric].count if metric in found else 0,
            "count_sealed": sum(race["kind"] == "sealed" for race in report.races) if metric in found else 0,
            "champion_score": found[metric].champion if metric in found else None,
            "challenger_score": found[metric].challenger if metric in found else None,
            "difference": found[metric].difference if metric in found else None,
            "low": found[metric].low if metric in found else None,
            "high": found[metric].high if metric in found else None,
            "verdict": found[metric].verdict if metric in found else None,
            "decision": report.decision.value,
            "is_promoted": report.is_promoted,
            "reason": report.reason,
        }
        for metric in METRICS
    ]


def _race_rows(report: ChallengeReport) -> list[dict[str, Any]]:
    return [
        {
            "challenged_at": report.challenged_at,
            "target": report.target.value,
            "stage": report.stage.value,
            "season": int(race["event_id"][:4]),
            "challenger": report.challenger,
            "judged_on": report.judged_on.value if report.judged_on else report.stage.value,
            **race,
        }
        for race in report.races
    ]


def summary(reports: Sequence[ChallengeReport]) -> list[dict[str, Any]]:
    """Reports as plain data, without the single races."""
    return [
        {
            "target": report.target.value,
            "stage": report.stage.value,
            "version": report.in_production,
            "count_events": report.count_events,
            "decision": report.decision.value,
            "is_promoted": report.is_promoted and report.is_new,
            "is_new": report.is_new,
            "reason": report.reason,
            "champion": report.champion,
            "challenger": report.challenger,
            "challenged_at": iso(report.challenged_at),
            "judged_on": report.judged_on.value if report.judged_on else None,
            "differences": [asdict(found) | {"verdict": found.verdict} for found in report.differences],
        }
        for report in reports
    ]
