"""What every car really did in a race: its stints as a plan for the simulator.

A stop is a change of stint in the feed. Some races count stints a lap or two beside the stop; then the in-lap is believed. A
visit to the pits without other tyres (a penalty, a wing) is a stop that goes on with the same set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from f1core.simulator.parameters import TrackStatus
from f1core.simulator.plan import Plan, Stop
from f1core.simulator.rules import COMPOUNDS, DRY_COMPOUNDS
from warehouse.vocab import Compound

NEAR_LAPS = 2
"""A change of stint this close to an in-lap belongs to it [laps]."""
MOST_USED_LAPS = 30
"""Sets older than this when they are fitted are a slip of the feed [laps]."""


MOST_LAPS = 80
"""No set lasts longer [laps]."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class RealPlans:
    """The plans of a race.

    Attributes:
        plans: Plan by driver.
        notes: What was mended or is missing, in plain words.
    """

    plans: dict[str, Plan]
    notes: tuple[str, ...]


def lap_shift(laps: pl.DataFrame, official_laps: int) -> int:
    """Laps by which the feed's count lags behind the official one; 0 where it is exact.

    Args:
        laps: Race laps of the event.
        official_laps: Laps of the winner by the official result.
    """
    if laps.is_empty() or laps["lap_number_note"].is_in(["exact", "corrected"]).all():
        return 0
    driven = laps.filter(~pl.col("is_after_result"))
    return max(official_laps - int(driven["lap_number"].max() or 0), 0)  # type: ignore[arg-type]


def real_plans(
    laps: pl.DataFrame,
    distances: Mapping[str, int],
    *,
    race_laps: int,
    nominations: Mapping[str, str],
    red_flags: Sequence[tuple[int, int, int]] = (),
    statuses: Sequence[int] = (),
) -> RealPlans:
    """Reads the plan of every car from its laps.

    Args:
        laps: Race laps of the event (``warehouse.queries.strategy_setup.race_laps``), any order.
        distances: Laps completed by driver, for every starter.
        race_laps: Laps of the winner.
        nominations: Side-wall name by compound name, for the seven names of 2018.
        red_flags: Lap at whose end the race was stopped, and the first and last lap that belong to it.
        statuses: ``TrackStatus`` of each lap of the leader.
    """
    shift, notes = lap_shift(laps, race_laps), []
    if shift:
        notes.append(
            f"The feed lost {shift} lap{'s' if shift > 1 else ''}: its laps are counted on by as many."
        )
    # Laps without a stint belong to the next one that is told: the feed is late with it, behind a safety car above all.
    stint = pl.col("stint").backward_fill().forward_fill().over("driver_id").fill_null(1)
    life = pl.col("tyre_life_laps") - pl.col("lap_number")
    rows = (
        laps.filter(~pl.col("is_after_result"))
        .sort("driver_id", "lap_number")
        .with_columns(stint=stint)
        .with_columns(
            tyre_life_laps=pl.coalesce(
                "tyre_life_laps",
                (life.backward_fill().over("driver_id", "stint") + pl.col("lap_number")).clip(1),
            )
        )
    )
    plans: dict[str, Plan] = {}
    guessed: list[str] = []
    for (driver,), own in rows.group_by(["driver_id"], maintain_order=True):
        if driver in distances:
            plan, is_guessed = _plan(
                own, shift, distances[str(driver)], race_laps, nominations, red_flags, statuses
            )
            plans[str(driver)] = plan
            if is_guessed:
                guessed.append(str(driver))
    if guessed:
        notes.append(
            f"The feed does not say the compound of every set; taken as likely: {', '.join(guessed)}."
        )
    missing = sorted(set(distances) - set(plans))
    if missing:
        usual = usual_plan(plans.values(), race_laps)
        plans.update(dict.fromkeys(missing, usual))
        late = [driver for driver in missing if distances[driver] > 2]
        if late:
            notes.append(f"The feed has no laps of {', '.join(late)}; they get the field's usual plan.")
    return RealPlans(plans, tuple(notes))


