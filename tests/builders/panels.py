"""Panels for the network that forecasts any panel, and what it computes of them first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.network.paths import Paths, forecast_paths
from samovar_forecast.network.records import records, targets
from samovar_forecast.network.running import (
    RunningStatistics,
    Window,
    open_window,
    running_statistics,
)
from samovar_forecast.network.seasons import find_seasons

PATCH, HORIZON = 8, 64


def seasonal_walks(n_rows: int = 150, n_series: int = 4, seed: int = 0) -> Tensor:
    """Return random walks with a season of 12 steps; (1, n_rows, n_series), float64."""
    random = np.random.default_rng(seed)
    y = random.normal(size=(n_rows, n_series)).cumsum(0)
    y += 3 * np.sin(2 * np.pi * np.arange(n_rows)[:, None] / 12)
    return torch.tensor(y[None])


def gappy_walks(n_rows: int = 150) -> Tensor:
    """Return four seasonal walks: late, with single gaps, with a stretch missing, and whole."""
    y = seasonal_walks(n_rows)
    y[:, :20, 0] = torch.nan
    y[:, ::3, 1] = torch.nan
    y[:, 60:90, 2] = torch.nan
    return y


class Opened(NamedTuple):
    """What the network computes of a panel before any of its weights acts."""

    window: Window
    statistics: RunningStatistics
    told: Tensor
    found: Tensor
    strength: Tensor
    paths: Paths
    actual: Tensor
    record: Tensor

    def in_units(self, name: str) -> Tensor:
        """Return a running statistic in the units of the panel; (B, C, N)."""
        value = getattr(self.statistics, name)
        level = self.window.location if name in ("last", "mean") else 0.0
        return value * self.window.scale + level


def opened(
    y: Tensor, season: int = 12, *, with_others: bool = True, patch_length: int = PATCH
) -> Opened:
    """Return everything that precedes the tokens, in float64, 64 steps ahead."""
    window = open_window(y, patch_length, torch.float64)
    statistics = running_statistics(window, patch_length, HORIZON)
    told = torch.full((len(y),), season)
    found, strength = find_seasons(window, told, patch_length)
    paths = forecast_paths(window, statistics, told, found, patch_length, with_others=with_others)
    actual = targets(window, statistics, patch_length)
    record = records(paths, statistics, actual, patch_length)
    return Opened(window, statistics, told, found, strength, paths, actual, record)


def changed_later(y: Tensor, first: int) -> Tensor:
    """Return the panel with other values from a row on."""
    generator = torch.Generator().manual_seed(3)
    later = torch.randn(y[:, first:].shape, generator=generator, dtype=y.dtype) * 9
    return torch.cat([y[:, :first], later], 1)


def close(found: Tensor, wanted: Tensor, tolerance: float = 1e-6) -> None:
    """Hold two tensors against each other; where the wanted one is NaN, so is the other."""
    torch.testing.assert_close(
        found, wanted, rtol=tolerance, atol=tolerance / 10, equal_nan=True, check_dtype=False
    )
