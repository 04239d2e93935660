"""Iterated candidates: own autoregressions, a vector autoregression, a shrunken one; closed form.

Letters: T rows of a regression, C series, p lags, K = p C regressors. Coefficients are
``[lag - 1, response, impulse]``. Values are deviations from a center, in units of one size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samovar_forecast.linear.orders import ROWS_PER_COEFFICIENT

NUMBERS_IN_A_DESIGN = 20_000_000
"""Above that size of its design a regression uses the newest rows only."""

PENALTIES = np.geomspace(0.03, 3000.0, 11)
CROSS_WEIGHTS = (0.1, 0.3, 1.0)

PENALTIES_PER_ROW = np.geomspace(1e-6, 1e3, 19)
DECAYS = (0.0, 1.0, 2.0)


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
    ``log det(residual covariance) + 2 (p C^2 + C) / T``; the one chosen is fitted on all its rows.
    Gaps cost every run its first rows: orders that leave too few are not compared.
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
    best, chosen = np.inf, 0
    residual = y.T @ y - np.outer(explained[0], explained[0])
    for order in range(max_order + 1):
        if order:
            part = explained[1 + (order - 1) * n_series : 1 + order * n_series]
            residual = residual - part.T @ part
        sign, log_det = np.linalg.slogdet(residual / len(y))
        criterion = log_det + 2 * (order * n_series**2 + n_series) / len(y)
        if sign > 0 and criterion < best:
            best, chosen = criterion, order
    x, y = lag_design(runs, chosen)
    with_one = np.hstack([np.ones((len(x), 1)), x])
    solution = np.linalg.lstsq(with_one, y, rcond=None)[0]  # 1 + K, C
    return solution[1:].reshape(chosen, n_series, n_series).swapaxes(1, 2), solution[0]


def ridge_var(runs: Sequence[np.ndarray], order: int, season: int = 1, decay: float = 2.0) -> Fit:
    """Return coefficients (p, C, C) and intercept (C,) of a VAR shrunk as by Litterman (1986).

    Each coefficient is drawn toward its prior mean: 0, or 1 for the first own lag (a random
    walk). Later lags are drawn more, other series' lags more than own ones; an own lag next to
    one season counts as near. Each equation chooses prior mean, weight of the others and penalty
    by leave-one-out errors, in closed form.

    Parameters
    ----------
    runs : sequence of arrays of shape (n, C)
        In units in which the steps of all series are of one size.
    order : int
    season : int, default=1
        1 for none.
    decay : float, default=2.0
        Prior deviations fall with the distance of a lag, to this power.
    """
    n_series = runs[0].shape[1]
    x, y = lag_design(runs, order)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x, y = x - mean_x, y - mean_y
    lag = np.repeat(np.arange(1.0, order + 1), n_series)
    impulse = np.tile(np.arange(n_series), order)
    own_distance = np.minimum(lag, 2 + np.abs(lag - season)) if season > 1 else lag
    coefs = np.zeros((order * n_series, n_series))
    weights = CROSS_WEIGHTS if n_series > 1 else (1.0,)
    best = np.full(n_series, np.inf)
    for response in range(n_series):
        priors = np.zeros((order * n_series, 2))
        priors[response, 1] = 1.0  # the first own lag
        left = y[:, response, None] - x @ priors  # T 2
        for weight in weights:
            scale = np.where(impulse == response, own_distance**-decay, weight * lag**-decay)
            errors, solve = ridge_errors(x * scale, left, PENALTIES)
            mean = np.square(errors).mean(axis=1)  # penalties, priors
            number, prior = np.unravel_index(np.argmin(mean), mean.shape)
            if mean[number, prior] < best[response]:
                best[response] = mean[number, prior]
                shrunk = solve(PENALTIES[number])[:, prior]
                coefs[:, response] = scale * shrunk + priors[:, prior]
    intercept = mean_y - mean_x @ coefs
    return coefs.reshape(order, n_series, n_series).swapaxes(1, 2), intercept


def even_ridge_var(runs: Sequence[np.ndarray], orders: Sequence[int]) -> Fit:
    """Return coefficients (p, C, C) and intercept (C,) of a VAR shrunk evenly over all series.

    Own lags and those of others are drawn alike to 0, or to a random walk. Each equation chooses
    order, decay of later lags, prior mean and penalty by leave-one-out errors on the same rows.
    One decomposition serves all equations, so that many settings can be tried.

    Parameters
    ----------
    runs : sequence of arrays of shape (n, C)
    orders : sequence of int
        The orders that are tried, increasing.
    """
    largest, n_series = orders[-1], runs[0].shape[1]
    x, y = lag_design(runs, largest)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x, y = x - mean_x, y - mean_y
    n_rows = len(x)
    unit = np.sqrt(np.square(x[:, :n_series]).mean(axis=0))
    unit = np.where(unit > 0, unit, 1.0)
    x = x / np.tile(unit, largest)
    targets = np.hstack([y, y - x[:, :n_series] * unit]) / np.tile(unit, 2)  # T 2C
    gram, toward = x.T @ x, x.T @ targets
    best = np.full(n_series, np.inf)
    coefs = np.zeros((largest, n_series, n_series))
    for order in orders:
        k = order * n_series
        for decay in DECAYS if order > 1 else DECAYS[:1]:
            scale = np.repeat(np.arange(1.0, order + 1) ** -decay, n_series)
            squares, v = np.linalg.eigh(gram[:k, :k] * scale * scale[:, None])
            is_there = squares > 1e-12 * squares[-1:]
            squares, v = squares[is_there], v[:, is_there]
            rotated = (x[:, :k] * scale) @ v  # T J
            projected = v.T @ (scale[:, None] * toward[:k])  # J 2C
            for penalty in PENALTIES_PER_ROW * n_rows:
                shrunk = projected / (squares + penalty)[:, None]
                leverage = np.square(rotated) @ (1 / (squares + penalty)) + 1 / n_rows
                errors = (targets - rotated @ shrunk) / np.maximum(1 - leverage, 1e-6)[:, None]
                mean = np.square(errors).mean(axis=0).reshape(2, n_series)
                prior = np.argmin(mean, axis=0)
                for one in np.flatnonzero(mean.min(axis=0) < best):
                    best[one] = mean[prior[one], one]
                    solution = scale * (v @ shrunk[:, prior[one] * n_series + one])
                    coefs[:, one] = 0.0
                    coefs[:order, one] = solution.reshape(order, n_series)
                    coefs[0, one, one] += prior[one]
    coefs *= unit[:, None] / unit
    return coefs, mean_y - np.einsum("pij,pj->i", coefs, mean_x.reshape(largest, n_series))


def in_levels(coefs: np.ndarray, drift: np.ndarray) -> Fit:
    """Return the VAR of the levels that a VAR of the steps from row to row is."""
    order, n_series, _ = coefs.shape
    levels = np.zeros((order + 1, n_series, n_series))
    levels[0] = np.eye(n_series)
    levels[:order] += coefs
    levels[1:] -= coefs
    return levels, drift


def ridge_errors(
    x: np.ndarray, y: np.ndarray, penalties: np.ndarray
) -> tuple[np.ndarray, Callable[[float], np.ndarray]]:
    """Return the leave-one-out errors of ridge regressions, and their solutions.

    The intercept is not penalised: columns and y are centred, and each row's leverage counts
    1 / T more.

    Parameters
    ----------
    x : array of shape (T, K)
        Centred.
    y : array of shape (T, R)
        Centred.
    penalties : array of shape (Q,)
        Positive.

    Returns
    -------
    errors : array of shape (Q, T, R)
    solve : callable
        From a penalty to the coefficients, (K, R).
    """
    n_rows = len(x)
    # The smaller matrix of products says what a singular value decomposition does, much faster.
    is_tall = n_rows > x.shape[1]
    squares, vectors = np.linalg.eigh(x.T @ x if is_tall else x @ x.T)
    is_there = squares > 1e-12 * squares[-1:]
    squares, vectors = squares[is_there], vectors[:, is_there]
    singular = np.sqrt(squares)
    u, vt = (
        (x @ vectors / singular, vectors.T)
        if is_tall
        else (vectors, (vectors.T @ x) / singular[:, None])
    )
    uty = u.T @ y
    shrink = squares / (squares + penalties[:, None])  # Q J
    fitted = u @ (shrink[:, :, None] * uty)  # Q T R
    leverage = np.square(u) @ shrink.T + 1 / n_rows  # T Q
    errors = (y - fitted) / np.maximum(1 - leverage.T, 1e-6)[:, :, None]

    def solve(penalty: float) -> np.ndarray:
        return vt.T @ ((singular / (squares + penalty))[:, None] * uty)

    return errors, solve
