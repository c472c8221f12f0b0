"""Every race model by name."""

from __future__ import annotations

from models.baselines import EloOrder, GridOrder, PointsOrder
from models.joint import JointOrderModel
from models.protocol import RaceModel
from models.race_model import ForestBoostingModel
from warehouse.errors import ModelArtifactError

RACE_MODELS: dict[str, type[RaceModel]] = {
    model.name: model for model in (GridOrder, PointsOrder, EloOrder, ForestBoostingModel, JointOrderModel)
}
BASELINES: tuple[str, ...] = (GridOrder.name, PointsOrder.name, EloOrder.name)


def model_class(name: str) -> type[RaceModel]:
    """The class of the model called ``name``.

    Raises:
        ModelArtifactError: This version of the product has no such model.
    """
    if name not in RACE_MODELS:
        known = ", ".join(RACE_MODELS)
        raise ModelArtifactError(f"there is no model called {name}", hint=f"Known models: {known}.")
    return RACE_MODELS[name]
