"""Routes that tell how good predictions were and how the installation is. Engines are loaded when they are first asked."""

from __future__ import annotations

import datetime as dt
import threading
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from f1core.api.kept_answers import KeptAnswers
from f1core.api.library import Library
from f1core.api.predictions import Documents, Now, problems, read_route
from f1core.api.serving import json_answer
from f1core.api.shapes import Accuracy, Health
from f1core.clock import Clock
from f1core.document_files import STORED_KINDS, Kind
from f1core.ledger import Ledger
from f1core.settings import Settings
from warehouse.errors import ParcFermeError
from warehouse.snapshot import read_snapshot

if TYPE_CHECKING:
    import polars as pl

    from warehouse.reader import Reader

VERIFIED_FOR_S = 60.0
"""How long a walk along the whole chain is good for; it reads every record."""
SOFTWARE = ("fastapi", "uvicorn", "streamlit", "duckdb", "deltalake", "polars", "scikit-learn", "fastf1")

router = APIRouter()


class Reports:
    """What the routes below remember between requests.

    Args:
        settings: Where the data lies.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._accuracy = KeptAnswers(settings, "Accuracy not ready")
        self._verified: tuple[float, dict[str, Any]] | None = None

    def accuracy(self, season: int | None) -> dict[str, Any]:
        """Scores of sealed and of backtested predictions, each for itself.

        Raises:
            Problem: Nothing was built yet.
            WarehouseError: The warehouse cannot be read.
        """
        from warehouse.queries.accuracy import backtest_scores
        from warehouse.queries.ledger import sealed_scores

        def make(reader: Reader) -> dict[str, Any]:
            return {
                "season": season,
                "snapshot": reader.snapshot.id,
                "sealed": _block(Kind.SEALED, sealed_scores(reader), season),
                "backtest": _block(Kind.BACKTEST, backtest_scores(reader, target=None), season),
            }

        return self._accuracy.get((season,), make)

    def ledger(self, now: dt.datetime) -> dict[str, Any]:
        """State of the chain, walked at most once a minute."""
        with self._lock:
            if self._verified is None or time.monotonic() - self._verified[0] > VERIFIED_FOR_S:
                try:
                    found = Ledger(self.settings.ledger_root).verify()
                    state = "damaged" if found.problems else "intact" if found.count else "empty"
                    answer = {
                        "state": state,
                        "count": found.count,
                        "head": found.head if found.count else None,
                        "problems": list(found.problems),
                    }
                except (OSError, ParcFermeError):
                    answer = {"state": "unreadable", "count": 0, "head": None, "problems": ["cannot be read"]}
                self._verified = (time.monotonic(), answer | {"verified_at": now.isoformat()})
            return self._verified[1]

    def warehouse(self, now: dt.datetime) -> tuple[dict[str, Any], int]:
        """State of the warehouse, and how many records of the ledger it knew."""
        try:
            snapshot = read_snapshot(self.settings.warehouse_root)
        except ParcFermeError:
            return {
                "state": "unreadable",
                "detail": "It cannot be read; `python -m jobs status` says why.",
            }, 0
        if snapshot is None:
            return {"state": "missing", "detail": "Nothing was built yet: `python3 run.py build`."}, 0
        age = now - dt.datetime.fromisoformat(snapshot.published_at)
        return {
            "state": "ready",
            "detail": "",
            "snapshot": snapshot.id,
            "schema_version": snapshot.schema_version,
            "published_at": snapshot.published_at,
            "age_s": round(age.total_seconds(), 1),
            "source": snapshot.notes.get("source_name"),
        }, int(snapshot.notes.get("ledger", {}).get("count", 0))

    def models(self) -> dict[str, Any]:
        """Models in production."""
        try:
            from models.registry import ModelRegistry

            production = ModelRegistry(self.settings.models_root).production()
        except (ParcFermeError, ImportError, OSError):
            return {"state": "unreadable", "production": {}}
        return {"state": "ready" if production else "missing", "production": production}


def reports_of(request: Request, documents: Library) -> Reports:
    """What is remembered of the installation that answers now."""
    kept: dict[Path, Reports] = request.app.state.reports
    return kept.setdefault(documents.settings.data, Reports(documents.settings))


@read_route(
    router,
    "/v1/accuracy",
    tags=["accuracy"],
    responses={200: {"model": Accuracy}, **problems(404, 414, 422, 503)},
    summary="How good predictions were",
)
def accuracy(
    request: Request,
    documents: Documents,
    season: Annotated[
        int | None, Query(ge=1950, le=2100, description="Only races of this season.", examples=[2026])
    ] = None,
) -> Response:
    """Scores of sealed predictions and of backtests, side by side: means over races, every race counts the same."""
    found = reports_of(request, documents).accuracy(season)
    return json_answer(request, {"is_demo": request.app.state.holdings.is_demo(), **found})


@read_route(
    router,
    "/v1/health",
    tags=["health"],
    responses={200: {"model": Health}, **problems(414)},
    summary="How the installation is",
)
def health(request: Request, documents: Documents, clock: Now) -> Response:
    """Ledger, warehouse, models and documents: what is there, how old it is, and what is missing or damaged."""
    reports = reports_of(request, documents)
    settings = documents.settings
    real = Clock.system().now()  # how old things are is no matter of pretending
    chain, models = reports.ledger(real), reports.models()
    warehouse, count_noted = reports.warehouse(real)
    counts = {
        kind.value: sum(1 for _ in (settings.documents_root / kind.value).glob("*.json"))
        for kind in STORED_KINDS
    }
    problems = [f"ledger: {problem}" for problem in chain["problems"]]
    if count_noted > chain["count"]:
        problems.append(f"ledger: the warehouse knew {count_noted} records, the chain has {chain['count']}")
    if warehouse["state"] != "ready":
        problems.append(f"warehouse: {warehouse['detail']}")
    if models["state"] != "ready":
        problems.append(f"models: {models['state']}")
    try:
        counts["events"] = len(documents.calendar().rows)
    except ParcFermeError as error:
        counts["events"] = 0
        problems.append(f"documents: {error.message}")
    if not counts["events"]:
        problems.append("documents: no events; `python -m jobs build` writes them")
    content = {
        "status": "degraded" if problems else "ok",
        "problems": problems,
        "now": clock.now().isoformat(),
        "is_clock_simulated": clock.is_simulated,
        "is_demo": request.app.state.holdings.is_demo(),
        "ledger": chain,
        "warehouse": warehouse,
        "models": models,
        "documents": {"sealed": _count_sealed(settings), **counts},
        "policy": {
            "stage": settings.prediction_freeze_policy.value,
            "minutes": settings.prediction_freeze_tminutes,
        },
        "versions": _versions(),
    }
    return json_answer(request, content, cache="no-store")


def _block(kind: Kind, scores: pl.DataFrame, season: int | None) -> dict[str, Any]:
    from models.metrics import SCORE_NAMES, pool

    chosen = scores if season is None else scores.filter(scores["season"] == season)
    rows = pool(chosen, ("target", "stage", "model")).to_dicts()
    names = [name for name in SCORE_NAMES if name in scores.columns]
    return {
        "kind": kind.value,
        "count_events": chosen["event_id"].n_unique(),
        "rows": [
            {
                "target": row["target"],
                "stage": row["stage"],
                "model": row["model"],
                "count_events": row["count_events"],
                "scores": {name: _number(row[name]) for name in names},
            }
            for row in rows
        ],
    }


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), 6)


def _count_sealed(settings: Settings) -> int:
    return sum(1 for _ in (settings.ledger_root / "records").glob("*.prediction.json"))


def _versions() -> dict[str, str]:
    found = {}
    for name in SOFTWARE:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
