"""Iterated candidates: own autoregressions, a vector autoregression, a shrunken one; closed form.

Letters: T rows of a regression, C series, p lags, K = p C regressors. Coefficients are
``[lag - 1, response, impulse]``. Values are deviations from a center, in units of one size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from samovar_forecast.linear.orders import ROWS_PER_COEFFICIENT
from samovar_forecast.linear.stability import largest_root, stays_within, with_roots_held

NUMBERS_IN_A_DESIGN = 20_000_000
"""Above that size of its design a regression uses the newest rows only."""

LARGEST_FITTED_ROOT = 1.05
"""An order whose fit has a larger root is not chosen, unless every order has."""

SMALLEST_PIVOT = 1e-8
"""Of a decomposition, relative to the largest: below it a regression is not identified."""

SMALLEST_SPREAD = 2e-3
"""Deviation of a principal component of series that deviate by 1: below it they are bound."""

Fit = tuple[np.ndarray, np.ndarray]
"""Coefficients (p, C, C) and intercept (C,) of a VAR."""


def size_of(values: np.ndarray) -> np.ndarray:
    """Return the deviation of each column of (n, C), (C,); 1 of a column that does not vary.

    A column whose squares are too small for any number is measured in units of its range.
    """
    reach = np.ptp(values, axis=0)
    unit = np.where(reach > 0, reach, 1.0)
    deviation = values.std(axis=0)
    in_reach = unit * ((values - values.mean(axis=0)) / unit).std(axis=0)
    return np.where(deviation > 0, deviation, np.where(reach > 0, in_reach, 1.0))


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

    Series may be bound by an identity, as a total is by its parts, perhaps rounded. Least squares
    knows nothing of what such a combination of them does, and holds it at its mean: the VAR is that
    of their principal components that move.
    """
    n_series = runs[0].shape[1]
    if n_series > 1:
        rows = np.concatenate(runs)
        size, mean = size_of(rows), rows.mean(axis=0)
        scaled = (rows - mean) / size
        squares, directions = np.linalg.eigh(scaled.T @ scaled / len(rows))
        moves = squares > SMALLEST_SPREAD**2
        if not moves.all():
            kept = directions[:, moves]  # C, components
            coefs, intercept = ols_var([(run - mean) / size @ kept for run in runs], max_order)
            held = size[:, None] * (kept @ coefs @ kept.T) / size
            return held, mean + size * (kept @ intercept) - held.sum(axis=0) @ mean
    while max_order > 0 and _n_regressed(runs, max_order) < ROWS_PER_COEFFICIENT * (
        max_order * n_series + 1
    ):
        max_order -= 1
    x, y = lag_design(runs, max_order)
    with_one = np.hstack([np.ones((len(x), 1)), x])
    q, _ = np.linalg.qr(with_one)
    explained = q.T @ y  # 1 + K, C: the orders are nested, so one decomposition serves all
    parts = explained[1:].reshape(max_order, n_series, n_series)
    first = y.T @ y - np.outer(explained[0], explained[0])
    gains = np.cumsum(parts.swapaxes(1, 2) @ parts, axis=0)
    residuals = np.concatenate([first[None], first - gains])  # orders C C
    signs, log_dets = np.linalg.slogdet(residuals / len(y))
    penalties = 2 * (np.arange(max_order + 1) * n_series**2 + n_series) / len(y)
    criteria = np.where(signs > 0, log_dets + penalties, np.inf)
    for chosen in np.argsort(criteria, kind="stable"):
        coefs, intercept, ahead, lags = _least_squares(runs, int(chosen))
        root = 1.0 if stays_within(coefs) else largest_root(coefs)
        if root <= LARGEST_FITTED_ROOT:
            break
    held = with_roots_held(coefs, root)
    if held is coefs:
        return coefs, intercept
    return held, ahead - np.einsum("pij,pj->i", held, lags)


def ols_ars(values: np.ndarray, max_order: int) -> list[Fit]:
    """Return :func:`ols_var` of each series (n, C) alone, of order 0 to ``max_order``."""
    n_rows, n_series = values.shape
    while max_order > 0 and n_rows - max_order < ROWS_PER_COEFFICIENT * (max_order + 1):
        max_order -= 1
    designs, ahead = _own_designs(values, max_order)
    explained = (np.linalg.qr(designs)[0].swapaxes(1, 2) @ ahead[:, :, None])[:, :, 0]  # C 1 + p
    residuals = np.square(ahead).sum(axis=1)[:, None] - np.cumsum(np.square(explained), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        criteria = (
            np.log(residuals / ahead.shape[1]) + 2 * np.arange(1, max_order + 2) / ahead.shape[1]
        )
    orders = np.argmin(np.where(residuals > 0, criteria, np.inf), axis=1)
    has_noise = residuals.min(axis=1) > SMALLEST_PIVOT * residuals[:, 0]
    found: list[Fit | None] = [None] * n_series
    for order in np.unique(orders[has_noise]):
        some = np.flatnonzero(has_noise & (orders == order))
        designs, ahead = _own_designs(values[:, some], order)
        q, r = np.linalg.qr(designs)
        sizes = np.abs(np.diagonal(r, axis1=1, axis2=2))
        is_sure = sizes.min(axis=1) > SMALLEST_PIVOT * sizes.max(axis=1)
        r[~is_sure] = np.eye(order + 1)
        solved = np.linalg.solve(r, q.swapaxes(1, 2) @ ahead[:, :, None])[:, :, 0]
        companions = np.repeat(np.eye(order, k=-1)[None], len(some), axis=0)
        companions[:, :1] = solved[:, None, 1:]
        roots = np.abs(np.linalg.eigvals(companions)).max(axis=1, initial=0.0)
        for place in np.flatnonzero(is_sure & (roots <= 1)):
            found[some[place]] = solved[place, 1:, None, None], solved[place, :1]
    return [
        ols_var([values[:, [c]]], max_order) if fit is None else fit for c, fit in enumerate(found)
    ]


def _own_designs(values: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a 1 and the lags of each series, (C, T, 1 + p), and what follows, (C, T)."""
    windows = sliding_window_view(values.T, order + 1, axis=1)  # C T 1 + p
    newest_first = windows[:, :, ::-1]
    designs = np.concatenate([np.ones_like(windows[:, :, :1]), newest_first[:, :, 1:]], axis=2)
    return designs, newest_first[:, :, 0]


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
