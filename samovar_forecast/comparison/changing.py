"""Rows whose VAR changes with time: one that forgets, and one on the last rows alone.

Coefficients that follow breaks and drifts stand beside the VAR of the whole sample. Both rows are
forecast by iteration with the coefficients of the last row.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from samovar_forecast.arguments import check_whole
from samovar_forecast.comparison.classical import GuardedVAR, RefusedVARWarning, RidgeVAR
from samovar_forecast.linear.forgetting import MOST_REGRESSORS, forgetting_vars
from samovar_forecast.linear.orders import ROWS_PER_COEFFICIENT
from samovar_forecast.linear.regressions import lag_design, size_of
from samovar_forecast.linear.ridge_var import RidgeVARFit, VARFit

DECAY_OF_ERRORS = 0.96
"""Weight of an error beside that of the row after it, in the covariance of errors."""


class RollingVAR(GuardedVAR):
    """A VAR of the last rows alone, as `GuardedVAR` estimates it.

    Parameters
    ----------
    window : int, optional
        Rows that it is estimated on. By default half of the sample, or as many rows as order 1
        needs.
    max_order, when_refused
        As in `GuardedVAR`.

    Raises
    ------
    DataError
        As from `GuardedVAR`.
    ConfigurationError
        From `fit`, if the window is no positive whole number, or as from `GuardedVAR`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import RollingVAR
    >>> y = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 2)), columns=["a", "b"])
    >>> RollingVAR(window=40).fit(y, fh=[1, 2, 3]).predict().shape
    (3, 2)
    """

    def __init__(
        self,
        window: int | None = None,
        max_order: int | None = None,
        when_refused: Literal["raise", "ridge"] = "raise",
    ) -> None:
        self.window = window
        super().__init__(max_order, when_refused)

    def _learn(self, values: np.ndarray) -> None:
        window = self.window
        if window is None:
            needed = ROWS_PER_COEFFICIENT * (values.shape[1] + 1) + 1
            window = max(len(values) // 2, needed)
        check_whole("window", window, 1)
        super()._learn(values[-window:])

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{"when_refused": "ridge"}, {"window": 12, "when_refused": "ridge"}]


@dataclass(frozen=True, eq=False)
class ForgettingVARFit(VARFit):
    """The VAR after the last row, in the units of the data.

    Parameters
    ----------
    coefs : ndarray of shape (p, C, C)
        ``coefs[lag - 1, response, impulse]``.
    intercept : ndarray of shape (C,)
    sigma_u : ndarray of shape (C, C)
        Second moments of the errors of these coefficients, recent rows before early rows.
    """

    sigma_u: np.ndarray


class ForgettingVAR(RidgeVAR):
    """A VAR with time-varying parameters, by forgetting factors.

    The coefficients follow a Kalman filter in which a forgetting factor stands for the covariance
    of their moves (Koop and Korobilis 2013, J. Econometrics 177:185-198). Factor, order and the
    start of the coefficients are those of the least squared one-step errors on a short grid
    (`samovar_forecast.linear.forgetting`). Forecasts iterate the coefficients of the last row, and
    recent errors weigh more in the intervals. With too many series for the filter, a ridge VAR
    forecasts, with a `RefusedVARWarning`.

    Parameters
    ----------
    season : int, default=1
        Steps in a season, for the ridge VAR.

    Attributes
    ----------
    results_ : ForgettingVARFit
        The coefficients after the last row; ``coefs[lag - 1, response, impulse]``.
    orders_ : ndarray of int, shape (n_series,)
        Lags that each series' equation has.

    Raises
    ------
    DataError
        From `fit`, if there are fewer than four rows.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from samovar_forecast.comparison import ForgettingVAR
    >>> y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    >>> ForgettingVAR().fit(y, fh=[1, 2, 3]).predict().shape
    (3, 2)
    """

    results_: RidgeVARFit | ForgettingVARFit  # type: ignore[assignment]

    def _learn(self, values: np.ndarray) -> None:
        found = _last_coefficients(values)
        if found is None:
            warnings.warn(
                f"a ridge VAR in place of the VAR that forgets: {values.shape[1]} series on "
                f"{len(values)} rows, where at least 6 rows and at most {MOST_REGRESSORS - 1} "
                "series can be filtered",
                RefusedVARWarning,
                stacklevel=2,
            )
            super()._learn(values)
            return
        self.results_ = found
        self.orders_ = np.full(values.shape[1], len(found.coefs))

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return the parameter sets under which sktime's own checks run."""
        return [{}, {"season": 4}]


def _last_coefficients(values: np.ndarray) -> ForgettingVARFit | None:
    """Return the VAR that forgets after the last row; None where there is none."""
    varies = np.ptp(values, axis=0) > 0
    if not varies.any():
        return None
    mean = values.mean(axis=0)
    unit = size_of(values)
    (fit,) = forgetting_vars(((values - mean) / unit)[:, varies], [len(values)])
    if fit is None:
        return None
    order = len(fit[0])
    coefs = np.zeros((order, len(varies), len(varies)))
    coefs[0, ~varies, ~varies] = 1.0  # what does not vary stays where it is
    coefs[:, np.outer(varies, varies)] = fit[0].reshape(order, -1)
    intercept = np.zeros(len(varies))
    intercept[varies] = fit[1]
    coefs = coefs * unit[:, None] / unit
    intercept = mean + intercept * unit - coefs.sum(axis=0) @ mean
    lagged, ahead = lag_design([values], order)  # n-p pC, n-p C
    errors = ahead - intercept - lagged @ np.hstack(list(coefs)).T
    weights = DECAY_OF_ERRORS ** np.arange(len(errors))[::-1]
    sigma_u = (weights * errors.T) @ errors / weights.sum()
    return ForgettingVARFit(coefs=coefs, intercept=intercept, sigma_u=sigma_u)
