"""The command line: ``python -m jobs ingest | extract | train | predict | backtest | freeze | settle | …``."""

from __future__ import annotations

import errno
import os
import sys
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
from jobs import ledger_cli
from jobs.options import AsJson, AsOf, Race, StageOption, Year, answer, say, workspace
from jobs.progress import progress_report
from warehouse.errors import NotReady, ParcFermeError, WarehouseError
from warehouse.vocab import Stage

HELP = """Parc Fermé's jobs: bring facts into the warehouse, make features, train, forecast and backtest.

Answers go to standard output, progress and errors to standard error.
Exit codes: 0 done, 2 unknown race or wrong usage, 3 source missing or damaged, 4 rows break a table's contract,
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


def _only_now(as_of: str | None, command: str) -> None:
    if as_of:
        raise NotReady(
            f"`{command}` writes to the warehouse and only the machine's real clock may do that.",
            hint="Leave --as-of out; `predict` and `extract` can look back in time.",
        )


@app.command()
def ingest(as_json: AsJson = False) -> None:
    """Bring facts from the archive into the warehouse; only what changed is written.

    Example: python -m jobs ingest
    """
    from f1core.ingest import ingest as run
    from f1core.installation import choose_facts, is_demo
    from f1core.sources.archive import find_archive

    work = workspace()
    if is_demo(work.settings):
        settings, place = choose_facts(get_settings(), beside=REPOSITORY, now=work.clock.now())
        work = Workspace(settings, work.clock)
    else:
        place = find_archive(work.settings, beside=REPOSITORY)
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
    """Make the features of one event and stage; keep them as a small parquet file.

    Example: python -m jobs extract --race Bahrain --year 2025 --stage pre_race
    """
    from f1core.predict import best_stage, require_stage
    from f1core.resolver import resolve
    from warehouse.queries.events import session_starts
    from warehouse.stages import cutoff

    work = workspace(as_of)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    now = work.clock.now()
    chosen = stage or best_stage(work.reader, event, now)
    require_stage(work.reader, event, chosen, now)
    early = now < cutoff(event, session_starts(work.reader, event), chosen)
    found = work.features.get(event, chosen, as_of=now if early else None)
    path = work.features.path(event, chosen)
    data = {
        "event_id": event,
        "stage": chosen.value,
        "as_of": found.as_of,
        "data_through": found.data_through,
        "lineup_source": found.lineup_source,
        "file": None if early else str(path),
        "rows": found.frame.to_dicts(),
    }
    coverage = float(np.mean(found.frame["feature_coverage"].to_numpy()))
    text = (
        f"{event} {chosen.value}: {found.frame.height} drivers, {found.frame.width} columns, coverage {coverage:.0%}, "
        f"field from {found.lineup_source}, facts before {found.as_of:%Y-%m-%d %H:%M} UTC."
    )
    answer(data, as_json, text if early else f"{text}\n{path}")


@app.command()
def train(
    stage: Annotated[
        list[Stage] | None, typer.Option("--stage", help="Only these stages; repeatable.")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Train the models of every stage on all results and put them into production; a stage that is current is left.

    Example: python -m jobs train
    """
    from f1core.training import extract_missing
    from f1core.training import train as run

    _only_now(as_of, "train")
    work = workspace()
    stages = tuple(stage or Stage)
    with work.writing("train"), progress_report(quiet=as_json) as report:
        report("features", "", 0, work.labels["event_id"].n_unique() * len(stages))
        extract_missing(work, stages, lambda words, done: report("features", words, done, None))
        report("models", "", 0, len(stages))
        done = run(work, stages=stages, progress=lambda words, count: report("models", words, count, None))
    data = [
        {"stage": one.stage.value, "version": one.version, "count_events": one.count_events} for one in done
    ]
    answer(
        data,
        as_json,
        "\n".join(
            f"{one.stage.value}: {one.version} ({one.count_events} races{'' if one.is_new else ', current'})"
            for one in done
        ),
    )


@app.command()
def predict(
    race: Race = "next",
    year: Year = None,
    stage: StageOption = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Forecast an event at a stage.

    A race to come is forecast by the models in production and stored as provisional. A past race (or one seen with
    --as-of) is forecast by models fitted on what was known then, and only shown.

    Examples: python -m jobs predict --race next ;
    python -m jobs predict --race "Abu Dhabi" --year 2025 --stage pre_race --json
    """
    from f1core.forecasts import save_forecasts
    from f1core.predict import Predictor
    from f1core.published import publish_documents
    from f1core.resolver import resolve
    from jobs.tables import forecast_data, forecast_text

    work = workspace(as_of)
    event = resolve(work.reader, race, year=year, clock=work.clock)
    made = Predictor(work).forecast(event, stage)
    if made.is_provisional:
        with work.writing("predict") as store:
            save_forecasts(store, [made])
            store.publish(now=work.clock.now())
            publish_documents(work.settings, work.reader)
    answer(forecast_data(work.reader, made), as_json, forecast_text(work.reader, made))


@app.command()
def backtest(
    from_season: Annotated[
        int | None, typer.Option("--from", help="First season; without it the last 24 races.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast past races walk-forward and score them beside grid, points and Elo; goes on where it was stopped.

    Example: python -m jobs backtest --from 2022
    """
    from f1core.build import run_backtest
    from jobs.tables import score_text, scores_data

    work = workspace()
    with progress_report(quiet=as_json) as report:
        run_backtest(work, report, from_season=from_season)
    answer(scores_data(work.reader, from_season), as_json, score_text(work.reader, from_season))


@app.command()
def status(as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Show what the warehouse holds, up to when, the models in production and the next event.

    Example: python -m jobs status --json
    """
    from f1core.status import status as find
    from jobs.tables import status_text

    found = find(workspace(as_of))
    answer(found, as_json, status_text(found))


@app.command()
def build(as_json: AsJson = False) -> None:
    """Do everything a fresh installation needs: ingest, features, models, backtest of 24 races, forecasts.

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
    from f1core.sources.archive import find_archive

    work = workspace()
    place = find_archive(work.settings, beside=REPOSITORY)
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
