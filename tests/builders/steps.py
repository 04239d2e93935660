"""One-step maps with known responses: a linear VAR, and a map with a threshold."""

from __future__ import annotations

import numpy as np
from statsmodels.tsa.vector_ar.var_model import VARProcess

COEFS = np.array(
    [
        [[0.5, 0.2, 0.0], [0.0, 0.4, 0.3], [-0.2, 0.0, 0.3]],
        [[0.1, 0.0, 0.1], [0.2, -0.2, 0.0], [0.0, 0.1, 0.1]],
    ]
)
INTERCEPT = np.array([0.3, -0.1, 2.0])
SIGMA = np.array([[1.0, 0.4, 0.1], [0.4, 2.0, -0.3], [0.1, -0.3, 0.5]])
NAMES = ("output", "prices", "rate")

CHAIN = np.array([[[0.5, 0.0, 0.0], [0.5, 0.3, 0.0], [0.0, 0.5, 0.2]]])
"""A VAR(1) in which a acts on b, and b on c."""
CHAIN_NAMES = ("a", "b", "c")


def linear_step(coefs, intercept=0.0):
    """Return the conditional mean of a VAR that reads the last lags of longer windows."""

    def step(windows):
        lags = windows[:, ::-1][:, : len(coefs)]  # newest first
        return intercept + np.einsum("prc,bpc->br", coefs, lags)

    return step


STEP = linear_step(COEFS, INTERCEPT)


def threshold_step(windows):
    """Return responses: strong after a rise, weak after a fall, none in a calm state."""
    x, z = windows[:, -1, 0], windows[:, -1, 1]
    return np.stack(
        [0.5 * np.where(x > 0, x, 0.2 * x), 0.8 * np.abs(windows[:, -2, 0]) * z], axis=1
    )


def pesaran_shin_shares(coefs, sigma, horizon):
    """Return the closed form, each row divided by its sum."""
    ma = VARProcess(coefs, np.zeros((len(sigma), 1)), sigma).ma_rep(horizon - 1)
    squares = ((ma @ sigma) ** 2 / np.diag(sigma)).sum(axis=0)
    variances = sum(np.diag(phi @ sigma @ phi.T) for phi in ma)
    shares = squares / variances[:, None]
    return shares / shares.sum(axis=1, keepdims=True)
