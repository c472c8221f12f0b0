"""What an extraction of a weekend answers, for people and for programs."""

from __future__ import annotations

from typing import Any

from f1core.weekend_extraction import KNOWN_FOR, WeekendExtract


def weekend_data(done: WeekendExtract, seconds: float) -> dict[str, Any]:
    """The answer as data."""
    found = done.found
    return {
        "file": None if done.path is None else str(done.path),
        "bytes": None if done.path is None else done.path.stat().st_size,
        "seconds": round(seconds, 2),
        "count_columns": found.frame.width,
        "count_feature_columns": len(done.feature_columns),
        "count_columns_known": done.columns_known(imputed=True),
        "count_columns_known_without_imputed": done.columns_known(imputed=False),
        "count_imputed": int(found.frame["count_imputed"].sum()),
        "sessions": {kind.value: version for kind, version in found.sessions.items()},
        "missing": {kind.value: reason for kind, reason in found.missing.items()},
        "problems": [{"session": kind.value, "problem": words} for kind, words in found.problems],
        "published": dict(done.rows),
        "rows": found.frame.to_dicts(),
    }


def weekend_text(done: WeekendExtract, seconds: float) -> list[str]:
    """The answer in words, line by line."""
    found = done.found
    names = ", ".join(kind.label.lower() for kind in found.sessions) or "none"
    size = "" if done.path is None else f", {done.path.stat().st_size / 1000:,.0f} kB"
    known = min(KNOWN_FOR, found.frame.height)
    lines = [
        f"Weekend from sessions: {names}.",
        f"{found.frame.height} rows, {found.frame.width} columns, {done.columns_known(imputed=True)} of "
        f"{len(done.feature_columns)} features known for at least {known} drivers "
        f"({done.columns_known(imputed=False)} without stand-ins){size}, {seconds:.1f} s.",
    ]
    if done.path is not None:
        lines.append(str(done.path))
    if any(done.rows.values()):
        lines.append("Published: " + ", ".join(f"{name} {rows:,}" for name, rows in done.rows.items()) + ".")
    lines += [
        f"Not used: {kind.label.lower()} ({reason.rstrip('.')})." for kind, reason in found.missing.items()
    ]
    lines += [f"Note: {kind.label.lower()}: {words.rstrip('.')}." for kind, words in found.problems]
    flags = found.frame.filter(found.frame["data_quality_flag"] != "ok")
    lines += [
        f"{flag}: {'all' if rows.height == found.frame.height else ', '.join(rows['driver_id'])}."
        for (flag,), rows in flags.group_by("data_quality_flag", maintain_order=True)
    ]
    return lines
