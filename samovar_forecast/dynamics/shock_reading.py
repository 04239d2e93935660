"""Shocks to the forecasts of a network: responses, shares of forecast errors, connectedness."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from samovar_forecast.arguments import (
    check_choice,
    check_number,
    check_switch,
    check_whole,
    generator_of,
)
from samovar_forecast.dynamics import connectedness, decompositions, responses
from samovar_forecast.dynamics.coefficient_reading import CoefficientReading
from samovar_forecast.dynamics.direct_responses import (
    direct_connectedness,
    direct_fevd,
    direct_irf,
)
from samovar_forecast.dynamics.forecast_map import PARTS, Part
from samovar_forecast.dynamics.results import together
from samovar_forecast.dynamics.simulation import Setting
from samovar_forecast.exceptions import ConfigurationError

_Answer = TypeVar("_Answer", bound=Any)


class ShockReading(CoefficientReading):
    """A network on a history, under shocks.

    The second floor of :class:`~samovar_forecast.DynamicVAR`: the answers are computed by functions
    of derivatives (``direct_responses``) or of any one-step forecaster (``responses``,
    ``decompositions``, ``connectedness``).
    """

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
        n_draws: int | None = None,
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
            :func:`responses.irf`. Where the newest values of a series are missing, the derivative
            is taken as if its last value had come again.
        part : Part, default="dynamics"
            Of the derivative, see :meth:`at`. A shock then leaves alone what was measured of the
            window and learned from it, as a shock to a VAR leaves its coefficients alone. The
            iterated method knows the whole forecast alone, and refuses any other part.
        bands : {None, "local", "bootstrap"}, default=None
            ``"local"`` says where the responses of the process may lie, whether its dynamics have
            moved or not: by VARs on the rows before the origin, whose weights fade, see
            :mod:`~samovar_forecast.dynamics.local_draws`. The estimate need not lie in the middle.
            ``"bootstrap"`` says how the answer moves with the sample: by the responses on
            histories that the dynamic VAR draws itself, see
            :mod:`~samovar_forecast.dynamics.banded_reading`. Nothing is trained.
        level : float, default=0.9
            Of the bands.
        n_draws : int, optional
            Two at least; by default 199 of ``"local"`` and 39 of ``"bootstrap"``, where a level of
            90 % leaves a draw beyond each end.
        random_state : int, optional
            Of the draws.

        Returns
        -------
        ImpulseResponses
        """
        is_direct = self._is_direct(method, part)
        if periods is None:
            periods = min(10, self.patch_length) if is_direct else 10
        check_whole("periods", periods, 0)
        check_switch("orth", orth)
        check_number("size", size)
        rows = self.data.positions(self._newest(origin))
        origins = self.index[rows]

        def compute(var: ShockReading) -> responses.ImpulseResponses:
            sigma_u = var._shock_covariance(rows) if orth else None
            if is_direct or var.is_of_vars:
                slopes, names, labels = var._direct_slopes(periods, origins, part)
                found = direct_irf(slopes, names, labels, sigma_u=sigma_u, orth=orth, size=size)
                return replace(found, part=part)
            settings = var._settings(origins)
            return _simulated(
                responses.irf, settings, periods, sigma_u=sigma_u, orth=orth, size=size
            )

        return self._with_bands(compute, bands, level, n_draws, random_state, rows)

    def dynamic_multipliers(
        self, periods: int | None = None, *, origin: Any = None, part: Part = "dynamics"
    ) -> responses.ImpulseResponses:
        """Follow a change of a covariate by a unit in a single period, as the direct forecasts do.

        A covariate that is known ahead changes in the first period after the origin, and period 0
        is this period. A past covariate changes at the origin: nothing responds in period 0.

        Parameters
        ----------
        periods : int, optional
            By default 10, or as many as the direct forecast has steps, the first being period 0.
        origin : label, list of labels or slice, optional
            By default the newest.
        part : Part, default="dynamics"
            Of the derivative, see :meth:`at`.

        Returns
        -------
        ImpulseResponses
            With the covariates as impulses. `cumulative` gives the responses to a lasting change.

        Raises
        ------
        ConfigurationError
            If there are no covariates over time, or no such periods.
        """
        names = [str(name) for name in (*self.data.past.names, *self.data.future.names)]
        if not names:
            raise ConfigurationError(
                "there is no covariate that could change",
                found="a reading of series alone",
                wanted="covariates: read_var(y, X)",
            )
        periods = min(10, self.patch_length - 1) if periods is None else periods
        check_whole("periods", periods, 0)
        if periods >= self.patch_length:
            raise ConfigurationError(
                "the direct forecast has no such step",
                found=periods,
                wanted=f"0 to {self.patch_length - 1} periods",
            )
        positions = self.data.positions(self._newest(origin))
        n_past, newest = len(self.data.past.names), np.array([self.order - 1])
        values = np.zeros((len(positions), periods + 1, self.neqs, len(names)))
        asked = np.eye(periods + 1, self.patch_length)
        found = self.jacobians_at(positions, asked, part, to_the_end=True)
        for own, jacobian in zip(values, found, strict=True):
            own[1:, :, :n_past] = jacobian.at_rows(newest)[:-1, :, 0, :n_past]
            if jacobian.future is not None:
                own[:, :, n_past:] = jacobian.future[:, :, self.order]
        return responses.ImpulseResponses(
            values=values,
            names=tuple(str(name) for name in self.names),
            origins=tuple(self.index[positions]),
            kind="multiplier",
            size=1.0,
            method="direct",
            covariates=tuple(names),
            part=part,
        )

    @property
    def coefs_exog(self) -> np.ndarray:
        """What a covariate does in its own period, at the newest origin; (C, covariates).

        As statsmodels' ``coefs_exog``; later periods by :meth:`dynamic_multipliers`.
        """
        return self.dynamic_multipliers(0).values[0, 0]

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
        if n_histories is not None:
            check_whole("n_histories", n_histories, 1)
        settings = self._settings(origins)
        if len(settings) > 1 and n_histories is not None:
            rng = generator_of(random_state)
            settings = [settings[place] for place in rng.integers(len(settings), size=n_histories)]
        is_alone = all(len(setting.histories) == 1 for setting in settings)
        return _simulated(
            responses.girf,
            settings,
            periods,
            sigma_u=self.sigma_u,
            size=size,
            n_histories=None if n_histories and is_alone else n_histories,
            n_draws=n_draws,
            random_state=random_state,
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
        n_draws: int | None = None,
        random_state: int | None = 0,
    ) -> decompositions.VarianceDecomposition:
        """Decompose forecast errors by orthogonal shocks; see :func:`decompositions.fevd`.

        The arguments are those of :meth:`irf`.
        """
        is_direct = self._is_direct(method, part)
        if periods is None:
            periods = min(10, self.patch_length + 1) if is_direct else 10
        check_whole("periods", periods, 1)
        rows = self.data.positions(self._newest(origin))
        origins = self.index[rows]

        def compute(var: ShockReading) -> decompositions.VarianceDecomposition:
            if is_direct or var.is_of_vars:
                slopes, names, labels = var._direct_slopes(periods - 1, origins, part)
                sigma_u = var._shock_covariance(rows)
                found = direct_fevd(slopes, names, labels, sigma_u=sigma_u)
                return replace(found, part=part)
            settings = var._settings(origins)
            return _simulated(decompositions.fevd, settings, periods, sigma_u=var.sigma_u)

        return self._with_bands(
            compute, bands, level, n_draws, random_state, rows, limits=(0.0, 1.0)
        )

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
        return _simulated(
            decompositions.generalized_fevd,
            self._settings(self._newest(origin)),
            periods,
            sigma_u=self.sigma_u,
            n_draws=n_draws,
            random_state=random_state,
        )

    def connectedness(
        self,
        horizon: int | None = None,
        *,
        origins: Any = None,
        method: str = "direct",
        part: Part = "dynamics",
        bands: str | None = None,
        level: float = 0.9,
        n_draws: int | None = None,
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
            :func:`connectedness.connectedness`.
        part, bands, level, random_state
            As in :meth:`irf`.
        n_draws : int, optional
            With bands as in :meth:`irf`; without, draws of the errors in the simulation of the
            iterated method, by default 20.

        Returns
        -------
        Connectedness
        """
        is_direct = self._is_direct(method, part)
        if horizon is None:
            horizon = min(10, self.patch_length + 1) if is_direct else 10
        check_whole("horizon", horizon, 1)
        if origins is None:
            some = np.unique(np.linspace(0, len(self.origins) - 1, 60).astype(int))
            origins = self.origins[some]
        rows = self.data.positions(origins)
        n_errors = 20 if n_draws is None or bands is not None else n_draws

        def compute(reading: ShockReading) -> connectedness.Connectedness:
            if is_direct or reading.is_of_vars:
                slopes, names, labels = reading._direct_slopes(horizon - 1, self.index[rows], part)
                found = direct_connectedness(slopes, names, labels, sigmas=reading._sigmas(rows))
                return replace(found, part=part)
            return _simulated(
                connectedness.connectedness,
                reading._settings(self.index[rows]),
                horizon,
                sigma_u=reading.sigma_u,
                n_draws=n_errors,
                random_state=random_state,
            )

        return self._with_bands(
            compute, bands, level, n_draws, random_state, rows, limits=(0.0, 1.0)
        )

    @staticmethod
    def _is_direct(method: str, part: Part) -> bool:
        check_choice("there is no such method", method, ["iterated", "direct"])
        check_choice("there is no such part", part, PARTS)
        if method == "iterated" and part not in ("dynamics", "total"):
            raise ConfigurationError(
                "the first step iterated is the whole forecast, and has no part",
                found=f"part={part!r}",
                remedy='method="direct"',
            )
        return method == "direct"

    def _direct_slopes(
        self, periods: int, origins: Any, part: Part
    ) -> tuple[np.ndarray, list[str], list[Hashable]]:
        """Return the derivatives of steps by the newest observation, (O, periods, C, C)."""
        if not 0 <= periods <= self.patch_length and not self.is_of_vars:
            raise ConfigurationError(
                "the direct forecast has no such step",
                found=periods,
                wanted=f"0 to {self.patch_length}",
                remedy='method="iterated" reaches any step',
            )
        positions = self.data.positions(origins)
        slopes = np.zeros((len(positions), periods, self.neqs, self.neqs))
        if periods:
            asked = np.eye(periods, max(periods, self.patch_length))
            newest = np.array([self.order - 1])
            found = self.jacobians_at(positions, asked, part, to_the_end=True)
            for slope, jacobian in zip(slopes, found, strict=True):
                slope[:] = jacobian.at_rows(newest)[:, :, 0, -self.neqs :]
        return slopes, [str(name) for name in self.names], list(self.index[positions])

    def _newest(self, origin: Any) -> Any:
        """Return the origins asked for; the newest by default."""
        return self.origins[-1] if origin is None else origin


def _simulated(
    answer: Callable[..., _Answer], settings: Sequence[Setting], steps: int, **options: Any
) -> _Answer:
    """Return an answer by simulation, from the origins of all settings."""
    found = [
        answer(
            setting.step,
            setting.histories,
            steps,
            names=setting.names,
            origins=setting.origins,
            **options,
        )
        for setting in settings
    ]
    return together(found)
