"""Options that several commands share, and how they answer."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from f1core.clock import Clock
from f1core.installation import active_settings
from f1core.settings import get_settings
from f1core.workspace import Workspace
from warehouse.vocab import Stage, Target

Race = Annotated[
    str,
    typer.Option("--race", help='Name, slug, circuit, country, round, `next` or `last`, e.g. "Abu Dhabi".'),
]
Year = Annotated[int | None, typer.Option("--year", help="Season; without it the clock's season.")]
StageOption = Annotated[
    Stage | None,
    typer.Option("--stage", help="What may be known; without it the furthest stage whose facts are there."),
]
TargetOption = Annotated[
    Target, typer.Option("--target", help="What is forecast: race, sprint or qualifying.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="Pretend it is this instant, e.g. 2025-12-06T18:00Z. Nothing is stored then."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


def workspace(as_of: str | None = None) -> Workspace:
    """The installation, at the machine's time or at the one that was asked for."""
    clock = Clock.at(as_of) if as_of else Clock.system()
    return Workspace(active_settings(get_settings()), clock)


def say(text: str) -> None:
    """Writes an answer to standard output."""
    sys.stdout.write(text + "\n")


def answer(data: Any, as_json: bool, text: str) -> None:
    """Answers as JSON or as text."""
    say(json.dumps(data, indent=2, default=str, ensure_ascii=False) if as_json else text)
