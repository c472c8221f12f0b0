"""Choices that live in the URL: what a page shows can be linked to, and a wrong link is answered kindly.

The URL is the truth: it sets the widget before the widget is drawn, and a change of the widget writes it. (Streamlit's own
``bind`` drops unknown values in silence and puts labels, not ids, into the URL.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

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
    elsewhere: Collection[str] = (),
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
        elsewhere: Options that others of its kind have: a link that carries one here is no mistake, and keeps it.
    """
    asked = st.query_params.get(name)
    if asked in elsewhere and asked not in options:
        asked = None
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


def choose_some(
    label: str,
    options: Sequence[str],
    name: str,
    *,
    words: Callable[[str], str] = str,
    most: int | None = None,
    is_list: bool = False,
    beside: str = "",
) -> list[str]:
    """Any number of some options; what none chosen means is the page's to say. In the URL they are joined by commas.

    Args:
        label: Of the widget.
        options: Values as they stand in the URL, without commas.
        name: Of the parameter in the URL.
        words: What people read for an option.
        most: How many can be chosen; None for any number.
        is_list: A searchable list rather than buttons side by side.
        beside: Who is shown anyway and so cannot be chosen again; a link that names him is no mistake.
    """
    asked = list(dict.fromkeys(value for value in st.query_params.get(name, "").split(",") if value))
    known = [value for value in asked if value in options][:most]
    unknown = [value for value in asked if value not in options and value != beside]
    if unknown:
        st.caption(f":material/info: Nothing is known of {label.lower()} “{plain(', '.join(unknown)[:60])}”.")
    key = f"choice_{name}"
    st.session_state[key] = known
    if is_list:
        st.multiselect(
            label,
            options,
            key=key,
            format_func=words,
            max_selections=most,
            on_change=_write,
            args=(name,),
            placeholder="All" if most is None else f"Up to {most}",
        )
    else:
        st.pills(
            label,
            options,
            key=key,
            selection_mode="multi",
            format_func=words,
            on_change=_write,
            args=(name,),
        )
    return known


def type_in(label: str, name: str, *, placeholder: str = "", longest: int = 60) -> str:
    """Words that the reader types, from the URL or by hand; empty when there are none.

    Args:
        label: Of the widget.
        name: Of the parameter in the URL.
        placeholder: Shown in the empty box.
        longest: More letters than so many are cut off.
    """
    asked = st.query_params.get(name, "")[:longest]
    key = f"choice_{name}"
    st.session_state[key] = asked
    st.text_input(label, key=key, placeholder=placeholder, max_chars=longest, on_change=_write, args=(name,))
    return asked.strip()


def _write(name: str, resets: tuple[str, ...] = ()) -> None:
    for other in resets:
        st.query_params.pop(other, None)
    value = st.session_state[f"choice_{name}"]
    if not value:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value if isinstance(value, str) else ",".join(value)
