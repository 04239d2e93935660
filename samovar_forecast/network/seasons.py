"""Seasons: a period found in a window, and the path that a season draws ahead of each position."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from samovar_forecast.network.running import Window, observed_steps, prefixes

SHORTEST, LONGEST = 3, 400
"""Periods that are looked for, in steps."""
LEAST_CORRELATION = 0.15
NEARLY = 0.9
"""Share of the highest peak's autocorrelation with which a shorter period is preferred."""


def find_seasons(window: Window, told: Tensor, patch_length: int) -> tuple[Tensor, Tensor]:
    """Return the period found at every position, and how clear it is.

    It is the highest peak of the autocorrelation of the steps, other than the period told, or the
    first that is nearly as high, for multiples of a period have peaks too. It is looked for in
    the :func:`~samovar_forecast.network.running.prefixes` of the window.

    Parameters
    ----------
    window : Window
    told : integer Tensor of shape (B,)
        Period told; 1 for none.
    patch_length : int

    Returns
    -------
    period : integer Tensor of shape (B, C, N)
        1 where none was found.
    strength : Tensor of shape (B, C, N)
        Autocorrelation at the period; 0 where none was found.
    """
    steps, observed = observed_steps(window)
    n_positions = steps.shape[-1] // patch_length
    period = torch.ones(*steps.shape[:2], n_positions, dtype=torch.long, device=steps.device)
    strength = steps.new_zeros(period.shape)
    for first, last in prefixes(n_positions):
        end = first * patch_length
        found, clear = _highest_peak(steps[..., :end], observed[..., :end], told)
        period[..., first - 1 : last] = found[..., None]
        strength[..., first - 1 : last] = clear[..., None]
    return period, strength


def _highest_peak(steps: Tensor, observed: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
    """Return period and autocorrelation of the highest peak, (B, C) each; 1 and 0 without."""
    length = steps.shape[-1]
    longest = min(LONGEST, length * 2 // 5)
    count = observed.sum(-1, keepdim=True).clamp(min=1)
    if longest <= SHORTEST:
        return torch.ones_like(count[..., 0], dtype=torch.long), torch.zeros_like(count[..., 0])
    centred = (steps - steps.sum(-1, keepdim=True) / count) * observed
    size = 2 ** math.ceil(math.log2(2 * length))
    spectrum = torch.fft.rfft(centred, size)
    products = torch.fft.irfft(spectrum.abs().square(), size)[..., : longest + 2]
    there = torch.fft.rfft(observed, size)
    pairs = torch.fft.irfft(there.abs().square(), size)[..., : longest + 2].clamp(min=1)
    variance = (products[..., :1] / count).clamp(min=1e-12)
    correlation = products / pairs / variance  # B C longest + 2
    inner = correlation[..., SHORTEST : longest + 1]
    is_peak = (inner >= correlation[..., SHORTEST - 1 : longest]) & (
        inner > correlation[..., SHORTEST + 1 :]
    )
    lags = torch.arange(SHORTEST, longest + 1, device=steps.device)
    is_told = lags == told[:, None, None]
    peaks = torch.where(is_peak & ~is_told, inner, -1.0)
    highest = peaks.amax(-1, keepdim=True)
    at = (peaks >= NEARLY * highest).to(torch.int8).argmax(-1)  # the shortest of such a height
    height = peaks.gather(-1, at[..., None])[..., 0]
    bound = (2.5 / count[..., 0].sqrt()).clamp(min=LEAST_CORRELATION)
    is_found = height > bound
    return torch.where(is_found, lags[at], 1), torch.where(is_found, height, 0.0)


def seasonal_means(
    series: Tensor, start: Tensor, period: Tensor, at: Tensor, n_seasons: int
) -> Tensor:
    """Return, for each step asked for, the mean of the values whole seasons before it.

    Parameters
    ----------
    series : Tensor of shape (B, C, L)
    start : integer Tensor
        First step with a value; broadcasts against ``at``.
    period : integer Tensor
        Broadcasts against ``at``.
    at : integer Tensor of shape (B or 1, C or 1, ...)
        Steps of the nearest value to take; the others lie further back by 1, 2, ... periods.
    n_seasons : int
        Seasons to take the mean of, fewer where the series does not reach so far back.

    Returns
    -------
    Tensor of shape (B, C, ...)
        0 where not a single value was found.
    """
    shape = torch.broadcast_shapes((*series.shape[:2], *at.shape[2:]), at.shape)
    total = series.new_zeros(shape)
    found = series.new_zeros(())
    for season in range(n_seasons):
        step = at - season * period
        is_there = (step >= start).to(series.dtype)
        values = series.gather(-1, step.clamp(min=0).expand(shape).flatten(2)).view(shape)
        total = total + values * is_there
        found = found + is_there
    return total / found.clamp(min=1)
