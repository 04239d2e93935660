"""Iterated candidates: own autoregressions, a vector autoregression, a shrunken one; closed form.

Letters: T rows of a regression, C series, p lags, K = p C regressors. Coefficients are
``[lag - 1, response, impulse]``. Values are deviations from a center, in units of one size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samovar_forecast.linear.orders import ROWS_PER_COEFFICIENT
from samovar_forecast.linear.stability import largest_root, stays_within, with_roots_held

NUMBERS_IN_A_DESIGN = 20_000_000
"""Above that size of its design a regression uses the newest rows only."""

LARGEST_FITTED_ROOT = 1.05
"""An order whose fit has a larger root is not chosen, unless every order has."""

Fit = tuple[np.ndarray, np.ndarray]
"""Coefficients (p, C, C) and intercept (C,) of a VAR."""


def lag_design(runs: Sequence[np.ndarray], order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return regressors (T, p C), the newest lag first, and what follows them (T, C)."""
    n_series = runs[0].shape[1]
    blocks, ahead = [np.empty((0, order * n_series))], [np.empty((0, n_series))]
    at_most = max(order + 1, NUMBERS_IN_A_DESIGN // max(1, order * n_series * len(runs)))
    for run in runs:
        rows = run[-at_most:]
        if len(rows) <= order:
            continue
        lags = [rows[order - lag : len(rows) - lag] for lag in range(1, order + 1)]
        blocks.append(np.hstack(lags) if lags else np.empty((len(rows), 0)))
        ahead.append(rows[order:])
    return np.concatenate(blocks), np.concatenate(ahead)


def _n_regressed(runs: Sequence[np.ndarray], order: int) -> int:
    """Return how many rows have all their lags."""
    return sum(max(0, len(run) - order) for run in runs)


def ols_var(runs: Sequence[np.ndarray], max_order: int) -> Fit:
    """Return coefficients (p, C, C) and intercept (C,) of the VAR by least squares and AIC.

    The orders 0 to ``max_order`` are compared on the same rows, by statsmodels'
    ``log det(residual covariance) + 2 (p C^2 + C) / T``; the chosen order is fitted on all its
    rows. Gaps cost every run its first rows: orders that leave too few are not compared. An order
    whose fit has a root well outside the unit circle is passed over for the next best; a root that
    is left just outside is held at 1, the line through the means kept.
    """
    n_series = runs[0].shape[1]
    while max_order > 0 and _n_regressed(runs, max_order) < ROWS_PER_COEFFICIENT * (
        max_order * n_series + 1
    ):
        max_order -= 1
    x, y = lag_design(runs, max_order)
    with_one = np.hstack([np.ones((len(x), 1)), x])
    q, _ = np.linalg.qr(with_one)
    explained = q.T @ y  # 1 + K, C: the orders are nested, so one decomposition serves all
    criteria = []
    residual = y.T @ y - np.outer(explained[0], explained[0])
    for order in range(max_order + 1):
        if order:
            part = explained[1 + (order - 1) * n_series : 1 + order * n_series]
            residual = residual - part.T @ part
        sign, log_det = np.linalg.slogdet(residual / len(y))
        penalty = 2 * (order * n_series**2 + n_series) / len(y)
        criteria.append(log_det + penalty if sign > 0 else np.inf)
    for chosen in np.argsort(criteria, kind="stable"):
        coefs, intercept, ahead, lags = _least_squares(runs, int(chosen))
        root = 1.0 if stays_within(coefs) else largest_root(coefs)
        if root <= LARGEST_FITTED_ROOT:
            break
    held = with_roots_held(coefs, root)
    if held is coefs:
        return coefs, intercept
    return held, ahead - np.einsum("pij,pj->i", held, lags)


def _least_squares(
    runs: Sequence[np.ndarray], order: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients, intercept, and the means of what is regressed and of its lags (p, C)."""
    n_series = runs[0].shape[1]
    x, y = lag_design(runs, order)
    with_one = np.hstack([np.ones((len(x), 1)), x])
    solution = np.linalg.lstsq(with_one, y, rcond=None)[0]  # 1 + K, C
    coefs = solution[1:].reshape(order, n_series, n_series).swapaxes(1, 2)
    return coefs, solution[0], y.mean(axis=0), x.mean(axis=0).reshape(order, n_series)


def in_levels(coefs: np.ndarray, drift: np.ndarray) -> Fit:
    """Return the VAR of the levels that a VAR of the steps from row to row is."""
    order, n_series, _ = coefs.shape
    levels = np.zeros((order + 1, n_series, n_series))
    levels[0] = np.eye(n_series)
    levels[:order] += coefs
    levels[1:] -= coefs
    return levels, drift
