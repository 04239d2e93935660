"""The linear anchor: closed-form forecasts averaged into one map, and the gate to the network."""

from samovar_forecast.anchor.attach import AnchorReport, attach_anchor
from samovar_forecast.anchor.estimate import AnchorFit, estimate_anchor
from samovar_forecast.anchor.linear_map import LinearMap

__all__ = ["AnchorFit", "AnchorReport", "LinearMap", "attach_anchor", "estimate_anchor"]
