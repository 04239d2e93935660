"""The members of a forecast: each forecasts from any row of any instance, in scaled units.

A member holds what it has learned and no data. The pretrained member stands in
:mod:`samovar_forecast.learning.pretrained_member`. Covariates that are known ahead reach the linear
and the pretrained member by a linear effect, which is taken off the series before they are asked
and added to what they forecast.

Letters: n rows of an instance, B origins, s steps ahead, C series, K numbers per step and series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from samovar_forecast.learning.answers import cut_window, roll_windows
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.learning.trained_network import TrainedNetwork
from samovar_forecast.linear.average import LONGEST_LAG, estimate_each
from samovar_forecast.linear.covariates import ROWS_REACHED, CovariateEffect, confirmed_effect
from samovar_forecast.linear.forecast import WINDOWS_AT_ONCE, LinearForecast
from samovar_forecast.linear.held_out import Trial
from samovar_forecast.linear.linear_map import LinearMap, windows_before
from samovar_forecast.network.heads import Head


class Member(Protocol):
    """A forecast that stands in the average."""

    name: ClassVar[str]

    @property
    def head(self) -> Head:
        """What the K numbers per step and series are."""

    @property
    def n_rows(self) -> int:
        """Rows before an origin that are read at most."""

    @property
    def n_needed(self) -> int:
        """Rows that have to lie before an origin in the past."""

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast the next steps from origins of each instance.

        Parameters
        ----------
        instances : sequence of ScaledRows
            All instances, in the order of the fit.
        origins : sequence of int arrays of shape (B,)
            For each instance, the numbers of rows that are known; no later row is read, but for
            covariates that are known ahead.
        n_steps : int
            Any number; the member rolls itself out beyond its own.

        Returns
        -------
        list of arrays of shape (B, n_steps, C, K)
        """


@dataclass(frozen=True)
class LinearMember:
    """The linear forecast of each instance, estimated in closed form on its own rows.

    Parameters
    ----------
    forecasts : tuple of LinearForecast
        In the order of the instances; the effect of covariates is that of all instances.
    """

    forecasts: tuple[LinearForecast, ...]

    name: ClassVar[str] = "linear"
    n_needed: ClassVar[int] = 1

    @classmethod
    def estimate(
        cls,
        instances: Sequence[ScaledRows],
        n_steps: int,
        season: int,
        effect: CovariateEffect | None,
    ) -> tuple[LinearMember, list[Trial | None]]:
        """Estimate the maps of each instance, and return their forecasts from earlier origins.

        Raises
        ------
        DataError
            If a series has no value at all.
        """
        values = [take_off(effect, rows) for rows in instances]
        fits = iter(estimate_each([own for own in values if len(own) > 1], n_steps, season))
        found: list[LinearForecast] = []
        trials: list[Trial | None] = []
        for own in values:
            if len(own) > 1:
                fit = next(fits)
                found.append(LinearForecast(fit.map, fit.weights, effect, fit.direct))
                trials.append(fit.trial)
            else:  # of a single row, the last value is all that is known
                last = LinearMap.of(own=np.ones((n_steps, own.shape[1], 1)))
                weights = {"last": np.ones((n_steps, own.shape[1]))}
                found.append(LinearForecast(last, weights, effect))
                trials.append(None)
        return cls(tuple(found)), trials

    @property
    def head(self) -> Head:
        """A point."""
        return Head.point()

    @property
    def n_rows(self) -> int:
        """The longest lag of any instance."""
        return max(1, *(forecast.map.n_lags for forecast in self.forecasts))

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast as :class:`Member` says; before the first row its value stands in."""
        return [
            self._forecast_one(forecast, rows, own, n_steps)[..., None]
            for forecast, rows, own in zip(self.forecasts, instances, origins, strict=True)
        ]

    @staticmethod
    def _forecast_one(
        linear: LinearForecast, rows: ScaledRows, origins: np.ndarray, n_steps: int
    ) -> np.ndarray:
        values, length = take_off(linear.effect, rows), max(1, linear.map.n_lags)
        ahead = np.empty((len(origins), n_steps, values.shape[1]))
        places = np.array_split(np.arange(len(origins)), 1 + len(origins) // WINDOWS_AT_ONCE)
        for some in places:
            path = windows_before(values, origins[some], length)  # B length C
            while path.shape[1] < length + n_steps:
                path = np.concatenate([path, linear.map(path[:, -length:])], axis=1)
            ahead[some] = path[:, length : length + n_steps]
        return put_back(linear.effect, rows, origins, ahead)


@dataclass(frozen=True)
class TrainedMember:
    """A network that was trained for series of these columns.

    Parameters
    ----------
    trained : TrainedNetwork
    honest_from : tuple of float
        For each instance, the first row that the network has not learned from; infinite if it has
        learned from all of them.
    """

    trained: TrainedNetwork
    honest_from: tuple[float, ...]

    name: ClassVar[str] = "trained"

    @property
    def head(self) -> Head:
        """As it was trained."""
        return self.trained.head

    @property
    def n_rows(self) -> int:
        """Its context."""
        return self.trained.config.context_length

    @property
    def n_needed(self) -> int:
        """A full context."""
        return self.n_rows

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast as :class:`Member` says; before the first row values are missing."""
        shape = self.trained.config
        n_ahead = math.ceil(n_steps / shape.patch_length) * shape.patch_length
        windows = []
        for rows, own in zip(instances, origins, strict=True):
            n_before = max(0, shape.context_length - int(own.min(initial=len(rows))))
            series = rows.tensors(len(rows) + n_before)
            windows += [cut_window(series, n_before + int(one), shape, n_ahead) for one in own]
        rolled = list(roll_windows(self.trained, windows, n_steps))
        empty = np.empty((0, n_steps, shape.n_series, self.head.n_params))
        ends = np.cumsum([len(own) for own in origins])
        return [
            np.stack(rolled[end - len(own) : end]) if len(own) else empty
            for own, end in zip(origins, ends, strict=True)
        ]


def effect_of_panel(
    instances: Sequence[ScaledRows], n_steps: int, season: int
) -> CovariateEffect | None:
    """Return the effect of covariates known ahead as far as the last third of the rows confirms it.

    The instances have one effect, in their scaled units; an instance too short to show an effect
    has the effect that the others show, and does not limit its lags. None without such covariates,
    or where nothing is confirmed.
    """
    if instances[0].future_covariates is None:
        return None
    rows = [instance.linear for instance in instances]
    lengths = [len(instance) for instance in instances]
    enough = min(ROWS_REACHED, max(lengths))
    n_lags = min(LONGEST_LAG, *(length for length in lengths if length >= enough))
    return confirmed_effect(rows, n_steps, n_lags, season)


def take_off(effect: CovariateEffect | None, rows: ScaledRows) -> np.ndarray:
    """Return the series without the effect, (n, C)."""
    return rows.target if effect is None else effect.taken_off(rows.linear)


def put_back(
    effect: CovariateEffect | None, rows: ScaledRows, origins: np.ndarray, ahead: np.ndarray
) -> np.ndarray:
    """Return forecasts (B, s, C) with the effect; where covariates end, their last row goes on."""
    if effect is None:
        return ahead
    assert rows.future_covariates is not None
    added = effect(rows.future_covariates)
    at = np.minimum(origins[:, None] + np.arange(ahead.shape[1]), len(added) - 1)
    return ahead + added[at]
