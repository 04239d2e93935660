"""What the tokens of a window say: pure numbers, free of the level and the scale of a series."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.exportable import running_max, running_min
from samovar_forecast.network.held import as_given, computing
from samovar_forecast.network.paths import EXOGENOUS, Paths, places_of
from samovar_forecast.network.paths import N_OWN as N_OWN_PATHS
from samovar_forecast.network.records import BANDS
from samovar_forecast.network.running import (
    RunningStatistics,
    Window,
    at_positions,
    observed_steps,
    recent_values,
    running_extremes,
    running_sums,
)

N_VALUES = 16
"""Last values of a series that its token sees as such."""
STEPS_SHOWN = (1, 4, 12, 40)
"""Steps ahead at which the paths are shown to the tokens."""
N_MIXED = 4
"""Last values of the other series that are mixed."""
MIXED_AT_ONCE = 256
"""Positions whose mixes are read from the rows themselves; the rows before enter as moments."""
N_OWN = N_VALUES - 1 + (N_OWN_PATHS - 1) * (len(STEPS_SHOWN) + len(BANDS)) + 21
N_OTHERS = len(EXOGENOUS) * (len(STEPS_SHOWN) + 2 * len(BANDS)) + 3 * N_MIXED + 1


def soft(x: Tensor) -> Tensor:
    """Return x near 0, and ever less of it further out, up to 4 in size."""
    return x / (1 + x.abs() / 4)


def own_features(
    window: Window,
    statistics: RunningStatistics,
    paths: Paths,
    record: Tensor,
    told: Tensor,
    found: Tensor,
    strength: Tensor,
) -> Tensor:
    """Return the endogenous features of every series and position; (B, C, N, N_OWN).

    Parameters
    ----------
    window : Window
    statistics : RunningStatistics
    paths : Paths
    record : Tensor of shape (B, C, N, K, J)
    told : integer Tensor of shape (B,)
    found : integer Tensor of shape (B, C, N)
    strength : Tensor of shape (B, C, N)

    Returns
    -------
    Tensor
    """
    patch_length = window.values.shape[-1] // found.shape[-1]
    own = slice(1, N_OWN_PATHS)  # the last value moves nowhere
    there = paths.is_there[..., own, None]
    moves = paths.moves[..., own, :][..., places_of(STEPS_SHOWN, paths.ahead)] * there
    parts = [
        soft(_recent_moves(window, statistics, patch_length, N_VALUES)[..., :-1]),
        soft(moves).flatten(-2),
        (record[..., own, :] * there).flatten(-2),
        _numbers(window, statistics, patch_length),
        _season_numbers(statistics, told, found, strength),
    ]
    return torch.cat(parts, -1)


def _recent_moves(
    window: Window, statistics: RunningStatistics, patch_length: int, n_values: int
) -> Tensor:
    """Return the last values less the very last, each in its own unit; (B, C, N, n_values)."""
    values = recent_values(window.values, patch_length, n_values)
    seen = recent_values(window.observed, patch_length, n_values)
    back = torch.arange(n_values - 1, -1, -1, device=values.device)
    unit = statistics.unit[..., (back - 1).clamp(min=0)]
    moved = statistics.is_usable[..., None] * seen
    return (values - statistics.last[..., None]) / unit * moved


def _numbers(window: Window, statistics: RunningStatistics, patch_length: int) -> Tensor:
    """Return 14 numbers that describe a series so far."""
    steps, weight = observed_steps(window)
    n_steps = running_sums(weight, patch_length).clamp(min=1)
    last, mean, deviation, step = statistics[:4]
    low, high = (as_given(side, "level") for side in running_extremes(window, patch_length))

    def mean_so_far(series: Tensor) -> Tensor:
        return as_given(running_sums(series, patch_length) / n_steps, "memory")

    before = F.pad(steps[..., :-1], (1, 0))
    is_still = (steps.abs() <= 1e-6) * weight
    seen_last = recent_values(window.observed, patch_length, N_VALUES)
    with computing("scale"):
        recent, longer = (
            (
                recent_values(steps.square(), patch_length, n).sum(-1)
                / recent_values(weight, patch_length, n).sum(-1).clamp(min=1)
            )
            for n in (8, 32)
        )
    variance = step.square()
    with computing("scale"):
        largest = at_positions(running_max(steps.abs()), patch_length)
    at_low = window.values <= running_min(window.values) + 1e-6
    numbers = [
        soft((last - mean) / deviation),
        (step / deviation).log(),
        mean_so_far(steps * before) / variance,
        soft((last - low) / deviation),
        soft((high - last) / deviation),
        soft((last - low) / step) / 2,
        mean_so_far(is_still.to(steps.dtype)),
        mean_so_far(at_low.to(steps.dtype) * window.observed),
        statistics.n_observed.clamp(min=1).log() / 2 - 2,
        0.3 * ((recent + 1e-6 * variance) / variance).log(),
        0.3 * ((longer + 1e-6 * variance) / variance).log(),
        seen_last.mean(-1) + seen_last[..., -1] - 2,
        soft(mean_so_far(steps.pow(3)) / step.pow(3)),
        (largest / step + 1e-3).log(),
    ]
    return torch.stack(numbers, -1) * statistics.is_usable[..., None]


def _season_numbers(
    statistics: RunningStatistics, told: Tensor, found: Tensor, strength: Tensor
) -> Tensor:
    """Return 7 numbers that describe the seasons."""
    period = told[:, None, None].expand(found.shape).to(strength.dtype)
    other = found.to(strength.dtype)
    numbers = [
        (period > 1).to(strength.dtype),
        period.log() / 3,
        torch.tanh(statistics.n_observed / (4 * period)) * (period > 1),
        (other > 1).to(strength.dtype),
        other.log() / 3,
        torch.tanh(statistics.n_observed / (4 * other)) * (other > 1),
        strength,
    ]
    return torch.stack(numbers, -1)


def features_of_others(
    statistics: RunningStatistics, paths: Paths, record: Tensor, mixes: Tensor
) -> Tensor:
    """Return the exogenous features of every series and position; (B, C, N, N_OTHERS).

    Parameters
    ----------
    statistics : RunningStatistics
    paths : Paths
    record : Tensor of shape (B, C, N, K, J)
    mixes : Tensor of shape (B, C, N, M)
        From :func:`mix_others`.

    Returns
    -------
    Tensor
    """
    n_series = record.shape[1]
    own, others = slice(N_OWN_PATHS), slice(N_OWN_PATHS, None)
    best_own = record[..., own, :].masked_fill(paths.is_there[..., own, None] == 0, 9)
    best_own = best_own.amin(-2, keepdim=True)
    there = paths.is_there[..., others, None]
    size = record.new_full((*record.shape[:3], 1), math.log(n_series))
    parts = [
        soft(paths.moves[..., others, :][..., places_of(STEPS_SHOWN, paths.ahead)] * there).flatten(
            -2
        ),
        (record[..., others, :] * there).flatten(-2),
        ((record[..., others, :] - best_own) * there).flatten(-2),
        soft(mixes) * statistics.is_usable[..., None],
        size,
    ]
    return torch.cat(parts, -1)


def mix_others(window: Window, statistics: RunningStatistics, patch_length: int) -> Tensor:
    """Return mixes of the last moves of the other series, weighted by their moments so far.

    They are M numbers for every series and position, (B, C, N, M), as large as they come.

    The moments are the correlation of the steps, that with the steps of the other series one to
    four rows before, and that of the levels. Among :data:`MIXED_AT_ONCE` positions the sum over
    series is taken before that over rows, so the cost is linear in the number of series; in longer
    windows the moments of the rows before are summed first, so it is linear in the rows.
    """
    recent = soft(_recent_moves(window, statistics, patch_length, N_MIXED))  # B C N 4
    steps, _ = observed_steps(window)
    n_series = steps.shape[1]
    steps = as_given(steps, "memory")
    lead = F.avg_pool1d(F.pad(steps, (4, 0))[..., :-1], 4, 1) * 2  # mean of rows t-4 ... t-1
    level = (window.values - window.values[..., :1]) * window.observed
    level = as_given(level, "memory")
    size = statistics.step
    pairs = [(steps, steps, size), (steps, lead, size), (level, level, None)]
    mixes = []
    for own, other, unit in pairs:
        if unit is None:
            square = running_sums(own.square(), patch_length) / statistics.n_observed.clamp(min=1)
            unit = square.clamp(min=1e-12).sqrt().clamp(min=1e-6)
        weighted = recent / unit[..., None]  # B C N r
        mix = _mixed_by_moments(weighted, own, other, patch_length)
        same = running_sums(own * other, patch_length)[..., None]
        mix = mix - same * weighted
        count = statistics.n_observed.clamp(min=1)
        mixes.append(mix / (unit * count)[..., None] / math.sqrt(n_series - 1))
    return torch.stack(mixes, -2).flatten(-2)


def _mixed_by_moments(weighted: Tensor, own: Tensor, other: Tensor, patch_length: int) -> Tensor:
    """Return ``sum_t own[c, t] sum_k other[k, t] weighted[k, n, r]`` over the rows up to n.

    Parameters
    ----------
    weighted : Tensor of shape (B, C, N, R)
    own, other : Tensor of shape (B, C, L)
    patch_length : int

    Returns
    -------
    Tensor of shape (B, C, N, R)
    """
    parts = []
    moments = None  # of the rows before, B C C
    n_rows = MIXED_AT_ONCE * patch_length
    for some, here, there in zip(
        weighted.split(MIXED_AT_ONCE, 2), own.split(n_rows, 2), other.split(n_rows, 2), strict=True
    ):
        length = here.shape[2]
        ends = torch.arange(patch_length - 1, length, patch_length, device=own.device)
        is_past = (torch.arange(length, device=own.device) <= ends[:, None]).to(own.dtype)  # N L
        summed = torch.einsum("bcnr,bct->bnrt", some, there) * is_past[:, None]
        mix = torch.einsum("bct,bnrt->bcnr", here, summed)
        if moments is not None:
            mix = mix + torch.einsum("bck,bknr->bcnr", moments, some)
        parts.append(mix)
        if len(parts) * MIXED_AT_ONCE < weighted.shape[2]:  # there are later rows
            new = here @ there.mT
            moments = new if moments is None else moments + new
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)
