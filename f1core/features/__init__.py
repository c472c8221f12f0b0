"""Features: what is computed from history for a forecast."""
