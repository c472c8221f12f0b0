"""Answers that are computed from the warehouse, remembered until something newer is published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from f1core.api.problems import Problem
from f1core.settings import Settings
from warehouse.snapshot import read_snapshot

if TYPE_CHECKING:
    from warehouse.reader import Reader

Answer = dict[str, Any]
MAX_KEPT = 64
"""Answers that are remembered."""


class KeptAnswers:
    """What a route remembers between requests; threads may share it. The engine is loaded when it is first asked.

    Args:
        settings: Where the data lies.
        absent: Title of the problem where nothing was built yet.
    """

    def __init__(self, settings: Settings, absent: str) -> None:
        self.settings = settings
        self._absent = absent
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._kept: dict[tuple[Any, ...], Answer] = {}

    def get(self, asked: tuple[Any, ...], make: Callable[[Reader], Answer]) -> Answer:
        """The answer to a question, made now if it is new or the warehouse is.

        Args:
            asked: All that the answer depends on beside the warehouse.
            make: Computes it.

        Raises:
            Problem: Nothing was built yet.
            WarehouseError: The warehouse cannot be read.
        """
        from warehouse.reader import Reader

        with self._lock:
            if read_snapshot(self.settings.warehouse_root) is None:
                raise Problem(
                    404, "not_ready", self._absent, hint="`python3 run.py build` makes the warehouse."
                )
            if self._reader is None:
                self._reader = Reader(self.settings.warehouse_root)
            key = (self._reader.snapshot.id, *asked)
            if key not in self._kept:
                # Another snapshot makes all kept answers stale.
                recent = list(self._kept.items())[-MAX_KEPT + 1 :]
                kept = {old: answer for old, answer in recent if old[0] == key[0]}
                self._kept = {**kept, key: make(self._reader)}
            return self._kept[key]
