"""A network on a history, read as a VAR at every origin: coefficients, stability, residuals."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.forecast_jacobian import ForecastJacobian
from samovar_forecast.dynamics.history import History, TableLike
from samovar_forecast.dynamics.local_var import Attribution, LocalVAR
from samovar_forecast.dynamics.network_map import NetworkMap, Windows
from samovar_forecast.dynamics.simulation import check_covariance, simulate_paths
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.scaler import Scaler

if TYPE_CHECKING:
    from statsmodels.tsa.vector_ar.var_model import VARProcess

    from samovar_forecast.network import SAMoVARNetwork

KEPT_ORIGINS = 16
"""Origins whose coefficients are kept for the next question."""

RESIDUALS_AT_MOST = 2000
"""One-step residuals are taken over so many of the newest origins."""


_V = TypeVar("_V", bound="HistoryVAR")


class HistoryVAR:
    """What follows from a network and a history alone; see :class:`DynamicVAR`."""

    def __init__(
        self,
        network_map: NetworkMap,
        history: History,
        *,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
    ) -> None:
        self._map = network_map
        self.data = history
        self._sigma_u = sigma_u
        self.out_of_sample_from = history.label(out_of_sample_from)
        self.training = training
        self._kept: OrderedDict[tuple[Any, ...], LocalVAR] = OrderedDict()

    @classmethod
    def from_network(
        cls: type[_V],
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
    ) -> _V:
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
            How the host scaled what it gave to the network;
            by default not at all. A scale of 0 (a constant column) counts as 1.
        past_covariates : DataFrame or array of shape (n_time, P), optional
        future_covariates : DataFrame or array of shape (n_time + n_ahead, F), optional
            From the first row of the history on. An origin needs a patch of them ahead.
        static_covariates : DataFrame or array of shape (C, S), optional
            As the network takes them.
        sigma_u : array of shape (C, C), optional
            Covariance of the one-step errors; by default that of the residuals on the history.
        out_of_sample_from : label, optional
            First time that training did not see. Residual diagnostics then use later ones only.
        training : TrainingConfig, optional
            How the network was trained; tests that train again do it so.
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

    # ------------------------------------------------------------------------------- what it is

    @property
    def config(self) -> NetworkConfig:
        """Configuration of the network."""
        return self._map.config

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
        return self.config.context_length

    @property
    def k_ar(self) -> int:
        """The order, as statsmodels calls it."""
        return self.order

    @property
    def patch_length(self) -> int:
        """Steps forecast at once."""
        return self.config.patch_length

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

        So with ``normalization="last_patch"`` and ``"window"``: a constant added to a series is
        taken off before the network and put back after it. A linear anchor with a share in the
        forecast is no part of that, and leaves the sums to the data.
        """
        return self.config.normalization != "none" and not self._map.is_anchored

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
        rows = self.data.positions(origins)[:, None] + np.arange(1 - self.order, 1)
        return self.data.target.values[rows]

    def has_network_of(self, other: HistoryVAR) -> bool:
        """Whether both read the same network: configuration and weights."""
        return self._map.equals(other._map)

    def patches(self, windows: Windows) -> np.ndarray:
        """Return the forecasts of windows in the network's units, in those of the data."""
        return self._map.forecast(windows) * self.data.target.scale + self.data.target.location

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
        windows = self.data.hypothetical(histories, self.data.position(origin))
        return self.patches(windows)[:, 0]

    # ------------------------------------------------------------------- data space: coefficients

    def _weights(self, horizon: int | None, weights: np.ndarray | None) -> np.ndarray:
        if weights is not None:
            asked = np.asarray(weights, dtype=float)
            if asked.shape != (self.patch_length,):
                raise ConfigurationError(
                    "weights want one number per forecast step",
                    found=f"shape {asked.shape}",
                    wanted=f"({self.patch_length},)",
                )
            return asked[None]
        if horizon is None or not 1 <= horizon <= self.patch_length:
            raise ConfigurationError(
                "the direct forecast has no such step",
                found=horizon,
                wanted=f"1 to {self.patch_length}",
                remedy="later steps are reached by irf and simulate",
            )
        return np.eye(self.patch_length)[[horizon - 1]]

    def at(
        self,
        origin: Hashable | None = None,
        horizon: int = 1,
        *,
        weights: np.ndarray | None = None,
    ) -> LocalVAR:
        """Return the VAR that the network is at an origin.

        Parameters
        ----------
        origin : label, optional
            By default the newest.
        horizon : int, default=1
            Step of the direct forecast, 1 to the patch length.
        weights : array of shape (s,), optional
            In place of one step: explain this weighted sum of the steps, a mean or a change say.

        Returns
        -------
        LocalVAR
        """
        position = self.data.position(origin)
        asked = self._weights(horizon, weights)
        key = (position, asked.tobytes())
        if key not in self._kept:
            self._kept[key] = next(self._local(np.array([position]), horizon, weights))
            if len(self._kept) > KEPT_ORIGINS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _local(
        self, positions: np.ndarray, horizon: int | None, weights: np.ndarray | None
    ) -> Iterator[LocalVAR]:
        asked = self._weights(horizon, weights)
        jacobians = self.jacobians(self.data.windows(positions), asked)
        for position, jacobian in zip(positions, jacobians, strict=True):
            start, stop = position + 1 - self.order, position + 1
            local = LocalVAR(
                origin=self.data.index[position],
                names=self.names,
                past_names=self.data.past.names,
                future_names=self.data.future.names,
                static_names=self.data.static.names,
                horizon=horizon if weights is None else None,
                forecast=jacobian.value[0],
                target=self.data.target.values[start:stop],
                past_covariates=self.data.past.rows(start, stop),
                future_covariates=self.data.future.rows(start, stop + self.patch_length),
                static_covariates=self.data.static.rows(0, self.neqs),
                jacobian=jacobian,
                is_shift_equivariant=self.unit_roots_by_construction,
            )
            local.warn_if_not_exact()
            yield local

    def jacobians(self, windows: Windows, weights: np.ndarray) -> Iterator[ForecastJacobian]:
        """Yield the Jacobians of windows in the network's units, in those of the data."""
        return self._map.jacobians(windows, weights, self.data.units())

    def jacobian(
        self, origin: Hashable | None = None, weights: np.ndarray | None = None
    ) -> ForecastJacobian:
        """Return the Jacobian of every step of the forecast, in factored form.

        Parameters
        ----------
        origin : label, optional
        weights : array of shape (R, s), optional
            R weighted sums of the steps in place of every step.

        Returns
        -------
        ForecastJacobian
            Lazy: one lag, one pair, a product, or all of it on request. ``at`` names its parts.
        """
        asked = np.eye(self.patch_length) if weights is None else np.asarray(weights, dtype=float)
        if asked.ndim != 2 or asked.shape[1] != self.patch_length:
            raise ConfigurationError(
                "weights want one row per weighted sum of the forecast's steps",
                found=f"shape {asked.shape}",
                wanted=f"(any, {self.patch_length})",
            )
        windows = self.data.windows(np.array([self.data.position(origin)]))
        return next(self.jacobians(windows, asked))

    @property
    def coefs(self) -> np.ndarray:
        """Coefficients at the newest origin, ``[lag - 1, response, impulse]``."""
        return self.at().coefs

    @property
    def intercept(self) -> np.ndarray:
        """Intercept at the newest origin, (C,); see ``LocalVAR.intercept``."""
        return self.at().intercept

    def coefs_at(self, horizon: int, origin: Hashable | None = None) -> np.ndarray:
        """Return the coefficients of the direct forecast of a later step, (order, C, C)."""
        return self.at(origin, horizon).coefs

    def attribution(self, origin: Hashable | None = None, horizon: int = 1) -> Attribution:
        """Show a forecast as contributions of every past observation and covariate."""
        return self.at(origin, horizon).attribution()

    def coefficient_paths(
        self,
        lags: Sequence[int] = (1,),
        origins: Any = None,
        horizon: int = 1,
    ) -> pd.DataFrame:
        """Follow coefficients over the origins: how the dynamics moved.

        Parameters
        ----------
        lags : sequence of int, default=(1,)
        origins : list of labels, slice of labels, or None
            None: all.
        horizon : int, default=1

        Returns
        -------
        DataFrame
            A row per origin; columns (response, impulse, lag). Past covariates act as impulses.
        """
        wanted = list(lags)
        for lag in wanted:
            if not 1 <= lag <= self.order:
                raise ConfigurationError(
                    "there is no such lag", found=lag, wanted=f"1 to {self.order}"
                )
        rows = self.order - np.array(wanted)
        positions = self.data.positions(origins)
        paths = np.stack(
            [
                local.jacobian.at_rows(rows)[0].swapaxes(1, 2)  # C K lags
                for local in self._local(positions, horizon, None)
            ]
        )
        impulses = [*self.data.past.names, *self.names]
        columns = pd.MultiIndex.from_product(
            [list(self.names), impulses, wanted], names=["response", "impulse", "lag"]
        )
        return pd.DataFrame(paths.reshape(len(positions), -1), self.data.index[positions], columns)

    def mean_coefs(self, origins: Any = None, horizon: int = 1) -> np.ndarray:
        """Return the coefficients averaged over origins, (order, C, C), in bounded memory."""
        positions = self.data.positions(origins)
        total = np.zeros((self.order, self.neqs, self.neqs))
        for local in self._local(positions, horizon, None):
            total += local.coefs
        return total / len(positions)

    def to_statsmodels(self, origin: Hashable | None = None) -> VARProcess:
        """Return the VAR at an origin as statsmodels' ``VARProcess``; see ``LocalVAR``."""
        return self.at(origin).to_statsmodels(self.sigma_u)

    def _setting(self, origins: Any) -> dict[str, Any]:
        """Return step, histories and labels for the functions that simulate."""
        positions = self.data.positions(origins)
        if len(positions) > 1 and self.data.has_covariates:
            raise ConfigurationError(
                "with covariates, responses are simulated from one origin at a time",
                found=f"{len(positions)} origins",
                remedy="call once for each origin",
            )
        origin = self.index[positions[0]]
        rows = positions[:, None] + np.arange(1 - self.order, 1)
        return {
            "step": lambda histories: self.one_step(histories, origin),
            "histories": self.data.target.values[rows],
            "names": [str(name) for name in self.names],
            "origins": list(self.index[positions]),
        }

    # ------------------------------------------------------------------------------- stability

    def transient(self, origin: Hashable | None = None) -> np.ndarray:
        """Return the VAR in differences at an origin, its built-in unit roots taken out."""
        return self.at(origin).transient()

    def is_stable(self, origin: Hashable | None = None) -> bool:
        """Whether the VAR at an origin is stable, apart from unit roots that are built in."""
        return self.at(origin).is_stable()

    def simulate(
        self,
        n_paths: int = 100,
        periods: int = 100,
        origin: Hashable | None = None,
        *,
        random_state: int | None = None,
    ) -> np.ndarray:
        """Continue the history by the network and errors drawn from its residuals.

        Each step draws one row of the centred residuals, so errors keep their distribution and
        their correlation across series; with ``sigma_u`` given and no residuals they are normal.
        Covariates stay as they are at the origin.

        Parameters
        ----------
        n_paths, periods : int
        origin : label, optional
        random_state : int, optional

        Returns
        -------
        array of shape (n_paths, periods, C)
        """
        rng = np.random.default_rng(random_state)
        if len(self.origins) > 2 and len(self.resid) > 1:
            residuals = self.resid.to_numpy()
            drawn = rng.integers(len(residuals), size=(n_paths, periods))
            shocks = (residuals - residuals.mean(axis=0))[drawn]
        else:
            zero = np.zeros(self.neqs)
            shocks = rng.multivariate_normal(zero, self.sigma_u, size=(n_paths, periods))
        setting = self._setting(self.data.index[self.data.position(origin)])
        return simulate_paths(setting["step"], setting["histories"], shocks)[0]

    def share_of_bounded_paths(
        self,
        n_paths: int = 100,
        periods: int = 200,
        origin: Hashable | None = None,
        *,
        bound: float = 10.0,
        random_state: int | None = 0,
    ) -> float:
        """Return the share of simulated paths that stay within bounds: stability, globally.

        The coefficients at one origin say what happens nearby; this asks the network itself.

        Parameters
        ----------
        n_paths, periods, origin, random_state
            As in :meth:`simulate`.
        bound : float, default=10
            A path is bounded if no series ever leaves its mean over the history by more than so
            many standard deviations. A series with a unit root needs more room in a long run.

        Returns
        -------
        float
        """
        paths = self.simulate(n_paths, periods, origin, random_state=random_state)
        values = self.data.target.values
        room = bound * np.nanstd(values, axis=0)
        return float((np.abs(paths - np.nanmean(values, axis=0)) <= room).all(axis=(1, 2)).mean())

    # ------------------------------------------------------------------------------- residuals

    @cached_property
    def resid(self) -> pd.DataFrame:
        """One-step forecast errors over the history, by the time that was forecast.

        Of the newest 2,000 origins, and of times at which every series was observed.
        """
        positions = self.data.positions(None)
        positions = positions[positions < len(self.data.index) - 1][-RESIDUALS_AT_MOST:]
        parts = [np.empty((0, self.neqs))]
        for start in range(0, len(positions), 256):  # windows overlap: not all in memory at once
            some = positions[start : start + 256]
            parts.append(
                self.data.target.values[some + 1] - self.patches(self.data.windows(some))[:, 0]
            )
        errors = pd.DataFrame(
            np.concatenate(parts), self.data.index[positions + 1], list(self.names)
        )
        return errors.dropna()

    @property
    def resid_out_of_sample(self) -> pd.DataFrame | None:
        """The residuals of times that training did not see; None where that is not known."""
        if self.out_of_sample_from is None:
            return None
        return self.resid.loc[self.resid.index >= self.out_of_sample_from]

    @cached_property
    def sigma_u(self) -> np.ndarray:
        """Covariance of the one-step errors, (C, C): as given, or that of ``resid``.

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
