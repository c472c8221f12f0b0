"""The views of the app that its benchmarks open: every page, with a query that has something to show."""

from __future__ import annotations

import os
from pathlib import Path

from f1core.settings import load_settings, reset_settings
from warehouse.queries.forecasts import stored_events
from warehouse.reader import Reader


def views(data: Path) -> dict[str, str]:
    """Path and query of every view, by name.

    Args:
        data: A built data folder.
    """
    os.environ["PARCFERME_DATA"] = str(data)
    reset_settings()
    reader = Reader(load_settings().warehouse_root)
    raced = stored_events(reader, "backtest")["event_id"][0]
    return {
        "home": "/",
        "race": f"/race?event={raced}",
        "race, qualifying": f"/race?event={raced}&target=qualifying",
        "race, why": f"/race?event={raced}&view=why",
        "race, baselines": f"/race?event={raced}&view=baselines",
        "race, lap chart": "/race?event=2024-spain&view=happened&part=laps",
        "championship": "/championship",
        "championship, final places": "/championship?view=places",
        "accuracy": "/accuracy",
        "accuracy, one season": f"/accuracy?seasons={raced[:4]}&view=seasons",
        "accuracy, calibration": "/accuracy?view=calibration",
        "accuracy, misses": "/accuracy?view=misses",
        "strategy": "/strategy?event=2024-spain",
        "strategy, positions": "/strategy?event=2024-spain&view=positions",
        "strategy, laps": "/strategy?event=2024-spain&view=laps",
        "strategy, finishes": "/strategy?event=2024-spain&view=finish",
        "drivers": "/drivers",
        "teams": "/teams",
        "circuits": "/circuits?circuit=monaco",
        "laps": "/laps?event=2024-spain&session=race",
        "calendar": "/calendar",
        "health": "/health",
        "methodology": "/methodology",
    }
