"""What every page is made of: one frame around it, choices that live in the URL, the forecast's table.

A folder, because Streamlit takes every ``.py`` file directly in ``pages/`` for a page.
"""
