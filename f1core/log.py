"""Logging: readable lines on a terminal, one JSON object a line elsewhere, always to standard error.

Use ``get_logger(__name__).info("facts_ingested", rows=1234)``: the event is a name, what varies is a key.
What libraries log goes through the same renderer, so that a log file has one format. Tracebacks never show
local variables: a token may be among them.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, TextIO

import structlog

_NOISY = ("fontTools", "matplotlib", "urllib3", "watchdog")
_HANDLER = "parcferme"


def configure_logging(level: str = "INFO", *, stream: TextIO | None = None, json: bool | None = None) -> None:
    """Set logging up for this process; a second call replaces the first.

    Args:
        level: The least important level that is shown, as ``Settings.log_level`` has it.
        stream: Where to write; standard error when None.
        json: One JSON object a line; when None, exactly if ``stream`` is not a terminal.
    """
    target = sys.stderr if stream is None else stream
    as_json = not target.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor]
    if as_json:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [
            structlog.processors.ExceptionRenderer(tracebacks),
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=target.isatty() and "NO_COLOR" not in os.environ,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    handler = logging.StreamHandler(target)
    handler.set_name(_HANDLER)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in [known for known in root.handlers if known.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str, **context: Any) -> structlog.stdlib.BoundLogger:
    """A logger that puts ``context`` (event id, source, job …) into each of its lines."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name, **context)
    return logger
