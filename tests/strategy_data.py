"""A data folder in which a race can be simulated: the real facts, with a handful of earlier races measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.strategy import fit
from models.strategy.measure import MEASURED_COLUMNS
from tests.conftest import once_per_run, workspace_of
from warehouse.queries import strategy as reads

EVENT = "2026-austria"
"""The race that tests simulate; dry, 22 cars."""
MEASURED = ("2024-austria", "2025-austria", "2026-monaco", "2026-barcelona-catalunya")


def measure_some(folder: Path) -> None:
    """Measures a few races and publishes what they say: what ``python -m jobs fit-strategy`` does with all of them.

    The pace of every race is published, as ``fit-strategy`` does: without it each process works it out from all laps anew.
    """
    work = workspace_of(folder)
    facts = reads.race_facts(work.reader, MEASURED_COLUMNS)
    some = [rows.filter(pl.col("event_id").is_in(MEASURED)) for rows in facts]
    rows = fit.measured_rows(*some, events=reads.circuits_of_events(work.reader))
    rows = fit._conform(rows.with_columns(made_from=pl.lit("0" * 16)), "strategy_measurements")
    paces, _ = fit._paces(work.reader, facts[0], dict.fromkeys(facts[0]["event_id"].unique(), "0" * 16))
    fit._publish(work, rows, fit._parameters(rows), paces=paces)


def strategy_folder(ingested: Path, factory: pytest.TempPathFactory) -> Path:
    """The real facts with :data:`MEASURED` measured. Read only: copy it to change it."""

    def make(folder: Path) -> None:
        shutil.copytree(ingested, folder, dirs_exist_ok=True)
        measure_some(folder)

    return once_per_run(factory, "strategy-data", make)
