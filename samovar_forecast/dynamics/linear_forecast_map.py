"""A linear forecast as a map: its Jacobian is its coefficients, at every origin.

Letters: B windows, L context, s steps ahead, C series, K = P + C channels of which the series are
the last C, R weighted sums of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from samovar_forecast.dynamics.covariate_effect import (
    effect_in,
    is_same_effect,
    slope_by_covariates,
)
from samovar_forecast.dynamics.forecast_jacobian import LinearPart
from samovar_forecast.dynamics.forecast_map import ForecastMap, Part, Shape, by_series
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import without_gaps
from samovar_forecast.linear.smoothing import filled


@dataclass(frozen=True)
class LinearJacobian:
    """Coefficients of a linear map on a window; a gap takes its value from what stands beside it.

    Attributes
    ----------
    part : LinearPart
        In units of the data, of a window without gaps.
    value : array of shape (R, C)
    unit : array of shape (K,)
    fillings : dict of int to array of shape (L, L)
        For each series with gaps, the window without gaps as a linear map of what was observed.
    future : array of shape (R, C, L + s, F) or None
    """

    part: LinearPart
    value: np.ndarray
    unit: np.ndarray
    fillings: dict[int, np.ndarray] = field(default_factory=dict)
    future: np.ndarray | None = None
    static: None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the dense form, (R, C, L, K)."""
        n_sums, n_series, _ = self.part.own.shape
        return n_sums, n_series, len(self.part.source), len(self.unit)

    @property
    def _n_past(self) -> int:
        return len(self.unit) - self.part.own.shape[1]

    def block(self, series: int, channel: int) -> np.ndarray:
        """Return the derivative of a series by the whole past of a channel; (R, L)."""
        impulse = channel - self._n_past
        if impulse < 0:
            return np.zeros((self.shape[0], self.shape[2]))
        block = self.part.block(series, impulse)
        return block @ self.fillings[impulse] if impulse in self.fillings else block

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""
        if self.fillings:
            slope = self.part.at_rows(slice(None))
            for impulse, filling in self.fillings.items():
                slope[..., impulse] = slope[..., impulse] @ filling
            slope = slope[:, :, rows]
        else:
            slope = self.part.at_rows(rows)
        return np.pad(slope, ((0, 0), (0, 0), (0, 0), (self._n_past, 0)))

    def dense(self) -> np.ndarray:
        """Return the whole Jacobian; shape (R, C, L, K)."""
        return self.at_rows(slice(None))

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return the Jacobian times a change of the window, (L, K) in data units; (R, C)."""
        moved = change[:, self._n_past :].copy()
        for impulse, filling in self.fillings.items():
            moved[:, impulse] = filling @ np.nan_to_num(moved[:, impulse])
        return self.part.apply(moved)


class LinearForecastMap:
    """A linear forecast that is asked for its first steps.

    Before the first value of a window the value itself stands in, across a gap a straight line, and
    after the last value it goes on.

    Parameters
    ----------
    linear : LinearForecast
    shape : Shape
        With at least as many rows as the forecast has lags.
    n_steps : int
        At most as many as the map forecasts.

    Raises
    ------
    ConfigurationError
        If the windows do not fit the forecast.
    """

    is_anchored = True
    cancels_level = True
    trained = None
    fewest_rows = 1

    def __init__(self, linear: LinearForecast, shape: Shape, n_steps: int) -> None:
        found = (*linear.map.intercept.shape, linear.map.n_lags)
        if found[0] < n_steps or found[1] != shape.n_series or found[2] > shape.context_length:
            raise ConfigurationError(
                "the linear forecast does not fit the windows",
                found=f"{found[0]} steps, {found[1]} series, {found[2]} lags",
                wanted=f"{n_steps} steps, {shape.n_series} series, at most "
                f"{shape.context_length} lags",
            )
        if linear.effect is not None and not shape.n_future_covariates:
            raise ConfigurationError(
                "the linear forecast has an effect of covariates, and there are none",
                wanted="future_covariates",
            )
        self.linear = linear
        self.shape = shape
        self.n_steps = n_steps

    def equals(self, other: ForecastMap) -> bool:
        """Whether the other map has the same coefficients and effects."""
        if not isinstance(other, LinearForecastMap) or self.shape != other.shape:
            return False
        mine, theirs = self.linear.map, other.linear.map
        names = ("own", "cross", "intercept", "center")
        same = all(np.array_equal(getattr(mine, name), getattr(theirs, name)) for name in names)
        return same and is_same_effect(self.linear.effect, other.linear.effect)

    def forecast(self, windows: Windows) -> np.ndarray:
        """Return the forecasts after each window; shape (B, s, C)."""
        length, values = self.shape.context_length, windows.target
        added = effect_in(self.linear.effect, windows.future_covariates)
        if added is not None:
            values = values - added[:, :length]
        n_read = max(1, self.linear.map.n_lags)
        has_gaps = ~np.isfinite(values[:, length - n_read :]).all(axis=(1, 2))
        if has_gaps.any():
            values = values.copy()
            values[has_gaps] = [filled(without_gaps(window)) for window in values[has_gaps]]
        ahead = self.linear.map(values)[:, : self.n_steps]
        return ahead if added is None else ahead + added[:, length : length + self.n_steps]

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units, part: Part = "total"
    ) -> Iterator[LinearJacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window.

        All of it is dynamics: nothing is measured of a window, and nothing learned from it.
        """
        shape, linear = self.shape, self.linear
        length, n_series = shape.context_length, shape.n_series
        asked = by_series(weights, n_series)
        in_units = self.forecast(windows) * units.series(n_series).scale  # B s C
        in_units += units.series(n_series).location
        values = np.einsum("rsc,bsc->brc", asked, in_units)
        if part not in ("total", "dynamics"):
            asked = np.zeros_like(asked)
        series = units.series(n_series)
        own = np.einsum("rsc,scp->rcp", asked, linear.map.own[: self.n_steps])
        cross = np.einsum("rsc,scqk->rcqk", asked, linear.map.cross[: self.n_steps])
        rows = np.broadcast_to(np.arange(length)[:, None], (length, n_series))
        everywhere = np.ones((length, n_series))
        plain = LinearPart(own, cross, rows, everywhere)
        in_data = cross * series.scale[:, None, None] / series.scale
        coefs = LinearPart(own, in_data, rows, everywhere)
        for number in range(len(windows.target)):
            window = windows.part(number, number + 1)
            # Where all that is missing lies before the lags, nothing of it is read.
            fillings = {
                c: filling(is_observed)
                for c, is_observed in enumerate(np.isfinite(window.target[0]).T)
                if not is_observed[length - linear.map.n_lags :].all()
            }
            future = None
            if linear.effect is not None and window.future_covariates is not None:
                unit = np.ones(n_series)
                bare = LinearJacobian(plain, np.zeros(asked.shape[:2]), unit, fillings)
                known = window.future_covariates[0]
                future = slope_by_covariates(linear.effect, bare.dense(), asked, known)
                future *= series.scale[:, None, None] / units.future.scale
            yield LinearJacobian(coefs, values[number], units.channels.scale, fillings, future)


def filling(is_observed: np.ndarray) -> np.ndarray:
    """Return the matrix that closes the gaps of a series: straight lines, and its ends go on.

    Parameters
    ----------
    is_observed : bool array of shape (L,)

    Returns
    -------
    array of shape (L, L)
        Columns of missing values are 0; without any value all of it is.
    """
    length = len(is_observed)
    matrix = np.zeros((length, length))
    known = np.flatnonzero(is_observed)
    if len(known):
        rows = np.arange(length)
        after = known[np.minimum(np.searchsorted(known, rows), len(known) - 1)]
        before = known[np.maximum(np.searchsorted(known, rows, side="right") - 1, 0)]
        share = np.where(after > before, (rows - before) / np.maximum(after - before, 1), 0.0)
        matrix[rows, before] += 1 - share
        matrix[rows, after] += share
    return matrix
