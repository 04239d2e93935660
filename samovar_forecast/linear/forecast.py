"""A linear forecast: one linear map of the window, and the effect of covariates around it.

Letters: B windows, L context, s steps ahead, C series, F covariates known ahead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from samovar_forecast.linear.average import estimate_anchor
from samovar_forecast.linear.covariates import (
    CovariateEffect,
    confirmed_shares,
    estimate_effect,
)
from samovar_forecast.linear.gate import estimate_gate
from samovar_forecast.linear.held_out import NUMBERS_HELD_OUT
from samovar_forecast.linear.linear_map import LinearMap, Rows, carried_forward
from samovar_forecast.linear.stable_average import stable_average
from samovar_forecast.linear.threads import one_blas_thread

WINDOWS_AT_ONCE = 128

SHARE_BEFORE_EVIDENCE, FORECASTS_BEFORE_EVIDENCE = 0.5, 3.0
"""The direct candidate's share beside the average, as if it had been the best share of so many
earlier forecasts that do not overlap."""

ALL_OR_NOTHING = 0.1
"""A share so close to 0 or 1 is 0 or 1."""


@dataclasses.dataclass(frozen=True)
class LinearForecast:
    """One linear map of the window, and the effect of covariates around it.

    Attributes
    ----------
    map : LinearMap
        Of the series without the effect.
    weights : dict of str to array of shape (s, C)
        Share of each linear candidate in the map, by step and series.
    effect : CovariateEffect, optional
    direct : LinearMap, optional
        The direct candidate alone, where it may stand beside the average or in its place.
    """

    map: LinearMap
    weights: dict[str, np.ndarray]
    effect: CovariateEffect | None = None
    direct: LinearMap | None = None

    @classmethod
    def estimate(
        cls,
        rows: Sequence[Rows],
        n_steps: int,
        max_lag: int,
        season: int = 1,
        shares: np.ndarray | None = None,
        shift: int = 0,
    ) -> LinearForecast:
        """Estimate on rows; the effect counts by a share for each series, (C,), or not at all.

        The first of the ``n_steps`` steps is ``shift`` steps later than the next.
        """
        effect = None
        values = [instance.target for instance in rows]
        if shares is not None and shares.any():
            effect = estimate_effect(rows, max_lag, season).scaled(shares)
            values = [effect.taken_off(instance) for instance in rows]
        fit = estimate_anchor(values, shift + n_steps, max_lag, season)
        weights = {name: share[shift:] for name, share in fit.weights.items()}
        direct = None if fit.direct is None else fit.direct.later(shift)
        return cls(fit.map.later(shift), weights, effect, direct)

    @property
    def alone(self) -> LinearForecast:
        """The forecast with the direct candidate in place of the average."""
        assert self.direct is not None
        weights = {"direct": np.ones(self.map.intercept.shape)}
        return dataclasses.replace(self, map=self.direct, weights=weights)

    def with_direct(self, share: float) -> LinearForecast:
        """Return the forecast with a share of the direct candidate beside the average."""
        if share in (0.0, 1.0):
            return self.alone if share else self
        assert self.direct is not None
        shape = self.map.intercept.shape
        shares = np.stack([np.full(shape, 1 - share), np.full(shape, share)])
        mixed, (of_average, of_direct) = stable_average([self.map, self.direct], shares, fallback=1)
        weights = {name: of_average * weight for name, weight in self.weights.items()}
        weights["direct"] = of_direct + weights.get("direct", 0.0)
        return dataclasses.replace(self, map=mixed, weights=weights)

    def __call__(self, windows: np.ndarray, covariates: np.ndarray | None) -> np.ndarray:
        """Forecast windows (B, L, C), covariates (B, at least L + s, F); the result is (B, s, C).

        The last s rows of the covariates are those of the forecast. The last known value, without
        the effect, stands in a gap of a window, as in the anchor beside a network.
        """
        if self.effect is None or covariates is None:
            return self.map(carried_forward(windows, self.map.center))
        added = self.effect(covariates)
        length, n_steps = windows.shape[1], self.map.n_steps
        without = carried_forward(windows - added[:, :length], self.map.center)
        return self.map(without) + added[:, -n_steps:]


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Forecasts of a network on windows that it was not trained on, and what followed.

    Attributes
    ----------
    windows : array of shape (B, L, C)
        In time order inside each instance.
    covariates : array of shape (B, at least L + s, F) or None
    network : array of shape (B, s, C)
    actual : array of shape (B, s, C)
    instance : int array of shape (B,)
    """

    windows: np.ndarray
    covariates: np.ndarray | None
    network: np.ndarray
    actual: np.ndarray
    instance: np.ndarray

    def gate(self, linear: LinearForecast, shift: int = 0) -> np.ndarray:
        """Return the network's share beside a linear forecast, (s, C)."""
        own = linear(self.windows, self.covariates)
        # Steps that are not forecast: nothing to choose there, but the forecasts overlap by more.
        skipped = np.zeros((len(own), shift, own.shape[2]))
        own, network, actual = (
            np.concatenate([skipped, paths], axis=1) for paths in (own, self.network, self.actual)
        )
        return estimate_gate(own, network, actual, self.instance)[shift:]


