"""Simple forecasts of every series at every position, in closed form.

A mean, the season before, an autoregression, a vector autoregression of the whole window: each
reads the values up to its position. The network weighs them by their records; see
:mod:`samovar_forecast.network.records`.
"""

from __future__ import annotations

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
MOST_JOINT = 8
"""Series that are regressed on each other as they are; of more, their factors are."""


class Paths(NamedTuple):
    """Paths of all series at every position; K of them."""

    moves: Tensor
    """(B, C, N, K, H) away from the last value, in units of ``RunningStatistics.unit``."""
    is_there: Tensor
    """(B, C, N, K) 1 where there is such a path, else 0."""
    from_others: tuple[Tensor, ...] = ()
    """(B, C, N, H) each: moves of which a path is made that reads other series."""


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
    ends = at_positions(torch.arange(x.shape[-1], device=x.device), patch_length)
    ahead = torch.arange(1, horizon + 1, device=x.device)
    has_season = (told > 1).to(x.dtype)[:, None, None]  # B 1 1
    slope = _slope(x, window.start, ends)  # B C N 1
    around = _around_season(window, told, slope, ends, ahead)
    deviation, counts = around.deviation, around.counts  # B C L
    both = torch.stack([x, deviation]), torch.stack([window.observed, counts])
    own, own_around = _autoregression(*both, horizon, patch_length)

    last = statistics.last[..., None]
    now = at_positions(deviation, patch_length)[..., None]  # B C N 1
    total = running_sums(deviation * counts, patch_length)
    mean = total / running_sums(counts, patch_length).clamp(min=1)
    smooth, slow = _smoothed(deviation, counts, mean, patch_length)
    naive = torch.where(has_season[..., None] > 0, around.before, _recent_mean(x, patch_length))
    base = around.season - last  # B C N H
    # A season before carries the trend along: with a season, half of it or all is taken off.
    rise = ahead * slope * (1 - 2 * has_season[..., None])

    always = torch.ones_like(mean)  # B C N
    reached = at_positions(around.is_reached, patch_length).to(x.dtype)
    found_reached = (found > 1) & (ends - window.start >= found + N_RECENT)
    paths = {
        "last": (torch.zeros_like(base), always),
        "season_before": (naive - last, reached),
        "season_last": (base + now, reached * has_season),
        "season_smooth": (base + smooth, reached),
        "season_slow": (base + slow, reached),
        "season_mean": (base + mean[..., None], reached),
        "half_trend": (base + smooth + rise / 2, reached),
        "trend": (base + now + rise, reached),
        "autoregression": (own, always),
        "season_autoregression": (base + now + own_around, reached * has_season),
        "found_season": (
            _found_season(window, found, ends, ahead) - last,
            found_reached.to(x.dtype),
        ),
    }
    from_others: tuple[Tensor, ...] = ()
    if with_others and x.shape[1] > 1:
        joint = _vector_autoregression(deviation, counts, horizon, patch_length)
        paths["vector_autoregression"] = (base + now + joint, reached)
        from_others = (joint,)
    else:
        paths["vector_autoregression"] = (paths["last"][0], torch.zeros_like(always))
    moves, there = zip(*(paths[name] for name in PATHS), strict=True)
    is_there = torch.stack(there, 3)
    in_units = torch.stack(moves, 3).div_(statistics.unit[:, :, :, None])
    bounded = in_units.clamp(-LARGEST, LARGEST) * is_there[..., None]
    return Paths(bounded, is_there, from_others)


class _AroundSeason(NamedTuple):
    """A series seen as a season told and the deviation from it; without a season it is all that."""

    season: Tensor
    """(B, C, N, H) the mean of up to four seasons before each step ahead, and the trend since."""
    before: Tensor
    """(B, C, N, H) the value one season before each step ahead."""
    deviation: Tensor
    """(B, C, L)"""
    counts: Tensor
    """(B, C, L) 1 where the deviation is known, else 0."""
    is_reached: Tensor
    """(B, C, L) whether a whole season lies before."""


def _around_season(
    window: Window, told: Tensor, slope: Tensor, ends: Tensor, ahead: Tensor
) -> _AroundSeason:
    x, period = window.values, told[:, None, None]  # B 1 1
    steps = torch.arange(x.shape[-1], device=x.device)
    has_season = (period > 1).to(x.dtype)
    is_reached = steps - window.start >= torch.where(period > 1, period, 0)
    means = seasonal_means(x, window.start, period, steps[None, None], N_SEASONS)
    before = _taken(means, window.start, steps - period) * has_season
    cycle = torch.ceil(ahead / period[..., None]).long()  # B 1 1 H
    at = ends[:, None] + ahead - cycle * period[..., None]  # B 1 N H
    starts = window.start[..., None]
    season = _taken(means, starts, at) + (cycle - 1) * period[..., None] * slope
    return _AroundSeason(
        season * has_season[..., None],
        _taken(x, starts, at),
        (x - before) * is_reached,
        window.observed * is_reached,
        is_reached,
    )


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
