"""Changes of production by hand: a version chosen, or the one before; :mod:`f1core.retraining` does the rest."""

from __future__ import annotations

from f1core.champion import champion_fault
from f1core.targets import LEARNED
from f1core.workspace import Workspace
from models.registry import Manifest
from warehouse.errors import ModelArtifactError, NotReady
from warehouse.lock import writer_lock
from warehouse.vocab import Stage, Target


def promote_by_hand(workspace: Workspace, version: str) -> dict[str, str | None]:
    """Puts a version into production for its target and stages.

    Args:
        workspace: The installation, with the system's clock.
        version: The version.

    Returns:
        What was in production before, by place (``race/pre_race``); None where nothing was.

    Raises:
        NotReady: The clock is simulated.
        ModelArtifactError: The version is missing, damaged, a baseline, or made for another version of the product.
        LockHeld: Another process is writing.
    """
    _require_live(workspace)
    registry = workspace.registry
    with writer_lock(workspace.settings.locks_root, holder="models promote"):
        manifest = registry.load(version).manifest
        fault = _fault(manifest)
        if fault:
            raise ModelArtifactError(
                f"{version} cannot go into production: {fault}.", hint="Choose another version."
            )
        before = registry.production()
        keys = registry.promote(version, at=workspace.clock.now(), is_by_hand=True)
    return {key: before.get(key) for key in keys}


def roll_back(workspace: Workspace, target: Target, stage: Stage) -> str:
    """Puts the version before the present one back into production, and returns it.

    Raises:
        NotReady: The clock is simulated.
        NotTrained: There is no earlier version.
        ModelArtifactError: The earlier version is damaged, or cannot be used by this version of the product.
        LockHeld: Another process is writing.
    """
    _require_live(workspace)
    registry = workspace.registry
    with writer_lock(workspace.settings.locks_root, holder="models rollback"):
        earlier = registry.before(target.value, stage.value)
        fault = _fault(registry.load(earlier).manifest)
        if fault:
            raise ModelArtifactError(
                f"{earlier}, the version before, cannot go into production: {fault}.",
                hint="Choose one by `python -m jobs models promote`, or train again.",
            )
        return registry.rollback(target.value, stage.value, at=workspace.clock.now())


def _fault(manifest: Manifest) -> str:
    if manifest.model not in LEARNED:
        return f"{manifest.model} is a baseline"
    faults = (champion_fault(manifest, Stage(name)) for name in manifest.stages)
    return next((fault for fault in faults if fault), "")


def _require_live(workspace: Workspace) -> None:
    if not workspace.is_live:
        raise NotReady(
            "Only the machine's real clock can change what is in production.", hint="Leave --as-of out."
        )
