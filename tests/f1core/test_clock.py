"""The clock: what it reads, what it refuses, and that only the machine's own is real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1core.clock import Clock, parse_instant
from warehouse.errors import ParcFermeError

SIX_PM = datetime(2025, 12, 6, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-06T18:00Z",
        "2025-12-06t18:00z",
        " 2025-12-06 18:00Z ",
        "2025-12-06 18:00 Z",
        "2025-12-06T18:00:00Z",
        "2025-12-06T18:00:00.000Z",
        "2025-12-06T22:00+04:00",
        "2025-12-06T22:00+0400",
        "2025-12-06T13:00-05:00",
    ],
)
def test_one_instant_in_many_spellings(text: str) -> None:
    now = Clock.at(text).now()
    assert now == SIX_PM
    assert now.utcoffset() == timedelta(0)


def test_a_date_alone_is_its_first_instant_in_utc() -> None:
    assert Clock.at("2025-12-06").now() == datetime(2025, 12, 6, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2025-12-06T18:00", "2025-12-06 18:00:30"])
def test_a_time_without_a_zone_is_refused_and_shown_how(text: str) -> None:
    with pytest.raises(ParcFermeError, match="time zone") as caught:
        Clock.at(text)
    corrected = caught.value.hint.split("offset: ")[1].split(". ")[0]
    assert parse_instant(corrected).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *["", "yesterday", "next", "2025", "2025-12", "06.12.2025", "20251206T1800Z", "2025-W49-6", "18:00Z"],
        *["2025-13-01", "2025-02-30T10:00Z", "2025-12-06T25:00Z", "2025-12-06T18:61Z"],
        *["2025-12-06T18:00+99:00", "2025-12-06T18:00ZZ", "0001-01-01T00:00+10:00", "٢٠٢٥-12-06", "Z"],
    ],
)
def test_what_is_no_instant_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ParcFermeError) as caught:
        Clock.at(text)
    assert "2025-12-06T18:00Z" in caught.value.hint
    assert repr(text) in caught.value.message


@given(
    st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_what_is_written_is_read_back(naive: datetime, offset_min: int) -> None:
    instant = naive.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    assert parse_instant(instant.isoformat()) == instant


def test_a_simulated_clock_stands_still_and_says_so() -> None:
    clock = Clock.at("2025-12-06T18:00Z")
    assert clock.is_simulated
    assert clock.now() == clock.now() == SIX_PM


def test_the_system_clock_is_the_machines_and_is_aware() -> None:
    clock = Clock.system()
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.utcoffset() == timedelta(0)
    assert not clock.is_simulated


def test_a_datetime_must_be_aware_and_comes_out_in_utc() -> None:
    clock = Clock.at(datetime(2025, 12, 6, 22, tzinfo=timezone(timedelta(hours=4))))
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now() == SIX_PM
    with pytest.raises(ParcFermeError, match="no time zone"):
        Clock.at(datetime(2025, 12, 6, 18))
    with pytest.raises(ParcFermeError, match="no time zone"):
        Clock(datetime(2025, 12, 6, 18))


def test_set_to_the_present_it_is_still_simulated() -> None:
    assert Clock.at(datetime.now(UTC)).is_simulated
