"""Examples for the API's own description; the tests hold them against the shapes."""

from __future__ import annotations

from typing import Any

_KNOWN = {
    "event_id": "2026-las-vegas",
    "grand_prix": "Las Vegas",
    "season": 2026,
    "target": "race",
    "asked": {"kind": None, "stage": "pre_race"},
    "available": {"sealed": ["pre_weekend"], "provisional": ["pre_weekend"]},
    "official": {
        "policy": "post_qualifying",
        "state": "due",
        "due_at": "2026-11-21T05:01:00+00:00",
        "session_starts_at": "2026-11-22T04:00:00+00:00",
    },
}


def _problem(status: int, code: str, detail: str, hint: str = "", **more: Any) -> dict[str, Any]:
    return {
        "detail": detail,
        "status": status,
        "code": code,
        "hint": hint,
        "errors": [],
        "known": None,
    } | more


NOT_READY_EXAMPLE = _problem(
    404,
    "not_ready",
    "Predictions not ready",
    "It will be sealed by `known.official.due_at`.",
    known=_KNOWN,
)
_PROBLEMS = {
    404: NOT_READY_EXAMPLE,
    408: _problem(408, "too_slow", "The body did not arrive in time.", "Send it within 10 seconds."),
    413: _problem(413, "too_long", "The body is too long.", "A body has at most 16384 bytes."),
    414: _problem(
        414,
        "too_long",
        "The address is too long.",
        "A path has at most 1024 characters, a query 2048.",
    ),
    422: _problem(
        422,
        "invalid_request",
        "The request cannot be understood: year.",
        errors=[{"field": "year", "message": "Input should be a valid integer"}],
    ),
    500: _problem(
        500,
        "damaged_record",
        "The sealed record is damaged and is not served: its content and its hash differ.",
        "The operator runs `python -m jobs verify` and restores the ledger from a copy.",
    ),
    405: _problem(
        405,
        "method_not_allowed",
        "This address takes a question as the body of a POST.",
        "Use one of POST, OPTIONS; see /api/docs.",
    ),
    503: _problem(
        503,
        "unavailable",
        "The warehouse cannot be read.",
        "`python -m jobs status` says why.",
    ),
}


def problem_example(status: int) -> dict[str, Any]:
    """An error with this status."""
    return _PROBLEMS[status]


PREDICTION_EXAMPLE: dict[str, Any] = {
    "format": "parcferme/prediction/1",
    "kind": "sealed",
    "event_id": "2026-las-vegas",
    "target": "race",
    "stage": "pre_weekend",
    "is_demo": False,
    "event": {
        "season": 2026,
        "round": 21,
        "grand_prix": "Las Vegas",
        "official_name": "Formula 1 Las Vegas Grand Prix 2026",
        "circuit_id": "las-vegas",
        "circuit": "Las Vegas",
        "sessions": {"qualifying": "2026-11-21T04:00:00Z", "race": "2026-11-22T04:00:00Z"},
    },
    "as_of": "2026-11-20T00:30:00Z",
    "computed_at": "2026-11-19T09:00:00Z",
    "sealed_at": "2026-11-19T09:00:01Z",
    "session": {"kind": "race", "starts_at": "2026-11-22T04:00:00Z"},
    "model": {"name": "rf_xgb", "version": "race-pre_weekend-rf_xgb-20260628-0a1b2c3d4e"},
    "data": {"version": "0a1b2c3d", "through": "2026-06-28T16:00:00Z", "last_event_id": "2026-austria"},
    "features": {"count": 41, "coverage": 0.93, "count_imputed_drivers": 1},
    "software": {"fastf1": "3.9.0"},
    "confidence": {"driver_id": "a-driver", "score": 0.31, "level": "medium"},
    "warnings": ["The result of 1 race is not in the data: 2026-sao-paulo"],
    "entries": [
        {
            "predicted_position": 1,
            "driver_id": "a-driver",
            "driver_name": "A Driver",
            "driver_code": "ADR",
            "constructor_id": "a-team",
            "constructor_name": "A Team",
            "expected_position": 3.4,
            "position_low": 1,
            "position_high": 7,
            "win_probability": 0.31,
            "podium_probability": 0.62,
            "points_probability": 0.95,
            "dnf_probability": 0.11,
            "expected_points": 13.2,
            "position_probabilities": [0.31, 0.18, 0.13],
            "contributions": [
                {"term": "field middle", "places": 11.5},
                {"term": "qualifying gap", "places": -6.9},
                {"term": "simulation and calibration", "places": -1.2},
            ],
            "grid_position": None,
            "gap_s": 0.0,
            "race_time_s": 5400.0,
            "data_quality_flag": "ok",
        }
    ],
    "head_to_head": {"driver_ids": ["a-driver", "b-driver"], "ahead_probability": [[0.64], []]},
    "baselines": {"elo": [{"predicted_position": 1, "driver_id": "a-driver", "win_probability": 0.28}]},
    "name": "2026-las-vegas.race.pre_weekend.prediction",
    "sequence": 1,
    "previous": "0" * 64,
    "hash": "5f" * 32,
}
