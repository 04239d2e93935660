"""Rows that forecast each series from its own past: smoothing, Theta, and statsforecast's automata.

Two rows are closed forms of ours: with its constants fixed, additive smoothing is a linear map of
the past (`samovar_forecast.linear.smoothing`); with the autoregression they have a mean. Where
statsforecast is installed, its searches by likelihood and information criteria stand beside them,
and the mean of all three.
"""

from __future__ import annotations

import importlib.util
from copy import copy
from typing import Any, Literal

import numpy as np
from scipy.stats import norm

from samovar_forecast.comparison.classical import GuardedAR
from samovar_forecast.comparison.row_forecaster import ClassicalForecaster
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.linear_map import LinearMap, blend
from samovar_forecast.linear.sharing import shared
from samovar_forecast.linear.smoothing_candidates import FEWEST_ROWS, Smoothing

COMBINED = ("simple", "holt", "damped")
"""What the combination averages, as the benchmark of the M4 competition of that name does."""

APPROXIMATE_FROM_ROWS, APPROXIMATE_FROM_SEASON = 150, 12
"""Beyond these AutoARIMA searches by conditional least squares, as R's auto.arima does."""

COVERAGE = 80
"""Interval, in percent, that tells the deviation of a forecast with normal errors."""


class LinearSmoothing(ClassicalForecaster):
    """Exponential smoothing or Theta of each series, additive and in closed form.

    The constants of each series have the least squared one-step errors on a grid. A series that is
    constant is forecast to stay where it is. Intervals are
    those of normal errors, of the size that the forecasts have had from the rows of the second
    half of the sample.

    Parameters
    ----------
    method : {"theta", "combination"}, default="theta"
        Theta of Assimakopoulos and Nikolopoulos (2000), or the mean of simple, Holt's and damped
        smoothing, each with a season if the sample holds it twice.
    season : int, default=1
        Steps in a season; 1 if there is none.

    Raises
    ------
    DataError
        From `fit`, if there are fewer than eight rows.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import LinearSmoothing
    >>> y = pd.DataFrame({"a": np.arange(20.0)})
    >>> LinearSmoothing("combination").fit(y, fh=[1, 2, 3]).predict().shape
    (3, 1)
    """

    def __init__(self, method: Literal["theta", "combination"] = "theta", season: int = 1) -> None:
        self.method = method
        self.season = season
        super().__init__()

    def _learn(self, values: np.ndarray) -> None:
        if self.method not in ("theta", "combination"):
            raise ConfigurationError(
                "method", found=repr(self.method), wanted="'theta' or 'combination'"
            )
        n_rows = len(values)
        if n_rows < 2 * FEWEST_ROWS:
            raise DataError(
                "too few rows for smoothing", found=n_rows, wanted=f"at least {2 * FEWEST_ROWS}"
            )
        steps = np.sqrt(np.square(np.diff(values, axis=0)).mean(axis=0))
        self._unit = np.where(steps > 0, steps, 1.0)
        self._smoothing = _smoothing_of(values / self._unit, self.season)

    def _n_lags(self) -> int:
        return 2 * FEWEST_ROWS

    def _map(self, steps: int, max_lag: int) -> LinearMap:
        found = _maps_of(self._smoothing, steps, max_lag)
        if self.method == "theta":
            return found["theta"]
        shares = np.full((len(COMBINED), steps), 1 / len(COMBINED))
        return blend([found[name] for name in COMBINED], shares)

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        ahead = self._map(steps, len(values))((values / self._unit)[None])[0] * self._unit
        return np.where(np.ptp(values, axis=0) > 0, ahead, values[-1])

    def _deviations(self, steps: int) -> np.ndarray:
        values = self._seen.to_numpy(dtype=float) / self._unit
        n_rows, half = len(values), len(values) // 2
        reached = min(steps, n_rows - half)
        origins = np.arange(half, n_rows - reached + 1)
        actual = values[origins[:, None] + np.arange(reached)]  # B h C
        errors = self._map(reached, half).along(values, origins) - actual
        sizes = np.maximum.accumulate(np.sqrt(np.square(errors).mean(axis=0)), axis=0)
        beyond = np.sqrt(np.arange(reached + 1, steps + 1) / reached)[:, None] * sizes[-1]
        return np.concatenate([sizes, beyond]) * self._unit

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"method": "combination", "season": 2}]


@shared
def _smoothing_of(values: np.ndarray, season: int) -> Smoothing:
    return Smoothing([values], [[len(values)]], len(values), season, is_searched=True)


@shared
def _maps_of(smoothing: Smoothing, steps: int, max_lag: int) -> dict[str, LinearMap]:
    """Return all maps with the same constants, seen through a number of lags."""
    smoothing = copy(smoothing)
    smoothing.max_lag = max_lag
    return smoothing.candidates(steps)[0]


