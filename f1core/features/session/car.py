"""Car telemetry of each driver's best lap of qualifying, as features."""

from __future__ import annotations

from f1core.features.session.lap_values import TELEMETRY_VALUES
from f1core.features.session.registry import TELEMETRY, Imputation, SessionFunction, Values, add
from f1core.features.session.view import WeekendView
from warehouse.vocab import SessionKind


def _value(name: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        one = view.one(SessionKind.QUALIFYING)
        if one is None:
            return None
        return view.per_driver({driver: values.get(name) for driver, values in one.telemetry.items()})

    return compute


for _one in TELEMETRY_VALUES.values():
    # Shares, speeds and shift points are the car's as much as the driver's: the team mate's stand in for a lost sensor.
    add(
        _one.name,
        _one.unit,
        TELEMETRY,
        Imputation.TEAM_MATE,
        f"Best lap of qualifying: {_one.doc}",
        _value(_one.name),
    )
