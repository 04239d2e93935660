"""Normalisation of windows by their own location and scale: moments, slopes, and the inverse.

A normalisation is a class. Its moments bring a window to numbers of the size of 1; their slopes,
the derivatives by every value of the window, are what the Jacobian of a forecast needs beside the
network's own. To add a normalisation, write its class here, add it to ``NORMALIZATIONS`` and to
the choices of :data:`samovar_forecast.config.Normalization`.

Letters: B windows, L context, K channels, s patch length.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.exceptions import ConfigurationError

SCALE_EPSILON = 1e-8


class Moments(NamedTuple):
    """Location and scale of each window and channel."""

    location: Tensor
    """(B, 1, K) what is subtracted."""
    scale: Tensor
    """(B, 1, K) what is divided by; 0 for a constant window."""


class Slopes(NamedTuple):
    """Derivative of the moments of a channel by each of its values in the window."""

    location: Tensor
    """(B, L, K)"""
    scale: Tensor
    """(B, L, K)"""


class Normalizer(ABC):
    """What is taken off a window, and what it is divided by.

    Parameters
    ----------
    patch_length : int
        Steps of the last patch (s).
    """

    keeps_units = False
    """Whether numbers of the network are in the units of the data."""

    cancels_level = False
    """Whether a constant added to a window is taken off before the network and put back after it,
    so that the coefficients of the forecast sum to 1 whatever the weights and the data."""

    def __init__(self, patch_length: int) -> None:
        self.patch_length = patch_length

    @abstractmethod
    def moments(self, window: Tensor, observed: Tensor | None = None) -> Moments:
        """Return location and scale of each window and channel.

        Parameters
        ----------
        window : Tensor of shape (B, L, K)
            Finite, also where a value is missing.
        observed : bool Tensor of shape (B, L, K), optional
            Where there is a value; moments are those of the observed values. By default
            everywhere.

        Returns
        -------
        Moments
        """

    @abstractmethod
    def slopes(self, window: Tensor, observed: Tensor | None = None) -> Slopes:
        """Return the derivatives of :meth:`moments`, of the same arguments, by each value.

        Returns
        -------
        Slopes
            0 at values that are not observed.
        """


class _ByDeviation(Normalizer):
    """The mean of the newest values as location, the window's standard deviation as scale.

    The deviation (n - 1) is that of the whole window, plus 1e-8. A window that is
    constant up to rounding has scale 0: it is normalised to 0 and forecast by its level. A window
    of a single value has no deviation; its scale is 1.

    Where values are missing and none is observed among the newest, the whole window gives the
    location; if none is observed at all, location and scale are 0 and 1.
    """

    cancels_level = True

    def __init__(self, patch_length: int, n_newest: int | None) -> None:
        super().__init__(patch_length)
        self.newest = slice(None if n_newest is None else -n_newest, None)

    def moments(self, window: Tensor, observed: Tensor | None = None) -> Moments:
        if observed is not None:
            return self._observed_moments(window, observed)
        series = window.transpose(1, 2).contiguous()  # B K L: sums over neighbours are faster
        location = series[..., self.newest].mean(-1)[:, None]  # B 1 K
        length = series.shape[-1]
        if length == 1:
            return Moments(location, torch.ones_like(location))
        centred = series - series.mean(-1, keepdim=True)
        deviation = torch.linalg.vector_norm(centred, dim=-1)[:, None] / math.sqrt(length - 1)
        is_constant = deviation <= location.abs() * (8 * torch.finfo(window.dtype).eps)
        scale = (deviation + SCALE_EPSILON).masked_fill(is_constant, 0.0)
        return Moments(torch.where(is_constant, window[:, -1:], location), scale)

    def _observed_moments(self, window: Tensor, observed: Tensor) -> Moments:
        weight = observed.to(window.dtype)
        count = weight.sum(1, keepdim=True)  # B 1 K
        mean = (weight * window).sum(1, keepdim=True) / count.clamp(min=1)
        recent = weight[:, self.newest]
        n_recent = recent.sum(1, keepdim=True)
        recent_mean = (recent * window[:, self.newest]).sum(1, keepdim=True)
        location = torch.where(n_recent > 0, recent_mean / n_recent.clamp(min=1), mean)
        squares = (weight * (window - mean).square()).sum(1, keepdim=True)
        deviation = (squares / (count - 1).clamp(min=1)).sqrt()
        rounding = 8 * torch.finfo(window.dtype).eps * (weight * window).abs().amax(1, keepdim=True)
        is_constant = (deviation <= rounding) & (count > 1)
        scale = torch.where(is_constant, torch.zeros_like(deviation), deviation + SCALE_EPSILON)
        return Moments(location, torch.where(count > 1, scale, torch.ones_like(scale)))

    def slopes(self, window: Tensor, observed: Tensor | None = None) -> Slopes:
        weight = torch.ones_like(window) if observed is None else observed.to(window.dtype)
        scale = self.moments(window, observed).scale
        count = weight.sum(1, keepdim=True)  # B 1 K
        is_constant = scale == 0

        recent = torch.zeros_like(weight)
        recent[:, self.newest] = weight[:, self.newest]
        recent = torch.where(recent.sum(1, keepdim=True) > 0, recent, weight)
        by_location = recent / recent.sum(1, keepdim=True).clamp(min=1)  # of a mean: 1 / n
        if observed is None:  # then a constant window is forecast by its last value
            last = torch.zeros_like(window)
            last[:, -1] = 1
            by_location = torch.where(is_constant, last, by_location)

        # d sqrt(sum (x - mean)^2 / (n - 1)) / d x = (x - mean) / ((n - 1) deviation)
        mean = (weight * window).sum(1, keepdim=True) / count.clamp(min=1)
        spread = (count - 1) * (scale - SCALE_EPSILON)
        moves = ~is_constant & (count > 1)
        spread = torch.where(moves, spread, torch.inf)
        return Slopes(by_location, (window - mean) * weight / spread)


class LastPatch(_ByDeviation):
    """The mean of the last patch as location, as in the paper."""

    def __init__(self, patch_length: int) -> None:
        super().__init__(patch_length, n_newest=patch_length)


class WholeWindow(_ByDeviation):
    """The mean of the whole window as location."""

    def __init__(self, patch_length: int) -> None:
        super().__init__(patch_length, n_newest=None)


class Unchanged(Normalizer):
    """Location 0 and scale 1: values stay as they are."""

    keeps_units = True

    def moments(self, window: Tensor, observed: Tensor | None = None) -> Moments:
        """Return 0 and 1."""
        return Moments(torch.zeros_like(window[:, :1]), torch.ones_like(window[:, :1]))

    def slopes(self, window: Tensor, observed: Tensor | None = None) -> Slopes:
        """Return 0: no value moves a constant."""
        return Slopes(torch.zeros_like(window), torch.zeros_like(window))


NORMALIZATIONS: dict[str, Callable[[int], Normalizer]] = {
    "last_patch": LastPatch,
    "window": WholeWindow,
    "none": Unchanged,
}


def make_normalizer(name: str, patch_length: int) -> Normalizer:
    """Return the normalisation of a name.

    Raises
    ------
    ConfigurationError
        If there is none of this name.
    """
    if name not in NORMALIZATIONS:
        raise ConfigurationError(
            "unknown normalization", found=repr(name), wanted=list(NORMALIZATIONS)
        )
    return NORMALIZATIONS[name](patch_length)


def normalize(values: Tensor, location: Tensor, scale: Tensor) -> Tensor:
    """Return ``(values - location) / scale``, and 0 where the scale is 0."""
    inverse = scale.masked_fill(scale == 0, torch.inf).reciprocal()
    return (values - location) * inverse


def denormalize(values: Tensor, location: Tensor, scale: Tensor) -> Tensor:
    """Return ``values * scale + location``: the inverse of :func:`normalize`."""
    return values * scale + location
