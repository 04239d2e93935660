"""Vector autoregressions estimated inside a window, anew at every position, and their forecasts.

At each position the rows so far give the moments of a regression of the step of every series on a
constant, the last levels and the steps before: a vector error-correction model in which nothing is
estimated twice. Shrinking pulls it to a random walk, as a Minnesota prior does (Litterman 1986,
Journal of Business & Economic Statistics 4(1)); how strongly follows the share of the variance that
the regression leaves, so that a process without noise is hardly shrunk at all.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_SHARE = 1e-4
"""Share of the variance that is taken to be noise at least."""
DRIFT_ROWS = 4.0
"""Rows without a drift that are added to the sample."""
LARGEST_STEP = 3.0
"""Bound of a forecast's steps, in standard deviations of the steps seen: no forecast explodes."""


class Prior(NamedTuple):
    """Rows that the prior of a regressor is worth, where nothing is explained."""

    level: float
    """Of a level: a series returns to its mean, or to the others, slowly if at all."""
    step: float
    """Of the last step."""
    growth: float
    """The prior of a step ``j`` rows ago is worth ``step j^growth`` rows."""


class Regression(NamedTuple):
    """Estimates at every position; G groups of K series, q regressors."""

    coefs: Tensor
    """(G, N, q, K): levels of all series, then their steps one, two, ... rows ago."""
    mean: Tensor
    """(G, N, q) of the regressors."""
    drift: Tensor
    """(G, N, K) mean step, drawn to 0."""
    deviation: Tensor
    """(G, N, K) of the steps."""


def estimate(
    series: Tensor, weight: Tensor, order: int, prior: Prior, patch_length: int
) -> Regression:
    """Return the regression of each group at every position.

    Parameters
    ----------
    series : Tensor of shape (G, K, L)
        Groups of series that are regressed on each other.
    weight : Tensor of shape (G, L)
        1 where a row counts, else 0.
    order : int
        Lags of the autoregression.
    prior : Prior
    patch_length : int

    Returns
    -------
    Regression
    """
    n_series = series.shape[1]
    rows, counts = _rows(series, weight, order)  # G L 1+q+K, G L
    moments = _running_moments(rows, counts, patch_length)  # G N 1+q+K 1+q+K
    n_rows = moments[..., 0, 0].clamp(min=1)[..., None]  # G N 1
    mean = moments[..., 0, 1:] / n_rows
    centred = moments[..., 1:, 1:] / n_rows[..., None] - mean[..., :, None] * mean[..., None, :]
    # A single row has no moments but its rounding, which would be divided by its own size.
    centred = torch.where(n_rows[..., None] > 1, centred, 0.0)
    variance = centred.diagonal(dim1=-2, dim2=-1).clamp(min=1e-14)
    deviation = variance.sqrt()
    correlation = centred / (deviation[..., :, None] * deviation[..., None, :])
    inner, outer = (
        correlation[..., :-n_series, :-n_series],
        correlation[..., :-n_series, -n_series:],
    )
    shrinking = _prior_rows(prior, order, mean, n_series) / n_rows  # G N q
    first = _shrunk(inner, outer, shrinking)
    explained = (first * outer).sum(-2).mean(-1, keepdim=True)
    coefs = _shrunk(inner, outer, shrinking * (1 - explained).clamp(LEAST_SHARE, 1))
    coefs = coefs * (deviation[..., None, -n_series:] / deviation[..., :-n_series, None])
    drift = mean[..., -n_series:] * (n_rows / (n_rows + DRIFT_ROWS))
    out = (coefs, mean[..., :-n_series], drift, deviation[..., -n_series:])
    return Regression(*(tensor.to(series.dtype) for tensor in out))


def _rows(series: Tensor, weight: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Return the rows of the regression, constant first and step last, and which of them count."""
    exact = series.double()
    step = F.pad(exact[..., 1:] - exact[..., :-1], (1, 0))
    length = series.shape[-1]
    columns = [torch.ones_like(weight[:, None], dtype=exact.dtype)]
    columns.append(F.pad(exact, (1, 0))[..., :length])
    columns.extend(F.pad(step, (lag, 0))[..., :length] for lag in range(1, order))
    columns.append(step)
    counts = weight.double()
    for lag in range(1, order + 1):
        counts = counts * F.pad(weight.double(), (lag, 0))[..., :length]
    return torch.cat(columns, 1).mT, counts


def _running_moments(rows: Tensor, counts: Tensor, patch_length: int) -> Tensor:
    """Return the sums of products of all columns up to each position."""
    patches = rows.unflatten(1, (-1, patch_length))  # G N s Q
    weighted = patches * counts.unflatten(1, (-1, patch_length))[..., None]
    return (weighted.mT @ patches).cumsum(1)


def _prior_rows(prior: Prior, order: int, like: Tensor, n_series: int) -> Tensor:
    """Return the rows that the prior of each regressor is worth; (q,)."""
    rows = [prior.level, *(prior.step * lag**prior.growth for lag in range(1, order))]
    return like.new_tensor(rows).repeat_interleave(n_series)


def _shrunk(inner: Tensor, outer: Tensor, shrinking: Tensor) -> Tensor:
    """Return ``(inner + diag(shrinking))^-1 outer``; shapes (..., q, q), (..., q, K), (..., q)."""
    solved, _ = torch.linalg.solve_ex(inner + torch.diag_embed(shrinking + 1e-10), outer)
    return solved


def changes_ahead(
    series: Tensor, regression: Regression, order: int, horizon: int, patch_length: int
) -> Tensor:
    """Return how the forecasts of a regression move away from the last values.

    Parameters
    ----------
    series : Tensor of shape (G, K, L)
    regression : Regression
    order, horizon, patch_length : int

    Returns
    -------
    Tensor of shape (G, K, N, H)
    """
    coefs, mean, drift, deviation = regression
    n_series = series.shape[1]
    step = F.pad(series[..., 1:] - series[..., :-1], (1, 0))
    lags = [series, *(F.pad(step, (lag, 0))[..., : step.shape[-1]] for lag in range(order - 1))]
    now = [lag[..., patch_length - 1 :: patch_length].mT for lag in lags]  # G N K each
    # Along a path only differences from the means act: levels start at theirs, steps likewise.
    means = mean.split(n_series, -1)
    level, *steps = [value - centre for value, centre in zip(now, means, strict=True)]
    effects = coefs.split(n_series, -2)  # G N K K each
    between = [sooner - later for sooner, later in pairwise(means[1:])]
    bound = LARGEST_STEP * deviation + drift.abs()
    path = []
    moved = torch.zeros_like(level)
    for _ in range(horizon):
        change = drift
        for value, effect in zip([level + moved, *steps], effects, strict=True):
            if n_series == 1:
                change = torch.addcmul(change, value, effect[..., 0])
            else:
                change = change + (value[..., None, :] @ effect)[..., 0, :]
        change = torch.minimum(torch.maximum(change, -bound), bound)
        moved = moved + change
        path.append(moved)
        if steps:
            older = [value + gap for value, gap in zip(steps, between, strict=False)]
            steps = [change - means[1], *older[: len(steps) - 1]]
    return torch.stack(path, -1).transpose(1, 2)
