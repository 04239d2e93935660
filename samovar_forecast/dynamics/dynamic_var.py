"""DynamicVAR: the object on which a fitted network answers an econometrician's questions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_whole
from samovar_forecast.config import TrainingConfig
from samovar_forecast.dynamics import causality, constancy
from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.history import History, TableLike
from samovar_forecast.dynamics.news import News, news
from samovar_forecast.dynamics.refitting import NetworkLearner
from samovar_forecast.dynamics.residual_tests import normality, whiteness
from samovar_forecast.dynamics.shock_reading import ShockReading
from samovar_forecast.dynamics.statsmodels_names import ANSWERED_BY, unknown_name
from samovar_forecast.dynamics.summary import (
    FEWEST_RESIDUALS,
    Summary,
    summarize,
)
from samovar_forecast.dynamics.token_space import TokenSpace
from samovar_forecast.dynamics.zero_shot_causality import ZeroShotForecasts, zero_shot_causality
from samovar_forecast.dynamics.zero_shot_constancy import zero_shot_constancy
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.exceptions import ConfigurationError, DataError


class DynamicVAR(ShockReading):
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
    covariates            ``dynamic_multipliers``, ``coefs_exog``
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
        shares = None
        if isinstance(self._map, AverageMap):
            (shares,) = (
                share
                for name, share in self._map.shares.items()
                if self._map.parts.get(name) is trained
            )
        return TokenSpace(trained, data, shares)

    # ------------------------------------------------------------- tests, which train again

    def _learner(
        self, n_test: int | None, seeds: tuple[int, ...], training: TrainingConfig | None
    ) -> NetworkLearner:
        if not seeds:
            raise ConfigurationError("a test trains once for each seed", found="no seed")
        values = self.data.target.values
        if n_test is not None:
            check_whole("n_test", n_test, 1, len(values) - 1)
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

        Without a trained network nothing is trained: the mean of the pretrained network and of a
        VAR that forgets forecasts with and without the series from all origins, see
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
        n_draws: int = 39,
        random_state: int | None = 0,
    ) -> constancy.ConstancyTest:
        """Test whether the dynamics move.

        Without a trained network nothing is trained: the mean of the pretrained network and of a
        VAR that forgets is compared with a VAR with constant coefficients, and the movement of the
        network's sums with that on histories without movement, see
        :func:`zero_shot_constancy.zero_shot_constancy`. A trained network is compared with networks
        with constant weights, which takes
        ``2 * len(seeds)`` trainings: see :func:`constancy.constancy`.

        Parameters
        ----------
        n_test, seeds, training, level
            As in :meth:`test_causality`.
        n_draws : int, default=39
            Histories without movement, where nothing is trained.
        random_state : int, optional
            Of these.

        Returns
        -------
        ConstancyTest
        """
        if not self.has_trained_network:
            forecasts = ZeroShotForecasts(self._zero_shot(), self.data)
            return zero_shot_constancy(
                forecasts, level=level, n_draws=n_draws, random_state=random_state
            )
        learner = self._learner(n_test, seeds, training)
        names = learner.names
        dynamic, constant = learner(names), learner.with_predictor("fixedvar")(names)
        return constancy.constancy(self._actual(learner), constant, dynamic, level=level)

    def reliance(self, origins: Any = None) -> pd.DataFrame:
        """Return how much this network leans on each series: masking, without a refit.

        See :func:`causality.reliance`. It describes the network and tests nothing.
        """
        positions = self.data.positions(origins)
        positions = positions[positions < len(self.index) - 1]
        if len(positions) == 0:
            raise DataError("reliance compares forecasts with what followed: nothing follows here")
        actual = pd.DataFrame(
            self.data.target.values[positions + 1],
            self.index[positions + 1],
            [str(name) for name in self.names],
        )

        def step(histories: np.ndarray) -> np.ndarray:
            return self.patches(self.data.hypothetical(histories, positions))[:, 0]

        return causality.reliance(step, self.data.contexts(positions), actual)

    # --------------------------------------------------------------------------- news, summary

    def news(self, new: DynamicVAR | pd.DataFrame, step: int = 1) -> News:
        """Explain by revised and new observations how a forecast moved; see :func:`news.news`.

        Parameters
        ----------
        new : DynamicVAR or DataFrame
            The same network on newer data; without covariates, a frame of the series is enough,
            and with covariates :meth:`on` takes the newer rows of all.
        step : int, default=1
            The date that is forecast, in steps after the newest origin of ``new``.

        Returns
        -------
        News
        """
        return news(self, self.on(new) if isinstance(new, pd.DataFrame) else new, step)

    def on(
        self,
        history: TableLike,
        *,
        past_covariates: TableLike | None = None,
        future_covariates: TableLike | None = None,
    ) -> DynamicVAR:
        """Return the same network on another history of the series.

        A linear forecast is that of the newest origin here, at all origins there.

        Parameters
        ----------
        history : DataFrame or array of shape (n_time, C)
        past_covariates : DataFrame or array of shape (n_time, P), optional
            Wanted where the network takes them.
        future_covariates : DataFrame or array of shape (n_time + n_ahead, F), optional
            Likewise, from the first row of the history on.

        Raises
        ------
        ConfigurationError
            If covariates that the network takes are not given.
        """
        given = {"past_covariates": past_covariates, "future_covariates": future_covariates}
        for name, own in (
            ("past_covariates", self.data.past),
            ("future_covariates", self.data.future),
        ):
            if own.names and given[name] is None:
                raise ConfigurationError(
                    "a network with covariates wants these with every history",
                    found=f"no {name}",
                    wanted=list(own.names),
                )
        static = self.data.static.values if self.data.static.names else None
        scalers = (self.data.target.scaler, self.data.past.scaler, self.data.future.scaler)
        data = History.from_tables(
            self._map.shape,
            history,
            past_covariates,
            future_covariates,
            static,
            scalers,
            fewest_rows=self._map.fewest_rows,
        )
        if isinstance(history, pd.DataFrame) and tuple(history.columns) != self.names:
            raise DataError(
                "the new history has other series",
                found=list(history.columns),
                wanted=list(self.names),
            )
        same, estimation = self._map, self.estimation
        if isinstance(same, AverageMap):
            same = same.with_linear(None)
        if estimation is not None:
            estimation = estimation.with_newest_alone()
        return DynamicVAR(
            same,
            data,
            sigma_u=self._sigma_u,
            out_of_sample_from=self.out_of_sample_from,
            training=self.training,
            estimation=estimation,
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
        """Return how many lags of the dynamics hold 95 % of the weight, by response.

        No order is chosen by a criterion: a forecast reads all of its context, and a smoothing
        forecast gives a little to every row of it. The weight is that of the squared coefficients,
        each series in its standard deviation: the share of the variance that independent errors in
        the rows would bring into the forecast, if each were the same share of the deviation of its
        series. What small weights beyond add up to in a lasting change says `summary`.
        """
        return self.at(origin, part="dynamics").effective_lags()

    def __getattr__(self, name: str) -> Any:
        """Say what does the thing that statsmodels calls by a name.

        Raises
        ------
        AttributeError
        """
        raise unknown_name(self, name, ANSWERED_BY)

    def summary(self, origin: Hashable | None = None) -> Summary:
        """Return what the network is and does at an origin, as text and HTML."""
        return summarize(self, origin)
