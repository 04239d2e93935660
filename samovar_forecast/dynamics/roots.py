"""The largest root of a VAR, also of a long VAR whose companion matrix is never built."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.simulate import largest_root

DENSE_EIGENVALUES_UP_TO = 400
"""Size of the companion matrix up to which its eigenvalues are computed one by one."""

LONG_ROOT_TOLERANCE = 1e-4
"""Relative accuracy of the largest root of a longer VAR."""


def companion_radius(coefs: np.ndarray) -> float:
    """Return the spectral radius of a VAR's companion matrix, without building a large matrix.

    Parameters
    ----------
    coefs : array of shape (order, C, C)

    Returns
    -------
    float
        The largest modulus of statsmodels' ``1 / VARResults.roots``; to rounding for a short
        VAR, to about 1e-3 for a VAR whose companion matrix is larger than 400.
    """
    order, n_series = coefs.shape[:2]
    size = order * n_series
    if size == 0:
        return 0.0
    if size <= DENSE_EIGENVALUES_UP_TO:
        return largest_root(coefs)

    low, high = 0.0, 1.0
    while _has_root_beyond(coefs, high):
        low, high = high, 2 * high
    while high - low > LONG_ROOT_TOLERANCE * high and high > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if _has_root_beyond(coefs, middle) else (low, middle)
    return (low + high) / 2


def _has_root_beyond(coefs: np.ndarray, radius: float) -> bool:
    """Whether an eigenvalue of the companion matrix is larger than a radius in modulus.

    Its inverse is then a zero of ``det(I - sum_l A_l z^l)`` inside the circle of 1 / radius, and
    the determinant winds around the origin as z goes around the circle (argument principle).
    """
    order, n_series = coefs.shape[:2]
    n_angles = max(4096, 1 << (32 * order - 1).bit_length())
    damped = coefs * np.exp(-np.arange(1, order + 1) * np.log(radius))[:, None, None]
    lags = np.concatenate([np.eye(n_series)[None], -damped])
    phase = np.linalg.slogdet(np.fft.rfft(lags, n_angles, axis=0)).sign  # half of the circle
    turns = np.angle(phase[1:] / phase[:-1]).sum() / np.pi
    return round(float(np.abs(turns))) > 0
