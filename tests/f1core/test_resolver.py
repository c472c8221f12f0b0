"""The resolver: what people call a race, and what they hear when nothing answers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import f1core.resolver
from f1core.clock import Clock
from f1core.resolver import normalise, resolve
from tests.conftest import ingest_into
from tests.made_up_archive import Championship
from warehouse.errors import AmbiguousEvent, UnknownEvent
from warehouse.queries.events import event_names, sessions
from warehouse.reader import Reader

JULY_2026 = Clock.at("2026-07-01T12:00Z")
IN_2025 = Clock.at("2025-06-01T12:00Z")


@pytest.fixture(scope="module")
def names(reader: Reader) -> pl.DataFrame:
    return event_names(reader)


@pytest.fixture
def fast(names: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are asked for once, not at every one of a thousand questions."""
    monkeypatch.setattr(f1core.resolver, "event_names", lambda _reader: names)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        *[
            (text, "2025-abu-dhabi")
            for text in ("Abu Dhabi", "abu-dhabi", "Yas Marina", "YAS MARINA", "24", "UAE")
        ],
        *[
            (text, "2025-sao-paulo")
            for text in ("Brazil", "Interlagos", "São Paulo", "sao paulo", "Sao Paulo GP")
        ],
        *[
            (text, "2025-great-britain")
            for text in ("Silverstone", "British Grand Prix", "UK", "silver", "Britain")
        ],
        *[(text, "2025-united-states") for text in ("COTA", "Austin", "United States", "USA", "us")],
        *[(text, "2025-belgium") for text in ("Spa", "Spa-Francorchamps", "spa francorchamps", "Belgian GP")],
        *[(text, "2025-italy") for text in ("Monza", "Italy", " italian grand prix ", "italy gp")],
        *[(text, "2025-emilia-romagna") for text in ("Imola", "Emilia-Romagna")],
        *[(text, "2025-spain") for text in ("Spain", "Barcelona", "spanish")],
        *[(text, "2025-saudi-arabia") for text in ("Saudi", "Jeddah", "saudi arabia")],
        *[(text, "2025-mexico") for text in ("Mexico City", "Mexico", "mexican grand prix")],
        ("Vegas", "2025-las-vegas"),
        ("Monte Carlo", "2025-monaco"),
        ("1", "2025-australia"),
        ("01", "2025-australia"),
        ("#3", "2025-japan"),
        ("2024-monaco", "2024-monaco"),
        ("2024 Brazil", "2024-sao-paulo"),
        ("2021-turkey", "2021-turkey"),
        ("1950 Silverstone", "1950-great-britain"),
    ],
)
def test_what_people_type(reader: Reader, text: str, event: str) -> None:
    assert resolve(reader, text, clock=IN_2025) == event


@pytest.mark.parametrize(
    ("text", "year", "event"),
    [
        ("Spain", 2026, "2026-spain"),
        ("Madrid", 2026, "2026-spain"),
        ("Barcelona", 2026, "2026-barcelona-catalunya"),
        ("Barcelona", 2024, "2024-spain"),
        ("Brazil", 2019, "2019-brazil"),
        ("Bahrain", 2020, "2020-bahrain"),
        ("Sakhir", 2020, "2020-sakhir"),
        ("Styria", 2020, "2020-styria"),
        ("24", 2024, "2024-abu-dhabi"),
        ("22", 2021, "2021-abu-dhabi"),
        ("16", 2026, "2026-bahrain"),
        ("Sepang", 2026, "2026-bahrain"),
        ("23", 2026, "2026-abu-dhabi"),
        ("2025-monaco", 2025, "2025-monaco"),
        ("Indianapolis", 1955, "1955-indianapolis"),
        ("Mosport", 1967, "1967-canada"),
    ],
)
def test_a_name_or_round_belongs_to_the_year_that_is_given(
    reader: Reader, text: str, year: int, event: str
) -> None:
    assert resolve(reader, text, year=year, clock=JULY_2026) == event


