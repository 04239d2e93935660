"""Impulse responses of any one-step forecaster, by simulation: along one path, and generalised.

Letters: O origins, L context length, C series, H steps simulated, D draws. Effects come first:
``values[origin, period, response, impulse]``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from samovar_forecast.arguments import (
    check_number,
    check_whole,
    generator_of,
)
from samovar_forecast.dynamics.results import BandedResult, way_of
from samovar_forecast.dynamics.simulation import (
    WINDOWS_AT_ONCE,
    Step,
    check_covariance,
    check_histories,
    draw_errors,
    simulate_paths,
    unit_shocks,
)
from samovar_forecast.dynamics.statsmodels_names import OF_RESPONSES, unknown_name
from samovar_forecast.exceptions import ConfigurationError


@dataclass(frozen=True, eq=False)
class ImpulseResponses(BandedResult):
    """Responses of every series to a shock in every series, or to a change of covariates.

    Attributes
    ----------
    values : ndarray of shape (n_origins, periods + 1, n_series, n_series)
        ``[origin, period, response, impulse]``, in the units of the response. Period 0 is the
        step in which the shock happens.
    names : tuple of str
        The series.
    origins : tuple
        Labels of the histories: where each ends.
    kind : {"irf", "orth", "girf", "multiplier"}
        Unit shocks, orthogonal shocks, generalised responses, or unit changes of covariates.
    size : float
        Size of the shock: in units of the impulse for ``"irf"``, else in standard deviations.
    draws : ndarray of shape (n_draws, periods + 1, n_series, n_series), optional
        Re-estimated mean responses, from which `band` takes its quantiles.
    is_cumulative : bool
        Whether the responses are summed over the periods.
    method : {"iterated", "direct"}
        Whether the first step of the forecast is iterated, or each step is a forecast of its own.
    level : float, default=0.9
        Of the bands, unless another is asked for.
    covariates : tuple of str
        What changes in place of the series, in dynamic multipliers.
    bands : {None, "local", "bootstrap"}
        Kind of the draws, where a reading drew them.
    part : Part, default="total"
        Of the derivative that direct responses are, see `forecast_map.Part`.
    """

    figure: ClassVar[str] = "plot_responses"

    values: np.ndarray
    names: tuple[str, ...]
    origins: tuple[Hashable, ...]
    kind: Literal["irf", "orth", "girf", "multiplier"]
    size: float
    draws: np.ndarray | None = None
    is_cumulative: bool = False
    method: Literal["iterated", "direct"] = "iterated"
    level: float = 0.9
    covariates: tuple[str, ...] = ()
    bands: str | None = None
    part: str = "total"

    def __getattr__(self, name: str) -> Any:
        """Say what does the thing that statsmodels calls by a name.

        Raises
        ------
        AttributeError
        """
        raise unknown_name(self, name, OF_RESPONSES)

    @property
    def impulses(self) -> tuple[str, ...]:
        """What is shocked: the series, or the covariates that change."""
        return self.covariates or self.names

    @property
    def periods(self) -> int:
        """Steps followed after the shock."""
        return self.values.shape[1] - 1

    @property
    def estimate(self) -> np.ndarray:
        """Mean over the origins, (periods + 1, response, impulse): statsmodels' ``irfs``."""
        return self.values.mean(axis=0)

    def cumulative(self) -> ImpulseResponses:
        """Return the responses summed over the periods: statsmodels' ``cum_effects``.

        Raises
        ------
        ConfigurationError
            If they are summed already.
        """
        if self.is_cumulative:
            raise ConfigurationError("these responses are summed over the periods already")
        return replace(
            self,
            values=self.values.cumsum(axis=1),
            draws=None if self.draws is None else self.draws.cumsum(axis=1),
            is_cumulative=True,
        )

    def to_frame(self, level: float | None = None) -> pd.DataFrame:
        """Return one row for each impulse, response and period, averaged over the origins.

        Parameters
        ----------
        level : float, optional
            Of the band; by default `level`.

        Returns
        -------
        DataFrame
            Columns ``impulse``, ``response``, ``period``, ``value``, and ``lower`` and ``upper``
            if there are draws.
        """
        columns = {"value": self.estimate}
        if self.draws is not None:
            columns["lower"], columns["upper"] = self.band(level)
        shape = self.estimate.shape
        index = pd.MultiIndex.from_product(
            [range(shape[0]), self.names, self.impulses], names=["period", "response", "impulse"]
        )
        frame = pd.DataFrame({name: part.ravel() for name, part in columns.items()}, index=index)
        order = ["impulse", "response", "period"]
        by_pair = np.arange(len(frame)).reshape(shape).transpose(2, 1, 0)
        return frame.iloc[by_pair.ravel()].reset_index()[[*order, *columns]]

    def by_origin(self) -> pd.DataFrame:
        """Return one row for each origin, impulse, response and period.

        How the answer depends on the state: group the rows by what is known of the origins.

        Returns
        -------
        DataFrame
            Columns ``origin``, ``period``, ``response``, ``impulse``, ``value``.
        """
        index = pd.MultiIndex.from_product(
            [range(len(self.origins)), range(self.periods + 1), self.names, self.impulses],
            names=["origin", "period", "response", "impulse"],
        )
        frame = pd.DataFrame({"value": self.values.ravel()}, index=index).reset_index()
        frame["origin"] = [self.origins[number] for number in frame["origin"]]
        return frame

    def __repr__(self) -> str:
        return (
            f"ImpulseResponses({self.kind}, {way_of(self)}: {len(self.names)} series, "
            f"{self.periods} periods, {len(self.origins)} origins{self._drawn})"
        )


