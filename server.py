"""One server for the pages and the JSON API: what ``run.py serve`` starts, as ``streamlit run server.py``.

``uvicorn server:app`` does the same without Streamlit's options. The API alone: ``uvicorn f1core.api:application``.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
from pathlib import Path

import streamlit as st

import pages.shell
from f1core.api import beside_pages
from f1core.settings import get_settings

# All that the pages are made of, before anybody visits: the first visitor would wait for it, and the first two would import
# the same modules in two threads at once.
for _module in pkgutil.iter_modules(pages.shell.__path__):
    importlib.import_module(f"pages.shell.{_module.name}")
gc.freeze()  # what is loaded now stays: the collector need not walk through it again and again

app = st.App(Path(__file__).with_name("streamlit_app.py"), middleware=beside_pages(get_settings()))
