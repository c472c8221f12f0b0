from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.baselines import EloOrder, GridOrder, PointsOrder
from models.protocol import FORECAST_SCHEMA, RaceModel
from models.slots import SlotTable
from warehouse.errors import ContractViolation, ModelArtifactError, NotReady, NotTrained

MODELS = [GridOrder, PointsOrder, EloOrder]


def field(n: int, *, seed: int = 0, event_id: str = "2030-test") -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "event_id": event_id,
            "season": 2030,
            "driver_id": [f"driver-{k:02d}" for k in range(n)],
            "grid_position": rng.permutation(n) + 1.0,
            "championship_position": rng.permutation(n) + 1.0,
            "elo_combined": rng.normal(1500, 150, n),
        }
    )


@pytest.fixture(scope="module")
def fitted(races) -> dict[str, RaceModel]:
    return {model.name: model().fit(*races) for model in MODELS}


@pytest.mark.parametrize("name", ["grid", "points", "elo"])
@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 26), seed=st.integers(0, 10_000))
def test_forecasts_of_any_field_are_coherent(fitted, check, name: str, n: int, seed: int) -> None:
    forecast = fitted[name].predict(field(n, seed=seed))
    assert dict(forecast.schema) == FORECAST_SCHEMA
    assert forecast["model"].unique().to_list() == [name]
    check(forecast)


@pytest.mark.parametrize("name", ["grid", "points", "elo"])
def test_row_order_names_and_company_change_nothing(fitted, name: str) -> None:
    model = fitted[name]
    alone = field(20)
    expected = model.predict(alone, seed=7)
    assert model.predict(alone.sample(fraction=1, shuffle=True, seed=1), seed=7).equals(expected)
    others = pl.concat([field(22, seed=5, event_id="2030-a"), alone, field(9, seed=6, event_id="2030-z")])
    together = model.predict(others.sample(fraction=1, shuffle=True, seed=2), seed=7)
    assert together.filter(pl.col("event_id") == "2030-test").equals(expected)
    renamed = alone.with_columns(driver_id=pl.col("driver_id").str.reverse())
    back = model.predict(renamed, seed=7).with_columns(driver_id=pl.col("driver_id").str.reverse())
    assert back.equals(expected)


@pytest.mark.parametrize("model", MODELS)
def test_artifacts_round_trip(fitted, model: type[RaceModel]) -> None:
    trained = fitted[model.name]
    artifacts = trained.to_artifacts()
    back = model.from_artifacts(artifacts)
    assert back.predict(field(20), seed=3).equals(trained.predict(field(20), seed=3))
    assert back.to_artifacts() == artifacts
    other = next(kind for kind in MODELS if kind is not model)
    with pytest.raises(ModelArtifactError):
        other.from_artifacts(artifacts)


@pytest.mark.parametrize("model", MODELS)
def test_an_untrained_baseline_says_so(model: type[RaceModel]) -> None:
    with pytest.raises(NotTrained):
        model().predict(field(5))
    with pytest.raises(NotReady):
        model().fit(field(5), pl.DataFrame(schema={"event_id": str, "driver_id": str, "position": int}))


def test_slot_frequencies_by_hand() -> None:
    # pole won both races, second place finished second and third
    table = SlotTable.fit(np.array([1, 2, 3, 1, 2, 3]), np.array([1, 2, 3, 1, 3, 2]))
    near, far = np.exp(-0.5 * (1 / 0.6) ** 2), np.exp(-0.5 * (2 / 0.6) ** 2)
    overall = 2 / 6
    starts = 2 * (1 + near + far)
    assert table.win[0] == pytest.approx((2 + 0.5 * overall) / (starts + 0.5))
    assert table.win[1] == pytest.approx((2 * near + 0.5 * overall) / (2 * (1 + 2 * near) + 0.5))
    assert table.win[2] == pytest.approx((2 * far + 0.5 * overall) / (starts + 0.5))
    assert table.median[:4].tolist() == [1.0, 2.5, 2.5, 4.0]
    np.testing.assert_allclose(table.distribution.sum(axis=1), 1.0)


def test_grid_forecast_is_grid_order_and_slot_median(races) -> None:
    features, labels = races
    model = GridOrder().fit(features, labels)
    forecast = model.predict(field(12)).join(field(12), on=["event_id", "driver_id"])
    assert (forecast["predicted_position"] == forecast["grid_position"]).all()
    finishes = features.join(labels, on=["event_id", "driver_id"]).filter(pl.col("grid_position") == 3)
    third = forecast.filter(pl.col("predicted_position") == 3)
    assert third["median_position"].item() == finishes["position"].median()


def test_seasons_before_the_first_do_not_count(races) -> None:
    features, labels = races
    late = GridOrder(since=2022).fit(features, labels)
    only = GridOrder().fit(features.filter(pl.col("season") >= 2022), labels)
    assert late.predict(field(12)).equals(only.predict(field(12)))
    assert not late.predict(field(12)).equals(GridOrder().fit(features, labels).predict(field(12)))


def test_grid_falls_back_to_qualifying_and_then_gives_up(races) -> None:
    model = GridOrder().fit(*races)
    qualifying = field(6).rename({"grid_position": "qualifying_position"})
    without_grid = qualifying.with_columns(grid_position=pl.lit(None, dtype=pl.Float64))
    expected = model.predict(field(6)).drop("model")
    assert model.predict(without_grid).drop("model").equals(expected)
    assert model.predict(qualifying).drop("model").equals(expected)
    with pytest.raises(NotReady, match="2030-test"):
        model.predict(field(6).drop("grid_position"))
    with pytest.raises(NotReady):
        GridOrder().fit(races[0].drop("grid_position"), races[1])


def test_who_has_no_place_comes_last(races) -> None:
    model = PointsOrder().fit(*races)
    newcomers = pl.when(pl.col("driver_id").is_in(["driver-00", "driver-03"])).then(None)
    frame = field(8).with_columns(newcomers.otherwise("championship_position").alias("championship_position"))
    last = model.predict(frame)["driver_id"].to_list()[-2:]
    elo = dict(frame.select("driver_id", "elo_combined").rows())
    assert last == sorted(["driver-00", "driver-03"], key=lambda driver: -elo[driver])


def test_elo_orders_by_rating_and_believes_differences(races) -> None:
    model = EloOrder().fit(*races)
    forecast = model.predict(field(20)).join(field(20), on="driver_id", maintain_order="left")
    assert forecast["elo_combined"].is_sorted(descending=True)
    assert forecast["win_probability"].is_sorted(descending=True)
    with pytest.raises(ContractViolation, match="elo_combined"):
        model.predict(field(3).drop("elo_combined"))


def test_elo_scales_are_those_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    frames, labels = [], []
    for event in range(400):
        ratings = rng.normal(1500, 120, 10)
        order = np.argsort(-(ratings / 90 + rng.gumbel(size=10)))
        frame = field(10, event_id=f"e-{event:03d}").with_columns(elo_combined=pl.Series(ratings))
        position = np.empty(10, dtype=int)
        position[order] = np.arange(1, 11)
        frames.append(frame)
        labels.append(frame.select("event_id", "driver_id").with_columns(position=pl.Series(position)))
    win_scale, order_scale = EloOrder().fit(pl.concat(frames), pl.concat(labels))._scales or (0, 0)
    assert win_scale == pytest.approx(90, rel=0.2)
    assert order_scale == pytest.approx(90, rel=0.05)
