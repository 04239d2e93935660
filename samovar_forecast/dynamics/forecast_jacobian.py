"""The Jacobian of a forecast with respect to its window, kept in factored form.

Letters: R weighted sums of the forecast's steps, C series, L context, P past covariates,
F future covariates, S static covariates, K = P + C channels (the series are the last C).
Time runs forward: row L - 1 of a window is lag 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class ForecastJacobian:
    """Derivative of ``weights @ forecast`` with respect to one window, in data units.

    With z the normalised window, the series c is ``location_c + scale_c * f_c(z_c, mix_c @ z)``.
    So only d f / d z_c (``own``) and d f / d (mix_c @ z) (``mixed``) are stored, 2 R C L numbers
    in place of R C L K; any part of the Jacobian follows in closed form:

    ``d yhat_c / d x_{t,k} = scale_c / scale_k * (D_t - m_t sum(D) - e_t sum(D z_k))``, with
    ``D = [c = k] own_c + mix_{c,k} mixed_c`` and m, e the slopes of location and scale; plus
    ``sum(weights) m_t + f_c e_t`` where c = k. Where a value is missing, D, m and e are 0.

    Attributes
    ----------
    weights : array of shape (R, s)
    level : array of shape (R, C)
        The weighted normalised forecast, f.
    value : array of shape (R, C)
        The weighted forecast itself, in units of the data.
    own : array of shape (R, C, L)
    mixed : array of shape (R, C, L) or None
        None where the series are forecast from themselves alone.
    mix : array of shape (C, K) or None
    normalised : array of shape (L, K)
    observed : array of shape (L, K)
        1 where there is a value, 0 where it is missing.
    scale : array of shape (K,)
        What the normalisation divided by; 0 for a window that is constant.
    location_slope, scale_slope : array of shape (L, K)
    unit : array of shape (K,)
        Size of the network's unit in data units.
    future : array of shape (R, C, L + s, F) or None
        Derivative with respect to the future covariates.
    static : array of shape (R, C, S) or None
    """

    weights: np.ndarray
    level: np.ndarray
    value: np.ndarray
    own: np.ndarray
    mixed: np.ndarray | None
    mix: np.ndarray | None
    normalised: np.ndarray
    observed: np.ndarray
    scale: np.ndarray
    location_slope: np.ndarray
    scale_slope: np.ndarray
    unit: np.ndarray
    future: np.ndarray | None = None
    static: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the dense form, (R, C, L, K)."""
        return (*self.own.shape, len(self.scale))

    @property
    def n_past(self) -> int:
        """Number of past covariates, P."""
        return len(self.scale) - self.own.shape[1]

    @cached_property
    def _ratio(self) -> np.ndarray:
        """Scale of each series over that of each channel, in data units; shape (C, K)."""
        safe = np.where(self.scale == 0, 1.0, self.scale * self.unit)
        inverse = np.where(self.scale == 0, 0.0, 1.0 / safe)
        return (self.scale * self.unit)[self.n_past :, None] * inverse

    @cached_property
    def _through(self) -> np.ndarray:
        """Factor of ``mixed`` in every block: mix times ratio; shape (C, K)."""
        assert self.mix is not None
        return self.mix * self._ratio

    @cached_property
    def _own_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of own and of own times z; shape (R, C) each."""
        total = np.einsum("rct,tc->rc", self.own, self.observed[:, self.n_past :])
        by_level = np.einsum("rct,tc->rc", self.own, self.normalised[:, self.n_past :])
        return total, by_level

    @cached_property
    def _mixed_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of mixed over the values of every channel, and of mixed times z; (R, C, K)."""
        assert self.mixed is not None
        return self.mixed @ self.observed, self.mixed @ self.normalised

    def block(self, series: int, channel: int) -> np.ndarray:
        """Return the derivative of one series by the whole past of one channel; (R, L)."""
        slope = np.zeros((self.own.shape[0], self.own.shape[2]))
        m, e = self.location_slope[:, channel], self.scale_slope[:, channel]
        if self.mixed is not None:
            total, by_level = self._mixed_sums
            slope += self._through[series, channel] * (
                self.mixed[:, series] * self.observed[:, channel]
                - total[:, series, channel, None] * m
                - by_level[:, series, channel, None] * e
            )
        if channel == series + self.n_past:
            total, by_level = self._own_sums
            slope += self._ratio[series, channel] * (
                self.own[:, series] * self.observed[:, channel]
                - total[:, series, None] * m
                - by_level[:, series, None] * e
            )
            slope += self.weights.sum(1)[:, None] * m + self.level[:, series, None] * e
        return slope

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""
        m, e = self.location_slope[rows], self.scale_slope[rows]  # n K
        n_rows, n_series = len(m), self.own.shape[1]
        slope = np.zeros((self.own.shape[0], n_series, n_rows, len(self.scale)))
        if self.mixed is not None:
            total, by_level = self._mixed_sums
            slope += self.mixed[:, :, rows, None] * self.observed[rows]
            slope -= total[:, :, None, :] * m
            slope -= by_level[:, :, None, :] * e
            slope *= self._through[:, None, :]
        total, by_level = self._own_sums
        own_m, own_e = m[:, self.n_past :].T, e[:, self.n_past :].T  # C n
        ratio = np.diagonal(self._ratio[:, self.n_past :])[:, None]  # C 1
        own = ratio * (
            self.own[:, :, rows] * self.observed[rows, self.n_past :].T
            - total[..., None] * own_m
            - by_level[..., None] * own_e
        )
        own += self.weights.sum(1)[:, None, None] * own_m + self.level[..., None] * own_e
        series = np.arange(n_series)
        slope[:, series, :, self.n_past + series] += own.swapaxes(0, 1)
        return slope

    def dense(self) -> np.ndarray:
        """Return the whole Jacobian; shape (R, C, L, K)."""
        return self.at_rows(slice(None))

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return the Jacobian times a change of the window, (L, K) in data units; (R, C)."""
        moved = np.where(self.observed > 0, change, 0.0) / self.unit
        location = np.einsum("tk,tk->k", self.location_slope, moved)
        scale = np.einsum("tk,tk->k", self.scale_slope, moved)
        safe = np.where(self.scale == 0, 1.0, self.scale)
        tangent = np.where(
            self.scale == 0, 0.0, (moved - location - self.normalised * scale) / safe
        )  # L K
        tangent *= self.observed
        own = slice(self.n_past, None)
        total = np.einsum("rct,tc->rc", self.own, tangent[:, own])
        if self.mixed is not None and self.mix is not None:
            total += np.einsum("rct,tc->rc", self.mixed, tangent @ self.mix.T)
        total *= self.scale[own]
        total += self.weights.sum(1)[:, None] * location[own] + self.level * scale[own]
        return total * self.unit[own]
