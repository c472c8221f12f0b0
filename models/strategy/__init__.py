"""What the strategy simulator knows of racing: measured race by race, pooled over circuits."""
