"""The health page's part on models: challenges, drift of features, drift of calibration; full and empty."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from f1core.challenge_records import ChallengeRecords, write_challenges
from f1core.drift import NEEDED
from f1core.training import trained_places
from tests.conftest import workspace_of
from tests.f1core.test_walk_forward import rows
from tests.pages.conftest import Open
from warehouse.store import Store
from warehouse.tables import TABLES

HEALTH = "pages/health.py"


def test_a_young_installation_shows_its_first_models_and_what_it_waits_for(
    visit: Open, small_data: Path
) -> None:
    seen = visit(HEALTH, small_data)
    assert {"Models: challenges", "Drift of features", "Drift of calibration"} <= set(seen.texts("subheader"))
    table = next(frame.value for frame in seen.at.dataframe if "verdict" in frame.value.columns)
    assert set(table["verdict"]) == {"Promoted: the first"}
    assert len(table) == len(trained_places())
    assert seen.says(f"it takes at least {NEEDED['feature_drift']} races")
    assert seen.says(f"it takes {NEEDED['calibration_drift']} races")
    assert seen.says("A promotion is no evidence")


def test_without_a_challenge_it_says_how_to_hold_one(visit: Open, small_copy: Path) -> None:
    shutil.rmtree(small_copy / "models" / "challenges")
    store = Store(small_copy / "warehouse")
    write_challenges(store, ChallengeRecords(small_copy / "models"))
    store.publish(now=dt.datetime.now(dt.UTC))
    assert visit(HEALTH, small_copy).says("No model was challenged yet")


def test_drift_and_a_refusal_are_said_first_and_drawn(visit: Open, small_copy: Path) -> None:
    work = workspace_of(small_copy)
    events = work.labels.sort("known_at")["event_id"].unique(maintain_order=True).to_list()
    known = dict(work.labels.select("event_id", "known_at").iter_rows())
    last = {"event_id": events[-1], "from_event_id": events[-5], "known_at": known[events[-1]]}
    features = [
        {"feature": "grid_position", "psi": 0.9, "threshold": 0.5, "is_drifting": True, **last},
        {"feature": "elo_driver", "psi": 0.1, "threshold": 0.5, "is_drifting": False, **last},
    ]
    calibration = [
        {
            "stage": stage,
            "measure": measure,
            "event_id": event,
            "known_at": known[event],
            "value": 1.0 + place,
            "low": 0.5,
            "high": 2.5,
            "is_drifting": 1.0 + place > 2.5,
            "count_sealed": place,
        }
        for stage in ("pre_race", "pre_qualifying")
        for measure in ("win_log_loss", "top_ten_error")
        for place, event in enumerate(events[-3:])
    ]
    challenge = [
        {"metric": metric, "stage": "pre_race", "is_promoted": False, "decision": "worse", "verdict": "worse"}
        for metric in ("win_log_loss", "mae_ranked", "top_ten_brier")
    ]
    store = Store(small_copy / "warehouse")
    for name, lines in (
        ("feature_drift", features),
        ("calibration_drift", calibration),
        ("model_challenges", [{"challenged_at": dt.datetime.now(dt.UTC), **line} for line in challenge]),
    ):
        store.replace(name, rows(name, lines).to_arrow().cast(TABLES[name].schema))
    store.publish(now=dt.datetime.now(dt.UTC))
    seen = visit(HEALTH, small_copy)
    assert seen.says("1 of 2 features drift") and seen.says("grid_position")
    assert seen.says(
        "Worse than ordinary in the last races:** top-10 calibration error and winner's log loss"
    )
    assert seen.says("The last challenger was refused: before the race")
    assert seen.says("Up to 2 races of a window were sealed")
    assert seen.charts == 3
    other = visit(HEALTH, small_copy, drift="pre_qualifying")
    assert other.charts == 3
    # A clock before all of it shows none of it.
    first = work.labels["known_at"].min()
    assert isinstance(first, dt.datetime)
    past = visit(HEALTH, small_copy, clock=(first + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ"))
    assert past.charts == 0 and past.says("No model was challenged yet")
