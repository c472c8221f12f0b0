"""Reads of how good backtested predictions were."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader
from warehouse.tables import SCORE_COLUMNS

SCORES = tuple(column.name for column in SCORE_COLUMNS)


def backtest_scores(
    reader: Reader, *, stage: str | None = None, from_season: int | None = None, target: str | None = "race"
) -> pl.DataFrame:
    """Scores of every backtested session of a target (of all when None), a row per event, stage and model, oldest first.

    Returns:
        The ``backtest_scores`` table plus ``grand_prix_name, round, race_date``.
    """
    return reader.query(
        """
        select scores.*, events.grand_prix_name, events.round, events.race_date
        from backtest_scores as scores
        inner join events using (event_id)
        where ($target is null or scores.target = $target) and ($stage is null or scores.stage = $stage)
            and ($season is null or scores.season >= $season)
        order by events.race_date, scores.stage, scores.model
        """,
        {"target": target, "stage": stage, "season": from_season},
    )


def pooled_scores(
    reader: Reader,
    *,
    stage: str,
    from_season: int | None = None,
    by_season: bool = False,
    target: str = "race",
) -> pl.DataFrame:
    """Means over races (every race counts the same) per model, and per season when asked: ``count_events`` and scores."""
    means = ", ".join(f"avg({name}) as {name}" for name in SCORES)
    season = "season, " if by_season else ""
    return reader.query(
        f"""
        select {season}model, count(*) as count_events, {means}
        from backtest_scores
        where target = $target and stage = $stage and ($season is null or season >= $season)
        group by {season}model
        order by {season}model
        """,
        {"target": target, "stage": stage, "season": from_season},
    )


def backtest_entries(reader: Reader, *, stage: str, model: str, target: str = "race") -> pl.DataFrame:
    """Every backtested driver forecast of a target, stage and model as it was made, oldest race first.

    Returns:
        Rows of ``backtest_prediction_entries``, also of drivers who then did not start.
    """
    return reader.query(
        """
        select entries.*
        from backtest_prediction_entries as entries
        inner join events using (event_id)
        where entries.stage = $stage and entries.model = $model and entries.target = $target
        order by events.race_date, entries.predicted_position
        """,
        {"stage": stage, "model": model, "target": target},
    )


_STARTERS = {
    "race": """
        select event_id, driver_id, status, known_at, display_order, false as is_unplaced
        from race_results where session = 'race' and is_starter
    """,
    "sprint": """
        select event_id, driver_id, status, known_at, display_order, false as is_unplaced
        from race_results where session = 'sprint' and is_starter
    """,
    "qualifying": """
        select event_id, driver_id, case when position is null then 'not_classified' else 'classified' end as status,
            known_at, display_order, position is null as is_unplaced
        from qualifying_results where session = 'qualifying'
    """,
}
"""Who took part in the session a target forecasts, best line of a driver first, as :mod:`f1core.labels` counts them."""


def predictions_with_outcome(
    reader: Reader, *, stage: str, model: str, from_season: int | None = None, target: str = "race"
) -> pl.DataFrame:
    """Every backtested driver forecast that started, with what happened: for calibration and for the worst misses.

    Returns:
        ``event_id, season, round, grand_prix_name, race_date, driver_id, driver_name, driver_code, constructor_id,
        constructor_name, predicted_position, expected_position, median_position, position_low, position_high,
        win_probability, podium_probability, points_probability, position`` (official order among starters),
        ``status, known_at, miss`` (places behind the forecast, negative when ahead).
    """
    return reader.query(
        f"""
        with starters as (
            select
                event_id,
                driver_id,
                status,
                known_at,
                row_number() over (partition by event_id order by is_unplaced, display_order) as position
            from (
                select * from ({_STARTERS[target]})
                qualify row_number() over (partition by event_id, driver_id order by is_unplaced, display_order) = 1
            )
        )

        select
            entries.event_id,
            entries.season,
            events.round,
            events.grand_prix_name,
            events.race_date,
            entries.driver_id,
            drivers.driver_name,
            drivers.driver_code,
            entries.constructor_id,
            constructors.constructor_name,
            entries.predicted_position,
            entries.expected_position,
            entries.median_position,
            entries.position_low,
            entries.position_high,
            entries.win_probability,
            entries.podium_probability,
            entries.points_probability,
            entries.grid_position,
            starters.position::integer as position,
            starters.status,
            starters.known_at,
            (starters.position - entries.predicted_position)::integer as miss
        from backtest_prediction_entries as entries
        inner join starters using (event_id, driver_id)
        inner join events using (event_id)
        inner join drivers using (driver_id)
        inner join constructors on constructors.constructor_id = entries.constructor_id
        where entries.target = $target and entries.stage = $stage and entries.model = $model
            and ($season is null or entries.season >= $season)
        order by events.race_date, entries.predicted_position
        """,
        {"target": target, "stage": stage, "model": model, "season": from_season},
    )


def sealed_accuracy(reader: Reader, *, only_current: bool = True, target: str | None = None) -> pl.DataFrame:
    """Scores of sealed predictions, newest race first: the ``accuracy`` table plus names of the event.

    Args:
        reader: The warehouse.
        only_current: Leave superseded settlements out.
        target: Only of this target; None for all.

    Returns:
        One row per settlement and model, plus ``grand_prix_name, round, race_date, circuit_id``.
    """
    return reader.query(
        """
        select accuracy.*, events.grand_prix_name, events.round, events.race_date, events.circuit_id
        from accuracy
        inner join events using (event_id)
        where (accuracy.is_current or not $only_current) and ($target is null or accuracy.target = $target)
        order by events.race_date desc, accuracy.stage, accuracy.model, accuracy.revision
        """,
        {"only_current": only_current, "target": target},
    )


def accuracy_by(reader: Reader, group: str, *, stage: str, target: str = "race") -> pl.DataFrame:
    """Means per season, circuit or model, sealed and backtest side by side and never added up.

    Args:
        reader: The warehouse.
        group: ``season`` or ``circuit_id``.
        stage: The stage.
        target: What is forecast.

    Returns:
        ``kind`` (sealed or backtest), the group, ``model, count_events`` and the scores.
    """
    if group not in ("season", "circuit_id"):
        raise ValueError(f"cannot group by {group}")
    means = ", ".join(f"avg({name}) as {name}" for name in SCORES)
    parts = [
        f"""
        select '{kind}' as kind, events.{group}, scores.model, count(*) as count_events, {means}
        from {table} as scores
        inner join events using (event_id)
        where scores.target = $target and scores.stage = $stage and {condition}
        group by all
        """
        for kind, table, condition in (
            ("sealed", "accuracy", "scores.is_current"),
            ("backtest", "backtest_scores", "true"),
        )
    ]
    return reader.query(
        " union all ".join(parts) + f" order by kind, {group}, model", {"stage": stage, "target": target}
    )


def driver_accuracy(reader: Reader, *, stage: str, model: str, target: str = "race") -> pl.DataFrame:
    """How far off the forecasts of each driver were, sealed and backtest side by side.

    Returns:
        ``kind, driver_id, driver_name, count_events, mae_ranked`` (mean places between predicted and actual order),
        ``bias`` (mean of predicted minus actual: above zero finished better than said).
    """
    return reader.query(
        f"""
        with starters as (
            select
                event_id,
                driver_id,
                row_number() over (partition by event_id order by is_unplaced, display_order) as position
            from ({_STARTERS[target]})
            qualify row_number() over (partition by event_id, driver_id order by is_unplaced, display_order) = 1
        ),

        made as (
            select 'sealed' as kind, event_id, driver_id, predicted_position
            from prediction_entries where stage = $stage and model = $model and target = $target
            union all
            select 'backtest' as kind, event_id, driver_id, predicted_position
            from backtest_prediction_entries where stage = $stage and model = $model and target = $target
        )

        select
            made.kind,
            made.driver_id,
            drivers.driver_name,
            count(*) as count_events,
            avg(abs(made.predicted_position - starters.position)) as mae_ranked,
            avg(made.predicted_position - starters.position) as bias
        from made
        inner join starters using (event_id, driver_id)
        inner join drivers using (driver_id)
        group by all
        order by made.kind, count_events desc, made.driver_id
        """,
        {"stage": stage, "model": model, "target": target},
    )
