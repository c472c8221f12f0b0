"""Scores the strategy simulator against real races: ``python benchmarks/strategy.py [--data FOLDER] [--write] [PART ...]``.

Runs the parts one after the other, each in a process of its own: ``order`` (finishing orders), ``laps`` (lap times), ``stops``
(rejoining and undercuts), ``calls`` (what teams did). ``--write`` puts their tables into ``docs/strategy.md``, and needs all of
them. Each part can be run alone: ``python benchmarks/strategy_order.py``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from f1core.settings import REPOSITORY, load_settings
from warehouse.reader import Reader

PARTS = {
    "order": "Finishing order",
    "laps": "Lap times",
    "stops": "Rejoining and undercuts",
    "calls": "What teams did",
}
PAGE = REPOSITORY / "docs" / "strategy.md"
BEGIN = "<!-- figures: written by `python benchmarks/strategy.py --write`; do not edit -->"
END = "<!-- end of figures -->"


def figures(part: str, data: Path) -> list[str]:
    """What a part prints, as lines of a page.

    Raises:
        SystemExit: The part failed.
    """
    script = Path(__file__).with_name(f"strategy_{part}.py")
    run = subprocess.run(
        [sys.executable, str(script), str(data)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"{script.name} failed:\n{run.stderr.strip()}")
    lines = run.stdout.strip().splitlines()
    if any(line.startswith("|") for line in lines):
        return lines
    return ["```text", *lines, "```"]


def page(text: str, new: list[str]) -> str:
    """A page with other figures between its marks.

    Raises:
        ValueError: The marks are missing.
    """
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{PAGE} has no place for the figures: {BEGIN}")
    return "\n".join([before + BEGIN, "", *new, "", END]) + after


def all_figures(parts: list[str], data: Path) -> Iterator[str]:
    """Every part under its heading, after where it was measured."""
    reader = Reader(data / "warehouse")
    yield f"Facts: {reader.snapshot.notes.get('source_name') or 'of unknown source'}, snapshot `{reader.snapshot.id}`."
    for part in parts:
        yield from ("", f"## {PARTS[part]}", "", f"`python benchmarks/strategy_{part}.py`", "")
        yield from figures(part, data)


def main() -> None:
    """Prints or writes the figures."""
    parser = argparse.ArgumentParser(description="The strategy simulator against real races.")
    parser.add_argument("--data", help="Data folder; without it the installation's.")
    parser.add_argument("--write", action="store_true", help="Write docs/strategy.md.")
    parser.add_argument("parts", nargs="*", help=f"Parts to run: {', '.join(PARTS)}; all without.")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    if asked.write and asked.parts:
        parser.error("--write needs all parts: name none.")
    settings = load_settings(**({"data": asked.data} if asked.data else {}))
    lines = list(all_figures(asked.parts or list(PARTS), settings.data))
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(), lines))
        print(PAGE)
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
