"""Writes the facts an installation stands on as an archive that another machine can start from."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from f1core.fetched_laps import added_laps
from f1core.installation import is_demo
from f1core.settings import Settings
from f1core.sources import archive, laps
from f1core.sources.archive import F1DB_ZIP, LAPS, ArchivePlace
from f1core.sources.bundle import SESSIONS, Bundle
from f1core.sources.open_meteo import WEATHER
from warehouse.errors import ParcFermeError
from warehouse.queries.events import calendar, newest_result
from warehouse.queries.results import result_cars
from warehouse.reader import Reader

README = "README.md"
F1DB_LICENCE = Path("f1db") / "LICENSE.txt"


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: The archive folder.
        files: Files in it.
        size: Their size [bytes].
        sessions: Timing sessions in it.
        lap_rows: Laps per season.
        added_laps: Laps that the archive it started from did not have.
    """

    path: Path
    files: int
    size: int
    sessions: int
    lap_rows: dict[int, int]
    added_laps: int


def export_archive(
    settings: Settings,
    place: ArchivePlace,
    target: Path,
    *,
    now: dt.datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> ExportReport:
    """Writes an archive folder: the newest F1DB release, laps, schedules and fetched sessions, with a README.

    Args:
        settings: The installation.
        place: The archive its facts stand on.
        target: Folder to write; must not exist, or be empty.
        now: The instant that the README names (real clock).
        progress: Told what is being written.

    Raises:
        ParcFermeError: The target holds something, or the facts are a demo's.
        SourceError: The archive it starts from is damaged.
    """
    if place.is_demo or is_demo(settings):
        raise ParcFermeError(
            "These facts are a demo season, made up by the product: there is nothing to share.",
            hint="Set PARCFERME_ARCHIVE, or let the jobs fetch facts from the network first.",
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ParcFermeError(f"{target} is there already and not empty.", hint="Name a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    reader = Reader(settings.warehouse_root)
    # Written beside the target and moved in one step: an export that is stopped leaves no half archive.
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        progress("F1DB release")
        _copy(archive.f1db_zip(place, settings.fetched_root), draft / F1DB_ZIP)
        _copy_if_there(place.path / F1DB_LICENCE, draft / F1DB_LICENCE)
        progress("season schedules")
        for path in archive.schedule_files(place, settings.fetched_root):
            _copy(path, draft / archive.SCHEDULES / path.name)
        progress("weather forecasts")
        for root in {place.path, settings.fetched_root}:
            for path in sorted((root / WEATHER).glob("*/*.json")):
                _copy(path, draft / path.relative_to(root))
        progress("sessions")
        bundles = archive.bundles(place, settings.fetched_root)
        for bundle in bundles:
            where = Path(SESSIONS) / bundle.meta.event_id / bundle.meta.session.value
            shutil.copytree(bundle.folder, draft / where)
        progress("laps")
        counts, added = _laps(reader, place, bundles, draft / LAPS)
        (draft / README).write_text(_readme(reader, bundles, counts, now), encoding="utf-8")
        draft.chmod(0o755)
        files = [path for path in draft.rglob("*") if path.is_file()]
        report = ExportReport(
            target, len(files), sum(path.stat().st_size for path in files), len(bundles), counts, added
        )
        if target.exists():
            target.rmdir()
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        reader.close()
    return report


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_if_there(source: Path, target: Path) -> None:
    if source.is_file():
        _copy(source, target)


def _laps(
    reader: Reader, place: ArchivePlace, bundles: Sequence[Bundle], folder: Path
) -> tuple[dict[int, int], int]:
    raw = laps.read(place.path / LAPS).tables["laps__laps"]
    rounds = dict(calendar(reader).select("event_id", "round").iter_rows())
    cars = set(result_cars(reader).iter_rows())
    more, _ = added_laps(raw, bundles, rounds, cars)
    every = pl.DataFrame(pl.from_arrow(pa.concat_tables([raw, more])))
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    order = ["RoundNumber", "Session", "Driver", "LapNumber"]
    for (season,), rows in every.group_by(["Season"], maintain_order=True):
        table = rows.sort(order, maintain_order=True).to_arrow().cast(laps.SCHEMA)
        pq.write_table(table, folder / f"laps_{season}.parquet", compression="zstd")
        counts[int(str(season))] = rows.height
    _copy_if_there(place.path / LAPS / archive.NOMINATIONS, folder / archive.NOMINATIONS)
    return dict(sorted(counts.items())), more.num_rows


def _readme(reader: Reader, bundles: Sequence[Bundle], counts: dict[int, int], now: dt.datetime) -> str:
    newest = newest_result(reader, now)
    last = f"{newest['event_id']} ({newest['known_at']:%Y-%m-%d})" if newest else "none"
    sessions = "\n".join(
        f"| {b.meta.event_id} | {b.meta.session.value} | {b.meta.origin} | {b.meta.loaded_at:%Y-%m-%d} | "
        f"{', '.join(f'{name} {count}' for name, count in sorted(b.meta.counts.items()))} |"
        for b in bundles
    )
    lap_rows = "\n".join(f"| {season} | {count:,} |" for season, count in counts.items())
    return f"""# F1 data archive

Written by Parc Fermé (`python -m jobs export-archive`) on {now:%Y-%m-%d %H:%M} UTC. Start another installation from it with
`PARCFERME_ARCHIVE=<this folder> python3 run.py`. Newest race with a result: {last}.

| Path | What |
|---|---|
| `f1db/f1db-csv.zip` | F1DB, every championship season since 1950, in the layout of its own CSV release |
| `laps/laps_YYYY.parquet` | every race and sprint lap by lap, FastF1 `Laps` columns, times in seconds |
| `laps/compound_nominations.csv` | the slick compounds nominated for each event, where known |
| `fastf1-cache/http_cache/` | event schedules of the seasons, as they were answered |
| `weather/<event>/` | weather forecasts, one answer a file, named by the instant it was issued |
| `sessions/<event>/<session>/` | timing sessions: `meta.json` and a parquet file for each part (results, laps, weather …) |

## Laps

| Season | Rows |
|---|---|
{lap_rows}

## Sessions

{len(bundles)} timing sessions. Each part's SHA-256 stands in `meta.json`; a part the source did not have is absent.

| Event | Session | Origin | Loaded | Rows |
|---|---|---|---|---|
{sessions}

## Origin and licences

Contains data from F1DB (https://github.com/f1db/f1db), licensed under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/). Timing data come from Formula 1's live timing service, read with FastF1; they
carry no open licence and belong to Formula One. Results that came with them through jolpica are CC BY-NC-SA 4.0. Weather
forecasts by Open-Meteo.com (CC BY 4.0). Unofficial, not associated with the Formula 1 companies.
"""
