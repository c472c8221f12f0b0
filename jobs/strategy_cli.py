"""The commands about strategy: ``fit-strategy``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jobs.options import AsJson, AsOf, answer, workspace


def fit_strategy(
    circuit: Annotated[
        str | None, typer.Option("--circuit", help="Show the parameters of this circuit, e.g. `monza`.")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Measure the races that are new or changed and fit the strategy simulator's parameters for every circuit.

    With --as-of nothing is measured or stored: what was measured on races known before is pooled and shown.

    Examples: python -m jobs fit-strategy ; python -m jobs fit-strategy --circuit monza --as-of 2025-09-01T00:00Z --json
    """
    from f1core.strategy.fit import fit_strategy as fit
    from f1core.strategy.fit import fitted_as_usual
    from jobs.progress import progress_report
    from jobs.tables import render

    work = workspace(as_of)
    data: dict[str, Any] = {}
    parts = []
    if as_of is None:
        with progress_report(quiet=as_json) as report:
            report("strategy", "", None, None)
            done = fit(work, lambda words, count: report("strategy", words, count, None))
        work = work.again()
        data |= {
            "version": done.version,
            "circuits": done.circuits,
            "measured": list(done.measured),
            "kept": len(done.kept),
        }
        parts.append(
            f"{len(done.measured)} races measured, {len(done.kept)} as they were; "
            + (f"fit {done.version} of {done.circuits} circuits." if done.version else "too few for a fit.")
        )
    if circuit is not None:
        known = work.clock.now() if as_of else None
        found = fitted_as_usual(work.reader, circuit, known)
        data["parameters"] = found.rows()
        parts.append(
            render(
                _table(f"{circuit}, {found.count_races} races, lap {found.lap_time_s:.1f} s", found.rows())
            )
        )
    answer(data, as_json, "\n\n".join(parts) or "Name a circuit with --circuit to see what was known of it.")


def _table(title: str, rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("parameter", "", "value", "80 %", "race to race", "races", "unit", "source"):
        table.add_column(
            heading, justify="left" if heading in ("parameter", "", "unit", "source") else "right"
        )
    for row in rows:
        table.add_row(
            row["parameter"],
            row["part"],
            f"{row['value']:.3f}",
            f"{row['low']:.3f}–{row['high']:.3f}",
            f"{row['spread']:.3f}" if row["spread"] else "",
            str(row["count"]),
            row["unit"],
            row["source"],
        )
    return table
