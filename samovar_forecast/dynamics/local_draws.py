"""Draws of what the process itself is at an origin: a VAR on the recent rows, drawn again.

A forecast that is drawn to simple forecasts, and that looks at all rows, has no interval of its own
that would hold the truth behind it: how far the dynamics have moved is not in it, and no resampling
of it says. An interval that is honest whether they have moved or not rests on an estimate that is
unbiased in both cases: least squares on the rows before the origin, whose weights fade. From it
histories are drawn whose coefficients stay, it is estimated on each again, and its bias there is
taken off twice, once off the estimate and once off the draws (Kilian 1998, Review of Economics and
Statistics 80:218-222).

Letters: O origins, D draws, n rows, K channels (past covariates, then series), C series, p lags,
H steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samovar_forecast.dynamics.forecast_map import Part, by_series
from samovar_forecast.dynamics.jacobian import DenseJacobian, Jacobian
from samovar_forecast.exceptions import DataError
from samovar_forecast.linear.linear_map import filled, without_gaps

if TYPE_CHECKING:
    from samovar_forecast.dynamics.forecast_reading import ForecastReading

FADING = 0.96
"""Weight that is left of a row after a step, at least: half the weight lies on the last 17 rows."""

ROWS_PER_REGRESSOR = 5
"""Weights fade slower where there are more regressors: their sum is so many rows for each."""

LEAST_WEIGHT = 1e-3
"""Rows whose weight is less are not read."""

ORDERS = (1, 2, 4)
"""Among these the order is chosen, by BIC on all rows up to the origin."""

PENALTY = 0.5
"""Rows of variance 1 by which each coefficient is drawn to 0: an answer also for few rows."""

LARGEST_ROOT = 0.97
"""Of the VAR that draws histories; the draws themselves have roots of at most 1."""

FEWEST_ROWS = 20


class Vars(NamedTuple):
    """Fits of VARs by weighted least squares; any leading axes."""

    coefs: np.ndarray
    """(..., p, K, K), ``[lag - 1, response, impulse]``"""
    intercept: np.ndarray
    """(..., K)"""
    errors: np.ndarray
    """(..., n - p, K)"""


class LocalDraws:
    """Coefficients of VARs around each of some origins, as the Jacobians of drawn readings.

    Parameters
    ----------
    var : ForecastReading
        The reading for whose history VARs are drawn; its forecasts are not asked.
    positions : int array of shape (O,)
        Rows of the origins.
    n_draws : int
    rng : numpy Generator

    Raises
    ------
    DataError
        If there are too few rows.
    """

    def __init__(
        self,
        var: ForecastReading,
        positions: np.ndarray,
        n_draws: int,
        rng: np.random.Generator,
    ) -> None:
        channels, self._unit = channels_of(var)
        self._positions, self._n_series = positions, var.neqs
        n_channels = channels.shape[1]
        shape = (len(positions), n_draws, ORDERS[-1], n_channels, n_channels)
        self._coefs, self._sigmas = np.zeros(shape), np.empty((*shape[:2], *shape[3:]))
        for place, position in enumerate(positions):
            rows = filled(without_gaps(channels[: position + 1]))
            if len(rows) < FEWEST_ROWS:
                raise DataError(
                    "too few rows before an origin for a VAR on them",
                    found=len(rows),
                    wanted=f"at least {FEWEST_ROWS}",
                )
            order = choose_order(rows)
            fading = fading_of(1 + order * n_channels)
            n_read = int(np.ceil(np.log(LEAST_WEIGHT) / np.log(fading))) + order
            known, scale = in_one_size(rows[-n_read:], fading)
            coefs, sigmas = draw_vars(known, order, fading, n_draws, rng)
            self._coefs[place, :, :order] = coefs * scale[:, None] / scale
            self._sigmas[place] = sigmas * scale[:, None] * scale

    def of_draw(self, number: int) -> DrawnVars:
        """Return what answers for a reading by the VARs of a draw."""
        return DrawnVars(
            self._positions,
            self._coefs[:, number],
            self._sigmas[:, number],
            self._unit,
            self._n_series,
        )


class DrawnVars:
    """VARs at some origins, in place of the forecasts of a reading.

    Parameters
    ----------
    positions : int array of shape (O,)
    coefs : array of shape (O, p, K, K)
    sigmas : array of shape (O, K, K)
        Covariances of their errors.
    unit : array of shape (K,)
        Of the channels, for the Jacobians.
    n_series : int
        The last of the channels.
    """

    def __init__(
        self,
        positions: np.ndarray,
        coefs: np.ndarray,
        sigmas: np.ndarray,
        unit: np.ndarray,
        n_series: int,
    ) -> None:
        self._place = {int(position): place for place, position in enumerate(positions)}
        self._coefs, self._sigmas = coefs, sigmas
        self._unit, self._n_series = unit, n_series

    def jacobians_of(
        self,
        reading: ForecastReading,
        positions: np.ndarray,
        weights: np.ndarray,
        part: Part,
        to_the_end: bool,
    ) -> Iterator[Jacobian]:
        """Yield the Jacobians of the VARs at rows of the history; all of a VAR is dynamics.

        VARs on the rows before an origin have no gap.
        """
        n_series = self._n_series
        asked = by_series(weights, n_series)  # R s C
        n_steps = int(np.flatnonzero(asked.any(axis=(0, 2))).max(initial=0)) + 1
        is_read = part in ("total", "dynamics")
        coefs = self._coefs[[self._place[int(position)] for position in positions]]
        for lags in steps_ahead(coefs, n_steps)[:, :, :, -n_series:]:  # H p C K
            slope = np.einsum("rhc,hpck->rcpk", asked[:, :n_steps] * is_read, lags)
            dense = np.zeros((len(asked), n_series, reading.order, slope.shape[3]))
            n_lags = min(slope.shape[2], reading.order)
            dense[:, :, reading.order - n_lags :] = slope[:, :, :n_lags][:, :, ::-1]
            yield DenseJacobian(dense, np.zeros(dense.shape[:2]), self._unit)

    def sigmas(self, positions: np.ndarray) -> np.ndarray:
        """Return the covariances of the errors of the series at rows, (n, C, C)."""
        places = [self._place[int(position)] for position in positions]
        return self._sigmas[places][:, -self._n_series :, -self._n_series :]


def channels_of(var: ForecastReading) -> tuple[np.ndarray, np.ndarray]:
    """Return past covariates and series, (n, K), NaN where one is missing; and their units.

    The effect of covariates that are known ahead is taken off.
    """
    data = var.data
    values = data.target.values - var.effect_of_covariates()
    both = np.concatenate([data.past.rows(0, len(values)), values], axis=1)
    unit = np.nanstd(both, axis=0)
    return both, np.where(unit > 0, unit, 1.0)


def in_one_size(rows: np.ndarray, fading: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (n, K) in units of one size, and the units, (K,).

    Weights fade toward the past, as those of the regression: loud rows of long ago would else make
    the newest rows small, and the penalty large beside them.
    """
    weights = fading ** np.arange(len(rows) - 1, -1, -1.0)
    away = rows - np.average(rows, axis=0, weights=weights)
    scale = np.sqrt(np.average(np.square(away), axis=0, weights=weights))
    scale = np.where(scale > 0, scale, 1.0)
    return away / scale, scale


