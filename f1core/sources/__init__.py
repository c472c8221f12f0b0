"""Sources of facts, each in its own dialect."""
