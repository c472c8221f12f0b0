"""Whether models in production are still right: challenges and drift."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, KNOWN_AT, SEASON, Column, Table, required
from warehouse.tables.forecasts import MODEL, STAGE, TARGET

CHALLENGED_AT = required("challenged_at", "timestamp", "When the challenge was decided.", unit="UTC")
CHALLENGER = required("challenger", "text", "Version of the challenger in the registry.")
KIND = required(
    "kind",
    "text",
    "backtest: forecast afterwards, walk-forward; sealed: the score of a forecast sealed before the race and settled.",
    allowed=("backtest", "sealed"),
)

MODEL_CHALLENGES = Table(
    "model_challenges",
    "one row per challenge, target, stage and score: how a newly trained model did against the one in production",
    ("challenged_at", "target", "stage", "metric"),
    (
        CHALLENGED_AT,
        TARGET,
        STAGE,
        required("metric", "text", "The score; all are errors, smaller is better."),
        Column("champion", "text", "Version then in production; missing when there was none."),
        CHALLENGER,
        Column("champion_recipe", "text", "Recipe the champion was made by; missing when not recorded."),
        required("challenger_recipe", "text", "Recipe the challenger was made by."),
        Column("judged_on", "text", "Stage whose races were compared; missing when none were."),
        required("count_races", "int", "Races compared.", minimum=0),
        required("count_sealed", "int", "Of these, sealed live by the champion's recipe.", minimum=0),
        Column("champion_score", "float", "The champion's mean; missing when no races were compared."),
        Column("challenger_score", "float", "The challenger's mean."),
        Column("difference", "float", "Challenger minus champion, mean over races: above zero is worse."),
        Column("low", "float", "Lower end of its 90 % interval (paired bootstrap over races)."),
        Column("high", "float", "Upper end of that interval."),
        Column("verdict", "text", "Of this score alone.", allowed=("better", "level", "worse")),
        required("decision", "text", "How the challenge ended; see `docs/models.md`."),
        required("is_promoted", "bool", "Whether the challenger went into production."),
        required("reason", "text", "The decision in a sentence."),
    ),
    source="the challenge records beside the models (`data/models/challenges`)",
    group="Monitoring",
    checks={"low <= high": "the interval is ordered", "count_sealed <= count_races": "sealed are among all"},
)

CHALLENGE_RACES = Table(
    "challenge_races",
    "one row per challenge, target, stage and race it was decided by (no test evidence for what was promoted)",
    ("challenged_at", "target", "stage", "event_id"),
    (
        CHALLENGED_AT,
        TARGET,
        STAGE,
        EVENT_ID,
        SEASON,
        CHALLENGER,
        required("judged_on", "text", "Stage whose forecasts were compared."),
        KIND,
        *(
            Column(f"{side}_{metric}", "float", f"The {side}'s {words} in this race.")
            for metric, words in (
                ("win_log_loss", "win log loss"),
                ("mae_ranked", "mean error of the predicted order"),
                ("top_ten_brier", "top-ten Brier score"),
            )
            for side in ("champion", "challenger")
        ),
    ),
    source="the challenge records beside the models (`data/models/challenges`)",
    group="Monitoring",
    parents={"event_id": "events.event_id"},
)

FEATURE_DRIFT = Table(
    "feature_drift",
    "one row per feature: how the last races differ from the races before them",
    ("feature",),
    (
        required("feature", "text", "Name of the feature."),
        required("first_stage", "text", "The first stage whose models read it."),
        required("measured_stage", "text", "Stage whose features were measured: the one that knows most."),
        required("from_event_id", "text", "First race of the window."),
        EVENT_ID,
        SEASON,
        KNOWN_AT,
        required("count_events", "int", "Races in the window.", minimum=1),
        required("count_events_before", "int", "Races before it, which it is compared with.", minimum=1),
        required("psi", "float", "Population stability index over tenths of the races before.", minimum=0),
        required(
            "threshold", "float", "Level above which it is called drift, from windows of the past.", minimum=0
        ),
        required("is_drifting", "bool", "Whether `psi` is above `threshold`."),
        required("missing_share", "float", "Share of missing values in the window.", minimum=0, maximum=1),
        required("missing_share_before", "float", "The same before it.", minimum=0, maximum=1),
        Column("mean", "float", "Mean in the window; missing when every value is."),
        Column("mean_before", "float", "Mean before it."),
    ),
    source="python -m jobs drift",
    group="Monitoring",
    checks={"is_drifting = (psi > threshold)": "drift is what is above the threshold"},
)

CALIBRATION_DRIFT = Table(
    "calibration_drift",
    "one row per stage, measure and race: the mean of the races up to it against what is ordinary",
    ("stage", "measure", "event_id"),
    (
        STAGE,
        required(
            "measure",
            "text",
            "win_log_loss: mean; top_ten_error: calibration error of the top-ten probabilities.",
            allowed=("win_log_loss", "top_ten_error"),
        ),
        EVENT_ID,
        SEASON,
        KNOWN_AT,
        MODEL,
        required("window", "int", "Races in the window, this one the last.", minimum=1),
        required(
            "count_sealed", "int", "Of these, sealed before the race; the others backtested.", minimum=0
        ),
        required("count_history", "int", "Races before the window.", minimum=1),
        required("value", "float", "The measure over the window."),
        required("expected", "float", "Its mean over windows drawn from the races before."),
        required("low", "float", "1 % of such windows are below."),
        required("high", "float", "1 % of such windows are above."),
        required("is_drifting", "bool", "Whether `value` is above `high`."),
    ),
    source="python -m jobs drift",
    group="Monitoring",
    checks={"low <= high": "the range is ordered", "is_drifting = (value > high)": "drift is what is above"},
    parents={"event_id": "events.event_id"},
)

MONITORING_TABLES: tuple[Table, ...] = (MODEL_CHALLENGES, CHALLENGE_RACES, FEATURE_DRIFT, CALIBRATION_DRIFT)
