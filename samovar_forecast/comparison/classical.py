"""Classical forecasts of every comparison: guarded VAR, ridge VAR, AR, last value or season.

The VAR is statsmodels', and the AR has its numbers. Around them stand a guard, because statsmodels
fits an under-determined VAR without a word, and an `update` that moves the forecast to a new origin
with the coefficients unchanged, which sktime's own VAR does not. Intervals are those of normal
errors: the deviation of each step from the moving-average weights, the coefficients taken as
known.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ar_model import ar_select_order
from statsmodels.tsa.arima_process import arma2ma
from statsmodels.tsa.vector_ar.var_model import ma_rep

from samovar_forecast.comparison.row_forecaster import ClassicalForecaster
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.orders import ROWS_PER_COEFFICIENT, candidate_orders, largest_order
from samovar_forecast.linear.regressions import lag_design
from samovar_forecast.linear.ridge_var import RidgeVARFit, fit_ridge_var
from samovar_forecast.linear.simulate import largest_root

SMALLEST_PIVOT = 1e-7
"""Lags whose part of their own is smaller, as a share of the largest, depend on each other."""


class RefusedVARWarning(UserWarning):
    """A VAR is not what AIC asks for: a lower order or a ridge VAR takes its place."""


def most_growth(n_rows: int) -> float:
    """Return the largest root that a VAR estimated on so many rows may have: ``1 + 3 / n_rows``.

    Least squares strays from a unit root by a few times ``1 / n_rows``, to either side, so that a
    VAR of random walks often has a root a little above 1. With a root at this limit a disturbance
    grows e-fold over a third of the sample's rows, which is farther than most forecasts reach.
    """
    return 1.0 + 3.0 / n_rows


def _checked_order(max_order: int | None, n_observations: int, n_series: int) -> int:
    """Return the largest order to offer to AIC, or refuse with the reason."""
    limit = largest_order(n_observations, n_series)
    if limit < 1:
        share = ROWS_PER_COEFFICIENT
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


def _refuse_a_poor_mean(values: np.ndarray, max_order: int) -> None:
    """Refuse a VAR without lags, which forecasts the mean, where the last value forecasts better.

    Each row is held against the mean of the others, and against the row before it.
    """
    n_rows = len(values)
    of_mean = np.square((values - values.mean(axis=0)) * n_rows / (n_rows - 1)).mean(axis=0)
    of_last = np.square(np.diff(values, axis=0)).mean(axis=0)
    ratio = float((of_mean / of_last).mean())
    if ratio > 1:
        raise DataError(
            f"AIC admits no lag of the VAR up to order {max_order}, though there are some",
            found=f"squared errors of the mean {ratio:.3g} times those of the last value",
            wanted="a mean that forecasts no worse than the last value",
            remedy="use fewer series, a longer training window, or a ridge VAR",
        )


@dataclass(frozen=True, eq=False)
class AREquation:
    """An autoregression of one series by least squares.

    Attributes
    ----------
    intercept : float
    coefs : ndarray of shape (order,)
        Lag 1 first.
    sigma2 : float
        Mean squared residual.
    """

    intercept: float
    coefs: np.ndarray
    sigma2: float

    @classmethod
    def of(cls, series: np.ndarray, max_order: int) -> AREquation:
        """Fit the order that AIC prefers, on all its rows; as statsmodels' `ar_select_order`.

        In deviations from the mean, so that a high level costs no accuracy.
        """
        level = float(series.mean())
        deviations = series - level
        order = _order_by_aic(deviations, max_order)
        x, ahead = lag_design([deviations[:, None]], order)
        x = np.hstack([np.ones((len(x), 1)), x])
        params = np.linalg.lstsq(x, ahead[:, 0], rcond=None)[0]
        sigma2 = float(np.square(ahead[:, 0] - x @ params).mean())
        coefs = params[1:]
        return cls(float(params[0] + level * (1 - coefs.sum())), coefs, sigma2)

    def forecast(self, series: np.ndarray, steps: int) -> np.ndarray:
        """Return the values that follow a series of at least as many values as there are lags."""
        order = len(self.coefs)
        path = np.concatenate([series[len(series) - order :], np.zeros(steps)])
        backward = self.coefs[::-1]
        for h in range(steps):
            path[order + h] = self.intercept + backward @ path[h : order + h]
        return path[order:]


def _order_by_aic(series: np.ndarray, max_order: int) -> int:
    """Return the order of least AIC; all orders are fitted to the rows of the largest.

    One decomposition serves all orders: what an order leaves of the next values is the part of
    the last column that stands below the order's own rows.
    """
    x, ahead = lag_design([series[:, None]], max_order)
    r = np.asarray(np.linalg.qr(np.hstack([np.ones((len(x), 1)), x, ahead]), mode="r"))
    pivots = np.abs(np.diagonal(r))[1:-1]
    if pivots.min() < SMALLEST_PIVOT * pivots.max():  # lags that depend on each other
        lags = ar_select_order(series, max_order, ic="aic").ar_lags
        return 0 if lags is None else len(lags)
    left = np.cumsum(np.square(r[::-1, -1]))[::-1][1 : max_order + 2]  # by order
    orders = np.arange(max_order + 1)
    with np.errstate(divide="ignore"):  # an order that fits exactly
        return int(np.argmin(len(x) * np.log(left) + 2 * orders))


class GuardedAR(ClassicalForecaster):
    """An autoregression for each series by least squares, its order by AIC.

    A column that is constant in the training window is forecast to stay where it is.

    Parameters
    ----------
    max_order : int, optional
        Largest order that AIC may choose; by default `largest_order` for one series.

    Attributes
    ----------
    equations_ : list of AREquation or None
        A fit for each series, None for a constant series.
    orders_ : ndarray of int, shape (n_series,)
        Lags that each series' equation has.

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
            AREquation.of(column, max_order) if np.ptp(column) > 0 else None
            for column in values.T.copy()
        ]
        self.orders_ = np.array(
            [0 if equation is None else len(equation.coefs) for equation in self.equations_]
        )

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        ahead = np.repeat(values[-1:], steps, axis=0)
        for j, equation in enumerate(self.equations_):
            if equation is not None:
                ahead[:, j] = equation.forecast(values[:, j], steps)
        return ahead

    def _deviations(self, steps: int) -> np.ndarray:
        deviations = np.zeros((steps, len(self.equations_)))
        for j, equation in enumerate(self.equations_):
            if equation is not None:
                weights = arma2ma(np.r_[1.0, -equation.coefs], [1.0], steps)
                deviations[:, j] = np.sqrt(equation.sigma2 * np.cumsum(weights**2))
        return deviations

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"max_order": 1}]


