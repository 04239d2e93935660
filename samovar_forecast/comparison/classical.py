"""The classical forecasts of every comparison: guarded VAR, AR, last value, last season.

Estimation is statsmodels' throughout. Around it stand a guard, because statsmodels fits an
under-determined VAR without a word, and an `update` that moves the forecast to a new origin
with the coefficients unchanged, which sktime's own VAR does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ar_model import ar_select_order

from samovar_forecast.exceptions import ConfigurationError, DataError

OBSERVATIONS_PER_COEFFICIENT = 3
"""Least number of rows in a regression for each coefficient in it.

With three rows each, two thirds of the rows are left to tell signal from noise, and AIC,
which errs towards long lags as the rows run out, chooses among orders that are identified.
"""


def largest_order(n_observations: int, n_series: int) -> int:
    """Return the largest order that may be offered to an information criterion.

    Parameters
    ----------
    n_observations : int
        Rows of the training window.
    n_series : int
        Series on the right-hand side of each equation.

    Returns
    -------
    int
        The smaller of two limits, 0 if not even order 1 is identified: statsmodels' own,
        ``12 * (n_observations / 100) ** (1 / 4)``, and the largest order ``p`` with
        ``n_observations - p >= OBSERVATIONS_PER_COEFFICIENT * (n_series * p + 1)``.
    """
    share = OBSERVATIONS_PER_COEFFICIENT
    by_sample_size = int(12 * (n_observations / 100) ** 0.25)
    by_freedom = (n_observations - share) // (share * n_series + 1)
    return max(0, min(by_sample_size, by_freedom))


def _checked_order(max_order: int | None, n_observations: int, n_series: int) -> int:
    """Return the largest order to offer to AIC, or refuse with the reason."""
    limit = largest_order(n_observations, n_series)
    if limit < 1:
        share = OBSERVATIONS_PER_COEFFICIENT
        raise DataError(
            f"an autoregression of {n_series} series is not identified: already at order 1 "
            f"each equation has {n_series + 1} coefficients",
            found=f"{n_observations} observations",
            wanted=f"at least {share * (n_series + 1) + 1}, {share} for each coefficient",
            remedy="use fewer series or a longer training window",
        )
    if max_order is None:
        return limit
    if not 1 <= max_order <= limit:
        raise ConfigurationError(
            f"max_order is out of reach with {n_observations} observations of {n_series} series",
            found=max_order,
            wanted=f"an integer from 1 to {limit}",
        )
    return max_order


class _ClassicalForecaster(BaseForecaster):
    """What the classical forecasters share: the data seen so far, and the forecast frame.

    A child has ``_learn(values)``, which fits to an array (n_observations, n_series), and
    ``_extrapolate(values, steps)``, which continues such an array by ``steps`` rows.
    """

    _tags = {
        "authors": ["samovar_forecast"],
        "python_dependencies": ["statsmodels"],
        "y_inner_mtype": "pd.DataFrame",
        "capability:multivariate": True,
        "capability:exogenous": False,
        "capability:insample": False,
        "capability:pred_int": False,
        "capability:missing_values": False,
        "capability:update": True,
        "requires-fh-in-fit": False,
    }
    _config = {"remember_data": False}
    _y = None
    _X = None

    def _fit(self, y: pd.DataFrame, X: Any, fh: Any) -> _ClassicalForecaster:
        self._learn(y.to_numpy(dtype=float))
        self._seen = y
        return self

    def _update(
        self, y: pd.DataFrame, X: Any = None, update_params: bool = True
    ) -> _ClassicalForecaster:
        seen = y.combine_first(self._seen)[self._seen.columns]
        if update_params:
            self._learn(seen.to_numpy(dtype=float))
        self._seen = seen
        return self

    def _predict(self, fh: Any, X: Any) -> pd.DataFrame:
        steps = np.asarray(fh.to_relative(self.cutoff).to_pandas(), dtype=int)
        ahead = self._extrapolate(self._seen.to_numpy(dtype=float), int(steps.max()))
        index = fh.get_expected_pred_idx(cutoff=self.cutoff).rename(self._seen.index.name)
        return pd.DataFrame(ahead[steps - 1], index=index, columns=self._seen.columns)

    def _learn(self, values: np.ndarray) -> None:
        raise NotImplementedError

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        raise NotImplementedError


class GuardedAR(_ClassicalForecaster):
    """One autoregression per series by least squares, its order by AIC.

    A column that is constant in the training window is forecast to stay where it is.

    Parameters
    ----------
    max_order : int, optional
        Largest order that AIC may choose; by default `largest_order` for one series.

    Attributes
    ----------
    equations_ : list of statsmodels AutoRegResults or None
        One fit for each series, None for a constant one.

    Raises
    ------
    DataError
        From `fit`, if there are too few rows to identify order 1.
    ConfigurationError
        From `fit`, if ``max_order`` is not between 1 and `largest_order`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import GuardedAR
    >>> y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    >>> GuardedAR().fit(y, fh=[1, 2, 3]).predict().shape
    (3, 2)
    """

    def __init__(self, max_order: int | None = None) -> None:
        self.max_order = max_order
        super().__init__()

    def _learn(self, values: np.ndarray) -> None:
        max_order = _checked_order(self.max_order, len(values), n_series=1)
        self.equations_ = [
            ar_select_order(column, max_order, ic="aic").model.fit() if np.ptp(column) > 0 else None
            for column in values.T
        ]

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        ahead = np.repeat(values[-1:], steps, axis=0)
        for j, equation in enumerate(self.equations_):
            if equation is not None:
                ahead[:, j] = equation.apply(values[:, j]).forecast(steps)
        return ahead

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"max_order": 1}]


class GuardedVAR(GuardedAR):
    """Vector autoregression by least squares, its order by AIC among identified orders.

    A column that is constant in the training window takes no part in the regression and is
    forecast to stay where it is. Where no two series vary there is nothing for a VAR to
    connect, and the forecast is that of `GuardedAR`.

    Parameters
    ----------
    max_order : int, optional
        Largest order that AIC may choose; by default `largest_order`.

    Attributes
    ----------
    results_ : statsmodels VARResults, or None where no two series vary
        The fit, whose ``coefs[lag - 1, response, impulse]`` are the lag matrices.
    varying_ : ndarray of bool, shape (n_series,)
        The columns that take part in the regression.

    Raises
    ------
    DataError
        From `fit`, if there are too few rows to identify order 1.
    ConfigurationError
        From `fit`, if ``max_order`` is not between 1 and `largest_order`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import GuardedVAR
    >>> y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    >>> GuardedVAR().fit(y, fh=[1, 2, 3]).predict().shape
    (3, 2)
    """

    def _learn(self, values: np.ndarray) -> None:
        self.results_ = None
        self.varying_ = np.ptp(values, axis=0) > 0
        n_varying = int(self.varying_.sum())
        if n_varying < 2:
            super()._learn(values)
            return
        max_order = _checked_order(self.max_order, len(values), n_varying)
        self.results_ = VAR(values[:, self.varying_]).fit(max_order, ic="aic")

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        if self.results_ is None:
            return super()._extrapolate(values, steps)
        ahead = np.repeat(values[-1:], steps, axis=0)
        recent = values[len(values) - self.results_.k_ar :, self.varying_]
        ahead[:, self.varying_] = self.results_.forecast(recent, steps)
        return ahead


class RepeatSeason(_ClassicalForecaster):
    """The naive forecast: the last season again; with ``season=1``, the last value.

    It stands beside sktime's `NaiveForecaster`, whose forecasts are the same, because that one
    works column by column, some hundred times slower.

    Parameters
    ----------
    season : int, default=1
        Steps after which the series is expected to repeat itself.

    Raises
    ------
    DataError
        From `fit`, if there is less than one season of data.

    Examples
    --------
    >>> import pandas as pd
    >>> from samovar_forecast.comparison import RepeatSeason
    >>> y = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    >>> RepeatSeason(season=2).fit(y, fh=[1, 2, 3]).predict()["a"].tolist()
    [3.0, 4.0, 3.0]
    """

    _tags = {"python_dependencies": None}

    def __init__(self, season: int = 1) -> None:
        self.season = season
        super().__init__()

    def _learn(self, values: np.ndarray) -> None:
        if len(values) < self.season:
            raise DataError(
                f"the naive forecast of season {self.season} needs one season of data",
                found=f"{len(values)} rows",
                wanted=f"at least {self.season}",
            )

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        last_season = values[len(values) - self.season :]
        return last_season[np.arange(steps) % self.season]

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"season": 2}]


def classical_forecasters(season: int = 1) -> dict[str, BaseForecaster]:
    """Return the forecasters that any other has to beat, by the name of their row.

    Parameters
    ----------
    season : int, default=1
        Steps in a season; 1 if there is none, and then no seasonal naive forecast either.
    """
    forecasters: dict[str, BaseForecaster] = {
        "VAR": GuardedVAR(),
        "AR": GuardedAR(),
        "Naive": RepeatSeason(),
    }
    if season > 1:
        forecasters["Seasonal naive"] = RepeatSeason(season=season)
    return forecasters
