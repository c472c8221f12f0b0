"""Puts charts on a page. Building one costs far more than sending it, so its specification is kept by content."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import altair as alt
import polars as pl
import streamlit as st
from altair.utils.schemapi import debug_mode
from streamlit.dataframe_util import convert_anything_to_arrow_bytes

from pages.shell.favourites import starred

_TRANSFORMER = "parcferme_arrow"
_building = threading.Lock()
"""Altair has one data transformer for the whole process."""


def draw(figure: Callable[..., Any], *args: Any, key: str) -> None:
    """Draws a chart of :mod:`f1core.charts`.

    Args:
        figure: The function that makes it.
        *args: What it is made of, favourites starred; equal frames and values give the chart that was made before.
        key: Of the element on the page.
    """
    args = tuple(starred(value) if isinstance(value, pl.DataFrame) else value for value in args)
    spec = _specification(f"{figure.__module__}.{figure.__qualname__}", args, _figure=figure)
    # A copy: Streamlit moves the data out of what it gets. The bytes of the data are only read.
    shown = copy.deepcopy({name: part for name, part in spec.items() if name != "datasets"})
    # A chart with a width of its own (a map) must not be stretched.
    width = "content" if "width" in spec else "stretch"
    st.vega_lite_chart(shown | {"datasets": dict(spec["datasets"])}, key=key, width=width)


def _fingerprint(frame: pl.DataFrame) -> str:
    content = hashlib.sha256(repr(frame.schema).encode())
    content.update(frame.hash_rows().to_numpy().tobytes())
    return content.hexdigest()


@st.cache_resource(max_entries=300, show_spinner=False, hash_funcs={pl.DataFrame: _fingerprint})
def _specification(name: str, args: tuple[Any, ...], _figure: Callable[..., Any]) -> dict[str, Any]:
    # The data as Streamlit sends them, straight from the frames: as a list of rows they cost more than all else.
    datasets: dict[str, bytes] = {}
    # Altair checks every part against its schema while a chart is put together; the tests do that for every chart.
    with _building, debug_mode(False), alt.data_transformers.enable(_TRANSFORMER, datasets=datasets):
        spec: dict[str, Any] = _figure(*args).to_dict(
            validate=False
        )  # the tests validate every chart; it takes longer than all else
    spec.pop("config", None)  # Altair's own sizes; the theme of the page takes their place
    return spec | {"datasets": spec.get("datasets", {}) | datasets}


def _as_bytes(data: Any, datasets: dict[str, bytes]) -> Any:
    if not isinstance(data, pl.DataFrame):
        return data
    name = _fingerprint(data)
    if name not in datasets:
        datasets[name] = convert_anything_to_arrow_bytes(data)
    return {"name": name}


alt.data_transformers.register(_TRANSFORMER, _as_bytes)
