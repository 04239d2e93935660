"""Normalisation of each window by its own location and scale, and its inverse."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SCALE_EPSILON = 1e-8


def window_statistics(
    window: Tensor, patch_length: int, normalization: str, observed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return location and scale of each window and channel.

    ``"last_patch"`` takes the mean of the last ``patch_length`` values as location,
    ``"window"`` the mean of all; the scale of both is the standard deviation (n - 1) of the whole
    window, plus 1e-8. ``"none"`` gives 0 and 1. A window that is constant up to rounding has scale
    0: it is normalised to 0 and forecast by its level. A window of one value has no deviation;
    its scale is 1.

    Parameters
    ----------
    window : Tensor of shape (B, L, C)
        Finite, also where a value is missing.
    patch_length : int
    normalization : {"last_patch", "window", "none"}
    observed : bool Tensor of shape (B, L, C), optional
        Where there is a value. Moments are those of the observed values; if none is in the last
        patch, the whole window gives the location, and without any it is 0.

    Returns
    -------
    location, scale : Tensor of shape (B, 1, C)
    """
    if normalization == "none":
        return torch.zeros_like(window[:, :1]), torch.ones_like(window[:, :1])
    if observed is not None:
        return _observed_statistics(window, patch_length, normalization, observed)
    series = window.transpose(1, 2).contiguous()  # B C L: sums over neighbours are faster
    recent = series[..., -patch_length:] if normalization == "last_patch" else series
    location = recent.mean(-1)[:, None]
    length = series.shape[-1]
    if length == 1:
        return location, torch.ones_like(location)
    centred = series - series.mean(-1, keepdim=True)
    deviation = torch.linalg.vector_norm(centred, dim=-1)[:, None] / math.sqrt(length - 1)
    is_constant = deviation <= location.abs() * (8 * torch.finfo(window.dtype).eps)
    scale = (deviation + SCALE_EPSILON).masked_fill(is_constant, 0.0)
    return torch.where(is_constant, window[:, -1:], location), scale


def _observed_statistics(
    window: Tensor, patch_length: int, normalization: str, observed: Tensor
) -> tuple[Tensor, Tensor]:
    """Do the same where values are missing."""
    weight = observed.to(window.dtype)
    count = weight.sum(1, keepdim=True)
    mean = (weight * window).sum(1, keepdim=True) / count.clamp(min=1)
    location = mean
    if normalization == "last_patch":
        recent = weight[:, -patch_length:]
        n_recent = recent.sum(1, keepdim=True)
        recent_mean = (recent * window[:, -patch_length:]).sum(1, keepdim=True)
        location = torch.where(n_recent > 0, recent_mean / n_recent.clamp(min=1), mean)
    squares = (weight * (window - mean).square()).sum(1, keepdim=True)
    deviation = (squares / (count - 1).clamp(min=1)).sqrt()
    rounding = 8 * torch.finfo(window.dtype).eps * (weight * window).abs().amax(1, keepdim=True)
    is_constant = (deviation <= rounding) & (count > 1)
    scale = torch.where(is_constant, torch.zeros_like(deviation), deviation + SCALE_EPSILON)
    return location, torch.where(count > 1, scale, torch.ones_like(scale))


def normalize(values: Tensor, location: Tensor, scale: Tensor) -> Tensor:
    """Return ``(values - location) / scale``, and 0 where the scale is 0."""
    inverse = scale.masked_fill(scale == 0, torch.inf).reciprocal()
    return (values - location) * inverse


def denormalize(values: Tensor, location: Tensor, scale: Tensor) -> Tensor:
    """Return ``values * scale + location``: the inverse of :func:`normalize`."""
    return values * scale + location
