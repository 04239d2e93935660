"""The forecasts of a network as VARs: coefficients at every origin, and what follows from them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from samovar_forecast.arguments import (
    check_choice,
    check_weights,
    is_whole,
)
from samovar_forecast.dynamics.attribution import Attribution, attribute
from samovar_forecast.dynamics.banded_reading import BandedReading
from samovar_forecast.dynamics.coefficient_paths import CoefficientPaths, columns_of
from samovar_forecast.dynamics.forecast_map import PARTS, Part
from samovar_forecast.dynamics.jacobian import Jacobian
from samovar_forecast.dynamics.local_var import LocalVAR
from samovar_forecast.exceptions import ConfigurationError

if TYPE_CHECKING:
    from statsmodels.tsa.vector_ar.var_model import VARProcess

KEPT_ORIGINS = 16
"""Origins whose coefficients are kept for the next question."""


class CoefficientReading(BandedReading):
    """A network on a history, read as a VAR at every origin.

    The first floor of :class:`~samovar_forecast.DynamicVAR`: `at` gives the VAR at an origin, the
    other methods a part of it, or follow it over the origins.
    """

    @cached_property
    def _kept(self) -> OrderedDict[tuple[int, bytes, str], LocalVAR]:
        """The VARs asked for last, by row of the origin, weights of the steps, and part."""
        return OrderedDict()

    def _weights(self, horizon: int | None, weights: np.ndarray | None) -> np.ndarray:
        if weights is not None:
            problem = "weights want one number per forecast step"
            return check_weights(problem, weights, (self.patch_length,))[None]
        if horizon is None or not is_whole(horizon) or not 1 <= horizon <= self.patch_length:
            raise ConfigurationError(
                "the direct forecast has no such step",
                found=repr(horizon),
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
        part: Part = "total",
    ) -> LocalVAR:
        """Return the VAR that the network is at an origin.

        Parameters
        ----------
        origin : label, optional
            By default the newest.
        horizon : int, default=1
            Step of the direct forecast, 1 to the patch length.
        weights : array of shape (s,), optional
            Explain this weighted sum of the steps in place of a step: a mean or a change, say.
        part : {"total", "dynamics", "level", "scale", "memory"}, default="total"
            The way in which a change of the history moves the forecast; the total is the sum of
            the four others. The dynamics, which hold level, scale and memory fixed, are the VAR
            whose sums are persistence. See `forecast_map.Part`.

        Returns
        -------
        LocalVAR
        """
        position = self.data.position(origin)
        asked = self._weights(horizon, weights)
        check_choice("there is no such part", part, PARTS)
        key = (position, asked.tobytes(), part)
        if key not in self._kept:
            self._kept[key] = next(self._local_vars(np.array([position]), horizon, weights, part))
            if len(self._kept) > KEPT_ORIGINS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _local_vars(
        self,
        positions: np.ndarray,
        horizon: int | None,
        weights: np.ndarray | None,
        part: Part,
    ) -> Iterator[LocalVAR]:
        asked = self._weights(horizon, weights)
        jacobians = self.jacobians_at(positions, asked, part)
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
                target=self.data.target.rows(start, stop),
                past_covariates=self.data.past.rows(start, stop),
                future_covariates=self.data.future.rows(start, stop + self.data.patch_length),
                static_covariates=self.data.static.rows(0, self.neqs),
                jacobian=jacobian,
                is_shift_equivariant=self.unit_roots_by_construction,
                part=part,
            )
            local.warn_if_not_exact()
            yield local

    def jacobian(
        self, origin: Hashable | None = None, weights: np.ndarray | None = None
    ) -> Jacobian:
        """Return the Jacobian of every step of the forecast.

        Parameters
        ----------
        origin : label, optional
        weights : array of shape (R, s), optional
            R weighted sums of the steps in place of every step.

        Returns
        -------
        Jacobian
            Lazy: one lag, one pair, a product, or all of it on request. ``at`` names its parts.
        """
        asked = np.eye(self.patch_length)
        if weights is not None:
            problem = "weights want one row per weighted sum of the forecast's steps"
            asked = check_weights(problem, weights, (None, self.patch_length))
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

    def coefs_at(
        self, horizon: int, origin: Hashable | None = None, *, part: Part = "total"
    ) -> np.ndarray:
        """Return the coefficients of the direct forecast of a later step, (order, C, C).

        ``part`` is that of :meth:`at`.
        """
        return self.at(origin, horizon, part=part).coefs

    def attribution(
        self,
        origin: Hashable | None = None,
        horizon: int = 1,
        *,
        weights: np.ndarray | None = None,
        part: Part = "dynamics",
        bands: str | None = None,
        level: float = 0.9,
        n_draws: int | None = None,
        random_state: int | None = 0,
    ) -> Attribution:
        """Show a forecast as contributions of every past observation and covariate, by time.

        A contribution is coefficient times deviation: that of a value from the mean of the rows
        that the forecast reads. The rest of the forecast is that of the level.

        Parameters
        ----------
        origin, horizon, weights
            As in :meth:`at`.
        part : Part, default="dynamics"
            That of :meth:`at`. The dynamics hold level, scale and memory fixed, as deviations from
            a level do.
        bands, level, n_draws, random_state
            As in :meth:`~samovar_forecast.DynamicVAR.irf`. The values stay as they were observed,
            and meet the coefficients of each draw. VARs of ``"local"`` share out the same forecast,
            and effects of covariates that are known ahead stay.

        Returns
        -------
        Attribution
        """
        position = np.array([self.data.position(origin)])
        found = next(self._local_vars(position, horizon, weights, part))
        times = self.data.times_read(int(position[0]))

        def compute(reading: CoefficientReading) -> Attribution:
            if reading is self:
                return attribute(found, times)
            drawn = next(reading._local_vars(position, horizon, weights, part))
            shared = found.forecast if reading.is_of_vars else None
            return attribute(drawn, times, given=found, forecast=shared)

        return self._with_bands(compute, bands, level, n_draws, random_state, position)

    def coefficient_paths(
        self,
        lags: int | Sequence[int] = (1,),
        origins: Any = None,
        horizon: int = 1,
        *,
        part: Part = "dynamics",
        bands: str | None = None,
        level: float = 0.9,
        n_draws: int | None = None,
        random_state: int | None = 0,
    ) -> CoefficientPaths:
        """Follow coefficients over the origins: how the dynamics moved.

        Parameters
        ----------
        lags : int or sequence of int, default=(1,)
        origins : list of labels, slice of labels, or None
            None: all.
        horizon : int, default=1
        part : Part, default="dynamics"
            See :meth:`at`. The total and the memory cost much more at many origins.
        bands, level, n_draws, random_state
            As in :meth:`~samovar_forecast.DynamicVAR.irf`; every draw reads all origins again.

        Returns
        -------
        CoefficientPaths
            Past covariates act as impulses.
        """
        wanted = list(lags) if isinstance(lags, Iterable) else [lags]
        are_lags = [is_whole(lag) and 1 <= lag <= self.order for lag in wanted]
        if not wanted or not all(are_lags):
            raise ConfigurationError(
                "there is no such lag", found=lags, wanted=f"one or more of 1 to {self.order}"
            )
        rows = self.order - np.array(wanted)
        positions = self.data.positions(origins)
        columns = columns_of(self.names, [*self.data.past.names, *self.names], wanted)

        def compute(reading: CoefficientReading) -> CoefficientPaths:
            paths = [
                local.jacobian.at_rows(rows)[0].swapaxes(1, 2).ravel()  # C K lags
                for local in reading._local_vars(positions, horizon, None, part)
            ]
            origins = self.index[positions]
            return CoefficientPaths(
                np.stack(paths), origins, columns, "coefficients", part, horizon
            )

        return self._with_bands(compute, bands, level, n_draws, random_state, positions)

    def persistence(
        self,
        origins: Any = None,
        horizon: int = 1,
        *,
        bands: str | None = None,
        level: float = 0.9,
        n_draws: int | None = None,
        random_state: int | None = 0,
    ) -> CoefficientPaths:
        """Follow the sums of the coefficients over the lags: how lasting a change is.

        Of the dynamics, see :meth:`at`: the sums of the total are matters of construction.

        Parameters
        ----------
        origins, horizon, bands, level, n_draws, random_state
            As in :meth:`coefficient_paths`.

        Returns
        -------
        CoefficientPaths
        """
        positions = self.data.positions(origins)
        columns = columns_of(self.names, self.names)

        def compute(reading: CoefficientReading) -> CoefficientPaths:
            locals_ = reading._local_vars(positions, horizon, None, "dynamics")
            sums = np.stack([local.persistence().ravel() for local in locals_])
            origins = self.index[positions]
            return CoefficientPaths(sums, origins, columns, "sums", "dynamics", horizon)

        return self._with_bands(compute, bands, level, n_draws, random_state, positions)

    def long_run_effects(self, origin: Hashable | None = None) -> pd.DataFrame:
        """Return the sums of the responses to lasting shocks, of the dynamics at an origin.

        ``(I - sum_l A_l)^-1`` as statsmodels' ``long_run_effects``; a row per response.
        """
        names = list(self.names)
        return pd.DataFrame(self.at(origin, part="dynamics").long_run_effects(), names, names)

    def mean_coefs(
        self, origins: Any = None, horizon: int = 1, *, part: Part = "dynamics"
    ) -> np.ndarray:
        """Return the coefficients averaged over origins, (order, C, C), in bounded memory.

        ``part`` is that of :meth:`coefficient_paths`.
        """
        positions = self.data.positions(origins)
        total = np.zeros((self.order, self.neqs, self.neqs))
        for local in self._local_vars(positions, horizon, None, part):
            total += local.coefs
        return total / len(positions)

    def to_statsmodels(
        self,
        origin: Hashable | None = None,
        *,
        max_order: int | None = None,
        part: Part = "total",
    ) -> VARProcess:
        """Return the VAR at an origin as statsmodels' ``VARProcess``; see ``LocalVAR``."""
        return self.at(origin, part=part).to_statsmodels(self.sigma_u, max_order)

    # ------------------------------------------------------------------------------- stability

    def transient(self, origin: Hashable | None = None) -> np.ndarray:
        """Return the VAR in differences at an origin, its built-in unit roots taken out.

        Of the total, where the sums of the coefficients are built in.
        """
        return self.at(origin).transient()

    def is_stable(self, origin: Hashable | None = None) -> bool:
        """Whether the dynamics at an origin are stable; see :meth:`largest_root`."""
        return self.largest_root(origin) < 1

    def largest_root(self, origin: Hashable | None = None) -> float:
        """Return the largest root of the dynamics at an origin, in modulus.

        The dynamics hold level, scale and memory of the history fixed (``part="dynamics"``); their
        roots are those of deviations from a level that moves slowly. Statsmodels' ``roots`` are the
        inverses.
        """
        return self.at(origin, part="dynamics").largest_root()
