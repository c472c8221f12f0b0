"""The one shape of every error the API answers, and how failures of the product and of requests become one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from f1core.api.library import DocumentDamaged
from f1core.ledger import LedgerDamaged
from warehouse.errors import AmbiguousEvent, NotReady, ParcFermeError, UnknownEvent, WarehouseError

NOT_READY = "Predictions not ready"
METHODS = "GET, HEAD, OPTIONS"
QUESTION_METHODS = "POST, OPTIONS"


class Problem(Exception):
    """An answer that is an error.

    Args:
        status: HTTP status.
        code: What went wrong, for programs.
        detail: What went wrong, for people.
        hint: What to do about it.
        errors: Field and message of everything that is wrong with the request.
        known: What is known of a prediction that is not there.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        hint: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        known: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {
            "detail": detail,
            "status": status,
            "code": code,
            "hint": hint,
            "errors": [dict(error) for error in errors],
            "known": known,
        }


def problem_response(problem: Problem) -> Response:
    """The answer to a problem; it is never cached."""
    body = json.dumps(problem.body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **problem.headers}
    return Response(body, problem.status, headers, "application/json")


async def on_problem(_request: Request, error: Exception) -> Response:
    """Answers a problem that a route raised."""
    assert isinstance(error, Problem)
    return problem_response(error)


async def on_product_error(_request: Request, error: Exception) -> Response:
    """Answers an error of the product. Its message may name files of this machine: only known ones are repeated."""
    assert isinstance(error, ParcFermeError)
    hint = error.hint.replace("--year", "the year")
    if isinstance(error, AmbiguousEvent):
        return problem_response(Problem(404, "ambiguous_event", error.message, hint=hint))
    if isinstance(error, UnknownEvent):
        return problem_response(Problem(404, "unknown_event", error.message, hint=hint))
    if isinstance(error, NotReady):
        return problem_response(Problem(404, "not_ready", error.message, hint=hint))
    if isinstance(error, LedgerDamaged):
        return problem_response(
            Problem(
                500,
                "damaged_record",
                "The sealed record is damaged and is not served: its content and its hash differ.",
                hint="The operator runs `python -m jobs verify` and restores the ledger from a copy.",
            )
        )
    if isinstance(error, DocumentDamaged):
        return problem_response(Problem(500, "damaged_document", error.message, hint=hint))
    if isinstance(error, WarehouseError):
        return problem_response(
            Problem(
                503, "unavailable", "The warehouse cannot be read.", hint="`python -m jobs status` says why."
            )
        )
    return problem_response(Problem(503, "unavailable", "The answer cannot be given now.", hint=hint))


async def on_invalid_request(_request: Request, error: Exception) -> Response:
    """Answers a request whose parameters cannot be read: every field with what is wrong with it."""
    assert isinstance(error, RequestValidationError)
    errors = [{"field": _field(found), "message": str(found["msg"])} for found in error.errors()]
    fields = ", ".join(dict.fromkeys(found["field"] for found in errors))
    return problem_response(
        Problem(
            422,
            "invalid_request",
            f"The request cannot be understood: {fields}.",
            hint="Send a JSON object with `Content-Type: application/json`." if fields == "body" else "",
            errors=errors,
        )
    )


def _field(found: Mapping[str, Any]) -> str:
    place = () if found["type"] == "json_invalid" else found["loc"][1:]
    return ".".join(map(str, place)) or ("body" if found["loc"][0] == "body" else "request")


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Answers what the framework refuses: no such address, no such method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        problem = Problem(
            404, "not_found", "There is nothing at this address.", hint="See /api/docs for what there is."
        )
    elif error.status_code == 400:
        # What the framework says of a body that is no text, or nested too deeply to be read.
        problem = Problem(
            422,
            "invalid_request",
            "The request cannot be understood: body.",
            hint="Send a JSON object with `Content-Type: application/json`.",
            errors=[{"field": "body", "message": "The body is not JSON."}],
        )
    elif error.status_code == 405 and "POST" in (error.headers or {}).get("Allow", ""):
        problem = Problem(
            405,
            "method_not_allowed",
            "This address takes a question as the body of a POST.",
            hint=f"Use one of {QUESTION_METHODS}; see /api/docs.",
            headers={"Allow": QUESTION_METHODS},
        )
    elif error.status_code == 405:
        problem = Problem(
            405,
            "method_not_allowed",
            "This address is only read.",
            hint=f"Use one of {METHODS}.",
            headers={"Allow": METHODS},
        )
    else:
        problem = Problem(error.status_code, "refused", str(error.detail), headers=dict(error.headers or {}))
    return problem_response(problem)
