"""A network on a history: its forecasts, their Jacobians and its errors, at every origin."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.earlier_forecasts import EarlierForecasts
from samovar_forecast.dynamics.forecast_map import PARTS, ForecastMap, Part
from samovar_forecast.dynamics.history import History, TableLike
from samovar_forecast.dynamics.jacobian import Jacobian
from samovar_forecast.dynamics.local_draws import DrawnVars
from samovar_forecast.dynamics.members import Member, average_of
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.simulation import Setting, check_covariance
from samovar_forecast.dynamics.windows import Windows
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.linear.forecast import LinearForecast

if TYPE_CHECKING:
    from samovar_forecast.dynamics.drawn_together import DrawnTogether
    from samovar_forecast.network import SAMoVARNetwork

RESIDUALS_AT_MOST = 2000
"""One-step residuals are taken over at most this number of the newest origins."""

ROWS_OF_A_START = 20
"""Rows of a history that is all out of sample, whose errors do not count."""

FADING = 0.94
"""Weight that is left of a squared error after a step."""

FORECASTS_AT_ONCE = 256
"""Windows overlap: only this number of them is laid out in memory at the same time."""


class Estimation(NamedTuple):
    """How the members of a forecast came about."""

    again: Callable[[np.ndarray], LinearForecast] | None
    """A history (n, C) in units of the data to the linear forecast, estimated on it in closed form;
    None if there is no such member."""
    rows: Mapping[str, str]
    """By the name of a member, the rows that it learned from, in words."""
    earlier: Callable[[np.ndarray], EarlierForecasts] | None = None
    """A history likewise to the linear forecasts of its origins, each estimated on the rows up to
    there; None if the newest stands at all of them."""

    def with_newest_alone(self) -> Estimation:
        """Return the estimation of members that are the same at all origins."""
        rows = dict(self.rows)
        if "linear" in rows:
            rows["linear"] = "the rows of the fit, the same at all origins"
        return self._replace(earlier=None, rows=rows)


_R = TypeVar("_R", bound="ForecastReading")


class ForecastReading:
    """What is read of a network's forecasts on a history, in the units of the data.

    The ground floor of :class:`~samovar_forecast.DynamicVAR`: labels of the history, forecasts,
    Jacobians, residuals. Coefficients come with `CoefficientReading`, answers with `DynamicVAR`.

    Parameters
    ----------
    forecast_map : ForecastMap
    history : History
    sigma_u : array of shape (C, C), optional
        Covariance of the one-step errors; by default the covariance of the residuals.
    out_of_sample_from : label, optional
        First time that training did not see.
    training : TrainingConfig, optional
        How the network was trained.
    estimation : Estimation, optional
        What the members were estimated on, and how they are estimated on another history.
    """

    def __init__(
        self,
        forecast_map: ForecastMap,
        history: History,
        *,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
        estimation: Estimation | None = None,
    ) -> None:
        self._map = forecast_map
        self.data = history
        self._sigma_u = sigma_u
        self.out_of_sample_from = history.label(out_of_sample_from)
        self.training = training
        self.estimation = estimation
        self._answered_by: DrawnTogether | DrawnVars | None = None

    @classmethod
    def from_network(
        cls: type[_R],
        network: SAMoVARNetwork,
        history: TableLike,
        *,
        scaler: Scaler | None = None,
        past_covariates: TableLike | None = None,
        past_scaler: Scaler | None = None,
        future_covariates: TableLike | None = None,
        future_scaler: Scaler | None = None,
        static_covariates: TableLike | None = None,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
        parameter: int = 0,
    ) -> _R:
        """Read a trained network as a VAR on a history of its series.

        Parameters
        ----------
        network : SAMoVARNetwork
            Trained. A float64 copy is kept; the original is left as it is.
        history : DataFrame or array of shape (n_time, C)
            The series, in the units of the data, oldest row first; at least one context. What is
            asked at many origins (residuals, paths) needs more. Gaps only if the network was
            built for ``missing_values``.
        scaler, past_scaler, future_scaler : Scaler, optional
            How the host scaled what it gave to the network; by default not at all. A scale of 0
            (a constant column) counts as 1.
        past_covariates : DataFrame or array of shape (n_time, P), optional
        future_covariates : DataFrame or array of shape (n_time + n_ahead, F), optional
            From the first row of the history on. An origin needs a patch of them ahead.
        static_covariates : DataFrame or array of shape (C, S), optional
            As the network takes them.
        sigma_u : array of shape (C, C), optional
            Covariance of the one-step errors; by default the covariance of the residuals.
        out_of_sample_from : label, optional
            First time that training did not see. Residual diagnostics then use later times only.
        training : TrainingConfig, optional
            How the network was trained; tests that train again train in the same way.
        parameter : int, default=0
            Which of the numbers predicted per step is the forecast: the median of a quantile
            head, the location of a distribution.

        Returns
        -------
        DynamicVAR

        Raises
        ------
        DataError
            If a table does not fit the network, has gaps, or is too short.
        """
        tables = (history, past_covariates, future_covariates, static_covariates)
        scalers = (scaler, past_scaler, future_scaler)
        data = History.from_tables(network.config, *tables, scalers)
        if sigma_u is not None:
            sigma_u = check_covariance(sigma_u, network.config.n_series)
        return cls(
            NetworkMap(network, parameter),
            data,
            sigma_u=sigma_u,
            out_of_sample_from=out_of_sample_from,
            training=training,
        )

    @classmethod
    def from_members(
        cls: type[_R],
        members: Mapping[str, Member],
        shares: Mapping[str, np.ndarray],
        history: TableLike,
        *,
        context_length: int | None = None,
        scaler: Scaler | None = None,
        past_covariates: TableLike | None = None,
        past_scaler: Scaler | None = None,
        future_covariates: TableLike | None = None,
        future_scaler: Scaler | None = None,
        static_covariates: TableLike | None = None,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
        parameter: int = 0,
        estimation: Estimation | None = None,
    ) -> _R:
        """Read a weighted average of forecasts as a VAR on a history of its series.

        A forecast may start from few rows: a row for a linear forecast, a patch for a pretrained
        network, a full context for a trained network.

        Parameters
        ----------
        members : mapping of str to LinearForecast, tuple, or SAMoVARNetwork
            A pretrained network stands in a tuple with the period that it is told (1 for none),
            and the effect of covariates around it, if any: ``(network, season, effect)``.
        shares : mapping of str to array of shape (s, C)
            Share of each member at each step of each series; they sum to 1 over the members.
            Steps beyond have the shares of the last.
        history : DataFrame or array of shape (n_time, C)
            As in :meth:`from_network`; gaps are allowed unless a trained network forbids them.
        context_length : int, optional
            Rows before an origin that are read at most; by default the whole history, up to 2,048
            rows. It is raised to the longest lag of a linear forecast, and to the context of a
            trained network.
        scaler, past_covariates, past_scaler, future_covariates, future_scaler, static_covariates
            As in :meth:`from_network`; all members see the series by one scaler.
        sigma_u, out_of_sample_from, training, parameter
            As in :meth:`from_network`; the last two of the trained network.
        estimation : Estimation, optional
            How the members came about. Without it, they are the same on any history.

        Returns
        -------
        DynamicVAR
            Of the steps that every member forecasts at once.

        Raises
        ------
        ConfigurationError
            If members and shares do not fit each other.
        DataError
            If a table does not fit, or is too short.
        """
        tables = (history, past_covariates, future_covariates, static_covariates)
        n_columns = [0 if table is None else np.shape(table)[1] for table in tables]
        average = average_of(
            members,
            shares,
            len(history),
            n_columns,
            context_length=context_length,
            parameter=parameter,
        )
        if estimation is not None and estimation.earlier is not None:
            average = average.with_linear(None, estimation.earlier(np.asarray(history, float)))
        data = History.from_tables(
            average.shape,
            *tables,
            (scaler, past_scaler, future_scaler),
            fewest_rows=average.fewest_rows,
        )
        if sigma_u is not None:
            sigma_u = check_covariance(sigma_u, average.shape.n_series)
        return cls(
            average,
            data,
            sigma_u=sigma_u,
            out_of_sample_from=out_of_sample_from,
            training=training,
            estimation=estimation,
        )

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
        again = type(self)(forecast_map, data, estimation=self.estimation)
        if errors is not None:
            again.resid = errors
            again.sigma_u = errors.to_numpy().T @ errors.to_numpy() / len(errors)
        return again

    def answered_by(self: _R, draws: DrawnVars, position: int) -> _R:
        """Return the reading of the same history with VARs in place of the forecasts."""
        again = type(self)(self._map, self.data)
        again._answered_by = draws
        again.sigma_u = draws.sigmas(np.array([position]))[0]
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

    # ------------------------------------------------------------------------------- what it is

    @property
    def config(self) -> NetworkConfig:
        """Configuration of the trained network.

        Raises
        ------
        ConfigurationError
            If no trained network has a part in the forecast.
        """
        return self._trained.config

    @property
    def _trained(self) -> NetworkMap:
        """The trained network that has a part in the forecast."""
        if self._map.trained is None:
            raise ConfigurationError(
                "this is read from a trained network, and none has a part in this forecast",
                remedy="fit the forecaster with pretrained=False, train=True",
            )
        return self._map.trained

    @property
    def has_trained_network(self) -> bool:
        """Whether a trained network has a part in the forecast."""
        return self._map.trained is not None

    @property
    def shares(self) -> dict[str, pd.DataFrame]:
        """Share of each member in the forecast, a frame of steps and series; see `from_members`.

        Empty where the forecast is that of a single network.
        """
        if not isinstance(self._map, AverageMap):
            return {}
        steps = pd.RangeIndex(1, self.patch_length + 1, name="step")
        return {
            name: pd.DataFrame(share, steps, list(self.names))
            for name, share in self._map.shares.items()
        }

    @property
    def names(self) -> tuple[Hashable, ...]:
        """The series."""
        return self.data.target.names

    @property
    def index(self) -> pd.Index:
        """Times of the history."""
        return self.data.index

    @property
    def neqs(self) -> int:
        """Number of series, as statsmodels calls it."""
        return len(self.names)

    @property
    def order(self) -> int:
        """How many lags a forecast reads."""
        return self._map.shape.context_length

    @property
    def k_ar(self) -> int:
        """The order, as statsmodels calls it."""
        return self.order

    @property
    def patch_length(self) -> int:
        """Steps forecast at once."""
        return self._map.n_steps

    @property
    def history(self) -> pd.DataFrame:
        """The series, in the units of the data (a copy)."""
        return pd.DataFrame(self.data.target.values.copy(), self.data.index, list(self.names))

    @property
    def origins(self) -> pd.Index:
        """Times from which a forecast can be made."""
        return self.data.index[self.data.first_position : self.data.last_position + 1]

    @property
    def is_anchored(self) -> bool:
        """Whether a linear anchor has a share in the forecast."""
        return self._map.is_anchored

    @property
    def unit_roots_by_construction(self) -> bool:
        """Whether the coefficients sum to the identity whatever the weights and the data.

        They do with a normalisation that cancels the level, as ``"last_patch"`` and ``"window"``
        do: a constant added to a series is taken off before the network and put back after it. A
        linear anchor with a share in the
        forecast is no part of that, and leaves the sums to the data.
        """
        return self._map.cancels_level and not self._map.is_anchored and not self.is_of_vars

    @property
    def is_of_vars(self) -> bool:
        """Whether VARs answer in place of the forecasts, as in draws of the process itself."""
        return isinstance(self._answered_by, DrawnVars)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.neqs} series, {self.order} lags, "
            f"{len(self.origins)} origins up to {self.origins[-1]})"
        )

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
        if part not in PARTS:
            raise ConfigurationError("there is no such part", found=repr(part), wanted=list(PARTS))
        return self._map.jacobians(windows, weights, self.data.units(), part)

    def jacobians_at(
        self, positions: np.ndarray, weights: np.ndarray, part: Part = "total"
    ) -> Iterator[Jacobian]:
        """Yield the Jacobians, in units of the data, at rows of the history."""
        if self._answered_by is not None:
            return self._answered_by.jacobians_of(self, positions, weights, part)
        return self.jacobians(self.data.windows(positions), weights, part)

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
    def is_out_of_sample(self) -> bool:
        """Whether all that makes the forecasts knows no later row than their origin."""
        return isinstance(self._map, AverageMap) and self._map.is_out_of_sample

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
