"""Puts charts on a page. Building one costs far more than sending it, so its specification is kept by content."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from pages.shell.favourites import starred


def draw(figure: Callable[..., Any], *args: Any, key: str) -> None:
    """Draws a chart of :mod:`f1core.charts`.

    Args:
        figure: The function that makes it.
        *args: What it is made of, favourites starred; equal frames and values give the chart that was made before.
        key: Of the element on the page.
    """
    args = tuple(starred(value) if isinstance(value, pl.DataFrame) else value for value in args)
    spec = _specification(f"{figure.__module__}.{figure.__qualname__}", args, _figure=figure)
    # A chart with a width of its own (a map) must not be stretched. A copy: Streamlit moves the data out of what it gets.
    st.vega_lite_chart(copy.deepcopy(spec), key=key, width="content" if "width" in spec else "stretch")


def _fingerprint(frame: pl.DataFrame) -> str:
    content = hashlib.sha256(repr(frame.schema).encode())
    content.update(frame.hash_rows().to_numpy().tobytes())
    return content.hexdigest()


@st.cache_resource(max_entries=300, show_spinner=False, hash_funcs={pl.DataFrame: _fingerprint})
def _specification(name: str, args: tuple[Any, ...], _figure: Callable[..., Any]) -> dict[str, Any]:
    spec = _figure(*args).to_dict(
        validate=False
    )  # the tests validate every chart; it takes longer than all else
    spec.pop("config", None)  # Altair's own sizes; the theme of the page takes their place
    return spec
