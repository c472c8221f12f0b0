"""One event as the joint model drew it: the orders, and the forecast that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.forecast import FieldForecast
from models.joint_settings import JointSettings
from models.order_simulation import Marginals, SampledOrders
from models.points_rules import FIRST_SEASON, points_rules
from warehouse.vocab import Target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DrawnField:
    """One event.

    Attributes:
        event_id: The event.
        rows: Its features, strongest driver first.
        orders: The drawn orders, drivers as in ``rows``.
        summary: What they say of each driver.
        strength: Per driver; larger is faster.
        settings: Of the model that drew them.
    """

    event_id: str
    rows: pl.DataFrame
    orders: SampledOrders
    summary: Marginals
    strength: Floats
    settings: JointSettings

    @property
    def driver_ids(self) -> list[str]:
        """The drivers, as in ``rows``."""
        return list(self.rows["driver_id"].to_list())

    def forecast(self) -> FieldForecast:
        """The event's forecast."""
        found = self.summary
        n = len(self.driver_ids)
        paid = points_of(self.rows, self.settings.points)[:n]
        table = np.zeros(n)
        table[: len(paid)] = paid
        return FieldForecast(
            event_id=self.event_id,
            driver_ids=self.driver_ids,
            order_key=found.expected,
            expected=found.expected,
            median=found.median,
            low=found.low,
            high=found.high,
            win=found.win,
            podium=found.podium,
            points=found.points,
            dnf=found.retirement if self.settings.retires else None,
            expected_points=found.matrix @ table if len(paid) else None,
        )


def points_of(rows: pl.DataFrame, target: Target | None) -> Sequence[int]:
    """Points by place of the event's race or sprint, by the rules of its season; empty where they are not known.

    The fastest lap's point is no matter of places, and that the last race of 2014 counted twice is left out.

    Args:
        rows: Features of one event.
        target: The race or the sprint; None for no points.
    """
    season = rows["season"][0] if "season" in rows.columns else None
    if target is None or season is None or season < FIRST_SEASON:
        return ()
    rules = points_rules(int(season))
    return rules.sprint if target is Target.SPRINT else rules.race
