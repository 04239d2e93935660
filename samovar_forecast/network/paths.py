"""Simple forecasts of every series at every position, and how well each of them did so far.

Each path is a forecast in closed form from the values up to its position: a mean, the season
before, an autoregression, a vector autoregression of the whole window. The network weighs them.
What it goes by is their record: the errors that the same path, issued from earlier positions of the
same window, has made by now.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.factors import common_factors
from samovar_forecast.network.ridge import Prior, changes_ahead, estimate
from samovar_forecast.network.running import (
    RunningStatistics,
    Window,
    at_positions,
    recent_values,
    running_sums,
)
from samovar_forecast.network.seasons import seasonal_means

PATHS = (
    "last",
    "season_before",
    "season_last",
    "season_smooth",
    "season_slow",
    "season_mean",
    "half_trend",
    "trend",
    "autoregression",
    "season_autoregression",
    "found_season",
    "vector_autoregression",
)
EXOGENOUS = PATHS.index("vector_autoregression")
LARGEST = 16.0
"""Bound of a path, in units."""
N_SEASONS = 4
N_RECENT = 8
"""Last values that give the level of a season that was found."""
SMOOTHING = (0.4, 0.12)
SMOOTHED_VALUES = 48
ORDER = 8
OWN_PRIOR = Prior(level=20.0, step=2.0, growth=1.5)
JOINT_PRIOR = Prior(level=24.0, step=8.0, growth=1.0)
BANDS = ((1, 1), (2, 3), (4, 8), (9, 16), (17, 32), (33, 64))
"""Steps ahead, first and last, for which errors are remembered together."""
STEPS_REMEMBERED = (
    (1,),
    (2, 3),
    (4, 5, 6, 7, 8),
    (9, 11, 13, 16),
    (18, 23, 27, 32),
    (36, 45, 54, 63),
)
"""Steps of each band whose errors are looked at."""
MOST_JOINT = 8
"""Series that are regressed on each other as they are; of more, their factors are."""
RECORD_DECAY = 0.97
PRIOR_ERRORS = 1.0
LARGEST_ERROR = 100.0


class Paths(NamedTuple):
    """Paths of all series at every position; K of them."""

    moves: Tensor
    """(B, C, N, K, H) away from the last value, in units of ``RunningStatistics.unit``."""
    is_there: Tensor
    """(B, C, N, K) 1 where there is such a path, else 0."""


def forecast_paths(
    window: Window,
    statistics: RunningStatistics,
    told: Tensor,
    found: Tensor,
    patch_length: int,
    *,
    with_others: bool,
) -> Paths:
    """Return all paths; see :data:`PATHS`.

    Parameters
    ----------
    window : Window
    statistics : RunningStatistics
    told : integer Tensor of shape (B,)
        Period of the season told; 1 for none.
    found : integer Tensor of shape (B, C, N)
        Period of another season; 1 for none.
    patch_length : int
    with_others : bool
        Whether a series may be forecast from the others.

    Returns
    -------
    Paths
    """
    x, horizon = window.values, statistics.unit.shape[-1]
    steps = torch.arange(x.shape[-1], device=x.device)
    ends = at_positions(steps, patch_length)
    ahead = torch.arange(1, horizon + 1, device=x.device)
    period = told[:, None, None]  # B 1 1
    has_season = (period > 1).to(x.dtype)
    is_reached = steps - window.start >= torch.where(period > 1, period, 0)  # B C L

    means = seasonal_means(x, window.start, period, steps[None, None], N_SEASONS)  # B C L
    before = _taken(means, window.start, steps - period) * has_season
    deviation = (x - before) * is_reached
    counts = window.observed * is_reached
    cycle = torch.ceil(ahead / period[..., None]).long()  # B 1 1 H
    at = ends[:, None] + ahead - cycle * period[..., None]  # B 1 N H
    starts = window.start[..., None]
    season = _taken(means, starts, at)  # B C N H
    slope = _slope(x, window.start, ends)  # B C N 1
    drift = (cycle - 1) * period[..., None] * slope
    season = (season + drift) * has_season[..., None]

    last, now = statistics.last[..., None], at_positions(deviation, patch_length)[..., None]
    total = running_sums(deviation * counts, patch_length)
    mean = total / running_sums(counts, patch_length).clamp(min=1)
    smooth, slow = _smoothed(deviation, counts, mean, patch_length)  # B C N 1 each
    naive = _taken(x, starts, at)
    naive = torch.where(has_season[..., None] > 0, naive, _recent_mean(x, patch_length))
    rise = ahead * slope * (1 - 2 * has_season[..., None])
    both = torch.stack([x, deviation]), torch.stack([window.observed, counts])
    own, own_season = _autoregression(*both, horizon, patch_length)
    from_found = _found_season(window, found, ends, ahead)
    base = season - last
    moves = [
        torch.zeros_like(base),
        naive - last,
        base + now,
        base + smooth,
        base + slow,
        base + mean[..., None],
        base + smooth + rise / 2,
        base + now + rise,
        own,
        base + now + own_season,
        from_found - last,
    ]
    reached = at_positions(is_reached, patch_length).to(x.dtype)
    seasonal = reached * has_season
    one = torch.ones_like(reached)
    is_found = (found > 1) & (ends - window.start >= found + N_RECENT)
    there = [one, reached, seasonal, *[reached] * 5, one, seasonal, is_found.to(x.dtype)]
    if with_others and x.shape[1] > 1:
        moves.append(base + now + _vector_autoregression(deviation, counts, horizon, patch_length))
        there.append(reached)
    else:
        moves.append(moves[0])
        there.append(torch.zeros_like(one))
    is_there = torch.stack(there, 3)
    stacked = torch.stack(moves, 3).div_(statistics.unit[:, :, :, None])
    return Paths(stacked.clamp(-LARGEST, LARGEST) * is_there[..., None], is_there)


def _taken(series: Tensor, start: Tensor, at: Tensor) -> Tensor:
    """Return the values of (B, C, L) at steps, 0 before the start."""
    shape = torch.broadcast_shapes((*series.shape[:2], *at.shape[2:]), at.shape)
    values = series.gather(-1, at.clamp(min=0).expand(shape).flatten(2)).view(shape)
    return values * (at >= start)


def _slope(x: Tensor, start: Tensor, ends: Tensor) -> Tensor:
    """Return the mean of the second half so far less that of the first, per step; B C N 1."""
    total = F.pad(x.cumsum(-1), (1, 0))
    length = ends + 1 - start  # B C N
    half = (length // 2).clamp(min=1)
    sums = [
        total.gather(-1, index.clamp(min=0, max=x.shape[-1]).expand(*x.shape[:2], -1))
        for index in (start + 0 * ends, start + half, ends + 1 - half, ends + 1 + 0 * start)
    ]
    difference = (sums[3] - sums[2]) / half - (sums[1] - sums[0]) / half
    rise = difference / (length - half).clamp(min=1)
    return (rise * (length >= 4))[..., None]


def _smoothed(
    series: Tensor, counts: Tensor, mean: Tensor, patch_length: int
) -> tuple[Tensor, Tensor]:
    """Return two exponentially weighted means at every position, B C N 1 each.

    Where no value of late counts, it is the mean (B, C, N).
    """
    back = torch.arange(SMOOTHED_VALUES - 1, -1, -1, dtype=series.dtype, device=series.device)
    kernel = torch.stack([(1 - rate) ** back for rate in SMOOTHING], -1)
    total = recent_values(series * counts, patch_length, SMOOTHED_VALUES) @ kernel
    weight = recent_values(counts, patch_length, SMOOTHED_VALUES) @ kernel
    smoothed = torch.where(weight > 1e-6, total / weight.clamp(min=1e-6), mean[..., None])
    smooth, slow = smoothed.unbind(-1)
    return smooth[..., None], slow[..., None]


def _recent_mean(series: Tensor, patch_length: int) -> Tensor:
    return recent_values(series, patch_length, min(4, patch_length)).mean(-1, keepdim=True)


def _found_season(window: Window, period: Tensor, ends: Tensor, ahead: Tensor) -> Tensor:
    """Return the path of a season found, at the level of the last steps; B C N H."""
    x, starts, period = window.values, window.start[..., None], period[..., None]
    cycle = torch.ceil(ahead / period).long()
    at = ends[:, None] + ahead - cycle * period
    path = seasonal_means(x, starts, period, at, N_SEASONS - 1)
    recent = ends[:, None] - torch.arange(N_RECENT, device=x.device)  # N 8
    recent = recent.clamp(min=0).expand(*x.shape[:2], -1, -1)
    values = x.gather(-1, recent.flatten(2)).view(recent.shape)
    before = seasonal_means(x, starts, period, recent - period, N_SEASONS - 1)
    return path + (values - before).mean(-1, keepdim=True)


def _autoregression(series: Tensor, counts: Tensor, horizon: int, patch_length: int) -> Tensor:
    """Return the moves of an autoregression of each series on itself; (..., L) as (..., N, H)."""
    length = series.shape[-1]
    groups = series.reshape(-1, 1, length)
    regression = estimate(groups, counts.reshape(-1, length), ORDER, OWN_PRIOR, patch_length)
    moves = changes_ahead(groups, regression, ORDER, horizon, patch_length)
    return moves.view(*series.shape[:-1], *moves.shape[2:])


def _vector_autoregression(
    series: Tensor, counts: Tensor, horizon: int, patch_length: int
) -> Tensor:
    """Return the moves of a vector autoregression of all series; B C N H.

    Of many series it is that of their common factors, which move each series by its loadings, as in
    a dynamic factor model (Stock and Watson 2002, JASA 97); the cost is linear in their number.
    """
    n_series = series.shape[1]
    if n_series > MOST_JOINT:
        factors, loading = common_factors(series, counts)
        moves = _vector_autoregression(factors, torch.ones_like(factors), horizon, patch_length)
        return (loading @ moves.flatten(2)).unflatten(-1, moves.shape[2:])
    order = 4 if n_series <= 3 else 3 if n_series <= 6 else 2
    weight = counts.amin(1)  # rows in which every series counts
    regression = estimate(series, weight, order, JOINT_PRIOR, patch_length)
    return changes_ahead(series, regression, order, horizon, patch_length)


def targets(
    window: Window,
    statistics: RunningStatistics,
    patch_length: int,
    future: Tensor | None = None,
) -> Tensor:
    """Return what came after every position in units, NaN where it is not known; (B, C, N, H).

    ``future``, of shape (B, H, C) and in the units of the data, is what came after the window.
    """
    horizon = statistics.unit.shape[-1]
    values = torch.where(window.observed > 0, window.values, torch.nan)
    if future is None:
        ahead = F.pad(values[..., patch_length:], (0, horizon), value=torch.nan)
    else:
        standard = (future.transpose(1, 2) - window.location) / window.scale
        ahead = torch.cat([values[..., patch_length:], standard.to(values.dtype)], -1)
    ahead = ahead.unfold(-1, horizon, patch_length)[:, :, : statistics.last.shape[-1]]
    return (ahead - statistics.last[..., None]) / statistics.unit


def records(paths: Paths, actual: Tensor, patch_length: int) -> Tensor:
    """Return the logarithm of the root mean square error of every path so far, by band.

    Parameters
    ----------
    paths : Paths
    actual : Tensor of shape (B, C, N, H)
        From :func:`targets`; may reach beyond the window, for only errors known at a position
        enter there.
    patch_length : int

    Returns
    -------
    Tensor of shape (B, C, N, K, J)
        J bands; 0 stands for the error of the last value in a series that wanders.
    """
    n_positions = actual.shape[2]
    steps = [step - 1 for band in STEPS_REMEMBERED for step in band]
    actual = actual[..., None, steps]  # B C N 1 R
    bands = _band_means(actual)  # R J
    is_known = torch.isfinite(actual).to(actual.dtype)
    error = (paths.moves[..., steps] - actual.nan_to_num()) * is_known
    squares = (error.square().clamp(max=LARGEST_ERROR) @ bands) * paths.is_there[..., None]
    weights = (is_known @ bands) * paths.is_there[..., None]  # B C N K J
    back = torch.arange(n_positions, device=actual.device)
    distance = back[:, None] - back
    sums, counts = [], []
    for band, (_, furthest) in enumerate(BANDS):
        delay = math.ceil(furthest / patch_length)
        decay = torch.where(distance >= delay, RECORD_DECAY ** distance.clamp(min=0), 0.0)
        decay = decay.to(actual.dtype)
        sums.append(decay @ squares[..., band])  # B C N K
        counts.append(decay @ weights[..., band])
    estimate_so_far = torch.ones_like(sums[0])
    errors = []
    for total, count in zip(sums, counts, strict=True):
        estimate_so_far = (total + PRIOR_ERRORS * estimate_so_far) / (count + PRIOR_ERRORS)
        errors.append(estimate_so_far)
    return 0.5 * torch.stack(errors, -1).clamp(min=1e-8).log()


def _band_means(like: Tensor) -> Tensor:
    """Return the matrix that takes the mean of each band over the steps remembered; (R, J)."""
    bands = [like.new_full((len(steps), 1), 1 / len(steps)) for steps in STEPS_REMEMBERED]
    return torch.block_diag(*bands)


def band_weights(horizon: int) -> Tensor:
    """Return the matrix that draws a line through the bands, by the logarithm of the step; (J, H).

    Its columns add up to 1.
    """
    centres = torch.tensor([math.log(math.sqrt(first * last)) for first, last in BANDS])
    steps = torch.arange(1.0, horizon + 1).log().clamp(centres[0], centres[-1])
    above = torch.searchsorted(centres, steps).clamp(1, len(BANDS) - 1)
    share = (steps - centres[above - 1]) / (centres[above] - centres[above - 1])
    weights = torch.zeros(len(BANDS), horizon)
    weights.scatter_(0, above[None], share[None])
    return weights.scatter_add_(0, above[None] - 1, 1 - share[None])
