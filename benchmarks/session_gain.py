"""What the features of a weekend's sessions add to the forecasts of the history's features, where sessions are recorded.

    python benchmarks/session_gain.py [DATA FOLDER] [ARCHIVE]

For every event of the archive whose practice, sprint or qualifying laps are recorded, the walk-forward forecast of the model
in production is taken from the backtest (or, where that has none, made as of that time: some minutes for a dozen events).
What it misses of the finishing position is then predicted by a ridge regression on a few session features, fitted on all the
*other* events: that lends the features the future too, so the gain is, if anything, flattered. Features, penalty and metrics
were set before the first run.

Paired differences with a 95 % bootstrap interval over events. The data folder (default: data) is copied, not changed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from f1core.clock import Clock
from f1core.predict import Predictor
from f1core.settings import REPOSITORY, load_settings
from f1core.sources.archive import find_archive
from f1core.sources.timing import SessionRef, event_names, fetch_session, recorded_sessions
from f1core.targets import PRODUCTION_MODEL
from f1core.weekend_features import weekend_features
from f1core.workspace import Workspace
from warehouse.vocab import SessionKind, Stage

Floats = NDArray[np.float64]

FEATURES = {
    Stage.PRE_QUALIFYING: ("long_run_gap_pct", "short_run_gap_pct", "theoretical_gap_pct"),
    Stage.PRE_RACE: (
        "long_run_gap_pct",
        "short_run_gap_pct",
        "theoretical_gap_pct",
        "qualifying_theoretical_gap_pct",
    ),
}
PENALTY = 20.0
"""On standardised features: with residuals of four places it expects coefficients of about one place."""
RESAMPLES, SEED = 10_000, 1
BACKTEST = "backtest"


@dataclass(frozen=True)
class Case:
    """One event: what was forecast, what the sessions showed, what happened.

    Attributes:
        sessions: Sessions the features stand on.
        point: Raw point forecast of each starter's position (median).
        mean: Expected position, by which starters are ordered.
        actual: Position in the result, retirements last.
        shown: Session features, a column each, centred on the field; 0 where missing.
        known: Share of the features' values that were there before.
    """

    event_id: str
    sessions: tuple[str, ...]
    point: Floats
    mean: Floats
    actual: Floats
    shown: Floats
    known: float


def forecast_rows(work: Workspace, event_id: str, stage: Stage) -> tuple[pl.DataFrame, str]:
    rows = work.reader.query(
        "select driver_id, median_position, expected_position from backtest_prediction_entries "
        "where event_id = $event_id and stage = $stage and model = $model and target = 'race'",
        {"event_id": event_id, "stage": stage.value, "model": PRODUCTION_MODEL},
    )
    if rows.height:
        return rows, BACKTEST
    made = Predictor(work).forecast(event_id, stage).entries.filter(pl.col("model") == PRODUCTION_MODEL)
    return made.select("driver_id", "median_position", "expected_position"), "as of that time"


def case(work: Workspace, event_id: str, stage: Stage, bundles: list) -> tuple[Case, str] | None:
    shown = weekend_features(work, event_id, bundles, stage=stage)
    names = FEATURES[stage]
    values = shown.frame.select("driver_id", *names)
    if values.select(pl.all_horizontal(pl.col(name).is_null().all() for name in names)).item():
        return None
    forecast, origin = forecast_rows(work, event_id, stage)
    actual = work.labels.filter(pl.col("event_id") == event_id).select("driver_id", "position")
    rows = forecast.join(actual, on="driver_id").join(values, on="driver_id", how="left").sort("driver_id")
    matrix = rows.select(names).to_numpy().astype(np.float64)
    known = float(np.mean(~np.isnan(matrix)))
    with np.errstate(invalid="ignore"):
        centre = np.array(
            [column[~np.isnan(column)].mean() if (~np.isnan(column)).any() else 0.0 for column in matrix.T]
        )
    return Case(
        event_id,
        tuple(kind.value for kind in shown.sessions),
        rows["median_position"].to_numpy(),
        rows["expected_position"].to_numpy(),
        rows["position"].to_numpy().astype(np.float64),
        np.nan_to_num(matrix - centre),
        known,
    ), origin


def ridge(cases: list[Case]) -> Floats:
    """Coefficients [places per unit of a feature] of what the forecasts miss."""
    shown = np.concatenate([one.shown for one in cases])
    missed = np.concatenate([one.actual - one.point for one in cases])
    scale = shown.std(axis=0)
    scale[scale == 0] = 1.0
    standard = shown / scale
    found = np.linalg.solve(standard.T @ standard + PENALTY * np.eye(standard.shape[1]), standard.T @ missed)
    return np.asarray(found / scale)


def ranks(values: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values))
    found[order] = np.arange(1, len(values) + 1)
    return found


def spearman(left: Floats, right: Floats) -> float:
    return float(np.corrcoef(ranks(left), ranks(right))[0, 1])


METRICS: dict[str, Callable[[Floats, Floats, Floats], float]] = {
    "MAE raw": lambda point, _, actual: float(np.abs(point - actual).mean()),
    "MAE ranked": lambda _, mean, actual: float(np.abs(ranks(mean) - ranks(actual)).mean()),
    "Spearman": lambda _, mean, actual: spearman(mean, actual),
}


def interval(differences: Floats) -> tuple[float, float]:
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def report(stage: Stage, cases: list[Case]) -> None:
    print(f"  n = {len(cases)} events, {sum(len(one.actual) for one in cases)} starters")
    corrections = [one.shown @ ridge([other for other in cases if other is not one]) for one in cases]
    for one, correction in zip(cases, corrections, strict=True):
        before, after = (
            METRICS["MAE raw"](one.point + by, one.mean + by, one.actual)
            for by in (0 * correction, correction)
        )
        print(
            f"  {one.event_id:20s} {', '.join(one.sessions):48s} values there {one.known:4.0%}   "
            f"MAE raw {before:.3f} -> {after:.3f}"
        )
    print(f"  {'metric':12s} {'history':>9s} {'+ sessions':>11s} {'difference':>11s}   95 % interval")
    for name, metric in METRICS.items():
        before = np.array([metric(one.point, one.mean, one.actual) for one in cases])
        after = np.array(
            [
                metric(one.point + by, one.mean + by, one.actual)
                for one, by in zip(cases, corrections, strict=True)
            ]
        )
        low, high = interval(after - before)
        print(
            f"  {name:12s} {before.mean():9.3f} {after.mean():11.3f} {(after - before).mean():+11.3f}   "
            f"{low:+.3f} to {high:+.3f}{'' if low > 0 or high < 0 else '   (holds 0)'}"
        )
    all_events = zip(FEATURES[stage], ridge(cases), strict=True)
    print(
        "  places per 1 %, fitted on all: " + ", ".join(f"{name} {value:+.2f}" for name, value in all_events)
    )


def main() -> int:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "data").resolve()
    with tempfile.TemporaryDirectory(prefix="session-gain-") as scratch:
        copy = Path(shutil.copytree(data, Path(scratch) / "data"))
        given = {"archive": sys.argv[2]} if len(sys.argv) > 2 else {}
        settings = load_settings(data=copy, offline=True, **given)
        archive = find_archive(settings, beside=REPOSITORY).path
        work = Workspace(settings, Clock.system())
        names = event_names(settings, archive)
        wanted = [ref for ref in recorded_sessions(archive, names) if ref.session is not SessionKind.RACE]
        bundles: dict[str, list] = {}
        for ref in wanted:
            bundle = fetch_session(
                settings, SessionRef(ref.event_id, ref.session), archive=archive, network=False, names=names
            )
            if bundle.has("laps"):
                bundles.setdefault(ref.event_id, []).append(bundle)
        count = sum(len(found) for found in bundles.values())
        print(f"{count} recorded sessions with laps of {len(bundles)} events; model {PRODUCTION_MODEL}")
        for stage in FEATURES:
            found = [case(work, event_id, stage, of_event) for event_id, of_event in sorted(bundles.items())]
            kept = [one for one in found if one is not None]
            made = sum(origin != BACKTEST for _, origin in kept)
            print(
                f"\n{stage.value}: {len(kept) - made} forecasts from the backtest, {made} made as of that time"
            )
            report(stage, [one for one, _ in kept])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
