"""Places, pairs and reasons: from a model's answer into tables, documents and the ledger, and back, unchanged."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from f1core.distributions import Distributions, ask, rows_of_document
from f1core.documents import DIGITS, prediction_document
from f1core.forecasts import save_forecasts
from f1core.ledger import Ledger
from f1core.ledger_tables import ledger_frames
from f1core.predict import BASELINE_VERSION, Forecast, assemble, with_model
from f1core.published import publish_documents
from f1core.review import ahead_of
from f1core.targets import PRODUCTION_MODEL
from f1core.training import SEED, fit_model, training_data
from f1core.validation import check_distributions, check_entries
from models.protocol import JointModel
from tests.conftest import workspace_of
from tests.drawn_orders import DrawnOrders
from warehouse.errors import ContractViolation
from warehouse.queries.distributions import contributions, duels, position_probabilities
from warehouse.reader import Reader
from warehouse.vocab import Stage

STAGE = Stage.PRE_QUALIFYING


def made_forecast(data: Path) -> Forecast:
    """A provisional forecast of the coming race by a model that draws orders, and a baseline."""
    work = workspace_of(data)
    event = sorted(work.reader.table("forecasts").filter(stage=STAGE.value, target="race")["event_id"])[0]
    features = work.features.get(event, STAGE, as_of=work.clock.now())
    past = training_data(work, STAGE).before(features.as_of)
    model = DrawnOrders().fit(past.features, past.labels)
    elo = fit_model("elo", past, STAGE)
    answers = [
        (model.name, "drawn", ask(model, features.frame, seed=SEED)),
        ("elo", BASELINE_VERSION, ask(elo, features.frame, seed=SEED)),
    ]
    return assemble(work.reader, features, answers, computed_at=work.clock.now(), is_provisional=True)


@pytest.fixture(scope="module")
def made(small_data: Path) -> Forecast:
    return made_forecast(small_data)


@pytest.fixture
def document(small_data: Path, made: Forecast) -> dict[str, Any]:
    return prediction_document(
        workspace_of(small_data).reader,
        made.heads,
        made.entries,
        kind="provisional",
        distributions=made.distributions,
    )


def store(data: Path, *forecasts: Forecast) -> Reader:
    work = workspace_of(data)
    with work.writing("test") as tables:
        save_forecasts(tables, forecasts)
        tables.publish(now=work.clock.now())
    return Reader(data / "warehouse")


def test_only_models_that_draw_orders_have_distributions(made: Forecast) -> None:
    assert isinstance(DrawnOrders(), JointModel)
    n = made.heads["count_drivers"][0]
    for frame, count in zip(
        made.distributions.frames.values(), (n * n, n * (n - 1) // 2, n * 3), strict=True
    ):
        assert frame.height == count
        assert frame["model"].unique().to_list() == [PRODUCTION_MODEL]
    baseline = made.entries.filter(model="elo")
    assert baseline["dnf_probability"].null_count() == baseline.height
    assert made.entries.filter(model=PRODUCTION_MODEL)["dnf_probability"].null_count() == 0
    assert with_model(made, "elo").distributions.positions.is_empty()
    assert with_model(made, PRODUCTION_MODEL).distributions.duels.height == n * (n - 1) // 2


def test_the_tables_say_what_the_model_said(small_copy: Path, made: Forecast) -> None:
    reader = store(small_copy, made)
    event = made.heads["event_id"][0]
    chosen = ("provisional", event, STAGE.value, PRODUCTION_MODEL)
    places = position_probabilities(reader, *chosen)
    wanted = made.distributions.positions.sort("driver_id", "position")
    assert places.equals(wanted.select("driver_id", "position", "probability"))
    assert duels(reader, *chosen).equals(
        made.distributions.duels.sort("driver_id", "rival_id").select(
            "driver_id", "rival_id", "ahead_probability"
        )
    )
    terms = contributions(reader, *chosen)
    assert terms["ordinal"].to_list() == [1, 2, 3] * made.heads["count_drivers"][0]
    sums = terms.group_by("driver_id").agg(pl.col("places").sum())
    entries = made.entries.filter(model=PRODUCTION_MODEL).join(sums, on="driver_id")
    assert np.allclose(entries["places"], entries["expected_position"])
    assert position_probabilities(reader, *chosen[:3], "elo").is_empty()
    assert position_probabilities(reader, "backtest", *chosen[1:]).is_empty()


def test_a_forecast_without_distributions_leaves_none_of_the_one_it_replaces(
    small_copy: Path, made: Forecast
) -> None:
    assert store(small_copy, made).table("forecast_positions").height
    bare = Forecast(made.heads, made.entries, True)
    reader = store(small_copy, bare)
    event = made.heads["event_id"][0]
    for table in ("forecast_positions", "forecast_duels", "forecast_contributions"):
        assert reader.table(table).filter(event_id=event, stage=STAGE.value, target="race").is_empty()


def test_the_document_holds_all_of_it_and_gives_it_back(made: Forecast, document: dict[str, Any]) -> None:
    ids = [entry["driver_id"] for entry in document["entries"]]
    pairs = document["head_to_head"]
    assert pairs["driver_ids"] == ids, "in predicted order"
    assert [len(row) for row in pairs["ahead_probability"]] == list(range(len(ids) - 1, -1, -1))
    frame = made.distributions.duels
    for i, row in enumerate(pairs["ahead_probability"]):
        for j, share in enumerate(row):
            assert share == pytest.approx(ahead_of(frame, ids[i], ids[i + 1 + j]), abs=10**-DIGITS)
    for entry in document["entries"]:
        assert sum(entry["position_probabilities"]) == pytest.approx(1, abs=1e-4)
        assert entry["position_probabilities"][0] == pytest.approx(entry["win_probability"], abs=1e-5)
        assert sum(one["places"] for one in entry["contributions"]) == pytest.approx(
            entry["expected_position"], abs=1e-5
        )
        assert 0 <= entry["dnf_probability"] <= 1 and entry["expected_points"] >= 0
    assert "position_probabilities" not in document["baselines"]["elo"][0]
    for part, rows in rows_of_document(json.loads(json.dumps(document))).items():
        keys = [column for column in rows[0] if column not in ("probability", "ahead_probability", "places")]
        value = next(column for column in rows[0] if column not in keys)
        back = pl.DataFrame(rows).sort(keys)
        wanted = made.distributions.frames[part].sort(keys)
        assert back.select(keys).rows() == wanted.select(keys).rows()
        assert np.allclose(back[value], wanted[value], atol=10**-DIGITS)


def test_documents_of_the_folder_and_tables_of_the_ledger_follow(
    small_copy: Path, made: Forecast, document: dict[str, Any]
) -> None:
    reader = store(small_copy, made)
    work = workspace_of(small_copy)
    publish_documents(work.settings, reader)
    event = made.heads["event_id"][0]
    written = json.loads(
        (work.settings.documents_root / "provisional" / f"{event}.race.{STAGE.value}.json").read_bytes()
    )
    assert written["head_to_head"] == document["head_to_head"]
    assert written["entries"] == document["entries"]
    ledger = Ledger(small_copy / "own-ledger")
    old = {
        **document,
        "kind": "sealed",
        "stage": "pre_weekend",
        "sealed_at": "2026-01-01T00:00:00Z",
        "session": {"kind": "race", "starts_at": "2026-01-02T00:00:00Z"},
    }
    new = {**old, "stage": document["stage"]}
    gone = ("dnf_probability", "expected_points", "position_probabilities", "contributions")
    old["entries"] = [
        {key: value for key, value in entry.items() if key not in gone} for entry in old["entries"]
    ]
    del old["head_to_head"]
    ledger.seal("an-old-record", old)
    ledger.seal("a-new-record", new)
    assert ledger.verify().is_intact
    frames = ledger_frames(ledger)
    entries = frames["prediction_entries"].filter(model=PRODUCTION_MODEL)
    assert entries.filter(stage="pre_weekend")["dnf_probability"].is_null().all()
    assert entries.filter(stage=STAGE.value)["dnf_probability"].is_not_null().all()
    for name in ("prediction_positions", "prediction_duels", "prediction_contributions"):
        assert frames[name]["stage"].unique().to_list() == [STAGE.value]
    n = made.heads["count_drivers"][0]
    assert frames["prediction_duels"].height == n * (n - 1) // 2
    work = workspace_of(small_copy)
    with work.writing("test") as tables:
        for name, frame in frames.items():
            tables.replace(name, frame.to_arrow())
        tables.publish(now=dt.datetime.now(dt.UTC))
    sealed = position_probabilities(
        Reader(small_copy / "warehouse"), "sealed", event, STAGE.value, PRODUCTION_MODEL
    )
    assert np.allclose(
        sealed["probability"],
        made.distributions.positions.sort("driver_id", "position")["probability"],
        atol=1e-6,
    )


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_coherent_forecast_passes(made: Forecast) -> None:
    own = with_model(made, PRODUCTION_MODEL)
    check_entries(own.entries.to_dicts(), model=PRODUCTION_MODEL)
    check_distributions(own.entries, own.distributions, model=PRODUCTION_MODEL)
    check_distributions(own.entries, Distributions(), model=PRODUCTION_MODEL)


def moved(frame: pl.DataFrame, column: str, by: float, **row: Any) -> pl.DataFrame:
    here = pl.all_horizontal(*(pl.col(key) == value for key, value in row.items()))
    return frame.with_columns(pl.when(here).then(pl.col(column) + by).otherwise(column).alias(column))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("row", "the places of a driver do not sum to one"),
        ("column", "the drivers of a place do not sum to one"),
        ("win", "win_probability is not that of the places"),
        ("expected", "contributions do not sum to the expected position"),
        ("term", "contributions do not sum to the expected position"),
        ("place", "the places are not 1 to n for each driver"),
        ("pair", "the pairs are not those of the drivers"),
        ("driver", "the contributions are not those of the drivers"),
    ],
)
def test_what_contradicts_itself_is_refused(made: Forecast, fault: str, words: str) -> None:
    own = with_model(made, PRODUCTION_MODEL)
    entries, frames = own.entries, own.distributions.frames
    one, other = entries["driver_id"][:2]
    if fault == "row":
        frames["positions"] = moved(frames["positions"], "probability", 0.01, driver_id=one, position=3)
    elif fault == "column":  # the driver's places still sum to one
        shifted = moved(frames["positions"], "probability", 0.01, driver_id=one, position=3)
        frames["positions"] = moved(shifted, "probability", -0.01, driver_id=one, position=4)
    elif fault == "win":
        entries = moved(entries, "win_probability", 0.01, driver_id=one)
    elif fault == "expected":
        entries = moved(entries, "expected_position", 0.01, driver_id=one)
    elif fault == "term":
        frames["contributions"] = moved(frames["contributions"], "places", 0.1, driver_id=other, ordinal=2)
    elif fault == "place":
        frames["positions"] = frames["positions"].filter(pl.col("position") < 5)
    elif fault == "pair":
        frames["duels"] = frames["duels"].slice(1)
    else:
        frames["contributions"] = frames["contributions"].filter(pl.col("driver_id") != one)
    with pytest.raises(ContractViolation, match=words):
        check_distributions(entries, Distributions(**frames), model=PRODUCTION_MODEL)


def test_the_chance_of_a_pair_is_read_either_way() -> None:
    pairs = pl.DataFrame({"driver_id": ["a"], "rival_id": ["b"], "ahead_probability": [0.7]})
    assert ahead_of(pairs, "a", "b") == pytest.approx(0.7)
    assert ahead_of(pairs, "b", "a") == pytest.approx(0.3)
    assert ahead_of(pairs, "a", "c") is None
