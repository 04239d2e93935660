"""Location and scale: taken from a training sample, applied to values, and undone in forecasts.

A :class:`Scaler` is the only pair of location and scale in the numpy rooms of the package. An
:class:`InstanceScaler` holds the three scalers of an instance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.panel import Instance


@dataclass(frozen=True)
class Scaler:
    """The scaling of columns to numbers for the network: ``(values - location) / scale``, float64.

    Parameters
    ----------
    location : float64 array of shape (n_columns,)
        Mean of each column, in its own unit.
    scale : float64 array of shape (n_columns,)
        Standard deviation of each column. A constant column has scale 0, and is only shifted.
    """

    location: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Scaler:
        """Take location and scale from a training sample of shape (n_time, n_columns).

        Missing values are left out; a column without any value has location 0 and scale 1.

        Raises
        ------
        DataError
            If there are no rows.
        """
        if values.shape[0] == 0:
            raise DataError("there is nothing to scale", found="no rows", wanted="observations")
        is_there = ~np.isnan(values)
        count = np.maximum(is_there.sum(axis=0), 1)
        filled = np.where(is_there, values, 0.0)
        mean = filled.sum(axis=0) / count
        deviation = np.sqrt(np.square(np.where(is_there, values - mean, 0.0)).sum(axis=0) / count)
        rounding = 8 * np.finfo(np.float64).eps * np.abs(filled).max(axis=0)
        lowest = np.where(is_there, values, np.inf).min(axis=0)
        highest = np.where(is_there, values, -np.inf).max(axis=0)
        is_constant = highest - lowest <= rounding
        has_value = is_there.any(axis=0)
        location = np.where(is_constant & has_value, last_values(values), mean)
        return cls(location, np.where(has_value, np.where(is_constant, 0.0, deviation), 1.0))

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Return the values in units of the training sample; a constant column becomes 0."""
        return (values - self.location) / np.where(self.scale == 0, 1.0, self.scale)

    def inverse(self, values: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return scaled forecasts in the user's units.

        Parameters
        ----------
        values : array of shape (n_steps, n_series)
        last : array of shape (n_series,)
            Last observation of each series. The forecast of a series that was constant in training
            is the last observation; where the last observation is NaN, the forecast is the
            constant.
        """
        constant = np.where(np.isnan(last), self.location, last)
        return np.where(self.scale == 0, constant, values * self.scale + self.location)


class InstanceScaler(NamedTuple):
    """The scalers of the columns of an instance, by their role."""

    target: Scaler
    past_covariates: Scaler
    future_covariates: Scaler

    @classmethod
    def of(cls, instance: Instance) -> InstanceScaler:
        """Take location and scale of all columns of an instance from its rows."""
        return cls(*(Scaler.of(getattr(instance, role)) for role in cls._fields))


def last_values(values: np.ndarray) -> np.ndarray:
    """Return the last value of each column, shape (n_columns,); NaN for a column without values."""
    is_there = ~np.isnan(values)
    row = len(values) - 1 - is_there[::-1].argmax(axis=0)
    return values[row, np.arange(values.shape[1])]
