"""The JSON documents of predictions: what is sealed, what a backtest left, what is provisional. One shape for all three."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import cached_property, lru_cache
from importlib import metadata
from typing import Any

import polars as pl

from f1core.distributions import Distributions, entry_members, head_to_head
from f1core.features.registry import feature_names
from f1core.installation import DEMO_NOTE
from f1core.targets import PRODUCTION_MODEL, rules_of
from f1core.validation import MIN_COVERAGE
from warehouse.errors import UnknownEvent
from warehouse.queries.events import calendar, session_times
from warehouse.queries.people import constructor_names, driver_names
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

FORMAT = "parcferme/prediction/1"
ENTRY_COLUMNS = (
    "predicted_position",
    "driver_id",
    "driver_name",
    "driver_code",
    "constructor_id",
    "constructor_name",
    "expected_position",
    "median_position",
    "position_low",
    "position_high",
    "win_probability",
    "podium_probability",
    "points_probability",
    "dnf_probability",
    "expected_points",
    "grid_position",
    "gap_s",
    "gap_low_s",
    "gap_high_s",
    "race_time_s",
    "race_time_low_s",
    "race_time_high_s",
    "data_quality_flag",
    "feature_coverage",
)
BASELINE_COLUMNS = (
    "predicted_position",
    "driver_id",
    "expected_position",
    "median_position",
    "position_low",
    "position_high",
    "win_probability",
    "podium_probability",
    "points_probability",
)
DIGITS = 6
CONFIDENCE_LEVELS = ("low", "medium", "high")
CONFIDENCE_BOUNDS = (0.3, 0.5)
"""Win probability of the named winner from which confidence is medium, and high."""


class DocumentNames:
    """Names and session times that documents carry, asked for once for all documents of a run.

    Args:
        reader: The warehouse.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    @cached_property
    def drivers(self) -> pl.DataFrame:
        """Names of all drivers."""
        return driver_names(self.reader)

    @cached_property
    def constructors(self) -> pl.DataFrame:
        """Names of all constructors."""
        return constructor_names(self.reader)

    @cached_property
    def events(self) -> dict[str, dict[str, Any]]:
        """Rows of the calendar by event."""
        return {row["event_id"]: row for row in calendar(self.reader).iter_rows(named=True)}

    @cached_property
    def sessions(self) -> dict[str, dict[str, str]]:
        """Start of every session as text, by event and session, in order of time."""
        found: dict[str, dict[str, str]] = {}
        for event_id, session, starts_at in session_times(self.reader).iter_rows():
            found.setdefault(event_id, {})[session] = iso(starts_at)
        return found

    @property
    def is_demo(self) -> bool:
        """Whether drivers, teams and results are the demo season's."""
        return bool(self.reader.snapshot.notes.get(DEMO_NOTE))

    def event(self, event_id: str) -> dict[str, Any]:
        """One row of the calendar.

        Raises:
            UnknownEvent: No such event.
        """
        try:
            return self.events[event_id]
        except KeyError:
            raise UnknownEvent(
                f"No event is called {event_id}.", hint="Names look like 2026-great-britain."
            ) from None