def irf(
    step: Step,
    history: np.ndarray,
    periods: int = 10,
    *,
    sigma_u: np.ndarray | None = None,
    orth: bool = False,
    size: float = 1.0,
    names: Sequence[str] | None = None,
    origins: Sequence[Hashable] | None = None,
) -> ImpulseResponses:
    """Follow a shock along the path of conditional means: the recursive impulse response.

    The forecast path after a shock, minus the path without it, with no other shock in either. For a
    linear step the answer depends neither on the history nor, beyond scale, on the size, and
    equals the MA representation (Luetkepohl 2005, section 2.3.2; statsmodels' ``IRAnalysis``).
    Otherwise it holds for this history and this shock.

    Parameters
    ----------
    step : callable, (B, L, C) -> (B, C)
    history : ndarray of shape (L, C) or (n_origins, L, C)
        The observations before each shock, in the units of the data.
    periods : int, default=10
    sigma_u : ndarray of shape (C, C), optional
        Covariance of the one-step errors; wanted for orthogonal shocks.
    orth : bool, default=False
        Shocks are the columns of the lower Cholesky factor of ``sigma_u``, so that the order of
        the series matters, instead of one unit of each series alone.
    size : float, default=1.0
        Multiple of the shock, whose sign it carries.
    names, origins : sequence, optional
        Labels of series and histories; by default ``y1, y2, ...`` and ``0, 1, ...``.

    Returns
    -------
    ImpulseResponses

    Raises
    ------
    DataError
        If shapes do not fit, or ``sigma_u`` is not a covariance matrix.
    ConfigurationError
        If ``orth`` is asked for without ``sigma_u``, or ``periods`` is negative.
    """
    histories, series, labels = check_histories(history, names, origins)
    shocks = unit_shocks(orth, sigma_u, len(series))
    check_whole("periods", periods, 0)
    check_number("size", size)
    first = np.zeros((1 + len(series), periods + 1, len(series)))  # no shock, then each shock
    first[1:, 0] = size * shocks.T
    paths = simulate_paths(step, histories, first)  # O 1+C H C
    return ImpulseResponses(
        values=(paths[:, 1:] - paths[:, :1]).transpose(0, 2, 3, 1),
        names=series,
        origins=labels,
        kind="orth" if orth else "irf",
        size=float(size),
    )


