"""Kinds of parameters: how a number of the network becomes a parameter in the data's units.

The network predicts numbers of the size of 1, whatever the data. The kind of a parameter says how
its number is brought to the units of the window with the window's own moments: a location is
shifted and scaled, a scale is scaled only, a count keeps its own unit, a probability moves from
the window's own share. A number of 0 stands for the window's own moment, so that a distribution
starts at a sensible place.

Letters of shapes: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

Kind = Literal[
    "location", "scale", "count", "positive", "level", "rate", "log_level", "log_odds",
    "log_odds_of_end", "share", "rest", "free",
]  # fmt: skip

UNIT = 0.6931471805599453
"""softplus(0): positive numbers are divided by it, so that a prediction of 0 means 1."""


class WindowMoments(NamedTuple):
    """What a window says about its series; each entry has the shape (B, 1, C)."""

    location: Tensor
    """What the normalisation subtracted."""
    scale: Tensor
    """What the normalisation divided by; 0 for a constant window."""
    spread: Tensor
    """``scale``, for a constant window its level instead: never 0, so no density is infinite."""
    level: Tensor
    """Mean absolute value; 1 if that is 0."""
    events: Tensor
    """Mean value of a window of counts, half an event added: never 0."""
    share: Tensor
    """Mean value of a window of shares of 1, half a success and failure added: never 0 or 1."""

    @classmethod
    def of_windows(cls, target: Tensor, location: Tensor, scale: Tensor) -> WindowMoments:
        """Return the moments of windows.

        Parameters
        ----------
        target : Tensor of shape (B, L, C)
            In the units of the data.
        location, scale : Tensor of shape (B, 1, C)
            Of the windows' normalisation, as in ``NetworkOutput``.

        Returns
        -------
        WindowMoments
        """
        unit = torch.ones_like(scale)
        n_steps = target.shape[1]
        mean = target.mean(1, keepdim=True)
        size = target.abs().mean(1, keepdim=True)
        level = torch.where(size == 0, unit, size)
        return cls(
            location,
            scale,
            spread=torch.where(scale == 0, level, scale.abs()),
            level=level,
            events=mean.clamp(min=0) + 0.5 / n_steps,
            share=(mean.clamp(0, 1) * n_steps + 0.5) / (n_steps + 1),
        )

    @classmethod
    def neutral(cls, location: Tensor, scale: Tensor) -> WindowMoments:
        """Return the moments that leave the network's numbers in the units that they are in."""
        unit = torch.ones_like(scale)
        return cls(location, scale, scale.abs(), unit, unit, unit / 2)


def positive(predicted: Tensor) -> Tensor:
    """Return ``softplus(x) / softplus(0)``: positive, 1 at 0, close to linear above."""
    return F.softplus(predicted) / UNIT


PARAMETER_KINDS: dict[str, Callable[[Tensor, WindowMoments], Tensor]] = {
    "location": lambda x, window: window.location + window.scale * x,
    "scale": lambda x, window: window.spread * positive(x),
    # A count has a unit of its own: 1 event is the least that the number can move.
    "count": lambda x, window: F.softplus(window.location + window.scale.clamp(min=1) * x),
    "positive": lambda x, window: positive(x),
    "level": lambda x, window: window.level * positive(x),
    "rate": lambda x, window: positive(x) / window.level,
    "log_level": lambda x, window: window.level.log() + x,
    "log_odds": lambda x, window: window.share.logit() + x,
    "log_odds_of_end": lambda x, window: x - window.events.log(),
    "share": lambda x, window: 2 * window.share * positive(x),
    "rest": lambda x, window: 2 * (1 - window.share) * positive(x),
    "free": lambda x, window: x,
}
"""Maps a number of the network, (B, n_steps, C), to a parameter in the units of the data.

===================  =========================================================
kind                 parameter, in the units of the data
===================  =========================================================
``location``         any real number: mean, median, mode
``scale``            positive, in the unit of the series: standard deviation
``count``            positive mean of counts
``positive``         positive without unit: shape, dispersion
``level``            positive, of the size of the series: scale of a positive law
``rate``             positive, 1 over the size of the series
``log_level``        logarithm of a size
``log_odds``         log odds of a share of 1
``log_odds_of_end``  log odds that a geometric count ends
``share``, ``rest``  positive, in proportion to a share of 1, and to its rest
``free``             the network's number as it is
===================  =========================================================
"""
