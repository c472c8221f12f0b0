"""A small model that draws whole finishing orders: what is stored, served and shown of such models is tested with it.

It learns each driver's mean place and how often anybody stops, and draws orders around it. Everything it says is counted in
the same drawn orders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from typing import Self

import numpy as np
import polars as pl

from f1core.targets import PRODUCTION_MODEL
from models.forecast import FieldForecast, assemble, event_generator, shortest_interval, split_fields
from models.protocol import CONTRIBUTIONS_SCHEMA, DUELS_SCHEMA, POSITIONS_SCHEMA, JointForecast

DRAWS = 400
POINTS = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
TERMS = ("field middle", "mean place", "simulation and calibration")


class DrawnOrders:
    """Places around each driver's mean, as the model in production: it bears that model's name."""

    name = PRODUCTION_MODEL

    def __init__(self) -> None:
        self.means: dict[str, float] = {}
        self.stops = 0.0

    def fit(self, features: pl.DataFrame, labels: pl.DataFrame) -> Self:
        self.means = dict(labels.group_by("driver_id").agg(pl.col("position").mean()).iter_rows())
        self.stops = float((~labels["is_classified"]).mean() or 0.0)
        return self

    def predict(self, features: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
        return self.forecast(features, seed=seed).entries

    def forecast(self, features: pl.DataFrame, *, seed: int = 0) -> JointForecast:
        fields, places, pairs, terms = [], [], [], []
        for rows in split_fields(features):
            event, drivers = rows["event_id"][0], rows["driver_id"].to_list()
            n = len(drivers)
            middle = (n + 1) / 2
            mean = np.array([self.means.get(driver, middle) for driver in drivers])
            rng = event_generator(event, seed)
            stopped = rng.random((DRAWS, n)) < self.stops
            pace = mean + rng.normal(0, 3, (DRAWS, n)) + 100 * stopped
            place = pace.argsort(axis=1).argsort(axis=1) + 1
            matrix = np.array([[(place[:, i] == k).mean() for k in range(1, n + 1)] for i in range(n)])
            expected = place.mean(axis=0)
            low, high = shortest_interval(matrix)
            fields.append(
                FieldForecast(
                    event_id=event,
                    driver_ids=drivers,
                    order_key=expected,
                    expected=expected,
                    median=np.median(place, axis=0),
                    low=low,
                    high=high,
                    win=matrix[:, 0],
                    podium=matrix[:, :3].sum(axis=1),
                    points=matrix[:, :10].sum(axis=1),
                    dnf=stopped.mean(axis=0),
                    expected_points=matrix[:, : len(POINTS)] @ np.array(POINTS[:n]),
                )
            )
            for i, driver in enumerate(drivers):
                places += [(event, driver, k + 1, share) for k, share in enumerate(matrix[i])]
                parts = (middle, mean[i] - middle, expected[i] - mean[i])
                terms += [(event, driver, term, value) for term, value in zip(TERMS, parts, strict=True)]
            pairs += [
                (event, drivers[i], drivers[j], (place[:, i] < place[:, j]).mean())
                for i, j in combinations(range(n), 2)
            ]
        return JointForecast(
            assemble(fields, self.name),
            pl.DataFrame(places, schema=POSITIONS_SCHEMA, orient="row"),
            pl.DataFrame(pairs, schema=DUELS_SCHEMA, orient="row"),
            pl.DataFrame(terms, schema=CONTRIBUTIONS_SCHEMA, orient="row"),
        )

    def to_artifacts(self) -> dict[str, bytes]:
        return {"means.json": json.dumps({"means": self.means, "stops": self.stops}).encode()}

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes]) -> Self:
        made = cls()
        content = json.loads(artifacts["means.json"])
        made.means, made.stops = content["means"], content["stops"]
        return made
