"""Simulated processes with known lag matrices, for tests and examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from samovar_forecast.exceptions import ConfigurationError


def simulate_var(
    coefs: ArrayLike,
    n_obs: int,
    *,
    intercept: ArrayLike | None = None,
    noise_covariance: ArrayLike | None = None,
    burn_in: int = 500,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Simulate a vector autoregression with normal noise.

    ``y[t] = intercept + coefs[0] @ y[t-1] + ... + coefs[p-1] @ y[t-p] + u[t]``, as in
    :class:`statsmodels.tsa.vector_ar.var_model.VARProcess`.

    Parameters
    ----------
    coefs : array of shape (order, n_series, n_series)
        Lag matrices, effect first: ``coefs[lag - 1, response, impulse]``.
    n_obs : int
        Number of observations to return.
    intercept : array of shape (n_series,), optional
        0 by default.
    noise_covariance : array of shape (n_series, n_series), optional
        Covariance of ``u[t]``; the identity by default.
    burn_in : int, default=500
        Number of observations before the returned observations. The process starts from zeros, and
        these observations are dropped.
    random_state : int or numpy.random.Generator, optional
        Source of the noise.

    Returns
    -------
    float64 array of shape (n_obs, n_series)

    Raises
    ------
    ConfigurationError
        If the shapes do not fit together, the covariance is not positive definite, or the process
        explodes.

    Examples
    --------
    >>> simulate_var([[[0.5, 0.2], [0.0, 0.5]]], 100, random_state=0).shape
    (100, 2)
    """
    lags = np.asarray(coefs, dtype=np.float64)
    if lags.ndim != 3 or lags.shape[1] != lags.shape[2] or 0 in lags.shape:
        raise ConfigurationError(
            "coefs does not hold lag matrices",
            found=f"an array of shape {lags.shape}",
            wanted="shape (order, n_series, n_series)",
        )
    order, n_series, _ = lags.shape
    radius = largest_root(lags)
    if radius > 1 + 1e-8:
        raise ConfigurationError(
            "the process explodes",
            found=f"a root of modulus {radius:.4f}",
            wanted="at most 1",
            remedy="shrink coefs",
        )
    level = np.zeros(n_series) if intercept is None else np.asarray(intercept, dtype=np.float64)
    covariance = np.eye(n_series) if noise_covariance is None else np.asarray(noise_covariance)
    for name, array, wanted in (
        ("intercept", level, (n_series,)),
        ("noise_covariance", covariance, (n_series, n_series)),
    ):
        if array.shape != wanted:
            raise ConfigurationError(
                f"{name} does not fit coefs", found=f"shape {array.shape}", wanted=f"shape {wanted}"
            )
    try:
        if not np.allclose(covariance, covariance.T):
            raise np.linalg.LinAlgError
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ConfigurationError(
            "noise_covariance is no covariance matrix",
            found=covariance.tolist(),
            wanted="a symmetric, positive definite matrix",
        ) from None
    n_time = burn_in + n_obs
    noise = np.random.default_rng(random_state).standard_normal((n_time, n_series)) @ factor.T
    series = np.zeros((order + n_time, n_series))
    # A step takes a single product: the newest row comes first, as lag 1 does in ``coefs``.
    side_by_side = np.concatenate(list(lags), axis=1)  # n_series, order * n_series
    for row in range(n_time):
        past = series[row : row + order][::-1].ravel()
        series[order + row] = level + side_by_side @ past + noise[row]
    return series[-n_obs:]


def largest_root(coefs: ArrayLike) -> float:
    """Return the largest modulus of the eigenvalues of the companion matrix.

    The process is stationary if the largest modulus is below 1, and moves like a random walk if the
    largest modulus is 1. The largest modulus is the inverse of the smallest modulus in
    ``VARResults.roots`` of statsmodels.

    Parameters
    ----------
    coefs : array of shape (order, n_series, n_series)
        Lag matrices, effect first: ``coefs[lag - 1, response, impulse]``.
    """
    lags = np.asarray(coefs, dtype=np.float64)
    order, n_series, _ = lags.shape
    companion = np.eye(order * n_series, k=-n_series)
    companion[:n_series] = np.concatenate(list(lags), axis=1)
    return float(np.abs(np.linalg.eigvals(companion)).max())
