"""The JSON API. ``uvicorn f1core.api:application`` runs it alone; ``run.py serve`` mounts it beside the pages.

Importing it, and answering predictions, loads neither an engine nor a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from f1core.api.app import beside_pages, create_application

if TYPE_CHECKING:
    from starlette.applications import Starlette

    application: Starlette

__all__ = ["application", "beside_pages", "create_application"]


def __getattr__(name: str) -> Any:
    """Makes ``application`` when it is first asked for: the settings are read then, not by whoever imports this."""
    if name != "application":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from f1core.settings import get_settings

    made = create_application(get_settings())
    globals()["application"] = made
    return made
