"""Closed-form linear forecasts of related series: estimated, averaged into one map, simulated."""

from samovar_forecast.linear.average import AnchorFit, estimate_anchor, estimate_each
from samovar_forecast.linear.linear_map import LinearMap

__all__ = ["AnchorFit", "LinearMap", "estimate_anchor", "estimate_each"]
