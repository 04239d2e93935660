"""Leaderboards against classical models: rolling origins, the same for all.

`compare` runs the models and keeps every forecast in a `Comparison`, from which all tables,
words and figures follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samovar_forecast.comparison.catalogue import Task, from_catalogue, known_forecasters
from samovar_forecast.comparison.diagnostics import Finding, findings
from samovar_forecast.comparison.metrics import Metric, ScoredForecasts, Unit, register_metric
from samovar_forecast.comparison.results import Comparison
from samovar_forecast.comparison.rolling import compare, standard_forecasters
from samovar_forecast.comparison.text import summary

if TYPE_CHECKING:
    from samovar_forecast.comparison.classical import (
        GuardedAR,
        GuardedVAR,
        RefusedVARWarning,
        RepeatSeason,
        RidgeVAR,
        classical_forecasters,
    )
    from samovar_forecast.comparison.darts_forecaster import DartsForecaster
    from samovar_forecast.comparison.univariate import LinearSmoothing, StatsforecastModels

_CLASSICAL = (
    "GuardedAR",
    "GuardedVAR",
    "RefusedVARWarning",
    "RepeatSeason",
    "RidgeVAR",
    "classical_forecasters",
)

_UNIVARIATE = ("LinearSmoothing", "StatsforecastModels")

__all__ = [
    "Comparison",
    "DartsForecaster",
    "Finding",
    "GuardedAR",
    "GuardedVAR",
    "LinearSmoothing",
    "Metric",
    "RefusedVARWarning",
    "RepeatSeason",
    "RidgeVAR",
    "ScoredForecasts",
    "StatsforecastModels",
    "Task",
    "Unit",
    "classical_forecasters",
    "compare",
    "findings",
    "from_catalogue",
    "known_forecasters",
    "register_metric",
    "standard_forecasters",
    "summary",
]


def __getattr__(name: str) -> object:
    """Import a forecaster, and with it sktime or darts, when it is first used."""
    if name == "DartsForecaster":
        from samovar_forecast.comparison.darts_forecaster import DartsForecaster

        return DartsForecaster
    if name not in (*_CLASSICAL, *_UNIVARIATE):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from samovar_forecast.comparison import classical, univariate

    return getattr(univariate if name in _UNIVARIATE else classical, name)
