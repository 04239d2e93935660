"""The door of the sktime forecaster: what is checked and kept before sktime's own checks.

sktime resets a forecaster before it looks at the data, and refuses a bad frame without its place.
Here a failed call leaves the earlier state usable, and an error names what was found and where.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster, ForecastingHorizon

from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import check_frame
from samovar_forecast.frames.time_grid import check_zone
from samovar_forecast.process import usual_torch


class HorizonError(DataError, NotImplementedError):
    """The horizon asks for the past; a `NotImplementedError` too, as sktime's contract asks."""


class BaseCheckedForecaster(BaseForecaster):
    """A forecaster of sktime whose public methods check first, and change nothing if they fail."""

    _fh: ForecastingHorizon | None

    def fit(self, y: Any, X: Any = None, fh: Any = None) -> Any:
        """Fit to training data; if that fails, an earlier fit stays usable.

        Parameters and return value are those of :meth:`sktime.forecasting.base.BaseForecaster.fit`.
        """
        with self._unchanged_on_failure():
            return super().fit(y, X=X, fh=fh)

    def fit_predict(self, y: Any, X: Any = None, fh: Any = None, X_pred: Any = None) -> Any:
        """Fit and forecast; if that fails, an earlier fit stays usable.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.fit_predict`.
        """
        with self._unchanged_on_failure():
            return super().fit_predict(y, X=X, fh=fh, X_pred=X_pred)

    def pretrain(self, y: Any, X: Any = None, fh: Any = None) -> Any:
        """Train a network on a panel, for later fits to start from.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.pretrain`. If it fails, the earlier state
        stays usable.
        """
        with self._unchanged_on_failure():
            if y is None:
                raise DataError("pretrain has no rows", found="y=None", wanted="a panel")
            return super().pretrain(y, X=X, fh=_horizon(fh))

    def set_params(self, **params: Any) -> Any:
        """Set parameters and forget a fit, but not what was pretrained.

        Parameters and return value are those of :meth:`skbase.base.BaseObject.set_params`.
        """
        kept = self._save_pretrained_state() if params else {}
        super().set_params(**params)
        self._restore_pretrained_state(kept)
        return self

    def _get_fitted_params(self) -> dict[str, Any]:
        # sktime leaves pretrained attributes out too, but looks for them by another name.
        params = super()._get_fitted_params()
        params.pop("pretrained_network", None)
        return params

    def update(self, y: Any, X: Any = None, update_params: bool = True) -> Any:
        """Move the context on to new data; if that fails, the earlier state stays usable.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.update`.
        """
        with self._unchanged_on_failure():
            return super().update(y, X=X, update_params=update_params)

    def update_predict_single(
        self, y: Any = None, fh: Any = None, X: Any = None, update_params: bool = True
    ) -> Any:
        """Move the context on and forecast; if either fails, the earlier state stays usable.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.update_predict_single`.
        """
        with self._unchanged_on_failure():
            return super().update_predict_single(y=y, fh=fh, X=X, update_params=update_params)

    def update_predict(
        self,
        y: Any,
        cv: Any = None,
        X: Any = None,
        update_params: bool = True,
        reset_forecaster: bool = True,
    ) -> Any:
        """Move on from cutoff to cutoff and forecast; if that fails, the earlier state is kept.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.update_predict`.
        """
        with self._unchanged_on_failure():
            return super().update_predict(y, cv, X, update_params, reset_forecaster)

    def predict(self, fh: Any = None, X: Any = None) -> Any:
        """Forecast; if that fails, the horizon of before is kept.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.predict`.
        """
        with self._horizon_kept_on_failure():
            return super().predict(fh=fh, X=X)

    def predict_quantiles(self, fh: Any = None, X: Any = None, alpha: Any = None) -> Any:
        """Forecast quantiles.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.predict_quantiles`. Levels that are no numbers
        inside (0, 1), or none at all, are a :class:`ConfigurationError`.
        """
        if alpha is not None:
            alpha = checked_levels(alpha, "alpha")
        with self._horizon_kept_on_failure():
            return super().predict_quantiles(fh=fh, X=X, alpha=alpha)

    def predict_interval(self, fh: Any = None, X: Any = None, coverage: Any = 0.9) -> Any:
        """Forecast intervals.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.predict_interval`. Shares that are no numbers
        inside (0, 1), or none at all, are a :class:`ConfigurationError`.
        """
        coverage = checked_levels(coverage, "coverage")
        with self._horizon_kept_on_failure():
            return super().predict_interval(fh=fh, X=X, coverage=coverage)

    def predict_var(self, fh: Any = None, X: Any = None, cov: bool = False) -> Any:
        """Forecast variances; if that fails, the horizon of before is kept.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.predict_var`.
        """
        with self._horizon_kept_on_failure():
            return super().predict_var(fh=fh, X=X, cov=cov)

    def predict_proba(self, fh: Any = None, X: Any = None, marginal: bool = True) -> Any:
        """Forecast distributions; if that fails, the horizon of before is kept.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.predict_proba`.
        """
        with self._horizon_kept_on_failure():
            return super().predict_proba(fh=fh, X=X, marginal=marginal)

    def score(self, y: Any, X: Any = None, fh: Any = None) -> Any:
        """Score a forecast; if that fails, the horizon of before is kept.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.score`.
        """
        with self._horizon_kept_on_failure():
            return super().score(y, X=X, fh=fh)

    def predict_residuals(self, y: Any = None, X: Any = None) -> Any:
        """Return ``y`` minus its forecasts; the horizon of before is kept.

        Parameters and return value are those of
        :meth:`sktime.forecasting.base.BaseForecaster.predict_residuals`.
        """
        with self._horizon_kept_on_failure():
            return super().predict_residuals(y=y, X=X)

    @contextmanager
    def _horizon_kept_on_failure(self) -> Iterator[None]:
        before = self._fh
        try:
            yield
        except BaseException:
            self._fh = before
            raise

    @contextmanager
    def _unchanged_on_failure(self) -> Iterator[None]:
        # sktime resets the object before it looks at the data, and notes in dictionaries what it
        # converts. Nothing else is ever changed in place, so this copy is enough to go back to.
        before = {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in self.__dict__.items()
        }
        try:
            with usual_torch():
                yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _check_X_y(self, X: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        # Every public method passes here. sktime would refuse a bad frame too, without its place.
        if isinstance(y, list) and X is not None:  # sktime takes list.index for an index
            raise DataError(
                "y is a list of frames, which has no index to hold X against",
                found=f"a list of {len(y)}",
                wanted="a DataFrame; of several instances one with a MultiIndex",
            )
        for frame, where in ((y, "y"), (X, "X")):
            is_ignored = where == "X" and not self.get_tag("capability:exogenous")
            if not is_ignored and _is_plain_frame(frame):
                check_frame(frame, where)
                if where == "X" and _is_plain_frame(y):
                    times, series = (own.index.get_level_values(-1) for own in (X, y))
                    check_zone(times, series, "the index of X")
        return super()._check_X_y(X, y, *args, **kwargs)

    def _check_fh(self, fh: Any, pred_int: bool = False) -> ForecastingHorizon | None:
        before = self._fh
        try:
            horizon = super()._check_fh(fh, pred_int)
        except NotImplementedError as error:
            asked, self._fh = self._fh or (), before
            raise HorizonError(
                f"{type(self).__name__} can not perform in-sample prediction of distributions",
                found=[str(step) for step in asked],
                wanted="steps from 1 on, or times after the last observation",
                remedy="ask predict for the past, or start the horizon at 1",
            ) from error
        except OverflowError as error:  # pandas', of an integer that no index can hold
            self._fh = before
            raise _too_far(fh) from error
        except AssertionError as error:  # sktime's, without a message
            asked, self._fh = self._fh, before
            raise self._other_times(asked) from error

        is_absolute = horizon is not None and not horizon.is_relative
        if is_absolute and _kind(horizon.to_pandas()) is not _kind(self.cutoff):
            self._fh = before
            raise self._other_times(horizon)
        return horizon

    def _other_times(self, asked: ForecastingHorizon | None) -> DataError:
        return DataError(
            "the horizon fh holds times of another kind than the index of y",
            found=None if asked is None else type(asked.to_pandas()).__name__,
            wanted=type(self.cutoff).__name__,
            remedy="convert it, or give the horizon as numbers of steps",
        )


def _horizon(fh: Any) -> ForecastingHorizon | None:
    """Return a horizon that sktime has not looked at yet, with at least one step in it."""
    if fh is None:
        return None
    try:
        found = fh if isinstance(fh, ForecastingHorizon) else ForecastingHorizon(fh)
    except OverflowError as error:
        raise _too_far(fh) from error
    if not len(found):
        raise DataError("the horizon fh is empty", found=repr(fh), wanted="steps ahead, or None")
    return found


def _too_far(fh: Any) -> DataError:
    """Return the error of an integer that no index of pandas can hold."""
    return DataError("the horizon fh reaches too far", found=repr(fh), wanted="a number of steps")


def checked_levels(levels: Any, name: str) -> list[float]:
    """Return levels as a list of numbers inside (0, 1)."""
    is_one = isinstance(levels, numbers.Real)
    found: list[Any] = [levels] if is_one else []
    if isinstance(levels, Iterable):
        found = list(levels)
    if not found or not all(isinstance(one, numbers.Real) and 0 < float(one) < 1 for one in found):
        raise ConfigurationError(
            f"{name} holds no levels", found=repr(levels), wanted="numbers between 0 and 1"
        )
    return [float(one) for one in found]


def _kind(index: pd.Index) -> type:
    """Return the kind of time that an index holds, integers of either class being the same."""
    kinds = (pd.DatetimeIndex, pd.PeriodIndex, pd.TimedeltaIndex)
    return next((kind for kind in kinds if isinstance(index, kind)), pd.Index)


def _is_plain_frame(data: Any) -> bool:
    """Tell a frame of numbers from what sktime converts first, or has its own word on."""
    if isinstance(data, pd.DataFrame) and data.size:
        return not isinstance(data.iloc[0, 0], (pd.Series, np.ndarray))  # nested series
    return isinstance(data, pd.Series) and len(data) > 0
