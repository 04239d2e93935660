"""The record of each path: the errors that it has made so far, known at every position.

Errors of several steps are remembered together, by bands of the distance ahead. A position knows an
error when the last step of its band has come; those of a long time ago fade.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.paths import Paths, places_of
from samovar_forecast.network.running import RunningStatistics, Window

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
RECORD_DECAY = 0.97
"""Weight that is left of an error after eight steps."""
PRIOR_ERRORS = 1.0
LARGEST_ERROR = 100.0
FADED_AT_ONCE = 256
"""Positions whose records are summed from the errors themselves; those before enter as one sum."""
ROWS_IN_FULL = 8.0
"""Rows from which on an error counts in full: with fewer rows neither path nor unit says much."""


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
    # A quotient of NaN would have a NaN as its derivative, even where nothing reads it.
    is_known = torch.isfinite(ahead)
    moved = torch.where(is_known, ahead, 0.0) - statistics.last[..., None]
    return torch.where(is_known, moved / statistics.unit, torch.nan)


def records(
    paths: Paths, statistics: RunningStatistics, actual: Tensor, patch_length: int
) -> Tensor:
    """Return the logarithm of the root mean square error of every path so far, by band.

    Parameters
    ----------
    paths : Paths
    statistics : RunningStatistics
    actual : Tensor of shape (B, C, N, H)
        From :func:`targets`; may reach beyond the window, for only errors known at a position
        enter there.
    patch_length : int

    Returns
    -------
    Tensor of shape (B, C, N, K, J)
        J bands; 0 stands for the error of the last value in a series that wanders.
    """
    steps = [step for band in STEPS_REMEMBERED for step in band]
    actual = actual[..., None, [step - 1 for step in steps]]  # B C N 1 R
    bands = _band_means(actual)  # R J
    is_known = torch.isfinite(actual).to(actual.dtype)
    error = (paths.moves[..., places_of(steps, paths.ahead)] - actual.nan_to_num()) * is_known
    worth = (statistics.n_observed / ROWS_IN_FULL).clamp(max=1).square()[..., None]
    worth = (worth * paths.is_there)[..., None]  # B C N K 1
    squares = (error.square().clamp(max=LARGEST_ERROR) @ bands) * worth
    weights = (is_known @ bands) * worth  # B C N K J
    delays = [math.ceil(furthest / patch_length) for _, furthest in BANDS]
    sums, counts = (
        [_faded_sums(part[..., band], delay, patch_length) for band, delay in enumerate(delays)]
        for part in (squares, weights)
    )
    estimate_so_far = torch.ones_like(sums[0])
    errors = []
    for total, count in zip(sums, counts, strict=True):
        estimate_so_far = (total + PRIOR_ERRORS * estimate_so_far) / (count + PRIOR_ERRORS)
        errors.append(estimate_so_far)
    return 0.5 * torch.stack(errors, -1).clamp(min=1e-8).log()


def _faded_sums(values: Tensor, delay: int, patch_length: int) -> Tensor:
    """Return the faded sum of the values known at every position: those ``delay`` positions before.

    Parameters
    ----------
    values : Tensor of shape (..., N, K)
    delay, patch_length : int

    Returns
    -------
    Tensor of shape (..., N, K)
    """

    def fading(distance: Tensor) -> Tensor:
        return RECORD_DECAY ** (distance.clamp(min=0) * patch_length / 8)

    parts: list[Tensor] = []
    before: Tensor | None = None  # the sum of what all later positions know, faded to the next
    position = torch.arange(values.shape[-2], device=values.device)
    for start in range(0, len(position), FADED_AT_ONCE):
        some, first = position[start : start + FADED_AT_ONCE], max(0, start - delay)
        stop = start + len(some)
        distance = some[:, None] - position[first:stop]
        weights = torch.where(distance >= delay, fading(distance), 0.0).to(values.dtype)
        faded = weights @ values[..., first:stop, :]
        if before is not None:
            faded = faded + fading(some - start).to(values.dtype)[:, None] * before
        parts.append(faded)
        if stop < len(position):
            known = slice(first, max(first, stop - delay))
            weights = fading(stop - position[known])[None].to(values.dtype)
            added = weights @ values[..., known, :]  # ... 1 K
            if before is not None:
                added = added + fading(position.new_tensor(len(some))).to(values.dtype) * before
            before = added
    return parts[0] if len(parts) == 1 else torch.cat(parts, -2)


def pooled_records(record: Tensor, paths: Paths, statistics: RunningStatistics) -> Tensor:
    """Return the mean of each record over the series that have such a path; (B, 1, N, K, J).

    On short samples a record is mostly noise, and series of a panel are alike.
    """
    weight = (paths.is_there * statistics.is_usable[..., None])[..., None]
    return (record * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)


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
