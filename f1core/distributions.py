"""What a model that draws whole finishing orders says beside its entries: places, pairs, reasons.

The three frames go from the model's answer into the tables, from there into documents, and from sealed documents back into
tables. A model that draws no orders has none of them: its frames are empty and its documents lack the members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import Any

import polars as pl

from models.protocol import (
    CONTRIBUTIONS_SCHEMA,
    DUELS_SCHEMA,
    POSITIONS_SCHEMA,
    JointForecast,
    JointModel,
    RaceModel,
)
from warehouse.frames import frame_schema
from warehouse.queries.distributions import DISTRIBUTION_TABLES
from warehouse.tables import TABLES

TABLE_NAMES = DISTRIBUTION_TABLES["provisional"]
"""Table of provisional forecasts by frame; those of backtests and sealed predictions have the same columns."""


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema=frame_schema(TABLES[TABLE_NAMES[name]]))


@dataclass(frozen=True)
class Distributions:
    """Rows beside the entries of any number of forecasts.

    Attributes:
        positions: Rows of ``forecast_positions``.
        duels: Rows of ``forecast_duels``.
        contributions: Rows of ``forecast_contributions``.
    """

    positions: pl.DataFrame = field(default_factory=lambda: _empty("positions"))
    duels: pl.DataFrame = field(default_factory=lambda: _empty("duels"))
    contributions: pl.DataFrame = field(default_factory=lambda: _empty("contributions"))

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The frames by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def where(self, **keys: str) -> Distributions:
        """The rows with these values, e.g. ``where(model="joint")``."""
        return Distributions(
            **{name: frame.filter(**keys) if frame.height else frame for name, frame in self.frames.items()}
        )

    @classmethod
    def joined(cls, parts: Iterable[Distributions]) -> Distributions:
        """The rows of several, in order."""
        found = [cls(), *parts]
        return cls(**{name: pl.concat([part.frames[name] for part in found]) for name in cls().frames})


def ask(model: RaceModel, features: pl.DataFrame, *, seed: int) -> JointForecast:
    """What a model answers: all of it where it draws whole orders, else its entries and empty frames."""
    if isinstance(model, JointModel):
        return model.forecast(features, seed=seed)
    return JointForecast(
        model.predict(features, seed=seed),
        pl.DataFrame(schema=POSITIONS_SCHEMA),
        pl.DataFrame(schema=DUELS_SCHEMA),
        pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA),
    )


def distributions_of(answer: JointForecast, **keys: object) -> Distributions:
    """A model's answer as rows of the tables.

    Args:
        answer: Of one event.
        **keys: ``season``, ``target``, ``stage`` and ``model`` of all rows.
    """
    ordinal = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("event_id", "driver_id")
    frames = {
        "positions": answer.positions,
        "duels": answer.duels,
        "contributions": answer.contributions.with_columns(ordinal=ordinal),
    }
    made = {}
    for name, frame in frames.items():
        schema = frame_schema(TABLES[TABLE_NAMES[name]])
        rows = frame.with_columns(**{key: pl.lit(value) for key, value in keys.items()})
        made[name] = rows.select(pl.col(column).cast(kind) for column, kind in schema.items())
    return Distributions(**made)


# Documents ------------------------------------------------------------------------------------------------------------


def entry_members(found: Distributions, driver_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Members of each driver's entry: ``position_probabilities`` and ``contributions``; none without such rows.

    Args:
        found: Rows of one forecast by one model.
        driver_ids: Its drivers.
    """
    members: dict[str, dict[str, Any]] = {driver: {} for driver in driver_ids}
    for (driver,), rows in found.positions.sort("position").group_by(["driver_id"], maintain_order=True):
        members[str(driver)]["position_probabilities"] = rows["probability"].to_list()
    for (driver,), rows in found.contributions.sort("ordinal").group_by(["driver_id"], maintain_order=True):
        members[str(driver)]["contributions"] = [
            {"term": term, "places": places} for term, places in rows.select("term", "places").iter_rows()
        ]
    return members


def head_to_head(found: Distributions, driver_ids: list[str]) -> dict[str, Any]:
    """The member ``head_to_head`` of a document; empty without such rows.

    Args:
        found: Rows of one forecast by one model.
        driver_ids: Its drivers in predicted order.

    Returns:
        ``driver_ids``, and ``ahead_probability``: row ``i`` holds, for every driver after the ``i``-th, the probability that
        the ``i``-th finishes ahead of him. The last row is empty.
    """
    if found.duels.is_empty():
        return {}
    ahead: dict[tuple[str, str], float] = {}
    for driver, rival, share in found.duels.select("driver_id", "rival_id", "ahead_probability").iter_rows():
        ahead[driver, rival], ahead[rival, driver] = share, 1 - share
    return {
        "driver_ids": driver_ids,
        "ahead_probability": [
            [ahead[driver, rival] for rival in driver_ids[place:]]
            for place, driver in enumerate(driver_ids, start=1)
        ],
    }


def rows_of_document(document: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The same rows read back from a document, by frame; none from one that lacks the members."""
    keys = {
        "event_id": document["event_id"],
        "season": document["event"]["season"],
        "target": document["target"],
        "stage": document["stage"],
        "model": document["model"]["name"],
    }
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLE_NAMES}
    for entry in document["entries"]:
        driver = {**keys, "driver_id": entry["driver_id"]}
        rows["positions"] += [
            {**driver, "position": place, "probability": share}
            for place, share in enumerate(entry.get("position_probabilities") or (), start=1)
        ]
        rows["contributions"] += [
            {**driver, "term": one["term"], "ordinal": ordinal, "places": one["places"]}
            for ordinal, one in enumerate(entry.get("contributions") or (), start=1)
        ]
    pairs = document.get("head_to_head") or {"driver_ids": [], "ahead_probability": []}
    shares = [share for line in pairs["ahead_probability"] for share in line]
    for (one, other), share in zip(combinations(pairs["driver_ids"], 2), shares, strict=True):
        first, second, ahead = (one, other, share) if one < other else (other, one, 1 - share)
        rows["duels"].append({**keys, "driver_id": first, "rival_id": second, "ahead_probability": ahead})
    return rows