def fading_of(n_regressors: int) -> float:
    """Return the weight that is left of a row after a step."""
    return max(FADING, 1 - 1 / (ROWS_PER_REGRESSOR * n_regressors))


def choose_order(rows: np.ndarray) -> int:
    """Return the order of least BIC, all rows alike; the first where there are few."""
    n_rows, n_channels = rows.shape
    rows, scores = in_one_size(rows, 1.0)[0], {}
    for order in ORDERS:
        n_regressors = 1 + order * n_channels
        if order == ORDERS[0] or n_rows > ROWS_PER_REGRESSOR * n_regressors:
            errors = fit_vars(rows[ORDERS[-1] - order :], order, 1.0).errors
            _, size = np.linalg.slogdet(errors.T @ errors / len(errors) + 1e-9 * np.eye(n_channels))
            scores[order] = size + n_channels * n_regressors * np.log(n_rows) / n_rows
    return min(scores, key=lambda order: scores[order])


def fit_vars(rows: np.ndarray, order: int, fading: float) -> Vars:
    """Estimate VARs on rows (..., n, K) by least squares whose weights fade toward the past."""
    n_rows, n_channels = rows.shape[-2:]
    n_errors = n_rows - order
    lags = [rows[..., order - lag : n_rows - lag, :] for lag in range(1, order + 1)]
    design = np.concatenate([np.ones((*rows.shape[:-2], n_errors, 1)), *lags], axis=-1)
    weighted = np.swapaxes(design, -1, -2) * fading ** np.arange(n_errors - 1, -1, -1.0)
    penalty = np.full(design.shape[-1], PENALTY)
    penalty[0] = 1e-6
    squares = weighted @ design + np.diag(penalty)
    slopes = np.linalg.solve(squares, weighted @ rows[..., order:, :])
    errors = rows[..., order:, :] - design @ slopes
    by_lag = slopes[..., 1:, :].reshape(*slopes.shape[:-2], order, n_channels, n_channels)
    return Vars(np.swapaxes(by_lag, -1, -2), slopes[..., 0, :], errors)


