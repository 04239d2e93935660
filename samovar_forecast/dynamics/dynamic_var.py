"""DynamicVAR: the object on which a fitted network answers an econometrician's questions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from samovar_forecast.config import TrainingConfig
from samovar_forecast.dynamics import causality, connectedness, constancy, decompositions, responses
from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.bootstrap import resampled
from samovar_forecast.dynamics.coefficient_reading import CoefficientReading
from samovar_forecast.dynamics.direct_responses import (
    direct_connectedness,
    direct_fevd,
    direct_irf,
)
from samovar_forecast.dynamics.forecast_map import Part
from samovar_forecast.dynamics.history import History, TableLike
from samovar_forecast.dynamics.news import News, news
from samovar_forecast.dynamics.refitting import NetworkLearner
from samovar_forecast.dynamics.residual_tests import normality, whiteness
from samovar_forecast.dynamics.simulation import check_periods
from samovar_forecast.dynamics.statsmodels_names import ANSWERED_BY
from samovar_forecast.dynamics.summary import (
    FEWEST_RESIDUALS,
    Summary,
    effective_lags,
    summarize,
)
from samovar_forecast.dynamics.token_space import TokenSpace
from samovar_forecast.dynamics.zero_shot_causality import ZeroShotForecasts, zero_shot_causality
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.exceptions import ConfigurationError, DataError

_Result = TypeVar("_Result", responses.ImpulseResponses, decompositions.VarianceDecomposition)


class DynamicVAR(CoefficientReading):
    """A fitted network read as a vector autoregression whose coefficients move with the data.

    Build it by :meth:`from_network`, or let a forecaster do so (``forecaster.explain()``).

    Two readings, never mixed. *Data space*, here: at every origin the network is a VAR in the
    units of the data, its coefficients the Jacobian of the forecast. *Token space*, in `tokens`:
    the exact weights inside the mixture. Responses to shocks are simulated by the network itself.

    ====================  ======================================================================
    what is asked         by
    ====================  ======================================================================
    the model             ``names``, ``index``, ``origins``, ``order``, ``config``, ``summary``
    forecasts             ``forecast``, ``one_step``, ``simulate``, ``resid``, ``sigma_u``,
                          ``sigma_at``
    coefficients          ``at``, ``coefs``, ``coefs_at``, ``coefficient_paths``, ``mean_coefs``,
                          each in parts: ``part="dynamics"``
    a forecast as a sum   ``attribution``, ``news``
    persistence           ``persistence``, ``long_run_effects``, ``largest_root``, ``is_stable``,
                          all of the dynamics; ``transient``, ``share_of_bounded_paths``
    shocks                ``irf``, ``girf``, ``fevd``, ``generalized_fevd``, ``connectedness``
    tests                 ``test_causality``, ``test_constancy``; ``reliance`` describes
    the mixture           ``tokens``
    another library       ``to_statsmodels``
    ====================  ======================================================================

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
    tokens : TokenSpace
    """

    @cached_property
    def tokens(self) -> TokenSpace:
        """Token space: the exact weights by which the mixture made the forecasts."""
        trained = self._trained
        shape = trained.config
        data = replace(
            self.data,
            order=shape.context_length,
            patch_length=shape.patch_length,
            fewest_rows=shape.context_length,
        )
        return TokenSpace(trained, data)

    # ------------------------------------------------------------------------------- responses

    def irf(
        self,
        periods: int | None = None,
        *,
        orth: bool = False,
        origin: Any = None,
        size: float = 1.0,
        method: str = "direct",
        part: Part = "dynamics",
        bands: str | None = None,
        level: float = 0.9,
        n_draws: int = 39,
        random_state: int | None = 0,
    ) -> responses.ImpulseResponses:
        """Follow a shock from an origin, or several.

        Parameters
        ----------
        periods : int, optional
            By default 10, or as many as the direct forecast has steps.
        orth : bool, default=False
            Orthogonal shocks (the order of the series matters), or one unit of each series alone.
        origin : label, list of labels or slice, optional
            By default the newest.
        size : float, default=1.0
            Multiple of the shock; a simulated response may depend on it.
        method : {"direct", "iterated"}, default="direct"
            The derivative of each step of the direct forecast by the newest observation: the
            dynamics of the forecast that users get, up to ``patch_length`` steps, at any number of
            origins, also with covariates, and without a simulation. Or the first step of the
            forecast iterated under the shock, as the VAR in statsmodels is: see
            :func:`responses.irf`.
        part : Part, default="dynamics"
            Of the derivative, see :meth:`at`. A shock then leaves alone what was measured of the
            window and learned from it, as a shock to a VAR leaves its coefficients alone. The
            iterated method knows the whole forecast alone.
        bands : {None, "bootstrap"}, default=None
            With ``"bootstrap"`` the responses on ``n_draws`` histories that the dynamic VAR draws
            itself, see :mod:`~samovar_forecast.dynamics.bootstrap`; nothing is trained.
        level : float, default=0.9
            Of the bands.
        n_draws : int, default=39
            A level of 90 % leaves a draw beyond each end.
        random_state : int, optional
            Of the draws.

        Returns
        -------
        ImpulseResponses
        """
        is_direct = self._is_direct(method)
        if periods is None:
            periods = min(10, self.patch_length) if is_direct else 10
        check_periods(periods, least=0)
        origins = self.index[self.data.positions(self._newest(origin))]

        def compute(var: DynamicVAR) -> responses.ImpulseResponses:
            sigma_u = var.sigma_u if orth else None
            if is_direct:
                slopes, names, labels = var._direct_slopes(periods, origins, part)
                return direct_irf(slopes, names, labels, sigma_u=sigma_u, orth=orth, size=size)
            setting = var._setting(origins)
            return responses.irf(
                setting.step,
                setting.histories,
                periods,
                sigma_u=sigma_u,
                orth=orth,
                size=size,
                names=setting.names,
                origins=setting.origins,
            )

        return self._with_bands(compute, bands, level, n_draws, random_state)

    def _with_bands(
        self,
        compute: Callable[[DynamicVAR], _Result],
        bands: str | None,
        level: float,
        n_draws: int,
        random_state: int | None,
    ) -> _Result:
        """Return a result, with the results of drawn histories where bands are asked for."""
        if bands not in (None, "bootstrap"):
            raise ConfigurationError(
                "there are no such bands", found=repr(bands), wanted=[None, "bootstrap"]
            )
        found = compute(self)
        if bands is None:
            return found
        draws = [
            compute(drawn).estimate for drawn in resampled(self, n_draws, random_state=random_state)
        ]
        return replace(found, draws=np.stack(draws), level=level)

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
            Draw this number of them at random; None takes each once.
        n_draws : int, default=100
            Draws of the later shocks for each history.
        random_state : int, optional

        Returns
        -------
        ImpulseResponses
        """
        setting = self._setting(self._some_origins(origins))
        return responses.girf(
            setting.step,
            setting.histories,
            periods,
            sigma_u=self.sigma_u,
            size=size,
            n_histories=None if len(setting.histories) == 1 else n_histories,
            n_draws=n_draws,
            random_state=random_state,
            names=setting.names,
            origins=setting.origins,
        )

    def fevd(
        self,
        periods: int | None = None,
        *,
        origin: Any = None,
        method: str = "direct",
        part: Part = "dynamics",
        bands: str | None = None,
        level: float = 0.9,
        n_draws: int = 39,
        random_state: int | None = 0,
    ) -> decompositions.VarianceDecomposition:
        """Decompose forecast errors by orthogonal shocks; see :func:`decompositions.fevd`.

        The arguments are those of :meth:`irf`.
        """
        is_direct = self._is_direct(method)
        if periods is None:
            periods = min(10, self.patch_length + 1) if is_direct else 10
        check_periods(periods, least=1)
        origins = self.index[self.data.positions(self._newest(origin))]

        def compute(var: DynamicVAR) -> decompositions.VarianceDecomposition:
            if is_direct:
                slopes, names, labels = var._direct_slopes(periods - 1, origins, part)
                return direct_fevd(slopes, names, labels, sigma_u=var.sigma_u)
            setting = var._setting(origins)
            return decompositions.fevd(
                setting.step,
                setting.histories,
                periods,
                sigma_u=var.sigma_u,
                names=setting.names,
                origins=setting.origins,
            )

        return self._with_bands(compute, bands, level, n_draws, random_state)

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
        setting = self._setting(self._newest(origin))
        return decompositions.generalized_fevd(
            setting.step,
            setting.histories,
            periods,
            sigma_u=self.sigma_u,
            n_draws=n_draws,
            random_state=random_state,
            names=setting.names,
            origins=setting.origins,
        )

    def connectedness(
        self,
        horizon: int | None = None,
        *,
        origins: Any = None,
        method: str = "direct",
        part: Part = "dynamics",
        n_draws: int = 20,
        random_state: int | None = 0,
    ) -> connectedness.Connectedness:
        """Measure over time how much of the series' errors comes from one another.

        By default at up to 60 origins, evenly spread.

        Parameters
        ----------
        horizon : int, optional
            Steps of the forecast whose error is decomposed; by default 10, or as many as the
            method reaches.
        origins : label, list of labels or slice, optional
        method : {"direct", "iterated"}, default="direct"
            By the responses of the direct forecasts and `sigma_at`, both of the origin itself; or
            by a simulation of the first step and `sigma_u`, see
            :func:`connectedness.connectedness`, to which alone the draws belong.
        part : Part, default="dynamics"
            That of :meth:`irf`.
        n_draws : int, default=20
        random_state : int, optional

        Returns
        -------
        Connectedness
        """
        is_direct = self._is_direct(method)
        if horizon is None:
            horizon = min(10, self.patch_length + 1) if is_direct else 10
        check_periods(horizon, least=1)
        if origins is None:
            origins = self.origins if is_direct else self._some_origins(None)
            origins = origins[np.unique(np.linspace(0, len(origins) - 1, 60).astype(int))]
        if is_direct:
            slopes, names, labels = self._direct_slopes(horizon - 1, origins, part)
            sigmas = self._sigmas(self.data.positions(origins))
            return direct_connectedness(slopes, names, labels, sigmas=sigmas)
        setting = self._setting(origins)
        return connectedness.connectedness(
            setting.step,
            setting.histories,
            horizon,
            sigma_u=self.sigma_u,
            n_draws=n_draws,
            random_state=random_state,
            names=setting.names,
            origins=setting.origins,
        )

    @staticmethod
    def _is_direct(method: str) -> bool:
        if method not in ("iterated", "direct"):
            raise ConfigurationError(
                "there is no such method", found=repr(method), wanted=["iterated", "direct"]
            )
        return method == "direct"

    def _direct_slopes(
        self, periods: int, origins: Any, part: Part
    ) -> tuple[np.ndarray, list[str], list[Hashable]]:
        """Return the derivatives of steps by the newest observation, (O, periods, C, C)."""
        if not 0 <= periods <= self.patch_length:
            raise ConfigurationError(
                "the direct forecast has no such step",
                found=periods,
                wanted=f"0 to {self.patch_length}",
                remedy='method="iterated" reaches any step',
            )
        positions = self.data.positions(origins)
        slopes = np.zeros((len(positions), periods, self.neqs, self.neqs))
        if periods:
            asked, newest = np.eye(self.patch_length)[:periods], np.array([self.order - 1])
            found = self.jacobians(self.data.windows(positions), asked, part)
            for slope, jacobian in zip(slopes, found, strict=True):
                slope[:] = jacobian.at_rows(newest)[:, :, 0, -self.neqs :]
        return slopes, [str(name) for name in self.names], list(self.index[positions])

    def _newest(self, origin: Any) -> Any:
        """Return the origins asked for; the newest by default."""
        return self.origins[-1] if origin is None else origin

    def _some_origins(self, origins: Any) -> Any:
        """Return the origins asked for; all by default, the newest alone with covariates."""
        if origins is not None:
            return origins
        return self.origins[-1:] if self.data.has_covariates else self.origins

    # ------------------------------------------------------------- tests, which train again

    def _learner(
        self, n_test: int | None, seeds: tuple[int, ...], training: TrainingConfig | None
    ) -> NetworkLearner:
        if not seeds:
            raise ConfigurationError("a test trains once for each seed", found="no seed")
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
        """Test whether a series helps to forecast another: forecasts with and without it.

        Without a trained network nothing is trained: the pretrained network forecasts with and
        without the series from all origins, see
        :func:`zero_shot_causality.zero_shot_causality`; ``n_test``, ``seeds`` and ``training`` do
        not matter then. A trained network is trained again ``len(seeds) * (1 + number of causing
        series)`` times, and forecasts times that no training saw: see
        :func:`causality.predictive_causality`. For a quick look at this network alone, which is no
        test, see :meth:`reliance`.

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
        if not self.has_trained_network:
            forecasts = ZeroShotForecasts(self._zero_shot(), self.data)
            return zero_shot_causality(forecasts, caused, causing, level=level)
        learner = self._learner(n_test, seeds, training)
        return causality.predictive_causality(
            learner, self._actual(learner), caused, causing, level=level
        )

    def _zero_shot(self) -> ZeroShotMap:
        """Return the pretrained network among the members, whatever its share."""
        if isinstance(self._map, AverageMap):
            for member in (*self._map.parts.values(), *self._map.beside.values()):
                if isinstance(member, ZeroShotMap):
                    return member
        raise ConfigurationError(
            "no network is among the members, and the test compares forecasts of a network",
            remedy="fit the forecaster with pretrained=True",
        )

    def test_constancy(
        self,
        *,
        n_test: int | None = None,
        seeds: tuple[int, ...] = (0, 1),
        training: TrainingConfig | None = None,
        level: float = 0.05,
    ) -> constancy.ConstancyTest:
        """Test whether dynamic weights forecast better than constant weights.

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
            list(setting.names),
        )
        return causality.reliance(setting.step, setting.histories, actual)

    # --------------------------------------------------------------------------- news, summary

    def news(self, new: DynamicVAR | pd.DataFrame, step: int = 1) -> News:
        """Explain by revised and new observations how a forecast moved; see :func:`news.news`.

        Parameters
        ----------
        new : DynamicVAR or DataFrame
            The same network on newer data; without covariates, a frame of the series is enough.
        step : int, default=1
            The date that is forecast, in steps after the newest origin of ``new``.

        Returns
        -------
        News
        """
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
        scalers = (self.data.target.scaler, None, None)
        data = History.from_tables(
            self._map.shape, history, None, None, None, scalers, fewest_rows=self._map.fewest_rows
        )
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
            estimation=self.estimation,
        )

    def test_whiteness(self, nlags: int | None = None) -> Any:
        """Test that the one-step errors are not correlated over time; statsmodels' result."""
        return whiteness(self._tested_residuals, nlags)

    def test_normality(self) -> Any:
        """Test that the one-step errors are jointly normal; statsmodels' result."""
        return normality(self._tested_residuals)

    @property
    def _tested_residuals(self) -> pd.DataFrame:
        """One-step errors of times that no training saw, where these are known."""
        honest = self.resid_out_of_sample
        return self.resid if honest is None or len(honest) < FEWEST_RESIDUALS else honest

    def select_order(self, origin: Hashable | None = None) -> pd.Series:
        """Return how many lags hold 95 % of the weight of the coefficients, by response.

        No order is chosen by a criterion: a forecast reads all of its context.
        """
        deviations = self.history.std().to_numpy()
        deviations = np.where(deviations > 0, deviations, 1.0)
        lags = effective_lags(self.at(origin), deviations)
        return pd.Series(lags, list(self.names), name="lags")

    def __getattr__(self, name: str) -> Any:
        """Say what does the thing that statsmodels calls by a name.

        Raises
        ------
        AttributeError
        """
        if name in ANSWERED_BY:
            raise AttributeError(
                f"{type(self).__name__} has no {name!r}, as statsmodels has; {ANSWERED_BY[name]}"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def summary(self, origin: Hashable | None = None) -> Summary:
        """Return what the network is and does at an origin, as text and HTML."""
        return summarize(self, origin)
