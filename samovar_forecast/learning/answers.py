"""What a panel forecaster answers from: windows rolled ahead, and distributions in data units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.config import NetworkConfig
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.learning.trained_network import WINDOWS_AT_ONCE, TrainedNetwork
from samovar_forecast.learning.uncertainty import Predictive
from samovar_forecast.learning.windows import SeriesTensors
from samovar_forecast.network.roll_out import roll_forecast


@dataclass(frozen=True)
class InstanceForecast:
    """Predictive distribution of an instance in the units of its series.

    Parameters
    ----------
    scaled : Predictive
        In units of the scaled series.
    scaler : Scaler
    last : array of shape (n_series,)
        Last observations, NaN if there is none.
    """

    scaled: Predictive
    scaler: Scaler
    last: np.ndarray

    def point(self) -> np.ndarray:
        """Return the point forecast, shape (n_steps, n_series)."""
        return self.scaler.inverse(self.scaled.point(), self.last)

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """Return quantiles, shape (n_levels, n_steps, n_series)."""
        return self.scaler.inverse(self.scaled.quantiles(levels), self.last)

    def variance(self) -> np.ndarray:
        """Return the variance, shape (n_steps, n_series)."""
        return self.scaled.variance() * self.scaler.scale**2

    def atoms(self) -> np.ndarray:
        """Return equally likely paths, shape (n_paths, n_steps, n_series)."""
        return self.scaler.inverse(self.scaled.atoms(), self.last)

    def sample(self, n_paths: int, generator: np.random.Generator) -> np.ndarray:
        """Draw paths, joint over steps and series; shape (n_paths, n_steps, n_series)."""
        return self.scaler.inverse(self.scaled.sample(n_paths, generator), self.last)


def cut_window(
    series: SeriesTensors, end: int, config: NetworkConfig, n_ahead: int
) -> SeriesTensors:
    """Cut a window out of an instance, with what is known ahead of it.

    Parameters
    ----------
    series : SeriesTensors
    end : int
        Row after the last row of the window.
    config : NetworkConfig
        Its context is as long as the window.
    n_ahead : int
        Rows of future covariates after the window; where they end, their last row is repeated.

    Returns
    -------
    SeriesTensors
    """
    rows = slice(end - config.context_length, end)
    future = series.future_covariates
    if future is not None:
        future = future[rows.start : end + n_ahead]
        n_short = config.context_length + n_ahead - len(future)
        future = torch.cat([future, future[-1:].expand(n_short, -1)])
    past = series.past_covariates
    return SeriesTensors(series.target[rows], None if past is None else past[rows], future)


def roll_windows(
    trained: TrainedNetwork, windows: Sequence[SeriesTensors], horizon: int
) -> Iterator[np.ndarray]:
    """Yield the parameters of the ``horizon`` steps after each window, (horizon, n_series, K)."""
    for start in range(0, len(windows), WINDOWS_AT_ONCE):
        part = windows[start : start + WINDOWS_AT_ONCE]
        parameters = roll_forecast(
            trained.network,
            torch.stack([window.target for window in part]),
            horizon,
            _stack([window.past_covariates for window in part]),
            _stack([window.future_covariates for window in part]),
            head=trained.head,
        )
        yield from parameters.numpy().astype(np.float64)


def _stack(parts: list[Tensor | None]) -> Tensor | None:
    """Stack the tensors of several instances, if they have any."""
    there = [part for part in parts if part is not None]
    return torch.stack(there) if there else None
