"""Calendar files: what RFC 5545 asks for, and what people's calendars need to move an entry instead of doubling it."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.ics import DOMAIN, Entry, calendar_file, session_uid

STAMP = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


def entry(uid: str = "a@b", **more: object) -> Entry:
    fields = {"starts_at": START, "ends_at": START + dt.timedelta(hours=2), "summary": "Race", **more}
    return Entry(uid, **fields)  # type: ignore[arg-type]


def lines_of(body: bytes) -> list[str]:
    """Content lines, unfolded as RFC 5545 3.1 says."""
    text = body.decode()
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def value_of(lines: list[str], name: str) -> str:
    (found,) = [line for line in lines if line.startswith(name)]
    return found[len(name) :]


def unescaped(text: str) -> str:
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            out += {"n": "\n", "N": "\n"}.get(text[at + 1], text[at + 1])
            at += 2
        else:
            out += text[at]
            at += 1
    return out


def test_a_calendar_has_what_the_standard_asks_for() -> None:
    lines = lines_of(calendar_file("Formula 1, 2026", [entry(session_uid("2026-las-vegas", "race"))], STAMP))
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-1] == "END:VCALENDAR"
    assert lines[1] == "VERSION:2.0" and value_of(lines, "PRODID:")
    assert value_of(lines, "UID:") == f"2026-las-vegas.race@{DOMAIN}"
    assert value_of(lines, "DTSTAMP:") == "20261120T120000Z"
    assert value_of(lines, "DTSTART:") == "20261122T040000Z"
    assert value_of(lines, "DTEND:") == "20261122T060000Z"
    assert value_of(lines, "X-WR-CALNAME:") == "Formula 1\\, 2026"
    assert value_of(lines, "STATUS:") == "CONFIRMED"


def test_times_of_any_zone_are_written_in_utc() -> None:
    local = dt.datetime(2026, 11, 21, 20, tzinfo=ZoneInfo("America/Los_Angeles"))
    lines = lines_of(calendar_file("x", [entry(starts_at=local, ends_at=local)], STAMP))
    assert value_of(lines, "DTSTART:") == "20261122T040000Z"


def test_a_known_day_without_an_hour_is_an_all_day_entry() -> None:
    lines = lines_of(calendar_file("x", [entry(is_day_only=True, is_tentative=True)], STAMP))
    assert value_of(lines, "DTSTART;VALUE=DATE:") == "20261122"
    assert value_of(lines, "DTEND;VALUE=DATE:") == "20261123", "the end is not part of it"
    assert value_of(lines, "STATUS:") == "TENTATIVE"


def test_a_cancelled_session_keeps_its_identity() -> None:
    body = calendar_file("x", [entry("u@v", is_cancelled=True, is_tentative=True)], STAMP)
    lines = lines_of(body)
    assert value_of(lines, "UID:") == "u@v" and value_of(lines, "STATUS:") == "CANCELLED"


@settings(max_examples=25, deadline=None)
@given(
    st.text(
        alphabet=st.characters(min_codepoint=32, max_codepoint=0x1F600, exclude_categories=("Cs", "Cc")),
        max_size=120,
    )
)
def test_words_come_back_as_they_went_in_and_no_line_is_too_long(words: str) -> None:
    body = calendar_file("x", [entry(summary="s" + words, description="a\nb;" + words)], STAMP)
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    for line in body.split(b"\r\n"):
        line.decode()  # no letter is cut in two
    lines = lines_of(body)
    assert unescaped(value_of(lines, "SUMMARY:")) == "s" + words
    assert unescaped(value_of(lines, "DESCRIPTION:")) == "a\nb;" + words


def test_nothing_can_be_smuggled_into_a_file() -> None:
    lines = lines_of(calendar_file("x", [entry(summary="a\r\nATTENDEE:mailto:x@y\x00")], STAMP))
    assert value_of(lines, "SUMMARY:") == "a\\nATTENDEE:mailto:x@y"
    assert not [line for line in lines if line.startswith("ATTENDEE")]


def test_order_does_not_matter_and_equal_input_gives_equal_bytes() -> None:
    entries = [entry("b@c", starts_at=START - dt.timedelta(days=1)), entry("a@c"), entry("c@c")]
    assert calendar_file("x", entries, STAMP) == calendar_file("x", entries[::-1], STAMP)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry(), entry()], "one UID"),
        ([entry(starts_at=START.replace(tzinfo=None), ends_at=START.replace(tzinfo=None))], "no time zone"),
        ([entry(ends_at=START - dt.timedelta(hours=1))], "ends before it starts"),
    ],
)
def test_what_no_calendar_could_read_is_refused(entries: list[Entry], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        calendar_file("x", entries, STAMP)
