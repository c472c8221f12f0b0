"""Pages of ``docs/`` that are printed from code: schema, features, command line. CI refuses them when they drift."""

from __future__ import annotations

from typing import Any

import typer.main

import f1core.features.extract  # noqa: F401  (registers every feature)
from f1core.features.registry import REGISTRY
from f1core.settings import REPOSITORY
from warehouse.tables import ALL_TABLES, SCHEMA_VERSION, Column

DOCS = REPOSITORY / "docs"
NOTE = "<!-- Printed by `python -m jobs docs`; edit the code, not this page. -->\n"


def schema_page() -> str:
    """``docs/schema.md``: every table, its grain, key, columns, units and checks."""
    parts = [
        NOTE,
        "# Warehouse schema\n",
        f"Schema version {SCHEMA_VERSION}. Times are UTC. `*` marks columns that always have a value.\n",
    ]
    for group in dict.fromkeys(table.group for table in ALL_TABLES):
        parts.append(f"## {group}\n")
        for table in (table for table in ALL_TABLES if table.group == group):
            parts.append(f"### {table.name}\n")
            parts.append(
                f"One row: {table.grain.removeprefix('one row per ')}".replace("One row: ", "One row per ")
                + ".\n"
            )
            parts.append(f"Key: {', '.join(f'`{name}`' for name in table.key)}. Source: {table.source}.")
            if table.partitioned:
                parts[-1] += " Partitioned by season."
            parts.append("\n| column | type | unit | what it is |\n|---|---|---|---|")
            parts += [_column_line(column) for column in table.columns]
            promises = [f"`{column}` is in `{target}`" for column, target in table.parents.items()] + list(
                table.checks.values()
            )
            parts.append("\nChecked on write: " + "; ".join(["unique key", *promises]) + ".\n")
    return "\n".join(parts)


def _column_line(column: Column) -> str:
    words = column.doc
    if column.allowed:
        words += f" One of: {', '.join(str(word) for word in column.allowed)}."
    bounds = [
        f"{sign} {value:g}"
        for sign, value in (("≥", column.minimum), ("≤", column.maximum))
        if value is not None
    ]
    if bounds:
        words += f" ({', '.join(bounds)})"
    if column.source:
        words += f" Source: {column.source}."
    return f"| `{column.name}`{'*' if column.required else ''} | {column.type} | {column.unit} | {words} |".replace(
        " | |", " |  |"
    )


def features_page() -> str:
    """``docs/features.md``: every feature by group, with unit and the first stage that knows it."""
    parts = [
        NOTE,
        "# Features\n",
        f"{len(REGISTRY)} features, one row per event, stage and driver. A feature is missing (null) before the "
        "stage that may know it and where its facts do not exist; `feature_coverage` is "
        "the share of the stage's features that are present, and "
        "`data_quality_flag` is `no_history` (no race start so far), `sparse` (under 60 %), "
        "`imputed` (under 90 %) or `ok`.\n",
    ]
    for group in dict.fromkeys(feature.group for feature in REGISTRY.values()):
        parts += [
            f"## {group.capitalize()}\n",
            "| feature | unit | known from | what it is |",
            "|---|---|---|---|",
        ]
        parts += [
            f"| `{feature.name}` | {feature.unit} | {feature.since.value} | {' '.join(feature.doc.split())} |"
            for feature in REGISTRY.values()
            if feature.group == group
        ]
        parts.append("")
    return "\n".join(parts)


def cli_page() -> str:
    """``docs/cli.md``: the help of every command."""
    from jobs.cli import app

    command: Any = typer.main.get_command(app)
    parts = [NOTE, "# Command line\n", "```", _help(command, "python -m jobs"), "```", ""]
    for name, sub in command.commands.items():
        parts += [f"## {name}\n", "```", _help(sub, f"python -m jobs {name}"), "```", ""]
    return "\n".join(parts)


def _help(command: Any, name: str) -> str:
    context = command.make_context(
        name, [], resilient_parsing=True, max_content_width=110, terminal_width=110
    )
    text: str = command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines())


PAGES = {"schema.md": schema_page, "features.md": features_page, "cli.md": cli_page}


def stale_pages() -> list[str]:
    """Names of generated pages that differ from the code."""
    return [
        name
        for name, make in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text() != make()
    ]


def write_pages() -> list[str]:
    """Writes all generated pages; answers their paths."""
    DOCS.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())
    return [f"docs/{name}" for name in PAGES]
