"""Shapes of the answers, for the API's own description; documents themselves are served as they lie on disk."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from f1core.document_files import Kind
from f1core.freeze_policy import FreezePolicy, SealState
from warehouse.vocab import Stage, Target

Share = Field(ge=0, le=1)


class Contribution(BaseModel):
    """What one reason moves a driver by."""

    term: str = Field(
        description="The reason, e.g. qualifying gap; the first is the middle of the field, the last what simulation and "
        "calibration added."
    )
    places: float = Field(description="Below zero moves him forward. All terms sum to `expected_position`.")


class Entry(BaseModel):
    """One driver of a prediction."""

    model_config = ConfigDict(extra="allow")

    predicted_position: int = Field(description="Place in the predicted order, 1..n.", ge=1)
    driver_id: str = Field(description="F1DB id, e.g. max-verstappen.")
    driver_name: str | None = None
    driver_code: str | None = None
    constructor_id: str
    constructor_name: str | None = None
    expected_position: float
    position_low: int = Field(description="Lower end of the 80 % interval.")
    position_high: int = Field(description="Upper end of the 80 % interval.")
    win_probability: float = Share
    podium_probability: float = Share
    points_probability: float = Share
    dnf_probability: float | None = Field(
        default=None,
        description="Retired or not classified; null where the model says nothing of it.",
        ge=0,
        le=1,
    )
    expected_points: float | None = Field(
        default=None, description="By the points of the season; null where the model says nothing of them."
    )
    position_probabilities: list[float] | None = Field(
        default=None,
        description="Probability of each place, the first place first. Not there where the model draws no orders.",
    )
    contributions: list[Contribution] | None = Field(
        default=None,
        description="Why he is expected there. Not there where the model does not explain itself.",
    )
    grid_position: int | None = None
    gap_s: float | None = Field(default=None, description="Expected gap to the winner [s].")
    race_time_s: float | None = Field(default=None, description="Expected race time [s].")
    data_quality_flag: str


class EventOfDocument(BaseModel):
    """The event as it was known when the document was made."""

    season: int
    round: int
    grand_prix: str
    official_name: str
    circuit_id: str
    circuit: str
    sessions: dict[str, dt.datetime] = Field(description="Start of every session (UTC).")


class Confidence(BaseModel):
    """How sure the forecast is of the driver it names as winner."""

    driver_id: str
    score: float = Field(description="His calibrated win probability.", ge=0, le=1)
    level: Literal["low", "medium", "high"]


class HeadToHead(BaseModel):
    """Who finishes ahead of whom."""

    driver_ids: list[str] = Field(description="Drivers in predicted order.")
    ahead_probability: list[list[float]] = Field(
        description="Row i holds, for every driver after the i-th in that order, the probability that the i-th finishes "
        "ahead of him; one value less from row to row, none in the last."
    )


class Prediction(BaseModel):
    """A prediction's document. Sealed ones also carry `sealed_at`, `sequence`, `previous` and `hash`."""

    model_config = ConfigDict(extra="allow")

    format: str
    kind: Kind
    event_id: str
    target: Target
    stage: Stage
    event: EventOfDocument
    as_of: dt.datetime = Field(description="Nothing known at or after this instant was used.")
    computed_at: dt.datetime
    model: dict[str, Any]
    data: dict[str, Any]
    features: dict[str, Any]
    confidence: Confidence
    warnings: list[str]
    is_demo: bool = Field(default=False, description="Whether drivers, teams and results are made up.")
    entries: list[Entry]
    baselines: dict[str, list[dict[str, Any]]]
    head_to_head: HeadToHead | None = Field(
        default=None, description="Not there where the model draws no orders."
    )
    sealed_at: dt.datetime | None = None
    hash: str | None = Field(default=None, description="SHA-256 of the canonical bytes without this member.")


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Official(BaseModel):
    """The official record of an event and target: the one the freeze policy asks for."""

    policy: FreezePolicy
    state: SealState
    due_at: dt.datetime | None = Field(
        description="When it should be sealed; null when the calendar does not say."
    )
    session_starts_at: dt.datetime | None = Field(description="From then on nothing can be sealed.")


