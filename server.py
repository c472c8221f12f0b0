"""One server for the pages and the JSON API: what ``run.py serve`` starts, as ``streamlit run server.py``.

``uvicorn server:app`` does the same without Streamlit's options. The API alone: ``uvicorn f1core.api:application``.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from f1core.api import beside_pages
from f1core.settings import get_settings

app = st.App(Path(__file__).with_name("streamlit_app.py"), middleware=beside_pages(get_settings()))
