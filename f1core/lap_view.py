"""The laps of one session as pages show them: one vocabulary for races, sprints, practice and qualifying.

A lap is *clean* when it says something of pace: timed, not deleted, neither from nor into the pits, not the first of a race,
on a clear track, and not more than 7 % slower than the session's reference (the median of such laps in a race or sprint, the
best one in other sessions). What is not clean is never thrown away: pages draw it when asked to.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from models.lap_pace import LAP_COLUMNS, LIMIT_PCT, RacePace, fit_race, green_laps
from warehouse.queries.laps import loaded_laps, race_laps
from warehouse.reader import Reader
from warehouse.vocab import SessionKind

RACES = (SessionKind.RACE, SessionKind.SPRINT)
CLEAN_WORDS = (
    "Clean laps: timed and not deleted, not into or out of the pits, not lap 1 of a race, on a clear track, "
    f"and at most {LIMIT_PCT:g} % slower than the reference (race: median of such laps; other sessions: the best)."
)
STINT_LAPS = 4
"""A trend within a stint is not told from fewer clean laps."""
COLUMNS = (
    "driver_id",
    "driver_name",
    "label",
    "driver_code",
    "constructor_id",
    "constructor_name",
    "car_number",
    "lap",
    "position",
    "lap_time_s",
    "gap_s",
    "compound",
    "stint",
    "tyre_age_laps",
    "sector_1_s",
    "sector_2_s",
    "sector_3_s",
    "speed_trap_kph",
    "lap_end_session_s",
    "is_in_lap",
    "is_out_lap",
    "is_green",
    "is_deleted",
    "is_clean",
    "known_at",
)


@dataclass(frozen=True)
class SessionLaps:
    """The laps of one session.

    Attributes:
        rows: One row per car and lap, by driver and lap: :data:`COLUMNS`. ``gap_s`` is the gap to the leader at the end of
            the lap [s] (races and sprints; null elsewhere), ``label`` short and unique in the session.
        drivers: ``driver_id, label, driver_name, constructor_id, constructor_name`` in the order of the session: by the
            last position in a race or sprint (more laps first), by the best lap elsewhere.
        is_race: Whether it is a race or sprint.
        pace: What the lap model says; None for other sessions and where too few laps are dry and green.
        notes: What is odd about the numbering of laps, in words.
    """

    rows: pl.DataFrame
    drivers: pl.DataFrame
    is_race: bool
    pace: RacePace | None
    notes: tuple[str, ...]


def session_laps(reader: Reader, event_id: str, session: str, origin: str) -> SessionLaps:
    """Reads a session.

    Args:
        reader: The warehouse.
        event_id: The event.
        session: Which of its sessions.
        origin: ``laps`` or ``session_laps``, as in :func:`warehouse.queries.laps.lap_sessions`.
    """
    is_race = SessionKind(session) in RACES
    raw = (race_laps if origin == "laps" else loaded_laps)(reader, event_id, session)
    rows = _common(raw, is_race=is_race)
    pace = None
    if is_race and rows.height:
        pace = fit_race(green_laps(_for_model(raw)))
    shown = rows.select(COLUMNS).sort("driver_id", "car_number", "lap")
    return SessionLaps(shown, _order(shown, is_race=is_race), is_race, pace, _notes(raw))


def gaps_to(rows: pl.DataFrame, driver_id: str | None) -> pl.DataFrame:
    """Rows with ``gap_s`` against a driver instead of the leader: above zero is behind him.

    Args:
        rows: :attr:`SessionLaps.rows`.
        driver_id: The driver; None leaves the gap to the leader.

    Returns:
        The rows; laps the driver did not finish have no gap.
    """
    if driver_id is None:
        return rows
    own = rows.filter(pl.col("driver_id") == driver_id).select(
        "lap", pl.col("lap_end_session_s").alias("own_s")
    )
    own = own.unique("lap", keep="first", maintain_order=True)
    return (
        rows.join(own, on="lap", how="left", maintain_order="left")
        .with_columns(gap_s=pl.col("lap_end_session_s") - pl.col("own_s"))
        .drop("own_s")
    )


def fuel_corrected(rows: pl.DataFrame, pace: RacePace, last_lap: int) -> pl.DataFrame:
    """Rows with ``lap_time_s`` as it would have been in the middle of the race.

    What the race's own fit gives to the share of the race that is done (fuel burnt, track gripping up) is taken out; tyres,
    traffic and the driver stay in.

    Args:
        rows: Rows of :attr:`SessionLaps.rows` of a race or sprint.
        pace: Its fit.
        last_lap: Of the race.
    """
    share = (pl.col("lap") - 1) / max(last_lap, 1)
    factor = (-evolution_pct(pace) / 100.0 * (share - 0.5)).exp()
    return rows.with_columns(lap_time_s=pl.col("lap_time_s") * factor)


def evolution_pct(pace: RacePace) -> float:
    """What the share of the race that is done is worth from the first lap to the last [% of the median lap]."""
    return float(pace.effects.filter(pl.col("effect") == "evolution")["value_pct"][0])


def stint_table(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per driver and stint, by driver and stint.

    Returns:
        ``driver_id, label, stint, compound`` (of most laps), ``first_lap, last_lap, count_laps, tyre_age_laps`` (on the
        first lap), ``count_clean``, ``best_s``, ``median_s`` (of clean laps) and ``trend_s_per_lap`` (least squares over
        clean laps, null with fewer than :data:`STINT_LAPS`; below zero the laps got faster: fuel burns off, tyres wear).
    """
    clean = pl.col("is_clean")
    time, lap = pl.col("lap_time_s").filter(clean), pl.col("lap").filter(clean).cast(pl.Float64)
    return (
        rows.drop_nulls("stint")
        .group_by("driver_id", "label", "stint")
        .agg(
            compound=pl.col("compound").mode(maintain_order=True).first(),
            first_lap=pl.col("lap").min(),
            last_lap=pl.col("lap").max(),
            count_laps=pl.len(),
            tyre_age_laps=pl.col("tyre_age_laps").sort_by("lap").first(),
            count_clean=clean.sum(),
            best_s=pl.col("lap_time_s").filter(~pl.col("is_deleted")).min(),
            median_s=time.median(),
            trend_s_per_lap=pl.when((clean.sum() >= STINT_LAPS) & (lap.var() > 0)).then(
                pl.cov(lap, time) / lap.var()
            ),
        )
        .sort("driver_id", "stint")
    )


