"""The errors of the product: one small hierarchy, used by every layer.

Every error says what went wrong, names the file, table or event, and carries a hint: the next thing to do.
The command line prints ``message`` and ``hint`` and exits with ``exit_code``; nothing here is ever swallowed,
except at the edge of a source, where it is shown as "not available".
"""

from __future__ import annotations


class ParcFermeError(Exception):
    """Base of every error the product raises on purpose.

    Attributes:
        hint: What the reader can do about it; empty when nothing can be done.
        exit_code: Exit status of a command that ends with this error.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SourceError(ParcFermeError):
    """A source of facts is missing, unreadable or truncated."""

    exit_code = 3


class SourceSchemaError(SourceError):
    """A source's file lacks a column, or a value does not have the agreed type."""


class SourceUnavailable(SourceError):
    """A source on the network cannot be asked now: no connection, a refusal, a time-out, the quota used up.

    Attributes:
        retry_after_s: When asking again makes sense [s]; None where the source did not say.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class UnsafeCache(SourceError):
    """A cache file holds objects that no honest cache holds, or is cut short; it was not opened."""


class ContractViolation(ParcFermeError):
    """Rows about to be written break the table's contract (key, type, range); nothing was written."""

    exit_code = 4


class WarehouseError(ParcFermeError):
    """The warehouse cannot be read or written (missing, read-only, full disk, damaged)."""

    exit_code = 5


class SchemaTooNew(WarehouseError):
    """The warehouse was written by a newer version of the product."""


class LockHeld(WarehouseError):
    """Another process holds the writer's lock."""

    exit_code = 6


class UnknownEvent(ParcFermeError):
    """No event answers to the name that was typed."""

    exit_code = 2


class AmbiguousEvent(UnknownEvent):
    """Several events answer to the name that was typed."""


class NotReady(ParcFermeError):
    """What was asked for is not known yet: a result before the race, a grid before qualifying."""

    exit_code = 7


class NotPublished(NotReady):
    """A source answers, but has not published what was asked for yet."""


class NotTrained(ParcFermeError):
    """No model is in production yet."""

    exit_code = 8


class ModelArtifactError(ParcFermeError):
    """A stored model is incomplete, altered, or of a format this version does not read."""

    exit_code = 9
