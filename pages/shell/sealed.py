"""What pages say of the ledger: whether a forecast is sealed, when it is due, and how sealed ones turned out."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.freeze_policy import SealState, due_at, seal_state, session_start
from f1core.ledger import Ledger, Verification
from f1core.wording import BASELINE_NAMES, TARGET_NAMES
from pages.shell.frame import App
from warehouse.errors import WarehouseError
from warehouse.queries.accuracy import accuracy_by, driver_accuracy, sealed_accuracy
from warehouse.queries.events import session_starts
from warehouse.queries.forecasts import prediction_heads
from warehouse.vocab import Stage, Target

DUE_WORDS = {
    SealState.DUE: "The official record is not sealed yet: due at {due:%a %d %b %Y, %H:%M} UTC.",
    SealState.OVERDUE: "The official record is not sealed yet, though due at {due:%a %d %b %Y, %H:%M} UTC; "
    "it can be sealed until the start.",
    SealState.MISSED: "Never sealed: the {session} began without it, and a seal is never made late.",
    SealState.CANCELLED: "Not sealed: the event is cancelled.",
    SealState.UNSCHEDULED: "The official record is not sealed yet: the calendar has no time for the {session}.",
}


def seal_note(app: App, event: dict[str, Any], target: Target = Target.RACE) -> None:
    """Says whether the official forecast of a session is sealed, or when it is due."""
    settings = app.workspace.settings
    starts = app.read(session_starts, event["event_id"])
    heads = app.read(prediction_heads, "sealed", event["event_id"], target=target.value)
    stages = {Stage(stage) for stage in heads["stage"].unique().to_list()}
    due = due_at(settings.prediction_freeze_policy, settings.prediction_freeze_tminutes, target, starts)
    state = seal_state(
        settings.prediction_freeze_policy,
        stages,
        due=due,
        start=session_start(target, starts),
        now=app.now,
        is_cancelled=event["status"] == "cancelled",
        target=target,
    )
    if state is SealState.SEALED:
        return
    if state is SealState.MISSED and not stages:
        return
    words = DUE_WORDS[state].format(due=due, session=TARGET_NAMES[target].lower())
    early = (
        f" An earlier stage is sealed: {', '.join(stage.label.lower() for stage in Stage if stage in stages)}."
        if stages
        else ""
    )
    st.caption(f":material/lock_clock: {words}{early}")


def chain(app: App) -> Verification:
    """The state of the whole chain, walked now."""
    return Ledger(app.workspace.settings.ledger_root).verify()


def chain_note(app: App) -> None:
    """Count and head of the chain, and whether every record is as it was sealed."""
    try:
        found = chain(app)
    except (WarehouseError, OSError) as error:
        st.error(f"The ledger cannot be read: {error}", icon=":material/lock_open:")
        return
    if found.is_intact:
        words = (
            "1 record, as it was sealed"
            if found.count == 1
            else f"{found.count} records, all as they were sealed"
        )
        st.caption(f":material/verified: {words}. Head of the chain `{found.head}`")
    else:
        st.error("**The ledger is damaged.** " + "; ".join(found.problems), icon=":material/gpp_bad:")


def sealed_section(app: App, target: Target) -> None:
    """Sealed forecasts and their scores, apart from every backtest."""
    # Whoever was in production when a forecast was sealed: earlier versions had other models.
    ours = ~pl.col("model").is_in(list(BASELINE_NAMES))
    heads = app.read(prediction_heads, "sealed", target=target.value).filter(ours)
    if heads.is_empty():
        st.info(
            "Nothing is sealed yet: `python -m jobs freeze --race next` seals the next race's forecast before its start.",
            icon=":material/lock_clock:",
        )
        return
    scores = app.read(sealed_accuracy, target=target.value).filter(ours)
    names = ["win_log_loss", "mae_ranked", "top_ten_brier", "revision"]
    keys = ["event_id", "stage", "model"]
    rows = heads.join(scores.select(*keys, *names), on=keys, how="left")
    table = rows.select(
        Race=pl.format("{} {}", "grand_prix_name", "season"),
        Stage=pl.col("stage").replace_strict({stage.value: stage.label for stage in Stage}),
        Sealed=pl.col("sealed_at"),
        Confidence=pl.col("confidence_level"),
        Settled=pl.when(pl.col("revision").is_null())
        .then(pl.lit("not yet"))
        .otherwise(pl.format("revision {}", "revision")),
        **{
            "Win log loss": pl.col("win_log_loss"),
            "Places off": pl.col("mae_ranked"),
            "Top-10 Brier": pl.col("top_ten_brier"),
            "Record": pl.col("sequence"),
            "SHA-256": pl.col("record_hash"),
        },
    )
    column = st.column_config
    numbers = {
        name: column.NumberColumn(format="%.3f") for name in ("Win log loss", "Places off", "Top-10 Brier")
    }
    when = column.DatetimeColumn("Sealed (UTC)", format="DD MMM YYYY HH:mm", timezone="UTC")
    st.dataframe(
        table,
        hide_index=True,
        column_config={"Sealed": when, **numbers},
        alt="Sealed forecasts, a line each, with their scores once the race is settled",
    )
    chain_note(app)


def by_circuit_and_driver(app: App, stage: str, model: str, target: Target) -> None:
    """How far off we were at each circuit and for each driver: sealed and backtest in columns of their own."""
    if app.until is not None:
        return  # a simulated clock: these means would know later races
    kinds = {"sealed": "Sealed", "backtest": "Backtest"}
    circuits = app.read(accuracy_by, "circuit_id", stage=stage, target=target.value)
    drivers = app.read(driver_accuracy, stage=stage, model=model, target=target.value)
    parts = (
        ("Circuit", circuits.filter(pl.col("model") == model).rename({"circuit_id": "name"})),
        ("Driver", drivers.rename({"driver_name": "name"})),
    )
    for cell, (words, rows) in zip(st.columns(2, gap="large"), parts, strict=True):
        wide = rows.select("name", "kind", "count_events", "mae_ranked").with_columns(
            kind=pl.col("kind").replace_strict(kinds)
        )
        table = wide.sort("mae_ranked").select(
            **{
                words: "name",
                "Kind": "kind",
                "Races": "count_events",
                "Places off": pl.col("mae_ranked").round(2),
            }
        )
        with cell:
            st.markdown(f"**Places off by {words.lower()}**")
            st.dataframe(
                table,
                hide_index=True,
                height=280,
                alt=f"Mean places off by {words.lower()}, sealed and backtest apart",
            )
