"""Routes of predictions: they read files and need no engine and no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from f1core.api.examples import NOT_READY_EXAMPLE, PREDICTION_EXAMPLE, problem_example
from f1core.api.library import Document, DocumentDamaged, Holdings, Library, session_starts
from f1core.api.problems import NOT_READY, Problem
from f1core.api.serving import FOR_EVER, FOR_NOW, document_answer, json_answer
from f1core.api.shapes import Prediction, ProblemAnswer, Upcoming
from f1core.clock import Clock
from f1core.document_files import Kind
from f1core.event_names import EventRow, coming_events, normalise
from f1core.freeze_policy import due_at, seal_state, session_start
from f1core.ledger import LedgerDamaged
from warehouse.vocab import EventStatus, Stage, Target

COUNT_UPCOMING = 3
MAX_NAME = 100
Handler = TypeVar("Handler", bound=Callable[..., Any])

router = APIRouter()


async def library_of(request: Request) -> Library:  # async: a plain function would wait for a thread
    """The installation's documents."""
    holdings: Holdings = request.app.state.holdings
    return holdings.library()


async def clock_of(request: Request) -> Clock:
    """What time it is taken to be."""
    found: Clock = request.app.state.clock
    return found


Documents = Annotated[Library, Depends(library_of)]
Now = Annotated[Clock, Depends(clock_of)]
RacePath = Annotated[
    str,
    Path(
        max_length=MAX_NAME,
        description="Slug or name: `abu-dhabi`, `Abu Dhabi`, `Yas Marina`, a round, `next`, `last`.",
        examples=["las-vegas"],
    ),
]
YearPath = Annotated[int, Path(ge=1, le=9999, description="Season.", examples=[2026])]
StageQuery = Annotated[
    Stage | None, Query(description="What was known; without it the furthest stage that exists of the kind.")
]
TargetQuery = Annotated[Target, Query(description="What is forecast.")]
KindQuery = Annotated[
    Kind | None,
    Query(
        description="Insist on a kind; without it sealed, else the backtest of an event nothing was sealed of."
    ),
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors with these statuses, for a route's description."""
    return {
        status: {
            "model": ProblemAnswer,
            "content": {"application/json": {"example": problem_example(status)}},
        }
        for status in statuses
    }


_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Prediction,
        "description": "The document as it was sealed or stored, byte for byte.",
        "content": {"application/json": {"example": PREDICTION_EXAMPLE}},
        "headers": {
            "ETag": {
                "description": "Hash of the record; with `-gzip` when compressed.",
                "schema": {"type": "string"},
            },
            "Content-Location": {"description": "The permanent address.", "schema": {"type": "string"}},
        },
    },
    304: {"description": "Not modified: the client has it already."},
    **problems(414, 422, 500),
    404: {
        "model": ProblemAnswer,
        "description": "Unknown race, or predictions not ready: what exists and when it is due.",
        "content": {"application/json": {"example": NOT_READY_EXAMPLE}},
    },
}


def read_route(router: APIRouter, path: str, **options: Any) -> Callable[[Handler], Handler]:
    """Registers a handler for GET, described, and for HEAD."""

    def register(handler: Handler) -> Handler:
        router.get(path, **options)(handler)
        router.head(path, **options | {"include_in_schema": False})(handler)
        return handler

    return register


@read_route(
    router, "/predict/next", tags=["predictions"], responses=_DOCUMENT, summary="The next race's prediction"
)
async def predict_next(
    request: Request,
    documents: Documents,
    clock: Now,
    stage: StageQuery = None,
    target: TargetQuery = Target.RACE,
    kind: KindQuery = None,
) -> Response:
    """The prediction of the next race: sealed, else provisional; its `kind` says which."""
    ahead = coming_events(documents.calendar().rows, clock.now())
    if not ahead:
        raise Problem(
            404, "not_ready", NOT_READY, hint="The calendar holds no race to come: the season is over."
        )
    event = ahead[0]
    kinds = (kind,) if kind else (Kind.SEALED, Kind.PROVISIONAL)
    for wanted in kinds:
        if (found := _furthest(documents, wanted, event["event_id"], target, stage)) is not None:
            return document_answer(request, found, cache=FOR_NOW, location=_location(request, found, event))
    raise _not_ready(documents, clock, event, target, kind, stage)


@read_route(
    router, "/predict/{race}/{year}", tags=["predictions"], responses=_DOCUMENT, summary="A race's prediction"
)
async def predict(
    request: Request,
    race: RacePath,
    year: YearPath,
    documents: Documents,
    clock: Now,
    stage: StageQuery = None,
    target: TargetQuery = Target.RACE,
    kind: KindQuery = None,
) -> Response:
    """The prediction of a race as it was sealed; of a race that nothing was sealed of, its backtest, marked so."""
    event = _find(documents, clock, race, year)
    event_id = event["event_id"]
    is_sealed = bool(documents.stages(Kind.SEALED, event_id, target))
    wanted = kind or (Kind.SEALED if is_sealed else Kind.BACKTEST)
    found = _furthest(documents, wanted, event_id, target, stage)
    if found is None:
        raise _not_ready(documents, clock, event, target, kind, stage)
    names_it = kind is Kind.SEALED and stage is not None and event_id == f"{year}-{race}"
    return document_answer(
        request, found, cache=FOR_EVER if names_it else FOR_NOW, location=_location(request, found, event)
    )


