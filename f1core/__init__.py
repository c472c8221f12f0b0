"""What the product does: sources, features, forecasts, backtests."""
