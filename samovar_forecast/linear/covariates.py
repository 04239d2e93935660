"""The effect of covariates on the series: what known future covariates add to a linear forecast.

``effect_c(t) = sum_f sum_q weights[c, f, q] (x_f(t - q) - mean of x_f)`` is subtracted from the
series before an anchor is estimated or asked, and added to the forecast of the anchor. Past
covariates have no effect here: a forecast would need a forecast of the covariates too.

Letters: n time steps, C series, F covariates, q lags (0 first), B windows, s steps ahead, T rows of
a regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from samovar_forecast.linear.average import estimate_anchor
from samovar_forecast.linear.gate import FEWEST_BLOCKS, estimate_gate
from samovar_forecast.linear.linear_map import Rows, without_gaps
from samovar_forecast.linear.orders import largest_order
from samovar_forecast.linear.ridge import RidgeRegressions
from samovar_forecast.linear.threads import one_blas_thread

NUMBERS_OF_LAGS = (1, 3, 9)
"""Candidate numbers of lags: the values of a covariate at the same time (lag 0) and before.

Leave-one-out errors choose the number.
"""

PENALTIES = np.geomspace(0.03, 3000.0, 11)
"""Candidate penalties of the ridge regression; leave-one-out errors choose the penalty."""

OWN_LAGS = 4
"""Number of lags of the autoregression that filters a series, besides the lags of a season."""

ROWS_REACHED = max(NUMBERS_OF_LAGS) + OWN_LAGS
"""An instance of fewer rows holds no row with all lags of a covariate and of the filter."""

ROUNDS = 3
"""How many times the filter and the effect are estimated, each time in this order."""

LARGEST_SYSTEM = 300
"""A regression has at most this number of regressors (covariates times lags)."""

NEWEST_ROWS = 5000
"""The regressions read at most this number of rows of an instance, the newest rows."""

SHARE_OF_THE_TRIAL = 2 / 3
"""A trial effect is estimated on this share of the rows, and judged on the rows after them."""

ORIGINS_AT_MOST = 2000
"""About this number of origins is judged; more origins are thinned evenly."""


@dataclass(frozen=True)
class CovariateEffect:
    """What covariates add to the series.

    Attributes
    ----------
    weights : array of shape (C, F, q)
    mean : array of shape (F,)
        Means of the covariates. A missing value of a covariate counts as the mean.
    """

    weights: np.ndarray
    mean: np.ndarray

    def __call__(self, covariates: np.ndarray) -> np.ndarray:
        """Return the effect at every row, (..., n, C), of covariates of shape (..., n, F).

        Before the first row, the covariates count as in the first row.
        """
        deviations = np.nan_to_num(covariates - self.mean)
        n_rows, total = deviations.shape[-2], 0.0
        for lag in range(self.weights.shape[2]):
            lagged = np.maximum(np.arange(n_rows) - lag, 0)
            total = total + deviations[..., lagged, :] @ self.weights[:, :, lag].T
        return np.asarray(total)

    def scaled(self, shares: np.ndarray) -> CovariateEffect:
        """Return the effect times a share for each series, (C,)."""
        return replace(self, weights=self.weights * shares[:, None, None])

    def taken_off(self, rows: Rows) -> np.ndarray:
        """Return the series without the effect, (n, C)."""
        assert rows.covariates is not None
        return rows.target - self(rows.covariates)[: len(rows.target)]


@one_blas_thread()
def estimate_effect(instances: Sequence[Rows], max_lag: int, season: int = 1) -> CovariateEffect:
    """Estimate the linear response of each series to the covariates.

    The estimation alternates between two steps (Cochrane and Orcutt, 1949). The first step
    subtracts the present effect from the series, and fits an autoregression, with the lags of a
    season, to the changes of the rest. The second step filters the changes of the series and of the
    covariates by this autoregression, and regresses the filtered series on the filtered covariates
    with a ridge penalty. Leave-one-out errors choose the penalty and the number of lags. Because
    changes are regressed, two levels that merely trend together are no evidence of an effect.

    A change that is missing is not regressed. Among the lags of another change, a gap of the series
    without its present effect is crossed by a straight line: one missing value would else take all
    rows with it that reach back to it.

    Parameters
    ----------
    instances : sequence of Rows
        All instances have covariates and the same scale.
    max_lag : int
        Largest number of lags of a covariate.
    season : int, default=1
        Length of a season in time steps.

    Returns
    -------
    CovariateEffect
        The weights are 0 for a series with too few rows.
    """
    instances = [_newest(rows) for rows in instances]
    known = np.concatenate([_known(rows) for rows in instances])
    is_there = np.isfinite(known)
    mean = np.where(is_there, known, 0.0).sum(axis=0) / np.maximum(is_there.sum(axis=0), 1)
    deviations = [np.nan_to_num(_known(rows) - mean) for rows in instances]
    n_series, n_covariates = instances[0].target.shape[1], len(mean)
    unit = np.sqrt(np.square(np.concatenate(deviations)).mean(axis=0))
    varies = unit > 1e-12 * (1 + np.abs(mean))
    weights = np.zeros((n_series, n_covariates, max(NUMBERS_OF_LAGS)))
    if varies.any():
        standardized = [values[:, varies] / unit[varies] for values in deviations]
        for c in range(n_series):
            series = [rows.target[:, c] for rows in instances]
            response = _response(series, standardized, max_lag, season)
            weights[c, varies, : response.shape[1]] = response / unit[varies, None]
    used = np.flatnonzero(weights.any(axis=(0, 1)))
    return CovariateEffect(weights[:, :, : 1 + int(used.max(initial=0))], mean)


def confirmed_effect(
    instances: Sequence[Rows], n_steps: int, max_lag: int, season: int = 1
) -> CovariateEffect | None:
    """Return the effect of all rows as far as :func:`confirmed_shares` confirms it.

    None where nothing is confirmed; parameters as of :func:`confirmed_shares`.
    """
    shares = confirmed_shares(instances, n_steps, max_lag, season)
    if not shares.any():
        return None
    effect = estimate_effect(instances, max_lag, season).scaled(shares)
    return effect if effect.weights.any() else None


@one_blas_thread()
def confirmed_shares(
    instances: Sequence[Rows], n_steps: int, max_lag: int, season: int = 1
) -> np.ndarray:
    """Return the share of an effect that held-out rows confirm, for each series, (C,).

    For the trial, an effect and an anchor are estimated on the first two thirds of each instance.
    From every origin in the last third, two forecasts are compared: the forecast of the anchor
    alone, and the forecast of the anchor with the effect. The gate says what share of the effect
    helps, without a prior share: the share is 0 within one standard error of 0. The shares of the
    steps are averaged, and a step counts more where the effect moves the forecast more. The average
    is squared: where two levels drift side by side, the blocks of the gate are less independent
    than the gate assumes, so half of the evidence is little evidence.

    Parameters
    ----------
    instances : sequence of Rows
        All instances have covariates and the same scale.
    n_steps : int
        Steps ahead that are compared.
    max_lag : int
        Largest number of lags of the anchor and of a covariate.
    season : int, default=1
        Length of a season in time steps.

    Returns
    -------
    array of shape (C,)
        The share is 0 for a series without a value in the first two thirds; no other series
        depends on it.
    """
    n_series = instances[0].target.shape[1]
    cuts = [int(SHARE_OF_THE_TRIAL * len(rows.target)) for rows in instances]
    past = [rows.until(cut) for rows, cut in zip(instances, cuts, strict=True)]
    is_known = np.isfinite(np.concatenate([rows.target for rows in past])).any(axis=0)
    if not is_known.all():
        shares = np.zeros(n_series)
        if is_known.any():
            known = [replace(rows, target=rows.target[:, is_known]) for rows in instances]
            shares[is_known] = confirmed_shares(known, n_steps, max_lag, season)
        return shares
    effect = estimate_effect(past, max_lag, season)
    if not effect.weights.any():
        return np.zeros(n_series)
    anchor = estimate_anchor([rows.target for rows in past], n_steps, max_lag, season).map
    n_lags = max(1, anchor.n_lags)
    n_origins = sum(
        max(0, len(rows.target) - cut - n_steps + 1)
        for rows, cut in zip(instances, cuts, strict=True)
    )
    stride = max(1, n_origins // ORIGINS_AT_MOST)
    forecasts_without, forecasts_with, targets, numbers = [], [], [], []
    for number, (rows, cut) in enumerate(zip(instances, cuts, strict=True)):
        origins = np.arange(max(cut, n_lags), len(rows.target) - n_steps + 1, stride)
        if len(origins):
            ahead = origins[:, None] + np.arange(n_steps)
            added = effect(_known(rows))
            without_effect = rows.target - added
            forecasts_without.append(anchor.along(rows.target, origins))
            forecasts_with.append(anchor.along(without_effect, origins) + added[ahead])
            targets.append(rows.target[ahead])
            numbers.append(np.full(len(origins), number))
    if not numbers:
        return np.zeros(n_series)
    without, with_effect, actual = (
        np.concatenate(windows) for windows in (forecasts_without, forecasts_with, targets)
    )
    # Only steps that have enough forecasts without overlap can be judged.
    judged = slice(0, max(1, min(n_steps, len(actual) // FEWEST_BLOCKS)))
    without, with_effect, actual = without[:, judged], with_effect[:, judged], actual[:, judged]
    instance = np.concatenate(numbers)
    shares = estimate_gate(without, with_effect, actual, instance, prior_share=0.0)  # s C
    moved = np.nan_to_num(np.square(with_effect - without)).sum(axis=0)  # s C
    share = (moved * shares).sum(axis=0) / np.where(moved.any(axis=0), moved.sum(axis=0), 1.0)
    return np.square(share)


def _known(rows: Rows) -> np.ndarray:
    """Return the covariates at the rows of the series, (n, F)."""
    assert rows.covariates is not None  # an effect is estimated only where covariates exist
    return rows.covariates[: len(rows.target)]


def _newest(rows: Rows) -> Rows:
    first = max(0, len(rows.target) - NEWEST_ROWS)
    return Rows(rows.target[first:], _known(rows)[first:])


def _response(
    series: list[np.ndarray], covariates: list[np.ndarray], max_lag: int, season: int
) -> np.ndarray:
    """Return the weights of the response of a single series, (F, q).

    The covariates have mean square 1. ``series`` and ``covariates`` hold an array per instance.
    """
    n_covariates = covariates[0].shape[1]
    n_rows = sum(int(np.isfinite(values).sum()) for values in series)
    lags = np.arange(1, 1 + min(OWN_LAGS, largest_order(n_rows, 1)))
    if season > 1 and n_rows > 5 * (season + 1):
        lags = np.union1d(lags, [season, season + 1])
    most = min(max_lag, min(LARGEST_SYSTEM, n_rows // 4) // n_covariates)
    numbers = [q for q in NUMBERS_OF_LAGS if q <= most]
    weights = np.zeros((n_covariates, 1))
    longest = max(numbers, default=1) - 1 + int(lags.max(initial=0))
    if not numbers or n_rows <= longest + 2 * (len(lags) + n_covariates):
        return weights
    for _ in range(ROUNDS):
        effect = CovariateEffect(weights[None], np.zeros(n_covariates))
        added = [effect(known)[:, 0] for known in covariates]
        rest = [values - part for values, part in zip(series, added, strict=True)]
        own = _autoregression(rest, lags)
        filtered = [
            _filtered_changes(values, left, part, own, lags)
            for values, left, part in zip(series, rest, added, strict=True)
        ]
        regressors = [
            _lagged(_filtered(np.diff(known, axis=0), own, lags), max(numbers))
            for known in covariates
        ]
        y, x = np.concatenate(filtered), np.concatenate(regressors)  # T, T q F
        is_there = np.isfinite(y) & np.isfinite(x).all(axis=(1, 2))
        if is_there.sum() <= 2 * n_covariates:
            return np.zeros((n_covariates, 1))
        weights = _ridge(y[is_there], x[is_there], numbers)
    return weights


def _autoregression(series: list[np.ndarray], lags: np.ndarray) -> np.ndarray:
    """Return the least-squares weights of the lags of the changes; a missing change is no row."""
    n_lags = int(lags.max(initial=0))
    designs, ahead = [], []
    for values in series:
        times = np.arange(n_lags, len(values) - 1)
        designs.append(np.diff(_crossed(values))[times[:, None] - lags])
        ahead.append(np.diff(values)[times])
    x, y = np.concatenate(designs), np.concatenate(ahead)
    is_there = np.isfinite(y) & np.isfinite(x).all(axis=1)
    if is_there.sum() <= 2 * len(lags):
        return np.zeros(len(lags))
    x, y = x[is_there], y[is_there]
    solution = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    return np.asarray(solution)


def _filtered_changes(
    values: np.ndarray, rest: np.ndarray, added: np.ndarray, own: np.ndarray, lags: np.ndarray
) -> np.ndarray:
    """Return the filtered changes of a series, (n - 1,); NaN where a change is missing.

    Among the lags, what is missing is a straight line through the rest, and the effect.
    """
    complete = np.where(np.isfinite(values), values, _crossed(rest) + added)
    filtered = _filtered(np.diff(complete)[:, None], own, lags)[:, 0]
    return np.where(np.isfinite(np.diff(values)), filtered, np.nan)


def _crossed(values: np.ndarray) -> np.ndarray:
    """Return a series, (n,), with straight lines across its gaps."""
    return without_gaps(values[:, None])[:, 0]


def _filtered(values: np.ndarray, own: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Return the values, (n, K), minus the prediction by their own lags; the first rows are NaN."""
    result = np.full(values.shape, np.nan)
    times = np.arange(int(lags.max(initial=0)), len(values))
    result[times] = values[times]
    for lag, weight in zip(lags, own, strict=True):
        result[times] -= weight * values[times - lag]
    return result


