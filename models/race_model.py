"""The first learned model, ``rf_xgb``: win classifiers and a position regression, joined by sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import polars as pl

from models.artifacts import RETRAIN, json_bytes, read_json, require
from models.forecast import FieldForecast, assemble, event_generator, split_fields
from models.matrix import field_starts, learnable_features, to_matrix, training_rows
from models.positions import PositionModel
from models.sampling import SAMPLES, sample_orders, summarise
from models.win_classifiers import WinClassifiers
from warehouse.errors import ModelArtifactError, NotReady, NotTrained


class ForestBoostingModel:
    """Win probabilities by forest and boosting, everything else from sampled finishing orders.

    * ``win_probability``: mean of the two classifiers, normalised over the field.
    * ``median_position``: the regression's own answer (trained on absolute error), real-valued.
    * ``predicted_position``: drivers ranked by ``expected_position``, the mean of the sampled places.
    * podium and points probability and the 80 % interval: frequencies and quantiles of the sampled places.
    """

    name = "rf_xgb"

    def __init__(
        self,
        *,
        feature_names: Sequence[str] | None = None,
        samples: int = SAMPLES,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        """Create an untrained model.

        Args:
            feature_names: Columns to learn from; by default every numeric column known in at least one row.
            samples: Finishing orders drawn per event.
            seed: Of the training; predictions have their own.
            threads: Used while training.
        """
        self._wanted = tuple(feature_names) if feature_names is not None else None
        self._samples = samples
        self._seed = seed
        self._threads = threads
        self._names: tuple[str, ...] = ()
        self._winner: WinClassifiers | None = None
        self._positions: PositionModel | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns the trained model reads, in its order."""
        return self._names

    def fit(self, features: pl.DataFrame, labels: pl.DataFrame) -> Self:
        """Train on past events of one stage.

        Raises:
            NotReady: No past event has features and a result, or no feature is known.
        """
        rows, positions = training_rows(features, labels)
        self._names = self._wanted or learnable_features(rows)
        if not self._names:
            raise NotReady(
                "no feature is known for any past event", hint="Extract features of earlier seasons."
            )
        if len(np.unique(positions == 1)) < 2:
            raise NotReady("the past events have no winner with rivals", hint="Ingest complete results.")
        matrix = to_matrix(rows, self._names).values
        starts = field_starts(rows["event_id"])
        sizes = np.diff(starts)
        self._winner = WinClassifiers.fit(matrix, positions == 1, seed=self._seed, threads=self._threads)
        self._positions = PositionModel.fit(
            matrix,
            positions,
            field_sizes=np.repeat(sizes, sizes),
            seasons=rows["season"].cast(pl.Int64).to_numpy(),
            events=np.repeat(np.arange(len(sizes)), sizes),
            seed=self._seed,
            threads=self._threads,
        )
        return self

    def predict(self, features: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
        """Forecast each event.

        Raises:
            ContractViolation: A feature the model was trained on is missing.
            NotTrained: ``fit`` was not called.
        """
        winner, positions = self._trained()
        return assemble(
            [self._field(field, winner, positions, seed) for field in split_fields(features)], self.name
        )

    def to_artifacts(self) -> dict[str, bytes]:
        """Settings as JSON, trees as arrays, and the boosters in xgboost's format."""
        winner, positions = self._trained()
        settings = {
            "model": self.name,
            "feature_names": list(self._names),
            "samples": self._samples,
            "seed": self._seed,
        }
        return {"model.json": json_bytes(settings), **winner.artifacts(), **positions.artifacts()}

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes]) -> Self:
        """The inverse of ``to_artifacts``.

        Raises:
            ModelArtifactError: A file is missing, damaged, or belongs to another model.
        """
        settings = read_json(artifacts, "model.json")
        require(settings, ("model", "feature_names", "samples", "seed"), "model.json")
        if settings["model"] != cls.name:
            raise ModelArtifactError(
                f"model.json holds the model {settings['model']}, not {cls.name}", hint=RETRAIN
            )
        names = tuple(settings["feature_names"])
        model = cls(feature_names=names, samples=int(settings["samples"]), seed=int(settings["seed"]))
        model._names = names
        model._winner = WinClassifiers.from_artifacts(artifacts, len(names))
        model._positions = PositionModel.from_artifacts(artifacts, len(names))
        return model

    def _trained(self) -> tuple[WinClassifiers, PositionModel]:
        if self._winner is None or self._positions is None:
            raise NotTrained("the model rf_xgb is not trained", hint="Run `python -m jobs train`.")
        return self._winner, self._positions

    def _field(
        self, field: pl.DataFrame, winner: WinClassifiers, positions: PositionModel, seed: int
    ) -> FieldForecast:
        matrix = to_matrix(field, self._names).values
        win = winner.probabilities(matrix)
        median = positions.predict(matrix)
        # Random numbers are dealt in the order of strength: renaming a driver must not change his forecast.
        strength = np.lexsort((-win, median))
        field, win, median = field[strength], win[strength], median[strength]
        event_id = str(field["event_id"][0])
        rng = event_generator(event_id, seed)
        drawn = summarise(sample_orders(win, positions.noisy_scores(median, self._samples, rng), rng))
        return FieldForecast(
            event_id=event_id,
            driver_ids=field["driver_id"].to_list(),
            order_key=drawn.expected,
            expected=drawn.expected,
            median=median,
            low=drawn.low,
            high=drawn.high,
            win=win,
            podium=drawn.podium,
            points=drawn.points,
        )
