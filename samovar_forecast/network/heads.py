"""Heads: what the K numbers per step mean, how they are trained, and how they are calibrated.

A head is a class that owns four things: its parameters in the units of the data, the loss that
fits them, the score of a value under them, and the value of a score. To add a head, write its
class here, add it to ``HEADS``, and let the host's adapter ask for it.

Letters: B windows, s steps, C series, K numbers per step and series.
"""

from __future__ import annotations

import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.parameter_kinds import (
    PARAMETER_KINDS,
    Kind,
    WindowMoments,
    positive,
)


class Head(ABC):
    """Description of the K numbers that the network predicts per step and series.

    Scores and values are inverse to each other and rise together: scores of held-out windows
    calibrate the forecast (see :mod:`samovar_forecast.learning.uncertainty`).
    """

    name: ClassVar[str]
    """Under which ``HEADS`` knows the class, and a file the head."""

    @property
    @abstractmethod
    def kinds(self) -> tuple[Kind, ...]:
        """Kind of each of the K numbers, a name of ``PARAMETER_KINDS``."""

    @property
    def n_params(self) -> int:
        """Numbers per step and series (K)."""
        return len(self.kinds)

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Levels of the quantiles that the numbers are; none if they are something else."""
        return ()

    @property
    def center(self) -> int:
        """Which of the K numbers is the point forecast."""
        return 0

    def __call__(self, predicted: Tensor, window: WindowMoments) -> Tensor:
        """Return the parameters in the units of the data.

        Parameters
        ----------
        predicted : Tensor of shape (B, s, C, K)
            The network's numbers; any number of steps.
        window : WindowMoments

        Returns
        -------
        Tensor of shape (B, s, C, K)
        """
        numbers = predicted.unbind(-1)  # K of (B, s, C)
        parameters = [
            PARAMETER_KINDS[kind](x, window) for kind, x in zip(self.kinds, numbers, strict=True)
        ]
        return torch.stack(parameters, dim=-1)

    @abstractmethod
    def errors(self, parameters: Tensor, actual: Tensor) -> Tensor:
        """Return the loss of each step and series.

        Parameters
        ----------
        parameters : Tensor of shape (B, s, C, K)
            In the units of ``actual``.
        actual : Tensor of shape (B, s, C)

        Returns
        -------
        Tensor of shape (B, s, C)
        """

    @abstractmethod
    def scores(self, actual: Tensor, parameters: Tensor) -> Tensor:
        """Return the score of each value: rising with the value, NaN where that is NaN.

        Parameters
        ----------
        actual : Tensor of shape (..., C)
        parameters : Tensor of shape (..., C, K)

        Returns
        -------
        Tensor of shape (..., C)
        """

    @abstractmethod
    def values(self, scores: Tensor, parameters: Tensor) -> Tensor:
        """Return the values that have these scores: the inverse of :meth:`scores`."""

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the fields as a dictionary of plain Python values."""
        assert dataclasses.is_dataclass(self)  # as every head is
        return {"name": self.name, **dataclasses.asdict(self)}

    @staticmethod
    def from_dict(description: Mapping[str, Any]) -> Head:
        """Build the head from :meth:`to_dict`'s dictionary.

        Raises
        ------
        ConfigurationError
            If there is no head of that name, or its fields are not admissible.
        """
        fields = dict(description)
        name = fields.pop("name", None)
        if name not in HEADS:
            raise ConfigurationError("unknown head", found=repr(name), wanted=list(HEADS))
        return HEADS[name](**fields)

    @staticmethod
    def point() -> PointHead:
        """Return the head of a point forecast."""
        return PointHead()

    @staticmethod
    def gaussian() -> GaussianHead:
        """Return the head of a normal distribution."""
        return GaussianHead()

    @staticmethod
    def of_quantiles(levels: Sequence[float]) -> QuantileHead:
        """Return the head of quantiles at the given levels."""
        return QuantileHead(tuple(levels))


@dataclass(frozen=True)
class PointHead(Head):
    """A point, fitted by the squared error: the mean."""

    name = "point"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """A location."""
        return ("location",)

    def errors(self, parameters: Tensor, actual: Tensor) -> Tensor:
        """Return ``(point - actual)^2``."""
        return (parameters[..., 0] - actual).square()

    def scores(self, actual: Tensor, parameters: Tensor) -> Tensor:
        """Return ``actual - point``."""
        return actual - parameters[..., 0]

    def values(self, scores: Tensor, parameters: Tensor) -> Tensor:
        """Return ``score + point``."""
        return scores + parameters[..., 0]


@dataclass(frozen=True)
class GaussianHead(Head):
    """A normal distribution, fitted by its likelihood: mean, then standard deviation."""

    name = "gaussian"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """A location and a scale."""
        return ("location", "scale")

    def errors(self, parameters: Tensor, actual: Tensor) -> Tensor:
        """Return the negative log likelihood."""
        mean, deviation = parameters.unbind(-1)
        return -torch.distributions.Normal(mean, deviation, validate_args=False).log_prob(actual)

    def scores(self, actual: Tensor, parameters: Tensor) -> Tensor:
        """Return ``(actual - mean) / deviation``."""
        return (actual - parameters[..., 0]) / parameters[..., 1]

    def values(self, scores: Tensor, parameters: Tensor) -> Tensor:
        """Return ``score * deviation + mean``."""
        return scores * parameters[..., 1] + parameters[..., 0]


