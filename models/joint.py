"""The model in production, ``joint``: one joint distribution of finishing orders, and everything else a marginal of it.

A driver's strength is linear in a few terms (a Plackett–Luce model) plus a smaller part from shallow trees; a hazard says
who retires; finishing orders are drawn from both (:mod:`models.order_simulation`). The orders are then reweighted, so that
wins, podiums and points finishes lean towards what became of the drivers in the same grid slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.artifacts import RETRAIN, array_bytes, json_bytes, read_arrays, read_json, require
from models.forecast import assemble, event_generator, split_fields
from models.joint_draws import DrawnField
from models.joint_frames import contributions_frame, duels_frame, positions_frame
from models.joint_settings import TREE_UNIT, JointSettings
from models.matrix import field_starts, learnable_features, to_matrix
from models.order_simulation import SAMPLES, RaceNoise, SampledOrders, marginals, simulate
from models.order_terms import TERM_BY_NAME, FieldColumns, term_matrix
from models.place_trees import PlaceTrees
from models.plackett_luce import OrderedFields, fit_plackett_luce
from models.protocol import JointForecast
from models.retirement import RetirementHazard
from models.slot_leaning import lean_on_slots
from models.slots import SlotTable
from models.training_rows import ordered_training_rows
from warehouse.errors import ModelArtifactError, NotReady, NotTrained
from warehouse.vocab import Target

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class JointOrderModel:
    """Finishing orders of a whole field; see the module."""

    name = "joint"

    def __init__(
        self,
        *,
        feature_names: Sequence[str] | None = None,
        feature_groups: Mapping[str, str] | None = None,
        settings: JointSettings | None = None,
        terms: Sequence[str] = tuple(TERM_BY_NAME),
        samples: int = SAMPLES,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        """Create an untrained model.

        Args:
            feature_names: Columns the trees learn from; by default every numeric column known in at least one row.
            feature_groups: Group of each feature, under which its contribution is told; its own name where not given.
            settings: Chosen constants.
            terms: Terms of the linear part, as far as their features are known.
            samples: Finishing orders drawn per event.
            seed: Of the training; predictions have their own.
            threads: Used while training.
        """
        self._wanted = tuple(feature_names) if feature_names is not None else None
        self._groups = dict(feature_groups or {})
        self.settings = settings or JointSettings()
        self._samples = samples
        self._seed = seed
        self._threads = threads
        self._names: tuple[str, ...] = ()
        self._terms = tuple(terms)
        self._coefficients: Floats = np.empty(0)
        self._hazard: RetirementHazard | None = None
        self._trees: PlaceTrees | None = None
        self._slots: SlotTable | None = None
        self._is_trained = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns the trained trees read, in their order."""
        return self._names

    @property
    def coefficients(self) -> dict[str, float]:
        """Strength per unit of each term of the linear part."""
        return dict(zip(self._terms, self._coefficients.tolist(), strict=True))

    def with_settings(self, **changes: Any) -> JointOrderModel:
        """The same trained model with other settings of prediction (noise, retirements, points)."""
        other = JointOrderModel.__new__(JointOrderModel)
        other.__dict__.update(self.__dict__)
        other.settings = replace(self.settings, **changes)
        return other

    def fit(self, features: pl.DataFrame, labels: pl.DataFrame) -> Self:
        """Train on past events of one stage.

        Args:
            features: One row per event and driver; events in order of time, unless labels say when.
            labels: ``event_id, driver_id, position``; where given, ``known_at`` orders the events, ``is_dnf`` says who
                retired and ``is_classified`` whose place counts for pace.

        Raises:
            NotReady: No past event has features and a result, or no term is known.
        """
        rows, positions, retired, classified = ordered_training_rows(features, labels)
        starts = field_starts(rows["event_id"])
        columns = FieldColumns(rows, starts)
        races = len(starts) - 1
        age = np.arange(races)[::-1].astype(np.float64)
        terms = term_matrix(columns, self._terms)
        spread = terms.std(axis=0)
        used = spread > 1e-9
        if not used.any():
            raise NotReady(
                "no feature is known for any past event", hint="Extract features of earlier seasons."
            )
        self._terms = tuple(name for name, there in zip(self._terms, used, strict=True) if there)
        fields = OrderedFields.of(terms[:, used] / spread[used], starts, positions, classified)
        weights = 0.5 ** (age / self.settings.half_life)
        self._coefficients = fit_plackett_luce(fields, weights, self.settings.ridge) / spread[used]
        if self.settings.retires:
            decay = np.repeat(0.5 ** (age / self.settings.hazard_half_life), np.diff(starts))
            known = classified | retired
            self._hazard = RetirementHazard.fit(columns, retired, known, decay, starts)
        if not np.isnan(columns.slots).all():
            known_slots = ~np.isnan(columns.slots)
            self._slots = SlotTable.fit(
                columns.slots[known_slots].astype(np.int64), positions[known_slots].astype(np.int64)
            )
        if self.settings.tree_share > 0:
            self._fit_trees(rows, positions, np.diff(starts))
        self._is_trained = True
        return self

    def predict(self, features: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
        """Forecast each event.

        Raises:
            ContractViolation: A feature the model was trained on is missing.
            NotTrained: ``fit`` was not called.
        """
        return assemble([drawn.forecast() for drawn in self._drawn(features, seed)], self.name)

    def forecast(self, features: pl.DataFrame, *, seed: int = 0) -> JointForecast:
        """As ``predict``, with the position matrix, the pairs and the contributions of the same samples."""
        drawn = list(self._drawn(features, seed))
        return JointForecast(
            assemble([one.forecast() for one in drawn], self.name),
            positions_frame([(one.event_id, one.driver_ids, one.summary.matrix) for one in drawn]),
            duels_frame([(one.event_id, one.driver_ids, one.orders.ahead()) for one in drawn]),
            contributions_frame(
                [
                    (one.event_id, one.driver_ids, *self._contributions(one), one.summary.expected)
                    for one in drawn
                ]
            ),
        )

    def sample(self, features: pl.DataFrame, *, seed: int = 0) -> dict[str, tuple[list[str], SampledOrders]]:
        """The weighted orders themselves, by event: drivers of the columns, and the orders."""
        return {one.event_id: (one.driver_ids, one.orders) for one in self._drawn(features, seed)}

    def to_artifacts(self) -> dict[str, bytes]:
        """Settings as JSON, numbers as arrays, the trees in xgboost's format beside them."""
        self._require_trained()
        content = {
            "model": self.name,
            "feature_names": list(self._names),
            "feature_groups": self._groups,
            "terms": list(self._terms),
            "settings": asdict(self.settings),
            "samples": self._samples,
            "seed": self._seed,
            "has_slots": self._slots is not None,
        }
        arrays = {"coefficients": self._coefficients}
        if self._hazard is not None:
            arrays |= {"hazard": self._hazard.coefficients, "hazard_base": np.array([self._hazard.base])}
        if self._slots is not None:
            arrays |= {f"slots_{name}": values for name, values in self._slots.arrays().items()}
        trees = self._trees.artifacts() if self._trees is not None else {}
        return {"joint.json": json_bytes(content), "joint.npz": array_bytes(arrays), **trees}

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes]) -> Self:
        """The inverse of ``to_artifacts``.

        Raises:
            ModelArtifactError: A file is missing, damaged, or belongs to another model.
        """
        content = read_json(artifacts, "joint.json")
        members = ("model", "feature_names", "feature_groups", "terms", "settings", "samples", "seed")
        require(content, (*members, "has_slots"), "joint.json")
        if content["model"] != cls.name:
            raise ModelArtifactError(
                f"joint.json holds the model {content['model']}, not {cls.name}", hint=RETRAIN
            )
        arrays = read_arrays(artifacts, "joint.npz")
        try:
            stored = dict(content["settings"])
            points = None if stored["points"] is None else Target(stored["points"])
            settings = JointSettings(**{**stored, "noise": RaceNoise(**stored["noise"]), "points": points})
            model = cls(
                feature_names=content["feature_names"],
                feature_groups=content["feature_groups"],
                settings=settings,
                samples=int(content["samples"]),
                seed=int(content["seed"]),
            )
            model._coefficients = arrays["coefficients"]
            if settings.retires:
                model._hazard = RetirementHazard(float(arrays["hazard_base"][0]), arrays["hazard"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelArtifactError(f"joint.json and joint.npz do not fit: {error}", hint=RETRAIN) from error
        model._names = tuple(content["feature_names"])
        model._terms = tuple(content["terms"])
        unknown = [name for name in model._terms if name not in TERM_BY_NAME]
        if unknown or len(model._terms) != len(model._coefficients):
            raise ModelArtifactError("joint.json names terms this version does not know", hint=RETRAIN)
        if content["has_slots"]:
            parts = {
                name.removeprefix("slots_"): values
                for name, values in arrays.items()
                if name.startswith("slots_")
            }
            model._slots = SlotTable.from_arrays(parts)
        if settings.tree_share > 0:
            model._trees = PlaceTrees.from_artifacts(artifacts, len(model._names))
        model._is_trained = True
        return model

    # Parts --------------------------------------------------------------------------------------------------------

    def _require_trained(self) -> None:
        if not self._is_trained:
            raise NotTrained("the model joint is not trained", hint="Run `python -m jobs train`.")

    def _fit_trees(self, rows: pl.DataFrame, positions: Ints, sizes: Ints) -> None:
        self._names = self._wanted or learnable_features(rows)
        if not self._names:
            raise NotReady(
                "no feature is known for any past event", hint="Extract features of earlier seasons."
            )
        share = (positions - 0.5) / np.repeat(sizes, sizes)
        matrix = to_matrix(rows, self._names).values
        self._trees = PlaceTrees.fit(matrix, self._names, share, seed=self._seed, threads=self._threads)

    def _drawn(self, features: pl.DataFrame, seed: int) -> list[DrawnField]:
        self._require_trained()
        return [self._draw(rows, seed) for rows in split_fields(features)]

    def _draw(self, rows: pl.DataFrame, seed: int) -> DrawnField:
        event_id = str(rows["event_id"][0])
        # Random numbers are dealt in the order of strength: renaming a driver must not change his forecast.
        strength = self._strength(rows)
        rows = rows[np.lexsort((_tie_break(rows), -strength))]
        strength = self._strength(rows)
        columns = _columns(rows)
        n = rows.height
        hazard = np.zeros(n)
        if self._hazard is not None and self.settings.retires:
            hazard = self._hazard.probabilities(columns) * self.settings.retirement_share
        names = rows["constructor_id"] if "constructor_id" in rows.columns else rows["driver_id"]
        teams = names.rle_id() if n < 2 else _codes(names)
        orders = simulate(
            strength,
            hazard,
            np.asarray(teams, dtype=np.int64),
            self.settings.noise,
            self._samples,
            event_generator(event_id, seed),
        )
        if self._slots is not None:
            orders = lean_on_slots(orders, columns.slots, self._slots, self.settings)
        return DrawnField(event_id, rows, orders, marginals(orders), strength, self.settings)

    def _strength(self, rows: pl.DataFrame) -> Floats:
        """Strength per driver, centred on the field."""
        columns = _columns(rows)
        linear = term_matrix(columns, self._terms) @ self._coefficients
        if self._trees is None:
            return np.asarray(linear)
        share = columns.centred(self._trees.predict(to_matrix(rows, self._names).values))
        return np.asarray(self.settings.linear_share * linear - self.settings.tree_share * TREE_UNIT * share)

    def _contributions(self, drawn: DrawnField) -> tuple[list[str], Floats]:
        """Names of the groups, and what each adds to a driver's place: shape (drivers, groups)."""
        columns = _columns(drawn.rows)
        parts: dict[str, Floats] = {}
        values = term_matrix(columns, self._terms) * self._coefficients * self.settings.linear_share
        for place, name in enumerate(self._terms):
            group = TERM_BY_NAME[name].group
            parts[group] = parts.get(group, np.zeros(drawn.rows.height)) + values[:, place]
        if self._trees is not None:
            shares = self._trees.contributions(to_matrix(drawn.rows, self._names).values)
            for place, name in enumerate(self._names):
                group = self._groups.get(name, name)
                own = -self.settings.tree_share * TREE_UNIT * columns.centred(shares[:, place])
                parts[group] = parts.get(group, np.zeros(drawn.rows.height)) + own
        # places per unit of strength: the slope of the drawn expectation on the strength
        spread = float(drawn.strength @ drawn.strength)
        slope = float(drawn.strength @ drawn.summary.expected) / spread if spread > 0 else 0.0
        kept = {group: own for group, own in parts.items() if np.abs(own).max() > 0}
        if not kept:
            return [], np.empty((drawn.rows.height, 0))
        return list(kept), np.column_stack(list(kept.values())) * slope


def _columns(rows: pl.DataFrame) -> FieldColumns:
    return FieldColumns(rows, np.array([0, rows.height], dtype=np.int64))


def _codes(names: pl.Series) -> Ints:
    """A number per name in order of appearance."""
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(str(name), len(codes)) for name in names], dtype=np.int64)


def _tie_break(rows: pl.DataFrame) -> Floats:
    """Orders drivers of exactly equal strength by their slot."""
    slots = _columns(rows).slots
    return np.where(np.isnan(slots), 0.0, slots)
