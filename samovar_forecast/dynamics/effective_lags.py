"""How many lags a VAR of many lags really has: those that hold nearly all of the weight.

A forecast reads all of its context, and a smoothing or seasonal forecast gives a little to every
row of it. These coefficients are many and change their signs, so that their sizes add up to a
third of all sizes, and move the forecast by next to nothing. The weight of a lag is therefore the
sum of the *squares* of its coefficients, each in standard deviations of response and impulse: its
share of the variance that independent errors in the rows would bring into the forecast, if each
were the same share of the deviation of its series.

What small weights beyond these lags add up to, in a lasting change, is a sum of its own:
`sum_beyond`.
"""

from __future__ import annotations

import numpy as np

SHARE = 0.95
"""Share of the weight that the effective lags hold."""


def lag_shares(coefs: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Return the share of the weight of all coefficients at every lag, per response.

    Parameters
    ----------
    coefs : array of shape (order, C, C)
        ``coefs[lag - 1, response, impulse]``.
    deviations : array of shape (C,)
        Standard deviation of every series; positive.

    Returns
    -------
    array of shape (order, C)
        Each column sums to one, or is 0 where there is no coefficient.
    """
    weight = ((coefs * deviations) ** 2).sum(axis=2) / deviations**2
    total = weight.sum(axis=0)
    return np.asarray(weight / np.where(total > 0, total, 1.0))


def effective_lags(shares: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Return the smallest number of lags that hold a share of the weight, (C,); 0 without weight.

    Parameters
    ----------
    shares : array of shape (order, C)
        As :func:`lag_shares` gives them, lag 1 first.
    share : float
    """
    lacking = shares.cumsum(axis=0) < share - 1e-12
    return np.where(shares.any(axis=0), lacking.sum(axis=0) + 1, 0)


def sum_beyond(coefs: np.ndarray, n_lags: np.ndarray) -> np.ndarray:
    """Return what the own coefficients of lags beyond the first so many add up to, (C,).

    Parameters
    ----------
    coefs : array of shape (order, C, C)
    n_lags : int array of shape (C,)
    """
    own = np.diagonal(coefs, axis1=1, axis2=2)  # order C
    is_beyond = np.arange(len(coefs))[:, None] >= n_lags
    return np.asarray((own * is_beyond).sum(axis=0))
