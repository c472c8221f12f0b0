"""Asking hosts on the network: what is tried again and what is not, whole answers only, nothing told that is secret."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from f1core.sources import exchange, http
from f1core.sources.limits import Quota
from tests.local_server import FakeTime, LocalServer, Reply, Request
from warehouse.errors import (
    NotPublished,
    ParcFermeError,
    SourceError,
    SourceSchemaError,
    SourceUnavailable,
    WarehouseError,
)

BODY = os.urandom(200_000)


# --- answers ----------------------------------------------------------------------------------------------------------


def test_the_product_names_itself_and_every_request_is_counted(server: LocalServer, quota: Quota) -> None:
    url = server.give("/x", Reply(b'{"a": 1}', headers={"ETag": '"v1"', "Last-Modified": "yesterday"}))
    answer = http.get(url, quota=quota, params={"q": "1"}, expect_json=True)
    assert (answer.status, answer.json(), answer.etag, answer.last_modified) == (
        200,
        {"a": 1},
        '"v1"',
        "yesterday",
    )
    assert server.requests[0].headers["user-agent"].startswith("parc-ferme/")
    assert server.requests[0].query == {"q": "1"}
    assert quota.left("127.0.0.1").used == 1


def test_an_answer_that_did_not_change_is_not_sent_again(server: LocalServer, quota: Quota) -> None:
    def by_etag(request: Request) -> Reply:
        same = request.headers.get("if-none-match") == '"v1"'
        return Reply(status=304) if same else Reply(b"new", headers={"ETag": '"v1"'})

    server.routes["/x"] = by_etag
    first = http.get(server.url("/x"), quota=quota)
    second = http.get(server.url("/x"), quota=quota, etag=first.etag, expect_json=True)
    assert (first.body, first.not_modified) == (b"new", False)
    assert (second.body, second.not_modified) == (b"", True)


def test_a_compressed_answer_is_unpacked(server: LocalServer, quota: Quota) -> None:
    url = server.give("/x", Reply(gzip.compress(BODY), headers={"Content-Encoding": "gzip"}))
    assert http.get(url, quota=quota).body == BODY


def test_something_else_than_json_is_an_error(server: LocalServer, quota: Quota) -> None:
    url = server.give("/x", Reply(b"<html>log in</html>"))
    with pytest.raises(SourceSchemaError, match=r"127\.0\.0\.1 did not answer with JSON"):
        http.get(url, quota=quota, expect_json=True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_that_is_too_large_is_not_taken(server: LocalServer, quota: Quota, announced: bool) -> None:
    url = server.give("/x", Reply(BODY, length=announced))
    with pytest.raises(SourceError, match="larger than 1000 bytes"):
        http.get(url, quota=quota, max_bytes=1000)
    # What unpacks to more than is taken is refused, too, however small it is on the wire.
    bomb = gzip.compress(bytes(2_000_000))
    url = server.give("/y", Reply(bomb, headers={"Content-Encoding": "gzip"}, length=announced))
    with pytest.raises(SourceError, match="larger than 10000 bytes"):
        http.get(url, quota=quota, max_bytes=10_000)


# --- faults -----------------------------------------------------------------------------------------------------------


def test_passing_faults_are_tried_again_with_growing_waits(
    server: LocalServer, quota: Quota, clock: FakeTime
) -> None:
    url = server.give("/x", Reply(status=503), Reply(status=500), Reply(status=502), Reply(b"at last"))
    assert http.get(url, quota=quota).body == b"at last"
    assert len(clock.waits) == 3
    assert all(low <= wait <= low + 1 for low, wait in zip((1, 2, 4), clock.waits, strict=True))
    assert quota.left("127.0.0.1").used == 4


def test_a_fault_that_stays_is_an_error_that_names_the_host(server: LocalServer, quota: Quota) -> None:
    url = server.give("/x", Reply(b'{"message": "out of order"}', status=500))
    with pytest.raises(
        SourceUnavailable, match=r"127\.0\.0\.1 .*status 500: out of order \(4 attempts\)"
    ) as caught:
        http.get(url, quota=quota)
    assert caught.value.hint and caught.value.retry_after_s is None
    assert len(server.requests) == 4


def test_retry_after_is_honoured_in_seconds_and_as_a_date(
    server: LocalServer, quota: Quota, clock: FakeTime
) -> None:
    date = email.utils.formatdate(clock.at + 60, usegmt=True)
    url = server.give(
        "/x",
        Reply(status=429, headers={"Retry-After": "17"}),
        Reply(status=503, headers={"Retry-After": date}),
        Reply(b"ok"),
    )
    assert http.get(url, quota=quota).body == b"ok"
    assert 17 < clock.waits[0] <= 18
    assert clock.at >= 1_790_000_060.0
    assert 41 < clock.waits[1] <= 44


def test_a_long_pause_is_not_waited_for_and_holds_for_all_processes(
    server: LocalServer, quota: Quota, clock: FakeTime
) -> None:
    url = server.give("/x", Reply(status=429, headers={"Retry-After": "900"}))
    with pytest.raises(SourceUnavailable) as caught:
        http.get(url, quota=quota)
    assert (caught.value.retry_after_s, clock.waits, len(server.requests)) == (900, [], 1)
    another = Quota(quota.path, now=clock.now, sleep=clock.sleep)
    with pytest.raises(SourceUnavailable, match="asked to be left alone") as caught:
        http.get(url, quota=another)
    assert caught.value.retry_after_s == pytest.approx(900) and len(server.requests) == 1
    clock.at += 901
    server.give("/x", Reply(b"ok"))
    assert http.get(url, quota=another).body == b"ok"


def test_a_used_up_limit_said_with_403_is_a_pause_and_any_other_403_a_refusal(
    server: LocalServer, quota: Quota, clock: FakeTime
) -> None:
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(clock.at) + 1200)}
    with pytest.raises(SourceUnavailable) as caught:
        http.get(server.give("/x", Reply(status=403, headers=spent)), quota=quota)
    assert caught.value.retry_after_s == 1200
    clock.at += 1201
    with pytest.raises(SourceError) as refused:
        http.get(server.give("/y", Reply(status=403)), quota=quota)
    assert not isinstance(refused.value, SourceUnavailable)


def test_a_host_that_does_not_answer(server: LocalServer, quota: Quota) -> None:
    done = threading.Event()
    url = server.give("/x", Reply(b"late", before=done.wait))
    try:
        with pytest.raises(SourceUnavailable, match=r"no answer in time \(2 attempts\)"):
            http.get(url, quota=quota, timeout=(1.0, 0.05), retries=1)
    finally:
        done.set()


def test_a_host_that_refuses_the_connection(quota: Quota) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1 cannot be used now: no connection"):
            http.get(f"http://127.0.0.1:{port}/x?token=hush", quota=quota)


def test_a_host_that_sends_too_slowly(
    server: LocalServer, quota: Quota, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = iter(range(0, 10**6, 1000))
    monkeypatch.setattr(exchange, "_monotonic", lambda: float(next(passing)))
    with pytest.raises(SourceUnavailable, match="the answer is too slow"):
        http.get(server.give("/x", Reply(BODY)), quota=quota)


@pytest.mark.parametrize("chunked", [False, True])
def test_half_an_answer_is_none(server: LocalServer, quota: Quota, chunked: bool) -> None:
    if chunked:
        cut = Reply(b"5\r\nhello\r\n5\r\nwo", headers={"Transfer-Encoding": "chunked"}, length=False)
        whole = Reply(b"5\r\nhello\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"}, length=False)
    else:
        cut, whole = Reply(b"hello", cut=3), Reply(b"hello")
    assert http.get(server.give("/x", cut, whole), quota=quota).body == b"hello"
    with pytest.raises(SourceUnavailable, match="cut short"):
        http.get(server.give("/y", cut), quota=quota)


def test_missing_is_not_yet_only_where_that_is_said(server: LocalServer, quota: Quota) -> None:
    with pytest.raises(NotPublished, match="No laps yet"):
        http.get(server.url("/none"), quota=quota, not_published="No laps yet.")
    with pytest.raises(SourceError, match=r"/none \(status 404\)"):
        http.get(server.url("/none"), quota=quota)
    assert len(server.requests) == 2


def test_a_wrong_address_is_no_passing_fault(quota: Quota, clock: FakeTime) -> None:
    with pytest.raises(SourceError, match="not valid") as caught:
        http.get("http://[::1/x", quota=quota)
    assert not isinstance(caught.value, SourceUnavailable)
    assert clock.waits == []


def test_nothing_is_asked_offline(server: LocalServer, tmp_path: Path) -> None:
    quota = Quota(tmp_path / "quota.sqlite", offline=True)
    with pytest.raises(SourceUnavailable, match="PARCFERME_OFFLINE"):
        http.get(server.give("/x", Reply(b"ok")), quota=quota)
    assert server.requests == []


# --- secrets and redirects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 500])
def test_secrets_are_in_no_message(server: LocalServer, quota: Quota, status: int) -> None:
    server.routes["/x"] = lambda request: Reply(
        f'{{"reason": "bad {request.query} {request.headers["authorization"]}"}}'.encode(), status=status
    )
    url = server.url("/x?apikey=query-secret").replace("//", "//user:password-secret@")
    with pytest.raises(ParcFermeError) as caught:
        http.get(
            url,
            quota=quota,
            params={"access_token": "other-secret"},
            headers={"Authorization": "Bearer header-secret"},
            retries=0,
        )
    assert "bad" in str(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.__cause__!r}"
    assert caught.value.__cause__ is None


def test_credentials_stay_with_the_host_they_were_given_for(
    server: LocalServer, quota: Quota, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login a password b\nmachine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.give("/end", Reply(b"ok"))
    server.give("/near", Reply(status=302, headers={"Location": "/end"}))
    server.give("/far", Reply(status=302, headers={"Location": server.url("/end", host="localhost")}))
    headers = {"Authorization": "Bearer s3cret"}
    assert http.get(server.url("/near"), quota=quota, headers=headers).body == b"ok"
    assert http.get(server.url("/far"), quota=quota, headers=headers).body == b"ok"
    assert http.get(server.url("/end"), quota=quota).body == b"ok"
    near, far, plain = server.asked("/end")
    assert near.headers["authorization"] == "Bearer s3cret"
    assert "authorization" not in far.headers and "authorization" not in plain.headers
    # Every hop is a request of the host that answers it.
    assert (quota.left("127.0.0.1").used, quota.left("localhost").used) == (4, 1)


def test_redirects_without_end_or_to_plain_text_are_refused(server: LocalServer, quota: Quota) -> None:
    server.give("/x", Reply(status=302, headers={"Location": "/x"}))
    with pytest.raises(SourceError, match="redirects without end"):
        http.get(server.url("/x"), quota=quota)
    with pytest.raises(SourceError, match="not encrypted"):
        exchange.next_hop("https://example.org/a", "http://example.org/b")
    with pytest.raises(SourceError, match="not encrypted"):
        exchange.next_hop("http://example.org/a", "file:///etc/passwd")
    assert exchange.next_hop("https://example.org/a/b", "../c") == "https://example.org/c"


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_fetched_whole(server: LocalServer, quota: Quota, tmp_path: Path) -> None:
    path = tmp_path / "new" / "big.zip"
    digest = hashlib.sha256(BODY).hexdigest()
    url = server.give("/big", Reply(BODY, headers={"ETag": '"b"'}))
    done = http.download(url, path, quota=quota, sha256=digest)
    assert (done.path, done.size, done.sha256, done.etag) == (path, len(BODY), digest, '"b"')
    assert path.read_bytes() == BODY and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_where_it_broke_or_starts_again(
    server: LocalServer, quota: Quota, tmp_path: Path, ranges: bool
) -> None:
    replies = iter([{"cut": 120_000}, {"status": 503}, {}])

    def give(request: Request) -> Reply:
        how = next(replies)
        wanted = request.headers.get("range")
        if how.get("status"):
            return Reply(status=503)
        if ranges and wanted and request.headers.get("if-range") == '"b"':
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            sent = {"Content-Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}", "ETag": '"b"'}
            return Reply(BODY[start:], status=206, headers=sent)
        return Reply(BODY, headers={"ETag": '"b"'}, **how)

    server.routes["/big"] = give
    path = tmp_path / "big.zip"
    assert http.download(server.url("/big"), path, quota=quota).size == len(BODY)
    assert path.read_bytes() == BODY
    assert server.requests[-1].headers["range"] == "bytes=120000-"
    assert server.requests[-1].headers["if-range"] == '"b"'  # a part of another version is never wanted


def test_a_file_that_changed_between_two_attempts_is_not_pasted_together(
    server: LocalServer, quota: Quota, tmp_path: Path
) -> None:
    other = bytes(reversed(BODY))
    # The second server ignores If-Range and sends a part that does not fit: it is asked for the whole.
    server.give(
        "/big",
        Reply(BODY, headers={"ETag": '"1"'}, cut=50_000),
        Reply(other[60_000:], status=206, headers={"Content-Range": f"bytes 60000-199999/{len(other)}"}),
        Reply(other, headers={"ETag": '"2"'}),
    )
    path = tmp_path / "big.zip"
    http.download(server.url("/big"), path, quota=quota)
    assert path.read_bytes() == other
    assert "range" not in server.requests[-1].headers


@pytest.mark.parametrize("fault", ["checksum", "cut", "refused by the reader", "missing", "too large"])
def test_nothing_half_written_stays_and_the_old_file_does(
    server: LocalServer, quota: Quota, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "big.zip"
    path.write_bytes(b"old")
    stray = tmp_path / ".big.zip.0123.part"
    stray.write_bytes(b"left by a process that was killed")
    os.utime(stray, (time.time() - 3600,) * 2)

    def refuse(fetched: Path) -> None:
        assert fetched.read_bytes() == BODY and path.read_bytes() == b"old"
        raise SourceError("not what it should be")

    url = server.give("/big", Reply(BODY, cut=100 if fault == "cut" else None))
    with pytest.raises((SourceError, NotPublished)):
        http.download(
            server.url("/none") if fault == "missing" else url,
            path,
            quota=quota,
            sha256="0" * 64 if fault == "checksum" else None,
            accept=refuse if fault == "refused by the reader" else None,
            max_bytes=1000 if fault == "too large" else 10**9,
            not_published="Not there yet.",
        )
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p.name != "jobs"] == ["big.zip"]


def test_a_disk_that_refuses_is_named(server: LocalServer, quota: Quota, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WarehouseError, match=r"file cannot be written"):
        http.download(server.give("/big", Reply(BODY)), tmp_path / "file" / "big.zip", quota=quota)
    assert server.requests == []
