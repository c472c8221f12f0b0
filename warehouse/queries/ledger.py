"""Reads of what was derived from the ledger: sealed predictions and how they turned out."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def sealed_scores(reader: Reader) -> pl.DataFrame:
    """Scores of every sealed and settled prediction by the results that count now, oldest race first.

    Returns:
        Rows of ``accuracy`` that no later settlement supersedes, plus ``grand_prix_name, round, race_date``.
    """
    return reader.query(
        """
        select scores.*, events.grand_prix_name, events.round, events.race_date
        from accuracy as scores
        left join events using (event_id)
        where scores.is_current
        order by events.race_date, scores.event_id, scores.stage, scores.model
        """
    )