def best_sectors(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per driver with a timed lap: the best lap, the best of each sector and what they would add up to.

    Returns:
        ``driver_id, label, driver_name, best_lap, best_s, sector_1_s, sector_2_s, sector_3_s`` (the driver's best of each),
        ``ideal_s`` (their sum, null where one is missing), ``speed_trap_kph`` (highest), ``gap_s`` (best lap to the best of
        all), by best lap. Deleted laps count for nothing.
    """
    fine = rows.filter(~pl.col("is_deleted") & pl.col("lap_time_s").is_not_null())
    return (
        fine.sort("lap_time_s", "lap")
        .group_by("driver_id", "label", "driver_name", maintain_order=True)
        .agg(
            best_lap=pl.col("lap").first(),
            best_s=pl.col("lap_time_s").first(),
            sector_1_s=pl.col("sector_1_s").min(),
            sector_2_s=pl.col("sector_2_s").min(),
            sector_3_s=pl.col("sector_3_s").min(),
            speed_trap_kph=pl.col("speed_trap_kph").max(),
        )
        .with_columns(
            ideal_s=pl.col("sector_1_s") + pl.col("sector_2_s") + pl.col("sector_3_s"),
            gap_s=pl.col("best_s") - pl.col("best_s").min(),
        )
        .sort("best_s", "driver_id")
    )


def pace_table(found: SessionLaps) -> pl.DataFrame:
    """Race pace by driver, fastest first; empty without a fit.

    Returns:
        ``driver_id, label, driver_name, constructor_name, pace_s`` (against the middle driver [s per lap], below zero is
        faster), ``low_s, high_s`` (80 % interval), ``count_laps``. Fuel, tyres and traffic are taken out.
    """
    if found.pace is None:
        return pl.DataFrame()
    lap_s = found.pace.lap_s / 100.0
    half = 1.2816 * pl.col("standard_error_pct")
    return (
        found.pace.drivers.join(found.drivers, on="driver_id", how="inner")
        .select(
            "driver_id",
            "label",
            "driver_name",
            "constructor_name",
            pace_s=pl.col("race_pace_pct") * lap_s,
            low_s=(pl.col("race_pace_pct") - half) * lap_s,
            high_s=(pl.col("race_pace_pct") + half) * lap_s,
            count_laps=pl.col("count_laps"),
        )
        .sort("pace_s", "driver_id")
    )


def pace_effects(pace: RacePace) -> pl.DataFrame:
    """What the parts of a lap are worth in a race.

    Returns:
        ``effect`` (in words), ``value_s`` [s per lap; evolution: from the first lap to the last; wear: per lap on the set;
        compounds: against their mean; traffic: per lap behind a car so close], ``standard_error_s, count_laps``.
    """
    gaps = {"gap_below_1s": "below 1 s", "gap_1_to_2s": "1 to 2 s", "gap_2_to_3s": "2 to 3 s"}
    words = {
        "evolution": lambda name: "Fuel and track, over the race",
        "compound": lambda name: f"Compound: {name}",
        "wear": lambda name: f"Wear per lap: {name}",
        "dirty_air": lambda name: f"Car ahead: {gaps[name]}",
    }
    scale = pace.lap_s / 100.0
    return pl.DataFrame(
        {
            "effect": [words[kind](name) for kind, name in pace.effects.select("effect", "name").iter_rows()],
            "value_s": pace.effects["value_pct"] * scale,
            "standard_error_s": pace.effects["standard_error_pct"] * scale,
            "count_laps": pace.effects["count_laps"],
        }
    )


def _common(raw: pl.DataFrame, *, is_race: bool) -> pl.DataFrame:
    rows = raw.rename({"lap_number": "lap", "tyre_life_laps": "tyre_age_laps"}).with_columns(
        driver_id=pl.coalesce("driver_id", pl.concat_str(pl.lit("car-"), "car_number")),
        driver_name=pl.coalesce("driver_name", "driver_code", pl.concat_str(pl.lit("Car "), "car_number")),
        constructor_name=pl.col("constructor_name").fill_null("unknown"),
        is_deleted=pl.col("is_deleted").fill_null(False),
    )
    rows = rows.with_columns(label=_label(rows))
    usable = (
        (pl.col("lap_time_s") > 0)
        & pl.col("is_green")
        & ~pl.any_horizontal("is_in_lap", "is_out_lap", "is_deleted", "is_generated")
    )
    if is_race:
        usable &= pl.col("lap") > 1
    times = rows.filter(usable)["lap_time_s"]
    reference = times.median() if is_race else times.min()
    limit = (reference or 0.0) * (1 + LIMIT_PCT / 100)  # type: ignore[operator]
    rows = rows.with_columns(is_clean=(usable & (pl.col("lap_time_s") <= limit)).fill_null(False))
    gap = pl.col("lap_end_session_s") - pl.col("lap_end_session_s").min().over("lap")
    return rows.with_columns(gap_s=gap if is_race else pl.lit(None, dtype=pl.Float64))


def _label(rows: pl.DataFrame) -> pl.Expr:
    """Last names; the whole name where two drivers share one."""
    people = rows.select("driver_id", "last_name").unique()
    shared = people.filter(pl.col("last_name").is_duplicated())["driver_id"].to_list()
    return (
        pl.when(pl.col("driver_id").is_in(shared) | pl.col("last_name").is_null())
        .then("driver_name")
        .otherwise("last_name")
    )


def _for_model(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows in the columns of the lap model; a loaded session tells neutralised laps by its codes alone."""
    if "is_safety_car" not in raw.columns:
        codes = pl.col("track_status_codes").fill_null("")
        raw = raw.with_columns(
            is_safety_car=codes.str.contains("4"),
            is_virtual_safety_car=codes.str.contains("[67]"),
            is_red_flag=codes.str.contains("5"),
            is_after_result=pl.lit(False),
        )
    return raw.filter(pl.col("driver_id").is_not_null()).select(LAP_COLUMNS)


def _order(rows: pl.DataFrame, *, is_race: bool) -> pl.DataFrame:
    last = rows.sort("lap").group_by("driver_id", maintain_order=True).last()
    if is_race:
        last = last.sort("lap", "position", "driver_id", descending=[True, False, False], nulls_last=True)
    else:
        best = rows.filter(~pl.col("is_deleted")).group_by("driver_id").agg(best_s=pl.col("lap_time_s").min())
        last = last.join(best, on="driver_id", how="left").sort("best_s", "driver_id", nulls_last=True)
    return last.select("driver_id", "label", "driver_name", "constructor_id", "constructor_name")


def _notes(raw: pl.DataFrame) -> tuple[str, ...]:
    if "lap_number_note" not in raw.columns:
        return ()
    found = set(raw["lap_number_note"])
    words = {
        "too_low": "The feed lost laps, not the same number for every car: gaps by lap are not exact here.",
        "offset_after_restart": "After the restart laps count one less than the official ones.",
        "corrected": "A known slip in the feed's numbering of laps was mended.",
    }
    return tuple(text for name, text in words.items() if name in found)
