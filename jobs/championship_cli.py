"""The command about the championship: ``championship``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jobs.options import AsJson, answer, workspace

SHOWN = 10


def championship(
    season: Annotated[
        int | None, typer.Option("--season", help="Season; without it that of the newest result.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--after", help="Race after which it stands, by any name; without it the newest."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the title odds of a season after every round that lacks them, and show them with what must happen.

    Past rounds are computed from what was known when their race was over; the calendar is the one that is known now.

    Examples: python -m jobs championship ; python -m jobs championship --season 2021 --after "Saudi Arabia" --json
    """
    from f1core.championship import CARS, refresh_championship
    from f1core.resolver import resolve
    from f1core.title_words import as_data, what_must_happen
    from jobs.progress import progress_report
    from jobs.tables import render
    from warehouse.errors import NotReady
    from warehouse.queries.championship import final_positions, title_odds

    work = workspace()
    with progress_report(quiet=as_json) as report:
        report("championship", "", None, None)
        done = refresh_championship(
            work, season, lambda words, count: report("championship", words, count, None)
        )
    rounds = (*done.computed, *done.kept)
    if done.season is None or not rounds:
        raise NotReady("No race of the season has a result and a championship table yet.")
    found = {name: title_odds(work.reader, done.season, name) for name in CARS}
    order = found["drivers"]["event_id"].unique(maintain_order=True).to_list()
    event = order[-1] if after is None else resolve(work.reader, after, year=done.season, clock=work.clock)
    if event not in order:
        raise NotReady(f"There are no title odds after {event}.", hint=f"Known rounds: {', '.join(order)}.")
    data: dict[str, Any] = {"season": done.season, "after": event, "computed": list(done.computed)}
    parts = []
    for name, odds in found.items():
        rows = odds.filter(odds["event_id"] == event)
        outlook = what_must_happen(work.reader, event, name)
        assert outlook is not None
        positions = final_positions(work.reader, event, name)
        data[name] = {
            "odds": rows.drop("made_from", "label", "full_name").to_dicts(),
            "positions": positions.to_dicts(),
            "what_must_happen": as_data(outlook),
        }
        head = rows.row(0, named=True)
        kind = "backtest" if head["is_backtest"] else "newest round"
        parts.append(
            render(_table(f"{name.capitalize()} after {event} ({kind})", rows.head(SHOWN).to_dicts()))
        )
        parts.append("\n".join(outlook.sentences))
    answer(data, as_json, "\n\n".join(parts))


def _table(title: str, rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("", "", "points", "title", "expected", "80 %", "expected place"):
        table.add_column(heading, justify="right")
    table.columns[1].justify = "left"
    for row in rows:
        share = row["title_probability"]
        odds = "out" if not row["can_be_champion"] else "<0.1%" if share < 0.001 else f"{share:.1%}"
        table.add_row(
            str(row["position"]),
            row["name"],
            f"{row['points']:g}",
            odds,
            f"{row['expected_points']:.0f}",
            f"{row['points_low']:g}–{row['points_high']:g}",
            f"{row['expected_position']:.1f}",
        )
    return table
