"""Constants of the joint model: what is not learned from a training set but was chosen on the seasons 2014–2021."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.order_simulation import RaceNoise
from warehouse.vocab import Target


@dataclass(frozen=True)
class JointSettings:
    """What is not learned from a training set but was chosen on the seasons 2014–2021; see ``docs/models.md``.

    Attributes:
        half_life: Races after which a race counts half for strengths.
        hazard_half_life: The same for retirements.
        ridge: Penalty on the coefficients of the linear part.
        linear_share: Weight of the linear part in the strength.
        tree_share: Weight of the trees' share of the field (times minus five, its unit of strength); 0 leaves trees out.
        noise: What chance does in a race.
        own_win: How far win probabilities follow the drawn orders; the rest follows the slot's frequency (geometric mean).
        own_podium: The same for podiums (mean of log odds).
        own_points: The same for points finishes.
        points_sharpness: Factor on the log odds of points finishes.
        retires: Whether cars retire (not in qualifying).
        retirement_share: Factor on the probability of retiring.
        points: Whose points of the season's rules ``expected_points`` counts: the race's or the sprint's; None for none.
    """

    half_life: float = 100.0
    hazard_half_life: float = 120.0
    ridge: float = 20.0
    linear_share: float = 0.85
    tree_share: float = 0.25
    noise: RaceNoise = field(default_factory=RaceNoise)
    own_win: float = 0.9
    own_podium: float = 0.8
    own_points: float = 0.9
    points_sharpness: float = 1.1
    retires: bool = True
    retirement_share: float = 1.0
    points: Target | None = Target.RACE


TREE_UNIT = 5.0
"""Strength of one whole field: what a share of the field is multiplied by before it is weighed."""

QUALIFYING = JointSettings(
    half_life=40.0,
    linear_share=0.7,
    tree_share=0.5,
    noise=RaceNoise(mishap_rate=0.05),
    own_win=1.0,
    own_podium=1.0,
    own_points=1.0,
    points_sharpness=1.0,
    retires=False,
    points=None,
)
"""Qualifying: nobody retires, mishaps are rarer, no slot to lean on; form of the last seasons counts for more."""

SPRINT = {"points": Target.SPRINT, "retirement_share": 1.0 / 3.0}
"""What the race's model is changed by to forecast a sprint: its points, and a third of the distance to retire in. Sprints
began in 2021, so nothing could be chosen on earlier seasons: this is set beforehand, not fitted."""