class Known(BaseModel):
    """What is known of a prediction that is not there."""

    event_id: str
    grand_prix: str
    season: int
    target: Target
    asked: dict[str, str | None] = Field(
        description="Kind and stage that were asked for; null for the default."
    )
    available: dict[Kind, list[Stage]] = Field(description="Stages that exist, by kind.")
    official: Official


class ProblemAnswer(BaseModel):
    """Every error has this shape."""

    detail: str = Field(description="What went wrong, for people.")
    status: int
    code: str = Field(
        description="What went wrong, for programs: not_ready, unknown_event, ambiguous_event, invalid_request, "
        "not_found, method_not_allowed, too_long, too_slow, busy, damaged_record, damaged_document, unavailable, failed, "
        "refused."
    )
    hint: str
    errors: list[FieldError] = Field(
        description="For invalid_request: every field with what is wrong with it."
    )
    known: Known | None = Field(
        default=None, description="For not_ready, as far as anything is known; else null."
    )


class FirstThree(BaseModel):
    """One of the first three of a prediction."""

    predicted_position: int
    driver_id: str
    driver_name: str | None
    win_probability: float


class Head(BaseModel):
    """A document without its long lists."""

    model_config = ConfigDict(extra="allow")

    kind: Kind
    stage: Stage
    confidence: Confidence
    warnings: list[str]
    first_three: list[FirstThree]


class UpcomingTarget(BaseModel):
    """What there is for one target of a coming event."""

    target: Target
    official: Official
    sealed_stages: list[Stage]
    prediction: Head | None = Field(
        description="The furthest sealed document, else the provisional one: see its kind."
    )
    url: str | None = Field(description="Where the whole document is.")
    problem: str | None = Field(description="Why a document that exists is not shown.")


class UpcomingEvent(BaseModel):
    """A coming event."""

    event_id: str
    season: int
    round: int
    grand_prix: str
    circuit: str
    sessions: dict[str, dt.datetime]
    predictions: list[UpcomingTarget]


class Upcoming(BaseModel):
    """The next events whose race is not over, the nearest first; empty when the calendar holds none."""

    now: dt.datetime
    is_clock_simulated: bool
    is_demo: bool = Field(
        description="Whether this is the demo season: drivers, teams and results are made up."
    )
    is_season_over: bool
    events: list[UpcomingEvent]


class ScoreRow(BaseModel):
    """Means over races for one stage and model."""

    target: str
    stage: str
    model: str
    count_events: int
    scores: dict[str, float | None]


class ScoreBlock(BaseModel):
    """Scores of one kind of prediction."""

    kind: Kind
    count_events: int
    rows: list[ScoreRow]


class Accuracy(BaseModel):
    """Sealed and backtested predictions side by side. They are different things: do not add them up."""

    season: int | None
    is_demo: bool = Field(
        description="Whether this is the demo season: drivers, teams and results are made up."
    )
    snapshot: str
    sealed: ScoreBlock
    backtest: ScoreBlock


class LedgerHealth(BaseModel):
    """State of the chain."""

    state: Literal["intact", "empty", "damaged", "unreadable"]
    count: int
    head: str | None = Field(
        description="Hash of the last record: note it, and `verify --head` proves it later."
    )
    problems: list[str]
    verified_at: dt.datetime


class WarehouseHealth(BaseModel):
    """State of the warehouse."""

    state: Literal["ready", "missing", "unreadable"]
    detail: str
    snapshot: str | None = None
    schema_version: int | None = None
    published_at: dt.datetime | None = None
    age_s: float | None = None
    source: str | None = None


class ModelsHealth(BaseModel):
    """Models in production."""

    state: Literal["ready", "missing", "unreadable"]
    production: dict[str, str]


class Health(BaseModel):
    """How the installation is. Always answered with 200: what is missing is said."""

    status: Literal["ok", "degraded"]
    problems: list[str]
    now: dt.datetime
    is_clock_simulated: bool
    is_demo: bool = Field(
        description="Whether this is the demo season: drivers, teams and results are made up."
    )
    ledger: LedgerHealth
    warehouse: WarehouseHealth
    models: ModelsHealth
    documents: dict[str, int] = Field(description="Files that can be served, by kind.")
    policy: dict[str, str | int]
    versions: dict[str, str]
