"""Examples of the strategy routes for the API's own description; the tests hold them against the shapes."""

from __future__ import annotations

from typing import Any

_HEAD: dict[str, Any] = {
    "is_demo": False,
    "snapshot": "0a1b2c3d",
    "event_id": "2025-las-vegas",
    "driver_id": "lando-norris",
}
SIMULATE_QUESTION: dict[str, Any] = {
    "race": "las-vegas",
    "year": 2025,
    "driver": "norris",
    "pit_stops": [{"lap": 20, "tire": "HARD"}],
    "weather_scenario": "DRY",
    "seed": 1,
    "runs": 300,
}
OPTIMISE_QUESTION: dict[str, Any] = {"race": "las-vegas", "year": 2025, "driver": "norris"}
SIMULATE_EXAMPLE: dict[str, Any] = {
    **_HEAD,
    "compared_with": "the same safety cars and weather, every car as it was",
    "original_position": 3,
    "simulated_position": 3,
    "original_mean_position": 3.2,
    "simulated_mean_position": 3.0,
    "actual_position": None,
    "places_gained": 0.2,
    "places_gained_error": 0.05,
    "time_gained": 1.8,
    "time_gained_error": 0.2,
    "is_tie": False,
    "seed": 1,
    "runs": 300,
    "basis": "pre_race",
    "link": "strategy?event=2025-las-vegas&driver=lando-norris&cars=lando-norris:-20H&weather=DRY",
    "lap_by_lap": [
        {
            "driver_id": "lando-norris",
            "is_baseline": False,
            "lap": 1,
            "position": 3,
            "lap_time_s": 103.4,
            "gap_s": 1.9,
            "tire": "MEDIUM",
            "tire_age_laps": 0,
            "is_stop": False,
        }
    ],
    "distribution": [{"position": 3, "probability": 0.4, "original_probability": 0.35}],
    "rejoins": [
        {
            "lap": 20,
            "position": 9,
            "ahead": "nico-hulkenberg",
            "gap_ahead_s": 1.2,
            "behind": "carlos-sainz-jr",
            "gap_behind_s": 0.8,
            "traffic": True,
        }
    ],
    "notes": ["Rivals keep their plans: nobody answers the changed stops."],
}
_BEST: dict[str, Any] = {
    "rank": 1,
    "start_tire": "MEDIUM",
    "pit_stops": [{"lap": 21, "tire": "HARD"}],
    "expected_position": 2.9,
    "position_error": 0.1,
    "places_to_best": 0.0,
    "places_to_best_error": 0.0,
    "time_to_best": 0.0,
    "is_tie": True,
    "free_air_s": 0.4,
    "windows": [{"first_lap": 18, "last_lap": 25}],
}
OPTIMISE_EXAMPLE: dict[str, Any] = {
    **_HEAD,
    "seed": 1,
    "runs": 200,
    "candidates": 42,
    "strategies": [_BEST],
    "own": {**_BEST, "rank": 0, "places_to_best": -0.3, "places_to_best_error": 0.1, "is_tie": False},
    "team_call": {
        "stops": 1,
        "first_lap": 19,
        "free_air_stops": 1,
        "free_air_first_lap": 22,
        "words": "Teams are expected to make one stop, the first on about lap 19. Alone on the track the best first stop of "
        "one stop comes on lap 22, 3 laps later: teams cover the undercut, avoid traffic and do what was usual here.",
    },
    "odds": [
        {
            "lap": 18,
            "rival_lap": 20,
            "kind": "undercut",
            "probability_ahead": 0.46,
            "probability_error": 0.04,
            "probability_learned": 0.38,
            "gap_after_s": 0.3,
        }
    ],
    "notes": ["Rivals keep their plans: nobody answers."],
}
