"""How a driver laps beyond his pace: how steadily, and how kindly to his tyres, from what the lap fit leaves over."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from models.lap_pace import AUTOCORRELATION, LapPriors, RacePace, fit_races

USUAL_RESIDUALS = 4.0
"""Laps beyond this many of the race's residual standard deviations are mistakes or trouble, not scatter."""
MIN_STEADY_LAPS, MIN_WEAR_LAPS = 10, 15
"""A driver with fewer laps has no consistency, or no wear of his own."""

SCHEMA = pl.Schema(
    {
        "event_id": pl.String(),
        "driver_id": pl.String(),
        "race_pace_pct": pl.Float64(),
        "standard_error_pct": pl.Float64(),
        "count_laps": pl.Int64(),
        "consistency_pct": pl.Float64(),
        "wear_pct": pl.Float64(),
        "wear_error_pct": pl.Float64(),
    }
)
WEAR_SCHEMA = pl.Schema({"event_id": pl.String(), "tyre_wear_pct": pl.Float64()})


@dataclass(frozen=True)
class LapCraft:
    """What the laps of races say of drivers and of tyres.

    Attributes:
        drivers: One row per event and driver with a race pace, columns of :data:`SCHEMA`: the race pace and its error and
            laps as :attr:`models.lap_pace.RacePace.drivers`; ``consistency_pct``: standard deviation of his residuals
            [% of a lap]; ``wear_pct, wear_error_pct``: his wear beyond the field's on the same compound, and its standard
            error [% of a lap per lap on the set]. The last three are null where he has too few laps.
        wear: One row per event: ``tyre_wear_pct``, what a lap more on a set costs, mean over compounds by laps.
    """

    drivers: pl.DataFrame
    wear: pl.DataFrame


def lap_craft(laps: pl.DataFrame, priors: LapPriors | None = None) -> LapCraft:
    """Fits every race of some laps and reads consistency and wear off what is left over.

    Args:
        laps: Rows of the ``laps`` table (columns :data:`models.lap_pace.LAP_COLUMNS`) of one session per event.
        priors: As in :func:`models.lap_pace.fit_race`.
    """
    drivers = [pl.DataFrame(schema=SCHEMA)]
    wear = [pl.DataFrame(schema=WEAR_SCHEMA)]
    for event, race in fit_races(laps, priors) if laps.height else ():
        named = pl.lit(event).alias("event_id")
        told = race.drivers.join(_residual_figures(race), on="driver_id", how="left", maintain_order="left")
        drivers.append(told.select(named, *list(SCHEMA)[1:]).cast(dict(SCHEMA)))  # type: ignore[arg-type]
        worn = race.effects.filter(pl.col("effect") == "wear")
        mean = (pl.col("value_pct") * pl.col("count_laps")).sum() / pl.col("count_laps").sum()
        wear.append(worn.select(named, tyre_wear_pct=mean))
    return LapCraft(pl.concat(drivers), pl.concat(wear))


def _residual_figures(race: RacePace) -> pl.DataFrame:
    """Consistency and own wear of each driver: ``driver_id, consistency_pct, wear_pct, wear_error_pct``.

    Own wear is the slope of the residuals over the laps on the set, within stints: the fit took the field's wear out, and
    its driver coefficient the mean.
    """
    usual = race.residuals.filter(pl.col("residual_pct").abs() <= USUAL_RESIDUALS * race.residual_pct)
    aged = usual.filter(pl.col("tyre_laps").is_not_null()).with_columns(
        # As long as a set stays on the car its age and the lap number rise together.
        stint=pl.col("lap_number") - pl.col("tyre_laps")
    )
    within = ["driver_id", "stint"]
    centred = aged.with_columns(
        x=pl.col("tyre_laps") - pl.col("tyre_laps").mean().over(within),
        y=pl.col("residual_pct") - pl.col("residual_pct").mean().over(within),
    )
    sums = centred.group_by("driver_id").agg(
        n=pl.len().cast(pl.Float64),
        k=pl.col("stint").n_unique().cast(pl.Float64),
        xx=(pl.col("x") ** 2).sum(),
        xy=(pl.col("x") * pl.col("y")).sum(),
        yy=(pl.col("y") ** 2).sum(),
    )
    has_wear = (pl.col("n") >= MIN_WEAR_LAPS) & (pl.col("xx") > 0) & (pl.col("n") - pl.col("k") > 1)
    slope = pl.col("xy") / pl.col("xx")
    noise = (pl.col("yy") - slope * pl.col("xy")).clip(lower_bound=1e-12) / (pl.col("n") - pl.col("k") - 1)
    inflation = (1 + AUTOCORRELATION) / (1 - AUTOCORRELATION)
    slopes = sums.filter(has_wear).select(
        "driver_id", wear_pct=slope, wear_error_pct=(inflation * noise / pl.col("xx")).sqrt()
    )
    steady = (
        usual.group_by("driver_id")
        .agg(consistency_pct=pl.col("residual_pct").std(), n=pl.len())
        .filter(pl.col("n") >= MIN_STEADY_LAPS)
    )
    return steady.drop("n").join(slopes, on="driver_id", how="full", coalesce=True)
