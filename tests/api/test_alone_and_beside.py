"""The API under a real server: alone, without an engine; and beside the pages, without touching them."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import subprocess
import sys
import threading

import pytest

from f1core.settings import REPOSITORY
from tests.api.installation import Installation, free_port, served
from tests.conftest import jobs_environment
from warehouse.vocab import Stage

ENGINES = (
    "duckdb",
    "deltalake",
    "numpy",
    "polars",
    "pyarrow",
    "pandas",
    "sklearn",
    "xgboost",
    "models",
    "streamlit",
)

ASK = """
import asyncio, json, sys
import f1core.api
after_import = sorted({name.split(".")[0] for name in sys.modules})
async def ask(path):
    sent = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
             "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
    await f1core.api.application(scope, receive, send)
    return sent[0]["status"]
paths = ["/api/predict/las-vegas/2026", "/api/predict/sao-paulo/2026", "/api/predict/qatar/2026", "/api/predict/next",
         "/api/predict/no-such-race/2026", "/api/predict/x/abcd", "/api/v1/predictions/upcoming", "/api/openapi.json"]
statuses = [asyncio.run(ask(path)) for path in paths]
after_answers = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps([after_import, statuses, after_answers]))
"""


def test_predictions_need_neither_an_engine_nor_a_model(installation: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=REPOSITORY,
        env=jobs_environment(installation.root, PARCFERME_CLOCK="2026-11-20T12:00Z"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    after_import, statuses, after_answers = json.loads(done.stdout)
    assert statuses == [200, 200, 404, 200, 404, 422, 200, 200]
    assert set(after_import).isdisjoint(ENGINES)
    assert set(after_answers).isdisjoint(ENGINES)
    assert "fastapi" in after_import, "the test would prove nothing"


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            method, path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def check_answers(port: int, installation: Installation) -> None:
    """What must be the same alone and beside the pages."""
    sealed = installation.record_path("2026-las-vegas", Stage.PRE_QUALIFYING).read_bytes()
    address = "/api/predict/las-vegas/2026"
    status, headers, body = ask(port, address)
    assert (status, body) == (200, sealed)
    tag = headers["etag"]
    assert tag == f'"{json.loads(sealed)["hash"]}"'
    status, headers, body = ask(port, address, Accept_Encoding="gzip")
    assert (status, headers["content-encoding"], gzip.decompress(body)) == (200, "gzip", sealed)
    assert headers["etag"] == tag[:-1] + '-gzip"'
    assert ask(port, address, If_None_Match=tag)[0::2] == (304, b"")
    status, headers, body = ask(port, address, "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(sealed)), b"")
    status, headers, body = ask(port, address, Origin="https://a.example")
    assert headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in headers
    bad = {
        "/api/predict/nobody/2026": 404,
        "/api/predict/las-vegas/abcd": 422,
        "/api/predict/../../etc/passwd": 404,
        "/api/predict/..%2f..%2fetc%2fpasswd/2026": 404,
        "/api/predict/las-vegas/2026?q=" + "x" * 5000: 414,
    }
    for path, expected in bad.items():
        status, headers, body = ask(port, path)
        assert (status, json.loads(body)["status"]) == (expected, expected), path
    assert ask(port, address, "POST")[0] == 405
    assert json.loads(ask(port, "/api/openapi.json")[2])["servers"] == [{"url": "/api"}]
    assert b"<h1>" in ask(port, "/api/docs")[2]
    # The server itself refuses what does not fit into its buffer; it may also hang up while we still send.
    with contextlib.suppress(ConnectionError, http.client.RemoteDisconnected):
        assert ask(port, f"{address}?q={'x' * 10_000_000}")[0] in (400, 414, 431)
    assert ask(port, address)[2] == sealed, "and it is still there"


def test_alone_under_uvicorn(installation: Installation) -> None:
    port = free_port()
    command = ["uvicorn", "f1core.api:application", "--port", str(port), "--log-level", "warning"]
    with served(command, installation.root, port):
        check_answers(port, installation)
        assert ask(port, "/")[0] == 404
        assert ask(port, "/api/v1/health")[0] == 200


def test_documents_that_change_under_readers_are_always_whole(installation: Installation) -> None:
    """A provisional document is replaced all the time while four clients read it."""
    from warehouse.files import write_atomically

    path = installation.documents / "provisional" / "2026-qatar.race.pre_weekend.json"
    first = path.read_bytes()
    bodies = [first.replace(b'"v"', f'"{number}{"x" * number}"'.encode()) for number in range(40)]
    port, stop, torn = free_port(), threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            status, headers, body = ask(port, "/api/predict/qatar/2026?kind=provisional")
            if status != 200 or body not in known or int(headers["content-length"]) != len(body):
                torn.append((status, body[:80]))

    known = {first, *bodies}
    command = ["uvicorn", "f1core.api:application", "--port", str(port), "--log-level", "warning"]
    with served(command, installation.root, port):
        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for body in bodies:
            write_atomically(path, body, durable=False)
        stop.set()
        for reader in readers:
            reader.join()
        assert torn == []
        assert ask(port, "/api/predict/qatar/2026?kind=provisional")[2] == bodies[-1]


@pytest.mark.slow
def test_beside_the_pages(installation: Installation) -> None:
    port = free_port()
    command = ["streamlit", "run", "server.py", "--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    with served(command, installation.root, port):
        check_answers(port, installation)
        assert ask(port, "/_stcore/health")[0::2] == (200, b"ok")
        for page in ("/", "/race", "/accuracy"):
            status, headers, body = ask(port, page)
            assert (status, headers["content-type"].split(";")[0]) == (200, "text/html")
            assert b"<title>Streamlit</title>" in body
        assert ask(port, "/apiary")[1]["content-type"].startswith("text/html"), "only /api is the API's"
