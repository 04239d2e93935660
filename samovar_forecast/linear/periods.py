"""The cross-period candidate: a series continued from the values of the same phase of its periods.

A window is cut into periods, its mean is taken off, and one ridge regression, shared by all phases
and series, goes from the past values of a phase to its future values (the idea of SparseTSF: Lin et
al. 2024, arXiv:2405.00946, in closed form). It has few numbers and returns to the mean of the
window: far steps are where it helps. Everything follows from sums of products; no window is ever
built.

Letters: n rows, m season, P periods of the past, F periods ahead, s steps ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PeriodForm:
    """How the candidate reads a window of ``n_past`` seasons for ``n_steps`` steps ahead."""

    season: int
    n_past: int
    n_steps: int

    @property
    def length(self) -> int:
        """Rows of the window."""
        return self.season * self.n_past

    @property
    def n_ahead(self) -> int:
        """Periods ahead, F."""
        return -(-self.n_steps // self.season)

    @property
    def span(self) -> int:
        """Rows of a window and of the periods after it."""
        return self.season * (self.n_past + self.n_ahead)

    def products(self, runs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the products of the phases of all windows, from the window's mean; (P+F, P+F)."""
        size = self.n_past + self.n_ahead
        return np.sum([self._products(run) for run in runs] or [np.zeros((size, size))], axis=0)

    def _products(self, values: np.ndarray) -> np.ndarray:
        size, season = self.n_past + self.n_ahead, self.season
        n_windows = len(values) - self.span + 1
        if n_windows < 1:
            return np.zeros((size, size))
        until = np.concatenate([[0.0], np.cumsum(values)])
        means = (until[self.length :] - until[: -self.length])[:n_windows] / self.length
        # Row t is the phase j of the window that starts at t - j, for every j: it counts as often.
        phases = np.ones(season)
        count, first, second = (
            np.convolve(sums, phases) for sums in (np.ones(n_windows), means, np.square(means))
        )
        rows = np.arange(len(count))[:, None] + season * np.arange(size)
        by_phase = values[rows]  # t, P + F
        moved = by_phase.T @ first
        products = by_phase.T @ (count[:, None] * by_phase)
        return products - moved[:, None] - moved + second.sum()

    def own_lags(self, weights: np.ndarray) -> np.ndarray:
        """Return weights (P, F) as weights of the window, (s, 1, L), lag 1 first."""
        n_steps, length = self.n_steps, self.length
        steps = np.arange(n_steps)
        own = np.zeros((n_steps, length))
        rows = steps[:, None] % self.season + self.season * np.arange(self.n_past)  # s P
        chosen = weights.T[steps // self.season]
        own[steps[:, None], rows] = chosen
        own += (1 - chosen.sum(axis=1, keepdims=True)) / length
        return own[:, None, ::-1]