@read_route(
    router,
    "/v1/predictions/upcoming",
    tags=["predictions"],
    responses={200: {"model": Upcoming}, **problems(414, 500)},
    summary="The next three races",
)
async def upcoming(request: Request, documents: Documents, clock: Now) -> Response:
    """The next three races: what is sealed or provisional, whether the official record is due, and when."""
    now = clock.now()
    ahead = coming_events(documents.calendar().rows, now)
    return json_answer(
        request,
        {
            "now": now.replace(second=0, microsecond=0).isoformat(),
            "is_clock_simulated": clock.is_simulated,
            "is_demo": request.app.state.holdings.is_demo(),
            "is_season_over": not ahead,
            "events": [_coming(request, documents, clock, event) for event in ahead[:COUNT_UPCOMING]],
        },
    )


def _coming(request: Request, documents: Library, clock: Clock, event: EventRow) -> dict[str, Any]:
    targets = [
        target for target in Target if target is Target.RACE or documents.available(event["event_id"], target)
    ]
    return {
        "event_id": event["event_id"],
        "season": event["season"],
        "round": event["round"],
        "grand_prix": event["grand_prix_name"],
        "circuit": event["circuit_name"],
        "sessions": event["sessions"],
        "predictions": [_coming_target(request, documents, clock, event, target) for target in targets],
    }


def _coming_target(
    request: Request, documents: Library, clock: Clock, event: EventRow, target: Target
) -> dict[str, Any]:
    found, problem = None, None
    for kind in (Kind.SEALED, Kind.PROVISIONAL):
        try:
            found = _furthest(documents, kind, event["event_id"], target, None)
        except (LedgerDamaged, DocumentDamaged):
            problem = f"The {kind.value} document is damaged."
        if found is not None or problem:
            break
    return {
        "target": target.value,
        "official": _official(documents, clock, event, target),
        "sealed_stages": [stage.value for stage in documents.stages(Kind.SEALED, event["event_id"], target)],
        "prediction": found.head if found else None,
        "url": _location(request, found, event) if found else None,
        "problem": problem,
    }


# What exists, and when it is due --------------------------------------------------------------------------------------


def _find(documents: Library, clock: Clock, race: str, year: int) -> EventRow:
    calendar = documents.calendar()
    if calendar.rows:
        return calendar.find(race, year, clock.now())
    # The documents are gone or were never made; a record of the ledger still answers to its own name.
    slug = normalise(race).replace(" ", "-")
    event_id = f"{year:04d}-{slug}"
    if slug and any(documents.stages(Kind.SEALED, event_id, target) for target in Target):
        return {
            "event_id": event_id,
            "season": year,
            "grand_prix_id": slug,
            "grand_prix_name": race,
            "status": EventStatus.SCHEDULED.value,
            "sessions": {},
        }
    raise Problem(
        404,
        "not_ready",
        NOT_READY,
        hint="The calendar is not there yet: `python3 run.py build` makes it.",
    )


def _furthest(
    documents: Library, kind: Kind, event_id: str, target: Target, stage: Stage | None
) -> Document | None:
    """The document of a kind at a stage, or at the one that knows most."""
    for candidate in (stage,) if stage else reversed(Stage):
        if (found := documents.get(kind, event_id, target, candidate)) is not None:
            return found
    return None


def _official(documents: Library, clock: Clock, event: EventRow, target: Target) -> dict[str, Any]:
    settings = documents.settings
    policy = settings.prediction_freeze_policy
    starts = session_starts(event)
    start = session_start(target, starts)
    due = due_at(policy, settings.prediction_freeze_tminutes, target, starts)
    state = seal_state(
        policy,
        documents.stages(Kind.SEALED, event["event_id"], target),
        due=due,
        start=start,
        now=clock.now(),
        is_cancelled=event["status"] == EventStatus.CANCELLED.value,
        target=target,
    )
    return {
        "policy": policy.value,
        "state": state.value,
        "due_at": due.isoformat() if due else None,
        "session_starts_at": start.isoformat() if start else None,
    }


_STATE_HINTS: Mapping[str, str] = {
    "sealed": "The official record exists; `known.available` lists every stage that does.",
    "due": "It will be sealed by `known.official.due_at`.",
    "overdue": "It is due and can be sealed until the session begins.",
    "missed": "The session began before it was sealed, and a missed seal is never made late.",
    "cancelled": "The event is cancelled.",
    "unscheduled": "The calendar has no such session.",
}


def _not_ready(
    documents: Library, clock: Clock, event: EventRow, target: Target, kind: Kind | None, stage: Stage | None
) -> Problem:
    official = _official(documents, clock, event, target)
    available = documents.available(event["event_id"], target)
    return Problem(
        404,
        "not_ready",
        NOT_READY,
        hint=_STATE_HINTS[official["state"]],
        known={
            "event_id": event["event_id"],
            "grand_prix": event["grand_prix_name"],
            "season": event["season"],
            "target": target.value,
            "asked": {"kind": kind.value if kind else None, "stage": stage.value if stage else None},
            "available": {name.value: [one.value for one in stages] for name, stages in available.items()},
            "official": official,
        },
    )


def _location(request: Request, document: Document, event: EventRow) -> str:
    """The address that names a document by event, target, stage and kind."""
    query = urlencode(
        {"target": document.target.value, "stage": document.stage.value, "kind": document.kind.value}
    )
    root = request.scope.get("root_path", "").rstrip("/")
    return f"{root}/predict/{quote(str(event['grand_prix_id']))}/{event['season']}?{query}"
