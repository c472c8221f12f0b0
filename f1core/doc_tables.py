"""Tables of the documentation, read for pages: what a benchmark wrote is shown as it was written, never typed again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from f1core.settings import REPOSITORY

DOCS = REPOSITORY / "docs"
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$")
_BEGIN, _END = re.compile(r"^<!--\s*begin\b.*-->\s*$", re.I), re.compile(r"^<!--\s*end\b.*-->\s*$", re.I)
_RULE = re.compile(r"^\|[\s:|-]+\|\s*$")


@dataclass(frozen=True)
class DocTable:
    """One table of a page of documentation.

    Attributes:
        heading: Headings it stands under, from the page's second level down, joined by `` · ``; numbered where several
            tables stand under the same.
        rows: Its cells as text, columns named as in the table.
    """

    heading: str
    rows: pl.DataFrame


def doc_tables(name: str, folder: Path = DOCS) -> tuple[DocTable, ...]:
    """The tables of a page of documentation; none where there is no such page.

    Where the page marks a generated part (``<!-- begin … -->`` to ``<!-- end … -->``), only tables between marks count.

    Args:
        name: File name, e.g. ``accuracy.md``.
        folder: Where the documentation lies.
    """
    path = folder / name
    try:
        stamp = path.stat()
        return _read(path, stamp.st_mtime_ns)
    except (OSError, UnicodeDecodeError):
        return ()


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int) -> tuple[DocTable, ...]:
    return tuple(tables_of(path.read_text(encoding="utf-8")))


def tables_of(text: str) -> list[DocTable]:
    """The tables of a Markdown text; see :func:`doc_tables`."""
    lines = text.splitlines()
    marked = any(_BEGIN.match(line) for line in lines)
    inside = not marked
    trail: dict[int, str] = {}
    found: list[DocTable] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _BEGIN.match(line) or _END.match(line):
            inside = bool(_BEGIN.match(line)) or not marked
        elif heading := _HEADING.match(line):
            level = len(heading[1])
            trail = {one: words for one, words in trail.items() if one < level} | {level: heading[2]}
        elif line.startswith("|") and at + 1 < len(lines) and _RULE.match(lines[at + 1]):
            end = at + 2
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            if inside:
                words = " · ".join(words for level, words in sorted(trail.items()) if level > 1)
                before = sum(one.heading == words or one.heading.startswith(f"{words} (") for one in found)
                number = f" ({before + 1})" if before and words else ""
                found.append(DocTable(words + number, _frame(line, lines[at + 2 : end])))
            at = end - 1
        at += 1
    return found


def _frame(head: str, body: list[str]) -> pl.DataFrame:
    names: list[str] = []
    for name in _cells(head):
        count = sum(one == name or one.startswith(f"{name} (") for one in names)
        names.append(f"{name} ({count + 1})" if count else name or "–")
    rows = [(_cells(line) + [""] * len(names))[: len(names)] for line in body]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [re.sub(r"[*`]", "", cell).replace("\\|", "|").strip() for cell in cells]
