from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.joint import JointOrderModel
from models.joint_frames import FIELD_MIDDLE, REMAINDER
from models.joint_settings import QUALIFYING, JointSettings
from models.metrics import pool, score_events
from models.protocol import FORECAST_SCHEMA, JointModel, RaceModel
from warehouse.errors import ModelArtifactError, NotReady, NotTrained
from warehouse.vocab import Target

SAMPLES = 1_500
GROUPS = {"grid_position": "grid", "elo_combined": "ratings", "practice_gap_pct": "practice"}


def dated(labels: pl.DataFrame) -> pl.DataFrame:
    """Labels as the product has them: when they became known, and who retired."""
    first = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    events = labels["event_id"].unique().sort().to_list()
    when = {event: first + dt.timedelta(days=7 * place) for place, event in enumerate(events)}
    return labels.with_columns(
        known_at=pl.col("event_id").replace_strict(when, return_dtype=pl.Datetime("us", "UTC")),
        is_dnf=~pl.col("is_classified"),
    )


def fitted(races, **options) -> JointOrderModel:
    features, labels = races
    past = features.filter(pl.col("season") < 2023)
    chosen = {"settings": JointSettings(linear_share=0.85, tree_share=0.25), **options}
    return JointOrderModel(samples=SAMPLES, feature_groups=GROUPS, **chosen).fit(past, dated(labels))


@pytest.fixture(scope="module")
def joint(races) -> JointOrderModel:
    return fitted(races)


@pytest.fixture(scope="module")
def coming(races) -> pl.DataFrame:
    return races[0].filter(pl.col("season") == 2023)


def field_of(n: int, rng: np.random.Generator) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": "2030-test",
            "driver_id": [f"d{k}" for k in range(n)],
            "constructor_id": [f"t{k // 2}" for k in range(n)],
            "grid_position": rng.permutation(n) + 1.0,
            "elo_combined": np.where(rng.random(n) < 0.2, np.nan, rng.normal(1500, 200, n)),
            "championship_position": [None] * n,
            "practice_gap_pct": rng.random(n),
        },
        schema_overrides={"championship_position": pl.Float64},
    )


def test_it_keeps_the_protocols(joint) -> None:
    assert isinstance(joint, RaceModel)
    assert isinstance(joint, JointModel)


@settings(max_examples=12, deadline=None)
@given(n=st.integers(1, 26), seed=st.integers(0, 10_000))
def test_every_figure_is_a_marginal_of_the_same_orders(joint, check, n: int, seed: int) -> None:
    made = joint.forecast(field_of(n, np.random.default_rng(seed)), seed=seed)
    assert dict(made.entries.schema) == FORECAST_SCHEMA
    check(made.entries)
    matrix = made.positions.pivot("position", index="driver_id", values="probability").sort("driver_id")
    places = matrix.drop("driver_id").to_numpy()
    assert np.allclose(places.sum(axis=0), 1, atol=1e-9)
    assert np.allclose(places.sum(axis=1), 1, atol=1e-9)
    own = made.entries.sort("driver_id")
    for name, count in (("win", 1), ("podium", 3), ("points", 10)):
        assert np.allclose(own[f"{name}_probability"], places[:, :count].sum(axis=1), atol=1e-9)
    assert np.allclose(own["expected_position"], places @ np.arange(1, n + 1), atol=1e-9)
    # who finishes ahead of k others on average stands in place n - k
    ahead = dict.fromkeys(own["driver_id"], 0.0)
    for driver, rival, share in made.duels.select("driver_id", "rival_id", "ahead_probability").iter_rows():
        ahead[driver] += share
        ahead[rival] += 1 - share
    assert np.allclose(own["expected_position"], [n - ahead[d] for d in own["driver_id"]], atol=1e-9)
    assert own["dnf_probability"].is_between(0, 1).all()


def test_contributions_add_up_to_the_published_place(joint, coming: pl.DataFrame) -> None:
    made = joint.forecast(coming)
    sums = made.contributions.group_by("event_id", "driver_id").agg(pl.col("places").sum())
    both = made.entries.join(sums, on=["event_id", "driver_id"])
    assert both.height == made.entries.height
    assert np.allclose(both["expected_position"], both["places"], atol=1e-9)
    terms = made.contributions["term"].unique().to_list()
    assert {FIELD_MIDDLE, REMAINDER, "grid", "ratings"} <= set(terms)
    # the parts are exact for the model's own score: their sum orders the drivers as their strength does
    own = made.contributions.filter(~pl.col("term").is_in([FIELD_MIDDLE, REMAINDER]))
    event = coming["event_id"][0]
    score = own.filter(pl.col("event_id") == event).group_by("driver_id").agg(pl.col("places").sum())
    rows = coming.filter(pl.col("event_id") == event).sort("driver_id")
    strength = joint._strength(rows)
    expected = score.sort("driver_id")["places"].to_numpy()
    slope = (strength @ expected) / (strength @ strength)
    assert slope < 0
    assert np.allclose(expected, slope * strength, atol=1e-6)