def test_without_a_year_it_is_the_clocks_season(reader: Reader) -> None:
    assert resolve(reader, "Brazil", clock=JULY_2026) == "2026-sao-paulo"
    assert resolve(reader, "Brazil", clock=Clock.at("2018-02-01")) == "2018-brazil"
    assert resolve(reader, "1", clock=Clock.at("2031-02-01")) == "2026-australia", (
        "the newest season there is"
    )
    assert resolve(reader, "Monaco", clock=Clock.at("1900-01-01")) == "1950-monaco", (
        "the first season there is"
    )


@pytest.mark.usefixtures("fast")
def test_every_event_answers_to_its_own_names(reader: Reader, names: pl.DataFrame) -> None:
    """All 1172 of them: id, grand prix, title and round in their season."""
    wrong = []
    for row in names.iter_rows(named=True):
        for column in ("event_id", "grand_prix_id", "grand_prix_name", "full_name", "short_name", "round"):
            try:
                found = resolve(reader, str(row[column]), year=row["season"], clock=JULY_2026)
            except UnknownEvent as error:
                found = error.message
            if found != row["event_id"]:
                wrong.append((row["event_id"], row[column], found))
        if resolve(reader, row["event_id"], clock=JULY_2026) != row["event_id"]:
            wrong.append((row["event_id"], "", ""))
    assert wrong == []


# --- next and last ----------------------------------------------------------------------------------------------------


def instants(reader: Reader, event: str) -> tuple[dt.datetime, dt.datetime]:
    race = sessions(reader, event).filter(pl.col("session") == "race").row(0, named=True)
    return race["starts_at"], race["known_at"]


def test_next_and_last_before_during_and_after_a_race(reader: Reader) -> None:
    start, end = instants(reader, "2025-italy")
    second = dt.timedelta(seconds=1)
    told = [
        (
            resolve(reader, "next", clock=Clock.at(now)),
            resolve(reader, "last", clock=Clock.at(now)),
        )
        for now in (start - dt.timedelta(days=3), start - second, start, end - second, end, end + second)
    ]
    assert told == [
        *[("2025-italy", "2025-netherlands")] * 4,
        *[("2025-azerbaijan", "2025-italy")] * 2,
    ], "a race is next until its result can be known"


def test_next_crosses_the_winter(reader: Reader) -> None:
    winter = Clock.at("2026-01-15T00:00Z")
    assert resolve(reader, "next", clock=winter) == "2026-australia"
    assert resolve(reader, "last", clock=winter) == "2025-abu-dhabi"


def test_after_the_last_race_the_season_is_over(reader: Reader) -> None:
    for text in ("next", "NEXT", "next race" if normalise("next race") == "next" else "next gp"):
        with pytest.raises(UnknownEvent, match="season is over"):
            resolve(reader, text, clock=Clock.at("2026-12-31"))
    assert resolve(reader, "last", clock=Clock.at("2026-12-31")) == "2026-abu-dhabi"
    with pytest.raises(UnknownEvent, match="season is over"):
        resolve(reader, "next", year=2024, clock=JULY_2026)


def test_before_the_first_race_there_is_no_last(reader: Reader) -> None:
    with pytest.raises(UnknownEvent, match="No race has been held yet"):
        resolve(reader, "last", clock=Clock.at("1949-01-01"))
    assert resolve(reader, "next", clock=Clock.at("1949-01-01")) == "1950-great-britain"


def test_next_and_last_of_a_season(reader: Reader) -> None:
    assert resolve(reader, "last", year=2024, clock=JULY_2026) == "2024-abu-dhabi"
    assert resolve(reader, "next", year=2026, clock=JULY_2026) == "2026-great-britain"
    with pytest.raises(UnknownEvent, match="No race has been held yet"):
        resolve(reader, "last", year=2026, clock=IN_2025)