class GuardedVAR(GuardedAR):
    """Vector autoregression by least squares, its order by AIC among identified orders.

    A column that is constant in the training window takes no part in the regression and is
    forecast to stay where it is. Where no two series vary there is nothing for a VAR to
    connect, and the forecast is that of `GuardedAR`. Where AIC admits no lag and the last value
    forecasts the sample better than its mean, there are too few rows for the lags that are there,
    and the VAR is refused. A fit whose largest root is beyond
    `most_growth` explodes when it is iterated: the highest order below whose root is not takes its
    place, with a `RefusedVARWarning`.

    Parameters
    ----------
    max_order : int, optional
        Largest order that AIC may choose; by default `largest_order`.
    when_refused : {"raise", "ridge"}, default="raise"
        What to do where the rows do not identify order 1, where the series are collinear, where
        AIC admits no lag though there are some, or where every order explodes: raise the reason,
        or let a `RidgeVAR` forecast and give the reason in `refusal_` and in a
        `RefusedVARWarning`.

    Attributes
    ----------
    results_ : statsmodels VARResults, or None where no two series vary
        The fit, whose ``coefs[lag - 1, response, impulse]`` are the lag matrices.
    varying_ : ndarray of bool, shape (n_series,)
        The columns that take part in the regression.
    orders_ : ndarray of int, shape (n_series,)
        Lags that each series' equation has.
    refusal_ : str or None
        Why there is no VAR, where a ridge VAR forecasts in its place.

    Raises
    ------
    DataError
        From `fit`, if there are too few rows to identify order 1, if the series are collinear, if
        AIC admits no lag though there are some, or if every order explodes.
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

    def __init__(
        self, max_order: int | None = None, when_refused: Literal["raise", "ridge"] = "raise"
    ) -> None:
        self.when_refused = when_refused
        super().__init__(max_order)

    def _learn(self, values: np.ndarray) -> None:
        if self.when_refused not in ("raise", "ridge"):
            raise ConfigurationError(
                "when_refused", found=repr(self.when_refused), wanted="'raise' or 'ridge'"
            )
        self.results_ = self.refusal_ = self._substitute = None
        self.varying_ = np.ptp(values, axis=0) > 0
        if int(self.varying_.sum()) < 2:
            super()._learn(values)
            return
        try:
            self.results_ = self._estimate(values[:, self.varying_])
            self.orders_ = np.where(self.varying_, self.results_.k_ar, 0)
        except DataError as refused:
            if self.when_refused == "raise":
                raise
            self.refusal_ = str(refused)
            self._substitute = RidgeVAR()
            self._substitute._learn(values)
            self.orders_ = self._substitute.orders_
            warnings.warn(
                f"a ridge VAR in place of the VAR: {self.refusal_}",
                RefusedVARWarning,
                stacklevel=2,
            )

    def _estimate(self, values: np.ndarray) -> Any:
        """Return statsmodels' VAR, its order by AIC or the highest stable one below, or refuse."""
        max_order = _checked_order(self.max_order, *values.shape)
        rank = int(np.linalg.matrix_rank(np.diff(values, axis=0)))
        if rank < values.shape[1]:
            raise DataError(
                "the series of the VAR are collinear",
                found=f"{rank} independent among {values.shape[1]}",
                remedy="drop a series that is a sum or a copy of others",
            )
        asked = VAR(values).fit(max_order, ic="aic")
        if asked.k_ar == 0:
            _refuse_a_poor_mean(values, max_order)
        largest = most_growth(len(values))
        fit, order = asked, asked.k_ar
        while order and largest_root(fit.coefs) > largest:
            order -= 1
            fit = VAR(values).fit(order) if order else None
        if fit is None:
            raise DataError(
                f"the VAR explodes at every order up to {asked.k_ar}",
                found=f"largest root {largest_root(asked.coefs):.4g}",
                wanted=f"at most {largest:.4g} on {len(values)} rows",
                remedy="use fewer series, a longer training window, or a ridge VAR",
            )
        if order < asked.k_ar:
            warnings.warn(
                f"a VAR of order {order}, for that of order {asked.k_ar} by AIC explodes: its "
                f"largest root is {largest_root(asked.coefs):.4g}",
                RefusedVARWarning,
                stacklevel=2,
            )
        return fit

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        if self._substitute is not None:
            return self._substitute._extrapolate(values, steps)
        if self.results_ is None:
            return super()._extrapolate(values, steps)
        ahead = np.repeat(values[-1:], steps, axis=0)
        if self.results_.k_ar == 0:  # which statsmodels before 0.15 does not forecast
            ahead[:, self.varying_] = self.results_.intercept
            return ahead
        recent = values[len(values) - self.results_.k_ar :, self.varying_]
        ahead[:, self.varying_] = self.results_.forecast(recent, steps)
        return ahead

    def _deviations(self, steps: int) -> np.ndarray:
        if self._substitute is not None:
            return self._substitute._deviations(steps)
        if self.results_ is None:
            return super()._deviations(steps)
        deviations = np.zeros((steps, len(self.varying_)))
        variances = np.diagonal(self.results_.mse(steps), axis1=1, axis2=2)
        deviations[:, self.varying_] = np.sqrt(variances)
        return deviations

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{"when_refused": "ridge"}, {"max_order": 1}]


