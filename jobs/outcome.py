"""How a run ended, in one shape for tasks in this process and in one of their own."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from f1core.job_log import RunStatus
from f1core.log import get_logger
from warehouse.errors import LockHeld, NotReady, ParcFermeError, SourceUnavailable

LOCK_RETRY_S = 60.0


@dataclass(frozen=True)
class TaskResult:
    """What a task did.

    Attributes:
        rows: Rows (or files, or forecasts) it wrote or changed; 0 when nothing was new.
        note: What else there is to say.
        is_skipped: Whether there was nothing it could do, by its nature or by the settings.
    """

    rows: int = 0
    note: str = ""
    is_skipped: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: Done, not yet, failed, interrupted or skipped.
        rows: As in :class:`TaskResult`.
        error: What went wrong.
        note: What else there is to say.
        retry_after_s: When the source or the lock asks to be tried again [s].
        is_transient: Whether trying again may help for as long as it takes: a source that does not answer.
    """

    status: RunStatus
    rows: int | None = None
    error: str | None = None
    note: str | None = None
    retry_after_s: float | None = None
    is_transient: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for a pipe between processes."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Outcome:
        """What :meth:`to_dict` gave."""
        return cls(**{**data, "status": RunStatus(data["status"])})


def outcome_of(task: Callable[[], TaskResult]) -> Outcome:
    """Runs a task and says how it ended; errors become words, only a request to stop goes through."""
    try:
        result = task()
    except NotReady as error:
        return Outcome(RunStatus.NOT_YET, note=str(error))
    except LockHeld as error:
        return Outcome(RunStatus.NOT_YET, note=str(error), retry_after_s=LOCK_RETRY_S)
    except SourceUnavailable as error:
        return Outcome(
            RunStatus.FAILED, error=str(error), retry_after_s=error.retry_after_s, is_transient=True
        )
    except ParcFermeError as error:
        return Outcome(RunStatus.FAILED, error=str(error))
    except OSError as error:
        words = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        where = f" ({error.filename})" if error.filename else ""
        return Outcome(RunStatus.FAILED, error=f"The system refused: {words}{where}.")
    except Exception as error:
        get_logger(__name__).exception("task_failed", exc_info=error)
        return Outcome(RunStatus.FAILED, error=f"{type(error).__name__}: {error}")
    status = RunStatus.SKIPPED if result.is_skipped else RunStatus.DONE
    return Outcome(status, result.rows, note=result.note or None)