def prediction_document(
    names: Reader | DocumentNames,
    heads: pl.DataFrame,
    entries: pl.DataFrame,
    *,
    kind: str,
    distributions: Distributions | None = None,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A forecast of one event, target and stage as a document.

    Args:
        names: The warehouse, or what was read of it, for names and the calendar.
        heads: Rows of ``forecasts`` (or ``backtest_predictions``): the model in production and its baselines.
        entries: Their rows of ``forecast_entries``.
        kind: sealed, backtest or provisional.
        distributions: What the model in production says beside its entries; None for nothing.
        extra: Further members, e.g. when it was sealed.

    Returns:
        Plain data; numbers are rounded to six digits, times are ISO 8601 in UTC.
    """
    facts = names if isinstance(names, DocumentNames) else DocumentNames(names)
    head = heads.filter(pl.col("model") == PRODUCTION_MODEL).row(0, named=True)
    event = facts.event(head["event_id"])
    stage = Stage(head["stage"])
    named = (
        entries.join(facts.drivers, on="driver_id", how="left", maintain_order="left")
        .join(facts.constructors, on="constructor_id", how="left", maintain_order="left")
        .sort("predicted_position")
    )
    imputed = named.filter(
        (pl.col("model") == PRODUCTION_MODEL) & (pl.col("data_quality_flag") != "ok")
    ).height
    own = _rows(named, PRODUCTION_MODEL, ENTRY_COLUMNS)
    driver_ids = [str(entry["driver_id"]) for entry in own]
    beside = (distributions or Distributions()).where(model=PRODUCTION_MODEL)
    members = entry_members(beside, driver_ids)
    own = [entry | _rounded(members[str(entry["driver_id"])]) for entry in own]
    pairs = _rounded(head_to_head(beside, driver_ids))
    return {
        "format": FORMAT,
        "kind": kind,
        "event_id": head["event_id"],
        "target": head["target"],
        "stage": head["stage"],
        "is_demo": facts.is_demo,
        "event": {
            "season": event["season"],
            "round": event["round"],
            "grand_prix": event["grand_prix_name"],
            "official_name": event["official_name"],
            "circuit_id": event["circuit_id"],
            "circuit": event["circuit_name"],
            "sessions": facts.sessions.get(head["event_id"], {}),
        },
        "as_of": iso(head["as_of"]),
        "computed_at": iso(head["computed_at"]),
        "model": {"name": head["model"], "version": head["model_version"]},
        "data": {
            "version": head["data_version"],
            "through": iso(head["data_through"]),
            "last_event_id": head["last_event_id"],
            "count_missing_events": head["count_missing_events"],
            "lineup_source": head["lineup_source"],
        },
        "features": {
            "count": len(feature_names(stage)),
            "coverage": round(head["feature_coverage"], DIGITS),
            "count_imputed_drivers": imputed,
            "names_sha256": feature_names_digest(stage),
        },
        "software": {"fastf1": fastf1_version()},
        "confidence": confidence(entries, head["feature_coverage"]),
        "warnings": [words for words in head["warnings"].split(" | ") if words],
        "entries": own,
        **({"head_to_head": pairs} if pairs else {}),
        "baselines": {
            name: _rows(named, name, BASELINE_COLUMNS)
            for name in rules_of(Target(head["target"])).baselines[stage]
            if name in heads["model"]
        },
        **(extra or {}),
    }


@lru_cache
def feature_names_digest(stage: Stage) -> str:
    """SHA-256 of the names of a stage's features."""
    return hashlib.sha256(json.dumps(feature_names(stage)).encode()).hexdigest()


@lru_cache
def fastf1_version() -> str:
    """Version of FastF1 that is installed."""
    return metadata.version("fastf1")


def confidence(entries: pl.DataFrame, coverage: float) -> dict[str, Any]:
    """How sure the forecast is of the driver it names as winner; defined in ``docs/models.md``.

    Args:
        entries: Rows of all models of one forecast.
        coverage: Share of feature values that are known.

    Returns:
        ``driver_id`` named as winner, ``score`` (his win probability) and ``level``: high from 0.5 on, medium from 0.3 on,
        else low; one level lower where less than 85 % of the feature values are known.
    """
    own = entries.filter(pl.col("model") == PRODUCTION_MODEL)
    named = own.sort(["win_probability", "predicted_position"], descending=[True, False]).row(0, named=True)
    score = float(named["win_probability"])
    place = sum(score >= bound for bound in CONFIDENCE_BOUNDS) - (coverage < MIN_COVERAGE)
    return {
        "driver_id": named["driver_id"],
        "score": round(score, DIGITS),
        "level": CONFIDENCE_LEVELS[max(place, 0)],
    }


def _rows(entries: pl.DataFrame, model: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    chosen = entries.filter(pl.col("model") == model).select(columns)
    return [_rounded(row) for row in chosen.iter_rows(named=True)]


def _rounded(value: Any) -> Any:
    """A value, or whatever it holds, with numbers of :data:`DIGITS` digits."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def iso(instant: dt.datetime) -> str:
    """An instant as text: ISO 8601, UTC, with a ``Z``."""
    return instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
