"""A season's schedule as FastF1's own source has it today, kept beside the archive's recorded ones."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

from f1core.settings import Settings
from f1core.sources import schedules
from f1core.sources.http import get
from f1core.sources.keeping import keep
from f1core.sources.limits import Quota
from f1core.sources.recorded import ANSWERS
from warehouse.errors import SourceSchemaError

SCHEDULES = "https://raw.githubusercontent.com/theOehrly/f1schedule/master/"
"""Where FastF1 takes the schedules from: ``schedule_2026.json`` and so on."""


def fetch_schedule(
    settings: Settings,
    season: int,
    *,
    now: dt.datetime | None = None,
    source: str = SCHEDULES,
    retries: int = 3,
) -> bool:
    """Fetches a season's schedule into ``data/fetched``, in the form of the archive's recorded answers.

    Args:
        settings: Where it is kept.
        season: The season.
        now: The present instant (real clock), by which the newest of several schedules is told; the machine's when None.
        source: Folder of the schedules, with a slash at its end.
        retries: How often a passing fault of the network is tried again.

    Returns:
        Whether it differs from the one that was fetched before.

    Raises:
        NotPublished: There is no schedule of that season yet.
        SourceUnavailable: The network does not answer or may not be asked.
        SourceSchemaError: The schedule has another format; the one that was there stays.
        WarehouseError: The data folder cannot be written.
    """
    url = f"{source}schedule_{season}.json"
    path = settings.fetched_root / ANSWERS / f"schedule_{season}.json"
    before = _kept(path)
    answer = get(
        url,
        quota=Quota.of(settings),
        etag=before.get("etag") if before.get("url") == url else None,
        expect_json=True,
        retries=retries,
        not_published=f"There is no schedule of {season} yet.",
    )
    if answer.not_modified:
        return False
    content = answer.body.decode("utf-8", errors="replace")
    if content == before.get("_decoded_content"):
        return False
    made = {
        "url": url,
        "created_at": (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).isoformat(),
        "etag": answer.etag,
        "status_code": 200,
        "_decoded_content": content,
    }
    body = json.dumps(made, indent=1).encode()
    _refuse_other_formats(path.name, body, season)
    keep(path, body)
    return True


def _kept(path: Path) -> dict[str, Any]:
    """The answer that was fetched before; nothing where there is none, or a damaged one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_other_formats(name: str, body: bytes, season: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(body)
        try:
            read = schedules.read(Path(folder)).tables["fastf1__schedules"]
        except (AttributeError, TypeError, KeyError) as error:
            raise SourceSchemaError(
                f"The schedule of {season} has another format ({type(error).__name__}: {error}).",
                hint="The source has changed. What was here stays in use.",
            ) from error
    if set(read["year"].to_pylist()) != {season}:
        raise SourceSchemaError(
            f"The schedule of {season} lists no event.",
            hint="The source has changed. What was here stays in use.",
        )
