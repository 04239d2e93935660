"""A vector autoregression by ridge regression, order and penalty by closed-form leave-one-out.

Each equation chooses for itself among orders, penalties, priors on how fast lags fade and how much
other series matter (Litterman 1986), and two on where the forecast is pulled to: the mean, or the
last value. All candidates are scored on the
same rows, each row forecast by the equation fitted without it, which costs no refit:
``e_i / (1 - h_ii)`` with the residuals ``e`` and the diagonal ``h`` of the hat matrix (Allen 1974,
Technometrics 16:125-127).

Letters: n rows, C series, p order, k = C p regressors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

PENALTIES = np.logspace(-6, 3, 19)
"""Penalties that are tried, a row; regressors have unit variance."""
DECAYS = (0.0, 1.0, 2.0)
"""Lag l is scaled by l to the power -decay: long lags are shrunk harder, but for 0."""
CROSS_WEIGHTS = (0.3, 0.1)
"""The lags of other series are scaled by these too, and so shrunk harder than own ones."""
MOST_WORK = 1e8
"""Equations times rows times squared regressors, from which that is not tried."""


@dataclass(frozen=True, eq=False)
class RidgeVARFit:
    """A fitted ridge VAR, in the units of the data.

    Parameters
    ----------
    coefs : ndarray of shape (p, C, C)
        ``coefs[lag - 1, response, impulse]``; p is the largest order among the equations.
    intercept : ndarray of shape (C,)
    sigma_u : ndarray of shape (C, C)
        Second moments of the leave-one-out errors.
    orders, penalties, decays : ndarray of shape (C,)
        What each equation chose.
    towards_last_value : ndarray of bool, shape (C,)
        Whether an equation is pulled towards the last value (else: the mean).
    """

    coefs: np.ndarray
    intercept: np.ndarray
    sigma_u: np.ndarray
    orders: np.ndarray
    penalties: np.ndarray
    decays: np.ndarray
    towards_last_value: np.ndarray

    def forecast(self, recent: np.ndarray, steps: int) -> np.ndarray:
        """Return the rows that follow ``recent``, which holds at least p rows."""
        order = len(self.coefs)
        path = list(recent[len(recent) - order :])
        for _ in range(steps):
            newest_first = np.asarray(path[: -order - 1 : -1])  # p C
            path.append(self.intercept + np.einsum("pij,pj->i", self.coefs, newest_first))
        return np.asarray(path[order:])


def _priors(
    lag_scale: np.ndarray, n_series: int, n_rows: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield equations, and the scale of their regressors: all alike, then others shrunk harder.

    The second needs a decomposition for each equation, and is left out where that is long.
    """
    everyone = np.arange(n_series)
    yield everyone, lag_scale
    if n_series == 1 or n_series * n_rows * len(lag_scale) ** 2 > MOST_WORK:
        return
    impulse = np.tile(everyone, len(lag_scale) // n_series)
    for equation in everyone:
        for weight in CROSS_WEIGHTS:
            yield everyone[[equation]], lag_scale * np.where(impulse == equation, 1.0, weight)


def fit_ridge_var(values: np.ndarray, orders: list[int]) -> RidgeVARFit:
    """Fit every equation at the order, penalty and prior of least leave-one-out error.

    Parameters
    ----------
    values : ndarray of shape (n_observations, C)
        Finite, with more rows than the largest order plus 2. A column that does not vary is
        forecast to stay where it is.
    orders : list of int
        The orders to try, increasing.
    """
    largest, n_series = orders[-1], values.shape[1]
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    deviation = np.where(np.ptp(values, axis=0) > 0, deviation, 1.0)
    z = (values - mean) / deviation
    n = len(z) - largest
    lags = np.hstack([z[largest - lag : len(z) - lag] for lag in range(1, largest + 1)])  # n k
    lag_means = lags.mean(axis=0)
    lags -= lag_means
    gram = lags.T @ lags
    targets = np.hstack([z[largest:], z[largest:] - z[largest - 1 : -1]])  # n 2C
    target_means = targets.mean(axis=0)
    targets -= target_means

    best_error = np.full(n_series, np.inf)
    chosen: list[tuple[int, float, float, bool]] = [(orders[0], 0.0, 0.0, False)] * n_series
    coefs = np.zeros((largest, n_series, n_series))
    intercept = np.zeros(n_series)
    errors = np.zeros((n, n_series))
    for order in orders:
        k = order * n_series
        for decay in DECAYS if order > 1 else DECAYS[:1]:
            lag_scale = np.repeat(np.arange(1.0, order + 1) ** -decay, n_series)  # k
            for equations, scale in _priors(lag_scale, n_series, n):
                columns = np.concatenate([equations, equations + n_series])
                powers, vectors = np.linalg.eigh(gram[:k, :k] * scale * scale[:, None])
                kept = powers > powers[-1] * 1e-12
                power, vectors = powers[kept], vectors[:, kept]
                rotated = (lags[:, :k] * scale) @ vectors  # n r
                projected = rotated.T @ targets[:, columns]
                squares = rotated**2
                for penalty in PENALTIES * n:
                    weights = projected / (power + penalty)[:, None]
                    left_out = (targets[:, columns] - rotated @ weights) / (
                        1 - 1 / n - squares @ (1 / (power + penalty))
                    )[:, None]
                    score = (left_out**2).mean(axis=0)
                    for place in np.flatnonzero(score < np.tile(best_error[equations], 2)):
                        column = int(columns[place])
                        towards_last, equation = divmod(column, n_series)
                        if score[place] >= best_error[equation]:
                            continue
                        best_error[equation] = score[place]
                        chosen[equation] = (order, penalty / n, decay, bool(towards_last))
                        row = scale * (vectors @ weights[:, place])
                        coefs[:, equation] = 0.0
                        coefs[:order, equation] = row.reshape(order, n_series)
                        intercept[equation] = target_means[column] - row @ lag_means[:k]
                        coefs[0, equation, equation] += towards_last
                        errors[:, equation] = left_out[:, place]
    order = max(order for order, *_ in chosen)
    coefs = coefs[:order] * deviation[:, None] / deviation
    errors = errors * deviation
    return RidgeVARFit(
        coefs=coefs,
        intercept=mean + intercept * deviation - coefs.sum(axis=0) @ mean,
        sigma_u=errors.T @ errors / n,
        orders=np.array([order for order, *_ in chosen]),
        penalties=np.array([penalty for _, penalty, *_ in chosen]),
        decays=np.array([decay for *_, decay, _ in chosen]),
        towards_last_value=np.array([towards for *_, towards in chosen]),
    )
