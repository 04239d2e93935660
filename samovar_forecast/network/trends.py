"""Levels and slopes of a series at every position: means and lines of the values so far."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.running import recent_values

LOOKED_BACK = 48
"""Last values that fading weights see."""
PRIOR_OF_LINE = 2.0
"""Rows with a slope of 0, each as far from the centre as the weights reach, added to a line."""


def slope_of_halves(x: Tensor, start: Tensor, ends: Tensor) -> Tensor:
    """Return the mean of the second half so far less that of the first, per step; (B, C, N, 1).

    Parameters
    ----------
    x : Tensor of shape (B, C, L)
    start : integer Tensor of shape (B, C, 1)
    ends : integer Tensor of shape (N,)

    Returns
    -------
    Tensor
        0 with fewer than four values.
    """
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


def smoothed_levels(
    series: Tensor, counts: Tensor, mean: Tensor, rates: tuple[float, ...], patch_length: int
) -> Tensor:
    """Return exponentially weighted means at every position; (B, C, N, rates).

    Parameters
    ----------
    series, counts : Tensor of shape (B, C, L)
    mean : Tensor of shape (B, C, N)
        Stands in where no value of late counts.
    rates : tuple of float
    patch_length : int

    Returns
    -------
    Tensor
    """
    back = torch.arange(LOOKED_BACK - 1, -1, -1, dtype=series.dtype, device=series.device)
    kernel = torch.stack([(1 - rate) ** back for rate in rates], -1)
    total = recent_values(series * counts, patch_length, LOOKED_BACK) @ kernel
    weight = recent_values(counts, patch_length, LOOKED_BACK) @ kernel
    return torch.where(weight > 1e-6, total / weight.clamp(min=1e-6), mean[..., None])


def local_line(
    series: Tensor, counts: Tensor, mean: Tensor, rate: float, patch_length: int
) -> tuple[Tensor, Tensor]:
    """Return level and slope now of a line through the values, whose weights fade; (B, C, N, 1).

    Brown's double exponential smoothing as discounted least squares (Brown 1963), its slope drawn
    to 0.

    Parameters
    ----------
    series, counts : Tensor of shape (B, C, L)
    mean : Tensor of shape (B, C, N)
        Level where no value of late counts.
    rate : float
    patch_length : int

    Returns
    -------
    level, slope : Tensor
    """
    back = torch.arange(LOOKED_BACK - 1, -1, -1, dtype=series.dtype, device=series.device)
    fading = (1 - rate) ** back
    kernel = torch.stack([fading, -back * fading, back.square() * fading], -1)
    sums, weights = (
        recent_values(part, patch_length, LOOKED_BACK) @ kernel
        for part in (series * counts, counts)
    )
    total, moved, _ = sums.unbind(-1)
    weight, time, square = weights.unbind(-1)
    is_there = (weight > 1e-6).to(series.dtype)
    weight = weight.clamp(min=1e-6)
    centre, level = time / weight, total / weight
    spread = square - centre * time + PRIOR_OF_LINE / rate**2
    slope = (moved - centre * total) / spread * is_there
    now = (level - slope * centre) * is_there + mean * (1 - is_there)
    return now[..., None], slope[..., None]
