"""The rows of an instance in the scale of its training sample, as arrays and as tensors.

Letters: n rows, C series, P past covariates, F future covariates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.frames.panel import Instance
from samovar_forecast.frames.scaler import InstanceScaler, Scaler
from samovar_forecast.learning.windows import SeriesTensors
from samovar_forecast.linear.linear_map import Rows


@dataclass(frozen=True)
class ScaledRows:
    """The rows of an instance in scaled units, float64; NaN where a value is missing.

    Attributes
    ----------
    target : array of shape (n, C)
    past_covariates : array of shape (n, P), optional
        None if there are none.
    future_covariates : array of shape (at least n, F), optional
        Rows after the last row of the series are known ahead. None if there are none.
    """

    target: np.ndarray
    past_covariates: np.ndarray | None
    future_covariates: np.ndarray | None

    def __len__(self) -> int:
        """Return the number of rows of the series."""
        return len(self.target)

    @property
    def linear(self) -> Rows:
        """The same rows as the linear room reads them: past covariates have no part in it."""
        return Rows(self.target, self.future_covariates)

    def tensors(self, n_time: int) -> SeriesTensors:
        """Return the rows in float32, filled up to ``n_time`` with missing rows before the start.

        Parameters
        ----------
        n_time : int

        Returns
        -------
        SeriesTensors
            Covariates of a role without columns are None.
        """
        n_before = max(0, n_time - len(self))
        past, future = self.past_covariates, self.future_covariates
        return SeriesTensors(
            _to_tensor(self.target, n_before),
            None if past is None else _to_tensor(past, n_before),
            None if future is None else _to_tensor(future, n_before),
        )


def scale_rows(
    instance: Instance, scaler: InstanceScaler, future_ahead: np.ndarray | None = None
) -> ScaledRows:
    """Return the rows of an instance in scaled units.

    A covariate of scale 0 is 0 wherever it goes.

    Parameters
    ----------
    instance : Instance
    scaler : InstanceScaler
    future_ahead : array of shape (n_ahead, F), optional
        Future covariates after the last row of the instance; they are appended.

    Returns
    -------
    ScaledRows
    """
    past, future = instance.past_covariates, instance.future_covariates
    if future_ahead is not None:
        future = np.concatenate([future, future_ahead])
    return ScaledRows(
        scaler.target.forward(instance.target),
        _scale_covariates(scaler.past_covariates, past) if past.shape[1] else None,
        _scale_covariates(scaler.future_covariates, future) if future.shape[1] else None,
    )


def _scale_covariates(scaler: Scaler, values: np.ndarray) -> np.ndarray:
    """Return covariates in scaled units; where there is no scale, nobody has learned from moves."""
    still = np.where(np.isnan(values), np.nan, 0.0)
    return np.where(scaler.scale == 0, still, scaler.forward(values))


def _to_tensor(values: np.ndarray, n_before: int) -> Tensor:
    """Return the values in float32 after ``n_before`` missing rows."""
    filled = np.full((n_before + len(values), values.shape[1]), np.nan, dtype=np.float32)
    filled[n_before:] = values
    return torch.from_numpy(filled)
