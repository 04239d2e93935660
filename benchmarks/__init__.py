"""Measurements of samovar_forecast, each a command: ``python -m benchmarks.<name>``."""