def test_same_seed_same_bytes_other_seed_close(joint, coming: pl.DataFrame) -> None:
    first, again, other = (joint.predict(coming, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    keys = ["event_id", "driver_id"]
    both = first.join(other, on=keys, suffix="_other")
    assert (both["win_probability"] - both["win_probability_other"]).abs().max() < 0.05


def test_row_order_names_and_company_change_nothing(races, joint, coming: pl.DataFrame) -> None:
    event = coming["event_id"][0]
    alone = coming.filter(pl.col("event_id") == event)
    expected = joint.predict(alone)
    assert joint.predict(alone.sample(fraction=1, shuffle=True, seed=1)).equals(expected)
    assert joint.predict(coming).filter(pl.col("event_id") == event).equals(expected)
    back = {
        "driver_id": pl.col("driver_id").str.reverse(),
        "constructor_id": pl.col("constructor_id").str.reverse(),
    }
    assert (
        joint.predict(alone.with_columns(**back)).with_columns(driver_id=back["driver_id"]).equals(expected)
    )
    # nor do the names it learned from
    features, labels = races
    renamed = fitted((features.with_columns(**back), labels.with_columns(driver_id=back["driver_id"])))
    assert renamed.predict(alone).equals(expected)


def test_artifacts_round_trip_and_training_repeats_itself(races, joint, coming: pl.DataFrame) -> None:
    artifacts = joint.to_artifacts()
    assert {name.rsplit(".", 1)[1] for name in artifacts} == {"json", "npz", "ubj"}
    back = JointOrderModel.from_artifacts(artifacts)
    expected, found = joint.forecast(coming), back.forecast(coming)
    for name in ("entries", "positions", "duels", "contributions"):
        assert getattr(found, name).equals(getattr(expected, name))
    features, labels = races
    assert fitted((features.sample(fraction=1, shuffle=True, seed=1), labels)).to_artifacts() == artifacts


@pytest.mark.parametrize("missing", ["joint.json", "joint.npz", "places.npz", "places.ubj"])
def test_a_missing_file_is_named(joint, missing: str) -> None:
    artifacts = {name: content for name, content in joint.to_artifacts().items() if name != missing}
    with pytest.raises(ModelArtifactError, match=missing.split(".", maxsplit=1)[0]):
        JointOrderModel.from_artifacts(artifacts)


def test_artifacts_of_an_earlier_version_are_refused(joint) -> None:
    """They held the points themselves; a model that cannot be read is trained again."""
    artifacts = joint.to_artifacts()
    content = json.loads(artifacts["joint.json"])
    assert content["settings"]["points"] == "race"
    content["settings"]["points"] = [25.0, 18.0, 15.0]
    with pytest.raises(ModelArtifactError, match="do not fit"):
        JointOrderModel.from_artifacts({**artifacts, "joint.json": json.dumps(content).encode()})


def test_artifacts_of_another_model_are_refused(joint, trained) -> None:
    other = {**joint.to_artifacts(), "joint.json": trained.to_artifacts()["model.json"]}
    with pytest.raises(ModelArtifactError):
        JointOrderModel.from_artifacts(other)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), driver=st.integers(0, 19))
def test_a_better_slot_never_hurts(joint, seed: int, driver: int) -> None:
    rng = np.random.default_rng(seed)
    field = field_of(20, rng).sort("driver_id")
    name = f"d{driver}"

    def expected(slot: float) -> float:
        """The driver in this slot, the others behind one another in the order they were in."""
        others = field.filter(pl.col("driver_id") != name).sort("grid_position")["driver_id"].to_list()
        order = [*others[: int(slot) - 1], name, *others[int(slot) - 1 :]]
        grid = {who: place for place, who in enumerate(order, start=1)}
        moved = field.with_columns(
            grid_position=pl.col("driver_id").replace_strict(grid, return_dtype=pl.Float64)
        )
        made = joint.predict(moved, seed=seed)
        return float(made.filter(pl.col("driver_id") == name)["expected_position"].item())

    # Monte Carlo error of a mean place with these samples: below 0.2, twice over
    places = [expected(slot) for slot in (1, 6, 13, 20)]
    assert all(later >= earlier - 0.4 for earlier, later in pairwise(places))


