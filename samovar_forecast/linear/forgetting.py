"""A vector autoregression that forgets: its coefficients follow breaks and drifts.

Kalman recursions in which a forgetting factor stands for the covariance of the coefficients' moves
(Koop and Korobilis 2013, Journal of Econometrics 177:185-198, equations 6 to 9):

    P(t | t-1) = P(t-1) / factor
    gain = P x / (1 + x' P x)
    B(t) = B(t-1) + gain (y(t) - B(t-1)' x)'
    P(t) = P(t | t-1) - gain x' P(t | t-1)

``P`` is in units of the noise, so that all equations share it. There is no search: factor, order
and what the coefficients start from are those of the least squared one-step errors on a short grid.

Letters: n rows, C series, p order, K = 1 + p C regressors, G candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from samovar_forecast.linear.regressions import Fit
from samovar_forecast.linear.stability import with_roots_held

FACTORS = (0.94, 0.97, 0.99, 1.0)
ORDERS = (1, 2, 4)
SPREADS = (0.1, 0.4)
"""Deviations of the coefficients of lag 1 at the start; of lag l by l smaller."""

MOST_REGRESSORS = 49
ROWS_BEFORE_THE_FIRST_PART = 400
"""The filter starts at most so many rows before the end of the first part."""

SHARE_NOT_JUDGED = 0.25
"""Errors on this share of the rows, at the start, do not count."""


@dataclass(frozen=True)
class Filter:
    """Candidates of one order, all run at once.

    Each factor and spread is there twice: coefficients start from 0, and from a random walk. Both
    move by the same gains.

    Attributes
    ----------
    order : int
    factors, spreads : array of shape (G,)
    """

    order: int
    factors: np.ndarray
    spreads: np.ndarray

    @classmethod
    def grid(cls, order: int, factors: Sequence[float] = FACTORS) -> Filter:
        """Return all combinations of factor and spread."""
        rows = list(product(factors, SPREADS))
        return cls(order, *(np.array(column) for column in zip(*rows, strict=True)))

    def run(self, values: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Filter values (n, C), and yield what is known after p rows, after p + 1, up to n.

        Yields
        ------
        coefs : array of shape (G, K, 2, C)
            Of the constant, then of each series at each lag. Not to be kept: take a copy.
        errors : array of shape (G, 2, C)
            With which the last of these rows was forecast; 0 where it was not.
        """
        n_series, n_candidates = values.shape[1], len(self.factors)
        k = 1 + self.order * n_series
        lag = np.repeat(np.arange(1.0, self.order + 1), n_series)
        deviations = np.column_stack([np.ones(n_candidates), self.spreads[:, None] / lag])
        covariance = np.einsum("gk,kj->gkj", np.square(deviations), np.eye(k))
        largest = np.trace(covariance, axis1=1, axis2=2)
        coefs = np.zeros((n_candidates, k, 2, n_series))
        coefs[:, 1 : 1 + n_series, 1] = np.eye(n_series)
        coefs = coefs.reshape(n_candidates, k, 2 * n_series)
        error, actual = np.zeros((n_candidates, 2 * n_series)), np.tile(values, 2)
        for t in range(self.order, len(values) + 1):
            yield coefs.reshape(n_candidates, k, 2, n_series), error.reshape(-1, 2, n_series)
            if t == len(values):
                return
            x = np.append(1.0, values[t - self.order : t][::-1])
            covariance = covariance / self.factors[:, None, None]
            # Where nothing moves nothing is learned, and what was known must not be forgotten.
            excess = np.trace(covariance, axis1=1, axis2=2) / largest
            covariance = covariance / np.maximum(excess, 1.0)[:, None, None]
            moved = covariance @ x  # G K
            gain = moved / (1 + moved @ x)[:, None]
            error = actual[t] - x @ coefs  # G 2C
            coefs = coefs + gain[:, :, None] * error[:, None]
            covariance = covariance - gain[:, :, None] * moved[:, None]


def forgetting_vars(
    values: np.ndarray, ends: Sequence[int], longest: int = max(ORDERS)
) -> list[Fit | None]:
    """Return the VAR that forgets after each of some numbers of rows; None if they are too few.

    Parameters
    ----------
    values : array of shape (n, C)
        Finite, in units of one size around 0.
    ends : sequence of int
        Increasing.
    longest : int, optional
        Longest order that is tried.
    """
    n_series = values.shape[1]
    first = max(0, ends[0] - ROWS_BEFORE_THE_FIRST_PART)
    values, places = values[first:], {end - first: number for number, end in enumerate(ends)}
    unit = np.square(np.diff(values, axis=0)).mean(axis=0)
    unit = np.where(unit > 0, unit, 1.0)
    best = [np.inf] * len(ends)
    found: list[Fit | None] = [None] * len(ends)
    for order in ORDERS:
        k = 1 + order * n_series
        if order > longest or k > MOST_REGRESSORS or min(places) < 2 * order + 4:
            continue
        sums: list[np.ndarray] = []  # of the squares up to each row; G 2
        for end, (coefs, errors) in enumerate(Filter.grid(order).run(values), start=order):
            squares = (np.square(errors) / unit).mean(axis=2)
            sums.append(sums[-1] + squares if sums else squares)
            number = places.get(end)
            if number is None:
                continue
            start = int(SHARE_NOT_JUDGED * end)
            mean = (sums[-1] - sums[start]) / (end - order - start)
            place = np.unravel_index(np.argmin(mean), mean.shape)
            if mean[place] < best[number]:
                best[number] = float(mean[place])
                intercept, lags = np.split(coefs[place[0], :, place[1]], [1])  # 1 C, pC C
                by_lag = lags.reshape(order, n_series, n_series).swapaxes(1, 2)
                found[number] = by_lag.copy(), intercept[0].copy()
    return [None if fit is None else (with_roots_held(fit[0]), fit[1]) for fit in found]


def one_step_forecasts(values: np.ndarray, factors: Sequence[float] = FACTORS) -> np.ndarray:
    """Return one-step forecasts by VARs that forget, each from the rows before it.

    Factor, order, and what the coefficients start from, are those of the least squared one-step
    errors so far. With a factor of 1 alone the coefficients are constant: recursive least squares,
    shrunk to 0 or to a random walk.

    Parameters
    ----------
    values : array of shape (n, C)
        Finite, in units of one size around 0.
    factors : sequence of float, optional
        Forgetting factors that are tried.

    Returns
    -------
    array of shape (n, C)
        The first rows are forecast by 0.
    """
    n_rows, n_series = values.shape
    orders = [order for order in ORDERS if 1 + order * n_series <= MOST_REGRESSORS]
    errors = []  # per order n G C
    for order in orders or [1]:
        made = np.array([error for _, error in Filter.grid(order, factors).run(values)][1:])
        start = np.broadcast_to(values[:order, None], (order, made[0].size // n_series, n_series))
        errors.append(np.concatenate([start, made.reshape(n_rows - order, -1, n_series)]))
    every = np.concatenate(errors, axis=1)
    squares = np.square(every).mean(axis=2).cumsum(axis=0)
    before = np.concatenate([np.zeros((1, squares.shape[1])), squares[:-1]])
    best = before.argmin(axis=1)
    return np.asarray(values - every[np.arange(n_rows), best])
