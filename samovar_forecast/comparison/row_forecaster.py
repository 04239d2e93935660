"""What the forecasters that a comparison brings along share towards sktime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from sktime.forecasting.base import BaseForecaster

from samovar_forecast.frames.panel import Panel


class RowForecaster(BaseForecaster):
    """A forecaster that keeps the rows it has seen, and answers in a frame that continues them.

    A child has ``_fit``, which leaves the rows in ``_seen``, and two ways to continue these:
    ``_points(n_steps)``, of shape (n_steps, n_series), and ``_levels(n_steps, alpha)``, the
    quantiles at these levels, of shape (n_steps, n_series, n_levels).
    """

    _tags = {
        "authors": ["samovar_forecast"],
        "y_inner_mtype": "pd.DataFrame",
        "capability:multivariate": True,
        "capability:exogenous": False,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:missing_values": False,
        "capability:update": True,
        "requires-fh-in-fit": False,
    }
    _config = {"remember_data": False}
    _y = None
    _X = None
    _seen: pd.DataFrame

    def _update(self, y: pd.DataFrame, X: Any = None, update_params: bool = True) -> Any:
        seen = Panel.from_frame(self._seen)
        newer = Panel.from_frame(y, known=seen)
        n_time = len(self._seen) + len(y)
        n_needed = 1 if update_params else self._n_lags()
        rows, _ = seen.extended_by(newer, n_time, n_needed, may_start_anew=False).frames()
        if update_params:
            return self._fit(rows, X, None)
        self._seen = rows
        return self

    def _n_lags(self) -> int:
        """Return the number of rows that a forecast looks back on at least."""
        return int(np.max(getattr(self, "orders_", 0), initial=1))

    def _predict(self, fh: Any, X: Any) -> pd.DataFrame:
        steps, index = self._asked_for(fh)
        ahead = self._points(int(steps.max()))
        return pd.DataFrame(ahead[steps - 1], index=index, columns=self._seen.columns)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> pd.DataFrame:
        steps, index = self._asked_for(fh)
        ahead = self._levels(int(steps.max()), alpha)[steps - 1]
        columns = pd.MultiIndex.from_product([self._get_varnames(), alpha])
        return pd.DataFrame(ahead.reshape(len(steps), -1), index=index, columns=columns)

    def _asked_for(self, fh: Any) -> tuple[np.ndarray, pd.Index]:
        steps = np.asarray(fh.to_relative(self.cutoff).to_pandas(), dtype=int)
        index = fh.get_expected_pred_idx(cutoff=self.cutoff)
        return steps, index.rename(self._seen.index.name)

    def _points(self, n_steps: int) -> np.ndarray:
        raise NotImplementedError

    def _levels(self, n_steps: int, alpha: list[float]) -> np.ndarray:
        raise NotImplementedError


class ClassicalForecaster(RowForecaster):
    """What the classical rows share: a fit to an array, and intervals of normal errors.

    A child has ``_learn(values)``, which fits to an array (n_observations, n_series),
    ``_extrapolate(values, steps)``, which continues such an array by ``steps`` rows, and
    ``_deviations(steps)``, the standard deviations of its errors, (steps, n_series).
    """

    _tags = {"python_dependencies": ["statsmodels"]}

    def _fit(self, y: pd.DataFrame, X: Any, fh: Any) -> ClassicalForecaster:
        self._learn(y.to_numpy(dtype=float))
        self._seen = y
        return self

    def predict_origins(
        self, y: pd.DataFrame, origins: Sequence[int], horizon: int, alpha: Sequence[float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forecast from many rows of a frame, with what was learned in the fit.

        Parameters
        ----------
        y : DataFrame, shape (n_observations, n_series)
            The rows of the fit, and rows that follow.
        origins : sequence of int
            Numbers of rows that are known.
        horizon : int
        alpha : sequence of float
            Levels of the quantiles.

        Returns
        -------
        points : ndarray of shape (n_origins, horizon, n_series)
        quantiles : ndarray of shape (n_origins, horizon, n_series, n_levels)
        """
        kept = self._seen
        answers = []
        try:
            for origin in origins:
                self._seen = y.iloc[:origin]
                answers.append(self._points_and_levels(horizon, list(alpha)))
        finally:
            self._seen = kept
        points, levels = zip(*answers, strict=True)
        return np.stack(points), np.stack(levels)

    def _points(self, n_steps: int) -> np.ndarray:
        return self._extrapolate(self._seen.to_numpy(dtype=float), n_steps)

    def _levels(self, n_steps: int, alpha: list[float]) -> np.ndarray:
        return self._points_and_levels(n_steps, alpha)[1]

    def _points_and_levels(self, n_steps: int, alpha: list[float]) -> tuple[np.ndarray, np.ndarray]:
        points, spread = self._points(n_steps), self._deviations(n_steps)
        return points, points[..., None] + spread[..., None] * norm.ppf(alpha)

    def _learn(self, values: np.ndarray) -> None:
        raise NotImplementedError

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        raise NotImplementedError

    def _deviations(self, steps: int) -> np.ndarray:
        raise NotImplementedError
