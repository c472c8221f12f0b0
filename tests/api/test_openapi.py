"""The API's description: it is true, its examples fit its shapes, and whatever it allows is answered without a fault."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import SkipTest

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from f1core.api import create_application
from f1core.api.examples import NOT_READY_EXAMPLE, PREDICTION_EXAMPLE, problem_example
from f1core.api.shapes import Accuracy, Health, Prediction, ProblemAnswer, Upcoming
from f1core.document_files import Kind
from f1core.settings import REPOSITORY
from tests.api.installation import Installation, TestClient
from warehouse.vocab import Stage

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
        unsupported_method,
    )

EXAMPLES = 60
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Installation(tmp_path_factory.mktemp("openapi") / "data")
    made.write_events()
    made.seal("2026-las-vegas", Stage.PRE_WEEKEND)
    made.store(Kind.BACKTEST, "2026-sao-paulo", Stage.PRE_RACE)
    made.store(Kind.PROVISIONAL, "2026-qatar", Stage.PRE_WEEKEND)
    return create_application(made.settings())


def test_whatever_the_description_allows_is_answered_as_described(application: Any) -> None:
    """Also what it does not allow: values of other types, missing and foreign parameters, other methods."""
    description = schemathesis.openapi.from_asgi("/api/openapi.json", application)
    operations = [found.ok() for found in description.get_all_operations()]
    assert len(operations) == 8
    seen: Counter[int] = Counter()
    for operation in operations:
        for mode in GenerationMode:
            ask_anything(operation, mode, seen)
    assert not [status for status in seen if status >= 500], seen
    assert {200, 404, 422} <= set(seen), seen


def ask_anything(operation: Any, mode: Any, seen: Counter[int]) -> None:
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except SkipTest:
        return  # nothing can be asked wrongly

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:
        answer = case.call()
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    except (SkipTest, Unsatisfiable):
        return


def test_every_route_is_described_with_an_example_and_the_shape_of_its_errors(client: TestClient) -> None:
    found = client.get("/api/openapi.json").json()
    assert list(found["paths"]) == [
        "/predict/next",
        "/predict/{race}/{year}",
        "/v1/predictions/upcoming",
        "/v1/accuracy",
        "/v1/health",
        "/v1/championship",
        "/v1/strategy/simulate",
        "/v1/strategy/optimise",
    ]
    for path, operations in found["paths"].items():
        (method,) = operations
        assert method == ("post" if "strategy" in path else "get")
        answers = operations[method]["responses"]
        assert "200" in answers and operations[method]["description"], path
        for status, answer in answers.items():
            if status[0] in "45":
                content = answer["content"]["application/json"]
                assert content["schema"]["$ref"].endswith("/ProblemAnswer")
                ProblemAnswer.model_validate(content["example"])
    assert "HTTPValidationError" not in found["components"]["schemas"]


def test_examples_fit_the_shapes() -> None:
    Prediction.model_validate(PREDICTION_EXAMPLE)
    ProblemAnswer.model_validate(NOT_READY_EXAMPLE)
    for status in (404, 408, 413, 414, 422, 500, 503):
        assert ProblemAnswer.model_validate(problem_example(status)).status == status


def test_answers_fit_the_shapes(client: TestClient) -> None:
    for address in ("las-vegas/2026", "sao-paulo/2026", "qatar/2026?kind=provisional"):
        Prediction.model_validate(client.get(f"/api/predict/{address}").json())
    Upcoming.model_validate(client.get("/api/v1/predictions/upcoming").json())
    Health.model_validate(client.get("/api/v1/health").json())
    for address in ("/api/predict/qatar/2026", "/api/predict/x/y", "/api/nothing", "/api/v1/accuracy"):
        ProblemAnswer.model_validate(client.get(address).json())


@pytest.mark.slow
def test_documents_of_a_build_fit_the_shapes(small_data: Path) -> None:
    client = Installation(small_data).client(clock=None)
    paths = [
        path
        for kind in ("backtest", "provisional")
        for path in (small_data / "documents" / kind).glob("*.json")
    ]
    assert paths
    for path in paths:
        event, target, stage = path.name.split(".")[:3]
        season, slug = event.split("-", 1)
        answer = client.get(
            f"/api/predict/{slug}/{season}?kind={path.parent.name}&stage={stage}&target={target}"
        )
        assert answer.content == path.read_bytes()
        Prediction.model_validate(answer.json())
    Accuracy.model_validate(client.get("/api/v1/accuracy").json())


def test_the_page_of_the_description_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"<(script|link|img|iframe)", page.text)
    assert not re.search(r"https?://", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for words in (
        "/api/predict/{race}/{year}",
        "pre_weekend · pre_qualifying",
        "Predictions not ready",
        "1950 to 2100",
    ):
        assert words in page.text


def test_the_documentation_names_every_address_and_code() -> None:
    text = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    codes = set(re.findall(r"[a-z_]+(?=[,.])", ProblemAnswer.model_fields["code"].description.split(":")[1]))
    assert {"not_ready", "failed", "damaged_record"} <= codes
    for code in codes - {"refused"}:  # what the framework itself refuses
        assert f"`{code}`" in text, code
    for address in ("/api/predict/{race}/{year}", "/api/predict/next", "/api/v1/accuracy", "/api/v1/health"):
        assert address in text
