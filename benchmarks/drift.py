"""Monitoring measured on real facts: ``python benchmarks/drift.py DATA_FOLDER [--no-training]``.

Prints how often the past would have alarmed, what planted drift is found, the present drift, how often the rule of a
challenge refuses an equal model, and (in a copy of the folder) how long a retraining takes after one new race. Run
``python -m jobs backtest --from 2022`` first for the long history of calibration. The folder itself is only read.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from f1core.calibration_drift import RaceCalibration, calibration_drift
from f1core.challenge import METRICS, Decision, judge
from f1core.clock import Clock
from f1core.drift import MEASURED_STAGE, measure_drift, past_features, scored_races
from f1core.feature_drift import WINDOW, alarms, matrix, present_drift, windows
from f1core.features.registry import feature_names
from f1core.retraining import challenge_words, retrain
from f1core.settings import load_settings
from f1core.targets import PRODUCTION_MODEL
from f1core.workspace import Workspace
from models.metrics import CALIBRATION_BINS
from warehouse.queries.accuracy import backtest_scores
from warehouse.store import Store, season_digests
from warehouse.tables import FACT_TABLES, TABLES
from warehouse.vocab import Stage

NEW_KINDS = ("circuit", "sprint", "is_sprint")
"""Features that alarm where the calendar really changed: new circuits, new kinds of weekends."""
DRAWS = 400


def workspace(data: Path) -> Workspace:
    return Workspace(load_settings(data=data), Clock.system())


def episodes(flags: list[bool]) -> int:
    return sum(now and not before for before, now in zip([False, *flags], flags, strict=False))


def history_of_alarms(features: pl.DataFrame) -> None:
    found = alarms(windows(features, feature_names(MEASURED_STAGE)))
    flags = [bool(names) for names in found.values()]
    other = [any(not name.startswith(NEW_KINDS) for name in names) for names in found.values()]
    print(
        f"Features: {len(found)} windows of {WINDOW} races, {next(iter(found))} to {list(found)[-1]}, each with what was known then: "
        f"{sum(flags)} alarm ({np.mean(flags):.1%}) in {episodes(flags)} episodes; in {sum(other)} ({np.mean(other):.1%}) "
        "a feature alarms that is neither of circuits nor of sprints:"
    )
    last: list[str] = []
    for event, names in found.items():
        if names and names != last:
            print(f"  {event}: {', '.join(names)}")
        last = names


def planted(features: pl.DataFrame) -> None:
    names = feature_names(MEASURED_STAGE)
    events = features["event_id"].unique(maintain_order=True).to_list()
    inside = features["event_id"].is_in(events[-WINDOW:]).to_numpy()
    values = matrix(features, names)
    scatter = np.nanstd(values[~inside], axis=0)
    rng = np.random.default_rng(1)
    plants = {
        "as it is": lambda x: x,
        "half a standard deviation more": lambda x: x + 0.5 * scatter,
        "one more": lambda x: x + scatter,
        "two more": lambda x: x + 2 * scatter,
        "times 1000": lambda x: x * 1000,
        "sign turned": lambda x: -x,
        "all zero": lambda x: x * 0,
        "half missing": lambda x: np.where(rng.random(x.shape) < 0.5, np.nan, x),
        "all missing": lambda x: x * np.nan,
    }
    print(
        f"Planted in the last {WINDOW} races, in every feature at once; share of {len(names)} features found:"
    )
    for words, plant in plants.items():
        changed = values.copy()
        changed[inside] = plant(values[inside])
        frame = pl.DataFrame(changed, schema=names).with_columns(features["event_id"], features["season"])
        share = present_drift(frame, windows(frame, names))["is_drifting"].mean()
        print(f"  {words:<32}{share:.0%}")


def history_of_calibration(work: Workspace) -> None:
    for stage in (Stage.PRE_QUALIFYING, Stage.PRE_RACE):
        rows = calibration_drift(scored_races(work, stage, work.labels))
        for (measure,), mine in rows.group_by(["measure"], maintain_order=True):
            flags = mine["is_drifting"].to_list()
            hit = mine.filter("is_drifting")["event_id"].to_list()
            print(
                f"Calibration {stage.value} {measure}: {len(flags)} windows, {sum(flags)} alarm ({np.mean(flags):.1%}) in "
                f"{episodes(flags)} episodes{': ' + hit[0] + ' to ' + hit[-1] if hit else ''}"
            )


def honest_forecasts() -> None:
    """Invented races whose forecasts say what is true: every alarm is a false one."""
    truth = 1 / (1 + np.exp(-np.linspace(1.5, -1.5, 20)))
    place = (truth * CALIBRATION_BINS).astype(int)
    shares: dict[str, list[float]] = {}
    for seed in range(25):
        rng = np.random.default_rng(seed)
        races = []
        for number in range(80):
            weights = (None, truth, (rng.random(20) < truth).astype(float))
            bins = [np.bincount(place, weights=w, minlength=CALIBRATION_BINS) for w in weights]
            races.append(
                RaceCalibration(
                    f"race-{number:02d}", "backtest", rng.exponential(1.2), np.array(bins, dtype=float)
                )
            )
        for (measure,), rows in calibration_drift(races).group_by(["measure"]):
            shares.setdefault(str(measure), []).append(float(rows["is_drifting"].to_numpy().mean()))
    words = ", ".join(f"{measure} {np.mean(found):.1%}" for measure, found in sorted(shares.items()))
    print(f"Calibration of honest forecasts, 25 invented seasons of 80 races: windows that alarm: {words}")


def present(work: Workspace) -> None:
    found = measure_drift(work)
    rows = found.features.with_columns(level=pl.col("psi") / pl.col("threshold")).sort(
        "level", descending=True
    )
    first = rows.row(0, named=True)
    print(
        f"Now ({first['from_event_id']} to {first['event_id']}): {len(found.drifting_features)} of {rows.height} "
        f"features drift; nearest: "
        + ", ".join(f"{r['feature']} {r['psi']:.2f} of {r['threshold']:.2f}" for r in rows.head(3).to_dicts())
    )
    print(f"Calibration that drifts now: {found.drifting_calibration or 'none'}")


def equal_challengers(work: Workspace) -> None:
    """Differences between our model and the grid with their signs drawn anew: equal on average, as noisy as life."""
    scores = backtest_scores(work.reader, stage="pre_race")
    ours = scores.filter(pl.col("model") == PRODUCTION_MODEL).select("event_id", *METRICS)
    both = ours.join(scores.filter(pl.col("model") == "grid").select("event_id", *METRICS), on="event_id")
    rng = np.random.default_rng(2)
    for count in (24, both.height):
        refused = 0
        for _ in range(DRAWS):
            drawn = both.sample(count, with_replacement=count == both.height, seed=int(rng.integers(1 << 30)))
            sign = pl.Series(rng.choice([-1.0, 1.0], count))
            pairs = drawn.with_columns(kind=pl.lit("backtest")).select(
                "event_id",
                "kind",
                *(pl.col(metric).alias(f"champion_{metric}") for metric in METRICS),
                *(
                    (pl.col(metric) + sign * (pl.col(f"{metric}_right") - pl.col(metric))).alias(
                        f"challenger_{metric}"
                    )
                    for metric in METRICS
                ),
            )
            refused += judge(pairs).decision is Decision.WORSE
        print(f"An equal challenger over {count} races is refused in {refused / DRAWS:.1%} of {DRAWS} draws.")


@contextmanager
def copied(data: Path) -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(data, Path(folder) / "data")
        yield workspace(Path(folder) / "data")


def put(work: Workspace, tables: dict[str, pl.DataFrame], season: int) -> None:
    """Makes the season's facts these, as an ingest would."""
    with work.writing("benchmark") as store:
        digests = {name: dict(years) for name, years in store.notes["digests"].items()}
        for name, rows in tables.items():
            table = rows.to_arrow().cast(TABLES[name].schema)
            store.replace(name, table, seasons=[season] if TABLES[name].partitioned else None)
            own = season_digests(table).get(season)
            digests.get(name, {}).pop(str(season), None)
            if own is not None:
                digests.setdefault(name, {})[str(season)] = own
        store.publish(now=work.clock.now(), notes={"digests": digests})


