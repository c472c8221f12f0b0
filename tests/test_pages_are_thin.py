"""The walls that import-linter cannot see, because pages are scripts: their source is read, not imported.

Pages query, place widgets and draw; they know no SQL, no storage, no estimator and no network. Only they know
Streamlit. And only ``f1core/sources`` opens connections with the standard library.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
APP = REPOSITORY / "streamlit_app.py"
LAUNCHER = REPOSITORY / "server.py"
MAX_LINES = 170

OPEN_PACKAGES = ("streamlit", "altair", "polars", "f1core", "pages")
OPEN_MODULES = ("warehouse.queries", "warehouse.vocab", "warehouse.errors")
# Standard library, but not for a page: other people's machines, processes, and a database of its own.
CLOSED_MODULES = ("urllib.request", "http.client", "socket", "ftplib", "smtplib", "subprocess", "sqlite3")
NETWORK_MODULES = ("urllib.request", "http.client", "socket", "ftplib", "smtplib", "telnetlib", "poplib")
CLOSED_CALLS = ("execute", "executemany", "sql", "fit", "fit_predict", "partial_fit")

SQL = re.compile(
    r"\s*(--[^\n]*\n\s*)*"  # comments may come first
    r"(select\b.*\bfrom\b|with\s+\w+\s+as\s*\(|insert\s+into\b|delete\s+from\b|update\s+\w+\s+set\b)",
    re.DOTALL | re.IGNORECASE,
)


def is_sql(text: str) -> bool:
    """Whether a text begins as SQL: "Select a driver from the list" is a label, "SELECT x FROM y" is not."""
    found = SQL.match(text)
    return found is not None and not found[2].split()[0].istitle()


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import as (line, dotted name), also those inside functions and by importlib."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            # "from warehouse import store" means warehouse.store; "from altair import Chart" is still altair.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield node.lineno, str(node.args[0].value)


def lies_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string as (line, text); in an f-string a blank word stands for what is filled in."""
    inside = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    } - {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def faults_of_page(source: str) -> list[str]:
    """What is wrong with the source of a page; each fault begins with its line number."""
    tree = ast.parse(source)
    faults = []
    for line, module in imported_modules(tree):
        top = module.split(".")[0]
        allowed = (
            top in OPEN_PACKAGES
            or lies_in(module, OPEN_MODULES)
            or (top in sys.stdlib_module_names and not lies_in(module, CLOSED_MODULES))
        )
        if not allowed:
            faults.append(f"{line}: imports {module}")
    faults += [f"{line}: holds SQL: {text.strip()[:40]!r}" for line, text in texts(tree) if is_sql(text)]
    for node in ast.walk(tree):
        attribute = node.func if isinstance(node, ast.Call) else None
        if isinstance(attribute, ast.Attribute) and attribute.attr in CLOSED_CALLS:
            faults.append(f"{attribute.lineno}: calls .{attribute.attr}()")
    count = len(source.splitlines())
    if count > MAX_LINES:
        faults.append(f"{count}: is longer than {MAX_LINES} lines: move what it computes to f1core")
    return faults


def page_files() -> list[Path]:
    return [*sorted((REPOSITORY / "pages").rglob("*.py")), *([APP] if APP.exists() else [])]


def our_files() -> list[Path]:
    """Every Python file of the product: not the tests, not what tools or run-time data brought."""
    folders = [REPOSITORY / name for name in ("warehouse", "models", "f1core", "jobs", "benchmarks", "docs")]
    return [*REPOSITORY.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_there_are_pages() -> None:
    assert APP in page_files()
    assert len(page_files()) > 1


@pytest.mark.parametrize("path", page_files(), ids=name_of)
def test_a_page_is_thin(path: Path) -> None:
    assert faults_of_page(path.read_text(encoding="utf-8")) == []


def test_only_pages_know_streamlit() -> None:
    guilty = [
        f"{name_of(path)}:{line}"
        for path in our_files()
        if path not in (APP, LAUNCHER)
        for line, module in imported_modules(ast.parse(path.read_text(encoding="utf-8")))
        if lies_in(module, ("streamlit",))
    ]
    assert guilty == []


def test_only_sources_open_connections() -> None:
    guilty = [
        f"{name_of(path)}:{line} {module}"
        for path in our_files()
        if not name_of(path).startswith(("f1core/sources/", "benchmarks/", "run.py"))
        for line, module in imported_modules(ast.parse(path.read_text(encoding="utf-8")))
        if lies_in(module, NETWORK_MODULES)
    ]
    assert guilty == []


# --- the checker itself: it must see what is planted, and leave honest pages alone --------------------------


@pytest.mark.parametrize(
    "planted",
    [
        "import duckdb",
        "import deltalake as d",
        "from sklearn.ensemble import RandomForestClassifier",
        "import xgboost",
        "import requests",
        "import pandas as pd",
        "import numpy as np",
        "import models.elo",
        "from models import registry",
        "from jobs import cli",
        "import warehouse",
        "from warehouse import store",
        "from warehouse.store import write",
        "import urllib.request",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import socket",
        "import sqlite3",
        "def late():\n    import duckdb",
        "import importlib\nimportlib.import_module('duckdb')",
        "__import__('duckdb')",
        'x = "select * from races"',
        'x = "SELECT driver_id\\nFROM entries WHERE season = 2025"',
        'x = """\n    -- the winners\n    select driver_id\n    from results\n"""',
        'x = f"select * from {table}"',
        'x = f"SELECT {columns} FROM races"',
        'x = "with recent as (select 1)"',
        'x = f"with {name} as (values (1))"',
        'x = "insert into races values (1)"',
        'x = "DELETE FROM races"',
        "frame.sql('...')",
        "connection.execute(query)",
        "model.fit(x, y)",
        "x = 1\n" * (MAX_LINES + 1),
    ],
)
def test_the_checker_sees_what_is_planted(planted: str) -> None:
    assert faults_of_page(planted), planted


def test_the_checker_leaves_an_honest_page_alone() -> None:
    honest = '''
        """Select a race from the calendar and see its forecast."""
        from __future__ import annotations
        from datetime import UTC, datetime
        from urllib.parse import quote
        import altair as alt
        import polars as pl
        import streamlit as st
        from f1core.charts import probabilities
        from pages._frame import page
        from warehouse import queries
        from warehouse.errors import ParcFermeError
        from warehouse.queries import calendar
        from warehouse.vocab import Stage

        with page("Race"):
            name = st.selectbox("Select a driver from the list", ["a"], help="with data from 2018")
            st.write(f"{name}: results from {datetime.now(UTC)} are missing; with more, select again")
            st.caption("Update the page, set a season, delete a filter.")
    '''
    assert faults_of_page(textwrap.dedent(honest)) == []


def test_the_checker_counts_lines_exactly() -> None:
    assert faults_of_page("x = 1\n" * MAX_LINES) == []
