"""The demo: an invented championship around the present day, with everything that is true about it written down."""

from f1core.demo.archive import ensure_demo, generate
from f1core.demo.truth import Truth

__all__ = ["Truth", "ensure_demo", "generate"]
