"""A linear forecast as a map: its Jacobian is its coefficients.

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
from samovar_forecast.dynamics.earlier_forecasts import EarlierForecasts
from samovar_forecast.dynamics.forecast_jacobian import LinearPart
from samovar_forecast.dynamics.forecast_map import ForecastMap, Part, Shape, by_series
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import filled, without_gaps


@dataclass(frozen=True)
class LinearJacobian:
    """Coefficients of a linear map on a window; a gap takes its value from what stands beside it.

    Attributes
    ----------
    part : LinearPart
        In units of the data, of a window without gaps.
    value : array of shape (R, C)
    unit : array of shape (K,)
    fillings : dict of int to array of shape (n, n)
        For each series with gaps, the last n rows of the window without gaps as a linear map of
        what was observed of them; no coefficient reaches beyond these rows.
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
        if impulse in self.fillings:
            near = _newest(block, self.fillings[impulse])
            near[:] = near @ self.fillings[impulse]
        return block

    def at_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the derivative by some rows of the window; shape (R, C, rows, K)."""
        if self.fillings:
            slope = self.part.at_rows(slice(None))
            for impulse, filling in self.fillings.items():
                near = _newest(slope[..., impulse], filling)
                near[:] = near @ filling
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
            near = _newest(moved[:, impulse], filling)
            near[:] = filling @ np.nan_to_num(near)
        return self.part.apply(moved)


def _newest(by_row: np.ndarray, filling: np.ndarray) -> np.ndarray:
    """Return the last rows, along the last axis, of which a filling speaks."""
    return by_row[..., by_row.shape[-1] - len(filling) :]


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
    earlier : EarlierForecasts, optional
        What stands in its place in windows of which is told how many rows were known. They have
        the effect of ``linear``, and no more lags than a window has rows.

    Raises
    ------
    ConfigurationError
        If the windows do not fit the forecast.
    """

    is_anchored = True
    cancels_level = True
    trained = None
    fewest_rows = 1

    def __init__(
        self,
        linear: LinearForecast,
        shape: Shape,
        n_steps: int,
        earlier: EarlierForecasts | None = None,
    ) -> None:
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
        self.earlier = earlier

    def _of_each(self, windows: Windows) -> list[LinearForecast]:
        """Return the linear forecast that stands at each window."""
        if self.earlier is None or windows.n_known is None:
            return [self.linear] * len(windows.target)
        return self.earlier.at(windows.n_known, self.linear)

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
        ahead = np.empty((len(values), self.n_steps, self.shape.n_series))
        of_each = self._of_each(windows)
        for linear in {id(own): own for own in of_each}.values():
            some = np.flatnonzero([own is linear for own in of_each])
            n_read = max(1, linear.map.n_lags)
            own = values[some]
            for number in np.flatnonzero(~np.isfinite(own[:, -n_read:]).all(axis=(1, 2))):
                own[number] = filled(without_gaps(own[number]))
            ahead[some] = linear.map(own)[:, : self.n_steps]
        return ahead if added is None else ahead + added[:, length : length + self.n_steps]

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units, part: Part = "total"
    ) -> Iterator[LinearJacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window.

        All of it is dynamics: nothing is measured of a window, and nothing learned from it.
        """
        length, n_series = self.shape.context_length, self.shape.n_series
        asked = by_series(weights, n_series)
        series = units.series(n_series)
        in_units = self.forecast(windows) * series.scale + series.location  # B s C
        values = np.einsum("rsc,bsc->brc", asked, in_units)
        if part not in ("total", "dynamics"):
            asked = np.zeros_like(asked)
        rows = np.broadcast_to(np.arange(length)[:, None], (length, n_series))
        everywhere = np.ones((length, n_series))
        is_observed = np.isfinite(windows.target)
        last: LinearForecast | None = None
        for number, linear in enumerate(self._of_each(windows)):
            if linear is not last:
                own = np.einsum("rsc,scp->rcp", asked, linear.map.own[: self.n_steps])
                cross = np.einsum("rsc,scqk->rcqk", asked, linear.map.cross[: self.n_steps])
                in_data = cross * series.scale[:, None, None] / series.scale
                plain = LinearPart(own, cross, rows, everywhere)
                coefs = LinearPart(own, in_data, rows, everywhere)
                last = linear
            fillings = fillings_of(is_observed[number], linear.map.n_lags)
            future = None
            if linear.effect is not None and windows.future_covariates is not None:
                unit = np.ones(n_series)
                bare = LinearJacobian(plain, np.zeros(asked.shape[:2]), unit, fillings)
                known = windows.future_covariates[number]
                future = slope_by_covariates(linear.effect, bare.dense(), asked, known)
                future *= series.scale[:, None, None] / units.future.scale
            yield LinearJacobian(coefs, values[number], units.channels.scale, fillings, future)


def fillings_of(is_observed: np.ndarray, n_lags: int) -> dict[int, np.ndarray]:
    """Return for each series with a gap among its lags the matrix that closes the gaps there.

    A matrix is that of as many of the last rows as it takes: the lags, and before these the rows
    back to the last value, from which a straight line leads into them.

    Parameters
    ----------
    is_observed : bool array of shape (L, C)
    n_lags : int
    """
    length, found, known = len(is_observed), {}, {}
    for c, there in enumerate(is_observed.T):
        first = length - n_lags
        # Where all that is missing lies before the lags, nothing of it is read.
        if there[first:].all():
            continue
        before = np.flatnonzero(there[: first + 1])
        own = there[before[-1] if len(before) else first :]
        if own.tobytes() not in known:
            known[own.tobytes()] = filling(own)
        found[c] = known[own.tobytes()]
    return found


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
