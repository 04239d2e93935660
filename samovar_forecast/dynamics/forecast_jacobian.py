"""The Jacobian of a forecast with respect to its window, kept in factored form.

Letters: R weighted sums of the forecast's steps, C series, L context, P past covariates,
F future covariates, S static covariates, K = P + C channels (the series are the last C).
Time runs forward: row L - 1 of a window is lag 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class LinearPart:
    """What a linear map of the series adds to a Jacobian: the anchor's share, in data units.

    Attributes
    ----------
    own : array of shape (R, C, p)
        On a series' own lags, lag 1 first.
    cross : array of shape (R, C, q, C)
        ``cross[:, response, lag - 1, impulse]``.
    source : int array of shape (L, C)
        Row whose value stands at each row: its own row, or the row that fills a gap.
    observed : array of shape (L, C)
        1 where there is a value.
    """

    own: np.ndarray
    cross: np.ndarray
    source: np.ndarray
    observed: np.ndarray

    def block(self, series: int, impulse: int) -> np.ndarray:
        """Return the derivative of a series by the past of a series; shape (R, L)."""
        length = len(self.source)
        by_row = np.zeros((self.own.shape[0], length))
        if impulse == series:
            by_row[:, length - self.own.shape[2] :] += self.own[:, series, ::-1]
        by_row[:, length - self.cross.shape[2] :] += self.cross[:, series, ::-1, impulse]
        slope = np.zeros_like(by_row)
        np.add.at(slope.T, self.source[:, impulse], by_row.T)
        return slope * self.observed[:, impulse]

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows; shape (R, C, rows, C)."""
        n_series = self.own.shape[1]
        lags = len(self.source) - np.arange(len(self.source))[rows]  # n
        if np.all(self.source == np.arange(len(self.source))[:, None]) and self.observed.all():
            slope = np.zeros((self.own.shape[0], n_series, len(lags), n_series))
            near = lags <= self.cross.shape[2]
            slope[:, :, near] += self.cross[:, :, lags[near] - 1]
            near = lags <= self.own.shape[2]
            series = np.arange(n_series)
            slope[:, series[:, None], np.flatnonzero(near), series[:, None]] += self.own[
                :, :, lags[near] - 1
            ]
            return slope
        blocks = [
            np.stack([self.block(c, k)[:, rows] for k in range(n_series)], axis=-1)
            for c in range(n_series)
        ]
        return np.stack(blocks, axis=1)

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return the derivative times a change of the series, (L, C); shape (R, C)."""
        filled = np.take_along_axis(change * self.observed, self.source, axis=0)[::-1]
        total = np.einsum("rcp,pc->rc", self.own, filled[: self.own.shape[2]])
        return total + np.einsum("rcqk,qk->rc", self.cross, filled[: self.cross.shape[2]])


@dataclass(frozen=True)
class ForecastJacobian:
    """Derivative of ``weights @ forecast`` with respect to one window, in data units.

    With z the normalised window, the series c is ``location_c + scale_c * f_c(z_c, mix_c @ z)``.
    So only d f / d z_c (``own``) and d f / d (mix_c @ z) (``mixed``) are stored, 2 R C L numbers
    in place of R C L K; any part of the Jacobian follows in closed form:

    ``d yhat_c / d x_{t,k} = scale_c / scale_k * (D_t - m_t sum(D) - e_t sum(D z_k))``, with
    ``D = [c = k] own_c + mix_{c,k} mixed_c`` and m, e the slopes of location and scale; plus
    ``w_c m_t + f_c e_t`` where c = k. Where a value is missing, D, m and e are 0. An anchor adds
    its own coefficients; the weights are then the weights of the network's share.

    Attributes
    ----------
    weight : array of shape (R, C)
        Sum of the weights over the steps, w.
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
    linear : LinearPart or None
        The anchor's share.
    has_values : bool
        Whether the values act, beside the location and the scale that are taken of them.
    """

    weight: np.ndarray
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
    linear: LinearPart | None = None
    has_values: bool = True

    def of(self, part: str) -> ForecastJacobian:
        """Return a part of the derivative: see ``forecast_map.Part``."""
        if part == "total":
            return self
        nothing = np.zeros_like(self.location_slope)
        location_slope = self.location_slope if part == "level" else nothing
        scale_slope = self.scale_slope if part == "scale" else nothing
        if part == "dynamics":
            return replace(self, location_slope=location_slope, scale_slope=scale_slope)
        return replace(
            self,
            location_slope=location_slope,
            scale_slope=scale_slope,
            future=None if self.future is None else np.zeros_like(self.future),
            static=None if self.static is None else np.zeros_like(self.static),
            linear=None,
            has_values=False,
        )

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
        """Return the derivative of a series by the whole past of a channel; (R, L)."""
        slope = np.zeros((self.own.shape[0], self.own.shape[2]))
        m, e = self.location_slope[:, channel], self.scale_slope[:, channel]
        if self.mixed is not None:
            total, by_level = self._mixed_sums
            slope += self._through[series, channel] * (
                self.has_values * self.mixed[:, series] * self.observed[:, channel]
                - total[:, series, channel, None] * m
                - by_level[:, series, channel, None] * e
            )
        if channel == series + self.n_past:
            total, by_level = self._own_sums
            slope += self._ratio[series, channel] * (
                self.has_values * self.own[:, series] * self.observed[:, channel]
                - total[:, series, None] * m
                - by_level[:, series, None] * e
            )
            slope += self.weight[:, series, None] * m + self.level[:, series, None] * e
        if self.linear is not None and channel >= self.n_past:
            slope += self.linear.block(series, channel - self.n_past)
        return slope

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""
        m, e = self.location_slope[rows], self.scale_slope[rows]  # n K
        n_rows, n_series = len(m), self.own.shape[1]
        slope = np.zeros((self.own.shape[0], n_series, n_rows, len(self.scale)))
        if self.mixed is not None:
            total, by_level = self._mixed_sums
            slope += self.has_values * self.mixed[:, :, rows, None] * self.observed[rows]
            slope -= total[:, :, None, :] * m
            slope -= by_level[:, :, None, :] * e
            slope *= self._through[:, None, :]
        total, by_level = self._own_sums
        own_m, own_e = m[:, self.n_past :].T, e[:, self.n_past :].T  # C n
        ratio = np.diagonal(self._ratio[:, self.n_past :])[:, None]  # C 1
        own = ratio * (
            self.has_values * self.own[:, :, rows] * self.observed[rows, self.n_past :].T
            - total[..., None] * own_m
            - by_level[..., None] * own_e
        )
        own += self.weight[..., None] * own_m + self.level[..., None] * own_e
        series = np.arange(n_series)
        slope[:, series, :, self.n_past + series] += own.swapaxes(0, 1)
        if self.linear is not None:
            slope[..., self.n_past :] += self.linear.at_rows(rows)
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
            self.scale == 0,
            0.0,
            (self.has_values * moved - location - self.normalised * scale) / safe,
        )  # L K
        tangent *= self.observed
        own = slice(self.n_past, None)
        total = np.einsum("rct,tc->rc", self.own, tangent[:, own])
        if self.mixed is not None and self.mix is not None:
            total += np.einsum("rct,tc->rc", self.mixed, tangent @ self.mix.T)
        total *= self.scale[own]
        total += self.weight * location[own] + self.level * scale[own]
        total *= self.unit[own]
        if self.linear is not None:
            total += self.linear.apply(change[:, own])
        return total
