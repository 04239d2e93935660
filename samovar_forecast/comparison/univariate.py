"""Rows that forecast each series from its own past: smoothing, Theta, and statsforecast's automata.

Two rows are closed forms of ours: with its constants fixed, additive smoothing is a linear map of
the past (`samovar_forecast.linear.smoothing`). Where statsforecast is installed, its searches by
likelihood and information criteria stand beside them, and the mean of all three.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.stats import norm

from samovar_forecast.comparison.row_forecaster import ClassicalForecaster
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.linear_map import LinearMap, blend
from samovar_forecast.linear.smoothing import FEWEST_ROWS, Smoothing

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
        self._smoothing = Smoothing([values / self._unit], [[n_rows]], self.season)

    def _map(self, steps: int, max_lag: int) -> LinearMap:
        found = self._smoothing.candidates(0, steps, max_lag)
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
            [_fit(name, self.season, column.tobytes()) for column in values.T.copy()]
            for name in self.models
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


@lru_cache(maxsize=1024)
def _fit(name: str, season: int, column: bytes) -> Any:
    """Return a model fitted to a series; a model and a mean with it in a table share the fit."""
    from statsforecast import models

    values = np.frombuffer(column)
    options: dict[str, Any] = {"season_length": season}
    if name == "AutoARIMA":
        is_long = len(values) > APPROXIMATE_FROM_ROWS or season > APPROXIMATE_FROM_SEASON
        options["approximation"] = is_long
    return getattr(models, name)(**options).fit(values.copy())


AUTOMATIC = ("AutoTheta", "AutoETS", "AutoARIMA")


def univariate_forecasters(season: int = 1) -> dict[str, ClassicalForecaster]:
    """Return the rows of smoothing, Theta and, where statsforecast is installed, its automata."""
    rows: dict[str, ClassicalForecaster] = {
        "Theta (linear)": LinearSmoothing("theta", season),
        "Smoothing (linear)": LinearSmoothing("combination", season),
    }
    if importlib.util.find_spec("statsforecast") is not None:
        rows |= {name: StatsforecastModels((name,), season) for name in AUTOMATIC}
        rows["Mean of the three"] = StatsforecastModels(AUTOMATIC, season)
    return rows
