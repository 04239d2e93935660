"""A weighted average of forecasters as a map: forecasts and Jacobians are added up, share by share.

Letters: B windows, L context, s steps ahead, C series, R weighted sums of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from samovar_forecast.dynamics.earlier_forecasts import EarlierForecasts
from samovar_forecast.dynamics.forecast_map import ForecastMap, Part, Shape, by_series
from samovar_forecast.dynamics.jacobian import Jacobian, JacobianSum
from samovar_forecast.dynamics.linear_forecast_map import LinearForecastMap
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.windows import Units, Windows, joined
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forecast import LinearForecast


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
    def is_out_of_sample(self) -> bool:
        """Whether no part knows a later row than the last of the window that it is asked of."""
        return all(
            isinstance(part, ZeroShotMap)
            or (isinstance(part, LinearForecastMap) and part.earlier is not None)
            for part in self.parts.values()
        )

    @property
    def trained(self) -> NetworkMap | None:
        """The trained network that has a part in the forecast, if any."""
        found = (part.trained for part in self.parts.values())
        return next((part for part in found if part is not None), None)

    @property
    def effect(self) -> CovariateEffect | None:
        """The effect of covariates around its members, if any."""
        for part in self.parts.values():
            if isinstance(part, LinearForecastMap) and part.linear.effect is not None:
                return part.linear.effect
            if isinstance(part, ZeroShotMap) and part.effect is not None:
                return part.effect
        return None

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
    ) -> Iterator[Jacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window."""
        (found,) = jacobians_of_each([self], [windows], weights, units, part)
        yield from found

    def with_linear(
        self, linear: LinearForecast | None, earlier: EarlierForecasts | None = None
    ) -> AverageMap:
        """Return the average with another linear forecast in place of its own, and earlier ones.

        With None its own stays.
        """
        parts = {
            name: LinearForecastMap(linear or part.linear, part.shape, part.n_steps, earlier)
            if isinstance(part, LinearForecastMap)
            else part
            for name, part in self.parts.items()
        }
        return AverageMap(parts, self.shares, self.shape, self.beside)

    def _sum(self, parts: tuple[Jacobian, ...]) -> JacobianSum:
        return JacobianSum(parts, self.shape.context_length, self.shape.patch_length)

    def _weights_of(self, name: str, asked: np.ndarray) -> np.ndarray:
        """Return what is asked of a part, (R, its steps, C), of what is asked of all, (R, s, C)."""
        n_beyond = self.parts[name].n_steps - self.n_steps
        return np.pad(asked * self.shares[name], ((0, 0), (0, n_beyond), (0, 0)))

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
        return Windows(windows.target[:, rows], past, future, static, windows.n_known)


def jacobians_of_each(
    maps: Sequence[ForecastMap],
    windows: Sequence[Windows],
    weights: np.ndarray,
    units: Units,
    part: Part = "total",
) -> list[Iterator[Jacobian]]:
    """Return the Jacobians of each of several maps on windows of its own.

    A forecaster that is a part of all of them is asked of all windows at once.

    Parameters
    ----------
    maps : sequence of ForecastMap
        Averages of parts by the same names, or any other.
    windows : sequence of Windows
        For each of the maps.
    weights, units, part
        As :meth:`ForecastMap.jacobians` takes them.
    """
    first = maps[0]
    if all(own is first for own in maps) and not isinstance(first, AverageMap):
        together = iter(first.jacobians(joined(windows), weights, units, part))
        if len(maps) == 1:
            return [together]
        return [iter(list(islice(together, len(own.target)))) for own in windows]
    averages = [own for own in maps if isinstance(own, AverageMap)]
    if len(averages) < len(maps):
        return [
            own.jacobians(some, weights, units, part)
            for own, some in zip(maps, windows, strict=True)
        ]
    asked = by_series(weights, averages[0].shape.n_series)
    by_member = [
        jacobians_of_each(
            [own.parts[name] for own in averages],
            [
                own._windows_of(own.parts[name], some)
                for own, some in zip(averages, windows, strict=True)
            ],
            averages[0]._weights_of(name, asked),
            units,
            part,
        )
        for name in averages[0].parts
    ]
    return [
        map(own._sum, zip(*members, strict=True))
        for own, members in zip(averages, zip(*by_member, strict=True), strict=True)
    ]
