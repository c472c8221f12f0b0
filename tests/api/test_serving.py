"""Validators, compression, caching and other origins: what proxies, browsers and pages rely on."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from f1core.api.serving import accepts_gzip, matches
from tests.api.installation import Installation, TestClient
from warehouse.vocab import Stage

SEALED = "/api/predict/las-vegas/2026?kind=sealed&stage=pre_weekend"
PLAIN = {"accept-encoding": "identity"}
PACKED = {"accept-encoding": "gzip"}


def test_the_tag_of_a_sealed_record_is_its_hash(client: TestClient) -> None:
    answer = client.get(SEALED, headers=PLAIN)
    assert answer.headers["etag"] == f'"{answer.json()["hash"]}"'


def test_other_documents_are_tagged_by_their_bytes(client: TestClient) -> None:
    import hashlib

    answer = client.get("/api/predict/sao-paulo/2026", headers=PLAIN)
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'


@pytest.mark.parametrize("address", [SEALED, "/api/predict/next", "/api/v1/predictions/upcoming"])
@pytest.mark.parametrize("accept", [PLAIN, PACKED])
def test_who_has_it_already_is_told_so(client: TestClient, address: str, accept: dict[str, str]) -> None:
    full = client.get(address, headers=accept)
    tag = full.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*", tag.replace("-gzip", "")):
        answer = client.get(address, headers={**accept, "if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b""), known
        for name in ("etag", "vary", "cache-control"):
            assert answer.headers[name] == full.headers[name]
        assert "content-length" not in answer.headers
    for other in ('"other"', tag.strip('"'), '""', "W/", ","):
        assert client.get(address, headers={**accept, "if-none-match": other}).status_code == 200, other


def test_compressed_bytes_have_a_tag_of_their_own_and_the_same_contents(client: TestClient) -> None:
    plain, packed = client.get(SEALED, headers=PLAIN), client.get(SEALED, headers=PACKED)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    assert packed.content == plain.content  # the client unpacks
    with client.stream("GET", SEALED, headers=PACKED) as raw:
        body = b"".join(raw.iter_raw())
    assert len(body) == int(raw.headers["content-length"]) < len(plain.content)
    assert gzip.decompress(body) == plain.content


def test_the_same_record_is_always_packed_into_the_same_bytes(installation: Installation) -> None:
    bodies = set()
    for _ in range(2):
        with installation.client().stream("GET", SEALED, headers=PACKED) as raw:
            bodies.add(b"".join(raw.iter_raw()))
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True), ("gzip, deflate, br", True), ("GZIP;q=0.5", True), ("*", True), ("x-gzip", True),
        ("", False), ("identity", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.0", False),
        ("*;q=0", False), ("gzip;q=0, *", False), ("gzip;q=x", False), (";;,,", False),
    ],
)  # fmt: skip
def test_who_takes_gzip(header: str, takes: bool) -> None:
    assert accepts_gzip(header) is takes


def test_a_tag_is_compared_whole() -> None:
    assert not matches('"abc"', "ab")
    assert not matches('"abc', "abc")
    assert matches(' W/"abc-gzip" , "x"', "abc")


@pytest.mark.parametrize("address", [SEALED, "/api/v1/predictions/upcoming", "/api/v1/health", "/api/docs"])
@pytest.mark.parametrize("accept", [PLAIN, PACKED])
def test_head_answers_the_headers_of_get_and_nothing_else(
    client: TestClient, address: str, accept: dict[str, str]
) -> None:
    got, asked = client.get(address, headers=accept), client.head(address, headers=accept)
    assert asked.status_code == got.status_code == 200
    assert asked.content == b""
    names = ["content-type", "cache-control", "vary", "content-location"]
    if "health" not in address:  # it tells the time
        names += ["content-length", "etag"]
    for name in names:
        assert asked.headers.get(name) == got.headers.get(name), name


@pytest.mark.parametrize(
    ("address", "for_ever"),
    [
        (SEALED, True),
        ("/api/predict/las-vegas/2026?kind=sealed&stage=pre_weekend&target=race", True),
        ("/api/predict/las-vegas/2026?kind=sealed", False),
        ("/api/predict/las-vegas/2026?stage=pre_weekend", False),
        ("/api/predict/next?kind=sealed&stage=pre_weekend", False),
        ("/api/predict/next/2026?kind=sealed&stage=pre_weekend", False),
        ("/api/predict/22/2026?kind=sealed&stage=pre_weekend", False),  # rounds move
        ("/api/predict/vegas/2026?kind=sealed&stage=pre_weekend", False),  # names may come to mean another
        ("/api/predict/sao-paulo/2026?kind=backtest&stage=pre_race", False),
        ("/api/predict/qatar/2026?kind=provisional&stage=pre_weekend", False),
    ],
)
def test_only_what_can_never_change_may_be_kept_for_ever(
    client: TestClient, address: str, for_ever: bool
) -> None:
    cache = client.get(address).headers["cache-control"]
    assert ("immutable" in cache) is for_ever
    assert ("must-revalidate" in cache) is not for_ever


# --- other origins ----------------------------------------------------------------------------------------------------

OURS = "https://fans.example"


def origin_headers(answer: Any) -> dict[str, str]:
    return {key: value for key, value in answer.headers.items() if key.startswith("access-control")}


def test_every_origin_may_read_by_default(client: TestClient) -> None:
    for headers in ({}, {"origin": OURS}):
        answer = client.get(SEALED, headers=headers)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "ETag" in answer.headers["access-control-expose-headers"]
        assert "Origin" not in answer.headers["vary"]


def test_only_listed_origins_may_read_and_caches_know_it(installation: Installation) -> None:
    client = installation.client(allowed_origins=f"{OURS}, http://localhost:3000")
    for address in (SEALED, "/api/predict/qatar/2026", "/api/predict/x/y", "/nothing"):
        allowed = client.get(address, headers={"origin": OURS})
        assert allowed.headers["access-control-allow-origin"] == OURS, "errors can be read too"
        for headers in ({"origin": "https://other.example"}, {}):
            refused = client.get(address, headers=headers)
            assert origin_headers(refused) == {}
            assert refused.status_code == allowed.status_code
            assert "Origin" in refused.headers["vary"]
    assert client.get(SEALED, headers=PACKED).headers["vary"] == "Accept-Encoding, Origin"


def test_no_origin_may_read_where_none_is_allowed(installation: Installation) -> None:
    answer = installation.client(allowed_origins="none").get(SEALED, headers={"origin": OURS})
    assert origin_headers(answer) == {}


def test_a_browser_that_asks_first_is_answered(installation: Installation) -> None:
    client = installation.client(allowed_origins=OURS)
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "if-none-match"}
    answer = client.options(SEALED, headers={"origin": OURS, **asked})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == OURS
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert "if-none-match" in answer.headers["access-control-allow-headers"].lower()
    other = client.options(SEALED, headers={"origin": "https://other.example", **asked})
    assert "access-control-allow-origin" not in other.headers


def test_no_cookie_is_ever_set(client: TestClient) -> None:
    for address in (SEALED, "/api/v1/health", "/api/docs", "/api/nothing"):
        assert not re.search("set-cookie", str(client.get(address).headers), re.IGNORECASE)


def test_the_stages_in_the_ledger_are_those_of_the_vocabulary(installation: Installation) -> None:
    names = {path.name.split(".")[2] for path in installation.ledger.records.iterdir()}
    assert names <= {stage.value for stage in Stage}
