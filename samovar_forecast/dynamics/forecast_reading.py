"""A network on a history: its forecasts, their Jacobians and its errors, at every origin."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_choice
from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.built_reading import BuiltReading
from samovar_forecast.dynamics.forecast_map import PARTS, Part
from samovar_forecast.dynamics.jacobian import Jacobian
from samovar_forecast.dynamics.local_draws import DrawnVars
from samovar_forecast.dynamics.simulation import Setting
from samovar_forecast.dynamics.windows import Windows
from samovar_forecast.exceptions import DataError

RESIDUALS_AT_MOST = 2000
"""One-step residuals are taken over at most this number of the newest origins."""

ROWS_OF_A_START = 20
"""Rows of a history that is all out of sample, whose errors do not count."""

FADING = 0.94
"""Weight that is left of a squared error after a step."""

FORECASTS_AT_ONCE = 256
"""Windows overlap: only this number of them is laid out in memory at the same time."""

_R = TypeVar("_R", bound="ForecastReading")


class ForecastReading(BuiltReading):
    """What is read of a network's forecasts on a history, in the units of the data.

    The ground floor of :class:`~samovar_forecast.DynamicVAR`: forecasts, Jacobians, residuals.
    Coefficients come with `CoefficientReading`, answers with `DynamicVAR`.
    """

    def estimated_on(self: _R, history: np.ndarray, *, errors: pd.DataFrame | None = None) -> _R:
        """Return the same members, estimated again on another history of the same times.

        Parameters
        ----------
        history : array of shape (n_time, C)
            In the units of the data.
        errors : DataFrame of shape (n, C), optional
            One-step errors by the time that was forecast, where they are known: `resid`.
        """
        forecast_map = self._map
        if self.estimation is not None and self.estimation.again is not None:
            assert isinstance(forecast_map, AverageMap)
            earlier = self.estimation.earlier
            forecast_map = forecast_map.with_linear(
                self.estimation.again(history), None if earlier is None else earlier(history)
            )
        data = replace(self.data, target=self.data.target._replace(values=history))
        again = type(self)(
            forecast_map,
            data,
            sigma_u=self._sigma_u,
            out_of_sample_from=self.out_of_sample_from,
            estimation=self.estimation,
        )
        if errors is not None:
            again.resid = errors
        return again

    def answered_by(self: _R, draws: DrawnVars) -> _R:
        """Return the reading of the same history with VARs in place of the forecasts."""
        again = type(self)(self._map, self.data)
        again._answered_by = draws
        return again

    def effect_of_covariates(self) -> np.ndarray:
        """Return what covariates that are known ahead do to the series, in units of the data.

        Shape (n_time, C); zeros where there is no such effect.
        """
        effect = self._map.effect if isinstance(self._map, AverageMap) else None
        if effect is None:
            return np.zeros_like(self.data.target.values)
        future = self.data.future
        added = effect(future.scaled(future.values))[: len(self.index)]
        return np.asarray(added * self.data.target.scaler.scale)

    # ------------------------------------------------------------------------------- forecasts

    def windows_at(self, origins: Any = None) -> np.ndarray:
        """Return the histories that forecasts read, in units of the data.

        Parameters
        ----------
        origins : label, list of labels, slice of labels, or None
            None: all.

        Returns
        -------
        array of shape (n_origins, L, C)
        """
        return self.data.contexts(self.data.positions(origins))

    def has_network_of(self, other: ForecastReading) -> bool:
        """Whether both read the same network: configuration and weights."""
        return self._map.equals(other._map)

    def patches(self, windows: Windows) -> np.ndarray:
        """Return the forecasts, in units of the data, of windows in the network's units."""
        return self.data.target.unscaled(self._map.forecast(windows))

    def forecast(self, origin: Hashable | None = None) -> pd.DataFrame:
        """Return the forecast patch from an origin.

        Returns
        -------
        DataFrame of shape (s, C)
            By step, from 1; in the units of the data.
        """
        patch = self.patches(self.data.windows(np.array([self.data.position(origin)])))[0]
        steps = pd.RangeIndex(1, self.patch_length + 1, name="step")
        return pd.DataFrame(patch, steps, list(self.names))

    def one_step(self, histories: np.ndarray, origin: Hashable | None = None) -> np.ndarray:
        """Forecast one step ahead of any histories: the map that responses are simulated with.

        Parameters
        ----------
        histories : array of shape (B, L or more, C)
            In the units of the data.
        origin : label, optional
            Covariates stay as they are in the window of this origin.

        Returns
        -------
        array of shape (B, C)
        """
        windows = self.data.hypothetical(histories, np.array([self.data.position(origin)]))
        return self.patches(windows)[:, 0]

    def jacobians(
        self, windows: Windows, weights: np.ndarray, part: Part = "total"
    ) -> Iterator[Jacobian]:
        """Yield the Jacobians, in units of the data, of windows in the network's units."""
        check_choice("there is no such part", part, PARTS)
        return self._map.jacobians(windows, weights, self.data.units(), part)

    def jacobians_at(
        self,
        positions: np.ndarray,
        weights: np.ndarray,
        part: Part = "total",
        *,
        to_the_end: bool = False,
    ) -> Iterator[Jacobian]:
        """Yield the Jacobians, in units of the data, at rows of the history.

        ``to_the_end``: of windows in which the last value of a series goes on where its newest
        values are missing. The derivative by a value that is missing is 0.
        """
        if self._answered_by is not None:
            return self._answered_by.jacobians_of(self, positions, weights, part, to_the_end)
        return self.jacobians(self.data.windows(positions, to_the_end), weights, part)

    def _settings(self, origins: Any) -> list[Setting]:
        """Return where simulations from some origins start: all of them together where they can be.

        With covariates, which every origin has of its own, each origin has its own setting.
        """
        positions = self.data.positions(origins)
        together = (
            [positions] if not self.data.has_covariates else np.split(positions, len(positions))
        )
        return [
            Setting(
                step=partial(self.one_step, origin=self.index[some[0]]),
                histories=self.data.contexts(some),
                names=tuple(str(name) for name in self.names),
                origins=tuple(self.index[some]),
            )
            for some in together
        ]

    # ------------------------------------------------------------------------------- residuals

    @cached_property
    def resid(self) -> pd.DataFrame:
        """One-step forecast errors over the history, by the time that was forecast.

        Of the newest 2,000 origins, and of times at which every series was observed.
        """
        positions = self.data.positions(None)
        positions = positions[positions < len(self.data.index) - 1][-RESIDUALS_AT_MOST:]
        parts = [np.empty((0, self.neqs))]
        for start in range(0, len(positions), FORECASTS_AT_ONCE):
            some = positions[start : start + FORECASTS_AT_ONCE]
            parts.append(
                self.data.target.values[some + 1] - self.patches(self.data.windows(some))[:, 0]
            )
        errors = pd.DataFrame(
            np.concatenate(parts), self.data.index[positions + 1], list(self.names)
        )
        return errors.dropna()

    def sigma_at(self, origin: Hashable | None = None) -> np.ndarray:
        """Return the covariance of the one-step errors as it is known at an origin, (C, C).

        A mean of the squared errors up to there, whose weights fade (:data:`FADING`, as in
        RiskMetrics 1996, section 5.2), drawn to `sigma_u` by as many errors as there are series,
        twice: it follows the volatility.
        """
        return self._sigmas(np.array([self.data.position(origin)]))[0]

    def _shock_covariance(self, positions: np.ndarray) -> np.ndarray:
        """Return the covariance behind orthogonal shocks: `sigma_u`, or of the VARs at each row."""
        if isinstance(self._answered_by, DrawnVars):
            return self._answered_by.sigmas(positions)
        return self.sigma_u

    def _sigmas(self, positions: np.ndarray) -> np.ndarray:
        """Return the covariances as they are known at rows, (n, C, C)."""
        if isinstance(self._answered_by, DrawnVars):
            return self._answered_by.sigmas(positions)
        known = self.index.get_indexer(self.resid.index)
        errors = self.resid.to_numpy()
        worth, found = 2.0 * self.neqs, []
        for position in positions:
            back = position - known
            fading = np.where(back >= 0, FADING ** np.maximum(back, 0), 0.0)
            squares = np.einsum("t,tc,tk->ck", fading, errors, errors)
            found.append((squares + worth * self.sigma_u) / (fading.sum() + worth))
        return np.array(found)

    @property
    def resid_out_of_sample(self) -> pd.DataFrame | None:
        """The residuals of times that training did not see; None where that is not known.

        Where no member has seen any of them, the first :data:`ROWS_OF_A_START` rows are left out:
        with so few a forecast says little.
        """
        if self.is_out_of_sample and len(self.index) > ROWS_OF_A_START:
            return self.resid.loc[self.resid.index >= self.index[ROWS_OF_A_START]]
        if self.out_of_sample_from is None:
            return None
        return self.resid.loc[self.resid.index >= self.out_of_sample_from]

    @cached_property
    def sigma_u(self) -> np.ndarray:
        """Covariance of the one-step errors, (C, C): as given, or of ``resid``.

        Out-of-sample residuals are preferred where there are at least ten per series.
        """
        if self._sigma_u is not None:
            return self._sigma_u
        residuals, honest = self.resid, self.resid_out_of_sample
        if honest is not None and len(honest) >= 10 * self.neqs:
            residuals = honest
        if len(residuals) <= self.neqs:
            raise DataError(
                "too few one-step residuals for their covariance",
                found=len(residuals),
                wanted=f"more than {self.neqs}",
                remedy="explain a longer history, or give sigma_u",
            )
        centred = residuals.to_numpy() - residuals.to_numpy().mean(axis=0)
        return centred.T @ centred / len(centred)
