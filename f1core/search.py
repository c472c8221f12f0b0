"""Finds what people type into the search box: a driver, a team, a race or a circuit, and the page that shows it."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from warehouse.queries.search import findable
from warehouse.reader import Reader

PAGE_OF = {
    "driver": ("pages/drivers.py", "driver"),
    "team": ("pages/teams.py", "team"),
    "circuit": ("pages/circuits.py", "circuit"),
    "race": ("pages/race.py", "event"),
}
"""Page of each kind of thing, and the parameter of its URL that names it."""
KIND_ORDER = tuple(PAGE_OF)
MAX_TEXT = 80
LIMIT = 8
CLOSE = 0.72
"""Likeness of two words from which one may be a slip of the other."""


@dataclass(frozen=True)
class Found:
    """One answer.

    Attributes:
        kind: ``driver``, ``team``, ``circuit`` or ``race``.
        id: Its id.
        label: What people read.
        page: The page that shows it.
        params: Parameters of that page's URL.
    """

    kind: str
    id: str
    label: str
    page: str
    params: dict[str, str]


@dataclass(frozen=True)
class Index:
    """Everything that can be found, one entry each, and its words."""

    entries: tuple[tuple[str, str, str, int], ...]
    words: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Words of a name in small letters and without accents: how names are compared."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return tuple(re.findall(r"[a-z0-9]+", bare))


def index(reader: Reader) -> Index:
    """Everything that can be found; kept by the caller, it only changes with the data."""
    return index_of(findable(reader))


def index_of(rows: pl.DataFrame) -> Index:
    """The index of some rows of :func:`warehouse.queries.search.findable`; the order of rows does not matter."""
    ordered = rows.sort("kind", "newest_season", "id", descending=[False, True, False])
    entries = tuple(ordered.select("kind", "id", "label", "newest_season").iter_rows())
    names = ordered.select("id", "label", "names").iter_rows()
    return Index(entries, tuple(tuple(dict.fromkeys(words_of(" ".join(parts)))) for parts in names))


def search(kept: Index, text: str, limit: int = LIMIT) -> tuple[list[Found], bool]:
    """What a text may mean, the likeliest first.

    Every word typed must begin a word of the name (``ver max``, ``2024 monza``). Whole words go first, then what was
    raced last; drivers before teams, circuits and races. Without any such name, names with like words are offered.

    Args:
        kept: As in :func:`index`.
        text: What was typed; beyond :data:`MAX_TEXT` letters it is cut.
        limit: Most answers.

    Returns:
        The answers, and whether they are only like what was typed.
    """
    asked = words_of(text[:MAX_TEXT])
    if not asked:
        return [], False
    ranks = _ranks(kept, asked)
    if ranks:
        return [_found(kept, at) for _, at in sorted(ranks)[:limit]], False
    known = sorted({word for words in kept.words for word in words})
    meant = [difflib.get_close_matches(word, known, n=1, cutoff=CLOSE) for word in asked]
    if not all(meant):
        return [], False
    ranks = _ranks(kept, tuple(words[0] for words in meant))
    return [_found(kept, at) for _, at in sorted(ranks)[:limit]], True


def _ranks(kept: Index, asked: Sequence[str]) -> list[tuple[tuple[int, int, int, int], int]]:
    ranks = []
    for at, words in enumerate(kept.words):
        if all(any(word.startswith(part) for word in words) for part in asked):
            kind, _, _, season = kept.entries[at]
            whole = sum(part in words for part in asked)
            ranks.append(((-whole, -(season // 10), KIND_ORDER.index(kind), -season), at))
    return ranks


def _found(kept: Index, at: int) -> Found:
    kind, id_, label, _ = kept.entries[at]
    page, param = PAGE_OF[kind]
    return Found(kind, id_, label, page, {param: id_})
