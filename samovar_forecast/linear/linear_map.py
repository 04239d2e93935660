"""A forecast that is one linear map of the window, and what can be made of such maps.

Letters: s steps ahead, C series, L context, B windows, n time steps of a series. Lags count from 1,
the newest value; time runs forward inside a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


@dataclass(frozen=True)
class LinearMap:
    """``y_c(t + h) = center_c + intercept_hc + own lags of c + lags of all series``.

    Lags enter as deviations from ``center``, so that a high level costs no accuracy.

    Attributes
    ----------
    own : array of shape (s, C, p_own)
        ``own[h - 1, response, lag - 1]``.
    cross : array of shape (s, C, p_cross, C)
        ``cross[h - 1, response, lag - 1, impulse]``; the own series may be among them.
    intercept : array of shape (s, C)
    center : array of shape (C,)
    """

    own: np.ndarray
    cross: np.ndarray
    intercept: np.ndarray
    center: np.ndarray

    @classmethod
    def of(
        cls,
        *,
        own: np.ndarray | None = None,
        cross: np.ndarray | None = None,
        intercept: np.ndarray | None = None,
    ) -> LinearMap:
        """Build a map around 0 from its parts; what is left out is 0."""
        some = cross if own is None else own
        assert some is not None
        n_steps, n_series = some.shape[:2]
        return cls(
            np.zeros((n_steps, n_series, 0)) if own is None else own,
            np.zeros((n_steps, n_series, 0, n_series)) if cross is None else cross,
            np.zeros((n_steps, n_series)) if intercept is None else intercept,
            np.zeros(n_series),
        )

    @property
    def n_steps(self) -> int:
        """Steps ahead, s."""
        return self.own.shape[0]

    @property
    def n_lags(self) -> int:
        """How far back the map looks, in steps."""
        return max(self.own.shape[2], self.cross.shape[2])

    def __call__(self, windows: np.ndarray) -> np.ndarray:
        """Forecast windows of shape (B, at least ``n_lags``, C); the result is (B, s, C)."""
        recent = (windows - self.center)[:, ::-1]  # lag 1 first
        p_own, p_cross = self.own.shape[2], self.cross.shape[2]
        by_series = recent[:, :p_own].transpose(2, 0, 1)  # C B p_own
        own = by_series @ self.own.transpose(1, 2, 0)  # C B s
        ahead = self.intercept + own.transpose(1, 2, 0)
        if p_cross:
            flat = self.cross.reshape(self.n_steps * len(self.center), -1)
            flat_recent = recent[:, :p_cross].reshape(-1, flat.shape[1])
            ahead += (flat_recent @ flat.T).reshape(ahead.shape)
        return ahead + self.center

    def along(self, values: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecast from many rows of one instance; the result is (B, s, C).

        Parameters
        ----------
        values : array of shape (n, C)
            NaN where a value is missing; see :func:`windows_before`.
        origins : int array of shape (B,)
            Number of rows known at each origin.
        """
        return self(windows_before(values, origins, max(1, self.n_lags), self.center))

    def later(self, shift: int) -> LinearMap:
        """Return the map without its first ``shift`` steps."""
        return replace(
            self,
            own=self.own[shift:],
            cross=self.cross[shift:],
            intercept=self.intercept[shift:],
        )

    def of_series(self, own: slice) -> LinearMap:
        """Return the map of some series that read no other."""
        return replace(
            self,
            own=self.own[:, own],
            cross=self.cross[:, own, :, own],
            intercept=self.intercept[:, own],
            center=self.center[own],
        )

    def in_units(self, center: np.ndarray, unit: np.ndarray) -> LinearMap:
        """Return the map of data that this map sees as ``(data - center) / unit``."""
        cross = self.cross * unit[:, None, None] / unit
        return LinearMap(self.own, cross, self.intercept * unit, self.center * unit + center)


def blend(maps: Sequence[LinearMap], weights: np.ndarray) -> LinearMap:
    """Return the weighted mean of maps, which is one map again.

    Parameters
    ----------
    maps : sequence of M maps
        With the same center.
    weights : array of shape (M, s) or (M, s, C)
        They sum to one over the maps.
    """
    n_steps, n_series, _ = maps[0].own.shape
    own = np.zeros((n_steps, n_series, max(candidate.own.shape[2] for candidate in maps)))
    order = max(candidate.cross.shape[2] for candidate in maps)
    cross = np.zeros((n_steps, n_series, order, n_series))
    intercept = np.zeros((n_steps, n_series))
    for candidate, weight in zip(maps, weights.reshape(len(maps), n_steps, -1), strict=True):
        own[:, :, : candidate.own.shape[2]] += weight[:, :, None] * candidate.own
        n_lags = candidate.cross.shape[2]
        cross[:, :, :n_lags] += weight[:, :, None, None] * candidate.cross
        intercept += weight * candidate.intercept
    return LinearMap(own, cross, intercept, maps[0].center)


