"""Running statistics of a window: what is known of each series at every position, and no later.

A position is the end of a patch. Its statistics read the values up to there and none after, so that
a forecast from any position is an honest one. All of them follow the level and the scale of a
series exactly: they are differences in the unit of the series, or pure numbers.

Letters of the shapes here and in the other files of the network for any panel: B windows, C series,
L steps, s patch length, N = L / s positions, H steps forecast at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.exportable import running_max, running_min
from samovar_forecast.network.held import as_given

TINY = 1e-12
"""Least mean square; the values have the size of one, and 1e-7 is the rounding of float32."""


N_PREFIXES = 4
"""What takes too long at every position is computed at so many, from the rows up to there."""


class Window(NamedTuple):
    """A window whose gaps are closed, series by series in memory.

    The location and scale are those of the whole window. They only keep float32 exact: whatever
    is computed from the window follows both, so they cancel, in derivatives too.
    """

    values: Tensor
    """(B, C, L), no NaN: a missing value repeats the last one observed."""
    observed: Tensor
    """(B, C, L), 1 where there is a value, else 0."""
    location: Tensor
    """(B, C, 1), float64."""
    scale: Tensor
    """(B, C, 1), float64, positive."""
    start: Tensor
    """(B, C, 1), integer: the step of the first value observed."""


def open_window(values: Tensor, patch_length: int, dtype: torch.dtype = torch.float32) -> Window:
    """Return the window, filled up on the left to whole patches and with its gaps closed.

    Parameters
    ----------
    values : Tensor of shape (B, L, C)
        NaN where a value is missing.
    patch_length : int
    dtype : torch.dtype
        Of the values that are returned.

    Returns
    -------
    Window
        Of the next multiple of ``patch_length`` steps.
    """
    series = values.transpose(1, 2)  # B C L
    series = F.pad(series, (-series.shape[-1] % patch_length, 0), value=torch.nan)
    is_observed = torch.isfinite(series)
    observed = is_observed.to(torch.float64)
    exact = torch.where(is_observed, series, torch.zeros_like(series)).double()
    count = observed.sum(-1, keepdim=True).clamp(min=1)
    location = exact.detach().sum(-1, keepdim=True) / count
    centred = (exact - location) * observed
    variance = centred.detach().square().sum(-1, keepdim=True) / count
    level = (exact.detach().abs() * observed).amax(-1, keepdim=True)
    is_constant = variance.sqrt() <= level * 1e-13
    scale = torch.where(is_constant, 1.0, variance).sqrt()  # a root of 0 has no derivative
    standard = torch.where(is_constant, torch.zeros_like(centred), centred / scale)
    steps = torch.arange(series.shape[-1], device=series.device)
    latest = running_max(torch.where(is_observed, steps, -1))
    first = is_observed.to(torch.int8).argmax(-1, keepdim=True)
    location = torch.where(is_constant, exact.gather(-1, first), location)
    filled = standard.gather(-1, torch.maximum(latest, first))
    return Window(filled.to(dtype), observed.to(dtype), location, scale, first)


def prefixes(n_positions: int) -> list[tuple[int, int]]:
    """Return the ends of the first quarter, half, three quarters and the whole of a window.

    A position knows what was found in the longest of them that ends no later, and nothing before
    the first of them ends.

    Parameters
    ----------
    n_positions : int
        At least 1.

    Returns
    -------
    list of (int, int)
        Of each prefix, how many positions it covers, and of the positions that know it, one after
        the other, the number of the last, counted from 1.
    """
    ends = sorted({math.ceil(n_positions * part / N_PREFIXES) for part in range(1, N_PREFIXES + 1)})
    lasts = [end - 1 for end in ends[1:]]
    return list(zip(ends, [*lasts, n_positions], strict=True))


class RunningStatistics(NamedTuple):
    """Statistics at every position; (B, C, N) each unless said otherwise."""

    last: Tensor
    """Last value."""
    mean: Tensor
    """Mean of the values so far."""
    deviation: Tensor
    """Standard deviation of the values so far."""
    step: Tensor
    """Root mean square of the steps from value to value so far."""
    unit: Tensor
    """(B, C, N, H) by how much a value moves in h steps, ``sqrt(min(h step^2, 2 deviation^2))``."""
    n_observed: Tensor
    """Number of values observed so far."""
    is_usable: Tensor
    """1 where the series has moved at all, with at least two values; else 0."""


def running_statistics(window: Window, patch_length: int, horizon: int) -> RunningStatistics:
    """Return the statistics at every position.

    Parameters
    ----------
    window : Window
    patch_length, horizon : int

    Returns
    -------
    RunningStatistics
    """
    x, observed = window.values, window.observed
    count = running_sums(observed, patch_length)
    steps, weight = observed_steps(window)
    n_values = count.clamp(min=1)
    n_steps = running_sums(weight, patch_length)
    mean = running_sums(x * observed, patch_length) / n_values
    square = running_sums(x.square() * observed, patch_length) / n_values
    level_variance = (square - mean.square()).clamp(min=TINY)
    step_square = running_sums(steps.square(), patch_length)
    has_steps = n_steps > 0
    step_square = torch.where(has_steps, step_square / n_steps.clamp(min=1), 2 * level_variance)
    step_square = step_square.clamp(min=TINY)
    ahead = torch.arange(1, horizon + 1, dtype=x.dtype, device=x.device)
    unit = torch.minimum(ahead * step_square[..., None], 2 * level_variance[..., None]).sqrt()
    has_moved = (step_square > 10 * TINY) & (level_variance > 10 * TINY) & (count >= 2)
    return RunningStatistics(
        at_positions(x, patch_length),
        as_given(mean, "level"),
        as_given(level_variance.sqrt(), "scale"),
        as_given(step_square.sqrt(), "scale"),
        as_given(unit, "scale"),
        count,
        has_moved.to(x.dtype),
    )


def running_sums(series: Tensor, patch_length: int) -> Tensor:
    """Return the sums up to the ends of the patches: (..., L) as (..., N)."""
    return series.unflatten(-1, (-1, patch_length)).sum(-1).cumsum(-1)


def at_positions(series: Tensor, patch_length: int) -> Tensor:
    """Return the entries at the ends of the patches: (..., L) as (..., N)."""
    return series[..., patch_length - 1 :: patch_length]


def observed_steps(window: Window) -> tuple[Tensor, Tensor]:
    """Return each step from the value before, 0 unless both are observed, and where both are."""
    x, observed = window.values, window.observed
    both = F.pad(observed[..., 1:] * observed[..., :-1], (1, 0))
    return F.pad(x[..., 1:] - x[..., :-1], (1, 0)) * both, both


def running_extremes(window: Window, patch_length: int) -> tuple[Tensor, Tensor]:
    """Return the least and the largest value so far at every position; (B, C, N) each."""
    low = at_positions(running_min(window.values), patch_length)
    return low, at_positions(running_max(window.values), patch_length)


def recent_values(series: Tensor, patch_length: int, n_values: int) -> Tensor:
    """Return the last values at every position: (..., L) as (..., N, n_values), zeros before."""
    padded = F.pad(series, (n_values - patch_length, 0))
    return padded.unfold(-1, n_values, patch_length)
