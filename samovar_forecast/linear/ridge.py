"""Ridge regressions with their leave-one-out errors in closed form: the kernel of every ridge VAR.

A row that is forecast by the regression without it costs no refit: ``e_i / (1 - h_ii)``, with the
residuals ``e`` and the diagonal ``h`` of the hat matrix (Allen 1974, Technometrics 16:125-127).

Letters: T rows, K regressors, R targets, J directions in which the regressors vary.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

SMALLEST_POWER = 1e-12
"""Directions with less of the largest one's power are left out."""

MANY_ROWS = 1000

NUMBERS_AT_ONCE = 4_000_000
"""Errors are computed for so many penalties at once that no array is much larger."""


class RidgeRegressions:
    """Ridge regressions of many targets on the same rows, for any penalty by one decomposition.

    The intercept is not penalised: columns and targets are centred, and the leverage of each row
    counts 1 / T more.

    Parameters
    ----------
    x : array of shape (T, K)
        Centred regressors.
    targets : array of shape (T, R)
        Centred.
    gram : array of shape (K, K), optional
        ``x.T @ x``, where it is known already.
    """

    def __init__(self, x: np.ndarray, targets: np.ndarray, gram: np.ndarray | None = None) -> None:
        self.targets, self._x, n_rows = targets, x, len(x)
        # The smaller matrix of products says what a singular value decomposition does, much faster.
        self._is_tall = n_rows > x.shape[1]
        if self._is_tall:
            power, vectors = np.linalg.eigh(x.T @ x if gram is None else gram)
            is_there = power > SMALLEST_POWER * power[-1:]
            self.power, self._vectors = power[is_there], vectors[:, is_there]  # J; K J
            self._projected = self._vectors.T @ (x.T @ targets)  # J R
        else:
            power, left = np.linalg.eigh(x @ x.T)
            is_there = power > SMALLEST_POWER * power[-1:]
            self.power, left = power[is_there], left[:, is_there]
            self._vectors = x.T @ left / np.sqrt(self.power)
            self._projected = np.sqrt(self.power)[:, None] * (left.T @ targets)

    @cached_property
    def _rotated(self) -> np.ndarray:
        """Return the rows along the directions, (T, J)."""
        return self._x @ self._vectors

    def errors(self, penalty: float) -> np.ndarray:
        """Return the leave-one-out errors, (T, R)."""
        weights = 1 / (self.power + penalty)
        leverage = np.square(self._rotated) @ weights + 1 / len(self.targets)
        residuals = self.targets - self._rotated @ (weights[:, None] * self._projected)
        return residuals / np.maximum(1 - leverage, 1e-6)[:, None]

    def mean_squares(self, penalties: np.ndarray) -> np.ndarray:
        """Return the mean squared leave-one-out errors, (number of penalties, R).

        From :data:`MANY_ROWS` rows on, with four for each regressor, all rows count with the mean
        leverage (generalised cross-validation: Golub, Heath and Wahba 1979), which needs no error.
        """
        n_rows, n_targets = self.targets.shape
        if n_rows >= max(MANY_ROWS, 4 * self._x.shape[1]):
            return self._with_mean_leverage(penalties)
        squares = np.square(self._rotated)
        at_once = max(1, NUMBERS_AT_ONCE // max(1, n_rows * n_targets))
        found = []
        for some in np.array_split(penalties, -(-len(penalties) // at_once)):
            weights = 1 / (self.power[:, None] + some)  # J Q
            shrunk = self._projected[:, :, None] * weights[:, None]  # J R Q
            fitted = self._rotated @ shrunk.reshape(len(weights), -1)
            kept = np.maximum(1 - 1 / n_rows - squares @ weights, 1e-6)  # T Q
            # Penalties come last: they are more than the targets, and the longer loop is quicker.
            errors = self.targets[:, :, None] - fitted.reshape(n_rows, n_targets, -1)
            errors /= kept[:, None]
            found.append(np.einsum("trq,trq->qr", errors, errors) / n_rows)
        return np.concatenate(found)

    def _with_mean_leverage(self, penalties: np.ndarray) -> np.ndarray:
        n_rows = len(self.targets)
        weights = 1 / (self.power + penalties[:, None])  # Q J
        explained = 2 * weights - self.power * np.square(weights)
        total = np.square(self.targets).sum(axis=0)
        mean = np.maximum(total - explained @ np.square(self._projected), 0.0) / n_rows
        leverage = (weights @ self.power + 1) / n_rows
        return mean / np.square(1 - leverage)[:, None]

    def solve(self, penalty: float, target: int | None = None) -> np.ndarray:
        """Return the coefficients, (K, R), or those of one target, (K,)."""
        shrunk = self._projected / (self.power + penalty)[:, None]
        return np.asarray(self._vectors @ (shrunk if target is None else shrunk[:, target]))
