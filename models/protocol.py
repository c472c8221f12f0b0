"""What every race model can do, and the shape of what it answers.

Features and labels come as two frames (labels never travel with features); a forecast is one row per driver
of one event. A model knows nothing of where features come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import polars as pl

EVENT_KEYS: tuple[str, ...] = ("event_id", "driver_id")

#: Columns of a feature frame that identify or describe a row and are never learned from.
FEATURE_FRAME_KEYS: frozenset[str] = frozenset(
    {
        "event_id",
        "season",
        "driver_id",
        "constructor_id",
        "stage",
        "data_quality_flag",
        "feature_coverage",
        "known_at",
    }
)

#: One row per driver of one event. Positions count from 1; ``expected_position`` and ``median_position`` are
#: real-valued, ``position_low`` and ``position_high`` bound the 80 % interval. Within an event
#: ``predicted_position`` is a permutation of 1..n, the probabilities sum to min(1, n), min(3, n) and min(10,
#: n), and win <= podium <= points for every driver.
FORECAST_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "driver_id": pl.String(),
    "model": pl.String(),
    "predicted_position": pl.Int32(),
    "expected_position": pl.Float64(),
    "median_position": pl.Float64(),
    "position_low": pl.Int32(),
    "position_high": pl.Int32(),
    "win_probability": pl.Float64(),
    "podium_probability": pl.Float64(),
    "points_probability": pl.Float64(),
    "dnf_probability": pl.Float64(),
    "expected_points": pl.Float64(),
}
"""``dnf_probability`` (retired or not classified) and ``expected_points`` (of the race or sprint, by the points of its
season) are null where a model says nothing of them, as baselines do."""

POSITIONS_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "driver_id": pl.String(),
    "position": pl.Int32(),
    "probability": pl.Float64(),
}
"""One row per driver and place 1..n of an event: rows of a driver and rows of a place each sum to one."""

DUELS_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "driver_id": pl.String(),
    "rival_id": pl.String(),
    "ahead_probability": pl.Float64(),
}
"""One row per pair of an event, ``driver_id`` before ``rival_id`` by name: probability that the first finishes ahead."""

CONTRIBUTIONS_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "driver_id": pl.String(),
    "term": pl.String(),
    "places": pl.Float64(),
}
"""One row per driver and term of an event; below zero moves him forward. The terms of a driver sum to his
``expected_position``: the first is the middle of the field, the last what simulation and calibration added."""


@dataclass(frozen=True)
class JointForecast:
    """What one set of sampled finishing orders says of some events; every frame is a marginal of the same samples.

    Attributes:
        entries: ``FORECAST_SCHEMA``.
        positions: ``POSITIONS_SCHEMA``.
        duels: ``DUELS_SCHEMA``.
        contributions: ``CONTRIBUTIONS_SCHEMA``; empty for a model that does not explain itself.
    """

    entries: pl.DataFrame
    positions: pl.DataFrame
    duels: pl.DataFrame
    contributions: pl.DataFrame


@runtime_checkable
class RaceModel(Protocol):
    """A model of a finishing order.

    Attributes:
        name: Short name, written to the ``model`` column of every forecast.
    """

    name: str

    def fit(self, features: pl.DataFrame, labels: pl.DataFrame) -> Self:
        """Learn from past events.

        Args:
            features: One row per event and driver, of one stage only.
            labels: One row per starter: ``event_id``, ``driver_id``, ``position`` (1..n, retirements last).
                Feature rows without a label (non-starters) are not learned from.

        Raises:
            NotReady: There is no past event to learn from.
        """
        ...

    def predict(self, features: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
        """Forecast every event of ``features``, each one independently of the others.

        Returns:
            A frame of ``FORECAST_SCHEMA``; events in order of appearance, rows by predicted position. The
            same features and seed give the same bytes, whatever the order of the rows.

        Raises:
            NotReady: An event lacks what the model stands on.
            NotTrained: ``fit`` was not called.
        """
        ...

    def to_artifacts(self) -> dict[str, bytes]:
        """The trained model as named files; none of them needs pickle to be read."""
        ...

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes]) -> Self:
        """The inverse of ``to_artifacts``.

        Raises:
            ModelArtifactError: A file is missing or cannot be read.
        """
        ...


@runtime_checkable
class JointModel(RaceModel, Protocol):
    """A race model that draws whole finishing orders and can tell all of them at once."""

    def forecast(self, features: pl.DataFrame, *, seed: int = 0) -> JointForecast:
        """As ``predict``, with the position matrix, the pairs and the contributions of the same samples."""
        ...
