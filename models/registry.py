"""Trained models on disk: immutable versions, and a pointer that says which one is in production.

::

    <root>/versions/<version>/manifest.json    what it is, and the SHA-256 of every other file
    <root>/versions/<version>/...              the model's artifacts; none is a pickle
    <root>/production.json                     version in production per target and stage, with history

A version is written to a temporary folder and renamed when complete, the pointer is replaced in one step: a
process killed at any moment leaves what was there before, and at most a temporary folder that is swept away
by the next save. Writers must hold the product's writer lock; readers need none.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from models.artifacts import RETRAIN, json_bytes
from models.catalogue import model_class
from models.protocol import RaceModel
from warehouse.errors import ModelArtifactError, NotTrained

FORMAT = 1
"""Format of manifests and pointer that this version writes; newer ones are refused."""

BY_HAND = "promote by hand"
"""Action in the history when somebody chose the version."""
_TEMPORARY = ".tmp-"
_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_TRAIN = "Run `python -m jobs train`."


@dataclass(frozen=True)
class Manifest:
    """What a stored model is.

    Attributes:
        model: Name of the model, e.g. ``rf_xgb``.
        target: What it forecasts: race, sprint or qualifying.
        stages: The stages it may be used for.
        cutoff: Nothing known at or after this instant was learned from; UTC.
        created_at: When it was trained; UTC.
        feature_names: Columns it reads; empty for a baseline.
        data_version: Fingerprint of the facts it learned from.
        seeds: Random seeds by name.
        metrics: Walk-forward scores of its recipe by name, when it was trained; null where not measured.
        git_revision: Of the code that trained it; empty if unknown.
        version: Given by ``save``.
        files: SHA-256 by artifact file; given by ``save``.
        format: Of this document.
    """

    model: str
    target: str
    stages: tuple[str, ...]
    cutoff: dt.datetime
    created_at: dt.datetime
    feature_names: tuple[str, ...] = ()
    data_version: str = ""
    seeds: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    git_revision: str = ""
    version: str = ""
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def keys(self) -> tuple[str, ...]:
        """The places in production it can take, e.g. ``race/pre_race``."""
        return tuple(production_key(self.target, stage) for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """The document as stored; times in ISO 8601, UTC."""
        return asdict(self) | {"cutoff": _iso(self.cutoff), "created_at": _iso(self.created_at)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: Path) -> Manifest:
        """The inverse of ``to_json``; ``where`` is named when it fails.

        Raises:
            ModelArtifactError: A member is missing, or the format is newer than this version reads.
        """
        stored = content.get("format")
        if stored != FORMAT:
            raise ModelArtifactError(
                f"{where} has format {stored}; this version reads {FORMAT}",
                hint="Update the product, or train again.",
            )
        try:
            members = {member.name: content[member.name] for member in fields(cls)}
            members["cutoff"] = dt.datetime.fromisoformat(members["cutoff"])
            members["created_at"] = dt.datetime.fromisoformat(members["created_at"])
            members["stages"] = tuple(members["stages"])
            members["feature_names"] = tuple(members["feature_names"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelArtifactError(f"{where} is not a complete manifest: {error}", hint=RETRAIN) from error
        return cls(**members)


@dataclass(frozen=True)
class StoredModel:
    """A model loaded from the registry, with its manifest."""

    model: RaceModel
    manifest: Manifest


def production_key(target: str, stage: str) -> str:
    """The place in production of a target and stage: ``race/pre_race``."""
    return f"{target}/{stage}"


class ModelRegistry:
    """The versions and the production pointer under one folder, which is made when first written to."""

    def __init__(self, root: Path) -> None:
        """Open the registry at ``root``; nothing is read yet."""
        self.root = root
        self._versions = root / "versions"
        self._pointer = root / "production.json"

    def save(self, model: RaceModel, manifest: Manifest) -> str:
        """Store a trained model and return its version.

        The version names target, stages, model and cut-off and ends with a digest of everything else, so
        that the same model saved twice is one version.

        Raises:
            NotTrained: The model is not trained.
            ModelArtifactError: The folder cannot be written.
        """
        artifacts = model.to_artifacts()
        manifest = replace(
            manifest,
            version="",
            files={name: hashlib.sha256(content).hexdigest() for name, content in sorted(artifacts.items())},
        )
        digest = hashlib.sha256(json_bytes(manifest.to_json())).hexdigest()[:10]
        day = _iso(manifest.cutoff)[:10].replace("-", "")
        version = "-".join([manifest.target, *manifest.stages, manifest.model, day, digest])
        manifest = replace(manifest, version=version)
        target = self._folder(version)
        try:
            self._versions.mkdir(parents=True, exist_ok=True)
            self._sweep()
            if target.exists():
                if self._is_intact(version):
                    return version
                shutil.rmtree(target)
            temporary = self._versions / f"{_TEMPORARY}{os.getpid()}-{version}"
            temporary.mkdir()
            for name, content in artifacts.items():
                _write_synced(temporary / _checked_name(name), content)
            _write_synced(temporary / "manifest.json", json_bytes(manifest.to_json()))
            _sync_folder(temporary)
            temporary.rename(target)
            _sync_folder(self._versions)
        except OSError as error:
            raise ModelArtifactError(
                f"the model cannot be stored in {target}: {error}",
                hint="Check the folder's rights and free space.",
            ) from error
        return version

    def manifest(self, version: str) -> Manifest:
        """What the stored ``version`` is.

        Raises:
            ModelArtifactError: There is no such version, or its manifest is damaged.
        """
        path = self._folder(version) / "manifest.json"
        manifest = Manifest.from_json(_read_object(path), path)
        if manifest.version != version:
            raise ModelArtifactError(f"{path} describes the version {manifest.version}", hint=RETRAIN)
        return manifest

    def load(self, version: str) -> StoredModel:
        """Read a version; every file is checked against its SHA-256 first.

        Raises:
            ModelArtifactError: A file is missing, altered or unreadable; the message names it.
        """
        manifest = self.manifest(version)
        artifacts: dict[str, bytes] = {}
        for name, digest in manifest.files.items():
            path = self._folder(version) / _checked_name(name)
            try:
                content = path.read_bytes()
            except OSError as error:
                raise ModelArtifactError(f"{path} cannot be read: {error.strerror}", hint=RETRAIN) from error
            if hashlib.sha256(content).hexdigest() != digest:
                raise ModelArtifactError(
                    f"{path} is not the file that was stored (SHA-256 differs)", hint=RETRAIN
                )
            artifacts[name] = content
        return StoredModel(model_class(manifest.model).from_artifacts(artifacts), manifest)

    def list(self) -> Sequence[Manifest]:
        """Manifests of all complete versions, oldest first; damaged ones are left out (``load`` says why)."""
        found: list[Manifest] = []
        for path in sorted(self._versions.glob("*/manifest.json")):
            if path.parent.name.startswith(_TEMPORARY):
                continue
            try:
                found.append(self.manifest(path.parent.name))
            except ModelArtifactError:
                continue
        return sorted(found, key=lambda manifest: (manifest.created_at, manifest.version))

    def production(self) -> dict[str, str]:
        """Version in production by key (``race/pre_race``); empty before the first promotion.

        Raises:
            ModelArtifactError: The pointer is damaged.
        """
        return {key: place["version"] for key, place in self._places().items()}

    def load_production(self, target: str, stage: str) -> StoredModel:
        """Read the model in production.

        Raises:
            NotTrained: None was promoted for this target and stage.
            ModelArtifactError: The pointer or the version is damaged.
        """
        key = production_key(target, stage)
        version = self.production().get(key)
        if version is None:
            raise NotTrained(f"no model is in production for {key}", hint=_TRAIN)
        return self.load(version)

    def history(self, target: str, stage: str) -> Sequence[dict[str, str]]:
        """Promotions and rollbacks of a key, oldest first: ``version``, ``action``, ``at``."""
        place = self._places().get(production_key(target, stage))
        return () if place is None else tuple(place["history"])

    def promote(self, version: str, *, at: dt.datetime, is_by_hand: bool = False) -> tuple[str, ...]:
        """Put a version in production for its target and all its stages, and return those keys.

        The version is read and checked first: a damaged model never goes into production.

        Args:
            version: The version.
            at: When.
            is_by_hand: Whether somebody chose it; the history says so.

        Raises:
            ModelArtifactError: The version is missing or damaged.
        """
        keys = self.load(version).manifest.keys
        places = self._places()
        for key in keys:
            place = places.setdefault(key, {"version": version, "previous": [], "history": []})
            if place["version"] != version:
                place["previous"].append(place["version"])
            place["version"] = version
            action = BY_HAND if is_by_hand else "promote"
            place["history"].append({"version": version, "action": action, "at": _iso(at)})
        self._write_places(places)
        return keys

    def before(self, target: str, stage: str) -> str:
        """The version that ``rollback`` would bring back.

        Raises:
            NotTrained: There is no earlier version.
        """
        key = production_key(target, stage)
        place = self._places().get(key)
        if place is None or not place["previous"]:
            raise NotTrained(f"there is no earlier model for {key} to go back to", hint=_TRAIN)
        return str(place["previous"][-1])

    def rollback(self, target: str, stage: str, *, at: dt.datetime) -> str:
        """Put the version before the present one back in production, and return it.

        Repeated, it goes back further; what was rolled back is not returned to.

        Raises:
            NotTrained: There is no earlier version.
            ModelArtifactError: The earlier version is damaged.
        """
        version = self.before(target, stage)
        self.load(version)
        places = self._places()
        place = places[production_key(target, stage)]
        place["previous"].pop()
        place["version"] = version
        place["history"].append({"version": version, "action": "rollback", "at": _iso(at)})
        self._write_places(places)
        return version

    def _folder(self, version: str) -> Path:
        return self._versions / _checked_name(version)

    def _is_intact(self, version: str) -> bool:
        try:
            self.load(version)
        except ModelArtifactError:
            return False
        return True

    def _sweep(self) -> None:
        """Remove temporary folders of writers that were killed; the caller is the only writer."""
        for left_over in self._versions.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(left_over, ignore_errors=True)

    def _places(self) -> dict[str, dict[str, Any]]:
        if not self._pointer.exists():
            return {}
        content = _read_object(self._pointer)
        places = content.get("production")
        if content.get("format") != FORMAT or not isinstance(places, dict):
            raise ModelArtifactError(
                f"{self._pointer} has a format this version does not read",
                hint="Update the product, or train again.",
            )
        return places

    def _write_places(self, places: dict[str, dict[str, Any]]) -> None:
        temporary = self.root / f"{_TEMPORARY}production.json"
        try:
            _write_synced(temporary, json_bytes({"format": FORMAT, "production": places}))
            os.replace(temporary, self._pointer)
            _sync_folder(self.root)
        except OSError as error:
            raise ModelArtifactError(
                f"{self._pointer} cannot be written: {error.strerror}",
                hint="Check the folder's rights and free space.",
            ) from error


def _checked_name(name: str) -> str:
    """``name``, if it is a plain file name: a manifest must not reach outside its folder."""
    if not _SAFE_NAME.fullmatch(name):
        raise ModelArtifactError(f"{name!r} is not a valid name of a model version or file")
    return name


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelArtifactError(f"{path} cannot be read: {error.strerror}", hint=RETRAIN) from error
    except ValueError as error:
        raise ModelArtifactError(f"{path} is damaged: {error}", hint=RETRAIN) from error
    if not isinstance(content, dict):
        raise ModelArtifactError(f"{path} does not hold a JSON object", hint=RETRAIN)
    return content


def _iso(instant: dt.datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return instant.astimezone(dt.UTC).isoformat(timespec="seconds")


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Make a rename survive a power cut; where folders cannot be opened (Windows) the rename must do."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
