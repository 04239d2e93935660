"""What covariates that are known ahead add to the series, beside the series' own linear forecast.

``effect_c(t) = sum_f sum_q weights[c, f, q] (x_f(t - q) - mean of x_f)`` is taken off the series
before an anchor is estimated or asked, and put on its forecast. A covariate of the past alone has
no place here: its future would have to be forecast too.

Letters: n time steps, C series, F covariates, q lags (0 first), B windows, s steps ahead, T rows of
a regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from samovar_forecast.linear.average import estimate_anchor
from samovar_forecast.linear.gate import FEWEST_BLOCKS, estimate_gate
from samovar_forecast.linear.linear_map import Rows
from samovar_forecast.linear.orders import largest_order
from samovar_forecast.linear.ridge import RidgeRegressions

NUMBERS_OF_LAGS = (1, 3, 9)
"""Of each covariate, its value at the time and before; chosen by leave-one-out errors."""

PENALTIES = np.geomspace(0.03, 3000.0, 11)

OWN_LAGS = 4
"""Lags by which the series' own dependence is filtered out, beside those of a season."""

ROUNDS = 3
"""How often filter and effect are estimated in turn."""

LARGEST_SYSTEM = 300
"""A regression has at most so many covariates times lags."""

NEWEST_ROWS = 5000
"""Of longer instances only the newest rows enter the regressions."""

SHARE_OF_THE_TRIAL = 2 / 3
"""Up to this share of the rows an effect is estimated on trial, and judged on those after."""

ORIGINS_AT_MOST = 2000
"""Of more origins only some are judged, evenly spread."""


@dataclass(frozen=True)
class CovariateEffect:
    """What covariates add to the series.

    Attributes
    ----------
    weights : array of shape (C, F, q)
    mean : array of shape (F,)
        A missing value counts as this one.
    """

    weights: np.ndarray
    mean: np.ndarray

    def __call__(self, covariates: np.ndarray) -> np.ndarray:
        """Return the effect at every row, (..., n, C), of covariates of shape (..., n, F).

        Before the first row the covariates count as in it.
        """
        deviations = np.nan_to_num(covariates - self.mean)
        n_rows, total = deviations.shape[-2], 0.0
        for lag in range(self.weights.shape[2]):
            rows = np.maximum(np.arange(n_rows) - lag, 0)
            total = total + deviations[..., rows, :] @ self.weights[:, :, lag].T
        return np.asarray(total)

    def scaled(self, shares: np.ndarray) -> CovariateEffect:
        """Return the effect times a share for each series, (C,)."""
        return replace(self, weights=self.weights * shares[:, None, None])

    def taken_off(self, rows: Rows) -> np.ndarray:
        """Return the series without the effect, (n, C)."""
        assert rows.covariates is not None
        return rows.target - self(rows.covariates)[: len(rows.target)]


def estimate_effect(instances: Sequence[Rows], max_lag: int, season: int = 1) -> CovariateEffect:
    """Estimate the linear response of each series to the covariates.

    Changes of series and covariates are filtered by the series' own dependence (an autoregression
    of what the effect leaves, lags of a season included), so that trending levels are no evidence;
    then a ridge regression of one on the other, its penalty and number of lags by leave-one-out
    errors; filter and regression in turn (Cochrane and Orcutt, 1949).

    Parameters
    ----------
    instances : sequence of Rows
        In one scale, all with covariates.
    max_lag : int
        No more lags than that of a covariate.
    season : int, default=1

    Returns
    -------
    CovariateEffect
        0 for a series with too few rows.
    """
    instances = [_newest(one) for one in instances]
    known = np.concatenate([_known(one) for one in instances])
    is_there = np.isfinite(known)
    mean = np.where(is_there, known, 0.0).sum(axis=0) / np.maximum(is_there.sum(axis=0), 1)
    deviations = [np.nan_to_num(_known(one) - mean) for one in instances]
    n_series, n_covariates = instances[0].target.shape[1], len(mean)
    unit = np.sqrt(np.square(np.concatenate(deviations)).mean(axis=0))
    varies = unit > 1e-12 * (1 + np.abs(mean))
    weights = np.zeros((n_series, n_covariates, max(NUMBERS_OF_LAGS)))
    if varies.any():
        moving = [one[:, varies] / unit[varies] for one in deviations]
        for c in range(n_series):
            own = [one.target[:, c] for one in instances]
            found = _response(own, moving, max_lag, season)
            weights[c, varies, : found.shape[1]] = found / unit[varies, None]
    used = np.flatnonzero(weights.any(axis=(0, 1)))
    return CovariateEffect(weights[:, :, : 1 + int(used.max(initial=0))], mean)


