"""Trained parameters as bytes: JSON for settings, ``npz`` without pickle for arrays."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import ModelArtifactError

RETRAIN = "Train the model again, or roll back to an earlier version."


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, so that equal contents are equal bytes."""
    return (json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def read_json(artifacts: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """The JSON object stored as ``name``.

    Raises:
        ModelArtifactError: The file is missing or is not a JSON object.
    """
    try:
        content = json.loads(_required(artifacts, name))
    except ValueError as error:
        raise ModelArtifactError(f"{name} is not valid JSON: {error}", hint=RETRAIN) from error
    if not isinstance(content, dict):
        raise ModelArtifactError(f"{name} does not hold a JSON object", hint=RETRAIN)
    return content


def array_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays as a compressed ``npz``; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    # numpy types the keywords of savez as bool because of its own allow_pickle
    np.savez_compressed(buffer, **dict(arrays))  # type: ignore[arg-type]
    return buffer.getvalue()


def read_arrays(artifacts: Mapping[str, bytes], name: str) -> dict[str, NDArray[Any]]:
    """The arrays stored as ``name``; pickled objects are refused.

    Raises:
        ModelArtifactError: The file is missing, damaged, or holds something other than plain arrays.
    """
    try:
        with np.load(io.BytesIO(_required(artifacts, name)), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (ValueError, OSError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise ModelArtifactError(f"{name} is not a readable array file: {error}", hint=RETRAIN) from error


def require(content: Mapping[str, Any], keys: tuple[str, ...], name: str) -> None:
    """Check that ``content``, read from file ``name``, has every key.

    Raises:
        ModelArtifactError: A key is missing.
    """
    missing = [key for key in keys if key not in content]
    if missing:
        raise ModelArtifactError(f"{name} lacks {', '.join(missing)}", hint=RETRAIN)


def _required(artifacts: Mapping[str, bytes], name: str) -> bytes:
    if name not in artifacts:
        raise ModelArtifactError(f"{name} is missing from the model", hint=RETRAIN)
    return artifacts[name]