def test_planted_order_is_recovered(joint, coming: pl.DataFrame) -> None:
    """In the invented seasons driver k is the k-th fastest, and a tenth of the starters retire."""
    made = joint.predict(coming)
    mean = (
        made.group_by("driver_id")
        .agg(pl.col("expected_position", "dnf_probability").mean())
        .sort("driver_id")
    )
    order = mean["expected_position"].rank().to_numpy()
    assert np.corrcoef(order, np.arange(len(order)))[0, 1] > 0.95
    assert abs(made["dnf_probability"].mean() - 0.1) < 0.05


def test_it_beats_the_grid_where_pace_is_known(races, joint, coming: pl.DataFrame) -> None:
    labels = races[1].filter(pl.col("event_id").is_in(coming["event_id"].unique().to_list()))
    nothing = {"gap_s": pl.lit(None, pl.Float64), "race_time_s": pl.lit(None, pl.Float64)}
    ours = pool(score_events(joint.predict(coming).with_columns(**nothing), labels)).row(0, named=True)
    grid = coming.select("event_id", "driver_id", "grid_position").join(labels, on=["event_id", "driver_id"])
    assert ours["mae_ranked"] < (grid["grid_position"] - grid["position"]).abs().mean()


def test_before_qualifying_there_is_no_slot_to_lean_on(races, check, coming: pl.DataFrame) -> None:
    features, labels = races
    early = features.with_columns(grid_position=pl.lit(None, pl.Float64))
    model = fitted((early, labels))
    assert "grid" not in model.coefficients
    check(model.predict(early.filter(pl.col("season") == 2023)))


def test_a_driver_without_history_is_forecast(joint, check, coming: pl.DataFrame) -> None:
    event = coming.filter(pl.col("event_id") == coming["event_id"][0])
    nothing = [
        pl.lit(None, pl.Float64).alias(n)
        for n in ("elo_combined", "practice_gap_pct", "championship_position")
    ]
    rookie = event.head(1).with_columns(*nothing, driver_id=pl.lit("rookie"), grid_position=pl.lit(13.0))
    made = joint.predict(pl.concat([event, rookie], how="diagonal_relaxed"))
    check(made)
    assert made.filter(pl.col("driver_id") == "rookie")["win_probability"].item() < 0.2


def test_qualifying_has_no_retirements_and_no_points(races, check, coming: pl.DataFrame) -> None:
    made = fitted(races, settings=QUALIFYING).predict(coming)
    check(made)
    assert made["dnf_probability"].null_count() == made.height
    assert made["expected_points"].null_count() == made.height


def test_settings_of_prediction_can_be_changed_without_training(joint, coming: pl.DataFrame) -> None:
    calm = joint.with_settings(points=None, retires=False)
    made = calm.predict(coming)
    assert made["dnf_probability"].null_count() == made["expected_points"].null_count() == made.height
    assert joint.settings.retires
    assert joint.predict(coming)["dnf_probability"].null_count() == 0


@pytest.mark.parametrize(
    ("target", "season", "paid"),
    [
        (Target.RACE, 2023, [25, 18, 15, 12, 10, 8, 6, 4, 2, 1]),
        (Target.SPRINT, 2022, [8, 7, 6, 5, 4, 3, 2, 1]),
        (Target.SPRINT, 2021, [3, 2, 1]),
        (Target.SPRINT, 2019, None),  # there were none
        (Target.RACE, 2009, None),  # other rules
    ],
)
def test_points_are_those_of_the_season(
    joint, coming: pl.DataFrame, target: Target, season: int, paid: list[int] | None
) -> None:
    event = coming.filter(pl.col("event_id") == coming["event_id"][0])
    made = joint.with_settings(points=target).forecast(event.with_columns(season=pl.lit(season)))
    if paid is None:
        assert made.entries["expected_points"].null_count() == made.entries.height
        return
    worth = {place: float(points) for place, points in enumerate(paid, start=1)}
    by_hand = made.positions.group_by("driver_id").agg(
        by_hand=(
            pl.col("probability")
            * pl.col("position").replace_strict(worth, default=0.0, return_dtype=pl.Float64)
        ).sum()
    )
    both = made.entries.join(by_hand, on="driver_id")
    assert np.allclose(both["expected_points"], both["by_hand"], atol=1e-9)
    assert both["expected_points"].sum() == pytest.approx(sum(paid))


def test_nothing_to_learn_from_is_said(races) -> None:
    features, labels = races
    with pytest.raises(NotReady, match="nothing to learn from"):
        JointOrderModel().fit(features, labels.clear())
    with pytest.raises(NotTrained):
        JointOrderModel().predict(features)
    bare = features.select("event_id", "season", "driver_id", "constructor_id")
    with pytest.raises(NotReady, match="no feature is known"):
        JointOrderModel(settings=JointSettings(tree_share=0.0)).fit(bare, labels)
