"""The strategy simulator: a full field, lap by lap, for any plans."""