@dataclass(frozen=True)
class QuantileHead(Head):
    """Quantiles that never cross, fitted by the pinball loss.

    The quantile nearest the median is a location; each other quantile lies a positive step
    further out.

    Parameters
    ----------
    levels : tuple of float
        Rising, inside (0, 1).

    Raises
    ------
    ConfigurationError
        If there is no level, or the levels do not rise inside (0, 1).
    """

    levels: tuple[float, ...]

    name = "quantiles"

    def __post_init__(self) -> None:
        levels = tuple(float(level) for level in self.levels)
        object.__setattr__(self, "levels", levels)  # JSON knows lists only
        rising = all(low < high for low, high in itertools.pairwise(levels))
        if not rising or not levels or not all(0 < level < 1 for level in levels):
            raise ConfigurationError(
                "quantile levels must rise and lie inside (0, 1)", found=self.levels
            )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """A location for every level."""
        location: Kind = "location"
        return (location,) * len(self.levels)

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The levels."""
        return self.levels

    @property
    def center(self) -> int:
        """Which of the K numbers is the quantile nearest the median."""
        return min(range(self.n_params), key=lambda k: abs(self.levels[k] - 0.5))

    def __call__(self, predicted: Tensor, window: WindowMoments) -> Tensor:
        """Start at the quantiles of N(location, spread) and keep the order by positive steps."""
        middle = self.center
        normal = _normal_scores(self.levels)
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

    def errors(self, parameters: Tensor, actual: Tensor) -> Tensor:
        """Return the pinball loss, averaged over the levels."""
        tau = torch.tensor(self.levels, dtype=parameters.dtype, device=parameters.device)
        error = actual[..., None] - parameters
        return torch.maximum(tau * error, (tau - 1) * error).mean(-1)

    def scores(self, actual: Tensor, parameters: Tensor) -> Tensor:
        """Return the normal score that linear interpolation of the quantiles gives a value."""
        if self.n_params == 1:
            return actual - parameters[..., 0]
        return _interpolate(actual, parameters, self._knots(parameters))

    def values(self, scores: Tensor, parameters: Tensor) -> Tensor:
        """Return the value at which the interpolated quantiles have a normal score."""
        if self.n_params == 1:
            return scores + parameters[..., 0]
        return _interpolate(scores, self._knots(parameters), parameters)

    def _knots(self, like: Tensor) -> Tensor:
        """Return the normal scores of the levels, of the shape (..., K) of the quantiles."""
        return like.new_tensor(_normal_scores(self.levels)).expand_as(like)


@dataclass(frozen=True)
class ParameterHead(Head):
    """Numbers of given kinds, whose loss is the host's: darts brings its own likelihoods.

    Parameters
    ----------
    parameters : tuple of str
        Kind of each number, a name of
        :data:`~samovar_forecast.network.parameter_kinds.PARAMETER_KINDS`.

    Raises
    ------
    ConfigurationError
        If a kind is unknown. Later also where a loss, a score or a value is asked for.
    """

    parameters: tuple[Kind, ...]

    name = "parameters"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))  # JSON knows lists only
        for kind in self.parameters:
            if kind not in PARAMETER_KINDS:
                raise ConfigurationError(
                    "unknown kind of parameter", found=repr(kind), wanted=list(PARAMETER_KINDS)
                )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds as given."""
        return self.parameters

    def errors(self, parameters: Tensor, actual: Tensor) -> Tensor:
        """Refuse: the host has the loss."""
        self._refuse("loss")

    def scores(self, actual: Tensor, parameters: Tensor) -> Tensor:
        """Refuse: without a law, there is no score."""
        self._refuse("score")

    def values(self, scores: Tensor, parameters: Tensor) -> Tensor:
        """Refuse: without a law, there is no score."""
        self._refuse("score")

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigurationError(
            f"numbers of these kinds have no {what} of their own",
            found=self.parameters,
            wanted=f"a head with a {what}: {[name for name in HEADS if name != self.name]}",
        )


HEADS: dict[str, type[Head]] = {
    head.name: head for head in (PointHead, GaussianHead, QuantileHead, ParameterHead)
}


def _normal_scores(levels: Sequence[float]) -> list[float]:
    return [NormalDist().inv_cdf(level) for level in levels]


def _interpolate(x: Tensor, knots_x: Tensor, knots_y: Tensor) -> Tensor:
    """Interpolate linearly through K knots, and go on straight beyond the first and the last."""
    n_knots = knots_x.shape[-1]
    segment = ((x[..., None] > knots_x).sum(-1) - 1).clamp(0, n_knots - 2)[..., None]  # ... C 1

    def take(knots: Tensor, at: Tensor) -> Tensor:
        shape = torch.broadcast_shapes(knots.shape[:-1], at.shape[:-1])
        return knots.expand(*shape, -1).gather(-1, at.expand(*shape, -1))[..., 0]  # ... C

    left, right = take(knots_x, segment), take(knots_x, segment + 1)
    low, high = take(knots_y, segment), take(knots_y, segment + 1)
    width = (right - left).clamp(min=torch.finfo(left.dtype).tiny)
    return low + (x - left) * ((high - low) / width)
