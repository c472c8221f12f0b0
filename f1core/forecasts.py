"""Keeps the provisional forecasts of the coming events in the warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from f1core.champion import place_of
from f1core.distributions import TABLE_NAMES, Distributions
from f1core.log import get_logger
from f1core.predict import Forecast, Predictor, best_stage, is_over
from f1core.published import publish_documents
from f1core.targets import targets_of
from f1core.workspace import Workspace
from warehouse.errors import NotReady, NotTrained
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


def open_targets(workspace: Workspace, event_id: str, now: dt.datetime) -> list[Target]:
    """What of an event is still to come: the race, its qualifying, its sprint."""
    reader = workspace.reader
    return [target for target in targets_of(reader, event_id) if not is_over(reader, event_id, target, now)]


def is_current(workspace: Workspace, event_id: str, target: Target = Target.RACE) -> bool:
    """Whether the stored forecast of an event is the one the present facts and models would give."""
    now = workspace.clock.now()
    stage = best_stage(workspace.reader, event_id, now, target)
    version = workspace.registry.production().get(place_of(stage, target))
    if version is None:
        return False
    heads = prediction_heads(workspace.reader, "provisional", event_id, target=target.value)
    return not heads.filter(
        (pl.col("stage") == stage.value)
        & (pl.col("model_version") == version)
        & (pl.col("data_version") == workspace.features.version(int(event_id[:4])))
        & (pl.col("count_missing_events") == len(events_without_result(workspace.reader, event_id, now)))
    ).is_empty()


def refresh_forecasts(workspace: Workspace, event_ids: Sequence[str]) -> list[Forecast]:
    """Forecasts events with the models in production and stores the answers as provisional, where they are not yet.

    Every target of an event is forecast whose session is not over.

    Args:
        workspace: With the system's clock or a rehearsal's: another simulated one may not write forecasts.
        event_ids: Events to come.

    Returns:
        The forecasts that were made; none where the stored forecast is current.

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
    now = workspace.clock.now()
    made: list[Forecast] = []
    untrained: NotTrained | None = None
    for event_id in event_ids:
        for target in open_targets(workspace, event_id, now):
            if is_current(workspace, event_id, target):
                continue
            try:
                made.append(predictor.forecast(event_id, target=target))
            except NotTrained as error:
                # One target without a model must not keep the others from being forecast.
                untrained = error
                get_logger(__name__).warning(
                    "not_trained", event_id=event_id, target=target.value, error=str(error)
                )
    if untrained is not None and not made:
        raise untrained
    if made:
        with workspace.writing("predict") as store:
            save_forecasts(store, made)
            store.publish(now=workspace.clock.now())
            publish_documents(workspace.settings, workspace.reader)
    return made


def save_forecasts(store: Store, forecasts: Sequence[Forecast]) -> None:
    """Puts forecasts into the tables in place of older ones of the same event and stage; the caller publishes."""
    heads = pl.concat([made.heads for made in forecasts])
    # By the heads, because an older forecast may have rows beside its entries that the new one has none of.
    replaced = heads.select("event_id", "target", "stage").unique()
    beside = Distributions.joined(made.distributions for made in forecasts).frames
    for name, new in (
        ("forecasts", heads),
        ("forecast_entries", pl.concat([made.entries for made in forecasts])),
        *((table, beside[part]) for part, table in TABLE_NAMES.items()),
    ):
        old = pl.DataFrame(pl.from_arrow(store.read(name)))
        kept = old.join(replaced, on=["event_id", "target", "stage"], how="anti")
        rows = pl.concat([kept.cast(new.schema), new])
        store.replace(name, rows.to_arrow().cast(TABLES[name].schema))
