"""Features of an event's own sessions: laps, qualifying, weather and car telemetry, one row per driver."""
