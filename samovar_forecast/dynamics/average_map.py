"""A weighted average of forecasters as a map: forecasts and Jacobians are added up, share by share.

Letters: B windows, L context, s steps ahead, C series, R weighted sums of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from samovar_forecast.dynamics.forecast_map import ForecastMap, Part, Shape, by_series
from samovar_forecast.dynamics.jacobian import JacobianSum
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.windows import Units, Windows


class AverageMap:
    """Forecasters that read windows with the same end, and the share of each.

    Parameters
    ----------
    parts : mapping of str to ForecastMap
        At least one. They read no more rows than ``shape`` has, and forecast ``n_steps`` or more.
    shares : mapping of str to array of shape (s, C)
        Of every part; a forecaster that is no part has a share of 0.
    shape : Shape
    beside : mapping of str to ForecastMap, optional
        Forecasters without a share: they are not asked for the average.
    """

    def __init__(
        self,
        parts: Mapping[str, ForecastMap],
        shares: Mapping[str, np.ndarray],
        shape: Shape,
        beside: Mapping[str, ForecastMap] | None = None,
    ) -> None:
        self.parts = dict(parts)
        self.beside = dict(beside or {})
        self.shares = dict(shares)
        self.shape = shape
        self.n_steps = len(next(iter(self.shares.values())))

    @property
    def fewest_rows(self) -> int:
        """Rows of a window that have to be there; those before may be missing."""
        return max(part.fewest_rows for part in self.parts.values())

    @property
    def is_anchored(self) -> bool:
        """Whether a linear map has a share in the forecast."""
        return any(part.is_anchored for part in self.parts.values())

    @property
    def cancels_level(self) -> bool:
        """Whether the forecast, a linear map left aside, moves with the level of a window."""
        return all(part.cancels_level for part in self.parts.values())

    @property
    def trained(self) -> NetworkMap | None:
        """The trained network that has a part in the forecast, if any."""
        found = (part.trained for part in self.parts.values())
        return next((part for part in found if part is not None), None)

    def equals(self, other: ForecastMap) -> bool:
        """Whether the other map averages the same forecasters with the same shares."""
        return (
            isinstance(other, AverageMap)
            and self.shape == other.shape
            and self.parts.keys() == other.parts.keys()
            and all(part.equals(other.parts[name]) for name, part in self.parts.items())
            and all(np.array_equal(self.shares[name], other.shares[name]) for name in self.parts)
        )

    def forecast(self, windows: Windows) -> np.ndarray:
        """Return the forecasts after each window; shape (B, s, C)."""
        total = np.zeros((len(windows.target), self.n_steps, self.shape.n_series))
        for name, part in self.parts.items():
            own = part.forecast(self._windows_of(part, windows))
            total += self.shares[name] * own[:, : self.n_steps]
        return total

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units, part: Part = "total"
    ) -> Iterator[JacobianSum]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window."""
        asked = by_series(weights, self.shape.n_series)
        by_member = []
        for name, member in self.parts.items():
            own = asked * self.shares[name]  # R s C
            own = np.pad(own, ((0, 0), (0, member.n_steps - self.n_steps), (0, 0)))
            by_member.append(member.jacobians(self._windows_of(member, windows), own, units, part))
        for together in zip(*by_member, strict=True):
            yield JacobianSum(together, self.shape.context_length, self.shape.patch_length)

    def _windows_of(self, part: ForecastMap, windows: Windows) -> Windows:
        """Return the rows that a part reads."""
        shape, length = part.shape, self.shape.context_length
        rows = slice(length - shape.context_length, length)
        past = future = None
        if windows.past_covariates is not None and shape.n_past_covariates:
            past = windows.past_covariates[:, rows]
        if windows.future_covariates is not None and shape.n_future_covariates:
            ahead = slice(rows.start, length + shape.patch_length)
            future = windows.future_covariates[:, ahead]
        static = windows.static_covariates if shape.n_static_covariates else None
        return Windows(windows.target[:, rows], past, future, static)
