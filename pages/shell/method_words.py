"""What the methodology page says in prose: how it works, what it cannot do, whose data these are, how to get at them."""

from __future__ import annotations

HOW = (
    (
        "1 · Facts",
        "Results, grids and standings since 1950 come from F1DB; laps, weather and car channels since 2018 from the "
        "timing feed, read with FastF1. They are translated once into one vocabulary and kept in tables. Every row says "
        "when the world could know it.",
    ),
    (
        "2 · Features",
        "For one event and stage (before the weekend, after practice, after qualifying, on the final grid) features are "
        "computed only from rows known before that moment. A test deletes everything later and demands the same bits.",
    ),
    (
        "3 · Forecast",
        "A driver's strength is estimated from slot, qualifying, pace of driver and car, practice, form and circuit. Twenty "
        "thousand finishing orders are drawn from it, with retirements and mishaps; every probability, place and interval "
        "is a frequency among them, so they agree with each other.",
    ),
    (
        "4 · Seal",
        "Before the session the forecast is written to an append-only ledger with its SHA-256 and that of the record before "
        "it. Only the machine's real clock can seal; nothing is changed afterwards.",
    ),
    (
        "5 · Score",
        "After the official result it is settled: scores, calibration, and the same scores for the grid, the championship "
        "order and Elo. A corrected result adds a new settlement; the old one stays.",
    ),
)
LIMITS = (
    "A **backtest** is a forecast computed afterwards by a model that had seen only earlier races. It was never published "
    "beforehand, is kept apart from sealed forecasts everywhere, and is the weaker evidence.",
    "Strategy, damage and stewards' decisions after the start are not foreseen; they are part of the spread.",
    "Data can be months behind the calendar. Pages then say which races are missing; no forecast knows them.",
    "Figures from a handful of races are marked as small samples: they say little yet.",
)
LICENCES = """
- **Results, grids, standings, entrants, circuits:** [F1DB](https://github.com/f1db/f1db), licensed under
  [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Converted and combined with other sources; forecasts,
  ratings and every figure derived from them are our own. Whoever passes the data on must name F1DB and the licence, and
  say what was changed.
- **Lap timing, car channels, weather at the track, race control:** Formula 1's live timing, read with
  [FastF1](https://github.com/theOehrly/Fast-F1) (MIT licence). The timing data carry no open licence; they belong to
  Formula One.
- **Weather forecasts:** [Open-Meteo](https://open-meteo.com), CC BY 4.0.
- **This program:** MIT licence, see the file `LICENSE`.
- **Downloads of this app** hold facts from these sources: keep this list beside them.
"""
EMBEDS = {
    "race?event=next": ("Forecast of the next race", "/api/predict/next"),
    "championship": ("Title odds", "/api/v1/championship"),
    "accuracy": ("Accuracy", "/api/v1/accuracy"),
}
"""What can be embedded: name and address of its JSON, by the page's address."""


def curl_examples(host: str) -> str:
    """Requests that anybody can send."""
    return (
        f"curl {host}/api/predict/next\n"
        f"curl {host}/api/predict/las-vegas/2026\n"
        f'curl "{host}/api/predict/Abu%20Dhabi/2025?kind=backtest&stage=pre_race"\n'
        f'curl "{host}/api/v1/accuracy?season=2026"\n'
        f'curl "{host}/api/v1/championship?season=2026"'
    )


def python_example(host: str) -> str:
    """Reads a sealed forecast and checks its hash."""
    return (
        "import hashlib, json, urllib.request\n\n"
        f'record = json.load(urllib.request.urlopen("{host}/api/predict/las-vegas/2026?kind=sealed"))\n'
        'claimed = record.pop("hash")\n'
        'text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\\n"\n'
        "assert hashlib.sha256(text.encode()).hexdigest() == claimed\n"
        'for line in record["entries"]:\n'
        '    print(line["predicted_position"], line["driver_name"], line["win_probability"])'
    )


def embed_snippet(host: str, path: str) -> str:
    """A view without the app around it, for other people's pages.

    Args:
        host: Address of this app.
        path: One of :data:`EMBEDS`.
    """
    mark = "&" if "?" in path else "?"
    return (
        f'<iframe src="{host}/{path}{mark}embed=true" title="Parc Fermé: {EMBEDS[path][0]}"\n'
        '        style="width: 100%; height: 720px; border: 0" loading="lazy"></iframe>'
    )
