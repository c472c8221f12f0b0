"""Scores the strategy simulator against real races: ``python benchmarks/strategy.py [--data FOLDER] [--write] [PART ...]``.

Runs the parts one after the other, each in a process of its own: ``order`` (finishing orders), ``laps`` (lap times), ``stops``
(rejoining and undercuts), ``calls`` (what teams did), ``incidents`` (blue flags, safety cars after retirements). ``--write`` puts
their tables into ``docs/strategy.md``, and needs all of them; what was asked for stands first, in one table. Each part can be run
alone: ``python benchmarks/strategy_order.py``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.strategy_tables import VERDICT_HEAD
from f1core.settings import REPOSITORY, load_settings
from warehouse.reader import Reader

PARTS = {
    "order": "Finishing order",
    "laps": "Lap times",
    "stops": "Rejoining and undercuts",
    "calls": "What teams did",
    "incidents": "Blue flags and retirements",
}
PAGE = REPOSITORY / "docs" / "strategy.md"
BEGIN = "<!-- begin figures: written by `python benchmarks/strategy.py --write`; do not edit -->"
END = "<!-- end figures -->"


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
    return run.stdout.strip().splitlines()


def split_verdicts(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of a part's table of verdicts, and the rest of the part."""
    if VERDICT_HEAD not in lines:
        return [], lines
    begin = lines.index(VERDICT_HEAD)
    end = next((k for k in range(begin, len(lines)) if not lines[k].startswith("|")), len(lines))
    return lines[begin + 2 : end], [*lines[: begin - 2], *lines[end + 1 :]]


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


def all_figures(parts: list[str], data: Path) -> list[str]:
    """Where it was measured, what was asked for, and every part under its heading."""
    reader = Reader(data / "warehouse")
    asked: list[str] = []
    told: list[str] = []
    for part in parts:
        verdicts, rest = split_verdicts(figures(part, data))
        asked += verdicts
        told += ["", f"## {PARTS[part]}", "", f"`python benchmarks/strategy_{part}.py`", "", *rest]
    source = reader.snapshot.notes.get("source_name") or "of unknown source"
    return [
        f"Facts: {source}, snapshot `{reader.snapshot.id}`. ± is a standard error; the value itself decides.",
        "",
        VERDICT_HEAD,
        "|" + "---|" * VERDICT_HEAD.count(" | ") + "---|",
        *asked,
        *told,
    ]


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
    lines = all_figures(asked.parts or list(PARTS), settings.data)
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(), lines))
        print(PAGE)
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
