"""The rows that stand in every table, by name, and which of them are special cases of others."""

from __future__ import annotations

from typing import Any

from sktime.forecasting.base import BaseForecaster

from samovar_forecast.comparison.changing import ForgettingVAR, RollingVAR
from samovar_forecast.comparison.classical import GuardedAR, GuardedVAR, RepeatSeason, RidgeVAR
from samovar_forecast.comparison.univariate import univariate_forecasters

SPECIAL_CASES = {
    "AR": ("Naive",),
    "VAR": ("AR", "Naive"),
    "Ridge VAR": ("AR", "Naive"),
}
"""Classical rows, and the rows that are special cases of them: a random walk is an AR(1).

A series is tested where its equation had at least as many lags in the larger model at every origin.
"""


def classical_forecasters(season: int = 1) -> dict[str, BaseForecaster]:
    """Return the forecasters that any other has to beat, by the name of their row.

    Where a VAR is not identified, the row of the VAR says why and a ridge VAR forecasts in it.

    Parameters
    ----------
    season : int, default=1
        Steps in a season; 1 if there is none, and then no seasonal naive forecast either.
    """
    forecasters: dict[str, BaseForecaster] = {
        "VAR": GuardedVAR(when_refused="ridge"),
        "Ridge VAR": RidgeVAR(season=season),
        "AR": GuardedAR(),
        "Naive": RepeatSeason(),
    }
    if season > 1:
        forecasters["Seasonal naive"] = RepeatSeason(season=season)
    forecasters["Rolling VAR"] = RollingVAR(when_refused="ridge")
    forecasters["TVP-VAR"] = ForgettingVAR(season=season)
    return forecasters | univariate_forecasters(season)


def is_classical(forecaster: Any) -> bool:
    """Return whether a forecaster is of a class among `classical_forecasters`."""
    with_season = classical_forecasters(season=2)
    return type(forecaster) in {type(classical) for classical in with_season.values()}
