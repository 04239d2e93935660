"""The linear VAR that a network is at one forecast origin.

A pure result: everything here follows from the coefficients, as statsmodels' ``VARProcess`` does
for a VAR that holds everywhere. It is the derivative at the origin, so it foretells small changes;
a large shock has to be simulated (``DynamicVAR.irf``).
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from samovar_forecast.arguments import check_level, check_weights, is_whole
from samovar_forecast.dynamics.effective_lags import SHARE, effective_lags, lag_shares
from samovar_forecast.dynamics.forecast_map import Part
from samovar_forecast.dynamics.history import number_of
from samovar_forecast.dynamics.identities import EXACT, Identities, identities_of
from samovar_forecast.dynamics.jacobian import Jacobian
from samovar_forecast.dynamics.results import Result
from samovar_forecast.dynamics.roots import companion_radius
from samovar_forecast.exceptions import ConfigurationError, DataError, require

if TYPE_CHECKING:
    from statsmodels.tsa.vector_ar.var_model import VARProcess

LITTLE = 0.01
"""Share of the weight of lags, and sum of them, that may be left out without a word."""


@dataclass(frozen=True, eq=False)
class LocalVAR(Result):
    """Coefficients of the forecast at one origin, in the units of the data.

    ``forecast = intercept + sum_l coefs[l - 1] @ y(t + 1 - l)`` and the covariates' effects,
    exactly. The coefficients are the derivative of the forecast there.

    Attributes
    ----------
    origin : label
        Time of the last observation that the forecast uses.
    names, past_names, future_names, static_names : tuple of labels
        Of series and covariates.
    horizon : int or None
        Step of the forecast that the coefficients explain; None for a weighted sum of steps.
    forecast : array of shape (C,)
    target, past_covariates, future_covariates, static_covariates : array
        What the forecast used, in units of the data; (L, C), (L, P), (L + s, F), (C, S).
    jacobian : Jacobian
        With one row, R = 1.
    is_shift_equivariant : bool
        Whether a constant added to a series comes out in its forecast, whatever the weights.
    part : Part, default="total"
        Way in which a change of the window moves the forecast, see `forecast_map.Part`. The
        intercept makes up the rest of the forecast.
    """

    figure: ClassVar[str] = "plot_lag_profiles"

    origin: Hashable
    names: tuple[Hashable, ...]
    past_names: tuple[Hashable, ...]
    future_names: tuple[Hashable, ...]
    static_names: tuple[Hashable, ...]
    horizon: int | None
    forecast: np.ndarray
    target: np.ndarray
    past_covariates: np.ndarray
    future_covariates: np.ndarray
    static_covariates: np.ndarray
    jacobian: Jacobian
    is_shift_equivariant: bool
    part: Part = "total"

    def __repr__(self) -> str:
        step = "a sum of steps" if self.horizon is None else f"step {self.horizon}"
        return (
            f"LocalVAR(origin {self.origin}, {step}, {self.part}: {len(self.names)} series, "
            f"{self.order} lags)"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each response, impulse and lag: ``coefficient``, by units of both.

        Past covariates act as impulses.
        """
        impulses = [*self.past_names, *self.names]
        lags = range(1, self.order + 1)
        index = pd.MultiIndex.from_product(
            [list(self.names), impulses, lags], names=["response", "impulse", "lag"]
        )
        values = self._dense.transpose(1, 2, 0).ravel()
        return pd.DataFrame({"coefficient": values}, index).reset_index()

    @property
    def order(self) -> int:
        """How many lags a forecast reads, L; statsmodels' ``k_ar``."""
        return self.target.shape[0]

    # ----------------------------------------------------------------------------- coefficients

    @cached_property
    def _dense(self) -> np.ndarray:
        """All slopes, newest lag first; shape (L, C, K)."""
        return self.jacobian.dense()[0].swapaxes(0, 1)[::-1]

    @property
    def coefs(self) -> np.ndarray:
        """``coefs[lag - 1, response, impulse]``, as statsmodels has it; shape (L, C, C)."""
        return self._dense[:, :, len(self.past_names) :]

    @property
    def past_effects(self) -> np.ndarray:
        """``past_effects[lag - 1, response, covariate]``; shape (L, C, P)."""
        return self._dense[:, :, : len(self.past_names)]

    @property
    def future_effects(self) -> np.ndarray:
        """Effects of the future covariates, oldest step first; shape (L + s, C, F).

        The last s rows belong to the forecast steps themselves.
        """
        slope = self.jacobian.future
        if slope is None:
            n_rows, n_covariates = self.future_covariates.shape
            return np.zeros((n_rows, len(self.names), n_covariates))
        return slope[0].swapaxes(0, 1)

    @property
    def static_effects(self) -> np.ndarray:
        """Effects of a series' own static covariates on its forecast; shape (C, S)."""
        slope = self.jacobian.static
        return np.zeros_like(self.static_covariates) if slope is None else slope[0]

    @cached_property
    def intercept(self) -> np.ndarray:
        """What the lags and the covariates leave of the forecast; shape (C,).

        Zero by construction under window normalisation without future and static covariates.
        """
        return self._constant - self._from_covariates

    @cached_property
    def _constant(self) -> np.ndarray:
        """What the lags of the series leave of the forecast; shape (C,)."""
        return self.forecast - np.einsum("lck,lk->c", self.coefs, _filled(self.target)[::-1])

    @cached_property
    def _from_covariates(self) -> np.ndarray:
        return (
            np.einsum("lcp,lp->c", self.past_effects, _filled(self.past_covariates)[::-1])
            + np.einsum("tcf,tf->c", self.future_effects, _filled(self.future_covariates))
            + np.einsum("cs,cs->c", self.static_effects, self.static_covariates)
        )

    def lag(self, lag: int) -> np.ndarray:
        """Return the matrix of one lag, ``[response, impulse]``, without the others."""
        if not is_whole(lag) or not 1 <= lag <= self.order:
            raise ConfigurationError(
                "there is no such lag", found=repr(lag), wanted=f"1 to {self.order}"
            )
        row = np.array([self.order - lag])
        return self.jacobian.at_rows(row)[0, :, 0, len(self.past_names) :]

    def pair(self, response: Hashable, impulse: Hashable) -> np.ndarray:
        """Return the coefficients of a series or past covariate on a series, lag 1 first."""
        channels = (*self.past_names, *self.names)
        series = number_of(response, self.names, "series")
        channel = number_of(impulse, channels, "series or past covariate")
        if impulse in self.names:
            channel = len(self.past_names) + self.names.index(impulse)
        return self.jacobian.block(series, channel)[0, ::-1]

    def apply(self, change: np.ndarray) -> np.ndarray:
        """Return what a small change of the window, (L, C), does to the forecast; (C,)."""
        wanted = (self.order, len(self.names))
        change = check_weights("a change of the window has its shape", change, wanted)
        padded = np.concatenate([np.zeros((self.order, len(self.past_names))), change], axis=1)
        return self.jacobian.apply(padded)[0]

    @cached_property
    def deviations(self) -> np.ndarray:
        """Standard deviation of each series over the rows that the forecast reads, (C,).

        1 where a series does not move.
        """
        number = np.maximum(np.isfinite(self.target).sum(axis=0), 1)
        found = np.sqrt((off_the_mean(self.target) ** 2).sum(axis=0) / number)
        return np.where(found > 0, found, 1.0)

    def lag_shares(self) -> np.ndarray:
        """Return the share of the weight of all coefficients at every lag, (L, C) by response.

        The weight is squared, in standard deviations: see
        :mod:`~samovar_forecast.dynamics.effective_lags`.
        """
        return lag_shares(self.coefs, self.deviations)

    def effective_lags(self, share: float = SHARE) -> pd.Series:
        """Return for each response how many lags hold a share of the weight.

        Parameters
        ----------
        share : float, default=0.95
        """
        check_level(share, "share")
        lags = effective_lags(self.lag_shares(), share)
        return pd.Series(lags, list(self.names), name="lags")

    def identities(self) -> Identities | None:
        """Check what window normalisation makes exact; None where nothing is normalised."""
        if not self.is_shift_equivariant or self.part != "total":
            return None
        channels = _filled(np.concatenate([self.past_covariates, self.target], axis=1)[::-1])
        return identities_of(self._dense, channels, self.forecast, self.jacobian.unit)

    def warn_if_not_exact(self) -> None:
        """Warn if the coefficients fail to give the forecast back, as they must when normalised.

        Cheap enough for every reading: one product with the factored Jacobian.
        """
        if not self.is_shift_equivariant or self.part != "total":
            return
        channels = _filled(np.concatenate([self.past_covariates, self.target], axis=1))
        error = np.abs(self.jacobian.apply(channels)[0] - self.forecast)
        size = np.abs(self.forecast) + self.jacobian.unit[len(self.past_names) :]
        if np.any(error > EXACT * size):
            worst = self.names[int(np.argmax(error / size))]
            warnings.warn(
                f"the coefficients at {self.origin} give the forecast of {worst!r} back only to "
                f"{(error / size).max():.1e}: its window may be all but constant",
                stacklevel=4,
            )

    # -------------------------------------------------------------------------------- dynamics

    def to_statsmodels(self, sigma_u: np.ndarray, max_order: int | None = None) -> VARProcess:
        """Return statsmodels' process with these coefficients.

        Roots, stability, MA representation, long-run effects, simulation and forecast covariance
        are then statsmodels' own. The covariates stay at their values at the origin, inside the
        intercept.

        Parameters
        ----------
        sigma_u : array of shape (C, C)
            Covariance of the one-step errors.
        max_order : int, optional
            Lags to hand over; what further lags add to this forecast then stands in the intercept,
            and a warning says which share of the weight they have.

        Returns
        -------
        statsmodels.tsa.vector_ar.var_model.VARProcess
            With ``roots``, as results of statsmodels have them, and an ``acf`` that suits many
            lags.
        """
        self._need_one_step("a VARProcess")
        if max_order is not None and (not is_whole(max_order) or max_order < 1):
            raise ConfigurationError(
                "max_order is no number of lags", found=repr(max_order), wanted="1 or more"
            )
        require("statsmodels.tsa.vector_ar.var_model", "to_statsmodels", "demo")
        from samovar_forecast.dynamics.origin_process import OriginProcess

        names = [str(name) for name in self.names]
        coefs, constant = self.coefs.copy(), self._constant
        if max_order is not None and max_order < self.order:
            left = coefs[max_order:]
            recent = _filled(self.target)[::-1]
            constant = constant + np.einsum("lck,lk->c", left, recent[max_order:])
            share = float(self.lag_shares()[max_order:].sum(axis=0).max())
            sums = np.abs(left.sum(axis=0)) * self.deviations / self.deviations[:, None]
            if max(share, sums.max()) > LITTLE:
                warnings.warn(
                    f"the lags beyond {max_order} are left out: they hold up to {share:.1%} of the "
                    f"weight of the coefficients of a series, and their sums, of series in their "
                    f"standard deviations, are up to {sums.max():.2f}",
                    stacklevel=3,
                )
            coefs = coefs[:max_order]
        return OriginProcess(coefs, constant, sigma_u, names)

    def transient(self) -> np.ndarray:
        """Return the coefficients of the same VAR in differences; shape (L - 1, C, C).

        Where the coefficients sum to the identity, ``dy(t + 1) = sum_l G_l dy(t + 1 - l)`` with
        ``G_l = -sum_{j > l} A_j`` holds exactly: the unit roots are taken out, and what is left
        is what the data decided.

        Raises
        ------
        ConfigurationError
            If the sum of the coefficients is not the identity by construction.
        """
        if not self.has_built_in_roots:
            raise ConfigurationError(
                "only a VAR with unit roots by construction has a transient form",
                found="the dynamics alone" if self.part != "total" else "sums that are a finding",
                remedy="read is_stable() and coefs directly",
            )
        self._need_one_step("the transient form")
        tail = self.coefs[::-1].cumsum(axis=0)[::-1]  # sum over lags >= l
        return -tail[1:]

    @property
    def has_built_in_roots(self) -> bool:
        """Whether the coefficients sum to the identity by construction; the dynamics do not."""
        return self.is_shift_equivariant and self.part == "total"

    def persistence(self) -> np.ndarray:
        """Return the sums of the coefficients over the lags, ``[response, impulse]``; (C, C).

        A finding in the dynamics (``part="dynamics"``): 1 less the weight of the level on the
        diagonal. Of the total they are the identity by construction where nothing is linear.
        """
        return self.coefs.sum(axis=0)

    def long_run_effects(self) -> np.ndarray:
        """Return ``(I - sum_l A_l)^-1``, statsmodels' ``long_run_effects``; (C, C).

        The sum of the responses to a shock of one unit, once and for all.

        Raises
        ------
        ConfigurationError
            If unit roots are built in: read the dynamics.
        DataError
            If a shock stays for ever, as that to a series that does not move, or grows: the
            formula would give a number then, and no sum of responses.
        """
        self._need_one_step("long-run effects")
        if self.has_built_in_roots:
            raise ConfigurationError(
                "long-run effects do not exist where the coefficients sum to the identity",
                remedy='read the dynamics: part="dynamics"',
            )
        left = np.eye(len(self.names)) - self.persistence()
        try:
            effects = np.linalg.inv(left)
        except np.linalg.LinAlgError as error:
            still = (self.target == self.target[-1]).all(axis=0) | ~left.any(axis=1)
            raise DataError(
                "long-run effects do not exist where a shock stays for ever",
                found=[name for name, is_still in zip(self.names, still, strict=True) if is_still]
                or list(self.names),
                remedy="read the other series without it, or irf(...).cumulative()",
            ) from error
        root = self.largest_root()
        if root >= 1:
            raise DataError(
                "long-run effects do not exist where a shock does not die out",
                found=f"largest root {root:.4g}",
                wanted="below 1",
                remedy="read another origin, or irf(...).cumulative()",
            )
        return effects

    def largest_root(self) -> float:
        """Return the largest modulus of the companion matrix's eigenvalues.

        Of the transient form where unit roots are there by construction. Below one, the effect of
        a shock on what is left dies out.
        """
        self._need_one_step("stability")
        coefs = self.transient() if self.has_built_in_roots else self.coefs
        return companion_radius(coefs)

    def is_stable(self) -> bool:
        """Whether the local VAR is stable, apart from unit roots that are built in.

        Returns
        -------
        bool
            With window normalisation: whether the transient form is stable. Without: whether the
            VAR is, as statsmodels' ``is_stable``.
        """
        return self.largest_root() < 1

    def _need_one_step(self, what: str) -> None:
        if self.horizon != 1:
            raise ConfigurationError(
                f"{what} follows from the one-step coefficients alone",
                found=f"horizon={self.horizon}",
                wanted="horizon=1",
            )


def off_the_mean(values: np.ndarray) -> np.ndarray:
    """Return values less the mean of those that are there, (n, K); 0 where one is missing."""
    is_there = np.isfinite(values)
    mean = np.where(is_there, values, 0.0).sum(axis=0) / np.maximum(is_there.sum(axis=0), 1)
    return np.where(is_there, values - mean, 0.0)


def _filled(values: np.ndarray) -> np.ndarray:
    """Return values with 0 where a value is missing: its coefficients are 0 too."""
    return np.nan_to_num(values, nan=0.0)
