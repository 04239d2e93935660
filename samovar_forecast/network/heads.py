"""What the K numbers per step mean: from the network's units to parameters in the data's units.

The network predicts numbers of the size of one, whatever the data. A head says of each of them
what kind of parameter it is, and brings it to the units of the window with the window's own
moments: a location is shifted and scaled, a scale is scaled only, a count keeps its own unit,
a probability moves from the window's own share. A number of 0 stands for the window's own moment,
so that a head starts at a sensible distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.exceptions import ConfigurationError

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
    """Mean value of a window of shares of one, half a success and failure added: never 0 or 1."""


def window_moments(
    target: Tensor, location: Tensor, scale: Tensor, normalization: str
) -> WindowMoments:
    """Return the moments of each window, or neutral ones if the network does not normalise.

    Parameters
    ----------
    target : Tensor of shape (B, L, C)
        Windows in the units of the data.
    location, scale : Tensor of shape (B, 1, C)
        Of the window's normalisation, as in ``NetworkOutput``.
    normalization : {"last_patch", "window", "none"}
        With ``"none"`` the network's numbers are in the units of the data already.

    Returns
    -------
    WindowMoments
    """
    one = torch.ones_like(scale)
    if normalization == "none":
        return WindowMoments(location, scale, scale.abs(), one, one, one / 2)
    n_steps = target.shape[1]
    mean = target.mean(1, keepdim=True)
    size = target.abs().mean(1, keepdim=True)
    level = torch.where(size == 0, one, size)
    return WindowMoments(
        location,
        scale,
        spread=torch.where(scale == 0, level, scale.abs()),
        level=level,
        events=mean.clamp(min=0) + 0.5 / n_steps,
        share=(mean.clamp(0, 1) * n_steps + 0.5) / (n_steps + 1),
    )


def positive(predicted: Tensor) -> Tensor:
    """Return ``softplus(x) / softplus(0)``: positive, 1 at 0, close to linear above."""
    return F.softplus(predicted) / UNIT


_KINDS: dict[str, Callable[[Tensor, WindowMoments], Tensor]] = {
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


@dataclass(frozen=True)
class Head:
    """Description of the K numbers that the network predicts per step and series.

    Parameters
    ----------
    kinds : tuple of str
        What each number is:

        ===================  =========================================================
        kind                 parameter, in the units of the data
        ===================  =========================================================
        ``location``         any real number: mean, median, mode
        ``scale``            positive, in the unit of the series: standard deviation
        ``count``            positive mean of counts
        ``positive``         positive without unit: shape, dispersion
        ``level``            positive, of the size of the series: scale of a positive law
        ``rate``             positive, one over the size of the series
        ``log_level``        logarithm of a size
        ``log_odds``         log odds of a share of one
        ``log_odds_of_end``  log odds that a geometric count ends
        ``share``, ``rest``  positive, in proportion to a share of one, and to its rest
        ``free``             the network's number as it is
        ===================  =========================================================
    quantiles : tuple of float, optional
        Levels, rising. The numbers are then these quantiles and cannot cross: the one nearest
        the median is a location, each other one lies a positive step further out.

    Raises
    ------
    ConfigurationError
        If a kind is unknown or the levels are not rising inside (0, 1).
    """

    kinds: tuple[Kind, ...]
    quantiles: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in _KINDS:
                raise ConfigurationError(
                    "unknown kind of parameter", found=repr(kind), wanted=list(_KINDS)
                )
        rising = all(a < b for a, b in zip(self.quantiles, self.quantiles[1:], strict=False))
        if not rising or not all(0 < level < 1 for level in self.quantiles):
            raise ConfigurationError(
                "quantile levels must rise and lie inside (0, 1)", found=self.quantiles
            )

    @classmethod
    def point(cls) -> Head:
        """Return the head of a point forecast."""
        return cls(("location",))

    @classmethod
    def gaussian(cls) -> Head:
        """Return the head of a normal distribution: mean, then standard deviation."""
        return cls(("location", "scale"))

    @classmethod
    def of_quantiles(cls, levels: Sequence[float]) -> Head:
        """Return the head of quantiles at the given levels, which never cross."""
        location: Kind = "location"
        return cls((location,) * len(levels), tuple(float(level) for level in levels))

    @property
    def n_params(self) -> int:
        """Numbers per step and series (K)."""
        return len(self.kinds)

    @property
    def center(self) -> int:
        """Which of the K numbers is the middle: the quantile nearest the median, or the first."""
        if not self.quantiles:
            return 0
        return min(range(self.n_params), key=lambda k: abs(self.quantiles[k] - 0.5))

    def __call__(self, predicted: Tensor, window: WindowMoments) -> Tensor:
        """Return the parameters in the units of the data.

        Parameters
        ----------
        predicted : Tensor of shape (B, n_steps, C, K)
            The network's numbers; any number of steps.
        window : WindowMoments

        Returns
        -------
        Tensor of shape (B, n_steps, C, K)
        """
        if self.quantiles:
            return self._ordered(predicted, window)
        numbers = predicted.unbind(-1)  # K of (B, n_steps, C)
        parameters = [_KINDS[kind](x, window) for kind, x in zip(self.kinds, numbers, strict=True)]
        return torch.stack(parameters, dim=-1)

    def _ordered(self, predicted: Tensor, window: WindowMoments) -> Tensor:
        """Start at the quantiles of N(location, spread) and keep the order by positive steps."""
        middle = self.center
        normal = [NormalDist().inv_cdf(level) for level in self.quantiles]
        steps = [
            window.spread * (normal[k + 1] - normal[k]) * positive(predicted[..., j])
            for k, j in enumerate(j for j in range(self.n_params) if j != middle)
        ]  # steps[k] leads from quantile k to quantile k + 1
        row = [window.location + window.scale * (predicted[..., middle] + normal[middle])]
        for step in steps[middle:]:
            row.append(row[-1] + step)
        for step in reversed(steps[:middle]):
            row.insert(0, row[0] - step)
        return torch.stack(row, dim=-1)


def pinball_errors(quantiles: Tensor, actual: Tensor, levels: Sequence[float]) -> Tensor:
    """Return the pinball loss of each step and series, averaged over the levels.

    Parameters
    ----------
    quantiles : Tensor of shape (B, n_steps, C, K)
    actual : Tensor of shape (B, n_steps, C)
    levels : sequence of K floats

    Returns
    -------
    Tensor of shape (B, n_steps, C)
    """
    tau = torch.tensor(levels, dtype=quantiles.dtype, device=quantiles.device)
    error = actual[..., None] - quantiles
    return torch.maximum(tau * error, (tau - 1) * error).mean(-1)


def gaussian_errors(parameters: Tensor, actual: Tensor) -> Tensor:
    """Return the negative log likelihood of each step and series under normal distributions.

    Parameters
    ----------
    parameters : Tensor of shape (B, n_steps, C, 2)
        Mean and standard deviation.
    actual : Tensor of shape (B, n_steps, C)

    Returns
    -------
    Tensor of shape (B, n_steps, C)
    """
    mean, deviation = parameters.unbind(-1)
    return -torch.distributions.Normal(mean, deviation, validate_args=False).log_prob(actual)