def girf(
    step: Step,
    histories: np.ndarray,
    periods: int = 10,
    *,
    sigma_u: np.ndarray,
    size: float = 1.0,
    residuals: np.ndarray | None = None,
    n_draws: int = 100,
    n_histories: int | None = None,
    random_state: int | np.random.Generator | None = None,
    names: Sequence[str] | None = None,
    origins: Sequence[Hashable] | None = None,
) -> ImpulseResponses:
    """Average what a shock of any sign and size changes, over histories and over other shocks.

    For each history w and series j, ``E[y(t+h) | u_j(t) = size * sd_j, w] - E[y(t+h) | w]``
    (Koop, Pesaran & Potter 1996, J. Econometrics 74:119-147, section 2). Both expectations are
    means over the same draws of all other randomness: the errors of the later steps, and what of
    the errors at t is uncorrelated with ``u_j(t)``. The draws have mean zero exactly, so that for
    a linear step the answer equals ``Phi_h sigma_u e_j / sd_j`` times the size (Pesaran & Shin
    1998, Economics Letters 58:17-29, section 2) to rounding, for any number of draws. The order
    of the series is of no matter.

    Asymmetry and state dependence: call again with another ``size`` and the same ``random_state``
    (the draws are then common to both), and read `ImpulseResponses.by_origin`.

    Parameters
    ----------
    step : callable, (B, L, C) -> (B, C)
    histories : ndarray of shape (n_origins, L, C) or (L, C)
    periods : int, default=10
    sigma_u : ndarray of shape (C, C)
        Covariance of the one-step errors.
    size : float, default=1.0
        Of the shock in standard deviations of the error of each series; negative for a fall.
    residuals : ndarray of shape (n, C), optional
        Errors to draw from, row by row, less their mean over the draws. By default the errors are
        Gaussian, in pairs of opposite sign.
    n_draws : int, default=100
        Draws of the other randomness for each history; an even number.
    n_histories : int, optional
        Draw this many of the histories at random, with replacement; by default all are used once.
    random_state : int or numpy Generator, optional
    names, origins : sequence, optional
        Labels of series and histories.

    Returns
    -------
    ImpulseResponses
        With the response after each history in ``values``.

    Raises
    ------
    DataError
        If shapes do not fit, or ``sigma_u`` is not a covariance matrix.
    ConfigurationError
        If ``n_draws`` is not an even number of at least 2, or ``periods`` is negative.
    """
    histories, series, labels = check_histories(histories, names, origins)
    covariance = check_covariance(sigma_u, len(series))
    check_whole("periods", periods, 0)
    check_number("size", size)
    rng = generator_of(random_state)
    if n_histories is not None:
        check_whole("n_histories", n_histories, 1)
        chosen = rng.integers(len(histories), size=n_histories)
        histories, labels = histories[chosen], tuple(labels[number] for number in chosen)
    draws = draw_errors(rng, covariance, residuals, n_draws, periods + 1)  # D H C
    deviations = np.sqrt(np.diag(covariance))
    spread = covariance / deviations**2  # column j: E[u | u_j = 1]
    scenarios = np.repeat(draws[None], 1 + len(series), axis=0)  # 1+C D H C
    for j in range(len(series)):
        surprise = size * deviations[j] - draws[:, 0, j]  # D
        scenarios[1 + j, :, 0] += surprise[:, None] * spread[:, j]
    shocks = scenarios.reshape(-1, periods + 1, len(series))
    values = np.empty((len(histories), periods + 1, len(series), len(series)))
    group = max(1, WINDOWS_AT_ONCE // len(shocks))
    for start in range(0, len(histories), group):
        paths = simulate_paths(step, histories[start : start + group], shocks)
        means = paths.reshape(-1, *scenarios.shape).mean(axis=2)  # O 1+C H C
        values[start : start + group] = (means[:, 1:] - means[:, :1]).transpose(0, 2, 3, 1)
    return ImpulseResponses(values, series, labels, kind="girf", size=float(size))
