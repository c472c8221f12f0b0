"""The model in production for a target and stage, and whether it can still be used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from f1core.features.registry import feature_names
from f1core.targets import rules_of
from f1core.training import recipe_of
from models.registry import Manifest, ModelRegistry, production_key
from warehouse.errors import ModelArtifactError
from warehouse.vocab import Stage, Target

NAMED = 3
"""Missing features that are named; the others are counted by dots."""


@dataclass(frozen=True)
class Champion:
    """What is in production for a target and stage.

    Attributes:
        version: None when there is none.
        manifest: None when it cannot be read.
        fault: Why it cannot be used or compared; empty when it can.
    """

    version: str | None
    manifest: Manifest | None = None
    fault: str = ""

    @property
    def recipe(self) -> str:
        """Its recipe; empty when not recorded."""
        return recipe_of(self.manifest) if self.manifest else ""


def champion_of(
    registry: ModelRegistry, stage: Stage, fault: str = "", target: Target = Target.RACE
) -> Champion:
    """The champion of a target and stage, read and checked.

    Args:
        registry: The registry.
        stage: The stage.
        target: The target.
        fault: Of the pointer, as in :func:`pointer_fault`; nobody can say then who the champion was.
    """
    if fault:
        return Champion(None, fault=fault)
    version = registry.production().get(place_of(stage, target))
    if version is None:
        return Champion(None)
    try:
        manifest = registry.load(version).manifest
    except ModelArtifactError as error:
        return Champion(version, fault=error.message)
    return Champion(version, manifest, champion_fault(manifest, stage))


def champion_fault(manifest: Manifest, stage: Stage) -> str:
    """Why a stored model cannot be a champion at a stage; empty when it can."""
    fault = version_fault(manifest, stage)
    if not fault and not recipe_of(manifest):
        return "its manifest does not say by which recipe it was made"
    return fault


def version_fault(manifest: Manifest, stage: Stage) -> str:
    """Why this version of the product cannot forecast a stage with a stored model; empty when it can."""
    wanted = rules_of(Target(manifest.target)).model
    if manifest.model != wanted:
        return f"it is the model {manifest.model}, and this version of the product forecasts with {wanted}"
    unknown = sorted(set(manifest.feature_names) - set(feature_names(stage)))
    if unknown:
        words = ", ".join(unknown[:NAMED]) + (" …" if len(unknown) > NAMED else "")
        return f"it reads features that are made no more: {words}"
    return ""


def place_of(stage: Stage, target: Target = Target.RACE) -> str:
    """Place in production of a target and stage: ``race/pre_race``; a sprint's is that of the race it learns from."""
    return production_key(rules_of(target).learns_from.value, stage.value)


def pointer_path(registry: ModelRegistry) -> Path:
    """File of the production pointer."""
    return registry.root / "production.json"


def pointer_fault(registry: ModelRegistry) -> str:
    """Why the production pointer cannot be read; empty when it can.

    Raises:
        ModelArtifactError: It is whole, but of a format that this version does not know.
    """
    try:
        registry.production()
    except ModelArtifactError as error:
        if _is_whole(pointer_path(registry)):
            raise
        return error.message
    return ""


def set_pointer_aside(registry: ModelRegistry) -> None:
    """Renames a damaged pointer, so that a new one can be written; the caller holds the writer lock."""
    path = pointer_path(registry)
    path.replace(path.with_name(f"{path.name}.damaged"))


def _is_whole(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError):
        return False
