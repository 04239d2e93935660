"""The direct candidate: every step ahead by its own ridge regression on a series' own long past.

A window enters as its distance from its last value, and that value is put back: a level that moved
is no obstacle. Far steps may start from the mean of the window instead. Everything follows from
sums of products of a series with itself, so that no matrix of windows is ever built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RELATIVE_PENALTIES = np.geomspace(1e-5, 100.0, 15)


def window_products(values: np.ndarray, span: int) -> np.ndarray:
    """Return the sum of ``w w'`` over all windows of one series; (span, span).

    Entry (i + 1, j + 1) is entry (i, j) with the first product taken off and one put on.

    Parameters
    ----------
    values : array of shape (n,)
    span : int
        Length of a window.
    """
    n_windows = len(values) - span + 1
    if n_windows < 1:
        return np.zeros((span, span))
    products = np.empty((span, span))
    products[0] = [values[:n_windows] @ values[j : j + n_windows] for j in range(span)]
    for i in range(span - 1):
        gone, new = values[i] * values[: span - 1], values[i + n_windows] * values[n_windows:]
        products[i + 1, 1:] = products[i, :-1] - gone + new
        products[i + 1, 0] = products[0, i + 1]
    return products


def from_last_value(products: np.ndarray, length: int) -> np.ndarray:
    """Return the products of windows from which row ``length - 1`` was subtracted."""
    last = length - 1
    row = products[last]
    return products - row[None, :] - row[:, None] + row[last]


def from_mean(products: np.ndarray, length: int) -> np.ndarray:
    """Return the products of windows from which the mean of their first rows was subtracted."""
    row = products[:length].mean(axis=0)
    return products - row[None, :] - row[:, None] + row[:length].mean()


@dataclass(frozen=True)
class DirectForm:
    """How the direct candidate reads a window of ``length`` rows for ``n_steps`` steps ahead.

    Parameters
    ----------
    length, n_steps : int
    is_from_mean : bool, default=False
        Whether windows enter as distances from their mean (else: from their last value).
    """

    length: int
    n_steps: int
    is_from_mean: bool = False

    @property
    def span(self) -> int:
        """Rows of a window and of the steps after it."""
        return self.length + self.n_steps

    @property
    def n_past(self) -> int:
        """Numbers that are regressed on."""
        return self.length

    def products(self, windows: np.ndarray) -> np.ndarray:
        """Return the products of windows, (L + s, L + s), as products of their distances."""
        return (from_mean if self.is_from_mean else from_last_value)(windows, self.length)

    def own_lags(self, weights: np.ndarray) -> np.ndarray:
        """Return weights (L, s) as weights of the window, (s, 1, L), lag 1 first."""
        own = weights.T[:, None, ::-1].copy()
        taken_off = 1 - weights.sum(axis=0)[:, None]  # and put back
        if self.is_from_mean:
            own += taken_off[:, :, None] / self.length
        else:
            own[:, :, 0] += taken_off
        return own


def sum_of_products(runs: Sequence[np.ndarray], length: int, n_steps: int) -> np.ndarray:
    """Return the products of the windows of all runs, from their last value; (L + s, L + s)."""
    span = length + n_steps
    products = np.zeros((span, span))
    for run in runs:
        products += window_products(run, span)
    return from_last_value(products, length)


class RidgePath:
    """Ridge regressions of the steps ahead on the window, for all penalties, from products.

    Parameters
    ----------
    products : array of shape (L + s, L + s)
    length : int
        L.
    """

    def __init__(self, products: np.ndarray, length: int) -> None:
        self.length = length
        self.values, self.vectors = np.linalg.eigh(products[:length, :length])
        self.values = np.maximum(self.values, 0.0)
        self.unit = self.values.mean() or 1.0
        self.target = self.vectors.T @ products[:length, length:]  # L s

    def solve(self, relative_penalty: float) -> np.ndarray:
        """Return the weights of the window, (L, s)."""
        penalised = self.values + relative_penalty * self.unit
        return self.vectors @ (self.target / penalised[:, None])

    def errors(self, products: np.ndarray) -> np.ndarray:
        """Return the sum of squared errors on other windows, by penalty and step; (Q, s)."""
        length = self.length
        among = self.vectors.T @ products[:length, :length] @ self.vectors
        toward = self.vectors.T @ products[:length, length:]  # L s
        total = np.diagonal(products)[length:]
        found = []
        for penalty in RELATIVE_PENALTIES:
            weights = self.target / (self.values + penalty * self.unit)[:, None]  # L s
            fitted = (weights * (among @ weights - 2 * toward)).sum(axis=0)
            found.append(total + fitted)
        return np.array(found)
