"""Choices that live in the URL: what a page shows can be linked to, and a wrong link is answered kindly.

The URL is the truth: it sets the widget before the widget is drawn, and a change of the widget writes it. (Streamlit's own
``bind`` drops unknown values in silence and puts labels, not ids, into the URL.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.shell.text import plain


def choose(
    label: str,
    options: Sequence[str],
    name: str,
    *,
    default: str,
    words: Callable[[str], str] = str,
    is_list: bool = False,
    resets: tuple[str, ...] = (),
) -> str:
    """One of some options, from the URL or the reader's hand.

    Args:
        label: Of the widget.
        options: Values as they stand in the URL; not empty.
        name: Of the parameter in the URL.
        default: Shown when the URL says nothing, or something unknown.
        words: What people read for an option.
        is_list: A searchable list rather than buttons side by side.
        resets: Other parameters that mean nothing once this one has changed: they leave the URL with it.
    """
    asked = st.query_params.get(name)
    if asked is not None and asked not in options:
        st.caption(
            f":material/info: There is no {label.lower()} “{plain(asked[:60])}” here; {words(default)} is shown."
        )
        asked = None
    key = f"choice_{name}"
    st.session_state[key] = asked or default
    if is_list:
        return str(
            st.selectbox(label, options, key=key, format_func=words, on_change=_write, args=(name, resets))
        )
    return str(
        st.segmented_control(
            label, options, key=key, format_func=words, on_change=_write, args=(name, resets), required=True
        )
    )


def choose_some(label: str, options: Sequence[str], name: str) -> list[str]:
    """Any number of some options; none chosen means all. In the URL they are joined by commas."""
    asked = st.query_params.get(name, "")
    known = [value for value in asked.split(",") if value in options]
    unknown = [value for value in asked.split(",") if value and value not in options]
    if unknown:
        st.caption(f":material/info: Nothing is known of {label.lower()} “{plain(', '.join(unknown)[:60])}”.")
    key = f"choice_{name}"
    st.session_state[key] = known
    st.pills(label, options, key=key, selection_mode="multi", on_change=_write, args=(name,))
    return known


def _write(name: str, resets: tuple[str, ...] = ()) -> None:
    for other in resets:
        st.query_params.pop(other, None)
    value = st.session_state[f"choice_{name}"]
    if not value:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value if isinstance(value, str) else ",".join(value)
