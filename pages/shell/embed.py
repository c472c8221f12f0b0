"""The address of the JSON that a page shows, and of the view without chrome for somebody else's page."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

ROOT = "/api"
"""Where the API is mounted; the test of this file holds it against the API's own constant, which loads a web framework."""


def json_beside(path: str, **query: str) -> None:
    """A link to the same numbers from the API, and to this view without chrome.

    Args:
        path: Below :data:`ROOT`, without the first slash.
        **query: Parameters of the request; empty ones are left out.
    """
    asked = {name: value for name, value in query.items() if value}
    address = f"{ROOT}/{path}{'?' + urlencode(asked) if asked else ''}"
    words = [f"[JSON of this]({address})"]
    if not st.context.is_embedded:
        view = urlencode({**st.query_params.to_dict(), "embed": "true"})
        words.append(f"[view to embed](?{view})")
    st.markdown(f":small[:material/data_object: {' · '.join(words)}]")