def _lagged(values: np.ndarray, n_lags: int) -> np.ndarray:
    """Return the values at each time and at the lags before it, (n, q, F); first rows are NaN."""
    result = np.full((len(values), n_lags, values.shape[1]), np.nan)
    for lag in range(min(n_lags, len(values))):
        result[lag:, lag] = values[: len(values) - lag]
    return result


def _ridge(y: np.ndarray, x: np.ndarray, numbers: list[int]) -> np.ndarray:
    """Return the weights, (F, q), of the regressors ``x``, (T, q, F).

    Leave-one-out errors choose the number of lags, q, and the penalty.
    """
    best, chosen = np.inf, np.zeros((x.shape[2], 1))
    y = y - y.mean()
    for n_lags in numbers:
        design = x[:, :n_lags].reshape(len(x), -1)
        design = design - design.mean(axis=0)
        size = np.sqrt(np.square(design).mean(axis=0))
        design = design / np.where(size > 0, size, 1.0)
        regressions = RidgeRegressions(design, y[:, None])
        mean = regressions.mean_squares(PENALTIES)[:, 0]
        number = int(np.argmin(mean))
        if mean[number] < best:
            best = float(mean[number])
            weights = regressions.solve(PENALTIES[number])[:, 0] / np.where(size > 0, size, 1.0)
            chosen = weights.reshape(n_lags, -1).T
    return chosen
