"""A vector autoregression by ridge regression, its settings by closed-form leave-one-out errors.

Each equation chooses for itself among orders, penalties, priors on how fast lags fade and how much
other series matter (Litterman 1986), and two on where the forecast is pulled to: the mean, or the
last value. All candidates are scored on the same rows, each row forecast by the equation fitted
without it. If the equations together have a root well outside the unit circle, all of them are
drawn to the last value, and their penalties rise until they have none.

Letters: n rows, C series, p order, k = C p regressors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from samovar_forecast.linear.regressions import LARGEST_FITTED_ROOT, lag_design, size_of
from samovar_forecast.linear.ridge import RidgeRegressions
from samovar_forecast.linear.stability import largest_root, with_roots_held
from samovar_forecast.linear.threads import one_blas_thread

PENALTIES = np.logspace(-6, 3, 19)
"""Penalties that are tried, a row; regressors have unit variance."""
DECAYS = (0.0, 1.0, 2.0)
"""Lag l is scaled by l to the power -decay: long lags are shrunk harder, but for 0."""
CROSS_WEIGHTS = (0.3, 0.1)
"""The lags of other series are scaled by these too, and so shrunk harder than own ones."""
MOST_WORK = 1e8
"""Equations times rows times squared regressors, from which that is not tried."""
SMALLEST_SCALE = 0.02
"""Lags that a prior scales by less are left out: no penalty that is tried lets them count."""
RISES = np.logspace(0.5, 9, 18)
"""Factors by which all penalties rise, until no root lies well outside the unit circle."""


@dataclass(frozen=True, eq=False)
class VARFit:
    """A fitted VAR, in the units of the data.

    Parameters
    ----------
    coefs : ndarray of shape (p, C, C)
        ``coefs[lag - 1, response, impulse]``.
    intercept : ndarray of shape (C,)
    """

    coefs: np.ndarray
    intercept: np.ndarray

    def forecast(self, recent: np.ndarray, steps: int) -> np.ndarray:
        """Return the rows that follow ``recent``, which holds at least p rows."""
        order = len(self.coefs)
        path = list(recent[len(recent) - order :])
        for _ in range(steps):
            newest_first = np.asarray(path[: -order - 1 : -1])  # p C
            path.append(self.intercept + np.einsum("pij,pj->i", self.coefs, newest_first))
        return np.asarray(path[order:])


@dataclass(frozen=True, eq=False)
class RidgeVARFit(VARFit):
    """A fitted ridge VAR, in the units of the data.

    Parameters
    ----------
    coefs : ndarray of shape (p, C, C)
        ``coefs[lag - 1, response, impulse]``; p is the largest order among the equations.
    intercept : ndarray of shape (C,)
    orders, penalties, decays : ndarray of shape (C,)
        What each equation chose.
    towards_last_value : ndarray of bool, shape (C,)
        Whether an equation is pulled towards the last value (else: the mean).
    rise : float
        Factor on the penalties that it took to hold the roots; 1 if they needed no holding.
    equations : tuple of C _Equation
        As they were first chosen, in units of ``deviation``.
    deviation : ndarray of shape (C,)
    """

    orders: np.ndarray
    penalties: np.ndarray
    decays: np.ndarray
    towards_last_value: np.ndarray
    rise: float
    equations: tuple[_Equation, ...]
    deviation: np.ndarray

    @cached_property
    def sigma_u(self) -> np.ndarray:
        """Second moments of the leave-one-out errors, (C, C), at the penalties first chosen."""
        errors = np.array([equation.errors() for equation in self.equations]).T * self.deviation
        return np.asarray(errors.T @ errors / len(errors))


@dataclass(frozen=True)
class _Equation:
    """What an equation chose; the targets are columns of the regressions."""

    regressions: RidgeRegressions
    target: int
    target_from_last_value: int
    scale: np.ndarray
    """Of each regressor; 0 for those that are not read."""
    order: int
    penalty: float
    decay: float
    towards_last: bool

    def errors(self) -> np.ndarray:
        """Return the leave-one-out errors, (n,)."""
        return self.regressions.errors(self.penalty)[:, self.target]

    def drawn_to_last_value(self) -> _Equation:
        """Return the equation with the last value in place of the mean as what it is drawn to."""
        return replace(self, target=self.target_from_last_value, towards_last=True)

    def coefs(self, largest: int, series: int, rise: float) -> np.ndarray:
        """Return the coefficients (largest, C) with the penalty times a factor."""
        solved = np.zeros(len(self.scale))
        is_read = self.scale > 0
        solved[is_read] = self.regressions.solve(self.penalty * rise, self.target)
        found = np.zeros((largest, len(self.scale) // self.order))
        found[: self.order] = (self.scale * solved).reshape(self.order, -1)
        found[0, series] += self.towards_last
        return found


@one_blas_thread()
def fit_ridge_var(
    runs: Sequence[np.ndarray],
    orders: Sequence[int],
    *,
    decays: Sequence[float] = DECAYS,
    cross_weights: Sequence[float] = CROSS_WEIGHTS,
    season: int = 1,
    most_work: float = MOST_WORK,
) -> RidgeVARFit:
    """Fit every equation at the order, penalty and prior of least leave-one-out error.

    Parameters
    ----------
    runs : sequence of arrays of shape (n, C)
        Stretches of rows without a gap; no lag reaches into another stretch. Together they have
        more rows than the largest order plus 2 a stretch. A column that does not vary is forecast
        to stay where it is.
    orders : sequence of int
        The orders to try, increasing.
    decays : sequence of float
        Powers of the lag by which lags are scaled down.
    cross_weights : sequence of float
        What the lags of other series are scaled by; that they count alike is always tried, and
        the others where the work allows it.
    season : int, default=1
        Own lags near this lag fade as lag 2 does; 1 for none.
    most_work : float
        Equations times rows times squared regressors up to which cross weights are tried.
    """
    largest, n_series = orders[-1], runs[0].shape[1]
    stacked = np.concatenate(runs)
    mean, deviation = stacked.mean(axis=0), size_of(stacked)
    x, ahead = lag_design([(run - mean) / deviation for run in runs], largest)
    n_rows = len(x)
    targets = np.hstack([ahead, ahead - x[:, :n_series]])  # n 2C
    mean_x, mean_ahead = x.mean(axis=0), ahead.mean(axis=0)
    x, targets = x - mean_x, targets - targets.mean(axis=0)
    gram = x.T @ x
    best = np.full(n_series, np.inf)
    chosen: list[_Equation | None] = [None] * n_series
    for order in orders:
        k = order * n_series
        for decay in decays if order > 1 else decays[:1]:
            for equations, scale in _priors(
                (order, n_series, n_rows), decay, cross_weights, season, most_work
            ):
                is_read = scale >= SMALLEST_SCALE
                if len(orders) > 1 and order > 1 and not is_read[-n_series:].any():
                    continue  # a smaller order reads as much
                scale = np.where(is_read, scale, 0.0)
                columns, read = np.concatenate([equations, equations + n_series]), scale[is_read]
                scaled = None
                if n_rows > len(read):  # else the products of the rows are fewer
                    scaled = gram[:k, :k][np.ix_(is_read, is_read)] * read * read[:, None]
                some = x[:, :k][:, is_read] * read
                regressions = RidgeRegressions(some, targets[:, columns], scaled)
                scores = regressions.mean_squares(PENALTIES * n_rows)  # penalties 2E
                penalty = np.argmin(scores, axis=0)
                lowest = scores[penalty, np.arange(len(columns))].reshape(2, -1)
                towards_last = np.argmin(lowest, axis=0)
                for place, series in enumerate(equations):
                    if lowest[towards_last[place], place] < best[series]:
                        best[series] = lowest[towards_last[place], place]
                        target = int(towards_last[place]) * len(equations) + place
                        chosen[series] = _Equation(
                            regressions,
                            target,
                            len(equations) + place,
                            scale,
                            order,
                            float(PENALTIES[penalty[target]] * n_rows),
                            decay,
                            bool(towards_last[place]),
                        )
    found = [choice for choice in chosen if choice is not None]

    order = max(choice.order for choice in found)
    coefs, rise = _stable(found, order)
    intercept = mean_ahead - np.einsum(
        "pij,pj->i", coefs, mean_x[: order * n_series].reshape(order, n_series)
    )
    coefs = coefs * deviation[:, None] / deviation
    return RidgeVARFit(
        coefs=coefs,
        intercept=mean + intercept * deviation - coefs.sum(axis=0) @ mean,
        orders=np.array([choice.order for choice in found]),
        penalties=np.array([choice.penalty / n_rows for choice in found]),
        decays=np.array([choice.decay for choice in found]),
        towards_last_value=np.array([choice.towards_last for choice in found]),
        rise=rise,
        equations=tuple(found),
        deviation=deviation,
    )


def _priors(
    sizes: tuple[int, int, int],
    decay: float,
    cross_weights: Sequence[float],
    season: int,
    most_work: float,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield equations, and the scale of their regressors: all alike, then others shrunk harder.

    The second needs a decomposition for each equation, and is left out where that is long.
    """
    order, n_series, n_rows = sizes
    everyone, lag = np.arange(n_series), np.arange(1.0, order + 1)
    near = np.minimum(lag, 2 + np.abs(lag - season)) if season > 1 else lag
    fading, own = (np.repeat(distance**-decay, n_series) for distance in (lag, near))
    k = order * n_series
    is_bearable = n_series * n_rows * k * min(k, n_rows) <= most_work
    is_alike = np.array_equal(own, fading)  # no lag is near the season: all share a decomposition
    if is_alike or not is_bearable or n_series == 1:
        yield everyone, own if n_series == 1 else fading
    if n_series == 1 or not is_bearable:
        return
    impulse = np.tile(everyone, order)
    weights = cross_weights if is_alike else (1.0, *cross_weights)
    for equation in everyone:
        for weight in weights:
            yield everyone[[equation]], np.where(impulse == equation, own, weight * fading)


def _stable(equations: list[_Equation], order: int) -> tuple[np.ndarray, float]:
    """Return coefficients (order, C, C) without a root outside the unit circle, and the rise.

    A root that is just outside, as growing levels give, is held at 1. Else all equations are drawn
    to the last value: the more they are, the nearer they come to random walks with a drift.
    """

    def at(rise: float) -> np.ndarray:
        rows = [equation.coefs(order, series, rise) for series, equation in enumerate(equations)]
        return np.array(rows).swapaxes(0, 1)

    coefs = at(1.0)
    root = largest_root(coefs)
    if root <= LARGEST_FITTED_ROOT:
        return with_roots_held(coefs, root), 1.0
    equations = [equation.drawn_to_last_value() for equation in equations]
    for rise in RISES:
        coefs = at(rise)
        root = largest_root(coefs)
        if root <= LARGEST_FITTED_ROOT:
            break
    return with_roots_held(coefs, root), rise