def retraining(data: Path) -> None:
    """Takes the last race away, trains, brings it back, and trains again: what a race's end costs."""
    with copied(data) as work:
        labels = work.labels.sort("known_at")
        event, season = str(labels["event_id"][-1]), int(labels["season"][-1])
        known = labels["known_at"][-1]
        whole = {}
        for table in (*FACT_TABLES, TABLES["ratings"]):
            if {"known_at", "season"} <= set(table.column_names) and table.partitioned:
                rows = pl.DataFrame(pl.from_arrow(Store(work.settings.warehouse_root).read(table.name)))
                whole[table.name] = rows.filter(pl.col("season") == season)
        put(work, {name: rows.filter(pl.col("known_at") < known) for name, rows in whole.items()}, season)
        shutil.rmtree(work.settings.models_root)
        began = time.perf_counter()
        first = retrain(work.again())
        print(f"First training, before {event}: {time.perf_counter() - began:.1f} s")
        assert all(report.decision is Decision.FIRST for report in first)
        put(work, whole, season)
        began = time.perf_counter()
        reports = retrain(work.again())
        print(
            f"Retraining after {event}, {work.settings.workers} workers: {time.perf_counter() - began:.1f} s"
        )
        for report in reports:
            print(f"  {challenge_words(report)}")
        began = time.perf_counter()
        retrain(work.again())
        print(f"Once more, nothing new: {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        measure_drift(work.again())
        print(f"Measuring drift: {time.perf_counter() - began:.1f} s")


def main(data: Path, *, with_training: bool) -> None:
    with copied(data) as work:
        features = past_features(work, work.labels)
        history_of_alarms(features)
        planted(features)
        history_of_calibration(work)
        honest_forecasts()
        present(work)
        equal_challengers(work)
    if with_training:
        retraining(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), with_training="--no-training" not in sys.argv[2:])