class MeanForecaster(ClassicalForecaster):
    """The mean of classical rows, which are fitted on their own.

    Deviations are averaged like the points: those of an average are seldom smaller by much, as the
    errors of such forecasts go together.

    Parameters
    ----------
    rows : tuple of forecasters
        Classical rows of this package.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import GuardedAR, LinearSmoothing, MeanForecaster
    >>> y = pd.DataFrame({"a": np.random.default_rng(0).normal(size=40).cumsum()})
    >>> MeanForecaster((GuardedAR(), LinearSmoothing())).fit(y, fh=[1, 2]).predict().shape
    (2, 1)
    """

    def __init__(self, rows: tuple[ClassicalForecaster, ...]) -> None:
        self.rows = rows
        super().__init__()

    def _learn(self, values: np.ndarray) -> None:
        self._fits = [row.clone() for row in self.rows]
        for fit in self._fits:
            fit._learn(values)

    def _n_lags(self) -> int:
        return max(fit._n_lags() for fit in self._fits)

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        ahead = [fit._extrapolate(values, steps) for fit in self._fits]
        return np.asarray(np.mean(ahead, axis=0))

    def _deviations(self, steps: int) -> np.ndarray:
        for fit in self._fits:
            fit._seen = self._seen
        return np.asarray(np.mean([fit._deviations(steps) for fit in self._fits], axis=0))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{"rows": (LinearSmoothing(), LinearSmoothing("combination"))}]


class StatsforecastModels(ClassicalForecaster):
    """Automatic models of statsforecast for each series, averaged if they are several.

    Points and deviations are averaged alike. A fit moves on to new rows with what it has learned.

    Parameters
    ----------
    models : tuple of str, default=("AutoETS",)
        Some of "AutoETS", "AutoTheta", "AutoARIMA".
    season : int, default=1
        Steps in a season; 1 if there is none.

    Examples
    --------
    >>> from samovar_forecast.comparison import StatsforecastModels
    >>> StatsforecastModels(("AutoETS", "AutoTheta"), season=4)
    StatsforecastModels(models=('AutoETS', 'AutoTheta'), season=4)
    """

    _tags = {"python_dependencies": ["statsforecast"]}

    def __init__(self, models: tuple[str, ...] = ("AutoETS",), season: int = 1) -> None:
        self.models = models
        self.season = season
        super().__init__()

    def _learn(self, values: np.ndarray) -> None:
        self._fits = [
            [_fit(name, self.season, column) for column in values.T.copy()] for name in self.models
        ]

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        return self._forward(values, steps)[0]

    def _deviations(self, steps: int) -> np.ndarray:
        return self._forward(self._seen.to_numpy(dtype=float), steps)[1]

    def _forward(self, values: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return points and deviations (steps, C) after some rows, the mean over the models."""
        answers = []
        for fits in self._fits:
            columns = [
                fit.forward(column, h=steps, level=[COVERAGE])
                for fit, column in zip(fits, values.T.copy(), strict=True)
            ]
            points, upper = (
                np.column_stack([one[name] for one in columns])
                for name in ("mean", f"hi-{COVERAGE}")
            )
            answers.append((points, (upper - points) / norm.ppf(0.5 + COVERAGE / 200)))
        points, deviations = np.mean(answers, axis=0)
        varies = np.ptp(values, axis=0) > 0
        return np.where(varies, points, values[-1]), np.where(varies, deviations.clip(0.0), 0.0)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{"models": ("AutoTheta",)}, {"models": ("AutoETS", "AutoTheta")}]


@shared
def _fit(name: str, season: int, values: np.ndarray) -> Any:
    """Return a model fitted to a series; a model and a mean with it in a table share the fit."""
    from statsforecast import models

    options: dict[str, Any] = {"season_length": season}
    if name == "AutoARIMA":
        is_long = len(values) > APPROXIMATE_FROM_ROWS or season > APPROXIMATE_FROM_SEASON
        options["approximation"] = is_long
    return getattr(models, name)(**options).fit(values.copy())


AUTOMATIC = ("AutoTheta", "AutoETS", "AutoARIMA")


def univariate_forecasters(season: int = 1) -> dict[str, ClassicalForecaster]:
    """Return the rows of smoothing, Theta and, where statsforecast is installed, its automata.

    With them stand the means: of our two and the autoregression, and of the automata.
    """
    theta, smoothing = (LinearSmoothing(method, season) for method in ("theta", "combination"))
    rows: dict[str, ClassicalForecaster] = {
        "Theta (linear)": theta,
        "Smoothing (linear)": smoothing,
        "Mean (linear)": MeanForecaster((theta, smoothing, GuardedAR())),
    }
    if importlib.util.find_spec("statsforecast") is not None:
        rows |= {name: StatsforecastModels((name,), season) for name in AUTOMATIC}
        rows["Mean of the three"] = StatsforecastModels(AUTOMATIC, season)
    return rows
