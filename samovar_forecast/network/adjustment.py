"""Seasonal adjustment inside a window: what a season told adds to each value, known causally.

The classical decomposition (Macaulay 1931): a value less the centred mean of one whole season is
its index, and the index ahead is the mean of those of the same phase in the last seasons. How much
of it counts is learned in the window too: the regression of the indices on what the seasons before
foretold for them, drawn to a half. A season that is told though there is none then adds
nothing, and an adjusted series is the series itself.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.exportable import is_exporting
from samovar_forecast.network.held import computing
from samovar_forecast.network.running import Window
from samovar_forecast.network.seasons import seasonal_means

N_SEASONS = 6
PRIOR_SHARE, PRIOR_ROWS = 0.5, 8.0
"""Share of the index that counts at first, and rows that this belief is worth."""
LARGEST_SHARE = 1.5
"""A season that grows is more than the mean of its past."""
LEAST_NOISE = 1e-5


class Adjusted(NamedTuple):
    """A series as a season and what is left; without a season told all of it is left."""

    values: Tensor
    """(B, C, L) without the season."""
    counts: Tensor
    """(B, C, L) 1 where the adjusted value is known, else 0."""
    is_reached: Tensor
    """(B, C, L) whether a season and a half lie before, so that there is an index."""
    ahead: Tensor
    """(B, C, N, H) what the season adds to each step ahead."""
    share: Tensor
    """(B, C, N) of the index that counts."""


def adjust(window: Window, told: Tensor, slope: Tensor, ends: Tensor, ahead: Tensor) -> Adjusted:
    """Return the seasonally adjusted series, and the season ahead of every position.

    Parameters
    ----------
    window : Window
    told : integer Tensor of shape (B,)
        Period told; 1 for none.
    slope : Tensor of shape (B, C, N, 1)
        Of the series, so that an index at the very end is not that of a trend.
    ends : integer Tensor of shape (N,)
        Steps of the positions.
    ahead : integer Tensor of shape (H,)
        Steps ahead.

    Returns
    -------
    Adjusted
    """
    x, period = window.values, told[:, None, None]  # B 1 1
    half = period // 2
    steps = torch.arange(x.shape[-1], device=x.device)
    is_reached = steps - window.start >= torch.where(period > 1, period + half, 0)
    counts = window.observed * is_reached
    if not is_exporting() and not (told > 1).any():
        nothing = x.new_zeros(*x.shape[:2], len(ends))
        return Adjusted(
            x, counts, is_reached, nothing[..., None].expand(-1, -1, -1, len(ahead)), nothing
        )
    has_season = (period > 1).to(x.dtype)
    first = window.start + half  # of the indices
    total = F.pad(x.cumsum(-1), (1, 0))
    # A season of an even number of steps has a centre between two, so the mean is one of two.
    later, sooner = (
        _season_mean(total, steps + half - back, period) for back in (0, 1 - period % 2)
    )
    index = x - (later + sooner) / 2  # B C L
    foretold = seasonal_means(index, first, period, steps - period, N_SEASONS)
    is_known = (steps - period >= first).to(x.dtype) * window.observed
    with computing("memory"):
        share = _share(index, foretold, is_known, half) * has_season  # B C L
    share_now = (share * is_reached)[..., ends]
    pattern = _index_ahead(x, index, total, first, told, slope, ends, ahead)
    return Adjusted(
        x - share * foretold,
        counts,
        is_reached,
        share_now[..., None] * pattern,
        share_now,
    )


def _season_mean(total: Tensor, end: Tensor, period: Tensor) -> Tensor:
    """Return the means of the seasons that end at steps, from the sums so far; (B, C, ...)."""
    length = total.shape[-1] - 1
    shape = torch.broadcast_shapes((*total.shape[:2], *end.shape[2:]), end.shape, period.shape)
    after = (end + 1).clamp(0, length).expand(shape)
    before = (end + 1 - period).clamp(0, length).expand(shape)
    until, up_to = (total.gather(-1, place.flatten(2)).view(shape) for place in (after, before))
    return (until - up_to) / period


def _share(index: Tensor, foretold: Tensor, is_known: Tensor, half: Tensor) -> Tensor:
    """Return the share of the index that counts at every row, from indices known by then."""
    products = torch.stack([index * foretold, foretold.square(), index.square()]) * is_known
    rows = torch.arange(index.shape[-1], device=index.device) - half  # known half a season later
    sums = torch.cat([products, is_known[None]]).cumsum(-1)
    at = rows.clamp(min=0).expand(index.shape)
    sums = sums.gather(-1, at.expand(sums.shape)) * (rows >= 0)
    both, square, own, n_rows = sums
    mean_square = (square / n_rows.clamp(min=1)).clamp(min=1e-12)
    noise = 1 - both.square() / (square * own).clamp(min=1e-12)
    prior = PRIOR_ROWS * noise.clamp(LEAST_NOISE, 1.0) * mean_square
    return ((both + PRIOR_SHARE * prior) / (square + prior)).clamp(0.0, LARGEST_SHARE)


def _index_ahead(
    x: Tensor,
    index: Tensor,
    total: Tensor,
    first: Tensor,
    told: Tensor,
    slope: Tensor,
    ends: Tensor,
    ahead: Tensor,
) -> Tensor:
    """Return the index of each step ahead: the mean of its phase's in the last seasons; B C N H."""
    period = told[:, None, None, None]
    half = period // 2
    ends = ends[:, None]  # N 1
    at = ends + ahead - torch.ceil(ahead / period).long() * period  # B 1 N H
    shape = torch.broadcast_shapes((*x.shape[:2], 1, 1), at.shape)
    place = at.clamp(min=0).expand(shape).flatten(2)
    # Around the last half season there is no whole one: its mean is that of the last, and a trend.
    mean = _season_mean(total, ends[None, None], period)  # B C N 1
    trend = slope * (at - ends + (period - 1) / 2)
    late = x.gather(-1, place).view(shape) - mean - trend
    last = torch.where(at + half > ends, late, index.gather(-1, place).view(shape))
    starts = first[..., None]
    n_before = ((at - starts) // period).clamp(0, N_SEASONS - 1)
    before = seasonal_means(index, starts, period, at - period, N_SEASONS - 1)
    is_there = (at >= starts).to(x.dtype)
    return (last * is_there + before * n_before) / (is_there + n_before).clamp(min=1)
