"""The baselines every model is measured against: grid order, championship order, Elo.

They stay for ever. ``grid`` and ``points`` say what usually became of a driver in that place, ``elo`` what
the ratings alone say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.artifacts import array_bytes, json_bytes, read_arrays, read_json, require
from models.forecast import FieldForecast, assemble, event_generator, split_fields
from models.matrix import field_starts, training_rows
from models.probabilities import softmax
from models.ratings import BASE_RATING
from models.sampling import SAMPLES, sample_orders, summarise
from models.slots import SlotTable
from warehouse.errors import ContractViolation, ModelArtifactError, NotReady, NotTrained

Floats = NDArray[np.float64]

FIRST_SEASON = 2010
"""Earlier races do not count: with refuelling, grids and reliability were another sport."""

_NOT_TRAINED_HINT = "Fit the model on past events first."


class SlotOrder:
    """A baseline that ranks by one known order and knows what usually becomes of each place in it.

    Subclasses say which columns give the order. ``median_position`` is the historical median finish of the
    slot.
    """

    name: str = "slots"
    #: Each entry is one way to find the order, tried in turn: the column that must be known for at least one
    #: driver of the event, then the columns that break ties (unknown values last).
    orders: ClassVar[tuple[tuple[str, ...], ...]] = ()

    def __init__(self, *, since: int = FIRST_SEASON) -> None:
        """Create an untrained baseline that counts from season ``since`` on."""
        self._since = since
        self._table: SlotTable | None = None

    def fit(self, features: pl.DataFrame, labels: pl.DataFrame) -> Self:
        """Count finishes per slot, slots counted among the starters: who did not start leaves no gap.

        Raises:
            NotReady: No past event has the order that this baseline needs.
        """
        rows, positions = training_rows(features.filter(pl.col("season") >= self._since), labels)
        rows = rows.with_columns(__position=pl.Series(positions))
        ranked = self._with_slots(rows).filter(pl.col("__slot").is_not_null())
        if ranked.is_empty():
            raise self._not_ready("the past events")
        self._table = SlotTable.fit(
            ranked["__slot"].cast(pl.Int64).to_numpy(), ranked["__position"].cast(pl.Int64).to_numpy()
        )
        return self

    def predict(self, features: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
        """Forecast each event; nothing is drawn, ``seed`` has no effect.

        Raises:
            NotReady: An event lacks the order (``grid`` before qualifying).
            NotTrained: ``fit`` was not called.
        """
        if self._table is None:
            raise NotTrained(f"the {self.name} baseline is not trained", hint=_NOT_TRAINED_HINT)
        fields: list[FieldForecast] = []
        for field in split_fields(self._with_slots(features)):
            event_id = str(field["event_id"][0])
            if field["__slot"].null_count():
                raise self._not_ready(event_id)
            field = field.sort("__slot")  # sums are taken in this order, so names cannot change a bit of them
            slots = field["__slot"].cast(pl.Int64).to_numpy()
            fields.append(self._table.forecast(event_id, field["driver_id"].to_list(), slots))
        return assemble(fields, self.name)

    def to_artifacts(self) -> dict[str, bytes]:
        """The slot table and the settings."""
        if self._table is None:
            raise NotTrained(f"the {self.name} baseline is not trained", hint=_NOT_TRAINED_HINT)
        settings = {"model": self.name, "since": self._since}
        return {"model.json": json_bytes(settings), "slots.npz": array_bytes(self._table.arrays())}

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes]) -> Self:
        """The inverse of ``to_artifacts``."""
        settings = _settings_of(cls.name, artifacts, ("since",))
        model = cls(since=int(settings["since"]))
        model._table = SlotTable.from_arrays(read_arrays(artifacts, "slots.npz"))
        return model

    def _with_slots(self, features: pl.DataFrame) -> pl.DataFrame:
        """Add ``__slot``: 1..n within the event, null for all its drivers when the order is unknown."""
        slot = pl.lit(None, dtype=pl.UInt32)
        for columns in reversed(self.orders):
            present = [column for column in columns if column in features.columns]
            if columns[0] not in present:
                continue
            keys = [
                pl.col(column).cast(pl.Float64).fill_nan(None).fill_null(float("inf")) for column in present
            ]
            rank = pl.struct(*keys, "driver_id").rank("ordinal").over("event_id")
            known = pl.col(columns[0]).cast(pl.Float64).fill_nan(None).is_not_null().any().over("event_id")
            slot = pl.when(known).then(rank).otherwise(slot)
        return features.with_columns(slot.alias("__slot"))

    def _not_ready(self, what: str) -> NotReady:
        needed = " or ".join(columns[0] for columns in self.orders)
        return NotReady(
            f"the {self.name} baseline cannot rank {what}: {needed} is not known",
            hint="Use a later stage, or the baselines elo and points.",
        )


class GridOrder(SlotOrder):
    """Starting-grid order (pit-lane starters last); before the grid is known, the order of qualifying."""

    name = "grid"
    orders = (("grid_position", "qualifying_position"), ("qualifying_position",))


class PointsOrder(SlotOrder):
    """Championship order before the race; whoever has no place in it comes last, by Elo."""

    name = "points"
    orders = (("championship_position", "__weakness"), ("__weakness",))

    def _with_slots(self, features: pl.DataFrame) -> pl.DataFrame:
        if "elo_combined" in features.columns:
            features = features.with_columns(__weakness=-pl.col("elo_combined").cast(pl.Float64))
        return super()._with_slots(features)


class EloOrder:
    """Order of the combined Elo rating; probabilities by Bradley-Terry-Luce with scales fitted on the past.

    The winner's probabilities are a softmax of rating / win scale; the places behind him follow a
    Plackett-Luce model with a scale of its own, because retirements make whole orders noisier than
    victories. Unknown ratings count as the base. ``median_position`` is the median of the sampled places.
    """

    name = "elo"

    def __init__(self, *, since: int = FIRST_SEASON, samples: int = SAMPLES) -> None:
        """Create an untrained baseline; scales are fitted on seasons from ``since`` on."""
        self._since = since
        self._samples = samples
        self._scales: tuple[float, float] | None = None

    def fit(self, features: pl.DataFrame, labels: pl.DataFrame) -> Self:
        """Fit the two scales by maximum likelihood.

        Raises:
            NotReady: There is no past event.
        """
        rows, positions = training_rows(features.filter(pl.col("season") >= self._since), labels)
        ratings = _combined_elo(rows)
        starts = field_starts(rows["event_id"])
        width = int(np.diff(starts).max())
        # one row per event, best finisher first, padded with drivers who have no weight
        padded = np.full((len(starts) - 1, width), -np.inf)
        for event, (begin, end) in enumerate(pairwise(starts)):
            padded[event, : end - begin] = ratings[begin:end][np.argsort(positions[begin:end])] - BASE_RATING
        self._scales = (
            _best_scale(lambda scale: _order_loss(padded / scale, first_only=True)),
            _best_scale(lambda scale: _order_loss(padded / scale, first_only=False)),
        )
        return self

    def predict(self, features: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
        """Forecast each event from ``elo_combined``.

        Raises:
            ContractViolation: The features have no ``elo_combined``.
            NotTrained: ``fit`` was not called.
        """
        if self._scales is None:
            raise NotTrained("the elo baseline is not trained", hint=_NOT_TRAINED_HINT)
        win_scale, order_scale = self._scales
        fields: list[FieldForecast] = []
        for field in split_fields(features):
            event_id = str(field["event_id"][0])
            # strongest first, so that chance belongs to a strength and not to a name
            field = field[np.argsort(-_combined_elo(field), kind="stable")]
            ratings = _combined_elo(field)
            win = softmax(ratings / win_scale)
            rng = event_generator(event_id, seed)
            scores = -ratings / order_scale - rng.gumbel(size=(self._samples, len(ratings)))
            drawn = summarise(sample_orders(win, scores, rng))
            fields.append(
                FieldForecast(
                    event_id=event_id,
                    driver_ids=field["driver_id"].to_list(),
                    order_key=-ratings,
                    expected=drawn.expected,
                    median=drawn.median,
                    low=drawn.low,
                    high=drawn.high,
                    win=win,
                    podium=drawn.podium,
                    points=drawn.points,
                )
            )
        return assemble(fields, self.name)

    def to_artifacts(self) -> dict[str, bytes]:
        """The two scales and the settings."""
        if self._scales is None:
            raise NotTrained("the elo baseline is not trained", hint=_NOT_TRAINED_HINT)
        win_scale, order_scale = self._scales
        settings = {
            "model": self.name,
            "since": self._since,
            "samples": self._samples,
            "win_scale": win_scale,
            "order_scale": order_scale,
        }
        return {"model.json": json_bytes(settings)}

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes]) -> Self:
        """The inverse of ``to_artifacts``."""
        settings = _settings_of(cls.name, artifacts, ("since", "samples", "win_scale", "order_scale"))
        model = cls(since=int(settings["since"]), samples=int(settings["samples"]))
        model._scales = (float(settings["win_scale"]), float(settings["order_scale"]))
        return model


def _settings_of(name: str, artifacts: Mapping[str, bytes], keys: tuple[str, ...]) -> dict[str, float]:
    settings = read_json(artifacts, "model.json")
    require(settings, ("model", *keys), "model.json")
    if settings["model"] != name:
        raise ModelArtifactError(f"model.json holds the model {settings['model']}, not {name}")
    return settings


def _combined_elo(features: pl.DataFrame) -> Floats:
    if "elo_combined" not in features.columns:
        raise ContractViolation(
            "the features lack elo_combined, which the elo baseline ranks by",
            hint="Extract the features again.",
        )
    known = features["elo_combined"].cast(pl.Float64).fill_nan(None).fill_null(BASE_RATING)
    return np.asarray(known.to_numpy(), dtype=np.float64)


def _order_loss(padded: Floats, *, first_only: bool) -> float:
    """Mean negative log likelihood per choice of finishing orders (events, places) under Plackett-Luce."""
    top = padded.max(axis=1, keepdims=True)
    remaining = np.cumsum(np.exp(padded - top)[:, ::-1], axis=1)[:, ::-1]
    chosen = np.isfinite(padded)
    if first_only:
        chosen[:, 1:] = False
    surprise = np.log(remaining, where=chosen, out=np.zeros_like(remaining)) - np.where(
        chosen, padded - top, 0.0
    )
    return float(surprise[chosen].mean())


def _best_scale(loss: Callable[[float], float], low: float = 10.0, high: float = 5_000.0) -> float:
    """Minimum of a loss with one valley, by golden-section search on the logarithm of the scale."""
    shrink = (5**0.5 - 1) / 2
    a, b = np.log(low), np.log(high)
    for _ in range(40):
        left, right = b - shrink * (b - a), a + shrink * (b - a)
        if loss(float(np.exp(left))) <= loss(float(np.exp(right))):
            b = right
        else:
            a = left
    return float(np.exp((a + b) / 2))
