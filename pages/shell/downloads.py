"""Hands out what a page shows: CSV for a spreadsheet, Parquet with its types, JSON with where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from f1core.table_files import MIME_TYPES, file_name, table_file

HINTS = {
    "csv": "One row per line of the table, for a spreadsheet",
    "parquet": "The same rows with their types",
    "json": "The same with where it comes from",
}


def downloads(
    name: str, frame: pl.DataFrame, document: dict[str, Any] | None = None, *, of: str = ""
) -> None:
    """Buttons that hand out a frame; the files are made when somebody asks for one.

    Args:
        name: Of the files, without ending; unique on the page.
        frame: What is shown, a row per line; columns named for programs, with their units.
        document: What the JSON holds beside or instead of the rows; without one it is ``{"name": …, "rows": …}``.
        of: What it is, where a page hands out more than one thing.
    """
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if of:
            st.caption(of)
        for kind, mime in MIME_TYPES.items():
            st.download_button(
                "Parquet" if kind == "parquet" else kind.upper(),
                _maker(kind, name, frame, document),
                file_name(name, kind),
                mime,
                key=f"download_{file_name(name, kind)}",
                icon=":material/download:",
                on_click="ignore",
                help=HINTS[kind],
            )


def _maker(kind: str, name: str, frame: pl.DataFrame, document: dict[str, Any] | None) -> Callable[[], bytes]:
    return lambda: table_file(kind, name, frame, document)
