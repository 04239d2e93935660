"""Vector autoregressions estimated inside a window, anew at every position, and their forecasts.

At each position the rows so far give the moments of a regression of the step of every series on a
constant, the last levels and the steps before: a vector error-correction model in which nothing is
estimated twice. Shrinking pulls it to a random walk, as a Minnesota prior does (Litterman 1986,
Journal of Business & Economic Statistics 4(1)); how strongly follows the share of the variance that
the regression leaves, so that a process without noise is hardly shrunk at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.exportable import solve_positive
from samovar_forecast.network.held import as_given, computing
from samovar_forecast.network.running import recent_values, running_sums

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
    is_shared: bool = False
    """Whether the groups that stand together share their coefficients, in standard units."""


class Regression(NamedTuple):
    """Estimates at every position; V priors, G groups of K series, q regressors."""

    coefs: Tensor
    """(V, G, N, q, K): levels of all series, then their steps one, two, ... rows ago."""
    mean: Tensor
    """(V, G, N, q) of the regressors."""
    drift: Tensor
    """(V, G, N, K) mean step, drawn to 0."""
    deviation: Tensor
    """(V, G, N, K) of the steps."""


def estimate(
    series: Tensor,
    weight: Tensor,
    order: int,
    priors: Sequence[Prior],
    patch_length: int,
    *,
    own_priors: Sequence[Prior] = (),
    n_together: int = 1,
    first: int = 0,
) -> Regression:
    """Return the regression of each group at every position, under each prior.

    Parameters
    ----------
    series : Tensor of shape (G, K, L)
        Groups of series that are regressed on each other.
    weight : Tensor of shape (G, L)
        1 where a row counts, else 0.
    order : int
        Lags of the autoregression.
    priors : sequence of V Prior
    patch_length : int
    own_priors : sequence of V Prior, optional
        Each regression is drawn to the autoregressions of its series under these, rather than to a
        random walk.
    n_together : int, default=1
        Groups, one after the other, that a shared prior takes together.
    first : int, default=0
        The first position that is asked for; N counts from there.

    Returns
    -------
    Regression
    """
    n_series = series.shape[1]
    rows, counts = _rows(series, weight, order)  # G L 1+q+K, G L
    n_rows = running_sums(counts, patch_length)[:, first:].clamp(min=1)[..., None]  # G N 1
    level = (rows[..., 1 : 1 + n_series] * counts[..., None]).mT
    level = running_sums(level, patch_length)[..., first:].mT
    with computing("memory"):
        moments = _running_moments(rows, counts, patch_length)[:, first:]  # G N 1+q+K 1+q+K
        coefs, mean, drift, deviation = _estimates(
            moments, n_rows, order, n_series, priors, own_priors, n_together
        )
    mean = torch.cat([as_given(level / n_rows, "level"), mean[..., n_series:]], -1)
    coefs, *others = (tensor.to(series.dtype) for tensor in (coefs, mean, drift, deviation))
    return Regression(coefs, *(tensor.expand(len(priors), *tensor.shape) for tensor in others))


def _estimates(
    moments: Tensor,
    n_rows: Tensor,
    order: int,
    n_series: int,
    priors: Sequence[Prior],
    own_priors: Sequence[Prior],
    n_together: int,
) -> tuple[Tensor, ...]:
    """Return coefficients (V, G, N, q, K), and means, drift and deviation without V.

    From the sums of the products of all columns, and how many rows they are of.
    """
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
    own = inner, outer, n_rows[..., None]
    shared = _taken_together(own, n_together)
    inner, outer, rows_seen = (
        torch.stack([both[prior.is_shared] for prior in priors])
        for both in zip(own, shared, strict=True)
    )  # V G N ...
    centre = _own_coefs(own, own_priors, order) if own_priors else None
    worth = _worth(priors, order, n_series, inner.device)[:, None, None]
    coefs = _twice_shrunk(inner, outer, worth / rows_seen[..., 0], centre)
    coefs = coefs * (deviation[..., None, -n_series:] / deviation[..., :-n_series, None])
    drift = mean[..., -n_series:] * (n_rows / (n_rows + DRIFT_ROWS))
    return coefs, mean[..., :-n_series], drift, deviation[..., -n_series:]


def join(*regressions: Regression) -> Regression:
    """Return regressions one after the other, as if each had been another prior."""
    return Regression(*(torch.cat(parts) for parts in zip(*regressions, strict=True)))


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


def _taken_together(moments: tuple[Tensor, Tensor, Tensor], n_together: int) -> tuple[Tensor, ...]:
    """Return the means of moments over the groups that stand together, and their rows in all."""
    if n_together == 1:
        return moments
    inner, outer, n_rows = (part.unflatten(0, (-1, n_together)) for part in moments)
    total = n_rows.sum(1, keepdim=True)
    means = [(part * n_rows).sum(1, keepdim=True) / total for part in (inner, outer)]
    return tuple(
        part.expand(-1, n_together, *part.shape[2:]).flatten(0, 1) for part in (*means, total)
    )


def _worth(priors: Sequence[Prior], order: int, n_series: int, device: torch.device) -> Tensor:
    """Return the rows that the prior of each regressor is worth; (V, q)."""
    rows = [
        [prior.level, *(prior.step * lag**prior.growth for lag in range(1, order))]
        for prior in priors
    ]
    worth = torch.tensor(rows, dtype=torch.float64, device=device)
    return worth.repeat_interleave(n_series, 1)


def _own_coefs(
    moments: tuple[Tensor, Tensor, Tensor], priors: Sequence[Prior], order: int
) -> Tensor:
    """Return the coefficients of each series on itself alone, 0 on others; (V, G, N, q, K)."""
    inner, outer, n_rows = moments
    n_series = outer.shape[-1]
    lags = (order, n_series)
    own = inner.unflatten(-1, lags).unflatten(-3, lags).diagonal(dim1=-3, dim2=-1)  # G N o o K
    own = own.movedim(-1, 2)  # G N K o o
    aim = outer.unflatten(-2, lags).diagonal(dim1=-2, dim2=-1).mT[..., None]  # G N K o 1
    worth = _worth(priors, order, 1, inner.device)[:, None, None, None]
    coefs = _twice_shrunk(own, aim, worth / n_rows)
    return torch.diag_embed(coefs[..., 0].mT).flatten(-3, -2)  # V G N o K K


def _twice_shrunk(
    inner: Tensor, outer: Tensor, shrinking: Tensor, centre: Tensor | None = None
) -> Tensor:
    """Return ridge coefficients whose penalty follows the share that a first regression leaves.

    Shapes (..., q, q), (..., q, K), (..., q); they are drawn to ``centre`` (..., q, K), or to 0.
    """
    start = torch.zeros_like(outer) if centre is None else centre
    left = outer - inner @ start
    first = start + _shrunk(inner, left, shrinking)
    explained = (first * outer).sum(-2).mean(-1, keepdim=True)
    return start + _shrunk(inner, left, shrinking * (1 - explained).clamp(LEAST_SHARE, 1.0))


def _shrunk(inner: Tensor, outer: Tensor, shrinking: Tensor) -> Tensor:
    """Return ``(inner + diag(shrinking))^-1 outer``; shapes (..., q, q), (..., q, K), (..., q)."""
    return solve_positive(inner + torch.diag_embed(shrinking + 1e-10), outer)


def states_at_ends(series: Tensor, order: int, patch_length: int) -> Tensor:
    """Return what the regression reads at every position: the last levels, then the steps before.

    Parameters
    ----------
    series : Tensor of shape (..., K, L)
    order : int
    patch_length : int

    Returns
    -------
    Tensor of shape (..., N, q)
        As the regressors of :class:`Regression`; a step before the window is 0.
    """
    recent = recent_values(series, patch_length, order)  # ... K N p, oldest first
    ends = torch.arange(patch_length, series.shape[-1] + 1, patch_length, device=series.device)
    back = torch.arange(order - 2, -1, -1, device=series.device)
    is_inside = (ends[:, None] - back > 1).to(series.dtype)  # N p-1
    steps = (recent[..., 1:] - recent[..., :-1]) * is_inside
    newest_first = torch.cat([recent[..., -1:], steps.flip(-1)], -1)
    return newest_first.movedim(-3, -1).flatten(-2)


def changes_ahead(states: Tensor, regression: Regression, ahead: Sequence[int]) -> Tensor:
    """Return how the forecasts of a regression move away from the last values.

    Parameters
    ----------
    states : Tensor of shape (G, N, q) or (V, G, N, q)
        From :func:`states_at_ends`.
    regression : Regression
    ahead : sequence of H int
        Steps ahead that are returned, in their order.

    Returns
    -------
    Tensor of shape (V, G, K, N, H)
    """
    coefs, mean, drift, deviation = regression
    n_series = drift.shape[-1]
    # The level enters as its distance from its mean; the means of the steps are one constant.
    level = states[..., :n_series] - mean[..., :n_series]
    constant = drift - (mean[..., None, n_series:] @ coefs[..., n_series:, :])[..., 0, :]
    state = torch.cat([level, states[..., n_series:].expand(*level.shape[:-1], -1)], -1)  # V G N q
    bound = LARGEST_STEP * deviation + drift.abs()
    moved = torch.zeros_like(level)
    path, wanted = [], set(ahead)
    for number in range(1, max(wanted) + 1):
        if n_series == 1:
            change = constant + (state * coefs[..., 0]).sum(-1, keepdim=True)
        else:
            change = constant + (state[..., None, :] @ coefs)[..., 0, :]
        change = torch.clamp(change, -bound, bound)
        moved = moved + change
        if number in wanted:
            path.append(moved)
        recent = [change, state[..., n_series:-n_series]] if state.shape[-1] > n_series else []
        state = torch.cat([level + moved, *recent], -1)
    return torch.stack(path, -1).transpose(2, 3)
