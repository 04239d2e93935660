"""What window normalisation makes exact, whatever the weights and the data: three identities.

Letters: L lags, C series, K channels (past covariates, then series).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EXACT = 1e-5
"""Relative error up to which an identity counts as kept."""


class Identities(NamedTuple):
    """Largest departures from the three identities of window normalisation.

    Each is relative: the sums to one, the others to the size of the forecast.
    """

    forecast: float
    """``sum_l A_l y(t + 1 - l)`` equals the forecast, with no intercept."""
    sums: float
    """Own coefficients sum to one over the lags, cross coefficients to zero."""
    orthogonality: float
    """The coefficients on another channel are orthogonal to that channel's window."""

    def hold(self, tolerance: float = EXACT) -> bool:
        """Whether all three hold up to rounding."""
        return max(self) <= tolerance


def identities_of(
    slopes: np.ndarray, channels: np.ndarray, forecast: np.ndarray, unit: np.ndarray
) -> Identities:
    """Return how far coefficients are from the identities.

    Parameters
    ----------
    slopes : array of shape (L, C, K)
        Lag 1 first, in units of the data.
    channels : array of shape (L, K)
        What they meet, lag 1 first; 0 where a value is missing.
    forecast : array of shape (C,)
    unit : array of shape (K,)
        Size of the forecaster's unit in units of the data.

    Returns
    -------
    Identities
    """
    n_series, n_channels = slopes.shape[1:]
    own = np.eye(n_series, n_channels, k=n_channels - n_series, dtype=bool)
    own_unit = unit[n_channels - n_series :]
    by_channel = np.einsum("lck,lk->ck", slopes, channels)
    size = np.abs(forecast) + np.abs(channels[:, n_channels - n_series :]).max(axis=0) + own_unit
    in_units = slopes.sum(axis=0) * unit / own_unit[:, None]
    return Identities(
        forecast=float((np.abs(by_channel[own] - forecast) / size).max()),
        sums=float(np.abs(in_units - own).max()),
        orthogonality=float((np.abs(np.where(own, 0, by_channel)) / size[:, None]).max()),
    )
