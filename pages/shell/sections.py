"""Parts of a long page, of which one is shown at a time: only that one is worked out, sent and drawn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import streamlit as st

from pages.shell.choices import choose

NAME = "view"


def sections(
    parts: Mapping[str, tuple[str, Callable[[], None]]],
    *,
    label: str = "Show",
    elsewhere: Collection[str] = (),
) -> None:
    """A choice of parts, kept in the URL as ``?view=``, and the one that is chosen; the first of them without a choice.

    A single part is simply drawn: there is nothing to choose.

    Args:
        parts: What people read and what draws it, by the word in the URL.
        label: Of the choice.
        elsewhere: Parts that other pages of this kind have, as in :func:`pages.shell.choices.choose`.
    """
    if len(parts) == 1:
        next(iter(parts.values()))[1]()
        return
    words = {name: title for name, (title, _) in parts.items()}
    chosen = choose(
        label, list(parts), NAME, default=next(iter(parts)), words=words.__getitem__, elsewhere=elsewhere
    )
    parts[chosen][1]()


def opened_by(parameter: str, part: str) -> None:
    """A link that says something of one part, but not which part is to be shown, opens that one.

    Args:
        parameter: Of the URL, that only the part understands.
        part: Its word in the URL.
    """
    if parameter in st.query_params and NAME not in st.query_params:
        st.query_params[NAME] = part