def confirmed_shares(
    instances: Sequence[Rows], n_steps: int, max_lag: int, season: int = 1
) -> np.ndarray:
    """Return how much of an effect the rows held out confirm, a share for each series, (C,).

    On trial, effect and anchor are estimated on the first two thirds of each instance. From every
    origin in the last third the anchor's forecast is held against that with the effect; how much
    of the latter helps is the gate's question, answered by evidence alone: 0 within one standard
    error. Each step counts by how far the effect moves it. The share is squared: levels that drift
    side by side make blocks less independent than they are taken to be, so that half evidence is
    little evidence.

    Parameters
    ----------
    instances : sequence of Rows
    n_steps : int
    max_lag : int
    season : int, default=1
    """
    n_series = instances[0].target.shape[1]
    cuts = [int(SHARE_OF_THE_TRIAL * len(one.target)) for one in instances]
    past = [one.until(cut) for one, cut in zip(instances, cuts, strict=True)]
    if not all(np.isfinite(np.concatenate([one.target for one in past])).any(axis=0)):
        return np.zeros(n_series)
    effect = estimate_effect(past, max_lag, season)
    if not effect.weights.any():
        return np.zeros(n_series)
    anchor = estimate_anchor([one.target for one in past], n_steps, max_lag, season).map
    n_lags = max(1, anchor.n_lags)
    n_origins = sum(
        max(0, len(one.target) - cut - n_steps + 1)
        for one, cut in zip(instances, cuts, strict=True)
    )
    stride = max(1, n_origins // ORIGINS_AT_MOST)
    alone, joint, actual, instance = [], [], [], []
    for number, (one, cut) in enumerate(zip(instances, cuts, strict=True)):
        origins = np.arange(max(cut, n_lags), len(one.target) - n_steps + 1, stride)
        if len(origins):
            ahead = origins[:, None] + np.arange(n_steps)
            added = effect(_known(one))
            alone.append(anchor.along(one.target, origins))
            joint.append(anchor.along(one.target - added, origins) + added[ahead])
            actual.append(one.target[ahead])
            instance.append(np.full(len(origins), number))
    if not alone:
        return np.zeros(n_series)
    without, beside, truth = (np.concatenate(some) for some in (alone, joint, actual))
    # Only steps that have enough forecasts without overlap can be judged.
    judged = slice(0, max(1, min(n_steps, len(truth) // FEWEST_BLOCKS)))
    without, beside, truth = without[:, judged], beside[:, judged], truth[:, judged]
    shares = estimate_gate(without, beside, truth, np.concatenate(instance), prior_share=0.0)  # s C
    moved = np.nan_to_num(np.square(beside - without)).sum(axis=0)  # s C
    share = (moved * shares).sum(axis=0) / np.where(moved.any(axis=0), moved.sum(axis=0), 1.0)
    return np.square(share)


def _known(one: Rows) -> np.ndarray:
    """Return the covariates at the rows of the series."""
    assert one.covariates is not None  # the effect is asked only where there are some
    return one.covariates[: len(one.target)]


def _newest(one: Rows) -> Rows:
    first = max(0, len(one.target) - NEWEST_ROWS)
    return Rows(one.target[first:], _known(one)[first:])


def _response(
    series: list[np.ndarray], covariates: list[np.ndarray], max_lag: int, season: int
) -> np.ndarray:
    """Return the weights of one series' response, (F, q); ``covariates`` are of size 1."""
    n_covariates = covariates[0].shape[1]
    n_rows = sum(int(np.isfinite(one).sum()) for one in series)
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
        left = [
            one - CovariateEffect(weights[None], np.zeros(n_covariates))(known)[:, 0]
            for one, known in zip(series, covariates, strict=True)
        ]
        own = _autoregression([np.diff(one) for one in left], lags)
        filtered = [_filtered(np.diff(one)[:, None], own, lags)[:, 0] for one in series]
        regressors = [
            _lagged(_filtered(np.diff(one, axis=0), own, lags), max(numbers)) for one in covariates
        ]
        y, x = np.concatenate(filtered), np.concatenate(regressors)  # T, T q F
        is_there = np.isfinite(y) & np.isfinite(x).all(axis=(1, 2))
        if is_there.sum() <= 2 * n_covariates:
            return np.zeros((n_covariates, 1))
        weights = _ridge(y[is_there], x[is_there], numbers)
    return weights


def _autoregression(series: list[np.ndarray], lags: np.ndarray) -> np.ndarray:
    """Return least-squares weights of the own lags; rows with a gap are left out."""
    n_lags = int(lags.max(initial=0))
    designs, ahead = [], []
    for one in series:
        rows = np.arange(n_lags, len(one))
        designs.append(one[rows[:, None] - lags])
        ahead.append(one[rows])
    x, y = np.concatenate(designs), np.concatenate(ahead)
    is_there = np.isfinite(y) & np.isfinite(x).all(axis=1)
    if is_there.sum() <= 2 * len(lags):
        return np.zeros(len(lags))
    x, y = x[is_there], y[is_there]
    solution = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    return np.asarray(solution)


def _filtered(values: np.ndarray, own: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Return (n, K) minus what its own lags say of it; the first rows are NaN."""
    result = np.full(values.shape, np.nan)
    rows = np.arange(int(lags.max(initial=0)), len(values))
    result[rows] = values[rows]
    for lag, weight in zip(lags, own, strict=True):
        result[rows] -= weight * values[rows - lag]
    return result


def _lagged(values: np.ndarray, n_lags: int) -> np.ndarray:
    """Return the values now and before, (n, q, F); the first rows are NaN."""
    result = np.full((len(values), n_lags, values.shape[1]), np.nan)
    for lag in range(min(n_lags, len(values))):
        result[lag:, lag] = values[: len(values) - lag]
    return result


def _ridge(y: np.ndarray, x: np.ndarray, numbers: list[int]) -> np.ndarray:
    """Return the best weights (F, q) of (T, q, F) by leave-one-out, over q and the penalty."""
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
            found = regressions.solve(PENALTIES[number])[:, 0] / np.where(size > 0, size, 1.0)
            chosen = found.reshape(n_lags, -1).T
    return chosen