def iterate(
    coefs: np.ndarray, intercept: np.ndarray, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a VAR's forecasts of 1 to s steps as maps of the same lags.

    Parameters
    ----------
    coefs : array of shape (p, C, C)
        ``coefs[lag - 1, response, impulse]``.
    intercept : array of shape (C,)
    n_steps : int

    Returns
    -------
    lags : array of shape (s, C, p, C)
    intercepts : array of shape (s, C)
    """
    order, n_series, _ = coefs.shape
    lags = np.zeros((n_steps, n_series, order, n_series))
    intercepts = np.tile(intercept, (n_steps, 1)).astype(float)
    side_by_side = coefs.swapaxes(0, 1).reshape(n_series, order * n_series)
    for h in range(n_steps):
        # Lags that still lie in the window, then those that were forecast themselves.
        lags[h, :, : max(0, order - h)] = coefs[h:].transpose(1, 0, 2)
        n_own = min(h, order)
        if n_own:
            weights = side_by_side[:, : n_own * n_series]
            newest_first = lags[h - n_own : h][::-1].reshape(n_own * n_series, order * n_series)
            lags[h] += (weights @ newest_first).reshape(n_series, order, n_series)
            intercepts[h] += weights @ intercepts[h - n_own : h][::-1].ravel()
    return lags, intercepts


def iterate_each(
    coefs: np.ndarray, intercept: np.ndarray, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the forecasts of 1 to s steps of each series' own autoregression as maps of its lags.

    Parameters
    ----------
    coefs : array of shape (C, p)
    intercept : array of shape (C,)
    n_steps : int

    Returns
    -------
    lags : array of shape (s, C, p)
    intercepts : array of shape (s, C)
    """
    n_series, order = coefs.shape
    lags = np.zeros((n_steps, n_series, order))
    intercepts = np.tile(intercept, (n_steps, 1)).astype(float)
    for h in range(n_steps):
        lags[h, :, : max(0, order - h)] = coefs[:, h:]
        n_own = min(h, order)
        if n_own:
            weights, newest_first = coefs[:, :n_own], slice(h - n_own, h)
            lags[h] += np.einsum("ci,icp->cp", weights, lags[newest_first][::-1])
            intercepts[h] += np.einsum("ci,ic->c", weights, intercepts[newest_first][::-1])
    return lags, intercepts


def finite_runs(values: np.ndarray) -> list[np.ndarray]:
    """Cut (n, C) into its stretches of rows without a missing value."""
    is_complete = np.isfinite(values).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_complete, [False]]).astype(int)))
    return [values[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def windows_before(
    values: np.ndarray, origins: np.ndarray, length: int, unknown: np.ndarray | float = 0.0
) -> np.ndarray:
    """Return the last rows before each origin as they are known there, (B, length, C).

    A gap is crossed by a straight line. In a gap that reaches the origin the last value goes on,
    for what comes after it is not known; before the first row its value stands in.

    Parameters
    ----------
    values : array of shape (n, C)
        NaN where a value is missing.
    origins : int array of shape (B,)
        Number of rows known at each origin, at least 1.
    length : int
    unknown : array of shape (C,) or float, default=0.0
        What stands for a series without a value so far.
    """
    is_known = np.isfinite(values)
    is_whole = bool(is_known[: origins.max(initial=0)].all())
    line = values if is_whole else filled(without_gaps(values))
    padded = np.concatenate([np.repeat(line[:1], length, axis=0), line])
    windows = sliding_window_view(padded, length, axis=0)[origins].swapaxes(1, 2)
    if is_whole:
        return windows
    row = np.arange(len(values))[:, None]
    latest = np.maximum.accumulate(np.where(is_known, row, -1), axis=0)[origins - 1]  # B C
    n_missing = np.where(latest < 0, length, origins[:, None] - 1 - latest)
    last = np.where(latest < 0, unknown, np.take_along_axis(line, np.maximum(latest, 0), axis=0))
    is_missing = np.arange(length)[::-1, None] < n_missing[:, None]  # B length C
    return np.where(is_missing, last[:, None], windows)


def without_gaps(values: np.ndarray) -> np.ndarray:
    """Put straight lines across the gaps of each series of (n, C); its ends stay as they are.

    Left out instead, a value would take with it all rows that have it among their lags.
    """
    if np.isfinite(values).all():
        return values
    filled = values.copy()
    rows = np.arange(len(values))
    for c in range(values.shape[1]):
        known = np.flatnonzero(np.isfinite(values[:, c]))
        if len(known):
            inside = slice(known[0], known[-1] + 1)
            filled[inside, c] = np.interp(rows[inside], known, values[known, c])
    return filled


def filled(values: np.ndarray) -> np.ndarray:
    """Return (n, C) with the nearest value in place of what is missing at the ends."""
    if np.isfinite(values).all():
        return values
    filled = values.copy()
    for c in range(values.shape[1]):
        known = np.flatnonzero(np.isfinite(values[:, c]))
        if len(known):
            filled[: known[0], c] = values[known[0], c]
            filled[known[-1] :, c] = values[known[-1], c]
        else:
            filled[:, c] = 0.0
    return filled


def carried_forward(windows: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Return windows (B, L, C) with the last known value in place of what is missing.

    Before the first known value of a window, that value stands; in a window without any, the
    center, (C,).
    """
    is_known = np.isfinite(windows)
    if is_known.all():
        return windows
    rows = np.arange(windows.shape[1])[:, None]
    latest = np.maximum.accumulate(np.where(is_known, rows, -1), axis=1)
    source = np.where(latest >= 0, latest, is_known.argmax(axis=1)[:, None])
    found = np.take_along_axis(windows, source, axis=1)
    return np.where(np.isfinite(found), found, center)


@dataclass(frozen=True)
class Rows:
    """Rows of one instance.

    Attributes
    ----------
    target : array of shape (n, C)
        NaN where a value is missing.
    covariates : array of shape (n, F), optional
        Those known ahead, at the same times. Values at later times may follow.
    """

    target: np.ndarray
    covariates: np.ndarray | None = None

    def until(self, n_rows: int) -> Rows:
        """Return the first rows."""
        known = None if self.covariates is None else self.covariates[:n_rows]
        return Rows(self.target[:n_rows], known)
