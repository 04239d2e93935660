"""DynamicVAR: the object on which a fitted network answers an econometrician's questions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from samovar_forecast.config import TrainingConfig
from samovar_forecast.dynamics import causality, connectedness, constancy, decompositions, responses
from samovar_forecast.dynamics.history import History, TableLike
from samovar_forecast.dynamics.history_var import HistoryVAR
from samovar_forecast.dynamics.local_var import number_of
from samovar_forecast.dynamics.refitting import NetworkLearner
from samovar_forecast.dynamics.token_weights import (
    LagWeights,
    TokenTrace,
    influence_paths,
    lag_weights,
)
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.scaler import Scaler

if TYPE_CHECKING:
    from samovar_forecast.dynamics.news import News
    from samovar_forecast.dynamics.summary import Summary


@dataclass(frozen=True, eq=False)
class InfluencePaths:
    """The strongest ways by which patches reached one step of a series' forecast.

    Attributes
    ----------
    table : DataFrame
        A row per path, the largest contribution first: ``contribution`` (units of the data),
        ``patch_lag`` (of the patch that it starts from; 0 is the newest), ``from_kind`` (its own
        patch, "endogenous", or the mix of all series, "exogenous"), ``n_layers``, ``head``,
        ``tokens`` (those it passes; 2 n and 2 n + 1 belong to patch n), and ``starts`` and
        ``ends``, the times of the patch that it starts from.
    patches : DataFrame
        ``starts`` and ``ends`` of every patch, oldest first.
    response : label
    step : int
    origin : label
    forecast : float
        All paths together plus the offset; the network's own, before an anchor has its share.
    offset : float
        What no path carries: level of the window and bias of the head.
    """

    table: pd.DataFrame
    patches: pd.DataFrame
    response: Hashable
    step: int
    origin: Hashable
    forecast: float
    offset: float


class DynamicVAR(HistoryVAR):
    """A fitted network read as a vector autoregression whose coefficients move with the data.

    Build it by :meth:`from_network`, or let a forecaster do so (``forecaster.explain()``).

    Two readings, never mixed. *Data space*: at every origin the network is a VAR in the units of
    the data, its coefficients the Jacobian of the forecast (``at``, ``coefs``,
    ``coefficient_paths``, ``attribution``, ``to_statsmodels``, ``news``). *Token space*: the exact
    weights inside the mixture (``lag_weights``, ``influence_paths``). Responses to shocks are
    simulated by the network itself.

    Names are those of statsmodels where the thing is the same: ``coefs``, ``intercept``,
    ``sigma_u``, ``resid``, ``irf``, ``fevd``, ``is_stable``, ``summary``. Matrices read effect
    first: ``coefs[lag - 1, response, impulse]``. An *origin* is the time of the last observation
    that a forecast uses, a label of the index; by default the newest.

    Attributes
    ----------
    names : tuple of labels
        The series.
    index : pandas.Index
        Times of the history.
    order : int
        How many lags a forecast reads (the context length); statsmodels' ``k_ar``.
    patch_length : int
        Steps forecast at once.
    out_of_sample_from : label or None
        First time that training did not see, where known.
    """

    # ------------------------------------------------------------------------------- responses

    def irf(
        self, periods: int = 10, *, orth: bool = False, origin: Any = None, size: float = 1.0
    ) -> responses.ImpulseResponses:
        """Follow a shock from an origin, or several; see :func:`responses.irf`.

        Parameters
        ----------
        periods : int, default=10
        orth : bool, default=False
            Orthogonal shocks (the order of the series matters), or one unit of each series alone.
        origin : label, list of labels or slice, optional
            By default the newest.
        size : float, default=1.0
            Multiple of the shock; the network is not linear, so it may matter.

        Returns
        -------
        ImpulseResponses
        """
        setting = self._setting(self.origins[-1] if origin is None else origin)
        return responses.irf(
            setting.pop("step"),
            setting.pop("histories"),
            periods,
            sigma_u=self.sigma_u if orth else None,
            orth=orth,
            size=size,
            **setting,
        )

    def girf(
        self,
        periods: int = 10,
        *,
        size: float = 1.0,
        origins: Any = None,
        n_histories: int | None = 20,
        n_draws: int = 100,
        random_state: int | None = 0,
    ) -> responses.ImpulseResponses:
        """Average the response to a shock over histories and later shocks.

        See :func:`responses.girf`.

        Parameters
        ----------
        periods : int, default=10
        size : float, default=1.0
            Of the shock in standard deviations of each series' error; negative for a fall.
        origins : label, list of labels or slice, optional
            Histories to average over; by default all.
        n_histories : int or None, default=20
            Draw so many of them at random; None takes each once.
        n_draws : int, default=100
            Draws of the later shocks for each history.
        random_state : int, optional

        Returns
        -------
        ImpulseResponses
        """
        setting = self._setting(self._some_origins(origins))
        if len(setting["histories"]) == 1:
            n_histories = None
        return responses.girf(
            setting.pop("step"),
            setting.pop("histories"),
            periods,
            sigma_u=self.sigma_u,
            size=size,
            n_histories=n_histories,
            n_draws=n_draws,
            random_state=random_state,
            **setting,
        )

    def fevd(
        self, periods: int = 10, *, origin: Any = None
    ) -> decompositions.VarianceDecomposition:
        """Decompose forecast errors by orthogonal shocks; see :func:`decompositions.fevd`."""
        setting = self._setting(self.origins[-1] if origin is None else origin)
        step, histories = setting.pop("step"), setting.pop("histories")
        return decompositions.fevd(step, histories, periods, sigma_u=self.sigma_u, **setting)

    def generalized_fevd(
        self,
        periods: int = 10,
        *,
        origin: Any = None,
        n_draws: int = 100,
        random_state: int | None = 0,
    ) -> decompositions.VarianceDecomposition:
        """Decompose forecast errors whatever the order of the series.

        See :func:`decompositions.generalized_fevd`.
        """
        setting = self._setting(self.origins[-1] if origin is None else origin)
        step, histories = setting.pop("step"), setting.pop("histories")
        return decompositions.generalized_fevd(
            *(step, histories, periods),
            sigma_u=self.sigma_u,
            n_draws=n_draws,
            random_state=random_state,
            **setting,
        )

    def connectedness(
        self,
        horizon: int = 10,
        *,
        origins: Any = None,
        n_draws: int = 20,
        random_state: int | None = 0,
    ) -> connectedness.Connectedness:
        """Measure over time how much of the series' errors comes from one another.

        See :func:`connectedness.connectedness`. By default at up to 60 origins, evenly spread.
        """
        if origins is None:
            origins = self._some_origins(None)
            origins = origins[np.unique(np.linspace(0, len(origins) - 1, 60).astype(int))]
        setting = self._setting(origins)
        step, histories = setting.pop("step"), setting.pop("histories")
        return connectedness.connectedness(
            *(step, histories, horizon),
            sigma_u=self.sigma_u,
            n_draws=n_draws,
            random_state=random_state,
            **setting,
        )

    def _some_origins(self, origins: Any) -> Any:
        """Return the origins asked for; all by default, the newest alone with covariates."""
        if origins is not None:
            return origins
        return self.origins[-1:] if self.data.has_covariates else self.origins

    # ------------------------------------------------------------- tests, which train again

    def _learner(
        self, n_test: int | None, seeds: tuple[int, ...], training: TrainingConfig | None
    ) -> NetworkLearner:
        values = self.data.target.values
        return NetworkLearner(
            values,
            tuple(str(name) for name in self.names),
            self.config,
            training or self.training or TrainingConfig(),
            len(values) // 4 if n_test is None else n_test,
            seeds,
        )

    def _actual(self, learner: NetworkLearner) -> pd.DataFrame:
        return pd.DataFrame(learner.test_actual, self.index[-learner.n_test :], list(learner.names))

    def test_causality(
        self,
        caused: str | Sequence[str] | None = None,
        causing: str | Sequence[str] | None = None,
        *,
        n_test: int | None = None,
        seeds: tuple[int, ...] = (0, 1),
        training: TrainingConfig | None = None,
        level: float = 0.05,
    ) -> causality.CausalityTest:
        """Test whether a series helps to forecast another, by training without it.

        See :func:`causality.predictive_causality`: Clark and West's test on one-step forecasts of
        times that no training saw. It trains ``len(seeds) * (1 + number of causing series)``
        networks; for a quick look at this one network, which is no test, see :meth:`reliance`.

        Parameters
        ----------
        caused, causing : name or sequence of names, optional
            By default all series.
        n_test : int, optional
            Newest observations to test on; by default a quarter of the history.
        seeds : tuple of int, default=(0, 1)
            One training each.
        training : TrainingConfig, optional
            By default as this network was trained.
        level : float, default=0.05

        Returns
        -------
        CausalityTest
        """
        learner = self._learner(n_test, seeds, training)
        return causality.predictive_causality(
            learner, self._actual(learner), caused, causing, level=level
        )

    def test_constancy(
        self,
        *,
        n_test: int | None = None,
        seeds: tuple[int, ...] = (0, 1),
        training: TrainingConfig | None = None,
        level: float = 0.05,
    ) -> constancy.ConstancyTest:
        """Test whether dynamic weights forecast better than constant ones.

        See :func:`constancy.constancy`; parameters as in :meth:`test_causality`. It trains
        ``2 * len(seeds)`` networks.
        """
        learner = self._learner(n_test, seeds, training)
        names = learner.names
        dynamic, constant = learner(names), learner.with_predictor("fixedvar")(names)
        return constancy.constancy(self._actual(learner), constant, dynamic, level=level)

    def reliance(self, origins: Any = None) -> pd.DataFrame:
        """Return how much this network leans on each series: masking, without a refit.

        See :func:`causality.reliance`. It describes the network and tests nothing.
        """
        positions = self.data.positions(self._some_origins(origins))
        positions = positions[positions < len(self.index) - 1]
        if len(positions) == 0:
            raise DataError("reliance compares forecasts with what followed: nothing follows here")
        setting = self._setting(self.index[positions])
        actual = pd.DataFrame(
            self.data.target.values[positions + 1],
            self.index[positions + 1],
            setting["names"],
        )
        return causality.reliance(setting["step"], setting["histories"], actual)

    # ----------------------------------------------------------------------------- token space

    def trace(self, origin: Hashable | None = None) -> TokenTrace:
        """Return what the mixture did at an origin: where token space begins."""
        window = self.data.windows(np.array([self.data.position(origin)]))
        return self._map.trace(window, self.data.units())

    def lag_weights(self, origin: Hashable | None = None, patch: int | None = None) -> LagWeights:
        """Return the exact weights of the mixture on its tokens; see ``token_weights``.

        They say how a forecast was put together, and rebuild it. They are no effects: those are
        ``coefs``.
        """
        return lag_weights(self.trace(origin), patch)

    def influence_paths(
        self,
        response: Hashable,
        step: int = 1,
        *,
        origin: Hashable | None = None,
        top: int = 10,
        from_patch: int | None = None,
    ) -> InfluencePaths:
        """Return the paths by which patches reached one step of a series' forecast.

        Parameters
        ----------
        response : name of a series
        step : int, default=1
        origin : label, optional
        top : int, default=10
            How many, the largest contributions first.
        from_patch : int, optional
            Only paths from this patch, 0 the oldest.

        Returns
        -------
        InfluencePaths
        """
        series = number_of(response, self.names, "series")
        position = self.data.position(origin)
        trace = self.trace(origin)
        found = influence_paths(trace, series, step, top=top, from_patch=from_patch)
        n_patches, length = self.config.n_patches, self.patch_length
        firsts = position + 1 - length * np.arange(n_patches, 0, -1)
        patches = pd.DataFrame(
            {
                "starts": self.index[np.maximum(firsts, position + 1 - self.order)],
                "ends": self.index[firsts + length - 1],
            }
        )
        table = pd.DataFrame(
            {
                "contribution": [path.contribution for path in found],
                "patch_lag": [path.patch_lag for path in found],
                "from_kind": [path.kinds[0] for path in found],
                "n_layers": [path.n_layers for path in found],
                "head": [path.head for path in found],
                "tokens": [path.tokens for path in found],
            }
        )
        return InfluencePaths(
            table=table.join(patches, on=pd.Index([path.patches[0] for path in found])),
            patches=patches,
            response=response,
            step=step,
            origin=self.index[position],
            forecast=float(trace.patch_prediction[series, -1, step - 1]),
            offset=float(trace.offset[series, step - 1]),
        )

    # --------------------------------------------------------------------------- news, summary

    def news(self, new: DynamicVAR | pd.DataFrame, step: int = 1) -> News:
        """Explain by revised and new observations how a forecast moved; see :func:`news.news`.

        Parameters
        ----------
        new : DynamicVAR or DataFrame
            The same network on newer data; a frame of the series will do without covariates.
        step : int, default=1
            The date that is forecast: so many steps after the newest origin of ``new``.

        Returns
        -------
        News
        """
        from samovar_forecast.dynamics.news import news

        return news(self, self.on(new) if isinstance(new, pd.DataFrame) else new, step)

    def on(self, history: TableLike) -> DynamicVAR:
        """Return the same network on another history of the series, without covariates.

        Raises
        ------
        ConfigurationError
            If the network takes covariates: build a new object with them.
        """
        if self.data.has_covariates:
            raise ConfigurationError(
                "a network with covariates wants these with every history",
                remedy="explain the new data, with its covariates, by the forecaster",
            )
        target = self.data.target
        scalers = (Scaler(target.location, target.scale), None, None)
        data = History.from_tables(self.config, history, None, None, None, scalers)
        if isinstance(history, pd.DataFrame) and tuple(history.columns) != self.names:
            raise DataError(
                "the new history has other series",
                found=list(history.columns),
                wanted=list(self.names),
            )
        return DynamicVAR(
            self._map,
            data,
            sigma_u=self._sigma_u,
            out_of_sample_from=self.out_of_sample_from,
            training=self.training,
        )

    def summary(self, origin: Hashable | None = None) -> Summary:
        """Return what the network is and does at an origin, as text and HTML."""
        from samovar_forecast.dynamics.summary import summarize

        return summarize(self, origin)
