"""Pages of ``docs/`` that are printed from code: schema, features, command line. CI refuses them when they drift."""

from __future__ import annotations

from typing import Any

import typer.main

import f1core.features.session.extract  # noqa: F401  (registers every feature, of the history and of sessions)
from f1core.features.registry import REGISTRY
from f1core.features.session.registry import SESSION_REGISTRY, Imputation
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
    return "\n".join([*parts, *_session_features()])


def _session_features() -> list[str]:
    """The second half of the features page: what an event's own sessions give."""
    parts = [
        "## From the weekend's sessions\n",
        f"{len(SESSION_REGISTRY)} features made from recorded timing, in `data/features/<season>/<event>.weekend.parquet` "
        f"beside the {len(REGISTRY)} above: one row per driver of the field, written by `python -m jobs extract`. "
        "Only sessions known before the cut-off count. A gap is taken within one session, before sessions are put "
        "together. A sprint weekend has a single practice, so sprint qualifying counts as short runs and the sprint as "
        "long runs beside it.\n",
        "Where a driver drove but has no value, another may stand in; the row then names it in `imputed_columns` and "
        "counts it in `count_imputed`. Nothing stands in for a driver who has no lap in the sessions a feature is made "
        "from. Rules: " + "; ".join(f"`{rule}`: {rule.doc}" for rule in Imputation) + ".\n",
        "`data_quality_flag` is the worst that holds of: `no_sessions` (none is known), `no_laps` (the driver has none "
        "in any), `partial` (none in practice, or none in qualifying, where others have), `suspect` (a sensor or "
        "reading of his car is in doubt), `imputed`, `ok`. `data_problems` says why in words, "
        "`session_feature_coverage` is the share of the stage's session features that are the driver's own, "
        "`history_quality_flag` is the flag of the features above.\n",
    ]
    for group in dict.fromkeys(one.group for one in SESSION_REGISTRY.values()):
        sessions = ", ".join(kind.label.lower() for kind in group.sessions)
        parts += [
            f"### {group.name.capitalize()}\n",
            f"From: {sessions}. Known from stage {group.since.value}.\n",
            "| feature | unit | stands in | what it is |",
            "|---|---|---|---|",
        ]
        parts += [
            f"| `{one.name}` | {one.unit} | {one.imputation.value} | {one.doc} |"
            for one in SESSION_REGISTRY.values()
            if one.group == group
        ]
        parts.append("")
    return parts


def cli_page() -> str:
    """``docs/cli.md``: the help of every command."""
    from jobs.cli import app

    command: Any = typer.main.get_command(app)
    parts = [NOTE, "# Command line\n", "```", _help(command, "python -m jobs"), "```", ""]
    for name, sub in command.commands.items():
        if sub.hidden:
            continue
        parts += [f"## {name}\n", "```", _help(sub, f"python -m jobs {name}"), "```", ""]
        for inner, one in getattr(sub, "commands", {}).items():
            words = f"{name} {inner}"
            parts += [f"### {words}\n", "```", _help(one, f"python -m jobs {words}"), "```", ""]
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
