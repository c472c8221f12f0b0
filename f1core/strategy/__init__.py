"""Strategy: a race set up for the simulator, edited, run, optimised and reviewed."""
