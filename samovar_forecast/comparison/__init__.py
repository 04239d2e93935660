"""Leaderboards against classical models: rolling origins, the same for all.

`compare` runs the models and keeps every forecast in a `Comparison`, from which all tables,
words and figures follow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from samovar_forecast.comparison.catalogue import Task, from_catalogue, known_forecasters
from samovar_forecast.comparison.diagnostics import Finding, findings
from samovar_forecast.comparison.metrics import Metric, ScoredForecasts, Unit, register_metric
from samovar_forecast.comparison.results import Comparison
from samovar_forecast.comparison.rolling import compare, standard_forecasters
from samovar_forecast.comparison.text import summary

if TYPE_CHECKING:
    from samovar_forecast.comparison.changing import ForgettingVAR, RollingVAR
    from samovar_forecast.comparison.classical import (
        GuardedAR,
        GuardedVAR,
        RefusedVARWarning,
        RepeatSeason,
        RidgeVAR,
    )
    from samovar_forecast.comparison.darts_forecaster import DartsForecaster
    from samovar_forecast.comparison.default_rows import classical_forecasters
    from samovar_forecast.comparison.univariate import (
        LinearSmoothing,
        MeanForecaster,
        StatsforecastModels,
    )

_MODULES = {
    "changing": ("ForgettingVAR", "RollingVAR"),
    "classical": ("GuardedAR", "GuardedVAR", "RefusedVARWarning", "RepeatSeason", "RidgeVAR"),
    "darts_forecaster": ("DartsForecaster",),
    "default_rows": ("classical_forecasters",),
    "univariate": ("LinearSmoothing", "MeanForecaster", "StatsforecastModels"),
}
"""Names that are imported, and with them sktime or darts, when they are first used."""

__all__ = [
    "Comparison",
    "DartsForecaster",
    "Finding",
    "ForgettingVAR",
    "GuardedAR",
    "GuardedVAR",
    "LinearSmoothing",
    "MeanForecaster",
    "Metric",
    "RefusedVARWarning",
    "RepeatSeason",
    "RidgeVAR",
    "RollingVAR",
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
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names beside what the module already holds."""
    return sorted({*globals(), *__all__})