def usual_plan(plans: Sequence[Plan] | Any, race_laps: int) -> Plan:
    """The plan most cars had: the most common compounds in order, each stop on the median lap."""
    known = [plan for plan in plans if plan.stops] or list(plans)
    if not known:
        return Plan("MEDIUM", (Stop(max(race_laps // 2, 1), "HARD"),))
    counted = Counter(plan.compounds for plan in known)
    most = min(counted, key=lambda compounds: (-counted[compounds], compounds))
    same = [plan for plan in known if plan.compounds == most]
    laps = [sorted(plan.stops[k].lap for plan in same)[len(same) // 2] for k in range(len(most) - 1)]
    stops: list[Stop] = []
    for lap, compound in zip(laps, most[1:], strict=True):
        at = max(lap, stops[-1].lap + 1 if stops else 1)
        if at < race_laps:
            stops.append(Stop(at, compound))
    return Plan(most[0], tuple(stops))


@dataclass
class _Change:
    lap: int
    compound: str
    used: int


def _plan(
    own: pl.DataFrame,
    shift: int,
    distance: int,
    race_laps: int,
    nominations: Mapping[str, str],
    red_flags: Sequence[tuple[int, int, int]],
    statuses: Sequence[int],
) -> tuple[Plan, bool]:
    rows = own.to_dicts()
    compounds, is_guessed = _stint_compounds(rows, nominations)
    by_lap = {row["lap_number"]: row for row in rows}
    first_of = {row["stint"]: row for row in reversed(rows)}
    in_laps = {row["lap_number"] for row in rows if row["is_in_lap"]}
    changed = {a["lap_number"]: b["stint"] for a, b in pairwise(rows) if b["stint"] != a["stint"]}
    at_in_lap = _beside_in_laps(changed, in_laps)
    changes: list[_Change] = []
    for lap, stint in changed.items():
        last, after = by_lap[lap], first_of[stint]
        is_red = any(one[1] <= at_in_lap[lap] + shift <= one[2] for one in red_flags)
        if _is_procession(last, after, compounds) and not is_red:
            continue
        used = _used(after, last, compounds)
        changes.append(_Change(_met(at_in_lap[lap], by_lap, statuses, shift), compounds[stint], used))
    for lap in in_laps - set(at_in_lap.values()):
        row = by_lap[lap]
        # On the last lap of the car it is no visit: it gave up there, or took the flag and came in.
        if lap + shift < distance and not row["is_safety_car"]:
            used = min(row["tyre_life_laps"] or lap, MOST_LAPS)
            changes.append(_Change(lap, compounds[row["stint"]], used))
    stops: dict[int, _Change] = {}
    for change in sorted(changes, key=lambda one: one.lap):
        change.lap += shift
        for at, first, last_lap in red_flags:
            if first <= change.lap <= last_lap:
                change.lap = at
        # Who is in the pits at his end, or after the flag, makes no stop.
        if 1 <= change.lap < min(race_laps, distance + 1):
            stops[change.lap] = change
    start = rows[0]
    start_used = _used(start, None, compounds) if start["lap_number"] == 1 else 0
    listed = sorted(stops.values(), key=lambda one: one.lap)
    return (
        Plan(
            compounds[start["stint"]],
            tuple(Stop(one.lap, one.compound, one.used) for one in listed),
            start_used,
        ),
        is_guessed,
    )


def _beside_in_laps(changed: Mapping[int, int], in_laps: set[int]) -> dict[int, int]:
    """In-lap of each change of stint: the lap itself, else one close by that has no change of its own."""
    found = {lap: lap for lap in changed if lap in in_laps}
    for lap in changed:
        if lap not in found:
            near = [at for at in sorted(in_laps - set(found.values())) if abs(at - lap) <= NEAR_LAPS]
            found[lap] = min(near, key=lambda at: (abs(at - lap), at)) if near else lap
    return found


def _is_procession(last: Row, after: Row, compounds: Mapping[int, str]) -> bool:
    """Whether the field was led through the pits behind the safety car: the same set goes on."""
    lives = last["tyre_life_laps"], after["tyre_life_laps"]
    return bool(
        last["is_safety_car"]
        and None not in lives
        and int(lives[1]) == int(lives[0]) + 1
        and compounds[last["stint"]] == compounds[after["stint"]]
    )


def _met(lap: int, by_lap: Mapping[int, Row], statuses: Sequence[int], shift: int) -> int:
    """The lap of a stop by the leader's count: a lapped car meets the safety car on an earlier lap of its own."""
    row = by_lap.get(lap)
    if row is None:
        return lap
    wanted = (
        TrackStatus.SAFETY_CAR
        if row["is_safety_car"]
        else TrackStatus.VIRTUAL_SAFETY_CAR
        if row["is_virtual_safety_car"]
        else TrackStatus.GREEN
    )
    for by in (0, 1, -1, 2, 3) if wanted else (0, 1, -1):
        at = lap + by + shift
        if 1 <= at <= len(statuses) and statuses[at - 1] == wanted:
            return lap + by
    return lap


def _used(
    first: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    compounds: Mapping[int, str],
) -> int:
    """Laps the set had when it was fitted.

    A life that runs on is that of the same set after a visit (a penalty, a wing, a red flag): on sets of ten laps or more
    cars gained nothing by such visits in 2018-2023, by others 0.9 s a lap. With another compound it is a slip of the feed.
    """
    life = first["tyre_life_laps"]
    if life is None:
        return 0
    used = max(int(life) - 1, 0)
    if previous is not None and previous["tyre_life_laps"] is not None:
        runs_on = int(life) == int(previous["tyre_life_laps"]) + 1
        is_same = compounds[first["stint"]] == compounds[previous["stint"]]
        if runs_on:
            return min(used, MOST_LAPS) if is_same else 0
    return used if used <= MOST_USED_LAPS else 0


def _stint_compounds(rows: Sequence[Row], nominations: Mapping[str, str]) -> tuple[dict[int, str], bool]:
    """Compound of each stint in the engine's words, and whether one had to be guessed."""
    seen: dict[int, Counter[str]] = {}
    for row in rows:
        counted = seen.setdefault(row["stint"], Counter())
        word = _word(row, nominations)
        # A compound that is told on one lap outweighs any number of laps that do not tell.
        counted[word] += 1000 if word in COMPOUNDS else 1
    found = {stint: min(counted, key=lambda c: (-counted[c], c)) for stint, counted in seen.items()}
    unknown = [stint for stint, name in found.items() if name not in COMPOUNDS]
    for stint in unknown:
        used = [name for name in found.values() if name in COMPOUNDS]
        # A dry race needs two compounds: one that the car has not used is the likeliest.
        fresh = [name for name in ("MEDIUM", "HARD", "SOFT") if name not in used]
        found[stint] = fresh[0] if fresh else DRY_COMPOUNDS[1]
    return found, bool(unknown)


def _word(row: Row, nominations: Mapping[str, str]) -> str:
    compound = str(row["compound"])
    if compound in (Compound.INTERMEDIATE, Compound.WET):
        return compound.upper()
    # In 2018 the side wall had seven names; the nomination says which was the hardest of the weekend.
    named = nominations.get(str(row["compound_name"])) or nominations.get(compound) or compound
    return named.upper()
