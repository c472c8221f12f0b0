"""Favourite drivers and teams: kept in the URL as ``?fav=``, carried from page to page, starred wherever they are listed."""

from __future__ import annotations

import polars as pl
import streamlit as st

STAR = "★ "
NAME = "fav"
MAX_KEPT = 8
_IDS = ("driver_id", "constructor_id", "entity_id", "team_id")
_NAMES = ("label", "driver_name", "name", "constructor_name")
_OWN_NAME = {"constructor_name": ("constructor_id", "team_id")}
"""Columns that name only one kind: a driver's favourite star does not go to the name of the team."""


def favourites() -> tuple[str, ...]:
    """Ids of the favourites, from the URL; else what this visitor chose on an earlier page."""
    asked = st.query_params.get(NAME)
    if asked is not None:
        st.session_state["favourites"] = tuple(
            dict.fromkeys(name for name in asked.split(",")[:MAX_KEPT] if name)
        )
    return tuple(st.session_state.get("favourites", ()))


def carried() -> dict[str, str]:
    """What a link to another page must carry so that the favourites go with it."""
    kept = favourites()
    return {NAME: ",".join(kept)} if kept else {}


def starred(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose names bear a star where the driver or the team is a favourite; the same rows without favourites."""
    kept = list(favourites())
    ids = [name for name in _IDS if name in rows.columns]
    if not kept or not ids:
        return rows
    marks = []
    for column in _NAMES:
        own = [name for name in _OWN_NAME.get(column, ids) if name in ids]
        if column in rows.columns and own:
            is_mine = pl.any_horizontal(pl.col(own).cast(pl.String).is_in(kept)).fill_null(value=False)
            marks.append(pl.when(is_mine).then(pl.lit(STAR) + pl.col(column)).otherwise(column).alias(column))
    return rows.with_columns(marks)


def pick_favourites(names: dict[str, str]) -> None:
    """The list to choose from.

    Args:
        names: What people read, by id of driver or team.
    """
    known = [name for name in favourites() if name in names]
    st.session_state["choice_fav"] = known
    st.multiselect(
        "Favourites",
        list(names),
        key="choice_fav",
        format_func=names.__getitem__,
        on_change=_write,
        max_selections=MAX_KEPT,
        placeholder="Drivers and teams",
        help="Starred on every page; they stand in the address, so a link or bookmark keeps them",
    )


def _write() -> None:
    kept = tuple(st.session_state["choice_fav"])
    st.session_state["favourites"] = kept
    if kept:
        st.query_params[NAME] = ",".join(kept)
    else:
        st.query_params.pop(NAME, None)
