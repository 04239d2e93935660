"""What every Jacobian of a forecast answers, written out in full, and a sum of Jacobians.

Letters: R weighted sums of the forecast's steps, C series, L context, K = P + C channels of which
the series are the last C, F future covariates, S static covariates. Time runs forward: row L - 1 of
a window is lag 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Jacobian(Protocol):
    """Derivative of weighted sums of a forecast's steps by one window, in units of the data."""

    @property
    def value(self) -> np.ndarray:
        """The weighted sums of the forecast themselves, (R, C)."""

    @property
    def unit(self) -> np.ndarray:
        """Size of the forecaster's unit in data units, (K,)."""

    @property
    def future(self) -> np.ndarray | None:
        """Derivative by the future covariates, (R, C, L + s, F)."""

    @property
    def static(self) -> np.ndarray | None:
        """Derivative by a series' own static covariates, (R, C, S)."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the dense form, (R, C, L, K)."""

    def block(self, series: int, channel: int) -> np.ndarray:
        """Return the derivative of a series by the whole past of a channel; (R, L)."""

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""

    def dense(self) -> np.ndarray:
        """Return the whole Jacobian; shape (R, C, L, K)."""

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return the Jacobian times a change of the window, (L, K) in data units; (R, C)."""


@dataclass(frozen=True)
class DenseJacobian:
    """A Jacobian whose numbers are all written out.

    Attributes
    ----------
    slope : array of shape (R, C, L, K)
    value : array of shape (R, C)
    unit : array of shape (K,)
    future : array of shape (R, C, L + s, F) or None
    static : array of shape (R, C, S) or None
    """

    slope: np.ndarray
    value: np.ndarray
    unit: np.ndarray
    future: np.ndarray | None = None
    static: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the dense form, (R, C, L, K)."""
        n_sums, n_series, n_rows, n_channels = self.slope.shape
        return n_sums, n_series, n_rows, n_channels

    def block(self, series: int, channel: int) -> np.ndarray:
        """Return the derivative of a series by the whole past of a channel; (R, L)."""
        return self.slope[:, series, :, channel]

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""
        return self.slope[:, :, rows]

    def dense(self) -> np.ndarray:
        """Return the whole Jacobian; shape (R, C, L, K)."""
        return self.slope

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return the Jacobian times a change of the window, (L, K) in data units; (R, C)."""
        return np.asarray(np.einsum("rctk,tk->rc", self.slope, change))


@dataclass(frozen=True)
class JacobianSum:
    """The sum of the Jacobians of several forecasts, whose windows may differ in length.

    Attributes
    ----------
    parts : tuple of Jacobian
        Their windows end at the same row.
    n_rows : int
        Rows of the longest window, L.
    n_ahead : int
        Rows of the future covariates after the window.
    """

    parts: tuple[Jacobian, ...]
    n_rows: int
    n_ahead: int

    @property
    def value(self) -> np.ndarray:
        """The weighted sums of the forecast themselves, (R, C)."""
        return np.asarray(sum(part.value for part in self.parts))

    @property
    def unit(self) -> np.ndarray:
        """Size of the forecaster's unit in data units, (K,)."""
        return self.parts[0].unit

    @property
    def future(self) -> np.ndarray | None:
        """Derivative by the future covariates, (R, C, L + s, F)."""
        padded = []
        for part in self.parts:
            if part.future is not None:
                before = self._rows_before(part)
                after = self.n_rows + self.n_ahead - before - part.future.shape[2]
                padded.append(np.pad(part.future, ((0, 0), (0, 0), (before, after), (0, 0))))
        return np.asarray(sum(padded)) if padded else None

    @property
    def static(self) -> np.ndarray | None:
        """Derivative by a series' own static covariates, (R, C, S)."""
        slopes = [part.static for part in self.parts if part.static is not None]
        return np.asarray(sum(slopes)) if slopes else None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the dense form, (R, C, L, K)."""
        n_sums, n_series, _, n_channels = self.parts[0].shape
        return n_sums, n_series, self.n_rows, n_channels

    def _rows_before(self, part: Jacobian) -> int:
        """Return how many rows of the longest window a part does not read."""
        return self.n_rows - part.shape[2]

    def block(self, series: int, channel: int) -> np.ndarray:
        """Return the derivative of a series by the whole past of a channel; (R, L)."""
        total = np.zeros((self.shape[0], self.n_rows))
        for part in self.parts:
            total[:, self._rows_before(part) :] += part.block(series, channel)
        return total

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""
        numbers = np.arange(self.n_rows)[rows]
        n_sums, n_series, _, n_channels = self.shape
        total = np.zeros((n_sums, n_series, len(numbers), n_channels))
        for part in self.parts:
            own = numbers - self._rows_before(part)
            total[:, :, own >= 0] += part.at_rows(own[own >= 0])
        return total

    def dense(self) -> np.ndarray:
        """Return the whole Jacobian; shape (R, C, L, K)."""
        return self.at_rows(slice(None))

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return the Jacobian times a change of the window, (L, K) in data units; (R, C)."""
        total = np.zeros(self.shape[:2])
        for part in self.parts:
            total += part.apply(change[self._rows_before(part) :])
        return total
