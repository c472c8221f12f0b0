"""The command line: ``python -m jobs ingest | extract | train | predict | backtest | freeze | settle | …``."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from f1core.clock import Clock
from f1core.log import configure_logging
from f1core.settings import REPOSITORY, get_settings
from f1core.workspace import Workspace
from jobs import (
    championship_cli,
    ledger_cli,
    model_cli,
    models_cli,
    rehearse_cli,
    schedule_cli,
    simulate_cli,
    strategy_cli,
)
from jobs.options import AsJson, AsOf, Race, StageOption, TargetOption, Year, answer, say, workspace
from jobs.progress import progress_report
from warehouse.errors import ParcFermeError, WarehouseError
from warehouse.vocab import Target

HELP = """Parc Fermé's jobs: bring facts into the warehouse, make features, train, forecast and backtest.

Answers go to standard output, progress and errors to standard error.
Exit codes: 0 done, 2 unknown race or model or wrong usage, 3 source missing or damaged, 4 rows break a table's contract,
5 warehouse unreadable or unwritable, 6 another process is writing, 7 not known yet, 8 no trained model, 9 damaged model,
10 damaged ledger, 1 anything else.
"""
INTERRUPTED = 130
app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def ingest(as_json: AsJson = False) -> None:
    """Bring facts from the archive into the warehouse; only what changed is written.

    Example: python -m jobs ingest
    """
    from f1core.ingest import ingest as run
    from f1core.installation import choose_facts, is_demo
    from f1core.sources.archive import base_archive

    work = workspace()
    if is_demo(work.settings):
        settings, place = choose_facts(get_settings(), beside=REPOSITORY, now=work.clock.now())
        work = Workspace(settings, work.clock)
    else:
        place = base_archive(work.settings, beside=REPOSITORY)
    assert place is not None, "a demo always has its archive"
    with progress_report(quiet=as_json) as report:
        done = run(
            work.settings,
            place,
            now=work.clock.now(),
            progress=lambda words: report("ingest", words, None, None),
        )
    rows = sum(done.rows.values())
    changed = "nothing changed" if done.unchanged else f"{len(done.rewritten)} tables rewritten"
    lines = [
        f"Facts from {place.path} ({place.reason}): {rows:,} rows in {len(done.rows)} tables; {changed}."
    ]
    lines += [f"Note: {remark}" for remark in done.remarks]
    data = {
        "archive": str(place.path),
        "reason": place.reason,
        "unchanged": done.unchanged,
        "rows": done.rows,
        "rewritten": done.rewritten,
        "remarks": list(done.remarks),
    }
    answer(data, as_json, "\n".join(lines))


@app.command()
def extract(
    race: Race, year: Year = None, stage: StageOption = None, as_of: AsOf = None, as_json: AsJson = False
) -> None:
    """Make the features of one event and stage; keep them as small parquet files.

    Reads the practice, qualifying and sprint sessions that exist (fetched before, recorded in the archive, or over the
    network), publishes their laps, car telemetry, weather and race control, and writes two files: features of the history,
    and those of the weekend, which has these and the sessions'. With --as-of nothing is stored and no network is asked.

    Examples: python -m jobs extract --race Bahrain --year 2023 ;
    python -m jobs extract --race Bahrain --year 2025 --stage pre_race --json
    """
    from f1core.installed_sources import InstalledSources
    from f1core.predict import best_stage, require_stage
    from f1core.resolver import resolve
    from f1core.weekend_extraction import extract_weekend, read_sessions
    from jobs.weekend_text import weekend_data, weekend_text
    from warehouse.queries.events import session_starts
    from warehouse.stages import cutoff

    began = time.perf_counter()
    work = workspace(as_of)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    with progress_report(quiet=as_json) as report:
        report("sessions", event, None, None)
        read = read_sessions(work, event, stage=stage) if work.is_live else None
        if read and read.lack_facts(work.reader):
            # The results source is behind the timing: its gap is filled first, or the stage would not be reached.
            report("facts", event, None, None)
            InstalledSources(get_settings()).bring_facts(work)
            work = work.again()
    now = work.clock.now()
    chosen = stage or best_stage(work.reader, event, now)
    require_stage(work.reader, event, chosen, now)
    early = now < cutoff(event, session_starts(work.reader, event), chosen)
    found = work.features.get(event, chosen, as_of=now if early else None)
    path = work.features.path(event, chosen)
    weekend = extract_weekend(work, event, stage=chosen, as_of=now if early else None, read=read)
    seconds = time.perf_counter() - began
    data = {
        "event_id": event,
        "stage": chosen.value,
        "as_of": found.as_of,
        "data_through": found.data_through,
        "lineup_source": found.lineup_source,
        "file": None if early else str(path),
        "rows": found.frame.to_dicts(),
        "weekend": weekend_data(weekend, seconds),
    }
    coverage = float(np.mean(found.frame["feature_coverage"].to_numpy()))
    text = (
        f"{event} {chosen.value}: {found.frame.height} drivers, {found.frame.width} columns, coverage {coverage:.0%}, "
        f"field from {found.lineup_source}, facts before {found.as_of:%Y-%m-%d %H:%M} UTC."
    )
    lines = [text] if early else [text, str(path)]
    answer(data, as_json, "\n".join([*lines, *weekend_text(weekend, seconds)]))


app.command()(model_cli.train)


@app.command()
def predict(
    race: Race = "next",
    year: Year = None,
    stage: StageOption = None,
    target: TargetOption = Target.RACE,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Forecast the race, the qualifying or the sprint of an event at a stage.

    A session to come is forecast by the models in production and stored as provisional. A past one (or one seen with
    --as-of) is forecast by models fitted on what was known then, and only shown.

    Examples: python -m jobs predict --race next ;
    python -m jobs predict --race "Abu Dhabi" --year 2025 --stage pre_race --json ;
    python -m jobs predict --race next --target qualifying
    """
    from f1core.forecasts import save_forecasts
    from f1core.predict import Predictor
    from f1core.published import publish_documents
    from f1core.resolver import resolve
    from jobs.tables import forecast_data, forecast_text

    work = workspace(as_of)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    made = Predictor(work).forecast(event, stage, target)
    if made.is_provisional:
        with work.writing("predict") as store:
            save_forecasts(store, [made])
            store.publish(now=work.clock.now())
            publish_documents(work.settings, work.reader)
    answer(forecast_data(work.reader, made), as_json, forecast_text(work.reader, made))


