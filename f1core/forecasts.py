"""Keeps the provisional forecasts of the coming events in the warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from f1core.predict import Forecast, Predictor, best_stage
from f1core.published import publish_documents
from f1core.workspace import Workspace
from warehouse.errors import NotReady
from warehouse.queries.events import calendar
from warehouse.queries.forecasts import events_without_result, prediction_heads
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import Target

COMING_EVENTS = 3


def coming_events(workspace: Workspace, now: dt.datetime, count: int = COMING_EVENTS) -> list[str]:
    """The next events whose race is not over, in order."""
    events = calendar(workspace.reader)
    return (
        events.filter((pl.col("result_known_at") > now) & (pl.col("status") != "cancelled"))
        .head(count)["event_id"]
        .to_list()
    )


def is_current(workspace: Workspace, event_id: str) -> bool:
    """Whether the stored forecast of an event is the one the present facts and models would give."""
    now = workspace.clock.now()
    stage = best_stage(workspace.reader, event_id, now)
    version = workspace.registry.production().get(f"{Target.RACE.value}/{stage.value}")
    heads = prediction_heads(workspace.reader, "provisional", event_id)
    return not heads.filter(
        (pl.col("stage") == stage.value)
        & (pl.col("model_version") == version)
        & (pl.col("data_version") == workspace.features.version(int(event_id[:4])))
        & (pl.col("count_missing_events") == len(events_without_result(workspace.reader, event_id, now)))
    ).is_empty()


def refresh_forecasts(workspace: Workspace, event_ids: Sequence[str]) -> list[Forecast]:
    """Forecasts events with the models in production and stores the answers as provisional, where they are not yet.

    Args:
        workspace: With the system's clock or a rehearsal's: another simulated one may not write forecasts.
        event_ids: Events to come.

    Returns:
        The forecasts that were made; none for an event whose stored forecast is current.

    Raises:
        NotReady: The clock is simulated.
        NotTrained: No model is in production.
    """
    if not workspace.is_live:
        raise NotReady(
            "Forecasts of a simulated clock are not stored.",
            hint="Leave --as-of out, or print them with `predict`.",
        )
    predictor = Predictor(workspace)
    made = [predictor.forecast(event_id) for event_id in event_ids if not is_current(workspace, event_id)]
    if made:
        with workspace.writing("predict") as store:
            save_forecasts(store, made)
            store.publish(now=workspace.clock.now())
            publish_documents(workspace.settings, workspace.reader)
    return made


def save_forecasts(store: Store, forecasts: Sequence[Forecast]) -> None:
    """Puts forecasts into the tables in place of older ones of the same event and stage; the caller publishes."""
    for name, frames in (
        ("forecasts", [made.heads for made in forecasts]),
        ("forecast_entries", [made.entries for made in forecasts]),
    ):
        new = pl.concat(frames)
        old = pl.DataFrame(pl.from_arrow(store.read(name)))
        kept = old.join(
            new.select("event_id", "target", "stage").unique(), on=["event_id", "target", "stage"], how="anti"
        )
        rows = pl.concat([kept.cast(new.schema), new])
        store.replace(name, rows.to_arrow().cast(TABLES[name].schema))
