"""Runs independent pieces of heavy work in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_tasks(
    function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Calls a function with each task's arguments; results come as they are finished.

    Processes are spawned, never forked: the storage engine does not survive a fork. With one worker everything runs
    here, which is easier to debug and needs less memory.

    Args:
        function: A function of a module.
        tasks: Arguments of each call.
        workers: Processes at most.
    """
    todo = list(tasks)
    if workers <= 1 or len(todo) <= 1:
        for task in todo:
            yield function(*task)
        return
    from joblib import Parallel, delayed

    # One thread a process: the libraries' own threads would wait for each other's cores.
    limits = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}
    os.environ.update(dict.fromkeys(limits, "1"))
    try:
        yield from Parallel(n_jobs=workers, backend="loky", return_as="generator_unordered")(
            delayed(function)(*task) for task in todo
        )
    finally:
        for name, value in limits.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
