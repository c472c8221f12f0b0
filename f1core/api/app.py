"""Puts the API together: routes, errors, middleware; alone or beside the pages under one server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from f1core.api import championship, predictions, reports, strategy
from f1core.api.library import Holdings
from f1core.api.middleware import CrossOrigin, Guard
from f1core.api.predictions import read_route
from f1core.api.problems import (
    Problem,
    on_http_error,
    on_invalid_request,
    on_problem,
    on_product_error,
)
from f1core.api.reference_page import reference_page
from f1core.api.serving import page_answer
from f1core.clock import Clock
from f1core.settings import Settings
from warehouse.errors import ParcFermeError

ROOT = "/api"
"""Where the API is mounted, alone and beside the pages."""
DESCRIPTION = (
    "Formula 1 forecasts, sealed before the race and scored after it. Documents are served byte for byte as they "
    "were sealed; every error has one shape. Nothing can be changed, and there is nothing to log in to."
)
ERROR_HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    Problem: on_problem,
    ParcFermeError: on_product_error,
    RequestValidationError: on_invalid_request,
    HTTPException: on_http_error,
}


def create_api(settings: Settings) -> FastAPI:
    """The API, to be mounted at :data:`ROOT`.

    Args:
        settings: Where the data lies, who may read, which stage is official.
    """
    holdings = Holdings(settings)
    api = FastAPI(
        title="Parc Fermé",
        summary="Formula 1 forecasts as JSON",
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        servers=[{"url": ROOT}],
        root_path_in_servers=False,
        redirect_slashes=False,
        # Inside the framework's own last resort, which would answer in another shape.
        middleware=[Middleware(Guard, is_demo=holdings.is_demo)],
        exception_handlers=dict(ERROR_HANDLERS),
    )
    api.state.holdings = holdings
    api.state.reports = {}
    api.state.championships = {}
    api.state.strategists = {}
    api.state.clock = Clock.at(settings.clock) if settings.clock else Clock.system()
    api.include_router(predictions.router)
    api.include_router(reports.router)
    api.include_router(championship.router)
    api.include_router(strategy.router)

    @read_route(api.router, "/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return page_answer(request, reference_page(api.openapi(), ROOT))

    return api


def create_application(settings: Settings) -> Starlette:
    """The API under its usual addresses (``/api/…``) as an application of its own."""
    return Starlette(
        routes=[Mount(ROOT, create_api(settings))],
        middleware=[Middleware(CrossOrigin, origins=settings.allowed_origins)],
        exception_handlers=dict(ERROR_HANDLERS),
    )


class BesidePages:
    """Answers what is below :data:`ROOT` and hands everything else to the pages.

    As the outermost middleware of the pages' server it keeps their cookies, compression and path rules away from the API.

    Args:
        app: The pages.
        settings: For the API.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.api = create_application(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        is_ours = scope["type"] == "http" and (scope["path"] == ROOT or scope["path"].startswith(f"{ROOT}/"))
        await (self.api if is_ours else self.app)(scope, receive, send)


def beside_pages(settings: Settings) -> list[Middleware]:
    """Middleware that mounts the API beside other pages."""
    return [Middleware(BesidePages, settings=settings)]