class RidgeVAR(ClassicalForecaster):
    """Vector autoregression by ridge regression, order and penalty by leave-one-out.

    It exists for any number of rows and series. Each equation chooses its order, its penalty,
    how much harder long lags and other series are shrunk, and whether it is pulled towards the
    mean or towards the last value, by the closed-form leave-one-out error
    (`samovar_forecast.linear.ridge_var`).

    Parameters
    ----------
    season : int, default=1
        Steps in a season; orders that reach back one season are then tried too.

    Attributes
    ----------
    results_ : RidgeVARFit
        The fit, whose ``coefs[lag - 1, response, impulse]`` are the lag matrices.
    orders_ : ndarray of int, shape (n_series,)
        Lags that each series' equation has.

    Raises
    ------
    DataError
        From `fit`, if there are fewer than four rows.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import RidgeVAR
    >>> y = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 9)))
    >>> RidgeVAR().fit(y, fh=[1, 2, 3]).predict().shape
    (3, 9)
    """

    results_: RidgeVARFit

    def __init__(self, season: int = 1) -> None:
        self.season = season
        super().__init__()

    def _learn(self, values: np.ndarray) -> None:
        if len(values) < 4:
            raise DataError("too few rows for a ridge VAR", found=len(values), wanted="at least 4")
        fit = fit_ridge_var([values], candidate_orders(len(values), values.shape[1], self.season))
        self.results_, self.orders_ = fit, fit.orders

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        return self.results_.forecast(values, steps)

    def _deviations(self, steps: int) -> np.ndarray:
        weights = ma_rep(self.results_.coefs, steps - 1)  # steps C C
        variances = np.einsum("hij,jk,hik->hi", weights, self.results_.sigma_u, weights)
        return np.sqrt(np.cumsum(variances, axis=0))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"season": 4}]


class RepeatSeason(ClassicalForecaster):
    """The naive forecast: the last season again; with ``season=1``, the last value.

    sktime's `NaiveForecaster` has the same forecasts, but works column by column, some hundred
    times slower.

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
        self.orders_ = np.full(values.shape[1], self.season)

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        last_season = values[len(values) - self.season :]
        return last_season[np.arange(steps) % self.season]

    def _deviations(self, steps: int) -> np.ndarray:
        seasons_ahead = np.arange(steps) // self.season + 1
        values = self._seen.to_numpy(dtype=float)
        changes = values[self.season :] - values[: -self.season]
        if not len(changes):
            raise DataError(
                f"the changes over a season of {self.season} give no interval",
                found=f"{len(values)} rows",
                wanted=f"at least {self.season + 1}",
            )
        return np.sqrt(seasons_ahead[:, None] * (changes**2).mean(axis=0))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"season": 2}]
