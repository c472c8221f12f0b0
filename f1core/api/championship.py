"""The route of the championship: title odds, final positions and what must happen. Engines load when it is first asked."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from f1core.api.kept_answers import KeptAnswers
from f1core.api.library import Library
from f1core.api.predictions import Documents, Now, problems, read_route
from f1core.api.problems import Problem
from f1core.api.serving import json_answer

if TYPE_CHECKING:
    import polars as pl

    from warehouse.reader import Reader

ABSENT = "Championship not ready"
MAX_NAME = 100

router = APIRouter()


class Championship(StrEnum):
    """Which of the two titles."""

    DRIVERS = "drivers"
    CONSTRUCTORS = "constructors"


class TitleOdds(BaseModel):
    """One driver or constructor of a championship."""

    entity_id: str
    name: str
    constructor_id: str | None = Field(description="Car of a driver for the rest of the season.")
    position: int = Field(description="Place in the championship now.", ge=1)
    points: float
    points_possible: float
    can_be_champion: bool = Field(description="By the points rules alone.")
    title_probability: float = Field(ge=0, le=1)
    expected_points: float
    points_low: float = Field(description="Lower end of the 80 % interval of the points at the end.")
    points_high: float
    expected_position: float
    position_probabilities: list[float] = Field(
        description="Probability of ending first, second, ...; as many as there are in the championship."
    )


class RoundOdds(BaseModel):
    """Title odds after one round."""

    event_id: str
    grand_prix: str
    title_probability: dict[str, float] = Field(description="By driver or constructor.")


class TitleMargin(BaseModel):
    """What must happen between a would-be champion and one rival."""

    rival_id: str
    points: float = Field(
        description="Must be outscored by so many or more; below zero: may outscore by so many."
    )
    level_points: float | None = Field(description="Also enough, from the places below (countback).")
    level_places: list[int]


class TitleDecision(BaseModel):
    """How somebody becomes champion at the next event: all margins hold."""

    entity_id: str
    sure_place: int | None = Field(description="Enough whatever the others do.")
    margins: list[TitleMargin]


class WhatMustHappen(BaseModel):
    """Exact arithmetic of the points rules."""

    champion_id: str | None = Field(description="Who is champion whatever happens; null while it is open.")
    can_be_champion: list[str]
    points_left: int
    leader_needs: float | None
    next_event_id: str | None
    decided_in_sprint_if: list[TitleDecision]
    decided_at_event_if: list[TitleDecision]
    sentences: list[str]


class ChampionshipAnswer(BaseModel):
    """A championship after a round."""

    season: int
    championship: Championship
    is_demo: bool = Field(
        description="Whether this is the demo season: drivers, teams and results are made up."
    )
    snapshot: str
    event_id: str = Field(description="The event after which it stands.")
    grand_prix: str
    known_at: dt.datetime
    is_backtest: bool = Field(description="Computed when a later race was known, from facts corrected since.")
    count_rounds: int
    count_remaining: int
    count_seasons: int = Field(description="Simulated seasons.")
    is_decided: bool
    entries: list[TitleOdds]
    what_must_happen: WhatMustHappen
    rounds: list[RoundOdds] = Field(description="All rounds up to this one, in order.")


def answers_of(request: Request, documents: Library) -> KeptAnswers:
    """What is remembered of the installation that answers now."""
    kept: dict[Path, KeptAnswers] = request.app.state.championships
    return kept.setdefault(documents.settings.data, KeptAnswers(documents.settings, ABSENT))


@read_route(
    router,
    "/v1/championship",
    tags=["championship"],
    responses={200: {"model": ChampionshipAnswer}, **problems(404, 414, 422, 503)},
    summary="Who will be champion",
)
def championship(
    request: Request,
    documents: Documents,
    clock: Now,
    season: Annotated[
        int | None,
        Query(ge=1950, le=2100, description="Season; without it the newest with odds.", examples=[2026]),
    ] = None,
    championship: Annotated[Championship, Query(description="Which title.")] = Championship.DRIVERS,
    after: Annotated[
        str | None,
        Query(
            max_length=MAX_NAME,
            description="Event after which it stands, e.g. `2026-austria`; without it the newest.",
        ),
    ] = None,
) -> Response:
    """Title odds and final positions from 10,000 simulated seasons, and what must happen by the points rules."""
    asked = (season, championship.value, after, clock.instant)
    found = answers_of(request, documents).get(asked, lambda reader: _content(reader, *asked))
    return json_answer(request, {"is_demo": request.app.state.holdings.is_demo(), **found})


def _absent(hint: str) -> Problem:
    return Problem(404, "not_ready", ABSENT, hint=hint)


def _content(
    reader: Reader, season: int | None, championship: str, after: str | None, until: dt.datetime | None
) -> dict[str, Any]:
    from f1core.title_words import as_data, what_must_happen
    from warehouse.queries.championship import final_positions, odds_seasons, title_odds

    seasons = odds_seasons(reader) if season is None else [season]
    rows = next(
        (rows for one in seasons if (rows := title_odds(reader, one, championship, until)).height), None
    )
    if rows is None:
        raise _absent(
            f"`python -m jobs championship{'' if season is None else f' --season {season}'}` computes it."
        )
    order = rows["event_id"].unique(maintain_order=True).to_list()
    if after is not None and after not in order:
        raise _absent(f"There are odds after {', '.join(order)}.")
    event_id = after or order[-1]
    now = rows.filter(rows["event_id"] == event_id)
    head = now.row(0, named=True)
    outlook = what_must_happen(reader, event_id, championship)
    assert outlook is not None
    places = {who: [0.0] * now.height for who in now["entity_id"]}
    for who, position, share in final_positions(reader, event_id, championship).iter_rows():
        places[who][position - 1] = share
    columns = [name for name in TitleOdds.model_fields if name != "position_probabilities"]
    return {
        "season": head["season"],
        "championship": championship,
        "snapshot": reader.snapshot.id,
        "event_id": event_id,
        "grand_prix": head["grand_prix_name"],
        "known_at": head["known_at"].isoformat(),
        "is_backtest": head["is_backtest"],
        "count_rounds": head["count_rounds"],
        "count_remaining": head["count_remaining"],
        "count_seasons": head["count_seasons"],
        "is_decided": head["is_decided"],
        "entries": [
            {**entry, "position_probabilities": places[entry["entity_id"]]}
            for entry in now.select(columns).to_dicts()
        ],
        "what_must_happen": as_data(outlook),
        "rounds": _rounds(rows, order[: order.index(event_id) + 1]),
    }


def _rounds(rows: pl.DataFrame, order: list[str]) -> list[dict[str, Any]]:
    parts = rows.partition_by("event_id", as_dict=True, maintain_order=True)
    return [
        {
            "event_id": event_id,
            "grand_prix": parts[(event_id,)]["grand_prix_name"][0],
            "title_probability": dict(
                parts[(event_id,)].select("entity_id", "title_probability").iter_rows()
            ),
        }
        for event_id in order
    ]
