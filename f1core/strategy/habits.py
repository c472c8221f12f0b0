"""What separates the free-air optimum from what teams do, as constants tuned on the dry races of 2019–2023.

Wear that is fitted to race laps is too low: drivers manage their tyres, and sets are changed before they go off. So free-air
optima stop too rarely and too late. Wear is inflated for the search and for the field in which its plans are compared. What
teams will do (not what is best) also hangs on what they did here before, and they stop earlier than free air says, to cover
the undercut and to be free of traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from f1core.simulator.parameters import Race
from f1core.strategy.free_air import Cliff


@dataclass(frozen=True, kw_only=True)
class Habits:
    """One setting, chosen by ``benchmarks/strategy_calls.py --tune``.

    Attributes:
        wear_factor: Factor on fitted wear.
        cliff: Loss of long stints beyond linear wear, in the free-air search.
        history_s: What a number of stops loses for each squared stop that it is away from what is usual on the circuit [s].
        history_decay: Weight of a race on the circuit against the next one there.
        pool_weight: Weight of the latest races on all circuits against the newest race on this one.
        pool_races: How many of these.
        model_weight: Share of the free-air optimum in the expected first stop.
        circuit_weight: Share of the circuit's usual first stop in it; the rest is what was usual lately with as many stops.
        first_races: Latest races with as many stops, on all circuits, that say what was usual.
        usual_first: Where that begins, by number of stops, with the weight of three races [share of the distance].
        shift_laps: What is added to the blend [laps].
    """

    wear_factor: float = 1.5
    cliff: Cliff | None = field(
        default_factory=lambda: Cliff(share={"SOFT": 0.35, "MEDIUM": 0.50, "HARD": 0.65}, loss_s=0.10)
    )
    history_s: float = 10.0
    history_decay: float = 0.5
    pool_weight: float = 1.0
    pool_races: int = 10
    model_weight: float = 0.1
    circuit_weight: float = 0.2
    first_races: int = 10
    usual_first: Mapping[int, float] = field(default_factory=lambda: {1: 0.37, 2: 0.24, 3: 0.18})
    shift_laps: float = -2.1


HABITS = Habits()


def with_true_wear(race: Race, habits: Habits = HABITS) -> Race:
    """The race with wear as it would be if nobody managed the tyres."""
    tyres = {
        name: replace(tyre, wear_s=tyre.wear_s * habits.wear_factor) for name, tyre in race.tyres.items()
    }
    return replace(race, tyres=tyres)
