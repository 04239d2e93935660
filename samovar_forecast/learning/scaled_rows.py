"""The rows of an instance in the scale of its training sample, as tensors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.frames.panel import Instance
from samovar_forecast.frames.scaler import InstanceScaler
from samovar_forecast.learning.windows import SeriesTensors


def scale_rows(
    instance: Instance,
    scaler: InstanceScaler,
    n_time: int,
    future_ahead: np.ndarray | None = None,
) -> SeriesTensors:
    """Return the rows of an instance in scaled units, in float32.

    Parameters
    ----------
    instance : Instance
    scaler : InstanceScaler
    n_time : int
        A shorter instance is filled up to so many rows with missing values before its start.
    future_ahead : array of shape (n_ahead, n_future), optional
        Future covariates after the last row of the instance; they are appended.

    Returns
    -------
    SeriesTensors
        Covariates of a role without columns are None.
    """
    past, future = instance.past_covariates, instance.future_covariates
    if future_ahead is not None:
        future = np.concatenate([future, future_ahead])
    n_before = max(0, n_time - len(instance))
    return SeriesTensors(
        _to_tensor(scaler.target.forward(instance.target), n_before),
        _to_tensor(scaler.past_covariates.forward(past), n_before) if past.shape[1] else None,
        _to_tensor(scaler.future_covariates.forward(future), n_before) if future.shape[1] else None,
    )


def _to_tensor(values: np.ndarray, n_before: int) -> Tensor:
    """Return the values in float32 after ``n_before`` missing rows."""
    filled = np.full((n_before + len(values), values.shape[1]), np.nan, dtype=np.float32)
    filled[n_before:] = values
    return torch.from_numpy(filled)