def estimate_anchors(
    rows: Sequence[Rows],
    before: Sequence[Rows],
    *,
    n_steps: int,
    max_lag: int,
    season: int = 1,
    shift: int = 0,
) -> tuple[LinearForecast, LinearForecast]:
    """Estimate the anchor that stays, and the earlier one that sets the gate.

    On a long sample both give the direct candidate a share beside the average: the share of least
    squared error on the rows after ``before``, drawn to one half. Where levels move, the direct
    candidate is the better forecast by far, elsewhere the average is; few rows do not tell which.

    Parameters
    ----------
    rows : sequence of Rows
        All rows of every instance.
    before : sequence of Rows
        Those before the first validation window's forecast; ``rows`` itself if there is none.
    n_steps, max_lag : int
    season : int, default=1
    shift : int, default=0
        Steps between the end of a window and the first that is forecast.

    Returns
    -------
    staying, earlier : LinearForecast
    """
    shares = None
    if all(instance.covariates is not None for instance in rows):
        shares = confirmed_shares(before, n_steps, max_lag, season)
    staying = LinearForecast.estimate(rows, n_steps, max_lag, season, shares, shift)
    if before is rows:
        return staying, staying
    earlier = LinearForecast.estimate(before, n_steps, max_lag, season, shares, shift)
    if earlier.direct is None or staying.direct is None:
        return staying, earlier
    share = share_of_direct(earlier, rows, before, shift)
    return staying.with_direct(share), earlier.with_direct(share)


@one_blas_thread()
def share_of_direct(
    linear: LinearForecast, rows: Sequence[Rows], before: Sequence[Rows], shift: int
) -> float:
    """Return the share of least squared error on the rows after ``before``, drawn to one half.

    The share is the slope of a regression through the origin, of the average's errors on the
    distances from the average to the direct candidate. Gaps are left out, and so is a series before
    its first value; at each origin a gap is closed by what is known there. Forecasts that
    overlap are no separate evidence: from n origins, h steps ahead, there are n / h forecasts.
    """
    assert linear.direct is not None
    products, squares, n_forecasts, n_steps = 0.0, 0.0, 0.0, linear.map.n_steps
    for instance, past in zip(rows, before, strict=True):
        values = instance.target if linear.effect is None else linear.effect.taken_off(instance)
        starts = np.isfinite(values).argmax(axis=0)  # C
        first = max(len(past.target), linear.map.n_lags, linear.direct.n_lags)
        n_origins = max(0, len(values) - shift - n_steps + 1 - first)
        n_forecasts += n_origins / (shift + n_steps)
        n_numbers = n_origins * n_steps * values.shape[1]
        origins = np.arange(first, first + n_origins, 1 + n_numbers // NUMBERS_HELD_OUT)
        for some in np.array_split(origins, 1 + len(origins) // WINDOWS_AT_ONCE):
            if len(some):
                averaged = linear.map.along(values, some)
                distance = linear.direct.along(values, some) - averaged
                error = values[some[:, None] + shift + np.arange(n_steps)] - averaged
                is_known = np.isfinite(error) & (some[:, None] > starts)[:, None]
                products += float((distance * error)[is_known].sum())
                squares += float(np.square(distance)[is_known].sum())
    best = products / squares if squares > 0 else SHARE_BEFORE_EVIDENCE
    weight = FORECASTS_BEFORE_EVIDENCE / (FORECASTS_BEFORE_EVIDENCE + n_forecasts)
    share = min(1.0, max(0.0, best + weight * (SHARE_BEFORE_EVIDENCE - best)))
    return float(round(share)) if abs(share - round(share)) <= ALL_OR_NOTHING else share
