"""The effect of covariates in windows: taken off the series first, added to the forecast at last.

Letters: B windows, L context, s steps ahead, C series, F covariates known ahead, q lags of the
effect, R weighted sums of the steps.
"""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.forecast_map import n_leading_gaps
from samovar_forecast.linear.covariates import CovariateEffect


def effect_in(effect: CovariateEffect | None, covariates: np.ndarray | None) -> np.ndarray | None:
    """Return what covariates (B, n, F) add to the series at every row, (B, n, C).

    Rows before a history starts are missing; they count as its first row.
    """
    if effect is None:
        return None
    assert covariates is not None  # an effect is only estimated where there are covariates
    sources = _sources(covariates)[..., None]
    return effect(np.take_along_axis(covariates, sources, axis=1))


def is_same_effect(one: CovariateEffect | None, other: CovariateEffect | None) -> bool:
    """Tell whether two effects have the same numbers, or both are none."""
    if one is None or other is None:
        return one is other
    same_weights = np.array_equal(one.weights, other.weights)
    return bool(same_weights and np.array_equal(one.mean, other.mean))


def slope_by_covariates(
    effect: CovariateEffect, slope: np.ndarray, weights: np.ndarray, covariates: np.ndarray
) -> np.ndarray:
    """Return the derivative of a forecast by the covariates of its effect, (R, C, n, F).

    Parameters
    ----------
    effect : CovariateEffect
    slope : array of shape (R, C, L, C)
        Derivative of the weighted sums by the series without the effect.
    weights : array of shape (R, s, C)
        Of the steps, by series.
    covariates : array of shape (n, F)
        Of one window: L rows, and at least s ahead.
    """
    n_sums, n_series, length, _ = slope.shape
    n_rows, n_steps = len(covariates), weights.shape[1]
    by_effect = np.zeros((n_sums, n_series, n_rows, n_series))
    by_effect[:, :, :length] = -slope
    for c in range(n_series):
        by_effect[:, c, length : length + n_steps, c] += weights[:, :, c]
    total = np.zeros((n_sums, n_series, n_rows, covariates.shape[1]))
    for lag in range(effect.weights.shape[2]):
        lagged = by_effect @ effect.weights[:, :, lag]  # R C n F, by the row of the effect
        total[:, :, : n_rows - lag] += lagged[:, :, lag:]
        total[:, :, 0] += lagged[:, :, :lag].sum(axis=2)  # before the first row it goes on
    by_source = np.zeros_like(total)
    sources = _sources(covariates[None])[0]
    np.add.at(np.moveaxis(by_source, 2, 0), sources, np.moveaxis(total, 2, 0))
    return by_source * np.isfinite(covariates)


def _sources(covariates: np.ndarray) -> np.ndarray:
    """Return for every row of windows (B, n, F) the row whose values stand there; (B, n)."""
    n_rows = covariates.shape[1]
    first = np.minimum(n_leading_gaps(covariates), n_rows - 1)
    return np.maximum(np.arange(n_rows), first[:, None])
