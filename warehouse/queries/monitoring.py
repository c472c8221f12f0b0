"""Reads about models in production: challenges, drift of features and of calibration."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def challenges(reader: Reader, *, last: int | None = None) -> pl.DataFrame:
    """Challenges, newest first, one row per target, stage and score.

    Args:
        reader: The warehouse.
        last: Only so many challenges (a challenge is one target and stage at one instant); all when None.
    """
    return reader.query(
        """
        select *
        from model_challenges
        qualify $last is null or dense_rank() over (order by challenged_at desc, target, stage) <= $last
        order by challenged_at desc, target, stage, metric
        """,
        {"last": last},
    )


def challenge_races(reader: Reader, *, challenger: str | None = None) -> pl.DataFrame:
    """Races that challenges were decided by, newest challenge first: no test evidence for what they promoted.

    Args:
        reader: The warehouse.
        challenger: Only those of one version.

    Returns:
        The ``challenge_races`` table plus ``grand_prix_name``.
    """
    return reader.query(
        """
        select races.*, events.grand_prix_name
        from challenge_races as races
        inner join events using (event_id)
        where $challenger is null or races.challenger = $challenger
        order by races.challenged_at desc, races.target, races.stage, events.race_date
        """,
        {"challenger": challenger},
    )


def sealed_scores(reader: Reader, *, stage: str, target: str = "race") -> pl.DataFrame:
    """Scores of sealed and settled forecasts of a target and stage with the version that made them, as settled last.

    Returns:
        ``event_id, model, model_version, settled_at`` and the scores of ``accuracy``.
    """
    return reader.query(
        """
        select accuracy.*, predictions.model_version
        from accuracy
        inner join predictions
            on predictions.record_hash = accuracy.prediction_hash and predictions.model = accuracy.model
        where accuracy.is_current and accuracy.target = $target and accuracy.stage = $stage
        order by accuracy.settled_at
        """,
        {"stage": stage, "target": target},
    )


def sealed_entries(reader: Reader, *, stage: str, model: str) -> pl.DataFrame:
    """Driver forecasts of sealed and settled race forecasts of a stage and model, as they were sealed."""
    return reader.query(
        """
        select entries.*
        from prediction_entries as entries
        where
            entries.stage = $stage and entries.model = $model and entries.target = 'race'
            and exists (
                select 1 from accuracy
                where
                    accuracy.event_id = entries.event_id and accuracy.stage = entries.stage
                    and accuracy.model = entries.model and accuracy.target = 'race' and accuracy.is_current
            )
        """,
        {"stage": stage, "model": model},
    )


def feature_drift(reader: Reader) -> pl.DataFrame:
    """Drift of every feature in the last races, the one nearest to or farthest above its threshold first.

    Returns:
        The ``feature_drift`` table plus ``level`` (``psi`` as a share of ``threshold``) and the names of the window's
        first and last race.
    """
    return reader.query(
        """
        select
            drift.*,
            drift.psi / drift.threshold as level,
            first_event.grand_prix_name || ' ' || first_event.season as from_race,
            last_event.grand_prix_name || ' ' || last_event.season as to_race
        from feature_drift as drift
        inner join events as first_event on first_event.event_id = drift.from_event_id
        inner join events as last_event on last_event.event_id = drift.event_id
        order by level desc, drift.feature
        """
    )


def calibration_drift(reader: Reader, *, stage: str | None = None) -> pl.DataFrame:
    """Rolling measures of calibration and what is ordinary for them, oldest race first.

    Args:
        reader: The warehouse.
        stage: Only this stage.

    Returns:
        The ``calibration_drift`` table plus ``grand_prix_name`` and ``race`` (1.. in order of time within a stage and
        measure).
    """
    return reader.query(
        """
        select
            drift.*,
            events.grand_prix_name,
            row_number() over (
                partition by drift.stage, drift.measure order by drift.known_at, drift.event_id
            )::integer as race
        from calibration_drift as drift
        inner join events using (event_id)
        where $stage is null or drift.stage = $stage
        order by drift.stage, drift.measure, race
        """,
        {"stage": stage},
    )
