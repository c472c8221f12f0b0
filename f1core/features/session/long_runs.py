"""Race pace from practice: long runs, corrected for fuel and compared on the same compound of the same session."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from f1core.features.session.laps import LongRun
from f1core.features.session.registry import (
    LONG_RUN_SESSIONS,
    LONG_RUNS,
    Imputation,
    SessionFunction,
    Values,
    add,
    session_feature,
)
from f1core.features.session.view import PerDriver, WeekendView, middle
from warehouse.vocab import Compound

REFERENCE_DRIVERS = 3
"""A compound of a session needs this many drivers to be compared on it."""


def _runs(view: WeekendView) -> list[LongRun]:
    return [run for one in view.of(LONG_RUN_SESSIONS) for run in view.long_runs[one.session]]


def _weighted(runs: Iterable[LongRun], value: Callable[[LongRun], float]) -> float | None:
    """Mean over runs, each counting by its laps."""
    kept = list(runs)
    laps = sum(run.count_laps for run in kept)
    return sum(value(run) * run.count_laps for run in kept) / laps if laps else None


def _of_each(view: WeekendView, value: Callable[[LongRun], float]) -> PerDriver:
    runs = _runs(view)
    return {d: _weighted((run for run in runs if run.driver_id == d), value) for d in view.drivers}


def gap_by_driver(view: WeekendView) -> PerDriver:
    """Each driver's long-run pace against the field's median [%], on the same compound of the same session."""
    collected: dict[str, list[tuple[float, int]]] = {}
    for one in view.of(LONG_RUN_SESSIONS):
        runs = view.long_runs[one.session]
        for compound in dict.fromkeys(run.compound for run in runs):
            alike = [run for run in runs if run.compound == compound]
            drivers = sorted({run.driver_id for run in alike})
            pace = {d: _weighted((r for r in alike if r.driver_id == d), lambda r: r.pace_s) for d in drivers}
            field = middle(pace.values(), REFERENCE_DRIVERS)
            if field is None:
                continue
            for run in alike:
                collected.setdefault(run.driver_id, []).append(
                    (100 * (run.pace_s / field - 1), run.count_laps)
                )
    return view.per_driver(
        {
            driver: sum(gap * laps for gap, laps in gaps) / sum(laps for _, laps in gaps)
            for driver, gaps in collected.items()
        }
    )


@session_feature(unit="s", group=LONG_RUNS, imputation=Imputation.TEAM_MATE)
def long_run_pace_s(view: WeekendView) -> Values:
    """Long-run pace in the last session in which he has a long run: median lap with the fuel of the run's first lap.

    A lap's fuel is worth 3.27 s × lap / 90 s / race laps: the gain over a race, measured on the archive's races 2018–2026.
    """
    found: PerDriver = {driver: None for driver in view.drivers}
    for one in view.of(LONG_RUN_SESSIONS):
        for driver in view.drivers:
            own = [run for run in view.long_runs[one.session] if run.driver_id == driver]
            pace = _weighted(own, lambda run: run.pace_s)
            found[driver] = found[driver] if pace is None else pace
    return found


@session_feature(unit="%", group=LONG_RUNS, imputation=Imputation.TEAM_MATE)
def long_run_gap_pct(view: WeekendView) -> Values:
    """Fuel-corrected long-run pace against the field's median; below zero is faster.

    Compared on the same compound of the same session (of at least 3 drivers), mean over all long runs by their laps.
    """
    return gap_by_driver(view)


@session_feature(unit="%", group=LONG_RUNS)
def long_run_team_mate_gap_pct(view: WeekendView) -> Values:
    """Long-run gap minus that of the fastest team mate."""
    return view.against_team_mates(gap_by_driver(view))


@session_feature(unit="place", group=LONG_RUNS)
def long_run_rank(view: WeekendView) -> Values:
    """Place in the field by long-run gap."""
    gaps = {driver: gap for driver, gap in gap_by_driver(view).items() if gap is not None}
    ordered = sorted(gaps, key=lambda driver: (gaps[driver], driver))
    return view.per_driver({driver: float(place) for place, driver in enumerate(ordered, start=1)})


@session_feature(unit="s/lap", group=LONG_RUNS, imputation=Imputation.TEAM_MATE)
def long_run_degradation_s_per_lap(view: WeekendView) -> Values:
    """Degradation: rise of the fuel-corrected lap time per lap of a long run (Theil–Sen), mean over runs by their laps."""
    return _of_each(view, lambda run: run.slope_s_per_lap)


@session_feature(unit="s", group=LONG_RUNS, imputation=Imputation.TEAM_MATE)
def long_run_consistency_s(view: WeekendView) -> Values:
    """Scatter of the long-run laps about their line (robust standard deviation), mean over runs by their laps."""
    return _of_each(view, lambda run: run.scatter_s)


@session_feature(unit="laps", group=LONG_RUNS)
def long_run_laps(view: WeekendView) -> Values:
    """Laps of all long runs; 0 for who drove and made none."""
    return _counted(view, lambda run: float(run.count_laps))


@session_feature(unit="runs", group=LONG_RUNS)
def long_run_count(view: WeekendView) -> Values:
    """Number of long runs."""
    return _counted(view, lambda _: 1.0)


@session_feature(unit="laps", group=LONG_RUNS)
def long_run_longest_laps(view: WeekendView) -> Values:
    """Laps of the longest long run; 0 for who drove and made none."""
    runs = _runs(view)
    return {
        driver: max((float(run.count_laps) for run in runs if run.driver_id == driver), default=0.0)
        if _drove(view, driver)
        else None
        for driver in view.drivers
    }


@session_feature(unit="share", group=LONG_RUNS, imputation=Imputation.FIELD)
def long_run_traffic_share(view: WeekendView) -> Values:
    """Share of the long-run laps with another car less than 2 s ahead at the line or at the end of sector 1 or 2."""
    return _of_each(view, lambda run: run.count_traffic / run.count_laps)


def _pace_on(compound: Compound) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        runs = [run for run in _runs(view) if run.compound == compound]
        return {
            driver: _weighted((run for run in runs if run.driver_id == driver), lambda run: run.pace_s)
            for driver in view.drivers
        }

    return compute


def _slope_on(compound: Compound) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        runs = [run for run in _runs(view) if run.compound == compound]
        return middle((run.slope_s_per_lap for run in runs), REFERENCE_DRIVERS)

    return compute


for _compound in (Compound.SOFT, Compound.MEDIUM, Compound.HARD):
    add(
        f"long_run_pace_{_compound}_s",
        "s",
        LONG_RUNS,
        Imputation.NONE,
        f"Fuel-corrected long-run pace on the {_compound} compound, mean over runs by their laps.",
        _pace_on(_compound),
    )
    add(
        f"field_degradation_{_compound}_s_per_lap",
        "s/lap",
        LONG_RUNS,
        Imputation.NONE,
        f"Median degradation of all long runs of the field on the {_compound} compound, if there are at least 3.",
        _slope_on(_compound),
    )


def _drove(view: WeekendView, driver: str) -> bool:
    return any(driver in one.drivers for one in view.of(LONG_RUN_SESSIONS))


def _counted(view: WeekendView, value: Callable[[LongRun], float]) -> PerDriver:
    runs = _runs(view)
    return {
        driver: sum((value(run) for run in runs if run.driver_id == driver), 0.0)
        if _drove(view, driver)
        else None
        for driver in view.drivers
    }
