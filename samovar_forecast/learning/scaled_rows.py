"""The rows of an instance in the scale of its training sample, as tensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.frames.panel import Instance
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.learning.windows import SeriesTensors


class Scalers(NamedTuple):
    """What brings one instance to the scale of its training sample."""

    target: Scaler
    past_covariates: Scaler
    future_covariates: Scaler

    @classmethod
    def of(cls, instance: Instance) -> Scalers:
        """Take the scales from a training sample."""
        return cls(*(Scaler.of(getattr(instance, name)) for name in cls._fields))

    def tensors(
        self, instance: Instance, n_time: int, future_ahead: np.ndarray | None = None
    ) -> SeriesTensors:
        """Return an instance in scaled units, in float32.

        A shorter one is filled up to ``n_time`` rows with missing values before its start; the
        future covariates after its end are appended.
        """
        past, future = instance.past_covariates, instance.future_covariates
        if future_ahead is not None:
            future = np.concatenate([future, future_ahead])
        n_before = max(0, n_time - len(instance))
        return SeriesTensors(
            _tensor(self.target.forward(instance.target), n_before),
            _tensor(self.past_covariates.forward(past), n_before) if past.shape[1] else None,
            _tensor(self.future_covariates.forward(future), n_before) if future.shape[1] else None,
        )


def _tensor(values: np.ndarray, n_before: int) -> Tensor:
    """Return the values in float32 after ``n_before`` missing rows."""
    filled = np.full((n_before + len(values), values.shape[1]), np.nan, dtype=np.float32)
    filled[n_before:] = values
    return torch.from_numpy(filled)
