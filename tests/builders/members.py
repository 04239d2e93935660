"""Members of a forecast, and the average of them read as a VAR."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

import numpy as np
import pandas as pd
import torch

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.forecast_map import ForecastMap
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import LinearMap, iterate
from samovar_forecast.network.pretrained import load_pretrained
from samovar_forecast.network.records import pooled_records
from samovar_forecast.network.zero_shot import ZeroShotNetwork

N_SERIES = 3
SCALER = Scaler(np.array([50.0, -3.0, 7.0]), np.array([4.0, 0.1, 1000.0]))
COVARIATES = Scaler(np.array([2.0, -1.0]), np.array([5.0, 0.3]))


@cache
def pretrained() -> ZeroShotNetwork:
    """Return the network whose weights came with the package."""
    return load_pretrained().network


def linear_forecast(n_steps: int = 6, *, effect: bool = False, seed: int = 0) -> LinearForecast:
    """Return a linear forecast with numbers drawn at random."""
    rng = np.random.default_rng(seed)
    linear_map = LinearMap(
        own=rng.normal(size=(n_steps, N_SERIES, 9)) / 9,
        cross=rng.normal(size=(n_steps, N_SERIES, 4, N_SERIES)) / 12,
        intercept=rng.normal(size=(n_steps, N_SERIES)),
        center=rng.normal(size=N_SERIES),
    )
    return LinearForecast(linear_map, {}, covariate_effect() if effect else None)


def covariate_effect() -> CovariateEffect:
    """Return an effect of two covariates over three lags."""
    rng = np.random.default_rng(5)
    return CovariateEffect(rng.normal(size=(N_SERIES, 2, 3)), np.array([0.3, -0.1]))


def scaled_windows(
    n_windows: int = 1, n_rows: int = 40, *, n_past: int = 0, n_ahead: int = 0, seed: int = 1
) -> Windows:
    """Return windows of seasonal walks, with past covariates, and two known ahead, if asked."""
    rng = np.random.default_rng(seed)
    target = 0.4 * rng.normal(size=(n_windows, n_rows, N_SERIES)).cumsum(1)
    target += np.sin(2 * np.pi * np.arange(n_rows)[:, None] / 12)
    past = rng.normal(size=(n_windows, n_rows, n_past)) if n_past else None
    future = rng.normal(size=(n_windows, n_rows + n_ahead, 2)) if n_ahead else None
    return Windows(target, past, future)


def units(n_past: int = 0) -> Units:
    """Return the units of series, of some past covariates and of two known ahead."""
    channels = Scaler(
        np.concatenate([np.ones(n_past), SCALER.location]),
        np.concatenate([np.full(n_past, 3.0), SCALER.scale]),
    )
    return Units(channels, COVARIATES)


def by_differences(
    forecast_map: ForecastMap, window: Windows, cells: list[tuple[str, int, int]], size: float
) -> np.ndarray:
    """Return the derivative of the forecast (s, C) by some cells, by central differences.

    A cell is a table of the window, a row and a column; the result is (cells, s, C), in the units
    of the forecaster.
    """
    slopes = []
    with common_records_held():
        forecast_map.forecast(window)
        for name, row, column in cells:
            ends = []
            for sign in (1, -1):
                table = getattr(window, name).copy()
                table[0, row, column] += sign * size
                ends.append(forecast_map.forecast(window._replace(**{name: table}))[0])
            slopes.append((ends[0] - ends[1]) / (2 * size))
    return np.array(slopes)


@contextmanager
def common_records_held() -> Iterator[None]:
    """Keep the records that series have in common as they are in the first forecast of a shape."""
    kept: dict[torch.Size, torch.Tensor] = {}

    def held(record: torch.Tensor, *others: object) -> torch.Tensor:
        if record.shape not in kept:
            kept[record.shape] = pooled_records(record, *others).clone()
        return kept[record.shape]

    with mock.patch("samovar_forecast.network.zero_shot.pooled_records", held):
        yield


def seasonal_frame(n_rows: int = 60) -> pd.DataFrame:
    """Return three series in units of their own, by month."""
    rng = np.random.default_rng(2)
    values = 0.4 * rng.normal(size=(n_rows, N_SERIES)).cumsum(0)
    values += np.sin(2 * np.pi * np.arange(n_rows)[:, None] / 12)
    index = pd.period_range("2001-01", periods=n_rows, freq="M")
    return pd.DataFrame(SCALER.inverse(values, values[-1]), index, ["load", "price", "wind"])


def average_var(
    share: float = 0.4, n_rows: int = 60, n_steps: int = 6, **options: object
) -> DynamicVAR:
    """Return the average of a linear forecast and the pretrained network, read as a VAR."""
    shares = np.full((n_steps, N_SERIES), share) + 0.05 * np.arange(n_steps)[:, None] / n_steps
    members = {"linear": linear_forecast(n_steps), "pretrained": (pretrained(), 12)}
    return DynamicVAR.from_members(
        members,
        {"linear": 1 - shares, "pretrained": shares},
        seasonal_frame(n_rows),
        scaler=SCALER,
        **options,
    )


def linear_var(coefs: np.ndarray, y: pd.DataFrame | np.ndarray, n_steps: int = 4) -> DynamicVAR:
    """Return a VAR without a constant, (p, C, C), whose steps are iterated, on a history."""
    lags, intercepts = iterate(coefs, np.zeros(coefs.shape[1]), n_steps)
    member = LinearForecast(LinearMap.of(cross=lags, intercept=intercepts), {})
    shares = {"linear": np.ones((n_steps, coefs.shape[1]))}
    return DynamicVAR.from_members({"linear": member}, shares, y, context_length=8)


def double_forecast(values: np.ndarray, n_steps: int, season: int) -> np.ndarray:
    """Return the pretrained network's own median forecasts of windows, in float64; (B, s, C)."""
    import copy

    network = copy.deepcopy(pretrained()).double()
    centre = network.config.quantiles.index(0.5)
    return network.forecast(torch.from_numpy(values), n_steps, season)[..., centre].numpy()
