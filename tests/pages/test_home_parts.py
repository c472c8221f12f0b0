"""The parts of Home: what moved, the last race graded, title odds, rain, the races after, questions to start from."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from f1core.championship_view import labelled_odds
from f1core.home_view import call_of
from f1core.review import review
from f1core.settings import REPOSITORY
from f1core.targets import PRODUCTION_MODEL
from pages.shell.home import moves_words
from tests.pages.conftest import HOME, Open
from warehouse.queries.championship import odds_seasons
from warehouse.queries.forecasts import prediction_entries
from warehouse.queries.results import event_result
from warehouse.reader import Reader


@pytest.fixture
def reader(small_data: Path) -> Reader:
    return Reader(small_data / "warehouse")


def test_who_moved_is_told_the_farthest_first() -> None:
    rows = pl.DataFrame({"driver_name": ["A", "B", "C"], "moved": [1, -4, 0]})
    assert moves_words(rows) == "Since the stage before, in places: B -4, A +1."
    assert moves_words(rows.with_columns(moved=pl.lit(0))) == "Nobody moved since the stage before."
    assert moves_words(rows.drop("moved")) == "", "there was no stage before"


def test_the_last_race_is_graded_as_the_tables_say(visit: Open, small_data: Path, reader: Reader) -> None:
    last = reader.query(
        "select event_id, full_name from events inner join grands_prix using (grand_prix_id) "
        "where status = 'held' order by race_date desc limit 1"
    ).row(0, named=True)
    entries = prediction_entries(reader, "backtest", last["event_id"], "pre_race", PRODUCTION_MODEL)
    rows = review(entries, event_result(reader, last["event_id"], "race"))
    call = call_of(rows)
    assert call is not None
    seen = visit(HOME, small_data)
    assert seen.says("The last race, graded")
    assert seen.says(f"We named **{call.named}** ({call.named_probability:.0%})")
    assert seen.says(f"{call.podium_hits} of 3 on the podium, {call.places_off:.1f} places off")
    winner = rows.filter(pl.col("position") == 1)["driver_name"][0]
    assert seen.says("right." if call.named == winner else f"**{winner}** won")
    assert f"race?event={last['event_id']}" in seen.links().values()


def test_title_odds_are_those_of_the_newest_round(visit: Open, small_data: Path, reader: Reader) -> None:
    season = odds_seasons(reader)[0]
    rows = labelled_odds(reader, season, "drivers")
    first = rows.filter(pl.col("event_id") == rows["event_id"][-1]).sort(
        "title_probability", descending=True, maintain_order=True
    )
    cards = {card.label: card for card in visit(HOME, small_data).at.metric}
    for row in first.head(3).iter_rows(named=True):
        share = row["title_probability"]
        told = "< 1 %" if 0 < share < 0.01 else "> 99 %" if 0.99 < share < 1 else f"{share:.0%}"
        assert cards[row["label"]].value == told
        assert cards[row["label"]].delta == f"{row['points']:g} points"


def test_rain_without_a_forecast_is_the_circuits_past_and_says_so(visit: Open, built_data: Path) -> None:
    seen = visit(HOME, built_data, clock="2026-05-28T12:00Z")
    assert seen.at.title[0].value == "Monaco Grand Prix 2026"
    card = next(card for card in seen.at.metric if card.label == "Wet races here")
    past = Reader(built_data / "warehouse").query(
        """
        select count(*) as races, sum(is_wet::int) as wet from session_summaries
        inner join events using (event_id)
        where session = 'race' and circuit_id = 'monaco' and is_wet is not null and events.season < 2026
        """
    )
    races, wet = past.row(0)
    assert card.value == f"{wet / races:.0%}"
    assert card.delta == f"of {races} since 2018: no forecast is stored"


def test_every_question_leads_to_a_page_that_is_there(visit: Open, small_data: Path, reader: Reader) -> None:
    seen = visit(HOME, small_data)
    assert seen.says("Questions to start from")
    questions = {label: target for label, target in seen.links().items() if label.endswith("?")}
    assert len(questions) == 7
    for label, target in questions.items():
        page = target.partition("?")[0]
        assert (REPOSITORY / "pages" / f"{page}.py").is_file(), label
    coming = reader.query(
        "select circuit_id from events where status = 'scheduled' order by race_date limit 1"
    )["circuit_id"][0]
    assert questions["How often is pole enough here?"] == f"circuits?circuit={coming}"


def test_the_two_races_after_the_next_are_named(visit: Open, built_data: Path) -> None:
    seen = visit(HOME, built_data, clock="2026-11-20T12:00Z")
    assert seen.says("Qatar Grand Prix 2026") and seen.says("Abu Dhabi Grand Prix 2026")
    last = visit(HOME, built_data, clock="2026-12-04T12:00Z")
    assert last.at.title[0].value == "Abu Dhabi Grand Prix 2026"
    assert not last.says("After that")