# --- nothing answers, or too much -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "year", "words"),
    [
        ("Silverstne", 2025, ["Silverstne", "2025", "Did you mean Great Britain"]),
        ("Abu Dabhi", 2025, ["Did you mean Abu Dhabi"]),
        ("Interlagoss", 2025, ["Did you mean São Paulo"]),
        ("Germany", 2025, ["last held in 2019", "--year 2019"]),
        ("Turkey", 2025, ["last held in 2021"]),
        ("99", 2025, ["no round 99", "1 to 24"]),
        ("0", 2025, ["no round 0"]),
        ("24", 2026, ["no round 24", "1 to 23"]),
        ("xyzzy", 2025, ["Races of 2025: Australia", "Abu Dhabi"]),
        ("monaco", 1949, ["no season 1949", "1950 to 2026"]),
        ("2049-monaco", None, ["no season 2049"]),
        ("", None, ["No race was named", "next"]),
        ("   ", None, ["No race was named"]),
    ],
)
def test_what_nobody_answers_to_is_answered_with_suggestions(
    reader: Reader, text: str, year: int | None, words: list[str]
) -> None:
    with pytest.raises(UnknownEvent) as caught:
        resolve(reader, text, year=year, clock=IN_2025)
    told = str(caught.value)
    for word in words:
        assert word in told
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "year", "events"),
    [
        ("Silverstone", 2020, ["2020-great-britain", "2020-70th-anniversary"]),
        ("Red Bull Ring", 2021, ["2021-styria", "2021-austria"]),
        ("United States of America", 2025, ["2025-miami", "2025-united-states", "2025-las-vegas"]),
        ("Italy", 2020, None),
    ],
)
def test_a_name_of_several_races_lists_them(
    reader: Reader, text: str, year: int, events: list[str] | None
) -> None:
    if events is None:  # the grand prix of that name goes before the country of two more
        assert resolve(reader, text, year=year, clock=IN_2025) == "2020-italy"
        return
    with pytest.raises(AmbiguousEvent) as caught:
        resolve(reader, text, year=year, clock=IN_2025)
    assert all(event in caught.value.message for event in events)
    assert caught.value.hint


def test_an_empty_calendar_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest_into(tmp_path / "data", Championship.of({2023: 1}).write(tmp_path / "archive"))
    found = Reader(tmp_path / "data" / "warehouse")
    empty = event_names(found).clear()
    monkeypatch.setattr(f1core.resolver, "event_names", lambda _: empty)
    with pytest.raises(UnknownEvent, match="calendar is empty") as caught:
        resolve(found, "next", clock=JULY_2026)
    assert "ingest" in caught.value.hint


def test_names_are_compared_without_case_accents_and_filler() -> None:
    assert normalise("Grande Prêmio de São  Paulo") == "grande premio de sao paulo"
    assert normalise("The British Grand Prix") == "british"
    assert normalise("Grand Prix") == "grand prix", "a name of filler only is kept"
    assert normalise("日本") == ""


WORDS = st.sampled_from(
    [
        "next",
        "last",
        "2025",
        "2025-",
        "-",
        "#",
        "grand",
        "prix",
        "gp",
        "monaco",
        "Abu",
        "spa",
        "circuit",
        "ü",
        "١٢",
        "'",
        "%",
    ]
)


@pytest.mark.usefixtures("fast")
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=30), st.lists(WORDS, max_size=5).map(" ".join), st.from_regex(r"#?\d{1,3}")
    ),
    year=st.one_of(st.none(), st.integers(1940, 2040)),
)
@example(text="#٣", year=2025)
@example(text="٢٠٢٥-monaco", year=None)
@example(text="\x00", year=None)
@example(text="2025-\n", year=None)
@example(text="日本", year=2025)
@example(text="9" * 400, year=2025)
def test_any_text_finds_a_race_or_is_refused_in_words(
    reader: Reader, names: pl.DataFrame, text: str, year: int | None
) -> None:
    try:
        found = resolve(reader, text, year=year, clock=IN_2025)
    except UnknownEvent as error:
        assert error.message
        assert error.hint
    else:
        assert found in set(names["event_id"])
        if year is not None:
            assert found.startswith(str(year))