def draw_vars(
    rows: np.ndarray, order: int, fading: float, n_draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return drawn coefficients of the last of some rows, (D, p, K, K), and covariances (D, K, K).

    Parameters
    ----------
    rows : array of shape (n, K)
        In units of one size.
    order : int
    fading : float
    n_draws : int
    rng : numpy Generator
    """
    fit = fit_vars(rows, order, fading)
    coefs = held(fit.coefs, LARGEST_ROOT)
    # The constant goes with the coefficients: the mean of the fit stays.
    constant = fit.intercept + (fit.coefs - coefs).sum(axis=0) @ rows.mean(axis=0)
    drawn = rng.integers(len(fit.errors), size=(n_draws, len(fit.errors)))
    errors = fit.errors[drawn] - fit.errors.mean(axis=0)  # D n-p K
    paths = np.empty((n_draws, *rows.shape))
    paths[:, :order] = rows[:order]
    for t in range(order, len(rows)):
        recent = paths[:, t - order : t][:, ::-1]  # D p K
        paths[:, t] = constant + np.einsum("dpk,pck->dc", recent, coefs) + errors[:, t - order]
    again = fit_vars(paths, order, fading)
    bias = again.coefs.mean(axis=0) - coefs
    # Off the estimate, and off the draws around it.
    corrected = again.coefs - 2 * bias + (fit.coefs - coefs)
    return held(corrected, 1.0), _covariances(again.errors, fading, 1 + order * rows.shape[1])


def _covariances(errors: np.ndarray, fading: float, n_regressors: int) -> np.ndarray:
    """Return the covariances of errors (D, n, K) whose weights fade, freed of the regressors."""
    weights = fading ** np.arange(errors.shape[1] - 1, -1, -1.0)
    freedom = max(weights.sum() - n_regressors / 2, 1.0)
    return np.einsum("t,dtk,dtc->dkc", weights, errors, errors) / freedom


def held(coefs: np.ndarray, root: float) -> np.ndarray:
    """Return VARs (..., p, K, K) whose largest root is at most some number."""
    order, n_channels = coefs.shape[-3:-1]
    size = order * n_channels
    companion = np.zeros((*coefs.shape[:-3], size, size))
    companion[..., :n_channels, :] = np.moveaxis(coefs, -3, -2).reshape(
        *coefs.shape[:-3], n_channels, size
    )
    companion[..., np.arange(n_channels, size), np.arange(size - n_channels)] = 1.0
    radius = np.abs(np.linalg.eigvals(companion)).max(axis=-1)
    share = np.minimum(1.0, root / np.maximum(radius, 1e-12))
    return coefs * share[..., None, None, None] ** np.arange(1, order + 1)[:, None, None]


def steps_ahead(coefs: np.ndarray, n_steps: int) -> np.ndarray:
    """Return the coefficients of forecasts of each step by the newest rows, (..., H, p, K, K)."""
    found = [coefs]
    for _ in range(n_steps - 1):
        last = found[-1]
        later = np.concatenate([last[..., 1:, :, :], np.zeros_like(last[..., :1, :, :])], axis=-3)
        found.append(last[..., :1, :, :] @ coefs + later)
    return np.stack(found, axis=-4)
