"""Reads FastF1's parsed files (``*.ff1pkl``) without running what is in them.

They are pickles, and a pickle may name any function of any module to be called when it is loaded. Here it may name only
the few types an honest file is made of: tables, arrays, dates. A file may still hold wrong numbers, as any file may.

FastF1 goes on in silence when it cannot read one of its files: it asks the network, or leaves the part out. Every refusal
is therefore written down beside it, and whoever called FastF1 has to look at :data:`CacheFiles.refused`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from warehouse.errors import UnsafeCache

ALLOWED: frozenset[tuple[str, str]] = frozenset(
    {
        ("builtins", "slice"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
        ("pandas._libs.internals", "_unpickle_block"),
        ("pandas._libs.tslibs.nattype", "__nat_unpickle"),
        ("pandas._libs.tslibs.timedeltas", "_timedelta_unpickle"),
        ("pandas._libs.tslibs.timestamps", "_unpickle_timestamp"),
        ("pandas.core.arrays.categorical", "Categorical"),
        ("pandas.core.arrays.datetimes", "DatetimeArray"),
        ("pandas.core.arrays.timedeltas", "TimedeltaArray"),
        ("pandas.core.dtypes.dtypes", "CategoricalDtype"),
        ("pandas.core.frame", "DataFrame"),
        ("pandas.core.indexes.base", "Index"),
        ("pandas.core.indexes.base", "_new_Index"),
        ("pandas.core.indexes.range", "RangeIndex"),
        ("pandas.core.internals.managers", "BlockManager"),
    }
)
"""What a parsed file may name, by module and name. Whole modules are not allowed: pandas and numpy have functions that
read files and evaluate text."""

DELETE_IT = "Delete that file (or get the archive again) and ask once more; nothing was taken from it."


class _Forbidden(pickle.UnpicklingError):
    """A pickle names something that is not on the list."""


class SafeUnpickler(pickle.Unpickler):
    """An unpickler that knows the types of :data:`ALLOWED` and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The type or function a pickle names.

        Raises:
            pickle.UnpicklingError: It is not on the list.
        """
        if (module, name) not in ALLOWED:
            raise _Forbidden(f"{module}.{name}")
        return super().find_class(module, name)


@dataclass(frozen=True)
class Refusal:
    """A file that was not used.

    Attributes:
        path: The file.
        reason: What is wrong with it, in words.
        is_hostile: Whether it names what no honest file names; otherwise it is damaged.
    """

    path: Path
    reason: str
    is_hostile: bool

    def error(self) -> UnsafeCache:
        """The refusal as an error that says what to do."""
        return UnsafeCache(f"{self.path} was not opened: {self.reason}.", hint=DELETE_IT)


@dataclass
class CacheFiles:
    """Stands in for the module ``pickle`` where FastF1 opens its files.

    Attributes:
        version: Version of FastF1's parsed form; a file of another one is refused.
        named: The file as the reader knows it, for one that was opened under another name.
        discard_damaged: Whether a damaged file is deleted, so that it is read from the network again.
        refused: Every file that was not used, in order.
    """

    version: int
    named: Callable[[Path], Path] = lambda path: path
    discard_damaged: bool = False
    refused: list[Refusal] = field(default_factory=list)

    def load(self, file: IO[bytes]) -> Any:
        """As ``pickle.load``, for a file of FastF1's.

        Raises:
            UnsafeCache: The file is hostile, damaged or of another version; it is also written down in ``refused``.
        """
        path = Path(file.name)
        try:
            # From the file itself: read as a whole first, a session's positions would be there twice.
            content = SafeUnpickler(file).load()
        except _Forbidden as error:
            raise self._refuse(
                path, f"it names {error}, which no honest file does", is_hostile=True
            ) from None
        except Exception as error:  # A damaged pickle may fail in any way; none of them may pass.
            what = (
                "it is cut short"
                if isinstance(error, EOFError) or "truncated" in str(error)
                else "it is damaged"
            )
            raise self._refuse(path, f"{what} ({type(error).__name__}: {error})") from error
        if not isinstance(content, dict) or not {"version", "data"} <= set(content):
            raise self._refuse(path, "it is not one of FastF1's parsed files")
        if content["version"] != self.version:
            found = content["version"] if isinstance(content["version"], int) else "unknown"
            raise self._refuse(path, f"it has version {found} of FastF1's parsed form, not {self.version}")
        return content

    def dump(self, content: Any, file: IO[bytes]) -> None:
        """As ``pickle.dump``; a file that cannot be written whole is taken away."""
        try:
            pickle.dump(content, file)
            file.flush()
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise

    def check(self) -> None:
        """Does nothing as long as every file was used.

        Raises:
            UnsafeCache: One was not: a hostile one, or a damaged one that could not be read again.
        """
        for refusal in self.refused:
            if refusal.is_hostile or not self.discard_damaged:
                raise refusal.error()

    def _refuse(self, path: Path, reason: str, *, is_hostile: bool = False) -> UnsafeCache:
        refusal = Refusal(self.named(path), reason, is_hostile)
        self.refused.append(refusal)
        if self.discard_damaged and not is_hostile:
            path.unlink(missing_ok=True)
        return refusal.error()