app.command()(model_cli.backtest)
app.command()(model_cli.accuracy)
app.command()(model_cli.drift)
app.add_typer(models_cli.app, name="models")
app.command()(championship_cli.championship)
app.command("fit-strategy")(strategy_cli.fit_strategy)
app.command()(simulate_cli.simulate)
app.command()(simulate_cli.optimise)


@app.command()
def status(as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Show what the warehouse holds, up to when, the models in production, the next event, and how the jobs stand.

    Example: python -m jobs status --json
    """
    from f1core.job_status import job_status
    from f1core.status import status as find
    from jobs.job_tables import jobs_text
    from jobs.tables import status_text

    work = workspace(as_of)
    found = {**find(work), "jobs": job_status(work, work.clock.now())}
    answer(found, as_json, f"{status_text(found)}\n{jobs_text(found['jobs'])}")


@app.command()
def build(as_json: AsJson = False) -> None:
    """Do everything a fresh installation needs: ingest, features, models, backtest of 24 events, forecasts.

    Example: python -m jobs build
    """
    from f1core.build import build as run

    work = Workspace(get_settings(), Clock.system())
    with progress_report(quiet=as_json) as report:
        done = run(work, report)
    rows = sum(done.ingest.rows.values()) if done.ingest else None
    data = {
        "rows": rows,
        "is_demo": done.is_demo,
        "models": done.models,
        "backtested": done.backtested,
        "forecasts": done.forecasts,
    }
    facts = f"{rows:,} rows of facts" if rows is not None else "the facts that were there (no archive found)"
    made_up = "This is a demo season: drivers, teams and results are made up. " if done.is_demo else ""
    text = (
        f"{made_up}Built: {facts}, {len(done.models)} models, "
        f"{done.backtested} backtested forecasts, coming: {', '.join(done.forecasts) or 'none (season over)'}."
    )
    answer(data, as_json, text)


@app.command("export-archive")
def export_archive(
    target: Annotated[Path, typer.Argument(help="Folder to write; must not exist, or be empty.")],
    as_json: AsJson = False,
) -> None:
    """Write the facts, with all that was fetched, as an archive that another machine can start from.

    Example: python -m jobs export-archive ../f1-archive-new
    """
    from f1core.export import export_archive as run
    from f1core.sources.archive import base_archive

    work = workspace()
    place = base_archive(work.settings, beside=REPOSITORY)
    with progress_report(quiet=as_json) as report:
        done = run(
            work.settings,
            place,
            target,
            now=work.clock.now(),
            progress=lambda words: report("export", words, None, None),
        )
    data = {
        "path": str(done.path),
        "files": done.files,
        "size": done.size,
        "sessions": done.sessions,
        "lap_rows": done.lap_rows,
        "added_laps": done.added_laps,
    }
    text = (
        f"{done.path}: {done.files} files, {done.size / 1e6:.1f} MB, {sum(done.lap_rows.values()):,} laps "
        f"({done.added_laps:,} of them fetched), {done.sessions} timing sessions.\n"
        f"Start from it with PARCFERME_ARCHIVE={done.path}"
    )
    answer(data, as_json, text)


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the pages are current.")] = False,
) -> None:
    """Write the generated pages: docs/schema.md, docs/features.md and docs/cli.md.

    Example: python -m jobs docs --check
    """
    from jobs.generated_docs import stale_pages, write_pages

    if check:
        stale = stale_pages()
        if stale:
            raise ParcFermeError(f"Out of date: {', '.join(stale)}.", hint="Run `python -m jobs docs`.")
        say("The generated pages are current.")
        return
    say("\n".join(write_pages()))


for _command in ledger_cli.COMMANDS:
    app.command()(_command)
app.command()(schedule_cli.run)
app.command()(rehearse_cli.rehearse)
app.command("run-task", hidden=True)(schedule_cli.run_task)


def _explained(error: OSError) -> ParcFermeError:
    """The system's refusal in words; a full disk is the one people meet."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return WarehouseError(
            f"The disk is full{where}.", hint="Free some space and run again; what was there is intact."
        )
    return WarehouseError(
        f"The system refused: {error.strerror or error}{where}.",
        hint="What was published before is intact; run again.",
    )


def _fail(error: ParcFermeError) -> NoReturn:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"[bold red]Error:[/bold red] {escape(error.message)}")
    if error.hint:
        console.print(escape(error.hint))
    sys.stderr.flush()
    sys.exit(error.exit_code)


def main() -> None:
    """Entry point: runs a command, turns the product's errors into one clear message and an exit code."""
    try:
        configure_logging(get_settings().log_level)
        app(standalone_mode=True)
    except ParcFermeError as error:
        _fail(error)
    except SystemExit as end:
        # Typer answers Ctrl-C itself, without a word.
        if end.code == INTERRUPTED:
            sys.stderr.write("Interrupted; what was published before is intact.\n")
        raise
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; what was published before is intact.\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        _fail(_explained(error))
